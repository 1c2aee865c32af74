//! The blocked Cholesky factor of Λ'AΛ + I.
//!
//! Leading blocks are eliminated level by level in unscaled form: with `half = L^-1 λ'` and
//! `N = half' half = λ (λ'Kλ + I)^-1 λ'`, eliminating a level takes `K_iv N K_vj` from every pair
//! of rows (i, j) it meets. This form holds for singular λ too. What is left, the trailing matrix
//! with X, is scaled by Λ and factorised as one dense matrix.

use faer::Par;

use crate::design::coupling::Coupling;
use crate::design::cross_products::{CrossProducts, Leading};
use crate::design::structure::Structure;
use crate::error::Result;
use crate::linalg::dense::{self, Scratch};
use crate::linalg::matrix::zeroed;
use crate::linalg::Matrix;
use crate::system::levels::eliminate_levels;
use crate::system::nested::{positions, update_ancestor};
use crate::system::trailing_update::TrailingUpdate;
use crate::system::transform;

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

/// Factorisation at one value of the relative covariance factors; reused for the next.
pub struct Factor {
    pub par: Par,
    /// λ of each block, width × width.
    pub lambda: Vec<Vec<f64>>,
    pub leading: Vec<LeadingFactor>,
    /// Lower factor of the trailing matrix.
    pub trailing: Matrix,
    /// Room for the inverse of the trailing matrix, or the part of it without X.
    pub(super) inverse: Vec<f64>,
    pub scratch: Scratch,
    /// log |Λ'Z'ZΛ + I|.
    pub log_det_z: f64,
    /// log |X'V^-1X|.
    pub log_det_x: f64,
}

impl Factor {
    /// Room for the factor of this system.
    pub fn new(a: &CrossProducts, structure: &Structure, par: Par) -> Result<Self> {
        let leading = (0..structure.n_leading)
            .map(|b| {
                let block = &structure.blocks[b];
                let len = block.dim() * block.width;
                Ok(LeadingFactor {
                    reduced: (b > 0).then(|| a.leading[b].clone()),
                    positions: positions(a, structure, b),
                    half: zeroed(len, "the factor of a block")?,
                    n: zeroed(len, "the factor of a block")?,
                })
            })
            .collect::<Result<_>>()?;
        let dim = structure.trailing_dim();
        Ok(Self {
            par,
            lambda: structure.blocks.iter().map(|_| Vec::new()).collect(),
            leading,
            trailing: Matrix::zeros(dim, dim, "the trailing factor")?,
            inverse: Vec::new(),
            scratch: Scratch::for_cholesky(dim),
            log_det_z: 0.0,
            log_det_x: 0.0,
        })
    }

    /// Leading block b after the elimination of the finer ones.
    #[must_use]
    pub fn reduced<'s>(&'s self, a: &'s CrossProducts, b: usize) -> &'s Leading {
        self.leading[b].reduced.as_ref().unwrap_or(&a.leading[b])
    }

    /// Where each coupled row of leading block b stands in the coupling of the i-th one above.
    #[must_use]
    pub fn positions(&self, b: usize, i: usize) -> &[u32] {
        &self.leading[b].positions[i]
    }

    /// Factorises at these λ. False when the system is not positive definite there (λ too large
    /// or not finite).
    #[must_use]
    pub fn update(
        &mut self,
        a: &CrossProducts,
        structure: &Structure,
        lambda: Vec<Vec<f64>>,
    ) -> bool {
        self.lambda = lambda;
        self.log_det_z = 0.0;
        self.trailing.data_mut().copy_from_slice(a.trailing.data());
        if !self.eliminate_leading(a, structure) {
            return false;
        }
        transform::both_sides(&mut self.trailing, structure, &self.lambda, true, true);
        for i in 0..structure.n_trailing {
            self.trailing[(i, i)] += 1.0;
        }
        if !dense::cholesky(self.trailing.view_mut(), &mut self.scratch) {
            return false;
        }
        let log_diagonal = |range: std::ops::Range<usize>| -> f64 {
            2.0 * range.map(|i| self.trailing[(i, i)].ln()).sum::<f64>()
        };
        self.log_det_z += log_diagonal(0..structure.n_trailing);
        self.log_det_x = log_diagonal(structure.n_trailing..structure.trailing_dim());
        self.log_det_z.is_finite() && self.log_det_x.is_finite()
    }

    /// Lower factor of X'V^-1X.
    #[must_use]
    pub fn x_factor(&self, structure: &Structure) -> Matrix {
        let (rank, q) = (structure.rank, structure.n_trailing);
        let mut out = vec![0.0; rank * rank];
        for j in 0..rank {
            for i in j..rank {
                out[i + j * rank] = self.trailing[(q + i, q + j)];
            }
        }
        Matrix::from_columns(rank, rank, out)
    }

    /// The trailing matrix after the leading blocks, unscaled (lower triangle).
    pub fn trailing_unscaled(
        &mut self,
        a: &CrossProducts,
        structure: &Structure,
    ) -> Result<Matrix> {
        let dim = structure.trailing_dim();
        let mut unscaled = Matrix::zeros(dim, dim, "a copy of the trailing matrix")?;
        unscaled.data_mut().copy_from_slice(a.trailing.data());
        for b in 0..structure.n_leading {
            let leading = self.leading[b].reduced.as_ref().unwrap_or(&a.leading[b]);
            let update = TrailingUpdate {
                half: &self.leading[b].half,
                coupling: &leading.coupling,
                width: structure.blocks[b].width,
                structure,
                par: self.par,
            };
            update.apply(&mut unscaled);
        }
        Ok(unscaled)
    }

    fn eliminate_leading(&mut self, a: &CrossProducts, structure: &Structure) -> bool {
        for b in 1..structure.n_leading {
            if let Some(reduced) = &mut self.leading[b].reduced {
                reduced.copy_from(&a.leading[b]);
            }
        }
        for b in 0..structure.n_leading {
            let k = structure.blocks[b].width;
            let (done, above) = self.leading.split_at_mut(b + 1);
            let LeadingFactor {
                reduced,
                positions,
                half,
                n,
            } = &mut done[b];
            let current = reduced.as_ref().unwrap_or(&a.leading[b]);
            match eliminate_levels(&current.diagonal, &self.lambda[b], half, n, k) {
                Some(log_det) => self.log_det_z += log_det,
                None => return false,
            }
            for (i, target) in above.iter_mut().enumerate() {
                let parents = &structure.parents[b][i];
                if let Some(target) = &mut target.reduced {
                    update_ancestor(current, n, k, i, parents, &positions[i], target, structure);
                }
            }
            let update = TrailingUpdate {
                half,
                coupling: &current.coupling,
                width: k,
                structure,
                par: self.par,
            };
            update.apply(&mut self.trailing);
        }
        true
    }
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
    use crate::design::costs::Kind;
    use crate::design::example::{frame, Levels};
    use crate::system::selected;

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
            let (a, structure) = (&frame.cross_products, &frame.structure);
            let mut factor = Factor::new(a, structure, Par::Seq).expect("memory");
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
            assert_eq!(bytes, 8.0 * factor.trailing.data().len() as f64);

            let lambda = structure.blocks.iter().map(|block| {
                let k = block.width;
                (0..k * k)
                    .map(|e| f64::from(u8::from(e % (k + 1) == 0)))
                    .collect()
            });
            assert!(factor.update(a, structure, lambda.collect()));
            selected(&mut factor, a, structure, true, false).expect("memory");
            assert_eq!(factor.inverse.len(), factor.trailing.data().len());
        }
    }
}
