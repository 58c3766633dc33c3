//! The pure engine and its ledger: fills a second, and the rebuild of 100,000 entries.

use std::{collections::BTreeMap, sync::LazyLock};

use divan::{Bencher, counter::ItemsCount};
use domain::{
    Money, Price, Quantity, Symbol, TradingDate, UserId,
    execution::{Liquidity, Side},
    order::OrderRequest,
    trading::{
        Background, Cause, DayTape, Entry, Event, Journal, MarketView, Portfolio, SessionRest, StockView, TradingRules, order_entry,
        session,
    },
};
use rust_decimal::dec;

/// Orders a session; each fills at its open.
const ORDERS: usize = 20;
const ENTRIES: usize = 100_000;

fn main() {
    divan::main();
}

fn rules() -> TradingRules {
    let mut rules = TradingRules { initial_cash: Money::dollars(100_000_000), ..TradingRules::default() };
    rules.limits.max_open_positions = 1_000;
    rules.limits.minimum_fractional_order = Money::cents(1);
    rules
}

fn symbols() -> Vec<Symbol> {
    (0..ORDERS).map(|index| format!("S{}", char::from(b'A' + u8::try_from(index).expect("few"))).parse().expect("a symbol")).collect()
}

fn liquidity() -> Liquidity {
    Liquidity { average_daily_volume: dec!(5_000_000), daily_volatility: dec!(0.02) }
}

fn tape(date: TradingDate, price: Price) -> DayTape {
    DayTape {
        date,
        actions: vec![],
        open: Some(price),
        rest: Some(SessionRest { high: price, low: price, close: price }),
        quote: None,
        before: Background { previous_close: Some(price), liquidity: liquidity() },
    }
}

fn opened(rules: &TradingRules) -> (Portfolio, Vec<Entry>) {
    let date = TradingDate::on_or_after(jiff::civil::date(2018, 1, 2));
    let mut journal = Journal::new(Portfolio::empty(UserId("bench".into())), date.open(), Cause::job("bench"));
    journal.record(Event::Opened { lot_method: rules.lot_method });
    journal.record(Event::Deposited { amount: rules.initial_cash });
    let (portfolio, entries, _) = journal.finish();
    (portfolio, entries)
}

/// A session in which every stock is bought, or sold again, by an order placed half an hour before.
fn trade(portfolio: Portfolio, date: TradingDate, rules: &TradingRules, entries: &mut Vec<Entry>) -> Portfolio {
    let price: Price = "100".parse().expect("a price");
    let before = date.open().saturating_sub(jiff::SignedDuration::from_mins(30)).expect("an instant");
    let stock = StockView { sector: None, is_active: true, last_price: price, priced_at: before, liquidity: liquidity() };
    let market = MarketView { stocks: symbols().into_iter().map(|symbol| (symbol, stock.clone())).collect() };
    let mut journal = Journal::new(portfolio, before, Cause::job("bench"));
    for symbol in symbols() {
        let held = journal.portfolio().held(&symbol);
        let (side, quantity) = if held.is_zero() { (Side::Buy, Quantity::shares(10)) } else { (Side::Sell, held) };
        order_entry::place(&mut journal, OrderRequest::market(symbol, side, quantity), domain::order::Origin::User, &market, rules)
            .expect("the order is small");
    }
    let (portfolio, placed, _) = journal.finish();
    let tapes: BTreeMap<Symbol, DayTape> = symbols().into_iter().map(|symbol| (symbol, tape(date, price))).collect();
    let mut journal = Journal::new(portfolio, date.close(), Cause::job("bench"));
    session::run(&mut journal, date, &tapes, true, rules);
    let (portfolio, filled, _) = journal.finish();
    entries.extend(placed);
    entries.extend(filled);
    portfolio
}

/// A ledger of 100,000 entries: orders, fills and valuations.
static LEDGER: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let rules = rules();
    let (mut portfolio, mut entries) = opened(&rules);
    let mut date = TradingDate::on_or_after(jiff::civil::date(2018, 1, 3));
    while entries.len() < ENTRIES {
        portfolio = trade(portfolio, date, &rules, &mut entries);
        // The calendar is long, but not that long: after some years the same days come again.
        date = if date.date().year() < 2024 { date.next() } else { TradingDate::on_or_after(jiff::civil::date(2018, 1, 3)) };
    }
    entries.truncate(ENTRIES);
    entries
});

/// Order entry with its checks, matching, slippage, fees, lots, hashes, the fold: all of it, counted by fills.
#[divan::bench]
fn fills(bencher: Bencher) {
    let rules = rules();
    let date = TradingDate::on_or_after(jiff::civil::date(2022, 3, 7));
    bencher
        .counter(ItemsCount::new(ORDERS))
        .with_inputs(|| opened(&rules).0)
        .bench_values(|portfolio| trade(portfolio, date, &rules, &mut Vec::new()));
}

/// Verifying the chain and folding every entry, counted by entries.
#[divan::bench(sample_count = 10)]
fn rebuild(bencher: Bencher) {
    let entries = &*LEDGER;
    bencher
        .counter(ItemsCount::new(entries.len()))
        .bench(|| Portfolio::rebuild(UserId("bench".into()), divan::black_box(entries)).expect("the ledger is whole"));
}
