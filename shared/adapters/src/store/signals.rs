//! Signals in the signals table: a day's signals are read together, and so they are stored together.
//!
//! | `pk` | `sk` | what |
//! |---|---|---|
//! | `DAY#<date>` | `SIGNALS#<part>` | up to 100 signals; part 0 knows the number of parts |
//! | `DAY#<date>` | `WHY#<part>` | their explanations, which lists do not need |
//! | `PERFORMANCE` | `<date>` | what became of a day's signals |

use std::collections::HashMap;

use app::{
    ports::{SignalStore, StoreError},
    signals::performance::DayPerformance,
};
use async_trait::async_trait;
use domain::{
    Date,
    signal::{Explanation, Signal, SignalId},
};

use super::{Item, Key, Query, Store, Table};

const FORMAT: u32 = 1;
/// Keeps an item of explanations, the larger ones, well below the 400 KB that an item may have.
const PART: usize = 100;

#[derive(Clone, Debug)]
pub struct SignalTable {
    table: Table,
}

impl SignalTable {
    pub fn new(store: &Store) -> Self {
        Self { table: store.signals() }
    }

    fn signal_items(date: Date, signals: &[Signal]) -> Vec<Item> {
        let parts = signals.chunks(PART);
        let count = parts.len();
        parts.enumerate().map(|(index, part)| Item::new(signals_key(date, index), FORMAT).number("parts", count).doc(&part)).collect()
    }
}

fn signals_key(date: Date, part: usize) -> Key {
    Key::new(format!("DAY#{date}"), format!("SIGNALS#{part:03}"))
}

fn explanations_key(date: Date, part: usize) -> Key {
    Key::new(format!("DAY#{date}"), format!("WHY#{part:03}"))
}

#[async_trait]
impl SignalStore for SignalTable {
    async fn put_day(&self, date: Date, signals: &[(Signal, Explanation)]) -> Result<(), StoreError> {
        let explanations = signals.chunks(PART).enumerate().map(|(index, part)| {
            let part: Vec<&Explanation> = part.iter().map(|(_, explanation)| explanation).collect();
            Item::new(explanations_key(date, index), FORMAT).doc(&part)
        });
        // Explanations first: a signal that can be seen can be explained.
        self.table.batch_put(explanations.collect()).await?;
        let signals: Vec<Signal> = signals.iter().map(|(signal, _)| signal.clone()).collect();
        self.update_day(date, &signals).await
    }

    async fn update_day(&self, date: Date, signals: &[Signal]) -> Result<(), StoreError> {
        self.table.batch_put(Self::signal_items(date, signals)).await
    }

    async fn days(&self, dates: &[Date]) -> Result<Vec<Signal>, StoreError> {
        let first: Vec<Key> = dates.iter().map(|date| signals_key(*date, 0)).collect();
        let mut items = self.table.batch_get(&first).await?;
        let rest: Vec<Key> = dates
            .iter()
            .filter_map(|date| Some((date, items.get(&signals_key(*date, 0))?.get_number::<usize>("parts").ok()?)))
            .flat_map(|(date, parts)| (1..parts).map(|part| signals_key(*date, part)))
            .collect();
        if !rest.is_empty() {
            items.extend(self.table.batch_get(&rest).await?);
        }
        in_order(dates, &items)
    }

    async fn explanation(&self, id: &SignalId) -> Result<Option<Explanation>, StoreError> {
        let date = id.date.date();
        let day = Query::partition(format!("DAY#{date}")).prefix("WHY#");
        for item in self.table.query(&day).await? {
            let part: Vec<Explanation> = item.get_doc()?;
            if let Some(found) = part.into_iter().find(|explanation| explanation.symbol == id.symbol) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn put_performance(&self, day: &DayPerformance) -> Result<(), StoreError> {
        self.table.put(Item::new(Key::new("PERFORMANCE", day.date.to_string()), FORMAT).doc(day)).await
    }

    async fn performance(&self) -> Result<Vec<DayPerformance>, StoreError> {
        self.table.query(&Query::partition("PERFORMANCE")).await?.iter().map(Item::get_doc).collect()
    }
}

/// The signals of all parts, date by date as asked, part by part.
fn in_order(dates: &[Date], items: &HashMap<Key, Item>) -> Result<Vec<Signal>, StoreError> {
    let mut signals = Vec::new();
    for date in dates {
        for item in (0..).map_while(|part| items.get(&signals_key(*date, part))) {
            signals.extend(item.get_doc::<Vec<Signal>>()?);
        }
    }
    Ok(signals)
}
