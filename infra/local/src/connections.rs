//! Connections: taken in up to a number, and ended when nothing comes or goes on them.
//!
//! HTTP/1.1 only: browsers speak HTTP/2 to the proxy that has the certificate, not to a plain port, and one protocol can be misused in
//! fewer ways than two.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

/// What a client may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// At a time; further ones wait with the operating system until one ends.
    pub at_once: usize,
    /// From the first moment, or from the answer before, until a request's head is there. A connection that is kept open for nothing
    /// ends after this time too.
    pub head_within: Duration,
    /// How long a client may take no byte of an answer.
    pub taken_within: Duration,
    /// Of a request's head: the line and all headers.
    pub head_bytes: usize,
    pub headers: usize,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            at_once: 2_048,
            head_within: Duration::from_secs(30),
            taken_within: Duration::from_secs(30),
            head_bytes: 16 << 10,
            headers: 64,
        }
    }
}

/// How long a client whose connection could not be taken makes the next one wait, as when there are no more file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers until `stop` resolves; requests under way are finished.
pub async fn serve(listener: TcpListener, router: Router, limits: Connections, stop: impl Future<Output = ()> + Send) {
    let room = Arc::new(Semaphore::new(limits.at_once));
    let (stopping, _) = watch::channel(false);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, client, place)) => {
                tokio::spawn(talk(stream, client, router.clone(), limits, stopping.subscribe(), place));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    stopping.send_replace(true);
    stopping.closed().await;
}

async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = room.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, client) = listener.accept().await?;
    Ok((stream, client, place))
}

/// One connection from its beginning to its end.
async fn talk(
    stream: TcpStream,
    client: SocketAddr,
    router: Router,
    limits: Connections,
    mut stopping: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    // Answers are written whole; waiting to send more at once only delays their ends.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.taken_within));
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(client));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_within)
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.headers)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
