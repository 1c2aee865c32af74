//! What a model has before it has a response: data, basis, structure, cross-products of [Z X].

use faer::Par;

use crate::design::basis::{FixedBasis, TermBasis};
use crate::design::costs::Costs;
use crate::design::cross_products::CrossProducts;
use crate::design::pattern::Pattern;
use crate::design::structure::{Block, Structure};
use crate::design::Predictors;
use crate::error::{Error, Result};
use crate::linalg::matrix::zeroed;

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
        let Outline {
            root_weights,
            fixed,
            structure,
            patterns,
            costs,
        } = Outline::new(&design)?;
        if !costs.fit_memory() {
            return Err(refusal(&structure, &costs));
        }
        let terms: Vec<TermBasis> = design
            .terms
            .iter()
            .map(|t| TermBasis::new(t, root_weights.as_deref()))
            .collect();
        let z = block_rows(&design, &structure, &terms, root_weights.as_deref())?;
        let cross_products =
            CrossProducts::new(&structure, patterns, &z, fixed.columns(), Par::Seq)?;
        let log_weights = design
            .weights
            .as_ref()
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

    /// Bytes of the dense matrices of an exact Hessian: one for each parameter of a leading block
    /// and a few more.
    #[must_use]
    pub fn hessian_bytes(&self) -> f64 {
        const OTHERS: f64 = 8.0;
        let dim = self.structure.trailing_dim() as f64;
        8.0 * dim * dim * (self.n_leading_theta() as f64 + OTHERS)
    }

    fn n_leading_theta(&self) -> usize {
        let blocks = self.structure.leading().iter();
        let terms = blocks.flat_map(|b| &b.terms);
        terms
            .map(|&(t, _)| &self.design.terms[t])
            .map(|t| t.template.n_parameters(t.k))
            .sum()
    }
}

/// What is known of a model before memory is taken for its cross-products.
struct Outline {
    root_weights: Option<Vec<f64>>,
    fixed: FixedBasis,
    structure: Structure,
    patterns: Vec<Pattern>,
    costs: Costs,
}

impl Outline {
    fn new(design: &Predictors) -> Result<Self> {
        design.validate()?;
        let root_weights = root_weights(design);
        let fixed = FixedBasis::new(design, root_weights.as_deref());
        let (n, rank) = (design.n_obs(), fixed.rank());
        if n <= rank {
            return Err(Error::Domain(format!(
                "{n} observations cannot determine {rank} fixed effects and a residual variance"
            )));
        }
        let structure = Structure::new(design, rank);
        let patterns = Pattern::all(&structure)?;
        let costs = Costs::new(&structure, &patterns, design.n_theta());
        Ok(Self {
            root_weights,
            fixed,
            structure,
            patterns,
            costs,
        })
    }
}

/// What a model of these predictors would cost, whether or not there is memory for it.
pub fn costs(design: &Predictors) -> Result<Costs> {
    Ok(Outline::new(design)?.costs)
}

/// Finding out by allocating could end the process.
fn refusal(structure: &Structure, costs: &Costs) -> Error {
    let effects: usize = structure.blocks.iter().map(Block::dim).sum();
    Error::Memory {
        what: format!(
            "the cross-products, factor and inverse of {effects} random effects ({} of them in one \
             dense matrix: crossed grouping factors without the largest) and {} fixed effects",
            structure.n_trailing, structure.rank
        ),
        gib: costs.bytes().total() / f64::from(1 << 30),
    }
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
