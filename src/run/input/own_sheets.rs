//! Sheets and files that tallyport itself writes and that hold no records. They are known by what they hold: people call
//! sheets of their records `Summary` and `Lists` too.

use super::aliases::may_be_decisions;
use crate::error::Result;
use crate::run::journal::RunKind;
use crate::schema;
use crate::table::{Row, Workbook};

/// The first sheet of a result. An input's sheet of that name gets a number.
pub(crate) const SUMMARY_SHEET: &str = "Summary";

/// The sheet of a result with the names that look alike; an input's sheet of that name holds decisions about them.
pub(crate) const LOOK_ALIKES_SHEET: &str = "Look-alike names";

/// The sheet of a template that explains the others.
pub(crate) const INSTRUCTIONS_SHEET: &str = "Instructions";

/// The first line of that sheet.
pub(crate) const INSTRUCTIONS_TITLE: &str = "Sheets to fill in for BlueTally";

/// The hidden sheet of a template that holds long drop-downs.
pub(crate) const LISTS_SHEET: &str = "Lists";

/// The header of the codes of currencies in that sheet. The others are collections, some with a kind: `categories:asset`.
pub(crate) const CURRENCIES: &str = "currencies";

/// The hidden sheet of a plan workbook with the steps to send.
pub(crate) const PLAN_DATA_SHEET: &str = "_plan";

/// The header of that sheet.
pub(crate) const PLAN_DATA_HEADER: [&str; 2] = ["kind", "content"];

/// What stands beside the id of its run in a summary.
pub(crate) const RUN_FACT: &str = "Run";

/// What stands beside the id of the run whose result a dry run has read. A dry run keeps no journal: that run's has the rows.
pub(crate) const EARLIER_RUN_FACT: &str = "Earlier run";

/// What the title of a summary begins with.
pub(crate) mod titles {
    pub(crate) const DRY_RUN: &str = "Dry run";
    pub(crate) const CHECK: &str = "Check";
    pub(crate) const DELETION: &str = "Deletion";
    pub(crate) const UNDO: &str = "Undo";
    pub(crate) const RUN: &str = "Run";
    pub(crate) const IMPORT: &str = "Import";
}

/// Headers that only a register has, each as a CSV file and as a workbook has it. Its other columns are called as those of
/// assets.
pub(crate) const REGISTER_HEADERS: [[&str; 2]; 4] = [
    ["standing", "Standing"],
    ["accumulated_depreciation", "Accumulated depreciation"],
    ["book_value", "Book value"],
    ["not_computed_because", "Not computed because"],
];

/// The headers of the changes of an incremental export, which are a sheet or a file of their own.
pub(crate) const CHANGES_HEADERS: [&str; 9] =
    ["id", "record", "change", "field", "before", "after", "changed_at", "event", "by"];

/// How far into a sheet is looked.
const WITHIN: usize = 10;

/// How far into a summary the id of its run is looked for.
const RUN_WITHIN: usize = 40;

/// Leaves out those of the sheets that are ours.
///
/// # Errors
/// Where one cannot be read.
pub(super) fn leave_out(workbook: &mut Workbook, sheets: &mut Vec<usize>) -> Result<()> {
    for sheet in std::mem::take(sheets) {
        if !is_ours(workbook, sheet)? {
            sheets.push(sheet);
        }
    }
    Ok(())
}

/// Whether the sheet at that position is one of ours.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn is_ours(workbook: &mut Workbook, sheet: usize) -> Result<bool> {
    let name = workbook.sheets()[sheet].name.clone().unwrap_or_default();
    let fits: fn(&[Row]) -> bool = match name.as_str() {
        // The verdict stands below the title.
        SUMMARY_SHEET => |rows| line(rows, 0).is_some_and(is_title) && line(rows, 1).is_some(),
        INSTRUCTIONS_SHEET => |rows| line(rows, 0) == Some(INSTRUCTIONS_TITLE),
        LISTS_SHEET => |rows| rows.first().is_none_or(|row| row.cells().all(|cell| is_list(cell.text))),
        LOOK_ALIKES_SHEET => |rows| rows.iter().any(may_be_decisions),
        _ => return Ok(false),
    };
    Ok(fits(&workbook.first_rows(sheet, WITHIN)?))
}

/// The id of the run that wrote the workbook, if it is a result; of a dry run of a result, that of the run before.
///
/// # Errors
/// Where its summary cannot be read.
pub(super) fn run_of(workbook: &mut Workbook) -> Result<Option<String>> {
    let Some(summary) = summary_of(workbook)? else { return Ok(None) };
    // What to do next and the banner stand above it, a line each.
    let rows = workbook.first_rows(summary, RUN_WITHIN)?;
    let fact = |label: &str| rows.iter().find(|row| row.cell(0).text == label);
    Ok(fact(EARLIER_RUN_FACT).or_else(|| fact(RUN_FACT)).map(|row| row.cell(1).text.trim().to_owned()))
}

/// The kind of run whose result the workbook is, where its sheets list what the run did and have no rows of the user.
///
/// # Errors
/// Where its summary cannot be read.
pub(super) fn listing_of(workbook: &mut Workbook) -> Result<Option<RunKind>> {
    let Some(summary) = summary_of(workbook)? else { return Ok(None) };
    let rows = workbook.first_rows(summary, WITHIN)?;
    let title = line(&rows, 0).unwrap_or_default();
    let mut kinds = [(titles::RUN, RunKind::Apply), (titles::UNDO, RunKind::Undo)].into_iter();
    Ok(kinds.find(|(of_kind, _)| is_titled(title, of_kind)).map(|(_, kind)| kind))
}

/// The position of the summary, if the workbook is a result.
fn summary_of(workbook: &mut Workbook) -> Result<Option<usize>> {
    let summary = workbook.sheets().iter().position(|sheet| sheet.name.as_deref() == Some(SUMMARY_SHEET));
    let Some(summary) = summary else { return Ok(None) };
    Ok(is_ours(workbook, summary)?.then_some(summary))
}

/// Whether the workbook is a plan, which is applied and not imported.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn is_plan(workbook: &mut Workbook) -> Result<bool> {
    let data = workbook.sheets().iter().position(|sheet| sheet.name.as_deref() == Some(PLAN_DATA_SHEET));
    let Some(data) = data else { return Ok(false) };
    let rows = workbook.first_rows(data, WITHIN)?;
    Ok(rows.first().is_some_and(|header| header.cells().map(|cell| cell.text).eq(PLAN_DATA_HEADER)))
}

/// Whether a header row is that of a fixed-asset register, whose names and costs are no fields of records.
pub(super) fn is_register(header: &Row) -> bool {
    REGISTER_HEADERS.iter().all(|names| header.cells().any(|cell| names.contains(&cell.text.trim())))
}

/// Whether a header row is that of the changes of an incremental export.
pub(super) fn is_changes(header: &Row) -> bool {
    CHANGES_HEADERS.iter().all(|name| header.cells().any(|cell| cell.text.trim() == *name))
}

/// Whether a text may be the title of a summary.
fn is_title(text: &str) -> bool {
    let titles = [titles::DRY_RUN, titles::CHECK, titles::DELETION, titles::UNDO, titles::RUN, titles::IMPORT];
    titles.into_iter().any(|title| is_titled(text, title))
}

/// Whether a text is that title, alone or of something.
fn is_titled(text: &str, title: &str) -> bool {
    text.strip_prefix(title).is_some_and(|rest| rest.is_empty() || rest.starts_with(" of "))
}

/// Whether a text may be a header of lists for drop-downs.
fn is_list(header: &str) -> bool {
    let collection = header.split_once(':').map_or(header, |(collection, _)| collection);
    header == CURRENCIES || schema::collection(collection).is_some()
}

/// The text of a row, if it is a single one.
fn line(rows: &[Row], index: usize) -> Option<&str> {
    let mut filled = rows.get(index)?.cells().filter(|cell| !cell.is_blank());
    filled.next().map(|cell| cell.text).filter(|_| filled.next().is_none())
}
