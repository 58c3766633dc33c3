//! A user, and what a user may say about themselves.

use domain::{Email, Money, Role, Sector, Timestamp, UserId, execution::RiskProfile};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub id: UserId,
    pub email: Email,
    pub role: Role,
    /// A deactivated user cannot sign in, and tokens stop working.
    pub is_active: bool,
    /// Whether a code that was mailed to the address has come back.
    pub is_verified: bool,
    pub created_at: Timestamp,
    pub last_sign_in_at: Option<Timestamp>,
    pub profile: Profile,
    pub preferences: Preferences,
}

impl User {
    /// Whether signals are taken without asking: for those who want it and may still trade.
    pub fn trades_automatically(&self) -> bool {
        self.preferences.auto_trade && self.is_active && self.role >= Role::Trader
    }

    /// Whether the evening's mail goes to this user.
    pub fn reads_digest(&self) -> bool {
        self.preferences.asks_for_mail() && self.is_active
    }
}

/// What sizing and suggestions go by. A field that an older record lacks has its default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub risk_tolerance: RiskProfile,
    pub preferred_sectors: Vec<Sector>,
    /// The most that one position may be worth, in dollars; `None` leaves it to the limits of the system.
    pub max_position_size: Option<Money>,
}

/// What is mailed, and whether signals are taken without asking. Nothing of it happens unless the user says so.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(clippy::struct_excessive_bools, reason = "they are the independent switches of a settings page")]
pub struct Preferences {
    pub email_signals: bool,
    pub email_portfolio_updates: bool,
    pub email_market_updates: bool,
    /// Take signals without being asked, as far as the limits allow.
    pub auto_trade: bool,
    /// Signals with less confidence than this, 0 to 1, are not taken without being asked.
    pub auto_trade_min_confidence: f64,
}

impl Preferences {
    /// A target twice as far away as the stop pays for itself when it is reached in one case of three; what lies above that pays
    /// for the costs.
    pub const DEFAULT_MIN_CONFIDENCE: f64 = 0.35;

    pub fn asks_for_mail(&self) -> bool {
        self.email_signals || self.email_portfolio_updates || self.email_market_updates
    }

    /// Whether the daily jobs have anything to do for who prefers this.
    pub fn concerns_jobs(&self) -> bool {
        self.auto_trade || self.asks_for_mail()
    }
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            email_signals: false,
            email_portfolio_updates: false,
            email_market_updates: false,
            auto_trade: false,
            auto_trade_min_confidence: Self::DEFAULT_MIN_CONFIDENCE,
        }
    }
}
