//! The immutable description of a model: a frame and a response.

use std::ops::Deref;
use std::sync::Arc;

use crate::design::basis::ResponseBasis;
use crate::design::Design;
use crate::error::{Error, Result};
use crate::linalg::small;
use crate::model::frame::{BlockRows, Frame};
use crate::products::accumulate::{project, sum_of_products};
use crate::products::cross_products::CrossProducts;
use crate::products::data_rows::{pick, DataRows};
use crate::products::layout::Layout;
use crate::products::row_products::Rows;
use crate::products::stacked::Stacked;

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
        Self::of_frame(Arc::new(Frame::with_layout(predictors, layout)?), y)
    }

    /// The model of a response to the predictors of a frame.
    pub fn of_frame(frame: Arc<Frame>, y: Vec<f64>) -> Result<Self> {
        Self::of_projected(frame, y, Frame::project)
    }

    /// The same where the rows `z` of the blocks are there already.
    pub fn of_rows(frame: Arc<Frame>, y: Vec<f64>, z: &BlockRows) -> Result<Self> {
        Self::of_projected(frame, y, |frame, y| {
            CrossProducts::with_response(&frame.structure, z, frame.fixed.columns(), y)
        })
    }

    fn of_projected(
        frame: Arc<Frame>,
        y: Vec<f64>,
        project: impl FnOnce(&Frame, &[f64]) -> Result<Stacked>,
    ) -> Result<Self> {
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
            response_products: project(&frame, y)?,
            response_square: sum_of_products(y, y),
            response,
            frame,
        })
    }

    /// The same model for another response: only its cross-products are computed.
    pub fn with_response(&self, y: Vec<f64>) -> Result<Self> {
        Self::of_frame(Arc::clone(&self.frame), y)
    }

    /// The model of the response `y - Σ t d`, for responses d to the same predictors; in the scale of this
    /// one, of which it takes linear combinations.
    #[must_use]
    pub fn moved(&self, along: &[(f64, &Self)]) -> Self {
        let mut out = self.clone();
        let mut values = out.response.values.to_vec();
        for (t, d) in along {
            let factor = -t * d.response.scale / self.response.scale;
            small::axpy(factor, &d.response.values, &mut values);
            small::axpy(factor, &d.response.explained, &mut out.response.explained);
            out.response.centre -= t * d.response.centre;
            out.response_products.add(factor, &d.response_products);
        }
        out.response_square = sum_of_products(&values, &values);
        out.response.values = values.into();
        out
    }

    /// The model of the other observations: what these rows add to the cross-products is taken out, and
    /// nothing else is computed anew. `None` where what is left does not resolve the fixed effects or
    /// the response. `all` are the rows of the frame, `rows` the ones to leave out, ascending.
    pub fn without(&self, rows: &[u32], all: &DataRows<'_>) -> Result<Option<Self>> {
        let Some(frame) = self.frame.without(rows, all)? else {
            return Ok(None);
        };
        let taken = all.pick(rows);
        let y = pick(&self.response.values, 1, rows);
        let minus: Vec<f64> = y.iter().map(|v| -v).collect();
        let square = self.response_square - sum_of_products(&y, &y);
        if square <= LITTLE_LEFT * self.response_square {
            return Ok(None);
        }
        let mut products = self.response_products.clone();
        for b in 0..self.structure.blocks.len() {
            let (_, codes, z) = taken.block(b);
            let out = products.block_mut(&self.structure, b);
            project(codes, z, None, Rows::column(&minus), out);
        }
        let (q, p) = (self.structure.n_trailing, self.structure.rank);
        for (x, &y) in taken.x_rows().chunks_exact(p.max(1)).zip(&minus) {
            small::axpy(y, x, &mut products.trailing[q..]);
        }
        Ok(Some(Self {
            frame: Arc::new(frame),
            response: self.response.clone(),
            response_products: products,
            response_square: square,
        }))
    }

    /// The response in the units of the user.
    #[must_use]
    pub fn raw_response(&self) -> Vec<f64> {
        let ResponseBasis {
            centre,
            scale,
            explained,
            values,
        } = &self.response;
        let mut y = values.to_vec();
        for (j, &g) in explained.iter().enumerate() {
            small::axpy(g, self.fixed.columns().column(j), &mut y);
        }
        for (i, y) in y.iter_mut().enumerate() {
            let root = self.root_weights.as_ref().map_or(1.0, |w| w[i]);
            let offset = self.design.offset.as_ref().map_or(0.0, |o| o[i]);
            *y = offset + centre + scale * *y / root;
        }
        y
    }

    /// What it shares with the models of other responses.
    #[must_use]
    pub fn frame(&self) -> &Arc<Frame> {
        &self.frame
    }

    /// ỹ - X̃γ - Z̃b̃, zero in rows that are left out, for conditional modes and coefficients in the basis of the engine; `z` are the
    /// rows of the blocks.
    #[must_use]
    pub fn residual(&self, solution: &Stacked, z: &[Vec<f64>]) -> Vec<f64> {
        let mut out = self.response.values.to_vec();
        for (j, &g) in solution.fixed(&self.structure).iter().enumerate() {
            small::axpy(-g, self.fixed.columns().column(j), &mut out);
        }
        for (b, (block, z)) in self.structure.blocks.iter().zip(z).enumerate() {
            let (k, modes) = (block.width, solution.block(&self.structure, b));
            for ((out, z), &v) in out.iter_mut().zip(z.chunks_exact(k)).zip(&block.codes) {
                *out -= small::dot(z, &modes[v as usize * k..][..k]);
            }
        }
        self.left_out().iter().for_each(|&i| out[i as usize] = 0.0);
        out
    }
}
