//! The large dense kernels, on faer: factorisation, inverse, symmetric updates, eigenvalues.

use std::ops::Range;

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::linalg::{matmul, triangular_solve};
use faer::{Accum, MatMut, MatRef, Par};

use super::threads::with_threads;
use super::{small, Matrix};
use crate::error::Result;

/// Workspace of the factorisation and the inverse of one size.
pub struct Scratch(MemBuffer);

impl Scratch {
    /// Room for both operations at this dimension.
    #[must_use]
    pub fn for_cholesky(dim: usize) -> Self {
        let par = threaded(dim, |par| par);
        let factor = llt::factor::cholesky_in_place_scratch::<f64>(dim, par, Default::default());
        let inverse = llt::inverse::inverse_scratch::<f64>(dim, par);
        Self(MemBuffer::new(factor.or(inverse)))
    }
}

/// From this dimension on the cubic kernels use several threads.
pub const THREADED: usize = 512;

/// Lower Cholesky factor in place; the strict upper triangle is not touched.
/// False when the matrix is not positive definite.
#[must_use]
pub fn cholesky(a: MatMut<'_, f64>, scratch: &mut Scratch) -> bool {
    let dim = a.nrows();
    threaded(dim, |par| {
        let stack = MemStack::new(&mut scratch.0);
        llt::factor::cholesky_in_place(a, Default::default(), par, stack, Default::default())
            .is_ok()
    })
}

/// Lower triangle of `(l l')^-1`.
pub fn inverse_from_cholesky(out: MatMut<'_, f64>, l: MatRef<'_, f64>, scratch: &mut Scratch) {
    threaded(l.nrows(), |par| {
        llt::inverse::inverse(out, l, par, MemStack::new(&mut scratch.0));
    });
}

/// From this many multiplications on a product uses several threads.
const LARGE: usize = 1 << 24;

/// Runs a kernel of so many multiplications.
pub fn threaded_from<T: Send>(multiplications: usize, work: impl FnOnce(Par) -> T + Send) -> T {
    if multiplications >= LARGE {
        with_threads(work)
    } else {
        work(Par::Seq)
    }
}

fn threaded<T: Send>(dim: usize, work: impl FnOnce(Par) -> T + Send) -> T {
    if dim >= THREADED {
        with_threads(work)
    } else {
        work(Par::Seq)
    }
}

/// `b <- l^-1 b`.
pub fn solve_lower(l: MatRef<'_, f64>, b: MatMut<'_, f64>, par: Par) {
    triangular_solve::solve_lower_triangular_in_place(l, b, par);
}

/// `b <- l'^-1 b`.
pub fn solve_lower_transposed(l: MatRef<'_, f64>, b: MatMut<'_, f64>, par: Par) {
    triangular_solve::solve_upper_triangular_in_place(l.transpose(), b, par);
}

/// Lower triangle of `c + s a'a`.
pub fn add_gram(c: MatMut<'_, f64>, a: MatRef<'_, f64>, s: f64, par: Par) {
    add_symmetric_product(c, a, a, s, par);
}

/// Lower triangle of `c + s a'b`, for an a'b that is symmetric.
pub fn add_symmetric_product(
    c: MatMut<'_, f64>,
    a: MatRef<'_, f64>,
    b: MatRef<'_, f64>,
    s: f64,
    par: Par,
) {
    triangular::matmul(
        c,
        BlockStructure::TriangularLower,
        Accum::Add,
        a.transpose(),
        BlockStructure::Rectangular,
        b,
        BlockStructure::Rectangular,
        s,
        par,
    );
}

/// `c <- a b`.
pub fn multiply(c: MatMut<'_, f64>, a: MatRef<'_, f64>, b: MatRef<'_, f64>, par: Par) {
    matmul::matmul(c, Accum::Replace, a, b, 1.0, par);
}

/// `a b` of two large matrices.
pub fn product(a: &Matrix, b: &Matrix) -> Result<Matrix> {
    let mut out = Matrix::zeros(a.rows(), b.cols(), "a product of dense matrices")?;
    threaded(a.rows(), |par| {
        multiply(out.view_mut(), a.view(), b.view(), par);
    });
    Ok(out)
}

/// Rows and columns of the tiles in which transposes are read.
const TILE: usize = 32;

/// `a'` of a square matrix.
pub fn transposed(a: &Matrix) -> Result<Matrix> {
    let n = a.rows();
    let mut out = Matrix::zeros(n, n, "the transpose of a dense matrix")?;
    for_each_tile(n, |rows, columns| {
        for j in columns {
            for i in rows.clone() {
                out[(j, i)] = a[(i, j)];
            }
        }
    });
    Ok(out)
}

/// `tr(a b)` of two square matrices.
#[must_use]
pub fn trace_of_product(a: &Matrix, b: &Matrix) -> f64 {
    let mut total = 0.0;
    for_each_tile(a.rows(), |rows, columns| {
        for j in columns {
            let tile: f64 = rows.clone().map(|i| a[(j, i)] * b[(i, j)]).sum();
            total += tile;
        }
    });
    total
}

fn for_each_tile(n: usize, mut work: impl FnMut(Range<usize>, Range<usize>)) {
    for column in (0..n).step_by(TILE) {
        for row in (0..n).step_by(TILE) {
            work(row..(row + TILE).min(n), column..(column + TILE).min(n));
        }
    }
}

/// `c <- c - a b`.
pub fn subtract_product(c: MatMut<'_, f64>, a: MatRef<'_, f64>, b: MatRef<'_, f64>, par: Par) {
    matmul::matmul(c, Accum::Add, a, b, -1.0, par);
}

/// Lower triangle of `c + a b`, which must be square.
pub fn add_lower_product(c: MatMut<'_, f64>, a: MatRef<'_, f64>, b: MatRef<'_, f64>, par: Par) {
    triangular::matmul(
        c,
        BlockStructure::TriangularLower,
        Accum::Add,
        a,
        BlockStructure::Rectangular,
        b,
        BlockStructure::Rectangular,
        1.0,
        par,
    );
}

/// Copies the lower triangle onto the upper one, tile by tile.
pub fn symmetrise(a: &mut Matrix) {
    let n = a.rows();
    let data = a.data_mut();
    for first in (0..n).step_by(TILE) {
        for row in (first..n).step_by(TILE) {
            for j in first..(first + TILE).min(n) {
                for i in row.max(j + 1)..(row + TILE).min(n) {
                    data[j + i * n] = data[i + j * n];
                }
            }
        }
    }
}

/// Copies a part of the lower triangle onto the upper one, tile by tile.
pub fn mirror(a: &mut Matrix, rows: Range<usize>, columns: Range<usize>) {
    let n = a.rows();
    let data = a.data_mut();
    for column in columns.clone().step_by(TILE) {
        for row in rows.clone().step_by(TILE) {
            for j in column..(column + TILE).min(columns.end) {
                for i in row..(row + TILE).min(rows.end) {
                    data[j + i * n] = data[i + j * n];
                }
            }
        }
    }
}

/// Eigenvalues (ascending) and eigenvectors (columns) of a symmetric matrix; `None` when the
/// iteration fails or an entry is not finite.
#[must_use]
pub fn eigen(a: &Matrix) -> Option<(Vec<f64>, Matrix)> {
    if a.data().iter().any(|x| !x.is_finite()) {
        return None;
    }
    if a.rows() <= small::EIGEN {
        return Some(small::symmetric_eigen(a));
    }
    without_global_threads();
    let decomposition = a.view().self_adjoint_eigen(faer::Side::Lower).ok()?;
    let n = a.rows();
    let values = (0..n).map(|i| decomposition.S()[i]).collect();
    let mut vectors = Vec::with_capacity(n * n);
    for j in 0..n {
        for i in 0..n {
            vectors.push(decomposition.U()[(i, j)]);
        }
    }
    Some((values, Matrix::from_columns(n, n, vectors)))
}

/// Orthonormal columns, at most as many as there are rows, whose span holds all columns of `a`.
#[must_use]
pub fn orthonormal(a: &Matrix) -> Matrix {
    let (rows, cols) = (a.rows(), a.rows().min(a.cols()));
    without_global_threads();
    let q = a.view().qr().compute_thin_Q();
    let data = (0..cols).flat_map(|j| q.col(j).iter().copied().collect::<Vec<_>>());
    Matrix::from_columns(rows, cols, data.collect())
}

/// faer's decompositions ask for no number of threads: unless told otherwise they start a pool that
/// heeds no limit and that a forked child would wait for in vain.
fn without_global_threads() {
    faer::set_global_parallelism(Par::Seq);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A well-conditioned positive definite matrix large enough for threads.
    fn example(n: usize) -> Matrix {
        let mut a = Matrix::zeros(n, n, "a test matrix").expect("memory");
        for j in 0..n {
            for i in 0..n {
                a[(i, j)] = (-((i as f64 - j as f64) / 40.0).powi(2)).exp();
            }
            a[(j, j)] += 1.0;
        }
        a
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() {
        let n = THREADED + 77;
        let run = |par: Par| {
            let mut a = example(n);
            let mut scratch = Scratch::for_cholesky(n);
            let mut inverse = Matrix::zeros(n, n, "a test matrix").expect("memory");
            let stack = MemStack::new(&mut scratch.0);
            llt::factor::cholesky_in_place(
                a.view_mut(),
                Default::default(),
                par,
                stack,
                Default::default(),
            )
            .expect("positive definite");
            let stack = MemStack::new(&mut scratch.0);
            llt::inverse::inverse(inverse.view_mut(), a.view(), par, stack);
            (a, inverse)
        };
        let (factor, inverse) = run(Par::Seq);
        for threads in [2, 3] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("a pool");
            let (f, i) = pool.install(|| run(Par::rayon(threads)));
            for j in 0..n {
                assert_eq!(
                    factor.column(j)[j..],
                    f.column(j)[j..],
                    "{threads} threads, factor"
                );
                assert_eq!(
                    inverse.column(j)[j..],
                    i.column(j)[j..],
                    "{threads} threads, inverse"
                );
            }
        }
    }

    #[test]
    fn the_inverse_is_one() {
        let n = 70;
        let a = example(n);
        let mut l = a.clone();
        let mut scratch = Scratch::for_cholesky(n);
        assert!(cholesky(l.view_mut(), &mut scratch));
        let mut inverse = Matrix::zeros(n, n, "a test matrix").expect("memory");
        inverse_from_cholesky(inverse.view_mut(), l.view(), &mut scratch);
        symmetrise(&mut inverse);
        let mut product = Matrix::zeros(n, n, "a test matrix").expect("memory");
        multiply(product.view_mut(), a.view(), inverse.view(), Par::Seq);
        for j in 0..n {
            for i in 0..n {
                let expected = f64::from(u8::from(i == j));
                assert!((product[(i, j)] - expected).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn products_do_not_depend_on_the_number_of_threads() {
        let a = example(THREADED + 77);
        let run = |par: Par| {
            let mut out = a.clone();
            multiply(out.view_mut(), a.view(), a.view(), par);
            out
        };
        let alone = run(Par::Seq);
        for threads in [2, 3] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .expect("a pool");
            assert!(
                alone == pool.install(|| run(Par::rayon(threads))),
                "{threads} threads"
            );
        }
    }

    #[test]
    fn transposes_and_traces_cross_the_tiles() {
        let n = 2 * TILE + 5;
        let cells = (0..n * n).map(|e| ((e * e) % 101) as f64 - 50.0).collect();
        let a = Matrix::from_columns(n, n, cells);
        let transpose = transposed(&a).expect("memory");
        let product = product(&a, &transpose).expect("memory");
        let trace: f64 = (0..n).map(|i| product[(i, i)]).sum();
        assert_eq!(trace_of_product(&a, &transpose), trace);
        for j in 0..n {
            for i in 0..n {
                assert_eq!(transpose[(i, j)], a[(j, i)]);
            }
        }
    }

    #[test]
    fn inversion_has_room_for_one_more_matrix() {
        let n = 300;
        let bytes = Scratch::for_cholesky(n).0.len() as f64;
        let matrix = (8 * n * n) as f64;
        assert!((matrix..1.1 * matrix).contains(&bytes));
    }
}
