//! Time-weighted return.

/// What a portfolio was worth at the end of a period and what came in (or, negative, went out) at its beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Valuation {
    pub value: f64,
    /// Deposits minus withdrawals since the valuation before, taken as made right after it.
    pub flow: f64,
}

/// The return of each period as if nothing had been paid in or out: `value / (previous value + flow) − 1`
/// (CFA Institute, "Global Investment Performance Standards", true time-weighted return). The first valuation is the base.
/// Nothing earns nothing: a period that begins and ends without any value returns zero, so that a portfolio that lost everything has
/// lost everything. `None` when something came from nothing, or what there was to earn on is below zero.
pub fn time_weighted_returns(valuations: &[Valuation]) -> Option<Vec<f64>> {
    valuations
        .windows(2)
        .map(|pair| {
            let base = pair[0].value + pair[1].flow;
            match base {
                base if base > 0.0 => Some(pair[1].value / base - 1.0),
                0.0 if pair[1].value == 0.0 => Some(0.0),
                _ => None,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deposit_is_not_a_gain() {
        let valuation = |value, flow| Valuation { value, flow };
        let returns = time_weighted_returns(&[valuation(100.0, 100.0), valuation(210.0, 100.0), valuation(105.0, -110.0)]).unwrap();
        assert!((returns[0] - 0.05).abs() < 1e-12 && (returns[1] - 0.05).abs() < 1e-12);
        assert_eq!(time_weighted_returns(&[valuation(100.0, 0.0), valuation(1.0, -100.0)]), None);
        let ruined = [valuation(100.0, 0.0), valuation(0.0, 0.0), valuation(0.0, 0.0)];
        assert_eq!(time_weighted_returns(&ruined), Some(vec![-1.0, 0.0]));
    }
}
