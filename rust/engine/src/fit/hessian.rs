//! The Hessian, exact where there is a formula for the structure and memory for it.

use crate::error::Result;
use crate::linalg::Matrix;
use crate::objective::Objective;

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
    let n = theta.len();
    let here = objective.derivatives()?;
    let mut out = Matrix::zeros(n, n, "the Hessian")?;
    let mut point = theta.to_vec();
    let largest = theta.iter().fold(1e-3_f64, |m, t| m.max(t.abs()));
    for j in 0..n {
        let curvature = here.information[(j, j)] + here.curvature[(j, j)].max(0.0);
        // Where the data say (almost) nothing of a parameter, theta itself gives the size.
        let size = (1.0 / curvature.sqrt()).min(largest);
        let mut h = STEP * size;
        let mut gradient_at = |value: f64| -> Result<Option<Vec<f64>>> {
            point[j] = value;
            let computed = objective.value(&point)?;
            point[j] = theta[j];
            match computed {
                Some(_) => objective.gradient().map(Some),
                None => Ok(None),
            }
        };
        out.column_mut(j).fill(f64::NAN);
        for _ in 0..SHORTENINGS {
            let (up, down) = (gradient_at(theta[j] + h)?, gradient_at(theta[j] - h)?);
            if let (Some(up), Some(down)) = (up, down) {
                for i in 0..n {
                    out[(i, j)] = (up[i] - down[i]) / (2.0 * h);
                }
                break;
            }
            h *= 0.125;
        }
    }
    for j in 0..n {
        for i in 0..j {
            let mean = 0.5 * (out[(i, j)] + out[(j, i)]);
            out[(i, j)] = mean;
            out[(j, i)] = mean;
        }
    }
    Ok(out)
}
