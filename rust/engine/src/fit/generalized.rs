//! The door for generalized models: fit one, or look at it at given parameters, in the units of the
//! user.

use crate::design::frame::MANY_ROWS;
use crate::design::{Approximation, GeneralizedModel};
use crate::error::{Error, Result};
use crate::fit::hessian::{by_differences, column, symmetric};
use crate::fit::ConditionalVariances;
use crate::linalg::threads::map;
use crate::linalg::{small, Matrix};
use crate::objective::coordinates::{to_engine, to_user};
use crate::objective::glmm::start::Start;
use crate::objective::glmm::{DispersionCoordinate, FixedCoordinates, Parameters};
use crate::objective::{Coordinates, GlmmObjective, Monitor, Objective};
use crate::optimize::{self, Control, Optimizer, Outcome};
use crate::system::selected;

/// Bytes of a system that every thread may have for itself.
const SMALL: f64 = 5e7;

/// Rows times parameters from which on threads save more than they cost.
const WORTH_THREADS: usize = 10_000;

/// Parameters in the units of the user.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Point {
    pub theta: Vec<f64>,
    /// Coefficients of the kept columns of X.
    pub beta: Vec<f64>,
    /// 0 without a dispersion.
    pub log_dispersion: f64,
}

/// What the caller knows of where to start.
#[derive(Debug, Clone, Default)]
pub struct StartValues {
    pub theta: Option<Vec<f64>>,
    pub beta: Option<Vec<f64>>,
    pub log_dispersion: Option<f64>,
}

/// Everything that follows from the parameters.
#[derive(Debug, Clone)]
pub struct GlmmEstimates {
    pub point: Point,
    /// -2 log-likelihood by the approximation of the model.
    pub objective: f64,
    /// log |M|.
    pub log_det_z: f64,
    /// |u|².
    pub penalty: f64,
    /// Covariance of the coefficients given theta and the dispersion, kept columns.
    pub conditional_covariance: Matrix,
    /// Conditional modes of each term, levels × k, row-major.
    pub b: Vec<Vec<f64>>,
    pub u: Vec<Vec<f64>>,
    /// Linear predictor with offset and random effects.
    pub eta: Vec<f64>,
}

/// A fitted model.
#[derive(Debug, Clone)]
pub struct GlmmFit {
    pub estimates: GlmmEstimates,
    /// Exact gradient in the parameters of the user: theta, beta unless it is profiled out, log
    /// dispersion.
    pub gradient: Vec<f64>,
    /// How the optimisation went; its points are in those parameters too.
    pub outcome: Outcome,
    pub n_factorisations: usize,
}

/// Fits by maximum likelihood.
pub fn fit_glmm(
    model: &GeneralizedModel,
    optimizer: Optimizer,
    start: &StartValues,
    control: &Control,
    monitor: Monitor<'_>,
) -> Result<GlmmFit> {
    let Search {
        parameters,
        start,
        gamma,
    } = Search::new(model, start)?;
    let mut objective = GlmmObjective::new(model, parameters, gamma, monitor)?;
    let mut outcome = optimize::minimize(optimizer, &mut objective, &start, control)
        .map_err(|error| explained(error, &objective))?;
    objective.tighten();
    if objective.value(&outcome.theta)?.is_none() {
        // Where rounding hides the last digits of the modes, those of the search must do.
        objective.loosen();
        if objective.value(&outcome.theta)?.is_none() {
            return Err(no_modes(&objective));
        }
    }
    let parameters = objective.parameters.clone();
    let theta = user_theta(model, &parameters, &outcome.theta);
    let gradient = user_gradient(&mut objective, &theta)?;
    let estimates = estimates(&mut objective, theta, &outcome.theta)?;
    for entry in &mut outcome.log.entries {
        entry.theta = user_values(model, &parameters, &entry.theta);
    }
    outcome.value = estimates.objective;
    outcome.theta = user_values(model, &parameters, &outcome.theta);
    Ok(GlmmFit {
        n_factorisations: objective.modes.n_factorisations,
        estimates,
        gradient,
        outcome,
    })
}

/// Estimates at given parameters.
pub fn evaluate_glmm(
    model: &GeneralizedModel,
    point: &Point,
    monitor: Monitor<'_>,
) -> Result<GlmmEstimates> {
    let (mut objective, values) = at(model, point, monitor)?;
    estimates(&mut objective, point.theta.clone(), &values)
}

/// Gradient at given parameters, in the order of [`GlmmFit::gradient`].
pub fn gradient_glmm(
    model: &GeneralizedModel,
    point: &Point,
    monitor: Monitor<'_>,
) -> Result<Vec<f64>> {
    let (mut objective, _) = at(model, point, monitor)?;
    user_gradient(&mut objective, &point.theta)
}

/// Hessian at given parameters, by central differences of the exact gradient.
pub fn hessian_glmm(
    model: &GeneralizedModel,
    point: &Point,
    monitor: Monitor<'_>,
) -> Result<Matrix> {
    let (mut objective, values) = at(model, point, monitor)?;
    let mut hessian = differences(&mut objective, &values)?;
    if objective.parameters.fixed.is_some() {
        to_user_coefficients(model, &mut hessian)?;
    }
    Ok(hessian)
}

/// By differences of the exact gradient; threads share the parameters of a model that they can afford
/// to hold once each.
fn differences(objective: &mut GlmmObjective<'_>, values: &[f64]) -> Result<Matrix> {
    let model = objective.model;
    let is_small = model.frame().costs.bytes().total() < SMALL && model.n_obs() < MANY_ROWS;
    if !is_small || model.n_obs() * values.len() < WORTH_THREADS {
        return by_differences(objective, values);
    }
    let here = objective.derivatives()?;
    let found = objective.found();
    let each: Vec<usize> = (0..values.len()).collect();
    let columns = map(&each, |&j| {
        let mut twin = GlmmObjective::at_modes(model, &found, &|_| Ok(()))?;
        column(&mut twin, &here, values, j)
    });
    Ok(symmetric(&columns.into_iter().collect::<Result<Vec<_>>>()?))
}

/// Conditional covariances of the random effects at given parameters.
pub fn conditional_variances_glmm(
    model: &GeneralizedModel,
    point: &Point,
    monitor: Monitor<'_>,
) -> Result<Vec<ConditionalVariances>> {
    let (mut objective, _) = at(model, point, monitor)?;
    let frame = model.frame();
    let (factor, products) = objective.system().parts();
    let selected = selected(factor, products, &frame.structure, false, true)?;
    Ok(ConditionalVariances::of_blocks(frame, selected.diagonals))
}

/// The parameters of an optimisation and its start.
struct Search {
    parameters: Parameters,
    start: Vec<f64>,
    /// Coefficients in the basis of the engine.
    gamma: Vec<f64>,
}

impl Search {
    fn new(model: &GeneralizedModel, given: &StartValues) -> Result<Self> {
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
        let fixed = (!profiled).then(|| FixedCoordinates {
            origin: glm.gamma.clone(),
            map: preconditioner(&glm.x_factor(model), model.rank(), size),
        });
        start.resize(start.len() + model.n_free_coefficients(), 0.0);
        let dispersion = model.family.has_dispersion().then(|| DispersionCoordinate {
            origin: glm.log_dispersion,
            unit: (2.0 * size / model.n_obs() as f64).sqrt().min(1.0),
        });
        start.extend(dispersion.map(|_| 0.0));
        Ok(Self {
            parameters: Parameters {
                theta,
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

fn keeps_user_basis(model: &GeneralizedModel) -> bool {
    let wide = model.frame().structure.blocks.iter().any(|b| b.width > 1);
    wide && matches!(model.approximation, Approximation::Quadrature(_))
}

fn start_of_user(model: &GeneralizedModel, theta: &Coordinates, user: &[f64]) -> Vec<f64> {
    if keeps_user_basis(model) {
        return user.to_vec();
    }
    let frame = model.frame();
    let engine = Coordinates::engine(&frame.design.terms);
    let own = to_engine(&engine, &frame.terms, user);
    // λ̃ is linear in the parameters of either kind.
    let mut unit = vec![0.0; theta.dim];
    for term in &theta.terms {
        for (i, d) in term.directions.iter().enumerate() {
            let (row, column) = term.template.entries(term.k)[i];
            unit[term.start + i] = d[row + column * term.k];
        }
    }
    own.iter().zip(&unit).map(|(t, u)| t / u).collect()
}

/// Diagonal λ with these standard deviations in the basis of the engine.
fn diagonal_start(model: &GeneralizedModel, theta: &Coordinates, scales: &[f64]) -> Vec<f64> {
    let frame = model.frame();
    let engine = Coordinates::engine(&frame.design.terms);
    let mut own = vec![0.0; engine.dim];
    for (t, term) in engine.terms.iter().enumerate() {
        let (block, _) = frame.structure.place(t);
        for (i, (row, column)) in term.template.entries(term.k).into_iter().enumerate() {
            if row == column {
                own[term.start + i] = scales[block];
            }
        }
    }
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

fn check_start(model: &GeneralizedModel, start: &StartValues) -> Result<()> {
    let finite = |what: &str, values: &[f64], expected: usize| {
        if values.len() != expected {
            return Err(Error::Length {
                what: what.to_owned(),
                expected,
                found: values.len(),
            });
        }
        match values.iter().find(|v| !v.is_finite()) {
            Some(bad) => Err(Error::Domain(format!("{what} holds {bad}"))),
            None => Ok(()),
        }
    };
    if let Some(theta) = &start.theta {
        finite("theta", theta, model.n_theta())?;
    }
    if let Some(beta) = &start.beta {
        finite("beta", beta, model.rank())?;
    }
    match start.log_dispersion {
        Some(value) => finite("the log dispersion", &[value], 1),
        None => Ok(()),
    }
}

/// The objective in the parameters of the user (coefficients in the basis of the engine), evaluated.
fn at<'a>(
    model: &'a GeneralizedModel,
    point: &Point,
    monitor: Monitor<'a>,
) -> Result<(GlmmObjective<'a>, Vec<f64>)> {
    check_start(
        model,
        &StartValues {
            theta: Some(point.theta.clone()),
            beta: Some(point.beta.clone()),
            log_dispersion: Some(point.log_dispersion),
        },
    )?;
    let frame = model.frame();
    let profiled = model.n_free_coefficients() == 0;
    let gamma = engine_coefficients(model, &point.beta);
    let parameters = Parameters {
        theta: Coordinates::user(&frame.design.terms, &frame.terms),
        fixed: (!profiled).then(|| FixedCoordinates::identity(model.rank())),
        dispersion: model
            .family
            .has_dispersion()
            .then_some(DispersionCoordinate {
                origin: 0.0,
                unit: 1.0,
            }),
    };
    let mut values = point.theta.clone();
    if !profiled {
        values.extend_from_slice(&gamma);
    }
    if model.family.has_dispersion() {
        values.push(point.log_dispersion);
    }
    let mut objective = GlmmObjective::new(model, parameters, gamma, monitor)?;
    objective.tighten();
    match objective.value(&values)? {
        Some(_) => Ok((objective, values)),
        None => Err(no_modes(&objective)),
    }
}

fn no_modes(objective: &GlmmObjective<'_>) -> Error {
    Error::Modes {
        reason:
            "penalised iteratively reweighted least squares does not converge at these parameters"
                .into(),
        row: objective.modes.worst_row(),
    }
}

/// A start at which the objective cannot be computed is a matter of the modes here.
fn explained(error: Error, objective: &GlmmObjective<'_>) -> Error {
    match error {
        Error::Factorisation { .. } => no_modes(objective),
        other => other,
    }
}

fn estimates(
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

/// γ = Tβ.
fn engine_coefficients(model: &GeneralizedModel, beta: &[f64]) -> Vec<f64> {
    let transform = &model.frame().fixed.transform;
    let mut out = vec![0.0; beta.len()];
    for (j, &b) in beta.iter().enumerate() {
        small::axpy(b, transform.column(j), &mut out);
    }
    out
}

fn user_theta(model: &GeneralizedModel, parameters: &Parameters, values: &[f64]) -> Vec<f64> {
    let theta = parameters.theta(values);
    if keeps_user_basis(model) {
        return theta.to_vec();
    }
    to_user(&parameters.theta, &model.frame().terms, theta)
}

/// Theta, beta unless it is profiled out, log dispersion.
fn user_values(model: &GeneralizedModel, parameters: &Parameters, values: &[f64]) -> Vec<f64> {
    let mut out = user_theta(model, parameters, values);
    if let Some(gamma) = parameters.gamma(values) {
        out.extend(model.frame().fixed.solve(gamma, 1));
    }
    if parameters.dispersion.is_some() {
        out.push(parameters.log_dispersion(values));
    }
    out
}

fn user_gradient(objective: &mut GlmmObjective<'_>, theta: &[f64]) -> Result<Vec<f64>> {
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
fn to_user_coefficients(model: &GeneralizedModel, hessian: &mut Matrix) -> Result<()> {
    let transform = &model.frame().fixed.transform;
    let (n, p, dim) = (model.n_theta(), transform.cols(), hessian.rows());
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
