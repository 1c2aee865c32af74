//! A = [Z X]'[Z X], all that an evaluation needs to know of the rows: its layout and pattern, its
//! values, and what is done with them. Values are summed up from rows with any weights, added to and
//! taken out of one another, in a pattern that all systems of one model share.

pub mod accumulate;
pub mod cells;
pub mod costs;
pub mod coupling;
pub mod cross_products;
pub mod data_rows;
pub mod layout;
pub mod level;
pub mod level_graph;
pub mod pattern;
pub mod row_products;
pub mod sparse_pattern;
pub mod sparse_products;
pub mod stacked;
pub mod structure;

pub use costs::Costs;
pub use layout::Layout;
