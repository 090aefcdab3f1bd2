//! The sheet `Register`: a line per item, of plain values.

use hashbrown::HashMap;
use rust_decimal::Decimal;
use rust_xlsxwriter::{Format, Worksheet};

use super::page::{Header, Page, XlsxResult, amount_width, left, right};
use super::styles::{CODE, integer, money_with_code};
use crate::register::columns::{COLUMNS, CellValue, LAST_PRINTED, ValueType, position};
use crate::register::content::Register;
use crate::register::currency::Currency;
use crate::register::previous::REGISTER_SHEET;
use crate::register::totals::{GROUPINGS, NONE};
use crate::table::write::styles::PageStyles;
use crate::table::write::xlsx::text_width;

/// The number of lines whose texts determine the column widths.
const SAMPLE: usize = 500;

/// The columns that stay in view: kind, id, tag.
const FROZEN: u16 = 3;

pub(super) fn write(sheet: &mut Worksheet, register: &Register<'_>, styles: &PageStyles) -> XlsxResult {
    let mut page = Page::new(sheet, styles, REGISTER_SHEET)?;
    page.sheet.set_landscape();
    page.sheet.set_row_height(0, 34)?;
    let headers = COLUMNS.iter().map(|column| match column.value_type {
        ValueType::Money | ValueType::Number => right(column.title, 0.0),
        ValueType::Text | ValueType::Date => left(column.title, 0.0),
    });
    page.headings(0, &headers.collect::<Vec<Header>>())?;
    let mut widths: Vec<usize> = COLUMNS.iter().map(|column| column.width.0).collect();
    // The formats of amounts, each created once.
    let mut money: HashMap<&Currency, Format> = HashMap::new();
    let id_format = integer(&styles.cell);
    let is_grouping = |column| GROUPINGS.iter().any(|by| by.column == column);
    for (row, line) in (1..).zip(&register.lines) {
        let currency = &line.item.currency;
        let money = money.entry(currency).or_insert_with(|| money_with_code(&styles.cell, currency));
        for (index, column) in (0..).zip(COLUMNS) {
            let at = (row, index);
            let value = match column.source.value(line, register.options.as_of) {
                // Filters and formulas compare with it.
                CellValue::Blank if is_grouping(column.source) => CellValue::Text(NONE.into()),
                value => value,
            };
            match value {
                CellValue::Blank => {}
                CellValue::Text(text) => {
                    if row as usize <= SAMPLE {
                        let width = &mut widths[usize::from(index)];
                        *width = (*width).max(text_width(&text) + 2).min(column.width.1);
                    }
                    page.text(at, &text, &styles.cell)?;
                }
                CellValue::Number(number) => page.amount(at, Decimal::from(number), &id_format)?,
                CellValue::Money(amount) => {
                    let width = &mut widths[usize::from(index)];
                    *width = (*width).max((amount_width(amount, currency) + CODE).ceil() as usize);
                    page.amount(at, amount, money)?;
                }
                CellValue::Date(day) => page.date(at, day, &styles.date)?,
            }
        }
    }
    let sheet = page.sheet;
    for (column, width) in (0..).zip(widths) {
        sheet.set_column_width(column, width as f64)?;
    }
    let last = register.lines.len().max(1) as u32;
    sheet.autofilter(0, 0, last, COLUMNS.len() as u16 - 1)?;
    sheet.set_freeze_panes(1, FROZEN)?;
    sheet.set_repeat_rows(0, 0)?;
    sheet.set_print_area(0, 0, last, position(LAST_PRINTED)).map(drop)
}
