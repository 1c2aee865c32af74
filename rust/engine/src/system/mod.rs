//! Solving with A at given relative covariance factors: factorisation, solves, selected inverse.

mod factor;
mod level_pass;
mod levels;
mod multiply;
mod nested;
mod one_factor;
mod selected;
mod solve;
mod solver;
mod trailing_update;
pub mod transform;
mod working;

pub use factor::Factor;
pub use multiply::multiply;
pub use one_factor::OneFactor;
pub use selected::{selected, Selected};
pub use solve::Reduced;
pub use solver::{Solver, Slopes};
pub use working::WorkingMap;
