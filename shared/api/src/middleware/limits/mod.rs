//! How many requests a caller may make.

mod in_process;
mod in_store;
mod settings;

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use app::auth::{Bucket, Taken};
use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use domain::{Timestamp, UserId};

pub use in_process::InProcess;
pub use in_store::InStore;
pub use settings::{LimitSettings, LimitSettingsError};

use super::{BASE_PATH, SIGN_IN_PATHS};

/// Routes whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RouteClass {
    /// Asking for a code and using it; counted by source. What one address may be mailed is counted apart, by the use case.
    SignIn,
    /// What changes nothing.
    Read,
    /// What changes something of the caller's own: orders, decisions, settings.
    Write,
    /// What an administrator does: ingestions, users, the clock.
    Data,
    /// Anything by somebody who has not logged in; counted by source.
    Public,
}

/// The bucket of each class; every caller has one of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteLimits {
    pub sign_in: Bucket,
    pub read: Bucket,
    pub write: Bucket,
    pub data: Bucket,
    pub public: Bucket,
}

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Caller {
    User(UserId),
    /// A network address; of IPv6, the /64 that one customer gets.
    Source(IpAddr),
}

/// The state of a caller's allowance after one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Requests that may come at once.
    pub limit: u32,
    /// Of these, how many are left.
    pub remaining: u32,
    /// When all of them will be there again.
    pub resets_at: Timestamp,
    /// Set when this request is one too many: seconds until the next may come.
    pub retry_after_seconds: Option<u64>,
}

/// The limiter's store does not answer; the request is shed rather than let in uncounted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rate limiter is unavailable: {0}")]
pub struct LimiterUnavailable(pub String);

#[async_trait]
pub trait RateLimiter: Send + Sync {
    /// Counts one request of `caller` to a route of `class` at the wall's instant `now`.
    async fn take(&self, class: RouteClass, caller: &Caller, now: Timestamp) -> Result<Allowance, LimiterUnavailable>;
}

impl RouteClass {
    /// What a request by somebody known, or by nobody known, counts as.
    pub(super) fn of(method: &Method, path: &str, is_known: bool) -> Self {
        const ADMINISTRATION: [&str; 3] = ["/data/", "/admin/", "/clock/"];
        if SIGN_IN_PATHS.contains(&path) {
            return Self::SignIn;
        }
        if !is_known {
            return Self::Public;
        }
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Self::Read;
        }
        let is_administration = path.strip_prefix(BASE_PATH).is_some_and(|rest| ADMINISTRATION.iter().any(|group| rest.starts_with(group)));
        if is_administration { Self::Data } else { Self::Write }
    }

    /// As settings name it, and as the store's keys do.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Read => "read",
            Self::Write => "write",
            Self::Data => "data",
            Self::Public => "public",
        }
    }
}

impl RouteLimits {
    pub fn bucket(&self, class: RouteClass) -> &Bucket {
        match class {
            RouteClass::SignIn => &self.sign_in,
            RouteClass::Read => &self.read,
            RouteClass::Write => &self.write,
            RouteClass::Data => &self.data,
            RouteClass::Public => &self.public,
        }
    }

    /// The same bucket for every class.
    pub const fn all(bucket: Bucket) -> Self {
        Self { sign_in: bucket, read: bucket, write: bucket, data: bucket, public: bucket }
    }
}

impl Default for RouteLimits {
    fn default() -> Self {
        let per_second = |tokens: u32, burst| Bucket::new(burst, Duration::from_secs(1) / tokens);
        Self {
            sign_in: per_second(20, 200),
            read: per_second(60, 600),
            write: per_second(30, 600),
            data: per_second(10, 200),
            public: per_second(20, 200),
        }
    }
}

impl Caller {
    pub fn source(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => Self::Source(IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (!0 << 64)))),
            v4 @ IpAddr::V4(_) => Self::Source(v4),
        }
    }
}

impl Allowance {
    fn new(bucket: &Bucket, taken: &Taken, now: Timestamp) -> Self {
        let whole_seconds = |wait: Duration| wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Self {
            limit: bucket.capacity,
            remaining: taken.remaining,
            resets_at: now.checked_add(taken.reset_after).unwrap_or(Timestamp::MAX),
            retry_after_seconds: (!taken.allowed).then(|| whole_seconds(taken.retry_after).max(1)),
        }
    }

    /// `X-RateLimit-Reset` is in Unix seconds, as most clients expect it.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        headers.insert(HeaderName::from_static("x-ratelimit-limit"), HeaderValue::from(self.limit));
        headers.insert(HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from(self.remaining));
        headers.insert(HeaderName::from_static("x-ratelimit-reset"), HeaderValue::from(self.resets_at.as_second()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_customers_ipv6_addresses_are_one_source() {
        let source = |text: &str| Caller::source(text.parse().unwrap());
        assert_eq!(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff::9"));
        assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }

    #[test]
    fn what_is_done_by_whom_gives_the_class() {
        for (method, path, known, class) in [
            (Method::POST, "/api/v1/auth/login", false, RouteClass::SignIn),
            (Method::POST, "/api/v1/auth/request-otp", true, RouteClass::SignIn),
            (Method::GET, "/api/v1/auth/status", false, RouteClass::Public),
            (Method::GET, "/api/v1/stocks", false, RouteClass::Public),
            (Method::GET, "/api/v1/stocks", true, RouteClass::Read),
            (Method::HEAD, "/api/v1/data/runs", true, RouteClass::Read),
            (Method::POST, "/api/v1/portfolio/orders", true, RouteClass::Write),
            (Method::PUT, "/api/v1/users/me", true, RouteClass::Write),
            (Method::POST, "/api/v1/data/ingest/stocks", true, RouteClass::Data),
            (Method::POST, "/api/v1/clock/advance", true, RouteClass::Data),
            (Method::PUT, "/api/v1/admin/users/1/role", true, RouteClass::Data),
            (Method::POST, "/api/v1/database", true, RouteClass::Write),
        ] {
            assert_eq!(RouteClass::of(&method, path, known), class, "{method} {path}");
        }
    }
}
