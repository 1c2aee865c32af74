//! Second derivatives along directions of λ or Σ and moves of A.
//!
//! The elimination is differentiated along directions of λ. With D_i = E_i λ'^-1 / 2 a straight line in Σ
//! along E_i begins like one in λ along D_i, and leaves it by dΣ = D_i D_j' + D_j D_i':
//!
//! ```text
//! along Σ = along λ - 2 tr(D_j'W D_i),    W = Σ_v W_vv of the block
//! ```

use super::panels::assemble;
use super::{products, scaling, SparseFactor, Supernodal};
use crate::error::Result;
use crate::linalg::supernodal::Move;
use crate::linalg::{memory, small, Matrix};
use crate::products::cross_products::CrossProducts;
use crate::system::complement::resolved_inverse;
use crate::system::{Along, Direction, Elimination, System};

/// See [`System::log_det_hessian`]. `None` also along Σ where λ is too near to singular to be inverted.
pub fn log_det_hessian(
    system: &mut Supernodal<'_>,
    (along, directions): (Along, &[Direction]),
    moves: &[CrossProducts],
    joint: bool,
    tick: &dyn Fn() -> Result<()>,
) -> Result<Option<Matrix>> {
    let Some(directions) = along_lambda(system, along, directions) else {
        return Ok(None);
    };
    let count = directions.len() + moves.len();
    if !memory::suffices(Move::bytes(system.factor.factor.analysis(), count)) {
        return Ok(None);
    }
    let mut all = Vec::with_capacity(count);
    for direction in &directions {
        all.push(new_move(system, Some(direction))?);
    }
    for a in moves {
        let mut own = new_move(system, None)?;
        assemble(products(a), own.entries());
        all.push(own);
    }
    tick()?;
    let Elimination {
        a,
        lambda,
        factor: SparseFactor { pattern, factor },
        ..
    } = &mut *system;
    // Once more, to keep K as it is before each elimination.
    assemble(products(a), factor.entries());
    let scaling = scaling(pattern, lambda);
    factor.factorise(&scaling, true)?;
    let mut out = factor.log_det_hessian(&scaling, joint, &mut all, tick)?;
    if along == Along::Sigma {
        subtract_bend(&mut out, &system.w_sums(joint)?, &directions);
    }
    Ok(Some(out))
}

/// As directions of λ; `None` where a λ cannot be inverted.
fn along_lambda(
    system: &Supernodal<'_>,
    along: Along,
    directions: &[Direction],
) -> Option<Vec<Direction>> {
    if along == Along::Lambda {
        return Some(directions.to_vec());
    }
    let of_sigma = |direction: &Direction| {
        let block = &system.structure.blocks[direction.block];
        let mut inverse = resolved_inverse(&system.lambda[direction.block], block)?;
        inverse.iter_mut().for_each(|v| *v *= 0.5);
        let mut d = vec![0.0; inverse.len()];
        small::multiply_transposed(&direction.d, &inverse, &mut d, block.width);
        Some(Direction {
            block: direction.block,
            d,
        })
    };
    directions.iter().map(of_sigma).collect()
}

fn new_move(system: &Supernodal<'_>, direction: Option<&Direction>) -> Result<Move> {
    let SparseFactor { pattern, factor } = &system.factor;
    let blocks = system.structure.blocks.iter().enumerate();
    let lambda = blocks.map(|(b, block)| match direction {
        Some(direction) if direction.block == b => direction.d.clone(),
        _ => vec![0.0; block.width * block.width],
    });
    Move::new(factor.analysis(), &pattern.blocks, lambda.collect())
}

fn subtract_bend(out: &mut Matrix, w_sums: &[Vec<f64>], directions: &[Direction]) {
    for (i, own) in directions.iter().enumerate() {
        let w = &w_sums[own.block];
        let k = w.len().isqrt();
        let mut product = vec![0.0; k * k];
        small::multiply(w, &own.d, &mut product, k);
        for (j, other) in directions.iter().enumerate() {
            if other.block == own.block {
                out[(i, j)] -= 2.0 * small::dot(&product, &other.d);
            }
        }
    }
}
