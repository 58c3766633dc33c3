//! Buckets of this process alone: for one that is all there is.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use domain::Timestamp;

use super::{Allowance, Caller, LimiterUnavailable, RateLimiter, RouteClass, RouteLimits};

#[derive(Debug, Default)]
pub struct InProcess {
    limits: RouteLimits,
    buckets: Mutex<Buckets>,
}

/// The instants at which the buckets that are not full will be.
#[derive(Debug, Default)]
struct Buckets {
    full_at: HashMap<(RouteClass, Caller), Timestamp>,
    sweep_at: usize,
}

/// Fewer buckets than this are never swept.
const FEW: usize = 10_000;

impl InProcess {
    pub fn new(limits: RouteLimits) -> Self {
        Self { limits, buckets: Mutex::default() }
    }
}

#[async_trait]
impl RateLimiter for InProcess {
    async fn take(&self, class: RouteClass, caller: &Caller, now: Timestamp) -> Result<Allowance, LimiterUnavailable> {
        let bucket = self.limits.bucket(class);
        // A bucket is valid after any panic: it is written in one assignment.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.full_at.len() >= buckets.sweep_at.max(FEW) {
            // A full bucket says no more than no bucket. Sweeping at twice what remains keeps the cost per request constant.
            buckets.full_at.retain(|_, full_at| *full_at > now);
            buckets.sweep_at = 2 * buckets.full_at.len();
        }
        let key = (class, caller.clone());
        let taken = bucket.ask(buckets.full_at.get(&key).copied(), now);
        if taken.allowed {
            buckets.full_at.insert(key, now + taken.reset_after);
        }
        Ok(Allowance::new(bucket, &taken, now))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use app::auth::Bucket;
    use domain::UserId;

    use super::*;

    fn user(name: &str) -> Caller {
        Caller::User(UserId(name.into()))
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[tokio::test]
    async fn a_bucket_empties_refuses_and_fills_again() {
        let limiter = InProcess::new(RouteLimits::all(Bucket::new(2, Duration::from_secs(2))));
        // Second of the request → remaining, retry after.
        for (at, remaining, retry_after) in [(0, 1, None), (0, 0, None), (0, 0, Some(2)), (1, 0, Some(1)), (2, 0, None), (100, 1, None)] {
            let allowance = limiter.take(RouteClass::Read, &user("ann"), second(at)).await.unwrap();
            assert_eq!((allowance.limit, allowance.remaining, allowance.retry_after_seconds), (2, remaining, retry_after), "at {at} s");
        }
    }

    #[tokio::test]
    async fn every_caller_has_a_bucket_of_every_class() {
        let limiter = InProcess::new(RouteLimits::all(Bucket::new(1, Duration::from_secs(1))));
        let address = |text: &str| Caller::source(text.parse().unwrap());
        for caller in [user("ann"), user("bob"), address("192.0.2.1"), address("192.0.2.2")] {
            for class in [RouteClass::SignIn, RouteClass::Read, RouteClass::Write, RouteClass::Data, RouteClass::Public] {
                for refused in [false, true] {
                    let allowance = limiter.take(class, &caller, second(0)).await.unwrap();
                    assert_eq!(allowance.retry_after_seconds.is_some(), refused, "{class:?} of {caller:?}");
                }
            }
        }
    }

    #[tokio::test]
    async fn buckets_of_callers_long_gone_are_dropped() {
        let limiter = InProcess::default();
        for n in 0..FEW {
            limiter.take(RouteClass::Read, &user(&n.to_string()), second(0)).await.unwrap();
        }
        limiter.take(RouteClass::Read, &user("late"), second(3_600)).await.unwrap();
        assert_eq!(limiter.buckets.lock().unwrap().full_at.len(), 1);
    }
}
