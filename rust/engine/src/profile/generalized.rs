//! Generalized models with parameters held.
//!
//! Coefficients are parameters of the criterion, in coordinates of which the ones that are held are some: the
//! others are conjugate to them in the information of the fixed part, so that they hardly move along a walk.
//! Where the coefficients are profiled out with the modes, a column that is held moves to the offset.

use std::sync::Arc;

use super::anchor::{minimise_anchored, Anchor};
use super::conjugate::Split;
use super::hold::{anchors, coefficients, split, Constrained, Effort, Hold, Origin, Parameter};
use super::reduced::{natural, picked};
use crate::design::Predictors;
use crate::error::{Error, Result};
use crate::fit::{self, keeps_user_basis, user_theta, MixedModel, Point, Search, StartValues};
use crate::linalg::small;
use crate::model::GeneralizedModel;
use crate::objective::{GlmmObjective, Monitor};
use crate::optimize::Control;
use crate::parameters::{AffineNumber, Held, HeldCoordinates, ParameterVector, Role};

fn start_values(point: &Point, beta: Vec<f64>) -> StartValues {
    StartValues {
        theta: Some(point.theta.clone()),
        beta: Some(beta),
        log_dispersion: Some(point.log_dispersion),
    }
}

/// The minimum of the criterion.
pub fn origin(
    model: &GeneralizedModel,
    held: &Held,
    near: &Point,
    monitor: Monitor<'_>,
) -> Result<Origin> {
    let task = fit::Task {
        start: start_values(near, near.beta.clone()),
        held: (*held != Held::default()).then_some(held),
        control: Control {
            starts: Some(2),
            ..Control::UNLIMITED
        },
        ..fit::Task::default()
    };
    let estimates = model.fit(&task, monitor)?.estimates;
    let covariance = &estimates.conditional_covariance;
    Ok(Origin {
        std_errors: (0..covariance.rows())
            .map(|j| covariance[(j, j)].sqrt())
            .collect(),
        point: Point {
            eta: Some(estimates.eta),
            ..estimates.point
        },
        objective: estimates.objective,
    })
}

/// A generalized model with some parameters held.
pub struct GeneralizedHold<'m> {
    model: &'m GeneralizedModel,
    held: Held,
    parameters: Vec<Parameter>,
    /// Places of the parameters that are held by anchors.
    anchored: Vec<usize>,
    origin: Point,
    /// Places among the parameters and columns of coefficients that are held.
    places: Vec<usize>,
    columns: Vec<usize>,
    /// For models whose offset does not change.
    setting: Option<Setting<'m>>,
    estimates: Vec<f64>,
    start: Vec<f64>,
    monitor: Monitor<'m>,
}

/// The criterion and its coordinates.
struct Setting<'m> {
    coordinates: HeldCoordinates,
    objective: GlmmObjective<'m>,
    /// From coefficients that are held to their coordinates.
    split: Option<Split>,
    anchors: Vec<Anchor>,
    /// All parameters at the estimates.
    start: Vec<f64>,
}

impl<'m> GeneralizedHold<'m> {
    pub fn new(
        model: &'m GeneralizedModel,
        held: &Held,
        parameters: &[Parameter],
        origin: &Origin,
        monitor: Monitor<'m>,
    ) -> Result<Self> {
        let (places, columns) = coefficients(parameters);
        let point = &origin.point;
        let estimates = estimates(model, point, parameters)?;
        let triangular = keeps_user_basis(model);
        let (held, anchored) = split(model.frame(), held, parameters, &estimates, triangular)?;
        let profiled = model.n_free_coefficients() == 0;
        let mut out = Self {
            model,
            held,
            parameters: parameters.to_vec(),
            anchored,
            origin: point.clone(),
            places,
            columns,
            setting: None,
            estimates,
            start: Vec::new(),
            monitor,
        };
        let start;
        if profiled && !out.columns.is_empty() {
            let beta: Vec<f64> = out.columns.iter().map(|&j| point.beta[j]).collect();
            let reduced = out.without_columns(&beta)?;
            let mut setting =
                Setting::new(&reduced, &out, &out.other_coefficients(), &[], &|_| Ok(()))?;
            let roles = setting.roles(&reduced, &out, &out.estimates)?;
            start = free(&setting.start, &roles);
            setting.start.clear();
        } else {
            let setting = Setting::new(model, &out, &point.beta, &out.columns, monitor)?;
            let roles = setting.roles(model, &out, &out.estimates)?;
            start = free(&setting.start, &roles);
            out.setting = Some(setting);
        }
        out.start = start;
        Ok(out)
    }

    fn other_coefficients(&self) -> Vec<f64> {
        let all = self.origin.beta.iter().enumerate();
        all.filter(|(j, _)| !self.columns.contains(j))
            .map(|(_, b)| *b)
            .collect()
    }

    /// The model with these coefficients in its offset.
    fn without_columns(&self, values: &[f64]) -> Result<GeneralizedModel> {
        let model = self.model;
        let (design, kept) = (&model.frame().design, &model.frame().fixed.kept);
        let others = (0..kept.len()).filter(|j| !self.columns.contains(j));
        let others: Vec<usize> = others.map(|j| kept[j]).collect();
        let mut offset = match &design.offset {
            Some(offset) => offset.clone(),
            None => vec![0.0; design.n_obs()],
        };
        for (&j, &value) in self.columns.iter().zip(values) {
            small::axpy(value, design.x.column(kept[j]), &mut offset);
        }
        GeneralizedModel::new(
            Predictors {
                x: picked(&design.x, &others),
                offset: Some(offset),
                ..Predictors::clone(design)
            },
            Arc::clone(&model.family),
            model.approximation,
            model.information,
        )
    }
}

fn free(all: &[f64], roles: &[Role]) -> Vec<f64> {
    let pairs = all.iter().zip(roles);
    pairs
        .filter(|(_, role)| **role == Role::Free)
        .map(|(v, _)| *v)
        .collect()
}

impl Hold for GeneralizedHold<'_> {
    fn estimates(&self) -> Vec<f64> {
        self.estimates.clone()
    }

    fn start(&self) -> Vec<f64> {
        self.start.clone()
    }

    /// Where random effects are large the approximation has minima of its own, and the one that is the lowest
    /// changes along a walk.
    fn is_doubtful(&self) -> bool {
        true
    }

    fn minimum(
        &mut self,
        values: &[f64],
        start: &[f64],
        effort: Effort,
    ) -> Result<Option<Constrained>> {
        if let Some(mut setting) = self.setting.take() {
            let found = setting.solve(self.model, self, values, (start, effort));
            self.setting = Some(setting);
            return found;
        }
        let held: Vec<f64> = self.places.iter().map(|&i| values[i]).collect();
        let reduced = self.without_columns(&held)?;
        let beta = self.other_coefficients();
        let mut setting = Setting::new(&reduced, self, &beta, &[], self.monitor)?;
        let Some(mut found) = setting.solve(&reduced, self, values, (start, effort))? else {
            return Ok(None);
        };
        let mut others = std::mem::take(&mut found.point.beta).into_iter();
        found.point.beta = (0..self.origin.beta.len())
            .filter_map(|j| match self.columns.iter().position(|&c| c == j) {
                Some(own) => Some(held[own]),
                None => others.next(),
            })
            .collect();
        Ok(Some(found))
    }
}

impl<'a> Setting<'a> {
    fn new(
        model: &'a GeneralizedModel,
        hold: &GeneralizedHold<'_>,
        beta: &[f64],
        columns: &[usize],
        monitor: Monitor<'a>,
    ) -> Result<Self> {
        let point = &hold.origin;
        let frame = model.frame();
        let coordinates = HeldCoordinates::new(frame, &hold.held, None, keeps_user_basis(model))?;
        let Search {
            mut parameters,
            mut start,
            gamma,
        } = Search::new(model, &start_values(point, beta.to_vec()))?;
        let theta = coordinates.enter(frame, &user_theta(model, &parameters, &start))?;
        start[..theta.len()].copy_from_slice(&theta);
        parameters.theta = coordinates.coordinates.clone().into();
        let split = match &mut parameters.fixed {
            Some(fixed) if !columns.is_empty() => Some(Split::of(model, fixed, columns, beta)),
            _ => None,
        };
        let mut objective = GlmmObjective::new(model, parameters, gamma, monitor)?;
        if let Some(eta) = &point.eta {
            objective.begin_at(eta, point.log_dispersion)?;
        }
        Ok(Self {
            anchors: anchors(&coordinates.coordinates, &hold.parameters, &hold.anchored),
            coordinates,
            objective,
            split,
            start,
        })
    }

    /// What becomes of every parameter at these values.
    fn roles(
        &self,
        model: &GeneralizedModel,
        hold: &GeneralizedHold<'_>,
        values: &[f64],
    ) -> Result<Vec<Role>> {
        let parameters = &self.objective.parameters;
        let mut roles = self.coordinates.roles.clone();
        roles.resize(parameters.dim(), Role::Free);
        for (i, (parameter, &value)) in hold.parameters.iter().zip(values).enumerate() {
            match *parameter {
                Parameter::Natural { .. } if hold.anchored.contains(&i) => {}
                Parameter::Natural { term, index } => {
                    let natural = (term, index, value);
                    let (at, role) = self
                        .coordinates
                        .natural_role(model.frame(), natural, None)?;
                    roles[at] = role;
                }
                Parameter::Dispersion => {
                    let place = dispersion(parameters)?;
                    let at = (value.ln() - place.origin) / place.unit;
                    roles[parameters.dispersion_at()] = Role::Held(at);
                }
                Parameter::Coefficient(_) => {}
                Parameter::Sigma => {
                    return Err(Error::Domain(
                        "a generalized model has no sigma to hold".into(),
                    ))
                }
            }
        }
        if let Some(split) = &self.split {
            let held: Vec<f64> = hold.places.iter().map(|&i| values[i]).collect();
            for (j, t) in split.coordinates(&held).into_iter().enumerate() {
                roles[parameters.fixed_at() + j] = Role::Held(t);
            }
        }
        Ok(roles)
    }

    fn solve(
        &mut self,
        model: &GeneralizedModel,
        hold: &GeneralizedHold<'_>,
        values: &[f64],
        (start, effort): (&[f64], Effort),
    ) -> Result<Option<Constrained>> {
        let roles = self.roles(model, hold, values)?;
        for (anchor, &i) in self.anchors.iter_mut().zip(&hold.anchored) {
            anchor.hold_at(values[i]);
        }
        let found = minimise_anchored(
            &mut self.objective,
            &roles,
            &mut self.anchors,
            start,
            effort,
        )?;
        let Some(found) = found else {
            return Ok(None);
        };
        let parameters = &self.objective.parameters;
        let mut slopes = vec![f64::NAN; values.len()];
        for (i, (parameter, &value)) in hold.parameters.iter().zip(values).enumerate() {
            let slope = &mut slopes[i];
            let anchor = hold.anchored.iter().position(|&own| own == i);
            match *parameter {
                Parameter::Natural { .. } if anchor.is_some() => {
                    *slope = anchor.map_or(f64::NAN, |own| self.anchors[own].slope());
                }
                Parameter::Natural { term, index } => {
                    let natural = (term, index, value);
                    let (at, _) = self
                        .coordinates
                        .natural_role(model.frame(), natural, None)?;
                    *slope = found.gradient[at]
                        * self.coordinates.natural_slope(natural, found.all[at])?;
                }
                Parameter::Dispersion => {
                    let unit = dispersion(parameters)?.unit;
                    *slope = found.gradient[parameters.dispersion_at()] / (unit * value);
                }
                Parameter::Coefficient(_) | Parameter::Sigma => {}
            }
        }
        if let Some(split) = &self.split {
            let first = parameters.fixed_at();
            let own = split.pull(&found.gradient[first..first + split.m()]);
            for (&i, slope) in hold.places.iter().zip(own) {
                slopes[i] = slope;
            }
        }
        let frame = model.frame();
        let point = Point {
            theta: self
                .coordinates
                .leave(frame, parameters.theta(&found.all))?,
            beta: frame.fixed.solve(self.objective.gamma().to_vec(), 1),
            log_dispersion: parameters.log_dispersion(&found.all),
            eta: None,
        };
        Ok(Some(Constrained {
            objective: found.value,
            slopes,
            free: found.free,
            point,
            converged: found.converged,
            singular: found.singular,
            evaluations: found.evaluations,
        }))
    }
}

fn dispersion(parameters: &ParameterVector) -> Result<AffineNumber> {
    parameters
        .dispersion
        .ok_or_else(|| Error::Domain("no dispersion is estimated".into()))
}

/// The parameters at a point.
fn estimates(
    model: &GeneralizedModel,
    point: &Point,
    parameters: &[Parameter],
) -> Result<Vec<f64>> {
    parameters
        .iter()
        .map(|parameter| match *parameter {
            Parameter::Natural { term, index } => {
                natural(model.frame(), &point.theta, (term, index), 1.0)
            }
            Parameter::Dispersion => Ok(point.log_dispersion.exp()),
            Parameter::Coefficient(j) => point
                .beta
                .get(j)
                .copied()
                .ok_or_else(|| Error::Domain(format!("there is no coefficient {j}"))),
            Parameter::Sigma => Err(Error::Domain(
                "a generalized model has no sigma to hold".into(),
            )),
        })
        .collect()
}
