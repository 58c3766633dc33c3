//! What the audit log learns at the edge: who was turned away, and what administrators asked for.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use app::auth::{Actor, AuditAction, AuditEntry, AuthError, Origin};
use axum::{
    extract::{MatchedPath, Request},
    http::StatusCode,
    response::Response,
};

use super::{Edge, Identity, RequestId};
use crate::{clock::Instants, extract::Source};

/// In a request: set when its handler asks for an administrator.
#[derive(Debug, Clone, Default)]
pub(crate) struct ForAdmin(Arc<AtomicBool>);

/// In a response: the use case has made the entry itself, together with what it changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recorded;

impl ForAdmin {
    pub(crate) fn mark(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_marked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

pub(super) async fn audit<F: Future<Output = Response>>(edge: &Edge, mut request: Request, next: impl FnOnce(Request) -> F) -> Response {
    let Some(identity) = request.extensions().get::<Identity>().cloned().filter(|identity| !matches!(identity, Identity::Anonymous)) else {
        // Where nobody is asked for, and without a token, there is nobody to tell of; sign-in has entries of its own.
        return next(request).await;
    };
    let now = request.extensions().get::<Instants>().expect("`observe` is outside").wall;
    let ip = request.extensions().get::<Source>().and_then(|source| source.0);
    let template = request.extensions().get::<MatchedPath>().cloned();
    let (method, uri, for_admin) = (request.method().clone(), request.uri().clone(), ForAdmin::default());
    request.extensions_mut().insert(for_admin.clone());

    let response = next(request).await;

    let status = response.status();
    let is_known = response.extensions().get::<Recorded>().is_some();
    if let Some((action, actor, detail)) = judged(&identity, status, for_admin.is_marked() && !is_known, uri.path()) {
        let request_id = RequestId::current().map(|id| id.as_str().to_owned());
        let entry = AuditEntry::new(action, actor, &Origin { ip, user_agent: None, request_id }, now);
        let template = template.as_ref().map_or("unmatched", MatchedPath::as_str);
        edge.authenticator.record(entry.by_route(format!("{method} {template}")).because(detail)).await;
    }
    response
}

/// What is worth an entry, who did it, and what there is to say about it.
fn judged(identity: &Identity, status: StatusCode, is_for_admin: bool, path: &str) -> Option<(AuditAction, Actor, String)> {
    match identity {
        Identity::Known(user) if status == StatusCode::FORBIDDEN => {
            Some((AuditAction::RoleInsufficient, Actor::User(user.user_id.clone()), user.role.name().to_owned()))
        }
        Identity::Known(user) if is_for_admin => {
            let path: String = path.chars().take(200).collect();
            Some((AuditAction::AdminRequest, Actor::User(user.user_id.clone()), format!("{path}: {}", status.as_u16())))
        }
        Identity::Refused(error) if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            Some((AuditAction::TokenRefused, Actor::Anonymous, reason(error)?.to_owned()))
        }
        _ => None,
    }
}

/// Our words for what is wrong with a token; nothing of the token itself.
fn reason(error: &AuthError) -> Option<&'static str> {
    match error {
        AuthError::MalformedToken => Some("malformed"),
        AuthError::WrongAlgorithm => Some("wrong algorithm"),
        AuthError::ForgedToken => Some("forged"),
        AuthError::ExpiredToken => Some("expired"),
        AuthError::RevokedToken => Some("revoked"),
        AuthError::Deactivated => Some("account deactivated"),
        // Another scheme of authentication, or a fault of ours.
        _ => None,
    }
}
