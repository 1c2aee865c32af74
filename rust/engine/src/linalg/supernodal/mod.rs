//! Sparse Cholesky factorisation of `Λ'KΛ + I` by supernodes.
//!
//! K is symmetric and sparse, made of small dense blocks: its rows and columns are grouped in
//! *nodes*. Λ is block diagonal by node, may be singular, and nothing divides by it. K can have a
//! dense *border*, the last rows and columns, which are neither scaled nor get the identity added.
//!
//! The factorisation is multifrontal (Duff & Reid 1983; Liu 1992). With Y = K_RJ Λ_J L_JJ^-T, where
//! J are the columns of a supernode and R the rows below, eliminating J takes YY' from K_RR. A
//! supernode keeps L_JJ and Y, and hands YY' on to its parent, the supernode of the first of R.

mod analysis;
mod by_columns;
mod cost;
mod diagonals;
mod graph;
mod kernels;
mod numeric;
mod ordering;
mod reverse;
mod scaling;
mod second;
mod solve;
mod supernodes;

pub use analysis::{Analysis, Supernode};
pub use by_columns::{cholesky, Cholesky, CompressedColumns};
pub use cost::multiplications;
pub use diagonals::NodeInverse;
pub use graph::Graph;
pub use numeric::Factor;
pub use reverse::TakePanel;
pub use scaling::Scaling;
pub use second::Move;
