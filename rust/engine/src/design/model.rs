//! The immutable description of a model: a frame and a response.

use std::ops::Deref;
use std::sync::Arc;

use crate::design::basis::ResponseBasis;
use crate::design::cross_products::{sum_of_products, CrossProducts};
use crate::design::frame::Frame;
use crate::design::layout::Layout;
use crate::design::stacked::Stacked;
use crate::design::Design;
use crate::error::{Error, Result};
use crate::linalg::small;

/// A residual sum of squares below this share of that of ordinary least squares is not resolved.
pub const NOTHING_LEFT: f64 = 1e-13;
/// Below this share it is computed from the rows: as a difference it would lose its digits.
pub const LITTLE_LEFT: f64 = 1e-5;

/// A linear mixed model ready to be evaluated; shared freely between threads. It reads as its
/// frame, which it shares with the models of other responses.
#[derive(Debug, Clone)]
pub struct Model {
    frame: Arc<Frame>,
    pub response: ResponseBasis,
    /// [Z X]'y in the basis of the engine.
    pub response_products: Stacked,
    /// y'y.
    pub response_square: f64,
}

impl Deref for Model {
    type Target = Frame;

    fn deref(&self) -> &Frame {
        &self.frame
    }
}

impl Model {
    /// Checks the design and computes everything that does not depend on theta.
    pub fn new(design: Design) -> Result<Self> {
        Self::with_layout(design, Layout::Cheapest)
    }

    /// The same for a given way to eliminate the random effects.
    pub fn with_layout(design: Design, layout: Layout) -> Result<Self> {
        let (y, predictors) = design.split();
        let (frame, z) = Frame::with_layout(predictors, layout)?;
        Self::of_frame(Arc::new(frame), y, &z)
    }

    /// The model of a response to the predictors of a frame; `z` are the rows of its blocks.
    pub fn of_frame(frame: Arc<Frame>, y: Vec<f64>, z: &[Vec<f64>]) -> Result<Self> {
        frame.design.validate_response(&y)?;
        let response = ResponseBasis::new(
            y,
            &frame.design,
            frame.root_weights.as_deref(),
            &frame.fixed,
        )
        .ok_or(Error::ExactFit)?;
        let y = &response.values;
        Ok(Self {
            response_products: CrossProducts::with_response(
                &frame.structure,
                z,
                frame.fixed.columns(),
                y,
            )?,
            response_square: sum_of_products(y, y),
            response,
            frame,
        })
    }

    /// The same model for another response: only its cross-products are computed.
    pub fn with_response(&self, y: Vec<f64>) -> Result<Self> {
        let z = self.block_rows()?;
        Self::of_frame(Arc::clone(&self.frame), y, &z)
    }

    /// ỹ - X̃γ - Z̃b̃ for conditional modes and coefficients in the basis of the engine; `z` are the
    /// rows of the blocks.
    #[must_use]
    pub fn residual(&self, solution: &Stacked, z: &[Vec<f64>]) -> Vec<f64> {
        let mut out = self.response.values.clone();
        for (j, &g) in solution.fixed(&self.structure).iter().enumerate() {
            small::axpy(-g, self.fixed.columns().column(j), &mut out);
        }
        for (b, (block, z)) in self.structure.blocks.iter().zip(z).enumerate() {
            let (k, modes) = (block.width, solution.block(&self.structure, b));
            for ((out, z), &v) in out.iter_mut().zip(z.chunks_exact(k)).zip(&block.codes) {
                *out -= small::dot(z, &modes[v as usize * k..][..k]);
            }
        }
        out
    }
}
