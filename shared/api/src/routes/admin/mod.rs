//! Users and their roles, for administrators; and the log of what was done.

mod audit;
mod users;

use std::sync::Arc;

use app::auth::Auth;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(in crate::routes) use users::AccountBody;

use crate::cursor::CursorSealer;

const TAG: &str = "Admin";

/// What the routes of administrators work with.
#[derive(Clone)]
pub struct AdminState {
    pub auth: Arc<Auth>,
    pub cursors: CursorSealer,
}

/// The routes under `/admin`.
pub fn router(state: AdminState) -> OpenApiRouter {
    routes().with_state(state)
}

pub(crate) fn routes() -> OpenApiRouter<AdminState> {
    OpenApiRouter::default()
        .routes(routes!(users::list_users))
        .routes(routes!(users::get_user))
        .routes(routes!(users::set_role))
        .routes(routes!(users::deactivate_user))
        .routes(routes!(users::reactivate_user))
        .routes(routes!(audit::audit_log))
}
