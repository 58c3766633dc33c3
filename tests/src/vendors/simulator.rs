//! The server.

use std::{
    collections::{BTreeSet, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, Uri, header},
};
use domain::Timestamp;
use tokio::{net::TcpListener, task::JoinHandle};

use super::{
    fault::{self, Effect, Fault},
    market::Market,
    plan::Plan,
    polygon,
    query::Query,
    tiingo,
    view::View,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    Polygon,
    Tiingo,
}

/// One vendor on 127.0.0.1.
pub struct Simulator {
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

pub(super) struct Shared {
    pub(super) vendor: Vendor,
    pub(super) url: String,
    state: Mutex<Inner>,
}

type Rewrite = Arc<dyn Fn(&str, Vec<u8>) -> Vec<u8> + Send + Sync>;

struct Inner {
    market: Market,
    now: Timestamp,
    plan: Plan,
    /// Requests that are still allowed, where a test counts them by hand.
    allowance: Option<u64>,
    longest_page: usize,
    faults: Vec<Fault>,
    rewrite: Option<Rewrite>,
    requests: Vec<String>,
    answered_at: VecDeque<Instant>,
    symbols: BTreeSet<String>,
    bytes: usize,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: Vec<u8>,
    pub(super) retry_after_seconds: Option<u64>,
}

impl Reply {
    pub(super) fn json(status: u16, body: &impl serde::Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("answers serialise");
        Self { status, kind: "application/json", body, retry_after_seconds: None }
    }

    pub(super) fn text(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", body: body.into(), retry_after_seconds: None }
    }

    fn html(status: u16) -> Self {
        let body = format!("<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>");
        Self { kind: "text/html", ..Self::text(status, body) }
    }
}

impl Simulator {
    /// The only key that is good.
    pub const KEY: &str = "simulated-key";

    pub async fn start(vendor: Vendor, market: Market) -> Self {
        Self::start_at(vendor, market, SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("loopback has free ports")
    }

    pub async fn start_at(vendor: Vendor, market: Market, address: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let inner = Inner {
            market,
            now: Timestamp::MAX,
            plan: Plan::UNLIMITED,
            allowance: None,
            longest_page: usize::MAX,
            faults: Vec::new(),
            rewrite: None,
            requests: Vec::new(),
            answered_at: VecDeque::new(),
            symbols: BTreeSet::new(),
            bytes: 0,
        };
        let shared = Arc::new(Shared { vendor, url, state: Mutex::new(inner) });
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { shared, server })
    }

    /// The base address that clients are given.
    pub fn url(&self) -> String {
        self.shared.url.clone()
    }

    /// From when on answers are: what has not closed or begun by then is not told.
    pub fn set_now(&self, now: Timestamp) {
        self.shared.lock().now = now;
    }

    pub fn set_plan(&self, plan: Plan) {
        self.shared.lock().plan = plan;
    }

    /// So many more requests are answered; those after get the vendor's 429.
    pub fn allow(&self, requests: u64) {
        self.shared.lock().allowance = Some(requests);
    }

    /// All requests are answered again.
    pub fn allow_all(&self) {
        self.shared.lock().allowance = None;
    }

    /// Lists are cut into pages of at most so many rows, whatever was asked for.
    pub fn set_longest_page(&self, rows: usize) {
        self.shared.lock().longest_page = rows;
    }

    /// From now on every request whose path or query contains `part` fails in this way.
    pub fn fail(&self, part: &str, effect: Effect) {
        self.shared.lock().faults.push(Fault { contains: part.into(), times: None, effect });
    }

    /// The next `times` requests whose path or query contains `part` fail in this way.
    pub fn fail_times(&self, part: &str, times: u32, effect: Effect) {
        self.shared.lock().faults.push(Fault { contains: part.into(), times: Some(times), effect });
    }

    /// No more faults, and answers as they are.
    pub fn recover(&self) {
        let mut inner = self.shared.lock();
        inner.faults.clear();
        inner.rewrite = None;
    }

    /// Changes what would be answered, given the path with its query and the body.
    pub fn rewrite(&self, change: impl Fn(&str, Vec<u8>) -> Vec<u8> + Send + Sync + 'static) {
        self.shared.lock().rewrite = Some(Arc::new(change));
    }

    /// Changes what the vendor says from now on.
    pub fn edit(&self, change: impl FnOnce(&mut Market)) {
        change(&mut self.shared.lock().market);
    }

    /// Paths with their queries, in the order in which they were asked for.
    pub fn requests(&self) -> Vec<String> {
        self.shared.lock().requests.clone()
    }

    pub fn forget_requests(&self) {
        self.shared.lock().requests.clear();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether the quota has room for one more request.
    fn admit(&mut self) -> bool {
        if let Some(left) = &mut self.allowance {
            if *left == 0 {
                return false;
            }
            *left -= 1;
        }
        let Some((most, window)) = self.plan.requests else { return true };
        while self.answered_at.front().is_some_and(|at| at.elapsed() >= window) {
            self.answered_at.pop_front();
        }
        if self.answered_at.len() >= most {
            return false;
        }
        self.answered_at.push_back(Instant::now());
        true
    }
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap) -> Response<Body> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let (effect, rewrite) = {
        let mut inner = shared.lock();
        inner.requests.push(without_key(&path));
        (fault::strike(&mut inner.faults, &path), inner.rewrite.clone())
    };
    if let Some(Effect::Slow(duration)) = effect {
        tokio::time::sleep(duration).await;
    }
    let mut reply = match &effect {
        Some(Effect::Html) => Reply::html(200),
        Some(Effect::Status(status)) => Reply::html(*status),
        Some(Effect::Throttled { retry_after_seconds }) => Reply { retry_after_seconds: *retry_after_seconds, ..throttled(shared.vendor) },
        Some(Effect::NotInPlan) => match shared.vendor {
            Vendor::Polygon => polygon::not_entitled(),
            Vendor::Tiingo => tiingo::not_permitted(),
        },
        Some(Effect::Body { status, body }) => Reply::text(*status, body.clone()),
        _ => honest(&shared, &uri, &headers),
    };
    if let Some(rewrite) = rewrite {
        reply.body = rewrite(&path, reply.body);
    }
    match effect {
        Some(Effect::Truncated) => reply.body.truncate(reply.body.len() / 2),
        Some(Effect::Dropped) => return dropped(&reply),
        _ => {}
    }
    let mut response = Response::builder().status(reply.status).header(header::CONTENT_TYPE, reply.kind);
    if let Some(seconds) = reply.retry_after_seconds {
        response = response.header(header::RETRY_AFTER, seconds);
    }
    response.body(Body::from(reply.body)).expect("a reply is a response")
}

/// Says how long the answer will be, and goes away after half of it.
fn dropped(reply: &Reply) -> Response<Body> {
    let half = Bytes::copy_from_slice(&reply.body[..reply.body.len() / 2]);
    let stream = futures::stream::iter([Ok(half), Err(std::io::Error::other("dropped"))]);
    let response = Response::builder().status(reply.status).header(header::CONTENT_LENGTH, reply.body.len().max(1));
    response.body(Body::from_stream(stream)).expect("a reply is a response")
}

fn honest(shared: &Shared, uri: &Uri, headers: &HeaderMap) -> Reply {
    let query = Query::parse(uri.query().unwrap_or_default());
    let segments: Vec<&str> = uri.path().split('/').filter(|segment| !segment.is_empty()).collect();
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    // The list of tickers lies on another host, for everybody.
    let is_public = shared.vendor == Vendor::Tiingo && segments.first() == Some(&"docs");
    if !is_public && let Some(refusal) = refused_key(shared.vendor, &query, authorization) {
        return refusal;
    }
    let view = {
        let mut inner = shared.lock();
        if !is_public && !inner.admit() {
            return throttled(shared.vendor);
        }
        if inner.plan.bytes.is_some_and(|most| inner.bytes > most) {
            return tiingo::too_many_bytes();
        }
        if shared.vendor == Vendor::Tiingo
            && let Some(symbol) = tiingo::symbol_of(&segments)
        {
            let room = inner.plan.symbols.is_none_or(|most| inner.symbols.len() < most || inner.symbols.contains(&symbol));
            if !room {
                return tiingo::too_many_symbols(inner.plan.symbols.unwrap_or_default());
            }
            inner.symbols.insert(symbol);
        }
        View { market: inner.market.clone(), now: inner.now, plan: inner.plan, url: shared.url.clone(), longest_page: inner.longest_page }
    };
    let reply = match shared.vendor {
        Vendor::Polygon => polygon::answer(&view, &segments, &query),
        Vendor::Tiingo => tiingo::answer(&view, &segments, &query),
    };
    shared.lock().bytes += reply.body.len();
    reply
}

fn refused_key(vendor: Vendor, query: &Query, authorization: Option<&str>) -> Option<Reply> {
    let (scheme, parameter) = match vendor {
        Vendor::Polygon => ("Bearer ", "apiKey"),
        Vendor::Tiingo => ("Token ", "token"),
    };
    match query.get(parameter).or_else(|| authorization?.strip_prefix(scheme)) {
        Some(Simulator::KEY) => None,
        Some(_) if vendor == Vendor::Polygon => Some(polygon::unknown_key()),
        Some(_) => Some(tiingo::unknown_key()),
        None if vendor == Vendor::Polygon => Some(polygon::no_key()),
        None => Some(tiingo::no_key()),
    }
}

fn throttled(vendor: Vendor) -> Reply {
    match vendor {
        Vendor::Polygon => polygon::throttled(),
        Vendor::Tiingo => tiingo::throttled(),
    }
}

/// A test may print what was asked.
fn without_key(path: &str) -> String {
    path.replace(Simulator::KEY, "…")
}
