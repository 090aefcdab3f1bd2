//! The columns of an export that the service sets. They are never sent: edits of them are told, and `verify` tells where
//! the account says something else.

use serde_json::Value as Json;

use super::{Decision, Planner, SheetPlan};
use crate::api::integer;
use crate::catalog::{Catalog, LookupResult, Record, RecordRef, ReferenceSyntax};
use crate::check::CheckedRow;
use crate::mapping::{Column, ColumnTarget, Ids, Ignored, Mapping, TimestampColumn};
use crate::plan::ReportedTimestamp;
use crate::plan::step::StepSink;
use crate::plan::target::TargetRecord;
use crate::plan::unchanged;
use crate::schema::{self, Entity, Field, Kind, Meaning};
use crate::table::{Cell, Row};

/// A cell in a column that the service sets or does not report, against the record of its row.
#[derive(Debug, Clone)]
pub(crate) struct ReadOnlyCell {
    /// From 0.
    pub column: u32,
    /// The field that it shows, as an id or by name; none where the schema does not know it.
    pub field: Option<&'static Field>,
    pub state: ReadOnlyState,
}

/// How such a cell compares.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ReadOnlyState {
    Equal,
    /// What the cell shows, and what the record holds. Another record that may have been changed since the export may
    /// explain it.
    Different {
        shown: String,
        held: Json,
        is_explained: bool,
    },
    /// The record does not say.
    Unknown,
}

impl ReadOnlyCell {
    fn is_different(&self) -> bool {
        matches!(self.state, ReadOnlyState::Different { .. })
    }

    /// Whether the row says what replies do not report.
    pub(crate) fn is_unreported(&self) -> bool {
        self.state == ReadOnlyState::Unknown && self.field.is_some_and(|field| field.meaning == Some(Meaning::Stock))
    }

    /// Whether something else than an edit may be why it differs.
    pub(crate) fn is_explained(&self) -> bool {
        matches!(self.state, ReadOnlyState::Different { is_explained: true, .. })
    }

    /// What a row says of such a cell that differs.
    pub(super) fn note(&self, header: &str) -> String {
        if self.is_explained() {
            return format!(
                "`{header}` differs, but is read-only: it was edited, or another record was renamed or changed since the \
                 export; it is not sent"
            );
        }
        format!("`{header}` was edited, but is read-only: the edit is not sent")
    }
}

/// A row of an export, and the record that it is about.
struct ExportedRow<'r> {
    mapping: &'r Mapping,
    row: &'r Row,
    record: &'r Record,
    catalog: &'r Catalog,
    /// The latest change that the sheets show: they were exported after it, maybe long after it.
    exported: Option<ReportedTimestamp>,
}

/// The records whose names a column shows.
struct NamedRecords<'r> {
    /// The field that has their ids.
    field: &'static Field,
    value: &'r Json,
    /// Of each the collection and the id.
    records: Vec<(&'static str, i64)>,
}

/// Whether names in a cell are those of the records that the account holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NameMatch {
    /// They are, or may be.
    Held,
    /// Some are the name of nothing.
    NotFound,
    Other,
}

impl<S: StepSink> Planner<'_, S> {
    /// The cells of an exported row in columns that the service sets. A blank one tells only of who holds the record.
    pub(super) fn read_only_cells(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        decision: &Decision,
    ) -> Vec<ReadOnlyCell> {
        let mapping = sheet.mapping;
        let is_of_row = |id: &i64| checked.id.is_some_and(|given| given.number == *id);
        let id = decision.record().filter(is_of_row).filter(|_| mapping.is_exported());
        let Some(record) = id.and_then(|id| self.catalog.record(mapping.entity.name, id)) else { return Vec::new() };
        let exported = self.exported_row(mapping, row, record);
        let columns = mapping.columns.iter().filter(|column| exported.is_read_only(column));
        let cell = |column: &Column| {
            let field = shown_field(mapping.entity, &column.header);
            Some(ReadOnlyCell { column: column.index as u32, field, state: exported.state(column)? })
        };
        columns.filter_map(cell).collect()
    }

    /// Whether a column of an exported row shows who has its record.
    pub(super) fn shows_holders(&self, sheet: &SheetPlan<'_>, row: &Row, record: &Record) -> bool {
        let mapping = sheet.mapping;
        let exported = self.exported_row(mapping, row, record);
        let is_of_holders = |column: &&Column| {
            shown_field(mapping.entity, &column.header).is_some_and(|field| field.meaning == Some(Meaning::Holders))
        };
        let mut columns = mapping.sheet_columns().filter(is_of_holders);
        columns.any(|column| exported.state(column) == Some(ReadOnlyState::Equal))
    }

    fn exported_row<'r>(&'r self, mapping: &'r Mapping, row: &'r Row, record: &'r Record) -> ExportedRow<'r> {
        ExportedRow { mapping, row, record, catalog: self.catalog, exported: self.exported }
    }

    /// The cells that were edited, or may have been. None where the record has changed since the export, which explains
    /// the difference.
    pub(super) fn read_only_edits<'c>(
        &self,
        sheet: &SheetPlan<'_>,
        row: &Row,
        checked: &CheckedRow,
        cells: &'c [ReadOnlyCell],
    ) -> Vec<&'c ReadOnlyCell> {
        let is_filled = |cell: &&ReadOnlyCell| !row.cell(cell.column as usize).is_blank();
        let edited: Vec<_> = cells.iter().filter(|cell| cell.is_different()).filter(is_filled).collect();
        if edited.is_empty() {
            return edited;
        }
        let target = TargetRecord::find(sheet.mapping, row, checked, self.catalog, |_| false);
        target.filter(|target| target.changed_since().is_none()).map_or_else(Vec::new, |_| edited)
    }
}

impl<'r> ExportedRow<'r> {
    fn entity(&self) -> &'static Entity {
        self.mapping.entity
    }

    fn is_read_only(&self, column: &Column) -> bool {
        match column.target {
            ColumnTarget::Ignored(why) => why == Ignored::ReadOnly,
            // It describes another record, and is named as a field that the service sets.
            ColumnTarget::Related { .. } => self.record.contains_key(column.header.as_str()),
            _ => false,
        }
    }

    fn state(&self, column: &Column) -> Option<ReadOnlyState> {
        let (header, cell) = (column.header.as_str(), self.row.cell(column.index));
        let named = self.named_records(header);
        let own = self.held(header);
        let held = own.or(named.as_ref().map(|named| named.value));
        if cell.is_blank() {
            let held = held.filter(|_| shown_field(self.entity(), header).is_some_and(Field::is_about_holder))?;
            return Some(if is_nothing(held) { ReadOnlyState::Equal } else { different(cell, held, false) });
        }
        let Some(held) = held else { return Some(ReadOnlyState::Unknown) };
        let is_shown = own.is_some_and(|own| self.shows(header, cell, own));
        let name = named.as_ref().map(|named| (named, self.name_match(named, cell.text)));
        Some(match name {
            _ if is_shown => ReadOnlyState::Equal,
            Some((_, NameMatch::Held)) => ReadOnlyState::Equal,
            Some((named, _)) if own.is_none() && !self.are_known(named) => ReadOnlyState::Unknown,
            name => different(cell, held, self.is_explained(header, name)),
        })
    }

    /// Whether another record may explain that a cell differs: the one that the value is copied from, or one that may have
    /// had the name.
    fn is_explained(&self, header: &str, name: Option<(&NamedRecords<'_>, NameMatch)>) -> bool {
        let renamed = match name {
            Some((named, NameMatch::NotFound)) => named.records.as_slice(),
            _ => &[],
        };
        self.source(header).iter().chain(renamed).any(|record| self.may_be_changed(*record))
    }

    /// What the account holds under the name of a column. What the service copies from a record that this one refers to, such
    /// as the category of an asset's product, is read there: the copy may be out of date.
    fn held(&self, header: &str) -> Option<&'r Json> {
        let original = || {
            let field = self.entity().field(header)?;
            let (collection, id) = self.source(field.name)?;
            self.catalog.record(collection, id)?.get(field.name)
        };
        original().or_else(|| self.record.get(header))
    }

    /// The record that this one refers to and that the service copies the value of a column from.
    fn source(&self, header: &str) -> Option<(&'static str, i64)> {
        let field = shown_field(self.entity(), header).filter(|field| !field.is_written())?;
        let is_source = |by: &&Field| by.related.iter().any(|related| related.field == field.name);
        let by = self.entity().fields.iter().find(is_source)?;
        Some((by.reference_to()?.to, self.record.get(by.name).and_then(integer)?))
    }

    fn shows(&self, header: &str, cell: Cell<'_>, held: &Json) -> bool {
        let is_shown = match self.entity().field(header) {
            Some(field) => unchanged::is_shown_by(cell, (field, Ids::Bare), Some(held), self.catalog),
            None => unchanged::shows_value(cell, held),
        };
        let is_list = matches!(held, Json::Array(_) | Json::Object(_));
        is_shown
            || unchanged::reads_as(cell, held)
            || is_list && serde_json::from_str::<Json>(cell.text).is_ok_and(|shown| shown == *held)
    }

    /// The records whose names a column headed `deployed_to_name` or `category_name` shows.
    fn named_records(&self, header: &str) -> Option<NamedRecords<'r>> {
        let field = shown_field(self.entity(), header).filter(|field| field.name != header)?;
        let value = self.held(field.name)?;
        Some(NamedRecords { field, value, records: listed_records(field, value) })
    }

    /// Whether the names of these records are known: those of holders are looked up, of others some may be.
    fn are_known(&self, named: &NamedRecords<'_>) -> bool {
        named.is_list() || named.records.iter().all(|(collection, id)| self.catalog.record(collection, *id).is_some())
    }

    fn name_match(&self, named: &NamedRecords<'_>, text: &str) -> NameMatch {
        let describe = |(collection, id): &(&str, i64)| self.catalog.describe(collection, RecordRef::Known(*id));
        if named.records.iter().map(describe).collect::<Vec<_>>().join("; ") == text.trim() {
            return NameMatch::Held;
        }
        let names: Vec<&str> = if named.is_list() { holder_names(text).collect() } else { vec![text.trim()] };
        let found: Vec<Option<bool>> = names.iter().map(|name| self.is_name_of(named, name)).collect();
        match (names.len() == named.records.len(), found.contains(&Some(false)), found.contains(&None)) {
            (true, false, false) => NameMatch::Held,
            (true, false, true) => NameMatch::NotFound,
            (false, ..) | (_, true, _) => NameMatch::Other,
        }
    }

    /// Whether a name is that of one of these records. None where no record has it.
    fn is_name_of(&self, named: &NamedRecords<'_>, name: &str) -> Option<bool> {
        // A record that is gone is shown by its id.
        if let Some(id) = name.strip_prefix('#').and_then(|id| id.parse::<i64>().ok()) {
            return Some(named.records.iter().any(|(_, held)| *held == id));
        }
        let find = |collection: &'static str| match self.catalog.as_held().find(
            collection,
            name,
            ReferenceSyntax::Marked,
            None,
        ) {
            LookupResult::One(RecordRef::Known(id)) => Some(named.records.contains(&(collection, id))),
            LookupResult::None { .. } => None,
            _ => Some(true),
        };
        named.collections().filter_map(find).reduce(|one, other| one || other)
    }

    /// Whether a record may have been changed after the sheet was exported. No change after the latest one that the sheets
    /// show proves that it was: the export may be later still.
    fn may_be_changed(&self, (collection, id): (&'static str, i64)) -> bool {
        let record = self.catalog.record(collection, id);
        let changed =
            record.and_then(|record| ReportedTimestamp::from_record(record.get(TimestampColumn::Updated.name())));
        changed.zip(self.exported).is_none_or(|(changed, shown)| changed.is_after(shown))
    }
}

impl NamedRecords<'_> {
    /// Whether a cell joins the names of several.
    fn is_list(&self) -> bool {
        !self.field.names.is_empty()
    }

    fn collections(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.field.reference_to().map(|reference| reference.to).into_iter().chain(self.field.names.iter().copied())
    }
}

fn different(cell: Cell<'_>, held: &Json, is_explained: bool) -> ReadOnlyState {
    ReadOnlyState::Different { shown: cell.text.trim().to_owned(), held: held.clone(), is_explained }
}

fn is_nothing(held: &Json) -> bool {
    match held {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(members) => members.is_empty(),
        _ => false,
    }
}

/// The field that a column of an export shows. The names of what a field refers to stand in a column of their own.
fn shown_field(entity: &'static Entity, header: &str) -> Option<&'static Field> {
    let is_named = |field: &&Field| !field.is_written() && (field.reference_to().is_some() || !field.names.is_empty());
    let by_name = header.strip_suffix("_name").and_then(|base| {
        let ids = [entity.field(base), entity.field(&format!("{base}_id"))];
        ids.into_iter().flatten().find(is_named)
    });
    by_name.or_else(|| entity.field(header))
}

/// The records that a value refers to: one by its id, or those that a structure such as `deployed_to` lists.
pub(crate) fn listed_records(field: &Field, held: &Json) -> Vec<(&'static str, i64)> {
    if let Kind::Reference(reference) = field.kind {
        return integer(held).map(|id| (reference.to, id)).into_iter().collect();
    }
    let members = held.as_array().map(Vec::as_slice).unwrap_or_default();
    let collections = field.names.iter().filter_map(|name| schema::collection(name));
    let keys: Vec<_> = collections.map(|entity| (entity.name, format!("{}_id", entity.singular))).collect();
    let listed = |member: &Json| keys.iter().find_map(|(name, key)| Some((*name, member.get(key).and_then(integer)?)));
    members.iter().filter_map(listed).collect()
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
        let person = |id: i64, name: &str| json!({"id": id, "name": name, "email": format!("{id}@example.com"), "updated_at": stamp});
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
    fn a_name_that_nothing_has_was_edited_or_is_an_old_one() {
        let (stamp, later) = ("2026-02-02T08:00:00.000Z", "2026-03-03T08:00:00.000Z");
        let person = |id: i64, name: &str, updated: &str| json!({"id": id, "name": name, "email": format!("{id}@example.com"), "updated_at": updated});
        let held = |id: i64| json!([{"employee_id": id}]);
        // Ada was changed after the latest change that the sheet shows, which may have been before the export; Bob was not.
        let cases = [
            (1, "Ada Old", 1, "", "deployed_to_name"),
            (1, "Ada", 1, "", ""),
            (1, "Bob", 1, "deployed_to_name", ""),
            (1, "Ada Old", 2, "deployed_to", "deployed_to_name"),
            (2, "Bobby", 2, "deployed_to_name", ""),
        ];
        let asset = |(holder, ..): &(i64, &str, i64, &str, &str), id: i64| {
            json!({"id": id, "asset_id": format!("A-{id}"), "product_id": 1, "status_id": 1, "deployed_to": held(*holder),
                "category_id": 1, "category_name": "Notebooks", "created_at": stamp, "updated_at": stamp})
        };
        let assets: Vec<_> = cases.iter().zip(1..).map(|(case, id)| asset(case, id)).collect();
        let rows: String = cases
            .iter()
            .zip(1..)
            .map(|((_, name, id, ..), row)| format!("\n{row}|A-{row}|1|Notebooks|{}|{name}|{stamp}|{stamp}", held(*id)))
            .collect();
        let outcome = Scenario::new()
            .holds("employees", json!([person(1, "Ada", later), person(2, "Bob", stamp)]))
            .holds("categories", json!([{"id": 1, "name": "Notebooks", "type": "asset", "updated_at": later}]))
            .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1}]))
            .holds("assets", assets.into())
            .sheet(
                "assets",
                &format!(
                    "id|asset_id|category_id|category_name|deployed_to|deployed_to_name|created_at|updated_at{rows}"
                ),
            )
            .plan();
        for ((.., edited, differing), row) in cases.iter().zip(&outcome.rows) {
            for (header, words) in [(edited, "was edited"), (differing, "differs")] {
                let is_told = row.note.contains(&format!("`{header}` {words}"));
                assert_eq!(is_told, !header.is_empty(), "{}", row.note);
            }
            let count = [edited, differing].iter().filter(|header| !header.is_empty()).count();
            assert_eq!(row.note.matches("is read-only").count(), count, "{}", row.note);
        }
        let totals = &outcome.totals;
        assert_eq!(
            (totals.read_only_edits["deployed_to_name"], totals.read_only_edits["deployed_to"]),
            ((2, 4), (1, 5))
        );
        assert_eq!(totals.read_only_differences["deployed_to_name"], (2, 2));
    }

    #[test]
    fn a_value_of_another_record_that_was_changed_since_is_told_as_a_difference() {
        let (stamp, later) = ("2026-02-02T08:00:00.000Z", "2026-03-03T08:00:00.000Z");
        let note = |changed: &str, headers: &str, cells: &str| {
            let outcome = Scenario::new()
                .holds("categories", json!([{"id": 1, "name": "Notebooks", "type": "asset", "updated_at": changed}]))
                .holds("products", json!([{"id": 1, "name": "X1", "category_id": 1, "updated_at": changed}]))
                .holds(
                    "assets",
                    json!([{"id": 1, "asset_id": "A-1", "product_id": 1, "status_id": 1, "category_id": 1,
                        "category_name": "Notebooks", "created_at": stamp, "updated_at": stamp}]),
                )
                .sheet("assets", &format!("id|asset_id|{headers}|created_at|updated_at\n1|A-1|{cells}|{stamp}|{stamp}"))
                .plan();
            outcome.rows[0].note.clone()
        };
        for (headers, cells) in
            [("category_id", "7"), ("category_name", "Laptops"), ("category_id|category_name", "7|Laptops")]
        {
            let header = headers.split('|').next().unwrap_or_default();
            for (changed, words) in [(later, "differs"), (stamp, "was edited")] {
                let note = note(changed, headers, cells);
                assert!(note.starts_with(&format!("`{header}` {words}")), "{headers}: {note}");
            }
        }
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

    #[test]
    fn nothing_is_held_by_a_field_that_is_null_or_empty() {
        for held in [json!(null), json!(""), json!(" "), json!([])] {
            assert!(super::is_nothing(&held), "{held}");
        }
        for held in [json!("Ada"), json!([{"employee_id": 1}]), json!(0), json!(false), json!({})] {
            assert!(!super::is_nothing(&held), "{held}");
        }
    }
}
