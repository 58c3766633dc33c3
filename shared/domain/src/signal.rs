//! Trading signals: what the model proposes for one stock on one date, and what became of it.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{Price, Sector, Symbol, TradingDate};

/// Names the signal of one model for one stock on one date: scoring the same again gives the same id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SignalId {
    pub date: TradingDate,
    pub symbol: Symbol,
    pub model: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a signal's id")]
pub struct SignalIdError(String);

impl fmt::Display for SignalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}_{}", self.date, self.symbol, self.model)
    }
}

impl FromStr for SignalId {
    type Err = SignalIdError;
    fn from_str(text: &str) -> Result<Self, SignalIdError> {
        let error = || SignalIdError(text.chars().take(60).collect());
        let mut parts = text.splitn(3, '_');
        let mut part = || parts.next().ok_or_else(error);
        let date = part()?.parse().map_err(|_| error())?;
        let symbol = part()?.parse().map_err(|_| error())?;
        let model = part()?;
        let model_is_good = (1..=40).contains(&model.len()) && model.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b));
        if model_is_good { Ok(Self { date, symbol, model: model.to_owned() }) } else { Err(error()) }
    }
}

impl TryFrom<String> for SignalId {
    type Error = SignalIdError;
    fn try_from(text: String) -> Result<Self, SignalIdError> {
        text.parse()
    }
}

impl From<SignalId> for String {
    fn from(id: SignalId) -> String {
        id.to_string()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SignalAction {
    Buy,
    Sell,
    Hold,
}

impl SignalAction {
    pub const ALL: [Self; 3] = [Self::Buy, Self::Sell, Self::Hold];

    pub fn name(self) -> &'static str {
        match self {
            Self::Buy => "BUY",
            Self::Sell => "SELL",
            Self::Hold => "HOLD",
        }
    }
}

/// A band: of the edge that a signal promises, or of the risk that it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    Low,
    Medium,
    High,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignalStatus {
    /// Its life has not ended; it can be accepted.
    Active,
    /// The user who asks accepted it.
    Executed,
    /// Its life has ended.
    Expired,
    /// A later signal for the same stock replaced it.
    Cancelled,
}

impl SignalStatus {
    pub const ALL: [Self; 4] = [Self::Active, Self::Executed, Self::Expired, Self::Cancelled];

    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Executed => "executed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Calibrated chances, each 0..1, together 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Probabilities {
    /// A long trade reaches its target before its stop within the signal's life.
    pub buy: f64,
    /// Neither does.
    pub hold: f64,
    /// A short trade reaches its target before its stop within the signal's life.
    pub sell: f64,
}

/// What the model says of one stock on one date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    pub symbol: Symbol,
    /// The session whose close the features end with.
    pub date: TradingDate,
    /// The model's version.
    pub model: String,
    pub company: String,
    pub sector: Option<Sector>,
    pub action: SignalAction,
    /// Calibrated probability of the class that `action` stands for.
    pub confidence: f64,
    /// The model's own probability of it before calibration.
    pub model_confidence: f64,
    pub confidence_level: Level,
    pub probabilities: Probabilities,
    /// The close that the signal was made at, as traded.
    pub entry_price: Price,
    pub target_price: Option<Price>,
    pub stop_loss: Option<Price>,
    /// Expected return of the proposed trade after costs, as a fraction.
    pub expected_return: f64,
    pub risk_level: Level,
    /// Annualised volatility of the stock, as a fraction.
    pub volatility: Option<f64>,
    pub rationale: String,
    pub generated_at: Timestamp,
    /// The close of its last session.
    pub valid_until: Timestamp,
    /// When a later signal for the same stock replaced it.
    pub cancelled_at: Option<Timestamp>,
    /// What happened, once that is known.
    pub outcome: Option<SignalOutcome>,
}

/// Why the model says so: kept apart from the signal because lists do not need it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    pub symbol: Symbol,
    /// How each feature moved the class's score, largest first; they sum to the score less its base value.
    pub contributions: Vec<(String, f64)>,
    pub technical_analysis: String,
}

/// What became of the trade that a signal proposed, entered at the next session's open.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SignalOutcome {
    /// Whether the class with the signal's confidence came true.
    pub hit: bool,
    /// Which class came true.
    pub class: SignalAction,
    /// Return of the proposed trade as a fraction, before costs; for HOLD the return of holding the stock.
    pub trade_return: f64,
    pub exit_date: Date,
}

impl Signal {
    pub fn id(&self) -> SignalId {
        SignalId { date: self.date, symbol: self.symbol.clone(), model: self.model.clone() }
    }

    /// Its status for everyone; that a user accepted it is known to that user's portfolio only.
    pub fn status(&self, now: Timestamp) -> SignalStatus {
        match self.cancelled_at {
            Some(at) if at <= now && at < self.valid_until => SignalStatus::Cancelled,
            _ if now >= self.valid_until => SignalStatus::Expired,
            _ => SignalStatus::Active,
        }
    }

    /// Distance to the target over distance to the stop.
    pub fn risk_reward_ratio(&self) -> Option<f64> {
        let distance = |level: Price| (level.decimal() - self.entry_price.decimal()).abs();
        let (reward, risk) = (distance(self.target_price?), distance(self.stop_loss?));
        if risk.is_zero() { None } else { f64::try_from(reward / risk).ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_the_round_trip_and_refuse_everything_else() {
        let id = SignalId { date: "2022-01-03".parse().unwrap(), symbol: "BRK.B".parse().unwrap(), model: "m2021.1-3fa9c2".into() };
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in
            ["", "2022-01-03", "2022-01-03_AAPL", "2022-01-03_AAPL_", "2022-01-01_AAPL_m1", "2022-01-03_A/APL_m1", "2022-01-03_AAPL_m/1"]
        {
            assert!(text.parse::<SignalId>().is_err(), "{text}");
        }
    }
}
