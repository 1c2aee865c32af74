//! The blocked Cholesky factor of Λ'AΛ + I.
//!
//! Leading blocks are eliminated level by level in unscaled form: with `half = L^-1 λ'` and
//! `N = half' half = λ (λ'Kλ + I)^-1 λ'`, eliminating a level takes `K_iv N K_vj` from every pair
//! of rows (i, j) it meets. This form holds for singular λ too. What is left, the trailing matrix
//! with X, is scaled by Λ and factorised, see [`super::trailing`].

use faer::Par;

use crate::design::coupling::Coupling;
use crate::design::cross_products::{CrossProducts, Leading, Trailing};
use crate::design::structure::Structure;
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::Matrix;
use crate::system::levels::eliminate_levels;
use crate::system::nested::{positions, update_ancestor};
use crate::system::trailing::TrailingFactor;
use crate::system::trailing_update::TrailingUpdate;

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
    pub trailing: TrailingFactor,
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
                    reduced: (b > 0).then(|| a.leading[b].zeros_like()).transpose()?,
                    positions: positions(a, structure, b)?,
                    half: zeroed(len, "the factor of a block")?,
                    n: zeroed(len, "the factor of a block")?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            par,
            lambda: structure.blocks.iter().map(|_| Vec::new()).collect(),
            leading,
            trailing: TrailingFactor::new(&a.trailing, par)?,
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
    pub fn update(
        &mut self,
        a: &CrossProducts,
        structure: &Structure,
        lambda: Vec<Vec<f64>>,
    ) -> Result<bool> {
        self.lambda = lambda;
        let (leading, trailing) = match (&mut self.trailing, &a.trailing) {
            (TrailingFactor::Dense(dense), Trailing::Dense(matrix)) => {
                let matrix = dense.restart(matrix);
                let leading = eliminate_leading(
                    &mut self.leading,
                    a,
                    structure,
                    &self.lambda,
                    matrix,
                    self.par,
                );
                (leading, dense.factorise(structure, &self.lambda))
            }
            (TrailingFactor::Sparse(sparse), Trailing::Sparse(products)) => {
                let log_dets = sparse.factorise(products, structure, &self.lambda)?;
                (Some(0.0), log_dets)
            }
            _ => unreachable!("the factor has the kind of its cross-products"),
        };
        let (Some(leading), Some(trailing)) = (leading, trailing) else {
            return Ok(false);
        };
        self.log_det_z = leading + trailing.random;
        self.log_det_x = trailing.fixed;
        Ok(self.log_det_z.is_finite() && self.log_det_x.is_finite())
    }
}

impl Factor {
    /// A dense trailing matrix after the leading blocks, unscaled (lower triangle).
    pub fn trailing_unscaled(&self, a: &CrossProducts, structure: &Structure) -> Result<Matrix> {
        let dim = structure.trailing_dim();
        let mut out = Matrix::zeros(dim, dim, "a copy of the trailing matrix")?;
        if let Some(matrix) = a.trailing.dense() {
            out.data_mut().copy_from_slice(matrix.data());
        }
        reduce_trailing(&self.leading, a, structure, &mut out, self.par);
        Ok(out)
    }
}

/// Takes the share of the eliminated leading blocks from the trailing matrix (lower triangle).
pub fn reduce_trailing(
    leading: &[LeadingFactor],
    a: &CrossProducts,
    structure: &Structure,
    trailing: &mut Matrix,
    par: Par,
) {
    for (b, factor) in leading.iter().enumerate() {
        let current = factor.reduced.as_ref().unwrap_or(&a.leading[b]);
        let update = TrailingUpdate {
            half: &factor.half,
            coupling: &current.coupling,
            width: structure.blocks[b].width,
            structure,
            par,
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
    par: Par,
) -> Option<f64> {
    for (factor, original) in leading.iter_mut().zip(&a.leading) {
        if let Some(reduced) = &mut factor.reduced {
            reduced.copy_from(original);
        }
    }
    let mut log_det = 0.0;
    for b in 0..structure.n_leading {
        let k = structure.blocks[b].width;
        let (done, above) = leading.split_at_mut(b + 1);
        let LeadingFactor {
            reduced,
            positions,
            half,
            n,
        } = &mut done[b];
        let current = reduced.as_ref().unwrap_or(&a.leading[b]);
        log_det += eliminate_levels(&current.diagonal, &lambda[b], half, n, k)?;
        for (i, target) in above.iter_mut().enumerate() {
            let parents = &structure.parents[b][i];
            if let Some(target) = &mut target.reduced {
                update_ancestor(current, n, k, i, parents, &positions[i], target, structure);
            }
        }
    }
    reduce_trailing(leading, a, structure, trailing, par);
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
    use crate::design::costs::Kind;
    use crate::design::example::{frame, Levels};
    use crate::design::{Frame, Layout};

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
            let factor = Factor::new(a, structure, Par::Seq).expect("memory");
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
            let TrailingFactor::Dense(dense) = &factor.trailing else {
                panic!("small models are eliminated by blocks");
            };
            let trailing = announced.iter().filter(|b| b.kind == Kind::Dense);
            let bytes: f64 = trailing.map(|b| b.bytes.factor).sum();
            assert_eq!(bytes, 8.0 * dense.factor.data().len() as f64);
        }
    }

    #[test]
    fn systems_that_weigh_the_rows_anew_have_products_and_a_factor_of_their_own() {
        let design = frame(120, 3, &[Levels::Random(40, 2)]).design;
        for systems in [1, 2] {
            let made = Frame::without_fixed(design.clone(), Layout::Blocked, systems);
            let (frame, _) = made.expect("valid");
            let (a, structure) = (&frame.cross_products, &frame.structure);
            let factor = Factor::new(a, structure, Par::Seq).expect("memory");
            let (products, own) = (&a.leading[0], &factor.leading[0]);
            let Coupling::Dense(coupling) = &products.coupling else {
                panic!("there is nothing to couple to");
            };
            let announced = frame.costs.blocks[0].bytes;
            let bytes = 8 * (products.diagonal.len() + coupling.len());
            assert_eq!(announced.cross_products, (bytes * (1 + systems)) as f64);
            let bytes = 8 * (own.half.len() + own.n.len());
            assert_eq!(announced.factor, (bytes * systems) as f64);
        }
    }
}
