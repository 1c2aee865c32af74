//! Variances of predictions.

use std::sync::Arc;

use mixedmodels::fit::Point;
use mixedmodels::inference::{self, NewRows, NewTerm};
use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::arrays::{columns, shared_rows, to_vector, vector};
use crate::glmm::Glmm;
use crate::interrupt::run;
use crate::lmm::Lmm;

/// Codes of the levels (the largest number for none) and rows of a term.
type NewTermTuple<'py> = (PyReadonlyArray1<'py, u32>, PyReadonlyArray2<'py, f64>);

fn new_rows(
    x: &PyReadonlyArray2<'_, f64>,
    terms: &[NewTermTuple<'_>],
    with_coefficients: bool,
) -> PyResult<NewRows> {
    let term = |(codes, z): &NewTermTuple<'_>| {
        Ok(NewTerm {
            codes: vector(codes)?,
            z: shared_rows(z)?.0.to_vec(),
        })
    };
    Ok(NewRows {
        x: columns(x)?,
        terms: terms.iter().map(term).collect::<PyResult<_>>()?,
        with_coefficients,
    })
}

/// Variances of the errors of predictions by a linear model at theta, relative to σ².
#[pyfunction]
#[allow(clippy::needless_pass_by_value)] // the form of PyO3
pub fn prediction_variances<'py>(
    py: Python<'py>,
    engine: PyRef<'py, Lmm>,
    theta: PyReadonlyArray1<'_, f64>,
    x: PyReadonlyArray2<'_, f64>,
    terms: Vec<NewTermTuple<'_>>,
    with_coefficients: bool,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let (theta, rows) = (vector(&theta)?, new_rows(&x, &terms, with_coefficients)?);
    let model = Arc::clone(&engine.model);
    let found = run(
        py,
        engine.slow() || rows.terms.len() > 1,
        None,
        move |monitor| inference::prediction_variances(&model, &theta, &rows, monitor),
    )?;
    Ok(to_vector(py, found))
}

/// The same for a generalized model at a point; `eta` is the linear predictor at the modes, where it is known.
#[pyfunction]
#[pyo3(signature = (engine, theta, beta, log_dispersion, eta, x, terms, with_coefficients))]
#[allow(clippy::needless_pass_by_value, clippy::too_many_arguments)] // the form of PyO3
pub fn generalized_prediction_variances<'py>(
    py: Python<'py>,
    engine: PyRef<'py, Glmm>,
    theta: PyReadonlyArray1<'_, f64>,
    beta: PyReadonlyArray1<'_, f64>,
    log_dispersion: f64,
    eta: Option<PyReadonlyArray1<'_, f64>>,
    x: PyReadonlyArray2<'_, f64>,
    terms: Vec<NewTermTuple<'_>>,
    with_coefficients: bool,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let point = Point {
        theta: vector(&theta)?,
        beta: vector(&beta)?,
        log_dispersion,
        eta: eta.as_ref().map(vector).transpose()?,
    };
    let rows = new_rows(&x, &terms, with_coefficients)?;
    let found = engine.run(py, None, move |model, monitor| {
        inference::generalized_prediction_variances(model, &point, &rows, monitor)
    })?;
    Ok(to_vector(py, found))
}
