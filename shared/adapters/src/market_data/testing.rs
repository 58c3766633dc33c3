//! A vendor on 127.0.0.1 that answers what a test tells it to, and remembers what it was asked.

use std::time::Duration;

use proptest::{prelude::*, sample::Index};

use super::Retry;
use crate::testing::{self, Service};

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

impl From<Reply> for testing::Reply {
    fn from(Reply { status, body, retry_after }: Reply) -> Self {
        let reply = testing::reply(status, body);
        retry_after.into_iter().fold(reply, |reply, value| reply.header("retry-after", value))
    }
}

fn path(asked: &testing::Asked) -> &str {
    asked.target.split_once(' ').expect("a method and a path").1
}

pub(super) struct Vendor {
    pub(super) url: String,
    service: Service,
}

impl Vendor {
    /// `answer` gets the path with its query, and how many requests there were before.
    pub(super) async fn start(answer: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let service = Service::start(move |asked, before| answer(path(asked), before).into()).await;
        Self { url: service.url.clone(), service }
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        let seen = |asked: testing::Asked| Asked {
            path: path(&asked).to_owned(),
            authorization: asked.header("authorization").map(str::to_owned),
        };
        self.service.asked().into_iter().map(seen).collect()
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

/// One way in which an answer gets spoilt.
#[derive(Debug, Clone)]
enum Damage {
    Overwrite(Index, Vec<u8>),
    CutOff(Index),
    /// From one place to another once more.
    Repeat(Index, Index),
    /// Another value where a number stands.
    Replace(Index, &'static str),
    Nest(usize),
}

const VALUES: [&str; 14] = [
    "-1",
    "0",
    "1e400",
    "1e-30",
    "99999999999999999999999999999",
    "9223372036854775807",
    "0.00000001",
    "null",
    "\"\"",
    "\"1.0\"",
    "{}",
    "[]",
    "true",
    "NaN",
];

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<Index>(), prop::collection::vec(any::<u8>(), 1..6)).prop_map(|(at, junk)| Damage::Overwrite(at, junk)),
        any::<Index>().prop_map(Damage::CutOff),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Repeat(from, to)),
        (any::<Index>(), prop::sample::select(VALUES.to_vec())).prop_map(|(at, value)| Damage::Replace(at, value)),
        (1_usize..5000).prop_map(Damage::Nest),
    ]
}

fn spoil(mut body: Vec<u8>, damage: Damage) -> Vec<u8> {
    if body.is_empty() {
        return body;
    }
    match damage {
        Damage::Overwrite(at, junk) => {
            let start = at.index(body.len());
            let end = (start + junk.len()).min(body.len());
            body.splice(start..end, junk);
        }
        Damage::CutOff(at) => body.truncate(at.index(body.len())),
        Damage::Repeat(from, to) => {
            let (from, to) = (from.index(body.len()), to.index(body.len()));
            let again = body[from.min(to)..from.max(to)].to_vec();
            body.splice(to..to, again);
        }
        Damage::Replace(at, value) => {
            let at = at.index(body.len());
            let is_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
            let start = at + body[at..].iter().position(u8::is_ascii_digit).unwrap_or(0);
            let end = start + body[start..].iter().position(|byte| !is_number(byte)).unwrap_or(body.len() - start);
            body.splice(start..end, value.bytes());
        }
        Damage::Nest(depth) => {
            let mut nested = vec![b'['; depth];
            nested.append(&mut body);
            nested.extend(vec![b']'; depth]);
            body = nested;
        }
    }
    body
}

/// Recorded answers, spoilt in up to three ways, and bytes without any sense.
pub(super) fn spoilt(recorded: Vec<&'static [u8]>) -> impl Strategy<Value = Vec<u8>> {
    let answers = (prop::sample::select(recorded), prop::collection::vec(damage(), 1..4));
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..200),
        4 => answers.prop_map(|(body, damages)| damages.into_iter().fold(body.to_vec(), spoil)),
    ]
}

pub(super) const STATUSES: [u16; 10] = [200, 200, 200, 400, 401, 403, 404, 429, 500, 302];
