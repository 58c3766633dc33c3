//! Who has an account, and what they may do.

use app::auth::User;
use axum::{Extension, extract::State};
use domain::{Role, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{AdminState, TAG};
use crate::{
    clock::WallNow,
    extract::{Admin, Json, Limit, Path, Query, RequestOrigin},
    middleware::Recorded,
    problem::Problem,
    routes::vocabulary::RoleName,
};

/// What cursors of this list are sealed with.
const SCOPE: &str = "admin-users";

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct UserQuery {
    /// `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
    #[serde(default)]
    #[param(inline, required = false, value_type = Limit<50, 100>)]
    limit: Limit<50, 100>,
}

/// A page of users.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UserList {
    /// In the order in which they joined.
    users: Vec<AccountBody>,
    /// Where the next page begins; null on the last.
    next_cursor: Option<String>,
}

/// A user as administrators see one, and in the user's own export.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub(in crate::routes) struct AccountBody {
    #[schema(example = "5f1d0a3c9b7e4d2f8a6c1e0b3d5f7a9c")]
    id: String,
    #[schema(format = Email, example = "ann@example.com")]
    email: String,
    #[schema(value_type = RoleName)]
    role: Role,
    /// A deactivated user cannot sign in, and tokens do not work.
    is_active: bool,
    /// Whether a code mailed to the address has come back.
    is_verified: bool,
    created_at: Timestamp,
    last_sign_in_at: Option<Timestamp>,
}

impl From<&User> for AccountBody {
    fn from(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.to_string(),
            role: user.role,
            is_active: user.is_active,
            is_verified: user.is_verified,
            created_at: user.created_at,
            last_sign_in_at: user.last_sign_in_at,
        }
    }
}

/// What a user may do from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleChange {
    #[schema(value_type = RoleName, example = "viewer")]
    role: Role,
}

/// An answer whose entry in the log is there already.
type Changed = (Extension<Recorded>, Json<AccountBody>);

/// All users
///
/// In the order in which they joined.
#[utoipa::path(
    get,
    path = "/admin/users",
    tag = TAG,
    params(UserQuery),
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "A page of users.", body = UserList))
)]
pub(super) async fn list_users(
    _: Admin,
    State(state): State<AdminState>,
    Query(query): Query<UserQuery>,
) -> Result<Json<UserList>, Problem> {
    let after = query.cursor.map(|cursor| state.cursors.open(SCOPE, &cursor)).transpose()?;
    let page = state.auth.users(after.as_deref(), query.limit.get32()).await?;
    let next_cursor = page.next.map(|position| state.cursors.seal(SCOPE, &position));
    Ok(Json(UserList { users: page.users.iter().map(Into::into).collect(), next_cursor }))
}

/// One user
#[utoipa::path(
    get,
    path = "/admin/users/{id}",
    tag = TAG,
    params(("id" = String, Path, description = "The user's id.", example = "5f1d0a3c9b7e4d2f8a6c1e0b3d5f7a9c")),
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "The user.", body = AccountBody))
)]
pub(super) async fn get_user(_: Admin, State(state): State<AdminState>, Path(id): Path<String>) -> Result<Json<AccountBody>, Problem> {
    Ok(Json((&state.auth.user(&UserId(id)).await?).into()))
}

/// Change a user's role
///
/// Takes effect within a minute. The last active administrator stays one.
#[utoipa::path(
    put,
    path = "/admin/users/{id}/role",
    tag = TAG,
    params(("id" = String, Path, description = "The user's id.", example = "5f1d0a3c9b7e4d2f8a6c1e0b3d5f7a9c")),
    request_body = RoleChange,
    security(("bearer" = ["admin"])),
    responses(
        (status = 200, description = "The user after the change.", body = AccountBody),
        (status = 409, response = crate::docs::Conflict)
    )
)]
pub(super) async fn set_role(
    admin: Admin,
    State(state): State<AdminState>,
    WallNow(now): WallNow,
    RequestOrigin(origin): RequestOrigin,
    Path(id): Path<String>,
    Json(change): Json<RoleChange>,
) -> Result<Changed, Problem> {
    let user = state.auth.set_role(&admin, &UserId(id), change.role, &origin, now).await?;
    Ok((Extension(Recorded), Json((&user).into())))
}

/// Deactivate a user
///
/// The user is logged out everywhere at once and cannot sign in until reactivated. Portfolios and what is in them stay. Not for the
/// last active administrator.
#[utoipa::path(
    post,
    path = "/admin/users/{id}/deactivate",
    tag = TAG,
    params(("id" = String, Path, description = "The user's id.", example = "5f1d0a3c9b7e4d2f8a6c1e0b3d5f7a9c")),
    security(("bearer" = ["admin"])),
    responses(
        (status = 200, description = "The user after the change.", body = AccountBody),
        (status = 409, response = crate::docs::Conflict)
    )
)]
pub(super) async fn deactivate_user(
    admin: Admin,
    State(state): State<AdminState>,
    WallNow(now): WallNow,
    RequestOrigin(origin): RequestOrigin,
    Path(id): Path<String>,
) -> Result<Changed, Problem> {
    let user = state.auth.set_active(&admin, &UserId(id), false, &origin, now).await?;
    Ok((Extension(Recorded), Json((&user).into())))
}

/// Reactivate a user
#[utoipa::path(
    post,
    path = "/admin/users/{id}/reactivate",
    tag = TAG,
    params(("id" = String, Path, description = "The user's id.", example = "5f1d0a3c9b7e4d2f8a6c1e0b3d5f7a9c")),
    security(("bearer" = ["admin"])),
    responses(
        (status = 200, description = "The user after the change.", body = AccountBody),
        (status = 409, response = crate::docs::Conflict)
    )
)]
pub(super) async fn reactivate_user(
    admin: Admin,
    State(state): State<AdminState>,
    WallNow(now): WallNow,
    RequestOrigin(origin): RequestOrigin,
    Path(id): Path<String>,
) -> Result<Changed, Problem> {
    let user = state.auth.set_active(&admin, &UserId(id), true, &origin, now).await?;
    Ok((Extension(Recorded), Json((&user).into())))
}
