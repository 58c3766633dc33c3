//! Volume-weighted average price over daily bars.

use crate::Series;

/// `Σ typical price × volume / Σ volume` over the last `period` sessions, in dollars, with typical price `(high + low + close) / 3`.
///
/// The intraday VWAP starts anew each session and cannot be had from daily bars; the rolling one is its usual daily stand-in
/// (a "moving VWAP"). `NaN` when nothing traded in the window. Each window is summed on its own: a running sum would carry
/// rounding from years ago into today's value.
pub fn vwap(series: &Series, period: usize, out: &mut [f64]) {
    let (high, low, close, volume) = (series.high(), series.low(), series.close(), series.volume());
    for (bar, value) in out.iter_mut().enumerate() {
        *value = f64::NAN;
        if bar + 1 < period {
            continue;
        }
        let (mut traded, mut shares) = (0.0, 0.0);
        for session in bar + 1 - period..=bar {
            traded += (high[session] + low[session] + close[session]) / 3.0 * volume[session];
            shares += volume[session];
        }
        if shares > 0.0 {
            *value = traded / shares;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::SeriesRow;
    use domain::TradingDate;

    #[test]
    fn weighs_typical_prices_by_volume_and_is_missing_where_nothing_traded() {
        let mut date = TradingDate::on_or_after(jiff::civil::date(2020, 1, 2));
        let rows = [(10.0, 1.0), (20.0, 3.0), (30.0, 0.0), (30.0, 0.0)].map(|(price, volume)| {
            date = date.next();
            SeriesRow { date, open: price, high: price + 1.0, low: price - 1.0, close: price, volume, total_return: price }
        });
        let series = Series::from_rows(rows).unwrap();
        let mut out = [0.0; 4];
        vwap(&series, 2, &mut out);
        assert!(out[0].is_nan() && out[3].is_nan());
        assert_eq!(out[1..3], [17.5, 20.0]);
    }
}
