//! Rows of several files or sheets about one record of the account: each may say more of it, none something else. Of two
//! values the later row's would win, and the next import of the same files would change the record again.

use serde_json::{Value as Json, json};

use super::{Decision, Planner, Rejection, RowDraft, SheetPlan, StepSink, value_text};
use crate::catalog::{LookupResult, RecordRef, ReferenceSyntax};
use crate::check::{CheckedRow, Code, Problem, ValueError};
use crate::plan::diff;
use crate::plan::finished_rows::custom_field;
use crate::plan::locks::{GivenRow, RecordKey};
use crate::plan::missing::CreateMissing;
use crate::plan::resolver::{Resolved, ResolvedField};
use crate::plan::step::{RowId, WriteKind};
use crate::schema::{ASSIGNED_TO, Entity, Field, fold_name};
use crate::table::Row;

const MAKE_THEM_AGREE: &str = "make the rows say the same, or leave the cell blank in one of them";

/// What a row gives a record in one field.
#[derive(Debug)]
pub(in crate::plan) struct GivenValue {
    /// The field's name; `custom_fields:` and its folded name for a custom field.
    pub(in crate::plan) field: String,
    pub(in crate::plan) column: u32,
    /// As an update sends it, or what stands for it: `{"kind": ..}` where any record of a kind will do, `{"new": ..}` for a
    /// name that the account lacks, the link to a record that the run creates.
    pub(in crate::plan) value: Json,
}

impl<S: StepSink> Planner<'_, S> {
    /// Whether rows of other sheets may be about the sheet's records. What is only compared is compared row by row.
    pub(super) fn is_shared(&self, sheet: &SheetPlan<'_>) -> bool {
        sheet.is_shared && *self.create_missing != CreateMissing::Compared
    }

    /// Keeps what a row gives the record that it is about, whether it is sent or not: which rows contradict each other does
    /// not depend on other problems of theirs.
    pub(super) fn keep_given(&mut self, sheet: &SheetPlan<'_>, row: &Row, decision: &Decision, given: Vec<GivenValue>) {
        let id = match decision {
            Decision::Unchanged(id) => *id,
            Decision::Write(RowDraft { record: Some(WriteKind::Update(id)), .. }) => *id,
            _ => return,
        };
        let record = (sheet.mapping.entity.name, id);
        // Of two rows of one sheet the second is a problem, and says nothing.
        if sheet.is_shared && !given.is_empty() && !self.locks.is_taken(record, (sheet.index, row.number)) {
            self.locks.give(record, (sheet.index, row.number), given);
        }
    }

    /// What a row gives a record, be it what the record has or not.
    pub(super) fn given_values(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        id: i64,
        fields: &[ResolvedField],
    ) -> Vec<GivenValue> {
        let entity = sheet.mapping.entity;
        let updated = fields.iter().filter(|given| entity.fields[given.field].update);
        let given = updated.filter_map(|given| {
            let value = match checked.record_kind(given.column) {
                Some(kind) => json!({ "kind": kind }),
                None => self.given_value(entity, given, WriteKind::Update(id))?,
            };
            Some(GivenValue { field: entity.fields[given.field].name.to_owned(), column: given.column, value })
        });
        let custom = checked.custom_fields(sheet.mapping, row).into_iter().map(|custom| GivenValue {
            field: custom_field(&custom.name),
            column: custom.column,
            value: Json::from(custom.value),
        });
        given.chain(custom).collect()
    }

    fn given_value(&self, entity: &'static Entity, given: &ResolvedField, write: WriteKind) -> Option<Json> {
        match &given.value {
            Resolved::Missing { name, .. } => Some(json!({ "new": name })),
            Resolved::Record(target @ RecordRef::Planned(_), _) => Some(target.link()),
            _ => self.json(entity, given, write),
        }
    }

    /// The problems of values other than those that rows of other sheets give the record.
    pub(super) fn contradicted_elsewhere(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        id: i64,
        given: &[GivenValue],
    ) -> Vec<Problem> {
        let entity = sheet.mapping.entity;
        let mut problems: Vec<Problem> = Vec::new();
        for earlier in self.locks.given_elsewhere((entity.name, id), sheet.index) {
            let values = earlier.values();
            for new in given {
                let Some(old) = values.get(&new.field) else { continue };
                let is_told = problems.iter().any(|problem| problem.column == Some(new.column));
                if !is_told && !self.agree(entity.field(&new.field), &new.value, old) {
                    let shown = self.shown(entity.field(&new.field), old);
                    problems.push(self.given_twice((earlier, id), &shown, new.column, row));
                }
            }
        }
        problems
    }

    /// The problems of values that a row would change in a record, and that a row of another sheet gives it which an earlier run
    /// has finished. What was edited in a row that is finished itself was edited on purpose.
    pub(super) fn contradicted_by_finished(
        &self,
        (sheet, row): (&SheetPlan<'_>, &Row),
        checked: &CheckedRow,
        id: i64,
        draft: &RowDraft,
    ) -> Vec<Problem> {
        if checked.earlier.is_some() {
            return Vec::new();
        }
        let entity = sheet.mapping.entity;
        let name = |field: usize| entity.fields[field].name;
        let text = |column: u32| row.cell(column as usize).text;
        let given = draft.fields.iter().map(|given| (given.column, name(given.field), text(given.column)));
        let new = draft.missing.iter().filter_map(|(field, _)| {
            let column = sheet.mapping.column_of(name(*field))?;
            Some((column, name(*field), text(column)))
        });
        let told = given.chain(new).filter_map(|cell| self.told_of_finished((entity.name, id), sheet.index, cell, row));
        let custom = draft.custom.iter().filter_map(|given| {
            let cell = (given.column, custom_field(&given.name), given.value.as_str());
            self.told_of_finished((entity.name, id), sheet.index, (cell.0, &cell.1, cell.2), row)
        });
        told.chain(custom).collect()
    }

    /// The problem of a holder other than the one that a finished row of another sheet gives the record.
    pub(super) fn holder_of_finished(
        &self,
        (sheet, row): (&SheetPlan<'_>, &Row),
        checked: &CheckedRow,
        record: RecordRef,
        column: u32,
    ) -> Option<Problem> {
        let (RecordRef::Known(id), None) = (record, &checked.earlier) else { return None };
        let collection = sheet.mapping.entity.item()?.1.to;
        let cell = (column, ASSIGNED_TO, row.cell(column as usize).text);
        self.told_of_finished((collection, id), sheet.owner.unwrap_or(sheet.index), cell, row)
    }

    fn told_of_finished(
        &self,
        record: RecordKey,
        sheet: u16,
        (column, field, text): (u32, &str, &str),
        row: &Row,
    ) -> Option<Problem> {
        let finished = &self.locks.finished;
        let other = finished.elsewhere(record, sheet).find(|other| finished.contradicts(other, field, text))?;
        let error = ValueError::new(
            Code::DuplicateKey,
            format!(
                "another value than in row {} of {}, which is done and about the same record #{}",
                other.row,
                self.locks.place(other.sheet),
                record.1
            ),
            MAKE_THEM_AGREE,
        );
        Some(error.at(Some(column), row.cell(column as usize).text))
    }

    /// Whether a row of another sheet says already who is to have the record of a row.
    ///
    /// # Errors
    /// If it says somebody else.
    pub(super) fn is_assigned_elsewhere(
        &mut self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        draft: &RowDraft,
    ) -> Result<bool, Rejection> {
        let link = self.link(sheet, row).map(|link| link.record);
        let (Some(RecordRef::Known(id)), true) = (link, self.is_shared(sheet)) else { return Ok(false) };
        let Some((name, column)) = self.holder(sheet, draft) else { return Ok(false) };
        let Some(holder) = self.given_holder(sheet, draft, &name) else { return Ok(false) };
        let (action, owner) = (sheet.mapping.entity, sheet.owner.unwrap_or(sheet.index));
        let mut is_sent = false;
        for earlier in self.locks.given_elsewhere((action.name, id), owner) {
            let Some(old) = earlier.values().remove(ASSIGNED_TO) else { continue };
            let field = old["field"].as_str().and_then(|name| action.field(name));
            if old["field"] != holder["field"] || !self.agree(field, &holder["value"], &old["value"]) {
                let shown = old["shown"].as_str().unwrap_or_default();
                return Err(vec![self.given_twice((earlier, id), shown, column, row)]);
            }
            is_sent |= !self.withheld.contains(&RowId { sheet: earlier.sheet, row: earlier.row });
        }
        let given = GivenValue { field: ASSIGNED_TO.to_owned(), column, value: holder };
        self.locks.give((action.name, id), (owner, row.number), [given]);
        Ok(is_sent)
    }

    /// Who is to have the item of a check-out, as rows of several sheets are compared.
    fn given_holder(&self, sheet: &SheetPlan<'_>, draft: &RowDraft, shown: &str) -> Option<Json> {
        let entity = sheet.mapping.entity;
        let value = |field: &Field| {
            let index = entity.field_index(field.name)?;
            let missing = draft.missing.iter().find(|(field, _)| *field == index);
            let new = missing.map(|(_, record)| json!({ "new": record.name }));
            new.or_else(|| {
                let given = draft.fields.iter().find(|given| given.field == index)?;
                self.given_value(entity, given, WriteKind::Create)
            })
        };
        let (field, value) = entity.holders().find_map(|field| Some((field.name, value(field)?)))?;
        Some(json!({ "field": field, "value": value, "shown": shown }))
    }

    /// Whether two values mean the same. What cannot be told does not contradict.
    fn agree(&self, field: Option<&Field>, one: &Json, other: &Json) -> bool {
        let Some(field) = field else { return one == other };
        let (one, other) = (self.settled(field, one), self.settled(field, other));
        match (one["kind"].as_str(), other["kind"].as_str()) {
            (Some(one), Some(other)) => one == other,
            (Some(kind), None) => self.is_of_kind(field, &other, kind),
            (None, Some(kind)) => self.is_of_kind(field, &one, kind),
            (None, None) if one.is_object() || other.is_object() => one == other,
            (None, None) => diff::holds(field, &one, Some(&other)),
        }
    }

    /// The link to a record that was new when a row named it and that another row has made since.
    fn settled(&self, field: &Field, value: &Json) -> Json {
        let (Some(name), Some(reference)) = (value["new"].as_str(), field.reference_to()) else { return value.clone() };
        match self.catalog.as_planned().find(reference.to, name, ReferenceSyntax::Marked, reference.narrowed) {
            LookupResult::One(target) => target.link(),
            _ => json!({ "new": fold_name(name) }),
        }
    }

    fn is_of_kind(&self, field: &Field, value: &Json, kind: &str) -> bool {
        let is_of_kind = |reference| value.is_object() || self.catalog.as_planned().is_of_kind(reference, value, kind);
        field.reference_to().is_none_or(is_of_kind)
    }

    fn shown(&self, field: Option<&Field>, value: &Json) -> String {
        let text = match (field, RecordRef::from_link(value), value["new"].as_str().or(value["kind"].as_str())) {
            (_, _, Some(text)) => text.to_owned(),
            (Some(field), Some(target @ RecordRef::Planned(_)), _) => {
                field.reference_to().map(|reference| self.catalog.describe(reference.to, target)).unwrap_or_default()
            }
            (Some(field), ..) => value_text(self.catalog, field, value),
            (None, ..) => value.as_str().unwrap_or_default().to_owned(),
        };
        if text.is_empty() { String::from("empty") } else { text }
    }

    fn given_twice(&self, (earlier, id): (&GivenRow, i64), shown: &str, column: u32, row: &Row) -> Problem {
        let error = ValueError::new(
            Code::DuplicateKey,
            format!(
                "another value than in row {} of {}, which is about the same record #{id}: `{shown}`",
                earlier.row,
                self.locks.place(earlier.sheet)
            ),
            MAKE_THEM_AGREE,
        );
        error.at(Some(column), row.cell(column as usize).text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use crate::plan::CreateMissing;
    use crate::plan::scenario::Scenario;

    fn location() -> Scenario {
        Scenario::new().holds("locations", json!([{"id": 1, "name": "Berlin", "city": "a", "country": "DE"}]))
    }

    /// What becomes of two sheets of locations.
    fn locations(first: &str, second: &str) -> Vec<String> {
        location().sheet("locations", first).sheet("locations", second).shown()
    }

    #[test]
    fn two_sheets_do_not_give_a_record_different_values() {
        let told = |value: &str| {
            format!(
                "reject duplicate.key at B: another value than in row 2 of sheet 1, which is about the same record #1: \
                 `{value}`"
            )
        };
        let both = locations("name|city\nBerlin|b", "name|city\nBerlin|c");
        assert_eq!(both, [r#"update 1 {"city":"b"}"#.to_owned(), told("b")]);
        let as_it_is = locations("name|city\nBerlin|a", "name|city\nBerlin|c");
        assert_eq!(as_it_is, [String::from("unchanged 1"), told("a")]);
        let back = locations("name|city\nBerlin|b", "name|city\nBerlin|a");
        assert_eq!(back, [r#"update 1 {"city":"b"}"#.to_owned(), told("b")]);
        let cleared = locations("name|city\nBerlin|<clear>", "name|city\nBerlin|c");
        assert_eq!(cleared, [r#"update 1 {"city":null}"#.to_owned(), told("empty")]);
        let custom = locations("name|custom:Floor\nBerlin|3", "name|custom:floor\nBerlin|4");
        assert_eq!(custom[1], told("3"));
        // A third one is told of the first that says it.
        let three = location().sheet("locations", "name|city\nBerlin|a").sheet("locations", "name|country\nBerlin|DE");
        assert_eq!(three.sheet("locations", "name|city\nBerlin|c").shown()[2], told("a"));
    }

    #[test]
    fn two_sheets_may_say_the_same_or_something_of_other_fields() {
        let city = r#"update 1 {"city":"b"}"#;
        for (second, becomes) in [
            ("name|city\nBerlin|b", city),
            ("name|city|country\nBerlin||FR", r#"update 1 {"country":"FR"}"#),
            ("name|country\nBerlin|DE", "unchanged 1"),
            ("name|custom:Floor\nBerlin|3", r#"update 1 {"custom_fields":[{"name":"Floor","value":"3"}]}"#),
        ] {
            assert_eq!(locations("name|city\nBerlin|b", second), [city, becomes], "{second}");
        }
        // What is a problem by itself, or left out, says nothing.
        for first in ["_id|name|city\nx|Berlin|b", "name|city|_action\nBerlin|b|skip"] {
            assert_eq!(locations(first, "name|city\nBerlin|c")[1], r#"update 1 {"city":"c"}"#, "{first}");
        }
    }

    fn asset() -> Scenario {
        Scenario::new()
            .holds(
                "statuses",
                json!([{"id": 1, "name": "Ready", "type": "deployable"}, {"id": 2, "name": "In Use", "type": "deployable"},
                    {"id": 3, "name": "Broken", "type": "undeployable"}]),
            )
            .holds("categories", json!([{"id": 1, "name": "Laptops", "type": "asset"}]))
            .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
            .holds("employees", json!([{"id": 1, "name": "Ada", "email": "ada@example.com"},
                {"id": 2, "name": "Bob", "email": "bob@example.com"}]))
            .holds("locations", json!([{"id": 7, "name": "Bonn"}]))
            .holds(
                "assets",
                json!([{"id": 5, "asset_id": "A-1", "product_id": 1, "status_id": 1, "deployed_to": []}]),
            )
    }

    #[test]
    fn new_names_are_compared_by_the_records_that_are_made_of_them() {
        let both = |first: &str, second: &str| {
            let rows = |product: &str| format!("asset_id|product|category\nA-1|{product}|Laptops");
            let sheets = asset().sheet("assets", &rows(first)).sheet("assets", &rows(second));
            sheets.create_missing(CreateMissing::AllButPeople).plan().shown_rejections().len()
        };
        assert_eq!((both("New", "new"), both("New", "Newer"), both("New", "X1"), both("X1", "New")), (0, 1, 1, 1));
    }

    #[test]
    fn a_kind_of_status_agrees_with_any_status_of_it() {
        let kind = "entity = \"assets\"\n[fields.status_id]\ncolumn = \"State\"\n\
                    values = { ok = { kind = \"deployable\", name = \"Ready\" } }\n";
        let both = |status: &str| {
            let sheets = asset().ruled_sheet("assets", "asset_id|State\nA-1|ok", kind);
            sheets.sheet("assets", &format!("asset_id|status\nA-1|{status}")).plan().shown_rejections().len()
        };
        assert_eq!((both("Ready"), both("In Use"), both("Broken")), (0, 0, 1));
    }

    #[test]
    fn two_sheets_give_an_asset_to_one_holder_once() {
        let mapping = "entity = \"assets\"\n[fields.assigned_to]\ncolumn = \"Who\"\n[fields.checkout_date]\n\
                       column = \"Since\"\n";
        let both = |second: &str| {
            let rows = |who: &str| format!("asset_id|Who|Since\nA-1|{who}|2026-02-01");
            let sheets = asset().ruled_sheet("assets", &rows("ada@example.com"), mapping);
            let outcome = sheets.ruled_sheet("assets", &rows(second), mapping).plan();
            (outcome.steps.len(), outcome.shown_rejections().len())
        };
        assert_eq!(both("Ada"), (1, 0));
        assert_eq!(both("bob@example.com"), (1, 1));
        assert_eq!(both("Bonn"), (1, 1));
        assert_eq!(both(""), (1, 0));
    }

    #[test]
    fn two_kinds_of_status_agree_only_if_they_are_one() {
        let kind = |kind: &str, name: &str| {
            format!(
                "entity = \"assets\"\n[fields.status_id]\ncolumn = \"State\"\n\
                 values = {{ ok = {{ kind = \"{kind}\", name = \"{name}\" }} }}\n"
            )
        };
        let both = |second: &str| {
            let rows = "asset_id|State\nA-1|ok";
            let sheets = asset().ruled_sheet("assets", rows, &kind("deployable", "Ready"));
            sheets.ruled_sheet("assets", rows, second).plan().shown_rejections().len()
        };
        assert_eq!((both(&kind("deployable", "In Use")), both(&kind("undeployable", "Broken"))), (0, 1));
    }
}
