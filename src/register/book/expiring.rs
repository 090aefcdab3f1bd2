//! The sheet `Running out`: warranties and licenses of what is held that end in the next twelve months.

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::sheet::{self, HeaderAlign, PageOrientation};
use super::styles::RegisterStyles;
use crate::register::ItemKind;
use crate::register::line::{ItemState, RegisterLine};
use crate::register::write::Register;

const HEAD: u32 = 3;
const HEADERS: [(&str, HeaderAlign, f64); 9] = [
    ("Ends on", HeaderAlign::Left, 12.0),
    ("Days left", HeaderAlign::Right, 10.0),
    ("What", HeaderAlign::Left, 11.0),
    ("Tag", HeaderAlign::Left, 18.0),
    ("Name", HeaderAlign::Left, 28.0),
    ("Category", HeaderAlign::Left, 20.0),
    ("Department", HeaderAlign::Left, 18.0),
    ("Location", HeaderAlign::Left, 18.0),
    ("Supplier", HeaderAlign::Left, 18.0),
];

/// The day a year from the register's: the last that counts.
pub(super) fn last_day_counted(as_of: Date) -> Date {
    as_of.checked_add(12.months()).unwrap_or(Date::MAX)
}

/// The held lines that run out from the register's day on, within a year.
pub(super) fn expiring<'a>(register: &'a Register<'_>) -> impl Iterator<Item = (Date, &'a RegisterLine)> {
    let as_of = register.options.as_of;
    let held = register.lines.iter().filter(|line| line.state == ItemState::Held);
    held.filter_map(|line| Some((line.item.expires_on?, line)))
        .filter(move |(day, _)| *day >= as_of && *day <= last_day_counted(as_of))
}

pub(super) fn write(sheet: &mut Worksheet, register: &Register<'_>, styles: &RegisterStyles) -> Result<(), XlsxError> {
    let as_of = register.options.as_of;
    sheet::set_up(sheet, "Running out", PageOrientation::Landscape)?;
    let lead = format!("Of what is held: ends from {as_of} to {}.", last_day_counted(as_of));
    sheet::write_title(sheet, styles, "Warranties and licenses running out", &lead)?;
    sheet::header(sheet, styles, HEAD, &HEADERS)?;
    let mut lines: Vec<(Date, &RegisterLine)> = expiring(register).collect();
    lines.sort_by_key(|(day, line)| (*day, line.item.kind, line.item.id));
    for (row, (day, line)) in (HEAD + 1..).zip(&lines) {
        let item = &line.item;
        sheet::day(sheet, (row, 0), *day, &styles.line_date)?;
        let left = day.since(as_of).map(|span| span.get_days()).unwrap_or_default();
        sheet::formula(sheet, (row, 1), &format!("=A{}-As_of", row + 1), Decimal::from(left), &styles.line_number)?;
        let what = if item.kind == ItemKind::Asset { "warranty" } else { "license" };
        let texts =
            [what, &*item.tag, &*item.title, &*item.category, &*item.department, &*item.location, &*item.supplier];
        for (column, text) in (2..).zip(texts) {
            sheet::text(sheet, (row, column), text, &styles.line)?;
        }
    }
    match lines.len() as u32 {
        0 => sheet::text(sheet, (HEAD + 1, 0), "nothing", &styles.line),
        lines => sheet.autofilter(HEAD, 0, HEAD + lines, HEADERS.len() as u16 - 1).map(drop),
    }
}
