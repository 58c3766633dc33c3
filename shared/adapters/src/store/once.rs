//! Transactions that are sent once, and therefore need no token.
//!
//! The SDK names every transaction, so that the service knows one that it repeats. A database in this process has nothing to repeat for,
//! and would remember every name and its answer for ten minutes, to be gone through at each further transaction.

use aws_sdk_dynamodb::{
    config::{
        Builder, Config, ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeSerializationInterceptorContextMut,
        retry::RetryConfig,
    },
    error::BoxError,
    operation::transact_write_items::TransactWriteItemsInput,
};

/// What a transaction that must not be repeated is configured by, besides what the client is.
pub(super) fn never_again() -> Builder {
    Config::builder().retry_config(RetryConfig::disabled()).interceptor(Nameless)
}

/// Takes the name off again.
#[derive(Debug)]
struct Nameless;

impl Intercept for Nameless {
    fn name(&self) -> &'static str {
        "Nameless"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(input) = context.input_mut().downcast_mut::<TransactWriteItemsInput>() {
            input.client_request_token = None;
        }
        Ok(())
    }
}
