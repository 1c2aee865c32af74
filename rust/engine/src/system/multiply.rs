//! A times a few columns.

use faer::{MatMut, MatRef, Par};

use crate::design::coupling::Coupling;
use crate::design::cross_products::{CrossProducts, Trailing};
use crate::design::stacked::Stacked;
use crate::design::structure::Structure;
use crate::error::Result;

/// `A v`.
pub fn multiply(
    a: &CrossProducts,
    structure: &Structure,
    v: &Stacked,
    par: Par,
) -> Result<Stacked> {
    let m = v.m;
    let mut out = Stacked::zeros(structure, m)?;
    let dim = structure.trailing_dim();
    match &a.trailing {
        Trailing::Dense(matrix) => {
            product(&mut out.trailing, matrix.view(), &v.trailing, m, false, par);
        }
        Trailing::Sparse(sparse) => sparse.multiply(&v.trailing, &mut out.trailing, m),
    }
    for (b, leading) in a.leading.iter().enumerate() {
        let block = &structure.blocks[b];
        let k = block.width;
        let square = k * k;
        for level in 0..block.n_levels {
            let d = &leading.diagonal[level * square..(level + 1) * square];
            let rows = level * k * m..(level + 1) * k * m;
            add_product(
                &mut out.leading[b][rows.clone()],
                d,
                &v.leading[b][rows],
                k,
                m,
            );
        }
        for (i, values) in leading.ancestors.iter().enumerate() {
            let above = b + 1 + i;
            let ka = structure.blocks[above].width;
            for (level, &w) in structure.parents[b][i].iter().enumerate() {
                let c = &values[level * k * ka..(level + 1) * k * ka];
                let (own, other) = (level * k * m, w as usize * ka * m);
                for j in 0..ka {
                    for h in 0..k {
                        for col in 0..m {
                            let s = c[h + j * k];
                            out.leading[b][own + h * m + col] +=
                                s * v.leading[above][other + j * m + col];
                            out.leading[above][other + j * m + col] +=
                                s * v.leading[b][own + h * m + col];
                        }
                    }
                }
            }
        }
        match &leading.coupling {
            Coupling::Dense(values) => {
                let c = MatRef::from_row_major_slice(values, block.dim(), dim);
                product(&mut out.leading[b], c, &v.trailing, m, true, par);
                product(
                    &mut out.trailing,
                    c.transpose(),
                    &v.leading[b],
                    m,
                    true,
                    par,
                );
            }
            Coupling::Sparse(sparse) => {
                for level in 0..block.n_levels {
                    let own = level * k * m..(level + 1) * k * m;
                    sparse.multiply_level(
                        structure,
                        level,
                        &v.trailing,
                        &mut out.leading[b][own.clone()],
                        m,
                    );
                    sparse.transposed_multiply_level(
                        structure,
                        level,
                        &v.leading[b][own],
                        1.0,
                        &mut out.trailing,
                        m,
                    );
                }
            }
        }
    }
    Ok(out)
}

/// Row-major `out (+)= a v` with m columns.
pub fn product(out: &mut [f64], a: MatRef<'_, f64>, v: &[f64], m: usize, add: bool, par: Par) {
    let (rows, cols) = (a.nrows(), a.ncols());
    let accum = if add {
        faer::Accum::Add
    } else {
        faer::Accum::Replace
    };
    faer::linalg::matmul::matmul(
        MatMut::from_row_major_slice_mut(&mut out[..rows * m], rows, m),
        accum,
        a,
        MatRef::from_row_major_slice(&v[..cols * m], cols, m),
        1.0,
        par,
    );
}

/// `out += d v` for one level: d is k × k column-major, v and out are k × m row-major.
pub fn add_product(out: &mut [f64], d: &[f64], v: &[f64], k: usize, m: usize) {
    for h in 0..k {
        for i in 0..k {
            let s = d[i + h * k];
            for col in 0..m {
                out[i * m + col] += s * v[h * m + col];
            }
        }
    }
}
