//! How far each fitted value follows its own observation.
//!
//! The fitted values of a (working) regression with weights W move with the response by H = I - W^-1P. With
//! L the factor of X'V^-1X, C = ΛM^-1Λ' and x̃_i = x_i - X'WZ C z_i,
//!
//! ```text
//! H_ii = w_i (z_i'C z_i + |L^-1 x̃_i|²)
//! ```
//!
//! The part of the fixed effects, (X(X'V^-1X)^-1X'V^-1)_ii, is `w_i (L^-1 x_i)'(L^-1 x̃_i)`; the rest is that of
//! the random effects (Demidenko & Stukel 2005).
//!
//! C is asked for only where A has entries, so that a row costs what it holds.

use crate::error::{Error, Result};
use crate::fit::{self, Linear};
use crate::inference::scaled_effects::unit_effects;
use crate::linalg::threads::MANY_ROWS;
use crate::linalg::{small, threads, Matrix};
use crate::model::generalized::PredictorRows;
use crate::model::{GeneralizedModel, Model};
use crate::objective::glmm::border::Border;
use crate::objective::{Criterion, Monitor};
use crate::parameters::Coordinates;
use crate::products::data_rows::DataRows;
use crate::products::stacked::Stacked;
use crate::products::structure::Structure;
use crate::system::WeightedSystem;

/// Rows that a thread takes at once.
const ROWS_AT_ONCE: usize = 4096;

/// The diagonal of H, and the part of it that is due to the fixed effects.
#[derive(Debug, Clone, PartialEq)]
pub struct Leverages {
    pub total: Vec<f64>,
    pub fixed: Vec<f64>,
}

/// The diagonal of H at theta.
///
/// # Errors
/// A theta of the wrong length, not finite, or where the system cannot be factorised; no memory.
pub fn leverages(model: &Model, theta: &[f64], monitor: Monitor<'_>) -> Result<Leverages> {
    let mut objective = Linear {
        model,
        criterion: Criterion::Ml,
    }
    .at(theta, monitor)?;
    let (structure, x) = (&model.structure, model.fixed.columns());
    let z = model.block_rows()?;
    let rows = DataRows::new(structure, &z, x, &model.cross_products)?;
    let system = objective.system()?;
    let mut h = vec![0.0; model.n_obs()];
    system.add_row_variances(&rows, &mut h)?;
    let effects = unit_effects(system, structure, system.fixed_factor().data())?;
    let shares = FixedShares {
        structure,
        z: &z,
        x,
        gamma: effects.fixed(structure),
        b: &effects,
    };
    let fixed = shares.add(&mut h);
    Ok(Leverages { total: h, fixed })
}

/// The same for the working regression of a generalized model with these weights of the rows; NaN where
/// they leave the coefficients without information.
///
/// # Errors
/// A theta or weights of the wrong length or not finite, weights that are negative; no memory.
pub fn working_leverages(
    model: &GeneralizedModel,
    theta: &[f64],
    weights: &[f64],
) -> Result<Leverages> {
    let PredictorRows { frame, z, .. } = &*model.rows;
    let structure = &frame.structure;
    fit::check_values("theta", theta, model.n_theta())?;
    if let Some(bad) = weights.iter().find(|w| !(**w >= 0.0 && w.is_finite())) {
        return Err(Error::Domain(format!(
            "the weights of the rows hold {bad}; they must be finite and not negative"
        )));
    }
    let coordinates = Coordinates::user(&frame.design.terms, &frame.terms);
    let lambda = coordinates.by_block(structure, &coordinates.lambda(theta));
    let mut system = WeightedSystem::new(frame, z)?;
    if !system.update(weights, &lambda)? {
        return Err(Error::Factorisation {
            theta: theta.to_vec(),
        });
    }
    let mut h = vec![0.0; model.n_obs()];
    system.row_variances(&mut h)?;
    let p = model.rank();
    let mut fixed = vec![0.0; h.len()];
    if p > 0 {
        let Some(border) = Border::new(&model.rows, &system, weights)? else {
            return Ok(Leverages {
                total: vec![f64::NAN; h.len()],
                fixed: vec![f64::NAN; h.len()],
            });
        };
        let (gamma, b) = border.scaled_effects();
        let shares = FixedShares {
            structure,
            z,
            x: frame.fixed.columns(),
            gamma: &gamma,
            b: &b,
        };
        fixed = shares.add(&mut h);
    }
    for values in [&mut h, &mut fixed] {
        values.iter_mut().zip(weights).for_each(|(h, w)| *h *= w);
    }
    Ok(Leverages { total: h, fixed })
}

/// Number of the first row; h and the shares of the fixed effects.
type Part<'a> = (usize, &'a mut [f64], &'a mut [f64]);

/// `|γ'x_i + b'z_i|²` of the rows, with m columns in γ and b.
struct FixedShares<'a> {
    structure: &'a Structure,
    z: &'a [Vec<f64>],
    x: &'a Matrix,
    /// Row-major.
    gamma: &'a [f64],
    b: &'a Stacked,
}

impl FixedShares<'_> {
    /// Adds them to h; returns the products of γ'x_i with the sums.
    fn add(&self, h: &mut [f64]) -> Vec<f64> {
        let mut fixed = vec![0.0; h.len()];
        let is_large = h.len() >= MANY_ROWS;
        let mut parts: Vec<Part<'_>> = h
            .chunks_mut(ROWS_AT_ONCE)
            .zip(fixed.chunks_mut(ROWS_AT_ONCE))
            .enumerate()
            .map(|(i, (h, fixed))| (i * ROWS_AT_ONCE, h, fixed))
            .collect();
        let work = |(first, h, fixed): &mut Part<'_>| self.add_part(*first, h, fixed);
        if is_large {
            threads::for_each(&mut parts, work);
        } else {
            parts.iter_mut().for_each(work);
        }
        fixed
    }

    fn add_part(&self, first: usize, h: &mut [f64], fixed: &mut [f64]) {
        let m = self.b.m;
        if m == 0 {
            return;
        }
        let mut sum = vec![0.0; m];
        let mut own = vec![0.0; m];
        for ((i, h), fixed) in (first..).zip(h).zip(fixed) {
            own.fill(0.0);
            for (j, gamma) in self.gamma.chunks_exact(m).enumerate() {
                small::axpy(self.x[(i, j)], gamma, &mut own);
            }
            sum.copy_from_slice(&own);
            for (at, (block, z)) in self.structure.blocks.iter().zip(self.z).enumerate() {
                let k = block.width;
                let b = self.b.block(self.structure, at);
                let b = &b[block.codes[i] as usize * k * m..][..k * m];
                for (z, b) in z[i * k..(i + 1) * k].iter().zip(b.chunks_exact(m)) {
                    small::axpy(*z, b, &mut sum);
                }
            }
            *h += small::dot(&sum, &sum);
            *fixed = small::dot(&own, &sum);
        }
    }
}
