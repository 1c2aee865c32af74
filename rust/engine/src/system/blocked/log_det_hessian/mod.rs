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
mod level_products;
mod sigma;
mod tangent;
mod trailing;

use super::level_pass::{Adjoint, Keep, LevelPass};
use super::transform;
use crate::error::Result;
use crate::linalg::{dense, Matrix};
use crate::products::cross_products::CrossProducts;
use crate::products::structure::Structure;
use crate::system::{Along, Blocked, Direction};

use tangent::Tangent;

/// Bytes of the dense matrices: one for each direction of a leading block or move of A and a few more, and
/// k² × k² for the widest leading block.
#[must_use]
pub fn bytes(structure: &Structure, directions: &[Direction], n_moves: usize) -> f64 {
    const OTHERS: f64 = 8.0;
    let dim = structure.trailing_dim() as f64;
    let leading = directions.iter().filter(|d| d.block < structure.n_leading);
    let widths = structure.leading().iter().map(|block| block.width);
    let widest = widths.max().unwrap_or(0) as f64;
    8.0 * (dim * dim * ((leading.count() + n_moves) as f64 + OTHERS) + widest.powi(4))
}

/// Whether differences of the gradient cost less: a leading block of k columns takes products of k² × k²,
/// whatever the number of directions, and some structures have few parameters for many columns.
#[must_use]
pub fn is_wasteful(structure: &Structure, directions: &[Direction]) -> bool {
    const WIDE: usize = 16;
    const DIFFERENCES: usize = 4;
    let widest = structure.leading().iter().map(|block| block.width).max();
    widest.is_some_and(|k| k > WIDE && k > DIFFERENCES * directions.len())
}

/// The directions of a Hessian, those of Σ first, and what they move.
struct Moves<'d> {
    along: Along,
    directions: &'d [Direction],
    /// dΣ of each.
    sigmas: Vec<Vec<f64>>,
    /// What follows from it, for directions of leading blocks and moves of A.
    tangents: Vec<Option<Tangent>>,
}

/// See [`crate::system::System::log_det_hessian`].
pub fn log_det_hessian(
    system: &mut Blocked<'_>,
    (along, directions): (Along, &[Direction]),
    products: Vec<CrossProducts>,
    joint: bool,
    tick: &dyn Fn() -> Result<()>,
) -> Result<Matrix> {
    let structure = system.structure;
    let n = directions.len() + products.len();
    let mut out = Matrix::zeros(n, n, "the Hessian")?;
    let mut moves = Moves::new(system, (along, directions), products, tick)?;
    let dim = if joint {
        structure.trailing_dim()
    } else {
        structure.n_trailing
    };
    let mut inverse = system.factor.trailing.inverse(dim)?;
    dense::symmetrise(&mut inverse);
    trailing::add(&mut out, system, &inverse, &mut moves, tick)?;
    transform::both_sides(&mut inverse, structure, &system.lambda, false, false);
    let mut adjoints: Vec<Option<Adjoint>> = (0..structure.n_leading).map(|_| None).collect();
    for b in (0..structure.n_leading).rev() {
        tick()?;
        let (below, above) = adjoints.split_at_mut(b + 1);
        let pass = LevelPass {
            system,
            b,
            bar: &inverse,
            above,
        };
        let (w_sum, adjoint) = pass.run(Keep::for_finer(b))?;
        leading::add(&mut out, &pass, &moves)?;
        if along == Along::Lambda {
            leading::add_curvature(&mut out, &pass, &w_sum, directions);
        }
        below[b] = adjoint;
    }
    drop(adjoints);
    system.factor.trailing.give_back(inverse);
    for j in 0..n {
        for i in 0..j {
            out[(j, i)] = out[(i, j)];
        }
    }
    Ok(out)
}

impl<'d> Moves<'d> {
    fn new(
        system: &Blocked<'_>,
        (along, directions): (Along, &'d [Direction]),
        products: Vec<CrossProducts>,
        tick: &dyn Fn() -> Result<()>,
    ) -> Result<Self> {
        let blocks = &system.structure.blocks;
        let sigma = |d: &Direction| d.sigma(along, &system.lambda[d.block], blocks[d.block].width);
        let sigmas: Vec<Vec<f64>> = directions.iter().map(sigma).collect();
        let tangents = directions.iter().zip(&sigmas).map(|(direction, sigma)| {
            tick()?;
            let moves_k = direction.block < system.structure.n_leading;
            let tangent = moves_k.then(|| Tangent::new(system, direction.block, sigma));
            tangent.transpose()
        });
        let moved = products.into_iter().map(|moved| {
            tick()?;
            Tangent::of_products(system, moved).map(Some)
        });
        let tangents = tangents.chain(moved);
        Ok(Self {
            tangents: tangents.collect::<Result<_>>()?,
            along,
            directions,
            sigmas,
        })
    }
}
