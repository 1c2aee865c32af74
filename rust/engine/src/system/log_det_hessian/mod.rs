//! Second derivatives of the log-determinants, by differentiating the elimination twice.
//!
//! The first derivatives of every reduced matrix are carried forward, one parameter at a time
//! ([`tangent`]). A second derivative is then a sum over the steps of the elimination: what the
//! step itself contributes along two directions, weighted by the adjoint of its outcome, which the
//! reverse recursion of [`super::selected`] gives. A step of a leading block is a matter of k × k
//! matrices ([`leading`]), the last step one of the dense trailing matrix ([`trailing`]). Nothing
//! divides by λ, so singular λ need no special case.

mod form;
mod leading;
mod sigma;
mod tangent;
mod trailing;

use crate::design::cross_products::CrossProducts;
use crate::design::structure::Structure;
use crate::error::Result;
use crate::linalg::{dense, small, Matrix};
use crate::system::level_pass::{Adjoint, Keep, LevelPass};
use crate::system::trailing::TrailingFactor;
use crate::system::{transform, Factor};

use tangent::Tangent;
use trailing::{LastStep, Response};

/// What the parameters move on a straight line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Along {
    Lambda,
    /// Σ = λλ'.
    Sigma,
}

/// How one parameter moves its block.
#[derive(Debug, Clone)]
pub struct Direction {
    pub block: usize,
    /// dλ, or dΣ (symmetric), width × width.
    pub d: Vec<f64>,
}

impl Direction {
    /// dΣ, which is dλ λ' + λ dλ' for a direction of λ.
    fn sigma(&self, along: Along, lambda: &[f64], k: usize) -> Vec<f64> {
        if along == Along::Sigma {
            return self.d.clone();
        }
        let mut half = vec![0.0; k * k];
        small::multiply_transposed(&self.d, lambda, &mut half, k);
        (0..k * k)
            .map(|e| half[e] + half[e / k + e % k * k])
            .collect()
    }
}

/// Hessian of log |Λ'Z'ZΛ + I|, and of log |X'V^-1X| with it when `joint`, along the directions and
/// then along straight moves of A. V is linear in Σ: along directions of Σ the entries are
/// -tr(P V_i P V_j), or with V^-1 for P. `tick` is called between the steps; its error ends the work.
/// `None` for a sparse trailing matrix.
pub fn log_det_hessian(
    factor: &mut Factor,
    a: &CrossProducts,
    structure: &Structure,
    (along, directions): (Along, &[Direction]),
    moves: Vec<CrossProducts>,
    joint: bool,
    tick: &dyn Fn() -> Result<()>,
) -> Result<Option<Matrix>> {
    let n = directions.len() + moves.len();
    if matches!(factor.trailing, TrailingFactor::Sparse(_)) {
        return Ok(None);
    }
    let mut out = Matrix::zeros(n, n, "the Hessian")?;
    let sigmas: Vec<Vec<f64>> = directions
        .iter()
        .map(|d| {
            d.sigma(
                along,
                &factor.lambda[d.block],
                structure.blocks[d.block].width,
            )
        })
        .collect();
    let mut tangents = Vec::with_capacity(n);
    for (direction, sigma) in directions.iter().zip(&sigmas) {
        tick()?;
        let moves_k = direction.block < structure.n_leading;
        let tangent = moves_k.then(|| Tangent::new(factor, a, structure, direction.block, sigma));
        tangents.push(tangent.transpose()?);
    }
    for moved in moves {
        tick()?;
        tangents.push(Some(Tangent::of_products(factor, a, structure, moved)?));
    }
    let dim = if joint {
        structure.trailing_dim()
    } else {
        structure.n_trailing
    };
    let mut inverse = match &mut factor.trailing {
        TrailingFactor::Dense(dense) => dense.inverse(dim)?,
        TrailingFactor::Sparse(_) => return Ok(None),
    };
    dense::symmetrise(&mut inverse);
    if dim > 0 {
        let response = directions
            .iter()
            .any(|d| d.block >= structure.n_leading)
            .then(|| Response::new(along, factor, a, structure, &inverse))
            .transpose()?;
        let last = LastStep {
            factor,
            structure,
            inverse: &inverse,
            response: response.as_ref(),
        };
        last.add(&mut out, directions, &mut tangents, tick)?;
    }
    transform::both_sides(&mut inverse, structure, &factor.lambda, false, false);
    let mut adjoints: Vec<Option<Adjoint>> = (0..structure.n_leading).map(|_| None).collect();
    for b in (0..structure.n_leading).rev() {
        tick()?;
        let (below, above) = adjoints.split_at_mut(b + 1);
        let pass = LevelPass {
            factor,
            a,
            structure,
            b,
            bar: &inverse,
            above,
        };
        let (w_sum, adjoint) = pass.run(Keep::for_finer(b))?;
        leading::add(&mut out, &pass, directions, &sigmas, &tangents)?;
        if along == Along::Lambda {
            leading::add_curvature(&mut out, &pass, &w_sum, directions);
        }
        below[b] = adjoint;
    }
    drop(adjoints);
    if let TrailingFactor::Dense(dense) = &mut factor.trailing {
        dense.give_back(inverse);
    }
    for j in 0..n {
        for i in 0..j {
            out[(j, i)] = out[(i, j)];
        }
    }
    Ok(Some(out))
}
