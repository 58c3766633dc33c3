//! Corporate actions as a specification: what was held and ordered, what became known when, what the ledger then says.
//!
//! The numbers are worked out by hand beside each expectation. Nothing costs anything unless a line says so.

use jiff::civil::{Date, date};
use rust_decimal::Decimal;

mod late;

use super::*;
use crate::lots::LotMethod;
use crate::trading::{corporate_actions::Statement, event::Restated, position::Position, restatement::restate};

fn on(day: Date) -> TradingDate {
    TradingDate::new(day).unwrap()
}

fn name(symbol: &str) -> Symbol {
    symbol.parse().unwrap()
}

fn split(ratio: Decimal) -> ActionKind {
    ActionKind::Split { ratio }
}

fn dividend(amount: Decimal, pay_date: Option<Date>) -> ActionKind {
    ActionKind::Dividend { amount, pay_date }
}

/// A session of one stock after a close of `before`.
fn bar(date: TradingDate, before: &str, prices: [&str; 4], actions: Vec<ActionKind>) -> DayTape {
    let mut tape = DayTape { actions, ..tape(date, prices) };
    tape.before.previous_close = Some(price(before));
    tape
}

impl Desk {
    fn accept(&mut self, now: Timestamp, request: OrderRequest) -> Order {
        self.at(now, |journal, _| order_entry::accept_exit(journal, request, Origin::User, now))
    }

    /// A whole session of several stocks, run twice, as the job may be.
    fn day(&mut self, tapes: &[(&str, DayTape)]) {
        let date = tapes[0].1.date;
        let tapes: session::Tapes = tapes.iter().map(|(symbol, tape)| (name(symbol), tape.clone())).collect();
        for _ in 0..2 {
            self.at(date.close(), |journal, rules| session::run(journal, date, &tapes, true, rules));
        }
    }

    /// `shares` bought at the open of `date` for `open` each, worth `close` at its end.
    fn bought(symbol: &str, date: TradingDate, shares: u32, [open, close]: [&str; 2]) -> Self {
        let mut desk = Self::new(frictionless());
        desk.accept(before_open(date), OrderRequest::market(name(symbol), Side::Buy, Quantity::shares(shares)));
        let (high, low) = if price(open) > price(close) { (open, close) } else { (close, open) };
        desk.day(&[(symbol, bar(date, open, [open, high, low, close], vec![]))]);
        desk
    }

    fn sold(&mut self, symbol: &str, date: TradingDate, shares: u32, at: &str) {
        self.accept(before_open(date), OrderRequest::market(name(symbol), Side::Sell, Quantity::shares(shares)));
        self.day(&[(symbol, bar(date, at, [at, at, at, at], vec![]))]);
    }

    /// What becomes known at `now`, told twice, as the job may be.
    fn learn(&mut self, now: Timestamp, statement: &Statement) {
        for _ in 0..2 {
            let entries = self.entries.clone();
            self.at(now, |journal, _| restate(journal, &entries, statement).unwrap());
        }
    }

    fn position(&self, symbol: &str) -> &Position {
        &self.portfolio.positions[&name(symbol)]
    }

    fn count(&self, event: &str) -> usize {
        self.entries.iter().filter(|entry| entry.event.name() == event).count()
    }

    fn equity(&self, symbol: &str, at: &str) -> Money {
        self.portfolio.equity(|held| (*held == name(symbol)).then(|| price(at)))
    }
}

fn stated(symbol: &str, session: TradingDate, previous_close: &str, kinds: Vec<ActionKind>) -> Statement {
    Statement { symbol: name(symbol), session, kinds, previous_close: Some(price(previous_close)), open: None }
}

fn evening(date: TradingDate) -> Timestamp {
    date.close().saturating_add(jiff::SignedDuration::from_hours(2)).unwrap()
}

#[test]
fn apple_splits_four_to_one_under_an_open_stop_and_an_open_limit() {
    // 2020-08-28 closed at 499.23, 2020-08-31 opened at 127.58 and closed at 129.04.
    let mut desk = Desk::bought("AAPL", on(date(2020, 8, 28)), 15, ["504.05", "499.23"]);
    let gtc = |side, shares, order_type| OrderRequest {
        order_type,
        time_in_force: TimeInForce::Gtc,
        ..OrderRequest::market(name("AAPL"), side, Quantity::shares(shares))
    };
    let evening = evening(on(date(2020, 8, 28)));
    desk.accept(evening, gtc(Side::Sell, 10, OrderType::Stop { stop_price: price("480") }));
    desk.accept(evening, gtc(Side::Buy, 4, OrderType::Limit { limit_price: price("440.02") }));
    let before = desk.portfolio.last_valuation.unwrap().equity;
    desk.day(&[("AAPL", bar(on(date(2020, 8, 31)), "499.23", ["127.58", "131", "126", "129.04"], vec![split(dec!(4))]))]);

    // 15 × 4 shares for the same 15 × 504.05; 10 at 480 are 40 at 120; 4 at 440.02 are 16 at 110.005.
    assert_eq!((desk.held(), desk.position("AAPL").cost()), (Quantity::shares(60), Money::cents(756_075)));
    let orders: Vec<_> = desk.portfolio.orders.iter().map(|order| (order.remaining().unwrap(), order.request.order_type)).collect();
    assert_eq!(
        orders,
        [
            (Quantity::shares(40), OrderType::Stop { stop_price: price("120") }),
            (Quantity::shares(16), OrderType::Limit { limit_price: price("110.005") }),
        ]
    );
    // 60 × 129.04 − 15 × 499.23 = 7,742.40 − 7,488.45.
    let after = desk.portfolio.last_valuation.unwrap();
    assert_eq!(after.equity - before, Money::cents(25_395));
    assert_eq!(desk.portfolio.day_pnl(after.equity, date(2020, 8, 31)), (Money::cents(25_395), before));
    assert_eq!(desk.count("split"), 1);
    desk.check_ledger();
}

#[test]
fn amazon_splits_twenty_to_one_and_the_day_moves_by_the_price_alone() {
    // 2022-06-03 closed at 2,447.00, 2022-06-06 closed at 124.79: 60 × 124.79 − 3 × 2,447 = 7,487.40 − 7,341.
    let mut desk = Desk::bought("AMZN", on(date(2022, 6, 3)), 3, ["2464", "2447"]);
    desk.day(&[("AMZN", bar(on(date(2022, 6, 6)), "2447", ["125.25", "128.99", "123.81", "124.79"], vec![split(dec!(20))]))]);
    let close = desk.portfolio.last_valuation.unwrap();
    assert_eq!(desk.portfolio.day_pnl(close.equity, close.date).0, Money::cents(14_640));
    assert_eq!((desk.position("AMZN").quantity(), desk.position("AMZN").average_cost()), (Quantity::shares(60), Some(dec!(123.2))));
    desk.check_ledger();
}

#[test]
fn general_electric_splits_one_for_eight_and_pays_the_fraction() {
    // 101 shares are 12.625; the price before was 12.95, so that a new share was worth 103.60 and 0.625 of one 64.75.
    // They cost 101 × 13 = 1,313, of which 0.625 / 12.625 = 65.00 leave: 0.25 is lost.
    let mut desk = Desk::bought("GE", on(date(2021, 7, 30)), 101, ["13", "12.95"]);
    let cash = desk.portfolio.cash;
    desk.day(&[("GE", bar(on(date(2021, 8, 2)), "12.95", ["104.93", "105.50", "102", "104"], vec![split(dec!(0.125))]))]);
    assert_eq!((desk.position("GE").quantity(), desk.portfolio.cash - cash), (Quantity::shares(12), Money::cents(6_475)));
    assert_eq!((desk.position("GE").cost(), desk.portfolio.totals.realized_pnl), (Money::dollars(1_248), Money::cents(-25)));
    // 12 × 104 + 64.75 − 101 × 12.95.
    let close = desk.portfolio.last_valuation.unwrap();
    assert_eq!(desk.portfolio.day_pnl(close.equity, close.date).0, Money::cents(124_800 + 6_475 - 130_795));
    desk.check_ledger();
}

#[test]
fn a_regular_and_a_special_dividend_share_an_ex_date() {
    let mut desk = holding(None, None);
    desk.day(&[("AAPL", bar(day(3, 8), "100", ["100", "100", "100", "100"], vec![dividend(dec!(0.23), None), dividend(dec!(5), None)]))]);
    assert_eq!((desk.portfolio.totals.dividends, desk.count("dividend_earned")), (Money::dollars(523), 2));
    desk.check_ledger();
}

#[test]
fn an_ex_date_takes_from_the_price_what_it_gives_in_cash() {
    // The price falls by the dividend: nothing is won or lost on the day, paid or not.
    let mut desk = holding(None, None);
    desk.day(&[("AAPL", tape(day(3, 7), ["100", "100", "100", "100"]))]);
    desk.day(&[("AAPL", bar(day(3, 8), "100", ["98", "98", "98", "98"], vec![dividend(dec!(2), Some(date(2022, 3, 20)))]))]);
    let close = desk.portfolio.last_valuation.unwrap();
    assert_eq!(desk.portfolio.day_pnl(close.equity, close.date).0, Money::ZERO);
}

#[test]
fn who_sells_on_the_ex_date_keeps_the_dividend() {
    let mut desk = holding(None, None);
    desk.accept(before_open(day(3, 8)), sell(100));
    desk.day(&[("AAPL", bar(day(3, 8), "100", ["100", "100", "100", "100"], vec![dividend(dec!(0.23), None)]))]);
    assert_eq!((desk.held(), desk.portfolio.cash), (Quantity::ZERO, Money::cents(10_002_300)));
    desk.check_ledger();
}

#[test]
fn a_spin_off_without_a_price_before_it_is_worth_what_the_open_says_or_its_part_of_the_cost() {
    for (name, open, received, realized) in [
        // Opened at 84 after a factor of 1.25: it was 105 before, and 21 a share were given away for a cost of 20.
        ("an open", Some("84"), 2_100, 100),
        ("no price at all", None, 2_000, 0),
    ] {
        let mut desk = holding(None, None);
        let mut tape = bar(day(3, 8), "100", ["84", "84", "84", "84"], vec![ActionKind::SpinOff { ratio: dec!(1.25) }]);
        (tape.before.previous_close, tape.open) = (None, open.map(price));
        desk.day(&[("AAPL", tape)]);
        assert_eq!(desk.portfolio.cash, Money::dollars(90_000 + received), "{name}");
        assert_eq!(
            (desk.portfolio.totals.realized_pnl, desk.position("AAPL").cost()),
            (Money::dollars(realized), Money::dollars(8_000)),
            "{name}"
        );
        desk.check_ledger();
    }
}

#[test]
fn all_that_there_is_of_a_stock_follows_its_new_symbol() {
    // Facebook became Meta on 2022-06-09.
    let mut desk = Desk::bought("FB", on(date(2022, 6, 7)), 10, ["190", "195"]);
    let levels = Event::LevelsSet { symbol: name("FB"), target_price: Some(price("210")), stop_loss: Some(price("180")), notes: None };
    desk.at(evening(on(date(2022, 6, 7))), |journal, _| journal.record(levels));
    let bracket = OrderRequest {
        order_type: OrderType::Limit { limit_price: price("150") },
        time_in_force: TimeInForce::Gtc,
        take_profit: Some(price("200")),
        stop_loss: Some(price("140")),
        ..OrderRequest::market(name("FB"), Side::Buy, Quantity::shares(5))
    };
    desk.accept(evening(on(date(2022, 6, 7))), bracket);
    desk.day(&[("FB", bar(on(date(2022, 6, 8)), "195", ["196", "197", "195", "196"], vec![dividend(dec!(1), Some(date(2022, 6, 30)))]))]);
    let id = desk.position("FB").id.clone();

    let gone = DayTape { open: None, rest: None, ..bar(on(date(2022, 6, 9)), "196", ["1", "1", "1", "1"], vec![]) };
    let changed = DayTape { actions: vec![ActionKind::SymbolChange { to: name("META") }], ..gone };
    desk.day(&[("FB", changed), ("META", bar(on(date(2022, 6, 9)), "196", ["194", "195", "179", "184"], vec![]))]);
    // The stop at 180 acts on the new symbol's range; the target and the order stay apart from it.
    assert_eq!(desk.last_fill().map(|fill| (fill.symbol.clone(), fill.price)), Some((name("META"), price("180"))));
    assert_eq!((desk.portfolio.held(&name("FB")), desk.portfolio.held(&name("META"))), (Quantity::ZERO, Quantity::ZERO));
    assert_eq!(desk.portfolio.totals.realized_pnl, Money::dollars(-100));
    assert_eq!(desk.portfolio.orders[0].request.symbol, name("META"));
    assert_eq!(
        (&desk.portfolio.receivables[0].symbol, desk.portfolio.stopped_out.get(&name("META"))),
        (&name("META"), Some(&date(2022, 6, 9)))
    );
    assert_eq!(desk.count("symbol_changed"), 1);
    assert!(id.starts_with("FB-"), "the position keeps its id");
    desk.check_ledger();
}

#[test]
fn a_delisting_closes_the_position_and_cancels_the_orders() {
    for (name, value, proceeds) in
        [("the last close counts", None, 9_800), ("a known value", Some(dec!(12.34)), 1_234), ("nothing is left", Some(dec!(0)), 0)]
    {
        let mut desk = holding(Some("150"), None);
        desk.rules.fees = FeeSchedule::TENTH_OF_A_PERCENT;
        desk.accept(
            evening(day(3, 7)),
            OrderRequest { time_in_force: TimeInForce::Gtc, order_type: OrderType::Limit { limit_price: price("90") }, ..buy(10) },
        );
        let end = DayTape { open: None, rest: None, ..bar(day(3, 8), "98", ["1", "1", "1", "1"], vec![ActionKind::Delisting { value }]) };
        desk.day(&[("AAPL", end)]);
        assert_eq!((desk.held(), desk.portfolio.orders.len()), (Quantity::ZERO, 0), "{name}");
        assert_eq!(desk.portfolio.cash, Money::dollars(90_000 + proceeds), "{name}: no fees, no slippage");
        assert_eq!(desk.portfolio.totals.realized_pnl, Money::dollars(proceeds - 10_000), "{name}");
        assert_eq!(desk.last_closed().unwrap().1, "delisted: AAPL no longer trades from 2022-03-08 on");
        assert_eq!(desk.count("delisted"), 1, "{name}");
        let (_, changes) = Portfolio::rebuild(UserId("u1".into()), &desk.entries).unwrap();
        assert_eq!(changes.closed_positions[0].delisted_on, Some(date(2022, 3, 8)), "{name}");
        assert_eq!(changes.trades.iter().any(|trade| trade.fill.basis == PriceBasis::Delisting), proceeds > 0, "{name}");
        desk.check_ledger();
    }
}

#[test]
fn a_delisted_stock_takes_no_orders() {
    let mut desk = Desk::new(frictionless());
    let now = before_open(day(3, 8));
    let stock = StockView {
        sector: None,
        is_active: false,
        last_price: price("100"),
        priced_at: now,
        liquidity: Liquidity { average_daily_volume: dec!(1_000_000), daily_volatility: dec!(0.02) },
    };
    let market = MarketView { stocks: [(symbol(), stock)].into() };
    let refused = desk.at(now, |journal, rules| order_entry::place(journal, buy(1), Origin::User, &market, rules)).unwrap_err();
    assert_eq!(refused.name(), "inactive-stock");
}

/// Bought 100 at 10, 100 at 30 and 100 at 20, then sold 150 at 40 for 6,000.
#[test]
fn the_method_of_the_rules_decides_which_lots_a_sale_closes() {
    for (method, realized, left) in [
        // 100 × 10 + 50 × 30 = 2,500; 50 × 30 and 100 × 20 stay.
        (LotMethod::Fifo, 3_500, 3_500),
        // 100 × 20 + 50 × 30 = 3,500; 100 × 10 and 50 × 30 stay.
        (LotMethod::Lifo, 2_500, 2_500),
        // 100 × 30 + 50 × 20 = 4,000; 100 × 10 and 50 × 20 stay.
        (LotMethod::HighestCost, 2_000, 2_000),
    ] {
        let mut desk = Desk::new(TradingRules { lot_method: method, ..frictionless() });
        for (date, at) in [(day(3, 7), "10"), (day(3, 8), "30"), (day(3, 9), "20")] {
            desk.accept(before_open(date), buy(100));
            desk.day(&[("AAPL", tape(date, [at, at, at, at]))]);
        }
        // Rules that change later do not change what this portfolio's sales mean.
        desk.rules.lot_method = LotMethod::default();
        desk.sold("AAPL", day(3, 10), 150, "40");
        assert_eq!(desk.portfolio.totals.realized_pnl, Money::dollars(realized), "{method:?}");
        assert_eq!(desk.position("AAPL").cost(), Money::dollars(left), "{method:?}");
        assert_eq!(desk.entries[0].event, Event::Opened { lot_method: method });
        desk.check_ledger();
    }
}
