//! What users say about themselves: profile and preferences.

use std::sync::Arc;

use app::auth::{Auth, Preferences, Profile, User};
use axum::extract::State;
use domain::{Sector, execution::RiskProfile};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::dto::UserBody;
use crate::{
    extract::{AuthUser, Json, given, present},
    number::Dollars,
    problem::{FieldError, Problem},
    routes::vocabulary::{PersonName, RiskTolerance, RoleName, SectorName},
};

const TAG: &str = "Auth";
const NAME_MAX: usize = 100;

/// A user's profile.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Profile)]
pub(super) struct ProfileBody {
    id: String,
    #[schema(format = Email)]
    email: String,
    #[schema(value_type = RoleName)]
    role: domain::Role,
    is_active: bool,
    is_verified: bool,
    first_name: Option<String>,
    last_name: Option<String>,
    #[schema(value_type = RiskTolerance)]
    risk_tolerance: RiskProfile,
    #[schema(value_type = Vec<SectorName>)]
    preferred_sectors: Vec<Sector>,
    /// The most that one position may be worth; null leaves it to the limits of the system.
    max_position_size: Option<Dollars>,
}

impl From<User> for ProfileBody {
    fn from(user: User) -> Self {
        let UserBody { id, email, role, is_active, is_verified } = UserBody::from(&user);
        let Profile { first_name, last_name, risk_tolerance, preferred_sectors, max_position_size } = user.profile;
        let max_position_size = max_position_size.map(Dollars);
        Self { id, email, role, is_active, is_verified, first_name, last_name, risk_tolerance, preferred_sectors, max_position_size }
    }
}

/// Changes to a profile: a field that is absent stays as it is, null clears it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent, null and a value are three things")]
pub(super) struct ProfileChange {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<PersonName>)]
    first_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<PersonName>)]
    last_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<RiskTolerance>, nullable = false)]
    risk_tolerance: Option<RiskProfile>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<SectorName>>, nullable = false, max_items = 11)]
    preferred_sectors: Option<Vec<Sector>>,
    /// Above zero; null leaves it to the limits of the system.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<f64>, exclusive_minimum = 0.0, maximum = 1e12, multiple_of = 0.01)]
    max_position_size: Option<Option<Dollars>>,
}

impl ProfileChange {
    fn apply(self, to: Profile) -> Result<Profile, Problem> {
        let mut errors = Vec::new();
        for (field, name) in [("first_name", &self.first_name), ("last_name", &self.last_name)] {
            let is_bad = |name: &String| name.chars().count() > NAME_MAX || name.chars().any(char::is_control);
            if name.as_ref().and_then(Option::as_ref).is_some_and(is_bad) {
                errors.push(FieldError::new(field, format!("must be at most {NAME_MAX} characters without control characters")));
            }
        }
        if self.max_position_size.flatten().is_some_and(|Dollars(size)| size <= domain::Money::ZERO) {
            errors.push(FieldError::new("max_position_size", "must be above zero"));
        }
        if self.preferred_sectors.as_ref().is_some_and(|sectors| sectors.len() > Sector::ALL.len()) {
            errors.push(FieldError::new("preferred_sectors", format!("must be at most {} sectors", Sector::ALL.len())));
        }
        let mut preferred_sectors = self.preferred_sectors.unwrap_or(to.preferred_sectors);
        preferred_sectors.sort_unstable();
        preferred_sectors.dedup();
        if !errors.is_empty() {
            return Err(Problem::invalid_inputs(errors));
        }
        Ok(Profile {
            first_name: self.first_name.map_or(to.first_name, tidy),
            last_name: self.last_name.map_or(to.last_name, tidy),
            risk_tolerance: self.risk_tolerance.unwrap_or(to.risk_tolerance),
            preferred_sectors,
            max_position_size: self.max_position_size.map_or(to.max_position_size, |size| size.map(|Dollars(size)| size)),
        })
    }
}

/// An empty name is no name.
fn tidy(name: Option<String>) -> Option<String> {
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// What is mailed, and whether signals are taken without asking.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Preferences)]
#[expect(clippy::struct_excessive_bools, reason = "they are the independent switches of a settings page")]
pub(in crate::routes) struct PreferencesBody {
    /// A mail each evening with the day's signals.
    email_signals: bool,
    /// In that mail, the portfolio's value and what was traded.
    email_portfolio_updates: bool,
    /// In that mail, how the stocks that are followed did.
    email_market_updates: bool,
    /// Take signals without being asked, as far as the limits allow.
    auto_trade: bool,
    /// Signals with less confidence than this are not taken without being asked; 0.35 unless you say otherwise. A target twice as far
    /// away as the stop pays for itself, before costs, when it is reached in one case of three.
    #[schema(minimum = 0, maximum = 1)]
    auto_trade_min_confidence: f64,
}

impl From<Preferences> for PreferencesBody {
    fn from(preferences: Preferences) -> Self {
        let Preferences { email_signals, email_portfolio_updates, email_market_updates, auto_trade, auto_trade_min_confidence } =
            preferences;
        Self { email_signals, email_portfolio_updates, email_market_updates, auto_trade, auto_trade_min_confidence }
    }
}

/// Changes to preferences: a field that is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PreferencesChange {
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    email_signals: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    email_portfolio_updates: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    email_market_updates: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    auto_trade: Option<bool>,
    /// From 0 (every signal) to 1.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, minimum = 0, maximum = 1)]
    auto_trade_min_confidence: Option<f64>,
}

impl PreferencesChange {
    fn apply(&self, to: Preferences) -> Result<Preferences, Problem> {
        let auto_trade_min_confidence = self.auto_trade_min_confidence.unwrap_or(to.auto_trade_min_confidence);
        if !(0.0..=1.0).contains(&auto_trade_min_confidence) {
            return Err(Problem::invalid_inputs(vec![FieldError::new("auto_trade_min_confidence", "must be from 0 to 1")]));
        }
        Ok(Preferences {
            email_signals: self.email_signals.unwrap_or(to.email_signals),
            email_portfolio_updates: self.email_portfolio_updates.unwrap_or(to.email_portfolio_updates),
            email_market_updates: self.email_market_updates.unwrap_or(to.email_market_updates),
            auto_trade: self.auto_trade.unwrap_or(to.auto_trade),
            auto_trade_min_confidence,
        })
    }
}

/// My profile
#[utoipa::path(get, path = "/users/me", tag = TAG, security(("bearer" = ["viewer"])), responses((status = 200, description = "The profile.", body = ProfileBody)))]
pub(super) async fn get_profile(user: AuthUser, State(auth): State<Arc<Auth>>) -> Result<Json<ProfileBody>, Problem> {
    Ok(Json(auth.user(&user.user_id).await?.into()))
}

/// Change my profile
#[utoipa::path(put, path = "/users/me", tag = TAG, security(("bearer" = ["viewer"])), responses((status = 200, description = "The profile after the change.", body = ProfileBody)))]
pub(super) async fn put_profile(
    user: AuthUser,
    State(auth): State<Arc<Auth>>,
    Json(change): Json<ProfileChange>,
) -> Result<Json<ProfileBody>, Problem> {
    let profile = change.apply(auth.user(&user.user_id).await?.profile)?;
    Ok(Json(auth.put_profile(&user.user_id, profile).await?.into()))
}

/// My preferences
#[utoipa::path(get, path = "/users/preferences", tag = TAG, security(("bearer" = ["viewer"])), responses((status = 200, description = "The preferences.", body = PreferencesBody)))]
pub(super) async fn get_preferences(user: AuthUser, State(auth): State<Arc<Auth>>) -> Result<Json<PreferencesBody>, Problem> {
    Ok(Json(auth.user(&user.user_id).await?.preferences.into()))
}

/// Change my preferences
#[utoipa::path(put, path = "/users/preferences", tag = TAG, security(("bearer" = ["viewer"])), responses((status = 200, description = "The preferences after the change.", body = PreferencesBody)))]
pub(super) async fn put_preferences(
    user: AuthUser,
    State(auth): State<Arc<Auth>>,
    Json(change): Json<PreferencesChange>,
) -> Result<Json<PreferencesBody>, Problem> {
    let preferences = change.apply(auth.user(&user.user_id).await?.preferences)?;
    Ok(Json(auth.put_preferences(&user.user_id, preferences).await?.preferences.into()))
}
