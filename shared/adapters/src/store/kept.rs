//! What this process has read before, for as long as it may be believed.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Remembers up to `most` values, each for `life`.
#[derive(Debug)]
pub(super) struct Kept<K, V> {
    life: Duration,
    most: usize,
    state: Mutex<State<K, V>>,
}

#[derive(Debug)]
struct State<K, V> {
    entries: HashMap<K, (Instant, V)>,
    changes: u64,
}

/// Taken before a value is read and given with it: whether something was forgotten meanwhile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket(u64);

impl<K: Eq + Hash + Clone, V: Clone> Kept<K, V> {
    pub(super) fn new(life: Duration, most: usize) -> Self {
        Self { life, most, state: Mutex::new(State { entries: HashMap::new(), changes: 0 }) }
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        // No code that holds the lock can leave the map half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The remembered value, or a ticket to read it.
    pub(super) fn get(&self, key: &K) -> Result<V, Ticket> {
        let state = self.state();
        match state.entries.get(key) {
            Some((since, value)) if since.elapsed() < self.life => Ok(value.clone()),
            _ => Err(Ticket(state.changes)),
        }
    }

    /// Remembers what was read, unless something was forgotten since: it may be the value from before a change. What is full forgets
    /// everything, which costs one read each.
    pub(super) fn put(&self, ticket: Ticket, key: K, value: V) {
        let mut state = self.state();
        if state.changes != ticket.0 {
            return;
        }
        if state.entries.len() >= self.most {
            state.entries.clear();
        }
        state.entries.insert(key, (Instant::now(), value));
    }

    /// The remembered value, else what `read` brings, to be remembered where there is any.
    pub(super) async fn get_or<E>(&self, key: &K, read: impl Future<Output = Result<Option<V>, E>>) -> Result<Option<V>, E> {
        let ticket = match self.get(key) {
            Ok(value) => return Ok(Some(value)),
            Err(ticket) => ticket,
        };
        let value = read.await?;
        if let Some(value) = &value {
            self.put(ticket, key.clone(), value.clone());
        }
        Ok(value)
    }

    pub(super) fn forget(&self, key: &K) {
        let mut state = self.state();
        state.changes += 1;
        state.entries.remove(key);
    }

    pub(super) fn forget_all(&self) {
        let mut state = self.state();
        state.changes += 1;
        state.entries.clear();
    }

    /// To be held while `key` is being written: its value is forgotten before and after, also when the write is abandoned.
    pub(super) fn changing(&self, key: K) -> Changing<'_, K, V> {
        self.forget(&key);
        Changing { kept: self, key }
    }
}

/// A write under way.
#[must_use]
pub(super) struct Changing<'a, K: Eq + Hash + Clone, V: Clone> {
    kept: &'a Kept<K, V>,
    key: K,
}

impl<K: Eq + Hash + Clone, V: Clone> Drop for Changing<'_, K, V> {
    fn drop(&mut self) {
        self.kept.forget(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(life: Duration) -> Kept<u8, u8> {
        Kept::new(life, 2)
    }

    #[test]
    fn values_are_remembered_for_their_life() {
        for (life, expected) in [(Duration::from_mins(1), Some(10)), (Duration::ZERO, None)] {
            let kept = kept(life);
            kept.put(kept.get(&1).unwrap_err(), 1, 10);
            assert_eq!(kept.get(&1).ok(), expected, "{life:?}");
        }
    }

    #[test]
    fn what_was_read_while_it_was_written_is_not_remembered() {
        let kept = kept(Duration::from_mins(1));
        let before = kept.get(&1).unwrap_err();
        let write = kept.changing(1);
        kept.put(before, 1, 10);
        assert_eq!(kept.get(&1).ok(), None, "read before the write began");
        kept.put(kept.get(&1).unwrap_err(), 1, 10);
        drop(write);
        assert_eq!(kept.get(&1).ok(), None, "read before the write ended");
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let kept = kept(Duration::from_mins(1));
        for key in 0..3 {
            kept.put(kept.get(&key).unwrap_err(), key, key);
        }
        assert_eq!([0, 1, 2].map(|key| kept.get(&key).ok()), [None, None, Some(2)]);
    }
}
