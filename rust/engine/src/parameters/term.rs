//! Coordinates of one term.

use std::sync::Arc;

use crate::covariance::{theta_of_factor, Covariance, Freedom};
use crate::linalg::{dense, small, Matrix};
use crate::parameters::map::transformed;
use crate::parameters::motion::{TermMotion, TermMotionOf};

/// Eigenvalues of a covariance matrix below this share of the largest are zero up to rounding.
const NO_VARIANCE: f64 = 1e-15;

/// Those below this share belong to a singular matrix.
const SINGULAR: f64 = 1e-8;
/// Share that a direction keeps of its standard deviation in a start that has nearly lost it.
pub(super) const COLLAPSED: f64 = 0.01;

/// One term.
#[derive(Debug, Clone)]
pub struct TermCoordinates {
    pub k: usize,
    pub covariance: Arc<dyn Covariance>,
    /// First parameter.
    pub start: usize,
    pub n_parameters: usize,
    /// What the structure's λ is multiplied by to give λ̃; `None` for the identity.
    pub(super) map: Option<Vec<f64>>,
    /// How the parameters move λ̃, where that is the same everywhere.
    pub(super) steady: Option<Arc<TermMotion>>,
}

impl TermCoordinates {
    pub(super) fn new(
        covariance: Arc<dyn Covariance>,
        k: usize,
        start: usize,
        map: Option<Vec<f64>>,
    ) -> Self {
        let n_parameters = covariance.n_parameters(k);
        let entries = covariance.entries(k);
        Self {
            k,
            start,
            n_parameters,
            steady: entries.map(|e| Arc::new(TermMotion::linear(&e, map.as_deref(), k))),
            covariance,
            map,
        }
    }

    pub(super) fn own<'t>(&self, theta: &'t [f64]) -> &'t [f64] {
        &theta[self.start..self.start + self.n_parameters]
    }

    pub(super) fn lambda(&self, theta: &[f64]) -> Vec<f64> {
        let own = self.covariance.lambda(self.own(theta), self.k);
        transformed(self.map.as_deref(), own, self.k)
    }

    pub(super) fn motion(&self, theta: &[f64]) -> TermMotionOf<'_> {
        match &self.steady {
            Some(steady) => TermMotionOf::Steady(steady),
            None => {
                let (own, map) = (self.own(theta), self.map.as_deref());
                let here = TermMotion::curved(&*self.covariance, own, map, self.k);
                TermMotionOf::Here(Box::new(here))
            }
        }
    }

    /// Eigenvalues, ascending, and eigenvectors of the structure's covariance matrix.
    pub(super) fn spectrum(&self, theta: &[f64]) -> Option<(Vec<f64>, Matrix)> {
        let k = self.k;
        let lambda = self.covariance.lambda(self.own(theta), k);
        let mut sigma = vec![0.0; k * k];
        small::multiply_transposed(&lambda, &lambda, &mut sigma, k);
        dense::eigen(&Matrix::from_columns(k, k, sigma))
    }

    /// See [`Coordinates::opposite`]; and whether the covariance matrix is singular.
    pub(super) fn opposite(&self, theta: &[f64]) -> Option<(Vec<f64>, bool)> {
        let k = self.k;
        let (values, vectors) = self.spectrum(theta)?;
        let (smallest, largest) = (*values.first()?, *values.last()?);
        let leading = if largest > 0.0 { largest.sqrt() } else { 1.0 };
        let is_singular = smallest <= SINGULAR * largest;
        let mut factor = Vec::with_capacity(k * k);
        for j in 0..k {
            let size = match (is_singular, j + 1 == k) {
                (true, _) | (false, true) => leading,
                (false, false) => COLLAPSED * values[j].max(0.0).sqrt(),
            };
            factor.extend(vectors.column(j).iter().map(|v| size * v));
        }
        let collapsed = theta_of_factor(&*self.covariance, &factor, k);
        let own = match (is_singular, collapsed) {
            (_, Some(own)) => own,
            (true, None) => self.covariance.isotropic(leading, k),
            (false, None) => self.own(theta).to_vec(),
        };
        Some((own, is_singular))
    }

    /// Columns turned to the eigenvectors of the structure's covariance matrix, by decreasing eigenvalue,
    /// and the parameters there: a diagonal factor.
    pub(super) fn turned(&self, theta: &[f64]) -> Option<(Self, Vec<f64>)> {
        let k = self.k;
        if k == 1 || self.covariance.freedom() != Freedom::Linear {
            return None;
        }
        let (values, vectors) = self.spectrum(theta)?;
        let largest = *values.last()?;
        let (mut turn, mut diagonal) = (Vec::with_capacity(k * k), vec![0.0; k * k]);
        for (j, e) in (0..k).rev().enumerate() {
            turn.extend_from_slice(vectors.column(e));
            if values[e] > NO_VARIANCE * largest {
                diagonal[j + j * k] = values[e].sqrt();
            }
        }
        let own = theta_of_factor(&*self.covariance, &diagonal, k)?;
        let map = transformed(self.map.as_deref(), turn, k);
        let covariance = Arc::clone(&self.covariance);
        Some((Self::new(covariance, k, self.start, Some(map)), own))
    }
}
