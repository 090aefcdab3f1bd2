//! The sheet `Exceptions`: what could not be computed and why, and what else a reader should know.

use rust_xlsxwriter::{Worksheet, XlsxError};

use super::paint::Looks;
use super::sheet::{self, Paper, Side};
use crate::register::line::Line;
use crate::register::write::Register;
use crate::table::write::xlsx::MAX_ROWS;

const HEAD: u32 = 3;
const TITLES: [(&str, Side, f64); 10] = [
    ("What", Side::Left, 16.0),
    ("Kind", Side::Left, 9.0),
    ("Id", Side::Right, 9.0),
    ("Tag", Side::Left, 18.0),
    ("Name", Side::Left, 24.0),
    ("Category", Side::Left, 20.0),
    ("Standing", Side::Left, 14.0),
    ("Currency", Side::Left, 10.0),
    ("Why", Side::Left, 60.0),
    ("What to do", Side::Left, 48.0),
];

pub(super) fn write(sheet: &mut Worksheet, register: &Register<'_>, looks: &Looks) -> Result<(), XlsxError> {
    sheet::set_up(sheet, "Exceptions", Paper::Landscape)?;
    let lead = "Items without a book value, with every reason; and notes on items that have one. None of it is zero.";
    sheet::entitle(sheet, looks, "Exceptions", lead)?;
    sheet::header(sheet, looks, HEAD, &TITLES)?;
    let mut row = HEAD + 1;
    for line in &register.lines {
        for gap in &line.gaps {
            row = put(sheet, looks, row, line, ("no book value", &gap.to_string(), gap.hint()))?;
        }
    }
    for line in &register.lines {
        for notice in &line.notices {
            row = put(sheet, looks, row, line, ("note", &notice.to_string(), notice.hint()))?;
        }
    }
    match row == HEAD + 1 {
        true => sheet::text(sheet, (row, 0), "none", &looks.line),
        false => sheet.autofilter(HEAD, 0, row - 1, TITLES.len() as u16 - 1).map(drop),
    }
}

fn put(
    sheet: &mut Worksheet,
    looks: &Looks,
    row: u32,
    line: &Line,
    (what, why, hint): (&str, &str, &str),
) -> Result<u32, XlsxError> {
    // The last row says so; the register has the reasons of all lines.
    if row >= MAX_ROWS - 1 {
        sheet::text(sheet, (MAX_ROWS - 1, 0), "more: see the Register", &looks.line)?;
        return Ok(row);
    }
    let item = &line.item;
    sheet::text(sheet, (row, 0), what, &looks.line)?;
    sheet::text(sheet, (row, 1), item.kind.name(), &looks.line)?;
    sheet.write_number_with_format(row, 2, item.id as f64, &looks.line_number)?;
    let texts = [&*item.tag, &*item.title, &*item.category, line.standing.name(), &*item.currency.code, why, hint];
    for (column, text) in (3..).zip(texts) {
        sheet::text(sheet, (row, column), text, &looks.line)?;
    }
    Ok(row + 1)
}
