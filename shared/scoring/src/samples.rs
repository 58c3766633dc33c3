//! Random trees and rows for tests, the same ones at every run.

use crate::CLASSES;
use crate::forest::{Forest, Node, Tree};

/// A xorshift generator (Marsaglia 2003).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    /// One of `grid` evenly spaced numbers, half of them below zero: a small grid makes values meet thresholds.
    fn on_grid(&mut self, grid: u64) -> f32 {
        self.below(grid) as f32 - (grid / 2) as f32
    }

    /// Trees of uneven shapes, up to `depth` levels.
    pub(crate) fn forest(&mut self, trees: usize, depth: u8, n_features: u64, grid: u64) -> Forest {
        let trees = (0..trees).map(|_| {
            let levels = u8::try_from(self.below(u64::from(depth) + 1)).unwrap();
            let class = u8::try_from(self.below(CLASSES as u64)).unwrap();
            let mut tree = Tree { class, depth: 0, nodes: Vec::new(), covers: Vec::new() };
            self.grow(&mut tree, 0, levels, (n_features, grid));
            tree
        });
        Forest { trees: trees.collect() }
    }

    /// Adds a subtree and returns its root; its cover is the sum of its leaves'.
    fn grow(&mut self, tree: &mut Tree, level: u8, levels: u8, (n_features, grid): (u64, u64)) -> u32 {
        let at = tree.nodes.len();
        tree.depth = tree.depth.max(level);
        tree.nodes.push(Node::Leaf(self.on_grid(1000) / 1000.0));
        tree.covers.push((1 + self.below(100)) as f32);
        if level < levels && self.below(8) > 0 {
            let feature = u8::try_from(self.below(n_features)).unwrap();
            let (threshold, missing_left) = (self.on_grid(grid), self.below(2) == 0);
            let left = self.grow(tree, level + 1, levels, (n_features, grid));
            let right = self.grow(tree, level + 1, levels, (n_features, grid));
            tree.nodes[at] = Node::Branch { feature, threshold, missing_left, left, right };
            tree.covers[at] = tree.covers[left as usize] + tree.covers[right as usize];
        }
        u32::try_from(at).unwrap()
    }

    /// Row-major values, some on the trees' thresholds, a fifth missing.
    pub(crate) fn rows(&mut self, count: usize, n_features: u64, grid: u64) -> Vec<f32> {
        let mut value = || match self.below(10) {
            0 | 1 => f32::NAN,
            2 => -0.0,
            3..7 => self.on_grid(grid),
            _ => self.on_grid(grid) + 0.5,
        };
        (0..count as u64 * n_features).map(|_| value()).collect()
    }
}
