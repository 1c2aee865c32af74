//! An objective some of whose parameters are held: a function of the free ones.

use crate::covariance::Fold;
use crate::error::Result;
use crate::linalg::Matrix;
use crate::objective::{Derivatives, Objective};
use crate::parameters::Role;

/// The objective in its free parameters.
pub struct HeldObjective<'o> {
    objective: &'o mut dyn Objective,
    roles: Vec<Role>,
    /// Where the free parameters stand among all.
    free: Vec<usize>,
    /// The last point, of all parameters.
    point: Vec<f64>,
    polished: bool,
}

impl<'o> HeldObjective<'o> {
    pub fn new(objective: &'o mut dyn Objective, roles: Vec<Role>) -> Self {
        let is_free = |&i: &usize| roles[i] == Role::Free;
        Self {
            free: (0..roles.len()).filter(is_free).collect(),
            point: Vec::new(),
            objective,
            roles,
            polished: true,
        }
    }

    /// Ends of searches are as exact as their tolerance says.
    #[must_use]
    pub fn unpolished(self) -> Self {
        Self {
            polished: false,
            ..self
        }
    }

    /// All parameters.
    #[must_use]
    pub fn expand(&self, free: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.roles.len()];
        for (&at, &value) in self.free.iter().zip(free) {
            out[at] = value;
        }
        for (i, role) in self.roles.iter().enumerate() {
            match *role {
                Role::Free => {}
                Role::Held(value) => out[i] = value,
                Role::Tied { to, at_zero, rate } => {
                    let value = match self.roles[to] {
                        Role::Held(value) => value,
                        _ => out[to],
                    };
                    out[i] = at_zero * (rate * value).exp();
                }
            }
        }
        out
    }

    /// The free ones of all parameters.
    #[must_use]
    pub fn restrict(&self, all: &[f64]) -> Vec<f64> {
        self.free.iter().map(|&i| all[i]).collect()
    }

    /// Derivatives of all parameters (rows) with respect to the free ones at the last point.
    pub fn slopes(&self) -> Result<Matrix> {
        let mut out = Matrix::zeros(self.roles.len(), self.free.len(), "the free parameters")?;
        for (j, &at) in self.free.iter().enumerate() {
            out[(at, j)] = 1.0;
            for (i, rate) in self.tied_to(at) {
                out[(i, j)] = rate * self.point[i];
            }
        }
        Ok(out)
    }

    /// (parameter, rate) of those that are tied to this one.
    fn tied_to(&self, at: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let roles = self.roles.iter().enumerate();
        roles.filter_map(move |(i, role)| match *role {
            Role::Tied { to, rate, .. } if to == at => Some((i, rate)),
            _ => None,
        })
    }

    fn pull_vector(&self, all: &[f64]) -> Vec<f64> {
        let own = self.free.iter();
        own.map(|&at| {
            let tied = self
                .tied_to(at)
                .map(|(i, rate)| rate * self.point[i] * all[i]);
            all[at] + tied.sum::<f64>()
        })
        .collect()
    }

    /// `J'AJ`.
    fn pull_matrix(&self, all: &Matrix) -> Result<Matrix> {
        let n = self.free.len();
        let columns: Vec<Vec<f64>> = (0..all.cols())
            .map(|j| self.pull_vector(all.column(j)))
            .collect();
        let mut out = Matrix::zeros(n, n, "the Hessian")?;
        for i in 0..n {
            let row: Vec<f64> = columns.iter().map(|column| column[i]).collect();
            for (j, value) in self.pull_vector(&row).into_iter().enumerate() {
                out[(i, j)] = value;
            }
        }
        Ok(out)
    }

    /// Adds what the bent ties contribute to second derivatives.
    fn add_bending(&self, gradient: &[f64], out: &mut Matrix) {
        for (j, &at) in self.free.iter().enumerate() {
            let bent = self.tied_to(at);
            let sum: f64 = bent
                .map(|(i, rate)| rate * rate * self.point[i] * gradient[i])
                .sum();
            out[(j, j)] += sum;
        }
    }
}

impl Objective for HeldObjective<'_> {
    fn dim(&self) -> usize {
        self.free.len()
    }

    fn value(&mut self, free: &[f64]) -> Result<Option<f64>> {
        self.point = self.expand(free);
        self.objective.value(&self.point)
    }

    fn derivatives(&mut self) -> Result<Derivatives> {
        let all = self.objective.derivatives()?;
        let mut curvature = self.pull_matrix(&all.curvature)?;
        self.add_bending(&all.gradient, &mut curvature);
        Ok(Derivatives {
            gradient: self.pull_vector(&all.gradient),
            information: self.pull_matrix(&all.information)?,
            curvature,
        })
    }

    fn gradient(&mut self) -> Result<Vec<f64>> {
        let all = self.objective.gradient()?;
        Ok(self.pull_vector(&all))
    }

    fn hessian(&mut self) -> Result<Option<Matrix>> {
        let Some(all) = self.objective.hessian()? else {
            return Ok(None);
        };
        let mut out = self.pull_matrix(&all)?;
        let gradient = self.objective.gradient()?;
        self.add_bending(&gradient, &mut out);
        Ok(Some(out))
    }

    /// Those of free parameters alone; a column whose successor in the same factor is gone goes too.
    fn folds(&self) -> Vec<Fold> {
        let place = |i: &usize| self.free.iter().position(|at| at == i);
        let (mut out, mut gone) = (Vec::new(), 0);
        for fold in self.objective.folds().into_iter().rev() {
            let n = fold.parameters.len();
            let own: Option<Vec<usize>> = fold.parameters.iter().map(place).collect();
            match own {
                Some(parameters) if n == 1 || gone + 1 != n => {
                    out.push(Fold { parameters, ..fold });
                    gone = 0;
                }
                _ => gone = n,
            }
        }
        out.reverse();
        out
    }

    fn isotropic(&self, sd: f64) -> Vec<f64> {
        self.restrict(&self.objective.isotropic(sd))
    }

    fn has_crude_curvature(&self) -> bool {
        self.objective.has_crude_curvature()
    }

    fn has_lasting_curvature(&self) -> bool {
        true
    }

    fn opposite(&self, free: &[f64]) -> Option<Vec<f64>> {
        let all = self.objective.opposite(&self.expand(free))?;
        Some(self.restrict(&all))
    }

    fn is_worth_two_searches(&self) -> bool {
        self.objective.is_worth_two_searches()
    }

    fn polish_steps(&self) -> usize {
        if self.polished {
            self.objective.polish_steps()
        } else {
            0
        }
    }
}
