//! Which model is in force, as a small object says it: changing what it says puts another model in force without a deploy.

use analysis::ModelManifest;
use app::ports::{HistoryStore, ModelError};
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
