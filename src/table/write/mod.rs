//! Spreadsheets out: files appear whole or not at all.
//!
//! [`WholeFile`] is the way every file of ours comes into being. [`csv`] and [`xlsx`] write typed cells the way they
//! were typed; which columns there are, and what their colours mean, is for the callers to say.

pub mod csv;
mod error;
mod guard;
pub mod output;
pub mod sheet;
mod sheet_name;
mod whole;
pub mod xlsx;

pub use error::WriteError;
pub(crate) use guard::guarded;
pub use sheet_name::SheetNames;
pub use whole::WholeFile;
