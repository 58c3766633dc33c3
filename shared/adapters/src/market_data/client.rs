//! What both vendors' clients share: a key that is never shown, bounded answers, and retries where they can help.

use std::{
    sync::{
        Arc, Once,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use app::ports::VendorError;
use domain::Symbol;
use memchr::memmem;
use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};

use super::plan::Pace;

/// Above any answer either vendor gives; more is a fault that must not fill the memory.
const LONGEST_ANSWER_BYTES: usize = 64 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_mins(1);

/// How often and how patiently a request is repeated that another moment may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Requests in all, the first included.
    pub attempts: u32,
    /// The longest wait before the second request; it doubles with each further one.
    pub first_wait: Duration,
    /// No single wait is longer. A vendor that asks for more patience is not asked again.
    pub longest_wait: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 4, first_wait: Duration::from_secs(1), longest_wait: Duration::from_secs(20) }
    }
}

impl Retry {
    /// Somewhere between nothing and the longest wait of this try, so that clients that failed together do not return together.
    fn wait(&self, tries: u32) -> Duration {
        let bound = self.first_wait.saturating_mul(1 << (tries - 1).min(16)).min(self.longest_wait);
        // Without randomness the whole wait is as good a choice as any.
        let fraction = getrandom::u32().map_or(1.0, |random| f64::from(random) / f64::from(u32::MAX));
        bound.mul_f64(fraction)
    }
}

/// What a vendor answered, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) retry_after_seconds: Option<u64>,
}

/// Sends requests to one vendor.
#[derive(Clone)]
pub(super) struct Client {
    vendor: &'static str,
    base: String,
    http: reqwest::Client,
    retry: Retry,
    /// Whether a refusal for too many requests passes within seconds (a limit a minute), not hours.
    throttling_passes: bool,
    pace: Option<Pace>,
    /// The key without its scheme: a vendor may say it back, but nobody else is to read it.
    key: Option<Arc<str>>,
    /// Requests sent so far, by this client and its clones.
    calls: Arc<AtomicU64>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key is in the HTTP client's headers, and stays there.
        f.debug_struct("Client").field("vendor", &self.vendor).field("base", &self.base).finish_non_exhaustive()
    }
}

impl Client {
    /// `authorization` is the header's whole value; `None` sends no key.
    pub(super) fn new(vendor: &'static str, base: &str, authorization: Option<&str>, retry: Retry) -> Result<Self, VendorError> {
        let base_url = Url::parse(base).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let base_url = base_url.ok_or_else(|| VendorError::Unavailable(vendor, format!("`{base}` is no http or https address")))?;
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            let mut value =
                HeaderValue::from_str(value).map_err(|_| VendorError::Unauthorized(vendor, "the key has characters no key has".into()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        install_tls();
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("stockgpt/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            // Neither vendor redirects; the key must not follow somebody who does.
            .redirect(Policy::none())
            .build()
            .map_err(|error| VendorError::Unavailable(vendor, error.to_string()))?;
        Ok(Self {
            vendor,
            base: base_url.as_str().trim_end_matches('/').to_owned(),
            http,
            retry,
            throttling_passes: false,
            pace: None,
            key: authorization.and_then(|value| value.split_once(' ')).map(|(_, key)| key.into()),
            calls: Arc::default(),
        })
    }

    pub(super) fn throttled_by_the_minute(self) -> Self {
        Self { throttling_passes: true, ..self }
    }

    pub(super) fn paced(self, pace: Pace) -> Self {
        Self { pace: Some(pace), ..self }
    }

    /// Counts a stock that is about to be asked for, where the plan counts stocks.
    pub(super) async fn count(&self, symbol: &Symbol) -> Result<(), VendorError> {
        match &self.pace {
            Some(pace) => pace.symbol(symbol).await,
            None => Ok(()),
        }
    }

    /// Gets what is at `path` (with its query) below the base address, again and again as far as that may help.
    ///
    /// Each time takes its turn within the quota. Only a vendor that cannot be reached and a quota that is used up are errors here:
    /// what a refusal means, the vendor's own module knows.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, VendorError> {
        let mut tries = 0;
        loop {
            tries += 1;
            if let Some(pace) = &self.pace {
                pace.turn().await?;
            }
            let outcome = self.get_once(path).await;
            if let (Some(pace), Ok(answer)) = (&self.pace, &outcome)
                && answer.status == 429
            {
                pace.throttled(answer.retry_after_seconds.map(Duration::from_secs)).await;
            }
            if tries >= self.retry.attempts.max(1) {
                return outcome;
            }
            let Some(wait) = self.wait_after(&outcome, tries) else {
                return outcome;
            };
            tracing::debug!(vendor = self.vendor, path, tries, ?wait, "asking again");
            tokio::time::sleep(wait).await;
        }
    }

    /// How long to wait before asking again; `None` when asking again cannot help.
    fn wait_after(&self, outcome: &Result<Answer, VendorError>, tries: u32) -> Option<Duration> {
        match outcome {
            Err(VendorError::Unavailable(..)) => Some(self.retry.wait(tries)),
            Err(_) => None,
            Ok(answer) => match (answer.status, answer.retry_after_seconds.map(Duration::from_secs)) {
                (429 | 503, Some(asked)) => (asked <= self.retry.longest_wait).then(|| asked + self.retry.wait(1)),
                (429, None) => self.throttling_passes.then(|| self.retry.wait(tries)),
                (status, _) if passes(status) => Some(self.retry.wait(tries)),
                _ => None,
            },
        }
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    async fn get_once(&self, path: &str) -> Result<Answer, VendorError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        // Addresses hold no key; errors leave them out all the same.
        let unreachable = |error: reqwest::Error| VendorError::Unavailable(self.vendor, root_cause(&error.without_url()));
        let mut response = self.http.get(format!("{}{path}", self.base)).send().await.map_err(unreachable)?;
        let status = response.status().as_u16();
        let retry_after_seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > LONGEST_ANSWER_BYTES {
                return Err(VendorError::Malformed(self.vendor, format!("an answer of more than {LONGEST_ANSWER_BYTES} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        if let Some(key) = &self.key {
            hide(key, &mut body);
        }
        Ok(Answer { status, body, retry_after_seconds })
    }
}

/// Takes the key out of an answer: what is in an answer may get into errors and logs.
fn hide(key: &str, body: &mut Vec<u8>) {
    let finder = memmem::Finder::new(key);
    if key.is_empty() || finder.find(body).is_none() {
        return;
    }
    let mut hidden = Vec::with_capacity(body.len());
    let mut rest = &body[..];
    while let Some(at) = finder.find(rest) {
        hidden.extend_from_slice(&rest[..at]);
        hidden.extend_from_slice("…".as_bytes());
        rest = &rest[at + key.len()..];
    }
    hidden.extend_from_slice(rest);
    *body = hidden;
}

/// Whether a refusal with this status is about the moment, not about the request.
pub(super) fn passes(status: u16) -> bool {
    matches!(status, 408 | 425 | 499 | 500..=599)
}

/// The innermost reason says what happened ("connection refused"); the outer ones say only that something did.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// TLS needs one provider of cryptography a process: ring, unless the program has chosen another before.
fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that there is one already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// The beginning of an answer, for people: one line, no control characters.
pub(super) fn excerpt(body: &[u8]) -> String {
    const LENGTH: usize = 200;
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * LENGTH)]);
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LENGTH).collect();
    if line.trim().is_empty() { "an empty answer".to_owned() } else { line.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_answer_says_the_key(parts in prop::collection::vec(prop_oneof![Just("verysecret".to_owned()), ".{0,6}", "v?e?r?y?"], 0..12)) {
            let mut body = parts.concat().into_bytes();
            let others = body.len() - 10 * String::from_utf8_lossy(&body).matches("verysecret").count();
            hide("verysecret", &mut body);
            let hidden = String::from_utf8(body).unwrap();
            prop_assert!(!hidden.contains("verysecret"));
            prop_assert!(hidden.len() >= others, "nothing else is taken out");
        }
    }

    #[test]
    fn waits_grow_and_stay_within_their_bounds() {
        let retry = Retry { attempts: 9, first_wait: Duration::from_secs(1), longest_wait: Duration::from_secs(5) };
        for (tries, bound) in [(1, 1), (2, 2), (3, 4), (4, 5), (40, 5)] {
            let waits: Vec<_> = (0..50).map(|_| retry.wait(tries)).collect();
            assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(bound)), "{tries}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]), "no jitter");
        }
    }

    #[test]
    fn only_what_may_pass_is_asked_again() {
        let client = |passes| Client {
            throttling_passes: passes,
            ..Client::new("vendor", "http://127.0.0.1:9", None, Retry { first_wait: Duration::ZERO, ..Retry::default() }).unwrap()
        };
        let answer = |status, retry_after_seconds| Ok(Answer { status, body: Vec::new(), retry_after_seconds });
        for (status, asked, minute_limit, other_limit) in [
            (200, None, None, None),
            (400, None, None, None),
            (401, None, None, None),
            (403, None, None, None),
            (404, None, None, None),
            (429, None, Some(0), None),
            (429, Some(3), Some(3), Some(3)),
            (429, Some(3600), None, None),
            (500, None, Some(0), Some(0)),
            (503, None, Some(0), Some(0)),
            (503, Some(2), Some(2), Some(2)),
        ] {
            for (client, expected) in [(client(true), minute_limit), (client(false), other_limit)] {
                assert_eq!(client.wait_after(&answer(status, asked), 1), expected.map(Duration::from_secs), "{status} {asked:?}");
            }
        }
        let malformed = Err(VendorError::Malformed("vendor", String::new()));
        assert_eq!(client(true).wait_after(&malformed, 1), None);
        assert_eq!(client(true).wait_after(&Err(VendorError::Unavailable("vendor", String::new())), 1), Some(Duration::ZERO));
    }

    #[test]
    fn the_key_is_never_shown() {
        let client = Client::new("vendor", "http://127.0.0.1:9", Some("Bearer verysecret"), Retry::default()).unwrap();
        assert!(!format!("{client:?}").contains("secret"));
        let refused = Client::new("vendor", "http://127.0.0.1:9", Some("Bearer very\nsecret"), Retry::default()).unwrap_err();
        assert!(!format!("{refused:?} {refused}").contains("secret"));
    }

    #[test]
    fn only_web_addresses_are_bases() {
        for base in ["", "127.0.0.1:80", "ftp://host", "file:///etc"] {
            assert!(Client::new("vendor", base, None, Retry::default()).is_err(), "{base}");
        }
    }

    #[test]
    fn excerpts_are_one_short_line() {
        for (body, expected) in
            [(&b"<html>\n<b>x\x07</b>"[..], "<html> <b>x </b>"), (b" \n", "an empty answer"), (b"\xff\xfe", "\u{fffd}\u{fffd}")]
        {
            assert_eq!(excerpt(body), expected);
        }
        assert_eq!(excerpt(&[b'x'; 5000]).len(), 200);
    }
}
