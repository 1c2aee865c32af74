//! The immutable description of a model: data, basis, structure, cross-products.

use faer::Par;

use crate::design::basis::{FixedBasis, ResponseBasis, TermBasis};
use crate::design::cross_products::{sum_of_products, CrossProducts};
use crate::design::layout::{self, Layout};
use crate::design::stacked::Stacked;
use crate::design::structure::Structure;
use crate::design::Design;
use crate::error::{Error, Result};
use crate::linalg::matrix::zeroed;
use crate::linalg::small;

/// A residual sum of squares below this share of that of ordinary least squares is not resolved.
pub const NOTHING_LEFT: f64 = 1e-13;
/// Below this share it is computed from the rows: as a difference it would lose its digits.
pub const LITTLE_LEFT: f64 = 1e-5;

/// A linear mixed model ready to be evaluated; shared freely between threads.
#[derive(Debug, Clone)]
pub struct Model {
    pub design: Design,
    pub fixed: FixedBasis,
    pub response: ResponseBasis,
    pub terms: Vec<TermBasis>,
    pub structure: Structure,
    pub cross_products: CrossProducts,
    /// [Z X]'y in the basis of the engine.
    pub response_products: Stacked,
    /// y'y.
    pub response_square: f64,
    /// Sum of the logarithms of the prior weights.
    pub log_weights: f64,
}

impl Model {
    /// Checks the design and computes everything that does not depend on theta.
    pub fn new(design: Design) -> Result<Self> {
        Self::with_layout(design, Layout::Cheapest)
    }

    /// The same for a given way to eliminate the random effects.
    pub fn with_layout(design: Design, layout: Layout) -> Result<Self> {
        design.validate()?;
        let root_weights = root_weights(&design);
        let fixed = FixedBasis::new(&design, root_weights.as_deref());
        let terms: Vec<TermBasis> = design
            .terms
            .iter()
            .map(|t| TermBasis::new(t, root_weights.as_deref()))
            .collect();
        let (n, rank) = (design.n_obs(), fixed.rank());
        if n <= rank {
            return Err(Error::Domain(format!(
                "{n} observations cannot determine {rank} fixed effects and a residual variance"
            )));
        }
        let structure = layout::structure(&design, rank, layout)?;
        let z = block_rows(&design, &structure, &terms, root_weights.as_deref())?;
        let cross_products = CrossProducts::new(&structure, &z, fixed.columns(), Par::Seq)?;
        let log_weights = design
            .weights
            .as_ref()
            .map_or(0.0, |w| w.iter().map(|w| w.ln()).sum());
        let mut model = Self {
            response: ResponseBasis::new(&design, root_weights.as_deref(), &fixed)
                .ok_or(Error::ExactFit)?,
            response_products: Stacked::zeros(&structure, 1)?,
            response_square: 0.0,
            design,
            fixed,
            terms,
            structure,
            cross_products,
            log_weights,
        };
        model.take_response(&z)?;
        Ok(model)
    }

    /// The same model for another response: only its cross-products are computed.
    pub fn with_response(&self, y: Vec<f64>) -> Result<Self> {
        let mut model = self.clone();
        model.design.y = y;
        model.design.validate()?;
        let root_weights = root_weights(&model.design);
        model.response = ResponseBasis::new(&model.design, root_weights.as_deref(), &model.fixed)
            .ok_or(Error::ExactFit)?;
        let z = model.block_rows()?;
        model.take_response(&z)?;
        Ok(model)
    }

    fn take_response(&mut self, z: &[Vec<f64>]) -> Result<()> {
        let y = &self.response.values;
        self.response_products =
            CrossProducts::with_response(&self.structure, z, self.fixed.columns(), y)?;
        self.response_square = sum_of_products(y, y);
        Ok(())
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

    /// The rows of each block in the basis of the engine, n × width, row-major.
    pub fn block_rows(&self) -> Result<Vec<Vec<f64>>> {
        let root_weights = root_weights(&self.design);
        block_rows(
            &self.design,
            &self.structure,
            &self.terms,
            root_weights.as_deref(),
        )
    }

    /// Number of observations.
    #[must_use]
    pub fn n_obs(&self) -> usize {
        self.design.n_obs()
    }

    /// Number of parameters in theta.
    #[must_use]
    pub fn n_theta(&self) -> usize {
        let terms = self.design.terms.iter();
        terms.map(|t| t.template.n_parameters(t.k)).sum()
    }

    /// Rough number of floating-point operations of one evaluation.
    #[must_use]
    pub fn flops(&self) -> f64 {
        layout::flops(&self.structure)
    }
}

fn root_weights(design: &Design) -> Option<Vec<f64>> {
    let weights = design.weights.as_ref()?;
    Some(weights.iter().map(|w| w.sqrt()).collect())
}

/// The rows of each block in the basis of the engine, n × width, row-major.
fn block_rows(
    design: &Design,
    structure: &Structure,
    bases: &[TermBasis],
    root_weights: Option<&[f64]>,
) -> Result<Vec<Vec<f64>>> {
    let n = design.n_obs();
    structure
        .blocks
        .iter()
        .map(|block| {
            let width = block.width;
            let mut rows = zeroed(n * width, "the rows of Z")?;
            for &(t, offset) in &block.terms {
                let term = &design.terms[t];
                for (i, z) in term.z.chunks_exact(term.k).enumerate() {
                    let weight = root_weights.map_or(1.0, |w| w[i]);
                    let out = &mut rows[i * width + offset..][..term.k];
                    bases[t].map_row(z, weight, out);
                }
            }
            Ok(rows)
        })
        .collect()
}
