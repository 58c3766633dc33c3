//! The gate before the store: bars that cannot be right are kept apart until an administrator decides.
//!
//! A quarantined bar reaches no feature, no price and no fill.

use domain::{Bar, BarRecord, CorporateAction, Decimal, PriceHistory, Symbol, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Data;
use crate::{UseCaseError, ports::HistoryError};

/// A close this many times the one before, or this part of it, needs an event that explains it.
const LARGEST_JUMP: Decimal = Decimal::from_parts(3, 0, 0, false, 0);

/// How often a release that lost a race for the history is tried again.
const WRITE_TRIES: usize = 5;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuarantinedBar {
    /// The same for the same bar, however often a vendor sends it.
    pub id: String,
    pub symbol: Symbol,
    pub record: BarRecord,
    /// What is wrong with it.
    pub reason: String,
    /// Market time.
    pub quarantined_at: Timestamp,
    pub state: QuarantineState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuarantineState {
    Held,
    /// An administrator found it right: it is in the history.
    Released,
    /// An administrator found it wrong: it stays away for good.
    Discarded,
}

impl QuarantinedBar {
    pub(super) fn new(symbol: &Symbol, record: BarRecord, reason: String, now: Timestamp) -> Self {
        let bar = serde_json::to_vec(&record.bar).expect("a bar serialises");
        let id = format!("{symbol}-{}-{}", record.bar.date, &hex::encode(Sha256::digest(bar))[..12]);
        Self { id, symbol: symbol.clone(), record, reason, quarantined_at: now, state: QuarantineState::Held }
    }
}

impl Data {
    /// Bars that wait for a decision.
    pub async fn quarantine(&self) -> Result<Vec<QuarantinedBar>, UseCaseError> {
        let all = self.market.companies().quarantine().await?;
        Ok(all.into_iter().filter(|bar| bar.state == QuarantineState::Held).collect())
    }

    /// Adds the bar to its history after all, known from now on.
    pub async fn release(&self, id: &str, now: Timestamp) -> Result<QuarantinedBar, UseCaseError> {
        let held = self.held(id).await?;
        for _ in 0..WRITE_TRIES {
            let (mut history, version) = self.stored(&held.symbol).await?;
            history.merge(&[BarRecord { known_at: now, ..held.record }], &[]);
            match self.histories.write(&history, version.as_ref()).await {
                Ok(_) => {
                    let released = self.decide(held, QuarantineState::Released).await?;
                    self.republish(now).await?;
                    return Ok(released);
                }
                Err(HistoryError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(UseCaseError::Busy)
    }

    /// Keeps the bar out for good.
    pub async fn discard(&self, id: &str) -> Result<QuarantinedBar, UseCaseError> {
        let held = self.held(id).await?;
        self.decide(held, QuarantineState::Discarded).await
    }

    async fn held(&self, id: &str) -> Result<QuarantinedBar, UseCaseError> {
        let found =
            self.market.companies().quarantined(id).await?.ok_or_else(|| UseCaseError::NotFound(format!("quarantined bar {id}")))?;
        match found.state {
            QuarantineState::Held => Ok(found),
            QuarantineState::Released => Err(UseCaseError::TooLate("this bar has been released already".into())),
            QuarantineState::Discarded => Err(UseCaseError::TooLate("this bar has been discarded already".into())),
        }
    }

    async fn decide(&self, bar: QuarantinedBar, state: QuarantineState) -> Result<QuarantinedBar, UseCaseError> {
        let decided = QuarantinedBar { state, ..bar };
        self.market.companies().put_quarantined(&decided).await?;
        Ok(decided)
    }

    /// Separates bars that can be stored from those that cannot be right; the latter are put in quarantine unless they are known there.
    pub(super) async fn gate(
        &self,
        bars: Vec<BarRecord>,
        actions: &[CorporateAction],
        stored: &PriceHistory,
        now: Timestamp,
    ) -> Result<Vec<BarRecord>, UseCaseError> {
        let mut good: Vec<BarRecord> = Vec::with_capacity(bars.len());
        for record in bars {
            let before = good.last().map(|record| record.bar).or_else(|| close_before(stored, &record.bar));
            match fault(&record.bar, before.as_ref(), actions) {
                None => good.push(record),
                Some(reason) => self.hold(QuarantinedBar::new(&stored.symbol, record, reason, now)).await?,
            }
        }
        Ok(good)
    }

    async fn hold(&self, bar: QuarantinedBar) -> Result<(), UseCaseError> {
        if self.market.companies().quarantined(&bar.id).await?.is_none() {
            tracing::warn!(symbol = %bar.symbol, date = %bar.record.bar.date, reason = bar.reason, "a bar was quarantined");
            self.market.companies().put_quarantined(&bar).await?;
        }
        Ok(())
    }
}

fn close_before(stored: &PriceHistory, bar: &Bar) -> Option<Bar> {
    let end = stored.bars.partition_point(|record| record.bar.date < bar.date);
    stored.bars[..end].last().map(|record| record.bar)
}

/// Why a bar cannot be right, as far as it shows by itself and beside the one before; `None` for a good one.
fn fault(bar: &Bar, before: Option<&Bar>, actions: &[CorporateAction]) -> Option<String> {
    if let Err(error) = bar.check() {
        return Some(error.to_string());
    }
    let before = before?;
    let explained: Decimal = actions
        .iter()
        .filter(|action| action.ex_date > before.date.date() && action.ex_date <= bar.date.date())
        .map(|action| action.kind.price_ratio())
        .product();
    let jump = bar.close.decimal() * explained / before.close.decimal();
    let is_unexplained = jump > LARGEST_JUMP || jump * LARGEST_JUMP < Decimal::ONE;
    is_unexplained
        .then(|| format!("the close went from {} on {} to {} without a split that explains it", before.close, before.date, bar.close))
}

#[cfg(test)]
mod tests {
    use domain::{ActionKind, Source, TradingDate};
    use jiff::civil::date;

    use super::*;

    fn bar(day: i8, [open, high, low, close]: [&str; 4]) -> Bar {
        let price = |text: &str| text.parse().unwrap();
        let date = TradingDate::new(date(2022, 1, day)).unwrap();
        Bar { date, open: price(open), high: price(high), low: price(low), close: price(close), volume: 100 }
    }

    #[test]
    fn only_what_cannot_be_right_is_kept_apart() {
        let before = bar(3, ["100", "101", "99", "100"]);
        let split = CorporateAction {
            ex_date: date(2022, 1, 4),
            kind: ActionKind::Split { ratio: Decimal::from(4) },
            source: Source::Bundled,
            known_at: Timestamp::UNIX_EPOCH,
        };
        for (name, bar, actions, is_good) in [
            ("an ordinary day", bar(4, ["100", "105", "95", "104"]), vec![], true),
            ("a bad day", bar(4, ["60", "61", "38", "40"]), vec![], true),
            ("the open outside of low and high", bar(4, ["110", "105", "95", "104"]), vec![], false),
            ("the close outside of low and high", bar(4, ["100", "105", "95", "94"]), vec![], false),
            ("a split that nobody told of", bar(4, ["25", "26", "24", "25"]), vec![], false),
            ("the same split, told", bar(4, ["25", "26", "24", "25"]), vec![split], true),
            ("ten times the price", bar(4, ["1000", "1000", "1000", "1000"]), vec![], false),
        ] {
            assert_eq!(fault(&bar, Some(&before), &actions).is_none(), is_good, "{name}");
        }
    }
}
