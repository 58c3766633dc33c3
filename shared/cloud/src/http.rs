//! A group of routes as a function behind an HTTP API.

use std::{
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use adapters::{secrets::SecretError, store::TallyTable};
use api::{extract::Source, metrics::Keeper, middleware::AnsweredRoute, problem::Problem};
use app::auth::SecretsError;
use axum::{
    Router,
    body::Body,
    http::{HeaderName, HeaderValue, Request, Uri, uri::PathAndQuery},
    response::{IntoResponse, Response},
};
use domain::Timestamp;
use lambda_http::{RequestExt, aws_lambda_events::apigw::ApiGatewayV2httpRequestContext, request::RequestContext, service_fn};
use runtime::telemetry::{self, LevelFilter, LogFormat};
use tower::ServiceExt;
use tracing::Instrument;

use crate::{
    Error, Place, Reach, SettingsError, block_on,
    groups::{Compose, Shared},
    keys::Keys,
    metrics,
    place::Aws,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Why a function cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("SIGNING_SECRET_ID: {0}")]
    Keys(#[from] SecretsError),
}

/// A group of routes over a place. Its router is composed when the first request comes, or before, and anew when the keys change.
pub struct Function {
    place: Arc<dyn Place>,
    compose: Compose,
    shared: Shared,
    composed: RwLock<Option<Composed>>,
}

struct Composed {
    /// The text of the keys it was composed with.
    keys: Arc<str>,
    router: Router,
}

impl Function {
    pub fn new(place: Arc<dyn Place>, compose: Compose) -> Result<Self, SettingsError> {
        let keeper = Arc::new(Keeper::new(Arc::default(), Arc::new(TallyTable::new(&place.store()?))));
        Ok(Self { place, compose, shared: Shared { keeper }, composed: RwLock::new(None) })
    }

    /// The answer to a request as the gateway hands it over, counted and measured.
    pub async fn answer(&self, request: lambda_http::Request) -> Response {
        let started = Instant::now();
        let response = self.respond(request).await;
        let (elapsed, now) = (started.elapsed(), Timestamp::now());
        let route = response.extensions().get::<AnsweredRoute>().map(|route| &*route.0);
        metrics::request(&self.place.settings().stage, route, response.status().as_u16(), elapsed, now);
        // Between two requests a function stands still: what is not written down now may never be.
        self.shared.keeper.write_now_and_then(now).await;
        response
    }

    async fn respond(&self, request: lambda_http::Request) -> Response {
        match self.router().await {
            Ok(router) => match router.oneshot(unwrapped(request)).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            Err(error) => Problem::dependency("the key store", &error).into_response(),
        }
    }

    /// The router with the keys of now. The place remembers the keys for a while, so that this is cheap.
    async fn router(&self) -> Result<Router, NotReady> {
        let text = self.place.secret(self.place.settings().signing_secret()?).await?;
        if let Some(router) = self.composed_with(&text) {
            return Ok(router);
        }
        let router = (self.compose)(self.place.as_ref(), &Keys::from_text(&text)?, &self.shared)?;
        *self.composed.write().unwrap_or_else(PoisonError::into_inner) = Some(Composed { keys: text, router: router.clone() });
        Ok(router)
    }

    fn composed_with(&self, keys: &str) -> Option<Router> {
        let composed = self.composed.read().unwrap_or_else(PoisonError::into_inner);
        composed.as_ref().filter(|composed| *composed.keys == *keys).map(|composed| composed.router.clone())
    }
}

/// Answers requests until the process is ended. Every request is finished and everything it did is stored before its answer goes out,
/// so that there is nothing to do at the end.
pub fn serve(compose: Compose, reach: Reach) -> Result<(), Error> {
    block_on(answer_all(compose, reach))
}

async fn answer_all(compose: Compose, reach: Reach) -> Result<(), Error> {
    telemetry::start(LogFormat::Json, LevelFilter::INFO);
    let function = Function::new(Arc::new(Aws::from_environment(reach).await?), compose)?;
    // In the time before the first request, which nobody waits for. A wrong setting ends the process here, with its name; what may
    // pass is tried again with each request.
    match function.router().await {
        Err(error @ (NotReady::Settings(_) | NotReady::Keys(_))) => return Err(error.into()),
        Err(error @ NotReady::Secret(_)) => tracing::error!(%error, "not ready yet"),
        Ok(_) => {}
    }
    let function = &function;
    lambda_http::run(service_fn(|request: lambda_http::Request| async move {
        let trace = request.lambda_context_ref().and_then(|context| context.xray_trace_id.clone());
        let span = tracing::info_span!("invocation", xray_trace_id = trace);
        Ok::<_, Error>(function.answer(request).instrument(span).await)
    }))
    .await
}

/// The request that the client made: without the stage that the gateway may put before the path, and with what only the gateway
/// knows, the client's address and the id under which it logs the request.
fn unwrapped(request: lambda_http::Request) -> Request<Body> {
    let context = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => Some(context.clone()),
        _ => None,
    };
    let mut request = request.map(body);
    request.extensions_mut().insert(Source(context.as_ref().and_then(address)));
    if let Some(context) = context {
        if let Some(uri) = context.stage.as_deref().and_then(|stage| without_stage(request.uri(), stage)) {
            *request.uri_mut() = uri;
        }
        if let Some(id) = context.request_id.and_then(|id| HeaderValue::from_str(&id).ok()) {
            request.headers_mut().entry(REQUEST_ID).or_insert(id);
        }
    }
    request
}

fn body(body: lambda_http::Body) -> Body {
    match body {
        lambda_http::Body::Text(text) => text.into(),
        lambda_http::Body::Binary(bytes) => bytes.into(),
        _ => Body::empty(),
    }
}

fn address(context: &ApiGatewayV2httpRequestContext) -> Option<IpAddr> {
    context.http.source_ip.as_deref()?.parse().ok()
}

/// `None` where the path does not begin with the stage.
fn without_stage(uri: &Uri, stage: &str) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().strip_prefix('/')?.strip_prefix(stage)?;
    let path = match rest.as_bytes().first() {
        Some(b'/') => PathAndQuery::try_from(rest).ok()?,
        Some(b'?') | None => PathAndQuery::try_from(format!("/{rest}")).ok()?,
        Some(_) => return None,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_before_the_path_is_taken_off_once() {
        for (uri, expected) in [
            ("https://api.example.com/dev/api/v1/stocks?limit=2", Some("https://api.example.com/api/v1/stocks?limit=2")),
            ("/dev/api/v1/stocks", Some("/api/v1/stocks")),
            ("/dev", Some("/")),
            ("/dev?x=1", Some("/?x=1")),
            ("/api/v1/stocks", None),
            ("/development/x", None),
        ] {
            assert_eq!(without_stage(&uri.parse().unwrap(), "dev").map(|uri| uri.to_string()).as_deref(), expected, "{uri}");
        }
    }
}
