//! The sheet `Register`: a line per item, of plain values.

use hashbrown::HashMap;
use rust_xlsxwriter::{Format, Worksheet, XlsxError};

use super::sheet::{self, HeaderAlign, PageOrientation};
use super::styles::{RegisterStyles, binary};
use crate::register::Currency;
use crate::register::columns::{COLUMNS, CellValue, Column, ColumnType, LAST_PRINTED, MissingName, position};
use crate::register::previous::REGISTER_SHEET;
use crate::register::write::Register;
use crate::table::write::xlsx::{text_width, truncate_to_cell};

/// The lines whose texts decide how wide a column is.
const SAMPLE: usize = 500;

/// The columns that stay in sight: kind, id, tag.
const FROZEN: u16 = 3;

pub(super) fn write(sheet: &mut Worksheet, register: &Register<'_>, styles: &RegisterStyles) -> Result<(), XlsxError> {
    sheet::set_up(sheet, REGISTER_SHEET, PageOrientation::Landscape)?;
    let mut widths: Vec<usize> = COLUMNS.iter().map(|column| column.width.0).collect();
    sheet.set_row_height(0, 34)?;
    for (position, column) in (0..).zip(COLUMNS) {
        sheet::heading(sheet, styles, (0, position), column.title, side(column))?;
    }
    let mut money = Money { styles, formats: HashMap::new() };
    for (row, line) in (1..).zip(&register.lines) {
        let format = money.format(&line.item.currency);
        for (position, column) in (0..).zip(COLUMNS) {
            let value = column.source.value(line, register.options.as_of, MissingName::Placeholder);
            if let (CellValue::Text(text), true) = (&value, row as usize <= SAMPLE) {
                let width = &mut widths[usize::from(position)];
                *width = (*width).max(text_width(text) + 2).min(column.width.1);
            }
            put(sheet, (row, position), &value, format, styles)?;
        }
    }
    for (position, width) in (0..).zip(widths) {
        sheet.set_column_width(position, width as f64)?;
    }
    let last = register.lines.len().max(1) as u32;
    sheet.autofilter(0, 0, last, COLUMNS.len() as u16 - 1)?;
    sheet.set_freeze_panes(1, FROZEN)?;
    sheet.set_repeat_rows(0, 0)?;
    sheet.set_print_area(0, 0, last, position(LAST_PRINTED)).map(drop)
}

fn side(column: &Column) -> HeaderAlign {
    match column.value_type {
        ColumnType::Money | ColumnType::Number => HeaderAlign::Right,
        ColumnType::Text | ColumnType::Date => HeaderAlign::Left,
    }
}

/// The formats of amounts, each made once.
struct Money<'a> {
    styles: &'a RegisterStyles,
    formats: HashMap<Currency, Format>,
}

impl Money<'_> {
    fn format(&mut self, currency: &Currency) -> &Format {
        let styles = self.styles;
        self.formats.entry(currency.clone()).or_insert_with(|| styles.money_with_code(&styles.line, currency))
    }
}

fn put(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    value: &CellValue<'_>,
    money: &Format,
    styles: &RegisterStyles,
) -> Result<(), XlsxError> {
    match value {
        CellValue::Blank => Ok(()),
        CellValue::Text(text) => {
            sheet.write_string_with_format(row, column, truncate_to_cell(text), &styles.line).map(drop)
        }
        CellValue::Number(number) => {
            sheet.write_number_with_format(row, column, *number as f64, &styles.line_number).map(drop)
        }
        CellValue::Money(amount) => sheet.write_number_with_format(row, column, binary(*amount), money).map(drop),
        CellValue::Date(day) => sheet::day(sheet, (row, column), *day, &styles.line_date),
    }
}
