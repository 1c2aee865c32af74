//! Leading blocks eliminated level by level, then one dense trailing matrix with X.

mod factor;

mod level_pass;
mod levels;
mod log_det_hessian;
mod nested;
mod rows;
mod selected;
mod solve;
mod trailing;
mod trailing_update;
mod transform;

pub use factor::BlockFactor;

use crate::error::Result;
use crate::linalg::{memory, Matrix};
use crate::products::cross_products::CrossProducts;
use crate::products::data_rows::DataRows;
use crate::products::stacked::Stacked;
use crate::system::{multiply, Along, Direction, Elimination, LogDeterminants, Reduced, System};
use level_pass::Keep;
use selected::{diagonal_blocks, Selected};

pub type Blocked<'a> = Elimination<'a, BlockFactor>;

impl System for Blocked<'_> {
    fn update(&mut self, lambda: &[Vec<f64>]) -> Result<bool> {
        self.lambda.clone_from_slice(lambda);
        Ok(self.factorise())
    }

    fn log_determinants(&self) -> LogDeterminants {
        self.log_dets
    }

    fn fixed_factor(&self) -> Matrix {
        self.factor.trailing.fixed(self.structure)
    }

    fn multiply(&self, v: &Stacked) -> Result<Stacked> {
        multiply(&self.a, self.structure, v)
    }

    fn forward(&self, right: Stacked) -> Reduced {
        self.eliminate(right)
    }

    fn explained(&self, reduced: &Reduced) -> Vec<f64> {
        self.gram_of(reduced)
    }

    fn backward(&self, reduced: &Reduced) -> Stacked {
        self.substitute(reduced)
    }

    fn w_sums(&mut self, joint: bool) -> Result<Vec<Vec<f64>>> {
        let found = self.selected(joint, Keep::Nothing)?;
        self.factor.trailing.give_back(found.trailing);
        Ok(found.w_sums)
    }

    fn conditional_covariances(&mut self) -> Result<Vec<Vec<f64>>> {
        let Selected {
            adjoints, trailing, ..
        } = self.selected(false, Keep::Diagonal)?;
        let leading = adjoints.into_iter().flatten().map(|a| a.diagonal);
        let out = leading
            .chain(diagonal_blocks(&trailing, self.structure))
            .collect();
        self.factor.trailing.give_back(trailing);
        Ok(out)
    }

    fn add_row_variances(&mut self, rows: &DataRows<'_>, h: &mut [f64]) -> Result<Vec<Vec<f64>>> {
        let Selected {
            w_sums,
            adjoints,
            trailing,
        } = self.selected(false, Keep::Pattern)?;
        for (b, adjoint) in adjoints.iter().flatten().enumerate() {
            self.add_leading_forms(rows, b, adjoint, h);
        }
        self.add_trailing_forms(rows, &trailing, h);
        self.factor.trailing.give_back(trailing);
        Ok(w_sums)
    }

    fn log_det_hessian(
        &mut self,
        directions: (Along, &[Direction]),
        moves: Vec<CrossProducts>,
        joint: bool,
        tick: &dyn Fn() -> Result<()>,
    ) -> Result<Option<Matrix>> {
        if log_det_hessian::is_wasteful(self.structure, directions.1) {
            return Ok(None);
        }
        if !memory::suffices(log_det_hessian::bytes(
            self.structure,
            directions.1,
            moves.len(),
        )) {
            return Ok(None);
        }
        log_det_hessian::log_det_hessian(self, directions, moves, joint, tick).map(Some)
    }

    fn cross_products(&self) -> &CrossProducts {
        &self.a
    }

    fn reweigh(&mut self, rows: &DataRows<'_>, weights: &[f64]) -> Result<()> {
        self.a.to_mut().reweigh(rows, Some(weights))
    }
}
