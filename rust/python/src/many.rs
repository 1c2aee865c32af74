//! The function `fit_many`.

use mixedmodels::many::{self, ResponseFit};
use mixedmodels::Result;
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arrays::{columns, to_vector};
use crate::interrupt::run_on_thread;
use crate::lmm::{criterion, limits, TermTuple};
use crate::predictors::predictors;

/// Fits each column of `responses` (n × m) to one design; NaN marks rows to leave out.
///
/// The listener among the limits is told the number of responses done.
#[pyfunction]
#[pyo3(signature = (responses, x, terms, reml, weights=None, offset=None, control=None))]
#[allow(clippy::needless_pass_by_value, clippy::too_many_arguments)] // the form of PyO3
pub fn fit_many<'py>(
    py: Python<'py>,
    responses: PyReadonlyArray2<'_, f64>,
    x: PyReadonlyArray2<'_, f64>,
    terms: Vec<TermTuple<'_>>,
    reml: bool,
    weights: Option<PyReadonlyArray1<'_, f64>>,
    offset: Option<PyReadonlyArray1<'_, f64>>,
    control: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    let predictors = predictors(&x, &terms, weights.as_ref(), offset.as_ref())?;
    let responses = columns(&responses)?;
    let (control, listener) = limits(control)?;
    let p = predictors.x.cols();
    let n_theta = predictors
        .terms
        .iter()
        .map(|t| t.covariance.n_parameters(t.k))
        .sum();
    let fits = run_on_thread(py, listener, move |tell| {
        let watch = |done: usize| tell((done,));
        many::fit_many(&predictors, &responses, criterion(reml), &control, &watch)
    })?;
    to_dict(py, &fits, p, n_theta)
}

/// One entry or row for each response: NaN and a message where there is no fit.
pub fn to_dict<'py>(
    py: Python<'py>,
    fits: &[Result<ResponseFit>],
    p: usize,
    n_theta: usize,
) -> PyResult<Bound<'py, PyDict>> {
    let numbers = |of: &dyn Fn(&ResponseFit) -> f64| -> Vec<f64> {
        fits.iter()
            .map(|f| f.as_ref().map_or(f64::NAN, of))
            .collect()
    };
    let matrix = |of: &dyn Fn(&ResponseFit) -> &[f64], width: usize| {
        let mut out = Vec::with_capacity(fits.len() * width);
        for fit in fits {
            match fit {
                Ok(fit) => out.extend_from_slice(of(fit)),
                Err(_) => out.resize(out.len() + width, f64::NAN),
            }
        }
        PyArray1::from_vec(py, out).reshape([fits.len(), width])
    };
    let out = PyDict::new(py);
    out.set_item("theta", matrix(&|f| &f.theta, n_theta)?)?;
    out.set_item("beta", matrix(&|f| &f.beta, p)?)?;
    out.set_item("std_errors", matrix(&|f| &f.std_errors, p)?)?;
    out.set_item("sigma", to_vector(py, numbers(&|f| f.sigma)))?;
    out.set_item("objective", to_vector(py, numbers(&|f| f.objective)))?;
    let evaluations = fits.iter().map(|f| f.as_ref().map_or(0, |f| f.evaluations));
    out.set_item("n_evaluations", evaluations.collect::<Vec<_>>())?;
    let statuses = fits.iter().map(|fit| match fit {
        Ok(fit) => fit.status.name(),
        Err(_) => "failed",
    });
    out.set_item("status", PyList::new(py, statuses)?)?;
    let messages = fits.iter().map(|fit| match fit {
        Ok(fit) => fit.status.message().to_owned(),
        Err(error) => error.to_string(),
    });
    out.set_item("messages", PyList::new(py, messages)?)?;
    if fits.iter().flatten().any(|fit| fit.covariance.is_some()) {
        let mut all = Vec::with_capacity(fits.len() * p * p);
        for fit in fits {
            match fit.as_ref().ok().and_then(|fit| fit.covariance.as_ref()) {
                Some(own) => all.extend_from_slice(own),
                None => all.resize(all.len() + p * p, f64::NAN),
            }
        }
        let all = PyArray1::from_vec(py, all).reshape([fits.len(), p, p])?;
        out.set_item("covariance", all)?;
    }
    Ok(out)
}
