//! The functions for profiles.

use std::sync::Arc;

use mixedmodels::fit::{Linear, Point};
use mixedmodels::model::{GeneralizedModel, Model};
use mixedmodels::parameters::Held;
use mixedmodels::profile::{Constrained, Curve, Goal, Origin, Parameter, Profiled, Side, Task};
use mixedmodels::{Error, Result};
use numpy::{PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arrays::{to_vector, vector};
use crate::glmm::Glmm;
use crate::held::held;
use crate::interrupt::{run_on_thread, Tell};
use crate::lmm::{criterion, Lmm};
use crate::user_family::UserFamily;

/// A model of either kind.
enum Either {
    Linear(Arc<Model>, bool),
    Generalized(Arc<GeneralizedModel>),
}

/// A model with what it holds, for work on another thread.
struct Subject {
    model: Either,
    held: Held,
    user: Option<Arc<UserFamily>>,
}

impl Subject {
    fn new(
        model: &Bound<'_, PyAny>,
        reml: bool,
        given: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let held = held(given)?.unwrap_or_default();
        if let Ok(linear) = model.cast::<Lmm>() {
            let model = Either::Linear(linear.get().model(), reml);
            return Ok(Self {
                model,
                held,
                user: None,
            });
        }
        let generalized = model.cast::<Glmm>()?.get();
        Ok(Self {
            model: Either::Generalized(generalized.model()),
            held,
            user: generalized.user(),
        })
    }

    fn profiled(&self) -> Profiled<'_> {
        match &self.model {
            Either::Linear(model, reml) => Profiled::Linear(
                Linear {
                    model,
                    criterion: criterion(*reml),
                },
                &self.held,
            ),
            Either::Generalized(model) => Profiled::Generalized(model, &self.held),
        }
    }

    /// Work on a thread of its own; what a function of a user-defined family raised comes first.
    fn run<T: Send + 'static>(
        self,
        py: Python<'_>,
        listener: Option<Py<PyAny>>,
        work: impl FnOnce(&Self, Tell<'_, (usize,)>) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let user = self.user.clone();
        let result = run_on_thread(py, listener, move |tell| work(&self, tell));
        match user.and_then(|user| user.take_failure()) {
            Some(failure) => Err(failure),
            None => result,
        }
    }
}

/// A parameter by its kind and place.
type ParameterTuple = (String, usize, usize);

fn parameter((kind, first, second): &ParameterTuple) -> PyResult<Parameter> {
    match kind.as_str() {
        "natural" => Ok(Parameter::Natural {
            term: *first,
            index: *second,
        }),
        "sigma" => Ok(Parameter::Sigma),
        "dispersion" => Ok(Parameter::Dispersion),
        "coefficient" => Ok(Parameter::Coefficient(*first)),
        _ => Err(PyValueError::new_err(format!(
            "unknown kind of parameter: '{kind}'"
        ))),
    }
}

fn point(given: &Bound<'_, PyDict>) -> PyResult<Point> {
    let item = |key: &str| {
        let value = given.get_item(key)?;
        value.ok_or_else(|| PyValueError::new_err(format!("the point has no '{key}'")))
    };
    let values = |key: &str| -> PyResult<Vec<f64>> {
        let array: PyReadonlyArray1<'_, f64> = item(key)?.extract()?;
        vector(&array)
    };
    let eta = match given.get_item("eta")? {
        Some(eta) if !eta.is_none() => Some(vector(&eta.extract()?)?),
        _ => None,
    };
    Ok(Point {
        theta: values("theta")?,
        beta: values("beta")?,
        log_dispersion: item("log_dispersion")?.extract()?,
        eta,
    })
}

fn origin(given: &Bound<'_, PyDict>) -> PyResult<Origin> {
    let objective = given.get_item("objective")?;
    Ok(Origin {
        point: point(given)?,
        objective: objective.map_or(Ok(f64::NAN), |v| v.extract())?,
        std_errors: Vec::new(),
    })
}

fn put_point(out: &Bound<'_, PyDict>, point: Point) -> PyResult<()> {
    let py = out.py();
    out.set_item("theta", to_vector(py, point.theta))?;
    out.set_item("beta", to_vector(py, point.beta))?;
    out.set_item("log_dispersion", point.log_dispersion)?;
    out.set_item("eta", point.eta.map(|eta| to_vector(py, eta)))
}

/// The minimum of the criterion near a point.
#[pyfunction]
#[pyo3(signature = (model, reml, near, held=None))]
pub fn profile_origin<'py>(
    py: Python<'py>,
    model: &Bound<'py, PyAny>,
    reml: bool,
    near: &Bound<'py, PyDict>,
    held: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    let subject = Subject::new(model, reml, held)?;
    let near = point(near)?;
    let found = subject.run(py, None, move |subject, tell| {
        subject.profiled().origin(&near, &|done| tell((done,)))
    })?;
    let out = PyDict::new(py);
    put_point(&out, found.point)?;
    out.set_item("objective", found.objective)?;
    out.set_item("std_errors", to_vector(py, found.std_errors))?;
    Ok(out)
}

/// Walks along parameters, given by kind and place, unit, and range. The listener is told how many of
/// them are done.
#[pyfunction]
#[pyo3(signature = (model, reml, origin, tasks, goals, held=None, listener=None))]
#[allow(clippy::needless_pass_by_value, clippy::too_many_arguments)] // the form of PyO3
pub fn profile_curves<'py>(
    py: Python<'py>,
    model: &Bound<'py, PyAny>,
    reml: bool,
    origin: &Bound<'py, PyDict>,
    tasks: Vec<(ParameterTuple, f64, (f64, f64))>,
    goals: Vec<(f64, bool)>,
    held: Option<&Bound<'py, PyDict>>,
    listener: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let subject = Subject::new(model, reml, held)?;
    let origin = self::origin(origin)?;
    let goals: Vec<Goal> = goals
        .into_iter()
        .map(|(zeta, exact)| Goal { zeta, exact })
        .collect();
    let tasks = tasks
        .iter()
        .map(|(given, unit, range)| {
            Ok(Task {
                parameter: parameter(given)?,
                unit: *unit,
                range: *range,
                goals: goals.clone(),
            })
        })
        .collect::<PyResult<Vec<_>>>()?;
    let curves = subject.run(py, listener, move |subject, tell| {
        subject
            .profiled()
            .curves(&tasks, &origin, &|done| tell((done,)))
    })?;
    let out = PyList::empty(py);
    for curve in curves {
        out.append(curve_to_dict(py, curve)?)?;
    }
    Ok(out)
}

fn curve_to_dict(py: Python<'_>, curve: Result<Curve>) -> PyResult<Bound<'_, PyDict>> {
    let out = PyDict::new(py);
    let curve = match curve {
        Ok(curve) => curve,
        Err(error @ Error::Internal(_)) => return Err(crate::errors::to_python(py, &error)),
        Err(error) => {
            out.set_item("error", error.to_string())?;
            return Ok(out);
        }
    };
    out.set_item("estimate", curve.estimate)?;
    out.set_item("ends", (curve.below.end.name(), curve.above.end.name()))?;
    let limits = |side: &Side| -> Vec<(f64, f64, &'static str)> {
        let own = side.limits.iter();
        own.map(|l| (l.goal, l.value, l.end.name())).collect()
    };
    out.set_item("below", limits(&curve.below))?;
    out.set_item("above", limits(&curve.above))?;
    let mut sides = [curve.below, curve.above];
    let better = sides.iter_mut().filter_map(|side| side.better.take());
    let best = better.min_by(|a, b| a.at.objective.total_cmp(&b.at.objective));
    if let Some(step) = best {
        let point = PyDict::new(py);
        put_point(&point, step.at.point)?;
        point.set_item("objective", step.at.objective)?;
        out.set_item("better", point)?;
    }
    let [below, above] = sides;
    let steps: Vec<_> = below.steps.into_iter().rev().chain(above.steps).collect();
    let values = steps.iter().map(|s| s.value).collect();
    out.set_item("values", to_vector(py, values))?;
    let zetas = steps.iter().map(|s| s.zeta).collect();
    out.set_item("zeta", to_vector(py, zetas))?;
    let found: Vec<_> = steps.into_iter().map(|s| Some(s.at)).collect();
    put_found(&out, &found)?;
    Ok(out)
}

/// Objectives, parameters and success of points, by rows; NaN where there is none.
fn put_found(out: &Bound<'_, PyDict>, found: &[Option<Constrained>]) -> PyResult<()> {
    let py = out.py();
    let numbers = |of: &dyn Fn(&Constrained) -> f64| -> Vec<f64> {
        let own = found.iter();
        own.map(|f| f.as_ref().map_or(f64::NAN, of)).collect()
    };
    let rows = |of: &dyn Fn(&Constrained) -> &[f64]| {
        let width = found.iter().flatten().map(|f| of(f).len()).max();
        let width = width.unwrap_or(0);
        let mut all = Vec::with_capacity(width * found.len());
        for row in found {
            match row {
                Some(f) => all.extend_from_slice(of(f)),
                None => all.resize(all.len() + width, f64::NAN),
            }
        }
        to_vector(py, all).reshape([found.len(), width])
    };
    out.set_item("objective", to_vector(py, numbers(&|f| f.objective)))?;
    out.set_item("theta", rows(&|f| &f.point.theta)?)?;
    out.set_item("beta", rows(&|f| &f.point.beta)?)?;
    let dispersions = numbers(&|f| f.point.log_dispersion);
    out.set_item("log_dispersion", to_vector(py, dispersions))?;
    let converged = found
        .iter()
        .map(|f| f.as_ref().is_some_and(|f| f.converged));
    out.set_item("converged", to_vector(py, converged.collect()))
}

/// Holds parameters at given values, going along each chain of them. The listener is told how many points
/// are done.
#[pyfunction]
#[pyo3(signature = (model, reml, origin, parameters, chains, held=None, listener=None))]
#[allow(clippy::needless_pass_by_value, clippy::too_many_arguments)] // the form of PyO3
pub fn profile_points<'py>(
    py: Python<'py>,
    model: &Bound<'py, PyAny>,
    reml: bool,
    origin: &Bound<'py, PyDict>,
    parameters: Vec<ParameterTuple>,
    chains: Vec<Vec<Vec<f64>>>,
    held: Option<&Bound<'py, PyDict>>,
    listener: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyList>> {
    let subject = Subject::new(model, reml, held)?;
    let origin = self::origin(origin)?;
    let parameters = parameters
        .iter()
        .map(parameter)
        .collect::<PyResult<Vec<_>>>()?;
    if chains.iter().flatten().any(|v| v.len() != parameters.len()) {
        return Err(PyValueError::new_err(
            "a point must have a value for each parameter",
        ));
    }
    let found = subject.run(py, listener, move |subject, tell| {
        subject
            .profiled()
            .chains(&parameters, &chains, &origin, &|done| tell((done,)))
    })?;
    let out = PyList::empty(py);
    for chain in found {
        let dict = PyDict::new(py);
        put_found(&dict, &chain)?;
        out.append(dict)?;
    }
    Ok(out)
}
