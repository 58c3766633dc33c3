//! How many requests a caller may make.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use domain::{Timestamp, UserId};

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Caller {
    User(UserId),
    /// A network address; of IPv6, the /64 that one customer gets.
    Source(IpAddr),
}

impl Caller {
    pub fn source(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => Self::Source(IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (!0 << 64)))),
            v4 @ IpAddr::V4(_) => Self::Source(v4),
        }
    }
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
    /// Counts one request of `caller` at the wall's instant `now`.
    async fn take(&self, caller: &Caller, now: Timestamp) -> Result<Allowance, LimiterUnavailable>;
}

/// A bucket's size and how fast it fills.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    pub burst: u32,
    pub per_second: f64,
}

/// Token buckets in this process.
#[derive(Debug)]
pub struct TokenBuckets {
    user: Quota,
    source: Quota,
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    by_caller: HashMap<Caller, Bucket>,
    sweep_at: usize,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

/// Fewer buckets than this are never swept.
const FEW: usize = 10_000;

impl TokenBuckets {
    pub fn new(user: Quota, source: Quota) -> Self {
        Self { user, source, buckets: Mutex::default() }
    }

    fn quota(&self, caller: &Caller) -> Quota {
        match caller {
            Caller::User(_) => self.user,
            Caller::Source(_) => self.source,
        }
    }
}

impl Default for TokenBuckets {
    /// Sixty requests a second for a user, with bursts of 600; a third of that for a source that has not logged in.
    fn default() -> Self {
        Self::new(Quota { burst: 600, per_second: 60.0 }, Quota { burst: 200, per_second: 20.0 })
    }
}

fn filled(bucket: Bucket, quota: Quota, now: Timestamp) -> f64 {
    let seconds = now.duration_since(bucket.at).as_secs_f64().max(0.0);
    (bucket.tokens + seconds * quota.per_second).min(f64::from(quota.burst))
}

#[async_trait]
impl RateLimiter for TokenBuckets {
    async fn take(&self, caller: &Caller, now: Timestamp) -> Result<Allowance, LimiterUnavailable> {
        let quota = self.quota(caller);
        let full = f64::from(quota.burst);
        // A bucket is valid after any panic: it is written in one assignment.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.by_caller.len() >= buckets.sweep_at.max(FEW) {
            // A full bucket says no more than no bucket. Sweeping at twice what remains keeps the cost per request constant.
            buckets.by_caller.retain(|caller, bucket| filled(*bucket, self.quota(caller), now) < f64::from(self.quota(caller).burst));
            buckets.sweep_at = 2 * buckets.by_caller.len();
        }
        let tokens = buckets.by_caller.get(caller).map_or(full, |bucket| filled(*bucket, quota, now));
        let is_allowed = tokens >= 1.0;
        let left = if is_allowed { tokens - 1.0 } else { tokens };
        buckets.by_caller.insert(caller.clone(), Bucket { tokens: left, at: now });
        Ok(Allowance {
            limit: quota.burst,
            remaining: whole(left),
            resets_at: now + jiff::SignedDuration::from_secs(seconds_until(left, full, quota)),
            retry_after_seconds: (!is_allowed).then(|| seconds_until(left, 1.0, quota).unsigned_abs().max(1)),
        })
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a bucket holds between none and `burst` tokens")]
fn whole(tokens: f64) -> u32 {
    tokens.max(0.0) as u32
}

#[expect(clippy::cast_possible_truncation, reason = "bounded to a day")]
fn seconds_until(tokens: f64, wanted: f64, quota: Quota) -> i64 {
    ((wanted - tokens) / quota.per_second).ceil().clamp(0.0, 86_400.0) as i64
}

impl Allowance {
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

    #[tokio::test]
    async fn a_bucket_empties_refuses_and_fills_again() {
        let limiter = TokenBuckets::new(Quota { burst: 2, per_second: 0.5 }, Quota { burst: 1, per_second: 1.0 });
        let ann = Caller::User(UserId("ann".into()));
        // Second of the request → remaining, retry after.
        for (second, remaining, retry_after) in [(0, 1, None), (0, 0, None), (0, 0, Some(2)), (1, 0, Some(1)), (2, 0, None), (100, 1, None)]
        {
            let allowance = limiter.take(&ann, Timestamp::from_second(second).unwrap()).await.unwrap();
            assert_eq!((allowance.remaining, allowance.retry_after_seconds), (remaining, retry_after), "at second {second}");
        }
        let bob = limiter.take(&Caller::User(UserId("bob".into())), Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!(bob.remaining, 1, "one user's requests do not count against another's");
    }

    #[test]
    fn one_customers_ipv6_addresses_are_one_source() {
        let source = |text: &str| Caller::source(text.parse().unwrap());
        assert_eq!(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff::9"));
        assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
    }

    #[tokio::test]
    async fn buckets_of_callers_long_gone_are_dropped() {
        let limiter = TokenBuckets::default();
        for n in 0..FEW {
            limiter.take(&Caller::User(UserId(n.to_string())), Timestamp::UNIX_EPOCH).await.unwrap();
        }
        limiter.take(&Caller::User(UserId("late".into())), Timestamp::from_second(3600).unwrap()).await.unwrap();
        assert_eq!(limiter.buckets.lock().unwrap().by_caller.len(), 1);
    }
}
