//! Features as ranks among a model's thresholds.
//!
//! A tree only ever asks whether a feature is below one of the thresholds that occur in the model. So it is enough to know how many of them the feature
//! reaches: a rank, which fits in a byte and makes sixteen comparisons one instruction. The answers are exactly those of comparing the floats.
//! (The same idea as `XGBoost`'s and `LightGBM`'s histogram bins, here at prediction.)
//!
//! A missing value goes left at some nodes and right at others. So a feature has up to two columns of ranks, one where missing ranks below all
//! thresholds and one where it ranks above. A feature with more than 255 thresholds is spread over several columns, each with its part of them.

use crate::forest::{Forest, MAX_FEATURES, Node};

/// The most thresholds whose ranks, 0 to this number, fit in a byte.
const MAX_THRESHOLDS: usize = u8::MAX as usize;

/// Up to 255 neighbouring thresholds of one feature, and the columns that hold ranks among them.
#[derive(Debug, Clone, PartialEq)]
struct Group {
    feature: u8,
    count: u8,
    largest: f32,
    /// Levels of the search tree: 2^levels - 1 thresholds, of which those after `count` are infinity, which no value reaches.
    levels: u8,
    /// The search tree, level by level: the root at 1, below the node k the nodes 2 k and 2 k + 1 (the Eytzinger layout).
    tree: Box<[f32; MAX_THRESHOLDS + 1]>,
    /// Column of the nodes where a missing value goes left, if there are such nodes.
    missing_low: Option<u16>,
    /// Column of the nodes where a missing value goes right, if there are such nodes.
    missing_high: Option<u16>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranks {
    groups: Vec<Group>,
    columns: u16,
}

/// A branch in terms of ranks: right if the column's rank is at least `rank`, left if below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RankTest {
    pub(crate) column: u16,
    pub(crate) rank: u8,
}

impl Ranks {
    pub(crate) fn of(forest: &Forest) -> Self {
        let mut thresholds = vec![Vec::new(); MAX_FEATURES];
        for node in forest.trees.iter().flat_map(|tree| &tree.nodes) {
            if let Node::Branch { feature, threshold, .. } = *node {
                thresholds[usize::from(feature)].push(threshold);
            }
        }
        let mut groups = Vec::new();
        for (feature, mut thresholds) in (0..=u8::MAX).zip(thresholds) {
            thresholds.sort_by(f32::total_cmp);
            thresholds.dedup();
            groups.extend(thresholds.chunks(MAX_THRESHOLDS).map(|part| Group::new(feature, part)));
        }
        Self { groups, columns: 0 }
    }

    /// At least one, for a forest without a branch too.
    pub(crate) fn columns(&self) -> usize {
        usize::from(self.columns).max(1)
    }

    /// The test of a branch; `threshold` is one of the forest's. Makes the column when it is the first to need it.
    pub(crate) fn test(&mut self, feature: u8, threshold: f32, missing_left: bool) -> RankTest {
        let at = self.groups.partition_point(|group| group.feature < feature || (group.feature == feature && group.largest < threshold));
        let group = &mut self.groups[at];
        let [rank] = group.ranks(&[threshold]);
        let column = if missing_left { &mut group.missing_low } else { &mut group.missing_high };
        let column = *column.get_or_insert_with(|| {
            self.columns += 1;
            self.columns - 1
        });
        RankTest { column, rank }
    }

    /// Ranks of up to `LANES` rows of `n_features` values, one array a column; lanes without a row get those of a row with all values missing.
    pub(crate) fn fill<const LANES: usize>(&self, rows: &[f32], n_features: usize, ranks: &mut [[u8; LANES]]) {
        for group in &self.groups {
            let mut values = [f32::NAN; LANES];
            for (value, row) in values.iter_mut().zip(rows.chunks_exact(n_features)) {
                *value = row[usize::from(group.feature)];
            }
            let found = group.ranks(&values);
            if let Some(column) = group.missing_low {
                ranks[usize::from(column)] = found;
            }
            if let Some(column) = group.missing_high {
                for ((rank, found), value) in ranks[usize::from(column)].iter_mut().zip(found).zip(values) {
                    *rank = if value.is_nan() { group.count } else { found };
                }
            }
        }
    }
}

impl Group {
    /// `thresholds` ascend, without duplicates.
    fn new(feature: u8, thresholds: &[f32]) -> Self {
        let count = u8::try_from(thresholds.len()).expect("a group has at most 255 thresholds");
        let levels = u8::BITS - count.leading_zeros();
        let mut tree = Box::new([f32::INFINITY; MAX_THRESHOLDS + 1]);
        for level in 0..levels {
            for at in 0..1 << level {
                let in_order = ((2 * at + 1) << (levels - 1 - level)) - 1;
                tree[(1 << level) + at] = thresholds.get(in_order).copied().unwrap_or(f32::INFINITY);
            }
        }
        let levels = u8::try_from(levels).expect("a byte has eight bits");
        Self { feature, count, largest: thresholds[thresholds.len() - 1], levels, tree, missing_low: None, missing_high: None }
    }

    /// How many thresholds each value reaches, none for NaN. All values go down the tree in step, so that the processor works on many at a time, and
    /// the answers are added, not branched on: half of the branches would be mispredicted.
    fn ranks<const LANES: usize>(&self, values: &[f32; LANES]) -> [u8; LANES] {
        let mut at = [1u8; LANES];
        for _ in 0..self.levels {
            for (at, value) in at.iter_mut().zip(values) {
                // The bit that leaves the byte at the eighth level is the one that numbers the leaves from 256 on.
                *at = at.wrapping_mul(2) + u8::from(self.tree[usize::from(*at)] <= *value);
            }
        }
        let first = 1u8.checked_shl(u32::from(self.levels)).unwrap_or(0);
        at.map(|at| at.wrapping_sub(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_count_the_thresholds_reached() {
        for count in [1, 2, 3, 7, 8, 9, 127, 128, 200, 254, 255] {
            let thresholds: Vec<f32> = (0..count).map(|i| i as f32).collect();
            let group = Group::new(0, &thresholds);
            for (value, rank) in [(-0.5, 0), (0.0, 1), (0.5, 1), (1.0, 2.min(count)), (1e9, count), (f32::NAN, 0)] {
                assert_eq!(group.ranks(&[value; 16]), [u8::try_from(rank).unwrap(); 16], "{value} among {count}");
            }
        }
    }
}
