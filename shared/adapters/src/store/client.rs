//! How `DynamoDB` is reached.

use std::{sync::Arc, time::Duration};

use app::ports::StoreError;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::{
    Client,
    config::{Credentials, SharedHttpClient, StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

use super::{Table, TableNames, Transaction};

/// The tables of one deployment. Cheap to clone; all clones share their connections.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    names: Arc<TableNames>,
}

impl Store {
    /// The service that the standard AWS variables name: region, credentials and, if set, `AWS_ENDPOINT_URL`.
    pub async fn from_environment(names: TableNames) -> Self {
        let config = aws_config::defaults(behavior())
            .http_client(https_client())
            .retry_config(RetryConfig::standard().with_max_attempts(4))
            .timeout_config(cloud_timeouts())
            // Answers are small and bounded by the timeouts above; watching their throughput costs and finds nothing.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .load()
            .await;
        Self { client: Client::new(&config), names: Arc::new(names) }
    }

    /// A server of the same protocol on this machine, such as `http://127.0.0.1:34567`.
    ///
    /// It is a part of this process or dies with it, so nothing is gained by waiting before a retry, by credentials that would be
    /// looked for, or by TLS.
    pub fn local(endpoint: &str, names: TableNames) -> Self {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(behavior())
            .endpoint_url(endpoint)
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "local"))
            .http_client(Builder::new().build_http())
            .retry_config(RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(1)))
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Self { client: Client::from_conf(config), names: Arc::new(names) }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn names(&self) -> &TableNames {
        &self.names
    }

    pub fn identity(&self) -> Table {
        self.table(&self.names.identity)
    }

    pub fn market(&self) -> Table {
        self.table(&self.names.market)
    }

    pub fn signals(&self) -> Table {
        self.table(&self.names.signals)
    }

    pub fn portfolios(&self) -> Table {
        self.table(&self.names.portfolios)
    }

    fn table(&self, name: &str) -> Table {
        Table::new(self.client.clone(), name.into())
    }

    /// Starts a transaction, which may write to several tables.
    pub fn transaction(&self) -> Transaction {
        Transaction::new(self.client.clone())
    }

    /// Whether the identity table answers: one cheap read, for a health check.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.identity().get(&super::Key::new("PING", "PING")).await.map(|_| ())
    }
}

/// The newest defaults of the SDK at the time of writing, pinned: a newer SDK must not change timeouts or retries by itself.
fn behavior() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

fn https_client() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// `DynamoDB` answers in milliseconds: who waits longer waits in vain, and the edge would rather say so.
fn cloud_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(6))
        .build()
}
