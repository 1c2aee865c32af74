//! Solving with A at given relative covariance factors: factorisation, solves, selected inverse.

mod factor;
mod multiply;
mod selected;
mod solve;
pub mod transform;

pub use factor::Factor;
pub use multiply::multiply;
pub use selected::{selected, Selected};
pub use solve::Reduced;
