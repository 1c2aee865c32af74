//! Refits of a model to many responses.

use std::sync::Arc;

use mixedmodels::design::Predictors;
use mixedmodels::family::{family, Family};
use mixedmodels::linalg::Matrix;
use mixedmodels::many::{self, ResponseFit};
use mixedmodels::{Error, Result};
use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{columns, optional_vector};
use crate::glmm::{start_values, FamilySpec, Glmm};
use crate::lmm::{criterion, Lmm};
use crate::many::to_dict;
use crate::search::Search;
use crate::user_family::UserFamily;

/// The results of many fits: one entry or row for each.
type Many<'py> = PyResult<Bound<'py, PyDict>>;

/// Makes a dictionary of the fits of a model with these predictors.
pub fn of_fits<'py>(
    py: Python<'py>,
    fits: &[Result<ResponseFit>],
    design: &Predictors,
) -> Many<'py> {
    to_dict(py, fits, design.x.cols(), design.n_theta())
}

/// Fits a linear model to each column of `responses` (n × m), from theta.
///
/// The listener among the limits is told the number of responses done.
#[pyfunction]
#[pyo3(signature = (model, responses, reml, optimizer, theta, control=None, held=None))]
#[allow(clippy::needless_pass_by_value, clippy::too_many_arguments)] // the form of PyO3
pub fn refit_linear<'py>(
    py: Python<'py>,
    model: &Lmm,
    responses: PyReadonlyArray2<'_, f64>,
    reml: bool,
    optimizer: &str,
    theta: PyReadonlyArray1<'_, f64>,
    control: Option<&Bound<'py, PyDict>>,
    held: Option<&Bound<'py, PyDict>>,
) -> Many<'py> {
    let responses = columns(&responses)?;
    let search = Search::from_theta(optimizer, &theta, control, held)?;
    let own = Arc::clone(&model.model);
    let fits = search.run(py, move |task, watch| {
        many::refit_many(&own, &responses, criterion(reml), task, watch)
    })?;
    of_fits(py, &fits, &model.model.design)
}

/// The same for a generalized model; of a binomial one the columns are numbers of successes.
#[pyfunction]
#[pyo3(signature = (model, responses, optimizer, start=None, weights=None, control=None, held=None))]
#[allow(clippy::needless_pass_by_value, clippy::too_many_arguments)]
pub fn refit_generalized<'py>(
    py: Python<'py>,
    model: &Glmm,
    responses: PyReadonlyArray2<'_, f64>,
    optimizer: &str,
    start: Option<&Bound<'py, PyDict>>,
    weights: Option<PyReadonlyArray1<'_, f64>>,
    control: Option<&Bound<'py, PyDict>>,
    held: Option<&Bound<'py, PyDict>>,
) -> Many<'py> {
    let responses = columns(&responses)?;
    let search = Search::new(optimizer, start_values(start)?, control, held)?;
    let weights = optional_vector(weights.as_ref())?;
    let data = |j: usize| of_column(&responses, weights.as_deref(), j);
    let m = responses.cols();
    let families = Arc::new(Families::new(py, &model.spec, m, data)?);
    let (own, shared) = (Arc::clone(&model.model), Arc::clone(&families));
    let fits = search.run(py, move |task, watch| {
        let family = |j: usize| shared.family(j, || of_column(&responses, weights.as_deref(), j));
        many::refit_generalized(&own, m, &family, task, watch)
    })?;
    of_fits(
        py,
        &families.with_failures(py, fits),
        &model.model.frame().design,
    )
}

type Data = (Vec<f64>, Option<Vec<f64>>);

fn of_column(responses: &Matrix, weights: Option<&[f64]>, j: usize) -> Data {
    (responses.column(j).to_vec(), weights.map(<[f64]>::to_vec))
}

/// The families of many data sets: those of the engine are made where they are needed, the user's before,
/// as they hold Python objects.
pub enum Families {
    Named {
        name: String,
        link: String,
        dispersion: Option<f64>,
    },
    User(Vec<Arc<UserFamily>>),
}

impl Families {
    /// For `m` data sets (a response with its weights each).
    pub fn new(
        py: Python<'_>,
        spec: &FamilySpec,
        m: usize,
        data: impl Fn(usize) -> Data,
    ) -> PyResult<Self> {
        Ok(match spec {
            FamilySpec::Named {
                name,
                link,
                dispersion,
            } => Self::Named {
                name: name.clone(),
                link: link.clone(),
                dispersion: *dispersion,
            },
            FamilySpec::User(spec) => {
                let own = |j| {
                    let (y, weights) = data(j);
                    UserFamily::new(spec.bind(py), y, weights)
                };
                Self::User((0..m).map(own).collect::<PyResult<_>>()?)
            }
        })
    }

    /// The family of a data set.
    pub fn family(&self, j: usize, data: impl FnOnce() -> Data) -> Result<Arc<dyn Family>> {
        match self {
            Self::Named {
                name,
                link,
                dispersion,
            } => {
                let (y, weights) = data();
                Ok(Arc::from(family(name, link, y, weights, *dispersion)?))
            }
            Self::User(all) => Ok(Arc::clone(&all[j]) as Arc<dyn Family>),
        }
    }

    /// The fits, with what a function of a user-defined family raised in the place of what came of it.
    pub fn with_failures(
        &self,
        py: Python<'_>,
        mut fits: Vec<Result<ResponseFit>>,
    ) -> Vec<Result<ResponseFit>> {
        if let Self::User(all) = self {
            for (fit, family) in fits.iter_mut().zip(all) {
                if let Some(failure) = family.take_failure() {
                    let value = failure.value(py);
                    let class = value.get_type().to_string();
                    *fit = Err(Error::Domain(format!("{class}: {value}")));
                }
            }
        }
        fits
    }
}
