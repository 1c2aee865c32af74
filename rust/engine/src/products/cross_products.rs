//! The blocked cross-products A of [Z X]: all that an evaluation needs to know of the rows.

use crate::error::{Error, Result};
use crate::linalg::matrix::zeroed;
use crate::linalg::{small, Matrix};
use crate::products::coupling::Coupling;
use crate::products::pattern::Pattern;
use crate::products::sparse_products::SparseProducts;
use crate::products::structure::{Structure, TrailingKind};

/// A leading block: its diagonal, its coupling to the leading blocks that hold it, and to the rest.
#[derive(Debug, Clone)]
pub struct Leading {
    /// width × width for each level.
    pub diagonal: Vec<f64>,
    /// For each later leading block: width × (its width) for each level, column-major.
    pub ancestors: Vec<Vec<f64>>,
    pub coupling: Coupling,
}

/// The trailing rows and columns, X included.
#[derive(Debug, Clone)]
pub enum Trailing {
    /// Symmetric, both triangles.
    Dense(Matrix),
    Sparse(SparseProducts),
}

impl Trailing {
    /// The matrix, when it is dense.
    #[must_use]
    pub fn dense(&self) -> Option<&Matrix> {
        match self {
            Self::Dense(matrix) => Some(matrix),
            Self::Sparse(_) => None,
        }
    }
}

/// A without the response.
#[derive(Debug, Clone)]
pub struct CrossProducts {
    pub leading: Vec<Leading>,
    pub trailing: Trailing,
}

impl CrossProducts {
    /// The pattern of the cross-products of a structure, without values.
    pub fn pattern(structure: &Structure, patterns: Vec<Pattern>) -> Result<Self> {
        let leading = patterns.into_iter().map(|pattern| Leading {
            diagonal: Vec::new(),
            ancestors: Vec::new(),
            coupling: Coupling::pattern(pattern),
        });
        Ok(Self {
            leading: leading.collect(),
            trailing: match &structure.trailing_kind {
                TrailingKind::Dense => Trailing::Dense(Matrix::default()),
                TrailingKind::Sparse(analysis) => {
                    Trailing::Sparse(SparseProducts::pattern(structure, analysis)?)
                }
            },
        })
    }

    /// Room for values in the same pattern.
    pub fn zeros(&self, structure: &Structure) -> Result<Self> {
        let leading = self.leading.iter().enumerate();
        let leading = leading.map(|(b, leading)| leading.zeros(structure, b));
        Ok(Self {
            leading: leading.collect::<Result<_>>()?,
            trailing: match &self.trailing {
                Trailing::Dense(_) => {
                    let dim = structure.trailing_dim();
                    Trailing::Dense(Matrix::zeros(dim, dim, "the trailing matrix")?)
                }
                Trailing::Sparse(products) => Trailing::Sparse(products.zeros(structure.rank)?),
            },
        })
    }

    /// Adds to X'X.
    pub fn add_gram(&mut self, gram: &Matrix) {
        let p = gram.rows();
        match &mut self.trailing {
            Trailing::Dense(matrix) => {
                let q = matrix.rows() - p;
                for j in 0..p {
                    small::axpy(1.0, gram.column(j), &mut matrix.column_mut(q + j)[q..]);
                }
            }
            Trailing::Sparse(products) => {
                small::axpy(1.0, gram.data(), products.fixed_square_mut().data_mut());
            }
        }
    }

    /// Adds the cross-products of other rows in the same pattern.
    ///
    /// # Errors
    /// Another pattern.
    pub fn merge(&mut self, mut other: Self) -> Result<()> {
        let (own, others) = (self.values_mut(), other.values_mut());
        let same =
            own.len() == others.len() && own.iter().zip(&others).all(|(a, b)| a.len() == b.len());
        if !same {
            return Err(Error::Internal(
                "cross-products of different patterns cannot be merged".into(),
            ));
        }
        for (own, other) in own.into_iter().zip(others) {
            small::axpy(1.0, other, own);
        }
        Ok(())
    }

    /// X'X of so many columns.
    #[must_use]
    pub fn gram(&self, p: usize) -> Matrix {
        match &self.trailing {
            Trailing::Dense(matrix) => {
                let q = matrix.rows() - p;
                let columns = (q..q + p).flat_map(|j| &matrix.column(j)[q..]);
                Matrix::from_columns(p, p, columns.copied().collect())
            }
            Trailing::Sparse(products) => products.fixed_square().clone(),
        }
    }

    /// Everything stored but the pattern.
    pub fn values_mut(&mut self) -> Vec<&mut [f64]> {
        let mut out: Vec<&mut [f64]> = Vec::new();
        for leading in &mut self.leading {
            out.push(&mut leading.diagonal);
            out.extend(leading.ancestors.iter_mut().map(Vec::as_mut_slice));
            out.extend(leading.coupling.values_mut());
        }
        match &mut self.trailing {
            Trailing::Dense(matrix) => out.push(matrix.data_mut()),
            Trailing::Sparse(products) => out.extend(products.values_mut()),
        }
        out
    }
}

impl Leading {
    /// The same pattern with zeros in it.
    pub fn zeros_like(&self) -> Result<Self> {
        let ancestors = self.ancestors.iter();
        Ok(Self {
            diagonal: zeroed(self.diagonal.len(), "the diagonal of a block")?,
            ancestors: ancestors
                .map(|values| zeroed(values.len(), "nested blocks"))
                .collect::<Result<_>>()?,
            coupling: self.coupling.zeros_like()?,
        })
    }

    fn zeros(&self, structure: &Structure, b: usize) -> Result<Self> {
        let block = &structure.blocks[b];
        let above = &structure.leading()[b + 1..];
        Ok(Self {
            diagonal: zeroed(block.dim() * block.width, "the diagonal of a block")?,
            ancestors: above
                .iter()
                .map(|above| zeroed(block.dim() * above.width, "nested blocks"))
                .collect::<Result<_>>()?,
            coupling: self.coupling.zeros(structure, b)?,
        })
    }
}
