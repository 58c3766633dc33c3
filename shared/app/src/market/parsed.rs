//! An object's meaning, kept as long as the object stays what it is.

use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;

use crate::{
    UseCaseError,
    ports::{HistoryStore, Version},
};

/// What an object in JSON last meant. It is read and parsed again only when its version is another.
#[derive(Debug)]
pub(super) struct Parsed<T>(Mutex<Option<(Arc<T>, Version)>>);

impl<T> Default for Parsed<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: DeserializeOwned> Parsed<T> {
    /// `None` while there is no such object.
    pub(super) async fn read(&self, objects: &dyn HistoryStore, name: &str) -> Result<Option<(Arc<T>, Version)>, UseCaseError> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((value, version)) = last
            && objects.object_version(name).await?.as_ref() == Some(&version)
        {
            return Ok(Some((value, version)));
        }
        let Some((bytes, version)) = objects.read_object(name).await? else { return Ok(None) };
        let parsed = (Arc::new(crate::objects::parse(name, &bytes)?), version);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(parsed.clone());
        Ok(Some(parsed))
    }
}
