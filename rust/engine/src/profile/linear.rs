//! Linear models with parameters held.
//!
//! A coefficient is held by moving its column into the response: the cross-products of the other columns
//! stay, and those with the response are linear in the value.

use std::sync::Arc;

use super::anchor::{minimise_anchored, Anchor};
use super::hold::{
    along, anchors, coefficients, has_curved_terms, split, Constrained, Effort, Hold, Origin,
    Parameter,
};
use super::reduced::{natural, picked};
use crate::design::Predictors;
use crate::error::{Error, Result};
use crate::fit::{self, all_explained, Linear, MixedModel, Point, Setting, StartValues};
use crate::linalg::small;
use crate::model::{Frame, Model};
use crate::objective::{Criterion, Monitor};
use crate::optimize::Control;
use crate::parameters::{Held, Role};

/// The minimum of the criterion.
pub fn origin(
    model: Linear<'_>,
    held: &Held,
    near: &Point,
    monitor: Monitor<'_>,
) -> Result<Origin> {
    let task = fit::Task {
        start: StartValues {
            theta: Some(near.theta.clone()),
            ..StartValues::default()
        },
        held: (*held != Held::default()).then_some(held),
        control: Control {
            starts: Some(2),
            ..Control::UNLIMITED
        },
        ..fit::Task::default()
    };
    let fitted = model.fit(&task, monitor)?;
    let estimates = fitted.estimates;
    let covariance = &estimates.unscaled_covariance;
    Ok(Origin {
        std_errors: (0..covariance.rows())
            .map(|j| estimates.sigma * covariance[(j, j)].sqrt())
            .collect(),
        point: Point {
            theta: fitted.theta,
            beta: estimates.beta,
            log_dispersion: 2.0 * estimates.sigma.ln(),
            eta: None,
        },
        objective: estimates.objective,
    })
}

/// A model without the columns of the coefficients that are held.
struct Reduced {
    /// Of the response less what these columns explain at the estimates.
    base: Model,
    /// Of each of the columns.
    directions: Vec<Model>,
}

impl Reduced {
    fn new(model: &Model, columns: &[usize], beta: &[f64]) -> Result<Self> {
        let design = &model.design;
        let kept = &model.fixed.kept;
        let others = (0..kept.len()).filter(|j| !columns.contains(j));
        let others: Vec<usize> = others.map(|j| kept[j]).collect();
        let frame = Arc::new(Frame::new(Predictors {
            x: picked(&design.x, &others),
            ..Predictors::clone(design)
        })?);
        if frame.fixed.rank() != others.len() {
            return Err(Error::Domain(
                "without this column the others do not keep their rank".into(),
            ));
        }
        let mut base = model.raw_response();
        let mut directions = Vec::with_capacity(columns.len());
        for &j in columns {
            let column = design.x.column(kept[j]);
            small::axpy(-beta[j], column, &mut base);
            let mut direction = column.to_vec();
            if let Some(offset) = &design.offset {
                small::axpy(1.0, offset, &mut direction);
            }
            directions.push(Model::of_frame(Arc::clone(&frame), direction)?);
        }
        Ok(Self {
            base: Model::of_frame(frame, base)?,
            directions,
        })
    }

    fn at(&self, moves: &[f64]) -> Model {
        let along: Vec<_> = moves.iter().copied().zip(&self.directions).collect();
        self.base.moved(&along)
    }
}

/// A linear model with some parameters held.
pub struct LinearHold<'m> {
    linear: Linear<'m>,
    held: Held,
    parameters: Vec<Parameter>,
    /// Places of the parameters that are held by anchors.
    anchored: Vec<usize>,
    anchors: Vec<Anchor>,
    /// Places among the parameters and columns of coefficients that are held.
    places: Vec<usize>,
    columns: Vec<usize>,
    reduced: Option<Reduced>,
    /// For models whose response does not change.
    setting: Option<Setting<'m>>,
    estimates: Vec<f64>,
    beta: Vec<f64>,
    start: Vec<f64>,
    monitor: Monitor<'m>,
}

impl<'m> LinearHold<'m> {
    pub fn new(
        linear: Linear<'m>,
        held: &Held,
        parameters: &[Parameter],
        origin: &Origin,
        monitor: Monitor<'m>,
    ) -> Result<Self> {
        let Linear { model, criterion } = linear;
        let (places, columns) = coefficients(parameters);
        if !columns.is_empty() && criterion == Criterion::Reml {
            return Err(Error::Domain(
                "the REML criterion is not a function of the coefficients".into(),
            ));
        }
        let point = &origin.point;
        let sigma = (0.5 * point.log_dispersion).exp();
        let estimates = estimates(model, point, sigma, parameters)?;
        let (held, anchored) = split(model, held, parameters, &estimates, false)?;
        let reduced = if columns.is_empty() {
            None
        } else {
            Some(Reduced::new(model, &columns, &point.beta)?)
        };
        let begin = |setting: &Setting<'_>, model: &Model| -> Result<Vec<f64>> {
            let roles = roles(setting, model, (parameters, &anchored), &estimates)?;
            let all = setting.enter(model, &point.theta, sigma)?;
            let free = (0..all.len()).filter(|&i| roles[i] == Role::Free);
            Ok(free.map(|i| all[i]).collect())
        };
        let mut own_anchors = Vec::new();
        let mut found = |setting: &Setting<'_>| {
            own_anchors = anchors(&setting.held.coordinates, parameters, &anchored);
        };
        let (start, setting) = if let Some(reduced) = &reduced {
            let model = &reduced.base;
            let linear = Linear { model, criterion };
            (
                begin(&Setting::new(linear, &held, &|_| Ok(()))?, model)?,
                None,
            )
        } else {
            let setting = Setting::new(linear, &held, monitor)?;
            found(&setting);
            (begin(&setting, model)?, Some(setting))
        };
        Ok(Self {
            linear,
            held,
            parameters: parameters.to_vec(),
            anchored,
            anchors: own_anchors,
            places,
            columns,
            reduced,
            setting,
            estimates,
            beta: point.beta.clone(),
            start,
            monitor,
        })
    }
}

impl Hold for LinearHold<'_> {
    fn estimates(&self) -> Vec<f64> {
        self.estimates.clone()
    }

    fn start(&self) -> Vec<f64> {
        self.start.clone()
    }

    fn is_doubtful(&self) -> bool {
        has_curved_terms(self.linear.model)
    }

    fn minimum(
        &mut self,
        values: &[f64],
        start: &[f64],
        effort: Effort,
    ) -> Result<Option<Constrained>> {
        if let Some(setting) = &mut self.setting {
            let place = (self.linear.model, (&*self.parameters, &*self.anchored));
            let found = solve(setting, place, &mut self.anchors, values, (start, effort))?;
            return Ok(found.map(|(found, _)| found));
        }
        let Some(reduced) = &self.reduced else {
            return Ok(None);
        };
        let moves: Vec<f64> = self
            .places
            .iter()
            .zip(&self.columns)
            .map(|(&i, &j)| values[i] - self.beta[j])
            .collect();
        let model = reduced.at(&moves);
        let linear = Linear {
            model: &model,
            criterion: self.linear.criterion,
        };
        let mut setting = Setting::new(linear, &self.held, self.monitor)?;
        let place = (&model, (&*self.parameters, &*self.anchored));
        let found = solve(
            &mut setting,
            place,
            &mut self.anchors,
            values,
            (start, effort),
        )?;
        let Some((mut found, precision)) = found else {
            return Ok(None);
        };
        let solution = setting.objective.profiled.solution()?;
        for (&i, direction) in self.places.iter().zip(&reduced.directions) {
            let (d, y) = (&direction.response, &model.response);
            let own =
                small::dot(&d.values, &y.values) - direction.response_products.inner(&solution);
            found.slopes[i] = -2.0 * precision * d.scale / y.scale * own;
        }
        let mut others = std::mem::take(&mut found.point.beta).into_iter();
        found.point.beta = (0..self.beta.len())
            .filter_map(|j| match self.columns.iter().position(|&c| c == j) {
                Some(own) => Some(values[self.places[own]]),
                None => others.next(),
            })
            .collect();
        Ok(Some(found))
    }
}

/// Parameters, and the places of those that are held by anchors.
type Parameters<'p> = (&'p [Parameter], &'p [usize]);

/// The roles when the parameters have these values.
fn roles(
    setting: &Setting<'_>,
    model: &Model,
    (parameters, anchored): Parameters<'_>,
    values: &[f64],
) -> Result<Vec<Role>> {
    let mut roles = setting.roles.clone();
    let n = roles.len() - 1;
    let unit = model.response.scale;
    for (i, (parameter, &value)) in parameters.iter().zip(values).enumerate() {
        match *parameter {
            Parameter::Natural { .. } if anchored.contains(&i) => {}
            Parameter::Natural { term, index } => {
                let (at, role) =
                    setting
                        .held
                        .natural_role(model, (term, index, value), Some((n, unit)))?;
                roles[at] = role;
            }
            Parameter::Sigma => roles[n] = Role::Held((value / unit).ln()),
            Parameter::Coefficient(_) => {}
            Parameter::Dispersion => {
                return Err(Error::Domain("a linear model has sigma".into()));
            }
        }
    }
    Ok(roles)
}

/// The minimum, and 1/σ² there in the units of the engine.
fn solve(
    setting: &mut Setting<'_>,
    (model, parameters): (&Model, Parameters<'_>),
    anchors: &mut [Anchor],
    values: &[f64],
    (start, effort): (&[f64], Effort),
) -> Result<Option<(Constrained, f64)>> {
    let roles = roles(setting, model, parameters, values)?;
    for (anchor, &i) in anchors.iter_mut().zip(parameters.1) {
        anchor.hold_at(values[i]);
    }
    let found = minimise_anchored(&mut setting.objective, &roles, anchors, start, effort)?;
    let Some(found) = found else {
        return Ok(None);
    };
    let n = roles.len() - 1;
    let log_sigma = found.all[n];
    let mut slopes = Vec::with_capacity(values.len());
    for (i, (parameter, &value)) in parameters.0.iter().zip(values).enumerate() {
        let anchor = parameters.1.iter().position(|&own| own == i);
        slopes.push(match *parameter {
            Parameter::Natural { .. } if anchor.is_some() => {
                anchor.map_or(f64::NAN, |own| anchors[own].slope())
            }
            Parameter::Natural { term, index } => {
                let natural = (term, index, value);
                let (at, _) = setting.held.natural_role(model, natural, None)?;
                found.gradient[at] * setting.held.natural_slope(natural, found.all[at])?
            }
            Parameter::Sigma => along(&found, &roles, n) / value,
            Parameter::Coefficient(_) | Parameter::Dispersion => f64::NAN,
        });
    }
    let theta = setting.held.leave(model, &found.all[..n])?;
    let solution = setting.objective.profiled.solution()?;
    let point = Point {
        theta,
        beta: fit::coefficients(model, &all_explained(model, &solution)),
        log_dispersion: 2.0 * (log_sigma + model.response.scale.ln()),
        eta: None,
    };
    let constrained = Constrained {
        objective: found.value,
        slopes,
        free: found.free,
        point,
        converged: found.converged,
        singular: found.singular,
        evaluations: found.evaluations,
    };
    Ok(Some((constrained, (-2.0 * log_sigma).exp())))
}

/// The parameters at a point.
fn estimates(
    model: &Model,
    point: &Point,
    sigma: f64,
    parameters: &[Parameter],
) -> Result<Vec<f64>> {
    parameters
        .iter()
        .map(|parameter| match *parameter {
            Parameter::Natural { term, index } => {
                natural(model, &point.theta, (term, index), sigma)
            }
            Parameter::Sigma => Ok(sigma),
            Parameter::Coefficient(j) => point
                .beta
                .get(j)
                .copied()
                .ok_or_else(|| Error::Domain(format!("there is no coefficient {j}"))),
            Parameter::Dispersion => Err(Error::Domain("a linear model has sigma".into())),
        })
        .collect()
}
