//! The engine's behaviour, one scenario a test: what is on the tape, what was ordered, what the ledger then says.

mod actions;
mod limits;
mod scenarios;

use jiff::civil::date;
use rust_decimal::Decimal;
use rust_decimal::dec;

use super::*;
use crate::{
    ActionKind, Money, Price, Quantity, Symbol, Timestamp, TradingDate, UserId,
    execution::{FeeSchedule, Liquidity, RiskLimits, Side, SlippageModel},
    order::{Order, OrderChange, OrderRequest, OrderSize, OrderState, OrderType, Origin, TimeInForce},
};

/// No costs and no limits unless a test is about them, so that its numbers can be worked out in the head.
fn frictionless() -> TradingRules {
    TradingRules {
        fees: FeeSchedule::Percentage { rate: Decimal::ZERO },
        slippage: SlippageModel::FixedBps { bps: Decimal::ZERO },
        limits: RiskLimits {
            position_weight: Decimal::ONE,
            sector_weight: Decimal::ONE,
            daily_loss: Decimal::ONE,
            drawdown_halt: Decimal::ONE,
            ..RiskLimits::default()
        },
        ..TradingRules::default()
    }
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn day(month: i8, day: i8) -> TradingDate {
    TradingDate::new(date(2022, month, day)).unwrap()
}

fn symbol() -> Symbol {
    "AAPL".parse().unwrap()
}

/// A whole session: open, high, low, close. A million shares a day trade.
fn tape(date: TradingDate, [open, high, low, close]: [&str; 4]) -> DayTape {
    DayTape {
        date,
        actions: vec![],
        open: Some(price(open)),
        rest: Some(SessionRest { high: price(high), low: price(low), close: price(close) }),
        quote: None,
        before: Background {
            previous_close: Some(price("100")),
            liquidity: Liquidity { average_daily_volume: dec!(1_000_000), daily_volatility: dec!(0.02) },
        },
    }
}

struct Desk {
    portfolio: Portfolio,
    entries: Vec<Entry>,
    rules: TradingRules,
}

impl Desk {
    /// 100,000 dollars on the morning of Monday 2022-03-07.
    fn new(rules: TradingRules) -> Self {
        let mut desk = Self { portfolio: Portfolio::empty(UserId("u1".into())), entries: vec![], rules };
        desk.at(day(3, 7).open().saturating_sub(jiff::SignedDuration::from_hours(1)).unwrap(), |journal, rules| {
            journal.record(Event::Opened { lot_method: rules.lot_method });
            journal.record(Event::Deposited { amount: rules.initial_cash });
        });
        desk
    }

    fn at<T>(&mut self, now: Timestamp, act: impl FnOnce(&mut Journal, &TradingRules) -> T) -> T {
        let mut journal = Journal::new(self.portfolio.clone(), now, Cause::job("test"));
        let result = act(&mut journal, &self.rules);
        let (portfolio, entries, _) = journal.finish();
        self.portfolio = portfolio;
        self.entries.extend(entries);
        result
    }

    /// What order entry knows: a liquid stock that last traded at `last`, just now.
    fn market(now: Timestamp, last: &str) -> MarketView {
        let stock = StockView {
            sector: None,
            is_active: true,
            last_price: price(last),
            priced_at: now,
            liquidity: Liquidity { average_daily_volume: dec!(1_000_000), daily_volatility: dec!(0.02) },
        };
        MarketView { stocks: [(symbol(), stock)].into() }
    }

    fn order(&mut self, now: Timestamp, request: OrderRequest) -> Result<Order, OrderRefusal> {
        self.order_at("100", now, request)
    }

    fn order_at(&mut self, last: &str, now: Timestamp, request: OrderRequest) -> Result<Order, OrderRefusal> {
        let market = Self::market(now, last);
        self.at(now, |journal, rules| order_entry::place(journal, request, Origin::User, &market, rules))
    }

    fn session(&mut self, tape: DayTape) {
        let (date, is_over) = (tape.date, tape.rest.is_some());
        let now = if is_over { date.close() } else { date.open() };
        self.at(now, |journal, rules| session::run(journal, date, &[(symbol(), tape)].into(), is_over, rules));
    }

    fn last_fill(&self) -> Option<&Fill> {
        self.entries.iter().rev().find_map(|entry| if let Event::Filled { fill } = &entry.event { Some(fill) } else { None })
    }

    fn last_closed(&self) -> Option<(OrderState, &str)> {
        self.entries.iter().rev().find_map(|entry| match &entry.event {
            Event::OrderClosed { state, reason, .. } => Some((*state, reason.as_str())),
            _ => None,
        })
    }

    fn held(&self) -> Quantity {
        self.portfolio.held(&symbol())
    }

    /// Every scenario ends here: the ledger alone gives the same state.
    fn check_ledger(&self) {
        let (rebuilt, _) = Portfolio::rebuild(UserId("u1".into()), &self.entries).unwrap();
        assert_eq!(rebuilt, self.portfolio);
    }
}

fn buy(shares: u32) -> OrderRequest {
    OrderRequest::market(symbol(), Side::Buy, Quantity::shares(shares))
}

fn sell(shares: u32) -> OrderRequest {
    OrderRequest::market(symbol(), Side::Sell, Quantity::shares(shares))
}

fn before_open(date: TradingDate) -> Timestamp {
    date.open().saturating_sub(jiff::SignedDuration::from_mins(30)).unwrap()
}

fn midday(date: TradingDate) -> Timestamp {
    date.open().saturating_add(jiff::SignedDuration::from_hours(2)).unwrap()
}

/// A desk that bought 100 shares at 100 on 2022-03-07, at the open, with the given exits.
fn holding(target: Option<&str>, stop: Option<&str>) -> Desk {
    let mut desk = Desk::new(frictionless());
    desk.order(before_open(day(3, 7)), OrderRequest { take_profit: target.map(price), stop_loss: stop.map(price), ..buy(100) }).unwrap();
    desk.session(DayTape { rest: None, ..tape(day(3, 7), ["100", "100", "100", "100"]) });
    assert_eq!(desk.held(), Quantity::shares(100));
    desk
}

#[test]
fn a_market_order_fills_at_the_first_price_after_it() {
    for (placed, filled_at, expected) in [
        (before_open(day(3, 7)), day(3, 7).open(), "101"),
        (midday(day(3, 7)), day(3, 7).close(), "104"),
        // At the instant of the open it is too late for the auction.
        (day(3, 7).open(), day(3, 7).close(), "104"),
    ] {
        let mut desk = Desk::new(frictionless());
        desk.order(placed, buy(10)).unwrap();
        desk.session(tape(day(3, 7), ["101", "105", "99", "104"]));
        let fill = desk.last_fill().unwrap();
        assert_eq!((fill.executed_at, fill.price), (filled_at, price(expected)), "placed {placed}");
        assert_eq!(desk.portfolio.cash, Money::dollars(100_000) - price(expected).times(Quantity::shares(10)));
        desk.check_ledger();
    }
}

#[test]
fn positions_close_at_their_stop_or_target() {
    for (name, bar, origin, expected) in [
        ("stop within the range", ["100", "104", "94", "103"], Some(Origin::StopLoss), "95"),
        ("stop gapped over", ["93", "104", "92", "103"], Some(Origin::StopLoss), "93"),
        ("target within the range", ["100", "111", "96", "103"], Some(Origin::TakeProfit), "110"),
        ("target gapped over", ["112", "113", "96", "103"], Some(Origin::TakeProfit), "112"),
        ("both touched: the stop first", ["100", "111", "94", "103"], Some(Origin::StopLoss), "95"),
        ("neither", ["100", "109", "96", "103"], None, ""),
    ] {
        let mut desk = holding(Some("110"), Some("95"));
        desk.session(tape(day(3, 8), bar));
        match origin {
            None => assert_eq!(desk.held(), Quantity::shares(100), "{name}"),
            Some(origin) => {
                assert_eq!((desk.held(), desk.last_fill().unwrap().price), (Quantity::ZERO, price(expected)), "{name}");
                let pnl = price(expected).times(Quantity::shares(100)) - Money::dollars(10_000);
                assert_eq!(desk.portfolio.totals.realized_pnl, pnl, "{name}");
                assert_eq!(desk.portfolio.stopped_out.contains_key(&symbol()), origin == Origin::StopLoss, "{name}");
            }
        }
        desk.check_ledger();
    }
}

#[test]
fn levels_set_during_a_session_act_on_its_close_but_not_on_what_came_before() {
    let mut desk = holding(None, None);
    let set = Event::LevelsSet { symbol: symbol(), target_price: None, stop_loss: Some(price("97")), notes: None };
    desk.at(midday(day(3, 8)), |journal, _| journal.record(set));
    desk.session(tape(day(3, 8), ["96", "104", "94", "103"]));
    assert_eq!(desk.held(), Quantity::shares(100));
    desk.session(tape(day(3, 9), ["98", "99", "96.50", "97"]));
    assert_eq!(desk.last_fill().unwrap().price, price("97"));
}

#[test]
fn a_position_leaves_on_its_last_day_at_the_close() {
    let mut desk = Desk::new(frictionless());
    desk.order(before_open(day(3, 7)), OrderRequest { exit_on: Some(date(2022, 3, 8)), ..buy(100) }).unwrap();
    desk.session(tape(day(3, 7), ["100", "105", "99", "104"]));
    assert_eq!(desk.held(), Quantity::shares(100));
    desk.session(tape(day(3, 8), ["101", "105", "99", "102"]));
    assert_eq!((desk.held(), desk.last_fill().unwrap().price), (Quantity::ZERO, price("102")));
}

#[test]
fn refusals_have_names() {
    for (request, name) in [
        (buy(0), "nothing-ordered"),
        (sell(1), "exceeds-holding"),
        (buy(1001), "insufficient-cash"),
        (OrderRequest { symbol: "MSFT".parse().unwrap(), ..buy(1) }, "no-price"),
        (OrderRequest { stop_loss: Some(price("101")), ..buy(1) }, "invalid-level"),
        (OrderRequest { take_profit: Some(price("99")), ..buy(1) }, "invalid-level"),
        (OrderRequest { size: OrderSize::Notional(Money::dollars(50)), time_in_force: TimeInForce::Gtc, ..buy(1) }, "fractional-order"),
    ] {
        let mut desk = Desk::new(frictionless());
        assert_eq!(desk.order(before_open(day(3, 7)), request.clone()).unwrap_err().name(), name, "{request:?}");
        assert_eq!(desk.entries.len(), 2, "a refusal leaves no trace");
    }
}

#[test]
fn cash_promised_to_one_order_cannot_be_spent_by_another() {
    let mut desk = Desk::new(frictionless());
    desk.order(before_open(day(3, 7)), buy(600)).unwrap();
    assert_eq!(desk.order(before_open(day(3, 7)), buy(600)).unwrap_err().name(), "insufficient-cash");
}

#[test]
fn a_gap_that_cash_does_not_cover_fills_what_it_covers() {
    let mut desk = Desk::new(frictionless());
    desk.order(before_open(day(3, 7)), buy(1000)).unwrap();
    desk.session(tape(day(3, 7), ["125", "125", "125", "125"]));
    assert_eq!((desk.held(), desk.portfolio.cash), (Quantity::shares(800), Money::ZERO));
    assert_eq!(desk.last_closed().unwrap().0, OrderState::Canceled);
    desk.check_ledger();
}

#[test]
fn a_split_moves_shares_levels_and_orders_to_the_basis_after_it() {
    let mut desk = holding(Some("180"), Some("90"));
    let limit = OrderRequest { order_type: OrderType::Limit { limit_price: price("80") }, time_in_force: TimeInForce::Gtc, ..buy(10) };
    desk.order(before_open(day(3, 8)), limit).unwrap();
    let split_day = DayTape { actions: vec![ActionKind::Split { ratio: dec!(4) }], ..tape(day(3, 8), ["25", "26", "24", "25.50"]) };
    desk.session(split_day.clone());
    let position = &desk.portfolio.positions[&symbol()];
    assert_eq!(position.quantity(), Quantity::shares(400));
    assert_eq!((position.exits.target_price, position.exits.stop_loss), (Some(price("45")), Some(price("22.50"))));
    assert_eq!(position.cost(), Money::dollars(10_000));
    let order = &desk.portfolio.orders[0];
    assert_eq!((order.remaining(), order.request.order_type), (Some(Quantity::shares(40)), OrderType::Limit { limit_price: price("20") }));
    // Once, however often the job runs.
    desk.session(split_day);
    assert_eq!(desk.held(), Quantity::shares(400));
    desk.check_ledger();
}

#[test]
fn a_reverse_split_pays_the_fraction_in_cash() {
    // 100 shares 1:8 are 12.5: half a new share at 8 × 100 = 800 dollars.
    let mut desk = holding(None, None);
    desk.session(DayTape { actions: vec![ActionKind::Split { ratio: dec!(0.125) }], ..tape(day(3, 8), ["800", "810", "790", "800"]) });
    assert_eq!((desk.held(), desk.portfolio.cash), (Quantity::shares(12), Money::dollars(90_400)));
    // Bought for 10,000 / 12.5 = 800 a share, so that the half share sold at cost.
    assert_eq!(desk.portfolio.totals.realized_pnl, Money::ZERO);
    desk.check_ledger();
}

#[test]
fn a_dividend_belongs_to_who_held_before_the_ex_date_and_comes_on_the_pay_date() {
    let ex = |pay_date| DayTape {
        actions: vec![ActionKind::Dividend { amount: dec!(0.23), pay_date }],
        ..tape(day(3, 8), ["100", "101", "99", "100"])
    };
    let mut desk = holding(None, None);
    desk.session(ex(Some(date(2022, 3, 10))));
    assert_eq!((desk.portfolio.cash, desk.portfolio.receivable()), (Money::dollars(90_000), Money::dollars(23)));
    assert_eq!(desk.portfolio.last_valuation.unwrap().equity, Money::dollars(100_023), "earned is earned");
    desk.session(tape(day(3, 10), ["100", "101", "99", "100"]));
    assert_eq!((desk.portfolio.cash, desk.portfolio.receivable()), (Money::dollars(90_023), Money::ZERO));

    let mut late = Desk::new(frictionless());
    late.order(before_open(day(3, 8)), buy(100)).unwrap();
    late.session(ex(None));
    assert_eq!((late.held(), late.portfolio.totals.dividends), (Quantity::shares(100), Money::ZERO), "bought at the open of the ex-date");
    desk.check_ledger();
}

#[test]
fn half_sold_on_the_day_before_earns_half_the_dividend() {
    let mut desk = holding(None, None);
    desk.order(midday(day(3, 7)), sell(50)).unwrap();
    desk.session(tape(day(3, 7), ["100", "100", "100", "100"]));
    desk.session(DayTape {
        actions: vec![ActionKind::Dividend { amount: dec!(0.23), pay_date: None }],
        ..tape(day(3, 8), ["100", "101", "99", "100"])
    });
    assert_eq!(desk.portfolio.totals.dividends, Money::cents(1150));
    desk.check_ledger();
}

#[test]
fn a_spin_off_gives_its_value_in_cash_and_takes_its_part_of_the_cost() {
    // The price falls from 100 to 80: a fifth of the value and of the cost left.
    let mut desk = holding(None, Some("90"));
    desk.session(DayTape { actions: vec![ActionKind::SpinOff { ratio: dec!(1.25) }], ..tape(day(3, 8), ["80", "81", "79", "80"]) });
    let position = &desk.portfolio.positions[&symbol()];
    assert_eq!((desk.portfolio.cash, position.cost()), (Money::dollars(92_000), Money::dollars(8_000)));
    assert_eq!(position.exits.stop_loss, Some(price("72")), "the stop does not fire because of the spin-off");
    assert_eq!(desk.portfolio.totals.realized_pnl, Money::ZERO);
    desk.check_ledger();
}

#[test]
fn noon_and_evening_give_the_same_as_evening_alone() {
    let whole = tape(day(3, 8), ["97", "111", "94", "103"]);
    let run = |noon: bool| {
        let mut desk = holding(Some("110"), Some("95"));
        desk.order(before_open(day(3, 8)), OrderRequest { order_type: OrderType::Limit { limit_price: price("98") }, ..buy(10) }).unwrap();
        if noon {
            desk.session(DayTape { rest: None, ..whole.clone() });
        }
        desk.session(whole.clone());
        desk.session(whole.clone());
        desk.check_ledger();
        (desk.portfolio.cash, desk.held(), desk.portfolio.totals.clone(), desk.portfolio.last_valuation)
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn a_target_is_a_limit_and_a_stop_is_not() {
    // 10 bp of slippage: the stop gives 95 − 0.095, the target holds at 110.
    for (bar, expected) in [(["100", "104", "94", "103"], "94.905"), (["100", "111", "96", "103"], "110")] {
        let mut desk = holding(Some("110"), Some("95"));
        desk.rules.slippage = SlippageModel::FixedBps { bps: dec!(10) };
        desk.session(tape(day(3, 8), bar));
        assert_eq!(desk.last_fill().unwrap().price, price(expected));
    }
}

#[test]
fn a_stock_that_does_not_trade_is_worth_its_last_close() {
    let mut desk = holding(None, Some("95"));
    let mut halted = DayTape { open: None, rest: None, ..tape(day(3, 8), ["1", "1", "1", "1"]) };
    halted.before.previous_close = Some(price("98"));
    desk.at(day(3, 8).close(), |journal, rules| session::run(journal, day(3, 8), &[(symbol(), halted)].into(), true, rules));
    assert_eq!(desk.portfolio.last_valuation.unwrap().equity, Money::dollars(99_800));
    assert_eq!(desk.held(), Quantity::shares(100));
    desk.check_ledger();
}

#[test]
fn a_changed_entry_is_found() {
    let mut desk = holding(None, None);
    if let Event::Deposited { amount } = &mut desk.entries[1].event {
        *amount = Money::dollars(1_000_000);
    }
    assert_eq!(Portfolio::rebuild(UserId("u1".into()), &desk.entries).unwrap_err(), FoldError::BrokenChain(2));
    desk.entries.remove(0);
    assert_eq!(Portfolio::rebuild(UserId("u1".into()), &desk.entries).unwrap_err(), FoldError::Gap { after: 0, found: 2 });
}

#[test]
fn profit_after_costs_is_to_the_cent() {
    // Bought 100 at 100.00 and sold at 110.00 with 5 bp of slippage and 0.1 % commission each way:
    // pays 100 × 100.05 = 10,005.00 + 10.01; gets 100 × 109.945 = 10,994.50 − 10.99.
    let mut desk = Desk::new(TradingRules {
        fees: FeeSchedule::TENTH_OF_A_PERCENT,
        slippage: SlippageModel::FixedBps { bps: dec!(5) },
        ..frictionless()
    });
    desk.order(before_open(day(3, 7)), buy(100)).unwrap();
    desk.session(tape(day(3, 7), ["100", "100", "100", "100"]));
    desk.order(before_open(day(3, 8)), sell(100)).unwrap();
    desk.session(tape(day(3, 8), ["110", "110", "110", "110"]));
    assert_eq!(desk.portfolio.totals.realized_pnl, Money::cents(1_099_450 - 1_099 - 1_000_500 - 1_001));
    assert_eq!(desk.portfolio.cash, Money::dollars(100_000) + desk.portfolio.totals.realized_pnl);
    assert_eq!(desk.portfolio.totals.fees, Money::cents(1_099 + 1_001));
    assert_eq!(desk.portfolio.totals.winning_positions, 1);
    desk.check_ledger();
}
