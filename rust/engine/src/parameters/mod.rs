//! The parameters of a model: theta by term, coefficients, dispersion, σ; the units of the user and
//! those of the engine; and what is held.

pub mod coordinates;
mod held;
mod map;
mod motion;
mod term;
mod turning;
mod vector;

pub use coordinates::Coordinates;
pub use held::{Held, HeldCoordinates, Role};
pub use motion::Motion;
pub use term::TermCoordinates;
pub use turning::TurningCoordinates;
pub use vector::{AffineNumber, AffineVector, ParameterVector};
