//! The file that stands beside the model and says what it is.

use domain::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Decision, DecisionRule, MeanR, VectorScaling};
use crate::features::{MODEL_FEATURES, schema_hash};
use crate::labels::{LIFE_SESSIONS, STOP_ATR, TARGET_ATR};

/// The classes in the order of the model's outputs.
pub const CLASS_NAMES: [&str; 3] = ["sell", "hold", "buy"];

/// First and last session of some data, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub from: Date,
    pub through: Date,
}

/// The trade that the labels describe.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LabelDefinition {
    pub target_atr: f64,
    pub stop_atr: f64,
    pub life_sessions: usize,
}

/// Everything needed to use a model rightly, and to refuse it otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelManifest {
    /// Name of this very model; part of its signals' identity.
    pub version: String,
    /// SHA-256 of the ONNX file, hexadecimal.
    pub onnx_sha256: String,
    /// The features in the model's order.
    pub features: Vec<String>,
    /// Hash of the feature definitions it was trained with: [`schema_hash`].
    pub schema_hash: String,
    pub classes: [String; 3],
    pub label: LabelDefinition,
    /// Sessions whose features it was fitted to.
    pub trained: Window,
    /// Sessions whose features its calibration, mean results and bands were fitted to; after the training and an embargo.
    pub calibrated: Window,
    /// Last session whose prices influenced the model in any way, outcomes of labels included.
    pub data_through: Date,
    pub calibration: VectorScaling,
    pub mean_r: MeanR,
    pub rule: DecisionRule,
    /// Round-trip costs for which the rule was set, in hundredths of a percent of the price.
    pub cost_bps: f64,
    /// Measurements by name, as in the model card.
    pub metrics: serde_json::Value,
}

/// Why a model must not be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("the model's manifest is not readable: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("the model was trained on other features (schema {found}) than this program computes (schema {expected}): train it again")]
    Schema { expected: String, found: String },
    #[error("the model was trained for another trade than this program's: {0}")]
    Label(&'static str),
    #[error("the manifest contradicts itself: {0}")]
    Invalid(&'static str),
    #[error("the model file is not the one its manifest describes: SHA-256 is {found}, expected {expected}")]
    Onnx { expected: String, found: String },
}

impl ModelManifest {
    /// Reads a manifest and refuses one that this program's features, classes or labels do not fit.
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_slice(json)?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), ManifestError> {
        let expected = schema_hash();
        if self.schema_hash != expected || self.features != MODEL_FEATURES {
            return Err(ManifestError::Schema { expected, found: self.schema_hash.clone() });
        }
        if self.classes != CLASS_NAMES {
            return Err(ManifestError::Label("its classes are not sell, hold, buy"));
        }
        if self.label != (LabelDefinition { target_atr: TARGET_ATR, stop_atr: STOP_ATR, life_sessions: LIFE_SESSIONS }) {
            return Err(ManifestError::Label("its target, stop or life differs"));
        }
        if !(self.trained.from <= self.trained.through && self.trained.through < self.calibrated.from) {
            return Err(ManifestError::Invalid("calibration data must come after the training data"));
        }
        if !(self.calibrated.from <= self.calibrated.through && self.calibrated.through <= self.data_through) {
            return Err(ManifestError::Invalid("the data must reach as far as the calibration"));
        }
        if !(self.rule.least_r <= self.rule.medium_r && self.rule.medium_r <= self.rule.high_r) {
            return Err(ManifestError::Invalid("the bands of edge must ascend"));
        }
        Ok(())
    }

    /// Refuses an ONNX file other than the one described.
    pub fn verify_onnx(&self, onnx: &[u8]) -> Result<(), ManifestError> {
        let found = hex::encode(Sha256::digest(onnx));
        if found == self.onnx_sha256 { Ok(()) } else { Err(ManifestError::Onnx { expected: self.onnx_sha256.clone(), found }) }
    }

    /// The calibrated probabilities (sell, hold, buy) of the model's own.
    pub fn calibrate(&self, raw: [f32; 3]) -> [f64; 3] {
        self.calibration.calibrate(raw)
    }

    /// What to do, from calibrated `probabilities`; see [`DecisionRule::decide`].
    pub fn decide(&self, probabilities: [f64; 3], atr: f64, price: f64, cost_bps: f64) -> Decision {
        self.rule.decide(&self.mean_r, probabilities, atr, price, cost_bps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn manifest() -> ModelManifest {
        ModelManifest {
            version: "test".into(),
            onnx_sha256: hex::encode(Sha256::digest(b"onnx")),
            features: MODEL_FEATURES.iter().map(|name| (*name).to_owned()).collect(),
            schema_hash: schema_hash(),
            classes: CLASS_NAMES.map(str::to_owned),
            label: LabelDefinition { target_atr: TARGET_ATR, stop_atr: STOP_ATR, life_sessions: LIFE_SESSIONS },
            trained: Window { from: date(2014, 1, 2), through: date(2019, 12, 31) },
            calibrated: Window { from: date(2020, 2, 3), through: date(2021, 12, 15) },
            data_through: date(2021, 12, 31),
            calibration: VectorScaling::IDENTITY,
            mean_r: MeanR { long: [-1.0, 0.0, 2.0], short: [2.0, 0.0, -1.0] },
            rule: DecisionRule { least_r: 0.02, medium_r: 0.05, high_r: 0.1 },
            cost_bps: 10.0,
            metrics: serde_json::json!({ "log_loss": 1.0 }),
        }
    }

    fn parsed(change: impl FnOnce(&mut ModelManifest)) -> Result<ModelManifest, ManifestError> {
        let mut manifest = manifest();
        change(&mut manifest);
        ModelManifest::parse(&serde_json::to_vec(&manifest).unwrap())
    }

    #[test]
    fn reads_what_was_written() {
        assert_eq!(parsed(|_| {}).unwrap(), manifest());
    }

    #[test]
    fn refuses_what_does_not_fit() {
        assert!(matches!(ModelManifest::parse(b"{"), Err(ManifestError::Unreadable(_))));
        assert!(matches!(parsed(|m| m.features.swap(0, 1)), Err(ManifestError::Schema { .. })));
        assert!(matches!(parsed(|m| m.schema_hash.push('0')), Err(ManifestError::Schema { .. })));
        assert!(matches!(parsed(|m| m.classes.swap(0, 2)), Err(ManifestError::Label(_))));
        assert!(matches!(parsed(|m| m.label.life_sessions += 1), Err(ManifestError::Label(_))));
        assert!(matches!(parsed(|m| m.calibrated.from = m.trained.through), Err(ManifestError::Invalid(_))));
        assert!(matches!(parsed(|m| m.data_through = m.trained.through), Err(ManifestError::Invalid(_))));
        assert!(matches!(parsed(|m| m.rule.high_r = 0.0), Err(ManifestError::Invalid(_))));
        assert!(matches!(manifest().verify_onnx(b"other"), Err(ManifestError::Onnx { .. })));
        manifest().verify_onnx(b"onnx").unwrap();
    }
}
