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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::covariance::Fold;

    /// `x⁴ + x y² + y²`, known for x below a limit.
    struct Quartic {
        limit: f64,
        at: [f64; 2],
    }

    impl Objective for Quartic {
        fn dim(&self) -> usize {
            2
        }

        fn value(&mut self, theta: &[f64]) -> Result<Option<f64>> {
            self.at = [theta[0], theta[1]];
            let [x, y] = self.at;
            Ok((x < self.limit).then_some(x.powi(4) + x * y * y + y * y))
        }

        fn derivatives(&mut self) -> Result<Derivatives> {
            let [x, y] = self.at;
            let zero = || Matrix::from_columns(2, 2, vec![0.0; 4]);
            let mut information = zero();
            information[(0, 0)] = 12.0 * x * x;
            information[(1, 1)] = 2.0 * x + 2.0;
            Ok(Derivatives {
                gradient: vec![4.0 * x.powi(3) + y * y, 2.0 * x * y + 2.0 * y],
                information,
                curvature: zero(),
            })
        }

        fn hessian(&mut self) -> Result<Option<Matrix>> {
            Ok(None)
        }

        fn folds(&self) -> Vec<Fold> {
            Vec::new()
        }

        fn isotropic(&self, sd: f64) -> Vec<f64> {
            vec![sd; 2]
        }

        fn polish_steps(&self) -> usize {
            0
        }
    }

    #[test]
    fn differences_of_the_gradient_take_the_place_of_a_formula() {
        let theta = [0.7, -0.4];
        for limit in [f64::INFINITY, 0.7 + 1e-6] {
            let mut objective = Quartic {
                limit,
                at: [0.0; 2],
            };
            objective.value(&theta).expect("computable");
            let found = hessian(&mut objective, &theta).expect("computable");
            let expected = [12.0 * 0.49, -0.8, -0.8, 3.4];
            for (found, expected) in found.data().iter().zip(expected) {
                assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
            }
        }
    }

    #[test]
    fn there_are_no_differences_at_the_edge_of_the_domain() {
        let mut objective = Quartic {
            limit: 0.7 + 1e-12,
            at: [0.0; 2],
        };
        objective.value(&[0.7, -0.4]).expect("computable");
        let found = hessian(&mut objective, &[0.7, -0.4]).expect("computable");
        assert!(found[(0, 0)].is_nan());
        assert!((found[(1, 1)] - 3.4).abs() < 1e-6);
    }
}
