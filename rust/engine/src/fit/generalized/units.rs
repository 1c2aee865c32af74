//! Parameters, gradients and Hessians in the units of the user.

use crate::error::Result;
use crate::linalg::{small, Matrix};
use crate::model::{Approximation, GeneralizedModel};
use crate::objective::GlmmObjective;
use crate::parameters::coordinates::to_user;
use crate::parameters::Coordinates;
use crate::parameters::ParameterVector;

/// Whether theta stays in the basis of the user, on which the nodes of a quadrature depend.
pub fn keeps_user_basis(model: &GeneralizedModel) -> bool {
    let wide = model.frame().structure.blocks.iter().any(|b| b.width > 1);
    wide && matches!(model.approximation, Approximation::Quadrature(_))
}

/// γ = Tβ.
pub fn engine_coefficients(model: &GeneralizedModel, beta: &[f64]) -> Vec<f64> {
    let transform = &model.frame().fixed.transform;
    let mut out = vec![0.0; beta.len()];
    for (j, &b) in beta.iter().enumerate() {
        small::axpy(b, transform.column(j), &mut out);
    }
    out
}

pub fn user_theta(
    model: &GeneralizedModel,
    parameters: &ParameterVector,
    values: &[f64],
) -> Vec<f64> {
    let theta = parameters.theta(values);
    if keeps_user_basis(model) {
        return theta.to_vec();
    }
    to_user(&parameters.theta, &model.frame().terms, theta)
}

/// Theta, beta unless it is profiled out, log dispersion.
pub fn user_values(
    model: &GeneralizedModel,
    parameters: &ParameterVector,
    values: &[f64],
) -> Vec<f64> {
    let mut out = user_theta(model, parameters, values);
    if let Some(gamma) = parameters.gamma(values) {
        out.extend(model.frame().fixed.solve(gamma, 1));
    }
    if parameters.dispersion.is_some() {
        out.push(parameters.log_dispersion(values));
    }
    out
}

pub fn user_gradient(objective: &mut GlmmObjective<'_>, theta: &[f64]) -> Result<Vec<f64>> {
    let frame = objective.model.frame();
    let user = Coordinates::user(&frame.design.terms, &frame.terms);
    let mut gradient = objective.gradient_in(&user, theta)?;
    if objective.parameters.fixed.is_some() {
        let n = theta.len();
        let transform = &frame.fixed.transform;
        let gamma = gradient[n..n + transform.cols()].to_vec();
        for j in 0..transform.cols() {
            gradient[n + j] = small::dot(transform.column(j), &gamma);
        }
    }
    Ok(gradient)
}

/// Rows and columns of the coefficients from the basis of the engine to that of the user.
pub fn to_user_coefficients(model: &GeneralizedModel, hessian: &mut Matrix) -> Result<()> {
    let mut unused = vec![0.0; hessian.rows()];
    to_user_coefficients_at(model, model.n_theta(), &mut unused, hessian)
}

/// The same for coefficients that begin at parameter n, with the gradient.
pub fn to_user_coefficients_at(
    model: &GeneralizedModel,
    n: usize,
    gradient: &mut [f64],
    hessian: &mut Matrix,
) -> Result<()> {
    let transform = &model.frame().fixed.transform;
    let (p, dim) = (transform.cols(), hessian.rows());
    let gamma = gradient[n..n + p].to_vec();
    for (j, slope) in gradient[n..n + p].iter_mut().enumerate() {
        *slope = small::dot(transform.column(j), &gamma);
    }
    let mut half = Matrix::zeros(dim, dim, "the Hessian")?;
    half.data_mut().copy_from_slice(hessian.data());
    for j in 0..p {
        for i in 0..dim {
            let products = (0..p).map(|h| hessian[(i, n + h)] * transform[(h, j)]);
            half[(i, n + j)] = products.sum();
        }
    }
    hessian.data_mut().copy_from_slice(half.data());
    for j in 0..dim {
        for i in 0..p {
            let products = (0..p).map(|h| transform[(h, i)] * half[(n + h, j)]);
            hessian[(n + i, j)] = products.sum();
        }
    }
    Ok(())
}
