//! The audit log.

use app::auth::{Actor, AuditAction, AuditEntry};
use axum::extract::State;
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{AdminState, TAG};
use crate::{
    clock::WallNow,
    extract::{Admin, Json, Limit, Query},
    problem::Problem,
    routes::vocabulary::{ActorName, AuditActionName},
};

/// What cursors of this list are sealed with.
const SCOPE: &str = "admin-audit";

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditQuery {
    /// `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
    #[serde(default)]
    #[param(inline, required = false, value_type = Limit<100, 1000>)]
    limit: Limit<100, 1000>,
}

/// A page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditLog {
    /// Newest first.
    entries: Vec<AuditEntryBody>,
    /// Where the next page begins; null on the last.
    next_cursor: Option<String>,
}

/// Something an administrator did, or a denial. Of denials, the first in an hour of each user and route; of strangers, of each group
/// of sources.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
struct AuditEntryBody {
    id: String,
    at: Timestamp,
    #[schema(value_type = AuditActionName, example = "role_changed")]
    action: AuditAction,
    #[schema(value_type = ActorName, example = "user")]
    actor: &'static str,
    /// Null unless the actor is a user.
    #[schema(example = "0b9d5a3c1f7e4d2f8a6c1e0b3d5f7a9c")]
    actor_id: Option<String>,
    /// The account that it was done to, if any.
    #[schema(example = "5f1d0a3c9b7e4d2f8a6c1e0b3d5f7a9c")]
    subject_id: Option<String>,
    /// Method and template of the route where it is not plain from the action.
    #[schema(example = "POST /api/v1/data/quarantine/{id}/release")]
    route: Option<String>,
    /// What else there is to know, such as the role given.
    #[schema(example = "viewer")]
    detail: Option<String>,
    /// The request's id, as in its `X-Request-Id` and in the logs.
    request_id: Option<String>,
    /// The network address that it came from.
    #[schema(example = "203.0.113.7")]
    source: Option<String>,
}

impl From<AuditEntry> for AuditEntryBody {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { id, at, action, actor, subject, route, detail, request_id, source } = entry;
        let (actor, actor_id) = match actor {
            Actor::User(user) => ("user", Some(user.0)),
            Actor::Operator => ("operator", None),
            Actor::Anonymous => ("anonymous", None),
        };
        Self { id, at, action, actor, actor_id, subject_id: subject.map(|user| user.0), route, detail, request_id, source }
    }
}

/// The audit log
///
/// Every action of administrators and every denial, newest first, kept for a year.
#[utoipa::path(
    get,
    path = "/admin/audit",
    tag = TAG,
    params(AuditQuery),
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "A page of entries.", body = AuditLog))
)]
pub(super) async fn audit_log(
    _: Admin,
    State(state): State<AdminState>,
    WallNow(now): WallNow,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditLog>, Problem> {
    let after = query.cursor.map(|cursor| state.cursors.open(SCOPE, &cursor)).transpose()?;
    let page = state.auth.audit(after.as_deref(), query.limit.get32(), now).await?;
    let next_cursor = page.next.map(|position| state.cursors.seal(SCOPE, &position));
    Ok(Json(AuditLog { entries: page.entries.into_iter().map(Into::into).collect(), next_cursor }))
}
