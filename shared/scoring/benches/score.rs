//! `cargo bench -p scoring`, beside `benches/peers.py`, which makes the large model measured here: 300 rounds of three trees of depth 4, 36 features.
//! Without it the small model of the tests is measured.

use std::path::{Path, PathBuf};

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use scoring::Model;

fn main() {
    println!("model: {}", directory().join("model.onnx").display());
    divan::main();
}

fn directory() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let large = here.join("../../target/scoring-bench");
    if large.join("model.onnx").exists() { large } else { here.join("fixtures") }
}

const FEATURES: usize = 36;

fn file() -> Vec<u8> {
    std::fs::read(directory().join("model.onnx")).expect("the model file is readable")
}

fn model() -> Model {
    Model::read(&file(), FEATURES).expect("the model loads")
}

/// The golden rows, over and over.
fn rows(count: usize) -> Vec<f32> {
    let golden =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden.csv")).expect("the golden rows are readable");
    let number = |field: &str| if field.is_empty() { f32::NAN } else { field.parse().expect("a number") };
    let rows: Vec<f32> = golden.lines().skip(1).flat_map(|line| line.split(',').take(FEATURES).map(number)).collect();
    rows.into_iter().cycle().take(count * FEATURES).collect()
}

/// Time of one batch, and rows a second.
#[divan::bench(args = [1, 60, 500, 5000])]
fn score(bencher: Bencher, count: usize) {
    let (model, rows) = (model(), rows(count));
    bencher.counter(ItemsCount::new(count)).bench(|| model.score(black_box(&rows), FEATURES));
}

/// Time of explaining one batch.
#[divan::bench(args = [1, 60])]
fn contributions(bencher: Bencher, count: usize) {
    let (model, rows) = (model(), rows(count));
    bencher.counter(ItemsCount::new(count)).bench(|| model.contributions(black_box(&rows), FEATURES));
}

/// What a cold start pays before the first score.
#[divan::bench]
fn load_model(bencher: Bencher) {
    let file = file();
    bencher.bench(|| Model::read(black_box(&file), FEATURES));
}

/// What the first explanation pays on top.
#[divan::bench(sample_count = 20)]
fn first_contribution(bencher: Bencher) {
    let rows = rows(1);
    bencher.with_inputs(model).bench_refs(|model| model.contributions(black_box(&rows), FEATURES));
}
