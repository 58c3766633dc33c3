//! A loaded model: probabilities for batches of rows, and why.

use std::sync::{Arc, OnceLock};

use analysis::model::ModelManifest;
use tract_onnx::prelude::*;

use crate::CLASSES;
use crate::contributions::{Contributions, Paths};
use crate::error::{ModelError, RowsError};
use crate::forest::Forest;
use crate::onnx::{self, Loaded};

/// A classifier of three classes, checked and ready; cheap to share between threads behind an [`Arc`].
pub struct Model {
    plan: Arc<TypedSimplePlan>,
    forest: Forest,
    base: [f32; CLASSES],
    n_features: usize,
    /// Made when contributions are first asked for, so that a cold start that only scores does not pay for them.
    paths: OnceLock<Paths>,
}

impl Model {
    /// Reads the ONNX file that `manifest` describes: refuses any other, and one with another number of features.
    pub fn load(file: &[u8], manifest: &ModelManifest) -> Result<Self, ModelError> {
        manifest.verify_onnx(file)?;
        Self::read(file, manifest.features.len())
    }

    /// Reads an ONNX file that has no manifest: one `TreeEnsembleClassifier` with the classes 0, 1, 2, branches by `<` and a softmax, as `convert_xgboost`
    /// makes it of a booster with the objective `multi:softprob`. For contributions it must have the nodes' covers (`nodes_hitrates`, written by the trainer).
    pub fn read(file: &[u8], n_features: usize) -> Result<Self, ModelError> {
        let Loaded { plan, forest, base, n_features: found } = onnx::load(file)?;
        if found != n_features {
            return Err(ModelError::WrongFeatureCount { expected: n_features, found });
        }
        Ok(Self { plan, forest, base, n_features, paths: OnceLock::new() })
    }

    /// How many features a row has.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Whether the file has the covers that [`Self::contributions`] needs.
    pub fn explains(&self) -> bool {
        self.forest.has_covers()
    }

    /// The probabilities of the classes 0, 1 and 2 for each row, equal to `XGBoost`'s own within 1e-5. `rows` are row-major, NaN where a value is missing.
    pub fn score(&self, rows: &[f32], n_features: usize) -> Result<Vec<[f32; CLASSES]>, RowsError> {
        let count = self.check(rows, n_features)?;
        if count == 0 {
            return Ok(Vec::new());
        }
        self.run(rows, count).map_err(|error| RowsError::Evaluation(format!("{error:#}")))
    }

    fn run(&self, rows: &[f32], count: usize) -> TractResult<Vec<[f32; CLASSES]>> {
        let input = Tensor::from_shape(&[count, self.n_features], rows)?;
        let outputs = self.plan.run(tvec!(input.into_tvalue()))?;
        Ok(outputs[0].try_as_plain_ram()?.as_slice()?.as_chunks().0.to_vec())
    }

    /// How much each feature moved each class's margin away from its expected value, for each row: see [`Contributions`].
    pub fn contributions(&self, rows: &[f32], n_features: usize) -> Result<Vec<Contributions>, RowsError> {
        self.check(rows, n_features)?;
        if !self.explains() {
            return Err(RowsError::NoCovers);
        }
        let paths = self.paths.get_or_init(|| Paths::of(&self.forest, self.base));
        Ok(paths.contributions(rows, n_features))
    }

    /// The number of rows, if they are whole rows of the model's features without an infinity.
    fn check(&self, rows: &[f32], n_features: usize) -> Result<usize, RowsError> {
        if n_features != self.n_features {
            return Err(RowsError::FeatureCount { expected: self.n_features, found: n_features });
        }
        if !rows.len().is_multiple_of(n_features) {
            return Err(RowsError::PartialRow { values: rows.len(), features: n_features });
        }
        match rows.iter().position(|value| value.is_infinite()) {
            Some(at) => Err(RowsError::Infinite { row: at / n_features, feature: at % n_features }),
            None => Ok(rows.len() / n_features),
        }
    }
}
