//! The system of the random effects for rows whose weights change, as in penalised iteratively
//! reweighted least squares.
//!
//! `A(w) = Σ w_i z_i z_i'` is linear in the weights. Its transpose takes a matrix S with the pattern
//! of A to the numbers `z_i' S z_i`, which for S = ΛM^-1Λ' are the variances of the linear predictor
//! of each row: one walk over the rows serves both, see [`DataRows`].

use std::borrow::Cow;

use crate::error::{same_length, Error, Result};
use crate::linalg::Matrix;
use crate::model::Frame;
use crate::products::accumulate::project;
use crate::products::data_rows::DataRows;
use crate::products::row_products::Rows;
use crate::products::stacked::Stacked;
use crate::products::structure::{Block, Structure};
use crate::system::{system, Along, Direction, System};

/// M = Λ'Z'WZΛ + I for weights that change: a system of its own cross-products, and the rows they
/// come from. X, where the structure has it, borders Z'WZ.
pub struct WeightedSystem<'a> {
    structure: &'a Structure,
    z: &'a [Vec<f64>],
    rows: DataRows<'a>,
    system: Box<dyn System + 'a>,
}

impl<'a> WeightedSystem<'a> {
    /// `z` are the rows of the blocks, see [`Frame::block_rows`].
    pub fn new(frame: &'a Frame, z: &'a [Vec<f64>]) -> Result<Self> {
        let structure = &frame.structure;
        let a = &frame.cross_products;
        Ok(Self {
            structure,
            z,
            rows: DataRows::new(structure, z, frame.fixed.columns(), a)?,
            system: system(structure, Cow::Owned(a.zeros(structure)?))?,
        })
    }

    /// Weighs the rows (weights may be negative) and factorises at the λ of each block. False when
    /// the matrix is not positive definite or not finite.
    pub fn update(&mut self, weights: &[f64], lambda: &[Vec<f64>]) -> Result<bool> {
        self.weigh(weights)?;
        self.system.update(lambda)
    }

    /// Weighs the rows; the factor stays.
    pub fn weigh(&mut self, weights: &[f64]) -> Result<()> {
        same_length("the weights", self.rows.n_obs(), weights.len())?;
        self.system.reweigh(&self.rows, weights)
    }

    /// The system at the present weights.
    #[must_use]
    pub fn system(&self) -> &dyn System {
        &*self.system
    }

    pub fn system_mut(&mut self) -> &mut (dyn System + 'a) {
        &mut *self.system
    }

    /// log |M|.
    #[must_use]
    pub fn log_det(&self) -> f64 {
        self.system.log_determinants().random
    }

    /// `Z'V` for n × m values, row-major; zero in the rows of X.
    pub fn project(&self, values: &[f64], m: usize) -> Result<Stacked> {
        self.project_weighted(None, values, m)
    }

    /// `Z'WV` for weights of the rows.
    pub fn project_weighted(
        &self,
        weights: Option<&[f64]>,
        values: &[f64],
        m: usize,
    ) -> Result<Stacked> {
        same_length("the values", self.rows.n_obs() * m, values.len())?;
        let mut out = Stacked::zeros(self.structure, m)?;
        for (b, (block, z)) in self.structure.blocks.iter().zip(self.z).enumerate() {
            let out = out.block_mut(self.structure, b);
            let z = Rows {
                values: z,
                width: block.width,
            };
            project(&block.codes, z, weights, Rows { values, width: m }, out);
        }
        Ok(out)
    }

    /// Hessian of log|M| along directions of Σ and then along moves of the weights. `None` where the system
    /// has no formula, and where there is not the memory.
    pub fn log_det_hessian(
        &mut self,
        directions: &[Direction],
        moves: impl Iterator<Item = Vec<f64>>,
        tick: &dyn Fn() -> Result<()>,
    ) -> Result<Option<Matrix>> {
        let products = self.system.cross_products();
        let moved = moves.map(|weights| {
            let mut moved = products.zeros(self.structure)?;
            moved.reweigh(&self.rows, Some(&weights))?;
            Ok(moved)
        });
        let moved = match moved.collect::<Result<Vec<_>>>() {
            Err(Error::Memory { .. }) => return Ok(None),
            moved => moved?,
        };
        let directions = (Along::Sigma, directions);
        self.system.log_det_hessian(directions, moved, false, tick)
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
        h.fill(0.0);
        self.system.add_row_variances(&self.rows, h)
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
