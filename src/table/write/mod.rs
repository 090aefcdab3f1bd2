//! Writing spreadsheets: files appear whole or not at all.
//!
//! Every file is an [`AtomicFile`], every set of files a [`FileSet`]. [`csv`] and [`xlsx`] write typed cells,
//! [`workbook`] writes sheets of a header and rows, [`page`] lays out sheets cell by cell, and [`output`] writes tables
//! for other programs. Which columns there are, and what their colours mean, is up to the callers.

mod atomic_file;
mod column_type;
pub mod csv;
mod disk_full;
mod error;
mod file_set;
pub mod output;
pub mod page;
pub mod sheet;
mod sheet_name;
pub mod styles;
mod value_text;
pub mod workbook;
pub mod xlsx;

pub use atomic_file::AtomicFile;
pub use column_type::ColumnType;
pub(crate) use disk_full::catch_write_panic;
pub use error::WriteError;
pub use file_set::FileSet;
pub use sheet_name::SheetNames;
