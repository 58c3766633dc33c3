//! Requests that never end.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::harness::Server;

const HELD: usize = 100;
/// Long enough for anything that happens at all.
const SOON: Duration = Duration::from_secs(20);

async fn held(server: &Server, beginning: &str) -> Vec<TcpStream> {
    let address = server.url.trim_start_matches("http://");
    let mut streams = Vec::new();
    for _ in 0..HELD {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    streams
}

pub(super) async fn requests(server: &Server) {
    let heads = held(server, "GET /health HTTP/1.1\r\nHost: here\r\nX-And-So-On: a").await;
    let body = "POST /api/v1/auth/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: 60\r\n\r\n{";
    let bodies = held(server, body).await;

    let ann = server.log_in("ann@example.com").await;
    assert_eq!(ann.get("portfolio/summary").await.ok()["total_value"], 100_000);

    for mut stream in heads {
        let mut answer = Vec::new();
        // A reset is an end too.
        let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.expect("a head that does not end is given up");
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    drop(bodies);
    assert_eq!(ann.get("portfolio/summary").await.ok()["total_value"], 100_000);
}
