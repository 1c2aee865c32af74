//! The reverse step of one leading block, see [`super::selected`].

mod dense;
mod nested;
mod sparse;

use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::{small, Matrix};
use crate::products::coupling::Coupling;
use crate::products::cross_products::Leading;
use crate::system::blocked::levels::shrinkage;
use crate::system::Blocked;

/// How much of the adjoint of a block is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keep {
    Nothing,
    /// The diagonal, and what finer blocks need.
    Diagonal,
    /// All that is in the pattern of A.
    Pattern,
}

impl Keep {
    /// What the blocks before leading block b need.
    #[must_use]
    pub fn for_finer(b: usize) -> Self {
        if b > 0 {
            Self::Diagonal
        } else {
            Self::Nothing
        }
    }
}

/// Adjoint of one leading block.
pub struct Adjoint {
    /// Kbar_vv.
    pub diagonal: Vec<f64>,
    /// Kbar_vR on the rows of the coupling (a dense one has those of the pass only), when finer
    /// blocks need it or the pattern is wanted.
    pub coupling: Option<Coupling>,
    /// Kbar_vw for the leading blocks above.
    pub ancestors: Vec<Vec<f64>>,
}

/// The reverse step of one leading block.
pub struct LevelPass<'a> {
    pub system: &'a Blocked<'a>,
    pub b: usize,
    /// Kbar of the trailing rows (without X for ML).
    pub bar: &'a Matrix,
    pub above: &'a [Option<Adjoint>],
}

/// `C Kbar C'` of some rows C over everything that is eliminated later, level by level.
struct Shares {
    /// k × k for each level.
    q: Vec<f64>,
    /// `C Kbar` on the rows of the coupling and on the leading blocks above, where it was formed.
    coupling: Option<Coupling>,
    ancestors: Vec<Vec<f64>>,
}

impl LevelPass<'_> {
    /// `C Kbar C'` for each level, for rows of k columns in the pattern of this block.
    pub fn gram(&self, rows: &Leading, k: usize) -> Result<Vec<f64>> {
        Ok(self.shares(rows, k, false)?.q)
    }

    fn shares(&self, rows: &Leading, k: usize, with_coupling: bool) -> Result<Shares> {
        let n_levels = self.system.structure.blocks[self.b].n_levels;
        let mut q = zeroed(n_levels * k * k, "the adjoint of a block")?;
        let mut ancestors = Vec::new();
        let coupling = match &rows.coupling {
            Coupling::Dense(values) => {
                let mut panels = with_coupling.then(Vec::new);
                self.dense_share(values, k, &mut q, panels.as_mut())?;
                panels.map(Coupling::Dense)
            }
            Coupling::Sparse(sparse) if k == 1 && self.system.structure.n_leading == 1 => {
                if with_coupling {
                    Some(Coupling::Sparse(self.scalar_products(sparse, &mut q)?))
                } else {
                    self.quadratic_forms(sparse, &mut q);
                    None
                }
            }
            Coupling::Sparse(sparse) => {
                let mut h = self.coupling_products(sparse, k)?;
                ancestors = self.ancestor_products(rows, sparse, k, &mut h)?;
                self.add_share(rows, sparse, k, &h, &ancestors, &mut q);
                Some(Coupling::Sparse(h))
            }
        };
        Ok(Shares {
            q,
            coupling,
            ancestors,
        })
    }

    /// The sum of W over the levels, and the adjoint when it is wanted.
    pub fn run(&self, keep: Keep) -> Result<(Vec<f64>, Option<Adjoint>)> {
        let block = &self.system.structure.blocks[self.b];
        let k = block.width;
        let leading = self.system.reduced(self.b);
        let n = self.system.n(self.b);
        let Shares {
            mut q,
            mut coupling,
            mut ancestors,
        } = self.shares(leading, k, keep == Keep::Pattern)?;
        let mut sigma = vec![0.0; k * k];
        let lambda = &self.system.lambda[self.b];
        small::multiply_transposed(lambda, lambda, &mut sigma, k);
        let sum = sum_of_w(&leading.diagonal, &sigma, &q, k);
        if keep == Keep::Nothing {
            return Ok((sum, None));
        }
        // Kbar_vv = N + N Q N, Kbar_vR = -N H
        let (mut nq, mut nqn) = (vec![0.0; k * k], vec![0.0; k * k]);
        for (q, n) in q.chunks_exact_mut(k * k).zip(n.chunks_exact(k * k)) {
            small::multiply(n, q, &mut nq, k);
            small::multiply(&nq, n, &mut nqn, k);
            for ((q, &n), &s) in q.iter_mut().zip(n).zip(&nqn) {
                *q = n + s;
            }
        }
        match &mut coupling {
            Some(Coupling::Dense(h)) => negate_rows(n, h, k),
            Some(Coupling::Sparse(h)) => {
                let entries = n
                    .chunks_exact(k * k)
                    .zip(h.ranges.windows(2))
                    .flat_map(|(n, range)| (range[0]..range[1]).map(move |_| n));
                negate_columns(entries, &mut h.values, k);
                negate_rows(n, &mut h.fixed, k);
            }
            None => {}
        }
        for values in &mut ancestors {
            let width = values.len() / block.dim().max(1);
            let columns = n
                .chunks_exact(k * k)
                .flat_map(|n| (0..width).map(move |_| n));
            negate_columns(columns, values, k);
        }
        Ok((
            sum,
            Some(Adjoint {
                diagonal: q,
                coupling,
                ancestors,
            }),
        ))
    }
}

/// `v <- -n v` for each column v of k values and its n.
fn negate_columns<'n>(n: impl Iterator<Item = &'n [f64]>, values: &mut [f64], k: usize) {
    let mut product = vec![0.0; k];
    for (n, v) in n.zip(values.chunks_exact_mut(k)) {
        product.fill(0.0);
        for (column, &s) in n.chunks_exact(k).zip(v.iter()) {
            small::axpy(-s, column, &mut product);
        }
        v.copy_from_slice(&product);
    }
}

/// `V <- -n V` for k rows V of each level.
fn negate_rows(n: &[f64], values: &mut [f64], k: usize) {
    let columns = values.len() / (n.len() / k).max(1);
    if columns == 0 {
        return;
    }
    let mut product = vec![0.0; k * columns];
    for (n, rows) in n
        .chunks_exact(k * k)
        .zip(values.chunks_exact_mut(k * columns))
    {
        product.fill(0.0);
        for (h, row) in rows.chunks_exact(columns).enumerate() {
            for (out, s) in product.chunks_exact_mut(columns).zip(&n[h * k..]) {
                small::axpy(-s, row, out);
            }
        }
        rows.copy_from_slice(&product);
    }
}

/// Sum over the levels of `F K - F Q F'`, `F = (I + K Σ)^-1`.
fn sum_of_w(diagonal: &[f64], sigma: &[f64], q: &[f64], k: usize) -> Vec<f64> {
    let mut sum = vec![0.0; k * k];
    if k == 1 {
        for (&d, &q) in diagonal.iter().zip(q) {
            let f = 1.0 / (1.0 + d * sigma[0]);
            sum[0] += f * (d - q * f);
        }
        return sum;
    }
    let mut system = vec![0.0; k * k];
    let mut f = vec![0.0; k * k];
    let (mut first, mut second) = (vec![0.0; k * k], vec![0.0; k * k]);
    for (d, q) in diagonal.chunks_exact(k * k).zip(q.chunks_exact(k * k)) {
        shrinkage(d, sigma, &mut f, &mut system, k);
        small::multiply(&f, d, &mut first, k);
        small::multiply(&f, q, &mut second, k);
        small::multiply_transposed(&second, &f, &mut system, k);
        for ((sum, w), taken) in sum.iter_mut().zip(&first).zip(&system) {
            *sum += w - taken;
        }
    }
    sum
}
