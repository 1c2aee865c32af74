//! Adaptive Gauss-Hermite quadrature for one grouping factor with k random effects a level
//! (Naylor & Smith 1982, Applied Statistics 31; Pinheiro & Chao 2006, J. Comp. Graph. Stat. 15).
//!
//! With `F_j(u) = -2 Σ l_i + |u|²` for the rows of level j, the mode u_j of F_j, and the scale
//! `M_j = I + λ'Z_j'W_jZ_jλ = L_j L_j'`, the likelihood of a level is integrated over u_j + L_j^-T z:
//!
//! ```text
//! -2 log-likelihood = Σ_j [ log|M_j| - 2 log Σ_m w_m exp(-(F_j(u_j + L_j^-T z_m) - |z_m|²) / 2) ]
//! ```
//!
//! The sums run over the product grid of a [`Rule`]; one node is the Laplace approximation. Each
//! node costs one pass over the rows, in which the sums that the gradient needs are formed too.
//! Blocks of rows without common levels ([`layout`]) are computed independently; they are short, and
//! the whole is quickest, where the rows are sorted by level.

mod adjoint;
mod layout;
mod modes;
mod rule;
mod sums;
#[cfg(test)]
mod tests;

use crate::error::{same_length, Error, Result};
use crate::family::{Density, Information};
use crate::linalg::threads;
use layout::Block;
use modes::Modes;
use rule::Grid;
use sums::Sums;

pub use rule::Rule;

/// Evaluations of row densities that are worth several threads.
const LARGE: usize = 1 << 17;

/// Everything about one parameter point that the quadrature needs.
#[derive(Clone, Copy)]
pub struct Point<'a> {
    pub density: &'a dyn Density,
    /// Which weights W define the scale.
    pub information: Information,
    pub has_dispersion: bool,
    /// Level of each row.
    pub codes: &'a [u32],
    pub n_levels: usize,
    /// n × k row-major.
    pub z: &'a [f64],
    pub k: usize,
    /// k × k column-major, of any rank.
    pub lambda: &'a [f64],
    /// The linear predictor without the random effects.
    pub fixed: &'a [f64],
    /// Conditional modes of the spherical effects, levels × k row-major: `λ'Z's(u) = u` there.
    /// Levels without rows add nothing, whatever is written here.
    pub u: &'a [f64],
}

/// The criterion at a point, with what the gradient reuses.
#[derive(Debug)]
pub struct Value {
    /// -2 log-likelihood.
    pub objective: f64,
    blocks: Vec<State>,
}

/// Derivatives of the criterion, with all that depends on the modes and on the scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient {
    /// With respect to every entry of λ, k × k column-major.
    pub lambda: Vec<f64>,
    /// With respect to the fixed part of each linear predictor.
    pub eta: Vec<f64>,
    /// With respect to the logarithm of the dispersion; 0 without one.
    pub dispersion: f64,
}

/// A block of rows and what is computed for it.
#[derive(Debug)]
struct State {
    block: Block,
    modes: Modes,
    sums: Sums,
}

/// The criterion. `None` where it cannot be computed: something is not finite, or the scale or the
/// curvature at the mode of some level is not positive definite.
pub fn value(rule: &Rule, point: &Point<'_>) -> Result<Option<Value>> {
    point.check()?;
    let grid = Grid::new(rule, point.k)?;
    let blocks = layout::blocks(point.codes, point.n_levels);
    let is_large = grid.len.saturating_mul(point.codes.len()) >= LARGE;
    let states = for_all(is_large, blocks, |block| {
        let modes = Modes::new(point, &block)?;
        let sums = Sums::new(point, &block, &modes, &grid)?;
        Some(State { block, modes, sums })
    });
    let Some(blocks) = states.into_iter().collect::<Option<Vec<State>>>() else {
        return Ok(None);
    };
    let objective = blocks
        .iter()
        .map(|state| state.modes.scale.log_det - 2.0 * state.sums.log_likelihood)
        .sum::<f64>();
    Ok(objective.is_finite().then_some(Value { objective, blocks }))
}

/// The gradient at the point of a value.
pub fn gradient(value: &Value, point: &Point<'_>) -> Result<Gradient> {
    point.check()?;
    let rows = value.blocks.last().map_or(0, |s| s.block.rows.end);
    same_length("codes", rows, point.codes.len())?;
    let is_large = rows >= LARGE;
    let states = value.blocks.iter().collect();
    let parts = for_all(is_large, states, |state: &State| {
        adjoint::gradient(point, state)
    });
    let mut total = Gradient {
        lambda: vec![0.0; point.k * point.k],
        eta: Vec::with_capacity(rows),
        dispersion: 0.0,
    };
    for part in parts {
        for (total, part) in total.lambda.iter_mut().zip(&part.lambda) {
            *total += part;
        }
        total.eta.extend_from_slice(&part.eta);
        total.dispersion += part.dispersion;
    }
    Ok(total)
}

impl Point<'_> {
    /// What indexing relies on.
    fn check(&self) -> Result<()> {
        let (n, k) = (self.codes.len(), self.k);
        if k == 0 {
            return Err(Error::Domain(
                "quadrature needs one random effect at least".to_owned(),
            ));
        }
        same_length("z", n * k, self.z.len())?;
        same_length("lambda", k * k, self.lambda.len())?;
        same_length("fixed", n, self.fixed.len())?;
        same_length("u", self.n_levels * k, self.u.len())?;
        let beyond = |&code: &u32| code as usize >= self.n_levels;
        match self.codes.iter().position(beyond) {
            Some(row) => Err(Error::Domain(format!(
                "row {row} has level {}, but there are {} levels",
                self.codes[row], self.n_levels
            ))),
            None => Ok(()),
        }
    }

    /// z of a row.
    fn z_of(&self, row: usize) -> &[f64] {
        &self.z[row * self.k..(row + 1) * self.k]
    }

    /// Modes of a level.
    fn u_of(&self, level: usize) -> &[f64] {
        &self.u[level * self.k..(level + 1) * self.k]
    }
}

/// The results for all items, in their order; side by side when the work is large.
fn for_all<T: Send, R: Send>(
    is_large: bool,
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync + Send,
) -> Vec<R> {
    if !is_large {
        return items.into_iter().map(work).collect();
    }
    let mut slots: Vec<(Option<T>, Option<R>)> =
        items.into_iter().map(|item| (Some(item), None)).collect();
    threads::for_each(&mut slots, |(item, result)| {
        *result = item.take().map(&work);
    });
    slots.into_iter().filter_map(|(_, result)| result).collect()
}
