//! Writing counts down, so that they add up over all copies and never fall.
//!
//! Each copy holds a place in the store and adds to it, every few seconds, what it has counted since. A place whose copy has been
//! silent for long, or has given it back, is taken over by the next copy that needs one, with everything in it: there are never more
//! places than copies ran at a time, and a sum over them never forgets. A copy that was only frozen finds its place taken and looks
//! for another. A write of which nobody knows whether it happened is looked up before anything is written again: nothing is counted
//! twice.

use std::{sync::Arc, time::Duration};

use app::{
    UseCaseError,
    auth::entropy,
    ports::{StoreError, TallySlot, TallyStore},
};
use async_trait::async_trait;
use domain::Timestamp;
use tokio::sync::Mutex;

use super::{Counts, Family, MetricsSource, Tally};

/// How often a running copy writes down what it counted: so much of it is lost when a copy is killed.
pub const PERIOD: Duration = Duration::from_secs(5);
/// A copy that has written nothing for so long may have ended.
const SILENCE: Duration = Duration::from_mins(15);
/// Copies that look for a place at the same moment are in each other's way, each time one fewer.
const ATTEMPTS: usize = 32;

/// Keeps the counts of one copy.
pub struct Keeper {
    tally: Arc<Tally>,
    store: Arc<dyn TallyStore>,
    owner: String,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    place: Option<Place>,
    /// Counted, and surely not written down.
    unwritten: Counts,
    written_at: Option<Timestamp>,
}

/// The copy's place, with everything in it.
struct Place {
    slot: TallySlot,
    counts: Counts,
    /// A write under way or of unknown end.
    doubtful: Option<Doubtful>,
}

struct Doubtful {
    slot: TallySlot,
    added: Counts,
}

impl Keeper {
    pub fn new(tally: Arc<Tally>, store: Arc<dyn TallyStore>) -> Self {
        Self { tally, store, owner: entropy::id(), held: Mutex::default() }
    }

    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// Writes down what was counted since the last time. `wall` is the time outside of any replay.
    pub async fn write(&self, wall: Timestamp) -> Result<(), StoreError> {
        let mut held = self.held.lock().await;
        self.write_held(&mut held, wall, false).await
    }

    /// As [`Self::write`], unless that was less than [`PERIOD`] ago; what goes wrong is logged and made up for the next time.
    pub async fn write_now_and_then(&self, wall: Timestamp) {
        let mut held = self.held.lock().await;
        let is_due = held.written_at.is_none_or(|written| wall.duration_since(written).unsigned_abs() >= PERIOD);
        if is_due && let Err(error) = self.write_held(&mut held, wall, false).await {
            tracing::warn!(%error, "what was counted is not written down yet");
        }
    }

    /// Writes down what was counted and gives the place to whoever comes next: this copy ends, or does not know whether it goes on.
    pub async fn release(&self, wall: Timestamp) -> Result<(), StoreError> {
        let mut held = self.held.lock().await;
        self.write_held(&mut held, wall, true).await
    }

    /// Writes every [`PERIOD`], for ever.
    pub async fn keep(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.write(Timestamp::now()).await {
                tracing::warn!(%error, "what was counted is not written down yet");
            }
        }
    }

    /// What all copies have counted, with what this one counted up to now.
    pub async fn sum(&self, wall: Timestamp) -> Result<Counts, StoreError> {
        self.write(wall).await?;
        let mut sum = Counts::default();
        for slot in self.store.slots().await? {
            sum.add(&parsed(&slot)?);
        }
        Ok(sum)
    }

    async fn write_held(&self, held: &mut Held, wall: Timestamp, and_release: bool) -> Result<(), StoreError> {
        self.settle(held, false).await?;
        held.unwritten.add(&self.tally.drain());
        if held.unwritten.is_empty() && !(and_release && held.place.is_some()) {
            return Ok(());
        }
        for _ in 0..ATTEMPTS {
            let mut place = match held.place.take() {
                Some(place) => place,
                None => self.find_place(wall).await?,
            };
            let added = std::mem::take(&mut held.unwritten);
            let mut counts = place.counts.clone();
            counts.add(&added);
            let slot = TallySlot {
                number: place.slot.number,
                owner: self.owner.clone(),
                writes: place.slot.writes + 1,
                // Long ago: whoever needs a place may have it.
                written_at: if and_release { Timestamp::UNIX_EPOCH } else { wall },
                counts: serde_json::to_string(&counts).expect("counts are texts and numbers"),
            };
            place.doubtful = Some(Doubtful { slot: slot.clone(), added });
            held.place = Some(place);
            let answer = self.store.write_slot(&slot).await;
            match answer {
                Ok(()) => held.confirm(),
                Err(StoreError::Conflict(_)) => {
                    self.settle(held, true).await?;
                    if !held.unwritten.is_empty() || held.place.is_none() {
                        continue;
                    }
                }
                Err(error) => return Err(error),
            }
            held.written_at = Some(wall);
            if and_release {
                held.place = None;
            }
            return Ok(());
        }
        Err(StoreError::Throttled)
    }

    /// Finds out whether the last write happened, where that is not known. A refused one may have been the repetition of one that did.
    async fn settle(&self, held: &mut Held, was_refused: bool) -> Result<(), StoreError> {
        let Some(doubtful) = held.place.as_ref().and_then(|place| place.doubtful.as_ref()) else { return Ok(()) };
        let slots = self.store.slots().await?;
        let found = slots.into_iter().find(|slot| slot.number == doubtful.slot.number);
        match found {
            Some(found) if found.owner == doubtful.slot.owner && found.writes == doubtful.slot.writes => held.confirm(),
            // Nobody heard the answer, and another copy has gone on since: with or without what was sent. Rather too little than twice.
            Some(found) if !was_refused && found.writes > doubtful.slot.writes => held.place = None,
            _ => held.withdraw(),
        }
        Ok(())
    }

    /// A place that nobody uses, or one more.
    async fn find_place(&self, wall: Timestamp) -> Result<Place, StoreError> {
        let slots = self.store.slots().await?;
        let next = slots.iter().map(|slot| slot.number + 1).max().unwrap_or(0);
        let is_silent = |slot: &TallySlot| wall.duration_since(slot.written_at).unsigned_abs() >= SILENCE;
        let slot = slots.into_iter().find(is_silent).unwrap_or_else(|| TallySlot {
            number: next,
            owner: String::new(),
            writes: 0,
            written_at: wall,
            counts: String::new(),
        });
        Ok(Place { counts: parsed(&slot)?, slot, doubtful: None })
    }
}

impl Held {
    /// The write under way has happened.
    fn confirm(&mut self) {
        if let Some(place) = &mut self.place
            && let Some(Doubtful { slot, added }) = place.doubtful.take()
        {
            place.counts.add(&added);
            place.slot = slot;
        }
    }

    /// The write under way has not happened; where the place stands nobody here knows.
    fn withdraw(&mut self) {
        if let Some(Doubtful { added, .. }) = self.place.take().and_then(|place| place.doubtful) {
            self.unwritten.add(&added);
        }
    }
}

fn parsed(slot: &TallySlot) -> Result<Counts, StoreError> {
    if slot.counts.is_empty() {
        return Ok(Counts::default());
    }
    serde_json::from_str(&slot.counts)
        .map_err(|error| StoreError::Damaged { item: format!("place {} of the counts", slot.number), reason: error.to_string() })
}

/// A sum without a part of it would be a counter that fell: rather none.
#[async_trait]
impl MetricsSource for Keeper {
    async fn families(&self, _: Timestamp, wall: Timestamp) -> Result<Vec<Family>, UseCaseError> {
        Ok(self.sum(wall).await?.families())
    }
}

#[cfg(test)]
mod tests;
