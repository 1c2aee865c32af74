//! Densities written for one row, applied to many.

use super::jet::Jet;
use super::{Density, DispersionSlopes, Information};

/// Derivatives with respect to the logarithm of the dispersion.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct DispersionSlope {
    pub log_density: f64,
    pub score: f64,
    pub observed: f64,
    pub expected: f64,
}

/// The log-density of a row as a function of its linear predictor.
pub(super) trait Row: Send + Sync {
    /// Log-density and derivatives; anything that is not finite outside the domain of the link.
    fn log_density(&self, row: usize, eta: f64) -> Jet;
    /// Expected information and its derivative.
    fn expected(&self, row: usize, eta: f64) -> [f64; 2];
    /// Derivatives with respect to the logarithm of the dispersion: none without one.
    fn dispersion(&self, _row: usize, _eta: f64) -> DispersionSlope {
        DispersionSlope::default()
    }
}

/// A density whose rows are taken one by one.
#[derive(Debug)]
pub(super) struct ByRow<R>(pub R);

impl<R: Row> ByRow<R> {
    fn jet(&self, row: usize, eta: f64) -> Jet {
        let jet = self.0.log_density(row, eta);
        if jet.is_finite() {
            jet
        } else {
            Jet::IMPOSSIBLE
        }
    }

    fn information(&self, row: usize, eta: f64) -> [f64; 2] {
        self.0.expected(row, eta).map(finite)
    }
}

fn finite(v: f64) -> f64 {
    if v.is_finite() {
        v
    } else {
        0.0
    }
}

impl<R: Row> Density for ByRow<R> {
    fn scores(&self, first: usize, eta: &[f64], log_density: &mut [f64], score: &mut [f64]) {
        for (i, ((&eta, l), s)) in eta.iter().zip(log_density).zip(score).enumerate() {
            let jet = self.jet(first + i, eta);
            (*l, *s) = (jet.value, jet.d1);
        }
    }

    fn working(&self, first: usize, eta: &[f64], score: &mut [f64], observed: &mut [f64]) -> f64 {
        let mut sum = 0.0;
        for (i, ((&eta, s), w)) in eta.iter().zip(score).zip(observed).enumerate() {
            let jet = self.jet(first + i, eta);
            (*s, *w) = (jet.d1, -jet.d2);
            sum += jet.value;
        }
        sum
    }

    fn expected(&self, first: usize, eta: &[f64], expected: &mut [f64]) {
        for (i, (&eta, w)) in eta.iter().zip(expected).enumerate() {
            *w = self.information(first + i, eta)[0];
        }
    }

    fn information_slope(
        &self,
        information: Information,
        first: usize,
        eta: &[f64],
        slope: &mut [f64],
    ) {
        for (i, (&eta, slope)) in eta.iter().zip(slope).enumerate() {
            *slope = match information {
                Information::Observed => -self.jet(first + i, eta).d3,
                Information::Expected => self.information(first + i, eta)[1],
            };
        }
    }

    fn dispersion_slopes(
        &self,
        information: Information,
        first: usize,
        eta: &[f64],
        out: DispersionSlopes<'_>,
    ) {
        for (i, &eta) in eta.iter().enumerate() {
            let slope = self.0.dispersion(first + i, eta);
            out.log_density[i] = finite(slope.log_density);
            out.score[i] = finite(slope.score);
            out.information[i] = finite(match information {
                Information::Observed => slope.observed,
                Information::Expected => slope.expected,
            });
        }
    }
}
