//! The last step: the dense trailing matrix Ω = Λ'KΛ + I (without the I in the rows of X).
//!
//! `d²log |Ω| = -tr(S dΩ_i S dΩ_j) + tr(S d²Ω_ij)` with S = Ω^-1. Directions of leading blocks move
//! K by κ, those of trailing blocks Λ by D (or Σ, see [`super::sigma`]). With G = KΛS,
//! W = K - KΛSΛ'K and Y = S Λ'κΛ:
//!
//! ```text
//! two leading        -tr(Y_i Y_j)
//! leading, trailing  2 tr(D_j' κ_i Λ S) - 2 tr(D_j' G Y_i')
//! two trailing       2 tr(D_j' W D_i S) - 2 tr(D_j' G D_i' G)
//! ```

use crate::error::Result;
use crate::linalg::{dense, small, Matrix};
use crate::products::structure::Structure;
use crate::system::blocked::log_det_hessian::level_products::{
    level_products, times_block, times_lambda,
};
use crate::system::blocked::log_det_hessian::sigma::SigmaResponse;
use crate::system::blocked::log_det_hessian::Moves;
use crate::system::blocked::transform;
use crate::system::complement::resolved_inverse;
use crate::system::{Along, Blocked, Direction};

const WHAT: &str = "the derivative of the trailing factor";

/// Adds this step (upper triangle) and gives up the trailing part of the tangents. `inverse` is S,
/// both triangles; its size says whether X takes part.
pub fn add(
    out: &mut Matrix,
    system: &Blocked<'_>,
    inverse: &Matrix,
    moves: &mut Moves<'_>,
    tick: &dyn Fn() -> Result<()>,
) -> Result<()> {
    if inverse.rows() == 0 {
        return Ok(());
    }
    let mut moved = moves.directions.iter();
    let response = moved
        .any(|d| d.block >= system.structure.n_leading)
        .then(|| Response::new(moves.along, system, inverse))
        .transpose()?;
    let last = LastStep {
        system,
        inverse,
        response: response.as_ref(),
    };
    last.add(out, moves, tick)
}

/// What the directions of trailing blocks need.
enum Response {
    Lambda(LambdaResponse),
    Sigma(SigmaResponse),
}

impl Response {
    fn new(along: Along, system: &Blocked<'_>, inverse: &Matrix) -> Result<Self> {
        let (g, w) = products(system, inverse)?;
        Ok(match along {
            Along::Lambda => Self::Lambda(LambdaResponse {
                g_transposed: dense::transposed(&g)?,
                g,
                w,
            }),
            Along::Sigma => Self::Sigma(SigmaResponse::new(&g, w, system)?),
        })
    }
}

/// G and W, for directions of λ.
struct LambdaResponse {
    g: Matrix,
    g_transposed: Matrix,
    w: Matrix,
}

/// KΛS and K - KΛSΛ'K, on the rows of the random effects.
fn products(system: &Blocked<'_>, inverse: &Matrix) -> Result<(Matrix, Matrix)> {
    let structure = system.structure;
    let inverses: Option<Vec<Vec<f64>>> = (structure.n_leading..structure.blocks.len())
        .map(|b| resolved_inverse(&system.lambda[b], &structure.blocks[b]))
        .collect();
    match inverses {
        Some(inverses) => products_from_inverse(structure, inverse, inverses),
        None => products_from_factor(system, inverse),
    }
}

/// `G = Λ^-T (I - S)` and `W = G Λ^-1`, on the rows of the random effects.
fn products_from_inverse(
    structure: &Structure,
    inverse: &Matrix,
    inverses: Vec<Vec<f64>>,
) -> Result<(Matrix, Matrix)> {
    let dim = inverse.rows();
    let mut g = Matrix::zeros(dim, dim, WHAT)?;
    for (to, from) in g.data_mut().iter_mut().zip(inverse.data()) {
        *to = -from;
    }
    for i in 0..structure.n_trailing {
        g[(i, i)] += 1.0;
    }
    // `transform` looks for the blocks by their place among all.
    let mut lambda = vec![Vec::new(); structure.n_leading];
    lambda.extend(inverses);
    for j in 0..dim {
        transform::rows(g.column_mut(j), 1, structure, &lambda, true);
    }
    let w = times_lambda(&g, structure, &lambda)?;
    Ok((g, w))
}

fn products_from_factor(system: &Blocked<'_>, inverse: &Matrix) -> Result<(Matrix, Matrix)> {
    let mut k = leading_part(system.trailing_unscaled()?, inverse.rows())?;
    let moved = times_lambda(&k, system.structure, &system.lambda)?;
    let g = dense::product(&moved, inverse)?;
    let explained = dense::product(&g, &dense::transposed(&moved)?)?;
    small::axpy(-1.0, explained.data(), k.data_mut());
    Ok((g, k))
}

struct LastStep<'a> {
    system: &'a Blocked<'a>,
    inverse: &'a Matrix,
    /// `None` without directions of trailing blocks.
    response: Option<&'a Response>,
}

impl LastStep<'_> {
    fn add(
        &self,
        out: &mut Matrix,
        moves: &mut Moves<'_>,
        tick: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        let directions = moves.directions;
        let mut moved: Vec<(usize, Matrix)> = Vec::new();
        for (i, tangent) in moves.tangents.iter_mut().enumerate() {
            tick()?;
            match (tangent, self.response) {
                (Some(tangent), response) => {
                    let moved_k = std::mem::take(&mut tangent.trailing);
                    let moved_k = leading_part(moved_k, self.inverse.rows())?;
                    if let Some(Response::Sigma(response)) = response {
                        response.add_mixed(out, i, directions, &moved_k, self.system.structure)?;
                    }
                    let (half, y) = self.moved_k(moved_k)?;
                    if let Some(Response::Lambda(response)) = response {
                        self.add_mixed(out, i, directions, (&half, &y), response);
                    }
                    moved.push((i, y));
                    let (_, y) = &moved[moved.len() - 1];
                    for (j, other) in &moved {
                        out[(*j, i)] -= dense::trace_of_product(other, y);
                    }
                }
                (None, Some(Response::Lambda(response))) => {
                    self.add_trailing(out, i, directions, response)?;
                }
                (None, Some(Response::Sigma(response))) => {
                    response.add_trailing(out, i, directions, self.system.structure)?;
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// κΛ and Y.
    fn moved_k(&self, mut part: Matrix) -> Result<(Matrix, Matrix)> {
        let half = times_lambda(&part, self.system.structure, &self.system.lambda)?;
        part.data_mut().copy_from_slice(half.data());
        for j in 0..part.cols() {
            let column = part.column_mut(j);
            transform::rows(column, 1, self.system.structure, &self.system.lambda, true);
        }
        Ok((half, dense::product(self.inverse, &part)?))
    }

    /// Pairs of a leading direction with the trailing ones.
    fn add_mixed(
        &self,
        out: &mut Matrix,
        i: usize,
        directions: &[Direction],
        (half, y): (&Matrix, &Matrix),
        response: &LambdaResponse,
    ) {
        for (t, place) in self.system.structure.trailing().enumerate() {
            let mut sum = level_products(place, half, self.inverse, 0);
            small::axpy(-1.0, &level_products(place, &response.g, y, 0), &mut sum);
            for (j, direction) in directions.iter().enumerate() {
                if direction.block == self.system.structure.n_leading + t {
                    out[(i.min(j), i.max(j))] += 2.0 * small::dot(&sum, &direction.d);
                }
            }
        }
    }

    /// Pairs of a trailing direction with itself and the trailing ones before it.
    fn add_trailing(
        &self,
        out: &mut Matrix,
        i: usize,
        directions: &[Direction],
        response: &LambdaResponse,
    ) -> Result<()> {
        let direction = &directions[i];
        let own = direction.block - self.system.structure.n_leading;
        let (first, block) = (
            self.system.structure.starts[own],
            &self.system.structure.blocks[direction.block],
        );
        let k = block.width;
        let transposed: Vec<f64> = (0..k * k).map(|e| direction.d[e / k + e % k * k]).collect();
        let place = (first, block);
        let moved_w = times_block(&response.w, place, &direction.d)?;
        let moved_g = times_block(&response.g, place, &transposed)?;
        for (t, place) in self.system.structure.trailing().enumerate() {
            let mut sum = level_products(place, &moved_w, self.inverse, first);
            let taken = level_products(place, &moved_g, &response.g_transposed, first);
            small::axpy(-1.0, &taken, &mut sum);
            for (j, other) in directions[..=i].iter().enumerate() {
                if other.block == self.system.structure.n_leading + t {
                    out[(j, i)] += 2.0 * small::dot(&sum, &other.d);
                }
            }
        }
        Ok(())
    }
}

/// The first rows and columns of a.
fn leading_part(a: Matrix, dim: usize) -> Result<Matrix> {
    if a.rows() == dim {
        return Ok(a);
    }
    let mut out = Matrix::zeros(dim, dim, WHAT)?;
    for j in 0..dim {
        out.column_mut(j).copy_from_slice(&a.column(j)[..dim]);
    }
    Ok(out)
}
