//! Two vendors' bars of one session agree as far as their ways of counting allow.
//!
//! Closes are official and nearly always the same: of 950,000 bars of two vendors 41 differ by more than half a percent. Opens come from
//! different venues, highs and lows from different filters of odd trades: 0.01 % differ by more than two percent. Volumes are counted too
//! differently to compare.

use domain::{Bar, Decimal, Price};

use super::{Fault, Reason};

/// Half a percent.
const CLOSE: Decimal = Decimal::from_parts(5, 0, 0, false, 3);
/// Two percent.
const OTHERS: Decimal = Decimal::from_parts(2, 0, 0, false, 2);
/// A cent: what rounding makes of a penny stock is no disagreement.
const ROUNDING: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// Whether the other vendor's bar tells the same.
pub fn agree(bar: &Bar, other: &Bar) -> bool {
    disagreement(bar, other).is_none()
}

/// The first price in which the bars differ beyond tolerance.
pub fn disagreement(bar: &Bar, other: &Bar) -> Option<Fault> {
    type Of = fn(&Bar) -> Price;
    let prices: [(&str, Of, Decimal); 4] = [
        ("close", |bar| bar.close, CLOSE),
        ("open", |bar| bar.open, OTHERS),
        ("high", |bar| bar.high, OTHERS),
        ("low", |bar| bar.low, OTHERS),
    ];
    prices.into_iter().find_map(|(name, of, tolerance)| {
        let (ours, theirs) = (of(bar).decimal(), of(other).decimal());
        let difference = (ours - theirs).abs();
        (difference > ROUNDING && difference > tolerance * theirs)
            .then(|| Fault::new(Reason::VendorsDisagree, format_args!("the {name} is {ours}, the second vendor's {theirs}")))
    })
}
