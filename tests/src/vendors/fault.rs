//! What can go wrong on the way, when a test wants it to.

use std::time::Duration;

/// What becomes of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The right answer, later.
    Slow(Duration),
    /// The first half of the right answer.
    Truncated,
    /// The connection ends in the middle of the answer.
    Dropped,
    /// Somebody's page with status 200.
    Html,
    /// An error of the vendor's servers, with a page.
    Status(u16),
    /// The vendor's own 429, with a `Retry-After` if given, whatever the quota is.
    Throttled { retry_after_seconds: Option<u64> },
    /// The plan does not include this: the vendor's own 403.
    NotInPlan,
    /// Any status and body.
    Body { status: u16, body: String },
}

/// An effect on some requests.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    /// In the path or the query.
    pub(super) contains: String,
    /// How many more times; `None` for always.
    pub(super) times: Option<u32>,
    pub(super) effect: Effect,
}

/// The effect on this request, which is counted.
pub(super) fn strike(faults: &mut [Fault], path: &str) -> Option<Effect> {
    let fault = faults.iter_mut().find(|fault| fault.times != Some(0) && path.contains(&fault.contains))?;
    fault.times = fault.times.map(|times| times - 1);
    Some(fault.effect.clone())
}
