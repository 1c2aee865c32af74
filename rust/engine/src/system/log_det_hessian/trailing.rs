//! The last step: the dense trailing matrix Ω = Λ'KΛ + I (without the I in the rows of X).
//!
//! `d²log |Ω| = -tr(S dΩ_i S dΩ_j) + tr(S d²Ω_ij)` with S = Ω^-1. Directions of leading blocks move
//! K, those of trailing blocks Λ.

use crate::design::cross_products::CrossProducts;
use crate::design::structure::Structure;
use crate::error::Result;
use crate::linalg::{dense, small, Matrix};
use crate::system::log_det_hessian::tangent::Tangent;
use crate::system::log_det_hessian::Direction;
use crate::system::{transform, Factor};

/// K: the trailing matrix after the leading blocks, both triangles.
pub fn unscaled(factor: &mut Factor, a: &CrossProducts, structure: &Structure) -> Result<Matrix> {
    let mut out = factor.trailing_unscaled(a, structure)?;
    dense::symmetrise(&mut out);
    Ok(out)
}

pub struct LastStep<'a> {
    pub factor: &'a Factor,
    pub structure: &'a Structure,
    /// S, both triangles; its size says whether X takes part.
    pub inverse: &'a Matrix,
    /// K; not needed without trailing random effects.
    pub unscaled: Option<&'a Matrix>,
}

impl LastStep<'_> {
    /// Adds this step (upper triangle).
    pub fn add(
        &self,
        out: &mut Matrix,
        directions: &[Direction],
        tangents: &[Option<Tangent>],
        tick: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        let dim = self.inverse.rows();
        let l = self.factor.trailing.view().submatrix(0, 0, dim, dim);
        let mut whitened: Vec<Matrix> = Vec::with_capacity(directions.len());
        for (i, (direction, tangent)) in directions.iter().zip(tangents).enumerate() {
            tick()?;
            let mut half = Matrix::zeros(dim, dim, "the derivative of the trailing factor")?;
            match (tangent, self.unscaled) {
                (Some(tangent), _) => self.times_lambda(&tangent.trailing, &mut half),
                (None, Some(k)) => self.times_block(k, direction.block, &direction.d, &mut half),
                (None, None) => {}
            }
            self.add_moved_lambda(out, i, &half, directions, tangents);
            for j in 0..dim {
                transform::rows(
                    half.column_mut(j),
                    1,
                    self.structure,
                    &self.factor.lambda,
                    true,
                );
            }
            if tangent.is_none() {
                add_transpose(&mut half);
            }
            dense::whiten(l, &mut half);
            for (j, other) in whitened.iter().enumerate() {
                out[(j, i)] -= small::dot(other.data(), half.data());
            }
            out[(i, i)] -= small::dot(half.data(), half.data());
            whitened.push(half);
        }
        Ok(())
    }

    /// `tr(S d²Ω_ij) = 2 tr(S D_j' P_i)` for the trailing directions j, where P_i is dK_i Λ or K D_i.
    fn add_moved_lambda(
        &self,
        out: &mut Matrix,
        i: usize,
        half: &Matrix,
        directions: &[Direction],
        tangents: &[Option<Tangent>],
    ) {
        for (t, (start, block)) in self.structure.trailing().enumerate() {
            let (k, b) = (block.width, self.structure.n_leading + t);
            // Pairs of trailing directions come up twice and are counted once.
            let wanted = |j: usize| directions[j].block == b && (tangents[i].is_some() || j <= i);
            if !(0..directions.len()).any(wanted) {
                continue;
            }
            let mut sum = vec![0.0; k * k];
            for c in 0..half.cols() {
                let rows = start..start + block.dim();
                let levels = half.column(c)[rows.clone()].chunks_exact(k);
                for (p, s) in levels.zip(self.inverse.column(c)[rows].chunks_exact(k)) {
                    small::add_outer(&mut sum, p, s);
                }
            }
            for (j, direction) in directions.iter().enumerate().filter(|&(j, _)| wanted(j)) {
                out[(i.min(j), i.max(j))] += 2.0 * small::dot(&sum, &direction.d);
            }
        }
    }

    /// `a Λ` on the rows that take part.
    fn times_lambda(&self, a: &Matrix, out: &mut Matrix) {
        let dim = out.rows();
        for (t, _) in self.structure.trailing().enumerate() {
            let b = self.structure.n_leading + t;
            self.times_block(a, b, &self.factor.lambda[b], out);
        }
        for j in self.structure.n_trailing..dim {
            out.column_mut(j).copy_from_slice(&a.column(j)[..dim]);
        }
    }

    /// The columns of one block times m, a level at a time.
    fn times_block(&self, a: &Matrix, b: usize, m: &[f64], out: &mut Matrix) {
        let dim = out.rows();
        let block = &self.structure.blocks[b];
        let (k, start) = (
            block.width,
            self.structure.starts[b - self.structure.n_leading],
        );
        for level in (start..start + block.dim()).step_by(k) {
            for c in 0..k {
                for h in 0..k {
                    let from = &a.column(level + h)[..dim];
                    small::axpy(m[h + c * k], from, out.column_mut(level + c));
                }
            }
        }
    }
}

/// `a <- a + a'`.
fn add_transpose(a: &mut Matrix) {
    for j in 0..a.cols() {
        for i in 0..=j {
            let sum = a[(i, j)] + a[(j, i)];
            a[(i, j)] = sum;
            a[(j, i)] = sum;
        }
    }
}
