//! Who is calling, and whether they may call again so soon.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use app::auth::{AuthError, Principal};
use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

use super::{
    BASE_PATH, Edge,
    limits::{Caller, RouteClass},
    observe::AnsweredUser,
};
use crate::{clock::Instants, extract::Source, problem::Problem};

/// What the request says about its caller. Routes that anyone may call do not mind a bad token; the others refuse it
/// with the reason (see [`crate::extract::AuthUser`]).
#[derive(Debug, Clone)]
pub(crate) enum Identity {
    Anonymous,
    Known(Arc<Principal>),
    Refused(AuthError),
}

pub(super) async fn identify<F: Future<Output = Response>>(edge: &Edge, mut request: Request, next: impl FnOnce(Request) -> F) -> Response {
    if !request.uri().path().starts_with(BASE_PATH) {
        // Probes, metrics and the documentation are for anyone, and cost nothing worth counting.
        return next(request).await;
    }
    let instants = *request.extensions().get::<Instants>().expect("`observe` is outside");
    let source = source(&request);
    let identity = match bearer(request.headers()) {
        None => Identity::Anonymous,
        Some(Err(error)) => Identity::Refused(error),
        Some(Ok(token)) => match edge.authenticator.authenticate(token, instants.wall).await {
            Ok(principal) => Identity::Known(Arc::new(principal)),
            Err(error) => Identity::Refused(error),
        },
    };
    let user = match &identity {
        Identity::Known(principal) => Some(principal.user_id.clone()),
        _ => None,
    };
    let class = RouteClass::of(request.method(), request.uri().path(), user.is_some());
    // A token must not buy more tries of a code.
    let by_user = user.clone().filter(|_| class != RouteClass::SignIn).map(Caller::User);
    let caller = by_user.or_else(|| source.map(Caller::source));

    let allowance = match caller {
        None => None,
        Some(caller) => match edge.limiter.take(class, &caller, instants.wall).await {
            Ok(allowance) => Some(allowance),
            Err(error) => return Problem::dependency("the rate limiter", &error).into_response(),
        },
    };

    request.extensions_mut().insert(identity);
    request.extensions_mut().insert(Source(source));
    let mut response = match allowance.and_then(|allowance| allowance.retry_after_seconds) {
        Some(seconds) => {
            let detail = format!("too many requests; the next one may come in {seconds} s");
            Problem::too_many_requests("too-many-requests", detail, seconds).into_response()
        }
        None => next(request).await,
    };
    if let Some(allowance) = allowance {
        allowance.write(response.headers_mut());
    }
    if let Some(user_id) = user {
        response.extensions_mut().insert(AnsweredUser(user_id));
    }
    response
}

/// The token of the `Authorization` header, if there is one; of two headers nobody can tell which one counts.
fn bearer(headers: &HeaderMap) -> Option<Result<&str, AuthError>> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return Some(Err(AuthError::MalformedToken));
    }
    Some(value.to_str().map_err(|_| AuthError::MalformedToken).and_then(|text| app::auth::bearer(Some(text))))
}

/// What the runtime says (behind a gateway), else the other end of the connection. Headers that a client can write itself
/// say nothing.
fn source(request: &Request) -> Option<IpAddr> {
    let told = request.extensions().get::<Source>().and_then(|source| source.0);
    told.or_else(|| request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip()))
}
