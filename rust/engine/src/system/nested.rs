//! What the elimination of a leading block does to the leading blocks that hold it.

use crate::design::coupling::Coupling;
use crate::design::cross_products::{CrossProducts, Leading};
use crate::design::structure::Structure;
use crate::error::Result;
use crate::linalg::memory::room;
use crate::linalg::small;

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

/// Takes the contribution of every level of `current` from the leading block that holds it.
#[allow(clippy::too_many_arguments)]
pub fn update_ancestor(
    current: &Leading,
    n: &[f64],
    k: usize,
    i: usize,
    parents: &[u32],
    positions: &[u32],
    target: &mut Leading,
    structure: &Structure,
) {
    let levels = parents.len();
    let ka = current.ancestors[i].len() / (levels * k).max(1);
    let mut g = vec![0.0; k * ka];
    for (level, &w) in parents.iter().enumerate() {
        let w = w as usize;
        let above = &current.ancestors[i][level * k * ka..(level + 1) * k * ka];
        let n = &n[level * k * k..(level + 1) * k * k];
        times(n, above, &mut g, k, ka);
        subtract_product(above, &g, &mut target.diagonal[w * ka * ka..], k, ka, ka);
        for (further, values) in target.ancestors.iter_mut().enumerate() {
            let other = &current.ancestors[i + 1 + further];
            let kf = other.len() / (levels * k).max(1);
            let other = &other[level * k * kf..(level + 1) * k * kf];
            subtract_product(&g, other, &mut values[w * ka * kf..], k, ka, kf);
        }
        if let (Coupling::Sparse(own), Coupling::Sparse(other)) =
            (&current.coupling, &mut target.coupling)
        {
            g.iter_mut().for_each(|v| *v = -*v);
            for e in own.ranges[level]..own.ranges[level + 1] {
                let c = &own.values[e * k..(e + 1) * k];
                let out = &mut other.values[positions[e] as usize * ka..][..ka];
                for (j, out) in out.iter_mut().enumerate() {
                    *out += small::dot(&g[j * k..(j + 1) * k], c);
                }
            }
            let p = structure.rank;
            for j in 0..ka {
                for h in 0..k {
                    let fixed = &own.fixed[(level * k + h) * p..][..p];
                    let out = &mut other.fixed[(w * ka + j) * p..][..p];
                    small::axpy(g[h + j * k], fixed, out);
                }
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
