//! Calibrated probabilities.

use serde::{Deserialize, Serialize};

/// Smallest probability taken into a logarithm.
const LEAST: f64 = 1e-7;

/// Vector scaling on log-probabilities: `softmax(scale · ln p + bias)`, class by class (Guo, Pleiss, Sun and Weinberger,
/// "On Calibration of Modern Neural Networks", 2017, section 4.2). Fitted on sessions after the training data.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VectorScaling {
    pub scale: [f64; 3],
    pub bias: [f64; 3],
}

impl VectorScaling {
    /// The scaling that changes nothing.
    pub const IDENTITY: Self = Self { scale: [1.0; 3], bias: [0.0; 3] };

    /// The calibrated probabilities of `raw`, the model's own (sell, hold, buy); they sum to one.
    pub fn calibrate(&self, raw: [f32; 3]) -> [f64; 3] {
        let scores: [f64; 3] = std::array::from_fn(|class| self.scale[class] * f64::from(raw[class]).max(LEAST).ln() + self.bias[class]);
        let largest = scores.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let weights = scores.map(|score| (score - largest).exp());
        let total: f64 = weights.iter().sum();
        weights.map(|weight| weight / total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_changes_nothing_and_a_bias_moves_odds_by_its_exponential() {
        let raw = [0.2_f32, 0.5, 0.3];
        let same = VectorScaling::IDENTITY.calibrate(raw);
        for (calibrated, raw) in same.iter().zip(raw) {
            assert!((calibrated - f64::from(raw)).abs() < 1e-7);
        }
        let moved = VectorScaling { scale: [1.0; 3], bias: [0.0, 0.0, 2.0_f64.ln()] }.calibrate(raw);
        assert!((moved[2] / moved[1] - 2.0 * 0.6).abs() < 1e-6);
        assert!((moved.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_probability_of_zero_stays_finite() {
        let calibrated = VectorScaling { scale: [1.5; 3], bias: [0.1; 3] }.calibrate([0.0, 0.0, 1.0]);
        assert!(calibrated.iter().all(|value| value.is_finite() && *value >= 0.0));
        assert!(calibrated[2] > 0.999);
    }
}
