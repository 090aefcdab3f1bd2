//! Sheets that tallyport itself puts into a workbook beside the data. They are known by what they hold: people call sheets
//! of their records `Summary` and `Lists` too.

use super::LOOK_ALIKES_SHEET;
use super::aliases::may_be_decisions;
use crate::error::Result;
use crate::report::SUMMARY_SHEET;
use crate::report::summary::is_title;
use crate::table::{Row, Workbook};
use crate::template::{self, INSTRUCTIONS, LISTS};

/// How far into a sheet is looked.
const WITHIN: usize = 10;

/// Leaves out those of the sheets that are ours.
///
/// # Errors
/// Where one cannot be read.
pub(super) fn leave_out(workbook: &mut Workbook, sheets: &mut Vec<usize>) -> Result<()> {
    for sheet in std::mem::take(sheets) {
        if !is_ours(workbook, sheet)? {
            sheets.push(sheet);
        }
    }
    Ok(())
}

/// Whether the sheet at that position is one of ours.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn is_ours(workbook: &mut Workbook, sheet: usize) -> Result<bool> {
    let name = workbook.sheets()[sheet].name.clone().unwrap_or_default();
    let fits: fn(&[Row]) -> bool = match name.as_str() {
        // The verdict stands below the title.
        SUMMARY_SHEET => |rows| line(rows, 0).is_some_and(is_title) && line(rows, 1).is_some(),
        INSTRUCTIONS => |rows| line(rows, 0) == Some(template::TITLE),
        LISTS => |rows| rows.first().is_none_or(|row| row.cells().all(|cell| template::is_list(cell.text))),
        LOOK_ALIKES_SHEET => |rows| rows.iter().any(may_be_decisions),
        _ => return Ok(false),
    };
    Ok(fits(&workbook.first_rows(sheet, WITHIN)?))
}

/// The text of a row, if it is a single one.
fn line(rows: &[Row], index: usize) -> Option<&str> {
    let mut filled = rows.get(index)?.cells().filter(|cell| !cell.is_blank());
    filled.next().map(|cell| cell.text).filter(|_| filled.next().is_none())
}
