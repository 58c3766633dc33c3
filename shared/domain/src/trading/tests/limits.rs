//! When limits that stop buying end, and what a preview is worth.

use proptest::prelude::*;

use super::*;

/// A desk whose drawdown halt lasts three sessions, and that has put everything into 1,000 shares at 100 dollars on Monday 2022-03-07.
fn invested(limits: impl FnOnce(&mut RiskLimits)) -> Desk {
    let mut rules = frictionless();
    rules.limits.cooldown_sessions = 0;
    limits(&mut rules.limits);
    let mut desk = Desk::new(rules);
    desk.order(before_open(day(3, 7)), buy(1_000)).unwrap();
    desk.session(tape(day(3, 7), ["100", "100", "100", "100"]));
    desk
}

fn closes_at(desk: &mut Desk, date: TradingDate, close: &str) {
    desk.session(tape(date, [close; 4]));
}

/// The name of what refuses a purchase of one share at that time and price.
fn refused(desk: &Desk, now: Timestamp, last: &str) -> Option<&'static str> {
    let market = Desk::market(now, last);
    match order_entry::estimate(&desk.portfolio, &buy(1), now, &market, &desk.rules) {
        Ok(estimate) => estimate.refusals.first().map(crate::execution::Refusal::name),
        Err(refusal) => Some(refusal.name()),
    }
}

fn halts(desk: &Desk) -> Vec<String> {
    let events = desk.entries.iter().filter_map(|entry| match &entry.event {
        Event::BuyingHalted { date, peak, equity } => Some(format!("{date} halted at {equity}, peak {peak}")),
        Event::BuyingResumed { date, peak, .. } => Some(format!("{date} resumed, peak {peak}")),
        _ => None,
    });
    events.collect()
}

#[test]
fn a_drawdown_halt_ends_after_its_sessions_and_the_peak_starts_again() {
    let mut desk = invested(|limits| (limits.drawdown_halt, limits.drawdown_halt_sessions) = (dec!(0.2), 3));
    // 79,000 dollars are 21 % below the peak of 100,000.
    closes_at(&mut desk, day(3, 8), "79");
    // Half is sold, so that there is cash.
    desk.order(day(3, 8).close(), sell(500)).unwrap();
    for (date, close) in [(day(3, 9), "79"), (day(3, 10), "78"), (day(3, 11), "77")] {
        assert_eq!(refused(&desk, midday(date), "79"), Some("drawdown-halt"), "{date}");
        closes_at(&mut desk, date, close);
    }
    // 500 × 79 in cash and 500 × 77 in shares are 78,000.
    assert_eq!(halts(&desk), ["2022-03-08 halted at 79000.00, peak 100000.00", "2022-03-11 resumed, peak 78000.00"]);
    assert_eq!(refused(&desk, midday(day(3, 14)), "77"), None);
    // 500 × 45 + 39,500 = 62,000 are 20.5 % below the peak of 78,000: it begins again.
    closes_at(&mut desk, day(3, 14), "45");
    assert_eq!(halts(&desk)[2], "2022-03-14 halted at 62000.00, peak 78000.00");
    desk.check_ledger();
}

#[test]
fn a_halt_ends_at_once_when_the_portfolio_recovers() {
    let mut desk = invested(|limits| (limits.drawdown_halt, limits.drawdown_halt_sessions) = (dec!(0.2), 3));
    closes_at(&mut desk, day(3, 8), "79");
    closes_at(&mut desk, day(3, 9), "81");
    assert_eq!(halts(&desk)[1], "2022-03-09 resumed, peak 100000.00");
    assert_eq!(desk.portfolio.peak_equity, Money::dollars(100_000));
    desk.check_ledger();
}

#[test]
fn a_portfolio_that_holds_nothing_is_not_halted_for_ever() {
    let mut desk = invested(|limits| (limits.drawdown_halt, limits.drawdown_halt_sessions) = (dec!(0.2), 3));
    closes_at(&mut desk, day(3, 8), "79");
    desk.order(day(3, 8).close(), sell(1_000)).unwrap();
    // Sold at the open: nobody values it again at a close.
    desk.session(DayTape { rest: None, ..tape(day(3, 9), ["79"; 4]) });
    for date in [day(3, 9), day(3, 10), day(3, 11)] {
        assert_eq!(refused(&desk, midday(date), "79"), Some("drawdown-halt"), "{date}");
    }
    desk.order(day(3, 11).close(), buy(1)).unwrap();
    assert_eq!(halts(&desk)[1], "2022-03-14 resumed, peak 79000.00");
    desk.check_ledger();
}

#[test]
fn a_daily_loss_stops_buying_until_the_next_session() {
    let mut desk = invested(|limits| limits.daily_loss = dec!(0.03));
    desk.order(day(3, 7).close(), sell(500)).unwrap();
    desk.session(DayTape { rest: None, ..tape(day(3, 8), ["100"; 4]) });
    // Of 100,000 dollars, half in shares: at 94 a loss of exactly 3 %, at 94.01 a little less.
    assert_eq!(refused(&desk, midday(day(3, 8)), "94.01"), None);
    assert_eq!(refused(&desk, midday(day(3, 8)), "94"), Some("daily-loss"));
    closes_at(&mut desk, day(3, 8), "94");
    assert_eq!(refused(&desk, day(3, 8).close(), "94"), Some("daily-loss"), "in the evening it is still the same day");
    assert_eq!(refused(&desk, midday(day(3, 9)), "94"), None);
}

#[test]
fn a_stopped_out_stock_is_bought_again_after_its_cooldown() {
    let mut desk = holding(None, Some("95"));
    desk.rules.limits.cooldown_sessions = 3;
    closes_at(&mut desk, day(3, 8), "94");
    assert!(desk.portfolio.stopped_out.contains_key(&symbol()));
    for date in [day(3, 8), day(3, 9), day(3, 10)] {
        assert_eq!(refused(&desk, midday(date), "94"), Some("cooldown"), "{date}");
    }
    assert_eq!(refused(&desk, midday(day(3, 11)), "94"), None);
    // What is ordered after the close of the third session trades in the fourth.
    assert_eq!(refused(&desk, day(3, 10).close(), "94"), None);
}

#[test]
fn each_execution_of_a_sale_pays_the_activity_fee_up_to_its_cap() {
    // 150,000 shares at 10 cents, of which 2.5 % of 4,000,000 are 100,000 a day. In 2022 the fee is 0.000130 dollars a share, at most
    // 6.49: 13.00 becomes 6.49, and 50,000 × 0.000130 = 6.50 becomes 6.49. Section 31 at 5.10 a million: 10,000 × 0.0000051 = 0.051 and
    // half of it, both up to the cent.
    let mut desk = Desk::new(TradingRules { fees: FeeSchedule::UsRetail, ..frictionless() });
    let thin = |date| {
        let mut tape = tape(date, ["0.10"; 4]);
        tape.before.liquidity.average_daily_volume = dec!(4_000_000);
        tape
    };
    desk.rules.limits.participation = crate::execution::ParticipationCap::new(Decimal::ONE).unwrap();
    desk.order_at("0.10", before_open(day(3, 7)), buy(150_000)).unwrap();
    desk.session(thin(day(3, 7)));
    desk.rules.limits.participation = crate::execution::ParticipationCap::DEFAULT;
    desk.order_at("0.10", day(3, 7).close(), OrderRequest { time_in_force: TimeInForce::Gtc, ..sell(150_000) }).unwrap();
    let mut charged = Vec::new();
    for date in [day(3, 8), day(3, 9)] {
        desk.session(thin(date));
        let fill = desk.last_fill().unwrap();
        let fees: Vec<String> = fill.fees.iter().map(|fee| format!("{} {}", fee.name, fee.amount)).collect();
        charged.push(format!("{}: {}", fill.quantity, fees.join(", ")));
    }
    assert_eq!(charged, ["100000: sec-section-31 0.06, finra-taf 6.49", "50000: sec-section-31 0.03, finra-taf 6.49"]);
    desk.check_ledger();
}

#[test]
fn an_old_quote_fills_nothing_and_the_order_says_why() {
    let mut desk = Desk::new(frictionless());
    desk.order(midday(day(3, 7)), buy(10)).unwrap();
    let later = |minutes| midday(day(3, 7)).saturating_add(jiff::SignedDuration::from_mins(minutes)).unwrap();
    let quoted = |at| DayTape { rest: None, quote: Some((price("102"), at)), ..tape(day(3, 7), ["101"; 4]) };
    let mut observe = |now, at| {
        desk.at(now, |journal, rules| session::run(journal, day(3, 7), &[(symbol(), quoted(at))].into(), false, rules));
        (desk.held(), desk.portfolio.orders.first().map(|order| order.reason.clone()))
    };
    let waits = |reason: &str| (Quantity::ZERO, Some(reason.to_owned()));
    // Quotes may be 30 minutes old.
    assert_eq!(observe(later(41), later(10)), waits("the newest quote is too old: waits for a fresh one"));
    assert_eq!(observe(later(40), later(10)), (Quantity::shares(10), None));
    let fill = desk.last_fill().unwrap();
    assert_eq!((fill.reference_at, fill.executed_at, fill.reference_age_seconds()), (later(10), later(40), 1_800));
    desk.check_ledger();
}

#[test]
fn an_order_on_an_old_price_is_accepted_and_waits() {
    let mut desk = Desk::new(frictionless());
    // Six sessions before the last close, one more than the rules allow.
    let mut market = Desk::market(midday(day(3, 15)), "100");
    market.stocks.get_mut(&symbol()).unwrap().priced_at = day(3, 4).close();
    let order = desk.at(midday(day(3, 15)), |journal, rules| order_entry::place(journal, buy(10), Origin::User, &market, rules)).unwrap();
    assert_eq!(order.state, OrderState::Accepted);
    assert_eq!(order.reason, "the newest price, of 2022-03-04, is too old: waits for a fresh one");
    market.stocks.get_mut(&symbol()).unwrap().priced_at = day(3, 7).close();
    let order = desk.at(midday(day(3, 15)), |journal, rules| order_entry::place(journal, buy(10), Origin::User, &market, rules)).unwrap();
    assert_eq!(order.reason, "waits for the next price");
}

fn any_request() -> impl Strategy<Value = OrderRequest> {
    let level = || (5_000_i64..15_000).prop_map(|cents| Price::from_units(cents * 100).unwrap());
    let order_type = prop_oneof![
        3 => Just(OrderType::Market),
        1 => level().prop_map(|limit_price| OrderType::Limit { limit_price }),
        1 => level().prop_map(|stop_price| OrderType::Stop { stop_price }),
        1 => (level(), level()).prop_map(|(stop_price, limit_price)| OrderType::StopLimit { stop_price, limit_price }),
        1 => (1_i64..600).prop_map(|tenths| OrderType::TrailingStop { trail_percent: Decimal::new(tenths, 1) }),
    ];
    let size = prop_oneof![
        4 => (0_u32..1_500).prop_map(|shares| OrderSize::Quantity(Quantity::shares(shares))),
        1 => (0_i64..10_000_000).prop_map(|cents| OrderSize::Notional(Money::cents(cents))),
    ];
    let time_in_force =
        prop_oneof![3 => Just(TimeInForce::Day), 1 => Just(TimeInForce::Gtc), 1 => Just(TimeInForce::Opg), 1 => Just(TimeInForce::Cls)];
    (any::<bool>(), order_type, size, time_in_force, proptest::option::of(level())).prop_map(
        |(buys, order_type, size, time_in_force, stop_loss)| OrderRequest {
            side: if buys { Side::Buy } else { Side::Sell },
            order_type,
            size,
            time_in_force,
            stop_loss: stop_loss.filter(|_| buys),
            ..buy(1)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_preview_says_what_placing_does(
        request in any_request(),
        held in 0_u32..300,
        broker in 0_usize..3,
        max_open_orders in 0_usize..3,
    ) {
        let fees = [FeeSchedule::UsRetail, FeeSchedule::IbkrFixed, FeeSchedule::TENTH_OF_A_PERCENT][broker];
        let mut desk = Desk::new(TradingRules { fees, slippage: SlippageModel::default(), ..frictionless() });
        if held > 0 {
            desk.order(before_open(day(3, 7)), buy(held)).unwrap();
            desk.session(tape(day(3, 7), ["100"; 4]));
        }
        desk.rules = TradingRules { limits: RiskLimits::default(), max_open_orders, ..desk.rules };
        let now = before_open(day(3, 8));
        let market = Desk::market(now, "100");
        let preview = order_entry::estimate(&desk.portfolio, &request, now, &market, &desk.rules);
        let placed = desk.order(now, request.clone());
        match (preview, placed) {
            (Ok(preview), Ok(_)) => {
                prop_assert!(preview.refusals.is_empty());
                // At the price that the preview assumed, the order fills as the preview said.
                let whole = preview.participation <= dec!(0.025);
                if request.order_type == OrderType::Market && whole {
                    desk.session(tape(day(3, 8), ["100"; 4]));
                    let fill = desk.last_fill().unwrap();
                    prop_assert_eq!(fill.quantity, preview.quantity);
                    prop_assert_eq!((fill.price, fill.notional()), (preview.execution.price, preview.notional));
                    prop_assert_eq!(&fill.fees, &preview.fees);
                }
            }
            (Ok(preview), Err(OrderRefusal::Limits(refusals))) => prop_assert_eq!(preview.refusals, refusals),
            (Err(preview), Err(placed)) => prop_assert_eq!(preview, placed),
            (preview, placed) => prop_assert!(false, "{preview:?} {placed:?}"),
        }
        desk.check_ledger();
    }
}
