//! The system of the random effects for rows whose weights change, as in penalised iteratively
//! reweighted least squares.
//!
//! `A(w) = Σ w_i z_i z_i'` is linear in the weights. Its transpose takes a matrix S with the pattern
//! of A to the numbers `z_i' S z_i`, which for S = ΛM^-1Λ' are the variances of the linear predictor
//! of each row: one walk over the rows serves both, see [`DataRows`].

use faer::Par;

use crate::design::coupling::Coupling;
use crate::design::cross_products::{project, CrossProducts};
use crate::design::data_rows::DataRows;
use crate::design::stacked::Stacked;
use crate::design::structure::{Block, Structure};
use crate::design::Frame;
use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::system::level_pass::Adjoint;
use crate::system::selected::{give_back, pattern_inverse, PatternInverse};
use crate::system::{Factor, Reduced};

/// M = Λ'Z'WZΛ + I for weights that change: the cross-products of the random effects, their factor,
/// and the rows they come from. X, where the structure has it, borders Z'WZ.
pub struct WeightedSystem<'a> {
    structure: &'a Structure,
    z: &'a [Vec<f64>],
    rows: DataRows<'a>,
    products: CrossProducts,
    factor: Factor,
}

impl<'a> WeightedSystem<'a> {
    /// `z` are the rows of the blocks, see [`Frame::block_rows`].
    pub fn new(frame: &'a Frame, z: &'a [Vec<f64>]) -> Result<Self> {
        let structure = &frame.structure;
        let products = frame.cross_products.zeros_like()?;
        Ok(Self {
            structure,
            z,
            rows: DataRows::new(structure, z, frame.fixed.columns(), &products)?,
            factor: Factor::new(&products, structure, Par::Seq)?,
            products,
        })
    }

    /// Weighs the rows (weights may be negative) and factorises at the λ of each block. False when
    /// the matrix is not positive definite or not finite.
    pub fn update(&mut self, weights: &[f64], lambda: &[Vec<f64>]) -> Result<bool> {
        same_length("the weights", self.rows.n_obs(), weights.len())?;
        self.products.reweigh(&self.rows, Some(weights))?;
        self.factorise(lambda)
    }

    /// Factorises the present cross-products at the λ of each block. False as in [`Self::update`].
    pub fn factorise(&mut self, lambda: &[Vec<f64>]) -> Result<bool> {
        let (a, structure) = (&self.products, self.structure);
        self.factor.update(a, structure, lambda.to_vec())
    }

    /// log |M|.
    #[must_use]
    pub fn log_det(&self) -> f64 {
        self.factor.log_det_z
    }

    /// Z'WZ as it stands.
    #[must_use]
    pub fn products(&self) -> &CrossProducts {
        &self.products
    }

    pub fn factor(&mut self) -> &mut Factor {
        &mut self.factor
    }

    /// The factor and what it is the factor of.
    pub fn parts(&mut self) -> (&mut Factor, &CrossProducts) {
        (&mut self.factor, &self.products)
    }

    /// `r'ΛM^-1Λ'r` of m columns, m × m.
    #[must_use]
    pub fn explained(&self, r: Stacked) -> Vec<f64> {
        Reduced::new(&self.factor, &self.products, self.structure, r).explained
    }

    /// `ΛM^-1Λ' r`; where the structure has X, the solution of the bordered system.
    #[must_use]
    pub fn solve(&self, r: Stacked) -> Stacked {
        Reduced::new(&self.factor, &self.products, self.structure, r).solution(
            &self.factor,
            &self.products,
            self.structure,
        )
    }

    /// `Z'V` for n × m values, row-major; zero in the rows of X.
    pub fn project(&self, values: &[f64], m: usize) -> Result<Stacked> {
        same_length("the values", self.rows.n_obs() * m, values.len())?;
        let mut out = Stacked::zeros(self.structure, m)?;
        for (b, (block, z)) in self.structure.blocks.iter().zip(self.z).enumerate() {
            project(block, z, values, m, out.block_mut(self.structure, b));
        }
        Ok(out)
    }

    /// `Z b` for one column.
    pub fn expand(&self, b: &Stacked, out: &mut [f64]) {
        out.fill(0.0);
        for (at, (block, z)) in self.structure.blocks.iter().zip(self.z).enumerate() {
            let modes = b.block(self.structure, at);
            match block.width {
                1 => add_linear::<1>(block, z, modes, out),
                2 => add_linear::<2>(block, z, modes, out),
                _ => add_linear::<0>(block, z, modes, out),
            }
        }
    }

    /// `h_i = z_i'ΛM^-1Λ'z_i` of every row, and the sum over the levels of the diagonal blocks of
    /// `Z'V^-1Z`, V = W^-1 + ZΛΛ'Z', for each block.
    pub fn row_variances(&mut self, h: &mut [f64]) -> Result<Vec<Vec<f64>>> {
        same_length("the variances", self.rows.n_obs(), h.len())?;
        let (w_sums, inverse) = pattern_inverse(&mut self.factor, &self.products, self.structure)?;
        h.fill(0.0);
        match &inverse {
            PatternInverse::Blocked { leading, trailing } => {
                for (b, adjoint) in leading.iter().enumerate() {
                    self.add_leading_forms(b, adjoint, h);
                }
                self.add_trailing_forms(trailing, h);
            }
            PatternInverse::Sparse(values) => {
                for products in self.rows.sparse_diagonals() {
                    products.add_forms(1.0, values, h);
                }
                for products in self.rows.sparse_pairs() {
                    products.add_forms(2.0, values, h);
                }
            }
        }
        give_back(&mut self.factor, inverse);
        Ok(w_sums)
    }

    fn add_leading_forms(&self, b: usize, s: &Adjoint, h: &mut [f64]) {
        let rows = &self.rows;
        rows.diagonal(b).add_forms(1.0, &s.diagonal, h);
        for (i, values) in s.ancestors.iter().enumerate() {
            rows.ancestor(b, b + 1 + i).add_forms(2.0, values, h);
        }
        for t in 0..self.structure.starts.len() {
            let (products, values) = match &s.coupling {
                Some(Coupling::Dense(values)) => {
                    let columns = self.structure.n_trailing;
                    (rows.dense_coupling(b, t, columns), values)
                }
                Some(Coupling::Sparse(sparse)) => (rows.sparse_coupling(b, t), &sparse.values),
                None => continue,
            };
            products.add_forms(2.0, values, h);
        }
    }

    fn add_trailing_forms(&self, s: &Matrix, h: &mut [f64]) {
        for t in 0..self.structure.starts.len() {
            let diagonal = self.rows.dense_trailing(t, t, s.rows());
            diagonal.add_forms(1.0, s.data(), h);
            for earlier in 0..t {
                let products = self.rows.dense_trailing(t, earlier, s.rows());
                products.add_forms(2.0, s.data(), h);
            }
        }
    }
}

/// Adds `z_i'b` for the modes b of each row's level; `K` is the width when the compiler should know
/// it, and 0 otherwise.
fn add_linear<const K: usize>(block: &Block, z: &[f64], modes: &[f64], out: &mut [f64]) {
    let k = if K > 0 { K } else { block.width };
    for ((out, z), &v) in out.iter_mut().zip(z.chunks_exact(k)).zip(&block.codes) {
        let modes = &modes[v as usize * k..][..k];
        *out += z.iter().zip(modes).map(|(z, b)| z * b).sum::<f64>();
    }
}

fn same_length(what: &str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::Length {
        what: what.to_owned(),
        expected,
        found,
    })
}
