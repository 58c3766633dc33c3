//! The rules of signing in that an operator may set.

use std::time::Duration;

use super::{SignUp, limits::Bucket};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthPolicy {
    /// How long a code may be used.
    pub code_life: Duration,
    /// Wrong codes after which a new one is needed.
    pub max_tries: u32,
    pub token_life: Duration,
    pub sign_up: SignUp,
    /// `iss` of tokens: who made them.
    pub issuer: String,
    /// `aud` of tokens: whom they are for.
    pub audience: String,
    /// How long a user's role and activity may be remembered. A change takes effect within this time in every copy.
    pub user_cache: Duration,
    /// How long an open session may be remembered. Zero where several copies run, since a logout must hold in all of them at once;
    /// a lone process sees every logout itself and loses nothing.
    pub session_cache: Duration,
    /// Requests for a code, and logins that fail, are answered when a multiple of this has passed, so that the time does not tell
    /// whether there is an account. Longer than sending a mail takes nearly always.
    pub request_floor: Duration,
    pub limits: Limits,
}

/// How often what may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Codes mailed to one address: nobody's mailbox is flooded.
    pub codes_per_address: Bucket,
    /// Codes asked for by one source.
    pub codes_per_source: Bucket,
    /// Logins tried by one source.
    pub logins_per_source: Bucket,
    /// Wrong codes in a row for one address that cost nothing yet; each further one doubles the wait.
    pub free_failures: u32,
    pub first_wait: Duration,
    pub longest_wait: Duration,
}

impl Limits {
    /// How long after the last of `failures` wrong codes in a row the next try is heard.
    pub(super) fn wait_after(&self, failures: u32) -> Duration {
        match failures.checked_sub(self.free_failures) {
            None => Duration::ZERO,
            Some(doublings) => self.first_wait.saturating_mul(2_u32.saturating_pow(doublings)).min(self.longest_wait),
        }
    }
}

impl Default for AuthPolicy {
    fn default() -> Self {
        Self {
            code_life: Duration::from_mins(5),
            max_tries: 5,
            token_life: Duration::from_hours(24),
            sign_up: SignUp::Open,
            issuer: "stockgpt".into(),
            audience: "stockgpt-api".into(),
            user_cache: Duration::from_mins(1),
            session_cache: Duration::ZERO,
            request_floor: Duration::ZERO,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            codes_per_address: Bucket::new(5, Duration::from_mins(2)),
            codes_per_source: Bucket::new(30, Duration::from_secs(20)),
            logins_per_source: Bucket::new(60, Duration::from_secs(5)),
            free_failures: 10,
            first_wait: Duration::from_secs(30),
            longest_wait: Duration::from_mins(15),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let limits = Limits::default();
        for (failures, seconds) in [(0, 0), (9, 0), (10, 30), (11, 60), (12, 120), (15, 900), (100, 900), (u32::MAX, 900)] {
            assert_eq!(limits.wait_after(failures).as_secs(), seconds, "after {failures}");
        }
    }
}
