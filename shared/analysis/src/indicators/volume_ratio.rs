//! Today's volume against its average.

/// Volume divided by its own average (as from [`super::sma`]); 1 is an ordinary session. `NaN` where the average is zero or warming up.
pub fn volume_ratio(volume: &[f64], average: &[f64], out: &mut [f64]) {
    for ((value, volume), average) in out.iter_mut().zip(volume).zip(average) {
        *value = if *average > 0.0 { volume / average } else { f64::NAN };
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "these results are exact")]

    #[test]
    fn is_missing_without_an_average_to_compare_with() {
        let mut out = [0.0; 3];
        super::volume_ratio(&[3.0, 3.0, 0.0], &[f64::NAN, 2.0, 0.0], &mut out);
        assert!(out[0].is_nan() && out[2].is_nan());
        assert_eq!(out[1], 1.5);
    }
}
