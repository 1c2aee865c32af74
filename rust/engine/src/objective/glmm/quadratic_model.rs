//! The curvature model of a generalized model: the average information of the working linear model
//! in theta, the information of the coefficients, and that of the dispersion. Blocks between them
//! have expectation zero.

use crate::error::Result;
use crate::family::DispersionSlopes;
use crate::linalg::{small, Matrix};
use crate::objective::glmm::laplace::Slopes;
use crate::objective::glmm::{rows, GlmmObjective};
use crate::objective::Derivatives;
use crate::parameters::Motion;
use crate::system::{outer_products, variates};

/// Step in the logarithm of the dispersion for the curvature of the log-likelihood.
const STEP: f64 = 1e-3;
/// Least curvature in the logarithm of the dispersion, for each observation.
const LEAST: f64 = 1e-8;

/// Products of working variates q and of X in the metric V^-1.
struct Products {
    qq: Vec<f64>,
    qx: Vec<f64>,
    xx: Vec<f64>,
}

impl GlmmObjective<'_> {
    /// Gradient and curvature model at the last point.
    pub(super) fn quadratic_model(&self, slopes: &Slopes) -> Result<Derivatives> {
        let dim = self.parameters.dim();
        let n_theta = self.parameters.theta.dim;
        let mut information = Matrix::zeros(dim, dim, "the information")?;
        let mut curvature = Matrix::zeros(dim, dim, "the curvature")?;
        let motion = self.motion();
        let Products { mut qq, qx, xx } = self.products(&motion)?;
        if let Some(fixed) = &self.parameters.fixed {
            let (p, at) = (fixed.dim(), self.parameters.fixed_at());
            let (mut half, mut own) = (vec![0.0; p * p], vec![0.0; p * p]);
            small::multiply(&xx, &fixed.map, &mut half, p);
            small::transposed_multiply(&fixed.map, &half, &mut own, p);
            for j in 0..p {
                for i in 0..p {
                    information[(at + i, at + j)] = 2.0 * own[i + j * p];
                }
            }
        } else {
            profile(&mut qq, &qx, &xx, n_theta, self.model.rank());
        }
        for j in 0..n_theta {
            for i in 0..n_theta {
                information[(i, j)] = qq[i + j * n_theta];
            }
        }
        let structure = &self.model.frame().structure;
        let mut blocks = outer_products(structure, &self.modes.c, &self.modes.c);
        for (block, w) in blocks.iter_mut().zip(&slopes.w_sums) {
            block.iter_mut().zip(w).for_each(|(c, w)| *c = w - *c);
        }
        let own = motion.curvature(&self.by_term(&blocks))?;
        for j in 0..n_theta {
            curvature.column_mut(j)[..n_theta].copy_from_slice(own.column(j));
        }
        if let Some(dispersion) = self.parameters.dispersion {
            let (at, unit) = (self.parameters.dispersion_at(), dispersion.unit);
            information[(at, at)] = unit * unit * self.dispersion_information();
        }
        Ok(Derivatives {
            gradient: self.assemble(slopes),
            information,
            curvature,
        })
    }

    fn products(&self, motion: &Motion) -> Result<Products> {
        let (system, weight) = self.weighted();
        let (rows, structure) = (&self.model.rows, &self.model.frame().structure);
        let p = self.model.rank();
        let maps = motion.working_maps(structure);
        let q = variates(structure, &maps, &self.modes.c)?;
        let weighted_q = system.system().multiply(&q)?;
        let m = q.m;
        let mut qq = q.gram(&weighted_q);
        if let (Some(border), None) = (self.modes.border(), &self.expected) {
            let qx = border.cross_information(&q, &weighted_q);
            let reduced = system.system().forward(weighted_q);
            small::axpy(-1.0, &system.system().explained(&reduced), &mut qq);
            let xx = border.information();
            return Ok(Products { qq, qx, xx });
        }
        let (mut qx, mut xx) = (Vec::new(), Vec::new());
        let columns = if p == 0 {
            weighted_q
        } else {
            let x = system.project_weighted(Some(weight), &rows.x, p)?;
            qx = q.gram(&x);
            xx = rows::gram_x(rows, weight);
            weighted_q.beside(&x)
        };
        let reduced = system.system().forward(columns);
        let explained = system.system().explained(&reduced);
        let size = m + p;
        for j in 0..size {
            for i in 0..size {
                let taken = explained[i + j * size];
                match (i < m, j < m) {
                    (true, true) => qq[i + j * m] -= taken,
                    (true, false) => qx[i + (j - m) * m] -= taken,
                    (false, false) => xx[i - m + (j - m) * p] -= taken,
                    (false, true) => {}
                }
            }
        }
        Ok(Products { qq, qx, xx })
    }

    /// `-2 Σ d²l/dρ²` at the modes.
    fn dispersion_information(&self) -> f64 {
        let n = self.model.n_obs();
        let centre = self.density.as_ref().map_or(0.0, |(at, _)| *at);
        let mut buffers = [vec![0.0; n], vec![0.0; n], vec![0.0; n]];
        let mut slope = |at: f64| -> f64 {
            let [log_density, score, information] = &mut buffers;
            let out = DispersionSlopes {
                log_density,
                score,
                information,
            };
            let density = self.model.family.at(at);
            density.dispersion_slopes(self.model.information, 0, &self.modes.eta, out);
            buffers[0].iter().sum()
        };
        let curvature = (slope(centre - STEP) - slope(centre + STEP)) / STEP;
        curvature.max(LEAST * n as f64)
    }
}

/// `qq -= qx xx^-1 xq`.
fn profile(qq: &mut [f64], qx: &[f64], xx: &[f64], m: usize, p: usize) {
    let mut factor = xx.to_vec();
    if p == 0 || !small::cholesky(&mut factor, p) {
        return;
    }
    // Columns of length p, one for each variate.
    let mut half = vec![0.0; p * m];
    for x in 0..p {
        for i in 0..m {
            half[x + i * p] = qx[i + x * m];
        }
    }
    small::solve_lower(&factor, &mut half, p, m);
    for j in 0..m {
        for i in 0..m {
            qq[i + j * m] -= small::dot(&half[i * p..(i + 1) * p], &half[j * p..(j + 1) * p]);
        }
    }
}
