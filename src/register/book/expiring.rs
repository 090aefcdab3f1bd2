//! The sheet `Running out`: warranties and licenses of held items that end in the next twelve months.

use jiff::ToSpan;
use jiff::civil::Date;
use rust_xlsxwriter::Worksheet;

use super::page::{HEADER_ROW, ListCell, ListColumn, Page, XlsxResult, left, right};
use crate::register::content::Register;
use crate::register::item::ItemKind;
use crate::register::line::{ItemState, RegisterLine};
use crate::table::write::styles::PageStyles;

/// A line that runs out on a day. `number` is that of its row, counting from 1.
struct ExpiringLine<'a> {
    number: u32,
    day: Date,
    days_left: i32,
    line: &'a RegisterLine,
}

fn columns<'a>() -> [ListColumn<ExpiringLine<'a>>; 9] {
    [
        left("Ends on", 12.0).of(|row| ListCell::Date(row.day)),
        right("Days left", 10.0).of(|row| ListCell::Formula(format!("=A{}-As_of", row.number), row.days_left.into())),
        left("What", 11.0).of(|row| if row.line.item.kind == ItemKind::Asset { "warranty" } else { "license" }.into()),
        left("Tag", 18.0).of(|row| row.line.item.tag.as_str().into()),
        left("Name", 28.0).of(|row| row.line.item.title.as_str().into()),
        left("Category", 20.0).of(|row| row.line.item.category.as_str().into()),
        left("Department", 18.0).of(|row| row.line.item.department.as_str().into()),
        left("Location", 18.0).of(|row| row.line.item.location.as_str().into()),
        left("Supplier", 18.0).of(|row| row.line.item.supplier.as_str().into()),
    ]
}

/// The last day of the period: a year after the as-of date.
pub(super) fn last_day_counted(as_of: Date) -> Date {
    as_of.checked_add(12.months()).unwrap_or(Date::MAX)
}

/// The held lines that expire within a year of the as-of date.
pub(super) fn expiring_lines<'a>(register: &'a Register<'_>) -> impl Iterator<Item = (Date, &'a RegisterLine)> {
    let as_of = register.options.as_of;
    let held = register.lines.iter().filter(|line| line.state == ItemState::Held);
    held.filter_map(|line| Some((line.item.expires_on?, line)))
        .filter(move |(day, _)| *day >= as_of && *day <= last_day_counted(as_of))
}

pub(super) fn write(sheet: &mut Worksheet, register: &Register<'_>, styles: &PageStyles) -> XlsxResult {
    let as_of = register.options.as_of;
    let mut page = Page::new(sheet, styles, "Running out")?;
    page.sheet.set_landscape();
    let lead = format!("Of what is held: ends from {as_of} to {}.", last_day_counted(as_of));
    page.title("Warranties and licenses running out", &lead)?;
    let mut lines: Vec<(Date, &RegisterLine)> = expiring_lines(register).collect();
    lines.sort_by_key(|(day, line)| (*day, line.item.kind, line.item.id));
    let rows = (HEADER_ROW + 2..).zip(lines).map(|(number, (day, line))| {
        let days_left = day.since(as_of).map(|span| span.get_days()).unwrap_or_default();
        ExpiringLine { number, day, days_left, line }
    });
    page.list(&columns(), rows, "nothing")
}
