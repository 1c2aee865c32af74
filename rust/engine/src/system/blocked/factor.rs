//! The blocked Cholesky factor of Λ'AΛ + I.
//!
//! Leading blocks are eliminated level by level in unscaled form: with `half = L^-1 λ'` and
//! `N = half' half = λ (λ'Kλ + I)^-1 λ'`, eliminating a level takes `K_iv N K_vj` from every pair
//! of rows (i, j) it meets. This form holds for singular λ too. What is left, the trailing matrix
//! with X, is scaled by Λ and factorised, see [`super::trailing`].

use std::borrow::Cow;

use super::levels::eliminate_levels;
use super::nested::{positions, NestedUpdate};
use super::trailing::DenseTrailing;
use super::trailing_update::TrailingUpdate;
use super::Blocked;
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::{dense, Matrix};
use crate::products::coupling::Coupling;
use crate::products::cross_products::{CrossProducts, Leading, Trailing};
use crate::products::structure::Structure;
use crate::system::{Elimination, LogDeterminants};

/// What a blocked elimination keeps.
pub struct BlockFactor {
    pub leading: Vec<LeadingFactor>,
    pub trailing: DenseTrailing,
}

/// State of one leading block.
#[derive(Debug, Clone)]
pub struct LeadingFactor {
    /// The block after the elimination of the finer ones; `None` when there are none.
    reduced: Option<Leading>,
    /// For each later leading block: where each row of the sparse coupling stands in its coupling.
    positions: Vec<Vec<u32>>,
    /// `L^-1 λ'`, width × width for each level.
    pub half: Vec<f64>,
    /// `λ (λ'Kλ + I)^-1 λ'`, width × width for each level.
    pub n: Vec<f64>,
}

impl<'a> Blocked<'a> {
    /// Room for the factor of this system.
    pub fn allocate(structure: &'a Structure, a: Cow<'a, CrossProducts>) -> Result<Self> {
        let leading = (0..structure.n_leading)
            .map(|b| {
                let block = &structure.blocks[b];
                let len = block.dim() * block.width;
                Ok(LeadingFactor {
                    reduced: (b > 0).then(|| a.leading[b].zeros_like()).transpose()?,
                    positions: positions(&a, structure, b)?,
                    half: zeroed(len, "the factor of a block")?,
                    n: zeroed(len, "the factor of a block")?,
                })
            })
            .collect::<Result<_>>()?;
        let factor = BlockFactor {
            leading,
            trailing: DenseTrailing::new(structure.trailing_dim())?,
        };
        Ok(Self::new(structure, a, factor))
    }

    /// Leading block b after the elimination of the finer ones.
    #[must_use]
    pub fn reduced(&self, b: usize) -> &Leading {
        let factor = &self.factor.leading[b];
        factor.reduced.as_ref().unwrap_or(&self.a.leading[b])
    }

    /// For each leading block above b: where each coupled row of b stands in its coupling.
    #[must_use]
    pub fn positions(&self, b: usize) -> &[Vec<u32>] {
        &self.factor.leading[b].positions
    }

    /// N of the levels of a leading block.
    #[must_use]
    pub fn n(&self, b: usize) -> &[f64] {
        &self.factor.leading[b].n
    }

    /// Factorises at the present λ.
    pub(super) fn factorise(&mut self) -> bool {
        let Elimination {
            structure,
            a,
            lambda,
            factor,
            log_dets,
        } = self;
        let matrix = factor.trailing.restart(dense_part(a));
        let leading = eliminate_leading(&mut factor.leading, a, structure, lambda, matrix);
        let trailing = factor.trailing.factorise(structure, lambda);
        let (Some(leading), Some(trailing)) = (leading, trailing) else {
            return false;
        };
        *log_dets = LogDeterminants {
            random: leading + trailing.random,
            fixed: trailing.fixed,
        };
        log_dets.are_finite()
    }

    /// The trailing matrix after the leading blocks, unscaled.
    pub fn trailing_unscaled(&self) -> Result<Matrix> {
        let dim = self.structure.trailing_dim();
        let mut out = Matrix::zeros(dim, dim, "a copy of the trailing matrix")?;
        out.data_mut().copy_from_slice(dense_part(&self.a).data());
        reduce_trailing(&self.factor.leading, &self.a, self.structure, &mut out);
        dense::symmetrise(&mut out);
        Ok(out)
    }
}

/// A on the trailing rows.
fn dense_part(a: &CrossProducts) -> &Matrix {
    match &a.trailing {
        Trailing::Dense(matrix) => matrix,
        Trailing::Sparse(_) => unreachable!("the structure has been laid out for blocks"),
    }
}

/// Takes the share of the eliminated leading blocks from the trailing matrix (lower triangle).
fn reduce_trailing(
    leading: &[LeadingFactor],
    a: &CrossProducts,
    structure: &Structure,
    trailing: &mut Matrix,
) {
    for (b, factor) in leading.iter().enumerate() {
        let current = factor.reduced.as_ref().unwrap_or(&a.leading[b]);
        let update = TrailingUpdate {
            half: &factor.half,
            coupling: &current.coupling,
            width: structure.blocks[b].width,
            structure,
        };
        update.apply(trailing);
    }
}

/// Eliminates the leading blocks; their log-determinant, or `None` when a level is not positive
/// definite.
fn eliminate_leading(
    leading: &mut [LeadingFactor],
    a: &CrossProducts,
    structure: &Structure,
    lambda: &[Vec<f64>],
    trailing: &mut Matrix,
) -> Option<f64> {
    for (factor, original) in leading.iter_mut().zip(&a.leading) {
        if let Some(reduced) = &mut factor.reduced {
            reduced.copy_from(original);
        }
    }
    let mut log_det = 0.0;
    for b in 0..structure.n_leading {
        let width = structure.blocks[b].width;
        let (done, above) = leading.split_at_mut(b + 1);
        let LeadingFactor {
            reduced,
            positions,
            half,
            n,
        } = &mut done[b];
        let rows = reduced.as_ref().unwrap_or(&a.leading[b]);
        log_det += eliminate_levels(&rows.diagonal, &lambda[b], half, n, width)?;
        let update = NestedUpdate {
            structure,
            b,
            positions,
            rows,
            forms: n,
            width,
        };
        for (i, target) in above.iter_mut().enumerate() {
            if let Some(target) = &mut target.reduced {
                update.apply(i, target);
            }
        }
    }
    reduce_trailing(leading, a, structure, trailing);
    Some(log_det)
}

impl Leading {
    fn copy_from(&mut self, other: &Self) {
        self.diagonal.copy_from_slice(&other.diagonal);
        for (to, from) in self.ancestors.iter_mut().zip(&other.ancestors) {
            to.copy_from_slice(from);
        }
        match (&mut self.coupling, &other.coupling) {
            (Coupling::Dense(to), Coupling::Dense(from)) => to.copy_from_slice(from),
            (Coupling::Sparse(to), Coupling::Sparse(from)) => {
                to.values.copy_from_slice(&from.values);
                to.fixed.copy_from_slice(&from.fixed);
            }
            (to, from) => *to = from.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::{frame, Levels};
    use crate::model::Frame;
    use crate::products::costs::Kind;
    use crate::products::Layout;

    #[test]
    fn the_factor_takes_as_many_bytes_as_announced() {
        let designs: [&[Levels]; 3] = [
            &[Levels::Random(60, 1), Levels::Random(30, 2)],
            &[
                Levels::Random(20, 2),
                Levels::Random(9, 1),
                Levels::Random(4, 3),
            ],
            &[
                Levels::Within(60, 2, 1),
                Levels::Within(12, 10, 2),
                Levels::Random(7, 1),
            ],
        ];
        for terms in designs {
            let frame = frame(120, 3, terms);
            let a = Cow::Borrowed(&frame.cross_products);
            let factor = Blocked::allocate(&frame.structure, a)
                .expect("memory")
                .factor;
            let announced = &frame.costs.blocks;
            for (b, leading) in factor.leading.iter().enumerate() {
                let mut bytes = 8 * (leading.half.len() + leading.n.len());
                bytes += leading.positions.iter().map(|p| 4 * p.len()).sum::<usize>();
                let reduced = match leading.reduced {
                    Some(_) => announced[b].bytes.cross_products,
                    None => 0.0,
                };
                assert_eq!(announced[b].bytes.factor, bytes as f64 + reduced);
            }
            let trailing = announced.iter().filter(|b| b.kind == Kind::Dense);
            let bytes: f64 = trailing.map(|b| b.bytes.factor).sum();
            assert_eq!(bytes, 8.0 * factor.trailing.factor.data().len() as f64);
        }
    }

    #[test]
    fn systems_that_weigh_the_rows_anew_have_products_and_a_factor_of_their_own() {
        let design = frame(120, 3, &[Levels::Random(40, 2)]).design;
        for systems in [1, 2] {
            let made = Frame::without_fixed((*design).clone(), Layout::Blocked, systems);
            let frame = made.expect("valid");
            let a = frame.cross_products.zeros(&frame.structure);
            let a = Cow::Owned(a.expect("memory"));
            let system = Blocked::allocate(&frame.structure, a).expect("memory");
            let (products, own) = (&system.a.leading[0], &system.factor.leading[0]);
            let Coupling::Dense(coupling) = &products.coupling else {
                panic!("there is nothing to couple to");
            };
            let announced = frame.costs.blocks[0].bytes;
            let bytes = 8 * (products.diagonal.len() + coupling.len());
            assert_eq!(announced.cross_products, (bytes * systems) as f64);
            let bytes = 8 * (own.half.len() + own.n.len());
            assert_eq!(announced.factor, (bytes * systems) as f64);
        }
    }
}
