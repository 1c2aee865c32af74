//! What the derivatives of the criterion are made of.

use crate::error::Result;
use crate::linalg::small;
use crate::products::stacked::Stacked;
use crate::products::structure::Structure;
use crate::system::{Direction, System};

/// The working variate of a parameter, `q_i = V_i P y = Z g_i` with g = M c in every level of one
/// block; M = D λ' + λ D' is symmetric.
#[derive(Debug, Clone)]
pub struct WorkingMap {
    pub block: usize,
    /// Entries (row, column, value) of M that are not zero, row ≥ column.
    pub entries: Vec<(usize, usize, f64)>,
}

impl WorkingMap {
    /// The direction in which the parameter moves Σ of its block of this width.
    #[must_use]
    pub fn direction(&self, width: usize) -> Direction {
        let mut d = vec![0.0; width * width];
        for &(row, column, v) in &self.entries {
            d[row + column * width] = v;
            d[column + row * width] = v;
        }
        Direction {
            block: self.block,
            d,
        }
    }
}

/// Sums over levels by block, and products of working variates.
#[derive(Debug, Clone, Default)]
pub struct Slopes {
    /// Σ W_jj, width × width.
    pub w: Vec<Vec<f64>>,
    /// Σ c_j c_j', width × width.
    pub squares: Vec<Vec<f64>>,
    /// q_i'Pq_j, column-major.
    pub inner: Vec<f64>,
    /// q_i'Py.
    pub linear: Vec<f64>,
}

impl Slopes {
    /// G = Σ W_jj - s Σ c_j c_j' of each block, the derivative with respect to Σ for s = m/r².
    #[must_use]
    pub fn sigma_gradients(&self, s: f64) -> Vec<Vec<f64>> {
        self.w
            .iter()
            .zip(&self.squares)
            .map(|(w, c)| w.iter().zip(c).map(|(w, c)| w - s * c).collect())
            .collect()
    }

    /// The average information, `s (q_i'Pq_j - q_i'Py q_j'Py / r²)`.
    #[must_use]
    pub fn information(&self, s: f64, r2: f64) -> Vec<f64> {
        let columns = self.inner.chunks_exact(self.linear.len());
        columns
            .zip(&self.linear)
            .flat_map(|(column, &right)| {
                let pairs = column.iter().zip(&self.linear);
                pairs.map(move |(inner, left)| s * (inner - left * right / r2))
            })
            .collect()
    }
}

/// For several blocks; `c` are the scores and `w` the sums of W.
pub fn slopes(
    system: &dyn System,
    structure: &Structure,
    maps: &[WorkingMap],
    c: &Stacked,
    w: Vec<Vec<f64>>,
) -> Result<Slopes> {
    let q = variates(structure, maps, c)?;
    let products = system.multiply(&q)?;
    let mut inner = q.gram(&products);
    let linear = q.gram(c);
    let reduced = system.forward(products);
    inner
        .iter_mut()
        .zip(&system.explained(&reduced))
        .for_each(|(inner, explained)| *inner -= explained);
    let squares = outer_products(structure, c, c);
    Ok(Slopes {
        w,
        squares,
        inner,
        linear,
    })
}

/// Σ a_j b_j' over the levels of each block, width × width.
#[must_use]
pub fn outer_products(structure: &Structure, a: &Stacked, b: &Stacked) -> Vec<Vec<f64>> {
    let blocks = structure.blocks.iter().enumerate();
    blocks
        .map(|(at, block)| {
            let width = block.width;
            let mut out = vec![0.0; width * width];
            let left = a.block(structure, at).chunks_exact(width);
            for (left, right) in left.zip(b.block(structure, at).chunks_exact(width)) {
                small::add_outer(&mut out, left, right);
            }
            out
        })
        .collect()
}

/// The working variates of parameters, as combinations of the columns of Z.
pub fn variates(structure: &Structure, maps: &[WorkingMap], c: &Stacked) -> Result<Stacked> {
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
