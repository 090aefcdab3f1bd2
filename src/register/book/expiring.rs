//! The sheet `Running out`: warranties and licenses of held items that end in the next twelve months.

use jiff::ToSpan;
use jiff::civil::Date;
use rust_xlsxwriter::Worksheet;

use super::page::{HEADER_ROW, Header, ListCell, Page, XlsxResult, left, right};
use crate::register::content::Register;
use crate::register::item::ItemKind;
use crate::register::line::{ItemState, RegisterLine};
use crate::table::write::styles::PageStyles;

const HEADERS: [Header; 9] = [
    left("Ends on", 12.0),
    right("Days left", 10.0),
    left("What", 11.0),
    left("Tag", 18.0),
    left("Name", 28.0),
    left("Category", 20.0),
    left("Department", 18.0),
    left("Location", 18.0),
    left("Supplier", 18.0),
];

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
    let rows = (HEADER_ROW + 2..).zip(lines).map(|(number, (day, line))| row(number, day, line, as_of));
    page.list(&HEADERS, rows, "nothing")
}

fn row(number: u32, day: Date, line: &RegisterLine, as_of: Date) -> Vec<ListCell<'_>> {
    let item = &line.item;
    let days_left = day.since(as_of).map(|span| span.get_days()).unwrap_or_default();
    let what = if item.kind == ItemKind::Asset { "warranty" } else { "license" };
    let mut cells =
        vec![ListCell::Date(day), ListCell::Formula(format!("=A{number}-As_of"), days_left.into()), what.into()];
    let texts = [&item.tag, &item.title, &item.category, &item.department, &item.location, &item.supplier];
    cells.extend(texts.map(|text| ListCell::from(text.as_str())));
    cells
}
