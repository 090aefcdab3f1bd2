//! Decisions about look-alike names: from a file for `--aliases`, and from the sheet of a result.

use std::ops::ControlFlow;
use std::path::Path;

use super::options::place_of;
use super::{LOOK_ALIKES_SHEET, own_sheets};
use crate::check::{NameDecision, text};
use crate::error::{Diagnostic, Result};
use crate::schema::{self, entity_named, fold_header};
use crate::table::{Input, ReadOptions, Row, Workbook};
use crate::unicode::without_invisible;

/// The headers that a list of decisions needs. It may have more: the sheet of a result has.
pub(crate) const ALIAS_HEADERS: [&str; 3] = ["collection", "name", "use instead"];

/// The header is looked for in this many rows.
const HEADER_WITHIN: usize = 10;

/// What is wrong with a list of decisions.
#[derive(Debug, thiserror::Error)]
enum AliasFileError {
    #[error("{place}: no header row with the columns {}", quoted_headers())]
    NoHeader { place: String },
    #[error("{place}: {message}")]
    Row { place: String, message: String, hint: String },
}

impl Diagnostic for AliasFileError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoHeader { .. } => String::from("write them as the first row, with a decision in each row below"),
            Self::Row { hint, .. } => hint.clone(),
        })
    }
}

fn quoted_headers() -> String {
    ALIAS_HEADERS.map(|header| format!("`{header}`")).join(", ")
}

/// Reads the file of `--aliases`: the sheet that a result has for it, or else the first one.
///
/// # Errors
/// Where it cannot be read, lacks a column, or names a collection that there is not.
pub(super) fn read_aliases(path: &Path, options: &ReadOptions) -> Result<Vec<NameDecision>> {
    let input = Input::from_arg(path);
    let mut workbook = Workbook::open(&input, options)?;
    let sheet = look_alikes_sheet(&workbook).unwrap_or(0);
    decisions(&mut workbook, &input, sheet)
}

/// Whether a row may be the header of decisions.
pub(super) fn may_be_decisions(row: &Row) -> bool {
    let [.., use_instead] = ALIAS_HEADERS.map(fold_header);
    row.cells().any(|cell| fold_header(cell.text) == use_instead)
}

/// Reads what the sheet of a result says, if the workbook is one.
///
/// # Errors
/// As [`read_aliases`].
pub(super) fn aliases_in(workbook: &mut Workbook, input: &Input) -> Result<Vec<NameDecision>> {
    match look_alikes_sheet(workbook) {
        Some(sheet) if own_sheets::is_ours(workbook, sheet)? => decisions(workbook, input, sheet),
        _ => Ok(Vec::new()),
    }
}

fn look_alikes_sheet(workbook: &Workbook) -> Option<usize> {
    workbook.sheets().iter().position(|sheet| sheet.name.as_deref() == Some(LOOK_ALIKES_SHEET))
}

fn decisions(workbook: &mut Workbook, input: &Input, sheet: usize) -> Result<Vec<NameDecision>> {
    let name = workbook.sheets().get(sheet).and_then(|sheet| sheet.name.clone());
    let place = place_of(input, name.as_deref());
    let first = workbook.first_rows(sheet, HEADER_WITHIN)?;
    let found = first.iter().find_map(|row| Some((row.number, columns(row)?)));
    let Some((header, columns)) = found else { return Err(AliasFileError::NoHeader { place }.into()) };
    let (mut decisions, mut wrong) = (Vec::new(), None);
    workbook.each_row(sheet, &mut |row| {
        if row.number <= header {
            return ControlFlow::Continue(());
        }
        match decision(row, columns, || format!("{place}, row {}", row.number)) {
            Ok(decision) => decisions.extend(decision),
            Err(error) => wrong = Some(error),
        }
        if wrong.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    match wrong {
        Some(error) => Err(error.into()),
        None => Ok(decisions),
    }
}

/// The columns of [`ALIAS_HEADERS`] in a header row.
fn columns(header: &Row) -> Option<[usize; 3]> {
    let folded: Vec<String> = header.cells().map(|cell| fold_header(cell.text)).collect();
    let column = |wanted: &str| folded.iter().position(|header| *header == fold_header(wanted));
    let [collection, name, use_instead] = ALIAS_HEADERS.map(column);
    Some([collection?, name?, use_instead?])
}

/// A row without a decision says nothing.
fn decision(
    row: &Row,
    columns: [usize; 3],
    place: impl Fn() -> String,
) -> Result<Option<NameDecision>, AliasFileError> {
    let [collection, name, use_instead] =
        columns.map(|column| without_invisible(text::trimmed(row.cell(column).text)).into_owned());
    if use_instead.is_empty() {
        return Ok(None);
    }
    let wrong = |message: String, hint: String| AliasFileError::Row { place: place(), message, hint };
    if name.is_empty() {
        return Err(wrong(
            format!("no name that `{use_instead}` is used instead of"),
            String::from("fill in the column `name`, or empty `use instead`"),
        ));
    }
    let entity = entity_named(&collection).ok().filter(|entity| entity.is_collection());
    let Some(entity) = entity else {
        let nearest = schema::nearest(&collection).filter(|nearest| schema::collection(nearest).is_some());
        let hint = match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => String::from("write one such as manufacturers or locations; `tallyport schema` lists them"),
        };
        return Err(wrong(format!("`{collection}` is not a collection"), hint));
    };
    Ok(Some(NameDecision { collection: entity.name, name, use_instead, place: place() }))
}
