//! Families by name.

use super::beta::Beta;
use super::binomial::{Binomial, ProbabilityLink};
use super::dispersed::{Dispersed, Distribution, Response};
use super::gamma::Gamma;
use super::gaussian::Gaussian;
use super::inverse_gaussian::InverseGaussian;
use super::mean_link::MeanLink;
use super::nbinom1::NegativeBinomial1;
use super::nbinom2::NegativeBinomial2;
use super::poisson::Poisson;
use super::{checks, Family};
use crate::{Error, Result};

/// Table for messages and for Python: names with their links, default link first.
pub const FAMILIES: &[(&str, &[&str])] = &[
    (
        "binomial",
        &["logit", "probit", "cloglog", "cauchit", "log"],
    ),
    ("poisson", &["log", "identity", "sqrt"]),
    ("gaussian", &["log", "inverse", "sqrt", "identity"]),
    ("gamma", &["log", "inverse", "identity"]),
    ("inverse_gaussian", &["log", "1/mu^2", "inverse"]),
    ("nbinom2", &["log", "sqrt", "identity"]),
    ("nbinom1", &["log"]),
    ("beta", &["logit"]),
];

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
    let weights = checks::weights(y.len(), weights)?;
    let unknown = || unknown_link(name, link);
    let probability_link = || ProbabilityLink::named(link).ok_or_else(unknown);
    let mean_link = || MeanLink::named(link).ok_or_else(unknown);
    if matches!(name, "binomial" | "poisson") && dispersion.is_some() {
        return Err(Error::Domain(format!(
            "family {name:?} has no dispersion to hold fixed"
        )));
    }
    match name {
        "binomial" => Ok(Box::new(Binomial::new(probability_link()?, y, weights)?)),
        "poisson" => Ok(Box::new(Poisson::new(mean_link()?, y, weights)?)),
        "gaussian" => dispersed(Gaussian::new(mean_link()?, &y)?, y, weights, dispersion),
        "gamma" => dispersed(Gamma::new(mean_link()?, &y)?, y, weights, dispersion),
        "inverse_gaussian" => {
            let distribution = InverseGaussian::new(mean_link()?, &y)?;
            dispersed(distribution, y, weights, dispersion)
        }
        "nbinom2" => {
            let distribution = NegativeBinomial2::new(mean_link()?, &y)?;
            dispersed(distribution, y, weights, dispersion)
        }
        "nbinom1" => dispersed(NegativeBinomial1::new(&y)?, y, weights, dispersion),
        "beta" => dispersed(Beta::new(&y)?, y, weights, dispersion),
        _ => Err(unknown_family(name)),
    }
}

fn dispersed<D: Distribution + 'static>(
    distribution: D,
    y: Vec<f64>,
    weights: Vec<f64>,
    dispersion: Option<f64>,
) -> Result<Box<dyn Family>> {
    checks::dispersion(dispersion)?;
    Ok(Box::new(Dispersed {
        response: Response { y, weights },
        distribution,
        fixed: dispersion.map(f64::ln),
    }))
}

fn check_names(name: &str, link: &str) -> Result<()> {
    let Some((_, links)) = FAMILIES.iter().find(|(known, _)| *known == name) else {
        return Err(unknown_family(name));
    };
    if links.contains(&link) {
        Ok(())
    } else {
        Err(unknown_link(name, link))
    }
}

fn unknown_family(name: &str) -> Error {
    let known: Vec<_> = FAMILIES.iter().map(|(known, _)| *known).collect();
    Error::Domain(format!(
        "unknown family {name:?}; known: {}",
        known.join(", ")
    ))
}

fn unknown_link(name: &str, link: &str) -> Error {
    let families = FAMILIES.iter().filter(|(known, _)| *known == name);
    let known: Vec<_> = families
        .flat_map(|(_, links)| links.iter().copied())
        .collect();
    Error::Domain(format!(
        "unknown link {link:?} of family {name:?}; known: {}",
        known.join(", ")
    ))
}
