//! Who may get an account.

use std::{collections::BTreeSet, fmt, str::FromStr};

use domain::Email;

/// Who may get an account by signing in for the first time. Those who have one are not affected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignUp {
    Open,
    /// These addresses, and all addresses of these domains.
    Only {
        addresses: BTreeSet<Email>,
        domains: BTreeSet<String>,
    },
}

/// Why a text does not say who may sign up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignUpError {
    #[error("expected `open`, `closed`, or addresses and domains separated by commas, such as `example.org,ann@example.com`")]
    Empty,
    #[error("`{0}` is neither a mail address nor a domain such as example.org, nor `open` or `closed` alone")]
    NotAnAddress(String),
}

impl SignUp {
    pub fn closed() -> Self {
        Self::Only { addresses: BTreeSet::new(), domains: BTreeSet::new() }
    }

    pub fn allows(&self, email: &Email) -> bool {
        match self {
            Self::Open => true,
            Self::Only { addresses, domains } => addresses.contains(email) || domains.contains(host(email)),
        }
    }
}

fn host(email: &Email) -> &str {
    email.as_str().rsplit_once('@').map_or("", |(_, host)| host)
}

/// `open`, `closed`, or a list of addresses and domains, in any case and with or without an `@` before a domain.
impl FromStr for SignUp {
    type Err = SignUpError;

    fn from_str(text: &str) -> Result<Self, SignUpError> {
        match text.trim().to_lowercase().as_str() {
            "open" => return Ok(Self::Open),
            "closed" => return Ok(Self::closed()),
            _ => {}
        }
        let (mut addresses, mut domains) = (BTreeSet::new(), BTreeSet::new());
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let unknown = || SignUpError::NotAnAddress(entry.into());
            match entry.strip_prefix('@').unwrap_or(entry) {
                address if address.contains('@') => {
                    addresses.insert(address.parse().map_err(|_| unknown())?);
                }
                // A word without a dot is a misspelt `open` or `closed` rather than a domain.
                domain if domain.contains('.') || domain == "localhost" => {
                    let somebody: Email = format!("somebody@{domain}").parse().map_err(|_| unknown())?;
                    domains.insert(host(&somebody).to_owned());
                }
                _ => return Err(unknown()),
            }
        }
        if addresses.is_empty() && domains.is_empty() {
            return Err(SignUpError::Empty);
        }
        Ok(Self::Only { addresses, domains })
    }
}

/// As [`FromStr`] reads it.
impl fmt::Display for SignUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::Only { addresses, domains } if addresses.is_empty() && domains.is_empty() => f.write_str("closed"),
            Self::Only { addresses, domains } => {
                let entries: Vec<&str> = domains.iter().map(String::as_str).chain(addresses.iter().map(Email::as_str)).collect();
                f.write_str(&entries.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_up_is_by_address_or_domain() {
        let only: SignUp = "example.org, ann@example.com".parse().unwrap();
        for (email, open, listed, closed) in [
            ("ann@example.com", true, true, false),
            ("ann+tag@example.com", true, false, false),
            ("bob@example.com", true, false, false),
            ("bob@example.org", true, true, false),
            ("bob@sub.example.org", true, false, false),
            ("bob@notexample.org", true, false, false),
        ] {
            let email = email.parse().unwrap();
            assert_eq!((SignUp::Open.allows(&email), only.allows(&email), SignUp::closed().allows(&email)), (open, listed, closed));
        }
    }

    #[test]
    fn a_text_says_who_may_sign_up_or_what_is_wrong_with_it() {
        for (text, expected) in [
            ("open", Ok("open")),
            (" Closed ", Ok("closed")),
            ("@Example.ORG", Ok("example.org")),
            ("b\u{FC}cher.example", Ok("xn--bcher-kva.example")),
            ("Ann@Example.com, example.org ,", Ok("example.org,ann@example.com")),
            ("localhost", Ok("localhost")),
            ("", Err(SignUpError::Empty)),
            (" , ", Err(SignUpError::Empty)),
            ("opne", Err(SignUpError::NotAnAddress("opne".into()))),
            ("open,example.org", Err(SignUpError::NotAnAddress("open".into()))),
            ("example.org,ann@", Err(SignUpError::NotAnAddress("ann@".into()))),
            ("exa mple.org", Err(SignUpError::NotAnAddress("exa mple.org".into()))),
            ("*.example.org", Err(SignUpError::NotAnAddress("*.example.org".into()))),
        ] {
            assert_eq!(text.parse::<SignUp>().map(|sign_up| sign_up.to_string()), expected.map(str::to_owned), "{text}");
        }
    }
}
