//! A textbook dense implementation: V = W^-1 + ZΣZ' formed and factorised as it stands.

#![allow(dead_code)] // each test binary uses its own part

use mixedmodels::covariance::structure;
use mixedmodels::design::{Design, Term};
use mixedmodels::fit::Linear;
use mixedmodels::linalg::Matrix;
use mixedmodels::model::Model;
use mixedmodels::objective::Criterion;

/// A small linear congruential generator: the tests need variety, not quality.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x1234_5678);
        (0..4).for_each(|_| {
            random.uniform();
        });
        random
    }

    pub fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.uniform() * n as f64) as usize
    }

    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// What a grouping factor looks like.
#[derive(Debug, Clone)]
pub enum Grouping {
    /// Levels at random.
    Random(usize),
    /// Each level of factor i (given by its index) split into so many.
    Within(usize, usize),
    /// The same codes as an earlier term.
    Same(usize),
}

pub const U: &str = "us";
pub const D: &str = "diag";

/// (grouping, columns, structure) for each term.
pub type TermSpec = (Grouping, usize, &'static str);

/// Theta of random effects with so many times the standard deviations.
pub fn scaled_theta(design: &Design, theta: &[f64], scale: f64) -> Vec<f64> {
    let mut rest = theta;
    let mut out = Vec::new();
    for term in &design.terms {
        let (own, others) = rest.split_at(term.covariance.n_parameters(term.k));
        rest = others;
        let mut m = vec![0.0; term.k * term.k];
        (0..term.k).for_each(|i| m[i + i * term.k] = scale);
        out.extend(term.covariance.transformed(own, &m, term.k));
    }
    out
}

/// The door of a linear model.
pub fn linear(model: &Model, criterion: Criterion) -> Linear<'_> {
    Linear { model, criterion }
}

/// Times of k columns, not equally spaced.
pub fn times(k: usize) -> Vec<f64> {
    (0..k).map(|i| i as f64 + 0.2 * (i * i) as f64).collect()
}

/// Any theta of a structure; sometimes with its last column or first fold exactly at the boundary.
pub fn random_theta(design: &Design, seed: u64, singular: bool) -> Vec<f64> {
    let mut random = Random::new(seed);
    let mut theta = Vec::new();
    for term in &design.terms {
        let (covariance, k) = (&term.covariance, term.k);
        let mut own: Vec<f64> = covariance
            .isotropic(0.7, k)
            .into_iter()
            .map(|t| t + 0.3 * random.normal())
            .collect();
        if singular {
            let folds = covariance.folds(k);
            let last = match covariance.entries(k) {
                Some(_) => folds.last(),
                None => folds.first(),
            };
            if let Some(fold) = last {
                fold.parameters.iter().for_each(|&i| own[i] = fold.at);
            }
        }
        theta.extend(own);
    }
    theta
}

pub fn design(seed: u64, n: usize, p: usize, terms: &[TermSpec], weighted: bool) -> Design {
    let mut random = Random::new(seed);
    let mut built: Vec<Term> = Vec::new();
    for (grouping, k, name) in terms {
        let (codes, n_levels): (Vec<u32>, usize) = match grouping {
            Grouping::Random(levels) => (
                (0..n)
                    .map(|i| if i < *levels { i } else { random.below(*levels) } as u32)
                    .collect(),
                *levels,
            ),
            Grouping::Within(outer, parts) => {
                let codes: Vec<u32> = built[*outer]
                    .codes
                    .iter()
                    .map(|&c| c * *parts as u32 + random.below(*parts) as u32)
                    .collect();
                (codes, built[*outer].n_levels * parts)
            }
            Grouping::Same(other) => (built[*other].codes.to_vec(), built[*other].n_levels),
        };
        let mut z = Vec::with_capacity(n * k);
        for _ in 0..n {
            for c in 0..*k {
                z.push(if c == 0 { 1.0 } else { random.normal() + 0.5 });
            }
        }
        built.push(Term {
            codes: codes.into(),
            n_levels,
            z: z.into(),
            k: *k,
            covariance: structure(name, *k, Some(&times(*k))).expect("known structure"),
        });
    }
    let mut x = Vec::with_capacity(n * p);
    for j in 0..p {
        x.extend((0..n).map(|_| if j == 0 { 1.0 } else { 3.0 + random.normal() }));
    }
    let effects: Vec<Vec<f64>> = built
        .iter()
        .map(|t| (0..t.n_levels * t.k).map(|_| random.normal()).collect())
        .collect();
    let y = (0..n)
        .map(|i| {
            let random_part: f64 = built
                .iter()
                .zip(&effects)
                .map(|(t, b)| {
                    let level = t.codes[i] as usize * t.k;
                    (0..t.k)
                        .map(|c| t.z[i * t.k + c] * b[level + c])
                        .sum::<f64>()
                })
                .sum();
            10.0 + random_part + random.normal()
        })
        .collect();
    Design {
        y,
        x: Matrix::from_columns(n, p, x).into(),
        terms: built,
        weights: weighted.then(|| (0..n).map(|_| 0.5 + random.uniform()).collect()),
        offset: weighted.then(|| (0..n).map(|_| random.normal()).collect()),
    }
}

/// The model by dense algebra at one theta.
pub struct Dense {
    pub objective: f64,
    pub sigma2: f64,
    pub beta: Vec<f64>,
    /// Conditional modes by term, levels × k.
    pub b: Vec<Vec<f64>>,
}

pub fn lambdas(design: &Design, theta: &[f64]) -> Vec<Vec<f64>> {
    let mut start = 0;
    design
        .terms
        .iter()
        .map(|t| {
            let n = t.covariance.n_parameters(t.k);
            start += n;
            t.covariance.lambda(&theta[start - n..start], t.k)
        })
        .collect()
}

pub fn dense(design: &Design, theta: &[f64], criterion: Criterion) -> Dense {
    let n = design.y.len();
    let p = design.x.cols();
    let mut v = vec![vec![0.0; n]; n];
    let lambda = lambdas(design, theta);
    for (term, l) in design.terms.iter().zip(&lambda) {
        let k = term.k;
        // z λ for each row
        let zl: Vec<Vec<f64>> = (0..n)
            .map(|i| {
                (0..k)
                    .map(|b| (0..k).map(|a| term.z[i * k + a] * l[a + b * k]).sum())
                    .collect()
            })
            .collect();
        for i in 0..n {
            for j in 0..n {
                if term.codes[i] == term.codes[j] {
                    v[i][j] += (0..k).map(|c| zl[i][c] * zl[j][c]).sum::<f64>();
                }
            }
        }
    }
    for (i, row) in v.iter_mut().enumerate() {
        row[i] += 1.0 / design.weights.as_ref().map_or(1.0, |w| w[i]);
    }
    let l = cholesky(&v);
    let y: Vec<f64> = (0..n)
        .map(|i| design.y[i] - design.offset.as_ref().map_or(0.0, |o| o[i]))
        .collect();
    let ly = forward(&l, &y);
    let lx: Vec<Vec<f64>> = (0..p).map(|j| forward(&l, design.x.column(j))).collect();
    let xtx: Vec<Vec<f64>> = (0..p)
        .map(|i| (0..p).map(|j| dot(&lx[i], &lx[j])).collect())
        .collect();
    let lxx = cholesky(&xtx);
    let right: Vec<f64> = (0..p).map(|i| dot(&lx[i], &ly)).collect();
    let beta = backward(&lxx, &forward(&lxx, &right));
    let residual: Vec<f64> = (0..n)
        .map(|i| ly[i] - (0..p).map(|j| lx[j][i] * beta[j]).sum::<f64>())
        .collect();
    let r2 = dot(&residual, &residual);
    let log_det = |l: &[Vec<f64>]| 2.0 * l.iter().enumerate().map(|(i, r)| r[i].ln()).sum::<f64>();
    let (m, extra) = match criterion {
        Criterion::Ml => (n as f64, 0.0),
        Criterion::Reml => ((n - p) as f64, log_det(&lxx)),
    };
    let vr = backward(&l, &residual);
    let b = design
        .terms
        .iter()
        .zip(&lambda)
        .map(|(term, l)| {
            let k = term.k;
            let mut score = vec![0.0; term.n_levels * k];
            for i in 0..n {
                for c in 0..k {
                    score[term.codes[i] as usize * k + c] += term.z[i * k + c] * vr[i];
                }
            }
            score
                .chunks(k)
                .flat_map(|s| {
                    let u: Vec<f64> = (0..k)
                        .map(|c| (0..k).map(|a| l[a + c * k] * s[a]).sum())
                        .collect();
                    (0..k)
                        .map(|a| (0..k).map(|c| l[a + c * k] * u[c]).sum())
                        .collect::<Vec<f64>>()
                })
                .collect()
        })
        .collect();
    Dense {
        objective: log_det(&l) + extra + m * (1.0 + (std::f64::consts::TAU * r2 / m).ln()),
        sigma2: r2 / m,
        beta,
        b,
    }
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn cholesky(a: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = a.len();
    let mut l = vec![vec![0.0; n]; n];
    for i in 0..n {
        for j in 0..=i {
            let s = a[i][j] - dot(&l[i][..j], &l[j][..j]);
            l[i][j] = if i == j { s.sqrt() } else { s / l[j][j] };
        }
    }
    l
}

fn forward(l: &[Vec<f64>], b: &[f64]) -> Vec<f64> {
    let mut x: Vec<f64> = Vec::with_capacity(b.len());
    for i in 0..b.len() {
        let s = b[i] - dot(&l[i][..i], &x);
        x.push(s / l[i][i]);
    }
    x
}

fn backward(l: &[Vec<f64>], b: &[f64]) -> Vec<f64> {
    let n = b.len();
    let mut x = b.to_vec();
    for i in (0..n).rev() {
        let s: f64 = (i + 1..n).map(|h| l[h][i] * x[h]).sum();
        x[i] = (x[i] - s) / l[i][i];
    }
    x
}

/// Name, observations and terms of every kind of structure that the engine treats in its own way.
pub fn structures() -> Vec<(&'static str, usize, Vec<TermSpec>)> {
    use Grouping::{Random, Same, Within};
    vec![
        ("one scalar factor", 30, vec![(Random(6), 1, U)]),
        ("one vector factor", 60, vec![(Random(8), 3, U)]),
        ("diagonal covariance", 60, vec![(Random(8), 3, D)]),
        (
            "two terms of one factor",
            60,
            vec![(Random(9), 2, U), (Same(0), 1, U)],
        ),
        (
            "crossed, dense coupling",
            80,
            vec![(Random(9), 1, U), (Random(5), 1, U)],
        ),
        (
            "crossed vectors",
            90,
            vec![(Random(9), 2, U), (Random(5), 3, U)],
        ),
        (
            "crossed, sparse coupling",
            70,
            vec![(Random(40), 1, U), (Random(25), 1, U)],
        ),
        (
            "crossed sparse vectors",
            70,
            vec![(Random(40), 2, U), (Random(25), 2, D)],
        ),
        ("nested", 60, vec![(Random(5), 1, U), (Within(0, 3), 1, U)]),
        (
            "nested three deep, vectors",
            90,
            vec![
                (Random(3), 2, U),
                (Within(0, 3), 1, U),
                (Within(1, 2), 2, D),
            ],
        ),
        (
            "nested and crossed",
            90,
            vec![(Random(4), 1, U), (Within(0, 4), 2, U), (Random(7), 1, U)],
        ),
    ]
}

/// Covariance matrices of other structures.
pub fn structured() -> Vec<(&'static str, usize, Vec<TermSpec>)> {
    use Grouping::{Random, Same, Within};
    vec![
        (
            "one factor with a variance for all columns",
            70,
            vec![(Random(12), 3, "homdiag")],
        ),
        (
            "compound symmetry crossed with autoregression",
            80,
            vec![(Random(9), 3, "cs"), (Random(6), 4, "ar1")],
        ),
        (
            "one correlation, and one for each lag, in one factor",
            90,
            vec![(Random(12), 3, "homcs"), (Same(0), 3, "homtoep")],
        ),
        (
            "own variances with correlations by lag, crossed",
            90,
            vec![(Random(12), 3, "hetar1"), (Random(6), 4, "toep")],
        ),
        ("antedependence", 90, vec![(Random(12), 4, "ante")]),
        (
            "continuous time beside nested factors",
            90,
            vec![(Random(4), 1, U), (Within(0, 4), 4, "ou")],
        ),
    ]
}
