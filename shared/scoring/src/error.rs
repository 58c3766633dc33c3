//! Why a model file or a batch of rows is refused.

use analysis::model::ManifestError;

/// A model file that cannot be served. None of these goes away by trying again: another file is needed, or another release of the product.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file is not the one its manifest describes: a half-finished upload, or files of two trainings mixed up.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("the model takes {found} features a row, {expected} are computed")]
    WrongFeatureCount { expected: usize, found: usize },
    /// The bytes are not an ONNX model, or its trees contradict themselves.
    #[error("the model file is damaged: {0}")]
    Damaged(String),
    /// A sound ONNX model that would be evaluated wrongly or not at all.
    #[error("the model file is not supported: {0}")]
    Unsupported(#[from] Unsupported),
}

/// What a sound ONNX model may contain that this crate does not evaluate, each by name. `XGBoost`'s `multi:softprob` exports none of it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Unsupported {
    #[error("its graph is [{0}], not one TreeEnsembleClassifier")]
    Graph(String),
    #[error("its classes are {0}, not the integers 0, 1 and 2 in this order")]
    Classes(String),
    #[error("its post-transform is {0}, not SOFTMAX")]
    PostTransform(String),
    #[error("node {node} of tree {tree} compares by {mode}, not BRANCH_LT")]
    Comparison { tree: usize, node: usize, mode: &'static str },
    #[error("node {node} of tree {tree} compares with {threshold}, not a finite number")]
    Threshold { tree: usize, node: usize, threshold: f32 },
    #[error("leaf {node} of tree {tree} has {votes} votes, not one")]
    Votes { tree: usize, node: usize, votes: usize },
    #[error("the leaves of tree {0} vote for several classes")]
    MixedClasses(usize),
    #[error("tree {tree} is deeper than {limit} levels")]
    TooDeep { tree: usize, limit: usize },
    #[error("it uses feature {0}, the limit is 256 features")]
    TooManyFeatures(usize),
}

/// A batch that cannot be scored. The caller has a defect, or features that were not checked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RowsError {
    #[error("a row has {found} features, the model takes {expected}")]
    FeatureCount { expected: usize, found: usize },
    #[error("{values} values are not whole rows of {features} features")]
    PartialRow { values: usize, features: usize },
    /// Missing is NaN; an infinity is a defect of the feature, and `XGBoost` refuses it in training too.
    #[error("feature {feature} of row {row} is infinite")]
    Infinite { row: usize, feature: usize },
    /// The model was exported without `nodes_hitrates`: it can score, but not explain.
    #[error("the model file has no node covers, so contributions cannot be computed")]
    NoCovers,
    #[error("the evaluation failed: {0}")]
    Evaluation(String),
}
