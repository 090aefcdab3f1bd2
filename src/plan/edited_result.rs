//! Re-import of a result: which cells of a row that is done were edited since, and whether they may overwrite what is
//! in the account by now.
//!
//! Only what was edited is sent. Where the record was changed since the earlier run, the account has to say of each
//! edited field what the row said before: else somebody else has changed it too, and the row is a conflict. A row of
//! which nobody knows what it said before overwrites nothing.

use super::conflict::{Changes, Conflict, Since};
use super::planner::{Decision, Rejection, RowDraft};
use super::resolver::ResolvedField;
use super::step::WriteKind;
use super::timestamp::ReportedTimestamp;
use super::{Planner, SheetPlan, StepSink, diff, target};
use crate::api::custom_fields;
use crate::catalog::Record;
use crate::check::{CheckedRow, Code, Conflicts, CustomField, EarlierRunRow, Problem};
use crate::mapping::Mapping;
use crate::schema::{CUSTOM_FIELDS, UPDATED_AT, fold_name};
use crate::table::Row;

/// What a row said when an earlier run was done with it.
#[derive(Debug, Default)]
pub(super) struct EarlierValues {
    pub(super) fields: Vec<ResolvedField>,
    custom: Vec<CustomField>,
}

impl EarlierValues {
    /// Whether a field has the value that it had then.
    fn has(&self, given: &ResolvedField) -> bool {
        self.fields.iter().any(|earlier| earlier.field == given.field && earlier.value == given.value)
    }

    fn custom(&self, name: &str) -> &str {
        let is_it = |earlier: &&CustomField| fold_name(&earlier.name) == fold_name(name);
        self.custom.iter().find(is_it).map_or("", |earlier| earlier.value.trim())
    }
}

impl<S: StepSink> Planner<'_, S> {
    /// What a row said before; none of a row that is sent like any other.
    pub(super) fn earlier_values(&self, mapping: &Mapping, checked: &CheckedRow) -> Option<EarlierValues> {
        let EarlierRunRow::Known { row, checked: earlier, .. } = checked.earlier.as_ref()? else { return None };
        // It was said of the account as it is without this run.
        let resolver = self.resolver(self.catalog.as_held());
        let (fields, _) = resolver.resolve(mapping, row, earlier);
        Some(EarlierValues { fields, custom: earlier.custom_fields(mapping, row) })
    }

    /// Splits the values of a row that is done into those that were edited and the others. What is wrong with cells
    /// that were not edited is left out.
    pub(super) fn split_edits(
        &self,
        mapping: &Mapping,
        row: &Row,
        checked: &mut CheckedRow,
        (fields, problems): (Vec<ResolvedField>, &mut Vec<Problem>),
    ) -> (Vec<ResolvedField>, Vec<ResolvedField>) {
        let (Some(values), Some(earlier)) = (self.earlier_values(mapping, checked), &checked.earlier) else {
            return (fields, Vec::new());
        };
        checked.custom.retain(|given| {
            let is_kept = |given: CustomField| values.custom(&given.name) == given.value.trim();
            !(earlier.has_cell(row, given.column) || given.field(mapping, row).is_some_and(is_kept))
        });
        problems.retain(|problem| {
            // Two rows for one record are a problem whatever they say.
            problem.code() == Code::DuplicateKey || problem.column.is_none_or(|column| !earlier.has_cell(row, column))
        });
        fields.into_iter().partition(|given| !earlier.has_cell(row, given.column) && !values.has(given))
    }

    /// Keeps an edit of a row that is done from overwriting what others have changed.
    pub(super) fn check_earlier(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        draft: RowDraft,
    ) -> Result<Decision, Rejection> {
        let Some(earlier) = checked.earlier.as_ref().filter(|_| self.rules.conflicts != Some(Conflicts::Mine)) else {
            return Ok(Decision::Write(draft));
        };
        let mapping = sheet.mapping;
        let id = draft.record.and_then(WriteKind::record);
        let record = id.and_then(|id| self.catalog.record(mapping.entity.name, id));
        let is_up_to_date = |record: &Record| target::shows_last_change(mapping, row, record);
        let has_said = |record: &Record| {
            let values = self.earlier_values(mapping, checked);
            values.is_some_and(|values| self.has_said(mapping, record, &values, &draft))
        };
        let since = match (changed_since_run(earlier, record), record) {
            (None, _) => return Ok(Decision::Write(draft)),
            (_, Some(record)) if is_up_to_date(record) || has_said(record) => return Ok(Decision::Write(draft)),
            (Some(since), _) => since,
        };
        let changes = Changes { fields: &draft.fields, missing: &draft.missing, custom: &draft.custom };
        let conflict = Conflict::of_result(since, (record, checked.id), &changes, (mapping, row), self.catalog);
        match (self.rules.conflicts, id) {
            (Some(to), Some(record)) => Ok(Decision::SkippedConflict { record, to, message: conflict.message(to) }),
            _ => Err(conflict.problems()),
        }
    }

    /// Whether the record has of every field that the row changes what the row said before, or of all that the row said
    /// if it is to be deleted. Where the row said nothing, the field has to be empty.
    fn has_said(&self, mapping: &Mapping, record: &Record, values: &EarlierValues, draft: &RowDraft) -> bool {
        let entity = mapping.entity;
        let holds = |field: usize| {
            let held = record.get(entity.fields[field].name);
            let mut said = values.fields.iter().filter(|earlier| earlier.field == field).peekable();
            if said.peek().is_none() {
                return diff::holds(&entity.fields[field], &serde_json::Value::Null, held);
            }
            said.any(|earlier| {
                let write = draft.record.unwrap_or(WriteKind::Create);
                let wanted = self.json(entity, earlier, write);
                wanted.is_some_and(|wanted| self.held(&entity.fields[field], earlier, &wanted, held))
            })
        };
        let pairs = record.get(CUSTOM_FIELDS).map(custom_fields).unwrap_or_default();
        let holds_custom = |given: &CustomField| {
            let held = diff::position_of(&given.name, &pairs).map_or("", |position| pairs[position].1.as_str());
            held.trim() == values.custom(&given.name)
        };
        if let Some(WriteKind::Delete(_)) = draft.record {
            return values.fields.iter().all(|earlier| holds(earlier.field)) && values.custom.iter().all(holds_custom);
        }
        let mut fields =
            draft.fields.iter().map(|given| given.field).chain(draft.missing.iter().map(|(field, _)| *field));
        fields.all(holds) && draft.custom.iter().all(holds_custom)
    }
}

/// Since when a record may have been changed by others, of a row that an earlier run was done with. None if it was not.
pub(super) fn changed_since_run(earlier: &EarlierRunRow, record: Option<&Record>) -> Option<Since> {
    match (earlier, record) {
        (EarlierRunRow::Unknown, _) | (EarlierRunRow::Known { changed: None, .. }, Some(_)) => Some(Since::Unknown),
        (EarlierRunRow::Known { .. }, None) => None,
        (EarlierRunRow::Known { changed: Some(moment), .. }, Some(record)) => {
            may_be_changed_after(record, *moment).then_some(Since::Run)
        }
    }
}

/// Whether a record may have been changed after a moment: also where it does not say.
fn may_be_changed_after(record: &Record, moment: jiff::Timestamp) -> bool {
    ReportedTimestamp::from_record(record.get(UPDATED_AT))
        .is_none_or(|changed| changed.is_after(ReportedTimestamp::of(moment)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use crate::plan::scenario::Scenario;

    const RUN: &str = "2026-01-01T08:00:00Z";

    /// An account whose asset was changed after the earlier run and has these custom fields.
    fn account(custom: Json) -> Scenario {
        let asset = json!({"id": 5, "asset_id": "A-1", "product_id": 1, "status_id": 1, "notes": "old",
            "custom_fields": custom, "updated_at": "2026-02-02T08:00:00.000Z"});
        Scenario::new().holds("assets", json!([asset]))
    }

    #[test]
    fn only_the_edited_custom_fields_of_a_cell_with_several_are_sent() {
        let cell = |floor: &str, rack: &str| {
            json!([{"name": "Floor", "value": floor}, {"name": "Rack", "value": rack}]).to_string()
        };
        let held = json!([{"name": "Floor", "value": "9"}, {"name": "Rack", "value": "Y"}]);
        let rows = format!("_id|asset_id|custom_fields\n5|A-1|{}", cell("3", "X"));
        let scenario = account(held).sheet("assets", &rows).done_as(&format!("5|A-1|{}", cell(" 3", "Y")), RUN);
        let sent = r#"update 5 {"custom_fields":[{"name":"Floor","value":"9"},{"name":"Rack","value":"X"}]}"#;
        assert_eq!(scenario.shown(), [sent]);
    }

    #[test]
    fn an_edited_custom_field_is_sent_unless_others_changed_it_too() {
        let plan = |held: &str, earlier: &str, edited: &str| {
            let rows = format!("_id|asset_id|custom:Floor|custom:Rack\n5|A-1|3|{edited}");
            let held = json!([{"name": "Floor", "value": "9"}, {"name": "rack", "value": held}]);
            account(held).sheet("assets", &rows).done_as(&format!("5|A-1|3|{earlier}"), RUN).shown().remove(0)
        };
        let sent = plan("Y", "Y", "X");
        assert!(sent.starts_with("update 5 ") && sent.contains(r#""value":"X""#), "{sent}");
        assert!(plan("Z", "Y", "X").starts_with("reject record.conflict at D"), "{}", plan("Z", "Y", "X"));
        assert!(plan("Z", "", "X").starts_with("reject record.conflict at D"), "the row said nothing of it");
        assert_eq!(plan("Z", "Y", "Y"), "unchanged 5");
    }

    #[test]
    fn a_bad_cell_is_a_problem_only_if_it_was_edited() {
        let plan = |earlier: &str, edited: &str| {
            let rows = format!("_id|asset_id|purchase_date|notes\n5|A-1|{edited}");
            account(json!([])).sheet("assets", &rows).done_as(&format!("5|A-1|{earlier}"), RUN).shown().remove(0)
        };
        assert_eq!(plan("soon|old", "soon|new"), r#"update 5 {"notes":"new"}"#);
        assert!(plan("2026-01-02|old", "soon|old").starts_with("reject date.invalid at C"));
    }

    #[test]
    fn two_rows_for_one_record_are_a_problem_although_neither_was_edited() {
        let rows = "5|A-1|old\n5|A-1|old";
        let scenario = account(json!([])).sheet("assets", &format!("_id|asset_id|notes\n{rows}")).done_as(rows, RUN);
        let shown = scenario.shown();
        assert_eq!(shown[0], "unchanged 5");
        assert_eq!(shown[1], "reject duplicate.key at A: duplicate of row 2");
    }
}
