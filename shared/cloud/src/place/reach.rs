//! Which services of AWS a function reaches.
//!
//! A function links the client of a service only when its `main` says that it reaches it. So what is linked, what is permitted
//! (infra/aws/permissions.yaml) and what is loaded at a cold start are the same list, and it can be read in one line.

use std::sync::Arc;

use adapters::{events::EventBridge, history::s3::Bucket, mail::ses::Ses};
use app::ports::{Events, HistoryStore, Mailer};
use futures::{FutureExt, future::BoxFuture};

use super::{Aws, Place, VendorKeyError, Vendors, vendor};
use crate::SettingsError;

type Make<T> = fn(&Aws) -> Result<Arc<T>, SettingsError>;
type Ask = for<'a> fn(&'a dyn Place) -> BoxFuture<'a, Result<Vendors, VendorKeyError>>;

/// What a function reaches beside the tables and the secrets, which all do.
#[derive(Clone, Copy)]
pub struct Reach {
    pub(super) objects: Make<dyn HistoryStore>,
    pub(super) events: Make<dyn Events>,
    pub(super) mailer: Make<dyn Mailer>,
    pub(super) vendors: Ask,
}

impl Reach {
    pub fn tables() -> Self {
        Self {
            objects: |_| Err(SettingsError::OutOfReach("objects")),
            events: |_| Err(SettingsError::OutOfReach("the event bus")),
            mailer: |_| Err(SettingsError::OutOfReach("mail")),
            vendors: |_| async { Err(SettingsError::OutOfReach("vendors").into()) }.boxed(),
        }
    }

    /// Histories, snapshots and models in S3.
    #[must_use]
    pub fn objects(self) -> Self {
        let objects: Make<dyn HistoryStore> = |aws| {
            let bucket = aws.settings.bucket()?;
            Ok(Arc::new(Bucket::new(&aws.config, bucket, aws.settings.path_style)))
        };
        Self { objects, ..self }
    }

    /// The bus.
    #[must_use]
    pub fn events(self) -> Self {
        let events: Make<dyn Events> = |aws| Ok(Arc::new(EventBridge::new(&aws.config, aws.settings.event_bus()?, &aws.settings.stage)));
        Self { events, ..self }
    }

    /// SES.
    #[must_use]
    pub fn mail(self) -> Self {
        let mailer: Make<dyn Mailer> = |aws| {
            let configuration = aws.settings.mail_configuration.as_deref();
            Ok(Arc::new(Ses::new(&aws.config, aws.settings.mail_sender()?, configuration)))
        };
        Self { mailer, ..self }
    }

    /// Polygon and Tiingo.
    #[must_use]
    pub fn vendors(self) -> Self {
        Self { vendors: |place| vendor::from_secrets(place).boxed(), ..self }
    }
}
