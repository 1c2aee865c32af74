//! The engine of `mixedmodels`: linear and generalized linear mixed-effects models by blocked sparse
//! Cholesky factorisation and exact derivatives. No Python here.
//!
//! Data flows one way: [`design`] (data, basis) → [`products`] (cross-products) → [`model`] (data with
//! their products and a response) → [`system`] (factorisation) → [`objective`] (functions of
//! [`parameters`]) → [`optimize`] → [`fit`] → [`inference`], [`profile`] for walks along held parameters, or
//! [`many`] for many responses to one design.

pub mod covariance;
pub mod design;
pub mod error;
pub mod family;
pub mod fit;
pub mod inference;
pub mod linalg;
pub mod many;
pub mod model;
pub mod objective;
pub mod optimize;
pub mod parameters;
pub mod products;
pub mod profile;
pub mod system;

pub use error::{Error, Result};
