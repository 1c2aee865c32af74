//! Correlations that are functions of several parameters, held by an augmented Lagrangian.
//!
//! With c = ρ - v the function `D - μ c + κ c²/2` has the constrained minimum among its minima once μ is the
//! multiplier, which is dD/dv there (Hestenes 1969; Powell 1969). It stays smooth where the correlation matrix is
//! singular, which no elimination of a parameter does.

use std::sync::Arc;

use super::hold::{minimise, Effort, Found};
use crate::covariance::{along, Covariance, Fold};
use crate::error::Result;
use crate::linalg::Matrix;
use crate::objective::{Derivatives, Objective};
use crate::parameters::{Coordinates, Role};

/// κ, which is large beside the curvature of a criterion in a correlation.
const STIFFNESS: f64 = 1e4;
/// c at which the search ends.
const CLOSE: f64 = 1e-8;
const MOST_ROUNDS: usize = 12;

/// A correlation that is held.
#[derive(Debug, Clone)]
pub struct Anchor {
    covariance: Arc<dyn Covariance>,
    k: usize,
    /// Where its term begins among the parameters.
    start: usize,
    index: usize,
    value: f64,
    multiplier: f64,
}

impl Anchor {
    pub fn new(coordinates: &Coordinates, term: usize, index: usize) -> Self {
        let term = &coordinates.terms[term];
        Self {
            covariance: Arc::clone(&term.covariance),
            k: term.k,
            start: term.start,
            index,
            value: 0.0,
            multiplier: 0.0,
        }
    }

    pub fn hold_at(&mut self, value: f64) {
        self.value = value;
    }

    /// dD/dv.
    pub fn slope(&self) -> f64 {
        self.multiplier
    }

    fn own<'p>(&self, point: &'p [f64]) -> &'p [f64] {
        &point[self.start..self.start + self.covariance.n_parameters(self.k)]
    }

    /// c; zero for a correlation that means nothing.
    fn excess(&self, point: &[f64]) -> f64 {
        let natural = self.covariance.natural_values(self.own(point), self.k);
        let excess = natural[self.index] - self.value;
        if excess.is_nan() {
            0.0
        } else {
            excess
        }
    }

    fn value(&self, point: &[f64]) -> f64 {
        let c = self.excess(point);
        c * (0.5 * STIFFNESS * c - self.multiplier)
    }

    /// Its gradient, and its Hessian as the square of the gradient and the rest.
    fn add(&self, point: &[f64], gradient: &mut [f64], square: &mut Matrix, rest: &mut Matrix) {
        let own = self.own(point);
        let force = STIFFNESS * self.excess(point) - self.multiplier;
        let jet = |i, j| self.covariance.natural(&along(own, i, j), self.k)[self.index];
        let slopes: Vec<f64> = (0..own.len()).map(|i| jet(i, i).first).collect();
        if !slopes.iter().all(|v| v.is_finite()) {
            return;
        }
        for (j, right) in slopes.iter().enumerate() {
            gradient[self.start + j] += force * right;
            for (i, left) in slopes.iter().enumerate() {
                let bend = jet(i, j).mixed;
                square[(self.start + i, self.start + j)] += STIFFNESS * left * right;
                if bend.is_finite() {
                    rest[(self.start + i, self.start + j)] += force * bend;
                }
            }
        }
    }
}

/// The criterion with its anchors.
struct Anchored<'o> {
    objective: &'o mut dyn Objective,
    anchors: &'o [Anchor],
    point: Vec<f64>,
}

impl Objective for Anchored<'_> {
    fn dim(&self) -> usize {
        self.objective.dim()
    }

    fn value(&mut self, point: &[f64]) -> Result<Option<f64>> {
        self.point = point.to_vec();
        let value = self.objective.value(point)?;
        let added: f64 = self.anchors.iter().map(|a| a.value(point)).sum();
        Ok(value.map(|v| v + added))
    }

    fn derivatives(&mut self) -> Result<Derivatives> {
        let mut out = self.objective.derivatives()?;
        for anchor in self.anchors {
            anchor.add(
                &self.point,
                &mut out.gradient,
                &mut out.information,
                &mut out.curvature,
            );
        }
        Ok(out)
    }

    fn hessian(&mut self) -> Result<Option<Matrix>> {
        let Some(mut out) = self.objective.hessian()? else {
            return Ok(None);
        };
        let n = self.dim();
        let mut rest = Matrix::zeros(n, n, "the Hessian")?;
        for anchor in self.anchors {
            anchor.add(&self.point, &mut vec![0.0; n], &mut out, &mut rest);
        }
        let both = out.data_mut().iter_mut().zip(rest.data());
        both.for_each(|(out, rest)| *out += rest);
        Ok(Some(out))
    }

    fn folds(&self) -> Vec<Fold> {
        self.objective.folds()
    }

    fn isotropic(&self, sd: f64) -> Vec<f64> {
        self.objective.isotropic(sd)
    }

    fn has_crude_curvature(&self) -> bool {
        self.objective.has_crude_curvature()
    }

    fn has_lasting_curvature(&self) -> bool {
        true
    }

    fn opposite(&self, theta: &[f64]) -> Option<Vec<f64>> {
        self.objective.opposite(theta)
    }

    fn polish_steps(&self) -> usize {
        self.objective.polish_steps()
    }
}

/// Minimises over the free parameters with correlations held; the objective stands at the minimum then.
pub fn minimise_anchored(
    objective: &mut dyn Objective,
    roles: &[Role],
    anchors: &mut [Anchor],
    start: &[f64],
    effort: Effort,
) -> Result<Option<Found>> {
    if anchors.is_empty() {
        return minimise(objective, roles, start, effort);
    }
    let mut effort = effort;
    let mut start = start.to_vec();
    let mut last = f64::INFINITY;
    for round in 0..MOST_ROUNDS {
        let mut anchored = Anchored {
            objective: &mut *objective,
            anchors: &*anchors,
            point: Vec::new(),
        };
        let Some(mut found) = minimise(&mut anchored, roles, &start, effort)? else {
            return Ok(None);
        };
        effort = Effort::Near;
        let mut farthest = 0.0_f64;
        for anchor in &mut *anchors {
            let excess = anchor.excess(&found.all);
            anchor.multiplier -= STIFFNESS * excess;
            farthest = farthest.max(excess.abs());
        }
        let stuck = farthest > 0.5 * last;
        if farthest <= CLOSE || stuck || round + 1 == MOST_ROUNDS {
            found.converged &= farthest <= CLOSE.sqrt();
            let Some(value) = objective.value(&found.all)? else {
                return Ok(None);
            };
            // To the first order at the values that are held.
            let rest = anchors.iter().map(|a| a.multiplier * a.excess(&found.all));
            found.value = value - rest.sum::<f64>();
            found.gradient = objective.gradient()?;
            return Ok(Some(found));
        }
        last = farthest;
        start = found.free;
    }
    Ok(None)
}
