//! What running copies have counted, in the market table.

use app::ports::{StoreError, TallySlot, TallyStore};
use async_trait::async_trait;

use super::{Condition, Item, Key, Outcome, Query, Store, Table, expression::Value};

const PARTITION: &str = "TALLY";

#[derive(Clone, Debug)]
pub struct TallyTable {
    table: Table,
}

impl TallyTable {
    pub fn new(store: &Store) -> Self {
        Self { table: store.market() }
    }
}

fn key(number: u32) -> Key {
    Key::new(PARTITION, format!("{number:05}"))
}

fn slot(item: &Item) -> Result<TallySlot, StoreError> {
    Ok(TallySlot {
        number: item.get_number("number")?,
        owner: item.get_text("owner")?.to_owned(),
        writes: item.get_number("writes")?,
        written_at: item.get_instant("written_at")?,
        counts: item.get_text("counts")?.to_owned(),
    })
}

#[async_trait]
impl TallyStore for TallyTable {
    async fn slots(&self) -> Result<Vec<TallySlot>, StoreError> {
        self.table.query(&Query::partition(PARTITION)).await?.iter().map(slot).collect()
    }

    async fn write_slot(&self, slot: &TallySlot) -> Result<(), StoreError> {
        let item = Item::new(key(slot.number))
            .number("number", slot.number)
            .text("owner", slot.owner.as_str())
            .number("writes", slot.writes)
            .instant("written_at", slot.written_at)
            .text("counts", slot.counts.as_str());
        let unchanged = match slot.writes.saturating_sub(1) {
            0 => Condition::no_item(),
            before => Condition::equal("writes", Value::number(before)),
        };
        match self.table.put_when(item, unchanged).await? {
            Outcome::Written(_) => Ok(()),
            Outcome::Refused(_) => Err(StoreError::Conflict(format!("place {} of the counts", slot.number))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing;

    #[tokio::test]
    async fn a_place_is_written_in_turn_or_not_at_all() {
        let store = TallyTable::new(&testing::store().await);
        let written = |owner: &str, writes| TallySlot {
            number: 7,
            owner: owner.into(),
            writes,
            written_at: "2022-01-03T15:00:00Z".parse().unwrap(),
            counts: "{}".into(),
        };
        store.write_slot(&written("a", 1)).await.unwrap();
        for too_late in [written("b", 1), written("b", 3)] {
            assert!(store.write_slot(&too_late).await.unwrap_err().is_conflict());
        }
        store.write_slot(&written("b", 2)).await.unwrap();
        assert_eq!(store.slots().await.unwrap(), [written("b", 2)]);
    }
}
