use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn liquidity(volume: &str, volatility: &str) -> Liquidity {
    Liquidity { average_daily_volume: decimal(volume), daily_volatility: decimal(volatility) }
}

#[test]
fn prices_move_against_the_trader_by_half_the_spread_and_the_root_of_the_size() {
    let root = SlippageModel::default();
    let fixed = SlippageModel::FixedBps { bps: decimal("10") };
    for (model, reference, quantity, volume, volatility, impact, total, buy, sell) in [
        // √(10,000 / 1,000,000) = 0.1; 0.02 × 0.1 = 20 bp; with half a spread of 1.5: 21.5 bp of $100.
        (root, "100", 10_000, "1000000", "0.02", "20", "21.5", "100.215", "99.785"),
        // √0.025 = 0.158113883; × 200 bp = 31.6227766, reported as 31.6228; + 1.5; a trader pays up to the next hundredth of a cent.
        (root, "100", 25_000, "1000000", "0.02", "31.6228", "33.1228", "100.3313", "99.6687"),
        // √(100 / 1,000,000) = 0.01; 2 bp + 1.5 = 3.5 bp, less than the floor of 5.
        (root, "100", 100, "1000000", "0.02", "2", "5", "100.05", "99.95"),
        // Nothing known to trade: as if the order were all of a day's volume, 200 bp + 1.5.
        (root, "100", 1, "0", "0.02", "200", "201.5", "102.015", "97.985"),
        // More than a day's volume counts as all of it.
        (root, "100", 5_000, "1000", "0.02", "200", "201.5", "102.015", "97.985"),
        // No volatility known: the floor.
        (root, "100", 1, "1000", "0", "0", "5", "100.05", "99.95"),
        // 33.33 × 0.001 = 0.03333: 33.36333 and 33.29667.
        (fixed, "33.33", 1, "0", "0", "0", "10", "33.3634", "33.2966"),
        // The lowest price there is cannot fall.
        (fixed, "0.0001", 1, "0", "0", "0", "10", "0.0002", "0.0001"),
    ] {
        let (reference, quantity) = (reference.parse().unwrap(), Quantity::shares(quantity));
        let bought = model.slip(Side::Buy, reference, quantity, liquidity(volume, volatility));
        let sold = model.slip(Side::Sell, reference, quantity, liquidity(volume, volatility));
        assert_eq!((bought.price.to_string().as_str(), sold.price.to_string().as_str()), (buy, sell));
        assert_eq!((bought.impact_bps.normalize(), bought.total_bps.normalize()), (decimal(impact), decimal(total)));
    }
}

#[test]
fn a_limit_is_never_exceeded() {
    let slipped =
        |side| SlippageModel::FixedBps { bps: decimal("10") }.slip(side, "100".parse().unwrap(), Quantity::shares(1), liquidity("0", "0"));
    for (side, limit, expected) in [
        (Side::Buy, "101", Some("100.1")),     // the model's price is good enough
        (Side::Buy, "100.05", Some("100.05")), // held at the limit
        (Side::Buy, "100", Some("100")),       // just reached
        (Side::Buy, "99.99", None),            // the market is above the limit
        (Side::Sell, "99", Some("99.9")),
        (Side::Sell, "99.95", Some("99.95")),
        (Side::Sell, "100", Some("100")),
        (Side::Sell, "100.01", None),
    ] {
        let limit = limit.parse().unwrap();
        let fill = slipped(side).within_limit(side, "100".parse().unwrap(), limit);
        assert_eq!(fill.map(|fill| fill.price.to_string()).as_deref(), expected, "{side} {limit}");
        assert_eq!(fill.and_then(|fill| fill.held_at_limit).is_some(), fill.is_some_and(|fill| fill.price != slipped(side).price));
    }
}

proptest! {
    #[test]
    fn slippage_is_adverse_bounded_and_grows_with_the_size(
        reference in 1_i64..100_000_000_000,
        quantity in 0_i64..1_000_000_000_000,
        more in 0_i64..1_000_000_000_000,
        volume in 0_i64..10_000_000_000,
        volatility in 0_i64..30_000,
        half_spread in 0_i64..2_000,
        coefficient in 0_i64..500,
        floor in 0_i64..2_000,
    ) {
        let model = SlippageModel::SquareRoot {
            half_spread_bps: Decimal::new(half_spread, 2),
            coefficient: Decimal::new(coefficient, 2),
            floor_bps: Decimal::new(floor, 2),
        };
        let reference = Price::from_units(reference).unwrap();
        let liquidity = Liquidity { average_daily_volume: Decimal::from(volume), daily_volatility: Decimal::new(volatility, 4) };
        let slip = |side, micros: i64| model.slip(side, reference, Quantity::new(Decimal::new(micros, 6)).unwrap(), liquidity);

        let (bought, sold) = (slip(Side::Buy, quantity), slip(Side::Sell, quantity));
        prop_assert!(bought.price >= reference && sold.price <= reference);
        prop_assert!(bought.total_bps >= Decimal::new(floor, 2) && bought.total_bps <= MAX_TOTAL_BPS);
        prop_assert!(bought.price.decimal() <= reference.decimal() * dec!(1.5) + dec!(0.0001));
        prop_assert!(slip(Side::Buy, quantity + more).price >= bought.price);
        prop_assert!(slip(Side::Sell, quantity + more).price <= sold.price);
        // Rounding costs the trader less than a hundredth of a cent.
        let exact = (reference.decimal() * (Decimal::ONE + bought.total_bps / BPS)).min(Price::MAX);
        prop_assert!((Decimal::ZERO..dec!(0.0001)).contains(&(bought.price.decimal() - exact)));
    }
}
