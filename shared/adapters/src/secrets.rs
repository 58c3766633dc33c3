//! Secrets Manager, asked no more often than needed.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::{
    Client,
    config::Builder,
    error::{DisplayErrorContext, ProvideErrorMetadata},
};
use tokio::sync::Mutex;

use crate::aws;

/// How soon a secret is asked for again that could not be read, while the old one serves.
const AFTER_FAILURE: Duration = Duration::from_secs(30);

/// Why there is no secret; the messages never hold one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("there is no secret {0}, or it has no text yet")]
    Missing(String),
    /// The operator's mistake: the function may not read it.
    #[error("the secret {id} may not be read: {reason}")]
    Denied { id: String, reason: String },
    #[error("the secret {id} cannot be read now: {reason}")]
    Unavailable { id: String, reason: String },
}

/// Texts of secrets, each kept for a while: a rotated secret is used within that time, without a restart.
///
/// A secret that cannot be read again stays in use as last read: old keys are better than none.
pub struct SecretStore {
    client: Client,
    life: Duration,
    kept: Mutex<HashMap<String, Kept>>,
}

struct Kept {
    text: Arc<str>,
    ask_again: Instant,
}

impl SecretStore {
    pub fn new(config: &SdkConfig, life: Duration) -> Self {
        let config = Builder::from(config).timeout_config(aws::patience(Duration::from_secs(2), Duration::from_secs(6))).build();
        Self { client: Client::from_conf(config), life, kept: Mutex::default() }
    }

    /// The current text of the secret with this name or ARN. `now` counts how long one is kept.
    pub async fn text(&self, id: &str, now: Instant) -> Result<Arc<str>, SecretError> {
        // Held while asking, so that callers who come meanwhile do not ask as well.
        let mut kept = self.kept.lock().await;
        if let Some(found) = kept.get(id).filter(|found| now < found.ask_again) {
            return Ok(found.text.clone());
        }
        match self.read(id).await {
            Ok(text) => {
                kept.insert(id.to_owned(), Kept { text: text.clone(), ask_again: now + self.life });
                Ok(text)
            }
            Err(error) => match kept.get_mut(id) {
                Some(old) => {
                    tracing::warn!(%error, "the secret stays as it was");
                    old.ask_again = now + AFTER_FAILURE;
                    Ok(old.text.clone())
                }
                None => Err(error),
            },
        }
    }

    async fn read(&self, id: &str) -> Result<Arc<str>, SecretError> {
        let found = self.client.get_secret_value().secret_id(id).send().await.map_err(|error| match error.code() {
            Some("ResourceNotFoundException") => SecretError::Missing(id.to_owned()),
            Some("AccessDeniedException" | "DecryptionFailure" | "InvalidRequestException" | "InvalidParameterException") => {
                SecretError::Denied { id: id.to_owned(), reason: error.message().unwrap_or("no reason given").to_owned() }
            }
            _ => SecretError::Unavailable { id: id.to_owned(), reason: DisplayErrorContext(&error).to_string() },
        })?;
        found.secret_string.map(Into::into).ok_or_else(|| SecretError::Missing(id.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Reply, Service, reply};

    const LIFE: Duration = Duration::from_mins(5);

    fn secret(text: &str) -> Reply {
        reply(200, format!(r#"{{"Name":"keys","SecretString":"{text}"}}"#))
    }

    #[tokio::test]
    async fn a_secret_is_asked_for_once_in_its_life_and_then_again() {
        let service = Service::start(|_, before| secret(["first", "second"][before])).await;
        let secrets = SecretStore::new(&service.config(), LIFE);
        let start = Instant::now();
        for (after, text, asked) in [(0, "first", 1), (299, "first", 1), (300, "second", 2), (599, "second", 2)] {
            let found = secrets.text("keys", start + Duration::from_secs(after)).await.unwrap();
            assert_eq!((&*found, service.asked().len()), (text, asked), "after {after} s");
        }
        assert_eq!(service.asked()[0].json(), serde_json::json!({"SecretId": "keys"}));
    }

    #[tokio::test]
    async fn a_secret_that_cannot_be_read_again_stays_and_is_tried_half_a_minute_later() {
        let service = Service::start(|_, before| match before {
            0 => secret("first"),
            1 => reply(400, r#"{"message":"no"}"#).kind("AccessDeniedException"),
            _ => secret("second"),
        })
        .await;
        let secrets = SecretStore::new(&service.config(), LIFE);
        let start = Instant::now();
        for (after, text, asked) in [(0, "first", 1), (300, "first", 2), (329, "first", 2), (330, "second", 3)] {
            let found = secrets.text("keys", start + Duration::from_secs(after)).await.unwrap();
            assert_eq!((&*found, service.asked().len()), (text, asked), "after {after} s");
        }
    }

    #[tokio::test]
    async fn what_stands_in_the_way_is_said() {
        for (code, status, expected) in [
            ("ResourceNotFoundException", 400, SecretError::Missing("keys".into())),
            ("AccessDeniedException", 400, SecretError::Denied { id: "keys".into(), reason: "no".into() }),
        ] {
            let service = Service::start(move |_, _| reply(status, r#"{"message":"no"}"#).kind(code)).await;
            let found = SecretStore::new(&service.config(), LIFE).text("keys", Instant::now()).await;
            assert_eq!(found, Err(expected));
        }
        let service = Service::start(|_, _| reply(200, r#"{"Name":"keys"}"#)).await;
        let found = SecretStore::new(&service.config(), LIFE).text("keys", Instant::now()).await;
        assert_eq!(found, Err(SecretError::Missing("keys".into())), "a secret without a text");
    }
}
