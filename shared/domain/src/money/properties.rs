//! What holds of every amount, checked against integers: rounding, sums, products, fees of parts, text and JSON.

use proptest::prelude::*;
use rust_decimal::prelude::ToPrimitive;

use super::*;
use crate::{
    TradingDate,
    execution::{EarlierFills, Fee, FeeName, FeeSchedule, RateTable, Side, fees, fees_of_part, total},
};

/// Any number that a computation with money leaves: up to nine places, far above any account.
fn any_decimal() -> impl Strategy<Value = Decimal> {
    (-1_000_000_000_000_000_000_i64..1_000_000_000_000_000_000, 0_u32..=9).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale))
}

fn any_money() -> impl Strategy<Value = Money> {
    (-1_000_000_000_000_i64..1_000_000_000_000).prop_map(Money::cents)
}

fn any_price() -> impl Strategy<Value = Price> {
    prop_oneof![1_i64..=100_000_000_000, 1_i64..=1_000_000, Just(1), Just(100_000_000_000)]
        .prop_map(|units| Price::from_units(units).unwrap())
}

fn any_quantity() -> impl Strategy<Value = Quantity> {
    let nanos = prop_oneof![1_i64..=1_000_000_000_000_000_000, 1_i64..=10_000_000_000, Just(1), Just(1_000_000_000_000_000_000)];
    nanos.prop_map(|nanos| Quantity::new(Decimal::new(nanos, 9)).unwrap())
}

/// As many thousand-millionths as a decimal of up to nine places is.
fn nanos(value: Decimal) -> i128 {
    let mut value = value;
    value.rescale(9);
    value.mantissa()
}

fn cents(money: Money) -> i128 {
    nanos(money.decimal()) / 10_000_000
}

/// Half away from zero, by integers alone.
fn half_up(value: i128, unit: i128) -> i128 {
    value.signum() * ((2 * value.abs() + unit) / (2 * unit))
}

fn session() -> TradingDate {
    "2024-10-15".parse().unwrap()
}

/// The parts of an order of whole shares, each with its price.
fn any_parts() -> impl Strategy<Value = Vec<(Quantity, Price)>> {
    let part = (1_u32..5_000, 1_i64..20_000_000);
    proptest::collection::vec(part.prop_map(|(shares, units)| (Quantity::shares(shares), Price::from_units(units).unwrap())), 1..12)
}

proptest! {
    #[test]
    fn money_is_the_nearest_cent_and_a_half_goes_away_from_zero(value in any_decimal()) {
        prop_assert_eq!(cents(Money::round(value)), half_up(nanos(value), 10_000_000));
        let up = nanos(value).signum() * ((nanos(value).abs() + 9_999_999) / 10_000_000);
        prop_assert_eq!(cents(Money::round_up(value)), up);
    }

    #[test]
    fn a_price_is_the_nearest_and_lies_between_what_buyers_pay_and_sellers_get(value in any_decimal()) {
        let exact = nanos(value);
        match (Price::round_down(value), Price::round(value), Price::round_up(value)) {
            (Ok(down), Ok(near), Ok(up)) => {
                prop_assert_eq!(i128::from(near.units()), half_up(exact, 100_000));
                prop_assert_eq!(i128::from(down.units()), exact.div_euclid(100_000));
                prop_assert!(down <= near && near <= up && up.units() - down.units() <= 1);
                prop_assert_eq!(down == up, exact % 100_000 == 0);
            }
            (down, ..) => prop_assert!(down.is_err(), "only what is too small or too large has no price: {}", value),
        }
    }

    #[test]
    fn sums_are_the_same_in_any_order_and_any_grouping(amounts in proptest::collection::vec(any_money(), 0..40), cut in 0_usize..40) {
        let forward: Money = amounts.iter().copied().sum();
        let backward: Money = amounts.iter().rev().copied().sum();
        let (left, right) = amounts.split_at(cut.min(amounts.len()));
        prop_assert_eq!(forward, backward);
        prop_assert_eq!(left.iter().copied().sum::<Money>() + right.iter().copied().sum(), forward);
        prop_assert_eq!(amounts.iter().fold(forward, |rest, amount| rest - *amount), Money::ZERO);
        prop_assert_eq!(cents(forward), amounts.iter().map(|amount| cents(*amount)).sum::<i128>());
        prop_assert_eq!(-forward + forward, Money::ZERO);
    }

    #[test]
    fn shares_cost_their_exact_price_to_half_a_cent(price in any_price(), quantity in any_quantity()) {
        // Units of a ten-thousandth times billionths: exact in an integer.
        let exact = i128::from(price.units()) * nanos(quantity.decimal());
        let cost = price.times(quantity);
        prop_assert_eq!(cents(cost), half_up(exact, 100_000_000_000));
        prop_assert!((cost.decimal() - price.decimal() * quantity.decimal()).abs() <= Decimal::new(5, 3));
    }

    #[test]
    fn amounts_survive_text_and_json_to_the_digit(money in any_money(), price in any_price(), quantity in any_quantity()) {
        fn json<T: Serialize + for<'a> Deserialize<'a>>(value: &T) -> T {
            serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
        }
        prop_assert_eq!((json(&money), json(&price), json(&quantity)), (money, price, quantity));
        prop_assert_eq!((price.to_string().parse(), quantity.to_string().parse()), (Ok(price), Ok(quantity)));
        prop_assert_eq!(Money::round(money.to_string().parse().unwrap()), money);
        prop_assert_eq!(Price::from_units(price.units()), Ok(price));
    }

    #[test]
    fn spreading_an_amount_and_gathering_it_again_gives_it_back(money in any_money(), quantity in any_quantity()) {
        let per_share = money.per(quantity).unwrap();
        let again = Money::round(per_share * quantity.decimal());
        // A decimal has 28 digits; an amount over billionths of shares uses them up.
        let tolerance = Decimal::new(1, 2) + quantity.decimal() * Decimal::new(1, 15);
        prop_assert!((again.decimal() - money.decimal()).abs() <= tolerance, "{} over {}: {}", money, quantity, again);
    }

    #[test]
    fn quantities_are_never_negative(left in any_quantity(), right in any_quantity()) {
        match left.checked_sub(right) {
            Some(rest) => prop_assert_eq!(rest + right, left),
            None => prop_assert!(right > left),
        }
        prop_assert!(left.whole() <= left && left.decimal() - left.whole().decimal() < Decimal::ONE);
    }

    #[test]
    fn nothing_that_is_no_amount_becomes_one(mantissa in any::<i64>(), scale in 0_u32..=20) {
        let value = Decimal::new(mantissa, scale);
        let places = value.normalize().scale();
        let json = format!("\"{value}\"");
        prop_assert_eq!(serde_json::from_str::<Money>(&json).is_ok(), places <= 2);
        prop_assert_eq!(serde_json::from_str::<Price>(&json).is_ok(), places <= 4 && value > Decimal::ZERO && value <= Price::MAX);
        prop_assert_eq!(serde_json::from_str::<Quantity>(&json).is_ok(), places <= 9 && value >= Decimal::ZERO && value <= Quantity::MAX);
    }

    /// The commission of an order is the same however it fills within a day; what regulators take of each part goes up to the next
    /// cent, so that parts cost at most a cent each more.
    #[test]
    fn the_fees_of_parts_are_those_of_the_whole(parts in any_parts(), side in prop_oneof![Just(Side::Buy), Just(Side::Sell)], price in any_price()) {
        for schedule in [FeeSchedule::UsRetail, FeeSchedule::IbkrFixed, FeeSchedule::TENTH_OF_A_PERCENT] {
            let (rates, date) = (RateTable::bundled(), session());
            let named = |fees: &[Fee], name: FeeName| fees.iter().filter(|fee| fee.name == name).map(|fee| fee.amount).sum::<Money>();
            let (mut earlier, mut charged) = (EarlierFills::default(), Vec::new());
            for (quantity, _) in &parts {
                let of_part = fees_of_part(schedule, rates, side, date, price, *quantity, earlier).unwrap();
                earlier.quantity = earlier.quantity + *quantity;
                earlier.value += price.times(*quantity);
                earlier.commission += named(&of_part, FeeName::Commission);
                charged.extend(of_part);
            }
            let whole = fees(schedule, rates, side, date, price, earlier.quantity).unwrap();
            prop_assert!(charged.iter().all(|fee| fee.amount > Money::ZERO));
            let commission = (named(&charged, FeeName::Commission), named(&whole, FeeName::Commission));
            prop_assert!((commission.0.decimal() - commission.1.decimal()).abs() <= Decimal::new(1, 2), "{:?}", commission);
            for name in [FeeName::SecSection31, FeeName::Cat] {
                let more = (named(&charged, name) - named(&whole, name)).decimal();
                prop_assert!(more >= Decimal::ZERO && more <= Decimal::new(parts.len().to_i64().unwrap(), 2), "{} {}", name, more);
            }
            prop_assert_eq!(total(&charged), charged.iter().map(|fee| fee.amount).sum::<Money>());
        }
    }
}

#[test]
fn the_largest_and_the_smallest_amounts_do_not_overflow() {
    let (price, quantity) = (Price::round(Price::MAX).unwrap(), Quantity::new(Quantity::MAX).unwrap());
    let most = price.times(quantity);
    assert_eq!(most, Money::dollars(10_000_000_000_000_000));
    // A million of the largest holdings there can be.
    assert_eq!((0..1_000_000).map(|_| most).sum::<Money>().decimal(), most.decimal() * Decimal::from(1_000_000));
    assert_eq!(most.per(quantity), Some(price.decimal()));
    assert!(Price::round(Decimal::MAX).is_err() && Price::round_up(Decimal::MAX).is_err() && Price::round_down(Decimal::MIN).is_err());
    assert!(Quantity::floor(Decimal::MAX).is_err() && Quantity::new(Decimal::MIN).is_err());
    assert_eq!(Money::round(Decimal::MAX).decimal(), Decimal::MAX);
}
