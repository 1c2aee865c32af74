//! What the elimination of a leading block does to the leading blocks that hold it.

use crate::error::Result;
use crate::linalg::memory::room;
use crate::linalg::small;
use crate::products::coupling::{Coupling, SparseCoupling};
use crate::products::cross_products::{CrossProducts, Leading};
use crate::products::structure::Structure;

/// For each later leading block, the place of each coupled row of b in that block's coupling.
pub fn positions(a: &CrossProducts, structure: &Structure, b: usize) -> Result<Vec<Vec<u32>>> {
    (b + 1..structure.n_leading)
        .map(|above| {
            let (Coupling::Sparse(own), Coupling::Sparse(other)) =
                (&a.leading[b].coupling, &a.leading[above].coupling)
            else {
                return Ok(Vec::new());
            };
            let parents = &structure.parents[b][above - b - 1];
            let mut out = room(own.rows.len(), "the places of nested levels")?;
            for (level, &w) in parents.iter().enumerate() {
                let first = other.ranges[w as usize];
                let rows = &other.rows[first..other.ranges[w as usize + 1]];
                for row in &own.rows[own.ranges[level]..own.ranges[level + 1]] {
                    // Every row met below a level is met by the level: the search succeeds.
                    let at = rows.binary_search(row).unwrap_or(0);
                    out.push((first + at) as u32);
                }
            }
            Ok(out)
        })
        .collect()
}

/// The elimination of a leading block, as it changes the leading blocks that hold it.
pub struct NestedUpdate<'a> {
    pub structure: &'a Structure,
    /// The block that is eliminated.
    pub b: usize,
    /// See [`positions`].
    pub positions: &'a [Vec<u32>],
    pub rows: &'a Leading,
    /// What each level takes is x F x' for its rows x, with F of this width.
    pub forms: &'a [f64],
    pub width: usize,
}

impl NestedUpdate<'_> {
    /// Takes the contribution of every level from the i-th leading block above.
    pub fn apply(&self, i: usize, target: &mut Leading) {
        let k = self.width;
        let parents = &self.structure.parents[self.b][i];
        let ka = self.structure.blocks[self.b + 1 + i].width;
        let mut g = vec![0.0; k * ka];
        for (level, &w) in parents.iter().enumerate() {
            let w = w as usize;
            let above = &self.rows.ancestors[i][level * k * ka..(level + 1) * k * ka];
            let form = &self.forms[level * k * k..(level + 1) * k * k];
            times(form, above, &mut g, k, ka);
            subtract_product(above, &g, &mut target.diagonal[w * ka * ka..], k, ka, ka);
            for (further, values) in target.ancestors.iter_mut().enumerate() {
                let kf = self.structure.blocks[self.b + 2 + i + further].width;
                let other = &self.rows.ancestors[i + 1 + further];
                let other = &other[level * k * kf..(level + 1) * k * kf];
                subtract_product(&g, other, &mut values[w * ka * kf..], k, ka, kf);
            }
            if let (Coupling::Sparse(own), Coupling::Sparse(other)) =
                (&self.rows.coupling, &mut target.coupling)
            {
                g.iter_mut().for_each(|v| *v = -*v);
                self.add_to_coupling(&g, (i, level), own, (w, ka), other);
            }
        }
    }

    /// `other += g' own` for the rows of one level and of its parent w of ka columns.
    fn add_to_coupling(
        &self,
        g: &[f64],
        (i, level): (usize, usize),
        own: &SparseCoupling,
        (w, ka): (usize, usize),
        other: &mut SparseCoupling,
    ) {
        let (k, p) = (self.width, self.structure.rank);
        for e in own.ranges[level]..own.ranges[level + 1] {
            let c = &own.values[e * k..(e + 1) * k];
            let out = &mut other.values[self.positions[i][e] as usize * ka..][..ka];
            for (out, g) in out.iter_mut().zip(g.chunks_exact(k)) {
                *out += small::dot(g, c);
            }
        }
        for (j, g) in g.chunks_exact(k).enumerate() {
            let out = &mut other.fixed[(w * ka + j) * p..][..p];
            for (h, &s) in g.iter().enumerate() {
                small::axpy(s, &own.fixed[(level * k + h) * p..][..p], out);
            }
        }
    }
}

/// `out = a b`, k × k times k × m.
fn times(a: &[f64], b: &[f64], out: &mut [f64], k: usize, m: usize) {
    out[..k * m].fill(0.0);
    for j in 0..m {
        for h in 0..k {
            small::axpy(
                b[h + j * k],
                &a[h * k..(h + 1) * k],
                &mut out[j * k..(j + 1) * k],
            );
        }
    }
}

/// `out -= a' b`, (k × r)' times k × s.
fn subtract_product(a: &[f64], b: &[f64], out: &mut [f64], k: usize, r: usize, s: usize) {
    for j in 0..s {
        for i in 0..r {
            out[i + j * r] -= small::dot(&a[i * k..(i + 1) * k], &b[j * k..(j + 1) * k]);
        }
    }
}
