//! Amounts as people read them in a refusal.

use rust_decimal::Decimal;

use crate::{Money, money::round_half_up};

/// `$12,345.60`, with the sign before the dollar.
pub(super) fn dollars(amount: Money) -> String {
    let digits = format!("{:.2}", amount.decimal().abs());
    let (whole, cents) = digits.split_once('.').unwrap_or((&digits, "00"));
    let mut grouped = String::with_capacity(digits.len() + 8);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if amount.is_negative() { "-" } else { "" };
    format!("{sign}${grouped}.{cents}")
}

/// A fraction in percent, to two places: `0.025` is `2.5 %`.
pub(super) fn percent(fraction: Decimal) -> String {
    format!("{} %", round_half_up(fraction * Decimal::ONE_HUNDRED, 2).normalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_as_people_write_them() {
        for (cents, text) in [(0, "$0.00"), (5, "$0.05"), (-99_999, "-$999.99"), (100_000, "$1,000.00"), (123_456_789, "$1,234,567.89")] {
            assert_eq!(dollars(Money::cents(cents)), text);
        }
        for (fraction, text) in [("0.1", "10 %"), ("0.025", "2.5 %"), ("0.123456", "12.35 %"), ("0", "0 %")] {
            assert_eq!(percent(fraction.parse().unwrap()), text);
        }
    }
}
