//! Maximum drawdown.

use domain::Date;

/// The deepest fall of a value below its earlier high.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawdown {
    /// Fraction of the high that was lost, 0.2 for twenty percent; zero when the value never fell.
    pub depth: f64,
    /// When the high was.
    pub peak: Date,
    /// When the lowest value after it was.
    pub trough: Date,
    /// When the high was reached again; `None` when it has not been.
    pub recovered: Option<Date>,
}

/// `max over t of (high up to t − value at t) / high up to t` (Magdon-Ismail and Atiya, "Maximum Drawdown", 2004); the first of equally
/// deep ones. `None` without values, or when a value to measure against is not above zero.
pub fn max_drawdown(values: &[(Date, f64)]) -> Option<Drawdown> {
    let (first, value) = *values.first()?;
    let mut high = (first, value);
    let mut worst = Drawdown { depth: 0.0, peak: first, trough: first, recovered: Some(first) };
    let mut worst_high = value;
    for &(date, value) in values {
        if high.1.is_nan() || high.1 <= 0.0 || !value.is_finite() {
            return None;
        }
        if worst.recovered.is_none() && value >= worst_high {
            worst.recovered = Some(date);
        }
        if value >= high.1 {
            high = (date, value);
        }
        let depth = (high.1 - value) / high.1;
        if depth > worst.depth {
            worst = Drawdown { depth, peak: high.0, trough: date, recovered: None };
            worst_high = high.1;
        }
    }
    Some(worst)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "these results are exact")]

    use super::*;
    use jiff::civil::date;

    fn of(values: &[f64]) -> Option<Drawdown> {
        let dated: Vec<_> = (1..).map(|day| date(2020, 1, day)).zip(values.iter().copied()).collect();
        max_drawdown(&dated)
    }

    #[test]
    fn has_a_depth_and_dates() {
        let drawdown = of(&[100.0, 120.0, 90.0, 110.0, 120.0, 114.0]).unwrap();
        assert_eq!(drawdown, Drawdown { depth: 0.25, peak: date(2020, 1, 2), trough: date(2020, 1, 3), recovered: Some(date(2020, 1, 5)) });
        assert_eq!(of(&[100.0, 80.0, 90.0, 60.0]).unwrap().recovered, None);
    }

    #[test]
    fn a_second_deeper_fall_before_recovery_keeps_the_first_peak() {
        let drawdown = of(&[100.0, 80.0, 95.0, 70.0, 100.0]).unwrap();
        assert_eq!((drawdown.peak, drawdown.trough, drawdown.recovered), (date(2020, 1, 1), date(2020, 1, 4), Some(date(2020, 1, 5))));
    }

    #[test]
    fn none_fell_is_zero_and_nothing_is_undefined() {
        assert_eq!(of(&[1.0, 2.0]).unwrap().depth, 0.0);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[0.0, 1.0]), None);
    }
}
