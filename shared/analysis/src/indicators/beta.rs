//! Sensitivity to the market.

/// Slope of the stock's daily returns on the market's over the last `period` sessions (the market model, Sharpe 1963):
/// covariance over the market's variance. `NaN` where a return of the window is missing or the market did not move.
pub fn beta(stock: &[f64], market: &[f64], period: usize, out: &mut [f64]) {
    let count = period as f64;
    for (bar, value) in out.iter_mut().enumerate() {
        *value = f64::NAN;
        if bar < period {
            continue;
        }
        let (stock, market) = (&stock[bar + 1 - period..=bar], &market[bar + 1 - period..=bar]);
        let market_mean = market.iter().sum::<f64>() / count;
        let (mut covariance, mut variance) = (0.0, 0.0);
        for (stock, market) in stock.iter().zip(market) {
            let deviation = market - market_mean;
            covariance += stock * deviation;
            variance += deviation * deviation;
        }
        if variance > 0.0 {
            *value = covariance / variance;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stock_that_doubles_every_move_has_a_beta_of_two() {
        let market = [f64::NAN, 0.01, -0.02, 0.03, 0.0];
        let stock = market.map(|value| 2.0 * value + 0.001);
        let mut out = [0.0; 5];
        beta(&stock, &market, 3, &mut out);
        assert!(out[..3].iter().all(|value| value.is_nan()));
        assert!(out[3..].iter().all(|value| (value - 2.0).abs() < 1e-12));
        beta(&stock, &[0.0; 5], 3, &mut out);
        assert!(out[4].is_nan());
    }
}
