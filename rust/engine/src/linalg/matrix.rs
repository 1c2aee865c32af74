//! A column-major dense matrix that owns its storage.

use faer::{MatMut, MatRef};

use crate::error::Result;
use crate::linalg::memory;

/// Column-major dense matrix.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    data: Vec<f64>,
}

/// A zeroed buffer, or an error with the size when the allocator refuses.
pub fn zeroed(len: usize, what: &str) -> Result<Vec<f64>> {
    memory::filled(len, 0.0, what)
}

impl Matrix {
    /// A zero matrix; `what` names it in the error when memory is short.
    pub fn zeros(rows: usize, cols: usize, what: &str) -> Result<Self> {
        let len = rows
            .checked_mul(cols)
            .ok_or_else(|| memory::shortage(rows as f64 * cols as f64 * 8.0, what))?;
        Ok(Self {
            rows,
            cols,
            data: zeroed(len, what)?,
        })
    }

    /// A copy; `what` as in [`Self::zeros`].
    pub fn copied(&self, what: &str) -> Result<Self> {
        Ok(Self {
            rows: self.rows,
            cols: self.cols,
            data: memory::copied(&self.data, what)?,
        })
    }

    /// Wraps column-major storage.
    ///
    /// # Panics
    /// When `data.len() != rows * cols`.
    #[must_use]
    pub fn from_columns(rows: usize, cols: usize, data: Vec<f64>) -> Self {
        assert_eq!(data.len(), rows * cols);
        Self { rows, cols, data }
    }

    /// The storage back.
    #[must_use]
    pub fn into_data(self) -> Vec<f64> {
        self.data
    }

    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    #[must_use]
    pub fn data(&self) -> &[f64] {
        &self.data
    }

    pub fn data_mut(&mut self) -> &mut [f64] {
        &mut self.data
    }

    #[must_use]
    pub fn column(&self, j: usize) -> &[f64] {
        &self.data[j * self.rows..(j + 1) * self.rows]
    }

    /// Keeps so many columns on the left.
    pub fn truncate(&mut self, cols: usize) {
        self.cols = self.cols.min(cols);
        self.data.truncate(self.rows * self.cols);
    }

    pub fn column_mut(&mut self, j: usize) -> &mut [f64] {
        &mut self.data[j * self.rows..(j + 1) * self.rows]
    }

    #[must_use]
    pub fn view(&self) -> MatRef<'_, f64> {
        MatRef::from_column_major_slice(&self.data, self.rows, self.cols)
    }

    pub fn view_mut(&mut self) -> MatMut<'_, f64> {
        MatMut::from_column_major_slice_mut(&mut self.data, self.rows, self.cols)
    }
}

impl std::ops::Index<(usize, usize)> for Matrix {
    type Output = f64;

    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        &self.data[i + j * self.rows]
    }
}

impl std::ops::IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut f64 {
        &mut self.data[i + j * self.rows]
    }
}
