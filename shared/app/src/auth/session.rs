//! What a token is good for, and how it stops being good.

use std::sync::Arc;

use domain::{Email, Role, Timestamp, UserId};
use tracing::info;

use super::{Actor, AuditAction, AuditEntry, Auth, AuthError, Origin, Preferences, Profile, User};
use crate::ports::{IdentityStore, StoreError, UserChange};

/// Who is asking, as known now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub user_id: UserId,
    pub email: Email,
    pub role: Role,
    pub session_id: String,
    pub expires_at: Timestamp,
}

/// The token in an `Authorization` header (RFC 6750 section 2.1).
pub fn bearer(authorization: Option<&str>) -> Result<&str, AuthError> {
    let (scheme, token) = authorization.ok_or(AuthError::MissingToken)?.trim().split_once(' ').ok_or(AuthError::MalformedToken)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(AuthError::MissingToken);
    }
    Ok(token.trim_start())
}

/// As [`Auth::subscribers`], for those who have no keys and verify nobody.
pub async fn subscribers(store: &dyn IdentityStore) -> Result<Vec<User>, StoreError> {
    let mut subscribers = Vec::new();
    for id in store.subscribers().await? {
        // The index may lag behind the user: what counts is what the user's own record says now.
        subscribers.extend(store.user(&id).await?.filter(|user| user.is_active && user.preferences.concerns_jobs()));
    }
    Ok(subscribers)
}

impl Auth {
    /// Whose token this is: signature and claims, then the session, then the user as the store has them.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Principal, AuthError> {
        let claims = self.tokens.read(token, now)?;
        if !self.is_open(&claims.jti, &claims.sub, now).await? {
            return Err(AuthError::RevokedToken);
        }
        let user = self.cached_user(&claims.sub, now).await?.ok_or(AuthError::RevokedToken)?;
        if !user.is_active {
            return Err(AuthError::Deactivated);
        }
        Ok(Principal {
            expires_at: claims.expires_at()?,
            session_id: claims.jti.clone(),
            user_id: user.id.clone(),
            email: user.email.clone(),
            role: user.role,
        })
    }

    /// Ends this session: its token is refused from now on, everywhere.
    pub async fn logout(&self, principal: &Principal) -> Result<(), AuthError> {
        self.store.close_session(&principal.user_id, &principal.session_id).await?;
        self.sessions.remove(&principal.session_id);
        info!(user_id = %principal.user_id, session_id = %principal.session_id, "signed out");
        Ok(())
    }

    /// Ends all sessions of the one who asks, this one too, and tells how many there were.
    pub async fn logout_everywhere(&self, principal: &Principal, origin: &Origin, now: Timestamp) -> Result<usize, AuthError> {
        let user = &principal.user_id;
        let closed = self.close_sessions(user).await?;
        self.record(AuditEntry::new(AuditAction::LoggedOutEverywhere, Actor::User(user.clone()), origin, now).on(Some(user))).await;
        Ok(closed)
    }

    /// Ends all sessions of a user, at once in every copy.
    pub(super) async fn close_sessions(&self, user: &UserId) -> Result<usize, AuthError> {
        let closed = self.store.close_sessions(user).await?;
        self.sessions.remove_all(|owner| owner == user);
        info!(user_id = %user, closed, "signed out everywhere");
        Ok(closed)
    }

    /// The user as stored now.
    pub async fn user(&self, id: &UserId) -> Result<User, AuthError> {
        self.store.user(id).await?.ok_or(AuthError::UnknownUser)
    }

    pub async fn put_profile(&self, id: &UserId, profile: Profile) -> Result<User, AuthError> {
        self.change(id, &UserChange::Profile(profile)).await
    }

    pub async fn put_preferences(&self, id: &UserId, preferences: Preferences) -> Result<User, AuthError> {
        self.change(id, &UserChange::Preferences(preferences)).await
    }

    /// Active users for whom the daily jobs do something, in the order of their ids: trade, or write mail.
    pub async fn subscribers(&self) -> Result<Vec<User>, AuthError> {
        Ok(subscribers(self.store.as_ref()).await?)
    }

    pub(super) async fn change(&self, id: &UserId, change: &UserChange) -> Result<User, AuthError> {
        let user = self.store.change_user(id, change).await?;
        self.users.remove(id);
        user.ok_or(AuthError::UnknownUser)
    }

    async fn is_open(&self, session: &str, user: &UserId, now: Timestamp) -> Result<bool, AuthError> {
        let ticket = match self.sessions.get(session, now) {
            Ok(owner) => return Ok(owner == *user),
            Err(ticket) => ticket,
        };
        let is_open = self.store.session(user, session, now).await?.is_some();
        if is_open {
            self.sessions.put(ticket, session.to_owned(), user.clone(), now);
        }
        Ok(is_open)
    }

    async fn cached_user(&self, id: &UserId, now: Timestamp) -> Result<Option<Arc<User>>, AuthError> {
        let ticket = match self.users.get(id, now) {
            Ok(user) => return Ok(Some(user)),
            Err(ticket) => ticket,
        };
        let user = self.store.user(id).await?.map(Arc::new);
        if let Some(user) = &user {
            self.users.put(ticket, id.clone(), user.clone(), now);
        }
        Ok(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_from_its_header() {
        for (header, expected) in [
            (None, Err(AuthError::MissingToken)),
            (Some("Bearer a.b.c"), Ok("a.b.c")),
            (Some("bearer  a.b.c "), Ok("a.b.c")),
            (Some("Basic YTpi"), Err(AuthError::MissingToken)),
            (Some("Bearer"), Err(AuthError::MalformedToken)),
            (Some(""), Err(AuthError::MalformedToken)),
        ] {
            assert_eq!(bearer(header), expected, "{header:?}");
        }
    }
}
