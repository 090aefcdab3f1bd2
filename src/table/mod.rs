//! Spreadsheets as streams of rows of typed cells. Knows nothing of BlueTally.
//!
//! [`Workbook::open`] looks at the content, never at the extension, and refuses what it cannot read in words a
//! spreadsheet person understands ([`ReadError`]). [`Workbook::each_row`] then streams one sheet, as often as
//! asked, each time from the top; memory stays flat however long the sheet is. A new file format is a file in
//! `read/` and a line in `Workbook::open`.

mod cell;
mod error;
pub(crate) mod formula;
mod input;
mod layout;
mod panic_guard;
pub(crate) mod read;
mod read_ahead;
mod sheet;
mod workbook;
pub(crate) mod write;

pub(crate) use cell::{Cell, ColumnName, Value, is_blank};
pub use cell::{CellRef, Row};
pub(crate) use error::ReadError;
pub(crate) use input::Input;
pub(crate) use layout::{MergedCells, SheetLayout};
pub(crate) use read::csv::{RecordBlock, RecordBlocks, RowPlace};
pub(crate) use read::delimiter::Delimiter;
pub(crate) use read::encoding::Encoding;
pub(crate) use read::xlsx::saved_by::SavedBy;
pub(crate) use read::xml_text::without_code_points;
pub(crate) use read_ahead::{OnRows, each_batch_ahead};
pub(crate) use sheet::{FileKind, Sheet, Visibility};
pub(crate) use workbook::{ReadOptions, Workbook};
