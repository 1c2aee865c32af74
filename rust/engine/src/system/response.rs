//! The response of a linear model, and what an evaluation asks of the system it is solved with.

use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::model::Model;
use crate::products::stacked::Stacked;
use crate::system::slopes::{slopes, Slopes, WorkingMap};
use crate::system::{LogDeterminants, Reduced, System};

/// Penalised least squares of one response at given relative covariance factors: all that an
/// evaluation of a linear model needs.
///
/// What follows [`Self::update`] belongs to the λ of the last one that was positive definite.
pub trait LeastSquares {
    /// Factorises at the λ of each block: r² = y'Py, or `None` when the system is not positive
    /// definite there.
    fn update(&mut self, lambda: &[Vec<f64>]) -> Result<Option<f64>>;

    fn log_determinants(&self) -> LogDeterminants;

    /// Lower Cholesky factor of X'V^-1X.
    fn fixed_factor(&self) -> Matrix;

    /// Conditional modes and coefficients.
    fn solution(&mut self) -> Result<Stacked>;

    /// c = Z'Py, from the cross-products; `solution` is the one of this system.
    fn scores(&mut self, solution: &Stacked) -> Result<Stacked>;

    /// What the derivatives are made of, for the parameters that these maps belong to. W is Z'PZ for
    /// `joint` and Z'V^-1Z otherwise; `scores` replaces c when its digits are not to be had from the
    /// cross-products.
    fn slopes(
        &mut self,
        maps: &[WorkingMap],
        joint: bool,
        scores: Option<Stacked>,
    ) -> Result<Slopes>;

    /// The system at the same λ, for what happens once a fit.
    fn system(&mut self) -> Result<&mut dyn System>;
}

/// Any system, and a response.
pub struct WithResponse<'a> {
    model: &'a Model,
    system: Box<dyn System + 'a>,
    /// The response after forward elimination.
    reduced: Option<Reduced>,
}

impl<'a> WithResponse<'a> {
    pub fn new(model: &'a Model, system: Box<dyn System + 'a>) -> Self {
        Self {
            model,
            system,
            reduced: None,
        }
    }
}

impl LeastSquares for WithResponse<'_> {
    fn update(&mut self, lambda: &[Vec<f64>]) -> Result<Option<f64>> {
        self.reduced = None;
        if !self.system.update(lambda)? {
            return Ok(None);
        }
        let solved = self.system.forward(self.model.response_products.clone());
        let r2 = self.model.response_square - self.system.explained(&solved)[0];
        self.reduced = Some(solved);
        Ok(Some(r2))
    }

    fn log_determinants(&self) -> LogDeterminants {
        self.system.log_determinants()
    }

    fn fixed_factor(&self) -> Matrix {
        self.system.fixed_factor()
    }

    fn solution(&mut self) -> Result<Stacked> {
        let reduced = self.reduced.as_ref().ok_or_else(nothing_factorised)?;
        Ok(self.system.backward(reduced))
    }

    fn scores(&mut self, solution: &Stacked) -> Result<Stacked> {
        let mut c = self.system.multiply(solution)?;
        let y = &self.model.response_products;
        let parts = c
            .leading
            .iter_mut()
            .zip(&y.leading)
            .chain([(&mut c.trailing, &y.trailing)]);
        for (c, y) in parts {
            c.iter_mut().zip(y).for_each(|(c, y)| *c = y - *c);
        }
        c.trailing[self.model.structure.n_trailing..].fill(0.0);
        Ok(c)
    }

    fn slopes(
        &mut self,
        maps: &[WorkingMap],
        joint: bool,
        scores: Option<Stacked>,
    ) -> Result<Slopes> {
        let c = match scores {
            Some(c) => c,
            None => {
                let solution = self.solution()?;
                self.scores(&solution)?
            }
        };
        let w = self.system.w_sums(joint)?;
        slopes(&*self.system, &self.model.structure, maps, &c, w)
    }

    fn system(&mut self) -> Result<&mut dyn System> {
        Ok(&mut *self.system)
    }
}

/// A fault of the caller: an evaluation comes first.
fn nothing_factorised() -> Error {
    Error::Internal("the penalised least squares system has not been factorised".into())
}
