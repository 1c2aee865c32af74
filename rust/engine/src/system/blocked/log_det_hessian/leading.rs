//! The steps of one leading block.
//!
//! A level takes `x N x'` from the rest and leaves log |λ'Kλ + I|. With F = (I + KΣ)^-1, W0 = F K,
//! Kbar the adjoint of the rest, Q = x' Kbar x, and directions that move Σ by e, K by κ, x by dx:
//!
//! ```text
//! dN = F'e F - N κ N
//! d²(log |λ'Kλ + I|) - <Kbar, d²(x N x')>
//! ```
//!
//! The directions of the block itself move only Σ, those of finer blocks only K and x. For two of
//! the first kind the sum over the levels needs one k² × k² matrix, whatever their number; for one
//! of each kind a k × k matrix for each finer direction.

use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::{small, Matrix};
use crate::products::cross_products::Leading;
use crate::system::blocked::level_pass::LevelPass;
use crate::system::blocked::levels::shrinkage;
use crate::system::blocked::log_det_hessian::tangent::stacked;
use crate::system::blocked::log_det_hessian::Moves;
use crate::system::Direction;

/// Adds the steps of the block of this pass (upper triangle), as far as they are linear in each dΣ.
pub fn add(out: &mut Matrix, pass: &LevelPass<'_>, moves: &Moves<'_>) -> Result<()> {
    let k = pass.system.structure.blocks[pass.b].width;
    let sigmas = &moves.sigmas;
    let own = own_directions(pass, moves.directions);
    let (finer, moved): (Vec<usize>, Vec<&Leading>) = moves
        .tangents
        .iter()
        .enumerate()
        .filter_map(|(i, t)| Some((i, t.as_ref()?.leading[pass.b].as_ref()?)))
        .unzip();
    let sums = Sums::new(pass, &moved, k)?;
    let mut add = |i: usize, j: usize, value: f64| out[(i.min(j), i.max(j))] += value;
    let mut contracted = vec![0.0; k * k];
    for (e, &i) in own.iter().enumerate() {
        sums.contract(&sigmas[i], &mut contracted, k);
        for &j in &own[e..] {
            add(i, j, -small::dot(&contracted, &sigmas[j]));
        }
        for (mixed, &j) in sums.mixed.iter().zip(&finer) {
            add(i, j, small::dot(mixed, &sigmas[i]));
        }
    }
    for (f, &i) in finer.iter().enumerate() {
        for (g, &j) in finer.iter().enumerate().skip(f) {
            add(i, j, sums.finer[(f, g)]);
        }
    }
    Ok(())
}

/// Adds what comes of d²Σ = dλ_i dλ_j' + dλ_j dλ_i' (upper triangle). `w_sum` is the sum of W.
pub fn add_curvature(
    out: &mut Matrix,
    pass: &LevelPass<'_>,
    w_sum: &[f64],
    directions: &[Direction],
) {
    let k = pass.system.structure.blocks[pass.b].width;
    let own = own_directions(pass, directions);
    let mut curved = vec![0.0; k * k];
    for (e, &i) in own.iter().enumerate() {
        small::multiply(w_sum, &directions[i].d, &mut curved, k);
        for &j in &own[e..] {
            out[(i.min(j), i.max(j))] += 2.0 * small::dot(&curved, &directions[j].d);
        }
    }
}

fn own_directions(pass: &LevelPass<'_>, directions: &[Direction]) -> Vec<usize> {
    (0..directions.len())
        .filter(|&i| directions[i].block == pass.b)
        .collect()
}

/// Sums over the levels.
struct Sums {
    /// Σ vec(W_vv) vec(W_vv)' - vec(R) vec(R)' with R = F Q F' and W_vv = W0 - R.
    pairs: Vec<f64>,
    /// For each finer direction what, multiplied by e, gives the second derivative.
    mixed: Vec<Vec<f64>>,
    /// Second derivatives along two finer directions.
    finer: Matrix,
}

impl Sums {
    fn new(pass: &LevelPass<'_>, moved: &[&Leading], k: usize) -> Result<Self> {
        let square = k * k;
        let m = moved.len();
        let current = pass.system.reduced(pass.b);
        let width = k * (1 + m);
        let gram = match m {
            0 => pass.gram(current, k)?,
            _ => {
                let parts: Vec<&Leading> = std::iter::once(current)
                    .chain(moved.iter().copied())
                    .collect();
                pass.gram(&stacked(&parts, k)?, width)?
            }
        };
        let mut out = Self {
            pairs: zeroed(square * square, "products of pairs of entries")?,
            mixed: vec![vec![0.0; square]; m],
            finer: Matrix::zeros(m, m, "the Hessian of nested blocks")?,
        };
        let lambda = &pass.system.lambda[pass.b];
        let mut sigma = vec![0.0; square];
        small::multiply_transposed(lambda, lambda, &mut sigma, k);
        let block = |gram: &[f64], i: usize, j: usize, to: &mut [f64]| {
            for (c, column) in to.chunks_exact_mut(k).enumerate() {
                let from = i * k + (j * k + c) * width;
                column.copy_from_slice(&gram[from..from + k]);
            }
        };
        if k == 1 {
            let n = pass.system.n(pass.b);
            out.add_scalars((&current.diagonal, n, sigma[0]), &gram, moved);
            return Ok(out);
        }
        let zeros = || vec![0.0; square];
        let (mut f, mut q, mut r, mut w) = (zeros(), zeros(), zeros(), zeros());
        let (mut scratch, mut qn) = (zeros(), zeros());
        let mut steps: Vec<FinerStep> = (0..m).map(|_| FinerStep::new(square)).collect();
        for (level, ((d, n), gram)) in current
            .diagonal
            .chunks_exact(square)
            .zip(pass.system.n(pass.b).chunks_exact(square))
            .zip(gram.chunks_exact(width * width))
            .enumerate()
        {
            shrinkage(d, &sigma, &mut f, &mut scratch, k);
            block(gram, 0, 0, &mut q);
            small::multiply(&f, &q, &mut scratch, k);
            small::multiply_transposed(&scratch, &f, &mut r, k);
            small::multiply(&f, d, &mut w, k);
            small::axpy(-1.0, &r, &mut w);
            small::add_outer(&mut out.pairs, &w, &w);
            scratch.iter_mut().zip(&r).for_each(|(s, r)| *s = -r);
            small::add_outer(&mut out.pairs, &scratch, &r);
            small::multiply(&q, n, &mut qn, k);
            for (i, (step, moved)) in steps.iter_mut().zip(moved).enumerate() {
                block(gram, 0, 1 + i, &mut step.rows);
                let moved = &moved.diagonal[level * square..(level + 1) * square];
                step.update(moved, n, &qn, k);
                step.add_mixed(&f, &qn, &mut out.mixed[i], k);
            }
            for (j, b) in steps.iter().enumerate() {
                for (i, a) in steps[..=j].iter().enumerate() {
                    block(gram, 1 + i, 1 + j, &mut scratch);
                    out.finer[(i, j)] += a.with(b, &scratch, n);
                }
            }
        }
        Ok(out)
    }

    /// Levels of one column, where all matrices are numbers.
    fn add_scalars(
        &mut self,
        (diagonal, n, sigma): (&[f64], &[f64], f64),
        gram: &[f64],
        moved: &[&Leading],
    ) {
        let width = 1 + moved.len();
        let mut kappa = vec![0.0; moved.len()];
        for (level, ((&d, &n), gram)) in diagonal
            .iter()
            .zip(n)
            .zip(gram.chunks_exact(width * width))
            .enumerate()
        {
            let f = 1.0 / (1.0 + d * sigma);
            let (q, rows) = (gram[0], &gram[1..width]);
            let r = f * q * f;
            let w = f * d - r;
            self.pairs[0] += w * w - r * r;
            for (kappa, moved) in kappa.iter_mut().zip(moved) {
                *kappa = moved.diagonal[level];
            }
            for ((mixed, &kappa), &rows) in self.mixed.iter_mut().zip(&kappa).zip(rows) {
                mixed[0] += f * f * (kappa + 2.0 * (kappa * q * n - rows));
            }
            let curved = 1.0 + 2.0 * q * n;
            for j in 0..moved.len() {
                let cross = &gram[(1 + j) * width + 1..];
                let out = self.finer.column_mut(j);
                for (i, out) in out[..=j].iter_mut().enumerate() {
                    let met = kappa[i] * rows[j] + kappa[j] * rows[i];
                    let own = kappa[i] * kappa[j] * curved;
                    *out += n * (n * (2.0 * met - own) - 2.0 * cross[i]);
                }
            }
        }
    }

    /// `out[a, d] = Σ pairs[(a, b), (c, d)] e[b, c]`.
    fn contract(&self, e: &[f64], out: &mut [f64], k: usize) {
        let square = k * k;
        for d in 0..k {
            for a in 0..k {
                let mut total = 0.0;
                for c in 0..k {
                    let column = &self.pairs[(c + d * k) * square..];
                    for b in 0..k {
                        total += column[a + b * k] * e[b + c * k];
                    }
                }
                out[a + d * k] = total;
            }
        }
    }
}

/// One finer direction at one level.
struct FinerStep {
    /// κ.
    moved: Vec<f64>,
    /// x' Kbar dx.
    rows: Vec<f64>,
    /// N κ N.
    n: Vec<f64>,
    /// N κ N Q N.
    explained: Vec<f64>,
    scratch: Vec<f64>,
    left: Vec<f64>,
}

impl FinerStep {
    fn new(square: usize) -> Self {
        Self {
            moved: vec![0.0; square],
            rows: vec![0.0; square],
            n: vec![0.0; square],
            explained: vec![0.0; square],
            scratch: vec![0.0; square],
            left: vec![0.0; square],
        }
    }

    fn update(&mut self, moved: &[f64], n: &[f64], qn: &[f64], k: usize) {
        self.moved.copy_from_slice(moved);
        small::multiply(n, moved, &mut self.scratch, k);
        small::multiply(&self.scratch, n, &mut self.n, k);
        small::multiply(&self.n, qn, &mut self.explained, k);
    }

    /// `out += F (κ - 2 x'Kbar dx + 2 κ N Q) F'`, of which only the symmetric part counts.
    fn add_mixed(&mut self, f: &[f64], qn: &[f64], out: &mut [f64], k: usize) {
        // κ N Q, with N Q = (Q N)'.
        small::multiply_transposed(&self.moved, qn, &mut self.scratch, k);
        for ((s, &moved), &rows) in self.scratch.iter_mut().zip(&self.moved).zip(&self.rows) {
            *s = moved + 2.0 * (*s - rows);
        }
        small::multiply(f, &self.scratch, &mut self.left, k);
        small::multiply_transposed(&self.left, f, &mut self.scratch, k);
        small::axpy(1.0, &self.scratch, out);
    }

    /// The second derivative along this direction and another, `cross = dx' Kbar dx` of the two.
    fn with(&self, other: &Self, cross: &[f64], n: &[f64]) -> f64 {
        let rows = small::dot(&self.n, &other.rows) + small::dot(&other.n, &self.rows);
        let taken = small::dot(n, cross) + small::dot(&other.moved, &self.explained);
        2.0 * (rows - taken) - small::dot(&other.moved, &self.n)
    }
}
