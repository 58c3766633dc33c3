//! Price histories and other objects in a bucket.
//!
//! Writes are conditional on the entity tag that was read (`If-Match`) or on nothing being there (`If-None-Match: *`), so that of
//! two writers one is told, as in a directory. A history's own checksum is verified when it is read.

use std::{fmt::Display, sync::Arc, time::Duration};

use app::ports::{HistoryError, HistoryStore, Version};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::{
    Client,
    config::Builder,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
};
use domain::{PriceHistory, Symbol};

use super::{PRICES, check_name, decode_history, encode_history, history_object, symbol_of};
use crate::aws;

/// How often a body is asked for that broke off on its way; the SDK repeats only what fails before it.
const BODY_TRIES: usize = 3;

/// A [`HistoryStore`] in a bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    name: Arc<str>,
}

/// What must be true of the stored object for a write to go ahead.
#[derive(Clone, Copy)]
enum Condition<'a> {
    Absent,
    Is(&'a Version),
    None,
}

impl<'a> From<Option<&'a Version>> for Condition<'a> {
    fn from(expected: Option<&'a Version>) -> Self {
        expected.map_or(Self::Absent, Self::Is)
    }
}

impl Bucket {
    /// `path_style` puts the bucket's name into the path rather than the host's name: what stand-ins need.
    pub fn new(config: &SdkConfig, name: &str, path_style: bool) -> Self {
        let config = Builder::from(config)
            .force_path_style(path_style)
            // The largest objects are some megabytes.
            .timeout_config(aws::patience(Duration::from_secs(10), Duration::from_secs(40)))
            .build();
        Self { client: Client::from_conf(config), name: name.into() }
    }

    async fn get(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, HistoryError> {
        check_name(name)?;
        let mut tries = 0;
        loop {
            tries += 1;
            let found = match self.client.get_object().bucket(&*self.name).key(name).send().await {
                Ok(found) => found,
                Err(error) if is_status(&error, 404) && !is_missing_bucket(&error) => return Ok(None),
                Err(error) => return Err(unavailable(name, &error)),
            };
            let version = version(name, found.e_tag)?;
            match found.body.collect().await {
                Ok(body) => return Ok(Some((body.to_vec(), version))),
                Err(error) if tries < BODY_TRIES => tracing::debug!(object = name, %error, "the object broke off"),
                Err(error) => return Err(HistoryError::Unavailable(format!("{name}: {}", DisplayErrorContext(&error)))),
            }
        }
    }

    async fn put(&self, name: &str, bytes: Vec<u8>, condition: Condition<'_>) -> Result<Version, HistoryError> {
        check_name(name)?;
        let put = self.client.put_object().bucket(&*self.name).key(name).body(ByteStream::from(bytes));
        let put = match condition {
            Condition::Absent => put.if_none_match("*"),
            Condition::Is(version) => put.if_match(&version.0),
            Condition::None => put,
        };
        match put.send().await {
            Ok(stored) => version(name, stored.e_tag),
            // 412: it is another one; 409: another write is under way; 404: the one that was to be replaced is gone.
            Err(error) if [404, 409, 412].into_iter().any(|status| is_status(&error, status)) && !is_missing_bucket(&error) => {
                Err(HistoryError::Conflict(name.to_owned()))
            }
            Err(error) => Err(unavailable(name, &error)),
        }
    }
}

#[async_trait]
impl HistoryStore for Bucket {
    async fn read(&self, symbol: &Symbol) -> Result<Option<(Arc<PriceHistory>, Version)>, HistoryError> {
        let Some((bytes, version)) = self.get(&history_object(symbol)).await? else { return Ok(None) };
        Ok(Some((Arc::new(decode_history(symbol, bytes)?), version)))
    }

    async fn write(&self, history: &PriceHistory, expected: Option<&Version>) -> Result<Version, HistoryError> {
        self.put(&history_object(&history.symbol), encode_history(history)?, expected.into()).await
    }

    async fn version(&self, symbol: &Symbol) -> Result<Option<Version>, HistoryError> {
        self.object_version(&history_object(symbol)).await
    }

    async fn object_version(&self, name: &str) -> Result<Option<Version>, HistoryError> {
        check_name(name)?;
        match self.client.head_object().bucket(&*self.name).key(name).send().await {
            Ok(found) => version(name, found.e_tag).map(Some),
            // Answers to HEAD have no body: whether the bucket itself is missing is found out by those who read.
            Err(error) if is_status(&error, 404) => Ok(None),
            Err(error) => Err(unavailable(name, &error)),
        }
    }

    async fn symbols(&self) -> Result<Vec<Symbol>, HistoryError> {
        let mut pages = self.client.list_objects_v2().bucket(&*self.name).prefix(PRICES).into_paginator().send();
        let mut symbols = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| unavailable(PRICES, &error))?;
            symbols.extend(page.contents().iter().filter_map(|object| symbol_of(object.key()?.strip_prefix(PRICES)?)));
        }
        symbols.sort();
        Ok(symbols)
    }

    async fn read_object(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, HistoryError> {
        self.get(name).await
    }

    async fn write_object(&self, name: &str, bytes: &[u8], expected: Option<&Version>) -> Result<Version, HistoryError> {
        self.put(name, bytes.to_owned(), expected.into()).await
    }

    async fn replace_object(&self, name: &str, bytes: &[u8]) -> Result<Version, HistoryError> {
        self.put(name, bytes.to_owned(), Condition::None).await
    }
}

/// S3 gives each stored state an entity tag; an answer without one cannot be written over safely.
fn version(name: &str, tag: Option<String>) -> Result<Version, HistoryError> {
    tag.map(Version).ok_or_else(|| HistoryError::Unavailable(format!("{name} came without an entity tag")))
}

fn is_status<E>(error: &SdkError<E>, status: u16) -> bool {
    error.raw_response().is_some_and(|response| response.status().as_u16() == status)
}

fn is_missing_bucket<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.code() == Some("NoSuchBucket")
}

fn unavailable<E>(name: &str, error: &SdkError<E>) -> HistoryError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let said = |reason: &dyn Display| HistoryError::Unavailable(format!("{name}: {reason}"));
    match error.code() {
        Some("SlowDown" | "RequestLimitExceeded" | "Throttling") => said(&"S3 asks for fewer requests"),
        _ => said(&DisplayErrorContext(error)),
    }
}

#[cfg(test)]
mod tests;
