//! How much of a file is read before it is refused.
//!
//! A file of a few kilobytes can ask for terabytes: packed parts, repeated cells, one text shown in a million cells. So
//! what a reader makes of a file is counted while it is read, whatever the file says of itself, and what may come of it
//! grows with its size: a file below 1 MB costs less than 200 MB of memory, and large files that people have are read.

use hashbrown::HashMap;

use crate::table::cell::Row;
use crate::table::error::ReadFault;

/// As many rows as a sheet of a spreadsheet program has.
pub(super) const MOST_ROWS: u64 = 1_048_576;
/// As many columns as a sheet of a spreadsheet program has.
pub(in crate::table) const MOST_COLUMNS: usize = 16_384;
/// Text of one row, in bytes.
pub(in crate::table) const LONGEST_ROW: usize = 8 * 1024 * 1024;
/// Excel is slow with a few hundred.
pub(super) const MOST_SHEETS: usize = 1_000;
/// The longest name of a sheet, in bytes. Excel stops at 31 letters.
pub(super) const LONGEST_SHEET_NAME: usize = 1_000;
/// Cell styles; Excel stops at 65,490.
const MOST_STYLES: usize = 100_000;
/// Number formats; Excel stops at about 250.
const MOST_FORMATS: usize = 2_000;
/// Characters of a number format. Excel takes no longer one.
pub(super) const LONGEST_FORMAT: usize = 255;

const MIB: u64 = 1024 * 1024;

/// What may come of a file of a certain size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of all parts, unpacked. Sheets pack 10 to 30 times, a million empty rows 60 times, a zip bomb 1,000 times.
    pub(super) unpacked: u64,
    /// Bytes of text in all cells, shared texts counted as often as they are shown.
    text: u64,
    /// Rows with something in them. Packed, a row takes three bytes at the least.
    rows: u64,
    /// Cells, with the blank ones before the last of a row.
    pub(super) cells: u64,
    /// Texts that cells share.
    pub(super) strings: u64,
    /// What a look ahead may keep of a sheet, in bytes.
    pub(super) findings: u64,
}

impl Limits {
    /// The limits for a file of so many bytes.
    pub(super) fn of(file: u64) -> Limits {
        let growing = |base: u64, factor: u64| base.saturating_add(file.saturating_mul(factor));
        Limits {
            unpacked: growing(32 * MIB, 64),
            text: growing(64 * MIB, 64),
            rows: file.saturating_add(200_000) / 2,
            cells: growing(4_000_000, 8),
            strings: growing(1_000_000, 1),
            findings: growing(16 * MIB, 8),
        }
    }
}

/// Counts what the rows of a workbook hold. A sheet that is read more than once counts once.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) limits: Limits,
    /// For each sheet that was read before.
    sheets: HashMap<usize, Counts>,
    sheet: usize,
    /// Of the sheet at hand, and of all others together.
    counts: Counts,
    others: Counts,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    rows: u64,
    cells: u64,
    text: u64,
}

impl Tally {
    pub(super) fn new(limits: Limits) -> Tally {
        let (counts, others) = Default::default();
        Tally { limits, sheets: HashMap::new(), sheet: 0, counts, others }
    }

    /// Begins to read a sheet from the top.
    pub(super) fn begin(&mut self, sheet: usize) {
        self.sheets.insert(self.sheet, self.counts);
        self.sheets.remove(&sheet);
        (self.sheet, self.counts, self.others) = (sheet, Counts::default(), Counts::default());
        for other in self.sheets.values() {
            self.others.rows += other.rows;
            self.others.cells += other.cells;
            self.others.text += other.text;
        }
    }

    /// Counts a row.
    ///
    /// # Errors
    ///
    /// [`ReadFault::TooLarge`] where the workbook holds more than comes of an honest file of this size.
    pub(super) fn add(&mut self, row: &Row) -> Result<(), ReadFault> {
        let Counts { rows, cells, text } = &mut self.counts;
        *rows += 1;
        *cells += row.len() as u64;
        *text += row.text_len() as u64;
        if *rows + self.others.rows > self.limits.rows {
            return Err(ReadFault::TooLarge {
                what: "its sheets have far more rows than a file of this size can hold",
            });
        }
        if *cells + self.others.cells > self.limits.cells {
            return Err(too_many_cells());
        }
        if *text + self.others.text > self.limits.text {
            return Err(ReadFault::TooLarge { what: "its cells show far more text than a file of this size can hold" });
        }
        Ok(())
    }
}

pub(super) fn too_many_cells() -> ReadFault {
    ReadFault::TooLarge { what: "its sheets have far more cells than a file of this size can hold" }
}

pub(super) fn row_too_long() -> ReadFault {
    ReadFault::TooLarge { what: "a row with more than 8 MiB of text" }
}

/// Refuses a workbook for the number or the name of its sheets.
pub(super) fn check_sheets<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), ReadFault> {
    let mut count = 0;
    for name in names {
        count += 1;
        if count > MOST_SHEETS {
            return Err(ReadFault::TooLarge { what: "more than 1,000 sheets" });
        }
        if name.len() > LONGEST_SHEET_NAME {
            return Err(ReadFault::damaged("the name of a sheet is longer than 1,000 characters"));
        }
    }
    Ok(())
}

/// Refuses a workbook for the number of its cell styles or number formats.
pub(super) fn check_styles(styles: usize, formats: usize) -> Result<(), ReadFault> {
    if styles > MOST_STYLES {
        return Err(ReadFault::TooLarge { what: "more than 100,000 cell styles" });
    }
    if formats > MOST_FORMATS {
        return Err(ReadFault::TooLarge { what: "more than 2,000 number formats" });
    }
    Ok(())
}
