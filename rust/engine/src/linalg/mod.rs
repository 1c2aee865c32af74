//! Ground floor: dense matrices, small square blocks, and their products.

pub mod dense;
pub mod lanes;
pub mod matrix;
pub mod memory;
pub mod small;
pub mod threads;

pub use matrix::Matrix;
