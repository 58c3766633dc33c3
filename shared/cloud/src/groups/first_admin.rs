//! The first administrator, made before the first request of a copy is answered: nobody has to call anything after a deploy.

use std::sync::Arc;

use app::auth::Auth;
use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use domain::{Email, Timestamp};
use tokio::sync::OnceCell;

pub(super) struct FirstAdmin {
    auth: Arc<Auth>,
    email: Email,
    made: OnceCell<()>,
}

impl FirstAdmin {
    pub(super) fn new(auth: Arc<Auth>, email: Email) -> Arc<Self> {
        Arc::new(Self { auth, email, made: OnceCell::new() })
    }

    pub(super) fn before(self: Arc<Self>, router: Router) -> Router {
        router.layer(from_fn_with_state(self, ensure))
    }
}

/// One read where there is one already. A failure is logged and tried again with the next request: others may sign in meanwhile.
async fn ensure(State(first): State<Arc<FirstAdmin>>, request: Request, next: Next) -> Response {
    let made = first.made.get_or_try_init(|| async {
        first.auth.ensure_admin(&first.email, Timestamp::now()).await?;
        Ok::<_, app::auth::AuthError>(())
    });
    if let Err(error) = made.await {
        tracing::error!(%error, "the first administrator cannot be made");
    }
    next.run(request).await
}
