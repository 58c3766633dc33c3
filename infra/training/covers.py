"""Writes each tree node's cover (its sum of hessians) into the exported ONNX model.

TreeSHAP weighs a tree's branches by how much of the training data went each way, and the converter drops that. ONNX has a field for it: the optional
attribute `nodes_hitrates` of TreeEnsembleClassifier ("popularity of each node", https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html),
one float a node in the order of `nodes_nodeids`. With it the model stays one self-contained file under one hash, and other runtimes read it as before.
"""

import json

import onnx
import xgboost


def _preorder(tree: dict):
    """XGBoost's node indices in the converter's order: the node, then everything under its "yes" child, then under its "no" child."""
    pending = [0]
    while pending:
        node = pending.pop()
        yield node
        if tree["left_children"][node] != -1:
            pending += [tree["right_children"][node], tree["left_children"][node]]


def add_covers(model: onnx.ModelProto, booster: xgboost.Booster) -> onnx.ModelProto:
    """Adds `nodes_hitrates` to the only TreeEnsembleClassifier of `model`, which `convert_xgboost` made of `booster`, and returns `model`.

    Every node is compared with the booster's (leaf or branch, feature, threshold), so that covers can never land on the wrong node: ValueError if one differs.
    """
    ensembles = [node for node in model.graph.node if node.op_type == "TreeEnsembleClassifier"]
    if len(ensembles) != 1:
        raise ValueError(f"the model has {len(ensembles)} TreeEnsembleClassifier nodes, not one")
    attributes = {attribute.name: attribute for attribute in ensembles[0].attribute}
    if "nodes_hitrates" in attributes:
        raise ValueError("the model already has nodes_hitrates")
    tree_ids = attributes["nodes_treeids"].ints
    node_ids = attributes["nodes_nodeids"].ints
    features = attributes["nodes_featureids"].ints
    thresholds = attributes["nodes_values"].floats
    modes = attributes["nodes_modes"].strings

    trees = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]["model"]["trees"]
    covers = []
    for tree_id in range(tree_ids[-1] + 1):
        tree = trees[tree_id]
        for node_id, node in enumerate(_preorder(tree)):
            at = len(covers)
            leaf = tree["left_children"][node] == -1
            same = at < len(tree_ids) and (tree_ids[at], node_ids[at]) == (tree_id, node_id) and (modes[at] == b"LEAF") == leaf
            # Both sides were written with the nine digits that determine a 32-bit float.
            if same and not leaf:
                close = abs(thresholds[at] - tree["split_conditions"][node]) <= 1e-6 * abs(thresholds[at])
                same = features[at] == tree["split_indices"][node] and close
            if not same:
                raise ValueError(f"node {node_id} of tree {tree_id} differs between the ONNX model and the booster")
            covers.append(tree["sum_hessian"][node])
    if len(covers) != len(tree_ids):
        raise ValueError(f"the ONNX model has {len(tree_ids)} nodes, the booster {len(covers)}")
    ensembles[0].attribute.append(onnx.helper.make_attribute("nodes_hitrates", covers))
    return model
