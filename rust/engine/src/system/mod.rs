//! Solving with A at given relative covariance factors: factorisation, solves, selected inverse,
//! derivatives of the log-determinants.
//!
//! Two traits are all that objectives and inference know: [`LeastSquares`] is what an evaluation of
//! a linear model needs, [`System`] what everything else does. How A is stored and eliminated is
//! decided here, once, by [`system`] and [`least_squares`].

mod blocked;
mod complement;
mod elimination;
mod leading_rows;
mod multiply;
mod one_factor;
mod response;
mod scaling;
mod slopes;
mod supernodal;
mod weighted;

use std::borrow::Cow;

pub use blocked::Blocked;
pub use elimination::{Elimination, LogDeterminants};
pub use multiply::multiply;
pub use response::LeastSquares;
pub use scaling::spherical;
pub use slopes::{outer_products, variates, Slopes, WorkingMap};
pub use supernodal::Supernodal;
pub use weighted::WeightedSystem;

use crate::error::Result;
use crate::linalg::{small, Matrix};
use crate::model::Model;
use crate::products::cross_products::CrossProducts;
use crate::products::data_rows::DataRows;
use crate::products::stacked::Stacked;
use crate::products::structure::{Structure, TrailingKind};
use one_factor::OneFactorResponse;
use response::WithResponse;

/// M = Λ'AΛ + I, bordered by X, at one value of the relative covariance factors.
///
/// What follows [`Self::update`] belongs to the λ of the last one that was positive definite.
pub trait System: Send + Sync {
    /// Factorises at the λ of each block. False when the system is not positive definite there (λ too
    /// large or not finite).
    fn update(&mut self, lambda: &[Vec<f64>]) -> Result<bool>;

    fn log_determinants(&self) -> LogDeterminants;

    /// Lower Cholesky factor of X'V^-1X.
    fn fixed_factor(&self) -> Matrix;

    /// `A v`.
    fn multiply(&self, v: &Stacked) -> Result<Stacked>;

    /// Forward elimination of the right-hand sides [Z X]'q.
    fn forward(&self, right: Stacked) -> Reduced;

    /// What the system explains: `F'F`, m × m, so that `q'q - F'F` is the inner product of the
    /// columns in the metric P of the residuals.
    fn explained(&self, reduced: &Reduced) -> Vec<f64>;

    /// Conditional modes b (in the rows of the random effects) and coefficients (in the rows of X).
    fn backward(&self, reduced: &Reduced) -> Stacked;

    /// The solution of the bordered system, `ΛM^-1Λ' r` without X.
    fn solve(&self, right: Stacked) -> Stacked {
        self.backward(&self.forward(right))
    }

    /// For each block the sum over its levels of the diagonal blocks of W = Z'PZ (`joint`) or
    /// Z'V^-1Z, width × width.
    fn w_sums(&mut self, joint: bool) -> Result<Vec<Vec<f64>>>;

    /// Diagonal blocks of ΛM^-1Λ', width × width for each level of each block.
    fn conditional_covariances(&mut self) -> Result<Vec<Vec<f64>>>;

    /// Adds `z_i'ΛM^-1Λ'z_i` of every row to h; the sums of Z'V^-1Z as in [`Self::w_sums`].
    fn add_row_variances(&mut self, rows: &DataRows<'_>, h: &mut [f64]) -> Result<Vec<Vec<f64>>>;

    /// Hessian of log |M|, and of log |X'V^-1X| with it when `joint`, along the directions and then along
    /// straight moves of A, which have its pattern. V is linear in Σ: along directions of Σ the entries are
    /// -tr(P V_i P V_j), or with V^-1 for P. `tick` is called between the steps; its error ends the work.
    /// `None` where there is not the memory, no formula at these λ, or where solving for the
    /// columns tells more.
    fn log_det_hessian(
        &mut self,
        directions: (Along, &[Direction]),
        moves: Vec<CrossProducts>,
        joint: bool,
        tick: &dyn Fn() -> Result<()>,
    ) -> Result<Option<Matrix>>;

    /// A.
    fn cross_products(&self) -> &CrossProducts;

    /// A of the same rows with other weights, of any sign. What was factorised before is lost.
    fn reweigh(&mut self, rows: &DataRows<'_>, weights: &[f64]) -> Result<()>;
}

/// Right-hand sides after forward elimination, in a form and order of the system's own.
#[derive(Debug, Clone)]
pub struct Reduced(Stacked);

/// What the parameters move on a straight line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Along {
    Lambda,
    /// Σ = λλ'.
    Sigma,
}

/// How one parameter moves its block.
#[derive(Debug, Clone)]
pub struct Direction {
    pub block: usize,
    /// dλ, or dΣ (symmetric), width × width.
    pub d: Vec<f64>,
}

impl Direction {
    /// dΣ, which is dλ λ' + λ dλ' for a direction of λ.
    fn sigma(&self, along: Along, lambda: &[f64], k: usize) -> Vec<f64> {
        if along == Along::Sigma {
            return self.d.clone();
        }
        let mut half = vec![0.0; k * k];
        small::multiply_transposed(&self.d, lambda, &mut half, k);
        (0..k * k)
            .map(|e| half[e] + half[e / k + e % k * k])
            .collect()
    }
}

/// A system of these cross-products, by the way to eliminate that the structure was laid out for.
pub fn system<'a>(
    structure: &'a Structure,
    a: Cow<'a, CrossProducts>,
) -> Result<Box<dyn System + 'a>> {
    Ok(match structure.trailing_kind {
        TrailingKind::Dense => Box::new(Blocked::allocate(structure, a)?),
        TrailingKind::Sparse(_) => Box::new(Supernodal::allocate(structure, a)?),
    })
}

/// The least-squares problem of a linear model.
pub fn least_squares(model: &Model) -> Result<Box<dyn LeastSquares + '_>> {
    if let Some(one_factor) = OneFactorResponse::new(model) {
        return Ok(Box::new(one_factor));
    }
    let system = system(&model.structure, Cow::Borrowed(&model.cross_products))?;
    Ok(Box::new(WithResponse::new(model, system)))
}
