//! Names of people that a sheet writes last name first.

use super::{Planner, RowDraft, SheetPlan, StepSink};
use crate::check::{CheckedRow, RemarkKind, text};
use crate::plan::resolver::{Resolved, ResolvedField};
use crate::schema::{self, fold_name};
use crate::table::Row;

impl<S: StepSink> Planner<'_, S> {
    /// Leaves a person the name that the account has just as the sheet writes it: only new ones are turned around.
    pub(super) fn keep_names(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        id: i64,
        fields: &mut Vec<ResolvedField>,
    ) {
        let entity = sheet.mapping.entity;
        let Some(record) = self.catalog.record(entity.name, id).filter(|_| !checked.last_name_first.is_empty()) else {
            return;
        };
        let is_kept = |given: &ResolvedField| {
            let held = record.get(entity.fields[given.field].name).and_then(serde_json::Value::as_str);
            let cell = row.cell(given.column as usize).text;
            let is_name = checked.last_name_first.contains(&given.column) && matches!(given.value, Resolved::Value(_));
            is_name && held.is_some_and(|held| fold_name(held) == fold_name(cell))
        };
        fields.retain(|given| !is_kept(given));
    }
}

/// Remarks how the names of people are written whom a row names and the run creates.
pub(super) fn remark_new_people(row: &Row, draft: &RowDraft, checked: &mut CheckedRow) {
    for (field, record) in draft.missing.iter().filter(|(_, record)| record.entity.is_person()) {
        let columns = checked.values.iter().filter(|given| given.field == *field).map(|given| given.column);
        let mut names = columns.map(|column| (column, text::trimmed(row.cell(column as usize).text)));
        let Some((column, name)) = names.find(|(_, name)| schema::first_name_first(name).is_some()) else { continue };
        let is_turned = fold_name(&record.name) != fold_name(name);
        let kind = if is_turned { RemarkKind::LastNameFirst } else { RemarkKind::NameWithComma };
        checked.remark(kind, column as usize, name);
    }
}
