//! A linear model without sets of rows.

use std::sync::Arc;

use mixedmodels::many::{self, RowSets};
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{to_vector, vector};
use crate::errors::to_python;
use crate::interrupt::run_on_thread;
use crate::lmm::{criterion, limits, Lmm};
use crate::refits::of_fits;
use crate::search::Search;

/// Set j has the rows from `ranges[j]` to `ranges[j + 1]`.
fn sets(
    model: &Lmm,
    rows: &PyReadonlyArray1<'_, u32>,
    ranges: &PyReadonlyArray1<'_, i64>,
) -> PyResult<RowSets> {
    let bound = |&v: &i64| usize::try_from(v).unwrap_or(usize::MAX);
    let ranges = vector(ranges)?.iter().map(bound).collect();
    RowSets::new(vector(rows)?, ranges, model.model.design.n_obs())
        .map_err(|error| to_python(rows.py(), &error))
}

/// Fits a linear model without each set of rows, from theta.
///
/// The listener among the limits is told the number of sets done.
#[pyfunction]
#[pyo3(signature = (model, rows, ranges, reml, optimizer, theta, control=None, held=None))]
#[allow(clippy::needless_pass_by_value, clippy::too_many_arguments)] // the form of PyO3
pub fn delete_rows<'py>(
    py: Python<'py>,
    model: &Lmm,
    rows: PyReadonlyArray1<'_, u32>,
    ranges: PyReadonlyArray1<'_, i64>,
    reml: bool,
    optimizer: &str,
    theta: PyReadonlyArray1<'_, f64>,
    control: Option<&Bound<'py, PyDict>>,
    held: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    let sets = sets(model, &rows, &ranges)?;
    let search = Search::from_theta(optimizer, &theta, control, held)?;
    let own = Arc::clone(&model.model);
    let found = search.run(py, move |task, watch| {
        many::delete_rows(&own, &sets, criterion(reml), task, watch)
    })?;
    let p = model.model.design.x.cols();
    let mut covariance = Vec::with_capacity(found.len() * p * p);
    let mut fits = Vec::with_capacity(found.len());
    for found in found {
        match found {
            Ok(deletion) => {
                covariance.extend(deletion.covariance);
                fits.push(Ok(deletion.fit));
            }
            Err(error) => {
                covariance.resize(covariance.len() + p * p, f64::NAN);
                fits.push(Err(error));
            }
        }
    }
    let out = of_fits(py, &fits, &model.model.design)?;
    let covariance = PyArray1::from_vec(py, covariance).reshape([fits.len(), p, p])?;
    out.set_item("covariance", covariance)?;
    Ok(out)
}

/// The estimates without each set of rows at theta, for the kept columns of X.
///
/// The listener among the limits is told the number of sets done.
#[pyfunction]
#[pyo3(signature = (model, rows, ranges, reml, theta, control=None))]
#[allow(clippy::needless_pass_by_value)]
pub fn delete_given_theta<'py>(
    py: Python<'py>,
    model: &Lmm,
    rows: PyReadonlyArray1<'_, u32>,
    ranges: PyReadonlyArray1<'_, i64>,
    reml: bool,
    theta: PyReadonlyArray1<'_, f64>,
    control: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    let sets = sets(model, &rows, &ranges)?;
    let theta = vector(&theta)?;
    let (_, listener) = limits(control)?;
    let own = Arc::clone(&model.model);
    let (n, p) = (sets.len(), model.model.structure.rank);
    let found = run_on_thread(py, listener, move |tell| {
        let watch = |done: usize| tell((done,));
        many::delete_given_theta(&own, &sets, criterion(reml), &theta, &watch)
    })?;
    let out = PyDict::new(py);
    let beta = PyArray1::from_vec(py, found.beta).reshape([n, p])?;
    let covariance = PyArray1::from_vec(py, found.covariance).reshape([n, p, p])?;
    out.set_item("beta", beta)?;
    out.set_item("covariance", covariance)?;
    out.set_item("sigma", to_vector(py, found.sigma))?;
    out.set_item("objective", to_vector(py, found.objective))?;
    Ok(out)
}
