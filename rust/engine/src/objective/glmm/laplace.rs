//! First derivatives of the objective of a generalized model.
//!
//! With h_i = z_i'ΛM^-1Λ'z_i, t_i = h_i dw_i/dη_i, H the matrix M with the observed information,
//! v = t - W_o Z ΛH^-1Λ' Z't (the coefficients included where they are profiled out) and c = Z's,
//!
//! ```text
//! d/dΣ = Σ_j (Z'V^-1Z)_jj - Σ_j c_j c_j' + Σ_j (z_j c_j' + c_j z_j')/2,    z = Z'v
//! d/dβ = X'(v - 2 s)
//! d/dρ = Σ_i (h_i dw_i/dρ - 2 dl_i/dρ) + Σ_i (Z ΛH^-1Λ' Z't)_i ds_i/dρ
//! ```
//!
//! and the gradient with respect to λ is 2 (d/dΣ) λ.

use crate::error::{Error, Result};
use crate::family::{Density, DispersionSlopes};
use crate::linalg::small;
use crate::model::generalized::PredictorRows;
use crate::model::GeneralizedModel;
use crate::objective::glmm::border::Border;
use crate::objective::glmm::modes::Modes;
use crate::objective::glmm::{rows, GlmmObjective};
use crate::objective::quadrature;
use crate::parameters::Coordinates;
use crate::products::stacked::Stacked;
use crate::system::outer_products;

/// First derivatives at one point.
pub struct Slopes {
    factor: FactorSlopes,
    /// With respect to the coefficients in the basis of the engine.
    pub gamma: Vec<f64>,
    /// With respect to the logarithm of the dispersion.
    pub dispersion: f64,
    /// Σ (Z'V^-1Z)_jj of each block.
    pub w_sums: Vec<Vec<f64>>,
}

/// Derivatives with respect to the covariance factors, k × k by term.
enum FactorSlopes {
    /// With respect to Σ = λλ'.
    Covariance(Vec<Vec<f64>>),
    /// With respect to λ.
    Factor(Vec<Vec<f64>>),
}

impl Slopes {
    /// Gradient in theta of these coordinates; `own` is the λ of the point of evaluation, equal to the
    /// λ at theta up to a rotation from the right.
    pub fn theta_gradient(
        &self,
        coordinates: &Coordinates,
        theta: &[f64],
        own: &[Vec<f64>],
    ) -> Vec<f64> {
        let motion = coordinates.motion(theta);
        match &self.factor {
            FactorSlopes::Covariance(g) => motion.gradient(g),
            FactorSlopes::Factor(slopes) => {
                let lambda = coordinates.lambda(theta);
                let terms = coordinates.terms.iter().zip(slopes).enumerate();
                let turned: Vec<Vec<f64>> = terms
                    .map(|(t, (term, slopes))| turned(slopes, &own[t], &lambda[t], term.k))
                    .collect();
                motion.pull(&turned)
            }
        }
    }
}

/// Slopes with respect to `to = from R` from those with respect to `from`.
fn turned(slopes: &[f64], from: &[f64], to: &[f64], k: usize) -> Vec<f64> {
    if from == to {
        return slopes.to_vec();
    }
    let mut rotation = to.to_vec();
    small::solve_general(&mut from.to_vec(), &mut rotation, k, k);
    if rotation.iter().any(|r| !r.is_finite()) {
        return slopes.to_vec();
    }
    let mut out = vec![0.0; k * k];
    small::multiply(slopes, &rotation, &mut out, k);
    out
}

/// What quadrature needs to know of a point.
pub fn quadrature_point<'p>(
    model: &'p GeneralizedModel,
    modes: &'p Modes<'_>,
    lambda: &'p [Vec<f64>],
    density: &'p dyn Density,
    fixed: &'p [f64],
) -> quadrature::Point<'p> {
    let PredictorRows { frame, z, .. } = &*model.rows;
    let block = &frame.structure.blocks[0];
    quadrature::Point {
        density,
        information: model.information,
        has_dispersion: model.family.has_dispersion(),
        codes: &block.codes,
        n_levels: block.n_levels,
        z: &z[0],
        k: block.width,
        lambda: &lambda[0],
        fixed,
        u: modes.u.block(&frame.structure, 0),
    }
}

impl GlmmObjective<'_> {
    /// First derivatives at the last point.
    pub(super) fn differentiate(&mut self) -> Result<Slopes> {
        let mut h = vec![0.0; self.model.n_obs()];
        let w_sums = self.system().row_variances(&mut h)?;
        if self.rule.is_some() {
            self.differentiate_quadrature(w_sums)
        } else {
            self.differentiate_laplace(&h, w_sums)
        }
    }

    fn differentiate_laplace(&mut self, h: &[f64], w_sums: Vec<Vec<f64>>) -> Result<Slopes> {
        let Some((_, density)) = &self.density else {
            return Err(nothing_evaluated());
        };
        let (model, modes) = (self.model, &self.modes);
        let n = model.n_obs();
        let mut t = vec![0.0; n];
        density.information_slope(model.information, 0, &modes.eta, &mut t);
        t.iter_mut().zip(h).for_each(|(t, h)| *t *= h);
        let Adjoint { pulled, mut v, z } = self.adjoint(t)?;
        let blocks = self.sigma_slopes(&w_sums, &z);
        let mut dispersion = 0.0;
        if model.family.has_dispersion() {
            let mut slopes = [vec![0.0; n], vec![0.0; n], vec![0.0; n]];
            let [log_density, score, information] = &mut slopes;
            let out = DispersionSlopes {
                log_density,
                score,
                information,
            };
            density.dispersion_slopes(model.information, 0, &modes.eta, out);
            dispersion = small::dot(h, &slopes[2]) + small::dot(&pulled, &slopes[1])
                - 2.0 * slopes[0].iter().sum::<f64>();
        }
        for (v, s) in v.iter_mut().zip(&modes.score) {
            *v -= 2.0 * s;
        }
        Ok(Slopes {
            factor: FactorSlopes::Covariance(self.by_term(&blocks)),
            gamma: rows::times_x(&model.rows, &v),
            dispersion,
            w_sums,
        })
    }

    /// What t brings about.
    pub(super) fn adjoint(&self, t: Vec<f64>) -> Result<Adjoint> {
        let pulled = self.pulled(&t)?;
        let mut v = t;
        for ((v, w), e) in v.iter_mut().zip(&self.modes.weight).zip(&pulled) {
            *v -= w * e;
        }
        let z = self.modes.system.project(&v, 1)?;
        Ok(Adjoint { pulled, v, z })
    }

    /// d/dΣ of each block, symmetric.
    pub(super) fn sigma_slopes(&self, w_sums: &[Vec<f64>], z: &Stacked) -> Vec<Vec<f64>> {
        let structure = &self.model.frame().structure;
        let c = &self.modes.c;
        let squares = outer_products(structure, c, c);
        let mixed = outer_products(structure, z, c);
        (0..structure.blocks.len())
            .map(|b| {
                let k = structure.blocks[b].width;
                let entry = |e: usize| {
                    let (i, j) = (e % k, e / k);
                    let symmetric = 0.5 * (mixed[b][i + j * k] + mixed[b][j + i * k]);
                    w_sums[b][e] - squares[b][e] + symmetric
                };
                (0..k * k).map(entry).collect()
            })
            .collect()
    }

    /// The border of the coefficients where they are profiled out.
    pub(super) fn border(&self) -> Result<Option<&Border>> {
        if self.parameters.fixed.is_some() || self.model.rank() == 0 {
            return Ok(None);
        }
        self.modes.border().ok_or_else(nothing_evaluated).map(Some)
    }

    /// `Z ΛH^-1Λ' Z't`, and what the coefficients add to it where they are profiled out.
    fn pulled(&self, t: &[f64]) -> Result<Vec<f64>> {
        let (rows, modes) = (&self.model.rows, &self.modes);
        let right = modes.system.project(t, 1)?;
        let mut out = vec![0.0; t.len()];
        let mut b = modes.system.system().solve(right.clone());
        if let Some(border) = self.border()? {
            let gamma = border.coefficients(&right, &rows::times_x(rows, t));
            border.take_modes(&gamma, &mut b);
            modes.system.expand(&b, &mut out);
            rows::add_fixed(rows, &gamma, &mut out);
        } else {
            modes.system.expand(&b, &mut out);
        }
        Ok(out)
    }

    fn differentiate_quadrature(&mut self, w_sums: Vec<Vec<f64>>) -> Result<Slopes> {
        let (Some((_, density)), Some(integral)) = (&self.density, &self.integral) else {
            return Err(nothing_evaluated());
        };
        let rows = &self.model.rows;
        let fixed = rows::fixed_part(rows, &self.modes.gamma);
        let density = density.as_ref();
        let point = quadrature_point(self.model, &self.modes, &self.block_lambda, density, &fixed);
        let gradient = quadrature::gradient(integral, &point)?;
        Ok(Slopes {
            factor: FactorSlopes::Factor(self.by_term(&[gradient.lambda])),
            gamma: rows::times_x(rows, &gradient.eta),
            dispersion: gradient.dispersion,
            w_sums,
        })
    }
}

/// What the derivative t of the log-determinant in the linear predictor brings about.
pub struct Adjoint {
    /// Z ΛH^-1Λ' Z't.
    pub pulled: Vec<f64>,
    /// t - W times it.
    pub v: Vec<f64>,
    /// Z'v.
    pub z: Stacked,
}

pub(super) fn nothing_evaluated() -> Error {
    Error::Factorisation { theta: Vec::new() }
}
