//! How the edge learns who is calling.

use app::auth::{AuditEntry, Auth, AuthError, Principal};
use async_trait::async_trait;
use domain::Timestamp;

/// Checks bearer tokens; in production that is [`Auth`].
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// Whose token this is at the wall clock's instant `now`.
    async fn authenticate(&self, token: &str, now: Timestamp) -> Result<Principal, AuthError>;

    /// Keeps an entry of the audit log. Who knows nobody has nothing to tell of.
    async fn record(&self, _entry: AuditEntry) {}
}

#[async_trait]
impl Authenticator for Auth {
    async fn authenticate(&self, token: &str, now: Timestamp) -> Result<Principal, AuthError> {
        self.verify(token, now).await
    }

    async fn record(&self, entry: AuditEntry) {
        Self::record(self, entry).await;
    }
}
