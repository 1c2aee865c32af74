//! How the fitted values move with the response, theta included: what a conditional AIC counts
//! (Greven & Kneib 2010).
//!
//! With r = Py, V_i = ∂V/∂θ_i and m the denominator of σ², fitted values move with θ_i by W^-1P V_i r, and
//! the gradient of the criterion with y by -2m/r² (P V_i r - (r'V_i r/r²) r). V_i r = Z g_i with g the
//! working variates, and P of them is a residual: for d = g - (the solution for [Z X]'Z g),
//!
//! ```text
//! (P V_i r)'W^-1(P V_j r) = d_i'A d_j,    r'W^-1P V_j r = c'd_j
//! ```
//!
//! so that nothing is done row by row.

use crate::error::Result;
use crate::fit::Linear;
use crate::linalg::{small, Matrix};
use crate::model::Model;
use crate::objective::{Criterion, Monitor};
use crate::parameters::Coordinates;
use crate::system::variates;

/// What the fitted values owe to the response.
#[derive(Debug, Clone)]
pub struct Sensitivity {
    /// The trace of the matrix that takes the response to the fitted values, theta held.
    pub trace: f64,
    /// (i, j): minus the derivatives of gradient entry i with the response times those of the fitted values
    /// with θ_j, the symmetric part. The trace of it and the inverse Hessian is what the estimation of theta
    /// adds.
    pub by_theta: Matrix,
}

/// At theta, by this criterion.
///
/// # Errors
/// A theta of the wrong length, not finite, or where the system cannot be factorised; no memory.
pub fn sensitivity(
    model: &Model,
    criterion: Criterion,
    theta: &[f64],
    monitor: Monitor<'_>,
) -> Result<Sensitivity> {
    let mut objective = Linear { model, criterion }.at(theta, monitor)?;
    let structure = &model.structure;
    let coordinates = Coordinates::user(&model.design.terms, &model.terms);
    let lambda = coordinates.by_block(structure, &coordinates.lambda(theta));
    let maps = coordinates.motion(theta).working_maps(structure);
    let solution = objective.solution()?;
    let c = objective.scores(&solution)?;
    let (r2, m) = (objective.r2(), objective.scale_df());
    let system = objective.system()?;

    let mut d = variates(structure, &maps, &c)?;
    let linear = d.gram(&c);
    let explained = system.solve(system.multiply(&d)?);
    d.add(-1.0, &explained);
    let inner = d.gram(&system.multiply(&d)?);
    let with_residual = d.gram(&c);
    let n = maps.len();
    let mut by_theta = Matrix::zeros(n, n, "the sensitivity of the estimates")?;
    for j in 0..n {
        for i in 0..n {
            let taken = 0.5 * (linear[i] * with_residual[j] + linear[j] * with_residual[i]) / r2;
            by_theta[(i, j)] = 2.0 * m / r2 * (inner[i + j * n] - taken);
        }
    }

    let mut trace = structure.rank as f64;
    for ((w, lambda), block) in system
        .w_sums(true)?
        .iter()
        .zip(&lambda)
        .zip(&structure.blocks)
    {
        let mut sigma = vec![0.0; w.len()];
        small::multiply_transposed(lambda, lambda, &mut sigma, block.width);
        trace += small::dot(w, &sigma);
    }
    Ok(Sensitivity { trace, by_theta })
}
