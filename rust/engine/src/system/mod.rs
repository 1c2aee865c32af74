//! Solving with A at given relative covariance factors: factorisation, solves, selected inverse.

mod complement;
mod factor;
mod level_pass;
mod levels;
mod multiply;
mod nested;
mod selected;
mod solve;
mod trailing;
mod trailing_update;
pub mod transform;

pub use factor::Factor;
pub use multiply::multiply;
pub use selected::{selected, Selected};
pub use solve::Reduced;
