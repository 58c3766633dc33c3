//! The time at which a request happens.

use std::{convert::Infallible, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};
use domain::Timestamp;

/// Two times that differ only in a replay: the market's, by which prices are known and orders fill, and the wall's, by
/// which limits count.
pub trait Clock: Send + Sync {
    /// The market's present instant.
    fn now(&self) -> Timestamp;

    /// The present instant outside of any replay.
    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The market runs in real time.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Parameter of a handler: the market's instant when the request came in. One request sees one instant.
#[derive(Debug, Clone, Copy)]
pub struct Now(pub Timestamp);

/// Parameter of a handler: the wall clock's instant when the request came in; codes, tokens and limits go by it.
#[derive(Debug, Clone, Copy)]
pub struct WallNow(pub Timestamp);

/// Both instants of one request, put in its extensions by `observe`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Instants {
    pub(crate) market: Timestamp,
    pub(crate) wall: Timestamp,
}

impl Instants {
    pub(crate) fn read(clock: &Arc<dyn Clock>) -> Self {
        Self { market: clock.now(), wall: clock.wall() }
    }
}

fn instants(parts: &Parts) -> Instants {
    *parts.extensions.get::<Instants>().expect("the edge surrounds every router")
}

impl<S: Send + Sync> FromRequestParts<S> for Now {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(instants(parts).market))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for WallNow {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(instants(parts).wall))
    }
}
