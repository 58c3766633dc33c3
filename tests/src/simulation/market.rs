//! A market that never was: a few stocks over some months of the real calendar, with gaps, halts, splits, dividends and spin-offs.
//!
//! Prices walk in whole hundredths of a cent, so that a seed makes the same market on every machine.

use std::{collections::BTreeMap, sync::Arc};

use domain::{
    ActionKind, Bar, BarRecord, Company, CorporateAction, Date, Decimal, Price, PriceHistory, Sector, Source, Symbol, Timestamp, ToSpan,
    TradingDate, calendar,
    signal::{Level, Probabilities, Signal, SignalAction},
};
use fastrand::Rng;

/// Sessions before the first in which anybody trades.
pub(crate) const WARM_UP: usize = 30;
/// Sessions of one world, the warm-up included.
pub(crate) const SESSIONS: usize = 220;

/// What the running session shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FeedKind {
    /// Nothing: bars come in the evening.
    EndOfDay,
    /// The open, and after the close the whole bar.
    Daily,
    /// A price at every instant of the session.
    Live,
}

pub(crate) struct Market {
    pub(crate) feed: FeedKind,
    pub(crate) sessions: Vec<TradingDate>,
    pub(crate) companies: Arc<Vec<Company>>,
    pub(crate) histories: BTreeMap<Symbol, PriceHistory>,
    pub(crate) signals: BTreeMap<Date, Vec<Signal>>,
}

/// Hundredths of a cent.
type Units = i64;
const DOLLAR: Units = 10_000;
const CENT: Units = 100;

impl Market {
    pub(crate) fn generate(random: &mut Rng) -> Self {
        let feed = [FeedKind::Daily, FeedKind::Daily, FeedKind::EndOfDay, FeedKind::Live][random.usize(0..4)];
        let sessions = sessions(random);
        let names = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"];
        let mut companies = Vec::new();
        let mut histories = BTreeMap::new();
        for name in names {
            let symbol: Symbol = name.parse().expect("a symbol");
            companies.push(company(&symbol, Sector::ALL[random.usize(0..4)]));
            histories.insert(symbol.clone(), history(&symbol, feed, &sessions, random));
        }
        let signals = sessions.iter().map(|date| (date.date(), signals(&histories, *date, random))).collect();
        Self { feed, sessions, companies: Arc::new(companies), histories, signals }
    }

    pub(crate) fn symbols(&self) -> Vec<Symbol> {
        self.histories.keys().cloned().collect()
    }

    pub(crate) fn bar(&self, symbol: &Symbol, date: Date) -> Option<&Bar> {
        self.histories.get(symbol)?.bar_on(date).map(|record| &record.bar)
    }

    pub(crate) fn actions(&self, symbol: &Symbol) -> &[CorporateAction] {
        self.histories.get(symbol).map_or(&[], |history| &history.actions)
    }

    /// What trades at an instant within a session of the live feed: somewhere in the day's range.
    pub(crate) fn live_price(bar: &Bar, at: Timestamp) -> Price {
        let minutes = (at.as_second() - bar.date.open().as_second()) / 60;
        let mix = (minutes * 7_919 + i64::from(bar.date.date().day()) * 104_729).rem_euclid(101);
        let (low, high) = (bar.low.units(), bar.high.units());
        Price::from_units(low + (high - low) * mix / 100).expect("it lies in the range")
    }

    /// The newest price that anybody can know, as it traded, and the session it is of.
    pub(crate) fn known_price(&self, symbol: &Symbol, now: Timestamp) -> Option<(Price, Date)> {
        let today = calendar::new_york_date(now);
        if self.feed != FeedKind::EndOfDay
            && let Some(bar) = self.bar(symbol, today)
            && bar.date.open() <= now
        {
            let price = match self.feed {
                _ if now >= bar.date.close() => bar.close,
                FeedKind::Live if now > bar.date.open() => Self::live_price(bar, now),
                _ => bar.open,
            };
            return Some((price, today));
        }
        let bars = &self.histories.get(symbol)?.bars;
        let known = bars.partition_point(|record| record.known_at <= now);
        bars[..known].last().map(|record| (record.bar.close, record.bar.date.date()))
    }
}

/// 22:00 UTC, when a session's bars come in.
pub(crate) fn evening_of(date: Date) -> Timestamp {
    date.at(22, 0, 0, 0).in_tz("UTC").expect("UTC has no gaps").timestamp()
}

/// Somewhere in the years of the bundled fees; half of the worlds have a special day in their midst.
fn sessions(random: &mut Rng) -> Vec<TradingDate> {
    let special = [
        Date::constant(2018, 12, 5),
        Date::constant(2025, 1, 9),
        Date::constant(2022, 3, 14),
        Date::constant(2022, 11, 7),
        Date::constant(2022, 11, 25),
        Date::constant(2024, 7, 3),
    ];
    let about = if random.bool() {
        special[random.usize(0..special.len())].saturating_sub(i64::from(random.u32(50..150)).days())
    } else {
        Date::constant(2018, 1, 2).saturating_add(i64::from(random.u32(0..2_300)).days())
    };
    std::iter::successors(Some(TradingDate::on_or_after(about)), |date| Some(date.next())).take(SESSIONS).collect()
}

fn company(symbol: &Symbol, sector: Sector) -> Company {
    Company { sector: Some(sector), ..Company::named(symbol.clone(), format!("{symbol} Incorporated")) }
}

fn history(symbol: &Symbol, feed: FeedKind, sessions: &[TradingDate], random: &mut Rng) -> PriceHistory {
    let mut history = PriceHistory::new(symbol.clone());
    let mut close: Units = [DOLLAR / 2, 3 * DOLLAR, 40 * DOLLAR, 150 * DOLLAR, 900 * DOLLAR][random.usize(0..5)];
    let volume: u64 = [3_000, 80_000, 2_000_000, 30_000_000][random.usize(0..4)];
    let swing = [8_000, 20_000, 45_000][random.usize(0..3)];
    let mut halted = 0;
    for date in sessions {
        let action = (history.bars.len() > 2).then(|| action(close, *date, random)).flatten();
        if let Some(kind) = action {
            close = (Decimal::from(close) / kind.price_ratio()).round().try_into().unwrap_or(1).max(1);
            // Without a feed, actions come with the bars.
            let known_at = match feed {
                FeedKind::EndOfDay => evening_of(date.date()),
                FeedKind::Daily | FeedKind::Live => calendar::new_york_instant(date.date(), jiff::civil::Time::midnight()),
            };
            history.actions.push(CorporateAction { ex_date: date.date(), kind, source: Source::Bundled, known_at });
        }
        if halted == 0 && random.u32(0..100) < 2 {
            halted = random.u32(1..4);
        }
        if halted > 0 {
            halted -= 1;
            continue;
        }
        let gap = if random.u32(0..50) == 0 { swing * 5 } else { swing / 3 };
        let open = moved(close, gap, random);
        close = moved(open, swing, random);
        let high = on_grid(open.max(close) + open * random.i64(0..swing) / 1_000_000);
        let low = on_grid(open.min(close) - open.min(close) * random.i64(0..swing) / 1_000_000);
        let price = |units| Price::from_units(units).expect("prices stay above zero");
        let bar = Bar {
            date: *date,
            open: price(open),
            high: price(high.max(open).max(close)),
            low: price(low.min(open).min(close)),
            close: price(close),
            volume: volume / 2 + random.u64(0..volume),
        };
        history.bars.push(BarRecord { bar, source: Source::Bundled, known_at: evening_of(date.date()) });
    }
    history
}

/// A step of at most `swing` millionths either way, small ones more often.
fn moved(price: Units, swing: i64, random: &mut Rng) -> Units {
    let step = i64::midpoint(random.i64(-swing..=swing), random.i64(-swing..=swing));
    on_grid(price + price * step / 1_000_000)
}

/// Stocks above a dollar trade in cents, others in hundredths of one.
fn on_grid(units: Units) -> Units {
    if units >= DOLLAR { (units + CENT / 2) / CENT * CENT } else { units.max(1) }
}

fn action(close: Units, date: TradingDate, random: &mut Rng) -> Option<ActionKind> {
    let decimal = |mantissa: i64, scale: u32| Decimal::new(mantissa, scale).normalize();
    match random.u32(0..1_000) {
        0..8 => {
            let forward = [(2, 0), (3, 0), (4, 0), (20, 0), (15, 1)];
            let reverse = [(5, 1), (125, 3), (1, 1), (4, 2), (333_333, 6)];
            let choices = if close > 100 * DOLLAR || (close > 2 * DOLLAR && random.bool()) { forward } else { reverse };
            let (mantissa, scale) = choices[random.usize(0..5)];
            Some(ActionKind::Split { ratio: decimal(mantissa, scale) })
        }
        8..25 if close > CENT => {
            let amount = decimal((close * random.i64(1..30) / 1_000).max(1), 4);
            let pay_date = random.bool().then(|| date.date().saturating_add(i64::from(random.u32(0..40)).days()));
            Some(ActionKind::Dividend { amount, pay_date })
        }
        25..30 if close > DOLLAR => Some(ActionKind::SpinOff { ratio: decimal(random.i64(10_200..14_000), 4) }),
        _ => None,
    }
}

/// What a model would have proposed at the close of `date`.
fn signals(histories: &BTreeMap<Symbol, PriceHistory>, date: TradingDate, random: &mut Rng) -> Vec<Signal> {
    let mut signals = Vec::new();
    for (symbol, history) in histories {
        let Some(record) = history.bar_on(date.date()) else { continue };
        let action = SignalAction::ALL[random.usize(0..3)];
        let level = |per_mille: i64| Price::from_units((record.bar.close.units() * per_mille / 1_000).max(1)).ok();
        let (target_price, stop_loss) = match action {
            SignalAction::Buy => (level(random.i64(1_020..1_150)), level(random.i64(880..980))),
            SignalAction::Sell | SignalAction::Hold => (None, None),
        };
        signals.push(Signal {
            symbol: symbol.clone(),
            date,
            model: "simulated-1".into(),
            company: symbol.to_string(),
            sector: None,
            action,
            confidence: 0.5,
            model_confidence: 0.5,
            confidence_level: Level::Medium,
            probabilities: Probabilities { buy: 0.5, hold: 0.25, sell: 0.25 },
            entry_price: record.bar.close,
            target_price,
            stop_loss,
            expected_return: 0.01,
            risk_level: Level::Low,
            volatility: None,
            rationale: String::new(),
            generated_at: record.known_at,
            valid_until: date.plus_sessions(5).close(),
            cancelled_at: None,
            outcome: None,
        });
    }
    signals
}
