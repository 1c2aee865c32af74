//! The expected REML information of the variance parameters.
//!
//! In (γ, log σ²) with γ the elements of Σ relative to σ², and G_i = dV/dγ_i:
//!
//! ```text
//! 2 I_ij = tr(P G_i P G_j),   2 I_iσ = tr(P G_i),   2 I_σσ = n - rank(X)
//! ```
//!
//! Written with P, the coefficients need no terms of their own; in log σ², the residual variance does
//! not have to be had as a difference.

use crate::design::Model;
use crate::error::{Error, Result};
use crate::inference::elements::elements;
use crate::inference::traces_by_columns::traces_by_columns;
use crate::linalg::{dense, memory, small, Matrix};
use crate::system::{log_det_hessian, selected, Along, Direction, Factor};

/// An eigenvalue of the information, scaled to a unit diagonal, below which its direction is told
/// by rounding errors alone.
const UNTOLD: f64 = 1e-12;

/// Twice the information in (γ, log σ²), γ in the basis of the engine.
pub fn information(
    factor: &mut Factor,
    model: &Model,
    tick: &dyn Fn() -> Result<()>,
) -> Result<Matrix> {
    if memory::suffices(model.hessian_bytes()) {
        if let Some(by_elimination) = information_by_elimination(factor, model, tick)? {
            return Ok(by_elimination);
        }
    }
    information_by_columns(factor, model, tick)
}

/// From the second derivatives of the elimination; `None` for a sparse trailing matrix.
fn information_by_elimination(
    factor: &mut Factor,
    model: &Model,
    tick: &dyn Fn() -> Result<()>,
) -> Result<Option<Matrix>> {
    let directions = directions(model);
    let (a, structure) = (&model.cross_products, &model.structure);
    let curvature = log_det_hessian(factor, a, structure, Along::Sigma, &directions, true, tick)?;
    curvature
        .map(|curvature| bordered(factor, model, &directions, &curvature))
        .transpose()
}

/// From the columns of Z'PZ: for every structure, at a solve for each random effect.
fn information_by_columns(
    factor: &mut Factor,
    model: &Model,
    tick: &dyn Fn() -> Result<()>,
) -> Result<Matrix> {
    let directions = directions(model);
    let curvature = traces_by_columns(factor, model, &directions, tick)?;
    bordered(factor, model, &directions, &curvature)
}

fn directions(model: &Model) -> Vec<Direction> {
    let elements = elements(model);
    elements.iter().map(|e| e.direction(model)).collect()
}

/// Adds the row and column of log σ² to minus the curvature.
fn bordered(
    factor: &mut Factor,
    model: &Model,
    directions: &[Direction],
    curvature: &Matrix,
) -> Result<Matrix> {
    let (a, structure) = (&model.cross_products, &model.structure);
    let sums = selected(factor, a, structure, true, false)?.w_sums;
    let n = directions.len();
    let mut out = Matrix::zeros(n + 1, n + 1, "the information matrix")?;
    for (j, direction) in directions.iter().enumerate() {
        for i in 0..n {
            out[(i, j)] = -curvature[(i, j)];
        }
        let trace = small::dot(&sums[direction.block], &direction.d);
        out[(j, n)] = trace;
        out[(n, j)] = trace;
    }
    out[(n, n)] = (model.n_obs() - structure.rank) as f64;
    Ok(out)
}

/// R with RR' twice the inverse of half of a matrix of [`information`]: the covariance of the
/// estimates.
///
/// # Errors
/// When the data do not tell the parameters apart.
pub fn covariance_root(information: &Matrix) -> Result<Matrix> {
    let n = information.rows();
    let sizes: Vec<f64> = (0..n).map(|i| information[(i, i)].sqrt()).collect();
    let mut scaled = information.clone();
    for j in 0..n {
        for i in 0..n {
            scaled[(i, j)] /= sizes[i] * sizes[j];
        }
    }
    let (values, mut vectors) = dense::eigen(&scaled)
        .filter(|(values, _)| values[0] > UNTOLD)
        .ok_or_else(|| {
            Error::Domain(
                "the data do not tell the variance parameters apart, so that their covariance does \
                 not exist; drop a random-effects term"
                    .into(),
            )
        })?;
    for (j, value) in values.iter().enumerate() {
        for (v, size) in vectors.column_mut(j).iter_mut().zip(&sizes) {
            *v *= (2.0 / value).sqrt() / size;
        }
    }
    Ok(vectors)
}
