//! Second derivatives of the log-determinants.
//!
//! Along a direction move K by κ and Λ by D. With M = Λ'KΛ + I of a supernode, R = K_RJ Λ, Y = R L^-T and
//! Ŷ = Y L^-1, first derivatives are carried forward ([`Move`]),
//!
//! ```text
//! dM = Λ'κΛ + D'KΛ + Λ'KD,    dR = κ_RJ Λ + K_RJ D
//! a = L^-1 dM L^-T,    z = dR L^-T - Y a,    d(YY') = zY' + Yz' + Y a Y'
//! ```
//!
//! and a second derivative is a sum over the supernodes, with S the inverse on J and B = ΛSΛ' on R, which
//! the reverse recursion of [`super::reverse`] hands out:
//!
//! ```text
//! -tr(a_i a_j) - 2 tr(z_i'B z_j) + 2 tr(D_j'K D_i S)
//!     + 2 tr(D_j'(κ_i Λ S - κ_RJ,i' B Ŷ)) + the same with i and j exchanged
//! ```
//!
//! Nothing divides by Λ.

use super::analysis::{Analysis, Supernode};
use super::numeric::Target;
use super::reverse::Step;
use super::{kernels, Factor, Scaling};
use crate::error::Result;
use crate::linalg::matrix::zeroed;
use crate::linalg::{small, threads, Matrix};

const WHAT: &str = "the derivatives of the sparse factor";

/// How one direction moves the matrix, and then its elimination.
pub struct Move {
    /// D of each class of nodes; zero for those that do not move.
    lambda: Vec<Vec<f64>>,
    /// κ in the layout of the panels: of the matrix before, of what is left to each supernode after the
    /// derivatives have been carried through the elimination.
    panels: Vec<f64>,
    /// a and z in the same layout.
    solved: Vec<f64>,
    /// Whether anything in the panel of a supernode moves.
    moves: Vec<bool>,
}

impl Move {
    /// `lambda` is D of each class of nodes.
    pub fn new(analysis: &Analysis, classes: &[u32], lambda: Vec<Vec<f64>>) -> Result<Self> {
        let moving: Vec<bool> = lambda.iter().map(|d| d.iter().any(|v| *v != 0.0)).collect();
        let any = |s: &Supernode| s.nodes.clone().any(|i| moving[classes[i] as usize]);
        Ok(Self {
            lambda,
            panels: zeroed(analysis.sizes.panels, WHAT)?,
            solved: zeroed(analysis.sizes.panels, WHAT)?,
            moves: analysis.supernodes.iter().map(any).collect(),
        })
    }

    /// Room for a move of K itself, zeroed, in the layout of [`Factor::entries`].
    pub fn entries(&mut self) -> &mut [f64] {
        self.moves.fill(true);
        &mut self.panels
    }

    /// Bytes of so many moves.
    #[must_use]
    pub fn bytes(analysis: &Analysis, count: usize) -> f64 {
        let sizes = &analysis.sizes;
        let each = 2 * sizes.panels + sizes.waiting + sizes.update;
        8.0 * (each as f64 * count as f64 + sizes.panels as f64)
    }

    /// Carries the derivatives through the elimination.
    fn carry(&mut self, factor: &Factor, scaling: &Scaling<'_>) -> Result<()> {
        let analysis = &*factor.analysis;
        let mut waiting = zeroed(analysis.sizes.waiting, WHAT)?;
        let mut updates = zeroed(analysis.sizes.update, WHAT)?;
        let mut top = 0;
        for (index, s) in analysis.supernodes.iter().enumerate() {
            let update = &mut updates[..s.below() * s.below()];
            if s.has_children {
                top -= update.len();
                update.copy_from_slice(&waiting[top..top + update.len()]);
            } else {
                update.fill(0.0);
            }
            if self.moves[index] {
                self.solve(s, factor, scaling, update);
            }
            let Some(parent) = s.parent else { continue };
            self.moves[parent] |= self.moves[index];
            let parent = &analysis.supernodes[parent];
            let room = parent.below() * parent.below();
            if s.is_first_child {
                waiting[top..top + room].fill(0.0);
                top += room;
            }
            if self.moves[index] {
                let mut target = Target {
                    panel: &mut self.panels[parent.panel()],
                    waiting: &mut waiting[top - room..top],
                    width: parent.width,
                    below: parent.below(),
                };
                target.add(update, analysis.places(s));
            }
        }
        Ok(())
    }

    /// a and z of one supernode; takes d(YY') from the update (lower triangle).
    fn solve(&mut self, s: &Supernode, factor: &Factor, scaling: &Scaling<'_>, update: &mut [f64]) {
        let (w, r, h) = (s.width, s.below(), s.height());
        let (panel, unscaled) = (&factor.panels[s.panel()], &factor.unscaled[s.panel()]);
        let moved = &self.panels[s.panel()];
        let own = Scaling {
            lambda: &self.lambda,
            classes: scaling.classes,
        };
        let nodes = || s.nodes.clone();
        let mut segment = Vec::new();

        // dM, from Λ'κΛ and the two halves of Λ'KD.
        let mut a = square(moved, w, h);
        scaling.columns(nodes(), &mut a, w, false, &mut segment);
        columns_by_rows(scaling, s, &mut a, w, &mut segment);
        let mut half = square(unscaled, w, h);
        own.columns(nodes(), &mut half, w, false, &mut segment);
        columns_by_rows(scaling, s, &mut half, w, &mut segment);
        if !s.nodes.is_empty() {
            add_with_transpose(&mut a, &half, w);
        }
        kernels::solve_right_transposed(&mut a, panel, w, w, h);
        kernels::solve_left(&mut a, panel, w, w, h);

        if r > 0 {
            let mut z = below(moved, w, h);
            scaling.columns(nodes(), &mut z, r, false, &mut segment);
            let mut other = below(unscaled, w, h);
            own.columns(nodes(), &mut other, r, false, &mut segment);
            small::axpy(1.0, &other, &mut z);
            kernels::solve_right_transposed(&mut z, panel, r, w, h);
            kernels::multiply(&mut other, (&panel[w..], h), &a, (r, w, w));
            // d(YY') = pY' + Yp' with p = z + Ya/2.
            small::axpy(-0.5, &other, &mut z);
            kernels::subtract_symmetric(update, &z, panel, w, h);
            small::axpy(-0.5, &other, &mut z);
            for (out, z) in self.solved[s.panel()]
                .chunks_exact_mut(h)
                .zip(z.chunks_exact(r))
            {
                out[w..].copy_from_slice(z);
            }
        }
        for (out, a) in self.solved[s.panel()]
            .chunks_exact_mut(h)
            .zip(a.chunks_exact(w))
        {
            out[..w].copy_from_slice(a);
        }
    }
}

impl Factor {
    /// Hessian along these moves of the log-determinant of the part before the border, and with
    /// `with_border` of the border's too. The factorisation must have kept K. `tick` is called between the
    /// steps; its error ends the work.
    pub fn log_det_hessian(
        &mut self,
        scaling: &Scaling<'_>,
        with_border: bool,
        moves: &mut [Move],
        tick: &dyn Fn() -> Result<()>,
    ) -> Result<Matrix> {
        let n = moves.len();
        let analysis = std::sync::Arc::clone(&self.analysis);
        for moves in moves.chunks_mut(AT_ONCE) {
            tick()?;
            let mut done: Vec<(&mut Move, Result<()>)> =
                moves.iter_mut().map(|m| (m, Ok(()))).collect();
            threads::for_each(&mut done, |(own, done)| *done = own.carry(self, scaling));
            done.into_iter().try_for_each(|(_, done)| done)?;
        }
        tick()?;
        let mut out = Matrix::zeros(n, n, "the Hessian")?;
        let mut by_class: Vec<Vec<Vec<f64>>> = moves
            .iter()
            .map(|m| m.lambda.iter().map(|d| vec![0.0; d.len()]).collect())
            .collect();
        let complements = vec![false; scaling.lambda.len()];
        let take_step = &mut |step: &Step<'_>| {
            if !step.node.nodes.is_empty() || with_border {
                add_step(&mut out, &mut by_class, moves, step, scaling, &analysis);
            }
        };
        self.steps(
            scaling,
            with_border,
            &complements,
            &mut |_| {},
            None,
            Some(take_step),
        )?;
        for j in 0..n {
            for i in 0..n {
                let pairs = by_class[i].iter().zip(&moves[j].lambda);
                let both: f64 = pairs.map(|(v, d)| small::dot(v, d)).sum();
                out[(i, j)] += 2.0 * both;
                out[(j, i)] += 2.0 * both;
            }
        }
        Ok(out)
    }
}

/// Moves that are carried side by side.
const AT_ONCE: usize = 8;

/// Adds the quadratic terms of one supernode to `out`, and for each move i to `by_class` what the
/// product with D_j completes: κ_i Λ S - κ_RJ,i' B Ŷ + K D_i S / 2.
fn add_step(
    out: &mut Matrix,
    by_class: &mut [Vec<Vec<f64>>],
    moves: &[Move],
    step: &Step<'_>,
    scaling: &Scaling<'_>,
    analysis: &Analysis,
) {
    let s = step.node;
    let (w, r, h) = (s.width, s.below(), s.height());
    let index = step.index;
    let moving: Vec<usize> = (0..moves.len())
        .filter(|&i| moves[i].moves[index])
        .collect();
    if moving.is_empty() {
        return;
    }
    let mut products: Vec<Vec<f64>> = Vec::with_capacity(moving.len());
    for &i in &moving {
        let z = below(&moves[i].solved[s.panel()], w, h);
        let mut product = vec![0.0; r * w];
        if r > 0 {
            kernels::multiply(&mut product, (step.bar, r), &z, (r, r, w));
        }
        products.push(product);
        for (&j, product) in moving.iter().zip(&products) {
            let (own, other) = (&moves[i].solved[s.panel()], &moves[j].solved[s.panel()]);
            let mut sum = 0.0;
            for (c, (own, other)) in own.chunks_exact(h).zip(other.chunks_exact(h)).enumerate() {
                sum += small::dot(&own[..w], &other[..w]);
                sum += 2.0 * small::dot(&own[w..], &product[c * r..(c + 1) * r]);
            }
            out[(i, j)] -= sum;
            if i != j {
                out[(j, i)] -= sum;
            }
        }
    }
    if s.nodes.is_empty() {
        return;
    }
    let inverse = square(step.front, w, h);
    let k = square(step.unscaled, w, h);
    let mut segment = Vec::new();
    for &i in &moving {
        let panel = &moves[i].panels[s.panel()];
        let own = Scaling {
            lambda: &moves[i].lambda,
            classes: scaling.classes,
        };
        // By columns Λ'κ + D'K/2, whose products with those of S are wanted.
        let mut left = k.clone();
        columns_by_rows(&own, s, &mut left, w, &mut segment);
        left.iter_mut().for_each(|v| *v *= 0.5);
        let mut moved = square(panel, w, h);
        columns_by_rows(scaling, s, &mut moved, w, &mut segment);
        small::axpy(1.0, &moved, &mut left);
        for node in s.nodes.clone() {
            let class = scaling.classes[node] as usize;
            let columns = analysis.columns(node);
            let (from, width) = (columns.start - s.first, columns.len());
            let sum = &mut by_class[i][class];
            for b in 0..width {
                let column = from + b;
                let s_column = &inverse[column * w..(column + 1) * w];
                let b_column = &step.product[column * r..(column + 1) * r];
                for a in 0..width {
                    let row = from + a;
                    let met = &panel[row * h + w..(row + 1) * h];
                    sum[a + b * width] += small::dot(&left[row * w..(row + 1) * w], s_column)
                        - small::dot(met, b_column);
                }
            }
        }
    }
}

/// Both triangles of the square of a panel or front.
fn square(panel: &[f64], w: usize, h: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(w * w);
    for column in panel.chunks_exact(h).take(w) {
        out.extend_from_slice(&column[..w]);
    }
    kernels::symmetrise(&mut out, w);
    out
}

/// The rows of a panel below its square.
fn below(panel: &[f64], w: usize, h: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity((h - w) * w);
    for column in panel.chunks_exact(h) {
        out.extend_from_slice(&column[w..]);
    }
    out
}

/// `values <- Λ' values`, column by column.
fn columns_by_rows(
    scaling: &Scaling<'_>,
    s: &Supernode,
    values: &mut [f64],
    w: usize,
    segment: &mut Vec<f64>,
) {
    for column in values.chunks_exact_mut(w) {
        scaling.rows(s.nodes.clone(), column, 1, true, segment);
    }
}

/// `a += half + half'`.
fn add_with_transpose(a: &mut [f64], half: &[f64], w: usize) {
    for j in 0..w {
        for i in 0..w {
            a[i + j * w] += half[i + j * w] + half[j + i * w];
        }
    }
}
