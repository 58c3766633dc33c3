//! All features of 60 stocks of 1,556 sessions (the bundled data's size), and what they are made of.
//!
//! `infra/training/bench_talib.py` times TA-Lib's C core on as many bars.

use analysis::{FeatureTable, MarketContext, Member, Series, series::SeriesRow};
use divan::{Bencher, counter::ItemsCount};
use domain::{Sector, TradingDate};

const STOCKS: usize = 60;
const SESSIONS: usize = 1_556;

fn main() {
    divan::main();
}

fn stocks() -> Vec<Series> {
    let first = TradingDate::on_or_after(jiff::civil::date(2018, 1, 2));
    let dates: Vec<_> = std::iter::successors(Some(first), |date| Some(date.next())).take(SESSIONS).collect();
    (0..STOCKS as u64)
        .map(|stock| {
            let mut state = stock + 1;
            let mut uniform = move || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as f64 / f64::from(1_u32 << 31)
            };
            let mut close = 50.0 + stock as f64;
            let rows = dates.iter().map(|&date| {
                let open: f64 = close;
                close = open * (1.0 + 0.04 * (uniform() - 0.495));
                let (high, low) = (open.max(close) * (1.0 + 0.01 * uniform()), open.min(close) * (1.0 - 0.01 * uniform()));
                SeriesRow { date, open, high, low, close, volume: 1e6 * (0.5 + uniform()), total_return: close }
            });
            Series::from_rows(rows).expect("the walk is positive")
        })
        .collect()
}

fn sector(stock: usize) -> Sector {
    Sector::ALL[stock % Sector::ALL.len()]
}

fn market(stocks: &[Series]) -> MarketContext {
    MarketContext::new(&stocks.iter().enumerate().map(|(stock, series)| Member::always(series, Some(sector(stock)))).collect::<Vec<_>>())
}

/// Every indicator and every model feature of every bar.
#[divan::bench]
fn all_features(bencher: Bencher<'_, '_>) {
    let stocks = stocks();
    let market = market(&stocks);
    bencher.counter(ItemsCount::new(STOCKS * SESSIONS)).bench_local(|| {
        stocks.iter().enumerate().map(|(stock, series)| FeatureTable::compute(series, &market, Some(sector(stock))).len()).sum::<usize>()
    });
}

/// The market's means and trends from all bars.
#[divan::bench]
fn market_context(bencher: Bencher<'_, '_>) {
    let stocks = stocks();
    bencher.counter(ItemsCount::new(STOCKS * SESSIONS)).bench_local(|| market(&stocks).sessions().len());
}
