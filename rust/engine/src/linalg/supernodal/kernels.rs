//! Dense operations on panels and update matrices, all column-major; small ones by hand, because
//! a general kernel would take longer to call than to run.

use faer::{MatMut, MatRef};

use crate::linalg::dense::{self, Scratch};
use crate::linalg::small;

/// Up to this many columns a panel is factorised by hand.
const NARROW: usize = 8;
/// Up to this rank a product is formed by hand.
pub const LOW_RANK: usize = 2;
/// Up to this many rows too.
const SHORT: usize = 8;

fn view(values: &[f64], rows: usize, cols: usize, height: usize) -> MatRef<'_, f64> {
    MatRef::from_column_major_slice_with_stride(values, rows, cols, height)
}

fn view_mut(values: &mut [f64], rows: usize, cols: usize, height: usize) -> MatMut<'_, f64> {
    MatMut::from_column_major_slice_with_stride_mut(values, rows, cols, height)
}

/// Factorises the upper square of a panel and solves the rows below with it. False when the square
/// is not positive definite.
pub fn factorise(panel: &mut [f64], width: usize, height: usize, scratch: &mut Scratch) -> bool {
    if width <= NARROW {
        return factorise_narrow(panel, width, height);
    }
    let below = height - width;
    let (square, rows) = view_mut(panel, height, width, height).split_at_row_mut(width);
    let mut square = square;
    if !dense::cholesky(square.as_mut(), scratch) {
        return false;
    }
    if below > 0 {
        let work = width * width * below;
        dense::threaded_from(work, |par| {
            dense::solve_lower(square.as_ref(), rows.transpose_mut(), par);
        });
    }
    true
}

fn factorise_narrow(panel: &mut [f64], width: usize, height: usize) -> bool {
    for j in 0..width {
        let (done, rest) = panel.split_at_mut(j * height);
        let column = &mut rest[j..height];
        for earlier in done.chunks_exact(height) {
            small::axpy(-earlier[j], &earlier[j..], column);
        }
        let pivot = column[0];
        // Written so that NaN fails too.
        if !(pivot > 0.0 && pivot < f64::INFINITY) {
            return false;
        }
        let root = 1.0 / pivot.sqrt();
        column.iter_mut().for_each(|v| *v *= root);
        column[0] = pivot.sqrt();
    }
    true
}

/// Lower triangle of `out -= Y Y'` for the rows of a panel below its square.
pub fn subtract_gram(out: &mut [f64], panel: &[f64], width: usize, height: usize) {
    let below = height - width;
    if width <= LOW_RANK || below <= SHORT {
        for column in panel.chunks_exact(height) {
            let y = &column[width..];
            for (j, &s) in y.iter().enumerate() {
                small::axpy(-s, &y[j..], &mut out[j * below + j..(j + 1) * below]);
            }
        }
        return;
    }
    let y = view(&panel[width..], below, width, height);
    dense::threaded_from(width * below * below, |par| {
        dense::add_gram(view_mut(out, below, below, below), y.transpose(), -1.0, par);
    });
}

/// `rows <- rows L^-1` for rows (column-major, count × width) and the square of a panel.
pub fn solve_right(rows: &mut [f64], panel: &[f64], count: usize, width: usize, height: usize) {
    if width <= NARROW {
        for j in (0..width).rev() {
            let (earlier, own) = rows.split_at_mut((j + 1) * count);
            let column = &mut earlier[j * count..];
            for (i, later) in own.chunks_exact(count.max(1)).enumerate() {
                small::axpy(-panel[j + 1 + i + j * height], later, column);
            }
            let pivot = panel[j + j * height];
            column.iter_mut().for_each(|v| *v /= pivot);
        }
        return;
    }
    let square = view(panel, width, width, height);
    dense::threaded_from(width * width * count, |par| {
        let right = view_mut(rows, count, width, count).transpose_mut();
        dense::solve_lower_transposed(square, right, par);
    });
}

/// `rows <- rows L^-T`.
pub fn solve_right_transposed(
    rows: &mut [f64],
    panel: &[f64],
    count: usize,
    width: usize,
    height: usize,
) {
    if width <= NARROW {
        for j in 0..width {
            let (earlier, own) = rows.split_at_mut(j * count);
            let column = &mut own[..count];
            for (i, earlier) in earlier.chunks_exact(count.max(1)).enumerate() {
                small::axpy(-panel[j + i * height], earlier, column);
            }
            let pivot = panel[j + j * height];
            column.iter_mut().for_each(|v| *v /= pivot);
        }
        return;
    }
    let square = view(panel, width, width, height);
    dense::threaded_from(width * width * count, |par| {
        let right = view_mut(rows, count, width, count).transpose_mut();
        dense::solve_lower(square, right, par);
    });
}

/// Lower triangle of `out -= p Y' + Y p'` for the rows Y of a panel below its square.
pub fn subtract_symmetric(out: &mut [f64], p: &[f64], panel: &[f64], width: usize, height: usize) {
    let below = height - width;
    if width <= LOW_RANK || below <= SHORT {
        for (p, column) in p.chunks_exact(below).zip(panel.chunks_exact(height)) {
            let y = &column[width..];
            for j in 0..below {
                let out = &mut out[j * below + j..(j + 1) * below];
                small::axpy(-y[j], &p[j..], out);
                small::axpy(-p[j], &y[j..], out);
            }
        }
        return;
    }
    let negative: Vec<f64> = p.iter().map(|v| -v).collect();
    let p = view(&negative, below, width, below);
    let y = view(&panel[width..], below, width, height);
    dense::threaded_from(2 * width * below * below, |par| {
        dense::add_lower_product(view_mut(out, below, below, below), p, y.transpose(), par);
        dense::add_lower_product(view_mut(out, below, below, below), y, p.transpose(), par);
    });
}

/// `columns <- L^-1 columns` for the square of a panel.
pub fn solve_left(columns: &mut [f64], panel: &[f64], count: usize, width: usize, height: usize) {
    if width <= NARROW {
        for column in columns.chunks_exact_mut(width) {
            for j in 0..width {
                column[j] /= panel[j + j * height];
                let (own, rest) = column.split_at_mut(j + 1);
                let below = &panel[j * height + j + 1..j * height + width];
                small::axpy(-own[j], below, rest);
            }
        }
        return;
    }
    let square = view(panel, width, width, height);
    dense::threaded_from(width * width * count, |par| {
        dense::solve_lower(square, view_mut(columns, width, count, width), par);
    });
}

/// `out <- a b`, rows × inner times inner × cols; a may be part of higher columns.
pub fn multiply(
    out: &mut [f64],
    (a, height): (&[f64], usize),
    b: &[f64],
    (rows, inner, cols): (usize, usize, usize),
) {
    if inner == 0 || rows == 0 {
        out.fill(0.0);
        return;
    }
    if cols <= LOW_RANK {
        for (column, b) in out.chunks_exact_mut(rows).zip(b.chunks_exact(inner)) {
            column.fill(0.0);
            for (a, &s) in a.chunks(height).zip(b) {
                small::axpy(s, &a[..rows], column);
            }
        }
        return;
    }
    dense::threaded_from(rows * inner * cols, |par| {
        dense::multiply(
            view_mut(out, rows, cols, rows),
            view(a, rows, inner, height),
            view(b, inner, cols, inner),
            par,
        );
    });
}

/// Lower triangle of `(L L')^-1` for the square of a panel, in columns of the same height.
pub fn inverse(out: &mut [f64], panel: &[f64], width: usize, height: usize, scratch: &mut Scratch) {
    if width == 1 {
        out[0] = 1.0 / (panel[0] * panel[0]);
        return;
    }
    let square = view(panel, width, width, height);
    dense::inverse_from_cholesky(view_mut(out, width, width, height), square, scratch);
}

/// Lower triangle of `out += a' b` for a and b of `width` columns; out has higher columns.
pub fn add_symmetric_product(
    (out, height): (&mut [f64], usize),
    a: &[f64],
    b: &[f64],
    (rows, width): (usize, usize),
) {
    if rows == 0 {
        return;
    }
    if width <= NARROW || rows <= LOW_RANK {
        for (j, b) in b.chunks_exact(rows).enumerate() {
            for (i, a) in a.chunks_exact(rows).enumerate().skip(j) {
                out[i + j * height] += small::dot(a, b);
            }
        }
        return;
    }
    dense::threaded_from(width * width * rows, |par| {
        dense::add_lower_product(
            view_mut(out, width, width, height),
            view(a, rows, width, rows).transpose(),
            view(b, rows, width, rows),
            par,
        );
    });
}

/// Copies the lower triangle onto the upper one.
pub fn symmetrise(a: &mut [f64], n: usize) {
    const TILE: usize = 32;
    for first in (0..n).step_by(TILE) {
        for row in (first..n).step_by(TILE) {
            for j in first..(first + TILE).min(n) {
                for i in row.max(j + 1)..(row + TILE).min(n) {
                    a[j + i * n] = a[i + j * n];
                }
            }
        }
    }
}
