//! Signals in the signals table: a day's signals are read together, and so they are stored together.
//!
//! | `pk` | `sk` | what |
//! |---|---|---|
//! | `DAY#<date>` | `SIGNALS#<part>` | up to 100 signals; part 0 knows the number of parts |
//! | `DAY#<date>` | `WHY#<part>` | their explanations, which lists do not need |
//! | `DAYS` | `CHANGES` | `last`: a token for each time that any day's signals were written, by which copies of the program know that what they remember holds |
//! | `PERFORMANCE` | `<date>` | what became of a day's signals |

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use app::{
    auth::entropy,
    ports::{SignalStore, StoreError},
    signals::performance::DayPerformance,
};
use async_trait::async_trait;
use domain::{
    Date,
    signal::{Explanation, Signal, SignalId},
};

use super::{Item, Key, Query, Store, Table, kept::Kept};

/// Keeps an item of explanations, the larger ones, well below the 400 KB that an item may have.
const PART: usize = 100;
/// Remembered days: those that lists reach back to, and some that are asked for by date.
const MOST_KEPT: usize = 64;
/// A writer that died before it told of its change is noticed after this time.
const KEPT: Duration = Duration::from_mins(5);
/// How old a list may be that a copy of the program gives, beside other copies that write.
const ASKED_EVERY: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub struct SignalTable {
    table: Table,
    kept: Arc<KeptDays>,
}

/// Days as this process last read them.
#[derive(Debug)]
struct KeptDays {
    days: Kept<Date, Arc<Vec<Signal>>>,
    /// The newest change when that was last asked, empty before the first, and when it was asked.
    newest_change: Mutex<Option<(String, Instant)>>,
    /// Whether this process makes all changes itself, so that it need not ask.
    is_alone: bool,
}

impl SignalTable {
    pub fn new(store: &Store) -> Self {
        Self::with(store, false)
    }

    /// Only where this process alone writes the table: nobody would tell it of other writers.
    pub fn alone(store: &Store) -> Self {
        Self::with(store, true)
    }

    fn with(store: &Store, is_alone: bool) -> Self {
        let kept = KeptDays { days: Kept::new(KEPT, MOST_KEPT), newest_change: Mutex::default(), is_alone };
        Self { table: store.signals(), kept: Arc::new(kept) }
    }

    /// Forgets what may have changed since it was read.
    async fn believe(&self) -> Result<(), StoreError> {
        let known = self.kept.newest_change().clone();
        if self.kept.is_alone || known.as_ref().is_some_and(|(_, asked)| asked.elapsed() < ASKED_EVERY) {
            return Ok(());
        }
        let asked = Instant::now();
        let found = self.table.batch_get(&[change_key()]).await?.remove(&change_key());
        let change = found.map_or(Ok(String::new()), |item| item.get_text("last").map(str::to_owned))?;
        if known.is_none_or(|(before, _)| before != change) {
            self.kept.days.forget_all();
        }
        *self.kept.newest_change() = Some((change, asked));
        Ok(())
    }

    /// As if [`ASKED_EVERY`] had passed.
    #[cfg(test)]
    pub(super) fn ask_again(&self) {
        if let Some((_, asked)) = self.kept.newest_change().as_mut() {
            *asked -= ASKED_EVERY;
        }
    }

    /// Said after the write: who reads in between reads again when it has been said.
    async fn tell_change(&self) -> Result<(), StoreError> {
        self.table.put(Item::new(change_key()).text("last", entropy::id())).await
    }

    fn signal_items(date: Date, signals: &[Signal]) -> Vec<Item> {
        let parts = signals.chunks(PART);
        let count = parts.len();
        parts.enumerate().map(|(index, part)| Item::new(signals_key(date, index)).number("parts", count).doc(&part)).collect()
    }
}

impl KeptDays {
    fn newest_change(&self) -> MutexGuard<'_, Option<(String, Instant)>> {
        self.newest_change.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn change_key() -> Key {
    Key::new("DAYS", "CHANGES")
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
            Item::new(explanations_key(date, index)).doc(&part)
        });
        // Explanations first: a signal that can be seen can be explained.
        self.table.batch_put(explanations.collect()).await?;
        let signals: Vec<Signal> = signals.iter().map(|(signal, _)| signal.clone()).collect();
        self.update_day(date, &signals).await
    }

    async fn update_day(&self, date: Date, signals: &[Signal]) -> Result<(), StoreError> {
        let _changing = self.kept.days.changing(date);
        self.table.batch_put(Self::signal_items(date, signals)).await?;
        self.tell_change().await
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

    async fn glance(&self, dates: &[Date]) -> Result<Vec<Arc<Vec<Signal>>>, StoreError> {
        self.believe().await?;
        let known: Vec<_> = dates.iter().map(|date| (*date, self.kept.days.get(date))).collect();
        let missing: Vec<Date> = known.iter().filter(|(_, known)| known.is_err()).map(|(date, _)| *date).collect();
        let mut read: HashMap<Date, Vec<Signal>> = HashMap::new();
        if !missing.is_empty() {
            for signal in self.days(&missing).await? {
                read.entry(signal.date.date()).or_default().push(signal);
            }
        }
        let days = known.into_iter().map(|(date, known)| {
            known.unwrap_or_else(|ticket| {
                let day = Arc::new(read.remove(&date).unwrap_or_default());
                self.kept.days.put(ticket, date, day.clone());
                day
            })
        });
        Ok(days.collect())
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
        self.table.put(Item::new(Key::new("PERFORMANCE", day.date.to_string())).doc(day)).await
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
