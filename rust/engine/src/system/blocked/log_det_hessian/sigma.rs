//! The last step for directions that move Σ of a trailing block by E instead of λ.
//!
//! The trailing blocks enter log |V| through W alone. With K the reduced trailing matrix, κ what a
//! leading direction moves it by, M = ΛSΛ' and F = I - KM:
//!
//! ```text
//! leading, trailing  tr(E_j F κ F')
//! two trailing       -tr(E_j W E_i W)
//! ```

use crate::error::Result;
use crate::linalg::{dense, small, Matrix};
use crate::products::structure::Structure;
use crate::system::blocked::log_det_hessian::level_products::{
    level_products, times_block, times_lambda,
};
use crate::system::{Blocked, Direction};

/// F and W.
pub struct SigmaResponse {
    f: Matrix,
    w: Matrix,
}

impl SigmaResponse {
    /// F = I - GΛ' with G = KΛS.
    pub fn new(g: &Matrix, w: Matrix, system: &Blocked<'_>) -> Result<Self> {
        let structure = system.structure;
        let transposed: Vec<Vec<f64>> = system
            .lambda
            .iter()
            .zip(&structure.blocks)
            .map(|(lambda, block)| {
                let k = block.width;
                (0..k * k).map(|e| lambda[e / k + e % k * k]).collect()
            })
            .collect();
        let mut f = times_lambda(g, structure, &transposed)?;
        f.data_mut().iter_mut().for_each(|v| *v = -*v);
        for i in 0..f.rows() {
            f[(i, i)] += 1.0;
        }
        Ok(Self { f, w })
    }

    /// Pairs of the leading direction i, which moves K so, with the trailing ones.
    pub fn add_mixed(
        &self,
        out: &mut Matrix,
        i: usize,
        directions: &[Direction],
        moved_k: &Matrix,
        structure: &Structure,
    ) -> Result<()> {
        let moved = dense::product(&self.f, moved_k)?;
        for (t, place) in structure.trailing().enumerate() {
            let sum = level_products(place, &moved, &self.f, 0);
            for (j, direction) in directions.iter().enumerate() {
                if direction.block == structure.n_leading + t {
                    out[(i.min(j), i.max(j))] += small::dot(&sum, &direction.d);
                }
            }
        }
        Ok(())
    }

    /// Pairs of the trailing direction i with itself and the trailing ones before it.
    pub fn add_trailing(
        &self,
        out: &mut Matrix,
        i: usize,
        directions: &[Direction],
        structure: &Structure,
    ) -> Result<()> {
        let own = &directions[i];
        let first = structure.starts[own.block - structure.n_leading];
        let moved = times_block(&self.w, (first, &structure.blocks[own.block]), &own.d)?;
        for (t, place) in structure.trailing().enumerate() {
            let sum = level_products(place, &moved, &self.w, first);
            for (j, other) in directions[..=i].iter().enumerate() {
                if other.block == structure.n_leading + t {
                    out[(j, i)] -= small::dot(&sum, &other.d);
                }
            }
        }
        Ok(())
    }
}
