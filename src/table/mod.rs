//! Spreadsheets as streams of rows of typed cells. Knows nothing of BlueTally.
//!
//! [`Workbook::open`] looks at the content, never at the extension, and refuses what it cannot read in words a
//! spreadsheet person understands ([`ReadError`]). [`Workbook::each_row`] then streams one sheet, as often as
//! asked, each time from the top; memory stays flat however long the sheet is. A new file format is a file in
//! `read/` and a line in `Workbook::open`.

mod cell;
mod error;
pub mod formula;
mod input;
mod layout;
mod panic_guard;
pub(crate) mod read;
mod read_ahead;
mod sheet;
mod workbook;
pub mod write;

pub use cell::{Cell, CellRef, ColumnName, Row, Value, is_blank};
pub use error::{ReadError, ReadFault};
pub use input::Input;
pub use layout::{MergedCells, SheetLayout};
pub use read::csv::Decoding;
pub use read::delimiter::Delimiter;
pub use read::encoding::{Certainty, Encoding, ReplacementChars};
pub use read_ahead::each_row_ahead;
pub use sheet::{FileKind, Sheet, Visibility};
pub use workbook::{ReadOptions, Workbook};
