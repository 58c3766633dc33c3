//! Token buckets that all copies share: one item each, with the instant at which the bucket is full again.

use std::time::Duration;

use app::{
    auth::{Bucket, Taken},
    ports::StoreError,
};
use jiff::Timestamp;

use super::{Condition, Item, Key, Outcome, Table, Update, expression::Value};

/// Microseconds since 1970 at which the bucket is full again: sixty tokens a second do not come in whole milliseconds.
const FULL_AT: &str = "full_at";

/// A try fails only if the bucket went from full to filling, or back, between two requests of ours.
const ATTEMPTS: usize = 8;

/// Takes one token from the bucket at `key`: one request for a bucket that is full, two for one that is filling. No token is given
/// twice and no caller starves: each step is an addition that holds whatever others add meanwhile, not a comparison with what was
/// read.
pub(super) async fn take(table: &Table, key: &Key, bucket: &Bucket, now: Timestamp) -> Result<Taken, StoreError> {
    // In whole microseconds like what is stored, so that the answers here and the conditions there agree.
    let bucket = &Bucket { refill: Duration::from_micros(u64::try_from(bucket.refill.as_micros()).unwrap_or(u64::MAX)), ..*bucket };
    let refill = microseconds(bucket.refill);
    let now_us = now.as_microsecond();
    let now = Timestamp::from_microsecond(now_us).unwrap_or(now);
    for _ in 0..ATTEMPTS {
        let was_full = Condition::absent(FULL_AT).or(Condition::at_most(FULL_AT, Value::number(now_us)));
        let from_full = Update::upsert(key.clone())
            .set(FULL_AT, Value::number(now_us.saturating_add(refill)))
            .expires_at(now + bucket.span())
            .when(was_full);
        let filling = match table.update(from_full).await? {
            Outcome::Written(item) => return taken(&item, bucket, now),
            Outcome::Refused(None) => continue,
            Outcome::Refused(Some(item)) => item,
        };
        let answer = bucket.ask(Some(full_at(&filling)?), now);
        if !answer.allowed {
            return Ok(answer);
        }
        let span = microseconds(bucket.span());
        let from_filling = Update::new(key.clone())
            .add(FULL_AT, refill)
            .expires_at(now + bucket.span())
            .when(Condition::greater(FULL_AT, Value::number(now_us)))
            .when(Condition::at_most(FULL_AT, Value::number(now_us.saturating_add(span - refill))));
        match table.update(from_filling).await? {
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

/// Empties the bucket so far that its next token comes after `pause`. It is never filled by this: a longer pause stays.
pub(super) async fn drain(table: &Table, key: &Key, bucket: &Bucket, pause: Duration, now: Timestamp) -> Result<(), StoreError> {
    let filling = (pause + bucket.span()).saturating_sub(bucket.refill);
    let full_at = now.as_microsecond().saturating_add(microseconds(filling));
    let drained = Update::upsert(key.clone())
        .set(FULL_AT, Value::number(full_at))
        .expires_at(now + filling)
        .when(Condition::absent(FULL_AT).or(Condition::less(FULL_AT, Value::number(full_at))));
    table.update(drained).await.map(|_| ())
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn taken(item: &Item, bucket: &Bucket, now: Timestamp) -> Result<Taken, StoreError> {
    Ok(bucket.taken(full_at(item)?, now))
}

fn full_at(item: &Item) -> Result<Timestamp, StoreError> {
    let microseconds = item.get_number(FULL_AT)?;
    Timestamp::from_microsecond(microseconds).map_err(|_| StoreError::Damaged {
        item: item.key().to_string(),
        reason: format!("`{FULL_AT}` is {microseconds}, which is no instant"),
    })
}
