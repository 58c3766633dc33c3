//! Open sessions. A session that is not stored is over.

use app::ports::{Session, StoreError};
use domain::UserId;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::{
    IdentityTable,
    users::{partition, signed_in},
};
use crate::store::{Item, Key, Query};

const PREFIX: &str = "SESSION#";

/// Deletions under way at the same time.
const DELETIONS: usize = 8;

fn key(user: &UserId, id: &str) -> Key {
    Key::new(partition(user), format!("{PREFIX}{id}"))
}

impl IdentityTable {
    pub(super) async fn write_session(&self, session: &Session) -> Result<(), StoreError> {
        let item = Item::new(key(&session.user_id, &session.id))
            .instant("opened_at", session.opened_at)
            .instant("ends_at", session.expires_at)
            .text("origin", &session.origin)
            .expires_at(session.expires_at);
        // Together: where an account is deactivated or deleted at the same moment, no session stays behind.
        let transaction = self.store.transaction().update("user", &self.table, signed_in(session));
        Ok(transaction.put_new("session", &self.table, item).commit().await?)
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
        // One by one: a batch could also write, and who may delete sessions need not be allowed that.
        let count = open.len();
        let deletions = open.into_iter().map(|item| async move { self.table.delete(item.key()).await });
        stream::iter(deletions).buffer_unordered(DELETIONS).try_collect::<()>().await?;
        Ok(count)
    }
}
