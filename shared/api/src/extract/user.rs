//! Permissions as parameters: a handler that takes [`Admin`] cannot run for anyone else.

use std::{convert::Infallible, net::IpAddr, ops::Deref, sync::Arc};

use app::auth::{AuthError, Origin, Principal};
use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, header, request::Parts},
};
use domain::Role;

use crate::{
    middleware::{ForAdmin, Identity, RequestId},
    problem::Problem,
};

/// Anyone with an account.
#[derive(Debug, Clone)]
pub struct AuthUser(pub Arc<Principal>);

/// Someone who may trade in their own portfolio.
#[derive(Debug, Clone)]
pub struct Trader(pub Arc<Principal>);

/// Someone who may manage data and users.
#[derive(Debug, Clone)]
pub struct Admin(pub Arc<Principal>);

/// The network address that the request came from, where it is known. A runtime behind a gateway puts it into the
/// request's extensions; else it is the other end of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source(pub Option<IpAddr>);

/// Where the request came from, for limits and for the mail about it.
#[derive(Debug, Clone)]
pub struct RequestOrigin(pub Origin);

macro_rules! permission {
    ($name:ident, $role:expr) => {
        impl Deref for $name {
            type Target = Principal;
            fn deref(&self) -> &Principal {
                &self.0
            }
        }

        impl<S: Send + Sync> FromRequestParts<S> for $name {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
                principal(parts, $role).map(Self)
            }
        }
    };
}

permission!(AuthUser, Role::Viewer);
permission!(Trader, Role::Trader);
permission!(Admin, Role::Admin);

fn principal(parts: &Parts, needed: Role) -> Result<Arc<Principal>, Problem> {
    if let Some(for_admin) = parts.extensions.get::<ForAdmin>().filter(|_| needed == Role::Admin) {
        for_admin.mark();
    }
    match parts.extensions.get::<Identity>() {
        Some(Identity::Known(principal)) if principal.role >= needed => Ok(Arc::clone(principal)),
        Some(Identity::Known(principal)) => Err(insufficient(principal, needed)),
        Some(Identity::Refused(error)) => Err(error.clone().into()),
        Some(Identity::Anonymous) | None => Err(AuthError::MissingToken.into()),
    }
}

fn insufficient(principal: &Principal, needed: Role) -> Problem {
    let challenge = format!(r#"Bearer realm="stockgpt", error="insufficient_scope", scope="{}""#, needed.name());
    Problem::forbidden(format!("This needs the role {}; yours is {}.", needed.name(), principal.role.name()))
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_str(&challenge).expect("role names are ASCII"))
}

impl<S: Send + Sync> FromRequestParts<S> for Source {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(Self(None)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestOrigin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let Source(ip) = Source::from_request_parts(parts, state).await?;
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let request_id = RequestId::current().map(|id| id.as_str().to_owned());
        Ok(Self(Origin { ip, user_agent: user_agent.map(|agent| agent.chars().take(400).collect()), request_id }))
    }
}
