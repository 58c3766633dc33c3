use proptest::prelude::*;

use super::*;

fn quantity(text: &str) -> Quantity {
    text.parse().unwrap()
}

#[test]
fn an_order_takes_at_most_its_part_of_a_day() {
    // 2.5 % of the volume, less what the order filled on that day already.
    for (remaining, volume, filled_today, shares, expected) in [
        ("100", "1000000", "0", Shares::Whole, "100"),        // room for 25,000
        ("30000", "1000000", "0", Shares::Whole, "25000"),    // all the room
        ("30000", "1000000", "20000", Shares::Whole, "5000"), // 25,000 − 20,000
        ("30000", "1000000", "25000", Shares::Whole, "0"),    // none left
        ("30000", "1000000", "26000", Shares::Whole, "0"),    // volume was revised downwards in between
        ("10", "300", "0", Shares::Whole, "7"),               // 7.5, whole shares only
        ("10.5", "300", "0", Shares::Fractional, "7.5"),
        ("0.3", "300", "0", Shares::Fractional, "0.3"),
        ("10", "39", "0", Shares::Whole, "0"), // 0.975
        ("10", "0", "0", Shares::Whole, "0"),
        ("10", "-5", "0", Shares::Fractional, "0"),
        ("0", "1000000", "0", Shares::Whole, "0"),
    ] {
        let fillable = ParticipationCap::DEFAULT.fillable(quantity(remaining), volume.parse().unwrap(), quantity(filled_today), shares);
        assert_eq!(fillable, quantity(expected), "{remaining} of {volume} after {filled_today}");
    }
}

#[test]
fn a_cap_is_a_fraction_of_a_day() {
    for (fraction, good) in [("0.025", true), ("1", true), ("0", false), ("-0.1", false), ("1.01", false), ("2.5", false)] {
        assert_eq!(ParticipationCap::new(fraction.parse().unwrap()).is_ok(), good, "{fraction}");
        assert_eq!(serde_json::from_str::<ParticipationCap>(&format!("\"{fraction}\"")).is_ok(), good, "{fraction}");
    }
}

proptest! {
    #[test]
    fn an_order_carried_over_fills_completely_and_never_beyond_the_cap(ordered in 1_u32..2_000_000, volume in 400_u32..10_000_000) {
        let (cap, volume) = (ParticipationCap::DEFAULT, Decimal::from(volume));
        let mut remaining = Quantity::shares(ordered);
        let mut days = 0_u32;
        while !remaining.is_zero() && days < 50 {
            let first = cap.fillable(remaining, volume, Quantity::ZERO, Shares::Whole);
            prop_assert!(first.decimal() <= cap.of(volume) && first.is_whole());
            remaining = remaining.checked_sub(first).unwrap();
            // Asking again on the same day gives no more, unless the order is done.
            let again = cap.fillable(remaining, volume, first, Shares::Whole);
            prop_assert!((first + again).decimal() <= cap.of(volume));
            days += 1;
        }
        prop_assert!(remaining.is_zero() || days == 50);
    }
}
