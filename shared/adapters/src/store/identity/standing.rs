//! What users may do, and that one administrator always stays.
//!
//! Each active administrator has an item in the partition `ADMINS`. Taking the role from one depends on another one's item being
//! there still, in the same transaction: of administrators who take it from one another at once, one fails.

use app::{
    auth::{AuditEntry, User},
    ports::{Standing, StandingError, StoreError},
};
use domain::{Role, UserId};

use super::{IdentityTable, audit::audit_item, users::user_key};
use crate::store::{Condition, Item, Key, Query, TransactError, Transaction, Update, expression::Value};

const ADMINS: &str = "ADMINS";

/// Set on a user who is leaving: nothing is opened in the name of one who has it.
pub(in crate::store) const CLOSING_AT: &str = "closing_at";

/// How often a change is decided again that somebody else's has crossed.
const TRIES: usize = 20;

fn admin_key(id: &UserId) -> Key {
    Key::new(ADMINS, &*id.0)
}

pub(super) fn admin_item(id: &UserId) -> Item {
    Item::new(admin_key(id))
}

pub(super) fn is_active_admin(user: &User) -> bool {
    user.role == Role::Admin && user.is_active
}

impl IdentityTable {
    pub(super) async fn set_standing(&self, id: &UserId, change: Standing, entry: &AuditEntry) -> Result<Option<User>, StandingError> {
        for _ in 0..TRIES {
            let Some(before) = self.read_user(id).await? else { return Ok(None) };
            let after = changed(before.clone(), change);
            let update = update(&before, &after, change, entry);
            let transaction = self.store.transaction().update("user", &self.table, update);
            let transaction = self.keep_admins(transaction, &before, &after).await?;
            match transaction.put_new("log", &self.table, audit_item(entry)).commit().await {
                Ok(()) => return Ok(Some(after)),
                Err(TransactError::Refused(_)) => {}
                Err(TransactError::Store(error)) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict(format!("the user {id}")).into())
    }

    /// Adds what the change means for the partition of administrators.
    pub(super) async fn keep_admins(&self, transaction: Transaction, before: &User, after: &User) -> Result<Transaction, StandingError> {
        match (is_active_admin(before), is_active_admin(after)) {
            (false, true) => Ok(transaction.put("administrator", &self.table, admin_item(&after.id))),
            (true, false) => {
                let other = self.another_admin(&before.id).await?.ok_or(StandingError::LastAdmin)?;
                Ok(transaction.delete_when("administrator", &self.table, &admin_key(&before.id), Condition::item_exists()).check(
                    "another administrator",
                    &self.table,
                    &other,
                    Condition::item_exists(),
                ))
            }
            _ => Ok(transaction),
        }
    }

    async fn another_admin(&self, id: &UserId) -> Result<Option<Key>, StoreError> {
        let page = self.table.query_page(&Query::partition(ADMINS), 2).await?;
        Ok(page.items.iter().map(Item::key).find(|key| key.sk != id.0).cloned())
    }
}

fn changed(user: User, change: Standing) -> User {
    match change {
        Standing::Role(role) => User { role, ..user },
        Standing::Active(is_active) => User { is_active, ..user },
        Standing::Closing => User { role: Role::Viewer, ..user },
    }
}

/// On the condition that nobody else has changed the same meanwhile.
fn update(before: &User, after: &User, change: Standing, entry: &AuditEntry) -> Update {
    let update = Update::new(user_key(&before.id))
        .set("role", Value::text(after.role.name()))
        .set("is_active", Value::flag(after.is_active))
        .when(Condition::equal("role", Value::text(before.role.name())))
        .when(Condition::equal("is_active", Value::flag(before.is_active)));
    match change {
        Standing::Closing => update.set(CLOSING_AT, Value::instant(entry.at)),
        Standing::Role(_) | Standing::Active(_) => update,
    }
}

/// Holds of a user in whose name something may be opened.
pub(in crate::store) fn is_staying() -> Condition {
    Condition::item_exists().and(Condition::absent(CLOSING_AT))
}
