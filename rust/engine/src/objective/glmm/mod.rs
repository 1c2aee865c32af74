//! The -2 log-likelihood of a generalized linear mixed model by the Laplace approximation or by
//! adaptive Gauss–Hermite quadrature, with exact gradients.
//!
//! With u the conditional modes, l_i the log-densities and M = Λ'Z'WZΛ + I, the Laplace
//! approximation (Tierney & Kadane 1986; Breslow & Clayton 1993) is `-2 Σ l_i + |u|² + log|M|`. Its
//! derivatives go through the modes by the implicit function theorem, see [`laplace`].

pub(crate) mod border;
mod hessian;
mod laplace;
pub(crate) mod modes;
mod quadratic_model;
mod row_curvature;
pub(crate) mod rows;
pub(crate) mod start;

use crate::covariance::Fold;
use crate::error::{same_length, Result};
use crate::family::Density;
use crate::linalg::Matrix;
use crate::model::generalized::PredictorRows;
use crate::model::{Approximation, GeneralizedModel};
use crate::objective::quadrature::{self, Rule};
use crate::objective::{Derivatives, Monitor, Objective, Progress};
use crate::parameters::{Coordinates, Motion, ParameterVector};
use crate::system::WeightedSystem;
use border::Border;
use laplace::Slopes;
use modes::{At, Modes};

/// Newton decrement of the modes while the objective is minimised. The log-determinant changes with
/// its square root, and must not hide what the optimizer looks for.
const TOLERANCE: f64 = 1e-16;
/// The same where derivatives are differenced.
const TIGHT: f64 = 1e-20;

/// Rows times parameters up to which a search takes a few milliseconds.
const FEW_NUMBERS: usize = 10_000;
/// The same for the flops of a factorisation.
const FEW_FLOPS: f64 = 1e5;

/// The objective of one model.
pub struct GlmmObjective<'a> {
    pub(crate) model: &'a GeneralizedModel,
    pub(crate) parameters: ParameterVector,
    pub(crate) modes: Modes<'a>,
    tolerance: f64,
    /// M where its weights are not those of the modes.
    expected: Option<Expected<'a>>,
    rule: Option<Rule>,
    /// What quadrature found at the last point.
    integral: Option<quadrature::Value>,
    /// The densities at the last dispersion.
    density: Option<(f64, Box<dyn Density + 'a>)>,
    /// The point of the last evaluation; what follows belongs to it.
    point: Vec<f64>,
    known: bool,
    value: f64,
    lambda: Vec<Vec<f64>>,
    pub(crate) block_lambda: Vec<Vec<f64>>,
    slopes: Option<Slopes>,
    monitor: Monitor<'a>,
    progress: Progress,
}

/// The state of an objective that threads may share.
pub struct Found<'o, 'a> {
    modes: &'o Modes<'a>,
    parameters: &'o ParameterVector,
    lambda: &'o [Vec<f64>],
    tolerance: f64,
}

/// The system of the expected information.
struct Expected<'a> {
    system: WeightedSystem<'a>,
    weight: Vec<f64>,
}

impl<'a> GlmmObjective<'a> {
    /// `gamma` is where coefficients begin that are sought together with the modes.
    pub fn new(
        model: &'a GeneralizedModel,
        parameters: ParameterVector,
        gamma: Vec<f64>,
        monitor: Monitor<'a>,
    ) -> Result<Self> {
        let PredictorRows { frame, z, .. } = &*model.rows;
        let expected = if model.has_expected_system() {
            Some(Expected {
                system: WeightedSystem::new(frame, z)?,
                weight: vec![0.0; model.n_obs()],
            })
        } else {
            None
        };
        Ok(Self {
            model,
            parameters,
            modes: Modes::new(model, gamma)?,
            tolerance: TOLERANCE,
            expected,
            rule: match model.approximation {
                Approximation::Quadrature(points) => Some(Rule::new(points)),
                Approximation::Fast | Approximation::Laplace => None,
            },
            integral: None,
            density: None,
            point: Vec::new(),
            known: false,
            value: f64::NAN,
            lambda: Vec::new(),
            block_lambda: Vec::new(),
            slopes: None,
            monitor,
            progress: Progress {
                evaluations: 0,
                objective: f64::NAN,
            },
        })
    }

    /// What another objective of this model needs to go on from here.
    #[must_use]
    pub fn found(&self) -> Found<'_, 'a> {
        Found {
            modes: &self.modes,
            parameters: &self.parameters,
            lambda: &self.block_lambda,
            tolerance: self.tolerance,
        }
    }

    /// An objective that goes on from the modes found by another.
    pub fn at_modes(
        model: &'a GeneralizedModel,
        found: &Found<'_, 'a>,
        monitor: Monitor<'a>,
    ) -> Result<Self> {
        let gamma = found.modes.gamma.clone();
        let mut out = Self::new(model, found.parameters.clone(), gamma, monitor)?;
        out.modes.go_on_from(found.modes, found.lambda)?;
        out.tolerance = found.tolerance;
        Ok(out)
    }

    /// Starts the search for the modes at this linear predictor.
    pub fn begin_at(&mut self, eta: &[f64], log_dispersion: f64) -> Result<()> {
        same_length("the linear predictor", self.model.n_obs(), eta.len())?;
        self.set_density(log_dispersion);
        match &self.density {
            Some((_, density)) => self.modes.begin_at(eta, density.as_ref()),
            None => Ok(()),
        }
    }

    /// From now on the modes are found to the last digit, so that gradients may be differenced.
    pub fn tighten(&mut self) {
        self.tolerance = TIGHT;
        self.known = false;
    }

    /// From now on the modes are found as during a search.
    pub fn loosen(&mut self) {
        self.tolerance = TOLERANCE;
        self.known = false;
    }

    /// Coefficients at the last point, in the basis of the engine.
    #[must_use]
    pub fn gamma(&self) -> &[f64] {
        &self.modes.gamma
    }

    /// log|M| at the last point.
    #[must_use]
    pub fn log_det(&self) -> f64 {
        match &self.expected {
            Some(expected) => expected.system.log_det(),
            None => self.modes.system.log_det(),
        }
    }

    /// The system that the log-determinant is of.
    pub fn system(&mut self) -> &mut WeightedSystem<'a> {
        match &mut self.expected {
            Some(expected) => &mut expected.system,
            None => &mut self.modes.system,
        }
    }

    /// Lower factor of X'V^-1X at the last point; `None` where it is not positive definite.
    pub fn x_factor(&self) -> Result<Option<Vec<f64>>> {
        if self.model.rank() == 0 {
            return Ok(Some(Vec::new()));
        }
        Ok(self.own_border()?.map(Border::into_factor))
    }

    /// The coefficients beside the random effects at the last point; `None` where they have no information.
    pub(crate) fn own_border(&self) -> Result<Option<Border>> {
        let (system, weight) = self.weighted();
        Border::new(&self.model.rows, system, weight)
    }

    fn weighted(&self) -> (&WeightedSystem<'a>, &[f64]) {
        match &self.expected {
            Some(expected) => (&expected.system, &expected.weight),
            None => (&self.modes.system, &self.modes.weight),
        }
    }

    fn set_density(&mut self, log_dispersion: f64) {
        let same = self
            .density
            .as_ref()
            .is_some_and(|(known, _)| *known == log_dispersion);
        if !same {
            let model: &'a GeneralizedModel = self.model;
            self.density = Some((log_dispersion, model.family.at(log_dispersion)));
        }
    }

    /// The objective at the modes; `None` when it cannot be computed.
    fn integrate(&mut self) -> Result<Option<f64>> {
        let Some((_, density)) = &self.density else {
            return Ok(None);
        };
        if let Some(rule) = &self.rule {
            let fixed = rows::fixed_part(&self.model.rows, &self.modes.gamma);
            let point = laplace::quadrature_point(
                self.model,
                &self.modes,
                &self.block_lambda,
                density.as_ref(),
                &fixed,
            );
            self.integral = quadrature::value(rule, &point)?;
            return Ok(self.integral.as_ref().map(|value| value.objective));
        }
        if let Some(expected) = &mut self.expected {
            density.expected(0, &self.modes.eta, &mut expected.weight);
            if !expected
                .system
                .update(&expected.weight, &self.block_lambda)?
            {
                return Ok(None);
            }
        }
        let deviance = self.modes.penalty() - 2.0 * self.modes.log_likelihood;
        let value = deviance + self.log_det();
        Ok(value.is_finite().then_some(value))
    }

    /// Derivatives at the last point with theta in other coordinates, of which `theta` is the same
    /// point, and the coefficients in the basis of the engine: theta, γ, log dispersion.
    pub fn gradient_in(&mut self, other: &Coordinates, theta: &[f64]) -> Result<Vec<f64>> {
        let slopes = self.take_slopes()?;
        let mut out = slopes.theta_gradient(other, theta, &self.lambda);
        if self.parameters.fixed.is_some() {
            out.extend_from_slice(&slopes.gamma);
        }
        if self.parameters.dispersion.is_some() {
            out.push(slopes.dispersion);
        }
        self.slopes = Some(slopes);
        Ok(out)
    }

    /// First derivatives at the last point, to be put back.
    fn take_slopes(&mut self) -> Result<Slopes> {
        match self.slopes.take() {
            Some(known) => Ok(known),
            None => self.differentiate(),
        }
    }

    /// The gradient in the parameters.
    fn assemble(&self, slopes: &Slopes) -> Vec<f64> {
        let ParameterVector {
            theta,
            fixed,
            dispersion,
        } = &self.parameters;
        let mut out =
            slopes.theta_gradient(theta, self.parameters.theta(&self.point), &self.lambda);
        if let Some(fixed) = fixed {
            out.extend(fixed.pull(&slopes.gamma));
        }
        out.extend(dispersion.map(|d| d.unit * slopes.dispersion));
        out
    }

    /// How theta moves the covariance factors at the last point.
    fn motion(&self) -> Motion<'_> {
        let Self {
            parameters,
            point,
            lambda,
            ..
        } = self;
        parameters.theta.motion_of(parameters.theta(point), lambda)
    }

    /// The part of every term in matrices of the blocks.
    fn by_term(&self, blocks: &[Vec<f64>]) -> Vec<Vec<f64>> {
        self.parameters
            .theta
            .by_term(&self.model.frame().structure, blocks)
    }
}

impl Objective for GlmmObjective<'_> {
    fn dim(&self) -> usize {
        self.parameters.dim()
    }

    fn value(&mut self, point: &[f64]) -> Result<Option<f64>> {
        if self.known && self.point == point {
            return Ok(Some(self.value));
        }
        (self.monitor)(self.progress)?;
        self.progress.evaluations += 1;
        self.known = false;
        self.slopes = None;
        if point.iter().any(|v| !v.is_finite()) {
            return Ok(None);
        }
        self.point = point.to_vec();
        self.lambda = self.parameters.theta.lambda(self.parameters.theta(point));
        self.block_lambda = self
            .parameters
            .theta
            .by_block(&self.model.frame().structure, &self.lambda);
        self.set_density(self.parameters.log_dispersion(point));
        let gamma = self.parameters.gamma(point);
        let Some((_, density)) = &self.density else {
            return Ok(None);
        };
        let found = self.modes.find(&At {
            density: density.as_ref(),
            lambda: &self.block_lambda,
            gamma: gamma.as_deref(),
            tolerance: self.tolerance,
        })?;
        if !found {
            return Ok(None);
        }
        let Some(value) = self.integrate()? else {
            return Ok(None);
        };
        self.value = value;
        self.known = true;
        self.progress.objective = value;
        Ok(Some(value))
    }

    fn derivatives(&mut self) -> Result<Derivatives> {
        let slopes = self.take_slopes()?;
        let model = self.quadratic_model(&slopes);
        self.slopes = Some(slopes);
        model
    }

    fn gradient(&mut self) -> Result<Vec<f64>> {
        let slopes = self.take_slopes()?;
        let gradient = self.assemble(&slopes);
        self.slopes = Some(slopes);
        Ok(gradient)
    }

    fn hessian(&mut self) -> Result<Option<Matrix>> {
        Ok(None)
    }

    fn folds(&self) -> Vec<Fold> {
        self.parameters.theta.folds()
    }

    fn isotropic(&self, sd: f64) -> Vec<f64> {
        let mut out = self.parameters.theta.isotropic(|_| sd);
        out.resize(self.dim(), 0.0);
        out
    }

    fn has_crude_curvature(&self) -> bool {
        true
    }

    /// At an optimum G vanishes in the directions in which the parameters move Σ, and only there.
    fn has_lasting_curvature(&self) -> bool {
        !self.parameters.theta.is_linear()
    }

    fn opposite(&self, point: &[f64]) -> Option<Vec<f64>> {
        let coordinates = &self.parameters.theta;
        let mut out = coordinates.opposite(self.parameters.theta(point))?;
        out.resize(self.dim(), 0.0);
        Some(out)
    }

    fn is_worth_two_searches(&self) -> bool {
        let model = self.model;
        model.n_obs() * self.dim() < FEW_NUMBERS && model.frame().flops() < FEW_FLOPS
    }

    /// Quadrature over several effects depends on how λ is turned. Otherwise λ of the blocks stays as the
    /// modes were found with it: the criterion and its derivatives see Σ only.
    fn turn(&mut self, point: &[f64]) -> Result<Option<Vec<f64>>> {
        let own = self.parameters.theta(point).to_vec();
        let turned = match self.rule {
            Some(_) => None,
            None => self.parameters.theta.turn(&own),
        };
        let Some(theta) = turned else {
            return Ok(None);
        };
        let mut point = point.to_vec();
        point[..theta.len()].copy_from_slice(&theta);
        self.lambda = self.parameters.theta.lambda(&theta);
        self.point.clone_from(&point);
        Ok(Some(point))
    }

    fn unturned(&self, point: &[f64]) -> Vec<f64> {
        let theta = self.parameters.theta(point);
        let mut out = self.parameters.theta.unturned(theta);
        out.extend_from_slice(&point[out.len()..]);
        out
    }

    fn turn_back(&mut self) {
        self.known &= !self.parameters.theta.turn_back();
    }

    /// One: more digits than it gives are hidden by the tolerance of the modes.
    fn polish_steps(&self) -> usize {
        1
    }
}
