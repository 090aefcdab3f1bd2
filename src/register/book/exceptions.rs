//! The sheet `Exceptions`: what could not be computed and why, and what else a reader should know.

use rust_xlsxwriter::Worksheet;

use super::page::{Header, ListCell, Page, XlsxResult, left, right};
use crate::register::content::Register;
use crate::register::line::RegisterLine;
use crate::table::write::styles::PageStyles;

const HEADERS: [Header; 10] = [
    left("What", 16.0),
    left("Kind", 9.0),
    right("Id", 9.0),
    left("Tag", 18.0),
    left("Name", 24.0),
    left("Category", 20.0),
    left("Standing", 14.0),
    left("Currency", 10.0),
    left("Why", 60.0),
    left("What to do", 48.0),
];

pub(super) fn write(sheet: &mut Worksheet, register: &Register<'_>, styles: &PageStyles) -> XlsxResult {
    let mut page = Page::new(sheet, styles, "Exceptions")?;
    page.sheet.set_landscape();
    let lead = "Items without a book value, with every reason; and notes on items that have one. None of it is zero.";
    page.title("Exceptions", lead)?;
    let missing = register.lines.iter().flat_map(|line| {
        line.missing.iter().map(move |figure| row(line, "no book value", figure.to_string(), figure.hint()))
    });
    let notes = register.lines.iter().flat_map(|line| {
        line.warnings.iter().map(move |warning| row(line, "note", warning.to_string(), warning.hint()))
    });
    page.list(&HEADERS, missing.chain(notes), "none")
}

fn row<'a>(line: &'a RegisterLine, what: &'a str, why: String, hint: &'a str) -> Vec<ListCell<'a>> {
    let item = &line.item;
    vec![
        what.into(),
        item.kind.name().into(),
        ListCell::Integer(item.id),
        item.tag.as_str().into(),
        item.title.as_str().into(),
        item.category.as_str().into(),
        line.state.name().into(),
        ListCell::from(&*item.currency.code),
        why.into(),
        hint.into(),
    ]
}
