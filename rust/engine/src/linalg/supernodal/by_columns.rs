//! The factor of a sparse matrix as compressed columns, for callers that have no nodes of their own.

use std::sync::Arc;

use super::{Analysis, Factor, Graph, Scaling};
use crate::error::{same_length, Error, Result};
use crate::linalg::memory;

const WHAT: &str = "the sparse factor";

/// A matrix in compressed columns, the rows of a column ascending.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CompressedColumns {
    /// Where each column starts, and the end of the last one.
    pub starts: Vec<usize>,
    pub rows: Vec<u32>,
    pub values: Vec<f64>,
}

/// L with `LL' = P(K + I)P'`, and P: the row of K at each row of L.
pub struct Cholesky {
    pub factor: CompressedColumns,
    pub order: Vec<u32>,
}

/// Factorises `K + I` in an order that keeps the factor sparse. `None` when it is not positive definite.
///
/// # Errors
/// Lengths and indices that do not fit together, a pattern that is not symmetric, and short memory.
pub fn cholesky(k: &CompressedColumns) -> Result<Option<Cholesky>> {
    let graph = graph_of(k)?;
    let n = graph.len();
    let analysis = Arc::new(Analysis::new(&graph, 0)?);
    if !memory::suffices(analysis.sizes.bytes()) {
        return Err(memory::shortage(analysis.sizes.bytes(), WHAT));
    }
    let mut factor = Factor::new(Arc::clone(&analysis))?;
    let entries = factor.entries();
    for column in 0..n {
        let own = analysis.position[column] as usize;
        for e in k.starts[column]..k.starts[column + 1] {
            let row = analysis.position[k.rows[e] as usize] as usize;
            if row >= own {
                entries[analysis.locate(row, own).0] = k.values[e];
            }
        }
    }
    let (lambda, classes) = ([vec![1.0]], vec![0; n]);
    let scaling = Scaling {
        lambda: &lambda,
        classes: &classes,
    };
    if !factor.factorise(&scaling, false)? {
        return Ok(None);
    }
    Ok(Some(Cholesky {
        factor: columns_of(&factor)?,
        order: analysis.order.clone(),
    }))
}

/// Who meets whom, after checks of everything that indexing relies on.
fn graph_of(k: &CompressedColumns) -> Result<Graph> {
    let n = k.starts.len().saturating_sub(1);
    same_length("the rows of the matrix", k.values.len(), k.rows.len())?;
    let bounded = k.starts.first() == Some(&0) && k.starts.last() == Some(&k.rows.len());
    if !bounded || k.starts.windows(2).any(|pair| pair[0] > pair[1]) {
        return Err(Error::Domain(
            "the columns of the matrix do not follow one another".into(),
        ));
    }
    let column = |j: usize| &k.rows[k.starts[j]..k.starts[j + 1]];
    let mut ranges = memory::room(n + 1, WHAT)?;
    let mut neighbours = memory::room(k.rows.len(), WHAT)?;
    ranges.push(0);
    for j in 0..n {
        let rows = column(j);
        let ascending = rows.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || rows.last().is_some_and(|&row| row as usize >= n) {
            return Err(Error::Domain(format!(
                "the rows of column {j} must be ascending and below {n}"
            )));
        }
        for &row in rows.iter().filter(|&&row| row as usize != j) {
            if column(row as usize).binary_search(&(j as u32)).is_err() {
                return Err(Error::Domain(format!(
                    "the matrix is not symmetric: it has entry ({row}, {j}), but not ({j}, {row})"
                )));
            }
            neighbours.push(row);
        }
        ranges.push(neighbours.len());
    }
    Ok(Graph {
        widths: vec![1; n],
        ranges,
        neighbours,
    })
}

/// The panels as columns, without the zeros that fill them up.
fn columns_of(factor: &Factor) -> Result<CompressedColumns> {
    let analysis = factor.analysis();
    let mut out = CompressedColumns::default();
    out.starts.push(0);
    for s in &analysis.supernodes {
        let panel = &factor.panels[s.panel()];
        for j in 0..s.width {
            let values = &panel[j * s.height()..(j + 1) * s.height()];
            let square = (s.first..s.first + s.width).map(|row| row as u32);
            let rows = square.chain(analysis.rows(s).iter().copied());
            memory::reserve(&mut out.rows, s.height() - j, WHAT)?;
            memory::reserve(&mut out.values, s.height() - j, WHAT)?;
            for (row, &value) in rows.zip(values).skip(j).filter(|(_, &value)| value != 0.0) {
                out.rows.push(row);
                out.values.push(value);
            }
            out.starts.push(out.rows.len());
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A symmetric matrix from its dense columns.
    fn sparse(n: usize, dense: &[f64]) -> CompressedColumns {
        let mut out = CompressedColumns::default();
        out.starts.push(0);
        for j in 0..n {
            for i in (0..n).filter(|i| dense[i + j * n] != 0.0) {
                out.rows.push(i as u32);
                out.values.push(dense[i + j * n]);
            }
            out.starts.push(out.rows.len());
        }
        out
    }

    #[test]
    fn the_factor_times_its_transpose_is_the_matrix() {
        let n = 7;
        let mut dense = vec![0.0; n * n];
        for i in 0..n {
            dense[i + i * n] = 3.0 + i as f64;
        }
        for &(i, j, v) in &[
            (0, 3, 1.0),
            (0, 6, -0.5),
            (1, 4, 0.7),
            (2, 6, 0.2),
            (4, 5, -1.5),
        ] {
            dense[i + j * n] = v;
            dense[j + i * n] = v;
        }
        let Cholesky { factor, order } = cholesky(&sparse(n, &dense)).unwrap().unwrap();
        let mut l = vec![0.0; n * n];
        for j in 0..n {
            for e in factor.starts[j]..factor.starts[j + 1] {
                assert!(factor.rows[e] as usize >= j);
                l[factor.rows[e] as usize + j * n] = factor.values[e];
            }
        }
        for i in 0..n {
            for j in 0..n {
                let product: f64 = (0..n).map(|k| l[i + k * n] * l[j + k * n]).sum();
                let (a, b) = (order[i] as usize, order[j] as usize);
                let wanted = dense[a + b * n] + f64::from(u8::from(a == b));
                assert!((product - wanted).abs() < 1e-12, "({i}, {j})");
            }
        }
    }

    #[test]
    fn matrices_that_are_none_are_refused() {
        let good = sparse(2, &[1.0, 0.5, 0.5, 1.0]);
        for bad in [
            CompressedColumns {
                rows: vec![0, 1, 1, 0],
                ..good.clone()
            },
            CompressedColumns {
                rows: vec![0, 1, 0, 2],
                ..good.clone()
            },
            CompressedColumns {
                starts: vec![0, 3, 2],
                ..good.clone()
            },
            CompressedColumns {
                values: vec![1.0],
                ..good.clone()
            },
            sparse(2, &[1.0, 0.5, 0.0, 1.0]),
        ] {
            assert!(cholesky(&bad).is_err(), "{bad:?}");
        }
        assert!(cholesky(&sparse(2, &[1.0, 9.0, 9.0, 1.0]))
            .unwrap()
            .is_none());
    }
}
