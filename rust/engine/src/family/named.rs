//! Families by name.

use super::dispersed::{Dispersed, Distribution, Response};
use super::mean_link::MeanLink;
use super::{
    beta, binomial, checks, gamma, gaussian, inverse_gaussian, lognormal, nbinom1, nbinom2,
    poisson, Family,
};
use crate::{Error, Result};

/// The families, for messages and for Python.
pub const FAMILIES: &[Named] = &[
    binomial::FAMILY,
    poisson::FAMILY,
    gaussian::FAMILY,
    gamma::FAMILY,
    inverse_gaussian::FAMILY,
    lognormal::FAMILY,
    nbinom2::FAMILY,
    nbinom1::FAMILY,
    beta::FAMILY,
];

/// A family as the table has it.
#[derive(Debug)]
pub struct Named {
    pub name: &'static str,
    /// The default first.
    pub links: &'static [&'static str],
    pub(super) build: fn(Given<'_>) -> Result<Box<dyn Family>>,
}

/// What a family is built from.
#[derive(Debug)]
pub(super) struct Given<'a> {
    pub family: &'a Named,
    pub link: &'a str,
    pub y: Vec<f64>,
    pub weights: Vec<f64>,
    pub dispersion: Option<f64>,
}

impl Given<'_> {
    pub fn mean_link(&self) -> Result<MeanLink> {
        MeanLink::named(self.link).ok_or_else(|| self.unknown_link())
    }

    pub fn unknown_link(&self) -> Error {
        unknown_link(self.family, self.link)
    }

    /// Refuses a dispersion held fixed, for families without one.
    pub fn without_dispersion(self) -> Result<Self> {
        match self.dispersion {
            None => Ok(self),
            Some(_) => Err(Error::Domain(format!(
                "family {:?} has no dispersion to hold fixed",
                self.family.name
            ))),
        }
    }

    /// The family of a distribution with a dispersion, estimated or held fixed.
    pub fn dispersed<D: Distribution + 'static>(self, distribution: D) -> Result<Box<dyn Family>> {
        checks::dispersion(self.dispersion)?;
        Ok(Box::new(Dispersed {
            response: Response {
                y: self.y,
                weights: self.weights,
            },
            distribution,
            fixed: self.dispersion.map(f64::ln),
        }))
    }
}

/// The family by its name and that of its link, e.g. `("binomial", "logit")`. For binomial, `y` is
/// the number of successes and `weights` the trials (1 where `None`). `Some(dispersion)` is held fixed.
pub fn family(
    name: &str,
    link: &str,
    y: Vec<f64>,
    weights: Option<Vec<f64>>,
    dispersion: Option<f64>,
) -> Result<Box<dyn Family>> {
    let family = FAMILIES
        .iter()
        .find(|known| known.name == name)
        .ok_or_else(|| unknown_family(name))?;
    if !family.links.contains(&link) {
        return Err(unknown_link(family, link));
    }
    let weights = checks::weights(y.len(), weights)?;
    (family.build)(Given {
        family,
        link,
        y,
        weights,
        dispersion,
    })
}

fn unknown_family(name: &str) -> Error {
    let known: Vec<_> = FAMILIES.iter().map(|known| known.name).collect();
    Error::Domain(format!(
        "unknown family {name:?}; known: {}",
        known.join(", ")
    ))
}

fn unknown_link(family: &Named, link: &str) -> Error {
    Error::Domain(format!(
        "unknown link {link:?} of family {:?}; known: {}",
        family.name,
        family.links.join(", ")
    ))
}
