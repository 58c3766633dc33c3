//! From probabilities to an action, by expected value after costs.

use serde::{Deserialize, Serialize};

use crate::labels::{Class, STOP_ATR, Side};

/// What a signal says to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Action {
    Buy,
    Sell,
    Hold,
}

/// How large the expected gain of the action is; a hold is always low.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EdgeLevel {
    Low,
    Medium,
    High,
}

/// Mean realised result of each side's trade in multiples of its risk, by what happened (sell, hold, buy): measured on the
/// calibration data, gaps through the stop and closes at the end of life included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeanR {
    pub long: [f64; 3],
    pub short: [f64; 3],
}

/// How much a trade must promise, after costs, in multiples of its risk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DecisionRule {
    /// Below it the action is to hold.
    pub least_r: f64,
    /// From here on the edge is medium.
    pub medium_r: f64,
    /// From here on the edge is high.
    pub high_r: f64,
}

/// An action and the reasons for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    pub action: Action,
    pub level: EdgeLevel,
    /// Calibrated probability of the action's class: that its target is hit before its stop, or for a hold that neither target is.
    pub confidence: f64,
    /// Expected gain after costs as a fraction of the price; zero for a hold, which trades nothing.
    pub expected_return: f64,
    /// Expected result of a long after costs, in multiples of its risk.
    pub long_r: f64,
    /// Expected result of a short after costs, in multiples of its risk.
    pub short_r: f64,
}

impl MeanR {
    /// Expected result before costs under `probabilities`, in multiples of the risk.
    pub fn expected(&self, side: Side, probabilities: [f64; 3]) -> f64 {
        let results = match side {
            Side::Long => self.long,
            Side::Short => self.short,
        };
        probabilities.iter().zip(results).map(|(probability, result)| probability * result).sum()
    }
}

impl DecisionRule {
    /// Decides for a stock at `price` dollars with an average true range of `atr` dollars, where a round trip costs `cost_bps`
    /// hundredths of a percent of the price.
    ///
    /// The expected result of a side is `Σ p(class) · mean R(side, class) − costs / risk`; the better side is taken when it promises at
    /// least [`Self::least_r`].
    pub fn decide(&self, mean_r: &MeanR, probabilities: [f64; 3], atr: f64, price: f64, cost_bps: f64) -> Decision {
        let of = |class: Class| probabilities[class.index()];
        let risk = STOP_ATR * atr / price;
        let costs = cost_bps / 10_000.0 / risk;
        let long_r = mean_r.expected(Side::Long, probabilities) - costs;
        let short_r = mean_r.expected(Side::Short, probabilities) - costs;
        let (best, action, confidence) =
            if long_r >= short_r { (long_r, Action::Buy, of(Class::Buy)) } else { (short_r, Action::Sell, of(Class::Sell)) };
        // Written so that a missing or zero range, which makes the edge NaN or minus infinity, holds.
        if best >= self.least_r {
            Decision { action, level: self.level(best), confidence, expected_return: best * risk, long_r, short_r }
        } else {
            Decision { action: Action::Hold, level: EdgeLevel::Low, confidence: of(Class::Hold), expected_return: 0.0, long_r, short_r }
        }
    }

    fn level(&self, edge: f64) -> EdgeLevel {
        if edge >= self.high_r {
            EdgeLevel::High
        } else if edge >= self.medium_r {
            EdgeLevel::Medium
        } else {
            EdgeLevel::Low
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEAN_R: MeanR = MeanR { long: [-1.0, 0.0, 2.0], short: [2.0, 0.0, -1.0] };
    const RULE: DecisionRule = DecisionRule { least_r: 0.02, medium_r: 0.1, high_r: 0.2 };

    fn decide(probabilities: [f64; 3], cost_bps: f64) -> Decision {
        RULE.decide(&MEAN_R, probabilities, 2.0, 100.0, cost_bps)
    }

    #[test]
    fn the_side_with_the_larger_expected_value_after_costs_is_taken() {
        // 0.4 · 2 − 0.35 · 1 = 0.45 R; costs of 10 bp are 0.05 R when the risk is 2 %.
        let decision = decide([0.35, 0.25, 0.4], 10.0);
        assert_eq!((decision.action, decision.level, decision.confidence), (Action::Buy, EdgeLevel::High, 0.4));
        assert!((decision.long_r - 0.40).abs() < 1e-12 && (decision.expected_return - 0.008).abs() < 1e-12);
        let mirrored = decide([0.4, 0.25, 0.35], 10.0);
        assert_eq!((mirrored.action, mirrored.short_r), (Action::Sell, decision.long_r));
    }

    #[test]
    fn a_small_edge_is_a_hold_and_costs_can_make_it_one() {
        let probabilities = [0.2, 0.65, 0.15];
        assert_eq!(decide(probabilities, 10.0).action, Action::Sell);
        let hold = decide(probabilities, 60.0);
        assert_eq!((hold.action, hold.level, hold.confidence, hold.expected_return), (Action::Hold, EdgeLevel::Low, 0.65, 0.0));
    }

    #[test]
    fn bands_are_of_edge_not_of_probability() {
        assert_eq!(decide([0.1, 0.8, 0.1], 0.0).level, EdgeLevel::Medium);
        assert_eq!(decide([0.05, 0.88, 0.07], 0.0).level, EdgeLevel::Low);
    }

    #[test]
    fn without_a_range_there_is_no_trade() {
        assert_eq!(RULE.decide(&MEAN_R, [0.1, 0.1, 0.8], 0.0, 100.0, 5.0).action, Action::Hold);
        assert_eq!(RULE.decide(&MEAN_R, [0.1, 0.1, 0.8], f64::NAN, 100.0, 5.0).action, Action::Hold);
        assert_eq!(RULE.decide(&MEAN_R, [f64::NAN; 3], 1.0, 100.0, 5.0).action, Action::Hold);
    }
}
