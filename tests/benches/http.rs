//! Reads over HTTP on loopback, one client, one connection: `cargo bench -p tests`.

use std::net::{IpAddr, Ipv4Addr};

use divan::Bencher;
use serde_json::{Value, json};
use stockgpt::{cli::Serve, serve, system::System};
use tokio::{net::TcpListener, runtime::Runtime};

fn main() {
    divan::main();
}

/// A server on data of its own, and a client that is logged in and holds positions.
struct Bench {
    runtime: Runtime,
    client: reqwest::Client,
    base: String,
    token: String,
    _directory: tempfile::TempDir,
}

impl Bench {
    fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = Runtime::new().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let options = Serve {
            port: 0,
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            data_dir: directory.path().join("data"),
            from: None,
            speed: 0.0,
            live: false,
            reset: false,
            admin: "admin@localhost".parse().unwrap(),
        };
        let (base, login) = runtime.block_on(async {
            let system = System::start(&options).await.unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let base = format!("http://{}/api/v1/", listener.local_addr().unwrap());
            let now = jiff::Timestamp::now();
            let (email, origin) = ("admin@localhost".parse().unwrap(), app::auth::Origin { ip: None, user_agent: None });
            system.services.auth.request_otp(&email, &origin, now).await.unwrap();
            let mail = std::fs::read_dir(options.data_dir.join("outbox")).unwrap().next().unwrap().unwrap().path();
            let mail = std::fs::read_to_string(mail).unwrap();
            let code =
                mail.lines().map(str::trim).find(|line| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit())).unwrap().to_owned();
            let login = system.services.auth.login(&email, &code, &origin, now).await.unwrap();
            tokio::spawn(async move { serve::serve(listener, serve::unlimited_router(&system), std::future::pending()).await });
            (base, login)
        });
        let bench = Self { runtime, client: reqwest::Client::new(), base, token: login.access_token, _directory: directory };
        for symbol in ["AAPL", "MSFT", "KO", "XOM", "JPM"] {
            bench.send(
                reqwest::Method::POST,
                "portfolio/orders",
                Some(json!({"symbol": symbol, "side": "buy", "type": "market", "notional": 5000})),
            );
        }
        bench.send(reqwest::Method::POST, "clock/advance", Some(json!({"to": "next_session"})));
        bench
    }

    fn send(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> usize {
        self.runtime.block_on(async {
            let mut request = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
            if let Some(body) = body {
                request = request.header("content-type", "application/json").body(body.to_string());
            }
            let answer = request.send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.status());
            answer.bytes().await.unwrap().len()
        })
    }
}

#[divan::bench(
    args = ["stocks?limit=100", "stocks/AAPL/prices?limit=252", "stocks/AAPL/prices?limit=1260", "stocks/AAPL/features?limit=100", "stocks/AAPL/latest", "signals?limit=50", "portfolio/summary", "portfolio/positions"],
    sample_count = 200,
    sample_size = 1,
)]
fn get(bencher: Bencher<'_, '_>, path: &str) {
    static BENCH: std::sync::LazyLock<Bench> = std::sync::LazyLock::new(Bench::start);
    BENCH.send(reqwest::Method::GET, path, None);
    bencher.bench(|| BENCH.send(reqwest::Method::GET, path, None));
}
