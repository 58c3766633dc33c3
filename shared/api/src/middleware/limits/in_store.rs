//! Buckets in the store, shared by all copies.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::ports::IdentityStore;
use async_trait::async_trait;
use domain::Timestamp;

use super::{Allowance, Caller, LimiterUnavailable, RateLimiter, RouteClass, RouteLimits};

/// Gives no token twice, however many copies there are: one or two writes a request. Who has nothing left costs no more than a look into
/// this copy's memory, so that the refused cannot wear the store out.
pub struct InStore {
    limits: RouteLimits,
    store: Arc<dyn IdentityStore>,
    /// The allowance of who was refused, and until when that stays so: others can only take more from the bucket meanwhile.
    refused: Mutex<HashMap<String, (Allowance, Timestamp)>>,
}

/// Fewer memories than this are never swept.
const FEW: usize = 1_000;

impl InStore {
    pub fn new(limits: RouteLimits, store: Arc<dyn IdentityStore>) -> Self {
        Self { limits, store, refused: Mutex::default() }
    }

    fn remembered(&self, key: &str, now: Timestamp) -> Option<Allowance> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let (allowance, until) = refused.get(key).filter(|(_, until)| *until > now)?;
        let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default();
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        Some(Allowance { retry_after_seconds: Some(seconds), ..*allowance })
    }

    fn remember(&self, key: String, allowance: Allowance, until: Timestamp, now: Timestamp) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= FEW {
            refused.retain(|_, (_, until)| *until > now);
        }
        refused.insert(key, (allowance, until));
    }
}

#[async_trait]
impl RateLimiter for InStore {
    async fn take(&self, class: RouteClass, caller: &Caller, now: Timestamp) -> Result<Allowance, LimiterUnavailable> {
        let name = class.name();
        let key = match caller {
            Caller::User(id) => format!("{name}#user#{id}"),
            Caller::Source(address) => format!("{name}#source#{address}"),
        };
        if let Some(allowance) = self.remembered(&key, now) {
            return Ok(allowance);
        }
        let bucket = self.limits.bucket(class);
        let taken = self.store.take(&key, bucket, now).await.map_err(|error| LimiterUnavailable(error.to_string()))?;
        let allowance = Allowance::new(bucket, &taken, now);
        if !taken.allowed {
            self.remember(key, allowance, now + taken.retry_after, now);
        }
        Ok(allowance)
    }
}
