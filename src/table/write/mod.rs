//! Writing spreadsheets: files appear whole or not at all.
//!
//! Every file is an [`AtomicFile`], every set of files a [`FileSet`]. [`csv`] and [`xlsx`] write typed cells,
//! [`workbook`] writes sheets of a header and rows, [`streamed`] does so for a million of them, [`page`] lays out sheets
//! cell by cell, and [`output`] writes tables for other programs. Which columns there are, and what their colours
//! mean, is up to the callers.

mod assembly;
mod atomic_file;
mod column_type;
pub(crate) mod csv;
mod disk_full;
mod error;
mod file_set;
pub(crate) mod output;
pub(crate) mod page;
pub(crate) mod sheet;
mod sheet_name;
mod sheet_rows;
pub(crate) mod streamed;
pub(crate) mod styles;
mod value_text;
pub(crate) mod workbook;
pub(crate) mod xlsx;
mod zip_parts;

pub(crate) use atomic_file::{Access, AtomicFile};
pub(crate) use column_type::ColumnType;
pub(crate) use disk_full::catch_write_panic;
pub use error::WriteError;
pub(crate) use file_set::FileSet;
pub(crate) use sheet_name::SheetNames;
