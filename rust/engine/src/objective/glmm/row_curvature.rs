//! Second derivatives of what the rows contribute: by differences of fourth order of the first ones, row by
//! row, so that no density needs another formula.

use crate::family::{Density, DispersionSlopes, Information};
use crate::model::GeneralizedModel;

/// Step of the differences, in units of the length over which a row's information changes.
const STEP: f64 = 2e-3;
/// Places in steps, and weights of differences between opposite ones.
const STENCIL: [(f64, f64); 2] = [(1.0, 8.0 / 12.0), (2.0, -1.0 / 12.0)];

/// Derivatives of the information of the kind that weighs the rows of the log-determinant, and of the
/// observed one, at a linear predictor.
pub struct RowCurvature {
    /// d/dη of the former.
    pub slope: Vec<f64>,
    /// d²/dη² of it.
    pub second: Vec<f64>,
    /// d/dη of the observed information, where it is another.
    pub observed_slope: Option<Vec<f64>>,
    pub dispersion: Option<DispersionCurvature>,
}

/// Derivatives with the logarithm of the dispersion among the variables.
pub struct DispersionCurvature {
    /// First ones, of the log-density, the score and the information of the kind.
    pub first: Slopes,
    /// Of the observed information.
    pub observed: Vec<f64>,
    /// Second ones in the dispersion.
    pub second: Slopes,
    /// Of the information, once in η and once in the dispersion.
    pub mixed: Vec<f64>,
}

pub struct Slopes {
    pub log_density: Vec<f64>,
    pub score: Vec<f64>,
    pub information: Vec<f64>,
}

impl RowCurvature {
    pub fn new(model: &GeneralizedModel, log_dispersion: f64, eta: &[f64]) -> Self {
        let kind = model.information;
        let density = model.family.at(log_dispersion);
        let slope = information_slope(density.as_ref(), kind, eta);
        let other = kind == Information::Expected && !model.family.is_canonical();
        Self {
            second: second_slope(density.as_ref(), kind, eta, &slope),
            observed_slope: other
                .then(|| information_slope(density.as_ref(), Information::Observed, eta)),
            dispersion: model
                .family
                .has_dispersion()
                .then(|| DispersionCurvature::new(model, log_dispersion, eta)),
            slope,
        }
    }

    /// d/dη of the observed information.
    pub fn observed_slope(&self) -> &[f64] {
        self.observed_slope.as_ref().unwrap_or(&self.slope)
    }
}

impl DispersionCurvature {
    fn new(model: &GeneralizedModel, log_dispersion: f64, eta: &[f64]) -> Self {
        let n = eta.len();
        let (family, kind) = (&model.family, model.information);
        let mut second = Slopes::zeros(n);
        let mut mixed = vec![0.0; n];
        for (place, weight) in STENCIL {
            for sign in [1.0, -1.0] {
                let density = family.at(log_dispersion + sign * place * STEP);
                let factor = sign * weight / STEP;
                let there = Slopes::new(density.as_ref(), kind, eta);
                second.add(factor, &there);
                let slope = information_slope(density.as_ref(), kind, eta);
                add(factor, &slope, &mut mixed);
            }
        }
        let density = family.at(log_dispersion);
        Self {
            first: Slopes::new(density.as_ref(), kind, eta),
            observed: Slopes::new(density.as_ref(), Information::Observed, eta).information,
            second,
            mixed,
        }
    }
}

impl Slopes {
    fn zeros(n: usize) -> Self {
        Self {
            log_density: vec![0.0; n],
            score: vec![0.0; n],
            information: vec![0.0; n],
        }
    }

    fn new(density: &dyn Density, kind: Information, eta: &[f64]) -> Self {
        let mut out = Self::zeros(eta.len());
        let slopes = DispersionSlopes {
            log_density: &mut out.log_density,
            score: &mut out.score,
            information: &mut out.information,
        };
        density.dispersion_slopes(kind, 0, eta, slopes);
        out
    }

    fn add(&mut self, factor: f64, other: &Self) {
        add(factor, &other.log_density, &mut self.log_density);
        add(factor, &other.score, &mut self.score);
        add(factor, &other.information, &mut self.information);
    }
}

fn add(factor: f64, from: &[f64], to: &mut [f64]) {
    to.iter_mut().zip(from).for_each(|(t, f)| *t += factor * f);
}

fn information_slope(density: &dyn Density, kind: Information, eta: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; eta.len()];
    density.information_slope(kind, 0, eta, &mut out);
    out
}

/// d²/dη² of the information; the steps of a row are short beside its distance from the edge of the domain
/// of the link, where the information changes fast.
fn second_slope(density: &dyn Density, kind: Information, eta: &[f64], slope: &[f64]) -> Vec<f64> {
    let n = eta.len();
    let (mut score, mut information) = (vec![0.0; n], vec![0.0; n]);
    match kind {
        Information::Observed => {
            density.working(0, eta, &mut score, &mut information);
        }
        Information::Expected => density.expected(0, eta, &mut information),
    }
    let steps: Vec<f64> = (0..n)
        .map(|i| {
            let change = (slope[i] / information[i]).abs();
            let change = if change.is_finite() { change } else { 0.0 };
            STEP / (change + 1.0 / (1.0 + eta[i].abs()))
        })
        .collect();
    let mut out = vec![0.0; n];
    let (mut there, mut moved) = (vec![0.0; n], vec![0.0; n]);
    for (place, weight) in STENCIL {
        for sign in [1.0, -1.0] {
            for ((m, e), step) in moved.iter_mut().zip(eta).zip(&steps) {
                *m = e + sign * place * step;
            }
            density.information_slope(kind, 0, &moved, &mut there);
            for ((out, v), step) in out.iter_mut().zip(&there).zip(&steps) {
                *out += sign * weight / step * v;
            }
        }
    }
    out
}
