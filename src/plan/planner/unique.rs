//! Values that no two records share: the tag of an asset, the e-mail address of an employee. The service refuses the
//! second; where rows are matched by something else, the plan says so before.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::{Decision, Planner, Rejection, RowDraft, SheetPlan, StepSink, or_problem};
use crate::catalog::RecordRef;
use crate::check::{Code, ValueError, duplicate_hint};
use crate::plan::resolver::Resolved;
use crate::plan::step::{RowId, WriteKind};
use crate::schema::{Field, Kind, TextForm, fold_name};
use crate::table::Row;

/// The rows that give a record such a value, by collection and value.
#[derive(Debug, Default)]
pub(crate) struct UniqueValues(HashMap<(&'static str, String), RowId>);

impl<S: StepSink> Planner<'_, S> {
    /// Rejects a row that gives its record a value which another record has, or an earlier row gives to another.
    pub(super) fn check_unique(
        &mut self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        decision: Decision,
    ) -> Result<Decision, Rejection> {
        let entity = sheet.mapping.entity;
        let (Decision::Write(draft), Some(field)) = (&decision, entity.unique_field()) else { return Ok(decision) };
        // Rows that are matched by the value itself, and by nothing else, are compared before.
        let is_matched_by_it = sheet.match_on == [field.name] && draft.record.is_none() && !self.allows_duplicates();
        let Some((text, column)) = given_text(entity.field_index(field.name), draft).filter(|_| !is_matched_by_it)
        else {
            return Ok(decision);
        };
        let own = draft.record.and_then(WriteKind::record);
        let is_other = |id: &i64| {
            let held = self.catalog.record(entity.name, *id).and_then(|record| record.get(field.name)?.as_str());
            Some(*id) != own && held.is_some_and(|held| comparable(field, held) == comparable(field, text))
        };
        if let Some(other) = self.catalog.with_text(entity.name, field.name, text).into_iter().find(is_other) {
            let name = self.catalog.describe(entity.name, RecordRef::Known(other));
            let error = ValueError::new(
                Code::RecordExists,
                format!("another record has this value: {} `{name}` (#{other})", entity.singular),
                "correct the cell, or change the other record first",
            );
            return or_problem(error, Some(column), row);
        }
        let own_row = RowId { sheet: sheet.index, row: row.number };
        let value = (entity.name, comparable(field, text));
        match self.unique.0.get(&value) {
            Some(earlier) => {
                let earlier = self.locks.row_name(*earlier, sheet.index);
                let message = format!("duplicate of {earlier}, which gives another record this value");
                or_problem(ValueError::new(Code::DuplicateKey, message, duplicate_hint(entity)), Some(column), row)
            }
            None => {
                self.unique.0.insert(value, own_row);
                Ok(decision)
            }
        }
    }
}

/// The text that a draft sets in a field, and its column.
fn given_text(field: Option<usize>, draft: &RowDraft) -> Option<(&str, u32)> {
    let given = draft.fields.iter().find(|given| Some(given.field) == field)?;
    match &given.value {
        Resolved::Value(Json::String(text)) if !matches!(draft.record, Some(WriteKind::Delete(_))) => {
            Some((text, given.column))
        }
        _ => None,
    }
}

/// A value as it is compared with others. Case counts in tags: only an address is surely the same in another case.
fn comparable(field: &Field, text: &str) -> String {
    match field.kind {
        Kind::Text(TextForm::Email) => fold_name(text).into_owned(),
        _ => text.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use crate::plan::scenario::Scenario;

    fn account() -> Scenario {
        Scenario::new()
            .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}]))
            .holds("categories", json!([{"id": 1, "name": "Laptops", "type": "asset"}]))
            .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
            .holds(
                "employees",
                json!([{"id": 1, "name": "Ada", "email": "ada@example.com"}, {"id": 2, "name": "Bob", "email": "bob@example.com"}]),
            )
            .holds("assets", json!([{"id": 5, "asset_id": "T-5", "asset_name": "one", "product_id": 1, "status_id": 1}]))
    }

    #[test]
    fn an_address_of_another_employee_is_told_however_rows_are_matched() {
        let by_name =
            |rows: &str| account().sheet("employees", &format!("name|email\n{rows}")).match_on(&["name"]).shown();
        let shown = by_name("Ada|BOB@example.com\nEve|bob@example.com\nAda B|ada.b@example.com\nBob|bob@example.com");
        let other = "another record has this value: employee `Bob` (#2)";
        assert_eq!(shown[0], format!("reject record.exists at B: {other}"));
        assert_eq!(shown[1], format!("reject record.exists at B: {other}"));
        assert!(shown[2].starts_with("create"), "{shown:?}");
        assert_eq!(shown[3], "unchanged 2");
    }

    #[test]
    fn two_rows_give_one_address_to_one_record() {
        let rows = "name|email\nEve|new@example.com\nMia|New@example.com\nAda|new@example.com";
        let shown = account().sheet("employees", rows).match_on(&["name"]).shown();
        let told = "reject duplicate.key at B: duplicate of row 2, which gives another record this value";
        assert!(shown[0].starts_with("create"), "{shown:?}");
        assert_eq!(shown[1..], [told, told]);
        // Their ids tell the records apart.
        let moment = "2026-01-01T08:00:00.000Z";
        let people = json!([{"id": 7, "name": "Ada", "email": "a@example.com", "created_at": moment, "updated_at": moment},
            {"id": 8, "name": "Bob", "email": "b@example.com", "created_at": moment, "updated_at": moment}]);
        let rows = format!(
            "id|name|email|created_at|updated_at\n7|Ada|n@example.com|{moment}|{moment}\n8|Bob|n@example.com|{moment}|{moment}"
        );
        let shown = Scenario::new().holds("employees", people).sheet("employees", &rows).shown();
        assert_eq!(shown[0], r#"update 7 {"email":"n@example.com"}"#);
        assert_eq!(shown[1], told.replace(" B:", " C:"));
    }

    #[test]
    fn a_tag_is_anothers_only_in_the_same_letters() {
        let rows = "asset_id|asset_name|product|status\nT-5|two|X1|Ready\nt-5|three|X1|Ready\nT-5|one|X1|Ready";
        let shown = account().sheet("assets", rows).match_on(&["asset_name"]).shown();
        assert_eq!(shown[0], "reject record.exists at A: another record has this value: asset `T-5` (#5)");
        assert!(shown[1].starts_with("create"), "{shown:?}");
        assert_eq!(shown[2], "unchanged 5");
    }

    #[test]
    fn allowing_duplicates_does_not_make_two_people_of_one_address() {
        let rows = "name|email\nEve|new@example.com\nMia|new@example.com\nAda|ada@example.com\nAnn|ada@example.com";
        let shown = account().sheet("employees", rows).allow_duplicates().shown();
        assert!(shown[0].starts_with("create"), "{shown:?}");
        assert_eq!(shown[1], "reject duplicate.key at B: duplicate of row 2, which gives another record this value");
        assert_eq!(shown[2], "unchanged 1");
        assert_eq!(shown[3], "reject record.exists at B: another record has this value: employee `Ada` (#1)");
    }
}
