//! Why somebody is not let in.

use std::time::Duration;

use crate::ports::{MailError, StandingError, StoreError};

/// Texts are for the person who asked; they never say whether an address has an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Wrong, already used, or never asked for.
    #[error("That code is not valid. Check the newest mail, or request another code.")]
    InvalidCode,
    #[error("That code has expired. Request another one.")]
    ExpiredCode,
    #[error("That code was tried too often. Request another one.")]
    TooManyTries,
    #[error("Too many requests. Try again in {} seconds.", retry_after_seconds(*retry_after))]
    Throttled { retry_after: Duration },
    #[error("Sign-up is by invitation only.")]
    SignUpClosed,
    #[error("This account has been deactivated.")]
    Deactivated,

    #[error("This needs a bearer token: request a code, log in and send the token.")]
    MissingToken,
    #[error("The bearer token is malformed.")]
    MalformedToken,
    /// `none`, or any algorithm but the one that tokens are made with.
    #[error("The bearer token uses an algorithm that is not accepted.")]
    WrongAlgorithm,
    /// Signed by an unknown key, altered, or made for another service.
    #[error("The bearer token is not one of ours.")]
    ForgedToken,
    #[error("The bearer token has expired. Log in again.")]
    ExpiredToken,
    #[error("The bearer token has been revoked. Log in again.")]
    RevokedToken,

    #[error("There is no such user.")]
    UnknownUser,
    /// Nobody could let an administrator in again.
    #[error("This is the last active administrator. Make another user one first.")]
    LastAdmin,
    /// A confirmation that names another account.
    #[error("That is not the address of your account.")]
    OtherAddress,

    #[error(transparent)]
    Mail(#[from] MailError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<StandingError> for AuthError {
    fn from(error: StandingError) -> Self {
        match error {
            StandingError::LastAdmin => Self::LastAdmin,
            StandingError::Store(error) => Self::Store(error),
        }
    }
}

impl AuthError {
    /// Whether it is the token, or its absence, that was not accepted.
    pub fn is_about_token(&self) -> bool {
        matches!(
            self,
            Self::MissingToken | Self::MalformedToken | Self::WrongAlgorithm | Self::ForgedToken | Self::ExpiredToken | Self::RevokedToken
        )
    }
}

/// Whole seconds, rounded up: who waits that long is not refused for a rounding error.
fn retry_after_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
