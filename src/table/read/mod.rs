//! A reader per file format: all turn a sheet into the same stream of rows.

mod biff;
pub(super) mod container;
pub(crate) mod csv;
pub(super) mod damage;
pub(super) mod delimiter;
pub(super) mod encoding;
mod format_code;
mod general_format;
pub(super) mod jsonl;
mod limits;
mod number_format;
pub(super) mod ods;
pub(super) mod package;
mod plain_format;
mod row_builder;
mod serial_date;
mod shared_strings;
mod unpack_ahead;
mod utf8_part;
pub(super) mod xls;
pub(super) mod xlsb;
pub(super) mod xlsx;
mod xml_scanner;
pub(super) mod xml_text;

use std::ops::ControlFlow;

use self::csv::RecordBlocks;
use super::cell::Row;
use super::error::LocatedFault;
use super::layout::SheetLayout;

/// Takes a row; the row may be swapped for another, whose buffers the reader then reuses.
pub(super) type OnRow<'a> = dyn FnMut(&mut Row) -> ControlFlow<()> + 'a;

/// A file whose sheets can be read as often as wanted.
pub(super) trait SheetReader: Send {
    /// Streams the rows of the `sheet`th sheet from the top; rows without anything in them are left out, but counted.
    fn each_row(&mut self, sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), LocatedFault>;

    /// What the `sheet`th sheet keeps beside its cells; nothing in formats without such things.
    fn layout(&mut self, _sheet: usize) -> Result<SheetLayout, LocatedFault> {
        Ok(SheetLayout::default())
    }

    /// The records of the only sheet in blocks, where several threads can read the file; `file` is its name for messages.
    fn blocks(&mut self, _file: &str) -> Result<Option<RecordBlocks>, LocatedFault> {
        Ok(None)
    }
}
