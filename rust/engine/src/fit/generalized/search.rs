//! Where an optimisation starts, and in which parameters it runs.

use super::check_start;
use super::units::{engine_coefficients, keeps_user_basis};
use crate::error::Result;
use crate::fit::StartValues;
use crate::linalg::small;
use crate::model::GeneralizedModel;
use crate::objective::glmm::start::Start;
use crate::parameters::coordinates::{from_user, to_user};
use crate::parameters::Coordinates;
use crate::parameters::{AffineNumber, AffineVector, ParameterVector};

/// The parameters of an optimisation and its start.
pub(crate) struct Search {
    pub parameters: ParameterVector,
    pub start: Vec<f64>,
    /// Coefficients in the basis of the engine.
    pub gamma: Vec<f64>,
}

impl Search {
    pub fn new(model: &GeneralizedModel, given: &StartValues) -> Result<Self> {
        check_start(model, given)?;
        let frame = model.frame();
        let mut glm = Start::new(model)?;
        if let Some(beta) = &given.beta {
            glm.gamma = engine_coefficients(model, beta);
        }
        if let Some(log_dispersion) = given.log_dispersion {
            glm.log_dispersion = log_dispersion;
        }
        let theta = theta_coordinates(model, glm.unit());
        let mut start = match &given.theta {
            Some(user) => start_of_user(model, &theta, user),
            None => diagonal_start(model, &theta, &glm.block_scales(model)),
        };
        let levels = frame.structure.blocks.iter().map(|b| b.n_levels);
        // A unit of a scalar theta changes the objective by about its number of levels.
        let size = levels.min().unwrap_or(1).max(1) as f64;
        let profiled = model.n_free_coefficients() == 0;
        let fixed = (!profiled).then(|| AffineVector {
            origin: glm.gamma.clone(),
            map: preconditioner(&glm.x_factor(model), model.rank(), size),
        });
        start.resize(start.len() + model.n_free_coefficients(), 0.0);
        let dispersion = model.family.has_dispersion().then(|| AffineNumber {
            origin: glm.log_dispersion,
            unit: (2.0 * size / model.n_obs() as f64).sqrt().min(1.0),
        });
        start.extend(dispersion.map(|_| 0.0));
        Ok(Self {
            parameters: ParameterVector {
                theta: theta.into(),
                fixed,
                dispersion,
            },
            start,
            gamma: glm.gamma,
        })
    }
}

/// In the basis of the engine; quadrature over several effects depends on how λ is turned, so that
/// there it is the triangular one of the user.
fn theta_coordinates(model: &GeneralizedModel, unit: f64) -> Coordinates {
    let frame = model.frame();
    let terms = &frame.design.terms;
    if keeps_user_basis(model) {
        Coordinates::user(terms, &frame.terms)
    } else {
        Coordinates::scaled(terms, unit)
    }
}

fn start_of_user(model: &GeneralizedModel, theta: &Coordinates, user: &[f64]) -> Vec<f64> {
    if keeps_user_basis(model) {
        return user.to_vec();
    }
    from_user(theta, &model.frame().terms, user)
}

/// Multiples of the identity with these standard deviations in the basis of the engine.
fn diagonal_start(model: &GeneralizedModel, theta: &Coordinates, scales: &[f64]) -> Vec<f64> {
    let frame = model.frame();
    let engine = Coordinates::engine(&frame.design.terms);
    let own = engine.isotropic(|t| scales[frame.structure.place(t).0]);
    let user = to_user(&engine, &frame.terms, &own);
    start_of_user(model, theta, &user)
}

/// `√size L'^-1`, in which X'WX is `size` times the identity.
fn preconditioner(factor: &[f64], p: usize, size: f64) -> Vec<f64> {
    let mut out = vec![0.0; p * p];
    (0..p).for_each(|i| out[i + i * p] = size.sqrt());
    small::solve_lower_transposed(factor, &mut out, p, p);
    out
}
