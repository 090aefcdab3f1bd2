//! The sheet `Running out`: warranties and licenses of what is held that end in the next twelve months.

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::paint::Looks;
use super::sheet::{self, Paper, Side};
use crate::register::Kind;
use crate::register::line::{Line, Standing};
use crate::register::write::Register;

const HEAD: u32 = 3;
const TITLES: [(&str, Side, f64); 9] = [
    ("Ends on", Side::Left, 12.0),
    ("Days left", Side::Right, 10.0),
    ("What", Side::Left, 11.0),
    ("Tag", Side::Left, 18.0),
    ("Name", Side::Left, 28.0),
    ("Category", Side::Left, 20.0),
    ("Department", Side::Left, 18.0),
    ("Location", Side::Left, 18.0),
    ("Supplier", Side::Left, 18.0),
];

/// The day a year from the register's: the last that counts.
pub(super) fn horizon(as_of: Date) -> Date {
    as_of.checked_add(12.months()).unwrap_or(Date::MAX)
}

/// The held lines that run out from the register's day on, within a year.
pub(super) fn running<'a>(register: &'a Register<'_>) -> impl Iterator<Item = (Date, &'a Line)> {
    let as_of = register.options.as_of;
    let held = register.lines.iter().filter(|line| line.standing == Standing::Held);
    held.filter_map(|line| Some((line.item.runs_out?, line)))
        .filter(move |(day, _)| *day >= as_of && *day <= horizon(as_of))
}

pub(super) fn write(sheet: &mut Worksheet, register: &Register<'_>, looks: &Looks) -> Result<(), XlsxError> {
    let as_of = register.options.as_of;
    sheet::set_up(sheet, "Running out", Paper::Landscape)?;
    let lead = format!("Of what is held: ends from {as_of} to {}.", horizon(as_of));
    sheet::entitle(sheet, looks, "Warranties and licenses running out", &lead)?;
    sheet::header(sheet, looks, HEAD, &TITLES)?;
    let mut lines: Vec<(Date, &Line)> = running(register).collect();
    lines.sort_by_key(|(day, line)| (*day, line.item.kind, line.item.id));
    for (row, (day, line)) in (HEAD + 1..).zip(&lines) {
        let item = &line.item;
        sheet::day(sheet, (row, 0), *day, &looks.line_date)?;
        let left = day.since(as_of).map(|span| span.get_days()).unwrap_or_default();
        sheet::formula(sheet, (row, 1), &format!("=A{}-As_of", row + 1), Decimal::from(left), &looks.line_number)?;
        let what = if item.kind == Kind::Asset { "warranty" } else { "license" };
        let texts =
            [what, &*item.tag, &*item.title, &*item.category, &*item.department, &*item.location, &*item.supplier];
        for (column, text) in (2..).zip(texts) {
            sheet::text(sheet, (row, column), text, &looks.line)?;
        }
    }
    match lines.len() as u32 {
        0 => sheet::text(sheet, (HEAD + 1, 0), "nothing", &looks.line),
        lines => sheet.autofilter(HEAD, 0, HEAD + lines, TITLES.len() as u16 - 1).map(drop),
    }
}
