//! Fits of samples of the rows of a model.

use std::sync::Arc;

use mixedmodels::many::{self, Sample};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{optional_vector, vector};
use crate::glmm::{start_values, Glmm};
use crate::lmm::{criterion, Lmm};
use crate::refits::{of_fits, Families};
use crate::search::Search;

/// Rows; and for each term the levels of these rows, and their number.
type SampleTuple<'py> = (
    PyReadonlyArray1<'py, u32>,
    Vec<PyReadonlyArray1<'py, u32>>,
    Vec<usize>,
);

fn samples(given: &[SampleTuple<'_>]) -> PyResult<Vec<Sample>> {
    let sample = |(rows, codes, n_levels): &SampleTuple<'_>| {
        Ok(Sample {
            rows: vector(rows)?,
            codes: codes.iter().map(vector).collect::<PyResult<_>>()?,
            n_levels: n_levels.clone(),
        })
    };
    given.iter().map(sample).collect()
}

/// Fits a linear model to each of these samples of its rows, from theta.
///
/// The listener among the limits is told the number of samples done.
#[pyfunction]
#[pyo3(signature = (model, rows, reml, optimizer, theta, control=None, held=None))]
#[allow(clippy::needless_pass_by_value, clippy::too_many_arguments)] // the form of PyO3
pub fn refit_linear_samples<'py>(
    py: Python<'py>,
    model: &Lmm,
    rows: Vec<SampleTuple<'_>>,
    reml: bool,
    optimizer: &str,
    theta: PyReadonlyArray1<'_, f64>,
    control: Option<&Bound<'py, PyDict>>,
    held: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    let samples = samples(&rows)?;
    let search = Search::from_theta(optimizer, &theta, control, held)?;
    let own = Arc::clone(&model.model);
    let fits = search.run(py, move |task, watch| {
        many::refit_samples(&own, &samples, criterion(reml), task, watch)
    })?;
    of_fits(py, &fits, &model.model.design)
}

/// The same for a generalized model with this response and these weights.
#[pyfunction]
#[pyo3(signature = (model, y, rows, optimizer, start=None, weights=None, control=None, held=None))]
#[allow(clippy::needless_pass_by_value, clippy::too_many_arguments)]
pub fn refit_generalized_samples<'py>(
    py: Python<'py>,
    model: &Glmm,
    y: PyReadonlyArray1<'_, f64>,
    rows: Vec<SampleTuple<'_>>,
    optimizer: &str,
    start: Option<&Bound<'py, PyDict>>,
    weights: Option<PyReadonlyArray1<'_, f64>>,
    control: Option<&Bound<'py, PyDict>>,
    held: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    let samples = samples(&rows)?;
    let search = Search::new(optimizer, start_values(start)?, control, held)?;
    let (y, weights) = (vector(&y)?, optional_vector(weights.as_ref())?);
    let n = y.len();
    let inside = |sample: &Sample| sample.rows.iter().all(|&i| (i as usize) < n);
    if !samples.iter().all(inside) {
        return Err(pyo3::exceptions::PyIndexError::new_err(format!(
            "a sample has a row beyond the {n} of the response"
        )));
    }
    let data = move |sample: &Sample| {
        let pick = |values: &[f64]| sample.rows.iter().map(|&i| values[i as usize]).collect();
        (pick(&y), weights.as_ref().map(|w| pick(w)))
    };
    let families = Families::new(py, &model.spec, samples.len(), |j| data(&samples[j]))?;
    let families = Arc::new(families);
    let (own, shared) = (Arc::clone(&model.model), Arc::clone(&families));
    let fits = search.run(py, move |task, watch| {
        let family = |j: usize| shared.family(j, || data(&samples[j]));
        many::refit_generalized_samples(&own, &samples, &family, task, watch)
    })?;
    of_fits(
        py,
        &families.with_failures(py, fits),
        &model.model.frame().design,
    )
}
