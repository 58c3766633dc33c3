//! All limits of rate as one text.

use std::str::FromStr;

use app::auth::{Bucket, Limits, RateError};

use super::{RouteClass, RouteLimits};

/// The limits of routes and those of signing in. As a text: `read=60/s burst 600, codes-per-address=5/10m`; what is not named keeps
/// its default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitSettings {
    pub routes: RouteLimits,
    pub sign_in: Limits,
}

/// What is wrong with a text of limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitSettingsError {
    #[error("`{0}` is no limit: expected a name, `=` and a rate, such as `read=60/s burst 600`")]
    NotALimit(String),
    #[error("there is no limit `{0}`: expected one of {names}", names = NAMES.join(", "))]
    Unknown(String),
    #[error("{0} is given more than once")]
    Twice(String),
    #[error("{name}: {error}")]
    Rate { name: String, error: RateError },
}

const NAMES: [&str; 8] = ["sign-in", "read", "write", "data", "public", "codes-per-address", "codes-per-source", "logins-per-source"];

impl LimitSettings {
    fn bucket_mut(&mut self, name: &str) -> Option<&mut Bucket> {
        let Self { routes, sign_in } = self;
        Some(match name {
            name if name == RouteClass::SignIn.name() => &mut routes.sign_in,
            name if name == RouteClass::Read.name() => &mut routes.read,
            name if name == RouteClass::Write.name() => &mut routes.write,
            name if name == RouteClass::Data.name() => &mut routes.data,
            name if name == RouteClass::Public.name() => &mut routes.public,
            "codes-per-address" => &mut sign_in.codes_per_address,
            "codes-per-source" => &mut sign_in.codes_per_source,
            "logins-per-source" => &mut sign_in.logins_per_source,
            _ => return None,
        })
    }
}

impl FromStr for LimitSettings {
    type Err = LimitSettingsError;

    fn from_str(text: &str) -> Result<Self, LimitSettingsError> {
        let mut settings = Self::default();
        let mut seen = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, rate) = part.split_once('=').ok_or_else(|| LimitSettingsError::NotALimit(part.to_owned()))?;
            let name = name.trim();
            let bucket = settings.bucket_mut(name).ok_or_else(|| LimitSettingsError::Unknown(name.to_owned()))?;
            *bucket = rate.parse().map_err(|error| LimitSettingsError::Rate { name: name.to_owned(), error })?;
            if seen.contains(&name) {
                return Err(LimitSettingsError::Twice(name.to_owned()));
            }
            seen.push(name);
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_changed_and_nothing_else() {
        let bucket = |text: &str| text.parse::<Bucket>().unwrap();
        let read: LimitSettings = " read = 5/s burst 9, codes-per-address=100/s,".parse().unwrap();
        let default = LimitSettings::default();
        assert_eq!(read.routes, RouteLimits { read: bucket("5/s burst 9"), ..default.routes.clone() });
        assert_eq!(read.sign_in, Limits { codes_per_address: bucket("100/s"), ..default.sign_in.clone() });
        assert_eq!("".parse(), Ok(default));
    }

    #[test]
    fn every_name_names_a_limit_of_its_own() {
        let all = NAMES.map(|name| format!("{name}=7/s")).join(",");
        let mut settings: LimitSettings = all.parse().unwrap();
        assert!(NAMES.iter().all(|name| settings.bucket_mut(name).copied() == "7/s".parse().ok()));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, expected) in [
            ("read", "`read` is no limit: expected a name, `=` and a rate, such as `read=60/s burst 600`"),
            ("reads=1/s", "there is no limit `reads`: expected one of sign-in, read, write, data, public, codes-per-address"),
            ("read=fast", "read: `fast` is no rate: expected something like `60/s`"),
            ("read=1/s, read=2/s", "read is given more than once"),
        ] {
            let error = text.parse::<LimitSettings>().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
