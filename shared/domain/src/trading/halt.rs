//! When the drawdown halt begins and ends.
//!
//! It begins at the first close at which equity is too far below its peak, and ends when equity has recovered, or after a number of
//! sessions: then the peak starts again from what equity is, so that a portfolio that lost once is not kept from trading for ever.
//! Both are entries of the ledger. A portfolio that holds nothing is not valued at closes; its halt ends with its next purchase.

use crate::{
    Money, TradingDate,
    execution::{RiskLimits, risk::drawdown_that_halts},
    trading::{event::Event, journal::Journal, portfolio::Portfolio},
};

/// The peak that counts for a purchase in the session `date`.
pub(super) fn peak_for(portfolio: &Portfolio, equity: Money, date: TradingDate, limits: &RiskLimits) -> Money {
    if is_over(portfolio, equity, date, limits) { equity } else { portfolio.peak_equity }
}

/// Records before a purchase in the session `date` that the halt has ended, if it has.
pub(super) fn before_purchase(journal: &mut Journal, equity: Money, date: TradingDate, limits: &RiskLimits) {
    if is_over(journal.portfolio(), equity, date, limits) {
        resume_at(journal, date, equity, limits);
    }
}

/// Records at the close of `date` that the halt begins or ends.
pub(super) fn at_close(journal: &mut Journal, date: TradingDate, equity: Money, limits: &RiskLimits) {
    let portfolio = journal.portfolio();
    let (peak, too_low) = (portfolio.peak_equity, drawdown_that_halts(limits, portfolio.peak_equity, equity).is_some());
    match (portfolio.halted_since, too_low) {
        (None, true) => journal.record(Event::BuyingHalted { date: date.date(), peak, equity }),
        (Some(_), false) => {
            journal.record(Event::BuyingResumed { date: date.date(), peak, reason: "the portfolio has recovered".into() });
        }
        (Some(_), true) if is_over(portfolio, equity, date.next(), limits) => resume_at(journal, date, equity, limits),
        (None, false) | (Some(_), true) => {}
    }
}

/// Whether equity is still too low and the halt has lasted all its sessions before `date`.
fn is_over(portfolio: &Portfolio, equity: Money, date: TradingDate, limits: &RiskLimits) -> bool {
    let too_low = drawdown_that_halts(limits, portfolio.peak_equity, equity).is_some();
    // What was sold during a session and left nothing behind was not valued again: the last close before it counts.
    let since = portfolio.halted_since.or(portfolio.last_valuation.map(|last| last.date));
    let last_session = since.map(|since| TradingDate::on_or_after(since).plus_sessions(limits.drawdown_halt_sessions as usize));
    too_low && last_session.is_some_and(|last| last < date)
}

fn resume_at(journal: &mut Journal, date: TradingDate, equity: Money, limits: &RiskLimits) {
    let reason = format!("buying was halted for {} sessions; the peak starts again", limits.drawdown_halt_sessions);
    journal.record(Event::BuyingResumed { date: date.date(), peak: equity, reason });
}
