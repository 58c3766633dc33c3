//! Exposure and turnover: how much of a portfolio was invested, and how much of it changed hands.

use super::{defined, mean};

/// Mean share of the value that was not cash, 0 to 1; each pair is what was invested and the whole value. `None` without pairs or
/// when a value is not above zero.
pub fn exposure(pairs: &[(f64, f64)]) -> Option<f64> {
    let shares: Option<Vec<f64>> = pairs.iter().map(|(invested, value)| (*value > 0.0).then(|| invested / value)).collect();
    defined(mean(&shares?)?)
}

/// Half of what was bought and sold over the mean value: 1 when the whole portfolio was replaced once. (The SEC's Form N-1A, item
/// 13, counts the smaller of purchases and sales instead, which is zero for a portfolio that only buys.) `None` without values or when
/// their mean is not above zero.
pub fn turnover(traded: f64, values: &[f64]) -> Option<f64> {
    let mean = mean(values).filter(|mean| *mean > 0.0)?;
    defined(traded / 2.0 / mean)
}

#[cfg(test)]
mod tests {
    #[test]
    fn are_shares_of_the_value() {
        assert_eq!(super::exposure(&[(0.0, 100.0), (50.0, 100.0)]), Some(0.25));
        assert_eq!(super::exposure(&[(0.0, 0.0)]), None);
        assert_eq!(super::exposure(&[]), None);
        // All of 100 dollars sold and bought again.
        assert_eq!(super::turnover(200.0, &[90.0, 110.0]), Some(1.0));
        assert_eq!(super::turnover(0.0, &[]), None);
    }
}
