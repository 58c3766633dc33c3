//! Token buckets: how often something may be done, with bursts.

use std::time::Duration;

use domain::Timestamp;

/// Holds `capacity` tokens and gains one each `refill`; what takes a token from an empty bucket is refused.
///
/// Kept as one instant, that at which the bucket will be full again: the generic cell rate algorithm, ITU-T I.371 annex A
/// ("virtual scheduling"). A bucket that was never used is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    pub capacity: u32,
    pub refill: Duration,
}

/// What a bucket answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    pub allowed: bool,
    /// Tokens that are left.
    pub remaining: u32,
    /// Until a refused caller may try again; zero for an allowed one.
    pub retry_after: Duration,
    /// Until the bucket is full again.
    pub reset_after: Duration,
}

impl Bucket {
    pub const fn new(capacity: u32, refill: Duration) -> Self {
        Self { capacity, refill }
    }

    /// From empty to full.
    pub fn span(&self) -> Duration {
        self.refill * self.capacity
    }

    /// What a bucket that will be full at `full_at` answers to one caller.
    pub fn ask(&self, full_at: Option<Timestamp>, now: Timestamp) -> Taken {
        let filling = full_at.map_or(Duration::ZERO, |full_at| Duration::try_from(full_at.duration_since(now)).unwrap_or_default());
        let after = filling + self.refill;
        let excess = after.saturating_sub(self.span());
        if excess.is_zero() {
            self.taken(now + after, now)
        } else {
            Taken { allowed: false, remaining: 0, retry_after: excess, reset_after: filling }
        }
    }

    /// The answer to a caller whose token is taken already, which made the bucket full at `full_at`.
    pub fn taken(&self, full_at: Timestamp, now: Timestamp) -> Taken {
        let filling = Duration::try_from(full_at.duration_since(now)).unwrap_or_default();
        let left = self.span().saturating_sub(filling).as_nanos() / self.refill.as_nanos().max(1);
        Taken { allowed: true, remaining: u32::try_from(left).unwrap_or(self.capacity), retry_after: Duration::ZERO, reset_after: filling }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_then_one_token_each_refill() {
        let bucket = Bucket::new(3, Duration::from_secs(10));
        let mut full_at = None;
        // (seconds, allowed, remaining, retry after)
        for (second, allowed, remaining, retry) in [
            (0, true, 2, 0),
            (0, true, 1, 0),
            (0, true, 0, 0),
            (0, false, 0, 10),
            (9, false, 0, 1),
            (10, true, 0, 0),
            (11, false, 0, 9),
            (100, true, 2, 0),
        ] {
            let now = Timestamp::from_second(1_000_000 + second).unwrap();
            let taken = bucket.ask(full_at, now);
            assert_eq!((taken.allowed, taken.remaining, taken.retry_after.as_secs()), (allowed, remaining, retry), "at {second} s");
            if taken.allowed {
                full_at = Some(now + taken.reset_after);
            }
        }
    }
}
