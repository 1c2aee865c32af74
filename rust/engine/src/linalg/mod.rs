//! Ground floor: dense matrices, small square blocks, sparse factors, and their products.

pub mod dense;
pub mod elementary;
pub mod lanes;
pub mod matrix;
pub mod memory;
pub mod shared;
pub mod small;
pub mod supernodal;
pub mod threads;

pub use matrix::Matrix;
pub use shared::{Columns, Shared};
