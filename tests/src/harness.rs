//! A running server of a test's own, and a client that is logged in.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use adapters::store::Store;
use api::middleware::LimitSettings;
use app::auth::SignUp;
use aws_sdk_dynamodb::types::AttributeValue;
use axum::Router;
use domain::trading::TradingRules;
use jiff::civil::Date;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stockgpt::{
    cli::{Features, Serve},
    connections::{self, Connections},
    serve,
    system::System,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

pub(crate) const ADMIN: &str = "admin@localhost";
/// The one page that may call from a browser.
pub(crate) const TERMINAL: &str = "http://localhost:3000";

/// The system at 10:00 New York on some date, its clock standing still.
pub(crate) struct Server {
    pub(crate) url: String,
    /// What serves, for tests that must reach behind the edge.
    pub(crate) system: System,
    directory: TempDir,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

/// An answer with its body already read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The body of a success.
    pub(crate) fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text);
        self.json()
    }

    /// The body of a problem with this status.
    pub(crate) fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text);
        self.json()
    }
}

/// One user's view of a server.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// Making a data directory takes seconds: it is made once and copied.
fn template() -> PathBuf {
    static TEMPLATE: Mutex<Option<TempDir>> = Mutex::new(None);
    let mut template = TEMPLATE.lock().unwrap_or_else(PoisonError::into_inner);
    if template.is_none() {
        let directory = tempfile::tempdir().unwrap();
        let options = options(&directory.path().join("data"));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        std::thread::spawn(move || drop(runtime.block_on(System::start(&options)).unwrap())).join().unwrap();
        *template = Some(directory);
    }
    template.as_ref().map(|directory| directory.path().join("data")).expect("just made")
}

fn options(data_dir: &Path) -> Serve {
    Serve {
        port: 0,
        host: IpAddr::V4(Ipv4Addr::LOCALHOST),
        data_dir: data_dir.to_owned(),
        from: None,
        speed: 0.0,
        live: false,
        reset: false,
        admin: ADMIN.parse().unwrap(),
        log_format: stockgpt::cli::LogFormat::default(),
        features: Features::default(),
        sign_up: SignUp::Open,
        cors_origins: vec![TERMINAL.parse().unwrap()],
        rate_limits: LimitSettings::default(),
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl Server {
    /// On Monday 2022-01-03.
    pub(crate) async fn start() -> Self {
        Self::start_with(None, |_| {}).await
    }

    pub(crate) async fn start_on(from: Date) -> Self {
        Self::start_with(Some(from), |_| {}).await
    }

    /// `change` may do to the data directory what it likes before the server opens it.
    pub(crate) async fn start_with(from: Option<Date>, change: impl FnOnce(&Path)) -> Self {
        Self::start_by(TradingRules::default(), from, change).await
    }

    /// With other limits of rate than the usual ones.
    pub(crate) async fn start_limited(limits: LimitSettings) -> Self {
        let options = Serve { rate_limits: limits, ..options(Path::new("")) };
        Self::start_as(TradingRules::default(), options, serve::router, |_| {}).await
    }

    /// Trades by `rules`.
    pub(crate) async fn start_by(rules: TradingRules, from: Option<Date>, change: impl FnOnce(&Path)) -> Self {
        Self::start_as(rules, Serve { from, ..options(Path::new("")) }, serve::router, change).await
    }

    /// Only those may sign up whom `sign_up` allows.
    pub(crate) async fn start_for(sign_up: &str) -> Self {
        let options = Serve { sign_up: sign_up.parse().unwrap(), ..options(Path::new("")) };
        Self::start_as(TradingRules::default(), options, serve::router, |_| {}).await
    }

    /// Without limits of rate, for tests that ask very much.
    pub(crate) async fn unlimited() -> Self {
        Self::start_as(TradingRules::default(), options(Path::new("")), serve::unlimited_router, |_| {}).await
    }

    /// Offers these parts and no others.
    pub(crate) async fn start_offering(features: Features) -> Self {
        let options = Serve { features, ..options(Path::new("")) };
        Self::start_as(TradingRules::default(), options, serve::router, |_| {}).await
    }

    /// With little patience for heads of requests.
    pub(crate) async fn start_hasty() -> Self {
        let hasty = Connections { head_within: Duration::from_millis(300), ..Connections::default() };
        Box::pin(Self::start_over(hasty, TradingRules::default(), options(Path::new("")), serve::router, |_| {})).await
    }

    async fn start_as(rules: TradingRules, options: Serve, router: fn(&System) -> Router, change: impl FnOnce(&Path)) -> Self {
        Box::pin(Self::start_over(Connections::default(), rules, options, router, change)).await
    }

    async fn start_over(
        connections: Connections,
        rules: TradingRules,
        options: Serve,
        router: fn(&System) -> Router,
        change: impl FnOnce(&Path),
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        copy(&tokio::task::spawn_blocking(template).await.unwrap(), &data);
        change(&data);
        let system = System::start_with(&Serve { data_dir: data, ..options }, rules).await.unwrap();
        let router = router(&system);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopping) = oneshot::channel();
        let running = tokio::spawn(async move {
            connections::serve(listener, router, connections, async { drop(stopping.await) }).await;
        });
        Self { url, system, directory, stop: Some(stop), running }
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub(crate) fn anonymous(&self) -> Client {
        // Both providers of cryptography are linked; one must be chosen, and a second choice is refused.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client { http: reqwest::Client::new(), base: format!("{}/api/v1/", self.url), token: None }
    }

    /// Logs in as people do: with the code from the mail.
    pub(crate) async fn log_in(&self, email: &str) -> Client {
        let client = self.anonymous();
        let code = self.code_for(email).await;
        let login = client.post("auth/login", &json!({ "email": email, "otp": code })).await.ok();
        Client { token: login["access_token"].as_str().map(str::to_owned), ..client }
    }

    /// A fresh code, from the mail that was sent.
    pub(crate) async fn code_for(&self, email: &str) -> String {
        self.anonymous().post("auth/request-otp", &json!({ "email": email })).await.ok();
        code(&self.data_dir().join("outbox"), email)
    }

    /// The code in the newest mail to an address in its normal form.
    pub(crate) fn code_in_mail_to(&self, email: &str) -> String {
        code(&self.data_dir().join("outbox"), email)
    }

    /// Mails that were sent.
    pub(crate) fn mails(&self) -> usize {
        fs::read_dir(self.data_dir().join("outbox")).unwrap().count()
    }

    /// A client at another address of this machine: all of 127.0.0.0/8 is ours. Its requests share one connection.
    pub(crate) fn at_source(&self, source: [u8; 4]) -> Client {
        let anonymous = self.anonymous();
        Client { http: reqwest::Client::builder().local_address(IpAddr::from(source)).build().unwrap(), ..anonymous }
    }

    /// Bytes as they are, and what comes back until the server closes the connection.
    pub(crate) async fn raw(&self, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).await.unwrap();
        let mut answer = Vec::new();
        let spoken = async {
            // A server may refuse a request, and close, before it has read all of it.
            let _ = stream.write_all(request).await;
            let _ = stream.read_to_end(&mut answer).await;
        };
        let closed = tokio::time::timeout(Duration::from_secs(20), spoken).await;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(closed.is_ok(), "the connection stays open after: {answer}");
        answer
    }

    /// All items of all tables, by the tables' names without a prefix.
    pub(crate) async fn items(&self) -> BTreeMap<&'static str, Vec<HashMap<String, AttributeValue>>> {
        let mut tables = BTreeMap::new();
        for (table, name) in tables_of(&self.system.store) {
            let pages = self.system.store.client().scan().table_name(name).into_paginator().items().send();
            tables.insert(table, pages.collect::<Result<_, _>>().await.unwrap());
        }
        tables
    }

    pub(crate) async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.running.await.unwrap();
    }
}

/// What the tables are for, and their names.
pub(crate) fn tables_of(store: &Store) -> [(&'static str, &str); 4] {
    let names = store.names();
    [("identity", &names.identity), ("market", &names.market), ("signals", &names.signals), ("portfolios", &names.portfolios)]
}

/// The code in the newest mail to `email`.
fn code(outbox: &Path, email: &str) -> String {
    let mut mails: Vec<PathBuf> = fs::read_dir(outbox).unwrap().map(|entry| entry.unwrap().path()).collect();
    mails.sort();
    let mails = mails.iter().rev().map(|path| fs::read_to_string(path).unwrap());
    let mail = mails.into_iter().find(|mail| mail.contains(&format!("To: {email}"))).expect("a mail was sent");
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit());
    mail.lines().map(str::trim).find(is_code).expect("the mail has a code").to_owned()
}

impl Client {
    /// The same client with another token, or none.
    pub(crate) fn with_token(&self, token: Option<&str>) -> Self {
        Self { token: token.map(str::to_owned), ..self.clone() }
    }

    pub(crate) fn token(&self) -> &str {
        self.token.as_deref().expect("logged in")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[]).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string()), &[]).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body.to_string()), &[]).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, &[]).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<String>, headers: &[(&str, &str)]) -> Answer {
        let url = if path.starts_with('/') { self.base.replace("/api/v1/", path) } else { format!("{}{path}", self.base) };
        let mut request = self.http.request(method, url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        Answer { status: answer.status(), headers: answer.headers().clone(), text: answer.text().await.unwrap() }
    }

    /// A body of any bytes, declared as `content_type`.
    pub(crate) async fn send_bytes(&self, method: Method, path: &str, content_type: &str, body: Vec<u8>) -> Answer {
        let request = self.http.request(method, format!("{}{path}", self.base)).header("content-type", content_type).body(body);
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await.unwrap();
        Answer { status: answer.status(), headers: answer.headers().clone(), text: answer.text().await.unwrap() }
    }

    /// Moves the clock; only an administrator may.
    pub(crate) async fn advance(&self, to: &str) -> Value {
        self.post("clock/advance", &json!({ "to": to })).await.ok()
    }
}
