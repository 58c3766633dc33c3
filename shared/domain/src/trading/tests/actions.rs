//! Corporate actions as a specification: what was held and ordered, what became known when, what the ledger then says.
//!
//! The numbers are worked out by hand beside each expectation. Nothing costs anything unless a line says so.

use jiff::civil::{Date, date};
use rust_decimal::Decimal;

use super::*;
use crate::lots::LotMethod;
use crate::trading::{corporate_actions::Statement, event::Restated, position::Position, restatement::restate};

/// What happened between the ex-date and the day on which it became known.
type Since = Box<dyn FnOnce(&mut Desk)>;

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

/// 100 shares bought at 100 on Monday 2022-03-07. On Tuesday the stock trades at a quarter, and nobody knows why before Thursday.
fn unaware(act: impl FnOnce(&mut Desk)) -> Desk {
    let mut desk = holding(None, None);
    desk.day(&[("AAPL", tape(day(3, 7), ["100", "100", "100", "100"]))]);
    act(&mut desk);
    desk.learn(evening(day(3, 10)), &stated("AAPL", day(3, 8), "100", vec![split(dec!(4))]));
    assert!(desk.count("split") <= 1);
    desk.check_ledger();
    desk
}

#[test]
fn a_split_that_comes_late_multiplies_what_was_there_and_leaves_later_fills_alone() {
    let quiet = |desk: &mut Desk| desk.day(&[("AAPL", tape(day(3, 8), ["25", "25", "25", "25"]))]);
    // What happened since the ex-date at 25 a share; what is then held, what it cost, what the sales realised.
    let table: Vec<(&str, Since, u32, i64, i64)> = vec![
        ("nothing", Box::new(quiet), 400, 10_000, 0),
        // 400 − 50: they cost 25 each, and brought it.
        ("half sold", Box::new(|desk| desk.sold("AAPL", day(3, 8), 50, "25")), 350, 8_750, 0),
        // 100 of 400 sold: the position is there again.
        ("all sold, it seemed", Box::new(|desk| desk.sold("AAPL", day(3, 8), 100, "25")), 300, 7_500, 0),
        // 40 bought at 25 stay 40.
        (
            "some bought",
            Box::new(|desk| {
                desk.accept(before_open(day(3, 8)), buy(40));
                desk.day(&[("AAPL", tape(day(3, 8), ["25", "25", "25", "25"]))]);
            }),
            440,
            11_000,
            0,
        ),
        // 30 of 400 sold at 30: 30 × 5 won.
        ("sold higher", Box::new(|desk| desk.sold("AAPL", day(3, 9), 30, "30")), 370, 9_250, 150),
    ];
    for (name, since, held, cost, realized) in table {
        let desk = unaware(since);
        assert_eq!((desk.held(), desk.position("AAPL").cost()), (Quantity::shares(held), Money::dollars(cost)), "{name}");
        assert_eq!(desk.portfolio.totals.realized_pnl, Money::dollars(realized), "{name}");
        // No cent came or went: bought for 10,000, and all is worth that at 25, besides what was won.
        assert_eq!(desk.equity("AAPL", "25"), Money::dollars(100_000 + realized), "{name}");
        let entry = desk.entries.iter().find(|entry| entry.event.name() == "split").unwrap();
        let Event::Split { ex_date, restated: Some(Restated { .. }), .. } = &entry.event else { panic!("{name}: it does not say so") };
        assert_eq!((*ex_date, entry.at), (date(2022, 3, 8), evening(day(3, 10))), "{name}");
    }
}

#[test]
fn a_late_split_moves_the_orders_and_levels_from_before_it_only() {
    let gtc = |limit: &str| OrderRequest {
        order_type: OrderType::Limit { limit_price: price(limit) },
        time_in_force: TimeInForce::Gtc,
        ..buy(10)
    };
    let mut old = None;
    let desk = unaware(|desk| {
        let levels = Event::LevelsSet { symbol: symbol(), target_price: Some(price("200")), stop_loss: Some(price("20")), notes: None };
        desk.at(evening(day(3, 7)), |journal, _| journal.record(levels));
        old = Some(desk.accept(evening(day(3, 7)), gtc("10")).id);
        desk.day(&[("AAPL", tape(day(3, 8), ["25", "25", "25", "25"]))]);
        desk.accept(evening(day(3, 8)), gtc("20"));
    });
    let exits = &desk.position("AAPL").exits;
    assert_eq!((exits.target_price, exits.stop_loss), (Some(price("50")), Some(price("5"))));
    let limits: Vec<_> =
        desk.portfolio.orders.iter().map(|order| (order.remaining().unwrap(), order.request.order_type.limit_price().unwrap())).collect();
    assert_eq!(limits, [(Quantity::shares(40), price("2.50")), (Quantity::shares(10), price("20"))]);
    assert_eq!(desk.portfolio.orders[0].id, old.unwrap());
}

#[test]
fn a_late_reverse_split_takes_back_what_was_sold_and_never_there() {
    // 100 at 100 became 50 at 200; 60 were sold at 200, of which 10 never were: 2,000 go back.
    let mut desk = holding(None, None);
    desk.sold("AAPL", day(3, 8), 60, "200");
    desk.learn(evening(day(3, 10)), &stated("AAPL", day(3, 8), "100", vec![split(dec!(0.5))]));
    assert_eq!((desk.held(), desk.portfolio.cash), (Quantity::ZERO, Money::dollars(100_000)));
    assert_eq!(desk.portfolio.totals.realized_pnl, Money::ZERO);
    desk.check_ledger();
}

#[test]
fn a_late_split_corrects_the_dividends_after_it() {
    // 0.25 on 100 shares were booked, it was 0.25 on 400.
    let desk = unaware(|desk| desk.day(&[("AAPL", bar(day(3, 9), "25", ["25", "25", "25", "25"], vec![dividend(dec!(0.25), None)]))]));
    assert_eq!((desk.portfolio.totals.dividends, desk.portfolio.cash), (Money::dollars(100), Money::dollars(90_100)));
    assert_eq!(desk.count("dividend_adjusted"), 1);
}

#[test]
fn a_ratio_that_is_corrected_counts_from_the_ex_date() {
    let mut desk = holding(None, None);
    desk.day(&[("AAPL", bar(day(3, 8), "100", ["20", "20", "20", "20"], vec![split(dec!(4))]))]);
    desk.learn(evening(day(3, 10)), &stated("AAPL", day(3, 8), "100", vec![split(dec!(5))]));
    assert_eq!((desk.held(), desk.position("AAPL").cost()), (Quantity::shares(500), Money::dollars(10_000)));
    desk.check_ledger();
}

#[test]
fn a_dividend_that_comes_late_belongs_to_who_held_at_the_open_of_the_ex_date() {
    // 100 held at the open of 2022-03-08; what happened around it, and how many shares earn 0.50 each.
    let flat = |date| ("AAPL", tape(date, ["100", "100", "100", "100"]));
    let table: Vec<(&str, Since, i64)> = vec![
        ("held until today", Box::new(move |desk| desk.day(&[flat(day(3, 8))])), 100),
        (
            "half sold on the day before",
            Box::new(move |desk| {
                desk.accept(midday(day(3, 7)), sell(50));
                desk.day(&[flat(day(3, 7))]);
                desk.day(&[flat(day(3, 8))]);
            }),
            50,
        ),
        ("all sold on the ex-date", Box::new(|desk| desk.sold("AAPL", day(3, 8), 100, "100")), 100),
        (
            "sold and bought back",
            Box::new(move |desk| {
                desk.sold("AAPL", day(3, 8), 100, "100");
                desk.accept(before_open(day(3, 9)), buy(70));
                desk.day(&[flat(day(3, 9))]);
            }),
            100,
        ),
        (
            "more bought on the ex-date",
            Box::new(move |desk| {
                desk.accept(before_open(day(3, 8)), buy(30));
                desk.day(&[flat(day(3, 8))]);
            }),
            100,
        ),
    ];
    for (name, since, shares) in table {
        let mut desk = holding(None, None);
        since(&mut desk);
        let cash = desk.portfolio.cash;
        desk.learn(evening(day(3, 10)), &stated("AAPL", day(3, 8), "100", vec![dividend(dec!(0.5), Some(date(2022, 3, 9)))]));
        assert_eq!(desk.portfolio.totals.dividends, Money::cents(50 * shares), "{name}");
        assert_eq!(desk.portfolio.cash - cash, Money::cents(50 * shares), "{name}: the pay date has passed");
        let earned = desk.entries.iter().find_map(|entry| match &entry.event {
            Event::DividendEarned { restated, ex_date, .. } => Some((*restated, *ex_date, entry.at)),
            _ => None,
        });
        assert_eq!(earned, Some((true, date(2022, 3, 8), evening(day(3, 10)))), "{name}");
        desk.check_ledger();
    }
}

#[test]
fn a_corrected_dividend_books_the_difference() {
    let paid_later = Some(date(2022, 3, 20));
    // What was applied and what is right, on 100 shares; the adjustment, and what is then still to be paid.
    for (name, first, right, difference, receivable) in [
        ("more, already paid", vec![dividend(dec!(0.50), None)], vec![dividend(dec!(0.52), None)], Some(200), 0),
        ("less, already paid", vec![dividend(dec!(0.50), None)], vec![dividend(dec!(0.40), None)], Some(-1_000), 0),
        ("more, still to be paid", vec![dividend(dec!(0.50), paid_later)], vec![dividend(dec!(0.52), paid_later)], Some(200), 5_200),
        (
            "a special one besides",
            vec![dividend(dec!(0.50), None)],
            vec![dividend(dec!(0.50), None), dividend(dec!(2), paid_later)],
            Some(20_000),
            20_000,
        ),
        ("a later pay date", vec![dividend(dec!(0.50), paid_later)], vec![dividend(dec!(0.50), Some(date(2022, 3, 25)))], Some(0), 5_000),
        ("the same, without a pay date", vec![dividend(dec!(0.50), paid_later)], vec![dividend(dec!(0.50), None)], None, 5_000),
    ] {
        let mut desk = holding(None, None);
        desk.day(&[("AAPL", bar(day(3, 8), "100", ["100", "100", "100", "100"], first))]);
        desk.learn(evening(day(3, 10)), &stated("AAPL", day(3, 8), "100", right));
        let adjusted = desk.entries.iter().find_map(|entry| match &entry.event {
            Event::DividendAdjusted { amount, .. } => Some(*amount),
            _ => None,
        });
        assert_eq!(adjusted, difference.map(Money::cents), "{name}");
        assert_eq!(desk.portfolio.totals.dividends, Money::cents(5_000 + difference.unwrap_or(0)), "{name}");
        assert_eq!(desk.portfolio.receivable(), Money::cents(receivable), "{name}");
        assert_eq!(desk.portfolio.cash + desk.portfolio.receivable(), Money::cents(9_000_000 + 5_000 + difference.unwrap_or(0)), "{name}");
        desk.check_ledger();
    }
}

#[test]
fn a_late_spin_off_corrects_what_was_realised_since() {
    // A fifth of the value went: 100 × 20 in cash, the cost is 80 a share. 40 sold at 80 lost 20 each, and did not.
    let mut desk = holding(None, None);
    desk.sold("AAPL", day(3, 8), 40, "80");
    assert_eq!(desk.portfolio.totals.realized_pnl, Money::dollars(-800));
    desk.learn(evening(day(3, 10)), &stated("AAPL", day(3, 8), "100", vec![ActionKind::SpinOff { ratio: dec!(1.25) }]));
    assert_eq!((desk.portfolio.totals.realized_pnl, desk.position("AAPL").cost()), (Money::ZERO, Money::dollars(4_800)));
    assert_eq!(desk.equity("AAPL", "80"), Money::dollars(100_000));
    desk.check_ledger();
}

#[test]
fn what_comes_late_and_concerns_nobody_needs_no_ledger() {
    let mut desk = holding(None, None);
    desk.day(&[("AAPL", tape(day(3, 7), ["100", "100", "100", "100"]))]);
    let late = |symbol: &str, session| stated(symbol, session, "100", vec![dividend(dec!(1), None)]);
    for (name, statement, expected) in [
        ("another stock", late("MSFT", day(3, 7)), Concern::Nothing),
        ("bought at the open of the ex-date", late("AAPL", day(3, 7)), Concern::Nothing),
        ("the session to come", late("AAPL", day(3, 8)), Concern::Present),
    ] {
        assert_eq!(desk.portfolio.concern(&statement), expected, "{name}");
    }
    desk.sold("AAPL", day(3, 8), 100, "100");
    assert_eq!(desk.portfolio.concern(&late("AAPL", day(3, 8))), Concern::Ledger, "sold on the ex-date");
    assert_eq!(desk.portfolio.concern(&late("AAPL", day(3, 9))), Concern::Nothing, "sold before it");
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
