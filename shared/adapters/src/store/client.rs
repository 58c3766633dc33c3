//! How `DynamoDB` is reached.

use std::{sync::Arc, time::Duration};

use app::ports::StoreError;
use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::{
    Client,
    config::{Credentials, StalledStreamProtectionConfig, retry::RetryConfig, timeout::TimeoutConfig},
};
use aws_smithy_http_client::Builder;

use super::{Table, TableNames, Transaction};
use crate::aws;

/// The tables of one deployment. Cheap to clone; all clones share their connections.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    names: Arc<TableNames>,
    is_local: bool,
}

impl Store {
    /// The tables of the cloud.
    pub fn new(config: &SdkConfig, names: TableNames) -> Self {
        let config = aws_sdk_dynamodb::config::Builder::from(config)
            // `DynamoDB` answers in milliseconds: who waits longer waits in vain, and the edge would rather say so.
            .timeout_config(aws::patience(Duration::from_secs(2), Duration::from_secs(6)))
            .build();
        Self { client: Client::from_conf(config), names: Arc::new(names), is_local: false }
    }

    /// A server of the same protocol on this machine, such as `http://127.0.0.1:34567`.
    ///
    /// It is a part of this process or dies with it, so nothing is gained by waiting before a retry, by credentials that would be
    /// looked for, or by TLS. Only a disk that stalls makes it slow: who waits for that is told so before they give up themselves.
    pub fn local(endpoint: &str, names: TableNames) -> Self {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(aws::behavior())
            .endpoint_url(endpoint)
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "local"))
            .http_client(Builder::new().build_http())
            .retry_config(RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(1)))
            .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(20)).build())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Self { client: Client::from_conf(config), names: Arc::new(names), is_local: true }
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
        Transaction::new(self.client.clone(), self.is_local)
    }

    /// Whether the identity table answers: one cheap read, for a health check.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.identity().get(&super::Key::new("PING", "PING")).await.map(|_| ())
    }
}
