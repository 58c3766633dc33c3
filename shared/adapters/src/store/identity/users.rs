//! Users and their addresses.

use app::{
    auth::User,
    ports::{Session, StoreError, UserChange, UserPage},
};
use domain::{Email, Role, UserId};

use super::{
    IdentityTable,
    standing::{admin_item, is_active_admin},
};
use crate::store::{Condition, Item, Key, Query, Update, expression::Value, item::instant_text};

const DIRECTORY: &str = "DIRECTORY";
/// The kind of a user for whom the daily jobs do something.
const SUBSCRIBER: &str = "SUBSCRIBER";
const LAST_SIGN_IN_AT: &str = "last_sign_in_at";
/// How often the user has signed in: their instants would not tell apart two that come together.
const SIGN_INS: &str = "sign_ins";

pub(super) fn partition(id: &UserId) -> String {
    format!("USER#{id}")
}

pub(in crate::store) fn user_key(id: &UserId) -> Key {
    Key::new(partition(id), "USER")
}

pub(super) fn email_key(email: &Email) -> Key {
    Key::new(format!("EMAIL#{email}"), "EMAIL")
}

pub(super) fn directory_key(user: &User) -> Key {
    Key::new(DIRECTORY, format!("{}#{}", instant_text(user.created_at), user.id))
}

/// A sign-in shows that the address is the user's. Nobody signs in to an account that is not there, or not active.
pub(super) fn signed_in(session: &Session) -> Update {
    Update::new(user_key(&session.user_id))
        .set("is_verified", Value::flag(true))
        .set(LAST_SIGN_IN_AT, Value::instant(session.opened_at))
        .add(SIGN_INS, 1)
        .when(Condition::item_exists())
        .when(Condition::equal("is_active", Value::flag(true)))
}

/// Holds as long as nobody has signed in since the user was read.
pub(super) fn no_sign_in_since(user: &Item) -> Result<Condition, StoreError> {
    Ok(match user.get_maybe(SIGN_INS, Item::get_number::<u64>)? {
        Some(sign_ins) => Condition::equal(SIGN_INS, Value::number(sign_ins)),
        None => Condition::absent(SIGN_INS),
    })
}

impl IdentityTable {
    pub(super) async fn read_user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        self.table.get(&user_key(id)).await?.as_ref().map(user).transpose()
    }

    pub(super) async fn read_user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        match self.read_owner(email).await? {
            Some(owner) => self.read_user(&owner).await,
            None => Ok(None),
        }
    }

    pub(super) async fn read_owner(&self, email: &Email) -> Result<Option<UserId>, StoreError> {
        let owner = self.table.get(&email_key(email)).await?;
        owner.map(|owner| Ok(UserId(owner.get_text("user_id")?.into()))).transpose()
    }

    pub(super) async fn write_new_user(&self, user: &User) -> Result<(), StoreError> {
        let owner = Item::new(email_key(&user.email)).text("user_id", &user.id.0);
        let listed = Item::new(directory_key(user)).text("user_id", &user.id.0);
        let transaction = self.store.transaction().put_new("user", &self.table, item(user)).put_new("address", &self.table, owner).put(
            "directory",
            &self.table,
            listed,
        );
        let transaction =
            if is_active_admin(user) { transaction.put("administrator", &self.table, admin_item(&user.id)) } else { transaction };
        Ok(transaction.commit().await?)
    }

    pub(super) async fn update_user(&self, id: &UserId, change: &UserChange) -> Result<Option<User>, StoreError> {
        let update = Update::new(user_key(id)).when(Condition::item_exists());
        let update = match change {
            UserChange::Profile(profile) => update.set("profile", Value::json(profile)),
            UserChange::Preferences(preferences) => {
                let update = update.set("preferences", Value::json(preferences));
                if preferences.concerns_jobs() {
                    update.set("gsi_pk", Value::text(SUBSCRIBER)).set("gsi_sk", Value::text(&id.0))
                } else {
                    update.remove("gsi_pk").remove("gsi_sk")
                }
            }
        };
        self.table.update(update).await?.written().as_ref().map(user).transpose()
    }

    pub(super) async fn list_subscribers(&self) -> Result<Vec<UserId>, StoreError> {
        let items = self.table.query(&Query::kind(SUBSCRIBER)).await?;
        items.iter().map(|item| Ok(UserId(item.get_text("gsi_sk")?.to_owned()))).collect()
    }

    pub(super) async fn list_users(&self, after: Option<&str>, limit: u32) -> Result<UserPage, StoreError> {
        let page = self.table.query_page(&Query::partition(DIRECTORY).after(after), limit).await?;
        let keys: Result<Vec<Key>, StoreError> =
            page.items.iter().map(|listed| Ok(user_key(&UserId(listed.get_text("user_id")?.into())))).collect();
        let keys = keys?;
        let stored = self.table.batch_get(&keys).await?;
        let users: Result<_, _> = keys.iter().filter_map(|key| stored.get(key)).map(user).collect();
        Ok(UserPage { users: users?, next: page.next })
    }
}

fn item(user: &User) -> Item {
    let item = Item::new(user_key(&user.id))
        .text("user_id", &user.id.0)
        .text("email", user.email.as_str())
        .text("role", user.role.name())
        .flag("is_active", user.is_active)
        .flag("is_verified", user.is_verified)
        .instant("created_at", user.created_at)
        .maybe(user.last_sign_in_at, |item, at| item.instant(LAST_SIGN_IN_AT, at))
        .json("profile", &user.profile)
        .json("preferences", &user.preferences);
    if user.preferences.concerns_jobs() { item.kind(SUBSCRIBER, &user.id.0) } else { item }
}

pub(super) fn user(item: &Item) -> Result<User, StoreError> {
    Ok(User {
        id: UserId(item.get_text("user_id")?.into()),
        email: item.get_parsed("email")?,
        role: role(item)?,
        is_active: item.get_flag("is_active")?,
        is_verified: item.get_flag("is_verified")?,
        created_at: item.get_instant("created_at")?,
        last_sign_in_at: item.get_maybe(LAST_SIGN_IN_AT, Item::get_instant)?,
        profile: item.get_json("profile")?,
        preferences: item.get_json("preferences")?,
    })
}

fn role(item: &Item) -> Result<Role, StoreError> {
    let name = item.get_text("role")?;
    let known = [Role::Viewer, Role::Trader, Role::Admin].into_iter().find(|role| role.name() == name);
    known.ok_or_else(|| StoreError::Damaged { item: item.key().to_string(), reason: format!("`{name}` is not a role") })
}
