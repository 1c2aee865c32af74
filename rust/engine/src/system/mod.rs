//! Solving with A at given relative covariance factors: factorisation, solves, selected inverse.

mod complement;
mod factor;
mod level_pass;
mod levels;
mod log_det_hessian;
mod multiply;
mod nested;
mod one_factor;
mod selected;
mod slopes;
mod solve;
mod solver;
mod trailing;
mod trailing_update;
pub mod transform;
mod weighted;

pub use factor::Factor;
pub use log_det_hessian::{log_det_hessian, Along, Direction};
pub use multiply::multiply;
pub use one_factor::OneFactor;
pub use selected::{selected, Selected};
pub use slopes::{outer_products, variates, Slopes, WorkingMap};
pub use solve::Reduced;
pub use solver::Solver;
pub use weighted::WeightedSystem;
