//! Estimates at one theta, in the units of the user.

use crate::design::basis::TermBasis;
use crate::error::Result;
use crate::linalg::{small, Matrix};
use crate::model::Model;
use crate::objective::LmmObjective;
use crate::products::stacked::Stacked;

/// Everything that follows from theta.
#[derive(Debug, Clone)]
pub struct Estimates {
    /// −2 log-likelihood (ML) or REML criterion.
    pub objective: f64,
    /// log |Λ'Z'ZΛ + I|.
    pub log_det_z: f64,
    /// log |X'V^-1X|, kept columns.
    pub log_det_x: f64,
    /// Penalised weighted residual sum of squares r².
    pub pwrss: f64,
    /// √(r²/m).
    pub sigma: f64,
    /// Coefficients of the kept columns of X.
    pub beta: Vec<f64>,
    /// (X'V^-1X)^-1, so that the covariance of `beta` is σ² times it.
    pub unscaled_covariance: Matrix,
    /// Conditional modes of each term, levels × k, row-major.
    pub b: Vec<Vec<f64>>,
    /// Spherical random effects, b = λu.
    pub u: Vec<Vec<f64>>,
    /// Xβ + Zb + offset.
    pub fitted: Vec<f64>,
}

impl Estimates {
    /// Reads the objective at the point where it was last evaluated; `theta` is that point in the
    /// user's basis.
    pub fn new(model: &Model, objective: &mut LmmObjective<'_>, theta: &[f64]) -> Result<Self> {
        let solution = objective.solution()?;
        let scores = objective.scores(&solution)?;
        let scale = model.response.scale;
        let gamma = all_explained(model, &solution);
        let pwrss = objective.r2() * scale * scale;
        let terms = &model.design.terms;
        let mut b = solution.by_term(&model.structure, terms);
        let mut u = scores.by_term(&model.structure, terms);
        let mut start = 0;
        for (t, term) in model.design.terms.iter().enumerate() {
            let k = term.k;
            let n = term.covariance.n_parameters(k);
            let lambda = term.covariance.lambda(&theta[start..start + n], k);
            start += n;
            let basis = &model.terms[t];
            map_levels(&mut b[t], k, |level, out| {
                for (i, out) in out.iter_mut().enumerate() {
                    *out = scale * row_times(&basis.transform, i, level);
                }
            });
            let map = spherical_map(&lambda, basis, k);
            map_levels(&mut u[t], k, |level, out| {
                for (i, out) in out.iter_mut().enumerate() {
                    *out = scale * row_times(&map, i, level);
                }
            });
        }
        Ok(Self {
            objective: objective.last_value(),
            log_det_z: objective.log_det_z(),
            log_det_x: objective.log_det_x(),
            pwrss,
            sigma: (pwrss / objective.scale_df()).sqrt(),
            beta: coefficients(model, &gamma),
            unscaled_covariance: unscaled_covariance(model, objective),
            fitted: fitted(model, &gamma, &b),
            b,
            u,
        })
    }
}

fn map_levels(values: &mut [f64], k: usize, f: impl Fn(&[f64], &mut [f64])) {
    let mut out = vec![0.0; k];
    for level in values.chunks_exact_mut(k) {
        f(level, &mut out);
        level.copy_from_slice(&out);
    }
}

/// Row i of a k × k matrix times a vector.
fn row_times(a: &[f64], i: usize, v: &[f64]) -> f64 {
    let k = v.len();
    (0..k).map(|j| a[i + j * k] * v[j]).sum()
}

/// u = λ' m^-T c̃: the map from the scores of the engine to spherical effects of the user.
fn spherical_map(lambda: &[f64], basis: &TermBasis, k: usize) -> Vec<f64> {
    let mut product = vec![0.0; k * k];
    small::multiply(&basis.inverse, lambda, &mut product, k);
    let mut out = vec![0.0; k * k];
    for j in 0..k {
        for i in 0..k {
            out[i + j * k] = product[j + i * k];
        }
    }
    out
}

/// Coefficients in the basis of the engine, with what ordinary least squares had taken out.
pub fn all_explained(model: &Model, solution: &Stacked) -> Vec<f64> {
    let fixed = solution.fixed(&model.structure).iter();
    fixed
        .zip(&model.response.explained)
        .map(|(g, explained)| g + explained)
        .collect()
}

/// β = T^-1 (scale γ + centre · constant).
pub fn coefficients(model: &Model, gamma: &[f64]) -> Vec<f64> {
    let scale = model.response.scale;
    let mut right: Vec<f64> = gamma.iter().map(|g| g * scale).collect();
    if let Some(constant) = &model.fixed.constant {
        small::axpy(model.response.centre, constant, &mut right);
    }
    model.fixed.solve(right, 1)
}

pub fn unscaled_covariance(model: &Model, objective: &LmmObjective<'_>) -> Matrix {
    let rank = model.structure.rank;
    let lower = objective.x_factor();
    let mut half = vec![0.0; rank * rank];
    (0..rank).for_each(|j| half[j + j * rank] = 1.0);
    // T^-1 L^-T has the covariance as its Gram matrix; its transpose is L^-1 T^-T.
    small::solve_lower(lower.data(), &mut half, rank, rank);
    let mut transposed = vec![0.0; rank * rank];
    for j in 0..rank {
        for i in 0..rank {
            transposed[i + j * rank] = half[j + i * rank];
        }
    }
    let root = model.fixed.solve(transposed, rank);
    let mut out = vec![0.0; rank * rank];
    small::multiply_transposed(&root, &root, &mut out, rank);
    Matrix::from_columns(rank, rank, out)
}

fn fitted(model: &Model, gamma: &[f64], b: &[Vec<f64>]) -> Vec<f64> {
    let design = &model.design;
    let n = design.n_obs();
    let mut fixed = vec![0.0; n];
    for (j, &g) in gamma.iter().enumerate() {
        small::axpy(g, model.fixed.columns().column(j), &mut fixed);
    }
    if let Some(weights) = &design.weights {
        fixed
            .iter_mut()
            .zip(weights)
            .for_each(|(f, w)| *f /= w.sqrt());
    }
    let (scale, centre) = (model.response.scale, model.response.centre);
    fixed.iter_mut().for_each(|f| *f = *f * scale + centre);
    for (term, b) in design.terms.iter().zip(b) {
        let k = term.k;
        for ((f, z), &v) in fixed
            .iter_mut()
            .zip(term.z.chunks_exact(k))
            .zip(&term.codes)
        {
            *f += small::dot(z, &b[v as usize * k..][..k]);
        }
    }
    if let Some(offset) = &design.offset {
        fixed.iter_mut().zip(offset).for_each(|(f, o)| *f += o);
    }
    fixed
}
