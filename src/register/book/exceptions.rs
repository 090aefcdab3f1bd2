//! The sheet `Exceptions`: what could not be computed and why, and what else a reader should know.

use rust_xlsxwriter::Worksheet;

use super::page::{ListCell, ListColumn, Page, XlsxResult, left, right};
use crate::register::content::Register;
use crate::register::line::RegisterLine;
use crate::table::write::styles::PageStyles;

/// A figure that is missing from a line, or a note on it.
struct Exception<'a> {
    line: &'a RegisterLine,
    what: &'static str,
    why: String,
    hint: &'static str,
}

fn columns<'a>() -> [ListColumn<Exception<'a>>; 10] {
    [
        left("What", 16.0).of(|exception| exception.what.into()),
        left("Kind", 9.0).of(|exception| exception.line.item.kind.name().into()),
        right("Id", 9.0).of(|exception| ListCell::Integer(exception.line.item.id)),
        left("Tag", 18.0).of(|exception| exception.line.item.tag.as_str().into()),
        left("Name", 24.0).of(|exception| exception.line.item.title.as_str().into()),
        left("Category", 20.0).of(|exception| exception.line.item.category.as_str().into()),
        left("Standing", 14.0).of(|exception| exception.line.state.name().into()),
        left("Currency", 10.0).of(|exception| (*exception.line.item.currency.code).into()),
        left("Why", 60.0).of(|exception| exception.why.as_str().into()),
        left("What to do", 48.0).of(|exception| exception.hint.into()),
    ]
}

pub(super) fn write(sheet: &mut Worksheet, register: &Register<'_>, styles: &PageStyles) -> XlsxResult {
    let mut page = Page::new(sheet, styles, "Exceptions")?;
    page.sheet.set_landscape();
    let lead = "Items without a book value, with every reason; and notes on items that have one. None of it is zero.";
    page.title("Exceptions", lead)?;
    let missing = register.lines.iter().flat_map(|line| {
        let what = "no book value";
        line.missing.iter().map(move |figure| Exception { line, what, why: figure.to_string(), hint: figure.hint() })
    });
    let notes = register.lines.iter().flat_map(|line| {
        let what = "note";
        line.warnings.iter().map(move |note| Exception { line, what, why: note.to_string(), hint: note.hint() })
    });
    page.list(&columns(), missing.chain(notes), "none")
}
