//! Independent columns, with the Cholesky factor of their Gram matrix.

use faer::Par;

use crate::error::Result;
use crate::linalg::{dense, small, threads, Matrix};

/// A column whose part outside the span of the earlier ones is smaller than this, relative to its
/// own size, is linearly dependent on them (the default of R's `qr`).
const DEPENDENT: f64 = 1e-7;
/// Above this the Gram matrix resolves the part; below, the rows are looked at again.
const RESOLVED: f64 = 1e-2;
/// A correction of this size, relative to what is left, leaves an error at the level of rounding.
const CORRECTED: f64 = 1e-8;

const CROSS_PRODUCTS: &str = "the cross-products of X";
/// From this number of products on threads share them.
const SHARED: usize = 200_000;
/// Rows that are worked on together: some columns of so many stay in the processor's cache.
const CHUNK: usize = 1024;

/// Columns of norm √n.
#[derive(Debug, Clone)]
pub struct Span {
    columns: Matrix,
    /// X'X of these columns.
    gram: Matrix,
    /// Rows of the factor.
    factor: Vec<Vec<f64>>,
}

impl Span {
    /// The independent ones of some columns of norm √n or 0, from left to right. A nearly dependent
    /// column enters as its orthogonal part. For each column its coefficients on the set up to itself,
    /// `None` where it is dependent.
    pub fn new(columns: Matrix) -> Result<(Self, Vec<Option<Vec<f64>>>)> {
        let candidates = columns.cols();
        let mut gram = gram(&columns)?;
        let mut span = Self {
            columns,
            gram: Matrix::default(),
            factor: Vec::new(),
        };
        let mut kept: Vec<usize> = Vec::new();
        let mut coefficients = Vec::with_capacity(candidates);
        for j in 0..candidates {
            if gram[(j, j)] == 0.0 {
                coefficients.push(None);
                continue;
            }
            let products = |gram: &Matrix| kept.iter().map(|&i| gram[(j, i)]).collect();
            let mut row = span.forward(products(&gram));
            let mut own = vec![0.0; kept.len()];
            let mut part = 1.0;
            let at = kept.len();
            span.move_column(j, at);
            if 1.0 - small::dot(&row, &row) / span.n() < RESOLVED * RESOLVED {
                let mut column = span.columns.column(at).to_vec();
                part = span.orthogonalise(&mut column, &mut own);
                if part < DEPENDENT {
                    coefficients.push(None);
                    continue;
                }
                column.iter_mut().for_each(|v| *v /= part);
                span.columns.column_mut(at).copy_from_slice(&column);
                for (&i, product) in kept.iter().zip(span.subtract(&[], &mut column, true).0) {
                    gram[(j, i)] = product;
                }
                for i in j..candidates {
                    let other = span.columns.column(if i == j { at } else { i });
                    gram[(i, j)] = small::dot(other, &column);
                }
                row = span.forward(products(&gram));
            }
            let pivot = gram[(j, j)] - small::dot(&row, &row);
            row.push(pivot.sqrt());
            span.factor.push(row);
            kept.push(j);
            own.push(part);
            coefficients.push(Some(own));
        }
        span.columns.truncate(kept.len());
        span.gram = Matrix::zeros(kept.len(), kept.len(), CROSS_PRODUCTS)?;
        for (j, &column) in kept.iter().enumerate() {
            for (i, &row) in kept.iter().enumerate() {
                span.gram[(i, j)] = gram[(row.max(column), row.min(column))];
            }
        }
        Ok((span, coefficients))
    }

    /// A column from `from` to `to`, over what was there.
    fn move_column(&mut self, from: usize, to: usize) {
        let n = self.columns.rows();
        if from != to {
            let data = self.columns.data_mut();
            data.copy_within(from * n..(from + 1) * n, to * n);
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

    /// Their inner products.
    #[must_use]
    pub fn gram(&self) -> &Matrix {
        &self.gram
    }

    fn n(&self) -> f64 {
        self.columns.rows() as f64
    }

    /// Coefficients of a column in the span, `None` when a part larger than rounding lies outside.
    #[must_use]
    pub fn express(&self, mut column: Vec<f64>) -> Option<Vec<f64>> {
        let total = small::dot(&column, &column);
        let mut coefficients = vec![0.0; self.rank()];
        self.orthogonalise(&mut column, &mut coefficients);
        (small::dot(&column, &column) <= 1e-20 * total).then_some(coefficients)
    }

    /// Subtracts the projection (once for the value, then against rounding), adds its coefficients
    /// up and returns the norm of what is left over √n.
    pub fn orthogonalise(&self, column: &mut [f64], coefficients: &mut [f64]) -> f64 {
        let root_n = self.n().sqrt();
        let (mut products, mut square) = self.subtract(&[], column, true);
        for _ in 0..3 {
            let projection = self.solve(products);
            small::axpy(1.0, &projection, coefficients);
            let size: f64 = projection.iter().map(|c| c.abs()).sum();
            let corrected = square.is_finite() && size * root_n <= CORRECTED * square.sqrt();
            (products, square) = self.subtract(&projection, column, !corrected);
            if corrected {
                break;
            }
        }
        square.sqrt() / root_n
    }

    /// Subtracts a combination of the columns; the products of what is left with each of them, if
    /// wanted, and its sum of squares.
    fn subtract(&self, combination: &[f64], column: &mut [f64], products: bool) -> (Vec<f64>, f64) {
        struct Chunk<'a> {
            first: usize,
            rows: &'a mut [f64],
            sums: Vec<f64>,
        }
        let wanted = if products { self.rank() } else { 0 };
        let work = |chunk: &mut Chunk<'_>| {
            let rows = chunk.first..chunk.first + chunk.rows.len();
            for (j, &c) in combination.iter().enumerate() {
                small::axpy(-c, &self.columns.column(j)[rows.clone()], chunk.rows);
            }
            let product = |j| small::dot(&self.columns.column(j)[rows.clone()], chunk.rows);
            chunk.sums = (0..wanted).map(product).collect();
            chunk.sums.push(small::dot(chunk.rows, chunk.rows));
        };
        let large = column.len() * self.rank() >= SHARED;
        let chunks = column.chunks_mut(CHUNK).enumerate();
        let mut chunks: Vec<Chunk<'_>> = chunks
            .map(|(i, rows)| Chunk {
                first: i * CHUNK,
                rows,
                sums: Vec::new(),
            })
            .collect();
        if large {
            threads::for_each(&mut chunks, work);
        } else {
            chunks.iter_mut().for_each(work);
        }
        let mut sums = vec![0.0; wanted + 1];
        for chunk in &chunks {
            small::axpy(1.0, &chunk.sums, &mut sums);
        }
        let square = sums.pop().unwrap_or_default();
        (sums, square)
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

/// Lower triangle of X'X, in pieces whose number does not depend on the threads.
fn gram(x: &Matrix) -> Result<Matrix> {
    const PIECES: usize = 8;
    let (n, p) = (x.rows(), x.cols());
    let mut out = Matrix::zeros(p, p, CROSS_PRODUCTS)?;
    if n * p < SHARED || p * PIECES > n {
        dense::add_gram(out.view_mut(), x.view(), 1.0, Par::Seq);
        return Ok(out);
    }
    let size = n.div_ceil(PIECES);
    let pieces = (0..n).step_by(size);
    let mut pieces: Vec<(usize, Matrix)> = pieces
        .map(|first| Ok((first, Matrix::zeros(p, p, CROSS_PRODUCTS)?)))
        .collect::<Result<_>>()?;
    threads::for_each(&mut pieces, |(first, sum)| {
        let end = n.min(*first + size);
        for row in (*first..end).step_by(CHUNK) {
            let rows = x.view().subrows(row, CHUNK.min(end - row));
            dense::add_gram(sum.view_mut(), rows, 1.0, Par::Seq);
        }
    });
    for (_, sum) in &pieces {
        small::axpy(1.0, sum.data(), out.data_mut());
    }
    Ok(out)
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
        let a = unit(&[1.0, 2.0, 3.0, 4.0]);
        let near: Vec<f64> = a
            .iter()
            .zip([1.0, -1.0, 1.0, -1.0])
            .map(|(a, e)| a + 1e-5 * e)
            .collect();
        let near = unit(&near);
        let candidates = [a.clone(), a, near.clone()].concat();
        let (span, coefficients) =
            Span::new(Matrix::from_columns(4, 3, candidates)).expect("enough memory");
        assert_eq!(coefficients[..2], [Some(vec![1.0]), None]);
        let coefficients = coefficients[2].as_ref().expect("independent");
        let (first, second) = (span.columns().column(0), span.columns().column(1));
        assert!(small::dot(first, second).abs() < 1e-12);
        for (i, value) in near.iter().enumerate() {
            let back = coefficients[0] * first[i] + coefficients[1] * second[i];
            assert!((back - value).abs() < 1e-15);
        }
    }
}
