//! Reliability of probabilities.

/// The forecasts whose probability lies in one interval, and how often they came true.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// Included.
    pub low: f64,
    /// Excluded, except that the last bin includes 1.
    pub high: f64,
    pub forecasts: usize,
    pub mean_probability: f64,
    pub hit_rate: f64,
}

/// A reliability diagram's numbers (Murphy and Winkler, "Reliability of Subjective Probability Forecasts", 1977): `bins` equal intervals of
/// probability, of which those without a forecast are left out. Probabilities outside 0 to 1 count in the nearest bin.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the product is within 0 and the number of bins")]
pub fn reliability(forecasts: &[(f64, bool)], bins: usize) -> Vec<ReliabilityBin> {
    let width = 1.0 / bins as f64;
    let mut sums = vec![(0_usize, 0.0, 0_usize); bins];
    for (probability, happened) in forecasts {
        let bin = ((probability.clamp(0.0, 1.0) * bins as f64) as usize).min(bins - 1);
        let (count, total, hits) = &mut sums[bin];
        *count += 1;
        *total += probability;
        *hits += usize::from(*happened);
    }
    sums.into_iter()
        .enumerate()
        .filter(|(_, (count, ..))| *count > 0)
        .map(|(bin, (forecasts, total, hits))| ReliabilityBin {
            low: bin as f64 * width,
            high: (bin + 1) as f64 * width,
            forecasts,
            mean_probability: total / forecasts as f64,
            hit_rate: hits as f64 / forecasts as f64,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_by_probability_and_leaves_empty_bins_out() {
        let bins = reliability(&[(0.31, true), (0.39, false), (1.0, true)], 10);
        assert_eq!(bins.len(), 2);
        assert_eq!((bins[0].forecasts, bins[0].hit_rate), (2, 0.5));
        assert!((bins[0].mean_probability - 0.35).abs() < 1e-12 && (bins[0].low - 0.3).abs() < 1e-12);
        assert_eq!((bins[1].forecasts, bins[1].high), (1, 1.0));
    }
}
