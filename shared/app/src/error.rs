//! What can go wrong in a use case, apart from identity.

use domain::{Symbol, order::OrderId, signal::SignalStatus, trading::OrderRefusal};

use crate::ports::{HistoryError, ModelError, StoreError, VendorError};

/// Each variant asks something else of the caller.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UseCaseError {
    #[error("there is no stock with the symbol {0}")]
    UnknownSymbol(Symbol),
    /// `what` says what was looked for, such as `order ord-000007`.
    #[error("there is no {0}")]
    NotFound(String),
    /// The request contradicts itself or the state; `field` is the JSON name of what to change.
    #[error("{detail}")]
    Invalid { field: &'static str, detail: String },
    #[error(transparent)]
    Refused(#[from] OrderRefusal),
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used before for a different request; use a fresh key")]
    KeyReused,
    /// The client's own name for an order stands for another order of the same portfolio.
    #[error("the client order id names order {0} already; use a fresh one")]
    ClientOrderIdTaken(OrderId),
    /// What was asked for can no longer be done, such as cancelling a filled order.
    #[error("{0}")]
    TooLate(String),
    /// The signal's life has ended, or a later one took its place.
    #[error("this signal is {}; accept an active one", .0.name())]
    SignalOver(SignalStatus),
    /// Others changed the same portfolio again and again; nothing was changed.
    #[error("the portfolio is busy; try again")]
    Busy,
    #[error("{0}")]
    Unavailable(String),
}

impl From<StoreError> for UseCaseError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(_) => Self::Busy,
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl From<HistoryError> for UseCaseError {
    fn from(error: HistoryError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<VendorError> for UseCaseError {
    fn from(error: VendorError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<ModelError> for UseCaseError {
    fn from(error: ModelError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
