//! What administrators and the daily job do to identities.

use domain::{Email, Role, Timestamp, UserId};
use tracing::info;

use super::{Actor, AuditAction, AuditEntry, Auth, AuthError, Origin, Principal, User};
use crate::ports::{Standing, UserPage};

impl Auth {
    /// Makes sure that the address has an account with the role of an administrator: how the first one comes to be.
    /// It proves nothing about the address; who signs in with a code mailed there is the administrator.
    pub async fn ensure_admin(&self, email: &Email, now: Timestamp) -> Result<User, AuthError> {
        let entry = AuditEntry::new(AuditAction::AdminAppointed, Actor::Operator, &Origin::default(), now);
        let user = if let Some(user) = self.store.user_by_email(email).await? {
            user
        } else {
            let user = self.find_or_create(email, Role::Admin, now).await?;
            self.record(entry.clone().on(Some(&user.id))).await;
            user
        };
        if user.role == Role::Admin {
            return Ok(user);
        }
        let raised = self.change_standing(&user.id, Standing::Role(Role::Admin), entry).await?;
        info!(user_id = %user.id, "made an administrator by the operator");
        Ok(raised)
    }

    /// At most `limit` users in the order in which they joined, from `after` ([`UserPage::next`] of the page before) on.
    pub async fn users(&self, after: Option<&str>, limit: u32) -> Result<UserPage, AuthError> {
        Ok(self.store.users(after, limit).await?)
    }

    /// Takes effect at once here and within [`user_cache`](super::AuthPolicy::user_cache) in other copies. The last active
    /// administrator stays one ([`AuthError::LastAdmin`]), however many take the role from one another at once.
    pub async fn set_role(&self, admin: &Principal, user: &UserId, role: Role, origin: &Origin, now: Timestamp) -> Result<User, AuthError> {
        let entry = AuditEntry::new(AuditAction::RoleChanged, Actor::User(admin.user_id.clone()), origin, now).because(role.name());
        let changed = self.change_standing(user, Standing::Role(role), entry).await?;
        info!(admin_id = %admin.user_id, user_id = %user, role = role.name(), "role changed");
        Ok(changed)
    }

    /// Deactivation also closes all sessions, so it holds everywhere at once; not for the last active administrator.
    pub async fn set_active(
        &self,
        admin: &Principal,
        user: &UserId,
        active: bool,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<User, AuthError> {
        let action = if active { AuditAction::UserReactivated } else { AuditAction::UserDeactivated };
        let entry = AuditEntry::new(action, Actor::User(admin.user_id.clone()), origin, now);
        let changed = self.change_standing(user, Standing::Active(active), entry).await?;
        if !active {
            self.close_sessions(user).await?;
        }
        info!(admin_id = %admin.user_id, user_id = %user, active, "activity changed");
        Ok(changed)
    }

    /// The change and the entry about it, both or neither.
    pub(super) async fn change_standing(&self, user: &UserId, change: Standing, entry: AuditEntry) -> Result<User, AuthError> {
        let changed = self.store.change_standing(user, change, &entry.on(Some(user))).await;
        self.users.remove(user);
        changed?.ok_or(AuthError::UnknownUser)
    }

    /// The daily clearing: deletes codes, sessions, counters and entries of the log that are over. Safe to repeat; tells how many
    /// there were.
    pub async fn purge_expired(&self, now: Timestamp) -> Result<usize, AuthError> {
        let purged = self.store.purge_expired(now).await?;
        info!(purged, "expired codes, sessions and counters cleared");
        Ok(purged)
    }
}
