//! What became of a trade: the triple barrier, for the model's labels and for judging signals afterwards.
//!
//! A signal of session *t* proposes a trade entered at the open of session *t + 1*, with a target of [`TARGET_ATR`] and a stop of
//! [`STOP_ATR`] average true ranges (as of *t*) from the entry, closed at the close of the [`LIFE_SESSIONS`]th session when neither was
//! touched (López de Prado, "Advances in Financial Machine Learning", chapter 3). Bars are taken as brokers would have to: a bar that
//! opens beyond a level fills at its open, and when one bar touches both levels the stop came first.
//!
//! Prices are split-adjusted; dividends received on the way and costs are not counted here.

use domain::TradingDate;

use crate::Series;

/// Distance of the target from the entry, in ATRs of 14 sessions.
pub const TARGET_ATR: f64 = 2.0;
/// Distance of the stop from the entry, in ATRs of 14 sessions; the trade's risk, one *R*.
pub const STOP_ATR: f64 = 1.0;
/// Sessions a trade lives, the session of its entry included.
pub const LIFE_SESSIONS: usize = 10;

/// The model's classes, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// A short's target is hit before its stop.
    Sell = 0,
    /// Neither target is reached in time.
    Hold = 1,
    /// A long's target is hit before its stop.
    Buy = 2,
}

impl Class {
    pub const ALL: [Self; 3] = [Self::Sell, Self::Hold, Self::Buy];

    pub fn index(self) -> usize {
        self as usize
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    Long,
    Short,
}

impl Side {
    /// 1 where a rising price gains, −1 where it loses.
    fn sign(self) -> f64 {
        match self {
            Self::Long => 1.0,
            Self::Short => -1.0,
        }
    }
}

/// The levels of one trade, in dollars on the series' share basis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Barriers {
    pub side: Side,
    pub entry: f64,
    pub target: f64,
    pub stop: f64,
}

impl Barriers {
    /// Target and stop around `entry` for a stock whose average true range is `atr` dollars.
    pub fn around(side: Side, entry: f64, atr: f64) -> Self {
        let sign = side.sign();
        Self { side, entry, target: entry + sign * TARGET_ATR * atr, stop: entry - sign * STOP_ATR * atr }
    }

    /// Whether `price` lies at or beyond the target.
    fn reaches_target(&self, price: f64) -> bool {
        self.side.sign() * (price - self.target) >= 0.0
    }

    /// Whether `price` lies at or beyond the stop.
    fn reaches_stop(&self, price: f64) -> bool {
        self.side.sign() * (price - self.stop) <= 0.0
    }
}

/// How a trade ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exit {
    pub date: TradingDate,
    /// Dollars, on the series' share basis.
    pub price: f64,
    /// Gain as a fraction of the entry price, 0.02 for two percent; before costs.
    pub gain: f64,
    /// Gain in units of what was risked (the distance from entry to stop).
    pub r_multiple: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// Neither level was touched and life is left.
    Pending,
    TargetHit(Exit),
    StopHit(Exit),
    /// Closed at the close of the last session of its life.
    TimedOut(Exit),
}

impl Outcome {
    pub fn exit(&self) -> Option<&Exit> {
        match self {
            Self::Pending => None,
            Self::TargetHit(exit) | Self::StopHit(exit) | Self::TimedOut(exit) => Some(exit),
        }
    }
}

/// Follows a trade with given levels, entered at the open of session `entry_session`, through at most `life` sessions.
pub fn follow(series: &Series, entry_session: usize, barriers: &Barriers, life: usize) -> Outcome {
    let risk = (barriers.entry - barriers.stop).abs();
    let last = entry_session + life;
    for session in entry_session..last.min(series.len()) {
        let open = series.open()[session];
        // The price that moves against the trade, and the one that moves with it.
        let (worst, best) = match barriers.side {
            Side::Long => (series.low()[session], series.high()[session]),
            Side::Short => (series.high()[session], series.low()[session]),
        };
        let exit = |price: f64| {
            let dollars = barriers.side.sign() * (price - barriers.entry);
            Exit { date: series.dates()[session], price, gain: dollars / barriers.entry, r_multiple: dollars / risk }
        };
        if barriers.reaches_stop(open) {
            return Outcome::StopHit(exit(open));
        }
        if barriers.reaches_target(open) {
            return Outcome::TargetHit(exit(open));
        }
        if barriers.reaches_stop(worst) {
            return Outcome::StopHit(exit(barriers.stop));
        }
        if barriers.reaches_target(best) {
            return Outcome::TargetHit(exit(barriers.target));
        }
        if session + 1 == last {
            return Outcome::TimedOut(exit(series.close()[session]));
        }
    }
    Outcome::Pending
}

/// The outcome of the trade that a signal of session `signal` proposed: [`Outcome::Pending`] while the next session has not opened.
/// `None` when the average true range is missing or zero, where no levels can be drawn.
pub fn outcome(series: &Series, signal: usize, atr: f64, side: Side) -> Option<Outcome> {
    if atr.is_nan() || atr <= 0.0 {
        return None;
    }
    let Some(&entry) = series.open().get(signal + 1) else { return Some(Outcome::Pending) };
    let barriers = Barriers::around(side, entry, atr);
    Some(follow(series, signal + 1, &barriers, LIFE_SESSIONS))
}

/// What the model learns of one session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Label {
    pub class: Class,
    pub long: Exit,
    pub short: Exit,
}

/// The label of session `signal`; `None` while either side's trade is open, or without an average true range.
pub fn label(series: &Series, signal: usize, atr: f64) -> Option<Label> {
    let long = outcome(series, signal, atr, Side::Long)?;
    let short = outcome(series, signal, atr, Side::Short)?;
    // Both cannot hit: the price cannot reach two ATRs one way without passing the other side's stop at one.
    let class = match (&long, &short) {
        (Outcome::TargetHit(_), _) => Class::Buy,
        (_, Outcome::TargetHit(_)) => Class::Sell,
        _ => Class::Hold,
    };
    Some(Label { class, long: *long.exit()?, short: *short.exit()? })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "these results are exact")]

    use super::*;
    use crate::series::SeriesRow;

    /// A signal session at 100 and then bars of (open, high, low, close); ATR is 1 dollar throughout.
    fn series(bars: &[(f64, f64, f64, f64)]) -> Series {
        let mut date = TradingDate::on_or_after(jiff::civil::date(2020, 1, 2));
        let all = std::iter::once(&(100.0, 100.0, 100.0, 100.0)).chain(bars);
        let rows: Vec<_> = all
            .map(|&(open, high, low, close)| {
                date = date.next();
                SeriesRow { date, open, high, low, close, volume: 1.0, total_return: close }
            })
            .collect();
        Series::from_rows(rows).unwrap()
    }

    const QUIET: (f64, f64, f64, f64) = (100.0, 100.5, 99.5, 100.2);

    fn long(bars: &[(f64, f64, f64, f64)]) -> Outcome {
        outcome(&series(bars), 0, 1.0, Side::Long).unwrap()
    }

    fn short(bars: &[(f64, f64, f64, f64)]) -> Outcome {
        outcome(&series(bars), 0, 1.0, Side::Short).unwrap()
    }

    fn price(outcome: Outcome) -> f64 {
        outcome.exit().unwrap().price
    }

    #[test]
    fn the_levels_stand_around_the_next_open_and_fill_at_their_price() {
        let hit = long(&[QUIET, (100.3, 102.1, 100.0, 102.0)]);
        assert!(matches!(hit, Outcome::TargetHit(_)));
        let exit = hit.exit().unwrap();
        assert_eq!((exit.price, exit.r_multiple), (102.0, 2.0));
        assert!((exit.gain - 0.02).abs() < 1e-12);
        assert!(matches!(long(&[QUIET, (100.3, 100.4, 98.9, 99.0)]), Outcome::StopHit(exit) if exit.price == 99.0));
        assert!(matches!(short(&[QUIET, (100.3, 100.4, 97.9, 98.0)]), Outcome::TargetHit(exit) if exit.price == 98.0));
        assert!(matches!(short(&[QUIET, (100.3, 101.0, 100.0, 100.8)]), Outcome::StopHit(exit) if exit.price == 101.0));
    }

    #[test]
    fn a_gap_through_a_level_fills_at_the_open() {
        assert_eq!(price(long(&[QUIET, (97.0, 98.0, 96.0, 97.0)])), 97.0);
        assert_eq!(price(long(&[QUIET, (103.0, 104.0, 98.0, 99.0)])), 103.0);
        assert_eq!(price(short(&[QUIET, (103.0, 104.0, 98.0, 99.0)])), 103.0);
    }

    #[test]
    fn when_one_bar_touches_both_the_stop_came_first() {
        let wild = [(100.0, 103.0, 97.0, 100.0)];
        assert!(matches!(long(&wild), Outcome::StopHit(_)));
        assert!(matches!(short(&wild), Outcome::StopHit(_)));
        assert_eq!(label(&series(&wild), 0, 1.0).unwrap().class, Class::Hold);
    }

    #[test]
    fn life_ends_at_the_close_of_its_last_session_and_not_before() {
        assert_eq!(long(&[]), Outcome::Pending);
        assert_eq!(long(&[QUIET; LIFE_SESSIONS - 1]), Outcome::Pending);
        let Outcome::TimedOut(exit) = long(&[QUIET; LIFE_SESSIONS]) else { panic!("quiet bars touch nothing") };
        assert_eq!(exit.price, 100.2);
        // A touch after its life does not count.
        let mut bars = vec![QUIET; LIFE_SESSIONS];
        bars.push((100.0, 110.0, 100.0, 110.0));
        assert!(matches!(long(&bars), Outcome::TimedOut(_)));
    }

    #[test]
    fn no_label_without_a_range_or_before_both_sides_are_decided() {
        assert_eq!(outcome(&series(&[QUIET]), 0, f64::NAN, Side::Long), None);
        assert_eq!(outcome(&series(&[QUIET]), 0, 0.0, Side::Long), None);
        assert_eq!(label(&series(&[QUIET, (100.3, 100.4, 98.9, 99.0)]), 0, 1.0), None);
        assert_eq!(label(&series(&[(100.0, 102.0, 99.5, 102.0)]), 0, 1.0).map(|label| label.class), Some(Class::Buy));
    }

    #[test]
    fn both_targets_are_never_hit() {
        // Pseudo-random walks from a fixed linear congruential generator.
        let mut state = 42_u64;
        let mut uniform = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / f64::from(u32::MAX >> 1)
        };
        let mut classes = [0; 3];
        for _ in 0..2_000 {
            let mut last = 100.0;
            let bars: Vec<_> = (0..LIFE_SESSIONS)
                .map(|_| {
                    let (open, close) = (last + uniform() - 0.5, last + 2.0 * uniform() - 1.0);
                    last = close;
                    (open, f64::max(open, close) + uniform(), f64::min(open, close) - uniform(), close)
                })
                .collect();
            let (long, short) = (long(&bars), short(&bars));
            assert!(!(matches!(long, Outcome::TargetHit(_)) && matches!(short, Outcome::TargetHit(_))));
            classes[label(&series(&bars), 0, 1.0).unwrap().class.index()] += 1;
        }
        assert!(classes.iter().all(|count| *count > 50), "{classes:?}");
    }
}
