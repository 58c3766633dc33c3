//! Which model is in force, as a small object says it: changing what it says puts another model in force without a deploy.

use std::sync::Arc;

use analysis::ModelManifest;
use app::ports::{HistoryStore, ModelCard, ModelCards, ModelError};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// The pointer's name.
pub const POINTER: &str = "models/current.json";

/// The names of the objects that are the model in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    pub onnx: String,
    pub manifest: String,
}

impl Pointer {
    /// Where a model of this version is kept.
    pub fn to(version: &str) -> Self {
        Self { onnx: format!("models/{version}/model.onnx"), manifest: format!("models/{version}/manifest.json") }
    }

    /// Where the model's card lies if it has one: beside the manifest.
    pub fn card(&self) -> String {
        let folder = self.manifest.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/card.json")
    }

    /// Reads the pointer's own bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, ModelError> {
        serde_json::from_slice(bytes).map_err(|error| ModelError::Refused(format!("{POINTER} is damaged: {error}")))
    }
}

/// An object's bytes; [`ModelError::Missing`] where there is none.
pub async fn read(objects: &dyn HistoryStore, name: &str) -> Result<Vec<u8>, ModelError> {
    let found = objects.read_object(name).await.map_err(|error| ModelError::Unavailable(error.to_string()))?;
    Ok(found.ok_or(ModelError::Missing)?.0)
}

/// What the model in force says of itself, refused if it is not made for this program; for those who do not score with it.
pub async fn manifest(objects: &dyn HistoryStore) -> Result<ModelManifest, ModelError> {
    let pointer = Pointer::parse(&read(objects, POINTER).await?)?;
    ModelManifest::parse(&read(objects, &pointer.manifest).await?).map_err(|error| ModelError::Refused(error.to_string()))
}

/// The cards among stored objects.
pub struct StoredCards(pub Arc<dyn HistoryStore>);

#[async_trait]
impl ModelCards for StoredCards {
    async fn current_card(&self) -> Result<ModelCard, ModelError> {
        let objects = self.0.as_ref();
        let pointer = Pointer::parse(&read(objects, POINTER).await?)?;
        let manifest = async {
            let bytes = read(objects, &pointer.manifest).await?;
            ModelManifest::parse(&bytes).map_err(|error| ModelError::Refused(error.to_string()))
        };
        let details = async {
            match read(objects, &pointer.card()).await {
                Ok(bytes) => {
                    serde_json::from_slice(&bytes).map(Some).map_err(|error| ModelError::Refused(format!("its card is damaged: {error}")))
                }
                Err(ModelError::Missing) => Ok(None),
                Err(error) => Err(error),
            }
        };
        let (manifest, details) = futures::try_join!(manifest, details)?;
        Ok(ModelCard { manifest, details })
    }
}
