//! A few seconds of memory for what every request asks.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::Timestamp;

/// Entries at most; a full cache forgets everything, which costs one read each and cannot be abused to fill the memory.
const MAX_ENTRIES: usize = 20_000;
/// Fewer entries than this are never swept.
const FEW: usize = 250;

/// Remembers values for `life`, or nothing when that is zero.
pub(super) struct Cache<K, V> {
    life: Duration,
    state: Mutex<State<K, V>>,
}

struct State<K, V> {
    entries: HashMap<K, (V, Timestamp)>,
    removals: u64,
    /// At this many entries those whose life is over are dropped: at twice what remained the last time, so that it costs little.
    sweep_at: usize,
}

/// Taken before a value is fetched and given with it: whether something was removed meanwhile.
#[derive(Clone, Copy)]
pub(super) struct Ticket(u64);

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    pub(super) fn new(life: Duration) -> Self {
        Self { life, state: Mutex::new(State { entries: HashMap::new(), removals: 0, sweep_at: FEW }) }
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        // No code that holds the lock can leave the map half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The remembered value, or a ticket to fetch it.
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q, now: Timestamp) -> Result<V, Ticket>
    where
        K: Borrow<Q>,
    {
        let state = self.state();
        match state.entries.get(key) {
            Some((value, since)) if self.is_alive(*since, now) => Ok(value.clone()),
            _ => Err(Ticket(state.removals)),
        }
    }

    /// A wall clock that was set back must not lengthen an entry's life: entries from the future do not count.
    fn is_alive(&self, since: Timestamp, now: Timestamp) -> bool {
        since <= now && now < since + self.life
    }

    /// Remembers what was fetched, unless something was removed since: the value may be the one that no longer holds.
    pub(super) fn put(&self, ticket: Ticket, key: K, value: V, now: Timestamp) {
        let mut state = self.state();
        if self.life.is_zero() || state.removals != ticket.0 {
            return;
        }
        if state.entries.len() >= state.sweep_at {
            state.entries.retain(|_, (_, since)| self.is_alive(*since, now));
            state.sweep_at = FEW.max(2 * state.entries.len());
        }
        if state.entries.len() >= MAX_ENTRIES {
            state.entries.clear();
        }
        state.entries.insert(key, (value, now));
    }

    pub(super) fn remove<Q: Eq + Hash + ?Sized>(&self, key: &Q)
    where
        K: Borrow<Q>,
    {
        let mut state = self.state();
        state.removals += 1;
        state.entries.remove(key);
    }

    pub(super) fn remove_all(&self, matches: impl Fn(&V) -> bool) {
        let mut state = self.state();
        state.removals += 1;
        state.entries.retain(|_, (value, _)| !matches(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn ticket(cache: &Cache<u8, u8>) -> Ticket {
        cache.get(&0, at(0)).err().unwrap()
    }

    #[test]
    fn values_are_remembered_for_their_life_only() {
        let cache = Cache::new(Duration::from_mins(1));
        cache.put(ticket(&cache), 1, 10, at(100));
        for (second, expected) in [(99, None), (100, Some(10)), (159, Some(10)), (160, None)] {
            assert_eq!(cache.get(&1, at(second)).ok(), expected, "at {second} s");
        }
    }

    #[test]
    fn what_was_fetched_before_a_removal_is_not_remembered() {
        let cache = Cache::new(Duration::from_mins(1));
        let before = ticket(&cache);
        cache.remove(&1);
        cache.put(before, 1, 10, at(100));
        assert_eq!(cache.get(&1, at(100)).ok(), None);
    }

    #[test]
    fn a_life_of_zero_remembers_nothing() {
        let cache = Cache::new(Duration::ZERO);
        cache.put(ticket(&cache), 1, 10, at(100));
        assert_eq!(cache.get(&1, at(100)).ok(), None);
    }

    #[test]
    fn what_is_over_is_dropped_in_time() {
        let cache = Cache::new(Duration::from_mins(1));
        for number in 0..100_u32 {
            for key in 0..10 {
                cache.put(Ticket(0), number * 10 + key, 0_u8, at(i64::from(number) * 60));
            }
        }
        let remaining = cache.state().entries.len();
        assert!(remaining <= FEW, "{remaining} entries of which 10 are alive");
    }
}
