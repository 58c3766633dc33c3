//! Serves the model: `XGBoost`'s trees from an ONNX file, read and run by tract, with its tree operator replaced by one that is a thousand times faster.
//!
//! A [`Model`] gives class probabilities for batches of rows ([`Model::score`]) and says which features they come from ([`Model::contributions`]).
//! It knows nothing of what features and classes mean, except that there are three classes.

mod contributions;
mod error;
mod flat;
mod forest;
mod model;
mod onnx;
mod op;
mod ranks;
#[cfg(test)]
mod samples;

pub use contributions::Contributions;
pub use error::{ModelError, RowsError, Unsupported};
pub use model::Model;

/// A signal is to buy, to sell or to hold.
pub const CLASSES: usize = 3;
