//! A vendor on 127.0.0.1 that answers what a test tells it to, and remembers what it was asked.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, header},
};

use super::Retry;

/// Tries as often as in earnest, without waiting.
pub(super) const AT_ONCE: Retry = Retry { attempts: 4, first_wait: Duration::ZERO, longest_wait: Duration::from_secs(1) };

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// With the query.
    pub(super) path: String,
    pub(super) authorization: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) retry_after: Option<&'static str>,
}

pub(super) fn reply(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    Reply { status, body: body.into(), retry_after: None }
}

pub(super) struct Vendor {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Vendor {
    /// `answer` gets the path with its query, and how many requests there were before.
    pub(super) async fn start(answer: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (log, answer) = (asked.clone(), Arc::new(answer));
        let router = Router::new().fallback(move |request: Request<Body>| {
            let (log, answer) = (log.clone(), answer.clone());
            async move {
                let path = request.uri().path_and_query().unwrap().to_string();
                let authorization = request.headers().get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
                let before = {
                    let mut log = log.lock().unwrap();
                    log.push(Asked { path: path.clone(), authorization });
                    log.len() - 1
                };
                let reply = answer(&path, before);
                let response = Response::builder().status(reply.status);
                reply
                    .retry_after
                    .iter()
                    .fold(response, |response, value| response.header(header::RETRY_AFTER, *value))
                    .body(Body::from(reply.body))
                    .unwrap()
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, asked }
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }
}

/// An address where nobody listens.
pub(super) fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
