//! How services of AWS are reached: region, credentials and endpoints from the standard variables, so that any stand-in serves as well.

use std::time::Duration;

pub use aws_config::SdkConfig;
use aws_config::{BehaviorVersion, retry::RetryConfig, stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

/// What all clients of a process have in common, their connections included.
///
/// Failures that may pass are tried again as the SDK's standard mode does: with exponential backoff and jitter, from a budget that
/// a service in trouble uses up. Each client sets how patient it is.
pub async fn config() -> SdkConfig {
    aws_config::defaults(behavior())
        .http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https())
        .retry_config(RetryConfig::standard().with_max_attempts(4))
        // Answers are small and bounded by timeouts; watching their throughput costs and finds nothing.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .load()
        .await
}

/// The newest defaults of the SDK at the time of writing, pinned: a newer SDK must not change timeouts or retries by itself.
pub(crate) fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// A single try may take `attempt`, all of them together `whole`. A connection inside one region is there at once or not at all.
pub(crate) fn patience(attempt: Duration, whole: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(Duration::from_secs(1)).operation_attempt_timeout(attempt).operation_timeout(whole).build()
}
