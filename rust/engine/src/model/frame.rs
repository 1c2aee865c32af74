//! What a model has before it has a response: data, basis, structure, cross-products of [Z X].

use std::ops::Range;
use std::sync::Arc;

use crate::design::basis::{FixedBasis, TermBasis};
use crate::design::Predictors;
use crate::error::{Error, Result};
use crate::linalg::matrix::zeroed;
use crate::linalg::memory;
use crate::linalg::threads::{join, MANY_ROWS};
use crate::linalg::{small, Matrix};
use crate::products::accumulate::{project, sum_of_products};
use crate::products::costs::{Costs, Use};
use crate::products::cross_products::CrossProducts;
use crate::products::data_rows::{DataRows, RowPlaces};
use crate::products::layout::{self, Layout};
use crate::products::pattern::Pattern;
use crate::products::row_products::Rows;
use crate::products::stacked::Stacked;
use crate::products::structure::Structure;

/// Everything that models with different responses to the same predictors share.
#[derive(Debug)]
pub struct Frame {
    pub design: Arc<Predictors>,
    pub fixed: Arc<FixedBasis>,
    pub terms: Arc<Vec<TermBasis>>,
    pub structure: Arc<Structure>,
    pub costs: Costs,
    pub cross_products: CrossProducts,
    /// Rows of the design that take no part, ascending.
    left_out: Arc<[u32]>,
    /// Square roots of the prior weights.
    pub root_weights: Option<Arc<[f64]>>,
    /// Sum of the logarithms of the prior weights.
    pub log_weights: f64,
}

/// Rows that are in the basis of the engine at the same time.
const BATCH: usize = 8192;

/// The rows of each block in the basis of the engine, n × width, row-major.
pub type BlockRows = Vec<Vec<f64>>;

impl Frame {
    /// Checks the predictors and computes everything that depends neither on the response nor on
    /// theta.
    pub fn new(design: Predictors) -> Result<Self> {
        Self::with_layout(design, Layout::Cheapest)
    }

    /// The same for a given way to eliminate the random effects.
    pub fn with_layout(design: Predictors, layout: Layout) -> Result<Self> {
        design.validate()?;
        let root_weights = root_weights(&design);
        let mut frame = Self::build(design, root_weights, layout, Use::AsTheyAre, checked_rank)?;
        frame.accumulate()?;
        Ok(frame)
    }

    /// A frame for models that weigh the rows anew, in so many systems: its structure is that of the
    /// random effects alone, its cross-products are a pattern without values, and prior weights take no
    /// part in it. X has its basis all the same.
    pub fn without_fixed(design: Predictors, layout: Layout, systems: usize) -> Result<Self> {
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
    ) -> Result<Self> {
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
        let patterns = Pattern::all(&structure)?;
        let costs = Costs::new(&structure, &patterns, design.n_theta(), used);
        let bytes = costs.bytes().total();
        if !memory::suffices(bytes) {
            return Err(layout::refusal(&structure, bytes));
        }
        let cross_products = CrossProducts::pattern(&structure, patterns)?;
        let log_weights = root_weights
            .as_ref()
            .and(design.weights.as_ref())
            .map_or(0.0, |w| w.iter().map(|w| w.ln()).sum());
        Ok(Self {
            design: Arc::new(design),
            fixed: Arc::new(fixed),
            terms: Arc::new(terms),
            structure: Arc::new(structure),
            costs,
            cross_products,
            left_out: Arc::default(),
            root_weights: root_weights.map(Into::into),
            log_weights,
        })
    }

    /// Sums the cross-products up, batch by batch: the rows of Z are in the basis of the engine only
    /// as long as they are needed.
    fn accumulate(&mut self) -> Result<()> {
        let mut a = self.cross_products.zeros(&self.structure)?;
        let places = Arc::new(RowPlaces::new(&self.structure, &a)?);
        let rows = |range: Range<usize>| {
            let z = self.block_rows_of(range.clone())?;
            DataRows::batch(&self.structure, &places, range, z, self.fixed.columns())
        };
        let n = self.design.n_obs();
        let mut next = Some(rows(0..n.min(BATCH)));
        while let Some(batch) = next.take() {
            let batch = batch?;
            let range = batch.range().end..n.min(batch.range().end + BATCH);
            // The next rows are prepared while these are summed up.
            ((), next) = join(
                n >= MANY_ROWS,
                || a.add_random(&batch, None),
                || (!range.is_empty()).then(|| rows(range)),
            );
        }
        a.add_gram(self.fixed.gram());
        self.cross_products = a;
        Ok(())
    }

    /// [Z X]' of a column of the basis of the engine.
    pub fn project(&self, column: &[f64]) -> Result<Stacked> {
        let mut out = Stacked::zeros(&self.structure, 1)?;
        let n = self.design.n_obs();
        for first in (0..n).step_by(BATCH) {
            let range = first..n.min(first + BATCH);
            let z = self.block_rows_of(range.clone())?;
            for (b, (block, z)) in self.structure.blocks.iter().zip(&z).enumerate() {
                let (codes, column) = (&block.codes[range.clone()], &column[range.clone()]);
                let z = Rows {
                    values: z,
                    width: block.width,
                };
                let out = out.block_mut(&self.structure, b);
                project(codes, z, None, Rows::column(column), out);
            }
        }
        let fixed = &mut out.trailing[self.structure.n_trailing..];
        for (j, out) in fixed.iter_mut().enumerate() {
            *out = sum_of_products(self.fixed.columns().column(j), column);
        }
        Ok(out)
    }

    /// The rows of each block in the basis of the engine.
    pub fn block_rows(&self) -> Result<BlockRows> {
        self.block_rows_of(0..self.design.n_obs())
    }

    fn block_rows_of(&self, range: Range<usize>) -> Result<BlockRows> {
        let weights = self.root_weights.as_ref().map(|w| &w[range.clone()]);
        let blocks = self.structure.blocks.iter();
        blocks
            .map(|block| {
                let width = block.width;
                let mut rows = zeroed(range.len() * width, "the rows of Z")?;
                for &(t, offset) in &block.terms {
                    let term = &self.design.terms[t];
                    let z = &term.z[range.start * term.k..range.end * term.k];
                    for (i, z) in z.chunks_exact(term.k).enumerate() {
                        let weight = weights.map_or(1.0, |w| w[i]);
                        let out = &mut rows[i * width + offset..][..term.k];
                        self.terms[t].map_row(z, weight, out);
                    }
                }
                Ok(rows)
            })
            .collect()
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

    /// A matrix of the coefficients of all columns of X from that of the kept ones, column by column; NaN
    /// for the others.
    #[must_use]
    pub fn expand_square(&self, kept: &Matrix) -> Vec<f64> {
        let p = self.design.x.cols();
        let mut out = vec![f64::NAN; p * p];
        for (j, &column) in self.fixed.kept.iter().enumerate() {
            for (i, &row) in self.fixed.kept.iter().enumerate() {
                out[row + column * p] = kept[(i, j)];
            }
        }
        out
    }

    /// Number of observations.
    #[must_use]
    pub fn n_obs(&self) -> usize {
        self.design.n_obs() - self.left_out.len()
    }

    /// Rows of the design that take no part, ascending.
    #[must_use]
    pub fn left_out(&self) -> &[u32] {
        &self.left_out
    }

    /// All rows of the design, for sums over some of them.
    pub fn rows<'a>(&'a self, z: &'a BlockRows) -> Result<DataRows<'a>> {
        let x = self.fixed.columns();
        DataRows::new(&self.structure, z, x, &self.cross_products)
    }

    /// The frame of the other observations, in the same basis. `None` where what is left does not
    /// resolve all columns of X; `all` are the rows of this frame, `rows` the ones to leave out,
    /// ascending.
    pub fn without(&self, rows: &[u32], all: &DataRows<'_>) -> Result<Option<Self>> {
        let mut left_out = [&*self.left_out, rows].concat();
        left_out.sort_unstable();
        let n = self.design.n_obs() - left_out.len();
        let mut a = self.cross_products.clone();
        a.add(&all.pick(rows), Some(&vec![-1.0; rows.len()]))?;
        if n <= self.structure.rank || !resolves(&a.gram(self.structure.rank), self.fixed.gram()) {
            return Ok(None);
        }
        let weights = self.root_weights.as_ref();
        let logs = weights.map_or(0.0, |root| {
            rows.iter().map(|&i| 2.0 * root[i as usize].ln()).sum()
        });
        Ok(Some(Self {
            cross_products: a,
            left_out: left_out.into(),
            log_weights: self.log_weights - logs,
            design: Arc::clone(&self.design),
            fixed: Arc::clone(&self.fixed),
            terms: Arc::clone(&self.terms),
            structure: Arc::clone(&self.structure),
            costs: self.costs.clone(),
            root_weights: self.root_weights.clone(),
        }))
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

/// What is made of the rows: bases, rows in them, and vectors of their length.
fn row_bytes(design: &Predictors) -> f64 {
    const VECTORS: usize = 16;
    let columns = 2 * design.x.cols() + design.terms.iter().map(|t| t.k).sum::<usize>();
    8.0 * design.n_obs() as f64 * (columns + VECTORS) as f64
}

/// Whether a Gram matrix of columns still determines each of them, where rows have been taken out of
/// the whole one: below this share of its square a column is a difference that has lost its digits.
fn resolves(gram: &Matrix, whole: &Matrix) -> bool {
    const RESOLVED: f64 = 1e-8;
    let p = gram.rows();
    let mut lower = gram.data().to_vec();
    small::cholesky(&mut lower, p)
        && (0..p).all(|j| lower[j + j * p].powi(2) > RESOLVED * whole[(j, j)])
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
