//! Clients that take their time, or too much, over real sockets.

use std::time::Duration;

use axum::{Router, routing::get};
use stockgpt::connections::{Connections, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, interval, timeout},
};

/// Long enough for anything that happens at all.
const SOON: Duration = Duration::from_secs(20);
const LARGE: usize = 64 << 20;

struct Served {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

fn quick() -> Connections {
    let short = Duration::from_millis(300);
    Connections { head_within: short, taken_within: short, ..Connections::default() }
}

async fn started(limits: Connections) -> Served {
    let router = Router::new().route("/", get(|| async { "hello" })).route("/large", get(|| async { vec![b'x'; LARGE] }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = oneshot::channel();
    let ended = tokio::spawn(serve(listener, router, limits, async { drop(stopping.await) }));
    Served { address, stop, ended }
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// What comes back until the server ends the connection. A reset is an end too.
    async fn answer(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        let _ = stream.write_all(request.as_bytes()).await;
        rest(&mut stream).await
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let _ = timeout(SOON, stream.read_to_end(&mut text)).await.expect("the server ends the connection");
    String::from_utf8(text).unwrap()
}

const GOOD: &str = "GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_finish_a_head_is_left() {
    let served = started(quick()).await;
    for (name, sent) in [
        ("nothing", ""),
        ("a word", "GET"),
        ("half a head", "GET / HTTP/1.1\r\nHost: here\r\n"),
        ("half a head of HTTP/2", "PRI * HTTP/2.0\r\n"),
        ("nothing more after an answer", "GET / HTTP/1.1\r\nHost: here\r\n\r\n"),
    ] {
        let answer = served.answer(sent).await;
        assert_eq!(answer.contains("hello"), sent.ends_with("\r\n\r\n"), "{name}: {answer}");
    }
    assert!(served.answer(GOOD).await.ends_with("hello"), "others are served");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_trickles_in_is_not_waited_for() {
    let served = started(quick()).await;
    let begun = Instant::now();
    let (mut read, mut write) = served.connect().await.into_split();
    let trickle = tokio::spawn(async move {
        let mut tick = interval(Duration::from_millis(20));
        write.write_all(b"GET / HTTP/1.1\r\nX: ").await.unwrap();
        while write.write_all(b"x").await.is_ok() {
            tick.tick().await;
        }
    });
    let _ = timeout(SOON, read.read_to_end(&mut Vec::new())).await.expect("the server ends the connection");
    assert!(begun.elapsed() >= quick().head_within, "not before its time");
    trickle.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_may_be_so_large_and_no_larger() {
    let served = started(quick()).await;
    let head = |headers: usize, length: usize| {
        let lines = (0..headers).map(|n| format!("X-{n}: {}\r\n", "x".repeat(length))).collect::<Vec<_>>().concat();
        format!("GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n{lines}\r\n")
    };
    for (name, request, status) in [
        ("some headers", head(20, 20), 200),
        ("too many headers", head(100, 1), 431),
        ("one header that is too long", head(1, 20_000), 431),
        ("a path that is too long", format!("GET /{} HTTP/1.1\r\nHost: here\r\n\r\n", "x".repeat(70_000)), 431),
    ] {
        let answer = served.answer(&request).await;
        // A server that refuses before it has read all may be heard, or only be found gone.
        let is_gone = status != 200 && answer.is_empty();
        assert!(is_gone || answer.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_take_the_answer_is_left() {
    let served = started(quick()).await;
    let mut stream = served.connect().await;
    stream.write_all(GOOD.replace(" / ", " /large ").as_bytes()).await.unwrap();
    let served_all = timeout(SOON, async {
        served.stop.send(()).unwrap();
        served.ended.await.unwrap();
    });
    served_all.await.expect("the server does not wait for a client that takes nothing");
    assert!(rest(&mut stream).await.len() < LARGE, "the answer was given up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_too_many_waits_until_another_ends() {
    let served = started(Connections { at_once: 1, ..Connections::default() }).await;
    let mut first = served.connect().await;
    first.write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n").await.unwrap();
    let mut start = [0; 12];
    first.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");

    let mut second = served.connect().await;
    second.write_all(GOOD.as_bytes()).await.unwrap();
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(200), second.read(&mut byte)).await.is_err(), "there is no room yet");
    drop(first);
    assert!(rest(&mut second).await.ends_with("hello"));
}
