use std::sync::{
    Mutex as Lock,
    atomic::{AtomicU8, Ordering},
};

use super::*;

/// Places in memory, whose next write may go wrong.
#[derive(Default)]
struct Places {
    slots: Lock<Vec<TallySlot>>,
    fault: AtomicU8,
}

const NONE: u8 = 0;
/// The write happens and nobody hears of it.
const UNHEARD: u8 = 1;
/// The write does not happen.
const LOST: u8 = 2;
/// The write happens, the answer is lost, and the client's repetition of it is refused.
const REPEATED: u8 = 3;

#[async_trait]
impl TallyStore for Places {
    async fn slots(&self) -> Result<Vec<TallySlot>, StoreError> {
        Ok(self.slots.lock().unwrap().clone())
    }

    async fn write_slot(&self, slot: &TallySlot) -> Result<(), StoreError> {
        let fault = self.fault.swap(NONE, Ordering::SeqCst);
        if fault == LOST {
            return Err(StoreError::Unavailable("lost".into()));
        }
        let mut slots = self.slots.lock().unwrap();
        let known = slots.iter().position(|known| known.number == slot.number);
        if known.map_or(0, |at| slots[at].writes) + 1 != slot.writes {
            return Err(StoreError::Conflict("a place".into()));
        }
        match known {
            Some(at) => slots[at] = slot.clone(),
            None => slots.push(slot.clone()),
        }
        match fault {
            UNHEARD => Err(StoreError::Unavailable("unheard".into())),
            REPEATED => Err(StoreError::Conflict("a place".into())),
            _ => Ok(()),
        }
    }
}

fn copy(places: &Arc<Places>) -> Keeper {
    Keeper::new(Arc::default(), places.clone())
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn count(keeper: &Keeper, orders: usize) {
    (0..orders).for_each(|_| keeper.tally().order("filled"));
}

fn orders(counts: &Counts) -> f64 {
    counts.families().iter().flat_map(|family| &family.samples).map(|sample| sample.value).sum()
}

#[tokio::test]
async fn copies_add_up_and_each_has_a_place() {
    let places = Arc::new(Places::default());
    let copies = [copy(&places), copy(&places), copy(&places)];
    for (index, keeper) in copies.iter().enumerate() {
        count(keeper, index + 1);
        keeper.write(at(0)).await.unwrap();
    }
    count(&copies[0], 10);
    assert!((orders(&copies[0].sum(at(1)).await.unwrap()) - 16.0).abs() < 1e-9, "what this copy has just counted is in it");
    assert!((orders(&copies[2].sum(at(1)).await.unwrap()) - 16.0).abs() < 1e-9, "whoever is asked");
    assert_eq!(places.slots.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn what_a_copy_counted_outlives_it() {
    let places = Arc::new(Places::default());
    let killed = copy(&places);
    count(&killed, 5);
    killed.write(at(0)).await.unwrap();
    drop(killed);
    let ended = copy(&places);
    count(&ended, 7);
    ended.release(at(1)).await.unwrap();

    let next = copy(&places);
    count(&next, 1);
    assert!((orders(&next.sum(at(2)).await.unwrap()) - 13.0).abs() < 1e-9);
    assert_eq!(places.slots.lock().unwrap().len(), 2, "the place that was given back is used again, the other may still be held");
    let later = copy(&places);
    count(&later, 1);
    assert!((orders(&later.sum(at(2 + 15 * 60)).await.unwrap()) - 14.0).abs() < 1e-9);
    assert_eq!(places.slots.lock().unwrap().len(), 2, "after a long silence that is over too");
}

#[tokio::test]
async fn a_copy_that_was_frozen_finds_another_place() {
    let places = Arc::new(Places::default());
    let frozen = copy(&places);
    count(&frozen, 3);
    frozen.write(at(0)).await.unwrap();
    let other = copy(&places);
    for second in [3_600, 3_601] {
        count(&other, 1);
        other.write(at(second)).await.unwrap();
    }
    assert_eq!(places.slots.lock().unwrap().len(), 1, "taken over");
    count(&frozen, 4);
    assert!((orders(&frozen.sum(at(3_602)).await.unwrap()) - 9.0).abs() < 1e-9);
    assert_eq!(places.slots.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn no_fault_counts_twice_or_forgets() {
    for (fault, fails) in [(UNHEARD, true), (LOST, true), (REPEATED, false)] {
        let places = Arc::new(Places::default());
        let keeper = copy(&places);
        count(&keeper, 2);
        keeper.write(at(0)).await.unwrap();
        count(&keeper, 3);
        places.fault.store(fault, Ordering::SeqCst);
        assert_eq!(keeper.write(at(5)).await.is_err(), fails, "{fault}");
        count(&keeper, 4);
        assert!((orders(&keeper.sum(at(10)).await.unwrap()) - 9.0).abs() < 1e-9, "{fault}");
    }
}
