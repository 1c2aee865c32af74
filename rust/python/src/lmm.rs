//! The class `Lmm`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mixedmodels::covariance::structure;
use mixedmodels::design::{Design, Predictors, Term};
use mixedmodels::fit::{Estimates, Fit, Linear, MixedModel, Point, StartValues, Task};
use mixedmodels::inference;
use mixedmodels::linalg::Matrix;
use mixedmodels::model::Model;
use mixedmodels::objective::{Criterion, Monitor};
use mixedmodels::optimize::{Control, Optimizer, Outcome, Status, OPTIMIZERS};
use numpy::{PyArray1, PyArray2, PyArray3, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arrays::{
    by_term, optional_vector, shared, shared_rows, to_blocks, to_rows, to_square, to_stack,
    to_vector, vector,
};
use crate::costs;
use crate::errors;
use crate::held::{free_to_dict, held};
use crate::interrupt::{prepare, run, MANY_VALUES};
use crate::predictors::predictors;

/// Above this many operations one evaluation may keep Ctrl-C waiting for too long.
pub const SLOW: f64 = 1e10;

pub type TermTuple<'py> = (
    PyReadonlyArray1<'py, u32>,
    usize,
    PyReadonlyArray2<'py, f64>,
    String,
    Option<Vec<f64>>,
);

/// Two vectors.
pub type Pair<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>);

/// A linear mixed model: data reduced to cross-products, ready to be fitted. Immutable.
#[pyclass(frozen, module = "mixedmodels._engine")]
pub struct Lmm {
    pub(crate) model: Arc<Model>,
}

pub fn criterion(reml: bool) -> Criterion {
    if reml {
        Criterion::Reml
    } else {
        Criterion::Ml
    }
}

/// The optimizer of this name.
pub fn find_optimizer(name: &str) -> PyResult<Optimizer> {
    let found = OPTIMIZERS.iter().find(|(known, _)| *known == name);
    found.map(|(_, optimizer)| *optimizer).ok_or_else(|| {
        let names: Vec<&str> = OPTIMIZERS.iter().map(|(name, _)| *name).collect();
        PyValueError::new_err(format!(
            "unknown optimizer '{name}'; choose one of {}",
            names.join(", ")
        ))
    })
}

/// Limits of a fit and the listener to its progress, from a dictionary whose keys may be missing
/// or None.
pub fn limits(control: Option<&Bound<'_, PyDict>>) -> PyResult<(Control, Option<Py<PyAny>>)> {
    let item = |key: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
        let value = control.map(|c| c.get_item(key)).transpose()?.flatten();
        Ok(value.filter(|v| !v.is_none()))
    };
    let max_time: Option<f64> = item("max_time")?.map(|v| v.extract()).transpose()?;
    // A time beyond what the clock can show is no limit.
    let end = |seconds| {
        let time = Duration::try_from_secs_f64(seconds).ok()?;
        Instant::now().checked_add(time)
    };
    let limits = Control {
        max_evaluations: item("max_evaluations")?.map(|v| v.extract()).transpose()?,
        tolerance: item("tolerance")?.map(|v| v.extract()).transpose()?,
        deadline: max_time.and_then(end),
        starts: item("starts")?.map(|v| v.extract()).transpose()?,
    };
    Ok((limits, item("progress")?.map(Bound::unbind)))
}

pub fn term(tuple: &TermTuple<'_>) -> PyResult<Term> {
    let (codes, n_levels, z, name, times) = tuple;
    let (z, k) = shared_rows(z)?;
    Ok(Term {
        codes: shared(codes)?,
        n_levels: *n_levels,
        z,
        k,
        covariance: structure(name, k, times.as_deref())
            .map_err(|error| errors::to_python(codes.py(), &error))?,
    })
}

/// How many values the model matrices hold.
pub fn n_values(predictors: &Predictors) -> usize {
    let columns = predictors.x.cols() + predictors.terms.iter().map(|t| t.k + 1).sum::<usize>();
    predictors.n_obs() * columns
}

fn linear(model: &Model, reml: bool) -> Linear<'_> {
    Linear {
        model,
        criterion: criterion(reml),
    }
}

/// A matrix of second derivatives at theta.
type Hessian = fn(Linear<'_>, &[f64], Monitor<'_>) -> mixedmodels::Result<Matrix>;

impl Lmm {
    pub fn model(&self) -> Arc<Model> {
        Arc::clone(&self.model)
    }

    fn second_derivatives<'py>(
        &self,
        py: Python<'py>,
        hessian: Hessian,
        theta: Vec<f64>,
        reml: bool,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let model = Arc::clone(&self.model);
        let slow = self.second_derivatives_are_slow();
        let matrix = run(py, slow, None, move |monitor| {
            hessian(linear(&model, reml), &theta, monitor)
        })?;
        to_square(py, matrix)
    }

    pub(crate) fn slow(&self) -> bool {
        self.model.flops() > SLOW || n_values(&self.model.design) >= MANY_VALUES
    }

    fn second_derivatives_are_slow(&self) -> bool {
        self.model.hessian_flops() > SLOW || self.slow()
    }
}

#[pymethods]
impl Lmm {
    #[new]
    #[pyo3(signature = (y, x, terms, weights=None, offset=None))]
    #[allow(clippy::needless_pass_by_value)] // the form in which PyO3 hands arguments over
    fn new(
        py: Python<'_>,
        y: PyReadonlyArray1<'_, f64>,
        x: PyReadonlyArray2<'_, f64>,
        terms: Vec<TermTuple<'_>>,
        weights: Option<PyReadonlyArray1<'_, f64>>,
        offset: Option<PyReadonlyArray1<'_, f64>>,
    ) -> PyResult<Self> {
        let predictors = predictors(&x, &terms, weights.as_ref(), offset.as_ref())?;
        let values = n_values(&predictors);
        let design = Design::join(vector(&y)?, predictors);
        let model = prepare(py, values, move || Model::new(design))?;
        Ok(Self {
            model: Arc::new(model),
        })
    }

    /// The same model for another response.
    #[allow(clippy::needless_pass_by_value)]
    fn with_response(&self, py: Python<'_>, y: PyReadonlyArray1<'_, f64>) -> PyResult<Self> {
        let (model, y) = (Arc::clone(&self.model), vector(&y)?);
        let values = n_values(&model.design);
        let model = prepare(py, values, move || model.with_response(y))?;
        Ok(Self {
            model: Arc::new(model),
        })
    }

    #[getter]
    fn kept<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        let kept = self.model.fixed.kept.iter();
        to_vector(py, kept.map(|&j| j as i64).collect())
    }

    #[getter]
    fn rank(&self) -> usize {
        self.model.structure.rank
    }

    #[getter]
    fn n_theta(&self) -> usize {
        self.model.n_theta()
    }

    /// Memory of cross-products, factor and inverse.
    #[getter]
    fn n_bytes(&self) -> f64 {
        self.model.costs.bytes().total()
    }

    fn describe_blocks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        costs::to_dict(py, &self.model.costs)
    }

    #[pyo3(signature = (reml, optimizer, start=None, control=None, held=None))]
    #[allow(clippy::needless_pass_by_value)]
    fn fit<'py>(
        &self,
        py: Python<'py>,
        reml: bool,
        optimizer: &str,
        start: Option<PyReadonlyArray1<'_, f64>>,
        control: Option<&Bound<'py, PyDict>>,
        held: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let optimizer = find_optimizer(optimizer)?;
        let start = StartValues {
            theta: optional_vector(start.as_ref())?,
            ..StartValues::default()
        };
        let (control, listener) = limits(control)?;
        let model = Arc::clone(&self.model);
        let held = self::held(held)?;
        let fitted = run(py, self.slow(), listener, move |monitor| {
            let task = Task {
                optimizer,
                start,
                held: held.as_ref(),
                control,
            };
            linear(&model, reml).fit(&task, monitor)
        })?;
        self.fit_to_dict(py, fitted)
    }

    #[allow(clippy::needless_pass_by_value)]
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
        reml: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (model, theta) = (Arc::clone(&self.model), vector(&theta)?);
        let estimates = run(py, self.slow(), None, move |monitor| {
            linear(&model, reml).evaluate(&Point::of_theta(&theta), monitor)
        })?;
        let out = PyDict::new(py);
        self.put_estimates(&out, estimates)?;
        Ok(out)
    }

    #[allow(clippy::needless_pass_by_value)]
    fn gradient<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
        reml: bool,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let (model, theta) = (Arc::clone(&self.model), vector(&theta)?);
        let gradient = run(py, self.slow(), None, move |monitor| {
            linear(&model, reml).gradient(&Point::of_theta(&theta), monitor)
        })?;
        Ok(to_vector(py, gradient))
    }

    #[allow(clippy::needless_pass_by_value)]
    fn hessian<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
        reml: bool,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let hessian: Hessian =
            |model, theta, monitor| model.hessian(&Point::of_theta(theta), monitor);
        self.second_derivatives(py, hessian, vector(&theta)?, reml)
    }

    /// In (theta, log sigma), with sigma not profiled.
    #[allow(clippy::needless_pass_by_value)]
    fn joint_hessian<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
        reml: bool,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let hessian: Hessian = |model, theta, monitor| model.joint_hessian(theta, monitor);
        self.second_derivatives(py, hessian, vector(&theta)?, reml)
    }

    /// In the parameters that are free when these are held, at theta and sigma.
    #[allow(clippy::needless_pass_by_value)]
    fn free_derivatives<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
        sigma: f64,
        reml: bool,
        held: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (model, theta) = (Arc::clone(&self.model), vector(&theta)?);
        let held = self::held(Some(held))?.unwrap_or_default();
        let slow = self.second_derivatives_are_slow();
        let free = run(py, slow, None, move |monitor| {
            let point = Point {
                theta,
                log_dispersion: 2.0 * sigma.ln(),
                ..Point::default()
            };
            linear(&model, reml).free_derivatives(&point, &held, monitor)
        })?;
        free_to_dict(py, free)
    }

    /// Derivatives of (X'V^-1X)^-1 with respect to theta.
    #[pyo3(signature = (theta, reml=false))]
    #[allow(clippy::needless_pass_by_value)]
    fn covariance_slopes<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
        reml: bool,
    ) -> PyResult<Bound<'py, PyArray3<f64>>> {
        // Relative to the residual variance, so the criterion does not matter.
        let _ = reml;
        let (model, theta) = (Arc::clone(&self.model), vector(&theta)?);
        let slopes = run(py, self.slow(), None, move |monitor| {
            inference::covariance_slopes(&model, &theta, monitor)
        })?;
        to_stack(py, slopes, self.rank())
    }

    #[allow(clippy::needless_pass_by_value)]
    fn kenward_roger<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (model, theta) = (Arc::clone(&self.model), vector(&theta)?);
        let slow = self.second_derivatives_are_slow();
        let parts = run(py, slow, None, move |monitor| {
            inference::kenward_roger(&model, &theta, monitor)
        })?;
        let out = PyDict::new(py);
        out.set_item(intern!(py, "adjusted"), to_square(py, parts.adjusted)?)?;
        out.set_item(intern!(py, "phi"), to_square(py, parts.unadjusted)?)?;
        out.set_item(intern!(py, "p"), to_stack(py, parts.slopes, self.rank())?)?;
        let w = to_square(py, parts.parameter_covariance)?;
        out.set_item(intern!(py, "w"), w)?;
        let undetermined = to_square(py, parts.undetermined)?;
        out.set_item(intern!(py, "undetermined"), undetermined)?;
        Ok(out)
    }

    /// The diagonal of the matrix that takes the response to the fitted values, theta held.
    /// Leverages, and the part of the fixed effects in each.
    #[allow(clippy::needless_pass_by_value)]
    fn leverages<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
    ) -> PyResult<Pair<'py>> {
        let (model, theta) = (Arc::clone(&self.model), vector(&theta)?);
        let found = run(py, self.slow(), None, move |monitor| {
            inference::leverages(&model, &theta, monitor)
        })?;
        Ok((to_vector(py, found.total), to_vector(py, found.fixed)))
    }

    /// The trace of that matrix, and what the estimation of theta adds to it as a matrix to multiply
    /// with the inverse of the Hessian.
    #[allow(clippy::needless_pass_by_value)]
    fn sensitivity<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
        reml: bool,
    ) -> PyResult<(f64, Bound<'py, PyArray2<f64>>)> {
        let (model, theta) = (Arc::clone(&self.model), vector(&theta)?);
        let found = run(py, self.slow(), None, move |monitor| {
            inference::sensitivity(&model, criterion(reml), &theta, monitor)
        })?;
        Ok((found.trace, to_square(py, found.by_theta)?))
    }

    #[allow(clippy::needless_pass_by_value)]
    fn conditional_variances<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
        reml: bool,
    ) -> PyResult<Bound<'py, PyList>> {
        // They are conditional on the coefficients, so the criterion does not matter.
        let _ = reml;
        let (model, theta) = (Arc::clone(&self.model), vector(&theta)?);
        let blocks = run(py, self.slow(), None, move |monitor| {
            linear(&model, false).conditional_variances(&Point::of_theta(&theta), monitor)
        })?;
        let out = PyList::empty(py);
        for block in blocks {
            out.append((block.terms, to_blocks(py, block.values, block.width)?))?;
        }
        Ok(out)
    }
}

impl Lmm {
    fn fit_to_dict<'py>(
        &self,
        py: Python<'py>,
        fitted: Fit<Estimates>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let out = PyDict::new(py);
        self.put_estimates(&out, fitted.estimates)?;
        put_outcome(&out, &fitted.outcome)?;
        out.set_item(intern!(py, "theta"), to_vector(py, fitted.theta))?;
        out.set_item(intern!(py, "gradient"), to_vector(py, fitted.gradient))?;
        if let Some(free) = fitted.free {
            out.set_item(intern!(py, "free"), free_to_dict(py, free)?)?;
        }
        Ok(out)
    }

    fn put_estimates(&self, out: &Bound<'_, PyDict>, estimates: Estimates) -> PyResult<()> {
        let py = out.py();
        let square = to_square(py, estimates.unscaled_covariance)?;
        let terms = &self.model.design.terms;
        out.set_item(intern!(py, "objective"), estimates.objective)?;
        out.set_item(intern!(py, "log_det_z"), estimates.log_det_z)?;
        out.set_item(intern!(py, "log_det_x"), estimates.log_det_x)?;
        out.set_item(intern!(py, "pwrss"), estimates.pwrss)?;
        out.set_item(intern!(py, "sigma"), estimates.sigma)?;
        out.set_item(intern!(py, "beta"), to_vector(py, estimates.beta))?;
        out.set_item(intern!(py, "xtvx_inv"), square)?;
        out.set_item(intern!(py, "fitted"), to_vector(py, estimates.fitted))?;
        out.set_item(intern!(py, "b"), by_term(py, estimates.b, terms)?)?;
        out.set_item(intern!(py, "u"), by_term(py, estimates.u, terms)?)
    }
}

/// How an optimisation ended, and its log.
pub fn put_outcome(out: &Bound<'_, PyDict>, outcome: &Outcome) -> PyResult<()> {
    let py = out.py();
    let log = &outcome.log;
    out.set_item(intern!(py, "status"), outcome.status.name())?;
    out.set_item(
        intern!(py, "converged"),
        outcome.status == Status::Converged,
    )?;
    out.set_item(intern!(py, "message"), outcome.status.message())?;
    out.set_item(intern!(py, "n_evaluations"), log.entries.len())?;
    out.set_item(intern!(py, "n_gradients"), log.n_gradients())?;
    let second_start = log.second_start;
    let entries = log.entries.iter();
    let thetas = entries.clone().flat_map(|e| e.theta.iter().copied());
    let objectives = entries.clone().map(|e| e.objective);
    let norms = entries.map(|e| e.gradient_norm.unwrap_or(f64::NAN));
    let log = PyDict::new(py);
    log.set_item(
        intern!(py, "theta"),
        to_rows(py, thetas.collect(), outcome.theta.len())?,
    )?;
    log.set_item(
        intern!(py, "objective"),
        to_vector(py, objectives.collect::<Vec<_>>()),
    )?;
    log.set_item(
        intern!(py, "gradient_norm"),
        to_vector(py, norms.collect::<Vec<_>>()),
    )?;
    log.set_item(intern!(py, "second_start"), second_start)?;
    out.set_item(intern!(py, "log"), log)
}
