//! The model that ships fits the features, the labels and the file it comes with.

use analysis::{Action, MODEL_FEATURES, ModelManifest, features::schema_hash};

const MANIFEST: &[u8] = include_bytes!("../../../infra/model/manifest.json");
const ONNX: &[u8] = include_bytes!("../../../infra/model/model.onnx");
const GOLDEN: &str = include_str!("../../../infra/model/golden.csv");

#[test]
fn the_manifest_describes_this_model_and_these_features() {
    let manifest = ModelManifest::parse(MANIFEST).unwrap();
    manifest.verify_onnx(ONNX).unwrap();
    assert_eq!(manifest.schema_hash, schema_hash());
    assert!(manifest.data_through <= jiff::civil::date(2021, 12, 31), "what comes after judges the model");
    // A target that is hit brings about two R, a stop costs about one, whichever the side.
    let close_to = |value: f64, expected: f64| (value - expected).abs() < 0.2;
    assert!(close_to(manifest.mean_r.long[2], 2.0) && close_to(manifest.mean_r.long[0], -1.0));
    assert!(close_to(manifest.mean_r.short[0], 2.0) && close_to(manifest.mean_r.short[2], -1.0));
}

#[test]
fn the_golden_rows_have_the_features_and_three_probabilities() {
    let mut lines = GOLDEN.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!(header[..MODEL_FEATURES.len()], *MODEL_FEATURES);
    assert_eq!(header[MODEL_FEATURES.len()..], ["p_sell", "p_hold", "p_buy"]);
    let manifest = ModelManifest::parse(MANIFEST).unwrap();
    let (mut rows, mut missing, mut actions) = (0, 0, Vec::new());
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(fields.len(), header.len());
        missing += fields.iter().filter(|field| field.is_empty()).count();
        let probability = |class: usize| fields[MODEL_FEATURES.len() + class].parse::<f32>().unwrap();
        let raw = [probability(0), probability(1), probability(2)];
        assert!((raw.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let calibrated = manifest.calibrate(raw);
        assert!((calibrated.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        actions.push(manifest.decide(calibrated, 2.0, 100.0, manifest.cost_bps).action);
        rows += 1;
    }
    assert!(rows >= 200 && missing > rows, "{rows} rows, {missing} missing values");
    // The rule tells stocks apart: it neither trades all of them nor none.
    assert!(actions.contains(&Action::Hold) && actions.iter().any(|action| *action != Action::Hold));
}
