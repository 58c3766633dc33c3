//! The model, ready to score.

use std::sync::Arc;

use analysis::{MODEL_FEATURE_COUNT, ModelManifest, labels::Class};
use async_trait::async_trait;

/// Why there is no model to score with, or it could not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    #[error("no model is installed")]
    Missing,
    /// The stored model is damaged, or made for other features: install one that fits.
    #[error("the model is refused: {0}")]
    Refused(String),
    #[error("the model cannot be read: {0}")]
    Unavailable(String),
}

/// A loaded model. Rows are features in the order of [`analysis::MODEL_FEATURES`], `NaN` for missing.
pub trait Scorer: Send + Sync {
    fn manifest(&self) -> &ModelManifest;

    /// The model's own class probabilities (sell, hold, buy), before calibration, one triple a row.
    fn score(&self, rows: &[[f32; MODEL_FEATURE_COUNT]]) -> Result<Vec<[f32; 3]>, ModelError>;

    /// How much each feature moved the score (log-odds margin) of `class`, in the order of the features. They sum to the score
    /// less its base value.
    fn contributions(&self, row: &[f32; MODEL_FEATURE_COUNT], class: Class) -> Result<Vec<f64>, ModelError>;
}

/// What a model says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelCard {
    pub manifest: ModelManifest,
    /// What its training wrote down besides, as it wrote it; where a card was put beside the model.
    pub details: Option<serde_json::Value>,
}

/// What the model in force says of itself, for those who do not score with it.
#[async_trait]
pub trait ModelCards: Send + Sync {
    async fn current_card(&self) -> Result<ModelCard, ModelError>;
}

/// Where the model in force comes from: a change takes effect without a restart.
#[async_trait]
pub trait Models: Send + Sync {
    async fn current(&self) -> Result<Arc<dyn Scorer>, ModelError>;
}
