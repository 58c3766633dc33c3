//! The trees of a model, read from what tract parsed and checked: every later step may rely on them being trees.

use tract_onnx::prelude::TractResult;
use tract_onnx_opl::ml::tree::TreeEnsembleData;

use crate::CLASSES;
use crate::error::{ModelError, Unsupported};

/// Trees are evaluated as complete binary trees, whose cost doubles with each level; boosted trees are far shallower.
pub(crate) const MAX_DEPTH: usize = 8;
/// A node keeps its feature in a byte.
pub(crate) const MAX_FEATURES: usize = 256;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Node {
    /// Left if the feature is below the threshold, right if it is not; a missing one (NaN) goes the way learned in training.
    Branch { feature: u8, threshold: f32, missing_left: bool, left: u32, right: u32 },
    /// What the tree adds to its class's margin.
    Leaf(f32),
}

/// One tree; its root is the first node, and every node is reached from it in exactly one way.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree {
    pub(crate) class: u8,
    /// Levels of branches on the longest path.
    pub(crate) depth: u8,
    pub(crate) nodes: Vec<Node>,
    /// Each node's share of the training data (sum of hessians), above zero; empty if the model file has none.
    pub(crate) covers: Vec<f32>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Forest {
    pub(crate) trees: Vec<Tree>,
}

impl Forest {
    /// `covers` holds one number a node in the order of tree and node ids, or nothing.
    pub(crate) fn read(data: &TreeEnsembleData, covers: &[f32]) -> Result<Self, ModelError> {
        let tables = Tables::of(data).map_err(|error| ModelError::Damaged(format!("{error:#}")))?;
        if !(covers.is_empty() || covers.len() == tables.nodes.len()) {
            return Err(ModelError::Damaged(format!("{} covers for {} nodes", covers.len(), tables.nodes.len())));
        }
        let trees = (0..tables.roots.len()).map(|tree| tables.tree(tree, covers)).collect::<Result<_, _>>()?;
        Ok(Self { trees })
    }

    /// Whether the model file says how much training data went through each node, which contributions need.
    pub(crate) fn has_covers(&self) -> bool {
        self.trees.iter().all(|tree| !tree.covers.is_empty())
    }

    pub(crate) fn largest_feature(&self) -> Option<usize> {
        let nodes = self.trees.iter().flat_map(|tree| &tree.nodes);
        nodes.filter_map(|node| if let Node::Branch { feature, .. } = node { Some(usize::from(*feature)) } else { None }).max()
    }

    /// The margins of one row, a node at a time: what the fast evaluator must agree with.
    #[cfg(test)]
    pub(crate) fn margins(&self, row: &[f32]) -> [f32; CLASSES] {
        let mut margins = [0.0; CLASSES];
        for tree in &self.trees {
            let mut at = 0;
            margins[usize::from(tree.class)] += loop {
                match tree.nodes[at] {
                    Node::Leaf(value) => break value,
                    Node::Branch { feature, threshold, missing_left, left, right } => {
                        let value = row[usize::from(feature)];
                        let goes_left = if value.is_nan() { missing_left } else { value < threshold };
                        at = if goes_left { left } else { right } as usize;
                    }
                }
            };
        }
        margins
    }
}

/// Tract's own tables: nodes in rows of five numbers, votes in rows of two.
struct Tables<'a> {
    roots: &'a [u32],
    nodes: &'a [[u32; 5]],
    votes: &'a [[u32; 2]],
}

impl<'a> Tables<'a> {
    fn of(data: &'a TreeEnsembleData) -> TractResult<Self> {
        Ok(Self {
            roots: data.trees.try_as_plain_ram()?.as_slice()?,
            nodes: data.nodes.try_as_plain_ram()?.as_slice()?.as_chunks().0,
            votes: data.leaves.try_as_plain_ram()?.as_slice()?.as_chunks().0,
        })
    }

    fn tree(&self, tree: usize, covers: &[f32]) -> Result<Tree, ModelError> {
        let root = self.roots[tree];
        let end = self.roots.get(tree + 1).map_or(self.nodes.len(), |&next| next as usize);
        let range = root as usize..end;
        let nodes = range.clone().map(|at| self.node(tree, root, at)).collect::<Result<Vec<_>, _>>()?;
        let covers = covers.get(range.clone()).unwrap_or_default().to_vec();
        if let Some(cover) = covers.iter().find(|cover| !(cover.is_finite() && **cover > 0.0)) {
            return Err(ModelError::Damaged(format!("tree {tree} has a node with the cover {cover}")));
        }
        Ok(Tree { class: self.class(tree, range)?, depth: depth(tree, &nodes)?, nodes, covers })
    }

    fn node(&self, tree: usize, root: u32, at: usize) -> Result<Node, ModelError> {
        let [first, second, third, bits, flags] = self.nodes[at];
        let node = at - root as usize;
        match comparison(flags) {
            0 => self.vote(tree, node, first..second).map(|[_, weight]| Node::Leaf(f32::from_bits(weight))),
            3 => {
                let feature = u8::try_from(first).map_err(|_| Unsupported::TooManyFeatures(first as usize))?;
                let threshold = f32::from_bits(bits);
                if !threshold.is_finite() {
                    return Err(Unsupported::Threshold { tree, node, threshold }.into());
                }
                // A child before the root wraps round to a number that no tree reaches, which `depth` refuses.
                let (left, right) = (second.wrapping_sub(root), third.wrapping_sub(root));
                Ok(Node::Branch { feature, threshold, missing_left: flags & 0x100 != 0, left, right })
            }
            mode => Err(Unsupported::Comparison { tree, node, mode: mode_name(mode) }.into()),
        }
    }

    fn vote(&self, tree: usize, node: usize, votes: std::ops::Range<u32>) -> Result<[u32; 2], ModelError> {
        match self.votes.get(votes.start as usize..votes.end as usize) {
            Some([vote]) => Ok(*vote),
            Some(votes) => Err(Unsupported::Votes { tree, node, votes: votes.len() }.into()),
            None => Err(ModelError::Damaged(format!("leaf {node} of tree {tree} has no vote"))),
        }
    }

    /// The one class that all leaves among the nodes of `range` vote for.
    fn class(&self, tree: usize, range: std::ops::Range<usize>) -> Result<u8, ModelError> {
        let leaves = self.nodes[range].iter().filter(|node| comparison(node[4]) == 0);
        let mut classes = leaves.map(|&[vote, ..]| self.votes[vote as usize][0]);
        let class = classes.next().ok_or_else(|| ModelError::Damaged(format!("tree {tree} has no leaf")))?;
        if classes.any(|other| other != class) {
            return Err(Unsupported::MixedClasses(tree).into());
        }
        u8::try_from(class)
            .ok()
            .filter(|class| usize::from(*class) < CLASSES)
            .ok_or_else(|| ModelError::Damaged(format!("tree {tree} votes for class {class}")))
    }
}

/// Walks the whole tree: refuses cycles, shared or unreachable nodes, children outside, and more than [`MAX_DEPTH`] levels.
fn depth(tree: usize, nodes: &[Node]) -> Result<u8, ModelError> {
    let mut seen = vec![false; nodes.len()];
    let mut pending = vec![(0, 0)];
    let mut deepest = 0;
    while let Some((at, level)) = pending.pop() {
        match (nodes.get(at as usize), seen.get_mut(at as usize)) {
            (Some(node), Some(seen)) if !*seen => {
                *seen = true;
                deepest = deepest.max(level);
                if usize::from(level) > MAX_DEPTH {
                    return Err(Unsupported::TooDeep { tree, limit: MAX_DEPTH }.into());
                }
                if let Node::Branch { left, right, .. } = *node {
                    pending.extend([(left, level + 1), (right, level + 1)]);
                }
            }
            _ => return Err(ModelError::Damaged(format!("node {at} of tree {tree} does not exist or has several parents"))),
        }
    }
    if seen.contains(&false) {
        return Err(ModelError::Damaged(format!("tree {tree} has nodes out of reach")));
    }
    Ok(deepest)
}

/// Tract's number of a node's comparison, 0 for a leaf.
fn comparison(flags: u32) -> u32 {
    flags & 0xff
}

/// ONNX's name of a comparison, from tract's number for it.
fn mode_name(mode: u32) -> &'static str {
    match mode {
        1 => "BRANCH_EQ",
        2 => "BRANCH_NEQ",
        4 => "BRANCH_GT",
        5 => "BRANCH_LEQ",
        6 => "BRANCH_GTE",
        _ => "an unknown comparison",
    }
}
