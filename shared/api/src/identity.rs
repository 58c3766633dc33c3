//! How the edge learns who is calling.

use app::auth::{Auth, AuthError, Principal};
use async_trait::async_trait;
use domain::Timestamp;

/// Checks bearer tokens; in production that is [`Auth`].
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// Whose token this is at the wall clock's instant `now`.
    async fn authenticate(&self, token: &str, now: Timestamp) -> Result<Principal, AuthError>;
}

#[async_trait]
impl Authenticator for Auth {
    async fn authenticate(&self, token: &str, now: Timestamp) -> Result<Principal, AuthError> {
        self.verify(token, now).await
    }
}
