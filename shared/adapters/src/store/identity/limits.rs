//! Token buckets that all copies share.

use app::{
    auth::{Bucket, Taken},
    ports::StoreError,
};
use jiff::Timestamp;

use super::IdentityTable;
use crate::store::{Condition, Item, Key, Outcome, Update, expression::Value};

const FORMAT: u32 = 1;

/// Milliseconds since 1970 at which the bucket is full again.
const FULL_AT: &str = "full_at";

/// A try fails only if the bucket went from full to filling, or back, between two requests of ours.
const ATTEMPTS: usize = 8;

impl IdentityTable {
    /// One request for a bucket that is full, two for one that is filling. No token is given twice and no caller starves: each step
    /// is an addition that holds whatever others add meanwhile, not a comparison with what was read.
    pub(super) async fn take_token(&self, name: &str, bucket: &Bucket, now: Timestamp) -> Result<Taken, StoreError> {
        let key = Key::new(format!("LIMIT#{name}"), "LIMIT");
        let refill = i64::try_from(bucket.refill.as_millis()).unwrap_or(i64::MAX);
        // In whole milliseconds like what is stored, so that the answers here and the conditions there agree.
        let now_ms = now.as_millisecond();
        let now = Timestamp::from_millisecond(now_ms).unwrap_or(now);
        for _ in 0..ATTEMPTS {
            let was_full = Condition::absent(FULL_AT).or(Condition::at_most(FULL_AT, Value::number(now_ms)));
            let from_full = Update::new(key.clone())
                .set_if_absent("v", Value::number(FORMAT))
                .set(FULL_AT, Value::number(now_ms.saturating_add(refill)))
                .expires_at(now + bucket.span())
                .when(was_full);
            let filling = match self.table.update(from_full).await? {
                Outcome::Written(item) => return taken(&item, bucket, now),
                Outcome::Refused(None) => continue,
                Outcome::Refused(Some(item)) => item,
            };
            let answer = bucket.ask(Some(full_at(&filling)?), now);
            if !answer.allowed {
                return Ok(answer);
            }
            let span = i64::try_from(bucket.span().as_millis()).unwrap_or(i64::MAX);
            let from_filling = Update::new(key.clone())
                .add(FULL_AT, refill)
                .expires_at(now + bucket.span())
                .when(Condition::greater(FULL_AT, Value::number(now_ms)))
                .when(Condition::at_most(FULL_AT, Value::number(now_ms.saturating_add(span - refill))));
            match self.table.update(from_filling).await? {
                Outcome::Written(item) => return taken(&item, bucket, now),
                Outcome::Refused(Some(item)) => {
                    let answer = bucket.ask(Some(full_at(&item)?), now);
                    if !answer.allowed {
                        return Ok(answer);
                    }
                }
                Outcome::Refused(None) => {}
            }
        }
        Err(StoreError::Throttled)
    }
}

fn taken(item: &Item, bucket: &Bucket, now: Timestamp) -> Result<Taken, StoreError> {
    Ok(bucket.taken(full_at(item)?, now))
}

fn full_at(item: &Item) -> Result<Timestamp, StoreError> {
    let milliseconds = item.get_number(FULL_AT)?;
    Timestamp::from_millisecond(milliseconds).map_err(|_| StoreError::Damaged {
        item: item.key().to_string(),
        reason: format!("`{FULL_AT}` is {milliseconds}, which is no instant"),
    })
}
