//! A few columns over all random effects and X, cut up like the system.

use crate::design::Term;
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::small;
use crate::products::structure::Structure;

/// m columns; every part is row-major, m values a row.
#[derive(Debug, Clone)]
pub struct Stacked {
    pub m: usize,
    /// (levels · width) × m for each leading block.
    pub leading: Vec<Vec<f64>>,
    /// (trailing random effects + rank) × m.
    pub trailing: Vec<f64>,
}

impl Stacked {
    pub fn zeros(structure: &Structure, m: usize) -> Result<Self> {
        let what = "columns over all random effects";
        Ok(Self {
            m,
            leading: structure
                .leading()
                .iter()
                .map(|b| zeroed(b.dim() * m, what))
                .collect::<Result<_>>()?,
            trailing: zeroed(structure.trailing_dim() * m, what)?,
        })
    }

    /// One of the columns.
    #[must_use]
    pub fn column(&self, j: usize) -> Self {
        let column = |part: &[f64]| part.iter().skip(j).step_by(self.m).copied().collect();
        Self {
            m: 1,
            leading: self.leading.iter().map(|part| column(part)).collect(),
            trailing: column(&self.trailing),
        }
    }

    /// Times a matrix of m rows, column-major.
    #[must_use]
    pub fn times(&self, matrix: &[f64]) -> Self {
        let m = self.m.max(1);
        let columns = matrix.len() / m;
        let product = |part: &[f64]| -> Vec<f64> {
            let rows = part.chunks_exact(m);
            let products = rows.flat_map(|row| matrix.chunks_exact(m).map(|c| small::dot(row, c)));
            products.collect()
        };
        Self {
            m: columns,
            leading: self.leading.iter().map(|part| product(part)).collect(),
            trailing: product(&self.trailing),
        }
    }

    /// Adds so many times the columns of another.
    pub fn add(&mut self, factor: f64, other: &Self) {
        for (to, from) in self.parts_mut().zip(other.parts()) {
            small::axpy(factor, from, to);
        }
    }

    /// Sum of the products of all entries with those of another.
    #[must_use]
    pub fn inner(&self, other: &Self) -> f64 {
        let pairs = self.parts().zip(other.parts());
        pairs.map(|(a, b)| small::dot(a, b)).sum()
    }

    pub fn scale(&mut self, factor: f64) {
        for part in self.parts_mut() {
            part.iter_mut().for_each(|v| *v *= factor);
        }
    }

    fn parts(&self) -> impl Iterator<Item = &Vec<f64>> {
        self.leading.iter().chain([&self.trailing])
    }

    fn parts_mut(&mut self) -> impl Iterator<Item = &mut Vec<f64>> {
        self.leading.iter_mut().chain([&mut self.trailing])
    }

    /// The rows of one block.
    #[must_use]
    pub fn block(&self, structure: &Structure, b: usize) -> &[f64] {
        match self.leading.get(b) {
            Some(rows) => rows,
            None => {
                let start = structure.starts[b - structure.n_leading];
                &self.trailing[start * self.m..(start + structure.blocks[b].dim()) * self.m]
            }
        }
    }

    /// The rows of one block.
    pub fn block_mut(&mut self, structure: &Structure, b: usize) -> &mut [f64] {
        let m = self.m;
        match self.leading.get_mut(b) {
            Some(rows) => rows,
            None => {
                let start = structure.starts[b - structure.n_leading];
                &mut self.trailing[start * m..(start + structure.blocks[b].dim()) * m]
            }
        }
    }

    /// The rows of X.
    #[must_use]
    pub fn fixed(&self, structure: &Structure) -> &[f64] {
        &self.trailing[structure.n_trailing * self.m..]
    }

    /// One column split by term, levels × k each.
    #[must_use]
    pub fn by_term(&self, structure: &Structure, terms: &[Term]) -> Vec<Vec<f64>> {
        let mut out = vec![Vec::new(); terms.len()];
        for (b, block) in structure.blocks.iter().enumerate() {
            let rows = self.block(structure, b);
            for &(t, offset) in &block.terms {
                let k = terms[t].k;
                out[t] = rows
                    .chunks_exact(block.width)
                    .flat_map(|level| level[offset..offset + k].iter().copied())
                    .collect();
            }
        }
        out
    }

    /// These columns, then those of another.
    #[must_use]
    pub fn beside(&self, other: &Self) -> Self {
        let (m, mo) = (self.m, other.m);
        let join = |a: &[f64], b: &[f64]| -> Vec<f64> {
            let rows = a.chunks_exact(m).zip(b.chunks_exact(mo));
            rows.flat_map(|(a, b)| a.iter().chain(b).copied()).collect()
        };
        let leading = self.leading.iter().zip(&other.leading);
        Self {
            m: m + mo,
            leading: leading.map(|(a, b)| join(a, b)).collect(),
            trailing: join(&self.trailing, &other.trailing),
        }
    }

    /// `self' other`, m × (columns of other), column-major.
    #[must_use]
    pub fn gram(&self, other: &Self) -> Vec<f64> {
        let (m, mo) = (self.m, other.m);
        let mut out = vec![0.0; m * mo];
        let pairs = self
            .leading
            .iter()
            .zip(&other.leading)
            .chain([(&self.trailing, &other.trailing)]);
        for (a, b) in pairs {
            add_gram(&mut out, (a, m), (b, mo));
        }
        out
    }
}

/// `out += a' b` for rows of m and mo columns; out is m × mo, column-major.
pub fn add_gram(out: &mut [f64], (a, m): (&[f64], usize), (b, mo): (&[f64], usize)) {
    for (a, b) in a.chunks_exact(m.max(1)).zip(b.chunks_exact(mo.max(1))) {
        for (column, &b) in out.chunks_exact_mut(m.max(1)).zip(b) {
            for (out, &a) in column.iter_mut().zip(a) {
                *out += a * b;
            }
        }
    }
}
