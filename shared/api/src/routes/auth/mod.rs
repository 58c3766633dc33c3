//! Signing in and out, and what users say about themselves.

pub(super) mod dto;
pub(super) mod profile;

use std::sync::Arc;

use app::auth::{Auth, CODE_LENGTH};
use axum::extract::State;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::dto::{
    AuthStatusBody, CodeQuery, CodeRequest, CodeRequestOrNothing, CodeSentBody, LoggedOutBody, LoginBody, LoginQuery, LoginRequest,
    LoginRequestOrNothing, MessageBody, TokenBody,
};
use crate::{
    clock::WallNow,
    extract::{AuthUser, BodyOrQuery, Json, RequestOrigin},
    problem::Problem,
};

const TAG: &str = "Auth";

/// The routes under `/auth` and `/users`.
pub fn router(auth: Arc<Auth>) -> OpenApiRouter {
    routes().with_state(auth)
}

pub(crate) fn routes() -> OpenApiRouter<Arc<Auth>> {
    OpenApiRouter::default()
        .routes(routes!(request_otp))
        .routes(routes!(login))
        .routes(routes!(logout))
        .routes(routes!(logout_everywhere))
        .routes(routes!(verify_token))
        .routes(routes!(auth_status))
        .routes(routes!(profile::get_profile, profile::put_profile))
        .routes(routes!(profile::get_preferences, profile::put_preferences))
}

/// Request a one-time code
///
/// Mails a six-digit code to the address; the answer is the same whether or not it has an account. A new code voids the
/// one before.
#[utoipa::path(
    post,
    path = "/auth/request-otp",
    tag = TAG,
    params(CodeQuery),
    request_body(content = Option<CodeRequestOrNothing>, content_type = "application/json"),
    responses((status = 200, description = "If the address may sign in, a code is on its way.", body = CodeSentBody))
)]
async fn request_otp(
    State(auth): State<Arc<Auth>>,
    WallNow(now): WallNow,
    RequestOrigin(origin): RequestOrigin,
    BodyOrQuery(request): BodyOrQuery<CodeRequest>,
) -> Result<Json<CodeSentBody>, Problem> {
    let sent = auth.request_otp(&request.email, &origin, now).await?;
    let message = "If this address may sign in, a code is on its way to it.".to_owned();
    Ok(Json(CodeSentBody { message, expires_in: sent.expires_in.as_secs() }))
}

/// Log in with a code
///
/// Uses the code up. The first login with an address creates its account.
#[utoipa::path(
    post,
    path = "/auth/login",
    tag = TAG,
    params(LoginQuery),
    request_body(content = Option<LoginRequestOrNothing>, content_type = "application/json"),
    responses(
        (status = 200, description = "A bearer token.", body = LoginBody),
        (status = 401, response = crate::docs::Unauthenticated),
        (status = 403, response = crate::docs::Forbidden)
    )
)]
async fn login(
    State(auth): State<Arc<Auth>>,
    WallNow(now): WallNow,
    RequestOrigin(origin): RequestOrigin,
    BodyOrQuery(request): BodyOrQuery<LoginRequest>,
) -> Result<Json<LoginBody>, Problem> {
    Ok(Json(auth.login(&request.email, &request.otp.0, &origin, now).await?.into()))
}

/// Log out
///
/// The token is refused from now on, everywhere.
#[utoipa::path(
    post,
    path = "/auth/logout",
    tag = TAG,
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "The token is revoked.", body = MessageBody))
)]
async fn logout(user: AuthUser, State(auth): State<Arc<Auth>>) -> Result<Json<MessageBody>, Problem> {
    auth.logout(&user).await?;
    Ok(Json(MessageBody { message: "You are logged out.".to_owned() }))
}

/// Log out everywhere
///
/// Every token of yours is refused from now on, this one too.
#[utoipa::path(
    post,
    path = "/auth/logout-everywhere",
    tag = TAG,
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "All your tokens are revoked.", body = LoggedOutBody))
)]
async fn logout_everywhere(
    user: AuthUser,
    State(auth): State<Arc<Auth>>,
    WallNow(now): WallNow,
    RequestOrigin(origin): RequestOrigin,
) -> Result<Json<LoggedOutBody>, Problem> {
    let sessions = auth.logout_everywhere(&user, &origin, now).await?;
    Ok(Json(LoggedOutBody { message: "You are logged out everywhere.".to_owned(), sessions }))
}

/// Check a token
#[utoipa::path(
    get,
    path = "/auth/verify-token",
    tag = TAG,
    security(("bearer" = ["viewer"])),
    responses((status = 200, description = "The token is good.", body = TokenBody))
)]
async fn verify_token(user: AuthUser) -> Json<TokenBody> {
    Json(TokenBody::from(&*user))
}

/// How signing in works here
#[utoipa::path(get, path = "/auth/status", tag = TAG, responses((status = 200, description = "Lengths and lives of codes and tokens.", body = AuthStatusBody)))]
async fn auth_status(State(auth): State<Arc<Auth>>) -> Json<AuthStatusBody> {
    let policy = auth.policy();
    Json(AuthStatusBody {
        service: "operational",
        otp_length: CODE_LENGTH,
        otp_expires_in: policy.code_life.as_secs(),
        token_expires_in: policy.token_life.as_secs(),
    })
}
