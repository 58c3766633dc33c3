//! Limits of rate over several copies, and what a slow client or a slow store costs: one answer, not the server.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use adapters::store::{IdentityTable, Store, TableNames};
use api::{
    Edge,
    clock::WallClock,
    middleware::{Capacity, InStore, LimitSettings, RouteLimits},
    routes,
};
use app::{
    auth::{Auth, AuthPolicy, Secrets},
    ports::{Mail, MailError, Mailer},
};
use async_trait::async_trait;
use axum::Router;
use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use stockgpt::connections::{Connections, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::harness::Server;

/// Serves until the test ends.
async fn serving(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, router, Connections::default(), std::future::pending()));
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn all_copies_count_in_one_bucket() {
    let server = Server::start().await;
    let ann = server.log_in("ann@example.com").await;
    let services = &server.system.services;
    let limits: LimitSettings = "read=1/h burst 5, public=1/h burst 2, sign-in=1/h burst 1".parse().unwrap();
    let copies = join_all((0..2).map(|_| {
        let limiter = InStore::new(limits.routes.clone(), Arc::new(IdentityTable::new(&server.system.store)));
        let edge = Edge { limiter: Arc::new(limiter), ..Edge::new(services.auth.clone(), Arc::new(WallClock)) };
        serving(api::compose([routes::auth::router(services.auth.clone())], None, edge))
    }))
    .await;

    let client = reqwest::Client::new();
    let ask = |number: usize, token: Option<&str>| {
        let path = if token.is_some() { "verify-token" } else { "status" };
        let request = client.get(format!("http://{}/api/v1/auth/{path}", copies[number % 2]));
        token.map_or(request.try_clone().unwrap(), |token| request.bearer_auth(token)).send()
    };
    for (caller, token, burst) in [("a user", Some(ann.token()), 5), ("a source", None, 2)] {
        // The first by itself: of requests that race, one whose clock is a moment behind the first one's finds a token less.
        let mut answers = vec![ask(0, token).await.unwrap()];
        answers.extend(join_all((1..12).map(|number| ask(number, token))).await.into_iter().map(Result::unwrap));
        let allowed = answers.iter().filter(|answer| answer.status().is_success()).count();
        assert_eq!(allowed, burst, "{caller}, over both copies");
        for refused in answers.iter().filter(|answer| !answer.status().is_success()) {
            assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS, "{caller}");
            let header = |name: &str| refused.headers()[name].to_str().unwrap().parse::<u64>().unwrap();
            assert_eq!((header("x-ratelimit-limit"), header("x-ratelimit-remaining")), (burst as u64, 0), "{caller}");
            assert!((3_000..=3_600).contains(&header("retry-after")), "{caller}: {:?}", refused.headers());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_sets_the_limits_of_signing_in_too() {
    let limits: LimitSettings = "codes-per-address=1/h, sign-in=100/s".parse().unwrap();
    let server = Server::start_limited(limits).await;
    let nobody = server.anonymous();
    let ask = async |email: &str| nobody.post("auth/request-otp", &json!({ "email": email })).await;
    assert_eq!(ask("ann@example.com").await.status, 200);
    let refused = ask("ann@example.com").await;
    refused.problem(429);
    assert_eq!(refused.headers["x-ratelimit-limit"], "100", "the route had room");
    assert_eq!(ask("bob@example.com").await.status, 200);
}

/// The status, and the kind of problem if it is one, of what comes back for a request that is written by hand.
async fn by_hand(address: SocketAddr, request: &[u8]) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).unwrap_or("none").to_owned();
    let kind = answer.split("urn:stockgpt:problem:").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("none");
    (status, kind.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_may_take_so_long_and_be_so_large() {
    let server = Server::start().await;
    let services = &server.system.services;
    let edge = Edge { body_within: Duration::from_millis(300), ..Edge::new(services.auth.clone(), Arc::new(WallClock)) };
    let address = serving(api::compose([routes::auth::router(services.auth.clone())], None, edge)).await;
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Type: application/json\r\n";
    for (name, rest, status, kind) in [
        ("a body that never comes", "Content-Length: 10\r\n\r\n".to_owned(), "408", "slow-body"),
        ("a body that stops", "Content-Length: 10\r\n\r\n{\"a\"".to_owned(), "408", "slow-body"),
        ("a chunk that never ends", "Transfer-Encoding: chunked\r\n\r\nffff\r\n{".to_owned(), "408", "slow-body"),
        ("a body that says that it is too large", "Content-Length: 2000000\r\n\r\n".to_owned(), "413", "body-too-large"),
        (
            "chunks that come to too much",
            format!("Transfer-Encoding: chunked\r\n\r\n{}1\r\nx\r\n", format!("10000\r\n{}\r\n", "x".repeat(0x10000)).repeat(16)),
            "413",
            "body-too-large",
        ),
    ] {
        let answer = by_hand(address, format!("{head}{rest}").as_bytes()).await;
        assert_eq!((&*answer.0, &*answer.1), (status, kind), "{name}");
    }
}

struct NoMail;

#[async_trait]
impl Mailer for NoMail {
    async fn send(&self, _: &Mail, _: jiff::Timestamp) -> Result<(), MailError> {
        Ok(())
    }
}

/// Signing in over a store at that address, with little time and room for two requests.
async fn over(store: SocketAddr) -> SocketAddr {
    let store = Store::local(&format!("http://{store}"), TableNames::with_prefix("test"));
    let identity = Arc::new(IdentityTable::new(&store));
    let secrets = Secrets::generate();
    let auth = Arc::new(Auth::new(identity.clone(), Arc::new(NoMail), AuthPolicy::default(), &secrets));
    let edge = Edge {
        limiter: Arc::new(InStore::new(RouteLimits::default(), identity)),
        time_limit: Duration::from_millis(1_500),
        capacity: Capacity { at_once: 2, patience: Duration::from_millis(100) },
        ..Edge::new(auth.clone(), Arc::new(WallClock))
    };
    serving(api::compose([routes::auth::router(auth)], None, edge)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_does_not_answer_costs_each_request_a_503_in_time() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hanging_at = hanging.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = hanging.accept().await {
            held.push(stream);
        }
    });
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();

    for (name, store, at_once, retry_after) in [
        ("it hangs", hanging_at, 1, vec!["5"]),
        ("it hangs under load", hanging_at, 6, vec!["1", "1", "1", "1", "5", "5"]),
        ("it is gone", gone, 1, vec!["5"]),
    ] {
        let address = over(store).await;
        let client = reqwest::Client::new();
        let asked = (0..at_once).map(|_| client.get(format!("http://{address}/api/v1/auth/status")).send());
        let answers = tokio::time::timeout(Duration::from_secs(10), join_all(asked)).await.expect(name);
        let mut waits = Vec::new();
        for answer in answers {
            let answer = answer.unwrap();
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{name}");
            waits.push(answer.headers()["retry-after"].to_str().unwrap().to_owned());
        }
        waits.sort();
        assert_eq!(waits, retry_after, "{name}");
    }
}
