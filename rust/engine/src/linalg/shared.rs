//! Values that several owners share and nobody changes: the engine's own, or memory of its caller.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::linalg::Matrix;

/// Read-only values behind whoever owns their memory.
pub struct Shared<T: 'static>(Arc<dyn AsRef<[T]> + Send + Sync>);

impl<T> Shared<T> {
    /// Values whose memory the owner keeps, unchanged, as long as it lives.
    pub fn new(owner: impl AsRef<[T]> + Send + Sync + 'static) -> Self {
        Self(Arc::new(owner))
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        (*self.0).as_ref()
    }
}

impl<T: Send + Sync> From<Vec<T>> for Shared<T> {
    fn from(values: Vec<T>) -> Self {
        Self::new(values)
    }
}

impl<T: Send + Sync> FromIterator<T> for Shared<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        values.into_iter().collect::<Vec<T>>().into()
    }
}

impl<'a, T> IntoIterator for &'a Shared<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self[..] == other[..]
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self[..].fmt(f)
    }
}

/// A column-major dense matrix of shared values.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    rows: usize,
    cols: usize,
    data: Shared<f64>,
}

impl Columns {
    /// # Panics
    /// When `data.len() != rows * cols`.
    #[must_use]
    pub fn new(rows: usize, cols: usize, data: Shared<f64>) -> Self {
        assert_eq!(data.len(), rows * cols);
        Self { rows, cols, data }
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

    #[must_use]
    pub fn column(&self, j: usize) -> &[f64] {
        &self.data[j * self.rows..(j + 1) * self.rows]
    }
}

impl std::ops::Index<(usize, usize)> for Columns {
    type Output = f64;

    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        &self.data[i + j * self.rows]
    }
}

impl From<Matrix> for Columns {
    fn from(matrix: Matrix) -> Self {
        let (rows, cols) = (matrix.rows(), matrix.cols());
        Self::new(rows, cols, matrix.into_data().into())
    }
}
