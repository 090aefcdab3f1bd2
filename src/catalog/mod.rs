//! What the account holds, fetched once.

mod name;

pub use name::{fold_into, fold_name};
