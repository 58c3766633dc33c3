//! Who uses the system: addresses, identities and what each role may do.

use std::{fmt, str::FromStr};

use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};

/// Opaque identity of a user; stable for the life of the account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(pub String);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a user may do; each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads market data, signals and the own portfolio.
    Viewer,
    /// Also trades in the own portfolio.
    #[default]
    Trader,
    /// Also manages data and users.
    Admin,
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Trader => "trader",
            Self::Admin => "admin",
        }
    }
}

/// A mail address in its normal form: trimmed, small letters, one way of writing each character, one `@`; a plus-tag is part of it.
///
/// Before the `@`, characters that look the same and are encoded otherwise become one (Unicode's form NFKC); after it, a name is
/// what the domain name system asks for (UTS 46), so that `bücher.example` and `xn--bcher-kva.example` are one host. Mail goes to the
/// normal form: whoever writes an address otherwise cannot make its code go elsewhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("that is not a mail address: expected something like name@example.com")]
pub struct EmailError;

impl Email {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        let (local, host) = text.trim().rsplit_once('@').ok_or(EmailError)?;
        // No address is this long however it is written, and normalising costs time.
        if local.len() > 4 * MAX_LOCAL || host.len() > 4 * MAX_HOST {
            return Err(EmailError);
        }
        let local = normal_local(local);
        let host = idna::domain_to_ascii(host).map_err(|_| EmailError)?;
        let local_is_good = (1..=MAX_LOCAL).contains(&local.len())
            && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c))
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        // `localhost` alone is a good host: the first administrator of a machine is admin@localhost.
        let host_is_good = (1..=MAX_HOST).contains(&host.len())
            && host.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                    && !label.starts_with('-')
                    && !label.ends_with('-')
            });
        if local_is_good && host_is_good { Ok(Self(format!("{local}@{host}"))) } else { Err(EmailError) }
    }
}

/// Bytes; RFC 5321, 4.5.3.1.
const MAX_LOCAL: usize = 64;
const MAX_HOST: usize = 253;

fn normal_local(local: &str) -> String {
    let small = ComposingNormalizerBorrowed::new_nfkc().normalize(local).to_lowercase();
    // A small letter may be written apart where its capital was not.
    ComposingNormalizerBorrowed::new_nfc().normalize(&small).into_owned()
}

impl TryFrom<String> for Email {
    type Error = EmailError;
    fn try_from(text: String) -> Result<Self, EmailError> {
        text.parse()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> String {
        email.0
    }
}

/// Addresses are private: logs see only that there is one.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_normalised_or_refused() {
        for (text, expected) in [
            (" Ann.Lee+Stocks@Example.COM ", Some("ann.lee+stocks@example.com")),
            ("admin@localhost", Some("admin@localhost")),
            ("ZO\u{CB}@example.com", Some("zo\u{EB}@example.com")),
            ("Zoe\u{308}@example.com", Some("zo\u{EB}@example.com")),
            ("\u{FF41}nn@example.com", Some("ann@example.com")),
            ("ann@B\u{DC}CHER.example", Some("ann@xn--bcher-kva.example")),
            ("ann@bu\u{308}cher.example", Some("ann@xn--bcher-kva.example")),
            ("ann@xn--bcher-kva.example", Some("ann@xn--bcher-kva.example")),
            ("ann@example\u{3002}com", Some("ann@example.com")),
            ("ann@xn--a.example", None),
            ("a\u{200D}nn@example.com", None),
            ("ann\u{202E}@example.com", None),
            ("ann", None),
            ("@example.com", None),
            ("ann@", None),
            ("a b@example.com", None),
            ("ann@@example.com", None),
            (".ann@example.com", None),
            ("ann@-example.com", None),
            ("ann@example..com", None),
            ("ann@example.com\r\nBcc: all@example.com", None),
        ] {
            assert_eq!(text.parse::<Email>().ok().as_ref().map(Email::as_str), expected, "{text:?}");
        }
    }

    #[test]
    fn roles_are_ordered() {
        assert!(Role::Viewer < Role::Trader && Role::Trader < Role::Admin);
    }
}
