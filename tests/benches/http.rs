//! Reads, and orders, over HTTP on loopback: `cargo bench -p tests`.

use std::net::{IpAddr, Ipv4Addr};

use api::middleware::LimitSettings;
use divan::{Bencher, counter::ItemsCount};
use domain::Email;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use stockgpt::{
    cli::Serve,
    connections::{self, Connections},
    serve,
    system::System,
};
use tokio::{net::TcpListener, runtime::Runtime};

/// How many trade at once, each in a portfolio of their own.
const CLIENTS: usize = 16;

fn main() {
    divan::main();
}

/// A server on data of its own, and clients that are logged in; the first, an administrator, holds positions.
struct Bench {
    runtime: Runtime,
    client: reqwest::Client,
    base: String,
    tokens: Vec<String>,
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
            log_format: stockgpt::cli::LogFormat::default(),
            features: stockgpt::cli::Features::default(),
            sign_up: app::auth::SignUp::Open,
            cors_origins: vec![],
            admin: "admin@localhost".parse().unwrap(),
            rate_limits: LimitSettings::default(),
        };
        let (base, tokens) = runtime.block_on(async {
            let system = System::start(&options).await.unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let base = format!("http://{}/api/v1/", listener.local_addr().unwrap());
            let mut tokens = vec![log_in(&system, &options, &options.admin).await];
            for number in 1..CLIENTS {
                tokens.push(log_in(&system, &options, &format!("client{number}@example.com").parse().unwrap()).await);
            }
            tokio::spawn(async move {
                connections::serve(listener, serve::unlimited_router(&system), Connections::default(), std::future::pending()).await;
            });
            (base, tokens)
        });
        let bench = Self { runtime, client: reqwest::Client::new(), base, tokens, _directory: directory };
        for symbol in ["AAPL", "MSFT", "KO", "XOM", "JPM"] {
            let order = json!({"symbol": symbol, "side": "buy", "type": "market", "notional": 5000});
            bench.runtime.block_on(bench.send(0, Method::POST, "portfolio/orders", Some(order)));
        }
        let next = json!({"to": "next_session"});
        bench.runtime.block_on(bench.send(0, Method::POST, "clock/advance", Some(next)));
        bench
    }

    async fn send(&self, client: usize, method: Method, path: &str, body: Option<Value>) -> Vec<u8> {
        let mut request = self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.tokens[client]);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let (status, body) = (answer.status(), answer.bytes().await.unwrap().to_vec());
        assert!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
        body
    }

    /// Places an order that waits and cancels it, so that the portfolio stays as it was: two commits.
    async fn trade(&self, client: usize) {
        let order = json!({"symbol": "KO", "side": "buy", "type": "limit", "quantity": 1, "limit_price": 20, "time_in_force": "gtc"});
        let placed: Value = serde_json::from_slice(&self.send(client, Method::POST, "portfolio/orders", Some(order)).await).unwrap();
        let path = format!("portfolio/orders/{}", placed["id"].as_str().unwrap());
        self.send(client, Method::DELETE, &path, None).await;
    }
}

/// With the code from the mail; gives the token.
async fn log_in(system: &System, options: &Serve, email: &Email) -> String {
    let now = jiff::Timestamp::now();
    let origin = app::auth::Origin::default();
    system.services.auth.request_otp(email, &origin, now).await.unwrap();
    let mails =
        std::fs::read_dir(options.data_dir.join("outbox")).unwrap().map(|mail| std::fs::read_to_string(mail.unwrap().path()).unwrap());
    let mail = mails.into_iter().find(|mail| mail.contains(&format!("To: {email}"))).unwrap();
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit());
    let code = mail.lines().map(str::trim).find(is_code).unwrap().to_owned();
    system.services.auth.login(email, &code, &origin, now).await.unwrap().access_token
}

static BENCH: std::sync::LazyLock<Bench> = std::sync::LazyLock::new(Bench::start);

/// One client, one connection.
#[divan::bench(
    args = ["stocks?limit=100", "stocks/AAPL/prices?limit=252", "stocks/AAPL/prices?limit=1260", "stocks/AAPL/features?limit=100", "stocks/AAPL/latest", "signals?limit=50", "portfolio/summary", "portfolio/positions"],
    sample_count = 200,
    sample_size = 1,
)]
fn get(bencher: Bencher<'_, '_>, path: &str) {
    let send = || BENCH.runtime.block_on(BENCH.send(0, Method::GET, path, None)).len();
    send();
    bencher.bench(send);
}

/// Orders placed and cancelled, by so many clients at once on as many portfolios.
#[divan::bench(args = [1, CLIENTS], sample_count = 100, sample_size = 1)]
fn orders(bencher: Bencher<'_, '_>, clients: usize) {
    let trade = || BENCH.runtime.block_on(join_all((0..clients).map(|client| BENCH.trade(client))));
    trade();
    bencher.counter(ItemsCount::new(clients)).bench(trade);
}
