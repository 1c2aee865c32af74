//! The class `Glmm`.

use std::sync::Arc;

use mixedmodels::family::{family, Family, Information};
use mixedmodels::fit::{Fit, GlmmEstimates, MixedModel, Point, StartValues, Task};
use mixedmodels::inference;
use mixedmodels::model::{Approximation, GeneralizedModel};
use mixedmodels::objective::Monitor;
use mixedmodels::Result;
use numpy::{PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arrays::{by_term, optional_vector, to_blocks, to_square, to_vector, vector};
use crate::costs;
use crate::held::{free_to_dict, held};
use crate::interrupt::{prepare, run, MANY_VALUES};
use crate::lmm::{find_optimizer, limits, n_values, put_outcome, Pair, TermTuple, SLOW};
use crate::predictors::predictors;
use crate::user_family::UserFamily;

/// A generalized linear mixed model, ready to be fitted. Immutable.
#[pyclass(frozen, module = "mixedmodels._engine")]
pub struct Glmm {
    pub(crate) model: Arc<GeneralizedModel>,
    pub(crate) spec: FamilySpec,
    /// The family of the model, where it is the user's.
    user: Option<Arc<UserFamily>>,
}

/// A family with its data, and once more where it is the user's.
type FamilyOfData = (Arc<dyn Family>, Option<Arc<UserFamily>>);

/// Family and link, without their data.
pub enum FamilySpec {
    Named {
        name: String,
        link: String,
        dispersion: Option<f64>,
    },
    User(Py<PyDict>),
}

impl FamilySpec {
    fn new(spec: &Bound<'_, PyDict>) -> PyResult<Self> {
        let item = |key: &str| {
            spec.get_item(key)?
                .ok_or_else(|| PyValueError::new_err(format!("the family has no '{key}'")))
        };
        let name: String = item("name")?.extract()?;
        if name == "user" {
            return Ok(Self::User(spec.clone().unbind()));
        }
        Ok(Self::Named {
            name,
            link: item("link")?.extract()?,
            dispersion: item("dispersion")?.extract()?,
        })
    }

    fn copy(&self, py: Python<'_>) -> Self {
        match self {
            Self::Named {
                name,
                link,
                dispersion,
            } => Self::Named {
                name: name.clone(),
                link: link.clone(),
                dispersion: *dispersion,
            },
            Self::User(spec) => Self::User(spec.clone_ref(py)),
        }
    }

    /// The family of these data.
    fn with_data(
        &self,
        py: Python<'_>,
        y: Vec<f64>,
        weights: Option<Vec<f64>>,
    ) -> PyResult<FamilyOfData> {
        match self {
            Self::Named {
                name,
                link,
                dispersion,
            } => {
                let (name, link, held) = (name.clone(), link.clone(), *dispersion);
                let family = prepare(py, y.len(), move || family(&name, &link, y, weights, held))?;
                Ok((Arc::from(family), None))
            }
            Self::User(spec) => {
                let user = UserFamily::new(spec.bind(py), y, weights)?;
                let family: Arc<dyn Family> = user.clone();
                Ok((family, Some(user)))
            }
        }
    }
}

fn information(name: &str) -> PyResult<Information> {
    match name {
        "observed" => Ok(Information::Observed),
        "expected" => Ok(Information::Expected),
        _ => Err(PyValueError::new_err(format!(
            "information must be 'observed' or 'expected', not '{name}'"
        ))),
    }
}

pub fn start_values(start: Option<&Bound<'_, PyDict>>) -> PyResult<StartValues> {
    let item = |key: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
        let value = start.map(|s| s.get_item(key)).transpose()?.flatten();
        Ok(value.filter(|v| !v.is_none()))
    };
    let values = |key: &str| -> PyResult<Option<Vec<f64>>> {
        let Some(value) = item(key)? else {
            return Ok(None);
        };
        let array: PyReadonlyArray1<'_, f64> = value.extract()?;
        Ok(Some(vector(&array)?))
    };
    Ok(StartValues {
        theta: values("theta")?,
        beta: values("beta")?,
        log_dispersion: item("log_dispersion")?.map(|v| v.extract()).transpose()?,
    })
}

fn point(
    theta: &PyReadonlyArray1<'_, f64>,
    beta: &PyReadonlyArray1<'_, f64>,
    log_dispersion: Option<f64>,
) -> PyResult<Point> {
    Ok(Point {
        theta: vector(theta)?,
        beta: vector(beta)?,
        log_dispersion: log_dispersion.unwrap_or(0.0),
        eta: None,
    })
}

impl Glmm {
    pub fn model(&self) -> Arc<GeneralizedModel> {
        Arc::clone(&self.model)
    }

    /// The family, where it is the user's.
    pub fn user(&self) -> Option<Arc<UserFamily>> {
        self.user.clone()
    }

    fn at<T: Send + 'static>(
        &self,
        py: Python<'_>,
        theta: &PyReadonlyArray1<'_, f64>,
        beta: &PyReadonlyArray1<'_, f64>,
        log_dispersion: Option<f64>,
        look: impl FnOnce(&GeneralizedModel, &Point, Monitor<'_>) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let point = point(theta, beta, log_dispersion)?;
        self.run(py, None, move |model, monitor| look(model, &point, monitor))
    }

    /// Engine work on the model. What a function of a user-defined family raised comes first: all
    /// else follows from it.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        py: Python<'_>,
        listener: Option<Py<PyAny>>,
        work: impl FnOnce(&GeneralizedModel, Monitor<'_>) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let model = Arc::clone(&self.model);
        let frame = model.frame();
        let slow = frame.flops() > SLOW || n_values(&frame.design) >= MANY_VALUES;
        let result = run(py, slow, listener, move |monitor| work(&model, monitor));
        match self.user.as_ref().and_then(|user| user.take_failure()) {
            Some(failure) => Err(failure),
            None => result,
        }
    }
}

#[pymethods]
impl Glmm {
    #[new]
    #[pyo3(signature = (y, x, terms, family, weights=None, offset=None, n_agq=1, information="observed"))]
    #[allow(clippy::needless_pass_by_value, clippy::too_many_arguments)]
    fn new(
        py: Python<'_>,
        y: PyReadonlyArray1<'_, f64>,
        x: PyReadonlyArray2<'_, f64>,
        terms: Vec<TermTuple<'_>>,
        family: &Bound<'_, PyDict>,
        weights: Option<PyReadonlyArray1<'_, f64>>,
        offset: Option<PyReadonlyArray1<'_, f64>>,
        n_agq: usize,
        information: &str,
    ) -> PyResult<Self> {
        let predictors = predictors(&x, &terms, None, offset.as_ref())?;
        let spec = FamilySpec::new(family)?;
        let (family, user) = spec.with_data(py, vector(&y)?, optional_vector(weights.as_ref())?)?;
        let information = self::information(information)?;
        let approximation = Approximation::of_points(n_agq);
        let model = prepare(py, n_values(&predictors), move || {
            GeneralizedModel::new(predictors, family, approximation, information)
        })?;
        Ok(Self {
            model: Arc::new(model),
            spec,
            user,
        })
    }

    /// The same model for another response.
    #[pyo3(signature = (y, weights=None))]
    #[allow(clippy::needless_pass_by_value)]
    fn with_response(
        &self,
        py: Python<'_>,
        y: PyReadonlyArray1<'_, f64>,
        weights: Option<PyReadonlyArray1<'_, f64>>,
    ) -> PyResult<Self> {
        let (family, user) =
            self.spec
                .with_data(py, vector(&y)?, optional_vector(weights.as_ref())?)?;
        let model = Arc::clone(&self.model);
        let values = n_values(&model.frame().design);
        let model = prepare(py, values, move || model.with_family(family))?;
        Ok(Self {
            model: Arc::new(model),
            spec: self.spec.copy(py),
            user,
        })
    }

    #[getter]
    fn kept<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        let kept = self.model.frame().fixed.kept.iter();
        to_vector(py, kept.map(|&j| j as i64).collect())
    }

    #[getter]
    fn rank(&self) -> usize {
        self.model.rank()
    }

    #[getter]
    fn n_theta(&self) -> usize {
        self.model.n_theta()
    }

    #[getter]
    fn n_dispersion(&self) -> usize {
        self.model.n_dispersion()
    }

    /// Memory of cross-products, factor and inverse.
    #[getter]
    fn n_bytes(&self) -> f64 {
        self.model.frame().costs.bytes().total()
    }

    fn describe_blocks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        costs::to_dict(py, &self.model.frame().costs)
    }

    #[pyo3(signature = (optimizer, start=None, control=None, held=None))]
    fn fit<'py>(
        &self,
        py: Python<'py>,
        optimizer: &str,
        start: Option<&Bound<'py, PyDict>>,
        control: Option<&Bound<'py, PyDict>>,
        held: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let optimizer = find_optimizer(optimizer)?;
        let start = start_values(start)?;
        let (control, listener) = limits(control)?;
        let held = self::held(held)?;
        let Fit {
            estimates,
            gradient,
            outcome,
            free,
            n_factorisations,
            theta: _,
        } = self.run(py, listener, move |model, monitor| {
            let task = Task {
                optimizer,
                start,
                held: held.as_ref(),
                control,
            };
            model.fit(&task, monitor)
        })?;
        let out = PyDict::new(py);
        if let Some(free) = free {
            out.set_item(intern!(py, "free"), free_to_dict(py, free)?)?;
        }
        self.put_estimates(&out, estimates)?;
        put_outcome(&out, &outcome)?;
        out.set_item(intern!(py, "gradient"), to_vector(py, gradient))?;
        out.set_item(intern!(py, "n_factorisations"), n_factorisations)?;
        Ok(out)
    }

    /// In the parameters that are free when these are held.
    #[pyo3(signature = (theta, beta, log_dispersion, held))]
    #[allow(clippy::needless_pass_by_value)]
    fn free_derivatives<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
        beta: PyReadonlyArray1<'_, f64>,
        log_dispersion: Option<f64>,
        held: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let held = self::held(Some(held))?.unwrap_or_default();
        let free = self.at(
            py,
            &theta,
            &beta,
            log_dispersion,
            move |model, point, monitor| model.free_derivatives(point, &held, monitor),
        )?;
        free_to_dict(py, free)
    }

    #[pyo3(signature = (theta, beta, log_dispersion=None))]
    #[allow(clippy::needless_pass_by_value)]
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
        beta: PyReadonlyArray1<'_, f64>,
        log_dispersion: Option<f64>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let estimates = self.at(
            py,
            &theta,
            &beta,
            log_dispersion,
            GeneralizedModel::evaluate,
        )?;
        let out = PyDict::new(py);
        self.put_estimates(&out, estimates)?;
        Ok(out)
    }

    #[pyo3(signature = (theta, beta, log_dispersion=None))]
    #[allow(clippy::needless_pass_by_value)]
    fn gradient<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
        beta: PyReadonlyArray1<'_, f64>,
        log_dispersion: Option<f64>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let gradient = self.at(
            py,
            &theta,
            &beta,
            log_dispersion,
            GeneralizedModel::gradient,
        )?;
        Ok(to_vector(py, gradient))
    }

    #[pyo3(signature = (theta, beta, log_dispersion=None, eta=None))]
    #[allow(clippy::needless_pass_by_value)]
    fn hessian<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
        beta: PyReadonlyArray1<'_, f64>,
        log_dispersion: Option<f64>,
        eta: Option<PyReadonlyArray1<'_, f64>>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let eta = optional_vector(eta.as_ref())?;
        let hessian = self.at(
            py,
            &theta,
            &beta,
            log_dispersion,
            move |model, point, monitor| {
                let point = Point {
                    eta,
                    ..point.clone()
                };
                model.hessian(&point, monitor)
            },
        )?;
        to_square(py, hessian)
    }

    /// The diagonal of the matrix that takes the working response to its fitted values, for these
    /// weights of the working regression.
    /// Leverages, and the part of the fixed effects in each.
    #[allow(clippy::needless_pass_by_value)]
    fn leverages<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
        weights: PyReadonlyArray1<'_, f64>,
    ) -> PyResult<Pair<'py>> {
        let (theta, weights) = (vector(&theta)?, vector(&weights)?);
        let found = self.run(py, None, move |model, _| {
            inference::working_leverages(model, &theta, &weights)
        })?;
        Ok((to_vector(py, found.total), to_vector(py, found.fixed)))
    }

    #[pyo3(signature = (theta, beta, log_dispersion=None))]
    #[allow(clippy::needless_pass_by_value)]
    fn conditional_variances<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
        beta: PyReadonlyArray1<'_, f64>,
        log_dispersion: Option<f64>,
    ) -> PyResult<Bound<'py, PyList>> {
        let blocks = self.at(
            py,
            &theta,
            &beta,
            log_dispersion,
            GeneralizedModel::conditional_variances,
        )?;
        let out = PyList::empty(py);
        for block in blocks {
            out.append((block.terms, to_blocks(py, block.values, block.width)?))?;
        }
        Ok(out)
    }
}

impl Glmm {
    fn put_estimates(&self, out: &Bound<'_, PyDict>, estimates: GlmmEstimates) -> PyResult<()> {
        let py = out.py();
        let Point {
            theta,
            beta,
            log_dispersion,
            eta: _,
        } = estimates.point;
        let dispersion = match &self.spec {
            FamilySpec::Named {
                dispersion: Some(held),
                ..
            } => *held,
            _ if self.model.n_dispersion() == 1 => log_dispersion.exp(),
            _ => f64::NAN,
        };
        let covariance = to_square(py, estimates.conditional_covariance)?;
        let terms = &self.model.frame().design.terms;
        out.set_item(intern!(py, "objective"), estimates.objective)?;
        out.set_item(intern!(py, "log_det_z"), estimates.log_det_z)?;
        out.set_item(intern!(py, "penalty"), estimates.penalty)?;
        out.set_item(intern!(py, "theta"), to_vector(py, theta))?;
        out.set_item(intern!(py, "beta"), to_vector(py, beta))?;
        out.set_item(intern!(py, "dispersion"), dispersion)?;
        out.set_item(intern!(py, "xtvx_inv"), covariance)?;
        out.set_item(intern!(py, "eta"), to_vector(py, estimates.eta))?;
        out.set_item(intern!(py, "b"), by_term(py, estimates.b, terms)?)?;
        out.set_item(intern!(py, "u"), by_term(py, estimates.u, terms)?)
    }
}
