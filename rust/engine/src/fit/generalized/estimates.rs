//! Estimates at the last point of an objective, in the units of the user.

use super::{no_modes, GlmmEstimates};
use crate::error::Result;
use crate::fit::Point;
use crate::linalg::{small, Matrix};
use crate::objective::{GlmmObjective, Objective};
use crate::parameters::Coordinates;

pub fn estimates(
    objective: &mut GlmmObjective<'_>,
    theta: Vec<f64>,
    values: &[f64],
) -> Result<GlmmEstimates> {
    let Some(value) = objective.value(values)? else {
        return Err(no_modes(objective));
    };
    let model = objective.model;
    let frame = model.frame();
    let user = Coordinates::user(&frame.design.terms, &frame.terms);
    let lambda = user.lambda(&theta);
    let (structure, terms) = (&frame.structure, &frame.design.terms);
    let mut b = objective.modes.b.by_term(structure, terms);
    let mut u = objective.modes.c.by_term(structure, terms);
    for (t, (b, u)) in b.iter_mut().zip(&mut u).enumerate() {
        let k = frame.design.terms[t].k;
        let transform = &frame.terms[t].transform;
        multiply_levels(b, k, |i, j| transform[i + j * k]);
        // u = λ̃'c
        multiply_levels(u, k, |i, j| lambda[t][j + i * k]);
    }
    Ok(GlmmEstimates {
        objective: value,
        log_det_z: objective.log_det(),
        penalty: objective.modes.penalty(),
        conditional_covariance: conditional_covariance(objective)?,
        b,
        u,
        eta: objective.modes.eta.clone(),
        point: Point {
            theta,
            beta: frame.fixed.solve(objective.gamma().to_vec(), 1),
            log_dispersion: objective.parameters.log_dispersion(values),
            eta: None,
        },
    })
}

/// `T^-1 (X'V^-1X)^-1 T'^-1`; NaN where X'V^-1X is not positive definite.
fn conditional_covariance(objective: &GlmmObjective<'_>) -> Result<Matrix> {
    let fixed = &objective.model.frame().fixed;
    let p = fixed.rank();
    let Some(factor) = objective.x_factor()? else {
        return Ok(Matrix::from_columns(p, p, vec![f64::NAN; p * p]));
    };
    let mut root = vec![0.0; p * p];
    (0..p).for_each(|i| root[i + i * p] = 1.0);
    small::solve_lower_transposed(&factor, &mut root, p, p);
    let root = fixed.solve(root, p);
    let mut out = vec![0.0; p * p];
    small::multiply_transposed(&root, &root, &mut out, p);
    Ok(Matrix::from_columns(p, p, out))
}

/// `v <- a v` for the k values of every level.
fn multiply_levels(values: &mut [f64], k: usize, a: impl Fn(usize, usize) -> f64) {
    let mut old = vec![0.0; k];
    for level in values.chunks_exact_mut(k) {
        old.copy_from_slice(level);
        for (i, out) in level.iter_mut().enumerate() {
            *out = (0..k).map(|j| a(i, j) * old[j]).sum();
        }
    }
}
