//! What running copies of the program have counted, kept so that their sum outlives them.

use async_trait::async_trait;
use domain::Timestamp;

use super::StoreError;

/// A place for the counts of one copy at a time. Counts only grow: who takes a place over goes on from what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TallySlot {
    pub number: u32,
    /// Which copy has it.
    pub owner: String,
    /// How often it was written: what writers compare.
    pub writes: u64,
    pub written_at: Timestamp,
    /// JSON, in the words of those who count.
    pub counts: String,
}

#[async_trait]
pub trait TallyStore: Send + Sync {
    /// All places, by number.
    async fn slots(&self) -> Result<Vec<TallySlot>, StoreError>;

    /// Writes one place if it was written `slot.writes − 1` times before; the first time, if there is none of this number.
    /// [`StoreError::Conflict`] when another copy was faster, or this very write had been done before.
    async fn write_slot(&self, slot: &TallySlot) -> Result<(), StoreError>;
}
