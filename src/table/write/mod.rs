//! Spreadsheets out: files appear whole or not at all.
//!
//! [`AtomicFile`] is the way every file of ours comes into being. [`csv`] and [`xlsx`] write typed cells the way they
//! were typed; which columns there are, and what their colours mean, is for the callers to say.

mod atomic_file;
pub mod csv;
mod error;
pub mod output;
mod panic_guard;
pub mod sheet;
mod sheet_name;
pub mod xlsx;

pub use atomic_file::AtomicFile;
pub use error::WriteError;
pub(crate) use panic_guard::catch_write_panic;
pub use sheet_name::SheetNames;
