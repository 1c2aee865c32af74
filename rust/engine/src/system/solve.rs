//! Solving with the factor: forward elimination of right-hand sides and back-substitution.

use faer::MatRef;

use crate::design::coupling::Coupling;
use crate::design::cross_products::CrossProducts;
use crate::design::stacked::Stacked;
use crate::design::structure::Structure;
use crate::system::multiply::{add_product, product};
use crate::system::Factor;

/// Right-hand sides after forward elimination.
#[derive(Debug, Clone)]
pub struct Reduced {
    /// Leading parts reduced but unscaled; the trailing part solved with the trailing
    /// factor, in its own order.
    columns: Stacked,
    /// What the system explains: `F'F`, m × m, so that `q'q - F'F` is the inner product of the
    /// columns in the metric P of the residuals.
    pub explained: Vec<f64>,
}

impl Reduced {
    /// Forward elimination of [Z X]'q.
    #[must_use]
    pub fn new(
        factor: &Factor,
        a: &CrossProducts,
        structure: &Structure,
        mut columns: Stacked,
    ) -> Self {
        let m = columns.m;
        let mut explained = vec![0.0; m * m];
        for b in 0..structure.n_leading {
            let block = &structure.blocks[b];
            let k = block.width;
            let leading = factor.reduced(a, b);
            let (own, above) = columns.leading.split_at_mut(b + 1);
            let own = &own[b];
            // N times the columns, negated: what is added to the rest.
            let mut taken = vec![0.0; own.len()];
            for ((out, v), n) in taken
                .chunks_exact_mut(k * m)
                .zip(own.chunks_exact(k * m))
                .zip(factor.leading[b].n.chunks_exact(k * k))
            {
                add_product(out, n, v, k, m);
            }
            add_gram(&mut explained, own, &taken, m);
            taken.iter_mut().for_each(|v| *v = -*v);
            for (i, values) in leading.ancestors.iter().enumerate() {
                let ka = structure.blocks[b + 1 + i].width;
                for (level, &w) in structure.parents[b][i].iter().enumerate() {
                    let c = &values[level * k * ka..(level + 1) * k * ka];
                    let out = &mut above[i][w as usize * ka * m..][..ka * m];
                    let v = &taken[level * k * m..(level + 1) * k * m];
                    for j in 0..ka {
                        for h in 0..k {
                            for col in 0..m {
                                out[j * m + col] += c[h + j * k] * v[h * m + col];
                            }
                        }
                    }
                }
            }
            match &leading.coupling {
                Coupling::Dense(values) => {
                    let c =
                        MatRef::from_row_major_slice(values, block.dim(), structure.trailing_dim());
                    let out = &mut columns.trailing;
                    product(out, c.transpose(), &taken, m, true, factor.par);
                }
                Coupling::Sparse(sparse) => {
                    for (level, v) in taken.chunks_exact(k * m).enumerate() {
                        let out = &mut columns.trailing;
                        sparse.transposed_multiply_level(structure, level, v, 1.0, out, m);
                    }
                }
            }
        }
        factor
            .trailing
            .forward(&mut columns.trailing, m, structure, &factor.lambda);
        add_gram(&mut explained, &columns.trailing, &columns.trailing, m);
        Self { columns, explained }
    }

    /// Conditional modes b (in the rows of the random effects) and coefficients (in the rows of X).
    #[must_use]
    pub fn solution(&self, factor: &Factor, a: &CrossProducts, structure: &Structure) -> Stacked {
        let m = self.columns.m;
        let mut out = self.columns.clone();
        factor
            .trailing
            .backward(&mut out.trailing, m, structure, &factor.lambda);
        let negative: Vec<f64> = out.trailing.iter().map(|v| -v).collect();
        for b in (0..structure.n_leading).rev() {
            let block = &structure.blocks[b];
            let k = block.width;
            let leading = factor.reduced(a, b);
            let (own, above) = out.leading.split_at_mut(b + 1);
            let own = &mut own[b];
            match &leading.coupling {
                Coupling::Dense(values) => {
                    let c =
                        MatRef::from_row_major_slice(values, block.dim(), structure.trailing_dim());
                    product(own, c, &negative, m, true, factor.par);
                }
                Coupling::Sparse(sparse) => {
                    for (level, v) in own.chunks_exact_mut(k * m).enumerate() {
                        sparse.multiply_level(structure, level, &negative, v, m);
                    }
                }
            }
            for (i, values) in leading.ancestors.iter().enumerate() {
                let ka = structure.blocks[b + 1 + i].width;
                for (level, &w) in structure.parents[b][i].iter().enumerate() {
                    let c = &values[level * k * ka..(level + 1) * k * ka];
                    let v = &above[i][w as usize * ka * m..][..ka * m];
                    let out = &mut own[level * k * m..(level + 1) * k * m];
                    for j in 0..ka {
                        for h in 0..k {
                            for col in 0..m {
                                out[h * m + col] -= c[h + j * k] * v[j * m + col];
                            }
                        }
                    }
                }
            }
            let mut level_out = vec![0.0; k * m];
            for (v, n) in own
                .chunks_exact_mut(k * m)
                .zip(factor.leading[b].n.chunks_exact(k * k))
            {
                level_out.fill(0.0);
                add_product(&mut level_out, n, v, k, m);
                v.copy_from_slice(&level_out);
            }
        }
        out
    }
}

/// `out += a' b` for row-major a and b of m columns; out column-major.
fn add_gram(out: &mut [f64], a: &[f64], b: &[f64], m: usize) {
    for (a, b) in a.chunks_exact(m).zip(b.chunks_exact(m)) {
        for (column, &b) in out.chunks_exact_mut(m).zip(b) {
            for (out, &a) in column.iter_mut().zip(a) {
                *out += a * b;
            }
        }
    }
}
