//! Where users, sign-in codes, sessions and limits are kept.
//!
//! Each method is one decision, taken by the store at once: however many callers race, a code is used once, tries are counted
//! exactly and an address gets one account. Everything with an end is gone when `now` reaches it, whether or not it was deleted yet.

use async_trait::async_trait;
use domain::{Email, Role, Timestamp, UserId};

use super::StoreError;
use crate::auth::{AuditEntry, Bucket, Preferences, Profile, Taken, User};

/// The one sign-in code that an address has. The code itself is nowhere: only its keyed hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRecord {
    /// Random; goes into the hash, and names this code among those the address has had.
    pub challenge: String,
    /// Keyed hash of challenge, address and code, in hexadecimal.
    pub hash: String,
    pub expires_at: Timestamp,
}

/// What became of a try to use a code; a try that was allowed has been counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeTry {
    Allowed(CodeRecord),
    Exhausted,
    Expired,
    /// There is none: never asked for, used, or cleared away.
    Absent,
}

/// Permission to use the system until `expires_at`; a token is good as long as its session is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: String,
    pub user_id: UserId,
    pub opened_at: Timestamp,
    pub expires_at: Timestamp,
    /// Where it was opened from, in words.
    pub origin: String,
}

/// Wrong codes in a row for one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    pub count: u32,
    pub last_at: Option<Timestamp>,
}

/// A change of one part of a user; other parts, changed by others at the same time, stay as they are.
#[derive(Debug, Clone, PartialEq)]
pub enum UserChange {
    Profile(Profile),
    Preferences(Preferences),
}

/// A change of what a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Role(Role),
    Active(bool),
    /// The owner wants the account deleted, and has confirmed it: nothing may be opened in its name any more. It can still be signed in
    /// to as a viewer, so that a deletion that was interrupted can be repeated.
    Closing,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StandingError {
    /// No active administrator would be left.
    #[error("no active administrator would be left")]
    LastAdmin,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The audit log, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

/// Users in the order in which they joined.
#[derive(Debug, Clone, PartialEq)]
pub struct UserPage {
    pub users: Vec<User>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

#[async_trait]
pub trait IdentityStore: Send + Sync {
    async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError>;

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError>;

    /// [`StoreError::Conflict`] when the address has an account already.
    async fn create_user(&self, user: &User) -> Result<(), StoreError>;

    /// Whose address it is, in one read whether or not it is anybody's.
    async fn owner_of(&self, email: &Email) -> Result<Option<UserId>, StoreError>;

    /// The user after the change; `None` when there is no such user.
    async fn change_user(&self, id: &UserId, change: &UserChange) -> Result<Option<User>, StoreError>;

    /// The user after the change, which is made together with its entry in the log, or not at all; `None` when there is no such user.
    async fn change_standing(&self, id: &UserId, change: Standing, entry: &AuditEntry) -> Result<Option<User>, StandingError>;

    /// Deletes everything that is kept of a user who is [`Standing::Closing`], the user's own record last and together with the entry
    /// in the log; nothing can be added meanwhile. Nothing happens where there is no such user.
    async fn forget(&self, id: &UserId, entry: &AuditEntry) -> Result<(), StoreError>;

    /// Adds an entry to the log; `once` is a name under which it is added only if none was before. Tells whether it was added.
    async fn append_audit(&self, entry: &AuditEntry, once: Option<&str>) -> Result<bool, StoreError>;

    /// At most `limit` entries of the log between two instants, newest first, from `after` ([`AuditPage::next`]) on.
    async fn audit(&self, after: Option<&str>, limit: u32, first: Timestamp, last: Timestamp) -> Result<AuditPage, StoreError>;

    /// At most `limit` users from `after` on ([`UserPage::next`] of the page before).
    async fn users(&self, after: Option<&str>, limit: u32) -> Result<UserPage, StoreError>;

    /// Users whose preferences give the daily jobs something to do, by id; may lag a moment behind their records.
    async fn subscribers(&self) -> Result<Vec<UserId>, StoreError>;

    /// Replaces the code that the address had, and starts its tries anew.
    async fn put_code(&self, email: &Email, code: &CodeRecord) -> Result<(), StoreError>;

    /// Counts a try before the code is looked at, so that racing guesses cannot exceed `max_tries` together.
    async fn try_code(&self, email: &Email, max_tries: u32, now: Timestamp) -> Result<CodeTry, StoreError>;

    /// Uses the code up: exactly one caller is told `true`.
    async fn take_code(&self, email: &Email, challenge: &str) -> Result<bool, StoreError>;

    async fn failures(&self, email: &Email, now: Timestamp) -> Result<Failures, StoreError>;

    /// Counts one more wrong code; forgotten at `forget_at` if no other follows.
    async fn record_failure(&self, email: &Email, now: Timestamp, forget_at: Timestamp) -> Result<Failures, StoreError>;

    async fn clear_failures(&self, email: &Email) -> Result<(), StoreError>;

    /// Together with that the user has signed in. [`StoreError::Conflict`] when there is no such user, or not an active one.
    async fn open_session(&self, session: &Session) -> Result<(), StoreError>;

    async fn session(&self, user: &UserId, id: &str, now: Timestamp) -> Result<Option<Session>, StoreError>;

    /// From now on the session is unknown in every copy; closing one that is closed already is no error.
    async fn close_session(&self, user: &UserId, id: &str) -> Result<(), StoreError>;

    /// Closes all sessions of the user and tells how many there were.
    async fn close_sessions(&self, user: &UserId) -> Result<usize, StoreError>;

    /// Takes one token from the bucket named `key`, shared by all who use this store.
    async fn take(&self, key: &str, bucket: &Bucket, now: Timestamp) -> Result<Taken, StoreError>;

    /// Deletes everything whose end was before `now` and tells how much it was.
    async fn purge_expired(&self, now: Timestamp) -> Result<usize, StoreError>;
}
