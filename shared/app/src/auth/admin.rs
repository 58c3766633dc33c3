//! What administrators and the daily job do to identities.

use domain::{Email, Role, Timestamp, UserId};
use tracing::info;

use super::{Auth, AuthError, Principal, User};
use crate::ports::{UserChange, UserPage};

impl Auth {
    /// Makes sure that the address has an account with the role of an administrator: how the first one comes to be.
    /// It proves nothing about the address; who signs in with a code mailed there is the administrator.
    pub async fn ensure_admin(&self, email: &Email, now: Timestamp) -> Result<User, AuthError> {
        let user = match self.store.user_by_email(email).await? {
            Some(user) => user,
            None => self.find_or_create(email, Role::Admin, now).await?,
        };
        if user.role == Role::Admin {
            return Ok(user);
        }
        info!(user_id = %user.id, "made an administrator by the operator");
        self.change(&user.id, &UserChange::Role(Role::Admin)).await
    }

    /// At most `limit` users in the order in which they joined, from `after` ([`UserPage::next`] of the page before) on.
    pub async fn users(&self, after: Option<&str>, limit: u32) -> Result<UserPage, AuthError> {
        Ok(self.store.users(after, limit).await?)
    }

    /// Takes effect at once here and within [`user_cache`](super::AuthPolicy::user_cache) in other copies.
    pub async fn set_role(&self, admin: &Principal, user: &UserId, role: Role) -> Result<User, AuthError> {
        if admin.user_id == *user {
            return Err(AuthError::OwnAccount);
        }
        let changed = self.change(user, &UserChange::Role(role)).await?;
        info!(admin_id = %admin.user_id, user_id = %user, role = role.name(), "role changed");
        Ok(changed)
    }

    /// Deactivation also closes all sessions, so it holds everywhere at once.
    pub async fn set_active(&self, admin: &Principal, user: &UserId, active: bool) -> Result<User, AuthError> {
        if admin.user_id == *user {
            return Err(AuthError::OwnAccount);
        }
        let changed = self.change(user, &UserChange::Active(active)).await?;
        if !active {
            self.logout_everywhere(user).await?;
        }
        info!(admin_id = %admin.user_id, user_id = %user, active, "activity changed");
        Ok(changed)
    }

    /// The daily clearing: deletes codes, sessions and counters that are over. Safe to repeat; tells how many there were.
    pub async fn purge_expired(&self, now: Timestamp) -> Result<usize, AuthError> {
        let purged = self.store.purge_expired(now).await?;
        info!(purged, "expired codes, sessions and counters cleared");
        Ok(purged)
    }
}
