//! How the parameters move λ̃ at one theta, and what follows from it: gradients, curvature, working
//! variates.

use std::borrow::Cow;
use std::ops::Deref;

use crate::covariance::{along, Covariance, Jet};
use crate::error::Result;
use crate::linalg::{small, Matrix};
use crate::parameters::map::transformed;
use crate::products::structure::Structure;
use crate::system::{Direction, WorkingMap};

/// An entry (row, column, value) of a k × k matrix that is not zero.
type Entry = (usize, usize, f64);

/// Derivatives of the λ̃ of one term.
#[derive(Debug, Clone)]
pub struct TermMotion {
    k: usize,
    /// D_i = dλ̃/dθ_i.
    slopes: Vec<Vec<Entry>>,
    /// (i, j, D_ij) for the second derivatives that are not zero, i ≤ j.
    bends: Vec<(usize, usize, Vec<Entry>)>,
}

/// All terms at one theta.
#[derive(Debug)]
pub struct Motion<'m> {
    pub(super) lambda: Cow<'m, [Vec<f64>]>,
    /// First parameter and derivatives of each.
    pub(super) terms: Vec<(usize, TermMotionOf<'m>)>,
    pub(super) dim: usize,
}

/// The derivatives of a term: the same everywhere, or of this theta.
#[derive(Debug)]
pub enum TermMotionOf<'m> {
    Steady(&'m TermMotion),
    Here(Box<TermMotion>),
}

impl Deref for TermMotionOf<'_> {
    type Target = TermMotion;

    fn deref(&self) -> &TermMotion {
        match self {
            Self::Steady(motion) => motion,
            Self::Here(motion) => motion,
        }
    }
}

impl TermMotion {
    /// Of parameters that are entries of λ.
    pub fn linear(entries: &[(usize, usize)], map: Option<&[f64]>, k: usize) -> Self {
        let slope = |&(a, b): &(usize, usize)| {
            let mut d = vec![0.0; k * k];
            d[a + b * k] = 1.0;
            nonzeros(&transformed(map, d, k), k)
        };
        Self {
            k,
            slopes: entries.iter().map(slope).collect(),
            bends: Vec::new(),
        }
    }

    /// Of any structure.
    pub fn curved(
        covariance: &dyn Covariance,
        theta: &[f64],
        map: Option<&[f64]>,
        k: usize,
    ) -> Self {
        let n = theta.len();
        let part = |jets: &[Jet], part: fn(&Jet) -> f64| {
            nonzeros(&transformed(map, jets.iter().map(part).collect(), k), k)
        };
        let (mut slopes, mut bends) = (Vec::with_capacity(n), Vec::new());
        for j in 0..n {
            for i in 0..=j {
                let jets = covariance.factor(&along(theta, i, j), k);
                if i == j {
                    slopes.push(part(&jets, |jet| jet.first));
                }
                let bend = part(&jets, |jet| jet.mixed);
                if !bend.is_empty() {
                    bends.push((i, j, bend));
                }
            }
        }
        Self { k, slopes, bends }
    }
}

impl Motion<'_> {
    /// Each term and its λ̃.
    fn each(&self) -> impl Iterator<Item = (&(usize, TermMotionOf<'_>), &Vec<f64>)> {
        self.terms.iter().zip(self.lambda.iter())
    }

    /// `2 tr(D_i' G λ)` for every parameter.
    #[must_use]
    pub fn gradient(&self, g: &[Vec<f64>]) -> Vec<f64> {
        let mut out = Vec::with_capacity(self.dim);
        for (((_, motion), lambda), g) in self.each().zip(g) {
            let slope = product(g, lambda, motion.k);
            out.extend(
                motion
                    .slopes
                    .iter()
                    .map(|d| 2.0 * inner(d, &slope, motion.k)),
            );
        }
        out
    }

    /// The gradient from the slopes of each term with respect to its λ̃.
    #[must_use]
    pub fn pull(&self, slopes: &[Vec<f64>]) -> Vec<f64> {
        let terms = self.terms.iter().zip(slopes);
        terms
            .flat_map(|((_, motion), slope)| {
                let own = motion.slopes.iter();
                own.map(|d| inner(d, slope, motion.k))
            })
            .collect()
    }

    /// `2 tr(D_i' G D_j) + 2 tr(D_ij' G λ)` for every pair of parameters of a term: the second
    /// derivative of tr(G Σ).
    pub fn curvature(&self, g: &[Vec<f64>]) -> Result<Matrix> {
        let mut out = self.bending(g)?;
        for ((start, motion), g) in self.terms.iter().zip(g) {
            let k = motion.k;
            for (j, right) in motion.slopes.iter().enumerate() {
                for (i, left) in motion.slopes.iter().enumerate() {
                    let mut sum = 0.0;
                    for &(a, b, v) in left {
                        for &(c, d, w) in right {
                            if b == d {
                                sum += v * w * g[a + c * k];
                            }
                        }
                    }
                    out[(start + i, start + j)] += 2.0 * sum;
                }
            }
        }
        Ok(out)
    }

    /// `2 tr(D_ij' G λ)`: what a second derivative along straight lines of λ̃ leaves out.
    pub fn bending(&self, g: &[Vec<f64>]) -> Result<Matrix> {
        let mut out = Matrix::zeros(self.dim, self.dim, "the curvature matrix")?;
        for (((start, motion), lambda), g) in self.each().zip(g) {
            if motion.bends.is_empty() {
                continue;
            }
            let slope = product(g, lambda, motion.k);
            for (i, j, d) in &motion.bends {
                let bend = 2.0 * inner(d, &slope, motion.k);
                out[(start + i, start + j)] = bend;
                out[(start + j, start + i)] = bend;
            }
        }
        Ok(out)
    }

    /// The maps of the working variates, M_i = D_i λ' + λ D_i', by parameter.
    #[must_use]
    pub fn working_maps(&self, structure: &Structure) -> Vec<WorkingMap> {
        let mut out = Vec::with_capacity(self.dim);
        for (t, ((_, motion), lambda)) in self.each().enumerate() {
            let (block, offset) = structure.place(t);
            let k = motion.k;
            for d in &motion.slopes {
                let mut m = vec![0.0; k * k];
                for &(a, b, v) in d {
                    for h in 0..k {
                        let product = v * lambda[h + b * k];
                        m[a + h * k] += product;
                        m[h + a * k] += product;
                    }
                }
                let lower = (0..k).flat_map(|j| (j..k).map(move |i| (i, j)));
                let entries = lower
                    .map(|(i, j)| (offset + i, offset + j, m[i + j * k]))
                    .filter(|&(_, _, v)| v != 0.0)
                    .collect();
                out.push(WorkingMap { block, entries });
            }
        }
        out
    }

    /// How every parameter moves λ̃ of its block.
    #[must_use]
    pub fn directions(&self, structure: &Structure) -> Vec<Direction> {
        let mut out = Vec::with_capacity(self.dim);
        for (t, (_, motion)) in self.terms.iter().enumerate() {
            let (block, offset) = structure.place(t);
            let width = structure.blocks[block].width;
            for own in &motion.slopes {
                let mut d = vec![0.0; width * width];
                for &(a, b, v) in own {
                    d[offset + a + (offset + b) * width] = v;
                }
                out.push(Direction { block, d });
            }
        }
        out
    }
}

fn product(g: &[f64], lambda: &[f64], k: usize) -> Vec<f64> {
    let mut out = vec![0.0; k * k];
    small::multiply(g, lambda, &mut out, k);
    out
}

fn inner(d: &[Entry], matrix: &[f64], k: usize) -> f64 {
    d.iter().map(|&(a, b, v)| v * matrix[a + b * k]).sum()
}

fn nonzeros(a: &[f64], k: usize) -> Vec<Entry> {
    let all = a.iter().enumerate().map(|(e, &v)| (e % k, e / k, v));
    all.filter(|&(_, _, v)| v != 0.0).collect()
}
