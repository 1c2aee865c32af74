//! A family whose log-density and derivatives are Python functions.

use std::sync::{Arc, Mutex, PoisonError};

use mixedmodels::family::{Density, DispersionSlopes, Family, Information};
use numpy::{PyArray1, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PySlice};

use crate::arrays::to_vector;

/// Functions of (y, eta, weights) that return one number for each row.
#[derive(Debug)]
struct Functions {
    log_density: Py<PyAny>,
    score: Py<PyAny>,
    /// Minus the second derivative.
    information: Py<PyAny>,
    /// Derivative of the information.
    slope: Py<PyAny>,
    /// Of (y, weights): a linear predictor to start from.
    start: Option<Py<PyAny>>,
}

/// A response with such a family.
#[derive(Debug)]
pub struct UserFamily {
    functions: Functions,
    y: Py<PyArray1<f64>>,
    weights: Py<PyArray1<f64>>,
    n_obs: usize,
    /// The first exception that a function raised.
    failure: Mutex<Option<PyErr>>,
}

impl UserFamily {
    pub fn new(
        spec: &Bound<'_, PyDict>,
        y: Vec<f64>,
        weights: Option<Vec<f64>>,
    ) -> PyResult<Arc<Self>> {
        let py = spec.py();
        let function = |key: &str| -> PyResult<Py<PyAny>> {
            let found = spec.get_item(key)?.filter(PyAnyMethods::is_callable);
            found.map(Bound::unbind).ok_or_else(|| {
                PyValueError::new_err(format!("a user-defined family needs a function '{key}'"))
            })
        };
        let start = spec.get_item("start")?.filter(|f| !f.is_none());
        let n_obs = y.len();
        Ok(Arc::new(Self {
            functions: Functions {
                log_density: function("log_density")?,
                score: function("score")?,
                information: function("information")?,
                slope: function("slope")?,
                start: start.map(Bound::unbind),
            },
            weights: to_vector(py, weights.unwrap_or_else(|| vec![1.0; n_obs])).unbind(),
            y: to_vector(py, y).unbind(),
            n_obs,
            failure: Mutex::new(None),
        }))
    }

    /// The exception that a function raised, if any did.
    pub fn take_failure(&self) -> Option<PyErr> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take()
    }

    fn fail(&self, error: PyErr) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
    }

    /// Writes what a function gives for these rows; NaN after an exception.
    fn call(&self, function: &Py<PyAny>, first: usize, eta: &[f64], out: &mut [f64]) {
        let outcome = Python::attach(|py| -> PyResult<()> {
            let (from, to) = (first as isize, (first + eta.len()) as isize);
            let rows = PySlice::new(py, from, to, 1);
            let y = self.y.bind(py).as_any().get_item(&rows)?;
            let weights = self.weights.bind(py).as_any().get_item(&rows)?;
            let values = function.call1(py, (y, PyArray1::from_slice(py, eta), weights))?;
            copy(values.bind(py), out)
        });
        if let Err(error) = outcome {
            out.fill(f64::NAN);
            self.fail(error);
        }
    }
}

fn copy(values: &Bound<'_, PyAny>, out: &mut [f64]) -> PyResult<()> {
    let array = values
        .py()
        .import("numpy")?
        .call_method1("asarray", (values, "float64"))?;
    let array = array.cast_into::<PyArray1<f64>>().map_err(|_| {
        PyValueError::new_err("a function of a user-defined family must return a vector")
    })?;
    let array = array.readonly();
    let array = array.as_array();
    if array.len() != out.len() {
        return Err(PyValueError::new_err(format!(
            "a function of a user-defined family returned {} values for {} rows",
            array.len(),
            out.len()
        )));
    }
    out.iter_mut().zip(array).for_each(|(o, v)| *o = *v);
    Ok(())
}

impl Family for UserFamily {
    fn n_obs(&self) -> usize {
        self.n_obs
    }

    fn has_dispersion(&self) -> bool {
        false
    }

    /// There is only one information, the observed one.
    fn is_canonical(&self) -> bool {
        true
    }

    fn has_expected(&self) -> bool {
        false
    }

    fn start(&self) -> Vec<f64> {
        let mut eta = vec![0.0; self.n_obs];
        if let Some(start) = &self.functions.start {
            let outcome = Python::attach(|py| {
                let values = start.call1(py, (&self.y, &self.weights))?;
                copy(values.bind(py), &mut eta)
            });
            if let Err(error) = outcome {
                self.fail(error);
            }
        }
        eta
    }

    fn dispersion_start(&self, _: &[f64]) -> f64 {
        0.0
    }

    fn at(&self, _: f64) -> Box<dyn Density + '_> {
        Box::new(UserDensity(self))
    }
}

struct UserDensity<'a>(&'a UserFamily);

impl Density for UserDensity<'_> {
    fn scores(&self, first: usize, eta: &[f64], log_density: &mut [f64], score: &mut [f64]) {
        let functions = &self.0.functions;
        self.0.call(&functions.log_density, first, eta, log_density);
        self.0.call(&functions.score, first, eta, score);
        for l in log_density {
            if l.is_nan() {
                *l = f64::NEG_INFINITY;
            }
        }
    }

    fn working(&self, first: usize, eta: &[f64], score: &mut [f64], observed: &mut [f64]) -> f64 {
        let mut log_density = vec![0.0; eta.len()];
        self.scores(first, eta, &mut log_density, score);
        self.0
            .call(&self.0.functions.information, first, eta, observed);
        log_density.iter().sum()
    }

    fn expected(&self, first: usize, eta: &[f64], expected: &mut [f64]) {
        self.0
            .call(&self.0.functions.information, first, eta, expected);
    }

    fn information_slope(&self, _: Information, first: usize, eta: &[f64], slope: &mut [f64]) {
        self.0.call(&self.0.functions.slope, first, eta, slope);
    }

    fn dispersion_slopes(&self, _: Information, _: usize, _: &[f64], out: DispersionSlopes<'_>) {
        out.log_density.fill(0.0);
        out.score.fill(0.0);
        out.information.fill(0.0);
    }
}
