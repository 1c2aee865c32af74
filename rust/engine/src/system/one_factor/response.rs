//! One grouping factor behind the trait: evaluations by the packed levels, the rest by blocks.

use std::borrow::Cow;

use super::OneFactor;
use crate::error::{Error, Result};
use crate::linalg::Matrix;
use crate::model::Model;
use crate::products::stacked::Stacked;
use crate::system::{Blocked, LeastSquares, LogDeterminants, Slopes, System, WorkingMap};

/// Evaluations by the packed levels. What happens once a fit is left to the general elimination,
/// which is made when it is first asked for.
pub struct OneFactorResponse<'a> {
    model: &'a Model,
    levels: OneFactor,
    lambda: Vec<f64>,
    general: Option<Box<Blocked<'a>>>,
    /// Whether the general elimination is the one of this λ.
    is_current: bool,
}

impl<'a> OneFactorResponse<'a> {
    /// `None` when the model has another structure.
    #[must_use]
    pub fn new(model: &'a Model) -> Option<Self> {
        let levels = OneFactor::new(
            &model.cross_products,
            &model.structure,
            &model.response_products,
            model.response_square,
        )?;
        Some(Self {
            model,
            levels,
            lambda: Vec::new(),
            general: None,
            is_current: false,
        })
    }
}

impl LeastSquares for OneFactorResponse<'_> {
    fn update(&mut self, lambda: &[Vec<f64>]) -> Result<Option<f64>> {
        self.is_current = false;
        self.lambda.clone_from(&lambda[0]);
        Ok(self.levels.update(&lambda[0]).then_some(self.levels.r2))
    }

    fn log_determinants(&self) -> LogDeterminants {
        LogDeterminants {
            random: self.levels.log_det_z,
            fixed: self.levels.log_det_x,
        }
    }

    fn fixed_factor(&self) -> Matrix {
        self.levels.x_factor()
    }

    fn solution(&mut self) -> Result<Stacked> {
        Ok(self.levels.solution())
    }

    fn scores(&mut self, _solution: &Stacked) -> Result<Stacked> {
        Ok(self.levels.scores())
    }

    fn slopes(
        &mut self,
        maps: &[WorkingMap],
        joint: bool,
        scores: Option<Stacked>,
    ) -> Result<Slopes> {
        self.levels.differentiate(scores.as_ref());
        Ok(self.levels.slopes(maps, joint))
    }

    fn system(&mut self) -> Result<&mut dyn System> {
        let general = match self.general.take() {
            Some(known) => known,
            None => {
                let a = Cow::Borrowed(&self.model.cross_products);
                Box::new(Blocked::allocate(&self.model.structure, a)?)
            }
        };
        let general = self.general.insert(general);
        if !self.is_current {
            let lambda = std::slice::from_ref(&self.lambda);
            if !general.update(lambda)? {
                // Rounding, where λ is so large that nothing is left of the identity beside it.
                return Err(Error::Factorisation {
                    theta: self.lambda.clone(),
                });
            }
            self.is_current = true;
        }
        Ok(&mut **general)
    }
}
