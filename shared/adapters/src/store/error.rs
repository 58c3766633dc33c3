//! The SDK's errors, told as something to act on.

use app::ports::StoreError;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use super::Key;

/// What `error` means to a caller; `what` names the thing that was to be read or written.
pub fn store_error<E, R>(what: &str, error: &SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    match error.code() {
        Some("ConditionalCheckFailedException" | "IdempotentParameterMismatchException") => StoreError::Conflict(what.into()),
        Some(code) if is_throttling(code) => StoreError::Throttled,
        Some(
            "ValidationException" | "ResourceNotFoundException" | "AccessDeniedException" | "ItemCollectionSizeLimitExceededException",
        ) => StoreError::Refused(format!("{what}: {}", DisplayErrorContext(error))),
        _ => StoreError::Unavailable(format!("{what}: {}", DisplayErrorContext(error))),
    }
}

/// Codes that mean "not now", both of whole requests and of the reasons why a transaction was cancelled.
pub(super) fn is_throttling(code: &str) -> bool {
    matches!(
        code,
        "ProvisionedThroughputExceededException"
            | "ProvisionedThroughputExceeded"
            | "ThrottlingException"
            | "ThrottlingError"
            | "RequestLimitExceeded"
            | "TransactionConflictException"
            | "TransactionConflict"
            | "TransactionInProgressException"
            | "ReplicatedWriteConflictException"
    )
}

pub(super) fn damaged(key: &Key, reason: impl Into<String>) -> StoreError {
    StoreError::Damaged { item: key.to_string(), reason: reason.into() }
}
