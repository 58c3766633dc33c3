//! Bull, bear or sideways.

use serde::{Deserialize, Serialize};

/// The state of the market by the two classic moving averages of the equal-weight index.
///
/// *Bull*: the index above its 200-session average and the 50-session average above the 200-session one; *bear*: both below;
/// *sideways*: the two disagree. The 200-session rule is Faber's ("A Quantitative Approach to Tactical Asset Allocation", 2007),
/// the crossing of a short and a long average Brock, Lakonishok and `LeBaron`'s ("Simple Technical Trading Rules", 1992).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MarketRegime {
    Bull,
    Bear,
    Sideways,
}

impl MarketRegime {
    /// `None` while an average is still `NaN`.
    pub(crate) fn of(index: f64, average_50: f64, average_200: f64) -> Option<Self> {
        if average_50.is_nan() || average_200.is_nan() {
            return None;
        }
        Some(match (index > average_200, average_50 > average_200) {
            (true, true) => Self::Bull,
            (false, false) => Self::Bear,
            _ => Self::Sideways,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Bull => "bull",
            Self::Bear => "bear",
            Self::Sideways => "sideways",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_both_averages_and_their_agreement() {
        assert_eq!(MarketRegime::of(110.0, 105.0, 100.0), Some(MarketRegime::Bull));
        assert_eq!(MarketRegime::of(90.0, 95.0, 100.0), Some(MarketRegime::Bear));
        assert_eq!(MarketRegime::of(101.0, 95.0, 100.0), Some(MarketRegime::Sideways));
        assert_eq!(MarketRegime::of(99.0, 105.0, 100.0), Some(MarketRegime::Sideways));
        assert_eq!(MarketRegime::of(99.0, 105.0, f64::NAN), None);
    }
}
