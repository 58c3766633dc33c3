//! The program as a process: started, killed, started again; and what it says when it cannot start.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
    thread,
};

use serde_json::{Value, json};

/// A server process with its standard output.
struct Server {
    process: Child,
    output: BufReader<ChildStdout>,
    port: u16,
    /// Shown at the start; later lines carry the sign-in codes.
    banner: String,
}

fn program(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stockgpt"));
    command.args(["--speed", "0", "--data-dir"]).arg(data_dir).env_remove("RUST_LOG");
    command
}

impl Server {
    fn start(data_dir: &Path) -> Self {
        let mut process = program(data_dir).args(["--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut banner = String::new();
        while !banner.contains("Admin ") {
            assert!(output.read_line(&mut banner).unwrap() > 0, "it ended: {banner}");
        }
        let port = banner.split("127.0.0.1:").nth(1).and_then(|rest| rest.split('/').next()).unwrap().parse().unwrap();
        Self { process, output, port, banner }
    }

    /// One HTTP exchange, by hand: no client of ours is to be trusted with the test of our server.
    fn call(&self, method: &str, path: &str, token: Option<&str>, body: Option<Value>) -> (u16, Value) {
        let mut stream = self.send(method, path, token, body);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// A request whose answer nobody has waited for yet.
    fn send(&self, method: &str, path: &str, token: Option<&str>, body: Option<Value>) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let body = body.map_or_else(String::new, |body| body.to_string());
        let token = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
        write!(
            stream,
            "{method} /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n{token}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        stream
    }

    fn log_in(&mut self, email: &str) -> String {
        assert_eq!(self.call("POST", "auth/request-otp", None, Some(json!({ "email": email }))).0, 200);
        let marker = format!("code for {email}: ");
        let mut line = String::new();
        while !line.contains(&marker) {
            line.clear();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "it ended");
        }
        let code = line.split(&marker).nth(1).unwrap().trim().to_owned();
        let (status, login) = self.call("POST", "auth/login", None, Some(json!({ "email": email, "otp": code })));
        assert_eq!(status, 200, "{login}");
        login["access_token"].as_str().unwrap().to_owned()
    }

    /// SIGKILL: no goodbye, no flush.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn fails(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert!(!status.success(), "it should have failed: {}", String::from_utf8_lossy(&stdout));
    assert_eq!(said.trim_end().lines().count(), 1, "one clear line: {said}");
    said
}

#[test]
fn a_killed_server_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut server = Server::start(&data);
    assert!(server.banner.contains("Mon 2022-01-03 10:00 New York"), "{}", server.banner);
    let (ann, admin) = (server.log_in("ann@example.com"), server.log_in("admin@localhost"));
    let order = json!({"symbol": "KO", "side": "buy", "type": "market", "quantity": 100});
    let (status, placed) = server.call("POST", "portfolio/orders", Some(&ann), Some(order));
    assert_eq!(status, 201, "{placed}");
    server.kill();

    // The order is there, the token is still good, and the market goes on.
    let server = Server::start(&data);
    let (status, found) = server.call("GET", &format!("portfolio/orders/{}", placed["id"].as_str().unwrap()), Some(&ann), None);
    assert_eq!((status, &found["status"]), (200, &json!("accepted")), "{found}");
    assert_eq!(server.call("POST", "clock/advance", Some(&admin), Some(json!({"to": "next_session"}))).0, 200);
    let before = server.call("GET", "portfolio/summary", Some(&ann), None);
    assert_eq!(before.1["total_trades"], 1, "{}", before.1);
    server.kill();

    let server = Server::start(&data);
    assert!(server.banner.contains("Tue 2022-01-04 10:00 New York"), "{}", server.banner);
    assert_eq!(server.call("GET", "portfolio/summary", Some(&ann), None), before);
    assert_eq!(server.call("GET", "portfolio/ledger/verify", Some(&ann), None).1["valid"], true);
    server.kill();
}

/// What the data directory has of a kind (`prices`, `snapshots`), by name, as it is on the disk.
fn objects(data: &Path, kind: &str) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = fs::read_dir(data.join("objects").join(kind)) else { return BTreeMap::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter_map(|path| Some((path.file_name()?.to_string_lossy().into_owned(), fs::read(&path).ok()?))).collect()
}

/// Waits for what the process writes, not for time.
fn wait_until(process: &mut Child, is_there: impl Fn() -> bool) {
    while !is_there() {
        assert!(process.try_wait().unwrap().is_none(), "it ended by itself");
        thread::yield_now();
    }
}

#[test]
fn a_first_start_that_is_killed_anywhere_is_finished_by_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let whole = directory.path().join("whole");
    Server::start(&whole).kill();
    let expected = [objects(&whole, "prices"), objects(&whole, "snapshots")];
    assert_eq!(expected[0].len(), 60);
    // Among the prices, after the last of them, and when the market's means are there but no signals.
    for (prices, snapshots) in [(1, 0), (30, 0), (60, 0), (60, 2)] {
        let data = directory.path().join(format!("{prices}-{snapshots}"));
        let mut process = program(&data).args(["--port", "0"]).stdout(Stdio::piped()).spawn().unwrap();
        wait_until(&mut process, || objects(&data, "prices").len() >= prices && objects(&data, "snapshots").len() >= snapshots);
        process.kill().unwrap();
        let said = String::from_utf8(process.wait_with_output().unwrap().stdout).unwrap();
        assert!(!said.contains("Admin "), "it was ready before it was killed: {said}");
        Server::start(&data).kill();
        let found = [objects(&data, "prices"), objects(&data, "snapshots")];
        assert!(found == expected, "killed with {prices} prices and {snapshots} snapshots");
    }
}

/// A week of daily runs, killed when the newest prices were published so and so often.
#[test]
fn daily_runs_that_are_killed_are_finished_after_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let week = || Some(json!({"to": "2022-01-10T15:00:00Z"}));
    let whole = directory.path().join("whole");
    let state = |server: &Server, data: &Path, admin: &str| {
        let runs = server.call("GET", "data/runs", Some(admin), None).1;
        let told = |run: &Value| ["id", "state", "bars_added", "symbols_done"].map(|name| run[name].clone());
        let runs: Vec<_> = runs["runs"].as_array().unwrap().iter().map(told).collect();
        (objects(data, "prices"), objects(data, "snapshots"), runs)
    };
    let mut server = Server::start(&whole);
    let admin = server.log_in("admin@localhost");
    assert_eq!(server.call("POST", "clock/advance", Some(&admin), week()).0, 200);
    let expected = state(&server, &whole, &admin);
    assert_eq!(expected.2.len(), 5);
    server.kill();

    for times in [1, 3] {
        let data = directory.path().join(times.to_string());
        let mut server = Server::start(&data);
        let admin = server.log_in("admin@localhost");
        let _unanswered = server.send("POST", "clock/advance", Some(&admin), week());
        for _ in 0..times {
            let before = objects(&data, "snapshots");
            wait_until(&mut server.process, || objects(&data, "snapshots").get("latest.json") != before.get("latest.json"));
        }
        server.kill();
        let server = Server::start(&data);
        assert_eq!(server.call("POST", "clock/advance", Some(&admin), week()).0, 200);
        assert!(state(&server, &data, &admin) == expected, "killed after {times}");
        server.kill();
    }
}

#[test]
fn what_prevents_a_start_is_said_in_one_line() {
    let directory = tempfile::tempdir().unwrap();

    let occupied = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = occupied.local_addr().unwrap().port().to_string();
    let said = fails(program(&directory.path().join("unused")).args(["--port", &port]));
    assert!(said.contains(&port) && said.contains("--port"), "{said}");

    let damaged = directory.path().join("damaged");
    fs::create_dir_all(&damaged).unwrap();
    fs::write(damaged.join("tables.sqlite"), "not a database".repeat(100)).unwrap();
    let said = fails(program(&damaged).args(["--port", "0"]));
    assert!(said.contains("tables.sqlite"), "{said}");

    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(fails(program(&file).args(["--port", "0"])).contains("file"));

    // A directory that is somebody else's is not emptied.
    let precious = directory.path().join("precious");
    fs::create_dir_all(&precious).unwrap();
    fs::write(precious.join("thesis.txt"), "years of work").unwrap();
    assert!(fails(program(&precious).args(["--port", "0", "--reset"])).contains("not a data directory"));
    assert!(precious.join("thesis.txt").exists());

    let mut live = Command::new(env!("CARGO_BIN_EXE_stockgpt"));
    live.args(["--live", "--port", "0", "--data-dir"])
        .arg(directory.path().join("live"))
        .env_remove("POLYGON_API_KEY")
        .env_remove("TIINGO_API_KEY");
    assert!(fails(&mut live).contains("POLYGON_API_KEY"));

    let said = fails(program(&directory.path().join("late")).args(["--port", "0", "--from", "2030-01-02"]));
    assert!(said.contains("2024-03-08"), "{said}");
}

#[test]
fn a_replay_prints_its_table_and_draws_its_chart() {
    let directory = tempfile::tempdir().unwrap();
    let chart = directory.path().join("chart.svg");
    let run = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stockgpt"));
        let output = command.args(["replay", "--from", "2023-01-03", "--to", "2023-03-31", "--chart"]).arg(&chart).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let table = run();
    for row in ["total return", "maximum drawdown", "Calibration", "ledger"] {
        assert!(table.contains(row), "{row} is missing in {table}");
    }
    let ledger = |table: &str| table.lines().find(|line| line.starts_with("ledger")).map(str::to_owned);
    assert_eq!(ledger(&table), ledger(&run()), "the same replay gives the same ledger");
    let svg = fs::read_to_string(&chart).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("Drawdown"));
}
