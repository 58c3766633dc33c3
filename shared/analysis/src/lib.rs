//! Pure numbers: indicators, features, labels, the model's meaning, and performance metrics.
//!
//! Prices are exact decimals everywhere else. They become `f64` in [`Series`], and only there. Missing is `NaN` inside
//! this crate's columns and `None` in everything that leaves it.

pub mod features;
pub mod indicators;
pub mod labels;
pub mod market;
pub mod metrics;
pub mod model;
pub mod series;

pub use features::{FeatureRow, FeatureTable, MODEL_FEATURE_COUNT, MODEL_FEATURES};
pub use labels::{Class, LIFE_SESSIONS, Label, Outcome, STOP_ATR, Side, TARGET_ATR};
pub use market::{MarketContext, MarketRegime, Member};
pub use model::{Action, Decision, EdgeLevel, ModelManifest};
pub use series::Series;
