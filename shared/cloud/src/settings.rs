//! What a deployment tells its functions, in their environment. Region, credentials and endpoints are the SDK's own matter.

use adapters::market_data::Plan;
use api::{FeatureFlags, middleware::LimitSettings};
use app::auth::SignUp;
use axum::http::HeaderValue;
use domain::{Email, trading::TradingRules};

/// A setting that is missing or wrong; the text names the variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error("{0} is not set")]
    Missing(&'static str),
    /// A defect of this program: its `main` does not name what it uses.
    #[error("this function does not reach {0}")]
    OutOfReach(&'static str),
    #[error("{variable} is `{value}`: {reason}")]
    Invalid { variable: &'static str, value: String, reason: String },
}

/// All settings that are there. Each function is given those that it uses: asking for one that is absent names its variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `STAGE`: which of several deployments in an account this is.
    pub stage: String,
    /// `ADMIN_EMAIL`: who becomes the first administrator.
    pub admin: Option<Email>,
    /// `SIGN_UP`: who may get an account, as [`SignUp`] reads it; everybody where it is not set.
    pub sign_up: Option<SignUp>,
    /// `ALLOWED_ORIGINS`: web pages that may call the API, separated by commas.
    pub origins: Vec<HeaderValue>,
    /// `TRADING_RULES`: what of fees, slippage and limits is to be otherwise than by default, as TOML.
    pub rules: TradingRules,
    /// `FEATURE_REAL_TIME_DATA`, `FEATURE_ADVANCED_CHARTS`, `FEATURE_MODEL_INSIGHTS`: which parts of the API are on, `true` or `false`.
    pub features: FeatureFlags,
    /// `RATE_LIMITS`: how often callers may come, such as `read=60/s burst 600, codes-per-address=5/10m`.
    pub limits: LimitSettings,
    pub polygon: VendorSettings,
    pub tiingo: VendorSettings,
    /// Whether a stand-in serves S3: buckets are named in the path then.
    pub path_style: bool,
    table_prefix: Option<String>,
    bucket: Option<String>,
    event_bus: Option<String>,
    signing_secret: Option<String>,
    mail_sender: Option<String>,
    /// `SES_CONFIGURATION_SET`
    pub mail_configuration: Option<String>,
}

/// Where a vendor's key is kept, what plan it is for if not the free one, and where the vendor is if not at the usual address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VendorSettings {
    pub secret: Option<String>,
    pub plan: Option<Plan>,
    pub base_url: Option<String>,
}

impl Settings {
    pub fn from_environment() -> Result<Self, SettingsError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// Reads all variables at once: what is set but wrong is said at the start, not when it is needed. Empty counts as not set.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let text = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let vendor = |vendor: &str, secret: &str, plan: &'static str, base_url: &str| -> Result<_, SettingsError> {
            let plan = text(plan).map(|name| parsed(plan, &format!("{vendor} {name}"))).transpose()?;
            Ok(VendorSettings { secret: text(secret), plan, base_url: text(base_url) })
        };
        Ok(Self {
            stage: stage(text("STAGE"))?,
            admin: text("ADMIN_EMAIL").map(|email| parsed("ADMIN_EMAIL", &email)).transpose()?,
            sign_up: text("SIGN_UP").map(|who| parsed("SIGN_UP", &who)).transpose()?,
            origins: origins(text("ALLOWED_ORIGINS"))?,
            rules: rules(text("TRADING_RULES"))?,
            features: features(&text)?,
            limits: text("RATE_LIMITS").map(|limits| parsed("RATE_LIMITS", &limits)).transpose()?.unwrap_or_default(),
            polygon: vendor("polygon", "POLYGON_SECRET_ID", "POLYGON_PLAN", "POLYGON_BASE_URL")?,
            tiingo: vendor("tiingo", "TIINGO_SECRET_ID", "TIINGO_PLAN", "TIINGO_BASE_URL")?,
            path_style: text("AWS_ENDPOINT_URL").or_else(|| text("AWS_ENDPOINT_URL_S3")).is_some(),
            table_prefix: text("TABLE_PREFIX"),
            bucket: text("BUCKET"),
            event_bus: text("EVENT_BUS"),
            signing_secret: text("SIGNING_SECRET_ID"),
            mail_sender: text("MAIL_SENDER"),
            mail_configuration: text("SES_CONFIGURATION_SET"),
        })
    }

    pub fn table_prefix(&self) -> Result<&str, SettingsError> {
        needed("TABLE_PREFIX", self.table_prefix.as_deref())
    }

    pub fn bucket(&self) -> Result<&str, SettingsError> {
        needed("BUCKET", self.bucket.as_deref())
    }

    pub fn event_bus(&self) -> Result<&str, SettingsError> {
        needed("EVENT_BUS", self.event_bus.as_deref())
    }

    pub fn signing_secret(&self) -> Result<&str, SettingsError> {
        needed("SIGNING_SECRET_ID", self.signing_secret.as_deref())
    }

    pub fn mail_sender(&self) -> Result<&str, SettingsError> {
        needed("MAIL_SENDER", self.mail_sender.as_deref())
    }
}

fn needed<'a>(variable: &'static str, value: Option<&'a str>) -> Result<&'a str, SettingsError> {
    value.ok_or(SettingsError::Missing(variable))
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(variable: &'static str, value: &str) -> Result<T, SettingsError> {
    value.parse().map_err(|reason: T::Err| SettingsError::Invalid { variable, value: value.to_owned(), reason: reason.to_string() })
}

/// The stage is a part of names of resources and of the source of events.
fn stage(value: Option<String>) -> Result<String, SettingsError> {
    let value = value.ok_or(SettingsError::Missing("STAGE"))?;
    if value.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        return Ok(value);
    }
    Err(SettingsError::Invalid { variable: "STAGE", value, reason: "small letters, digits and hyphens only".into() })
}

fn rules(value: Option<String>) -> Result<TradingRules, SettingsError> {
    let value = value.unwrap_or_default();
    runtime::rules::parse(&value).map_err(|error| SettingsError::Invalid { variable: "TRADING_RULES", value, reason: error.to_string() })
}

fn features(text: &impl Fn(&str) -> Option<String>) -> Result<FeatureFlags, SettingsError> {
    let is_on = |variable: &'static str, otherwise: bool| match text(variable).as_deref() {
        None => Ok(otherwise),
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(other) => Err(SettingsError::Invalid { variable, value: other.to_owned(), reason: "true or false".into() }),
    };
    let default = FeatureFlags::default();
    let [real_time_data, advanced_charts, model_insights] = api::features::VARIABLES;
    Ok(FeatureFlags {
        real_time_data: is_on(real_time_data, default.real_time_data)?,
        advanced_charts: is_on(advanced_charts, default.advanced_charts)?,
        model_insights: is_on(model_insights, default.model_insights)?,
    })
}

fn origins(value: Option<String>) -> Result<Vec<HeaderValue>, SettingsError> {
    let invalid = |value: &str, reason: &str| SettingsError::Invalid {
        variable: "ALLOWED_ORIGINS",
        value: value.to_owned(),
        reason: reason.to_owned(),
    };
    let list = value.unwrap_or_default();
    let origins = list.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    origins
        .map(|origin| match origin.split_once("://") {
            Some(("http" | "https", host)) if !host.is_empty() && !host.contains('/') => {
                HeaderValue::from_str(origin).map_err(|error| invalid(origin, &error.to_string()))
            }
            _ => Err(invalid(origin, "an origin is https:// and a host, without a path")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::from_variables(|name| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn what_is_not_set_is_missed_by_name_when_it_is_asked_for() {
        let settings = read(&[("STAGE", "dev"), ("BUCKET", "stockgpt-dev"), ("EVENT_BUS", " ")]).unwrap();
        assert_eq!(settings.bucket(), Ok("stockgpt-dev"));
        for (asked, variable) in [
            (settings.table_prefix(), "TABLE_PREFIX"),
            (settings.event_bus(), "EVENT_BUS"),
            (settings.signing_secret(), "SIGNING_SECRET_ID"),
            (settings.mail_sender(), "MAIL_SENDER"),
        ] {
            assert_eq!(asked, Err(SettingsError::Missing(variable)));
            assert_eq!(asked.unwrap_err().to_string(), format!("{variable} is not set"));
        }
        assert_eq!(read(&[]), Err(SettingsError::Missing("STAGE")));
    }

    #[test]
    fn what_is_wrong_is_refused_at_once_with_its_name() {
        for (variable, value) in [
            ("STAGE", "Dev"),
            ("STAGE", "a b"),
            ("ADMIN_EMAIL", "nobody"),
            ("SIGN_UP", "opne"),
            ("ALLOWED_ORIGINS", "example.com"),
            ("ALLOWED_ORIGINS", "https://a.example,https://b.example/path"),
            ("ALLOWED_ORIGINS", "*"),
            ("TRADING_RULES", "initial_cash = 0"),
            ("TRADING_RULES", "leverage = 2"),
            ("FEATURE_ADVANCED_CHARTS", "maybe"),
            ("RATE_LIMITS", "read=fast"),
        ] {
            let error = read(&[("STAGE", "dev"), (variable, value)].into_iter().rev().collect::<Vec<_>>()).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{variable} is `")), "{error}");
        }
    }

    #[test]
    fn lists_and_optional_settings() {
        let settings = read(&[
            ("STAGE", "dev"),
            ("ADMIN_EMAIL", "ann@example.com"),
            ("SIGN_UP", "example.org"),
            ("ALLOWED_ORIGINS", "https://app.example.com, http://localhost:3000,"),
            ("RATE_LIMITS", "read=7/s burst 70"),
            ("POLYGON_SECRET_ID", "polygon"),
            ("POLYGON_PLAN", "paid"),
            ("TRADING_RULES", "initial_cash = 25000\nlimits = { participation = 0.1 }"),
            ("TIINGO_BASE_URL", "http://127.0.0.1:9"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
            ("FEATURE_MODEL_INSIGHTS", "false"),
        ])
        .unwrap();
        assert_eq!(settings.admin.unwrap().as_str(), "ann@example.com");
        assert_eq!(settings.sign_up.unwrap().to_string(), "example.org");
        assert_eq!(settings.origins, ["https://app.example.com", "http://localhost:3000"]);
        assert_eq!(settings.polygon, VendorSettings { secret: Some("polygon".into()), plan: Some(Plan::POLYGON_PAID), base_url: None });
        assert_eq!(settings.tiingo, VendorSettings { secret: None, plan: None, base_url: Some("http://127.0.0.1:9".into()) });
        assert_eq!(settings.rules.initial_cash.to_string(), "25000.00");
        assert_eq!(settings.limits, "read=7/s burst 70".parse().unwrap());
        assert!(settings.path_style);
        assert_eq!(settings.features, FeatureFlags { model_insights: false, ..FeatureFlags::default() });
    }
}
