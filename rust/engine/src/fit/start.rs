//! Where the optimisation starts: one variance for each block by the method of moments.
//!
//! With c = Z'(I - H)y and weights d_j = tr Z_j'Z_j, the quadratic forms Q_t = Σ_j c_j'c_j / d_j of the
//! blocks and the residual sum of squares of ordinary least squares have expectations that are
//! linear in the variances when the random effects of a block are independent with one variance
//! (Henderson 1953, method 1, with the fixed effects projected out). Solving for the variances takes
//! one look at A, and is close enough to the optimum to save half of the evaluations.

use crate::design::coupling::Coupling;
use crate::design::stacked::Stacked;
use crate::design::structure::Structure;
use crate::design::Model;
use crate::error::Result;
use crate::linalg::{small, Matrix};
use crate::system::multiply;

/// Standard deviations, relative to the residual's, outside of which a start is of no use.
const RANGE: (f64, f64) = (0.1, 1e3);

/// The relative standard deviation of each block in the basis of the engine, or `None` when the
/// equations have no sensible solution.
pub fn block_scales(model: &Model) -> Result<Option<Vec<f64>>> {
    let Some(trailing) = model.cross_products.trailing.dense() else {
        return Ok(None);
    };
    let structure = &model.structure;
    let (n_blocks, p) = (structure.blocks.len(), structure.rank);
    let projected = project_on_x(model, trailing)?;
    let weights: Vec<Vec<f64>> = (0..n_blocks).map(|b| traces(model, trailing, b)).collect();
    let m = n_blocks + 1;
    let mut equations = vec![0.0; m * m];
    let mut right = vec![0.0; m];
    for (t, w) in weights.iter().enumerate() {
        let k = structure.blocks[t].width;
        let c = model.response_products.block(structure, t);
        right[t] = weighted(w, c.chunks_exact(k).map(|c| small::dot(c, c)));
        let own = projected.block(structure, t);
        let fixed = own.chunks_exact(k * p.max(1)).map(|b| small::dot(b, b));
        let left = if p == 0 { 0.0 } else { weighted(w, fixed) };
        equations[t + n_blocks * m] = w.iter().filter(|&&d| d > 0.0).count() as f64 - left;
        equations[n_blocks + t * m] = w.iter().sum::<f64>() - small::dot(own, own);
    }
    equations[n_blocks + n_blocks * m] = (model.n_obs() - p) as f64;
    right[n_blocks] = model.response_square;
    for s in 0..n_blocks {
        let met = (p > 0)
            .then(|| MetOnX::new(model, &projected, s))
            .transpose()?;
        for (t, w) in weights.iter().enumerate() {
            let squares = square_sums(model, trailing, (t, s));
            equations[t + s * m] = weighted(
                w,
                squares.iter().enumerate().map(|(level, square)| {
                    let taken = met.as_ref().map_or(0.0, |met| met.taken(t, level));
                    square - taken
                }),
            );
        }
    }
    small::solve_general(&mut equations, &mut right, m, 1);
    let residual = right[n_blocks];
    let solved = residual > 0.0 && right.iter().all(|v| v.is_finite());
    if !solved {
        return Ok(None);
    }
    let scales = right[..n_blocks].iter();
    Ok(Some(
        scales
            .map(|v| (v / residual).max(0.0).sqrt().clamp(RANGE.0, RANGE.1))
            .collect(),
    ))
}

/// What the projection on X takes from the squares of Z_j'Z_s for one block s.
struct MetOnX<'a> {
    structure: &'a Structure,
    projected: &'a Stacked,
    /// Z'Z_s B_s and B_s'B_s for the projections B.
    products: Stacked,
    gram: Vec<f64>,
}

impl<'a> MetOnX<'a> {
    fn new(model: &'a Model, projected: &'a Stacked, s: usize) -> Result<Self> {
        let structure = &model.structure;
        let mut only = Stacked::zeros(structure, projected.m)?;
        only.block_mut(structure, s)
            .copy_from_slice(projected.block(structure, s));
        Ok(Self {
            structure,
            projected,
            products: multiply(&model.cross_products, structure, &only)?,
            gram: only.gram(&only),
        })
    }

    fn taken(&self, t: usize, level: usize) -> f64 {
        let (p, k) = (self.projected.m, self.structure.blocks[t].width);
        let rows = level * k * p..(level + 1) * k * p;
        let own = &self.projected.block(self.structure, t)[rows.clone()];
        let met = &self.products.block(self.structure, t)[rows];
        let mut taken = 2.0 * small::dot(own, met);
        for row in own.chunks_exact(p) {
            for (&x, column) in row.iter().zip(self.gram.chunks_exact(p)) {
                taken -= x * small::dot(row, column);
            }
        }
        taken
    }
}

fn weighted(weights: &[f64], values: impl Iterator<Item = f64>) -> f64 {
    weights
        .iter()
        .zip(values)
        .filter(|(&d, _)| d > 0.0)
        .map(|(d, v)| v / d)
        .sum()
}

/// L^-1 X'Z with X'X = LL', transposed: its Gram matrix is what the projection on X takes from Z'Z.
fn project_on_x(model: &Model, trailing: &Matrix) -> Result<Stacked> {
    let (structure, a) = (&model.structure, &model.cross_products);
    let (q, p) = (structure.n_trailing, structure.rank);
    let mut x = Stacked::zeros(structure, p)?;
    for j in 0..p {
        x.trailing[(q + j) * p + j] = 1.0;
    }
    let mut products = multiply(a, structure, &x)?;
    let mut lower: Vec<f64> = (0..p)
        .flat_map(|j| (0..p).map(move |i| trailing[(q + i, q + j)]))
        .collect();
    if small::cholesky(&mut lower, p) {
        let parts = products
            .leading
            .iter_mut()
            .map(Vec::as_mut_slice)
            .chain([&mut products.trailing[..q * p]]);
        for part in parts {
            small::solve_lower(&lower, part, p, part.len() / p.max(1));
        }
    }
    Ok(products)
}

/// tr Z_j'Z_j for every level of a block.
fn traces(model: &Model, trailing: &Matrix, b: usize) -> Vec<f64> {
    let structure = &model.structure;
    let block = &structure.blocks[b];
    let k = block.width;
    if let Some(leading) = model.cross_products.leading.get(b) {
        let levels = leading.diagonal.chunks_exact(k * k);
        return levels.map(|d| (0..k).map(|i| d[i + i * k]).sum()).collect();
    }
    let start = structure.starts[b - structure.n_leading];
    (0..block.n_levels)
        .map(|v| {
            let own = start + v * k..start + (v + 1) * k;
            own.map(|i| trailing[(i, i)]).sum()
        })
        .collect()
}

/// The sum of squares of Z_j'Z_s for every level j of block t.
fn square_sums(model: &Model, trailing: &Matrix, (t, s): (usize, usize)) -> Vec<f64> {
    let (structure, a) = (&model.structure, &model.cross_products);
    let block = &structure.blocks[t];
    let (k, n_leading) = (block.width, structure.n_leading);
    let mut out = vec![0.0; block.n_levels];
    let square = |values: &[f64]| small::dot(values, values);
    match (t < n_leading, s < n_leading) {
        (true, true) if t == s => {
            let levels = a.leading[t].diagonal.chunks_exact(k * k);
            out.iter_mut().zip(levels).for_each(|(o, d)| *o = square(d));
        }
        (true, true) => {
            let (fine, coarse) = (t.min(s), t.max(s));
            let at = coarse - fine - 1;
            let cells = structure.blocks[fine].width * structure.blocks[coarse].width;
            let values = a.leading[fine].ancestors[at].chunks_exact(cells);
            let parents = &structure.parents[fine][at];
            for (level, (cell, &parent)) in values.zip(parents).enumerate() {
                out[if t == fine { level } else { parent as usize }] += square(cell);
            }
        }
        (true, false) | (false, true) => {
            let (leading, other) = if t < n_leading { (t, s) } else { (s, t) };
            let (start, width) = (
                structure.starts[other - n_leading],
                structure.blocks[other].width,
            );
            let rows = start..start + structure.blocks[other].dim();
            let own_width = structure.blocks[leading].width;
            let mut add = |level: usize, row: usize, value: f64| {
                let at = if t == leading {
                    level
                } else {
                    (row - start) / width
                };
                out[at] += value;
            };
            match &a.leading[leading].coupling {
                Coupling::Dense(values) => {
                    let cols = structure.trailing_dim();
                    for (i, row) in values.chunks_exact(cols).enumerate() {
                        for c in rows.clone() {
                            add(i / own_width, c, row[c] * row[c]);
                        }
                    }
                }
                Coupling::Sparse(sparse) => {
                    for level in 0..sparse.ranges.len() - 1 {
                        for e in sparse.ranges[level]..sparse.ranges[level + 1] {
                            let row = sparse.rows[e] as usize;
                            if rows.contains(&row) {
                                let own = &sparse.values[e * own_width..(e + 1) * own_width];
                                add(level, row, square(own));
                            }
                        }
                    }
                }
            }
        }
        (false, false) => {
            let (own, other) = (
                structure.starts[t - n_leading],
                structure.starts[s - n_leading],
            );
            let size = structure.blocks[s].dim();
            for (level, o) in out.iter_mut().enumerate() {
                let columns = own + level * k..own + (level + 1) * k;
                *o = columns
                    .map(|c| square(&trailing.column(c)[other..other + size]))
                    .sum();
            }
        }
    }
    out
}
