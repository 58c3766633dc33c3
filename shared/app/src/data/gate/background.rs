//! What a bar is judged beside: the sessions before it and the corporate actions that are known.

use domain::{ActionKind, Bar, CorporateAction, Date, Decimal, PriceHistory, TradingDate};
use rust_decimal::prelude::ToPrimitive;

/// Sessions over which the usual size of moves and of trading is taken.
pub(super) const USUAL: usize = 60;
/// Sessions over which the largest volume is taken: about a year.
const KEPT: usize = 250;

/// The sessions before a bar, oldest first.
pub struct Background<'a> {
    bars: Vec<Bar>,
    /// How far the stored bars have been taken over.
    stored: usize,
    actions: &'a [CorporateAction],
}

impl<'a> Background<'a> {
    /// The newest stored sessions before `first`.
    pub fn before(stored: &PriceHistory, first: Option<TradingDate>, actions: &'a [CorporateAction]) -> Self {
        let start = first.map_or(0, |first| stored.bars.partition_point(|record| record.bar.date < first)).saturating_sub(KEPT);
        Self { bars: Vec::new(), stored: start, actions }
    }

    /// Takes over the stored sessions before `date`, of each its newest version.
    pub fn advance(&mut self, stored: &PriceHistory, date: TradingDate) {
        while let Some(record) = stored.bars.get(self.stored).filter(|record| record.bar.date < date) {
            self.push(record.bar);
            self.stored += 1;
        }
    }

    /// Adds a session after the others. What arrived anew for a stored session is not replaced by what was stored.
    pub fn push(&mut self, bar: Bar) {
        match self.bars.last_mut() {
            Some(last) if last.date == bar.date => *last = bar,
            Some(last) if last.date > bar.date => {}
            _ => self.bars.push(bar),
        }
    }

    /// The session before.
    pub fn last(&self) -> Option<&Bar> {
        self.bars.last()
    }

    /// The close before as it compares with prices of `bar`'s session: on its share basis, without what was paid out.
    pub fn comparable_close(&self, bar: &Bar) -> Option<f64> {
        self.last().map(|last| self.comparable(last, bar.date))
    }

    /// Absolute log returns of the last sessions, newest first; a return across an event compares like with like.
    pub fn usual_moves(&self) -> Vec<f64> {
        let pairs = self.bars.windows(2).rev().take(USUAL);
        pairs.map(|pair| (close(&pair[1]) / self.comparable(&pair[0], pair[1].date)).ln().abs()).collect()
    }

    /// Volumes of the last `sessions`, on `date`'s share basis, newest first.
    pub fn volumes(&self, sessions: usize, date: TradingDate) -> Vec<f64> {
        let of = |bar: &Bar| bar.volume as f64 * self.product(bar.date.date(), date.date(), ActionKind::share_ratio);
        self.bars.iter().rev().take(sessions).map(of).collect()
    }

    /// The largest volume of about a year, and of how many sessions.
    pub fn largest_volume(&self, date: TradingDate) -> (f64, usize) {
        let volumes = self.volumes(KEPT, date);
        (volumes.iter().copied().fold(0.0, f64::max), volumes.len())
    }

    fn comparable(&self, before: &Bar, date: TradingDate) -> f64 {
        let (from, until) = (before.date.date(), date.date());
        let basis = close(before) / self.product(from, until, ActionKind::price_ratio);
        let paid: f64 = self.between(from, until).map(|action| dividend(&action.kind)).sum();
        // A dividend of the whole price or more is a fault of its own and explains nothing.
        if paid < basis { basis - paid } else { basis }
    }

    fn product(&self, after: Date, until: Date, ratio: fn(&ActionKind) -> Decimal) -> f64 {
        self.between(after, until).map(|action| float(ratio(&action.kind))).product()
    }

    /// Actions with an ex-date after one date and up to another; they are sorted by nothing but few.
    fn between(&self, after: Date, until: Date) -> impl Iterator<Item = &CorporateAction> {
        self.actions.iter().filter(move |action| action.ex_date > after && action.ex_date <= until)
    }
}

fn dividend(kind: &ActionKind) -> f64 {
    match kind {
        ActionKind::Dividend { amount, .. } => float(*amount),
        _ => 0.0,
    }
}

/// Dollars. Statistics only: no amount is ever made of it.
pub(super) fn close(bar: &Bar) -> f64 {
    float(bar.close.decimal())
}

fn float(decimal: Decimal) -> f64 {
    decimal.to_f64().expect("a decimal is finite")
}

pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    let (_, value, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    Some(*value)
}
