//! Every model against what `XGBoost` itself said about its golden rows, missing values included.

use std::path::{Path, PathBuf};

use analysis::model::{ManifestError, ModelManifest};
use scoring::{CLASSES, Contributions, Model, ModelError};

/// The synthetic model of `fixtures/make_fixture.py`, and the one the product ships.
fn models() -> [PathBuf; 2] {
    ["fixtures", "../../infra/model"].map(|directory| Path::new(env!("CARGO_MANIFEST_DIR")).join(directory))
}

/// A table of numbers with a header; an empty field is a missing value.
struct Table {
    columns: usize,
    values: Vec<f32>,
}

impl Table {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let (header, rows) = text.split_once('\n').unwrap();
        let number = |field: &str| if field.is_empty() { f32::NAN } else { field.parse().unwrap() };
        Self { columns: header.split(',').count(), values: rows.lines().flat_map(|line| line.split(',').map(number)).collect() }
    }

    fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.columns)
    }
}

struct Golden {
    model: Model,
    n_features: usize,
    /// Row-major, without the probabilities.
    rows: Vec<f32>,
    probabilities: Vec<[f32; CLASSES]>,
}

fn golden(directory: &Path) -> Golden {
    let file = std::fs::read(directory.join("model.onnx")).unwrap();
    let table = Table::read(&directory.join("golden.csv"));
    let n_features = table.columns - CLASSES;
    let model = match std::fs::read(directory.join("manifest.json")) {
        Ok(manifest) => Model::load(&file, &ModelManifest::parse(&manifest).unwrap()),
        Err(_) => Model::read(&file, n_features),
    };
    let model = model.unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    Golden {
        model,
        n_features,
        rows: table.rows().flat_map(|row| &row[..n_features]).copied().collect(),
        probabilities: table.rows().map(|row| row[n_features..].try_into().unwrap()).collect(),
    }
}

#[test]
fn probabilities_equal_xgboosts_in_batches_of_any_size() {
    for directory in models() {
        let Golden { model, n_features, rows, probabilities } = golden(&directory);
        assert!(rows.iter().any(|value| value.is_nan()), "the golden rows have no missing value");
        assert!(probabilities.len() >= 100, "too few golden rows");
        for batch in [1, 7, 16, 40, 64, 100, probabilities.len()] {
            for (rows, expected) in rows.chunks(batch * n_features).zip(probabilities.chunks(batch)) {
                let found = model.score(rows, n_features).unwrap();
                assert_eq!(found.len(), expected.len());
                for (found, expected) in found.as_flattened().iter().zip(expected.as_flattened()) {
                    assert!((found - expected).abs() <= 1e-5, "{}: {found} is not {expected}", directory.display());
                }
            }
        }
        assert_eq!(model.score(&[], n_features), Ok(Vec::new()));
    }
}

#[test]
fn contributions_sum_to_the_margins_behind_the_probabilities() {
    for directory in models() {
        let Golden { model, n_features, rows, .. } = golden(&directory);
        assert!(model.explains(), "{} has no covers", directory.display());
        let scores = model.score(&rows, n_features).unwrap();
        for (explained, score) in model.contributions(&rows, n_features).unwrap().iter().zip(scores) {
            // The softmax leaves the margins' differences, so these are compared.
            let margins = explained.margins();
            for class in 1..CLASSES {
                let difference = f64::from(score[class]).ln() - f64::from(score[0]).ln();
                assert!((margins[class] - margins[0] - difference).abs() < 1e-5, "{}: {margins:?} is not {score:?}", directory.display());
            }
        }
    }
}

#[test]
fn contributions_equal_xgboosts() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let Golden { model, n_features, rows, .. } = golden(&directory);
    let table = Table::read(&directory.join("contributions.csv"));
    let explained = model.contributions(&rows, n_features).unwrap();
    assert!(table.rows().count() >= 20, "too few explained rows");
    for (expected, Contributions { expected: bias, by_feature }) in table.rows().zip(&explained) {
        for (class, expected) in expected.chunks_exact(n_features + 1).enumerate() {
            let found = by_feature.iter().chain([bias]).map(|by_class| by_class[class]);
            for (found, expected) in found.zip(expected) {
                assert!((found - f64::from(*expected)).abs() <= 1e-5, "{found} is not {expected}");
            }
        }
    }
}

#[test]
fn the_manifest_of_another_model_is_refused() {
    let [fixture, shipped] = models();
    let manifest = ModelManifest::parse(&std::fs::read(shipped.join("manifest.json")).unwrap()).unwrap();
    let file = std::fs::read(fixture.join("model.onnx")).unwrap();
    let refused = Model::load(&file, &manifest).err();
    assert!(matches!(refused, Some(ModelError::Manifest(ManifestError::Onnx { .. }))), "{refused:?}");
}
