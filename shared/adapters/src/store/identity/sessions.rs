//! Open sessions. A session that is not stored is over.

use app::ports::{Session, StoreError};
use domain::UserId;
use jiff::Timestamp;

use super::{IdentityTable, users::partition};
use crate::store::{Item, Key, Query};

const FORMAT: u32 = 1;
const PREFIX: &str = "SESSION#";

fn key(user: &UserId, id: &str) -> Key {
    Key::new(partition(user), format!("{PREFIX}{id}"))
}

impl IdentityTable {
    pub(super) async fn write_session(&self, session: &Session) -> Result<(), StoreError> {
        let item = Item::new(key(&session.user_id, &session.id), FORMAT)
            .instant("opened_at", session.opened_at)
            .instant("ends_at", session.expires_at)
            .text("origin", &session.origin)
            .expires_at(session.expires_at);
        self.table.put_new(item).await
    }

    pub(super) async fn read_session(&self, user: &UserId, id: &str, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let Some(item) = self.table.get(&key(user, id)).await? else { return Ok(None) };
        let session = Session {
            id: id.into(),
            user_id: user.clone(),
            opened_at: item.get_instant("opened_at")?,
            expires_at: item.get_instant("ends_at")?,
            origin: item.get_text("origin")?.into(),
        };
        Ok(Some(session).filter(|session| now < session.expires_at))
    }

    pub(super) async fn delete_session(&self, user: &UserId, id: &str) -> Result<(), StoreError> {
        self.table.delete(&key(user, id)).await
    }

    pub(super) async fn delete_sessions(&self, user: &UserId) -> Result<usize, StoreError> {
        let open = self.table.query(&Query::partition(partition(user)).prefix(PREFIX)).await?;
        let keys: Vec<Key> = open.iter().map(|item| item.key().clone()).collect();
        self.table.batch_delete(&keys).await?;
        Ok(keys.len())
    }
}
