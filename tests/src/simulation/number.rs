//! Exact numbers of the independent model: billionths in an `i128`, rounded by hand.

use serde_json::Value;

/// Billionths of a dollar or of a share.
pub(crate) type Nano = i128;

pub(crate) const ONE: Nano = 1_000_000_000;
pub(crate) const CENT: Nano = ONE / 100;

/// A decimal written as text.
pub(crate) fn parse(text: &str) -> Result<Nano, String> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 9 {
        return Err(format!("{text} is finer than a billionth"));
    }
    let number = |digits: &str| if digits.is_empty() { Ok(0) } else { digits.parse::<i128>().map_err(|_| format!("{text} is no number")) };
    Ok(sign * (number(whole)? * ONE + number(&format!("{fraction:0<9}"))?))
}

/// The decimal at `field` of a JSON object.
pub(crate) fn at(value: &Value, field: &str) -> Result<Nano, String> {
    value[field].as_str().ok_or_else(|| format!("{field} is missing in {value}")).and_then(parse)
}

pub(crate) fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str, String> {
    value[field].as_str().ok_or_else(|| format!("{field} is missing in {value}"))
}

/// `a / b` to the nearest whole, halves away from zero; `b` is above zero.
pub(crate) fn half_up(a: i128, b: i128) -> i128 {
    if a < 0 { -half_up(-a, b) } else { (2 * a + b) / (2 * b) }
}

/// The product of two numbers of billionths, to the nearest cent.
pub(crate) fn cents(a: Nano, b: Nano) -> Nano {
    half_up(a * b, ONE * CENT) * CENT
}

/// The product of two numbers of billionths, to the next cent above.
pub(crate) fn cents_up(a: Nano, b: Nano) -> Nano {
    (a * b + ONE * CENT - 1) / (ONE * CENT) * CENT
}

/// In dollars, for messages.
pub(crate) fn show(amount: Nano) -> String {
    format!("{}{}.{:09}", if amount < 0 { "-" } else { "" }, amount.abs() / ONE, amount.abs() % ONE)
}
