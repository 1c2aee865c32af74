//! Distributions of the response and links of their means: all that the engine knows of a response
//! that is not Gaussian with an identity link.

mod binomial;
mod checks;
mod jet;
mod poisson;
mod rows;

use crate::{Error, Result};

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

/// Table for messages and for Python: names with their links, default link first.
pub const FAMILIES: &[(&str, &[&str])] = &[("binomial", &["logit"]), ("poisson", &["log"])];

/// The family by its name and that of its link, e.g. `("binomial", "logit")`. For binomial, `y` is
/// the number of successes and `weights` the trials (1 where `None`). `Some(dispersion)` is held fixed.
pub fn family(
    name: &str,
    link: &str,
    y: Vec<f64>,
    weights: Option<Vec<f64>>,
    dispersion: Option<f64>,
) -> Result<Box<dyn Family>> {
    check_names(name, link)?;
    if dispersion.is_some() {
        return Err(Error::Domain(format!(
            "family {name:?} has no dispersion to hold fixed"
        )));
    }
    let weights = checks::weights(y.len(), weights)?;
    match name {
        "binomial" => Ok(Box::new(binomial::Binomial::new(y, weights)?)),
        _ => Ok(Box::new(poisson::Poisson::new(y, weights)?)),
    }
}

fn check_names(name: &str, link: &str) -> Result<()> {
    let Some((_, links)) = FAMILIES.iter().find(|(known, _)| *known == name) else {
        let known: Vec<_> = FAMILIES.iter().map(|(known, _)| *known).collect();
        return Err(Error::Domain(format!(
            "unknown family {name:?}; known: {}",
            known.join(", ")
        )));
    };
    if links.contains(&link) {
        return Ok(());
    }
    Err(Error::Domain(format!(
        "unknown link {link:?} of family {name:?}; known: {}",
        links.join(", ")
    )))
}
