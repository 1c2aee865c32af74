//! Where the optimisation starts: one variance for each block by the method of moments.
//!
//! With c = Z'(I - H)y and weights d_j = tr Z_j'Z_j, the quadratic forms Q_t = Σ_j c_j'c_j / d_j of the
//! blocks and the residual sum of squares of ordinary least squares have expectations that are
//! linear in the variances when the random effects of a block are independent with one variance
//! (Henderson 1953, method 1, with the fixed effects projected out). Solving for the variances takes
//! one look at A, and is close enough to the optimum to save half of the evaluations.
//!
//! With X'X = LL' and the rows B_j = Z_j'X L^-T, what two levels share is
//!
//! ```text
//! |Z_i'(I - H)Z_j|² = |Z_i'Z_j|² - 2 tr B_i'(Z_i'Z_j)B_j + |B_iB_j'|²
//! ```
//!
//! of which the first two terms are sums over the cells of A, and the last one a product of Gram
//! matrices once it is summed over all levels of two blocks.

use crate::linalg::small;
use crate::model::Model;
use crate::products::level::Level;
use crate::products::stacked::Stacked;

/// Standard deviations, relative to the residual's, outside of which a start is of no use.
const RANGE: (f64, f64) = (0.1, 1e3);

/// The relative standard deviation of each block in the basis of the engine, or `None` when the
/// equations have no sensible solution.
pub fn block_scales(model: &Model) -> Option<Vec<f64>> {
    let structure = &model.structure;
    let (n_blocks, p) = (structure.blocks.len(), structure.rank);
    let projected = project_on_x(model);
    let traces = traces(model);
    let shared = shared_by_blocks(model, &projected, &traces);
    let m = n_blocks + 1;
    let mut equations = vec![0.0; m * m];
    let mut right = vec![0.0; m];
    for (t, traces) in traces.iter().enumerate() {
        let k = structure.blocks[t].width;
        let c = model.response_products.block(structure, t);
        right[t] = weighted(traces, c.chunks_exact(k).map(|c| small::dot(c, c)));
        let own = projected.block(structure, t);
        let fixed = own.chunks_exact(k * p.max(1)).map(|b| small::dot(b, b));
        let left = if p == 0 { 0.0 } else { weighted(traces, fixed) };
        equations[t + n_blocks * m] = traces.iter().filter(|&&d| d > 0.0).count() as f64 - left;
        equations[n_blocks + t * m] = traces.iter().sum::<f64>() - small::dot(own, own);
        for s in 0..n_blocks {
            equations[t + s * m] = shared[t + s * n_blocks];
        }
    }
    equations[n_blocks + n_blocks * m] = (model.n_obs() - p) as f64;
    right[n_blocks] = model.response_square;
    small::solve_general(&mut equations, &mut right, m, 1);
    let residual = right[n_blocks];
    let solved = residual > 0.0 && right.iter().all(|v| v.is_finite());
    if !solved {
        return None;
    }
    let scales = right[..n_blocks].iter();
    Some(
        scales
            .map(|v| (v / residual).max(0.0).sqrt().clamp(RANGE.0, RANGE.1))
            .collect(),
    )
}

/// `Σ_i |Z_i'(I - H)Z_s|² / d_i` over the levels i of block t, for all pairs (t, s), column-major.
fn shared_by_blocks(model: &Model, projected: &Stacked, traces: &[Vec<f64>]) -> Vec<f64> {
    let structure = &model.structure;
    let (n_blocks, p) = (structure.blocks.len(), structure.rank);
    let weights: Vec<Vec<f64>> = traces
        .iter()
        .map(|d| d.iter().map(|&d| inverse_trace(d)).collect())
        .collect();
    let projections: Vec<&[f64]> = (0..n_blocks)
        .map(|b| projected.block(structure, b))
        .collect();
    let mut out = vec![0.0; n_blocks * n_blocks];
    let shared = |i: Level, j: Level, cell: &[f64]| {
        let (t, s) = (i.block, j.block);
        let rows = structure.blocks[t].width;
        let mut share = 0.0;
        for (e, &a) in cell.iter().enumerate().filter(|(_, &a)| a != 0.0) {
            let own = i.level * rows + e % rows;
            let other = j.level * structure.blocks[s].width + e / rows;
            let (own, other) = (own * p..(own + 1) * p, other * p..(other + 1) * p);
            let both = small::dot(&projections[t][own], &projections[s][other]);
            share += a * (a - 2.0 * both);
        }
        share
    };
    let a = &model.cross_products;
    a.each_level(structure, &mut |i, cell| {
        out[i.block * (n_blocks + 1)] += weights[i.block][i.level] * shared(i, i, cell);
    });
    a.each_pair(structure, &mut |i, j, cell| {
        let share = shared(i, j, cell);
        out[i.block + j.block * n_blocks] += weights[i.block][i.level] * share;
        out[j.block + i.block * n_blocks] += weights[j.block][j.level] * share;
    });
    // B'B of each block, and the same with its weights.
    let plain = grams(&projections, p, |_, _| 1.0);
    let scaled = grams(&projections, p, |b, row| {
        weights[b][row / structure.blocks[b].width]
    });
    for (t, scaled) in scaled.iter().enumerate() {
        for (s, plain) in plain.iter().enumerate() {
            out[t + s * n_blocks] += small::dot(scaled, plain);
        }
    }
    out
}

/// Gram matrices of the rows of each block with these weights.
fn grams(blocks: &[&[f64]], p: usize, weight: impl Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
    let gram = |(b, rows): (usize, &&[f64])| {
        let mut out = vec![0.0; p * p];
        for (i, row) in rows.chunks_exact(p.max(1)).enumerate() {
            let weight = weight(b, i);
            for (column, &v) in out.chunks_exact_mut(p).zip(row) {
                small::axpy(weight * v, row, column);
            }
        }
        out
    };
    blocks.iter().enumerate().map(gram).collect()
}

fn inverse_trace(d: f64) -> f64 {
    if d > 0.0 {
        1.0 / d
    } else {
        0.0
    }
}

fn weighted(traces: &[f64], values: impl Iterator<Item = f64>) -> f64 {
    let pairs = traces.iter().zip(values);
    pairs.map(|(&d, v)| v * inverse_trace(d)).sum()
}

/// The rows B of every level.
fn project_on_x(model: &Model) -> Stacked {
    let (structure, p) = (&model.structure, model.structure.rank);
    let mut products = model.cross_products.x_columns(structure);
    let q = products.trailing.len() - p * p;
    let mut lower = products.trailing.split_off(q);
    if small::cholesky(&mut lower, p) {
        let parts = products.leading.iter_mut().chain([&mut products.trailing]);
        for part in parts {
            let rows = part.len() / p.max(1);
            small::solve_lower(&lower, part, p, rows);
        }
    }
    products
}

/// tr Z_j'Z_j for every level of each block.
fn traces(model: &Model) -> Vec<Vec<f64>> {
    let structure = &model.structure;
    let blocks = structure.blocks.iter();
    let mut out: Vec<Vec<f64>> = blocks.map(|b| vec![0.0; b.n_levels]).collect();
    let a = &model.cross_products;
    a.each_level(structure, &mut |i, cell| {
        let k = structure.blocks[i.block].width;
        out[i.block][i.level] = (0..k).map(|h| cell[h + h * k]).sum();
    });
    out
}
