//! Token buckets: how often something may be done, with bursts.

use std::{fmt, str::FromStr, time::Duration};

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

/// Why a text is not a rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no rate: expected something like `60/s`, `60/s burst 600` or `5/10m`, at most a million a second")]
pub struct RateError(String);

/// `60/s burst 600`: sixty tokens a second and room for 600. Without a burst there is room for what one period gives. Periods are
/// seconds, minutes and hours, or a number of them: `5/10m`.
impl FromStr for Bucket {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        read_rate(text).ok_or_else(|| RateError(text.trim().chars().take(60).collect()))
    }
}

fn read_rate(text: &str) -> Option<Bucket> {
    let mut words = text.split_whitespace();
    let (tokens, period) = words.next()?.split_once('/')?;
    let tokens: u32 = tokens.parse().ok().filter(|tokens| *tokens > 0)?;
    let unit = period.chars().next_back()?;
    let seconds: u64 = [('s', 1), ('m', 60), ('h', 3_600)].into_iter().find(|(name, _)| *name == unit)?.1;
    let many = &period[..period.len() - unit.len_utf8()];
    let many: u64 = if many.is_empty() { 1 } else { many.parse().ok().filter(|many| (1..=1_000).contains(many))? };
    let refill = Duration::from_secs(seconds * many) / tokens;
    let capacity = match (words.next(), words.next()) {
        (None, _) => tokens,
        (Some("burst"), Some(burst)) => burst.parse().ok().filter(|burst| *burst > 0)?,
        _ => return None,
    };
    (words.next().is_none() && refill >= Duration::from_micros(1)).then_some(Bucket { capacity, refill })
}

/// As [`FromStr`] reads it: so many tokens in the shortest period that gives a whole number of them.
impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refill = self.refill.as_nanos().max(1);
        let periods = [(1, "s"), (60, "m"), (3_600, "h")].map(|(seconds, name)| (Duration::from_secs(seconds).as_nanos(), name));
        // A division of the period may have left a remainder below a nanosecond a token.
        let whole = |nanos: u128| (nanos + refill / 2) / refill;
        let is_whole = |nanos: u128| whole(nanos) > 0 && (whole(nanos) * refill).abs_diff(nanos) <= whole(nanos);
        match periods.into_iter().find(|(nanos, _)| is_whole(*nanos)) {
            Some((nanos, name)) => write!(f, "{}/{name} burst {}", whole(nanos), self.capacity),
            None => write!(f, "1/{}s burst {}", self.refill.as_secs(), self.capacity),
        }
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

    #[test]
    fn a_rate_is_tokens_a_period_and_a_burst() {
        for (text, expected) in [
            ("60/s burst 600", Some((600, Duration::from_secs(1) / 60, "60/s burst 600"))),
            ("  1/s ", Some((1, Duration::from_secs(1), "1/s burst 1"))),
            ("5/10m", Some((5, Duration::from_mins(2), "30/h burst 5"))),
            ("60/5m burst 60", Some((60, Duration::from_secs(5), "12/m burst 60"))),
            ("3/h burst 1", Some((1, Duration::from_mins(20), "3/h burst 1"))),
            ("1000000/s", Some((1_000_000, Duration::from_micros(1), "1000000/s burst 1000000"))),
            ("1000001/s", None),
            ("0/s", None),
            ("-1/s", None),
            ("60", None),
            ("60/", None),
            ("60/d", None),
            ("60/0s", None),
            ("60/s burst", None),
            ("60/s burst 0", None),
            ("60/s bursts 5", None),
            ("60/s burst 5 6", None),
            ("60/é", None),
            ("", None),
        ] {
            let read = text.parse::<Bucket>().ok();
            assert_eq!(read, expected.map(|(capacity, refill, _)| Bucket { capacity, refill }), "{text}");
            let written = read.map(|bucket| bucket.to_string());
            assert_eq!(written.as_deref(), expected.map(|(_, _, written)| written), "{text}");
        }
    }
}
