//! A set of independent columns grown left to right, with the Cholesky factor of its Gram matrix.

use crate::linalg::{small, threads, Matrix};

/// A column whose part outside the span of the earlier ones is smaller than this, relative to its
/// own size, is linearly dependent on them (the default of R's `qr`).
const DEPENDENT: f64 = 1e-7;
/// Above this the Gram matrix resolves the part; below, the rows are looked at again.
const RESOLVED: f64 = 1e-2;

/// From this number of products on threads share them.
const SHARED: usize = 200_000;

/// Columns of norm √n.
#[derive(Debug, Clone)]
pub struct Span {
    columns: Matrix,
    /// Rows of the factor.
    factor: Vec<Vec<f64>>,
}

impl Span {
    #[must_use]
    pub fn new(n: usize, capacity: usize) -> Self {
        Self {
            columns: Matrix::from_columns(n, 0, Vec::with_capacity(n * capacity)),
            factor: Vec::new(),
        }
    }

    #[must_use]
    pub fn rank(&self) -> usize {
        self.factor.len()
    }

    #[must_use]
    pub fn columns(&self) -> &Matrix {
        &self.columns
    }

    fn n(&self) -> f64 {
        self.columns.rows() as f64
    }

    /// Takes the column into the set unless it is dependent, and returns its coefficients on the
    /// set with itself. A nearly dependent column enters as its orthogonal part.
    pub fn push(&mut self, mut column: Vec<f64>) -> Option<Vec<f64>> {
        let mut products = self.products(&column);
        let projection = self.solve(products.clone());
        let outside = 1.0 - small::dot(&products, &projection) / self.n();
        let mut coefficients = vec![0.0; self.rank()];
        let mut part = 1.0;
        if outside < RESOLVED * RESOLVED {
            part = self.orthogonalise(&mut column, &mut coefficients);
            if part < DEPENDENT {
                return None;
            }
            column.iter_mut().for_each(|v| *v /= part);
            products = self.products(&column);
        }
        let mut row = self.forward(products);
        let pivot = small::dot(&column, &column) - small::dot(&row, &row);
        row.push(pivot.sqrt());
        self.factor.push(row);
        self.columns.push_column(&column);
        coefficients.push(part);
        Some(coefficients)
    }

    /// Coefficients of a column in the span, `None` when a part larger than rounding lies outside.
    #[must_use]
    pub fn express(&self, mut column: Vec<f64>) -> Option<Vec<f64>> {
        let total = small::dot(&column, &column);
        let mut coefficients = vec![0.0; self.rank()];
        self.orthogonalise(&mut column, &mut coefficients);
        (small::dot(&column, &column) <= 1e-20 * total).then_some(coefficients)
    }

    /// Subtracts the projection (three times: once for the value, twice against rounding), adds
    /// its coefficients up and returns the norm of what is left over √n.
    pub fn orthogonalise(&self, column: &mut [f64], coefficients: &mut [f64]) -> f64 {
        for _ in 0..3 {
            let projection = self.solve(self.products(column));
            for (j, &c) in projection.iter().enumerate() {
                small::axpy(-c, self.columns.column(j), column);
                coefficients[j] += c;
            }
        }
        (small::dot(column, column) / self.n()).sqrt()
    }

    fn products(&self, column: &[f64]) -> Vec<f64> {
        let product = |&j: &usize| small::dot(self.columns.column(j), column);
        let columns: Vec<usize> = (0..self.rank()).collect();
        if columns.len() * column.len() < SHARED {
            columns.iter().map(product).collect()
        } else {
            threads::map(&columns, product)
        }
    }

    fn forward(&self, mut b: Vec<f64>) -> Vec<f64> {
        for (i, row) in self.factor.iter().enumerate() {
            b[i] = (b[i] - small::dot(&row[..i], &b[..i])) / row[i];
        }
        b
    }

    fn solve(&self, b: Vec<f64>) -> Vec<f64> {
        let mut b = self.forward(b);
        for (i, row) in self.factor.iter().enumerate().rev() {
            b[i] /= row[i];
            let value = b[i];
            small::axpy(-value, &row[..i], &mut b[..i]);
        }
        b
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependent_columns_are_refused_and_nearly_dependent_ones_orthogonalised() {
        let unit = |v: &[f64]| {
            let norm = (small::dot(v, v) / v.len() as f64).sqrt();
            v.iter().map(|x| x / norm).collect::<Vec<_>>()
        };
        let mut span = Span::new(4, 3);
        let a = unit(&[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(span.push(a.clone()), Some(vec![1.0]));
        assert_eq!(span.push(a.clone()), None);
        let near: Vec<f64> = a
            .iter()
            .zip([1.0, -1.0, 1.0, -1.0])
            .map(|(a, e)| a + 1e-5 * e)
            .collect();
        let near = unit(&near);
        let coefficients = span.push(near.clone()).expect("independent");
        let (first, second) = (span.columns().column(0), span.columns().column(1));
        assert!(small::dot(first, second).abs() < 1e-12);
        for (i, value) in near.iter().enumerate() {
            let back = coefficients[0] * first[i] + coefficients[1] * second[i];
            assert!((back - value).abs() < 1e-15);
        }
    }
}
