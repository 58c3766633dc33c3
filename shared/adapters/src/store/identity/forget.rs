//! The end of an account: nothing of it stays but what the audit log says of its id.

use app::{
    auth::{AuditEntry, User},
    ports::StoreError,
};
use domain::UserId;

use super::{
    IdentityTable,
    audit::audit_item,
    sign_in::{code_key, failures_key},
    standing::{CLOSING_AT, is_active_admin},
    users::{directory_key, email_key, no_sign_in_since, user, user_key},
};
use crate::store::{Condition, Key, TransactError};

/// How often a deletion is tried again that a sign-in has crossed.
const TRIES: usize = 20;

impl IdentityTable {
    pub(super) async fn delete_everything(&self, id: &UserId, entry: &AuditEntry) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let Some(stored) = self.table.get(&user_key(id)).await? else {
                // A deletion that was interrupted at its very end; sessions cannot be opened any more.
                self.delete_sessions(id).await?;
                return Ok(());
            };
            let user = user(&stored)?;
            if is_active_admin(&user) {
                return Err(StoreError::Conflict(format!("the user {id}")));
            }
            self.delete_sessions(id).await?;
            for trace in traces(&user) {
                self.table.delete(&trace).await?;
            }
            // A sign-in meanwhile would have left a session: it counts itself in the user's record, in one transaction with that.
            let unchanged = Condition::present(CLOSING_AT).and(no_sign_in_since(&stored)?);
            let transaction = self
                .store
                .transaction()
                .delete_when("user", &self.table, &user_key(id), unchanged)
                .delete_when("address", &self.table, &email_key(&user.email), Condition::item_exists())
                .delete_when("directory", &self.table, &directory_key(&user), Condition::item_exists())
                .put_new("log", &self.table, audit_item(entry));
            match transaction.commit().await {
                Ok(()) => return Ok(()),
                Err(TransactError::Refused(_)) => {}
                Err(TransactError::Store(error)) => return Err(error),
            }
        }
        Err(StoreError::Conflict(format!("the user {id}")))
    }
}

/// What else has the user's address or id in its key.
fn traces(user: &User) -> Vec<Key> {
    vec![code_key(&user.email), failures_key(&user.email), super::limit_key(&format!("codes#{}", user.email))]
}
