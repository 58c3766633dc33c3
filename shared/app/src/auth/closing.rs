//! Leaving: the owner confirms, and nothing of the account stays.

use std::time::Duration;

use domain::{Email, Timestamp};
use tracing::info;

use super::{Actor, AuditAction, AuditEntry, Auth, AuthError, Origin, Principal};
use crate::ports::Standing;

impl Auth {
    /// Whether the one who asks really is the owner of the account: by its address and a fresh code, which is used up.
    pub async fn confirm(
        &self,
        principal: &Principal,
        email: &Email,
        code: &str,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), AuthError> {
        if *email != principal.email {
            return Err(AuthError::OtherAddress);
        }
        let confirmed = self.use_code(email, code, origin, now).await;
        if matches!(confirmed, Err(AuthError::InvalidCode | AuthError::ExpiredCode | AuthError::TooManyTries)) {
            self.record(entry(AuditAction::ConfirmationFailed, principal, origin, now)).await;
        }
        confirmed
    }

    /// Begins a deletion: nothing is opened in the user's name any more, and all sessions end at once in every copy. The last active
    /// administrator has to make another one first.
    pub async fn begin_closing(&self, principal: &Principal, origin: &Origin, now: Timestamp) -> Result<(), AuthError> {
        let entry = entry(AuditAction::AccountClosing, principal, origin, now);
        self.change_standing(&principal.user_id, Standing::Closing, entry).await?;
        self.close_sessions(&principal.user_id).await?;
        Ok(())
    }

    /// Ends a deletion: the account is gone, and its address may sign up anew.
    pub async fn forget(&self, principal: &Principal, origin: &Origin, now: Timestamp) -> Result<(), AuthError> {
        let user = &principal.user_id;
        // A request has one instant, and the log is told in the order of instants: the end comes after the beginning.
        let then = now + Duration::from_nanos(1);
        self.store.forget(user, &entry(AuditAction::AccountDeleted, principal, origin, then)).await?;
        self.users.remove(user);
        self.sessions.remove_all(|owner| owner == user);
        info!(user_id = %user, "account deleted");
        Ok(())
    }
}

fn entry(action: AuditAction, principal: &Principal, origin: &Origin, now: Timestamp) -> AuditEntry {
    AuditEntry::new(action, Actor::User(principal.user_id.clone()), origin, now).on(Some(&principal.user_id))
}
