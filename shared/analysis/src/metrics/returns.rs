//! Returns and their compounding.

use super::{SESSIONS_A_YEAR, defined};

/// Simple returns between successive values: one fewer than there are values. `None` where a value is zero or below, from which no
/// return can be counted.
pub fn returns(values: &[f64]) -> Option<Vec<f64>> {
    values.windows(2).map(|pair| (pair[0] > 0.0).then(|| pair[1] / pair[0] - 1.0)).collect()
}

/// All returns compounded, `Π(1 + r) − 1`; `None` without any.
pub fn total_return(returns: &[f64]) -> Option<f64> {
    let growth = returns.iter().map(|value| 1.0 + value).product::<f64>();
    if returns.is_empty() { None } else { defined(growth - 1.0) }
}

/// The constant yearly return that compounds to the same, `Π(1 + r)^(252 / n) − 1`; `None` without returns or when more than
/// everything was lost.
pub fn annualized_return(returns: &[f64]) -> Option<f64> {
    let growth = 1.0 + total_return(returns)?;
    if growth < 0.0 { None } else { defined(growth.powf(SESSIONS_A_YEAR / returns.len() as f64) - 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compound() {
        let daily = returns(&[100.0, 110.0, 99.0]).unwrap();
        assert!((total_return(&daily).unwrap() + 0.01).abs() < 1e-12);
        assert!((annualized_return(&daily).unwrap() - (0.99_f64.powf(126.0) - 1.0)).abs() < 1e-12);
    }

    #[test]
    fn undefined_without_a_base() {
        assert_eq!(returns(&[0.0, 1.0]), None);
        assert_eq!(returns(&[1.0]), Some(vec![]));
        assert_eq!((total_return(&[]), annualized_return(&[])), (None, None));
        assert_eq!(annualized_return(&[-1.5]), None);
        assert_eq!(annualized_return(&[-1.0]), Some(-1.0));
    }
}
