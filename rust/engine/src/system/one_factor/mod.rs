//! Models with one grouping factor: levels meet nothing but X, so that every evaluation is one pass
//! over small k × k systems, and derivatives are functions of a few sums over the levels.
//!
//! With D_j, C_j = Z_j'[X y], N_j = λ(λ'D_jλ + I)^-1λ' and F_j = I - D_j N_j,
//!
//! ```text
//! [X y]'V^-1[X y] = [X y]'[X y] - Σ C_j'N_j C_j       c_j = F_j (C_jy - C_jX β)
//! W_j = F_j D_j                                        B_j = F_j C_jX
//! ```
//!
//! The levels are packed side by side for SIMD, and cut into blocks that threads share. Sums are
//! taken in one order whatever the number of threads.

// The kernels reach the instruction set of the dispatch only by being inlined into it.
#![allow(clippy::inline_always)]

mod kernels;
mod response;
mod slopes;

pub use response::OneFactorResponse;

use pulp::Arch;

use crate::linalg::lanes::{Lane, LANES};
use crate::linalg::threads;
use crate::linalg::Matrix;
use crate::products::coupling::Coupling;
use crate::products::cross_products::CrossProducts;
use crate::products::stacked::Stacked;
use crate::products::structure::Structure;
use kernels::{packed, triangle, LogProduct, SumsLayout};

/// Groups of levels in a block.
const BLOCK: usize = 512;
/// From this number of blocks on they are shared between threads.
const THREADED: usize = 4;

/// Calls a kernel with the width as a constant where it is small.
macro_rules! with_width {
    ($k:expr, $function:ident, $($argument:expr),*) => {
        match $k {
            1 => kernels::$function::<1>($($argument),*),
            2 => kernels::$function::<2>($($argument),*),
            3 => kernels::$function::<3>($($argument),*),
            4 => kernels::$function::<4>($($argument),*),
            _ => kernels::$function::<0>($($argument),*),
        }
    };
}

/// Some levels with everything that is computed for them.
#[derive(Debug, Clone)]
struct Block {
    /// For each group: packed D, then C by columns.
    levels: Vec<Lane>,
    /// Packed N.
    n: Vec<Lane>,
    /// c, or the conditional modes.
    vectors: Vec<Lane>,
    gram: Vec<Lane>,
    sums: Vec<Lane>,
    scratch: Vec<Lane>,
    log_det: f64,
    positive: bool,
}

/// The system of one grouping factor; see the module.
#[derive(Debug, Clone)]
pub struct OneFactor {
    k: usize,
    /// Columns of X.
    p: usize,
    n_levels: usize,
    /// Packed [X y]'[X y].
    products: Vec<f64>,
    blocks: Vec<Block>,
    layout: SumsLayout,
    /// Lower factor of [X y]'V^-1[X y], (p + 1) × (p + 1) without its last pivot.
    x_factor: Vec<f64>,
    beta: Vec<f64>,
    sums: Vec<f64>,
    /// log |Λ'Z'ZΛ + I|.
    pub log_det_z: f64,
    /// log |X'V^-1X|.
    pub log_det_x: f64,
    /// y'Py.
    pub r2: f64,
}

impl OneFactor {
    /// `None` when the model has another structure.
    #[must_use]
    pub fn new(
        a: &CrossProducts,
        structure: &Structure,
        response: &Stacked,
        response_square: f64,
    ) -> Option<Self> {
        let block = structure.one_factor()?;
        let (k, p) = (block.width, structure.rank);
        let Coupling::Dense(coupling) = &a.leading.first()?.coupling else {
            return None;
        };
        let trailing = a.trailing.dense()?;
        let layout = SumsLayout::new(k, p);
        let groups = block.n_levels.div_ceil(LANES);
        let stride = triangle(k) + k * (p + 1);
        let blocks = (0..groups)
            .step_by(BLOCK)
            .map(|first| {
                let groups = BLOCK.min(groups - first);
                let mut levels = vec![Lane::default(); groups * stride];
                for (g, out) in levels.chunks_exact_mut(stride).enumerate() {
                    for lane in 0..LANES {
                        let level = (first + g) * LANES + lane;
                        if level < block.n_levels {
                            let parts = (
                                &a.leading[0].diagonal[level * k * k..(level + 1) * k * k],
                                &coupling[level * k * p..(level + 1) * k * p],
                                &response.leading[0][level * k..(level + 1) * k],
                            );
                            pack_level((k, p), parts, lane, out);
                        }
                    }
                }
                Block {
                    levels,
                    n: vec![Lane::default(); groups * triangle(k)],
                    vectors: vec![Lane::default(); groups * k],
                    gram: vec![Lane::default(); triangle(p + 1)],
                    sums: vec![Lane::default(); layout.len],
                    scratch: vec![Lane::default(); kernels::scratch_len(k, p)],
                    log_det: 0.0,
                    positive: true,
                }
            })
            .collect();
        let mut products = Vec::with_capacity(triangle(p + 1));
        for x in 0..p {
            products.extend((x..p).map(|z| trailing[(z, x)]));
            products.push(response.trailing[x]);
        }
        products.push(response_square);
        Some(Self {
            k,
            p,
            n_levels: block.n_levels,
            products,
            blocks,
            layout,
            x_factor: vec![0.0; (p + 1) * (p + 1)],
            beta: vec![0.0; p],
            sums: vec![0.0; layout.len],
            log_det_z: 0.0,
            log_det_x: 0.0,
            r2: 0.0,
        })
    }

    fn each_block(&mut self, work: impl Fn(&mut Block) + Send + Sync) {
        let arch = Arch::new();
        let work = &work;
        let work = |block: &mut Block| {
            arch.dispatch(
                #[inline(always)]
                move || {
                    // Taken over, so that the closure can be called but once: only then is it inlined.
                    let block = block;
                    work(block);
                },
            );
        };
        if self.blocks.len() < THREADED {
            self.blocks.iter_mut().for_each(work);
        } else {
            threads::for_each(&mut self.blocks, work);
        }
    }

    /// Factorises at this λ. False when the system is not positive definite there.
    #[must_use]
    pub fn update(&mut self, lambda: &[f64]) -> bool {
        let (k, p) = (self.k, self.p);
        self.each_block(
            #[inline(always)]
            |block| block.factorise((k, p), lambda),
        );
        self.log_det_z = self.blocks.iter().map(|b| b.log_det).sum();
        self.blocks.iter().all(|b| b.positive) && self.log_det_z.is_finite() && self.reduce()
    }

    /// Factorises [X y]'V^-1[X y] and solves for β.
    fn reduce(&mut self) -> bool {
        let p = self.p;
        let rows = p + 1;
        let l = &mut self.x_factor;
        let mut entry = 0;
        for x in 0..rows {
            for z in x..rows {
                let taken: f64 = self.blocks.iter().map(|b| b.gram[entry].sum()).sum();
                l[z + x * rows] = self.products[entry] - taken;
                entry += 1;
            }
        }
        let mut log_det = 0.0;
        for j in 0..p {
            for h in 0..j {
                let s = l[j + h * rows];
                for i in j..rows {
                    l[i + j * rows] -= s * l[i + h * rows];
                }
            }
            let pivot = l[j + j * rows];
            // Written so that NaN fails too.
            if !(pivot > 0.0 && pivot < f64::INFINITY) {
                return false;
            }
            log_det += pivot.ln();
            let root = pivot.sqrt();
            l[j + j * rows] = root;
            l[j + 1 + j * rows..(j + 1) * rows]
                .iter_mut()
                .for_each(|v| *v /= root);
        }
        self.r2 = l[p + p * rows];
        for h in 0..p {
            self.r2 -= l[p + h * rows] * l[p + h * rows];
        }
        for j in (0..p).rev() {
            let mut sum = l[p + j * rows];
            for i in j + 1..p {
                sum -= l[i + j * rows] * self.beta[i];
            }
            self.beta[j] = sum / l[j + j * rows];
        }
        self.log_det_x = log_det;
        log_det.is_finite()
    }

    /// Lower factor of X'V^-1X.
    #[must_use]
    pub fn x_factor(&self) -> Matrix {
        let p = self.p;
        let columns = (0..p).flat_map(|j| {
            (0..p).map(move |i| {
                if i < j {
                    0.0
                } else {
                    self.x_factor[i + j * (p + 1)]
                }
            })
        });
        Matrix::from_columns(p, p, columns.collect())
    }

    /// Conditional modes and coefficients.
    pub fn solution(&mut self) -> Stacked {
        let (k, p, beta) = (self.k, self.p, self.beta.clone());
        self.each_block(
            #[inline(always)]
            |block| block.modes((k, p), &beta),
        );
        self.vectors(&beta)
    }

    /// c = Z'Py.
    pub fn scores(&mut self) -> Stacked {
        self.compute_scores();
        self.vectors(&vec![0.0; self.p])
    }

    fn compute_scores(&mut self) {
        let (k, p, beta) = (self.k, self.p, std::mem::take(&mut self.beta));
        self.each_block(
            #[inline(always)]
            |block| block.scores((k, p), &beta),
        );
        self.beta = beta;
    }

    /// The vectors of the levels, with these rows of X.
    fn vectors(&self, fixed: &[f64]) -> Stacked {
        let k = self.k;
        let mut rows = Vec::with_capacity(self.n_levels * k);
        for block in &self.blocks {
            for group in block.vectors.chunks_exact(k) {
                for lane in 0..LANES.min(self.n_levels - rows.len() / k) {
                    rows.extend(group.iter().map(|v| v.0[lane]));
                }
            }
        }
        Stacked {
            m: 1,
            leading: vec![rows],
            trailing: fixed.to_vec(),
        }
    }

    /// Computes the sums of the derivatives; `scores` replaces c when its digits are not to be had
    /// from the cross-products.
    pub fn differentiate(&mut self, scores: Option<&Stacked>) {
        match scores {
            None => self.compute_scores(),
            Some(given) => self.take_scores(&given.leading[0]),
        }
        let (k, p, layout) = (self.k, self.p, self.layout);
        let x_factor = std::mem::take(&mut self.x_factor);
        self.each_block(
            #[inline(always)]
            |block| block.accumulate((k, p), &x_factor, layout),
        );
        self.x_factor = x_factor;
        for (e, total) in self.sums.iter_mut().enumerate() {
            *total = self.blocks.iter().map(|b| b.sums[e].sum()).sum();
        }
    }

    fn take_scores(&mut self, rows: &[f64]) {
        let k = self.k;
        for (b, block) in self.blocks.iter_mut().enumerate() {
            for (g, group) in block.vectors.chunks_exact_mut(k).enumerate() {
                for lane in 0..LANES {
                    let level = (b * BLOCK + g) * LANES + lane;
                    for (i, v) in group.iter_mut().enumerate() {
                        v.0[lane] = rows.get(level * k + i).copied().unwrap_or(0.0);
                    }
                }
            }
        }
    }
}

impl Block {
    #[inline(always)]
    fn factorise(&mut self, (k, p): (usize, usize), lambda: &[f64]) {
        let mut log_det = LogProduct::new();
        self.gram.fill(Lane::default());
        self.positive = true;
        let groups = self
            .levels
            .chunks_exact(triangle(k) + k * (p + 1))
            .zip(self.n.chunks_exact_mut(triangle(k)));
        for (level, n) in groups {
            self.positive &= with_width!(
                k,
                factorise,
                (k, p),
                level,
                lambda,
                n,
                &mut self.gram,
                &mut log_det,
                &mut self.scratch
            );
        }
        self.log_det = log_det.value();
    }

    #[inline(always)]
    fn scores(&mut self, (k, p): (usize, usize), beta: &[f64]) {
        let groups = groups((k, p), &self.levels, &self.n).zip(self.vectors.chunks_exact_mut(k));
        for ((level, n), out) in groups {
            with_width!(k, scores, (k, p), level, n, beta, out, &mut self.scratch);
        }
    }

    #[inline(always)]
    fn modes(&mut self, (k, p): (usize, usize), beta: &[f64]) {
        let groups = groups((k, p), &self.levels, &self.n).zip(self.vectors.chunks_exact_mut(k));
        for ((level, n), out) in groups {
            with_width!(k, modes, (k, p), level, n, beta, out, &mut self.scratch);
        }
    }

    #[inline(always)]
    fn accumulate(&mut self, (k, p): (usize, usize), x_factor: &[f64], layout: SumsLayout) {
        self.sums.fill(Lane::default());
        let groups = groups((k, p), &self.levels, &self.n).zip(self.vectors.chunks_exact(k));
        for ((level, n), scores) in groups {
            with_width!(
                k,
                accumulate,
                (k, p),
                (level, n, scores),
                x_factor,
                &mut self.sums,
                layout,
                &mut self.scratch
            );
        }
    }
}

/// Each group's packed levels with its packed N.
#[inline(always)]
fn groups<'b>(
    (k, p): (usize, usize),
    levels: &'b [Lane],
    n: &'b [Lane],
) -> impl Iterator<Item = (&'b [Lane], &'b [Lane])> {
    levels
        .chunks_exact(triangle(k) + k * (p + 1))
        .zip(n.chunks_exact(triangle(k)))
}

/// Writes D (k × k), C_X (k × p, row-major) and C_y of one level into a lane of its group.
fn pack_level(
    (k, p): (usize, usize),
    (d, c, y): (&[f64], &[f64], &[f64]),
    lane: usize,
    out: &mut [Lane],
) {
    for j in 0..k {
        for i in j..k {
            out[packed(k, i, j)].0[lane] = d[i + j * k];
        }
    }
    let columns = &mut out[triangle(k)..];
    for i in 0..k {
        for x in 0..p {
            columns[i + x * k].0[lane] = c[i * p + x];
        }
        columns[i + p * k].0[lane] = y[i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::{frame, Levels};

    #[test]
    fn the_levels_take_as_many_bytes_as_announced() {
        for (levels, k, p) in [(1, 1, 1), (41, 3, 2), (9000, 2, 4)] {
            let frame = frame(9000, p, &[Levels::Random(levels, k)]);
            let (a, structure) = (&frame.cross_products, &frame.structure);
            let response = Stacked::zeros(structure, 1).expect("memory");
            let one = OneFactor::new(a, structure, &response, 1.0).expect("one factor");
            let lanes = one
                .blocks
                .iter()
                .map(|b| b.levels.len() + b.n.len() + b.vectors.len());
            let bytes = lanes.sum::<usize>() * size_of::<Lane>();
            assert_eq!(frame.costs.blocks[0].bytes.factor, bytes as f64);
        }
    }
}
