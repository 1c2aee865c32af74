//! The parameters of a generalized model as one vector: theta, coefficients, log dispersion.
//!
//! For the optimizer coefficients and dispersion are written as `origin + map δ`, so that a unit of
//! each parameter matters about as much as a unit of theta.

use crate::parameters::TurningCoordinates;

/// An affine map of the coefficients in the basis of the engine: γ = origin + map δ.
#[derive(Debug, Clone)]
pub struct AffineVector {
    pub origin: Vec<f64>,
    /// p × p, column-major.
    pub map: Vec<f64>,
}

/// The same for one number.
#[derive(Debug, Clone, Copy)]
pub struct AffineNumber {
    pub origin: f64,
    pub unit: f64,
}

/// How a vector of parameters gives λ, γ and the dispersion.
#[derive(Debug, Clone)]
pub struct ParameterVector {
    pub theta: TurningCoordinates,
    /// `None` when the coefficients are profiled out.
    pub fixed: Option<AffineVector>,
    pub dispersion: Option<AffineNumber>,
}

impl AffineVector {
    /// δ = γ.
    #[must_use]
    pub fn identity(p: usize) -> Self {
        let mut map = vec![0.0; p * p];
        (0..p).for_each(|i| map[i + i * p] = 1.0);
        Self {
            origin: vec![0.0; p],
            map,
        }
    }

    #[must_use]
    pub fn dim(&self) -> usize {
        self.origin.len()
    }

    /// `map' v`, which turns a gradient in γ into one in δ.
    #[must_use]
    pub fn pull(&self, v: &[f64]) -> Vec<f64> {
        let columns = self.map.chunks_exact(self.dim().max(1));
        columns
            .map(|column| column.iter().zip(v).map(|(a, b)| a * b).sum())
            .collect()
    }

    fn gamma(&self, delta: &[f64]) -> Vec<f64> {
        let mut out = self.origin.clone();
        for (column, d) in self.map.chunks_exact(self.dim().max(1)).zip(delta) {
            out.iter_mut().zip(column).for_each(|(o, m)| *o += d * m);
        }
        out
    }
}

impl ParameterVector {
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dispersion_at() + usize::from(self.dispersion.is_some())
    }

    /// First coefficient.
    #[must_use]
    pub fn fixed_at(&self) -> usize {
        self.theta.dim
    }

    /// Where the dispersion stands, when there is one.
    #[must_use]
    pub fn dispersion_at(&self) -> usize {
        self.theta.dim + self.fixed.as_ref().map_or(0, AffineVector::dim)
    }

    #[must_use]
    pub fn theta<'v>(&self, values: &'v [f64]) -> &'v [f64] {
        &values[..self.theta.dim]
    }

    /// Coefficients in the basis of the engine.
    #[must_use]
    pub fn gamma(&self, values: &[f64]) -> Option<Vec<f64>> {
        let fixed = self.fixed.as_ref()?;
        Some(fixed.gamma(&values[self.fixed_at()..self.dispersion_at()]))
    }

    /// Logarithm of the dispersion; 0 without one.
    #[must_use]
    pub fn log_dispersion(&self, values: &[f64]) -> f64 {
        self.dispersion
            .map_or(0.0, |d| d.origin + d.unit * values[self.dispersion_at()])
    }
}
