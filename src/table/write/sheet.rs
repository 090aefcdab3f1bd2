//! The layout of sheets of a header and rows: column widths, frozen header, filter, page setup.

use rust_xlsxwriter::{IgnoreError, Worksheet, XlsxError};

use super::xlsx::{MAX_COLUMNS, text_width, value_width};
use crate::table::Cell;

/// The rows whose values decide how wide a column is.
const SAMPLE_ROWS: u32 = 200;
/// Widths in characters.
const WIDEST: usize = 42;
const MARGIN: f64 = 1.5;
/// What the filter's arrow takes from a header.
const ARROW: usize = 3;
/// In points.
const HEADER_HEIGHT: u16 = 20;

/// The widths that the columns of a sheet need, from the header and the first rows.
#[derive(Debug)]
pub(crate) struct ColumnWidths {
    narrowest: usize,
    columns: Vec<usize>,
}

impl ColumnWidths {
    /// For columns of at least `narrowest` characters.
    pub(crate) fn new(narrowest: usize) -> Self {
        Self { narrowest, columns: Vec::new() }
    }

    /// Adds a column with that header.
    pub(crate) fn add(&mut self, header: &str) {
        self.columns.push(text_width(header) + ARROW);
    }

    /// Makes room for a cell. Rows count from 0 with the header.
    pub(crate) fn observe(&mut self, row: u32, column: usize, cell: Cell<'_>) {
        self.observe_width(row, column, || value_width(cell));
    }

    /// As [`ColumnWidths::observe`], for what takes that many characters. The column may be beyond the headers.
    pub(crate) fn observe_width(&mut self, row: u32, column: usize, width: impl FnOnce() -> usize) {
        if row > SAMPLE_ROWS {
            return;
        }
        if self.columns.len() <= column {
            self.columns.resize(column + 1, self.narrowest);
        }
        self.columns[column] = self.columns[column].max(width());
    }

    /// The last column, from 0.
    pub(crate) fn last_column(&self) -> u16 {
        u16::try_from(self.columns.len().saturating_sub(1)).unwrap_or(MAX_COLUMNS).min(MAX_COLUMNS - 1)
    }

    /// Sets the widths.
    pub(crate) fn set(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        for (column, width) in (0..MAX_COLUMNS).zip(&self.columns) {
            set_width(sheet, column, (*width).clamp(self.narrowest, WIDEST))?;
        }
        Ok(())
    }
}

/// Sets the width of a column in characters.
pub(crate) fn set_width(sheet: &mut Worksheet, column: u16, characters: usize) -> Result<(), XlsxError> {
    sheet.set_column_width(column, characters as f64 + MARGIN).map(drop)
}

/// Makes the first row, which is not written yet, as tall as headers are.
pub(crate) fn set_header_height(sheet: &mut Worksheet) -> Result<(), XlsxError> {
    sheet.set_row_height(0, HEADER_HEIGHT).map(drop)
}

/// What the end of a sheet of a header and rows knows: filter, panes and page. The first row stays in sight, and so do
/// the first `frozen` columns.
pub(crate) fn apply_layout(
    sheet: &mut Worksheet,
    last_row: u32,
    last_column: u16,
    frozen: u16,
) -> Result<(), XlsxError> {
    sheet.autofilter(0, 0, last_row, last_column)?;
    sheet.set_freeze_panes(1, frozen)?;
    // Text that looks like a number is meant to be text: no green corners on it.
    sheet.ignore_error_range(0, 0, last_row, last_column, IgnoreError::NumberStoredAsText)?;
    sheet.set_landscape().set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    sheet.set_footer("&L&A&RPage &P of &N");
    Ok(())
}
