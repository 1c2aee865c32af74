//! The Hessian, exact where there is a formula for the structure and memory for it.

use crate::error::Result;
use crate::linalg::Matrix;
use crate::objective::{Derivatives, Objective};

/// Step in units of the curvature's standard deviation: the error is of its square.
const STEP: f64 = 2e-4;
/// Shorter steps that are tried where one leads out of the domain of the objective.
const SHORTENINGS: usize = 4;

/// The objective must have been evaluated at theta.
pub fn hessian(objective: &mut dyn Objective, theta: &[f64]) -> Result<Matrix> {
    match objective.hessian()? {
        Some(exact) => Ok(exact),
        None => by_differences(objective, theta),
    }
}

/// By central differences of the exact gradient; NaN for parameters so near to the edge of the domain
/// that there are none. The objective must have been evaluated at theta.
pub fn by_differences(objective: &mut dyn Objective, theta: &[f64]) -> Result<Matrix> {
    let here = objective.derivatives()?;
    let columns = (0..theta.len()).map(|j| column(objective, &here, theta, j));
    Ok(symmetric(&columns.collect::<Result<Vec<_>>>()?))
}

/// One column of it; `here` are the derivatives at theta.
pub fn column(
    objective: &mut dyn Objective,
    here: &Derivatives,
    theta: &[f64],
    j: usize,
) -> Result<Vec<f64>> {
    let mut point = theta.to_vec();
    let largest = theta.iter().fold(1e-3_f64, |m, t| m.max(t.abs()));
    let curvature = here.information[(j, j)] + here.curvature[(j, j)].max(0.0);
    // Where the data say (almost) nothing of a parameter, theta itself gives the size.
    let size = (1.0 / curvature.sqrt()).min(largest);
    let mut h = STEP * size;
    let mut gradient_at = |value: f64| -> Result<Option<Vec<f64>>> {
        point[j] = value;
        match objective.value(&point)? {
            Some(_) => objective.gradient().map(Some),
            None => Ok(None),
        }
    };
    for _ in 0..SHORTENINGS {
        let (up, down) = (gradient_at(theta[j] + h)?, gradient_at(theta[j] - h)?);
        if let (Some(up), Some(down)) = (up, down) {
            let pairs = up.iter().zip(&down);
            return Ok(pairs.map(|(up, down)| (up - down) / (2.0 * h)).collect());
        }
        h *= 0.125;
    }
    Ok(vec![f64::NAN; theta.len()])
}

/// The mean of a matrix, given by columns, and its transpose.
pub fn symmetric(columns: &[Vec<f64>]) -> Matrix {
    let n = columns.len();
    let entries = (0..n).flat_map(|j| (0..n).map(move |i| (i, j)));
    let means = entries.map(|(i, j)| 0.5 * (columns[j][i] + columns[i][j]));
    Matrix::from_columns(n, n, means.collect())
}
