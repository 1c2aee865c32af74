//! One random effect for each level of one grouping factor: `(1 | g)` or `(0 + x | g)`.
//!
//! With M = I - X(X'X)^-1X', K = Z'MZ and s = Z'My, the restricted criterion depends on the
//! response through `r²(γ) = y'My - γ s'(I + γK)^-1 s` alone, and
//! `log|V| + log|X'V^-1X| = log|X'X| + log|I + γK|` (Searle, Casella & McCulloch 1992, Variance
//! Components). An eigendecomposition K = UκU' therefore serves all responses: each
//! brings its energies (U's)², and an evaluation costs no more than there are distinct
//! eigenvalues, as for a kinship matrix in Kang et al. (2008), Genetics 178(3).
//!
//! K = D - A'(X'X)^-1 A with A = X'Z is diagonal but for a matrix of the rank of X. Among the
//! levels with one common entry d of D it is d times the identity outside the span of their columns
//! of A. So only that span (at most rank(X) dimensions for each distinct d) is decomposed; of the
//! rest only the sum of squares matters.

use std::sync::Arc;

use crate::fit::coefficients;
use crate::linalg::{dense, small, Matrix};
use crate::many::profile::{Minimum, Profile};
use crate::many::ResponseFit;
use crate::model::{Frame, Model};
use crate::objective::Criterion;

/// Entries of D, or eigenvalues, that differ by less (relative to the largest) are equal.
const EQUAL: f64 = 1e-13;
/// Largest dimension that is worth an eigendecomposition.
const MOST_DIRECTIONS: usize = 256;

/// The levels with one common entry of D.
struct Class {
    size: f64,
    levels: Vec<usize>,
    /// Orthonormal columns that span those of A; levels × directions.
    span: Matrix,
    /// Σ a a', rank × rank.
    products: Vec<f64>,
}

/// What all responses of a frame share.
pub struct ScalarForm {
    frame: Arc<Frame>,
    /// X'X.
    gram: Vec<f64>,
    /// A = X'Z, rank values for each level.
    a: Vec<f64>,
    classes: Vec<Class>,
    /// Eigenvectors of K in the spans of the classes.
    rotation: Matrix,
    /// Eigenvalues: of the spans first, then one for the rest of each class.
    kappa: Vec<f64>,
    profile: Profile,
    /// T^-T, rank × rank.
    to_user: Vec<f64>,
    /// The part of the criterion that depends neither on γ nor on the response.
    constant: f64,
    df: f64,
}

/// Room for the computations of one response.
#[derive(Default)]
pub struct Scratch {
    directions: Vec<f64>,
    own: Vec<f64>,
    energies: Vec<f64>,
}

impl ScalarForm {
    /// `None` when the frame is of another kind, or too varied to gain by this form.
    #[must_use]
    pub fn new(frame: &Arc<Frame>, criterion: Criterion, z: &[Vec<f64>]) -> Option<Self> {
        let ([block], rank) = (&frame.structure.blocks[..], frame.structure.rank) else {
            return None;
        };
        if block.width != 1 {
            return None;
        }
        let x = frame.fixed.columns();
        let a = level_products(x, &z[0], &block.codes, block.n_levels);
        let mut d = vec![0.0; block.n_levels];
        for (&level, z) in block.codes.iter().zip(&z[0]) {
            d[level as usize] += z * z;
        }
        let mut gram = vec![0.0; rank * rank];
        for j in 0..rank {
            for i in 0..rank {
                gram[i + j * rank] = small::dot(x.column(i), x.column(j));
            }
        }
        let mut root = gram.clone();
        if !small::cholesky(&mut root, rank) {
            return None;
        }
        let mut b = a.clone();
        small::solve_lower(&root, &mut b, rank, block.n_levels);
        let classes = classes(&d, &a, &b, rank);
        let n_directions: usize = classes.iter().map(|c| c.span.cols()).sum();
        if n_directions > MOST_DIRECTIONS {
            return None;
        }
        let (mut kappa, rotation) = decompose(&classes, &b, rank, n_directions)?;
        let mut logs: Vec<(f64, f64)> = kappa.iter().map(|&k| (k, 1.0)).collect();
        for class in &classes {
            kappa.push(class.size);
            logs.push((class.size, (class.levels.len() - class.span.cols()) as f64));
        }
        let log_det_gram: f64 = 2.0 * (0..rank).map(|i| root[i + i * rank].ln()).sum::<f64>();
        let n = frame.n_obs() as f64;
        let (df, extra) = match criterion {
            Criterion::Ml => {
                logs = classes
                    .iter()
                    .map(|c| (c.size, c.levels.len() as f64))
                    .collect();
                (n, 0.0)
            }
            Criterion::Reml => (n - rank as f64, log_det_gram + 2.0 * frame.fixed.log_det()),
        };
        let mut to_user = vec![0.0; rank * rank];
        let mut identity = vec![0.0; rank * rank];
        (0..rank).for_each(|i| identity[i + i * rank] = 1.0);
        let inverse = frame.fixed.solve(identity, rank);
        for j in 0..rank {
            for i in 0..rank {
                to_user[i + j * rank] = inverse[j + i * rank];
            }
        }
        Some(Self {
            profile: Profile::new(logs, kappa.clone(), df)?,
            constant: extra - frame.log_weights + df * (1.0 + (std::f64::consts::TAU / df).ln()),
            frame: Arc::clone(frame),
            gram,
            a,
            classes,
            rotation,
            kappa,
            to_user,
            df,
        })
    }

    /// Fits one response of the frame. `None` when the form does not resolve its optimum.
    #[must_use]
    pub fn fit(&self, model: &Model, scratch: &mut Scratch) -> Option<ResponseFit> {
        let s = &model.response_products.leading[0];
        self.energies(s, scratch);
        let minimum = self
            .profile
            .minimise(&scratch.energies, model.response_square)?;
        let scale = model.response.scale;
        let Minimum {
            gamma,
            r2,
            log_det,
            evaluations,
            status,
        } = minimum;
        let sigma = scale * (r2 / self.df).sqrt();
        let (beta, errors) = self.coefficients(model, s, gamma, sigma)?;
        let transform = self.frame.terms[0].transform[0];
        Some(ResponseFit {
            theta: vec![(transform * gamma.sqrt()).abs()],
            beta: self.frame.expand(&beta),
            std_errors: self.frame.expand(&errors),
            sigma,
            objective: self.constant + log_det + self.df * (r2.ln() + 2.0 * scale.ln()),
            evaluations,
            status,
            covariance: None,
        })
    }

    /// (U's)² by eigenvalue.
    fn energies(&self, s: &[f64], scratch: &mut Scratch) {
        let Scratch {
            directions,
            own,
            energies,
        } = scratch;
        directions.clear();
        energies.clear();
        energies.resize(self.rotation.cols(), 0.0);
        for class in &self.classes {
            own.clear();
            own.extend(class.levels.iter().map(|&level| s[level]));
            for j in 0..class.span.cols() {
                let column = class.span.column(j);
                let inside = small::dot(column, own);
                small::axpy(-inside, column, own);
                directions.push(inside);
            }
            energies.push(small::dot(own, own));
        }
        for (i, energy) in energies[..self.rotation.cols()].iter_mut().enumerate() {
            *energy = small::dot(self.rotation.column(i), directions).powi(2);
        }
        for (energy, &kappa) in energies.iter_mut().zip(&self.kappa) {
            if kappa == 0.0 {
                *energy = 0.0;
            }
        }
    }
}

impl ScalarForm {
    /// Coefficients and their standard errors, kept columns.
    fn coefficients(
        &self,
        model: &Model,
        s: &[f64],
        gamma: f64,
        sigma: f64,
    ) -> Option<(Vec<f64>, Vec<f64>)> {
        let rank = self.frame.structure.rank;
        // X'V^-1X and X'V^-1y; the response is orthogonal to X.
        let mut factor = self.gram.clone();
        let mut right = vec![0.0; rank];
        for class in &self.classes {
            let weight = gamma / (1.0 + gamma * class.size);
            small::axpy(-weight, &class.products, &mut factor);
            for &level in &class.levels {
                let a = &self.a[level * rank..][..rank];
                small::axpy(-weight * s[level], a, &mut right);
            }
        }
        if !small::cholesky(&mut factor, rank) {
            return None;
        }
        // With H = L^-1 T^-T the covariance is σ²H'H and the change of the coefficients H'L^-1 right.
        let mut h = self.to_user.clone();
        small::solve_lower(&factor, &mut h, rank, rank);
        small::solve_lower(&factor, &mut right, rank, 1);
        let mut beta = coefficients(model, &model.response.explained);
        let mut errors = Vec::with_capacity(rank);
        for (j, beta) in beta.iter_mut().enumerate() {
            let column = &h[j * rank..][..rank];
            *beta += model.response.scale * small::dot(column, &right);
            errors.push(sigma * small::dot(column, column).sqrt());
        }
        Some((beta, errors))
    }
}

/// X'Z, rank values for each level.
fn level_products(x: &Matrix, z: &[f64], codes: &[u32], n_levels: usize) -> Vec<f64> {
    let rank = x.cols();
    let mut out = vec![0.0; rank * n_levels];
    for j in 0..rank {
        for ((&x, &z), &level) in x.column(j).iter().zip(z).zip(codes) {
            out[level as usize * rank + j] += x * z;
        }
    }
    out
}

/// Levels by their entry of D, each class with an orthonormal basis of its columns of `b`.
fn classes(d: &[f64], a: &[f64], b: &[f64], rank: usize) -> Vec<Class> {
    let mut order: Vec<usize> = (0..d.len()).collect();
    order.sort_by(|&i, &j| d[i].total_cmp(&d[j]));
    order
        .chunk_by(|&i, &j| d[j] - d[i] <= EQUAL * d[j])
        .map(|levels| {
            let mut products = vec![0.0; rank * rank];
            let mut columns =
                Matrix::from_columns(levels.len(), rank, vec![0.0; levels.len() * rank]);
            for (i, &level) in levels.iter().enumerate() {
                let own = &a[level * rank..][..rank];
                if rank > 0 {
                    small::add_outer(&mut products, own, own);
                }
                for j in 0..rank {
                    columns[(i, j)] = b[level * rank + j];
                }
            }
            Class {
                size: d[levels[0]],
                levels: levels.to_vec(),
                span: dense::orthonormal(&columns),
                products,
            }
        })
        .collect()
}

/// Eigenvalues and eigenvectors of K = D - B'B in the spans of the classes.
fn decompose(
    classes: &[Class],
    b: &[f64],
    rank: usize,
    n_directions: usize,
) -> Option<(Vec<f64>, Matrix)> {
    let mut k = Matrix::from_columns(n_directions, n_directions, vec![0.0; n_directions.pow(2)]);
    let mut projected = Vec::with_capacity(n_directions * rank);
    for class in classes {
        for j in 0..class.span.cols() {
            let at = projected.len() / rank.max(1);
            k[(at, at)] = class.size;
            let mut column = vec![0.0; rank];
            for (&level, &q) in class.levels.iter().zip(class.span.column(j)) {
                small::axpy(q, &b[level * rank..][..rank], &mut column);
            }
            projected.extend(column);
        }
    }
    for j in 0..n_directions {
        for i in 0..n_directions {
            k[(i, j)] -= small::dot(
                &projected[i * rank..][..rank],
                &projected[j * rank..][..rank],
            );
        }
    }
    let (mut values, vectors) = dense::eigen(&k)?;
    let largest = classes.iter().map(|c| c.size).fold(0.0, f64::max);
    for value in &mut values {
        if *value <= EQUAL * largest {
            *value = 0.0;
        }
    }
    Some((values, vectors))
}
