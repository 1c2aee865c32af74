//! The extension module `mixedmodels._engine`: converts, calls the engine with the interpreter
//! released, and maps errors. No numerics.

mod arrays;
mod costs;
mod covariance;
mod deletions;
mod errors;
mod factor;
mod glmm;
mod held;
mod interrupt;
mod lmm;
mod many;
mod panics;
mod prediction;
mod predictors;
mod profile;
mod refits;
mod samples;
mod search;
mod user_family;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _engine {
    #[pymodule_export]
    use crate::glmm::Glmm;

    #[pymodule_export]
    use crate::lmm::Lmm;

    #[pymodule_export]
    use crate::costs::{describe_blocks, has_room_for};

    #[pymodule_export]
    use crate::covariance::Covariance;

    #[pymodule_export]
    use crate::factor::sparse_cholesky;

    #[pymodule_export]
    use crate::many::fit_many;

    #[pymodule_export]
    use crate::refits::{refit_generalized, refit_linear};

    #[pymodule_export]
    use crate::deletions::{delete_given_theta, delete_rows};

    #[pymodule_export]
    use crate::samples::{refit_generalized_samples, refit_linear_samples};

    #[pymodule_export]
    use crate::prediction::{generalized_prediction_variances, prediction_variances};

    #[pymodule_export]
    use crate::profile::{profile_curves, profile_origin, profile_points};

    #[pymodule_export]
    use crate::interrupt::provoke_panic;

    use mixedmodels::covariance::STRUCTURES;
    use mixedmodels::optimize::OPTIMIZERS;
    use pyo3::prelude::*;
    use pyo3::types::PyTuple;

    #[pymodule_init]
    fn init(m: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::panics::install_hook();
        let names = PyTuple::new(m.py(), OPTIMIZERS.iter().map(|(name, _)| *name))?;
        m.add("OPTIMIZERS", names)?;
        let names = PyTuple::new(m.py(), STRUCTURES.iter().map(|(name, _)| *name))?;
        m.add("COVARIANCES", names)?;
        m.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
