//! Evaluates all trees for a block of rows, without a branch that depends on the data.
//!
//! Each tree is laid out as a complete binary tree, short branches being filled up with tests whose answer does not matter. For a block of rows, every test
//! of the tree is answered (one byte a row, see [`crate::ranks`]) and the answers are folded from the bottom up to the number of the leaf that each row
//! reaches. That is more work than walking down, but all of it is on neighbouring bytes, sixteen of which are one vector instruction on any x86-64 or
//! `AArch64` processor, and nothing waits for anything else.

use crate::CLASSES;
use crate::forest::{Forest, MAX_DEPTH, Node, Tree};
use crate::ranks::{RankTest, Ranks};

/// Rows evaluated together: enough to fill several vector registers and to read each tree from cache once for all of them.
const BLOCK: usize = 64;
/// For the last rows of a batch, and for small batches: one vector register.
const SMALL_BLOCK: usize = 16;
/// So few rows are faster one by one, walking down.
const FEW: usize = 3;
/// Tests on the lowest level of the deepest tree.
const MAX_LOWEST: usize = 1 << (MAX_DEPTH - 1);
/// The leaves a byte can number; also the padding after the last tree's, so that this many can always be taken.
const MAX_LEAVES: usize = 1 << MAX_DEPTH;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Shape {
    class: u8,
    /// At least 1.
    depth: u8,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FlatForest {
    ranks: Ranks,
    shapes: Vec<Shape>,
    /// Of each tree its 2^depth - 1 tests, level by level from the root.
    tests: Vec<RankTest>,
    /// Of each tree its 2^depth leaves from left to right.
    leaves: Vec<f32>,
}

impl FlatForest {
    pub(crate) fn of(forest: &Forest) -> Self {
        let mut flat = Self { ranks: Ranks::of(forest), shapes: Vec::new(), tests: Vec::new(), leaves: Vec::new() };
        for tree in &forest.trees {
            flat.push(tree);
        }
        flat.leaves.extend([0.0; MAX_LEAVES]);
        flat
    }

    fn push(&mut self, tree: &Tree) {
        let depth = tree.depth.max(1);
        // Wherever a branch ends early, both sides of every test below lead to its leaf, so any test will do.
        let mut level = vec![0];
        for _ in 0..depth {
            let mut next = Vec::with_capacity(2 * level.len());
            for at in level {
                match tree.nodes[at as usize] {
                    Node::Leaf(_) => {
                        self.tests.push(RankTest { column: 0, rank: 0 });
                        next.extend([at, at]);
                    }
                    Node::Branch { feature, threshold, missing_left, left, right } => {
                        self.tests.push(self.ranks.test(feature, threshold, missing_left));
                        next.extend([left, right]);
                    }
                }
            }
            level = next;
        }
        self.leaves.extend(level.iter().map(|&at| match tree.nodes[at as usize] {
            Node::Leaf(value) => value,
            Node::Branch { .. } => unreachable!("no path has more branches than the tree has levels"),
        }));
        self.shapes.push(Shape { class: tree.class, depth });
    }

    /// Adds each row's leaves to its margins, `CLASSES` a row. `rows` are whole rows of `n_features`, with NaN for missing and no infinity.
    pub(crate) fn add_margins(&self, rows: &[f32], n_features: usize, margins: &mut [[f32; CLASSES]]) {
        for (rows, margins) in rows.chunks(BLOCK * n_features).zip(margins.chunks_mut(BLOCK)) {
            if margins.len() > SMALL_BLOCK * 2 {
                self.add_block::<BLOCK>(rows, n_features, margins);
            } else if margins.len() <= FEW {
                for (row, margins) in rows.chunks(n_features).zip(margins) {
                    self.add_row(row, margins);
                }
            } else {
                for (rows, margins) in rows.chunks(SMALL_BLOCK * n_features).zip(margins.chunks_mut(SMALL_BLOCK)) {
                    self.add_block::<SMALL_BLOCK>(rows, n_features, margins);
                }
            }
        }
    }

    fn add_row(&self, row: &[f32], margins: &mut [f32; CLASSES]) {
        let mut ranks = vec![[0; 1]; self.ranks.columns()];
        self.ranks.fill(row, row.len(), &mut ranks);
        let (mut tests, mut leaves) = (&self.tests[..], &self.leaves[..]);
        for shape in &self.shapes {
            let (tree, later) = tests.split_at((1 << shape.depth) - 1);
            let mut at = 0;
            for _ in 0..shape.depth {
                let RankTest { column, rank } = tree[at];
                at = 2 * at + 1 + usize::from(ranks[usize::from(column)][0] >= rank);
            }
            margins[usize::from(shape.class)] += leaves[at - tree.len()];
            (tests, leaves) = (later, &leaves[tree.len() + 1..]);
        }
    }

    fn add_block<const LANES: usize>(&self, rows: &[f32], n_features: usize, margins: &mut [[f32; CLASSES]]) {
        let mut ranks = vec![[0; LANES]; self.ranks.columns()];
        self.ranks.fill(rows, n_features, &mut ranks);
        let mut sums = [[0.0; LANES]; CLASSES];
        let mut reached = [[0; LANES]; MAX_LOWEST];
        let (mut tests, mut leaves) = (&self.tests[..], &self.leaves[..]);
        for shape in &self.shapes {
            let leaf_count = 1 << shape.depth;
            reach_leaves(&tests[..leaf_count - 1], shape.depth, &ranks, &mut reached);
            let window: &[f32; MAX_LEAVES] = leaves.first_chunk().expect("the leaves are padded");
            for (sum, leaf) in sums[usize::from(shape.class)].iter_mut().zip(reached[0]) {
                *sum += window[usize::from(leaf)];
            }
            (tests, leaves) = (&tests[leaf_count - 1..], &leaves[leaf_count..]);
        }
        for (lane, margins) in margins.iter_mut().enumerate() {
            for (margin, sums) in margins.iter_mut().zip(&sums) {
                *margin += sums[lane];
            }
        }
    }
}

/// Finds, in the complete tree of `tests`, the number of the leaf from the left that each lane reaches, and leaves it in `reached[0]`.
fn reach_leaves<const LANES: usize>(tests: &[RankTest], depth: u8, ranks: &[[u8; LANES]], reached: &mut [[u8; LANES]; MAX_LOWEST]) {
    let goes_right = |at: usize| {
        let RankTest { column, rank } = tests[at];
        ranks[usize::from(column)].map(|found| if found >= rank { 0xff } else { 0 })
    };
    // Below each test of a level, the leaf reached, counted from the leftmost leaf below that test.
    let lowest = tests.len() / 2;
    for (at, reached) in reached[..=lowest].iter_mut().enumerate() {
        *reached = goes_right(lowest + at).map(|right: u8| right & 1);
    }
    for height in 1..depth {
        let first = (1 << (depth - 1 - height)) - 1;
        for at in 0..=first {
            let right = goes_right(first + at);
            let (on_left, on_right) = (reached[2 * at], reached[2 * at + 1]);
            reached[at] = std::array::from_fn(|lane| (on_left[lane] & !right[lane]) | ((on_right[lane] | 1 << height) & right[lane]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Random;

    /// Few and many thresholds a feature (more than a byte can rank), all depths, all sizes of blocks: equal to the bit.
    #[test]
    fn margins_equal_those_of_walking_down() {
        for seed in 0..40 {
            for (trees, depth, n_features, grid) in [(30, 4, 6, 12), (20, 8, 3, 40), (60, 6, 2, 2000), (5, 1, 200, 3), (9, 0, 1, 1)] {
                let mut random = Random::new(seed);
                let forest = random.forest(trees, depth, n_features, grid);
                let count = [1, 2, 15, 16, 17, 32, 33, 63, 64, 65, 130][usize::try_from(random.below(11)).unwrap()];
                let rows = random.rows(count, n_features, grid);
                let n_features = usize::try_from(n_features).unwrap();
                let mut margins = vec![[0.0; CLASSES]; count];
                FlatForest::of(&forest).add_margins(&rows, n_features, &mut margins);
                let walked: Vec<_> = rows.chunks(n_features).map(|row| forest.margins(row)).collect();
                assert_eq!(margins, walked, "seed {seed}, depth {depth}, {count} rows");
            }
        }
    }
}
