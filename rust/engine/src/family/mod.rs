//! Distributions of the response and links of their means: all that the engine knows of a response
//! that is not Gaussian with an identity link.

mod beta;
mod binomial;
mod blocks;
mod checks;
mod dispersed;
mod gamma;
mod gaussian;
mod inverse_gaussian;
mod jet;
mod lognormal;
mod mean_link;
mod named;
mod nbinom1;
mod nbinom2;
mod poisson;
mod rising;
mod rows;
mod special;

pub use named::{family, Named, FAMILIES};

/// Which information weighs the rows in the log-determinant of the Laplace approximation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Information {
    Observed,
    Expected,
}

/// A response with its distribution and link: all that the engine knows of them.
pub trait Family: std::fmt::Debug + Send + Sync {
    fn n_obs(&self) -> usize;

    /// Whether a dispersion parameter is estimated with the rest (its logarithm is the parameter).
    fn has_dispersion(&self) -> bool;

    /// Whether observed and expected information are the same (canonical links, and whatever else
    /// makes them equal).
    fn is_canonical(&self) -> bool;

    /// Whether the expected information has a formula (not so for NB1).
    fn has_expected(&self) -> bool;

    /// A linear predictor for each row from its response alone, well inside the domain of the link.
    fn start(&self) -> Vec<f64>;

    /// Where to start the logarithm of the dispersion, given a linear predictor (moment-like,
    /// finite, moderate).
    fn dispersion_start(&self, eta: &[f64]) -> f64;

    /// The densities at this logarithm of the dispersion (ignored without one); constants that
    /// depend on it alone are computed here.
    fn at(&self, log_dispersion: f64) -> Box<dyn Density + '_>;
}

/// Log-densities of the rows as functions of the linear predictor. `first` is the row of `eta[0]`;
/// the slices have one length. Outside the domain of the link, and where it overflows, the
/// log-density is -inf, and everything else 0.
pub trait Density: Send + Sync {
    /// l and dl/deta of every row.
    fn scores(&self, first: usize, eta: &[f64], log_density: &mut [f64], score: &mut [f64]);

    /// dl/deta and -d2l/deta2 of every row; the sum of the l (all constants included).
    fn working(&self, first: usize, eta: &[f64], score: &mut [f64], observed: &mut [f64]) -> f64;

    /// The expected information of every row: positive inside the domain, unless it underflows.
    fn expected(&self, first: usize, eta: &[f64], expected: &mut [f64]);

    /// d/deta of the information of this kind.
    fn information_slope(
        &self,
        information: Information,
        first: usize,
        eta: &[f64],
        slope: &mut [f64],
    );

    /// Derivatives with respect to the logarithm of the dispersion: of l, of the score, of the
    /// information of this kind. Only called when there is a dispersion.
    fn dispersion_slopes(
        &self,
        information: Information,
        first: usize,
        eta: &[f64],
        out: DispersionSlopes<'_>,
    );
}

/// Where [`Density::dispersion_slopes`] writes.
#[derive(Debug)]
pub struct DispersionSlopes<'a> {
    pub log_density: &'a mut [f64],
    pub score: &'a mut [f64],
    pub information: &'a mut [f64],
}
