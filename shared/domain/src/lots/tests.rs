use proptest::prelude::*;

use super::*;

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(1_600_000_000 + day * 86_400).unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn shares(text: &str) -> Quantity {
    text.parse().unwrap()
}

fn money(text: &str) -> Money {
    Money::round(decimal(text))
}

/// Three purchases: 10 at $10, 10 at $30 and 10 at $20.
fn three_lots() -> Lots {
    let mut lots = Lots::default();
    for (day, cost) in [(0, "100"), (1, "300"), (2, "200")] {
        lots.buy(shares("10"), money(cost), at(day)).unwrap();
    }
    lots
}

fn described(closing: &Closing) -> String {
    closing
        .matches
        .iter()
        .map(|part| format!("{}×{} {}→{}", part.lot.0, part.quantity, part.cost, part.proceeds))
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
fn each_method_takes_its_lots_first() {
    // 15 shares for $375, $25 each.
    for (method, expected, realized) in [
        (LotMethod::Fifo, "0×10 100.00→250.00, 1×5 150.00→125.00", "125.00"),
        (LotMethod::Lifo, "2×10 200.00→250.00, 1×5 150.00→125.00", "25.00"),
        (LotMethod::HighestCost, "1×10 300.00→250.00, 2×5 100.00→125.00", "-25.00"),
    ] {
        let mut lots = three_lots();
        let closing = lots.sell(shares("15"), money("375"), method).unwrap();
        assert_eq!(described(&closing), expected);
        assert_eq!(closing.realized_pnl().to_string(), realized);
        assert_eq!(closing.matches.iter().map(LotMatch::realized_pnl).sum::<Money>(), closing.realized_pnl());
        assert_eq!((lots.quantity(), lots.cost() + closing.cost), (shares("15"), money("600")));
    }
}

#[test]
fn the_cents_of_a_lot_are_neither_lost_nor_made() {
    // $10.00 for three shares: 3.33, 3.34 and 3.33, counted from the beginning.
    let mut lots = Lots::default();
    lots.buy(shares("3"), money("10"), at(0)).unwrap();
    let costs: Vec<_> = (0..3).map(|_| lots.sell(shares("1"), money("4"), LotMethod::Fifo).unwrap().cost.to_string()).collect();
    assert_eq!(costs, ["3.33", "3.34", "3.33"]);
    assert!(lots.is_empty());
    assert_eq!(lots.average_cost(), None);
}

#[test]
fn proceeds_are_shared_out_to_the_cent() {
    // $1.00 for 30 shares of three lots: 0.33, 0.34 and 0.33.
    let closing = three_lots().sell(shares("30"), money("1"), LotMethod::Fifo).unwrap();
    assert_eq!(closing.matches.iter().map(|part| part.proceeds.to_string()).collect::<Vec<_>>(), ["0.33", "0.34", "0.33"]);
    // Costs of selling may be more than the sale brings.
    assert_eq!(three_lots().sell(shares("1"), money("-0.01"), LotMethod::Fifo).unwrap().realized_pnl().to_string(), "-10.01");
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut lots = three_lots();
    let before = lots.clone();
    assert_eq!(
        lots.sell(shares("30.000000001"), money("1"), LotMethod::Fifo),
        Err(LotError::ExceedsHolding { held: shares("30"), wanted: shares("30.000000001") })
    );
    assert_eq!(lots.sell(Quantity::ZERO, money("1"), LotMethod::Fifo), Err(LotError::NoQuantity));
    assert_eq!(lots.buy(Quantity::ZERO, money("1"), at(3)), Err(LotError::NoQuantity));
    assert_eq!(lots.buy(shares("1"), money("-1"), at(3)), Err(LotError::NegativeCost(money("-1"))));
    assert_eq!(lots.split(Decimal::ZERO), Err(LotError::SplitRatio(Decimal::ZERO)));
    assert_eq!(lots.spin_off(decimal("1.1")), Err(LotError::Fraction(decimal("1.1"))));
    assert!(matches!(lots.split(decimal("100000000")), Err(LotError::Amount(_))));
    assert!(matches!(lots.buy(shares("999999999"), money("1"), at(3)), Err(LotError::Amount(_))));
    assert_eq!(lots, before);
}

#[test]
fn apple_splits_four_for_one() {
    // 2020-08-31: 10 shares bought for $5,000.00 become 40 at the same cost, $125 each.
    let mut lots = Lots::default();
    lots.buy(shares("10"), money("5000"), at(0)).unwrap();
    assert_eq!(lots.split(decimal("4")).unwrap(), Quantity::ZERO);
    assert_eq!((lots.quantity(), lots.cost(), lots.average_cost()), (shares("40"), money("5000"), Some(decimal("125"))));
}

#[test]
fn general_electric_reverse_splits_and_pays_for_the_fraction() {
    // 2021-08-02, 1:8: lots of 10 and 11 shares become 1.25 and 1.375, 2.625 in all; the 0.625 are sold for cash.
    let mut lots = Lots::default();
    lots.buy(shares("10"), money("130"), at(0)).unwrap();
    lots.buy(shares("11"), money("132"), at(1)).unwrap();
    let fraction = lots.split(decimal("0.125")).unwrap();
    assert_eq!(fraction, shares("0.625"));
    assert_eq!(lots.cost(), money("262"));

    // The oldest lot's $130 × 0.625 / 1.25 = $65.00 leave with it.
    let in_lieu = lots.sell(fraction, money("64.38"), LotMethod::Fifo).unwrap();
    assert_eq!((in_lieu.cost, in_lieu.realized_pnl()), (money("65"), money("-0.62")));
    assert_eq!((lots.quantity(), lots.cost()), (shares("2"), money("197")));
}

#[test]
fn a_split_by_thirds_comes_out_whole() {
    let mut lots = Lots::default();
    for day in 0..3 {
        lots.buy(shares("100"), money("100"), at(day)).unwrap();
    }
    assert_eq!(lots.split(Decimal::ONE / decimal("3")).unwrap(), Quantity::ZERO);
    assert_eq!(lots.quantity(), shares("100"));
    assert_eq!(lots.split(decimal("3")).unwrap(), Quantity::ZERO);
    assert_eq!((lots.quantity(), lots.cost()), (shares("300"), money("300")));
}

#[test]
fn a_holding_too_small_to_split_keeps_its_cost() {
    let mut lots = Lots::default();
    lots.buy(shares("0.000000001"), money("3"), at(0)).unwrap();
    lots.split(decimal("0.1")).unwrap();
    assert_eq!((lots.quantity(), lots.cost()), (shares("0.000000001"), money("3")));
}

#[test]
fn a_spin_off_takes_its_part_of_each_lot() {
    // A quarter of $100.01, $300.01 and $200.01: 25.0025, 100.005 so far, 150.0075 so far.
    let mut lots = Lots::default();
    for (day, cost) in [(0, "100.01"), (1, "300.01"), (2, "200.01")] {
        lots.buy(shares("10"), money(cost), at(day)).unwrap();
    }
    let moved = lots.spin_off(decimal("0.25")).unwrap();
    assert_eq!(moved.iter().map(|part| part.cost.to_string()).collect::<Vec<_>>(), ["25.00", "75.01", "50.00"]);
    assert_eq!(lots.cost(), money("450.02"));

    // The new shares are as old as the ones they came from, also for the order of sale.
    let mut spun_off = Lots::default();
    spun_off.buy(shares("1"), money("5"), at(9)).unwrap();
    for part in moved {
        spun_off.buy(part.quantity, part.cost, part.opened_at).unwrap();
    }
    assert_eq!(spun_off.open().iter().map(Lot::opened_at).collect::<Vec<_>>(), [at(0), at(1), at(2), at(9)]);
}

#[test]
fn lots_survive_storage() {
    let mut lots = three_lots();
    lots.sell(shares("3"), money("90"), LotMethod::HighestCost).unwrap();
    let json = serde_json::to_string(&lots).unwrap();
    assert_eq!(serde_json::from_str::<Lots>(&json).unwrap(), lots);
}

#[derive(Debug, Clone)]
enum Step {
    Buy {
        nanos: i64,
        cents: i64,
    },
    /// A part of what is held, in thousandths.
    Sell {
        part: i64,
        cents: i64,
        method: LotMethod,
    },
    Split {
        numerator: i64,
        denominator: i64,
    },
    SpinOff {
        percent: i64,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    let method = prop_oneof![Just(LotMethod::Fifo), Just(LotMethod::Lifo), Just(LotMethod::HighestCost)];
    prop_oneof![
        4 => (1_i64..5_000_000_000_000, 0_i64..100_000_000).prop_map(|(nanos, cents)| Step::Buy { nanos, cents }),
        4 => (1_i64..=1_000, -100_i64..100_000_000, method).prop_map(|(part, cents, method)| Step::Sell { part, cents, method }),
        1 => (1_i64..20, 1_i64..20).prop_map(|(numerator, denominator)| Step::Split { numerator, denominator }),
        1 => (0_i64..=100).prop_map(|percent| Step::SpinOff { percent }),
    ]
}

proptest! {
    #[test]
    fn costs_are_conserved_and_quantities_never_negative(steps in proptest::collection::vec(any_step(), 1..60)) {
        let mut lots = Lots::default();
        let (mut paid, mut closed, mut moved, mut received, mut realized) = (Money::ZERO, Money::ZERO, Money::ZERO, Money::ZERO, Money::ZERO);
        let mut held = Decimal::ZERO;
        for (day, step) in (0_i64..).zip(steps) {
            match step {
                Step::Buy { nanos, cents } => {
                    lots.buy(Quantity::new(Decimal::new(nanos, 9)).unwrap(), Money::cents(cents), at(day)).unwrap();
                    paid += Money::cents(cents);
                    held += Decimal::new(nanos, 9);
                }
                Step::Sell { part, cents, method } => {
                    let quantity = Quantity::floor(held * Decimal::new(part, 3)).unwrap();
                    let Ok(closing) = lots.sell(quantity, Money::cents(cents), method) else {
                        prop_assert!(quantity.is_zero());
                        continue;
                    };
                    prop_assert_eq!(closing.matches.iter().map(|part| part.quantity).sum::<Quantity>(), quantity);
                    prop_assert_eq!(closing.matches.iter().map(|part| part.proceeds).sum::<Money>(), Money::cents(cents));
                    prop_assert!(closing.matches.iter().all(|part| !part.cost.is_negative()));
                    closed += closing.cost;
                    received += Money::cents(cents);
                    realized += closing.realized_pnl();
                    held -= quantity.decimal();
                }
                Step::Split { numerator, denominator } => {
                    if let Ok(fraction) = lots.split(Decimal::from(numerator) / Decimal::from(denominator)) {
                        prop_assert!(fraction.decimal() < Decimal::ONE && fraction == lots.fraction());
                        let exact = held * Decimal::from(numerator) / Decimal::from(denominator);
                        prop_assert!((lots.quantity().decimal() - exact).abs() <= Decimal::new(1, 9));
                        held = lots.quantity().decimal();
                    }
                }
                Step::SpinOff { percent } => {
                    let whole = lots.cost();
                    let parts: Money = lots.spin_off(Decimal::new(percent, 2)).unwrap().iter().map(|part| part.cost).sum();
                    prop_assert_eq!(parts, whole.scale(Decimal::new(percent, 2)));
                    moved += parts;
                }
            }
            prop_assert_eq!(lots.cost() + closed + moved, paid);
            prop_assert_eq!(lots.quantity().decimal(), held);
            prop_assert!(lots.open().iter().all(|lot| !lot.quantity().is_zero() && !lot.cost().is_negative()));
            prop_assert!(lots.open().windows(2).all(|pair| pair[0].opened_at() <= pair[1].opened_at()));
        }
        prop_assert_eq!(realized, received - closed);
    }

    #[test]
    fn the_parts_of_a_lot_never_drift_by_a_cent(cents in 0_i64..1_000_000, parts in proptest::collection::vec(1_u32..100, 1..80)) {
        let whole: u32 = parts.iter().sum();
        let mut lots = Lots::default();
        lots.buy(Quantity::shares(whole), Money::cents(cents), at(0)).unwrap();
        let (mut sold, mut cost) = (0, Money::ZERO);
        for part in parts {
            cost += lots.sell(Quantity::shares(part), Money::ZERO, LotMethod::Fifo).unwrap().cost;
            sold += part;
            let exact = Decimal::new(cents, 2) * Decimal::from(sold) / Decimal::from(whole);
            prop_assert!((cost.decimal() - exact).abs() <= decimal("0.005000000001"));
        }
        prop_assert_eq!(cost, Money::cents(cents));
    }
}
