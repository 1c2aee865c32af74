//! Covariance templates: how the parameters theta of a random-effects term fill its relative
//! covariance factor λ (k × k), one file each and one line in [`template`].

mod diagonal;
mod unstructured;

pub use diagonal::Diagonal;
pub use unstructured::Unstructured;

/// Which changes of the columns, `z -> z m`, a template absorbs in its parameters. The engine
/// fits in the best conditioned of the allowed bases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnFreedom {
    /// Any invertible m.
    Linear,
    /// Any diagonal m.
    Scaling,
}

/// One covariance structure. λ is linear in theta for the structures here; the derivative with
/// respect to parameter i is the constant k × k matrix `direction(i)`.
pub trait Template: Sync + Send + std::fmt::Debug {
    /// The name used in Python.
    fn name(&self) -> &'static str;
    /// Number of parameters for k columns.
    fn n_parameters(&self, k: usize) -> usize;
    /// Entry (row, column) of λ that each parameter fills.
    fn entries(&self, k: usize) -> Vec<(usize, usize)>;
    /// What may be done to the columns of Z without leaving the model.
    fn freedom(&self) -> ColumnFreedom;

    /// λ at theta, column-major.
    fn lambda(&self, theta: &[f64], k: usize) -> Vec<f64> {
        let mut lambda = vec![0.0; k * k];
        for ((a, b), &t) in self.entries(k).into_iter().zip(theta) {
            lambda[a + b * k] = t;
        }
        lambda
    }

    /// Theta of a λ of this structure: its entries.
    fn theta(&self, lambda: &[f64], k: usize) -> Vec<f64> {
        self.entries(k)
            .into_iter()
            .map(|(a, b)| lambda[a + b * k])
            .collect()
    }

    /// dλ/dθ_i, column-major.
    fn direction(&self, i: usize, k: usize) -> Vec<f64> {
        let (a, b) = self.entries(k)[i];
        let mut d = vec![0.0; k * k];
        d[a + b * k] = 1.0;
        d
    }
}

/// The table of templates.
#[must_use]
pub fn template(name: &str) -> Option<&'static dyn Template> {
    const TEMPLATES: [&dyn Template; 2] = [&Unstructured, &Diagonal];
    TEMPLATES.into_iter().find(|t| t.name() == name)
}
