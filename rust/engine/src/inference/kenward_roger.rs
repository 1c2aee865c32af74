//! The adjusted covariance of the coefficients (Kenward & Roger 1997; notation of Halekoh &
//! Højsgaard 2014) and what their degrees of freedom are computed from.
//!
//! With V = Σ_i s_i G_i, W the covariance of the estimates of s and Φ that of the coefficients:
//!
//! ```text
//! Φ_A = Φ + 2 Φ { Σ_ij W_ij X'V^-1 G_i P G_j V^-1 X } Φ
//! ```
//!
//! since Q_ij - P_i Φ P_j = X'V^-1 G_i P G_j V^-1 X, and Σ is linear in its elements. As P X = 0, the
//! scale of V is of no account in the braces: with G_i of the relative elements γ alone, W is the
//! covariance of their estimates. Written as KK', it leaves one solve with the columns of X for each
//! column of K.

use crate::error::Result;
use crate::fit::Linear;
use crate::inference::elements::{elements, to_engine, to_user, values, Element};
use crate::inference::information::{certainty, information};
use crate::inference::scaled_effects::ScaledEffects;
use crate::linalg::{dense, small, Matrix};
use crate::model::Model;
use crate::objective::{Criterion, Monitor, Progress};
use crate::products::stacked::Stacked;
use crate::system::System;

/// Matrices of the kept columns of X, in the units of the user, at the REML estimate of σ.
///
/// The variance parameters are the distinct elements of the covariance matrices of the terms, in
/// the order of the elements of the structures, then the residual variance. Directions in them that the
/// data leave undetermined are left out of W and Φ_A; both stand where P vanishes along these directions.
#[derive(Debug, Clone)]
pub struct KenwardRoger {
    /// Φ_A.
    pub adjusted: Matrix,
    /// Φ = σ²(X'V^-1X)^-1 with V relative to σ².
    pub unadjusted: Matrix,
    /// P_i = -X'V^-1 G_i V^-1 X.
    pub slopes: Vec<Matrix>,
    /// W, a generalised inverse of the expected REML information.
    pub parameter_covariance: Matrix,
    /// The directions left out: a column for each parameter, zero for those that are determined.
    pub undetermined: Matrix,
}

/// The quantities of Kenward and Roger at theta.
///
/// # Errors
/// A theta of the wrong length, not finite, or where the system cannot be factorised; no memory.
pub fn kenward_roger(model: &Model, theta: &[f64], monitor: Monitor<'_>) -> Result<KenwardRoger> {
    let mut objective = Linear {
        model,
        criterion: Criterion::Reml,
    }
    .at(theta, monitor)?;
    let scale = model.response.scale;
    let sigma2 = objective.r2() / objective.scale_df() * scale * scale;
    let progress = Progress {
        evaluations: 1,
        objective: objective.last_value(),
    };
    let tick = || monitor(progress);
    let gamma = values(model, theta)?;
    let system = objective.system()?;
    let information = information(system, model, &tick)?;
    let certainty = certainty(&information, &steps(model, &gamma)?);
    let effects = ScaledEffects::new(system, model)?;
    tick()?;
    Ok(KenwardRoger {
        adjusted: adjusted(system, model, &effects, &certainty.root, sigma2)?,
        unadjusted: unadjusted(&effects, sigma2)?,
        slopes: slopes(model, &effects, &gamma, sigma2)?,
        parameter_covariance: gram(&absolute(model, &certainty.root, &gamma, sigma2)?)?,
        undetermined: absolute(model, &certainty.undetermined, &gamma, sigma2)?,
    })
}

fn identity(n: usize) -> Result<Matrix> {
    let mut out = Matrix::zeros(n, n, "the covariance of the coefficients")?;
    (0..n).for_each(|i| out[(i, i)] = 1.0);
    Ok(out)
}

fn scaled(mut a: Matrix, s: f64) -> Matrix {
    a.data_mut().iter_mut().for_each(|v| *v *= s);
    a
}

fn unadjusted(effects: &ScaledEffects<'_>, sigma2: f64) -> Result<Matrix> {
    let relative = effects.covariance_form(&identity(effects.rank())?)?;
    Ok(scaled(relative, sigma2))
}

/// `σ² R (I + 2 Σ_k (Z M_k H)'P(Z M_k H)) R'` with M_k the sum of the basis matrices of the elements
/// times column k of K.
fn adjusted(
    system: &dyn System,
    model: &Model,
    effects: &ScaledEffects<'_>,
    root: &Matrix,
    sigma2: f64,
) -> Result<Matrix> {
    let rank = model.structure.rank;
    let mut sum = identity(rank)?;
    if rank > 0 {
        let elements = elements(model)?;
        for k in 0..root.cols() {
            let q = variates(model, effects, &elements, root.column(k))?;
            let products = system.multiply(&q)?;
            let whole = q.gram(&products);
            let explained = system.explained(&system.forward(products));
            small::axpy(2.0, &whole, sum.data_mut());
            small::axpy(-2.0, &explained, sum.data_mut());
        }
    }
    Ok(scaled(effects.covariance_form(&sum)?, sigma2))
}

/// `M H` for M the sum of the elements' basis matrices with these weights.
fn variates(
    model: &Model,
    effects: &ScaledEffects<'_>,
    elements: &[Element],
    weights: &[f64],
) -> Result<Stacked> {
    let structure = &model.structure;
    let m = effects.rank();
    let mut out = Stacked::zeros(structure, m)?;
    for (element, &weight) in elements.iter().zip(weights) {
        let chunk = structure.blocks[element.block].width * m;
        let from = effects.h.block(structure, element.block);
        let to = out.block_mut(structure, element.block);
        for &(row, column) in &element.entries {
            let (row, column) = (row * m, column * m);
            for (to, from) in to.chunks_exact_mut(chunk).zip(from.chunks_exact(chunk)) {
                small::axpy(weight, &from[column..column + m], &mut to[row..row + m]);
                if row != column {
                    small::axpy(weight, &from[row..row + m], &mut to[column..column + m]);
                }
            }
        }
    }
    Ok(out)
}

/// P_i, first of the elements, then of the residual variance: I = V - Σ_i γ_i G_i.
fn slopes(
    model: &Model,
    effects: &ScaledEffects<'_>,
    gamma: &[f64],
    sigma2: f64,
) -> Result<Vec<Matrix>> {
    let elements = elements(model)?;
    let rank = effects.rank();
    let explained: Vec<Matrix> = elements
        .iter()
        .map(|e| {
            let ones = e.entries.iter().map(|&(row, column)| (row, column, 1.0));
            effects.explained(e.block, &ones.collect::<Vec<_>>())
        })
        .collect::<Result<_>>()?;
    let conversion = to_engine(model)?;
    let scale = -1.0 / (sigma2 * sigma2);
    let mut out = Vec::with_capacity(elements.len() + 1);
    for user in 0..elements.len() {
        let mut own = Matrix::zeros(rank, rank, "products of the fixed effects")?;
        for (explained, &share) in explained.iter().zip(conversion.column(user)) {
            small::axpy(share, explained.data(), own.data_mut());
        }
        out.push(scaled(effects.information_form(&own)?, scale));
    }
    let mut residual = identity(rank)?;
    for (explained, &gamma) in explained.iter().zip(gamma) {
        small::axpy(-gamma, explained.data(), residual.data_mut());
    }
    out.push(scaled(effects.information_form(&residual)?, scale));
    Ok(out)
}

/// The size of each parameter beside that of the residual: of an element of Σ by its two variances.
fn steps(model: &Model, gamma: &[f64]) -> Result<Vec<f64>> {
    let elements = elements(model)?;
    let variance = |block: usize, place: usize| {
        let found = elements
            .iter()
            .zip(gamma)
            .find(|(e, _)| e.block == block && e.entries.contains(&(place, place)));
        1.0 + found.map_or(0.0, |(_, &gamma)| gamma)
    };
    let of_elements = elements.iter().map(|e| {
        let (row, column) = (variance(e.block, e.place.0), variance(e.block, e.place.1));
        (row * column).sqrt()
    });
    Ok(of_elements.chain([1.0]).collect())
}

/// Directions in (γ, log σ²) as directions in s = σ²γ and σ², in the units of the user.
fn absolute(model: &Model, directions: &Matrix, gamma: &[f64], sigma2: f64) -> Result<Matrix> {
    let n = gamma.len();
    let conversion = to_user(model)?;
    let mut out = Matrix::zeros(n + 1, n + 1, "the covariance of the variance parameters")?;
    for (k, column) in directions.data().chunks_exact(n + 1).enumerate() {
        let of_log_variance = column[n];
        for (i, (&gamma, &own)) in gamma.iter().zip(column).enumerate() {
            let moved = sigma2 * (own + gamma * of_log_variance);
            small::axpy(moved, conversion.column(i), out.column_mut(k));
        }
        out[(n, k)] = sigma2 * of_log_variance;
    }
    Ok(out)
}

/// RR'.
fn gram(root: &Matrix) -> Result<Matrix> {
    let n = root.rows();
    let mut out = Matrix::zeros(n, n, "the covariance of the variance parameters")?;
    small::multiply_transposed(root.data(), root.data(), out.data_mut(), n);
    dense::symmetrise(&mut out);
    Ok(out)
}
