//! What vendors' plans allow, and requests that keep to it.

use std::{
    collections::HashSet,
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::{
    auth::Bucket,
    ports::{Quota, StoreError, VendorError},
};
use domain::{Symbol, Timestamp, ToSpan, calendar};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// Longer than this no request waits for its turn: the run ends and goes on later.
const LONGEST_WAIT: Duration = Duration::from_mins(2);

/// So many requests in any such time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limit {
    name: &'static str,
    requests: u32,
    window: Duration,
    /// How many may go out at once; the others are spaced evenly.
    burst: u32,
}

impl Limit {
    /// A full bucket gives its burst at once and then one token each refill. The refill is such that both together never exceed
    /// the limit in any window, wherever the vendor begins to count.
    fn bucket(&self) -> Bucket {
        let window = u64::try_from(self.window.as_millis()).unwrap_or(u64::MAX);
        // In whole milliseconds, as the store counts; rounded up, so that the limit holds.
        Bucket::new(self.burst, Duration::from_millis(window.div_ceil(u64::from(self.requests - self.burst + 1))))
    }
}

/// What a vendor sells, as far as it limits requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    vendor: &'static str,
    name: &'static str,
    /// The shortest window first: one that refuses has then cost nothing of the others.
    limits: &'static [Limit],
    /// Different stocks in a calendar month of New York.
    symbols_a_month: Option<usize>,
}

impl Plan {
    /// Polygon's free plan: 5 requests a minute (its knowledge base), spaced evenly.
    pub const POLYGON_BASIC: Self = Self {
        vendor: "Polygon",
        name: "basic",
        limits: &[Limit { name: "minute", requests: 5, window: MINUTE, burst: 1 }],
        symbols_a_month: None,
    };
    /// Any paid plan: unlimited, but asked to stay below 100 requests a second.
    pub const POLYGON_PAID: Self = Self {
        vendor: "Polygon",
        name: "paid",
        limits: &[Limit { name: "second", requests: 100, window: Duration::from_secs(1), burst: 20 }],
        symbols_a_month: None,
    };
    /// 50 requests an hour, 1,000 a day, 500 stocks a month.
    pub const TIINGO_FREE: Self = Self {
        vendor: "Tiingo",
        name: "free",
        limits: &[
            Limit { name: "hour", requests: 50, window: HOUR, burst: 11 },
            Limit { name: "day", requests: 1000, window: DAY, burst: 201 },
        ],
        symbols_a_month: Some(500),
    };
    /// 10,000 requests an hour, 100,000 a day.
    pub const TIINGO_POWER: Self = Self {
        vendor: "Tiingo",
        name: "power",
        limits: &[
            Limit { name: "hour", requests: 10_000, window: HOUR, burst: 1001 },
            Limit { name: "day", requests: 100_000, window: DAY, burst: 20_001 },
        ],
        symbols_a_month: None,
    };

    const ALL: [Self; 4] = [Self::POLYGON_BASIC, Self::POLYGON_PAID, Self::TIINGO_FREE, Self::TIINGO_POWER];

    #[cfg(test)]
    pub(super) const fn with_symbols_a_month(self, most: usize) -> Self {
        Self { symbols_a_month: Some(most), ..self }
    }
}

/// No plan of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no plan; the plans are: polygon basic, polygon paid, tiingo free, tiingo power")]
pub struct PlanError(String);

impl FromStr for Plan {
    type Err = PlanError;

    /// The vendor and the plan: `tiingo free`.
    fn from_str(text: &str) -> Result<Self, PlanError> {
        let is_named = |plan: &Self| text.trim().eq_ignore_ascii_case(&format!("{} {}", plan.vendor, plan.name));
        Self::ALL.into_iter().find(is_named).ok_or_else(|| PlanError(text.chars().take(40).collect()))
    }
}

/// Lets requests go out as a plan allows, all copies of the program together.
#[derive(Clone)]
pub struct Pace {
    quota: Arc<dyn Quota>,
    plan: Plan,
    longest_wait: Duration,
    /// Stocks that are counted this month: they need not be asked for again.
    counted: Arc<Mutex<(String, HashSet<Symbol>)>>,
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pace").field("plan", &self.plan).field("longest_wait", &self.longest_wait).finish_non_exhaustive()
    }
}

impl Pace {
    pub fn new(quota: Arc<dyn Quota>, plan: Plan) -> Self {
        Self { quota, plan, longest_wait: LONGEST_WAIT, counted: Arc::default() }
    }

    /// With another patience than two minutes.
    pub fn waiting_at_most(self, longest_wait: Duration) -> Self {
        Self { longest_wait, ..self }
    }

    /// Returns when a request may go out. [`VendorError::QuotaExhausted`] when that would take too long.
    pub(super) async fn turn(&self) -> Result<(), VendorError> {
        let started = tokio::time::Instant::now();
        for limit in self.plan.limits {
            loop {
                let taken = self.quota.take(&self.bucket(limit), &limit.bucket(), Timestamp::now()).await.map_err(|e| self.lost(&e))?;
                if taken.allowed {
                    break;
                }
                if started.elapsed() + taken.retry_after > self.longest_wait {
                    let detail = format!("{} requests a {} are what the plan `{}` allows", limit.requests, limit.name, self.plan.name);
                    return Err(self.exhausted(detail, taken.retry_after));
                }
                tokio::time::sleep(taken.retry_after).await;
            }
        }
        Ok(())
    }

    /// The vendor refused a request for there being too many, and may have said for how long: no copy asks again before.
    pub(super) async fn throttled(&self, retry_after: Option<Duration>) {
        let Some(limit) = self.plan.limits.first() else { return };
        let pause = retry_after.unwrap_or(limit.window);
        if let Err(error) = self.quota.drain(&self.bucket(limit), &limit.bucket(), pause, Timestamp::now()).await {
            tracing::warn!(vendor = self.plan.vendor, %error, "the quota could not be emptied");
        }
    }

    /// Counts the stock among those of this month.
    pub(super) async fn symbol(&self, symbol: &Symbol) -> Result<(), VendorError> {
        let Some(most) = self.plan.symbols_a_month else { return Ok(()) };
        let today = calendar::new_york_date(Timestamp::now());
        let month = today.strftime("%Y-%m").to_string();
        if self.is_counted(&month, symbol) {
            return Ok(());
        }
        let next_month = calendar::new_york_instant(today.last_of_month().saturating_add(1.day()), jiff::civil::Time::midnight());
        let set = format!("{}#{}#symbols#{month}", self.plan.vendor, self.plan.name);
        if self.quota.admit(&set, symbol.as_str(), most, next_month).await.map_err(|e| self.lost(&e))? {
            self.counted.lock().unwrap_or_else(PoisonError::into_inner).1.insert(symbol.clone());
            return Ok(());
        }
        let detail = format!("{most} stocks a month are what the plan `{}` allows", self.plan.name);
        let wait = Duration::try_from(next_month.duration_since(Timestamp::now())).unwrap_or_default();
        Err(self.exhausted(detail, wait))
    }

    fn is_counted(&self, month: &str, symbol: &Symbol) -> bool {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.0 != month {
            *counted = (month.to_owned(), HashSet::new());
        }
        counted.1.contains(symbol)
    }

    fn bucket(&self, limit: &Limit) -> String {
        format!("{}#{}#{}", self.plan.vendor, self.plan.name, limit.name)
    }

    fn exhausted(&self, detail: String, wait: Duration) -> VendorError {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        VendorError::QuotaExhausted { vendor: self.plan.vendor, detail, retry_after_seconds: Some(seconds) }
    }

    /// Without the count nothing is asked for: a quota that was burnt does not come back.
    fn lost(&self, error: &StoreError) -> VendorError {
        VendorError::Unavailable(self.plan.vendor, format!("the quota is kept in a store that fails: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a vendor may count: in any window of any beginning.
    #[test]
    fn no_window_gets_more_than_the_limit() {
        for limit in Plan::ALL.iter().flat_map(|plan| plan.limits) {
            let bucket = limit.bucket();
            let start = Timestamp::from_second(1_700_000_000).unwrap();
            let (mut now, mut full_at, mut sent) = (start, None, Vec::new());
            while now < start + 3 * limit.window && sent.len() < 5000 {
                let taken = bucket.ask(full_at, now);
                if taken.allowed {
                    full_at = Some(now + taken.reset_after);
                    sent.push(now);
                } else {
                    now += taken.retry_after;
                }
            }
            let most = usize::try_from(limit.requests).unwrap();
            let too_close = sent.windows(most + 1).find(|sent| sent[most] < sent[0] + limit.window);
            assert_eq!(too_close, None, "{limit:?}");
            assert!(sent.len() > most.min(2000), "{limit:?} is used");
        }
    }

    #[test]
    fn plans_are_found_by_name() {
        assert_eq!("Tiingo FREE".parse(), Ok(Plan::TIINGO_FREE));
        assert_eq!("polygon paid".parse(), Ok(Plan::POLYGON_PAID));
        assert!("polygon free".parse::<Plan>().is_err());
    }
}
