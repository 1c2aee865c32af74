//! The exact Hessian of the criterion, profiled over σ or joint with it.
//!
//! With D the log-determinants, `d(θ, σ) = D + m log(2πσ²) + r²/σ²`, minimal in σ at σ² = r²/m:
//!
//! ```text
//! profiled           D_ij + (m/r²) (r²_ij - r²_i r²_j / r²)
//! r²_i = -q_i'Py,    r²_ij = 2 q_i'P q_j - 2 tr(D_i' Σ_v c_v c_v' D_j)
//! ```

use crate::error::Result;
use crate::linalg::{small, Matrix};
use crate::objective::{Criterion, LmmObjective, Objective};
use crate::system::Along;

impl LmmObjective<'_> {
    pub(super) fn exact_hessian(&mut self) -> Result<Option<Matrix>> {
        self.derivatives()?;
        let motion = self.motion();
        let directions = motion.directions(&self.model.structure);
        let joint = self.criterion == Criterion::Reml;
        let (monitor, progress) = (self.monitor, self.progress);
        let tick = || monitor(progress);
        let system = self.solver.system()?;
        let computed =
            system.log_det_hessian((Along::Lambda, &directions), Vec::new(), joint, &tick)?;
        let Some(mut out) = computed else {
            return Ok(None);
        };
        let h = &self.slopes.linear;
        let curved = motion.curvature(&self.by_term(&self.slopes.squares))?;
        let bent = motion.bending(&self.by_term(&self.slopes.w))?;
        small::axpy(1.0, bent.data(), out.data_mut());
        let n = self.coordinates.dim;
        let factor = self.scale_df() / self.r2;
        for j in 0..n {
            for i in 0..n {
                let second = 2.0 * self.slopes.inner[i + j * n] - curved[(i, j)];
                out[(i, j)] += factor * (second - h[i] * h[j] / self.r2);
            }
        }
        Ok(Some(out))
    }

    /// Hessian in (θ, log σ) of the criterion with σ not profiled, at the σ that minimises it:
    /// `d_θθ = profiled + m s s'`, `d_θσ = -2 m s`, `d_σσ = 4 m` with s the gradient of log r².
    pub fn joint_hessian(&mut self, profiled: &Matrix) -> Result<Matrix> {
        self.derivatives()?;
        let n = self.coordinates.dim;
        let m = self.scale_df();
        let squares = self.by_term(&self.slopes.squares);
        let slopes: Vec<f64> = self
            .motion()
            .gradient(&squares)
            .iter()
            .map(|g| -g / self.r2)
            .collect();
        let mut out = Matrix::zeros(n + 1, n + 1, "the Hessian")?;
        for j in 0..n {
            for i in 0..n {
                out[(i, j)] = profiled[(i, j)] + m * slopes[i] * slopes[j];
            }
            out[(j, n)] = -2.0 * m * slopes[j];
            out[(n, j)] = out[(j, n)];
        }
        out[(n, n)] = 4.0 * m;
        Ok(out)
    }
}
