//! What the model's numbers mean: the manifest beside the ONNX file, the calibration of its probabilities, and the decision
//! they lead to. How the probabilities are computed is not this crate's matter.

mod calibration;
mod decision;
mod manifest;

pub use calibration::VectorScaling;
pub use decision::{Action, Decision, DecisionRule, EdgeLevel, MeanR};
pub use manifest::{CLASS_NAMES, LabelDefinition, ManifestError, ModelManifest, Window};
