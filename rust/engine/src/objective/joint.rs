//! The criterion of a linear mixed model with σ not profiled: a function of theta and log σ.
//!
//! With D the log-determinants, `d(θ, σ) = D + m log(2πσ²) + r²/σ²`. It exceeds the profiled criterion
//! by `m (t - 1 - log t)`, t = r²/(m σ²).

use crate::covariance::Fold;
use crate::error::Result;
use crate::linalg::{small, Matrix};
use crate::objective::{Derivatives, LmmObjective, Objective};

/// Theta, then the logarithm of σ in the units of the engine.
pub struct JointObjective<'a> {
    pub profiled: LmmObjective<'a>,
    log_sigma: f64,
}

impl<'a> JointObjective<'a> {
    #[must_use]
    pub fn new(profiled: LmmObjective<'a>) -> Self {
        Self {
            profiled,
            log_sigma: 0.0,
        }
    }

    fn precision(&self) -> f64 {
        (-2.0 * self.log_sigma).exp()
    }

    /// m/r², for which the precision takes its place here.
    fn profiled_precision(&self) -> f64 {
        self.profiled.scale_df() / self.profiled.r2()
    }

    /// The criterion at the last point.
    #[must_use]
    pub fn last_value(&self) -> f64 {
        let ratio = self.precision() / self.profiled_precision();
        self.profiled.last_value() + self.profiled.scale_df() * (ratio - 1.0 - ratio.ln())
    }

    /// A matrix in theta with the row and column of log σ: `±2 r²_i / σ²` and `4 r²/σ²`.
    fn bordered(&self, own: &Matrix, linear: &[f64]) -> Result<Matrix> {
        let n = own.rows();
        let precision = self.precision();
        let mut out = Matrix::zeros(n + 1, n + 1, "the Hessian")?;
        for j in 0..n {
            out.column_mut(j)[..n].copy_from_slice(own.column(j));
            out[(j, n)] = 2.0 * precision * linear[j];
            out[(n, j)] = out[(j, n)];
        }
        out[(n, n)] = 4.0 * precision * self.profiled.r2();
        Ok(out)
    }
}

impl Objective for JointObjective<'_> {
    fn dim(&self) -> usize {
        self.profiled.dim() + 1
    }

    fn value(&mut self, point: &[f64]) -> Result<Option<f64>> {
        let (theta, log_sigma) = point.split_at(point.len() - 1);
        self.log_sigma = log_sigma[0];
        let known = self.profiled.value(theta)?.is_some();
        let value = if known { self.last_value() } else { f64::NAN };
        Ok(value.is_finite().then_some(value))
    }

    fn derivatives(&mut self) -> Result<Derivatives> {
        let Derivatives {
            mut gradient,
            mut information,
            mut curvature,
        } = self.profiled.derivatives()?;
        let (precision, r2) = (self.precision(), self.profiled.r2());
        let change = precision - self.profiled_precision();
        let slopes = self.profiled.response_slopes();
        small::axpy(-change, &slopes.linear, &mut gradient);
        gradient.push(2.0 * (self.profiled.scale_df() - precision * r2));
        information.data_mut().copy_from_slice(&slopes.inner);
        information
            .data_mut()
            .iter_mut()
            .for_each(|v| *v *= precision);
        small::axpy(
            -change,
            self.profiled.square_curvature()?.data(),
            curvature.data_mut(),
        );
        let n = gradient.len();
        let mut wider = Matrix::zeros(n, n, "the curvature")?;
        for j in 0..n - 1 {
            wider.column_mut(j)[..n - 1].copy_from_slice(curvature.column(j));
        }
        Ok(Derivatives {
            gradient,
            information: self.bordered(&information, &slopes.linear)?,
            curvature: wider,
        })
    }

    fn hessian(&mut self) -> Result<Option<Matrix>> {
        let Some(mut own) = self.profiled.hessian()? else {
            return Ok(None);
        };
        let (r2, before) = (self.profiled.r2(), self.profiled_precision());
        let change = self.precision() - before;
        let curved = self.profiled.square_curvature()?;
        let slopes = self.profiled.response_slopes();
        let n = own.rows();
        for j in 0..n {
            for i in 0..n {
                let second = 2.0 * slopes.inner[i + j * n] - curved[(i, j)];
                let profiling = before * slopes.linear[i] * slopes.linear[j] / r2;
                own[(i, j)] += change * second + profiling;
            }
        }
        Ok(Some(self.bordered(&own, &slopes.linear)?))
    }

    fn folds(&self) -> Vec<Fold> {
        self.profiled.folds()
    }

    fn isotropic(&self, sd: f64) -> Vec<f64> {
        let mut out = self.profiled.isotropic(sd);
        out.push(self.log_sigma);
        out
    }

    fn has_lasting_curvature(&self) -> bool {
        true
    }

    fn opposite(&self, point: &[f64]) -> Option<Vec<f64>> {
        let (theta, log_sigma) = point.split_at(point.len() - 1);
        let mut out = self.profiled.opposite(theta)?;
        out.extend_from_slice(log_sigma);
        Some(out)
    }

    fn polish_steps(&self) -> usize {
        self.profiled.polish_steps()
    }
}
