//! What can go wrong in a table, said so that a use case can act on it; shared by every port that is backed by one.

/// Why a table could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A condition did not hold, because somebody else wrote first: read again, decide again, write again. Nothing was changed.
    #[error("{0} was changed by another writer")]
    Conflict(String),
    /// The store asks for less: the request was repeated and still refused. Nothing was changed; later it will work.
    #[error("the store is too busy")]
    Throttled,
    /// The store cannot be reached, or does not answer in time. Whether a write happened is unknown.
    #[error("the store is unreachable: {0}")]
    Unavailable(String),
    /// The store understood the request and will never accept it: a defect of this program or of its deployment.
    #[error("the store refused a request: {0}")]
    Refused(String),
    /// A stored item cannot be understood.
    #[error("{item} is damaged: {reason}")]
    Damaged { item: String, reason: String },
}

impl StoreError {
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable(_))
    }
}
