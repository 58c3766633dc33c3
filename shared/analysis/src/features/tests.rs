//! No feature looks ahead, and none that is said to be free of scale carries one.

use domain::{ActionKind, Bar, BarRecord, CorporateAction, Decimal, Price, PriceHistory, Sector, Source, Timestamp, TradingDate};
use jiff::civil::date;

use super::*;
use crate::{Member, series::SeriesRow};

/// A deterministic generator: MMIX's linear congruential one, its upper bits.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as f64 / f64::from(1_u32 << 31)
    }
}

fn bars(seed: u64, sessions: usize) -> Vec<SeriesRow> {
    let mut random = Random(seed);
    let mut date = TradingDate::on_or_after(date(2018, 1, 2));
    let mut close = 80.0;
    (0..sessions)
        .map(|_| {
            date = date.next();
            let open: f64 = close * (1.0 + 0.02 * (random.uniform() - 0.5));
            close = open * (1.0 + 0.04 * (random.uniform() - 0.495));
            let (high, low) = (open.max(close) * (1.0 + 0.01 * random.uniform()), open.min(close) * (1.0 - 0.01 * random.uniform()));
            SeriesRow { date, open, high, low, close, volume: (1e6 * (0.5 + random.uniform())).round(), total_return: close }
        })
        .collect()
}

const SESSIONS: usize = 420;

fn stocks() -> Vec<Series> {
    (1..=6).map(|seed| Series::from_rows(bars(seed * 7_919, SESSIONS)).unwrap()).collect()
}

fn market_of(stocks: &[Series]) -> MarketContext {
    let sector = |at: usize| Some(if at.is_multiple_of(2) { Sector::Energy } else { Sector::Materials });
    MarketContext::new(&stocks.iter().enumerate().map(|(at, series)| Member::always(series, sector(at))).collect::<Vec<_>>())
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| if value.is_nan() { u64::MAX } else { value.to_bits() }).collect()
}

#[test]
fn no_value_changes_when_later_bars_are_added() {
    let whole = stocks();
    let full = FeatureTable::compute(&whole[0], &market_of(&whole), Some(Sector::Energy));
    for end in [1, 2, 15, 21, 35, 61, 199, 200, 201, 253, 254, 300, SESSIONS - 1] {
        let prefix: Vec<Series> = whole
            .iter()
            .cloned()
            .map(|mut series| {
                series.truncate(end);
                series
            })
            .collect();
        let table = FeatureTable::compute(&prefix[0], &market_of(&prefix), Some(Sector::Energy));
        for name in LEVEL_NAMES {
            assert_eq!(bits(table.column(name).unwrap()), bits(&full.column(name).unwrap()[..end]), "{name} at {end} bars");
        }
        assert_eq!(table.regimes(), &full.regimes()[..end]);
        for bar in 0..end {
            for (feature, name) in MODEL_FEATURES.iter().enumerate() {
                let (short, long) = (table.model_row(bar)[feature], full.model_row(bar)[feature]);
                assert!(
                    short.to_bits() == long.to_bits() || (short.is_nan() && long.is_nan()),
                    "{name} of bar {bar} at {end} bars: {short} {long}"
                );
            }
        }
    }
}

#[test]
fn every_feature_has_values_once_warm_and_none_is_infinite() {
    let whole = stocks();
    let table = FeatureTable::compute(&whole[1], &market_of(&whole), Some(Sector::Materials));
    let last = table.model_row(SESSIONS - 1);
    for (name, value) in MODEL_FEATURES.iter().zip(last) {
        assert!(value.is_finite(), "{name}");
    }
    for name in LEVEL_NAMES {
        assert!(table.column(name).unwrap()[SESSIONS - 1].is_finite(), "{name}");
    }
    assert!(table.model_matrix().iter().all(|value| !value.is_infinite()));
    assert_eq!(table.model_matrix().len(), SESSIONS * MODEL_FEATURE_COUNT);
}

#[test]
fn a_price_that_never_moves_gives_missing_values_and_no_infinity() {
    let rows =
        bars(1, 300).into_iter().map(|row| SeriesRow { open: 5.0, high: 5.0, low: 5.0, close: 5.0, total_return: 5.0, volume: 0.0, ..row });
    let flat = Series::from_rows(rows).unwrap();
    let table = FeatureTable::compute(&flat, &market_of(std::slice::from_ref(&flat)), Some(Sector::Energy));
    assert!(table.model_matrix().iter().all(|value| !value.is_infinite()));
    let row = table.last_row().unwrap();
    assert_eq!((row.sma_20, row.atr_14, row.rsi_14, row.volatility_20d), (Some(5.0), Some(0.0), Some(50.0), Some(0.0)));
    assert_eq!((row.vwap, row.volume_ratio), (None, None));
}

fn history(actions: &[CorporateAction]) -> PriceHistory {
    let mut history = PriceHistory::new("TEST".parse().unwrap());
    let price = |value: f64| Price::round(Decimal::try_from(value).unwrap()).unwrap();
    history.bars = bars(99, SESSIONS)
        .into_iter()
        .map(|row| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "test volumes are whole and positive")]
            let volume = row.volume as u64;
            let bar =
                Bar { date: row.date, open: price(row.open), high: price(row.high), low: price(row.low), close: price(row.close), volume };
            BarRecord { bar, source: Source::Bundled, known_at: Timestamp::UNIX_EPOCH }
        })
        .collect();
    history.merge(&[], actions);
    history
}

#[test]
fn a_split_and_a_dividend_still_to_come_leave_scale_free_features_as_they_were() {
    let action = |days, kind| CorporateAction { ex_date: days, kind, source: Source::Bundled, known_at: Timestamp::UNIX_EPOCH };
    let later = [
        action(date(2019, 6, 3), ActionKind::Dividend { amount: Decimal::ONE, pay_date: None }),
        action(date(2019, 6, 10), ActionKind::Split { ratio: Decimal::from(7) }),
        action(date(2019, 6, 12), ActionKind::SpinOff { ratio: Decimal::new(1281, 3) }),
    ];
    let (plain, adjusted) = (history(&[]), history(&later));
    let last = plain.last_bar().unwrap().date.date();
    let (before, after) = (Series::new(&plain, last), Series::new(&adjusted, last));
    assert!((after.close()[0] * 7.0 * 1.281 / before.close()[0] - 1.0).abs() < 1e-9, "the levels did change");
    let others = stocks();
    let market = market_of(&others);
    let (before, after) = (FeatureTable::compute(&before, &market, None), FeatureTable::compute(&after, &market, None));
    let events = before.dates().partition_point(|session| session.date() < date(2019, 6, 3));
    for bar in 0..events {
        for (feature, name) in MODEL_FEATURES.iter().enumerate() {
            let (a, b) = (before.model_row(bar)[feature], after.model_row(bar)[feature]);
            assert!((a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-4 * a.abs().max(1.0), "{name} of bar {bar}: {a} became {b}");
        }
    }
}

#[test]
fn without_a_market_only_what_needs_it_is_missing() {
    let series = &stocks()[0];
    let table = FeatureTable::compute(series, &MarketContext::default(), None);
    let missing: Vec<&str> =
        MODEL_FEATURES.iter().zip(table.model_row(SESSIONS - 1)).filter(|(_, value)| value.is_nan()).map(|(name, _)| *name).collect();
    assert!(missing.iter().all(|name| name.starts_with("relative_") || ["beta_60", "sector_momentum_20"].contains(name)));
    assert_eq!(missing.len(), 4);
    assert_eq!(table.last_row().unwrap().market_regime, None);
}

#[test]
fn rows_leave_with_missing_as_null() {
    let table = FeatureTable::compute(&stocks()[0], &MarketContext::default(), None);
    let json = serde_json::to_value(table.row(19)).unwrap();
    assert!(json["sma_20"].is_f64() && json["sma_50"].is_null() && json["market_regime"].is_null());
    let read: FeatureRow = serde_json::from_value(json).unwrap();
    assert_eq!(read, table.row(19));
}

#[test]
fn the_schema_names_each_feature_once() {
    let mut names = MODEL_FEATURES.to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), MODEL_FEATURE_COUNT);
    assert!((25..=45).contains(&MODEL_FEATURE_COUNT));
    assert_eq!(schema().lines().count(), MODEL_FEATURE_COUNT + 1);
    assert_eq!(schema_hash().len(), 64);
}
