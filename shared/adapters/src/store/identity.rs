//! Users, codes, sessions and limits in the identity table.
//!
//! | `pk` | `sk` | what |
//! |---|---|---|
//! | `USER#<id>` | `USER` | the user |
//! | `USER#<id>` | `SESSION#<id>` | an open session; ends by `expires_at` |
//! | `EMAIL#<address>` | `EMAIL` | whose address it is; makes it unique |
//! | `ADMINS` | `<id>` | an active administrator |
//! | `DIRECTORY` | `<created>#<id>` | the list of users, in the order in which they joined |
//! | `CODE#<address>` | `CODE` | the address's one sign-in code |
//! | `FAILURES#<address>` | `FAILURES` | wrong codes in a row |
//! | `LIMIT#<name>` | `LIMIT` | a token bucket: the instant at which it is full again |
//! | `AUDIT#<month>` | `<instant>#<id>` | an entry of the audit log |
//! | `AUDIT#ONCE#<name>` | `ONCE` | that a denial was recorded this hour |

mod audit;
mod forget;
mod sessions;
mod sign_in;
pub(super) mod standing;
#[cfg(test)]
mod tests;
pub(super) mod users;

use app::{
    auth::{AuditEntry, Bucket, Taken, User},
    ports::{AuditPage, CodeRecord, CodeTry, Failures, IdentityStore, Session, Standing, StandingError, StoreError, UserChange, UserPage},
};
use async_trait::async_trait;
use domain::{Email, UserId};
use jiff::Timestamp;

use super::{Key, Store, Table, bucket};

/// The identity table as the port that the use cases know.
#[derive(Clone, Debug)]
pub struct IdentityTable {
    store: Store,
    table: Table,
}

impl IdentityTable {
    pub fn new(store: &Store) -> Self {
        Self { table: store.identity(), store: store.clone() }
    }
}

fn limit_key(name: &str) -> Key {
    Key::new(format!("LIMIT#{name}"), "LIMIT")
}

#[async_trait]
impl IdentityStore for IdentityTable {
    async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        self.read_user(id).await
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        self.read_user_by_email(email).await
    }

    async fn create_user(&self, user: &User) -> Result<(), StoreError> {
        self.write_new_user(user).await
    }

    async fn change_user(&self, id: &UserId, change: &UserChange) -> Result<Option<User>, StoreError> {
        self.update_user(id, change).await
    }

    async fn owner_of(&self, email: &Email) -> Result<Option<UserId>, StoreError> {
        self.read_owner(email).await
    }

    async fn change_standing(&self, id: &UserId, change: Standing, entry: &AuditEntry) -> Result<Option<User>, StandingError> {
        self.set_standing(id, change, entry).await
    }

    async fn forget(&self, id: &UserId, entry: &AuditEntry) -> Result<(), StoreError> {
        self.delete_everything(id, entry).await
    }

    async fn append_audit(&self, entry: &AuditEntry, once: Option<&str>) -> Result<bool, StoreError> {
        self.write_audit(entry, once).await
    }

    async fn audit(&self, after: Option<&str>, limit: u32, first: Timestamp, last: Timestamp) -> Result<AuditPage, StoreError> {
        self.read_audit(after, limit, first, last).await
    }

    async fn users(&self, after: Option<&str>, limit: u32) -> Result<UserPage, StoreError> {
        self.list_users(after, limit).await
    }

    async fn subscribers(&self) -> Result<Vec<UserId>, StoreError> {
        self.list_subscribers().await
    }

    async fn put_code(&self, email: &Email, code: &CodeRecord) -> Result<(), StoreError> {
        self.write_code(email, code).await
    }

    async fn try_code(&self, email: &Email, max_tries: u32, now: Timestamp) -> Result<CodeTry, StoreError> {
        self.count_try(email, max_tries, now).await
    }

    async fn take_code(&self, email: &Email, challenge: &str) -> Result<bool, StoreError> {
        self.delete_code(email, challenge).await
    }

    async fn failures(&self, email: &Email, now: Timestamp) -> Result<Failures, StoreError> {
        self.read_failures(email, now).await
    }

    async fn record_failure(&self, email: &Email, now: Timestamp, forget_at: Timestamp) -> Result<Failures, StoreError> {
        self.count_failure(email, now, forget_at).await
    }

    async fn clear_failures(&self, email: &Email) -> Result<(), StoreError> {
        self.delete_failures(email).await
    }

    async fn open_session(&self, session: &Session) -> Result<(), StoreError> {
        self.write_session(session).await
    }

    async fn session(&self, user: &UserId, id: &str, now: Timestamp) -> Result<Option<Session>, StoreError> {
        self.read_session(user, id, now).await
    }

    async fn close_session(&self, user: &UserId, id: &str) -> Result<(), StoreError> {
        self.delete_session(user, id).await
    }

    async fn close_sessions(&self, user: &UserId) -> Result<usize, StoreError> {
        self.delete_sessions(user).await
    }

    async fn take(&self, key: &str, bucket: &Bucket, now: Timestamp) -> Result<Taken, StoreError> {
        bucket::take(&self.table, &limit_key(key), bucket, now).await
    }

    async fn purge_expired(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.table.purge_expired(now).await
    }
}
