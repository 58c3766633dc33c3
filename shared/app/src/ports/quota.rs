//! What vendors' plans allow, kept so that all copies of the program share it.

use std::time::Duration;

use async_trait::async_trait;
use domain::Timestamp;

use super::StoreError;
use crate::auth::{Bucket, Taken};

#[async_trait]
pub trait Quota: Send + Sync {
    /// Takes one token from the bucket of that name. However many callers race, no token is given twice.
    async fn take(&self, name: &str, bucket: &Bucket, now: Timestamp) -> Result<Taken, StoreError>;

    /// The vendor counts otherwise: nobody gets a token of that bucket for `pause` from `now` on, longer if that was said before.
    async fn drain(&self, name: &str, bucket: &Bucket, pause: Duration, now: Timestamp) -> Result<(), StoreError>;

    /// Counts `member` among the different ones of `set`, which may be `most`. `false`, and nothing is counted, when it would be one
    /// more than that. The set may be forgotten at `forget_at`.
    async fn admit(&self, set: &str, member: &str, most: usize, forget_at: Timestamp) -> Result<bool, StoreError>;
}
