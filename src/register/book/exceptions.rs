//! The sheet `Exceptions`: what could not be computed and why, and what else a reader should know.

use rust_xlsxwriter::{Worksheet, XlsxError};

use super::sheet::{self, HeaderAlign, PageOrientation};
use super::styles::RegisterStyles;
use crate::register::line::RegisterLine;
use crate::register::write::Register;
use crate::table::write::xlsx::MAX_ROWS;

const HEAD: u32 = 3;
const HEADERS: [(&str, HeaderAlign, f64); 10] = [
    ("What", HeaderAlign::Left, 16.0),
    ("Kind", HeaderAlign::Left, 9.0),
    ("Id", HeaderAlign::Right, 9.0),
    ("Tag", HeaderAlign::Left, 18.0),
    ("Name", HeaderAlign::Left, 24.0),
    ("Category", HeaderAlign::Left, 20.0),
    ("Standing", HeaderAlign::Left, 14.0),
    ("Currency", HeaderAlign::Left, 10.0),
    ("Why", HeaderAlign::Left, 60.0),
    ("What to do", HeaderAlign::Left, 48.0),
];

pub(super) fn write(sheet: &mut Worksheet, register: &Register<'_>, styles: &RegisterStyles) -> Result<(), XlsxError> {
    sheet::set_up(sheet, "Exceptions", PageOrientation::Landscape)?;
    let lead = "Items without a book value, with every reason; and notes on items that have one. None of it is zero.";
    sheet::write_title(sheet, styles, "Exceptions", lead)?;
    sheet::header(sheet, styles, HEAD, &HEADERS)?;
    let mut row = HEAD + 1;
    for line in &register.lines {
        for missing_figure in &line.missing {
            row = put(sheet, styles, row, line, ("no book value", &missing_figure.to_string(), missing_figure.hint()))?;
        }
    }
    for line in &register.lines {
        for warning in &line.warnings {
            row = put(sheet, styles, row, line, ("note", &warning.to_string(), warning.hint()))?;
        }
    }
    match row == HEAD + 1 {
        true => sheet::text(sheet, (row, 0), "none", &styles.line),
        false => sheet.autofilter(HEAD, 0, row - 1, HEADERS.len() as u16 - 1).map(drop),
    }
}

fn put(
    sheet: &mut Worksheet,
    styles: &RegisterStyles,
    row: u32,
    line: &RegisterLine,
    (what, why, hint): (&str, &str, &str),
) -> Result<u32, XlsxError> {
    // The last row says so; the register has the reasons of all lines.
    if row >= MAX_ROWS - 1 {
        sheet::text(sheet, (MAX_ROWS - 1, 0), "more: see the Register", &styles.line)?;
        return Ok(row);
    }
    let item = &line.item;
    sheet::text(sheet, (row, 0), what, &styles.line)?;
    sheet::text(sheet, (row, 1), item.kind.name(), &styles.line)?;
    sheet.write_number_with_format(row, 2, item.id as f64, &styles.line_number)?;
    let texts = [&*item.tag, &*item.title, &*item.category, line.state.name(), &*item.currency.code, why, hint];
    for (column, text) in (3..).zip(texts) {
        sheet::text(sheet, (row, column), text, &styles.line)?;
    }
    Ok(row + 1)
}
