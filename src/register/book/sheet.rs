//! What all sheets have alike: a page wide, the header repeated, page numbers; and how values get into cells.

use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_xlsxwriter::{Format, Formula, Worksheet, XlsxError};

use super::excel_day;
use super::styles::{INK, RegisterStyles, binary};
use crate::table::write::xlsx::{truncate_to_cell, wrapped_lines};

/// A4.
const PAPER: u8 = 9;
const ROW_POINTS: f64 = 18.0;
const LINE_POINTS: f64 = 15.0;

/// Which way the paper lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageOrientation {
    Portrait,
    Landscape,
}

/// Sets up the sheet's name, its page and its screen.
pub(super) fn set_up(sheet: &mut Worksheet, name: &str, paper: PageOrientation) -> Result<(), XlsxError> {
    sheet.set_name(name)?;
    sheet.set_default_row_height(ROW_POINTS);
    sheet.set_screen_gridlines(false).set_tab_color(INK).set_paper_size(PAPER);
    sheet.set_print_fit_to_pages(1, 0).set_margins(0.5, 0.5, 0.6, 0.7, 0.3, 0.3);
    sheet.set_footer("&L&8Fixed-asset register&C&8&A&R&8Page &P of &N");
    match paper {
        PageOrientation::Portrait => sheet.set_portrait(),
        PageOrientation::Landscape => sheet.set_landscape(),
    };
    Ok(())
}

/// Writes the sheet's title and what it is about, in the first two rows.
pub(super) fn write_title(
    sheet: &mut Worksheet,
    styles: &RegisterStyles,
    title: &str,
    lead: &str,
) -> Result<(), XlsxError> {
    sheet.set_row_height(0, 30)?;
    sheet.write_string_with_format(0, 0, title, &styles.title)?;
    sheet.write_string_with_format(1, 0, lead, &styles.lead)?;
    Ok(())
}

/// Writes a header row that stays in sight and is repeated on every page. Columns of numbers are headed on the right.
pub(super) fn header(
    sheet: &mut Worksheet,
    styles: &RegisterStyles,
    row: u32,
    titles: &[(&str, HeaderAlign, f64)],
) -> Result<(), XlsxError> {
    for (column, (title, side, width)) in (0..).zip(titles) {
        heading(sheet, styles, (row, column), title, *side)?;
        sheet.set_column_width(column, *width)?;
    }
    sheet.set_freeze_panes(row + 1, 0)?;
    sheet.set_repeat_rows(row, row)?;
    Ok(())
}

/// Where a column's values stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderAlign {
    Left,
    Right,
}

pub(super) fn heading(
    sheet: &mut Worksheet,
    styles: &RegisterStyles,
    (row, column): (u32, u16),
    title: &str,
    side: HeaderAlign,
) -> Result<(), XlsxError> {
    let format = if side == HeaderAlign::Left { &styles.head } else { &styles.head_right };
    sheet.write_string_with_format(row, column, title, format).map(drop)
}

/// A section's heading, underlined to the column `last`.
pub(super) fn section(
    sheet: &mut Worksheet,
    styles: &RegisterStyles,
    row: u32,
    title: &str,
    last: u16,
) -> Result<(), XlsxError> {
    sheet.set_row_height(row, 24)?;
    sheet.write_string_with_format(row, 0, title, &styles.section)?;
    (1..=last).try_for_each(|column| sheet.write_blank(row, column, &styles.section).map(drop))
}

pub(super) fn text(sheet: &mut Worksheet, at: (u32, u16), text: &str, format: &Format) -> Result<(), XlsxError> {
    match text.is_empty() {
        true => sheet.write_blank(at.0, at.1, format).map(drop),
        false => sheet.write_string_with_format(at.0, at.1, truncate_to_cell(text), format).map(drop),
    }
}

pub(super) fn day(sheet: &mut Worksheet, at: (u32, u16), day: Date, format: &Format) -> Result<(), XlsxError> {
    match excel_day(day) {
        Some(day) => sheet.write_datetime_with_format(at.0, at.1, day, format).map(drop),
        // Excel knows no days before 1900.
        None => text(sheet, at, &day.to_string(), format),
    }
}

pub(super) fn amount(sheet: &mut Worksheet, at: (u32, u16), amount: Decimal, format: &Format) -> Result<(), XlsxError> {
    sheet.write_number_with_format(at.0, at.1, binary(amount), format).map(drop)
}

/// A formula with its result.
pub(super) fn formula(
    sheet: &mut Worksheet,
    at: (u32, u16),
    formula: &str,
    result: Decimal,
    format: &Format,
) -> Result<(), XlsxError> {
    let formula = Formula::new(formula).set_result(result.normalize().to_string());
    sheet.write_formula_with_format(at.0, at.1, formula, format).map(drop)
}

/// Text over several columns, with the row as tall as it needs. `characters` are those that the columns hold.
pub(super) fn paragraph(
    sheet: &mut Worksheet,
    row: u32,
    last: u16,
    text: &str,
    characters: usize,
    format: &Format,
) -> Result<(), XlsxError> {
    sheet.merge_range(row, 0, row, last, truncate_to_cell(text), format)?;
    let lines = wrapped_lines(text, characters);
    sheet.set_row_height(row, 4.0 + LINE_POINTS * lines.min(26) as f64).map(drop)
}
