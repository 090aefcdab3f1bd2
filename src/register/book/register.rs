//! The sheet `Register`: a line per item, of plain values.

use hashbrown::HashMap;
use rust_xlsxwriter::{Format, Worksheet, XlsxError};

use super::paint::{Looks, binary};
use super::sheet::{self, Paper, Side};
use crate::register::Currency;
use crate::register::columns::{COLUMNS, Column, Holds, LAST_PRINTED, Missing, Told, place};
use crate::register::previous::REGISTER_SHEET;
use crate::register::write::Register;
use crate::table::write::xlsx::{text_width, truncate_to_cell};

/// The lines whose texts decide how wide a column is.
const SAMPLE: usize = 500;

/// The columns that stay in sight: kind, id, tag.
const FROZEN: u16 = 3;

pub(super) fn write(sheet: &mut Worksheet, register: &Register<'_>, looks: &Looks) -> Result<(), XlsxError> {
    sheet::set_up(sheet, REGISTER_SHEET, Paper::Landscape)?;
    let mut widths: Vec<usize> = COLUMNS.iter().map(|column| column.width.0).collect();
    sheet.set_row_height(0, 34)?;
    for (place, column) in (0..).zip(COLUMNS) {
        sheet::heading(sheet, looks, (0, place), column.title, side(column))?;
    }
    let mut money = Money { looks, formats: HashMap::new() };
    for (row, line) in (1..).zip(&register.lines) {
        let format = money.format(&line.item.currency);
        for (place, column) in (0..).zip(COLUMNS) {
            let told = column.of.told(line, register.options.as_of, Missing::Word);
            if let (Told::Text(text), true) = (&told, row as usize <= SAMPLE) {
                let width = &mut widths[usize::from(place)];
                *width = (*width).max(text_width(text) + 2).min(column.width.1);
            }
            put(sheet, (row, place), &told, format, looks)?;
        }
    }
    for (place, width) in (0..).zip(widths) {
        sheet.set_column_width(place, width as f64)?;
    }
    let last = register.lines.len().max(1) as u32;
    sheet.autofilter(0, 0, last, COLUMNS.len() as u16 - 1)?;
    sheet.set_freeze_panes(1, FROZEN)?;
    sheet.set_repeat_rows(0, 0)?;
    sheet.set_print_area(0, 0, last, place(LAST_PRINTED)).map(drop)
}

fn side(column: &Column) -> Side {
    match column.holds {
        Holds::Money | Holds::Number => Side::Right,
        Holds::Text | Holds::Date => Side::Left,
    }
}

/// The formats of amounts, each made once.
struct Money<'a> {
    looks: &'a Looks,
    formats: HashMap<Currency, Format>,
}

impl Money<'_> {
    fn format(&mut self, currency: &Currency) -> &Format {
        let looks = self.looks;
        self.formats.entry(currency.clone()).or_insert_with(|| looks.money_with_code(&looks.line, currency))
    }
}

fn put(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    told: &Told<'_>,
    money: &Format,
    looks: &Looks,
) -> Result<(), XlsxError> {
    match told {
        Told::Blank => Ok(()),
        Told::Text(text) => sheet.write_string_with_format(row, column, truncate_to_cell(text), &looks.line).map(drop),
        Told::Number(number) => {
            sheet.write_number_with_format(row, column, *number as f64, &looks.line_number).map(drop)
        }
        Told::Money(amount) => sheet.write_number_with_format(row, column, binary(*amount), money).map(drop),
        Told::Date(day) => sheet::day(sheet, (row, column), *day, &looks.line_date),
    }
}
