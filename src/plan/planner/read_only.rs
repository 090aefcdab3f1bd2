//! Edits in the columns of an export that the service sets: they are never sent, so they are told.

use serde_json::Value as Json;

use super::{Planner, SheetPlan};
use crate::api::integer;
use crate::catalog::{LookupResult, Record, RecordRef, ReferenceSyntax};
use crate::check::CheckedRow;
use crate::mapping::{Column, ColumnTarget, Ids, Ignored};
use crate::plan::step::StepSink;
use crate::plan::target::TargetRecord;
use crate::plan::unchanged;
use crate::schema::{self, Field};
use crate::table::{Cell, Row};

impl<S: StepSink> Planner<'_, S> {
    /// The columns, from 0, in which a row of an export shows something else than its record, though nothing of them
    /// is sent. None where the record has changed since, which explains the difference.
    pub(super) fn read_only_edits(&self, sheet: &SheetPlan<'_>, row: &Row, checked: &CheckedRow) -> Vec<u32> {
        let mapping = sheet.mapping;
        if !mapping.is_exported() {
            return Vec::new();
        }
        let target = TargetRecord::find(mapping, row, checked, self.catalog, |_| false);
        let Some(target) = target.filter(|target| target.changed_since().is_none()) else { return Vec::new() };
        let is_idle = |column: &&Column| match column.target {
            ColumnTarget::Ignored(why) => why == Ignored::ReadOnly,
            // It describes another record, and is named as a field that the service sets.
            ColumnTarget::Related { .. } => target.record.contains_key(column.header.as_str()),
            _ => false,
        };
        let idle = mapping.columns.iter().filter(is_idle);
        let edited = idle.filter(|column| {
            let cell = row.cell(column.index);
            !cell.is_blank() && self.is_edited(sheet, &column.header, cell, target.record)
        });
        edited.map(|column| column.index as u32).collect()
    }

    pub(super) fn is_edited(&self, sheet: &SheetPlan<'_>, header: &str, cell: Cell<'_>, record: &Record) -> bool {
        let entity = sheet.mapping.entity;
        if let Some(held) = record.get(header) {
            let shown = |field| unchanged::is_shown_by(cell, (field, Ids::Bare), Some(held), self.catalog);
            let is_shown = entity.field(header).map_or_else(|| unchanged::shows_value(cell, held), shown);
            return !is_shown && !unchanged::reads_as(cell, held);
        }
        let base = header.strip_suffix("_name").and_then(|base| entity.field(base));
        base.filter(|field| !field.names.is_empty())
            .zip(base.and_then(|field| record.get(field.name)))
            .is_some_and(|(field, held)| !self.names_holders(field, held, cell.text))
    }

    /// Whether names joined by `; ` are those of the records that a structure such as `deployed_to` holds. Yes in doubt.
    fn names_holders(&self, field: &Field, held: &Json, text: &str) -> bool {
        let held = held.as_array().map(Vec::as_slice).unwrap_or_default();
        let names: Vec<&str> = holder_names(text).collect();
        let is_held = |collection: &str, id: i64| {
            let key =
                schema::collection(collection).map(|entity| format!("{}_id", entity.singular)).unwrap_or_default();
            held.iter().any(|member| member.get(&key).and_then(integer) == Some(id))
        };
        let is_holder = |name: &str| {
            let found = field.names.iter().map(|collection| {
                // A record that is gone is shown by its id.
                if let Some(id) = name.strip_prefix('#').and_then(|id| id.parse().ok()) {
                    return is_held(collection, id);
                }
                match self.catalog.as_held().find(collection, name, ReferenceSyntax::Marked, None) {
                    LookupResult::One(RecordRef::Known(id)) => is_held(collection, id),
                    LookupResult::None { .. } => false,
                    _ => true,
                }
            });
            found.into_iter().any(|is_held| is_held)
        };
        names.len() == held.len() && names.iter().all(|name| is_holder(name))
    }
}

/// The names that an export joins in one cell.
pub(crate) fn holder_names(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::plan::scenario::Scenario;

    #[test]
    fn edits_of_what_the_service_sets_are_counted_and_never_sent() {
        let stamps = ("2026-01-01T08:00:00.000Z", "2026-02-02T08:00:00.000Z");
        let person = |id: i64, name: &str, assets: i64| {
            json!({"id": id, "name": name, "email": format!("{name}@example.com"), "number_of_assets": assets,
                "created_at": stamps.0, "updated_at": stamps.1})
        };
        let row = |id: i64, name: &str, assets: &str, updated: &str| {
            format!("\n{id}|{name}|{name}@example.com|{assets}|{}|{updated}", stamps.0)
        };
        let earlier = "2026-01-15T08:00:00.000Z";
        let rows = [
            row(1, "ada", "2", stamps.1),
            row(2, "bob", "7", stamps.1),
            row(3, "cy", "8", stamps.1),
            row(4, "dot", "", stamps.1),
            // Whoever changed the record since may have changed this.
            row(5, "eve", "9", earlier),
        ];
        let header = "id|name|email|number_of_assets|created_at|updated_at";
        let account = ["ada", "bob", "cy", "dot", "eve"].iter().zip(1..).map(|(name, id)| person(id, name, 2));
        let outcome = Scenario::new()
            .holds("employees", account.collect())
            .sheet("employees", &format!("{header}{}", rows.concat()))
            .plan();
        let edits: Vec<(&str, (u64, u64))> =
            outcome.totals.read_only_edits.iter().map(|(header, edits)| (header.as_str(), *edits)).collect();
        assert_eq!(edits, [("number_of_assets", (2, 3))]);
        assert!(outcome.steps.is_empty());
        let notes: Vec<&str> = outcome.rows.iter().map(|row| row.note.as_str()).collect();
        assert!(notes[0].is_empty() && notes[1].contains("number_of_assets") && notes[4].is_empty(), "{notes:?}");
    }

    #[test]
    fn a_cell_that_another_program_wrote_in_its_notation_is_no_edit() {
        let stamp = "2026-02-02T08:00:00.000Z";
        let asset = |id: i64| {
            json!({"id": id, "asset_id": format!("A-{id}"), "product_id": 1, "status_id": 1, "checkout_date": "2024-01-26",
                "created_at": stamp, "updated_at": stamp})
        };
        let outcome = Scenario::new()
            .holds("assets", json!([asset(1), asset(2), asset(3)]))
            .sheet(
                "assets",
                &format!(
                    "id|asset_id|checkout_date|status_name|created_at|updated_at\n\
                     1|A-1|26.01.2024||{stamp}|{stamp}\n\
                     2|A-2|27.01.2024||{stamp}|{stamp}\n\
                     3|A-3|28.01.2024|Nowhere|{stamp}|{stamp}"
                ),
            )
            .plan();
        let edits: Vec<_> = outcome.totals.read_only_edits.values().collect();
        assert_eq!(edits, [&(1, 3)], "not of a row that is refused");
        assert!(outcome.rows[0].note.is_empty() && outcome.rows[1].note.contains("checkout_date"));
    }

    #[test]
    fn holders_that_an_export_shows_are_compared_by_name_or_id() {
        let stamp = "2026-02-02T08:00:00.000Z";
        let asset = |id: i64, held: serde_json::Value| {
            json!({"id": id, "asset_id": format!("A-{id}"), "product_id": 1, "status_id": 1, "deployed_to": held,
                "created_at": stamp, "updated_at": stamp})
        };
        let ada_and_ulm = json!([{"employee_id": 1}, {"location_id": 7}]);
        let cases = [
            (json!([{"employee_id": 1}]), "Ada", false),
            (json!([{"employee_id": 1}]), "ada", false),
            (json!([{"employee_id": 1}]), "Bob", true),
            (json!([{"employee_id": 1}]), "Nobody Known", true),
            (json!([{"employee_id": 1}]), "Ada; Bob", true),
            (ada_and_ulm.clone(), "Ada; Ulm", false),
            (ada_and_ulm.clone(), " Ulm ;Ada; ", false),
            (ada_and_ulm.clone(), "Ada", true),
            (ada_and_ulm, "Ada; Bonn", true),
            (json!([{"employee_id": 99}]), "#99", false),
            (json!([{"employee_id": 99}]), "#98", true),
            (json!([{"location_id": 7}]), "#7", false),
            (json!([]), "Ada", true),
            (json!(null), "Ada", true),
            (json!([{"employee_id": 1}]), "Cy", true),
            (json!([{"employee_id": 3}]), "Cy", false),
        ];
        let records: Vec<_> = cases.iter().zip(1..).map(|((held, ..), id)| asset(id, held.clone())).collect();
        let rows: String =
            cases.iter().zip(1..).map(|((_, text, _), id)| format!("\n{id}|A-{id}|{text}|{stamp}|{stamp}")).collect();
        let person = |id: i64, name: &str| json!({"id": id, "name": name, "email": format!("{id}@example.com")});
        let outcome = Scenario::new()
            .holds("employees", json!([person(1, "Ada"), person(2, "Bob"), person(3, "Cy"), person(4, "Dot")]))
            .holds("locations", json!([{"id": 7, "name": "Ulm"}, {"id": 8, "name": "Bonn"}]))
            .holds("assets", records.into())
            .sheet("assets", &format!("id|asset_id|deployed_to_name|created_at|updated_at{rows}"))
            .plan();
        for ((held, text, is_edit), row) in cases.iter().zip(&outcome.rows) {
            assert_eq!(row.note.contains("deployed_to_name"), *is_edit, "{held} {text}: {}", row.note);
        }
        let edits = cases.iter().filter(|(.., is_edit)| *is_edit).count() as u64;
        assert_eq!(outcome.totals.read_only_edits["deployed_to_name"], (edits, 4));
    }

    #[test]
    fn a_column_that_describes_another_record_is_compared_where_the_record_has_it() {
        let stamp = "2026-02-02T08:00:00.000Z";
        let asset = json!({"id": 1, "asset_id": "A-1", "product_id": 1, "status_id": 1, "product_name": "X1",
            "created_at": stamp, "updated_at": stamp});
        let noted = |header: &str, cell: &str| {
            let outcome = Scenario::new()
                .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
                .holds("assets", json!([asset.clone()]))
                .sheet("assets", &format!("id|asset_id|{header}|created_at|updated_at\n1|A-1|{cell}|{stamp}|{stamp}"))
                .plan();
            outcome.rows[0].note.clone()
        };
        assert_eq!(noted("unheard_of", "x"), "");
        assert_eq!(noted("created_by", ""), "");
    }

    #[test]
    fn names_of_one_cell_are_told_apart() {
        let names = |text: &str| super::holder_names(text).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(names(" Ada ;; Bob; "), ["Ada", "Bob"]);
        assert_eq!(names(" ; "), [""; 0]);
    }
}
