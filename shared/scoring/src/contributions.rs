//! Which features a margin comes from: exact path-dependent `TreeSHAP`.
//!
//! The values are those of Lundberg et al., "From local explanations to global understanding with explainable AI for trees" (2020), which `XGBoost` gives as
//! `pred_contribs`: the Shapley values of the game in which a feature outside the coalition sends a row down both sides of a branch, in proportion to the
//! training data that went there (the cover).
//!
//! They are computed leaf by leaf. On the path to a leaf let the distinct features be i, `one[i]` be 1 if the row follows the path at every branch on i and
//! 0 if not, and `zero[i]` the product of the shares of data at these branches. The Shapley weight of a coalition of s out of m - 1 others,
//! s! (m - 1 - s)! / m!, is the integral of t^s (1 - t)^(m - 1 - s) over 0..1, so a leaf of the value v contributes to feature i
//!
//! ```text
//! v (one[i] - zero[i]) ∫ Π (t one[j] + (1 - t) zero[j]) dt     over j ≠ i
//! ```
//!
//! whose integrand is a polynomial of degree m - 1: Gauss-Legendre quadrature with m / 2 nodes is exact. All terms are positive, so nothing cancels, and
//! there is no division. Rows go through four at a time.

use crate::CLASSES;
use crate::forest::{Forest, MAX_DEPTH, Node, Tree};

/// Rows explained together.
const LANES: usize = 4;

/// One row's explanation. For each class, `expected` plus all of `by_feature` is the margin, the logarithm of the class's odds before the softmax.
#[derive(Debug, Clone, PartialEq)]
pub struct Contributions {
    /// The margin of each class when nothing is known about the row: its mean over the training data.
    pub expected: [f64; CLASSES],
    /// In the order of the features, what knowing the feature adds to the margin of each class.
    pub by_feature: Vec<[f64; CLASSES]>,
}

impl Contributions {
    /// The margin of each class; their softmax is what [`crate::Model::score`] gives.
    pub fn margins(&self) -> [f64; CLASSES] {
        std::array::from_fn(|class| self.expected[class] + self.by_feature.iter().map(|by_class| by_class[class]).sum::<f64>())
    }
}

/// All branches on one feature on the way to a leaf.
#[derive(Debug, Clone, Copy)]
struct Step {
    feature: u8,
    /// A missing value follows the path.
    missing: bool,
    /// A value in `low..high` follows the path.
    low: f32,
    high: f32,
    /// The share of the training data at these branches that followed the path.
    zero: f64,
}

#[derive(Debug)]
struct Leaf {
    class: u8,
    steps: u8,
    value: f64,
}

/// The paths to all leaves of a forest.
#[derive(Debug)]
pub(crate) struct Paths {
    leaves: Vec<Leaf>,
    /// Of each leaf its steps, one after the other.
    steps: Vec<Step>,
    expected: [f64; CLASSES],
}

impl Paths {
    /// `forest` must have covers.
    pub(crate) fn of(forest: &Forest, base: [f32; CLASSES]) -> Self {
        let mut paths = Self { leaves: Vec::new(), steps: Vec::new(), expected: base.map(f64::from) };
        for tree in &forest.trees {
            paths.descend(tree, 0, &[]);
        }
        paths
    }

    fn descend(&mut self, tree: &Tree, at: u32, path: &[Step]) {
        match tree.nodes[at as usize] {
            Node::Leaf(value) => {
                let value = f64::from(value);
                let share: f64 = path.iter().map(|step| step.zero).product();
                self.expected[usize::from(tree.class)] += value * share;
                self.leaves.push(Leaf { class: tree.class, steps: u8::try_from(path.len()).expect("the depth is limited"), value });
                self.steps.extend_from_slice(path);
            }
            Node::Branch { feature, threshold, missing_left, left, right } => {
                let cover = |node: u32| f64::from(tree.covers[node as usize]);
                let whole = cover(left) + cover(right);
                for (child, low, high, missing) in
                    [(left, f32::NEG_INFINITY, threshold, missing_left), (right, threshold, f32::INFINITY, !missing_left)]
                {
                    let step = Step { feature, missing, low, high, zero: cover(child) / whole };
                    self.descend(tree, child, &and(path, step));
                }
            }
        }
    }

    pub(crate) fn contributions(&self, rows: &[f32], n_features: usize) -> Vec<Contributions> {
        rows.chunks(LANES * n_features).flat_map(|rows| self.block(rows, n_features)).collect()
    }

    /// Explains up to `LANES` rows.
    fn block(&self, rows: &[f32], n_features: usize) -> Vec<Contributions> {
        // The feature's values side by side; lanes without a row have all values missing.
        let mut values = vec![[f32::NAN; LANES]; n_features];
        for (lane, row) in rows.chunks_exact(n_features).enumerate() {
            for (values, value) in values.iter_mut().zip(row) {
                values[lane] = *value;
            }
        }
        let mut sums = vec![[[0.0; LANES]; CLASSES]; n_features];
        let mut steps = &self.steps[..];
        for leaf in &self.leaves {
            let (path, rest) = steps.split_at(usize::from(leaf.steps));
            // The number of steps is made known to the compiler, which then keeps everything in registers.
            let add = match leaf.steps {
                0 => continue,
                1 => add_leaf::<1>,
                2 => add_leaf::<2>,
                3 => add_leaf::<3>,
                4 => add_leaf::<4>,
                5 => add_leaf::<5>,
                6 => add_leaf::<6>,
                7 => add_leaf::<7>,
                _ => add_leaf::<MAX_DEPTH>,
            };
            add(leaf, path, &values, &mut sums);
            steps = rest;
        }
        (0..rows.len() / n_features)
            .map(|lane| Contributions {
                expected: self.expected,
                by_feature: sums.iter().map(|by_class| by_class.map(|lanes| lanes[lane])).collect(),
            })
            .collect()
    }
}

/// The path with one more branch, which joins an earlier one on the same feature.
fn and(path: &[Step], step: Step) -> Vec<Step> {
    let mut path = path.to_vec();
    match path.iter_mut().find(|earlier| earlier.feature == step.feature) {
        Some(earlier) => {
            earlier.missing &= step.missing;
            earlier.low = earlier.low.max(step.low);
            earlier.high = earlier.high.min(step.high);
            earlier.zero *= step.zero;
        }
        None => path.push(step),
    }
    path
}

/// Adds what one leaf contributes to each of the `STEPS` features on its path.
#[expect(clippy::needless_bitwise_bool, reason = "lazy operators become branches, half of them mispredicted: six times slower")]
fn add_leaf<const STEPS: usize>(leaf: &Leaf, path: &[Step], values: &[[f32; LANES]], sums: &mut [[[f64; LANES]; CLASSES]]) {
    let path: &[Step; STEPS] = path.try_into().expect("the caller counted the steps");
    let follows = path.map(|step| {
        values[usize::from(step.feature)].map(|value| {
            let follows = ((value >= step.low) & (value < step.high)) | (value.is_nan() & step.missing);
            f64::from(u8::from(follows))
        })
    });
    let mut weights = [[0.0; LANES]; STEPS];
    for &(t, weight) in gauss_legendre(STEPS) {
        let factors: [[f64; LANES]; STEPS] = std::array::from_fn(|at| follows[at].map(|follows| t * follows + (1.0 - t) * path[at].zero));
        // The product over the others is that over those before times that over those after.
        let mut product = [weight * leaf.value; LANES];
        let before = factors.map(|factor| {
            let before = product;
            product = times(&product, &factor);
            before
        });
        let mut after = [1.0; LANES];
        for at in (0..STEPS).rev() {
            let others = times(&before[at], &after);
            weights[at] = std::array::from_fn(|lane| weights[at][lane] + others[lane]);
            after = times(&after, &factors[at]);
        }
    }
    for (at, step) in path.iter().enumerate() {
        let sum = &mut sums[usize::from(step.feature)][usize::from(leaf.class)];
        for lane in 0..LANES {
            sum[lane] += (follows[at][lane] - step.zero) * weights[at][lane];
        }
    }
}

fn times(a: &[f64; LANES], b: &[f64; LANES]) -> [f64; LANES] {
    std::array::from_fn(|lane| a[lane] * b[lane])
}

/// Nodes and weights on 0..1 that integrate polynomials of the degree `steps` - 1 exactly.
/// Source: Abramowitz and Stegun, table 25.4, moved from -1..1.
fn gauss_legendre(steps: usize) -> &'static [(f64, f64)] {
    match steps {
        0 => &[],
        1 | 2 => &[(0.5, 1.0)],
        3 | 4 => &[(0.211_324_865_405_187_1, 0.5), (0.788_675_134_594_812_9, 0.5)],
        5 | 6 => &[
            (0.112_701_665_379_258_3, 0.277_777_777_777_777_8),
            (0.5, 0.444_444_444_444_444_4),
            (0.887_298_334_620_741_7, 0.277_777_777_777_777_8),
        ],
        _ => &[
            (0.069_431_844_202_973_71, 0.173_927_422_568_727),
            (0.330_009_478_207_571_9, 0.326_072_577_431_273),
            (0.669_990_521_792_428_1, 0.326_072_577_431_273),
            (0.930_568_155_797_026_3, 0.173_927_422_568_727),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Random;

    #[test]
    fn the_quadrature_gives_the_shapley_weights() {
        let factorial = |n: usize| (1..=n).map(|i| i as f64).product::<f64>();
        for m in 1..=MAX_DEPTH {
            for s in 0..m {
                let power = |base: f64, n: usize| (0..n).map(|_| base).product::<f64>();
                let integral: f64 = gauss_legendre(m).iter().map(|(t, weight)| weight * power(*t, s) * power(1.0 - t, m - 1 - s)).sum();
                let exact = factorial(s) * factorial(m - 1 - s) / factorial(m);
                assert!((integral - exact).abs() < 1e-15, "{s} of {m}: {integral} is not {exact}");
            }
        }
    }

    /// The expected margins of a row when only the features in `known` are: down both sides of a branch on any other, in proportion to the covers.
    fn expected(tree: &Tree, at: u32, row: &[f32], known: usize) -> f64 {
        match tree.nodes[at as usize] {
            Node::Leaf(value) => f64::from(value),
            Node::Branch { feature, threshold, missing_left, left, right } => {
                let side = |child: u32| expected(tree, child, row, known);
                if known >> feature & 1 == 1 {
                    let value = row[usize::from(feature)];
                    let goes_left = if value.is_nan() { missing_left } else { value < threshold };
                    return side(if goes_left { left } else { right });
                }
                let cover = |node: u32| f64::from(tree.covers[node as usize]);
                (cover(left) * side(left) + cover(right) * side(right)) / (cover(left) + cover(right))
            }
        }
    }

    /// Shapley's definition: the mean over all orders of what feature `i` adds to those before it.
    fn shapley(forest: &Forest, row: &[f32], i: usize) -> [f64; CLASSES] {
        let n = row.len();
        let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
        let mut values = [0.0; CLASSES];
        for coalition in (0..1 << n).filter(|coalition| coalition >> i & 1 == 0) {
            let size = usize::count_ones(coalition);
            let n = u32::try_from(n).unwrap();
            let weight = factorial(size) * factorial(n - 1 - size) / factorial(n);
            for tree in &forest.trees {
                let added = expected(tree, 0, row, coalition | 1 << i) - expected(tree, 0, row, coalition);
                values[usize::from(tree.class)] += weight * added;
            }
        }
        values
    }

    #[test]
    fn contributions_are_the_shapley_values() {
        for seed in 0..30 {
            for (depth, n_features) in [(2, 3), (4, 5), (8, 7)] {
                let mut random = Random::new(seed);
                let forest = random.forest(4, depth, n_features, 9);
                let rows = random.rows(11, n_features, 9);
                let n_features = usize::try_from(n_features).unwrap();
                let found = Paths::of(&forest, [0.5, -1.0, 0.0]).contributions(&rows, n_features);
                assert_eq!(found.len(), 11);
                for (row, found) in rows.chunks(n_features).zip(found) {
                    for (i, by_class) in found.by_feature.iter().enumerate() {
                        for (one, exact) in by_class.iter().zip(shapley(&forest, row, i)) {
                            assert!((one - exact).abs() < 1e-12, "seed {seed}, depth {depth}, feature {i}: {one} is not {exact}");
                        }
                    }
                    for ((sum, tree_sum), base) in found.margins().iter().zip(forest.margins(row)).zip([0.5, -1.0, 0.0]) {
                        assert!((sum - f64::from(tree_sum) - base).abs() < 1e-6, "seed {seed}: {sum} is not {tree_sum} + {base}");
                    }
                }
            }
        }
    }
}
