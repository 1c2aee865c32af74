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

use crate::error::Result;
use crate::inference::elements::elements;
use crate::inference::traces_by_columns::traces_by_columns;
use crate::linalg::{dense, small, Matrix};
use crate::model::Model;
use crate::system::{Along, Direction, System};

/// An eigenvalue of the information, scaled to a unit diagonal, below which its direction is told
/// by rounding errors alone.
const UNTOLD: f64 = 1e-10;

/// Twice the information in (γ, log σ²), γ in the basis of the engine.
pub fn information(
    system: &mut dyn System,
    model: &Model,
    tick: &dyn Fn() -> Result<()>,
) -> Result<Matrix> {
    match information_by_elimination(system, model, tick)? {
        Some(by_elimination) => Ok(by_elimination),
        None => information_by_columns(system, model, tick),
    }
}

/// From the second derivatives of the elimination; `None` where there is not the memory.
fn information_by_elimination(
    system: &mut dyn System,
    model: &Model,
    tick: &dyn Fn() -> Result<()>,
) -> Result<Option<Matrix>> {
    let directions = directions(model)?;
    let curvature = system.log_det_hessian((Along::Sigma, &directions), Vec::new(), true, tick)?;
    curvature
        .map(|curvature| bordered(system, model, &directions, &curvature))
        .transpose()
}

/// From the columns of Z'PZ: for every structure, at a solve for each random effect.
fn information_by_columns(
    system: &mut dyn System,
    model: &Model,
    tick: &dyn Fn() -> Result<()>,
) -> Result<Matrix> {
    let directions = directions(model)?;
    let curvature = traces_by_columns(system, model, &directions, tick)?;
    bordered(system, model, &directions, &curvature)
}

fn directions(model: &Model) -> Result<Vec<Direction>> {
    let elements = elements(model)?;
    Ok(elements.iter().map(|e| e.direction(model)).collect())
}

/// Adds the row and column of log σ² to minus the curvature.
fn bordered(
    system: &mut dyn System,
    model: &Model,
    directions: &[Direction],
    curvature: &Matrix,
) -> Result<Matrix> {
    let sums = system.w_sums(true)?;
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
    out[(n, n)] = (model.n_obs() - model.structure.rank) as f64;
    Ok(out)
}

/// What the information says of the variance parameters, (γ, log σ²) by n.
pub struct Certainty {
    /// R with RR' the covariance of the estimates: a generalised inverse of half of the information,
    /// without the directions that the data leave undetermined. Their columns are zero.
    pub root: Matrix,
    /// These directions; the columns of the others are zero.
    pub undetermined: Matrix,
}

/// Splits the directions of the parameters by a matrix of [`information`].
///
/// `steps` says how far each parameter moves before the covariance of the data changes by its own size,
/// so that an element without any information can be told from one whose unit is small. All is NaN
/// where the information is not finite.
pub fn certainty(information: &Matrix, steps: &[f64]) -> Certainty {
    let n = information.rows();
    let least = UNTOLD * information[(n - 1, n - 1)];
    let sizes: Vec<f64> = (0..n)
        .map(|i| (information[(i, i)], steps[i]))
        .map(|(own, step)| {
            if own * step * step > least {
                own.sqrt()
            } else {
                1.0 / step
            }
        })
        .collect();
    let mut scaled = information.clone();
    for j in 0..n {
        for i in 0..n {
            scaled[(i, j)] /= sizes[i] * sizes[j];
        }
    }
    let Some((values, mut root)) = dense::eigen(&scaled) else {
        let nan = Matrix::from_columns(n, n, vec![f64::NAN; n * n]);
        return Certainty {
            root: nan.clone(),
            undetermined: nan,
        };
    };
    let mut undetermined = root.clone();
    for (j, &value) in values.iter().enumerate() {
        let (own, other) = if value > UNTOLD {
            ((2.0 / value).sqrt(), 0.0)
        } else {
            (0.0, 1.0)
        };
        let columns = root
            .column_mut(j)
            .iter_mut()
            .zip(undetermined.column_mut(j));
        for ((root, undetermined), size) in columns.zip(&sizes) {
            *root *= own / size;
            *undetermined *= other / size;
        }
    }
    Certainty { root, undetermined }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::example::{frame, Levels};
    use crate::objective::{Criterion, LmmObjective, Objective};
    use crate::parameters::Coordinates;

    #[test]
    fn both_ways_lead_to_the_same_information() {
        let designs: [&[Levels]; 4] = [
            &[Levels::Random(30, 3)],
            &[Levels::Random(40, 1), Levels::Random(25, 2)],
            &[
                Levels::Random(15, 2),
                Levels::Random(9, 1),
                Levels::Random(5, 3),
            ],
            &[
                Levels::Within(60, 2, 1),
                Levels::Within(12, 10, 2),
                Levels::Random(7, 1),
            ],
        ];
        for (d, terms) in designs.into_iter().enumerate() {
            let n = 160;
            let frame = frame(n, 3, terms);
            let y = (0..n).map(|i| ((i * i) % 17) as f64).collect();
            let model = Model::of_frame(Arc::new(frame), y).expect("a response");
            let theta: Vec<f64> = (0..model.n_theta()).map(|i| 0.3 + 0.1 * i as f64).collect();
            let coordinates = Coordinates::engine(&model.design.terms);
            let mut objective =
                LmmObjective::new(&model, Criterion::Reml, coordinates, &|_| Ok(()))
                    .expect("memory");
            objective.value(&theta).expect("computable");
            let system = objective.system().expect("memory");
            let first = information_by_elimination(system, &model, &|| Ok(())).expect("memory");
            let second = information_by_columns(system, &model, &|| Ok(())).expect("memory");
            let first = first.expect("blocked designs are eliminated");
            for j in 0..first.cols() {
                for i in 0..first.rows() {
                    let size = (second[(i, i)] * second[(j, j)]).sqrt();
                    let error = (first[(i, j)] - second[(i, j)]).abs() / size;
                    assert!(error < 1e-11, "design {d}, ({i}, {j}): error {error:e}");
                }
            }
        }
    }
}
