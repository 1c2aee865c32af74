//! Working variates: the columns `q_i = V_i P y`, of which the average information is made.

use crate::design::cross_products::CrossProducts;
use crate::design::stacked::Stacked;
use crate::design::structure::Structure;
use crate::error::Result;
use crate::system::{multiply, Factor, Reduced};

/// q_i = Z g with g = M c in every level of one block; M = D λ' + λ D' is symmetric.
#[derive(Debug, Clone)]
pub struct WorkingMap {
    pub block: usize,
    /// Entries (row, column, value) of M that are not zero, row ≥ column.
    pub entries: Vec<(usize, usize, f64)>,
}

/// `q_i'Pq_j - h_i h_j / r²` for every pair of parameters, column-major, with h_i = q_i'Py.
pub fn information(
    factor: &Factor,
    a: &CrossProducts,
    structure: &Structure,
    (maps, c, r2): (&[WorkingMap], &Stacked, f64),
) -> Result<Vec<f64>> {
    let m = maps.len();
    let q = variates(structure, maps, c)?;
    let products = multiply(a, structure, &q, factor.par)?;
    let mut out = q.gram(&products);
    let h = q.gram(c);
    let reduced = Reduced::new(factor, a, structure, products);
    for j in 0..m {
        for i in 0..m {
            out[i + j * m] -= reduced.explained[i + j * m] + h[i] * h[j] / r2;
        }
    }
    Ok(out)
}

fn variates(structure: &Structure, maps: &[WorkingMap], c: &Stacked) -> Result<Stacked> {
    let m = maps.len();
    let mut out = Stacked::zeros(structure, m)?;
    for (i, map) in maps.iter().enumerate() {
        let width = structure.blocks[map.block].width;
        let scores = c.block(structure, map.block);
        let rows = out.block_mut(structure, map.block);
        for (c, rows) in scores
            .chunks_exact(width)
            .zip(rows.chunks_exact_mut(width * m))
        {
            for &(row, column, v) in &map.entries {
                rows[row * m + i] += v * c[column];
                if row != column {
                    rows[column * m + i] += v * c[row];
                }
            }
        }
    }
    Ok(out)
}
