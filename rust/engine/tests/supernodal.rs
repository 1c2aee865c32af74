//! The sparse solver against dense algebra.

mod common;

use std::sync::Arc;

use common::Random;
use mixedmodels::linalg::small;
use mixedmodels::linalg::supernodal::{Analysis, Factor, Graph, Scaling};
use proptest::prelude::*;

/// A random block-sparse matrix with a border, in the order of its nodes.
struct Example {
    graph: Graph,
    classes: Vec<u32>,
    /// Dense, column-major, in the order of nodes, the border last.
    dense: Vec<f64>,
    dim: usize,
    border: usize,
    starts: Vec<usize>,
}

impl Example {
    /// Rows of Z meet a few nodes each, so that K = Z'Z has cliques as cross-products have.
    fn new(seed: u64, widths: &[usize], rows: usize, per_row: usize, border: usize) -> Self {
        let mut random = Random::new(seed);
        let n = widths.len();
        let mut starts = vec![0];
        for w in widths {
            starts.push(starts[starts.len() - 1] + w);
        }
        let dim = starts[n] + border;
        let mut dense = vec![0.0; dim * dim];
        let mut edges = vec![false; n * n];
        for _ in 0..rows {
            let met: Vec<usize> = (0..per_row).map(|_| random.below(n.max(1))).collect();
            let mut row = vec![0.0; dim];
            for &v in met.iter().filter(|_| n > 0) {
                for i in starts[v]..starts[v + 1] {
                    row[i] = 0.5 + random.normal();
                }
                met.iter().for_each(|&w| edges[v + w * n] = true);
            }
            for value in &mut row[starts[n]..] {
                *value = random.normal();
            }
            if dim > 0 {
                small::add_outer(&mut dense, &row, &row);
            }
        }
        let mut graph = Graph {
            widths: widths.iter().map(|&w| w as u32).collect(),
            ranges: vec![0],
            neighbours: Vec::new(),
        };
        for v in 0..n {
            let met = (0..n).filter(|&w| w != v && edges[v + w * n]);
            graph.neighbours.extend(met.map(|w| w as u32));
            graph.ranges.push(graph.neighbours.len());
        }
        Self {
            graph,
            classes: widths.iter().map(|&w| w as u32 - 1).collect(),
            dense,
            dim,
            border,
            starts,
        }
    }

    /// Position of every row in the order of elimination.
    fn permutation(&self, analysis: &Analysis) -> Vec<usize> {
        let mut out = vec![0; self.dim];
        for (v, &position) in analysis.position.iter().enumerate() {
            let columns = analysis.columns(position as usize);
            for (i, column) in (self.starts[v]..self.starts[v + 1]).zip(columns) {
                out[i] = column;
            }
        }
        let first = self.dim - self.border;
        (first..self.dim).for_each(|i| out[i] = i);
        out
    }

    fn fill(&self, factor: &mut Factor) {
        let analysis = Arc::new(factor.analysis().clone());
        let permutation = self.permutation(&analysis);
        let entries = factor.entries();
        let n = self.graph.len();
        for v in 0..n {
            let position = analysis.position[v] as usize;
            let met = self.graph.neighbours(v).iter().map(|&w| w as usize);
            for w in met.chain([v]) {
                if (analysis.position[w] as usize) < position {
                    continue;
                }
                let row = analysis.columns(analysis.position[w] as usize).start;
                let (at, next) = analysis.locate(row, position);
                for (c, j) in (self.starts[v]..self.starts[v + 1]).enumerate() {
                    for (r, i) in (self.starts[w]..self.starts[w + 1]).enumerate() {
                        entries[at + r + c * next] = self.dense[i + j * self.dim];
                    }
                }
            }
            for i in self.dim - self.border..self.dim {
                let (at, next) = analysis.locate(permutation[i], position);
                for (c, j) in (self.starts[v]..self.starts[v + 1]).enumerate() {
                    entries[at + c * next] = self.dense[i + j * self.dim];
                }
            }
        }
        if self.border > 0 {
            let last = analysis.supernodes[analysis.supernodes.len() - 1].panel();
            let first = self.dim - self.border;
            let square = (0..self.border * self.border)
                .map(|e| (first + e % self.border, first + e / self.border))
                .map(|(i, j)| self.dense[i + j * self.dim]);
            entries[last]
                .iter_mut()
                .zip(square)
                .for_each(|(to, from)| *to = from);
        }
    }

    /// Λ of all rows, identity in the border, dense.
    fn lambda(&self, lambda: &[Vec<f64>]) -> Vec<f64> {
        let mut out = vec![0.0; self.dim * self.dim];
        (0..self.dim).for_each(|i| out[i + i * self.dim] = 1.0);
        for (v, &class) in self.classes.iter().enumerate() {
            let k = class as usize + 1;
            for e in 0..k * k {
                let (i, j) = (self.starts[v] + e % k, self.starts[v] + e / k);
                out[i + j * self.dim] = lambda[class as usize][e];
            }
        }
        out
    }

    /// Λ'KΛ + I.
    fn scaled(&self, lambda: &[f64]) -> Vec<f64> {
        let n = self.dim;
        let (mut half, mut out) = (vec![0.0; n * n], vec![0.0; n * n]);
        small::multiply(&self.dense, lambda, &mut half, n);
        small::transposed_multiply(lambda, &half, &mut out, n);
        (0..n - self.border).for_each(|i| out[i + i * n] += 1.0);
        out
    }
}

fn inverse(a: &[f64], n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n * n];
    (0..n).for_each(|i| out[i + i * n] = 1.0);
    small::solve_general(&mut a.to_vec(), &mut out, n, n);
    out
}

fn log_det(a: &[f64], n: usize) -> f64 {
    let mut l = a.to_vec();
    assert!(small::cholesky(&mut l, n));
    (0..n).map(|i| 2.0 * l[i + i * n].ln()).sum()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9 * b.abs().max(1.0)
}

/// λ for nodes of one to three columns.
fn lambdas(seed: u64, singular: bool) -> Vec<Vec<f64>> {
    let mut random = Random::new(seed);
    (1..=3_usize)
        .map(|k| {
            let mut out = vec![0.0; k * k];
            for j in 0..k {
                for i in j..k {
                    out[i + j * k] = 0.3 * random.normal() + f64::from(u8::from(i == j));
                }
            }
            if singular {
                out[k * k - 1] = 0.0;
            }
            out
        })
        .collect()
}

fn check(example: &Example, lambda: &[Vec<f64>]) {
    let analysis = Arc::new(Analysis::new(&example.graph, example.border).expect("memory"));
    let mut factor = Factor::new(Arc::clone(&analysis)).expect("memory");
    let classes: Vec<u32> = analysis
        .order
        .iter()
        .map(|&v| example.classes[v as usize])
        .collect();
    let scaling = Scaling {
        lambda,
        classes: &classes,
    };
    let n = example.dim;
    let inner = n - example.border;
    let dense_lambda = example.lambda(lambda);
    let scaled = example.scaled(&dense_lambda);
    let top: Vec<f64> = (0..inner * inner)
        .map(|e| scaled[e % inner + e / inner * n])
        .collect();
    // Twice, because storage is reused.
    for _ in 0..2 {
        example.fill(&mut factor);
        assert!(factor.factorise(&scaling, true).expect("memory"));
    }
    let (log_inner, log_border) = factor.log_determinants();
    assert!(close(log_inner, log_det(&top, inner)));
    assert!(close(log_inner + log_border, log_det(&scaled, n)));

    let permutation = example.permutation(&analysis);
    let everything = inverse(&scaled, n);
    for m in [1, 3] {
        let mut random = Random::new(7);
        let right: Vec<f64> = (0..n * m).map(|_| random.normal()).collect();
        let mut v = vec![0.0; n * m];
        for (i, &to) in permutation.iter().enumerate() {
            v[to * m..(to + 1) * m].copy_from_slice(&right[i * m..(i + 1) * m]);
        }
        factor.forward(&scaling, &mut v, m);
        factor.backward(&scaling, &mut v, m);
        // Λ (Λ'KΛ + I)^-1 Λ' right
        let (mut half, mut b) = (vec![0.0; n * n], vec![0.0; n * n]);
        small::multiply(&dense_lambda, &everything, &mut half, n);
        small::multiply_transposed(&half, &dense_lambda, &mut b, n);
        for c in 0..m {
            for (i, &at) in permutation.iter().enumerate() {
                let expected: f64 = (0..n).map(|j| b[i + j * n] * right[j * m + c]).sum();
                assert!(close(v[at * m + c], expected));
            }
        }
    }

    for with_border in [false, true] {
        let dim = if with_border { n } else { inner };
        let cut =
            |a: &[f64]| -> Vec<f64> { (0..dim * dim).map(|e| a[e % dim + e / dim * n]).collect() };
        let s = inverse(&cut(&scaled), dim);
        let (k, l) = (cut(&example.dense), cut(&dense_lambda));
        let (mut half, mut b) = (vec![0.0; dim * dim], vec![0.0; dim * dim]);
        small::multiply(&l, &s, &mut half, dim);
        small::multiply_transposed(&half, &l, &mut b, dim);
        let (mut kb, mut kbk) = (vec![0.0; dim * dim], vec![0.0; dim * dim]);
        small::multiply(&k, &b, &mut kb, dim);
        small::multiply(&kb, &k, &mut kbk, dim);
        let mut seen = 0;
        factor
            .inverse(
                &scaling,
                with_border,
                &[true; 3],
                &mut |node| {
                    let v = analysis.order[node.position] as usize;
                    let (from, width) =
                        (example.starts[v], example.starts[v + 1] - example.starts[v]);
                    let complement = node.complement.expect("asked for");
                    for e in 0..width * width {
                        let at = from + e % width + (from + e / width) * dim;
                        assert!(close(node.inverse[e], s[at]));
                        assert!(close(node.scaled[e], b[at]));
                        assert!(
                            (complement[e] - (k[at] - kbk[at])).abs() < 1e-9 * k[at].abs().max(1.0)
                        );
                    }
                    seen += 1;
                },
                None,
            )
            .expect("memory");
        assert_eq!(seen, example.graph.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_dense_algebra(
        seed in 0_u64..1000,
        widths in prop::collection::vec(1_usize..4, 0..40),
        density in 0.2_f64..4.0,
        per_row in 1_usize..4,
        border in 0_usize..3,
        singular: bool,
    ) {
        // Enough rows for the border to be positive definite.
        let rows = 5 + (density * widths.len() as f64) as usize;
        let example = Example::new(seed, &widths, rows, per_row, border);
        check(&example, &lambdas(seed + 1, singular));
    }
}

#[test]
fn large_supernodes_and_long_chains() {
    // One dense core; and a band, whose elimination tree is a path.
    check(&Example::new(1, &[1; 120], 600, 4, 2), &lambdas(2, false));
    check(&Example::new(3, &[2; 60], 60, 2, 1), &lambdas(4, true));
}

#[test]
fn dimension_zero_and_one() {
    check(&Example::new(1, &[], 3, 0, 0), &lambdas(1, false));
    check(&Example::new(1, &[], 3, 0, 2), &lambdas(1, false));
    check(&Example::new(1, &[1], 2, 1, 0), &lambdas(1, false));
}

#[test]
fn an_indefinite_matrix_is_refused() {
    let mut example = Example::new(5, &[1; 12], 20, 2, 1);
    example.dense[7 + 7 * example.dim] = -10.0;
    let analysis = Arc::new(Analysis::new(&example.graph, 1).expect("memory"));
    let mut factor = Factor::new(analysis).expect("memory");
    example.fill(&mut factor);
    let scaling = Scaling {
        lambda: &[vec![1.0]],
        classes: &[0; 12],
    };
    assert!(!factor.factorise(&scaling, false).expect("memory"));
}

#[test]
fn a_sparse_graph_has_a_sparse_factor() {
    // A star: the centre must be eliminated last, and nothing fills in.
    let n = 2000_u32;
    let mut neighbours: Vec<u32> = (1..n).collect();
    let mut ranges = vec![0, neighbours.len()];
    for _ in 1..n {
        neighbours.push(0);
        ranges.push(neighbours.len());
    }
    let graph = Graph {
        widths: vec![1; n as usize],
        ranges,
        neighbours,
    };
    let analysis = Analysis::new(&graph, 0).expect("memory");
    assert!(analysis.sizes.panels < 5 * n as usize);
}
