//! Names and keys that may not be what was meant: nothing is created or renamed by them (design rule 5).

use serde_json::Value as Json;

use super::{Rejection, RowDraft};
use crate::check::{Code, Problem, ValueError, text};
use crate::plan::resolver::{Resolved, ResolvedField};
use crate::plan::{EncodingConfidence, SheetPlan};
use crate::table::Row;

/// The problems of the names and keys that a row would write.
pub(super) fn undecoded(sheet: &SheetPlan<'_>, row: &Row, draft: &RowDraft) -> Result<(), Rejection> {
    let entity = sheet.mapping.entity;
    let named = draft.fields.iter().filter(|given| entity.is_named_by(entity.fields[given.field].name));
    let problems: Vec<Problem> = named.filter_map(|given| problem_of(sheet, row, given)).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn problem_of(sheet: &SheetPlan<'_>, row: &Row, given: &ResolvedField) -> Option<Problem> {
    let Resolved::Value(Json::String(text)) = &given.value else { return None };
    let found = row.cell(given.column as usize).text;
    Some(doubt(sheet.encoding, text)?.at(Some(given.column), found))
}

/// Why a name should not be written, if it should not.
pub(super) fn doubt(encoding: EncodingConfidence, name: &str) -> Option<ValueError> {
    if let Some(damage) = text::damage_of(name) {
        let message = format!("`{name}` {}", damage.description());
        return Some(ValueError::new(
            Code::CellUndecoded,
            message,
            "correct the letters, or export the file again as UTF-8",
        ));
    }
    (encoding == EncodingConfidence::Guessed && !name.is_ascii()).then(|| {
        ValueError::new(
            Code::CellUndecoded,
            format!("`{name}` may be misread: the file's encoding is uncertain"),
            "name the file's encoding with --encoding, such as --encoding macintosh, or save the file as UTF-8",
        )
    })
}
