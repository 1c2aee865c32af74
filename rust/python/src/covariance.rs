//! The class `Covariance`: what Python knows of a covariance structure.

use std::sync::Arc;

use mixedmodels::covariance::{along, structure, Covariance as Structure, Kind, NaturalParameter};
use mixedmodels::Error;
use numpy::{PyArray1, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::arrays::{to_rows, to_vector, vector};
use crate::errors::to_python;

/// Lower and upper bounds.
type Bounds<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>);

/// A covariance structure of k columns. Immutable.
#[pyclass(frozen, module = "mixedmodels._engine")]
pub struct Covariance {
    structure: Arc<dyn Structure>,
    k: usize,
    times: Option<Vec<f64>>,
}

impl Covariance {
    fn theta_of(&self, py: Python<'_>, theta: &PyReadonlyArray1<'_, f64>) -> PyResult<Vec<f64>> {
        let theta = vector(theta)?;
        self.same_length(
            py,
            "theta",
            self.structure.n_parameters(self.k),
            theta.len(),
        )?;
        Ok(theta)
    }

    fn same_length(
        &self,
        py: Python<'_>,
        what: &str,
        expected: usize,
        found: usize,
    ) -> PyResult<()> {
        if expected == found {
            return Ok(());
        }
        let what = format!("{what} of '{}'", self.structure.name());
        let error = Error::Length {
            what,
            expected,
            found,
        };
        Err(to_python(py, &error))
    }

    fn natural_parameters(&self) -> Vec<NaturalParameter> {
        self.structure.natural_parameters(self.k)
    }

    fn bounds<'py>(
        &self,
        py: Python<'py>,
        end: fn(&NaturalParameter) -> f64,
    ) -> Bound<'py, PyArray1<f64>> {
        to_vector(py, self.natural_parameters().iter().map(end).collect())
    }
}

#[pymethods]
#[allow(clippy::needless_pass_by_value)] // the form in which PyO3 hands arguments over
impl Covariance {
    #[new]
    #[pyo3(signature = (name, k, times=None))]
    fn new(py: Python<'_>, name: &str, k: usize, times: Option<Vec<f64>>) -> PyResult<Self> {
        let columns = if k == 0 {
            Err(Error::Domain(format!(
                "a '{name}' covariance has at least one column"
            )))
        } else {
            structure(name, k, times.as_deref())
        };
        let structure = columns.map_err(|error| to_python(py, &error))?;
        Ok(Self {
            structure,
            k,
            times,
        })
    }

    #[getter]
    fn name(&self) -> &'static str {
        self.structure.name()
    }

    #[getter]
    fn k(&self) -> usize {
        self.k
    }

    #[getter]
    fn times(&self) -> Option<Vec<f64>> {
        self.times.clone()
    }

    #[getter]
    fn n_parameters(&self) -> usize {
        self.structure.n_parameters(self.k)
    }

    /// Whether the covariance matrices are a linear space.
    #[getter]
    fn is_linear(&self) -> bool {
        self.structure.elements(self.k).is_some()
    }

    /// (kind, label, columns) of the natural parameters: standard deviations, then correlations.
    #[getter]
    fn parameters(&self) -> Vec<(&'static str, String, Vec<usize>)> {
        let own = self.natural_parameters().into_iter();
        own.map(|parameter| {
            let kind = match parameter.kind {
                Kind::StandardDeviation => "sd",
                Kind::Correlation => "cor",
            };
            (kind, parameter.label, parameter.columns)
        })
        .collect()
    }

    #[getter]
    fn lower<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.bounds(py, |parameter| parameter.bounds.0)
    }

    #[getter]
    fn upper<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.bounds(py, |parameter| parameter.bounds.1)
    }

    /// λ, k × k.
    fn relative_factor<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let lambda = self.structure.lambda(&self.theta_of(py, &theta)?, self.k);
        let k = self.k;
        let by_rows = (0..k * k).map(|e| lambda[e / k + e % k * k]);
        to_rows(py, by_rows.collect(), k)
    }

    fn natural<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let theta = self.theta_of(py, &theta)?;
        Ok(to_vector(py, self.structure.natural_values(&theta, self.k)))
    }

    /// Derivatives of the natural parameters (rows) with respect to theta.
    fn natural_slopes<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let theta = self.theta_of(py, &theta)?;
        let n = theta.len();
        let mut out = vec![0.0; n * n];
        for j in 0..n {
            let jets = self.structure.natural(&along(&theta, j, j), self.k);
            for (i, jet) in jets.iter().enumerate() {
                out[i * n + j] = jet.first;
            }
        }
        to_rows(py, out, n)
    }

    /// Theta at natural parameters.
    fn theta<'py>(
        &self,
        py: Python<'py>,
        natural: PyReadonlyArray1<'_, f64>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let natural = vector(&natural)?;
        let expected = self.structure.n_parameters(self.k);
        self.same_length(py, "natural parameters", expected, natural.len())?;
        let theta = self.structure.theta(&natural, self.k).ok_or_else(|| {
            let error = Error::Domain(format!(
                "no '{}' covariance matrix has these standard deviations and correlations",
                self.structure.name()
            ));
            to_python(py, &error)
        })?;
        Ok(to_vector(py, theta))
    }

    /// Derivatives of λ with respect to theta, n × k × k.
    fn factor_slopes<'py>(
        &self,
        py: Python<'py>,
        theta: PyReadonlyArray1<'_, f64>,
    ) -> PyResult<Bound<'py, PyArray3<f64>>> {
        let theta = self.theta_of(py, &theta)?;
        let (n, k) = (theta.len(), self.k);
        let mut out = Vec::with_capacity(n * k * k);
        for i in 0..n {
            let jets = self.structure.factor(&along(&theta, i, i), k);
            out.extend((0..k * k).map(|e| jets[e / k + e % k * k].first));
        }
        to_vector(py, out).reshape([n, k, k])
    }

    /// Places (row, column) of the parameters in λ, where they are its entries.
    #[getter]
    fn entries(&self) -> Option<Vec<(usize, usize)>> {
        self.structure.entries(self.k)
    }

    /// Places (row, column), row ≥ column, of the ones in each matrix of a basis of the covariance
    /// matrices, where these are a linear space.
    #[getter]
    fn elements(&self) -> Option<Vec<Vec<(usize, usize)>>> {
        let elements = self.structure.elements(self.k)?;
        Some(
            elements
                .into_iter()
                .map(|element| element.entries)
                .collect(),
        )
    }

    /// (parameters, value) about which the covariance is even in these parameters: where a natural
    /// parameter has a bound.
    #[getter]
    fn folds(&self) -> Vec<(Vec<usize>, f64)> {
        let folds = self.structure.folds(self.k).into_iter();
        folds.map(|fold| (fold.parameters, fold.at)).collect()
    }

    /// Bounds between which every covariance matrix has its theta.
    #[getter]
    fn theta_bounds<'py>(&self, py: Python<'py>) -> Bounds<'py> {
        let n = self.structure.n_parameters(self.k);
        let (mut lower, mut upper) = (vec![f64::NEG_INFINITY; n], vec![f64::INFINITY; n]);
        for fold in self.structure.folds(self.k) {
            let bound = if fold.side > 0.0 {
                &mut lower
            } else {
                &mut upper
            };
            bound[fold.parameters[0]] = fold.at;
        }
        (to_vector(py, lower), to_vector(py, upper))
    }

    /// Theta of a multiple of the identity (as nearly as the structure has one).
    fn isotropic<'py>(&self, py: Python<'py>, sd: f64) -> Bound<'py, PyArray1<f64>> {
        to_vector(py, self.structure.isotropic(sd, self.k))
    }
}
