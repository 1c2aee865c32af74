//! The immutable description of a generalized linear mixed model.

use std::sync::Arc;

use crate::design::Predictors;
use crate::error::{same_length, Error, Result};
use crate::family::{Family, Information};
use crate::model::frame::{BlockRows, Frame};
use crate::products::data_rows::row_major;
use crate::products::layout::Layout;

/// Random effects of one level that quadrature can integrate over.
const WIDEST_QUADRATURE: usize = 3;
/// More points gain nothing that double precision could show.
const MOST_POINTS: usize = 100;

/// How the random effects are integrated out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approximation {
    /// Laplace's, with the coefficients profiled out together with the conditional modes.
    Fast,
    Laplace,
    /// Adaptive Gauss–Hermite quadrature with so many points in each dimension.
    Quadrature(usize),
}

impl Approximation {
    /// By the number of quadrature points, as lme4 counts them.
    #[must_use]
    pub fn of_points(n: usize) -> Self {
        match n {
            0 => Self::Fast,
            1 => Self::Laplace,
            n => Self::Quadrature(n),
        }
    }
}

/// What models with different responses to the same predictors share.
#[derive(Debug)]
pub struct PredictorRows {
    pub frame: Frame,
    /// Rows of the blocks of Z, n × width each.
    pub z: BlockRows,
    /// Rows of the basis of X, n × rank.
    pub x: Vec<f64>,
}

/// A generalized linear mixed model ready to be evaluated; shared freely between threads.
#[derive(Debug, Clone)]
pub struct GeneralizedModel {
    pub rows: Arc<PredictorRows>,
    pub family: Arc<dyn Family>,
    pub approximation: Approximation,
    /// What weighs the rows in the log-determinant.
    pub information: Information,
}

impl GeneralizedModel {
    /// Checks predictors and options. The prior weights belong to the family, not to the predictors.
    ///
    /// # Errors
    /// Besides those of the predictors: quadrature for several grouping factors, for wide terms or
    /// with too many points; an expected information that the family does not have.
    pub fn new(
        predictors: Predictors,
        family: Arc<dyn Family>,
        approximation: Approximation,
        information: Information,
    ) -> Result<Self> {
        Self::with_layout(
            predictors,
            family,
            (approximation, information),
            Layout::Cheapest,
        )
    }

    /// The same for a given way to eliminate the random effects.
    pub fn with_layout(
        predictors: Predictors,
        family: Arc<dyn Family>,
        (approximation, information): (Approximation, Information),
        layout: Layout,
    ) -> Result<Self> {
        let systems = if has_expected_system(&*family, approximation, information) {
            2
        } else {
            1
        };
        let frame = Frame::without_fixed(predictors, layout, systems)?;
        check_quadrature(&frame, approximation)?;
        let z = frame.block_rows()?;
        let x = row_major(frame.fixed.columns(), frame.fixed.rank(), 0..frame.n_obs())?;
        let rows = Arc::new(PredictorRows { frame, z, x });
        Self::of_rows(rows, family, approximation, information)
    }

    /// The model of another response to the same predictors.
    pub fn with_family(&self, family: Arc<dyn Family>) -> Result<Self> {
        let rows = Arc::clone(&self.rows);
        Self::of_rows(rows, family, self.approximation, self.information)
    }

    fn of_rows(
        rows: Arc<PredictorRows>,
        family: Arc<dyn Family>,
        approximation: Approximation,
        information: Information,
    ) -> Result<Self> {
        same_length("the response", rows.frame.n_obs(), family.n_obs())?;
        if information == Information::Expected && !family.has_expected() {
            return Err(Error::Domain(
                "the expected information of this family has no formula; use the observed one"
                    .into(),
            ));
        }
        Ok(Self {
            rows,
            family,
            approximation,
            information,
        })
    }

    /// Whether the log-determinant is that of a system other than the one of the modes.
    #[must_use]
    pub fn has_expected_system(&self) -> bool {
        has_expected_system(&*self.family, self.approximation, self.information)
    }

    #[must_use]
    pub fn frame(&self) -> &Frame {
        &self.rows.frame
    }

    #[must_use]
    pub fn n_obs(&self) -> usize {
        self.frame().n_obs()
    }

    /// Rank of X.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.frame().fixed.rank()
    }

    #[must_use]
    pub fn n_theta(&self) -> usize {
        self.frame().n_theta()
    }

    /// 1 when a dispersion is estimated, 0 otherwise.
    #[must_use]
    pub fn n_dispersion(&self) -> usize {
        usize::from(self.family.has_dispersion())
    }

    /// Coefficients among the parameters of the objective.
    #[must_use]
    pub fn n_free_coefficients(&self) -> usize {
        match self.approximation {
            Approximation::Fast => 0,
            Approximation::Laplace | Approximation::Quadrature(_) => self.rank(),
        }
    }
}

fn has_expected_system(
    family: &dyn Family,
    approximation: Approximation,
    information: Information,
) -> bool {
    // Quadrature weighs its own scale.
    information == Information::Expected
        && !family.is_canonical()
        && !matches!(approximation, Approximation::Quadrature(_))
}

fn check_quadrature(frame: &Frame, approximation: Approximation) -> Result<()> {
    let Approximation::Quadrature(points) = approximation else {
        return Ok(());
    };
    if points > MOST_POINTS {
        return Err(Error::Domain(format!(
            "{points} quadrature points are more than {MOST_POINTS}"
        )));
    }
    match frame.structure.blocks.as_slice() {
        [block] if block.width <= WIDEST_QUADRATURE => Ok(()),
        [block] => Err(Error::Domain(format!(
            "quadrature over {} random effects for each level is not possible, {WIDEST_QUADRATURE} \
             are the most; use the Laplace approximation",
            block.width
        ))),
        blocks => Err(Error::Domain(format!(
            "quadrature is for one grouping factor, and there are {}; use the Laplace approximation",
            blocks.len()
        ))),
    }
}
