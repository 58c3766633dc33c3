//! Signals by date, and what became of them.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Date,
    signal::{Explanation, Signal, SignalId},
};

use super::StoreError;
use crate::signals::performance::DayPerformance;

#[async_trait]
pub trait SignalStore: Send + Sync {
    /// Replaces all signals of one date, each with its explanation.
    async fn put_day(&self, date: Date, signals: &[(Signal, Explanation)]) -> Result<(), StoreError>;

    /// Replaces the signals of one date whose status or outcome changed; explanations stay.
    async fn update_day(&self, date: Date, signals: &[Signal]) -> Result<(), StoreError>;

    /// The signals of each of `dates`, in the order of `dates`, by symbol within one.
    async fn days(&self, dates: &[Date]) -> Result<Vec<Signal>, StoreError>;

    /// As [`Self::days`], a list for each date, perhaps some seconds old: for those who look, not for those who change.
    async fn glance(&self, dates: &[Date]) -> Result<Vec<Arc<Vec<Signal>>>, StoreError> {
        let mut days = Vec::with_capacity(dates.len());
        for date in dates {
            days.push(Arc::new(self.days(std::slice::from_ref(date)).await?));
        }
        Ok(days)
    }

    async fn explanation(&self, id: &SignalId) -> Result<Option<Explanation>, StoreError>;

    /// What became of the signals of one date, once all of them are known.
    async fn put_performance(&self, day: &DayPerformance) -> Result<(), StoreError>;

    /// All days with known outcomes, oldest first.
    async fn performance(&self) -> Result<Vec<DayPerformance>, StoreError>;
}
