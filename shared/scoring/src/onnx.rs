//! Reads an ONNX file by tract, checks that it is what `XGBoost`'s classifier exports, and puts the flat evaluator in.

use std::sync::Arc;

use tract_onnx::pb::{AttributeProto, ModelProto, NodeProto, tensor_shape_proto::dimension::Value, type_proto};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::nn::Softmax;
use tract_onnx_opl::ml::tree_ensemble_classifier::TreeEnsembleClassifier;

use crate::CLASSES;
use crate::error::{ModelError, Unsupported};
use crate::flat::FlatForest;
use crate::forest::Forest;
use crate::op::{ClassSoftmax, FlatEnsemble};

/// What a model file holds, ready to run.
pub(crate) struct Loaded {
    pub(crate) plan: Arc<TypedSimplePlan>,
    pub(crate) forest: Forest,
    pub(crate) base: [f32; CLASSES],
    pub(crate) n_features: usize,
}

pub(crate) fn load(mut file: &[u8]) -> Result<Loaded, ModelError> {
    let onnx = tract_onnx::onnx();
    let proto = onnx.proto_model_for_read(&mut file).map_err(|error| damaged(&error))?;
    let ensemble = only_node(&proto)?;
    check_classes(ensemble)?;
    check_post_transform(ensemble)?;
    let base = base_score(ensemble)?;
    let n_features = n_features(&proto)?;
    let graph = optimized(&onnx, &proto, n_features).map_err(|error| damaged(&error))?;
    let (plan, forest) = with_own_operators(graph, &covers(ensemble)?)?;
    if let Some(feature) = forest.largest_feature().filter(|feature| *feature >= n_features) {
        return Err(ModelError::Damaged(format!("a tree asks for feature {feature} of {n_features}")));
    }
    Ok(Loaded { plan, forest, base, n_features })
}

fn damaged(error: &TractError) -> ModelError {
    ModelError::Damaged(format!("{error:#}"))
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

/// Anything before or after the trees, a scaler say, would be left out of the contributions.
fn only_node(proto: &ModelProto) -> Result<&NodeProto, ModelError> {
    let graph = proto.graph.as_ref().ok_or_else(|| ModelError::Damaged("it has no graph".into()))?;
    match &graph.node[..] {
        [node] if node.op_type == "TreeEnsembleClassifier" => Ok(node),
        nodes => {
            let types: Vec<&str> = nodes.iter().map(|node| node.op_type.as_str()).collect();
            Err(Unsupported::Graph(types.join(", ")).into())
        }
    }
}

fn check_classes(ensemble: &NodeProto) -> Result<(), Unsupported> {
    let labels = attribute(ensemble, "classlabels_int64s").map(|labels| &labels.ints[..]);
    match labels {
        Some([0, 1, 2]) => Ok(()),
        Some(other) => Err(Unsupported::Classes(format!("{other:?}"))),
        None => Err(Unsupported::Classes("not integers".into())),
    }
}

fn check_post_transform(ensemble: &NodeProto) -> Result<(), Unsupported> {
    match attribute(ensemble, "post_transform").map_or(&b"NONE"[..], |name| &name.s) {
        b"SOFTMAX" => Ok(()),
        other => Err(Unsupported::PostTransform(String::from_utf8_lossy(other).into_owned())),
    }
}

fn base_score(ensemble: &NodeProto) -> Result<[f32; CLASSES], ModelError> {
    let Some(base) = attribute(ensemble, "base_values") else { return Ok([0.0; CLASSES]) };
    base.floats[..].try_into().map_err(|_| ModelError::Damaged(format!("{} base values for {CLASSES} classes", base.floats.len())))
}

fn n_features(proto: &ModelProto) -> Result<usize, ModelError> {
    let inputs = proto.graph.as_ref().map_or(&[][..], |graph| &graph.input);
    let [input] = inputs else { return Err(ModelError::Damaged(format!("it has {} inputs, not one", inputs.len()))) };
    let Some(type_proto::Value::TensorType(tensor)) = input.r#type.as_ref().and_then(|of| of.value.as_ref()) else {
        return Err(ModelError::Damaged("its input is not a tensor".into()));
    };
    let dimensions = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim);
    match dimensions {
        [_, columns] => match columns.value {
            Some(Value::DimValue(columns @ 1..)) => {
                usize::try_from(columns).map_err(|_| ModelError::Damaged("its input is too wide".into()))
            }
            _ => Err(ModelError::Damaged("it does not say how many features a row has".into())),
        },
        _ => Err(ModelError::Damaged("its input is not rows of features".into())),
    }
}

/// Covers in the order of tree and node ids, as tract orders its nodes; empty if the file has none.
fn covers(ensemble: &NodeProto) -> Result<Vec<f32>, ModelError> {
    let Some(covers) = attribute(ensemble, "nodes_hitrates").filter(|covers| !covers.floats.is_empty()) else { return Ok(Vec::new()) };
    let ints = |name| attribute(ensemble, name).map_or(&[][..], |ids| &ids.ints);
    let (trees, nodes) = (ints("nodes_treeids"), ints("nodes_nodeids"));
    if covers.floats.len() != trees.len() || trees.len() != nodes.len() {
        return Err(ModelError::Damaged(format!("{} covers for {} nodes", covers.floats.len(), nodes.len())));
    }
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_by_key(|&at| (trees[at], nodes[at]));
    Ok(order.into_iter().map(|at| covers.floats[at]).collect())
}

/// Tract's graph from rows of 32-bit floats to probabilities. The label that the model also gives is left out: callers decide by probabilities.
fn optimized(onnx: &tract_onnx::Onnx, proto: &ModelProto, n_features: usize) -> TractResult<TypedModel> {
    let model = onnx.model_for_proto_model(proto)?;
    let rows = model.symbols.sym("rows");
    let outputs = model.output_outlets()?.to_vec();
    let [_label, probabilities] = outputs[..] else { tract_onnx::tract_core::internal::bail!("it has {} outputs, not two", outputs.len()) };
    model
        .with_input_fact(0, f32::fact([rows.to_dim(), n_features.to_dim()]).into())?
        .with_output_outlets(&[probabilities])?
        .into_typed()?
        .into_optimized()
}

/// Puts this crate's operators in the places of tract's trees and softmax.
fn with_own_operators(mut graph: TypedModel, covers: &[f32]) -> Result<(Arc<TypedSimplePlan>, Forest), ModelError> {
    let trees = graph.nodes.iter_mut().find_map(|node| {
        let data = node.op.downcast_ref::<TreeEnsembleClassifier>()?.ensemble.data.clone();
        Some((&mut node.op, data))
    });
    let (op, data) = trees.ok_or_else(|| ModelError::Damaged("tract found no trees in it".into()))?;
    let forest = Forest::read(&data, covers)?;
    *op = Box::new(FlatEnsemble { forest: Arc::new(FlatForest::of(&forest)) });
    for node in graph.nodes.iter_mut().filter(|node| node.op_is::<Softmax>()) {
        node.op = Box::new(ClassSoftmax);
    }
    let plan = TypedSimplePlan::new(graph).map_err(|error| damaged(&error))?;
    Ok((plan, forest))
}
