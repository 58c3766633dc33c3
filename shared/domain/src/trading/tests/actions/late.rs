//! What becomes known after its session, or is corrected: restated as if it had been known.

use super::*;

/// What happened between the ex-date and the day on which it became known.
type Since = Box<dyn FnOnce(&mut Desk)>;

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
