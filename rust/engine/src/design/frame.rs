//! What a model has before it has a response: data, basis, structure, cross-products of [Z X].

use crate::design::basis::{FixedBasis, TermBasis};
use crate::design::costs::{Costs, Use};
use crate::design::cross_products::CrossProducts;
use crate::design::layout::{self, Layout};
use crate::design::pattern::Pattern;
use crate::design::structure::Structure;
use crate::design::Predictors;
use crate::error::{Error, Result};
use crate::linalg::matrix::zeroed;
use crate::linalg::memory;
use crate::linalg::threads::{join, MANY_ROWS};

/// Everything that models with different responses to the same predictors share.
#[derive(Debug)]
pub struct Frame {
    pub design: Predictors,
    pub fixed: FixedBasis,
    pub terms: Vec<TermBasis>,
    pub structure: Structure,
    pub costs: Costs,
    pub cross_products: CrossProducts,
    /// Square roots of the prior weights.
    pub root_weights: Option<Vec<f64>>,
    /// Sum of the logarithms of the prior weights.
    pub log_weights: f64,
}

/// The rows of each block in the basis of the engine, n × width, row-major.
pub type BlockRows = Vec<Vec<f64>>;

impl Frame {
    /// Checks the predictors and computes everything that depends neither on the response nor on
    /// theta. The rows of Z are returned too: responses need them, evaluations do not.
    pub fn new(design: Predictors) -> Result<(Self, BlockRows)> {
        Self::with_layout(design, Layout::Cheapest)
    }

    /// The same for a given way to eliminate the random effects.
    pub fn with_layout(design: Predictors, layout: Layout) -> Result<(Self, BlockRows)> {
        design.validate()?;
        let root_weights = root_weights(&design);
        Self::build(design, root_weights, layout, Use::AsTheyAre, checked_rank)
    }

    /// A frame whose structure and cross-products are those of the random effects alone, for models
    /// that weigh the rows anew, in so many systems: prior weights take no part in it. X has its basis
    /// all the same.
    pub fn without_fixed(
        design: Predictors,
        layout: Layout,
        systems: usize,
    ) -> Result<(Self, BlockRows)> {
        design.validate()?;
        Self::build(design, None, layout, Use::Reweighed(systems), |_, _| Ok(0))
    }

    /// `rank` tells how many columns of X the structure has, all or none.
    fn build(
        design: Predictors,
        root_weights: Option<Vec<f64>>,
        layout: Layout,
        used: Use,
        rank: impl FnOnce(&FixedBasis, usize) -> Result<usize>,
    ) -> Result<(Self, BlockRows)> {
        let n = design.n_obs();
        let bytes = row_bytes(&design);
        if !memory::suffices(bytes) {
            return Err(memory::shortage(bytes, "the rows of the model matrices"));
        }
        let weights = root_weights.as_deref();
        let (fixed, terms): (_, Vec<TermBasis>) = join(
            n >= MANY_ROWS,
            || FixedBasis::new(&design, weights),
            || {
                design
                    .terms
                    .iter()
                    .map(|t| TermBasis::new(t, weights))
                    .collect()
            },
        );
        let fixed = fixed?;
        let structure = layout::structure(&design, rank(&fixed, n)?, layout)?;
        let (patterns, z) = join(
            n >= MANY_ROWS,
            || Pattern::all(&structure),
            || block_rows(&design, &structure, &terms, weights),
        );
        let (patterns, z) = (patterns?, z?);
        let costs = Costs::new(&structure, &patterns, design.n_theta(), used);
        let bytes = costs.bytes().total();
        if !memory::suffices(bytes) {
            return Err(layout::refusal(&structure, bytes));
        }
        let cross_products =
            CrossProducts::new(&structure, patterns, &z, (fixed.columns(), fixed.gram()))?;
        let log_weights = root_weights
            .as_ref()
            .and(design.weights.as_ref())
            .map_or(0.0, |w| w.iter().map(|w| w.ln()).sum());
        let frame = Self {
            design,
            fixed,
            terms,
            structure,
            costs,
            cross_products,
            root_weights,
            log_weights,
        };
        Ok((frame, z))
    }

    /// The rows of each block in the basis of the engine.
    pub fn block_rows(&self) -> Result<BlockRows> {
        block_rows(
            &self.design,
            &self.structure,
            &self.terms,
            self.root_weights.as_deref(),
        )
    }

    /// Coefficients of all columns of X from those of the kept ones; NaN for the others.
    #[must_use]
    pub fn expand(&self, kept: &[f64]) -> Vec<f64> {
        let mut out = vec![f64::NAN; self.design.x.cols()];
        for (&j, &value) in self.fixed.kept.iter().zip(kept) {
            out[j] = value;
        }
        out
    }

    /// Number of observations.
    #[must_use]
    pub fn n_obs(&self) -> usize {
        self.design.n_obs()
    }

    /// Number of parameters in theta.
    #[must_use]
    pub fn n_theta(&self) -> usize {
        self.design.n_theta()
    }

    /// Rough number of floating-point operations of one evaluation.
    #[must_use]
    pub fn flops(&self) -> f64 {
        self.costs.flops().value
    }

    /// Rough number of floating-point operations of an exact Hessian. That of differences of
    /// gradients is about `6 n_theta()` times `flops()`.
    #[must_use]
    pub fn hessian_flops(&self) -> f64 {
        let dim = self.structure.trailing_dim() as f64;
        let moved = self.n_leading_theta() as f64;
        let products = 2.0 * dim * dim * dim;
        let elimination = self.costs.elimination_flops();
        3.0 * self.flops() + moved * (2.0 * elimination + products) + 2.0 * products
    }

    fn n_leading_theta(&self) -> usize {
        let blocks = self.structure.leading().iter();
        let terms = blocks.flat_map(|b| &b.terms);
        terms
            .map(|&(t, _)| &self.design.terms[t])
            .map(|t| t.covariance.n_parameters(t.k))
            .sum()
    }
}

/// What a model of these predictors would cost, whether or not there is memory for it.
pub fn costs(design: &Predictors, used: Use) -> Result<Costs> {
    design.validate()?;
    let rank = match used {
        Use::AsTheyAre => {
            let fixed = FixedBasis::new(design, root_weights(design).as_deref())?;
            checked_rank(&fixed, design.n_obs())?
        }
        Use::Reweighed(_) => 0,
    };
    let structure = layout::described_structure(design, rank)?;
    let patterns = Pattern::all(&structure)?;
    Ok(Costs::new(&structure, &patterns, design.n_theta(), used))
}

/// What is made of the rows: bases, levels of the blocks, and vectors of their length.
fn row_bytes(design: &Predictors) -> f64 {
    const VECTORS: usize = 16;
    let columns = 3 * design.x.cols() + design.terms.iter().map(|t| 2 * t.k + 1).sum::<usize>();
    8.0 * design.n_obs() as f64 * (columns + VECTORS) as f64
}

fn checked_rank(fixed: &FixedBasis, n: usize) -> Result<usize> {
    let rank = fixed.rank();
    if n <= rank {
        return Err(Error::Domain(format!(
            "{n} observations cannot determine {rank} fixed effects and a residual variance"
        )));
    }
    Ok(rank)
}

fn root_weights(design: &Predictors) -> Option<Vec<f64>> {
    let weights = design.weights.as_ref()?;
    Some(weights.iter().map(|w| w.sqrt()).collect())
}

/// The rows of each block in the basis of the engine, n × width, row-major.
fn block_rows(
    design: &Predictors,
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
