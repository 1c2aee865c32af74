//! The rows of one leading block times a few columns, row-major with m > 0 columns everywhere.

use faer::{MatMut, MatRef, Par};

use crate::products::coupling::Coupling;
use crate::products::cross_products::Leading;
use crate::products::structure::{Block, Structure};

/// The part C of a leading block that couples it to all that is eliminated later, and its diagonal.
pub struct LeadingRows<'a> {
    pub structure: &'a Structure,
    pub b: usize,
    pub leading: &'a Leading,
}

impl LeadingRows<'_> {
    fn block(&self) -> &Block {
        &self.structure.blocks[self.b]
    }

    /// `out += D v` for the diagonal D.
    pub fn add_diagonal(&self, v: &[f64], out: &mut [f64], m: usize) {
        let k = self.block().width;
        add_level_products(&self.leading.diagonal, v, out, k, m);
    }

    /// `out += C v` for v on the leading blocks above and on the trailing rows.
    pub fn add_above(&self, above: &[Vec<f64>], trailing: &[f64], out: &mut [f64], m: usize) {
        let k = self.block().width;
        for (nested, v) in self.nested().zip(above) {
            nested.each_level(|c, level, parent, ka| {
                let v = &v[parent * ka * m..][..ka * m];
                let out = &mut out[level * k * m..][..k * m];
                for (c, v) in c.chunks_exact(k).zip(v.chunks_exact(m)) {
                    for (&c, out) in c.iter().zip(out.chunks_exact_mut(m)) {
                        add_scaled(c, v, out);
                    }
                }
            });
        }
        match &self.leading.coupling {
            Coupling::Dense(values) => product(out, self.dense(values), trailing, m, true),
            Coupling::Sparse(sparse) => {
                for (level, out) in out.chunks_exact_mut(k * m).enumerate() {
                    sparse.multiply_level(self.structure, level, trailing, out, m);
                }
            }
        }
    }

    /// `above += C' v`, on the same rows.
    pub fn add_to_above(&self, v: &[f64], above: &mut [Vec<f64>], trailing: &mut [f64], m: usize) {
        let k = self.block().width;
        for (nested, out) in self.nested().zip(above) {
            nested.each_level(|c, level, parent, ka| {
                let v = &v[level * k * m..][..k * m];
                let out = &mut out[parent * ka * m..][..ka * m];
                for (c, out) in c.chunks_exact(k).zip(out.chunks_exact_mut(m)) {
                    for (&c, v) in c.iter().zip(v.chunks_exact(m)) {
                        add_scaled(c, v, out);
                    }
                }
            });
        }
        match &self.leading.coupling {
            Coupling::Dense(values) => {
                product(trailing, self.dense(values).transpose(), v, m, true);
            }
            Coupling::Sparse(sparse) => {
                for (level, v) in v.chunks_exact(k * m).enumerate() {
                    sparse.transposed_multiply_level(self.structure, level, v, trailing, m);
                }
            }
        }
    }

    fn dense<'v>(&self, values: &'v [f64]) -> MatRef<'v, f64> {
        let (rows, cols) = (self.block().dim(), self.structure.trailing_dim());
        MatRef::from_row_major_slice(values, rows, cols)
    }

    /// The couplings to the leading blocks above, nearest first.
    fn nested(&self) -> impl Iterator<Item = Nested<'_>> {
        let widths = self.structure.leading()[self.b + 1..].iter();
        let parents = self.structure.parents[self.b].iter();
        let parts = self.leading.ancestors.iter().zip(parents).zip(widths);
        parts.map(|((values, parents), above)| Nested {
            values,
            parents,
            widths: (self.block().width, above.width),
        })
    }
}

/// How the levels of a block meet those of a block above that hold them.
struct Nested<'a> {
    values: &'a [f64],
    parents: &'a [u32],
    widths: (usize, usize),
}

impl Nested<'_> {
    /// Calls `work` with the k × ka cells of a level (by columns), the level, its parent and ka.
    fn each_level(&self, mut work: impl FnMut(&[f64], usize, usize, usize)) {
        let (k, ka) = self.widths;
        for (level, (c, &parent)) in self
            .values
            .chunks_exact(k * ka)
            .zip(self.parents)
            .enumerate()
        {
            work(c, level, parent as usize, ka);
        }
    }
}

fn add_scaled(s: f64, v: &[f64], out: &mut [f64]) {
    for (out, v) in out.iter_mut().zip(v) {
        *out += s * v;
    }
}

/// `out += d_v v_v` for every level, d_v k × k column-major.
pub fn add_level_products(d: &[f64], v: &[f64], out: &mut [f64], k: usize, m: usize) {
    let size = k * m;
    let levels = d.chunks_exact(k * k).zip(v.chunks_exact(size));
    for ((d, v), out) in levels.zip(out.chunks_exact_mut(size)) {
        for (d, v) in d.chunks_exact(k).zip(v.chunks_exact(m)) {
            for (&s, out) in d.iter().zip(out.chunks_exact_mut(m)) {
                add_scaled(s, v, out);
            }
        }
    }
}

/// `out (+)= a v`.
pub fn product(out: &mut [f64], a: MatRef<'_, f64>, v: &[f64], m: usize, add: bool) {
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
        Par::Seq,
    );
}
