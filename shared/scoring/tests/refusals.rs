//! Files and rows that must be refused, each with the reason.

use std::path::Path;

use prost::Message;
use scoring::{Model, ModelError, RowsError};
use tract_onnx::pb::{AttributeProto, ModelProto};

const FEATURES: usize = 36;

fn file() -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/model.onnx")).unwrap()
}

/// The fixture after `change` to the attributes of its trees.
fn changed(change: impl FnOnce(&mut Vec<AttributeProto>)) -> Vec<u8> {
    let mut proto = ModelProto::decode(&file()[..]).unwrap();
    change(&mut proto.graph.as_mut().unwrap().node[0].attribute);
    proto.encode_to_vec()
}

fn attribute<'a>(attributes: &'a mut [AttributeProto], name: &str) -> &'a mut AttributeProto {
    attributes.iter_mut().find(|attribute| attribute.name == name).unwrap()
}

fn refusal(file: &[u8]) -> String {
    match Model::read(file, FEATURES) {
        Ok(_) => panic!("the file was accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_model_that_would_be_evaluated_wrongly_is_refused_by_name() {
    for (name, at, value, reason) in [
        ("nodes_modes", 0, "BRANCH_GTE", "node 0 of tree 0 compares by BRANCH_GTE, not BRANCH_LT"),
        ("nodes_modes", 1, "BRANCH_LEQ", "node 1 of tree 0 compares by BRANCH_LEQ, not BRANCH_LT"),
        ("nodes_modes", 0, "BRANCH_EQ", "node 0 of tree 0 compares by BRANCH_EQ, not BRANCH_LT"),
    ] {
        let file = changed(|all| attribute(all, name).strings[at] = value.into());
        assert_eq!(refusal(&file), format!("the model file is not supported: {reason}"));
    }
    for (name, at, value, reason) in [
        ("class_ids", 0, 1, "the leaves of tree 0 vote for several classes"),
        ("class_nodeids", 1, 4, "leaf 4 of tree 0 has 2 votes, not one"),
        ("classlabels_int64s", 2, 7, "its classes are [0, 1, 7], not the integers 0, 1 and 2 in this order"),
        ("nodes_featureids", 0, 256, "it uses feature 256, the limit is 256 features"),
    ] {
        let file = changed(|all| attribute(all, name).ints[at] = value);
        let found = refusal(&file);
        assert_eq!(found, format!("the model file is not supported: {reason}"), "{name}[{at}] = {value}");
    }
    let threshold = changed(|all| attribute(all, "nodes_values").floats[0] = f32::NAN);
    assert_eq!(refusal(&threshold), "the model file is not supported: node 0 of tree 0 compares with NaN, not a finite number");
    let logistic = changed(|all| attribute(all, "post_transform").s = b"LOGISTIC".to_vec());
    assert_eq!(refusal(&logistic), "the model file is not supported: its post-transform is LOGISTIC, not SOFTMAX");
    let no_transform = changed(|all| all.retain(|attribute| attribute.name != "post_transform"));
    assert_eq!(refusal(&no_transform), "the model file is not supported: its post-transform is NONE, not SOFTMAX");
}

#[test]
fn a_graph_of_more_than_trees_is_refused() {
    let mut proto = ModelProto::decode(&file()[..]).unwrap();
    let graph = proto.graph.as_mut().unwrap();
    let mut scaler = graph.node[0].clone();
    scaler.op_type = "Scaler".into();
    graph.node.insert(0, scaler);
    let expected = "the model file is not supported: its graph is [Scaler, TreeEnsembleClassifier], not one TreeEnsembleClassifier";
    assert_eq!(refusal(&proto.encode_to_vec()), expected);
}

#[test]
fn a_chain_deeper_than_the_limit_is_refused() {
    let chain = changed(|all| {
        // The first tree becomes one path of nine branches, each with a leaf on the right.
        let (branches, nodes) = (9, 19);
        let drop = attribute(all, "nodes_treeids").ints.iter().filter(|tree| **tree == 0).count();
        let leaves = attribute(all, "class_treeids").ints.iter().filter(|tree| **tree == 0).count();
        let ids = |f: &dyn Fn(i64) -> i64| (0..nodes).map(f).collect::<Vec<_>>();
        let branch = |id: i64| id % 2 == 0 && id < 2 * branches;
        for (name, new) in [
            ("nodes_treeids", ids(&|_| 0)),
            ("nodes_nodeids", ids(&|id| id)),
            ("nodes_featureids", ids(&|_| 0)),
            ("nodes_truenodeids", ids(&|id| if branch(id) { id + 2 } else { 0 })),
            ("nodes_falsenodeids", ids(&|id| if branch(id) { id + 1 } else { 0 })),
            ("nodes_missing_value_tracks_true", ids(&|_| 0)),
        ] {
            attribute(all, name).ints.splice(..drop, new);
        }
        let mode = |id| if branch(id) { b"BRANCH_LT".to_vec() } else { b"LEAF".to_vec() };
        attribute(all, "nodes_modes").strings.splice(..drop, (0..nodes).map(mode));
        attribute(all, "nodes_values").floats.splice(..drop, (0..nodes).map(|_| 0.5));
        attribute(all, "nodes_hitrates").floats.splice(..drop, (0..nodes).map(|_| 1.0));
        let leaf_ids: Vec<i64> = (0..nodes).filter(|id| !branch(*id)).collect();
        attribute(all, "class_treeids").ints.splice(..leaves, leaf_ids.iter().map(|_| 0));
        attribute(all, "class_ids").ints.splice(..leaves, leaf_ids.iter().map(|_| 0));
        attribute(all, "class_weights").floats.splice(..leaves, leaf_ids.iter().map(|_| 0.1));
        attribute(all, "class_nodeids").ints.splice(..leaves, leaf_ids.iter().copied());
    });
    assert_eq!(refusal(&chain), "the model file is not supported: tree 0 is deeper than 8 levels");
}

#[test]
fn a_damaged_file_is_refused() {
    let damaged = |name: &str, at: usize, value: i64| changed(|all| attribute(all, name).ints[at] = value);
    let shortened = |name: &str| changed(|all| attribute(all, name).floats.truncate(1));
    for (file, reason) in [
        (Vec::new(), "it has no graph"),
        (b"<html>not found</html>".to_vec(), "decode"),
        (file()[..file().len() / 2].to_vec(), "decode"),
        (damaged("nodes_truenodeids", 1, 0), "node 0 of tree 0 does not exist or has several parents"),
        (damaged("nodes_truenodeids", 0, 100_000), "node 100000 of tree 0 does not exist or has several parents"),
        (damaged("nodes_falsenodeids", 0, 2), "node 2 of tree 0 does not exist or has several parents"),
        (damaged("nodes_featureids", 0, 36), "a tree asks for feature 36 of 36"),
        (changed(|all| attribute(all, "nodes_hitrates").floats[3] = 0.0), "tree 0 has a node with the cover 0"),
        (shortened("nodes_hitrates"), "covers for"),
        (shortened("nodes_values"), "nodes_values"),
        (shortened("base_values"), "1 base values for 3 classes"),
    ] {
        let found = refusal(&file);
        assert!(found.starts_with("the model file is damaged: ") && found.contains(reason), "{found} does not say: {reason}");
    }
}

/// Whatever byte is wrong, loading ends with an answer; most such files are refused.
#[test]
fn no_flipped_byte_makes_loading_panic() {
    let file = file();
    for at in (0..file.len()).step_by(file.len() / 200) {
        let mut damaged = file.clone();
        damaged[at] ^= 0x2d;
        drop(Model::read(&damaged, FEATURES));
    }
}

#[test]
fn another_number_of_features_is_refused() {
    let refused = Model::read(&file(), 35);
    assert!(matches!(refused, Err(ModelError::WrongFeatureCount { expected: 35, found: FEATURES })));
}

#[test]
fn rows_that_cannot_be_scored_are_refused() {
    let model = Model::read(&file(), FEATURES).unwrap();
    let mut infinite = vec![0.0; 3 * FEATURES];
    infinite[2 * FEATURES + 5] = f32::NEG_INFINITY;
    for (rows, n_features, reason) in [
        (vec![0.0; 70], 35, RowsError::FeatureCount { expected: FEATURES, found: 35 }),
        (vec![0.0; 71], FEATURES, RowsError::PartialRow { values: 71, features: FEATURES }),
        (infinite, FEATURES, RowsError::Infinite { row: 2, feature: 5 }),
    ] {
        assert_eq!(model.score(&rows, n_features).unwrap_err(), reason);
        assert_eq!(model.contributions(&rows, n_features).unwrap_err(), reason);
    }
}

#[test]
fn without_covers_a_model_scores_but_does_not_explain() {
    let bare = changed(|all| all.retain(|attribute| attribute.name != "nodes_hitrates"));
    let (bare, whole) = (Model::read(&bare, FEATURES).unwrap(), Model::read(&file(), FEATURES).unwrap());
    let row = [0.1; FEATURES];
    assert_eq!(bare.score(&row, FEATURES), whole.score(&row, FEATURES));
    assert_eq!(bare.contributions(&row, FEATURES), Err(RowsError::NoCovers));
    assert!(!bare.explains() && whole.explains());
}
