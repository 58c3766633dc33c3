//! Many items of one table at once, each on its own: some may be written and others not.

use std::{collections::HashMap, time::Duration};

use app::{auth::entropy, ports::StoreError};
use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{
    Condition, Item, Key, Outcome, Table,
    error::store_error,
    expression::{Placeholders, Value},
    item::EXPIRES_AT,
};

/// The service's limits for one request.
const READS: usize = 100;
const WRITES: usize = 25;

/// How often what the service left unprocessed is sent again; with [`pause`] some three seconds together.
const ATTEMPTS: u32 = 8;

/// Deletions under way at the same time.
const DELETIONS: usize = 8;

impl Table {
    /// Those of `keys` that are stored, as they are now.
    pub async fn batch_get(&self, keys: &[Key]) -> Result<HashMap<Key, Item>, StoreError> {
        let mut wanted: Vec<&Key> = keys.iter().collect();
        wanted.sort_by(|a, b| (&a.pk, &a.sk).cmp(&(&b.pk, &b.sk)));
        wanted.dedup();
        let mut items = HashMap::with_capacity(wanted.len());
        for chunk in wanted.chunks(READS) {
            let keys = chunk.iter().map(|key| key.attributes()).collect();
            let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            self.get_chunk(request.map_err(|error| StoreError::Refused(error.to_string()))?, &mut items).await?;
        }
        Ok(items)
    }

    async fn get_chunk(&self, keys: KeysAndAttributes, items: &mut HashMap<Key, Item>) -> Result<(), StoreError> {
        let mut left = HashMap::from([(self.name.to_string(), keys)]);
        for attempt in 0..ATTEMPTS {
            let answer = self.client.batch_get_item().set_request_items(Some(left)).send().await;
            let answer = answer.map_err(|error| store_error(&self.name, &error))?;
            for attributes in answer.responses.unwrap_or_default().into_values().flatten() {
                let item = Item::from_attributes(attributes)?;
                items.insert(item.key().clone(), item);
            }
            left = answer.unprocessed_keys.unwrap_or_default();
            if left.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(pause(attempt)).await;
        }
        Err(StoreError::Throttled)
    }

    /// Writes all items whatever is stored. A failure leaves some written: for what can be written again.
    pub async fn batch_put(&self, items: Vec<Item>) -> Result<(), StoreError> {
        let writes = items.into_iter().map(|item| {
            let put = PutRequest::builder().set_item(Some(item.into_attributes())).build().expect("an item was given");
            WriteRequest::builder().put_request(put).build()
        });
        self.batch_write(writes.collect()).await
    }

    /// Deletes all that are stored under `keys`. A failure leaves some deleted: for what can be deleted again.
    pub async fn batch_delete(&self, keys: &[Key]) -> Result<(), StoreError> {
        let writes = keys.iter().map(|key| {
            let delete = DeleteRequest::builder().set_key(Some(key.attributes())).build().expect("a key was given");
            WriteRequest::builder().delete_request(delete).build()
        });
        self.batch_write(writes.collect()).await
    }

    async fn batch_write(&self, writes: Vec<WriteRequest>) -> Result<(), StoreError> {
        for chunk in writes.chunks(WRITES) {
            self.write_chunk(chunk.to_vec()).await?;
        }
        Ok(())
    }

    async fn write_chunk(&self, writes: Vec<WriteRequest>) -> Result<(), StoreError> {
        let mut left = HashMap::from([(self.name.to_string(), writes)]);
        for attempt in 0..ATTEMPTS {
            let answer = self.client.batch_write_item().set_request_items(Some(left)).send().await;
            left = answer.map_err(|error| store_error(&self.name, &error))?.unprocessed_items.unwrap_or_default();
            if left.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(pause(attempt)).await;
        }
        Err(StoreError::Throttled)
    }

    /// Deletes every item whose `expires_at` has come, and tells how many. Reads the whole table: for a daily job, after which
    /// nothing is left that time-to-live has not come round to.
    pub async fn purge_expired(&self, now: Timestamp) -> Result<usize, StoreError> {
        let expired = || Condition::at_most(EXPIRES_AT, Value::number(now.as_second()));
        let mut purged = 0;
        let mut start = None;
        loop {
            let mut placeholders = Placeholders::default();
            let filter = expired().render(&mut placeholders);
            let projection = format!("{}, {}", placeholders.name("pk"), placeholders.name("sk"));
            let (names, values) = placeholders.into_maps();
            let request = self
                .client
                .scan()
                .table_name(&*self.name)
                .filter_expression(filter)
                .projection_expression(projection)
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values)
                .set_exclusive_start_key(start);
            let answer = request.send().await.map_err(|error| store_error(&self.name, &error))?;
            let found: Result<Vec<Item>, _> = answer.items.unwrap_or_default().into_iter().map(Item::from_attributes).collect();
            // The condition again, at each deletion: what was renewed since the scan saw it must stay.
            let deletions = found?.into_iter().map(|item| async move { self.delete_when(item.key(), expired()).await });
            let outcomes: Vec<Outcome> = stream::iter(deletions).buffer_unordered(DELETIONS).try_collect().await?;
            purged += outcomes.into_iter().filter_map(Outcome::written).count();
            match answer.last_evaluated_key {
                Some(next) => start = Some(next),
                None => return Ok(purged),
            }
        }
    }
}

/// Full jitter: anything up to a bound that doubles, so that those who were refused together do not come back together.
pub(super) fn pause(attempt: u32) -> Duration {
    let bound_micros = 25_000 << attempt.min(6);
    Duration::from_micros(entropy::below(bound_micros).into())
}
