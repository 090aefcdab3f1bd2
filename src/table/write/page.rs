//! Sheets that are laid out like a page: titles, sections, labelled values, small tables.
//!
//! Positions are row and column, from 0. The formats are those of [`PageStyles`].

use std::fmt::Display;

use jiff::civil::Date;
use rust_xlsxwriter::{Format, Formula, Url, Worksheet, XlsxError};

use super::styles::PageStyles;
use super::xlsx::{excel_moment, truncate_to_cell};
use crate::table::CellRef;

/// The height of a line of text, and what a row adds to its lines.
const LINE_POINTS: f64 = 15.0;
const ROW_POINTS: f64 = 4.0;
/// The tallest row that Excel allows is 409 points.
const MAX_LINES: usize = 26;
const SECTION_POINTS: f64 = 24.0;

/// A row and a column, from 0.
pub(crate) type Position = (u32, u16);

/// Writes text as far as a cell can hold it; empty text still has its format.
pub(crate) fn write_text(sheet: &mut Worksheet, at: Position, text: &str, format: &Format) -> Result<(), XlsxError> {
    match text {
        "" => sheet.write_blank(at.0, at.1, format).map(drop),
        text => sheet.write_string_with_format(at.0, at.1, truncate_to_cell(text), format).map(drop),
    }
}

/// Writes a date; as text where Excel has no such date, which is before 1900.
pub(crate) fn write_date(sheet: &mut Worksheet, at: Position, date: Date, format: &Format) -> Result<(), XlsxError> {
    match excel_moment(date.to_datetime(jiff::civil::Time::midnight())) {
        Some(date) => sheet.write_datetime_with_format(at.0, at.1, date, format).map(drop),
        None => write_text(sheet, at, &date.to_string(), format),
    }
}

/// Writes a formula with its result, for programs that do not calculate.
pub(crate) fn write_formula(
    sheet: &mut Worksheet,
    at: Position,
    formula: &str,
    result: impl Display,
    format: &Format,
) -> Result<(), XlsxError> {
    let formula = Formula::new(formula).set_result(result.to_string());
    sheet.write_formula_with_format(at.0, at.1, formula, format).map(drop)
}

/// Writes a link to a cell of a sheet of the same workbook.
pub(crate) fn write_link(
    sheet: &mut Worksheet,
    at: Position,
    (target, cell): (&str, CellRef),
    text: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    let url = Url::new(format!("internal:'{}'!{cell}", target.replace('\'', "''"))).set_text(text);
    sheet.write_url_with_format(at.0, at.1, url, format).map(drop)
}

/// Writes text over several columns of a row, which are merged.
pub(crate) fn write_span(
    sheet: &mut Worksheet,
    row: u32,
    (first, last): (u16, u16),
    text: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    let text = truncate_to_cell(text);
    if first == last {
        return sheet.write_string_with_format(row, first, text, format).map(drop);
    }
    sheet.merge_range(row, first, row, last, text, format).map(drop)
}

/// Writes the heading of a section, underlined up to the column `last`.
pub(crate) fn write_section(
    sheet: &mut Worksheet,
    styles: &PageStyles,
    row: u32,
    title: &str,
    last: u16,
) -> Result<(), XlsxError> {
    sheet.set_row_height(row, SECTION_POINTS)?;
    sheet.write_string_with_format(row, 0, title, &styles.section)?;
    (1..=last).try_for_each(|column| sheet.write_blank(row, column, &styles.section).map(drop))
}

/// Makes a row as tall as so many lines of text. Merged cells do not do so by themselves.
pub(crate) fn fit_lines(sheet: &mut Worksheet, row: u32, lines: usize) -> Result<(), XlsxError> {
    sheet.set_row_height(row, lines_height(lines)).map(drop)
}

/// The height of a row with so many lines of text, in points.
pub(crate) fn lines_height(lines: usize) -> f64 {
    ROW_POINTS + LINE_POINTS * lines.min(MAX_LINES) as f64
}
