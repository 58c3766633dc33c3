//! The identity of the model's input, by which a model and the code that feeds it recognise each other.

use sha2::{Digest, Sha256};

use super::MODEL_FEATURES;

/// Raised whenever a formula changes while its name stays: an old model must then be refused.
pub const FEATURES_VERSION: u32 = 1;

/// The features as text: the definition's version, then one name a line in the model's order.
pub fn schema() -> String {
    format!("features {FEATURES_VERSION}\n{}\n", MODEL_FEATURES.join("\n"))
}

/// SHA-256 of [`schema`], in hexadecimal.
pub fn schema_hash() -> String {
    hex::encode(Sha256::digest(schema()))
}
