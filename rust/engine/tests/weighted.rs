//! Systems with weights that change, against dense algebra.

mod common;

use common::{design, Grouping, Random, TermSpec, D, U};
use mixedmodels::design::Predictors;
use mixedmodels::error::Error;
use mixedmodels::linalg::Matrix;
use mixedmodels::model::Frame;
use mixedmodels::products::coupling::Coupling;
use mixedmodels::products::cross_products::{CrossProducts, Trailing};
use mixedmodels::products::data_rows::DataRows;
use mixedmodels::products::stacked::Stacked;
use mixedmodels::products::structure::Structure;
use mixedmodels::products::Layout;
use mixedmodels::system::WeightedSystem;

fn structures() -> Vec<(&'static str, usize, Vec<TermSpec>)> {
    use Grouping::{Random, Same, Within};
    let mut all = common::structures();
    all.extend([
        ("one factor, 2 columns", 40, vec![(Random(7), 2, U)]),
        ("one factor, 4 columns", 80, vec![(Random(7), 4, U)]),
        (
            "three terms of one factor",
            60,
            vec![(Random(8), 1, U), (Same(0), 2, D), (Same(0), 1, U)],
        ),
        (
            "three crossed factors",
            90,
            vec![(Random(30), 1, U), (Random(20), 1, U), (Random(3), 2, U)],
        ),
        (
            "crossed scalars, sparse coupling, two trailing",
            120,
            vec![(Random(60), 1, U), (Random(30), 1, U), (Random(20), 1, U)],
        ),
        (
            "nested three deep and crossed twice",
            100,
            vec![
                (Random(3), 1, U),
                (Within(0, 3), 2, U),
                (Within(1, 2), 1, U),
                (Random(12), 1, U),
                (Random(5), 2, D),
            ],
        ),
        (
            "enough levels for shared work",
            21_000,
            vec![(Random(130), 1, U), (Random(40), 1, U)],
        ),
    ]);
    all
}

/// Every structure; those of odd number have levels without rows.
fn each_design(check: impl Fn(&str, &Predictors)) {
    for (s, (name, n, terms)) in structures().into_iter().enumerate() {
        let (_, mut predictors) = design(s as u64 + 1, n, 3, &terms, false).split();
        if s % 2 == 1 {
            predictors.terms.iter_mut().for_each(|t| t.n_levels += 2);
        }
        check(name, &predictors);
    }
}

fn each_frame(check: impl Fn(&str, &Frame, &[Vec<f64>])) {
    each_design(|name, predictors| {
        for layout in [Layout::Blocked, Layout::Sparse] {
            let name = format!("{name}, {layout:?}");
            let frame = Frame::without_fixed(predictors.clone(), layout, 1).expect("valid");
            let z = frame.block_rows().expect("memory");
            check(&name, &frame, &z);
            let frame = Frame::with_layout(predictors.clone(), layout).expect("valid");
            let z = frame.block_rows().expect("memory");
            check(&format!("{name}, with X"), &frame, &z);
        }
    });
}

#[derive(Debug, Clone, Copy)]
enum Weights {
    Positive,
    /// A few of them negative.
    Mixed,
    Negative,
}

impl Weights {
    fn draw(self, n: usize, seed: u64) -> Vec<f64> {
        let mut random = Random::new(seed);
        (0..n)
            .map(|i| match self {
                Self::Mixed if i % 9 == 4 => -0.02 * random.uniform(),
                Self::Negative => -5.0 - random.uniform(),
                _ => 0.1 + 2.0 * random.uniform(),
            })
            .collect()
    }
}

/// λ of each block: lower triangular; singular ones have no last column.
fn lambdas(structure: &Structure, seed: u64, singular: bool) -> Vec<Vec<f64>> {
    let mut random = Random::new(seed);
    let blocks = structure.blocks.iter().map(|b| b.width);
    blocks
        .map(|k| {
            let mut lambda = vec![0.0; k * k];
            for j in 0..k - usize::from(singular) {
                for i in j..k {
                    let diagonal = if i == j { 0.7 } else { 0.0 };
                    lambda[i + j * k] = diagonal + 0.3 * (random.uniform() - 0.5);
                }
            }
            lambda
        })
        .collect()
}

/// The random effects of all blocks, one block after the other.
struct Dense {
    q: usize,
    firsts: Vec<usize>,
    /// Columns of Z, with the entry of each row.
    rows: Vec<Vec<(usize, f64)>>,
    lambda: Matrix,
}

impl Dense {
    fn new(structure: &Structure, z: &[Vec<f64>], lambdas: &[Vec<f64>]) -> Self {
        let mut firsts = vec![0];
        for block in &structure.blocks {
            firsts.push(firsts[firsts.len() - 1] + block.dim());
        }
        let q = firsts[structure.blocks.len()];
        let n = structure.blocks[0].codes.len();
        let mut rows = vec![Vec::new(); n];
        let mut lambda = square(q);
        for (b, block) in structure.blocks.iter().enumerate() {
            let k = block.width;
            for (i, row) in rows.iter_mut().enumerate() {
                let first = firsts[b] + block.codes[i] as usize * k;
                row.extend((0..k).map(|c| (first + c, z[b][i * k + c])));
            }
            for level in 0..block.n_levels {
                let first = firsts[b] + level * k;
                for (e, &v) in lambdas[b].iter().enumerate() {
                    lambda[(first + e % k, first + e / k)] = v;
                }
            }
        }
        Self {
            q,
            firsts,
            rows,
            lambda,
        }
    }

    /// Z'WZ.
    fn products(&self, weights: &[f64]) -> Matrix {
        let mut out = square(self.q);
        for (row, w) in self.rows.iter().zip(weights) {
            for &(i, a) in row {
                for &(j, b) in row {
                    out[(i, j)] += w * a * b;
                }
            }
        }
        out
    }

    /// `Λ'KΛ + I`.
    fn system(&self, k: &Matrix) -> Matrix {
        let mut out = product(&product(&transposed(&self.lambda), k), &self.lambda);
        (0..self.q).for_each(|i| out[(i, i)] += 1.0);
        out
    }

    /// `ΛM^-1Λ'` and log |M|; nothing when M is not positive definite.
    fn inverse(&self, m: &Matrix) -> Option<(Matrix, f64)> {
        let q = self.q;
        let mut l = square(q);
        for j in 0..q {
            for i in j..q {
                let s: f64 = (0..j).map(|h| l[(i, h)] * l[(j, h)]).sum();
                let rest = m[(i, j)] - s;
                if i == j {
                    if rest <= 0.0 {
                        return None;
                    }
                    l[(j, j)] = rest.sqrt();
                } else {
                    l[(i, j)] = rest / l[(j, j)];
                }
            }
        }
        // L^-1 Λ'
        let mut half = transposed(&self.lambda);
        for c in 0..q {
            for i in 0..q {
                let s: f64 = (0..i).map(|h| l[(i, h)] * half[(h, c)]).sum();
                half[(i, c)] = (half[(i, c)] - s) / l[(i, i)];
            }
        }
        let log_det = (0..q).map(|i| 2.0 * l[(i, i)].ln()).sum();
        Some((product(&transposed(&half), &half), log_det))
    }
}

/// One column, block after block.
fn column(structure: &Structure, v: &Stacked, c: usize) -> Vec<f64> {
    (0..structure.blocks.len())
        .flat_map(|b| v.block(structure, b).chunks_exact(v.m).map(|row| row[c]))
        .collect()
}

fn square(q: usize) -> Matrix {
    Matrix::from_columns(q, q, vec![0.0; q * q])
}

fn transposed(a: &Matrix) -> Matrix {
    let mut out = square(a.rows());
    for j in 0..a.rows() {
        for i in 0..a.rows() {
            out[(j, i)] = a[(i, j)];
        }
    }
    out
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let q = a.rows();
    let mut out = square(q);
    for j in 0..q {
        for h in (0..q).filter(|&h| b[(h, j)] != 0.0) {
            for i in 0..q {
                out[(i, j)] += a[(i, h)] * b[(h, j)];
            }
        }
    }
    out
}

fn close(name: &str, ours: &[f64], reference: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), reference.len(), "{name}");
    let scale = reference.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
    for (i, (a, b)) in ours.iter().zip(reference).enumerate() {
        assert!(
            (a - b).abs() < tolerance * scale,
            "{name} [{i}]: {a} against {b}"
        );
    }
}

#[test]
fn everything_agrees_with_dense_algebra() {
    each_frame(|name, frame, z| {
        let structure = &frame.structure;
        let n = frame.n_obs();
        let mut system = WeightedSystem::new(frame, z).expect("memory");
        let mut h = vec![0.0; n];
        for (seed, kind) in [
            (1, Weights::Positive),
            (2, Weights::Negative),
            (3, Weights::Mixed),
        ] {
            let weights = kind.draw(n, seed);
            for singular in [false, true] {
                let name = format!("{name}, {kind:?}, singular {singular}");
                let lambda = lambdas(structure, seed + 10, singular);
                let dense = Dense::new(structure, z, &lambda);
                let k = dense.products(&weights);
                let reference = dense.inverse(&dense.system(&k));
                let definite = system.update(&weights, &lambda).expect("memory");
                let Some((b, log_det)) = reference else {
                    assert!(!definite, "{name}: indefinite");
                    continue;
                };
                if matches!(kind, Weights::Negative) {
                    // X'V^-1X, where it is there, is negative definite.
                    assert_eq!(definite, structure.rank == 0, "{name}");
                    if !definite {
                        continue;
                    }
                }
                assert!(definite, "{name}: definite");
                close(&name, &[system.log_det()], &[log_det], 1e-9);

                let w_sums = system.row_variances(&mut h).expect("memory");
                let forms: Vec<f64> = dense
                    .rows
                    .iter()
                    .map(|row| {
                        let pairs = row.iter().flat_map(|i| row.iter().map(move |j| (i, j)));
                        pairs.map(|(i, j)| i.1 * j.1 * b[(i.0, j.0)]).sum()
                    })
                    .collect();
                close(&format!("{name}, h"), &h, &forms, 1e-9);
                let w = product(&product(&k, &b), &k);
                for (at, block) in structure.blocks.iter().enumerate() {
                    let width = block.width;
                    let mut sum = vec![0.0; width * width];
                    for level in 0..block.n_levels {
                        let first = dense.firsts[at] + level * width;
                        for (e, sum) in sum.iter_mut().enumerate() {
                            let (i, j) = (first + e % width, first + e / width);
                            *sum += k[(i, j)] - w[(i, j)];
                        }
                    }
                    close(&format!("{name}, W of {at}"), &w_sums[at], &sum, 1e-9);
                }

                if structure.rank > 0 {
                    continue;
                }
                let mut random = Random::new(seed + 20);
                let m = 3;
                let values: Vec<f64> = (0..n * m).map(|_| random.normal()).collect();
                let projected = system.project(&values, m).expect("memory");
                let solved = system.system().solve(projected.clone());
                for c in 0..m {
                    let right = column(structure, &projected, c);
                    let mut expected = vec![0.0; dense.q];
                    for (row, v) in dense.rows.iter().zip(values.chunks_exact(m)) {
                        row.iter().for_each(|&(j, z)| expected[j] += z * v[c]);
                    }
                    close(&format!("{name}, Z'V"), &right, &expected, 1e-12);
                    let solution: Vec<f64> = (0..dense.q)
                        .map(|i| (0..dense.q).map(|j| b[(i, j)] * right[j]).sum())
                        .collect();
                    let ours = column(structure, &solved, c);
                    close(&format!("{name}, solution"), &ours, &solution, 1e-9);
                }
                let single: Vec<f64> = values.iter().step_by(m).copied().collect();
                let modes = system
                    .system()
                    .solve(system.project(&single, 1).expect("memory"));
                let b = column(structure, &modes, 0);
                let expected: Vec<f64> = dense
                    .rows
                    .iter()
                    .map(|row| row.iter().map(|&(j, z)| z * b[j]).sum())
                    .collect();
                let mut ours = vec![f64::NAN; n];
                system.expand(&modes, &mut ours);
                close(&format!("{name}, Z b"), &ours, &expected, 1e-12);
            }
        }
    });
}

/// The numbers of some cross-products, in one order.
fn values(
    a: &mixedmodels::products::cross_products::CrossProducts,
    structure: &Structure,
) -> Vec<f64> {
    let mut out = Vec::new();
    for leading in &a.leading {
        out.extend_from_slice(&leading.diagonal);
        leading
            .ancestors
            .iter()
            .for_each(|v| out.extend_from_slice(v));
        match &leading.coupling {
            Coupling::Dense(values) => out.extend_from_slice(values),
            Coupling::Sparse(sparse) => {
                out.extend_from_slice(&sparse.values);
                out.extend_from_slice(&sparse.fixed);
            }
        }
    }
    match &a.trailing {
        Trailing::Dense(matrix) => out.extend_from_slice(matrix.data()),
        Trailing::Sparse(products) => {
            let dim = structure.trailing_dim();
            let mut identity = vec![0.0; dim * dim];
            (0..dim).for_each(|i| identity[i * dim + i] = 1.0);
            let mut all = vec![0.0; dim * dim];
            products.multiply(&identity, &mut all, dim);
            out.append(&mut all);
        }
    }
    out
}

#[test]
fn weights_are_those_of_scaled_rows() {
    each_design(|name, predictors| {
        for layout in [Layout::Blocked, Layout::Sparse] {
            let frame = Frame::with_layout(predictors.clone(), layout).expect("valid");
            let z = frame.block_rows().expect("memory");
            let n = frame.n_obs();
            let structure = &frame.structure;
            let weights = Weights::Positive.draw(n, 5);
            let scaled: Vec<Vec<f64>> = z
                .iter()
                .zip(&structure.blocks)
                .map(|(z, block)| {
                    let rows = z.chunks_exact(block.width).zip(&weights);
                    rows.flat_map(|(row, w)| row.iter().map(move |v| v * w.sqrt()))
                        .collect()
                })
                .collect();
            let mut x = frame.fixed.columns().clone();
            for j in 0..x.cols() {
                let column = x.column_mut(j).iter_mut().zip(&weights);
                column.for_each(|(v, w)| *v *= w.sqrt());
            }
            let empty = frame.cross_products.zeros(structure).expect("memory");
            let rows = DataRows::new(structure, &scaled, &x, &empty).expect("memory");
            let mut expected = empty;
            expected.add(&rows, None).expect("memory");
            let mut ours = frame.cross_products.clone();
            let rows = DataRows::new(structure, &z, frame.fixed.columns(), &ours).expect("memory");
            // The first weights must leave no trace.
            for weights in [&vec![7.0; n], &weights] {
                ours.reweigh(&rows, Some(weights)).expect("memory");
            }
            let ours = values(&ours, structure);
            let expected = values(&expected, structure);
            close(&format!("{name}, {layout:?}"), &ours, &expected, 1e-13);
        }
    });
}

#[test]
fn rows_are_taken_out_and_added_again() {
    each_frame(|name, frame, z| {
        let structure = &frame.structure;
        let zeros = || frame.cross_products.zeros(structure).expect("memory");
        let all = DataRows::new(structure, z, frame.fixed.columns(), &zeros()).expect("memory");
        let (some, others): (Vec<u32>, Vec<u32>) =
            (0..frame.n_obs() as u32).partition(|i| i % 7 < 2);
        let (some, others) = (all.pick(&some), all.pick(&others));
        let sum = |rows: &DataRows<'_>| {
            let mut a = zeros();
            a.add(rows, None).expect("memory");
            a
        };
        let whole = sum(&all);
        let mut less = whole.clone();
        less.add(&some, Some(&vec![-1.0; some.n_obs()]))
            .expect("memory");
        let size = values(&whole, structure)
            .iter()
            .fold(1.0, |m: f64, v| m.max(v.abs()));
        let near = |what: &str, a: &CrossProducts, b: &CrossProducts| {
            let pairs = values(a, structure).into_iter().zip(values(b, structure));
            for (a, b) in pairs {
                assert!((a - b).abs() <= 1e-13 * size, "{name}, {what}: {a} and {b}");
            }
        };
        near("less some", &less, &sum(&others));
        less.merge(sum(&some)).expect("the same pattern");
        near("merged", &less, &whole);
        if structure.rank > 0 {
            // Batches, and X'X from the basis.
            near("accumulated", &frame.cross_products, &whole);
        }
    });
}

#[test]
fn weights_that_are_not_finite_are_not_definite() {
    each_frame(|name, frame, z| {
        let mut system = WeightedSystem::new(frame, z).expect("memory");
        let lambda = lambdas(&frame.structure, 1, false);
        for bad in [f64::NAN, f64::INFINITY] {
            let mut weights = vec![1.0; frame.n_obs()];
            weights[7] = bad;
            assert!(!system.update(&weights, &lambda).expect("memory"), "{name}");
            // Nothing of it stays.
            weights[7] = 1.0;
            assert!(system.update(&weights, &lambda).expect("memory"), "{name}");
            assert!(system.log_det().is_finite());
        }
    });
}

#[test]
fn lengths_that_differ_are_refused() {
    let (_, predictors) = design(1, 30, 1, &[(Grouping::Random(6), 1, U)], false).split();
    let frame = Frame::without_fixed(predictors, Layout::Cheapest, 1).expect("valid");
    let z = frame.block_rows().expect("memory");
    let mut system = WeightedSystem::new(&frame, &z).expect("memory");
    let refused = |found: Result<(), Error>| matches!(found, Err(Error::Length { .. }));
    assert!(refused(system.update(&[1.0; 29], &[vec![1.0]]).map(|_| ())));
    assert!(refused(system.project(&[1.0; 59], 2).map(|_| ())));
    assert!(refused(system.row_variances(&mut [0.0; 31]).map(|_| ())));
}

#[test]
fn a_frame_without_fixed_effects_keeps_the_basis_of_x() {
    let (_, mut predictors) = design(2, 40, 3, &[(Grouping::Random(6), 2, U)], true).split();
    let weighted = Frame::without_fixed(predictors.clone(), Layout::Cheapest, 1).expect("valid");
    assert_eq!(weighted.structure.rank, 0);
    predictors.weights = None;
    let frame = Frame::with_layout(predictors.clone(), Layout::Cheapest).expect("valid");
    let z = frame.block_rows().expect("memory");
    assert_eq!(weighted.fixed.kept, frame.fixed.kept);
    assert_eq!(weighted.fixed.columns(), frame.fixed.columns());
    assert_eq!(weighted.block_rows().expect("memory"), z);

    // As many coefficients as observations leave no residual variance, which is not wanted here.
    predictors.x = Matrix::from_columns(40, 40, {
        let mut identity = vec![0.0; 1600];
        (0..40).for_each(|i| identity[i * 41] = 1.0);
        identity
    })
    .into();
    assert!(Frame::with_layout(predictors.clone(), Layout::Cheapest).is_err());
    let frame = Frame::without_fixed(predictors, Layout::Cheapest, 1).expect("valid");
    assert_eq!(frame.fixed.rank(), 40);
}
