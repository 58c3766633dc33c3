//! Vendors' quotas in the market table.

use std::{collections::BTreeSet, time::Duration};

use app::{
    auth::{Bucket, Taken},
    ports::{Quota, StoreError},
};
use async_trait::async_trait;
use jiff::Timestamp;

use super::{Condition, Item, Key, Outcome, Store, Table, bucket, expression::Value};

/// How many members the set has: what a writer compares.
const COUNT: &str = "count";
/// Only as many can be faster than one as there are writers at a time.
const ATTEMPTS: usize = 32;

#[derive(Clone, Debug)]
pub struct QuotaTable {
    table: Table,
}

impl QuotaTable {
    pub fn new(store: &Store) -> Self {
        Self { table: store.market() }
    }
}

fn bucket_key(name: &str) -> Key {
    Key::new(format!("QUOTA#{name}"), "BUCKET")
}

#[async_trait]
impl Quota for QuotaTable {
    async fn take(&self, name: &str, bucket: &Bucket, now: Timestamp) -> Result<Taken, StoreError> {
        bucket::take(&self.table, &bucket_key(name), bucket, now).await
    }

    async fn drain(&self, name: &str, bucket: &Bucket, pause: Duration, now: Timestamp) -> Result<(), StoreError> {
        bucket::drain(&self.table, &bucket_key(name), bucket, pause, now).await
    }

    async fn admit(&self, set: &str, member: &str, most: usize, forget_at: Timestamp) -> Result<bool, StoreError> {
        let key = Key::new(format!("QUOTA#{set}"), "SET");
        for _ in 0..ATTEMPTS {
            let stored = self.table.get(&key).await?;
            let mut members: BTreeSet<String> = stored.as_ref().map_or(Ok(BTreeSet::new()), Item::get_doc)?;
            if members.contains(member) {
                return Ok(true);
            }
            if members.len() >= most {
                return Ok(false);
            }
            let unchanged = match &stored {
                Some(_) => Condition::equal(COUNT, Value::number(members.len())),
                None => Condition::no_item(),
            };
            members.insert(member.to_owned());
            let item = Item::new(key.clone()).doc(&members).number(COUNT, members.len()).expires_at(forget_at);
            if let Outcome::Written(_) = self.table.put_when(item, unchanged).await? {
                return Ok(true);
            }
        }
        Err(StoreError::Throttled)
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;
    use crate::store::testing;

    fn after(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn copies_share_one_bucket() {
        let store = testing::store().await;
        let bucket = Bucket::new(5, Duration::from_secs(12));
        let copies = [QuotaTable::new(&store), QuotaTable::new(&store)];
        let callers = (0..20).map(|caller| {
            let copy = copies[caller % 2].clone();
            tokio::spawn(async move { copy.take("vendor", &bucket, after(0)).await.unwrap().allowed })
        });
        let given = join_all(callers).await.into_iter().map(Result::unwrap).filter(|allowed| *allowed).count();
        assert_eq!(given, 5);
        assert!(copies[0].take("another", &bucket, after(0)).await.unwrap().allowed);
        let waiting = copies[1].take("vendor", &bucket, after(2)).await.unwrap();
        assert_eq!((waiting.allowed, waiting.retry_after), (false, Duration::from_secs(10)));
    }

    #[tokio::test]
    async fn a_drained_bucket_gives_nothing_for_as_long_as_was_said() {
        let quota = QuotaTable::new(&testing::store().await);
        let bucket = Bucket::new(5, Duration::from_secs(12));
        let retry_after = async |second| quota.take("vendor", &bucket, after(second)).await.unwrap().retry_after.as_secs();
        assert_eq!(retry_after(0).await, 0);
        quota.drain("vendor", &bucket, Duration::from_mins(1), after(0)).await.unwrap();
        assert_eq!(retry_after(1).await, 59);
        quota.drain("vendor", &bucket, Duration::from_secs(10), after(2)).await.unwrap();
        assert_eq!(retry_after(2).await, 58, "a shorter pause does not end a longer one");
        assert_eq!((retry_after(60).await, retry_after(60).await), (0, 12), "then one token each refill");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_set_takes_so_many_different_members() {
        let quota = QuotaTable::new(&testing::store().await);
        let callers = (0..12).map(|caller| {
            let quota = quota.clone();
            tokio::spawn(async move { quota.admit("month", &format!("S{}", caller % 6), 4, after(100)).await.unwrap() })
        });
        let admitted = join_all(callers).await.into_iter().map(Result::unwrap).filter(|admitted| *admitted).count();
        assert_eq!(admitted, 8, "four stocks, asked for twice each");
        assert!(!quota.admit("month", "ANOTHER", 4, after(100)).await.unwrap());
        assert!(quota.admit("next month", "ANOTHER", 4, after(100)).await.unwrap());
    }
}
