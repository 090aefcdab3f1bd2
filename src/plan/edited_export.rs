//! Re-import of an edited export: which cells of a row were edited, and whether they may overwrite changes on the
//! service.

use serde_json::Value as Json;

use super::conflict::{Changes, Conflict};
use super::planner::{Decision, Rejection, RowDraft};
use super::step::WriteKind;
use super::target::{self, RowDelta, TargetRecord};
use super::{Planner, SheetPlan, StepSink, diff};
use crate::catalog::{LookupResult, Record, RecordRef, ReferenceSyntax};
use crate::check::{CheckedRow, Code, Conflicts, Problem};
use crate::mapping::Ids;
use crate::plan::resolver::{Resolved, ResolvedField, conflicting_references};
use crate::schema::{self, Field, Meaning, Reference, Wire, fold_name};
use crate::table::Row;

impl<S: StepSink> Planner<'_, S> {
    /// The values of a row that differ from its target record. Without a target record, all of them.
    pub(super) fn row_delta(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &mut CheckedRow,
        (fields, problems): (Vec<ResolvedField>, &mut Vec<Problem>),
        target_record: Option<&TargetRecord<'_>>,
    ) -> RowDelta {
        let (fields, kept) = self.split_edits(sheet.mapping, row, checked, (fields, problems));
        let Some(target_record) = target_record else {
            return RowDelta { unchanged: kept, ..RowDelta::all_edited(fields) };
        };
        let shows = |column: u32| target_record.shows(sheet.mapping, row, column, self.catalog);
        checked.custom.retain(|given| !shows(given.column));
        // Two rows for one record are a problem whatever the cell contains.
        let is_of_rows = |problem: &Problem| problem.code() == Code::DuplicateKey;
        problems.retain(|problem| is_of_rows(problem) || problem.column.is_none_or(|column| !shows(column)));
        let is_held = |given: &ResolvedField| shows(given.column) || self.holds(sheet, target_record, given);
        let (mut unchanged, mut edited): (Vec<_>, Vec<_>) = fields.into_iter().partition(is_held);
        let mut shown = target_record.shown_references(sheet.mapping, row, self.catalog);
        shown.extend(unchanged.iter().map(|held| held.field));
        // An empty cell next to an id or a name that matches the record carries no information.
        edited.retain(|given| {
            let is_empty = given.value == Resolved::Clear && row.cell(given.column as usize).is_blank();
            !(is_empty && shown.contains(&given.field))
        });
        unchanged.extend(kept);
        RowDelta { edited, unchanged, shown }
    }

    /// Takes what cells that show the target record as it is meant when they were written: earlier sheets may give the names
    /// in them to other records.
    pub(super) fn keep_shown(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        fields: &mut Vec<ResolvedField>,
        target_record: Option<&TargetRecord<'_>>,
    ) {
        let Some(target_record) = target_record.filter(|_| self.catalog.has_planned_changes()) else { return };
        let resolver = self.resolver(self.catalog.as_held());
        let (held, _) = resolver.resolve(sheet.mapping, row, checked);
        let is_shown = |given: &ResolvedField| {
            matches!(given.value, Resolved::Record(..))
                && target_record.shows(sheet.mapping, row, given.column, self.catalog)
        };
        for shown in held.into_iter().filter(is_shown) {
            match fields.iter_mut().find(|given| given.column == shown.column) {
                Some(given) => *given = shown,
                None => fields.push(shown),
            }
        }
    }

    /// Discards an id next to a name that matches the record, if the id is left over from an earlier import.
    ///
    /// In a fresh export such an id has been edited, and counts. In a sheet that was imported before, the name was
    /// edited then and the id was left behind; if the record has changed since, the id is ignored and `note` says so.
    /// Without a timestamp the two contradict each other.
    pub(super) fn discard_stale_ids(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        delta: &mut RowDelta,
        target_record: Option<&TargetRecord<'_>>,
        (problems, note): (&mut Vec<Problem>, &mut String),
    ) {
        let Some(target_record) = target_record else { return };
        let RowDelta { edited, shown, .. } = delta;
        edited.retain(|given| {
            let header = sheet.mapping.header(given.column).unwrap_or_default();
            let is_id = sheet.mapping.ids_in(given.column) == Some(Ids::Bare);
            let is_beside_name = is_id && shown.contains(&given.field);
            match (is_beside_name, target_record.version.at(), target_record.changed_since()) {
                (false, ..) | (true, Some(_), None) => true,
                (true, None, _) => {
                    problems.push(conflicting_references(given.column, row));
                    false
                }
                (true, Some(_), Some(_)) => {
                    target::note_id_left_behind(note, header);
                    false
                }
            }
        });
    }

    /// Discards a name that may be the former name of the referenced record, if that record changed since the export;
    /// `note` says so. With `--create-missing` it is a problem, because the name could also be meant as a new record.
    pub(super) fn discard_stale_names(
        &self,
        sheet: &SheetPlan<'_>,
        delta: &mut RowDelta,
        target_record: Option<&TargetRecord<'_>>,
        problems: &mut Vec<Problem>,
        note: &mut String,
    ) {
        let Some(target_record) = target_record else { return };
        let RowDelta { edited, shown, .. } = delta;
        edited.retain_mut(|given| {
            let Resolved::Missing { name, reference, problem } = &mut given.value else { return true };
            let field = &sheet.mapping.entity.fields[given.field];
            let Some(target) = self.referred(*reference, target_record.record.get(field.name)) else { return true };
            let called = self.catalog.describe(reference.to, RecordRef::Known(target));
            if shown.contains(&given.field) {
                problem.error = target::unknown_name_beside_id(reference.to, name, &called, target);
            }
            let record = self.catalog.record(reference.to, target);
            let may_be_old = self.exported.zip(record).is_some_and(|(at, record)| target::changed_after(record, at));
            match (may_be_old, self.create_missing.includes(reference.to)) {
                (false, _) => true,
                (true, true) => {
                    problems.push(problem.clone());
                    false
                }
                (true, false) => {
                    target::note_old_name(note, sheet.mapping.header(given.column), name, &called);
                    false
                }
            }
        });
    }

    /// The id of the record that a field refers to, by id or by asset tag.
    fn referred(&self, reference: Reference, held: Option<&Json>) -> Option<i64> {
        match (reference.wire, held?) {
            (Wire::Tag, Json::String(tag)) => {
                match self.catalog.as_held().find(reference.to, tag, ReferenceSyntax::TagOrId, None) {
                    LookupResult::One(RecordRef::Known(id)) => Some(id),
                    _ => None,
                }
            }
            (_, held) => crate::api::integer(held),
        }
    }

    /// Whether the target record already has the value.
    fn holds(&self, sheet: &SheetPlan<'_>, target_record: &TargetRecord<'_>, given: &ResolvedField) -> bool {
        let entity = sheet.mapping.entity;
        let field = &entity.fields[given.field];
        self.json(entity, given, WriteKind::Update(target_record.id.number))
            .is_some_and(|wanted| self.held(field, given, &wanted, target_record.record.get(field.name)))
    }

    pub(super) fn check_conflict(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        mut draft: RowDraft,
        target_record: Option<TargetRecord<'_>>,
    ) -> Result<Decision, Rejection> {
        let changes = Changes { fields: &draft.fields, missing: &draft.missing, custom: &draft.custom };
        let conflict = target_record.and_then(|target_record| {
            let conflict = Conflict::of(&target_record, &changes, sheet.mapping, row, self.catalog)?;
            Some((conflict, target_record.id.number))
        });
        match (conflict, self.rules.conflicts) {
            (None, _) | (_, Some(Conflicts::Mine)) => {
                if let Some(WriteKind::Delete(_)) = draft.record {
                    draft = RowDraft { record: draft.record, ..RowDraft::default() };
                }
                Ok(Decision::Write(draft))
            }
            (Some((conflict, _)), None) => Err(conflict.problems()),
            (Some((conflict, record)), Some(to)) => {
                Ok(Decision::SkippedConflict { record, to, message: conflict.message(to) })
            }
        }
    }

    /// Whether the row's first key field has the same value as the record.
    pub(super) fn key_matches(&self, sheet: &SheetPlan<'_>, record: &Record, fields: &[ResolvedField]) -> bool {
        let entity = sheet.mapping.entity;
        let Some(name) = sheet.match_on.first() else { return true };
        let Some(given) = fields.iter().find(|given| entity.fields[given.field].name == *name) else { return true };
        // The id does not affect the value.
        match self.json(entity, given, WriteKind::Update(0)) {
            Some(Json::String(text)) => {
                let held = record.get(*name).and_then(Json::as_str).unwrap_or_default();
                fold_name(held) == fold_name(&text)
            }
            Some(wanted) => self.held(&entity.fields[given.field], given, &wanted, record.get(*name)),
            None => true,
        }
    }

    /// Whether a record already has a field's value. A reply may give an asset by system id, or by the tag that it has now.
    pub(super) fn held(&self, field: &Field, given: &ResolvedField, wanted: &Json, before: Option<&Json>) -> bool {
        if diff::holds(field, wanted, before) {
            return true;
        }
        let (Resolved::Record(target @ RecordRef::Known(id), reference), Some(before)) = (&given.value, before) else {
            return false;
        };
        let tag = schema::collection(reference.to).and_then(|entity| entity.meaning(Meaning::Tag));
        let tag = tag.filter(|_| reference.wire == Wire::Tag);
        let tag = tag.and_then(|tag| self.catalog.as_held().value(reference.to, *target, tag.name));
        before.as_i64() == Some(*id) || tag.is_some_and(|tag| diff::holds(field, tag, Some(before)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::plan::scenario::Scenario;

    #[test]
    fn an_odd_custom_field_that_is_as_the_account_has_it_is_no_problem() {
        let moment = "2026-01-01T08:00:00.000Z";
        let shown = |cell: &str| {
            let rack = json!([{"name": "Rack", "value": "#REF!"}]);
            let asset = json!([{"id": 1, "asset_id": "A-1", "custom_fields": rack, "created_at": moment, "updated_at": moment}]);
            let sheet = format!("id|asset_id|custom:Rack|created_at|updated_at\n1|A-1|{cell}|{moment}|{moment}");
            Scenario::new().holds("assets", asset).sheet("assets", &sheet).shown()
        };
        assert_eq!(shown("#REF!"), ["unchanged 1"]);
        assert!(shown("#N/A")[0].starts_with("reject cell.error at C"), "{:?}", shown("#N/A"));
    }

    #[test]
    fn an_id_beside_the_old_name_counts_in_a_fresh_export_only() {
        let (created, updated) = ("2026-01-01T08:00:00.000Z", "2026-02-02T08:00:00.000Z");
        let account = || {
            Scenario::new()
                .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}]))
                .holds("categories", json!([{"id": 1, "name": "Laptops", "type": "asset"}]))
                .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
                .holds(
                    "locations",
                    json!([{"id": 3, "name": "Berlin", "updated_at": "2026-03-03T08:00:00.000Z"}, {"id": 2, "name": "Ulm"}]),
                )
                .holds(
                    "assets",
                    json!([{"id": 5, "asset_id": "T-5", "product_id": 1, "status_id": 1, "location_id": 3,
                        "created_at": created, "updated_at": updated}]),
                )
        };
        let plan = |id: &str, name: &str, shown: &str| {
            let rows = format!(
                "id|asset_id|location_id|location_name|created_at|updated_at\n5|T-5|{id}|{name}|{created}|{shown}"
            );
            let outcome = account().sheet("assets", &rows).plan();
            (account().sheet("assets", &rows).shown().remove(0), outcome.rows[0].note.clone())
        };
        let earlier = "2026-01-15T08:00:00.000Z";
        assert_eq!(plan("2", "Berlin", updated), (String::from(r#"update 5 {"location_id":2}"#), String::new()));
        let (shown, note) = plan("2", "Berlin", earlier);
        assert_eq!(shown, "unchanged 5");
        assert!(note.contains("location_id"), "{note}");
        assert_eq!(plan("3", "Ulm", updated).0, r#"update 5 {"location_id":2}"#);
        assert_eq!(plan("3", "Berlin", earlier), (String::from("unchanged 5"), String::new()));
        // Edited before, and left over from then: which of the two cannot be told from the row.
        assert_eq!(
            plan("3", "Ulm", earlier).0,
            "reject record.conflict at D: the service has `Berlin (#3)`, as `location_id` says; the record was changed on \
             2026-02-02 08:00:00.000 UTC, after the export"
        );
        assert_eq!(plan("3", "", earlier).0, "unchanged 5", "as its hint says");
        // Berlin may have been called so when the sheet was exported.
        let (shown, note) = plan("3", "Bonn", updated);
        assert_eq!(shown, "unchanged 5");
        assert!(note.contains("`Bonn` seems to be the former name of `Berlin"), "{note}");
    }

    #[test]
    fn a_former_tag_in_an_export_means_the_asset_that_the_record_has() {
        let (created, updated) = ("2026-01-01T08:00:00.000Z", "2026-02-02T08:00:00.000Z");
        let plan = |retagged: &str| {
            let outcome = Scenario::new()
                .holds("assets", json!([{"id": 20, "asset_id": "NEW", "updated_at": retagged}]))
                .holds(
                    "maintenances",
                    json!([{"id": 3, "asset_id": "NEW", "type": "Repair", "name": "Fan", "start_date": "2026-01-05",
                        "created_at": created, "updated_at": updated}]),
                )
                .sheet(
                    "maintenances",
                    &format!(
                        "id|asset_id|type|name|start_date|created_at|updated_at\n\
                         3|OLD|Repair|Fan|2026-01-05|{created}|{updated}"
                    ),
                )
                .plan();
            (outcome.shown_rows().remove(0), outcome.rows[0].note.clone())
        };
        let (shown, note) = plan("2026-03-03T08:00:00.000Z");
        assert_eq!(shown, "unchanged 3");
        assert!(note.contains("`asset_id` ignored: `OLD` seems to be the former name of `NEW"), "{note}");
        let (shown, _) = plan(created);
        assert!(shown.starts_with("reject name.not_found at B: `OLD`"), "{shown}");
    }

    #[test]
    fn an_error_in_a_cell_that_describes_what_the_record_shows_itself_is_no_problem() {
        let moment = "2026-01-01T08:00:00.000Z";
        let shown = |asset: serde_json::Value| {
            let sheet = format!("id|asset_id|category_name|created_at|updated_at\n1|A-1|#REF!|{moment}|{moment}");
            Scenario::new().holds("assets", json!([asset])).sheet("assets", &sheet).shown().remove(0)
        };
        let asset = json!({"id": 1, "asset_id": "A-1", "created_at": moment, "updated_at": moment});
        assert!(shown(asset.clone()).starts_with("reject cell.error at C"), "{}", shown(asset.clone()));
        let mut shows_it = asset;
        shows_it["category_name"] = json!("Laptops");
        assert_eq!(shown(shows_it), "unchanged 1");
    }
}
