//! Quadratic models of the objective from its derivatives.

use crate::linalg::{dense, small, Matrix};
use crate::objective::Derivatives;

/// Information plus the part of the curvature that is safe to use anywhere; all of the curvature
/// for the parameters in `signed`.
pub fn convex_model(d: &Derivatives, signed: &[usize]) -> Option<Matrix> {
    let mut out = d.information.clone();
    for group in connected(&d.curvature) {
        if group.iter().all(|i| signed.contains(i)) {
            for &j in &group {
                for &i in &group {
                    out[(i, j)] += d.curvature[(i, j)];
                }
            }
            continue;
        }
        let k = group.len();
        let entries = group
            .iter()
            .flat_map(|&j| group.iter().map(move |&i| (i, j)))
            .map(|at| d.curvature[at])
            .collect();
        let (values, vectors) = dense::eigen(&Matrix::from_columns(k, k, entries))?;
        for (e, &w) in values.iter().enumerate().filter(|(_, &w)| w > 0.0) {
            let v = vectors.column(e);
            for (b, &j) in group.iter().enumerate() {
                for (a, &i) in group.iter().enumerate() {
                    out[(i, j)] += w * v[a] * v[b];
                }
            }
        }
    }
    Some(out)
}

/// Information plus signed curvature: exact in sign at a stationary point.
pub fn signed_model(d: &Derivatives) -> Matrix {
    let mut out = d.information.clone();
    small::axpy(1.0, d.curvature.data(), out.data_mut());
    out
}

/// Groups of parameters that the entries of a symmetric matrix connect.
pub fn connected(a: &Matrix) -> Vec<Vec<usize>> {
    let n = a.rows();
    let mut seen = vec![false; n];
    let mut out = Vec::new();
    for first in 0..n {
        if seen[first] {
            continue;
        }
        seen[first] = true;
        let mut group = vec![first];
        let mut next = 0;
        while next < group.len() {
            let i = group[next];
            next += 1;
            for j in 0..n {
                if !seen[j] && a[(i, j)] != 0.0 {
                    seen[j] = true;
                    group.push(j);
                }
            }
        }
        group.sort_unstable();
        out.push(group);
    }
    out
}

/// Adds to `correction` what `model + correction` lacks to explain the change of the gradient.
pub fn rank_one_correction(
    correction: &mut [f64],
    model: &Matrix,
    step: &[f64],
    before: &[f64],
    after: &[f64],
) {
    let n = step.len();
    let mut residual: Vec<f64> = after.iter().zip(before).map(|(a, b)| a - b).collect();
    for (j, &s) in step.iter().enumerate() {
        small::axpy(-s, model.column(j), &mut residual);
        small::axpy(-s, &correction[j * n..(j + 1) * n], &mut residual);
    }
    let curvature = small::dot(&residual, step);
    if curvature.abs() > 1e-8 * norm(&residual) * norm(step) {
        for j in 0..n {
            let s = residual[j] / curvature;
            small::axpy(s, &residual, &mut correction[j * n..(j + 1) * n]);
        }
    }
}

/// The same by the BFGS formula, which keeps `model + correction` positive definite; a change of the
/// gradient that would not is damped (Powell 1978).
pub fn damped_correction(
    correction: &mut [f64],
    model: &Matrix,
    step: &[f64],
    before: &[f64],
    after: &[f64],
) {
    const LEAST: f64 = 0.2;
    let n = step.len();
    let mut image = vec![0.0; n];
    for (j, &s) in step.iter().enumerate() {
        small::axpy(s, model.column(j), &mut image);
        small::axpy(s, &correction[j * n..(j + 1) * n], &mut image);
    }
    let curved = small::dot(&image, step);
    if curved <= 0.0 {
        rank_one_correction(correction, model, step, before, after);
        return;
    }
    let mut change: Vec<f64> = after.iter().zip(before).map(|(a, b)| a - b).collect();
    let slope = small::dot(&change, step);
    if slope < LEAST * curved {
        let share = (1.0 - LEAST) * curved / (curved - slope);
        for (change, image) in change.iter_mut().zip(&image) {
            *change = share * *change + (1.0 - share) * image;
        }
    }
    let slope = small::dot(&change, step);
    for j in 0..n {
        let column = &mut correction[j * n..(j + 1) * n];
        small::axpy(change[j] / slope, &change, column);
        small::axpy(-image[j] / curved, &image, column);
    }
}

pub fn norm(v: &[f64]) -> f64 {
    small::dot(v, v).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_curves_downwards_learns_that_the_gradient_does_not() {
        let model = Matrix::from_columns(2, 2, vec![1.0, 0.0, 0.0, 1.0]);
        // Together with the model of curvature -2 along the first axis, where the gradient rises by 4.
        let mut correction = vec![-3.0, 0.0, 0.0, 0.0];
        damped_correction(
            &mut correction,
            &model,
            &[1.0, 0.0],
            &[-5.0, 0.0],
            &[-1.0, 0.0],
        );
        assert!((correction[0] - 3.0).abs() < 1e-12);
        assert!(correction[1..].iter().all(|&c| c == 0.0));
    }
}
