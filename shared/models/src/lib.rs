//! The model in force: what a small pointer object names, loaded once and kept until the pointer names another.

use std::sync::{Arc, Mutex, PoisonError};

use analysis::{MODEL_FEATURE_COUNT, ModelManifest, labels::Class};
use app::ports::{HistoryStore, ModelError, Models, Scorer};
use async_trait::async_trait;
use runtime::pointer::{self, POINTER, Pointer};
use tracing::{info, warn};

/// Models in the history store, beside the prices.
pub struct StoredModels {
    objects: Arc<dyn HistoryStore>,
    loaded: Mutex<Option<Loaded>>,
}

/// The last pointer seen and what it led to. A pointer to a broken model leaves the last good model in force.
struct Loaded {
    pointer: Vec<u8>,
    scorer: Arc<dyn Scorer>,
}

impl StoredModels {
    pub fn new(objects: Arc<dyn HistoryStore>) -> Self {
        Self { objects, loaded: Mutex::new(None) }
    }

    /// Stores a model and makes it the one in force, after checking that it can be.
    pub async fn install(&self, onnx: &[u8], manifest: &[u8]) -> Result<String, ModelError> {
        let version = load(onnx, manifest)?.manifest().version.clone();
        let pointer = Pointer::to(&version);
        for (name, bytes) in [(&pointer.onnx, onnx), (&pointer.manifest, manifest)] {
            self.objects.replace_object(name, bytes).await.map_err(|error| unavailable(&error))?;
        }
        let text = serde_json::to_vec(&pointer).expect("a pointer serialises");
        self.objects.replace_object(POINTER, &text).await.map_err(|error| unavailable(&error))?;
        Ok(version)
    }

    /// Puts a card beside the model in force, for people who want to know what it is.
    pub async fn put_card(&self, card: &[u8]) -> Result<(), ModelError> {
        let pointer = Pointer::parse(&self.read(POINTER).await?)?;
        self.objects.replace_object(&pointer.card(), card).await.map_err(|error| unavailable(&error))?;
        Ok(())
    }

    /// Whether the model that the pointer names can be loaded: what a health check wants to know.
    pub async fn check(&self) -> Result<String, ModelError> {
        let pointer = self.read(POINTER).await?;
        match self.kept(&pointer) {
            Some(scorer) => Ok(scorer.manifest().version.clone()),
            None => self.load_from(&pointer).await.map(|scorer| scorer.manifest().version.clone()),
        }
    }

    async fn read(&self, name: &str) -> Result<Vec<u8>, ModelError> {
        pointer::read(self.objects.as_ref(), name).await
    }

    async fn load_from(&self, pointer: &[u8]) -> Result<Arc<dyn Scorer>, ModelError> {
        let named = Pointer::parse(pointer)?;
        let (onnx, manifest) = futures::try_join!(self.read(&named.onnx), self.read(&named.manifest))?;
        load(&onnx, &manifest)
    }

    fn kept(&self, pointer: &[u8]) -> Option<Arc<dyn Scorer>> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.as_ref().filter(|kept| kept.pointer == pointer).map(|kept| kept.scorer.clone())
    }

    fn last_good(&self) -> Option<Arc<dyn Scorer>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|kept| kept.scorer.clone())
    }
}

#[async_trait]
impl Models for StoredModels {
    async fn current(&self) -> Result<Arc<dyn Scorer>, ModelError> {
        let pointer = self.read(POINTER).await?;
        if let Some(scorer) = self.kept(&pointer) {
            return Ok(scorer);
        }
        match self.load_from(&pointer).await {
            Ok(scorer) => {
                info!(model = scorer.manifest().version, "model loaded");
                *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = Some(Loaded { pointer, scorer: scorer.clone() });
                Ok(scorer)
            }
            Err(error) => match self.last_good() {
                Some(scorer) => {
                    warn!(%error, model = scorer.manifest().version, "the model named last is refused; the one before stays in force");
                    Ok(scorer)
                }
                None => Err(error),
            },
        }
    }
}

fn unavailable(error: &app::ports::HistoryError) -> ModelError {
    ModelError::Unavailable(error.to_string())
}

/// Loads a model, refusing one that does not fit this program.
pub fn load(onnx: &[u8], manifest: &[u8]) -> Result<Arc<dyn Scorer>, ModelError> {
    let refused = |error: &dyn std::fmt::Display| ModelError::Refused(error.to_string());
    let manifest = ModelManifest::parse(manifest).map_err(|error| refused(&error))?;
    let model = scoring::Model::load(onnx, &manifest).map_err(|error| refused(&error))?;
    Ok(Arc::new(TractScorer { manifest, model }))
}

struct TractScorer {
    manifest: ModelManifest,
    model: scoring::Model,
}

impl Scorer for TractScorer {
    fn manifest(&self) -> &ModelManifest {
        &self.manifest
    }

    fn score(&self, rows: &[[f32; MODEL_FEATURE_COUNT]]) -> Result<Vec<[f32; 3]>, ModelError> {
        self.model.score(rows.as_flattened(), MODEL_FEATURE_COUNT).map_err(|error| ModelError::Refused(error.to_string()))
    }

    fn contributions(&self, row: &[f32; MODEL_FEATURE_COUNT], class: Class) -> Result<Vec<f64>, ModelError> {
        let explained = self.model.contributions(row, MODEL_FEATURE_COUNT).map_err(|error| ModelError::Refused(error.to_string()))?;
        let first = explained.into_iter().next().expect("one row gives one explanation");
        Ok(first.by_feature.into_iter().map(|by_class| by_class[class.index()]).collect())
    }
}
