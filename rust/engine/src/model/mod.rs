//! Models ready to be evaluated: the data in the basis of the engine with their cross-products, and a
//! response or a family.

#[cfg(test)]
pub(crate) mod example;
pub mod frame;
pub mod generalized;
pub mod linear;

pub use frame::Frame;
pub use generalized::{Approximation, GeneralizedModel};
pub use linear::Model;
