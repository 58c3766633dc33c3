//! One id for each request: in the answer, in problems and in every log line about it.

use std::{future::Future, sync::Arc};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The client's own id when it is a sane one, else 128 random bits in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The request that the running task answers.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// Ids go into logs: only what cannot break a line or pretend to be another field is taken from outside.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let is_sane = |id: &&str| (1..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:=".contains(&b));
        headers.get(HEADER).and_then(|value| value.to_str().ok()).filter(is_sane).map_or_else(Self::random, |id| Self(id.into()))
    }

    fn random() -> Self {
        let mut bytes = [0; 16];
        // Without randomness the machine has worse problems; an id that repeats only makes logs harder to read.
        let _ = getrandom::fill(&mut bytes);
        Self(format!("{:032x}", u128::from_be_bytes(bytes)).into())
    }

    pub(crate) fn header_value(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("an id is ASCII without control characters")
    }

    /// Runs `work` with this id as the current one.
    pub(crate) fn scope<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }
}
