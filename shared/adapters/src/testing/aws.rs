//! The server as a service of AWS.

use std::time::Duration;

use aws_config::{Region, SdkConfig, retry::RetryConfig, stalled_stream_protection::StalledStreamProtectionConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};

use super::{Asked, Reply, Service};
use crate::aws;

impl Asked {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON request")
    }
}

impl Reply {
    /// The error's name, as services of AWS that speak JSON give it.
    pub(crate) fn kind(self, code: &str) -> Self {
        self.header("x-amzn-errortype", code)
    }
}

impl Service {
    /// As in earnest, but without waits between tries.
    pub(crate) fn config(&self) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(aws::behavior())
            .endpoint_url(&self.url)
            .region(Region::from_static("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("test", "test", None, None, "test")))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .retry_config(RetryConfig::standard().with_max_attempts(4).with_initial_backoff(Duration::ZERO))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build()
    }
}
