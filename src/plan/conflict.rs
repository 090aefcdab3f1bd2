//! Conflicts: a record was changed on the service after its sheet was exported, and a row would overwrite that
//! change.
//!
//! The same goes for the result of a run: what others have changed since is not overwritten by its edits.
//!
//! Only the user can tell which value is right, so the row is not sent. Every field that differs between sheet and
//! service is reported with both values, until `--conflicts` says which side wins.

use serde_json::Value as Json;

use super::diff;
use super::missing::DependencyRecord;
use super::target::{ShownTimestamp, TargetRecord};
use super::timestamp::ReportedTimestamp;
use crate::api::custom_fields;
use crate::catalog::{Catalog, Record, RecordRef};
use crate::check::{Code, Conflicts, CustomField, ParsedId, Problem, ValueError};
use crate::mapping::{Column, ColumnTarget, Ids, Mapping};
use crate::plan::resolver::ResolvedField;
use crate::schema::{CUSTOM_FIELDS, Field, UPDATED_AT};
use crate::table::Row;

/// Longest value shown in a message, in characters.
const LONGEST_VALUE: usize = 60;

/// The hint of every conflict.
const HINT: &str = "edit a new export or the result of your last import, or choose which values win with --conflicts \
                    theirs, mine or skip";

/// Of a row of which nobody knows whether it was edited.
const UNKNOWN: &str = "and no journal here tells which of the two was changed since the earlier run";
const UNKNOWN_HINT: &str = "choose which values win with --conflicts theirs, mine or skip, or empty the row's \
                                       `_status` to send it like any other";

/// Of a row that does not show readably when it was exported.
const UNREADABLE: &str =
    "and `updated_at` cannot be read, so nobody can tell which of the two was changed after the export";
const UNREADABLE_HINT: &str = "write `updated_at` as it was exported, such as `2026-01-31T09:30:00.000Z`, edit a new export, \
                               or choose which values win with --conflicts theirs, mine or skip";

/// Since when a record may have been changed by others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    Export,
    /// The export, of which the row does not show when it was made.
    UnreadableExport,
    /// The run that wrote the result.
    Run,
    /// Nobody knows whether that or the row was changed.
    Unknown,
}

/// A change of a record by others, as far as is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChangeByOthers {
    since: Since,
    /// None where the record does not say.
    changed: Option<ReportedTimestamp>,
}

/// The differences between a row and its record, and when the service last changed the record.
#[derive(Debug)]
pub(super) struct Conflict {
    change: ChangeByOthers,
    differing: Vec<Difference>,
    /// The record and the column of its id.
    id: Option<(i64, u32)>,
}

/// A field whose value differs.
#[derive(Debug)]
struct Difference {
    column: u32,
    /// The header of its column.
    header: String,
    /// Value in the sheet.
    sheet: String,
    /// Value on the service; empty if it has none.
    service: String,
    /// Whether the values are who holds the record.
    is_holder: bool,
    /// The header of the column whose id is that of the service, if this cell holds a name beside it. Only the user can tell
    /// whether the name was edited, or is left over from before the id was.
    id_beside: Option<String>,
}

/// The changes a row would make.
pub(super) struct Changes<'d> {
    pub(super) fields: &'d [ResolvedField],
    pub(super) missing: &'d [(usize, DependencyRecord)],
    pub(super) custom: &'d [CustomField],
}

impl ChangeByOthers {
    /// `since` is not the export.
    pub(super) fn of(since: Since, record: Option<&Record>) -> Self {
        let changed = record.and_then(|record| ReportedTimestamp::from_record(record.get(UPDATED_AT)));
        Self { since, changed }
    }

    /// None if the record has not changed since the sheet was exported, or the sheet does not say when that was.
    pub(super) fn since_export(target_record: &TargetRecord<'_>) -> Option<Self> {
        match (target_record.version, target_record.changed_since()) {
            (ShownTimestamp::Unreadable, _) => Some(Self { since: Since::UnreadableExport, changed: None }),
            (_, changed) => changed.map(|changed| Self { since: Since::Export, changed: Some(changed) }),
        }
    }

    fn hint(self) -> &'static str {
        match self.since {
            Since::Export | Since::Run => HINT,
            Since::UnreadableExport => UNREADABLE_HINT,
            Since::Unknown => UNKNOWN_HINT,
        }
    }

    /// What became of the record.
    fn on_service(self) -> String {
        match (self.since, self.changed) {
            (Since::Unknown, _) => format!("the service says something else than the row, {UNKNOWN}"),
            (Since::UnreadableExport, _) => String::from(
                "`updated_at` cannot be read, so nobody can tell whether the record was changed after the export",
            ),
            (_, Some(changed)) => format!("changed on the service on {}, {}", changed.text(), self.before()),
            (_, None) => format!("changed on the service {}", self.before()),
        }
    }

    /// When the record was changed, to follow what it holds. Which of its fields were changed is not known.
    fn when(self) -> String {
        match (self.since, self.changed) {
            (Since::Unknown, _) => format!(", {UNKNOWN}"),
            (Since::UnreadableExport, _) => format!(", {UNREADABLE}"),
            (_, Some(changed)) => format!("; the record was changed on {}, {}", changed.text(), self.before()),
            (_, None) => format!("; the record was changed {}", self.before()),
        }
    }

    fn before(self) -> &'static str {
        if self.since == Since::Export { "after the export" } else { "after the earlier run" }
    }
}

impl Conflict {
    /// Returns `None` if the record has not changed since the sheet was exported, or the sheet does not say when that was. A
    /// row whose timestamp cannot be read might overwrite a change, so it conflicts like one that does.
    pub(super) fn of(
        target_record: &TargetRecord<'_>,
        changes: &Changes<'_>,
        mapping: &Mapping,
        row: &Row,
        catalog: &Catalog,
    ) -> Option<Self> {
        let change = ChangeByOthers::since_export(target_record)?;
        let id_beside = |index: usize, column: u32| {
            let is_id_beside = |known: &&Column| {
                matches!(known.target, ColumnTarget::Field { field, ids: Ids::Bare } if field == index)
                    && known.index != column as usize
                    && target_record.shows(mapping, row, known.index as u32, catalog)
            };
            mapping.columns.iter().find(is_id_beside).map(|known| known.header.clone())
        };
        let differing = Difference::all(target_record.record, changes, (mapping, row), catalog, &id_beside);
        let id = Some((target_record.id.number, target_record.id.column));
        Some(Self { change, differing, id })
    }

    /// Of a row that names another holder than `holders`, who have the record; the column of its holder, from 0.
    pub(super) fn of_holder(
        change: ChangeByOthers,
        holders: &[String],
        column: u32,
        (mapping, row): (&Mapping, &Row),
    ) -> Self {
        let difference = Difference { is_holder: true, ..Difference::at(column, mapping, row, holders.join(", ")) };
        Self { change, differing: vec![difference], id: None }
    }

    /// Of a row of a result; `record` is the record with its id, if there is one.
    pub(super) fn of_result(
        since: Since,
        (record, id): (Option<&Record>, Option<ParsedId>),
        changes: &Changes<'_>,
        (mapping, row): (&Mapping, &Row),
        catalog: &Catalog,
    ) -> Self {
        let change = ChangeByOthers::of(since, record);
        let differing = record.map(|record| Difference::all(record, changes, (mapping, row), catalog, &|_, _| None));
        let id = id.map(|id| (id.number, id.column));
        Self { change, differing: differing.unwrap_or_default(), id }
    }

    /// One problem per differing cell. A row that deletes its record gets one at its id instead.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let error = |message: String| ValueError::new(Code::RecordConflict, message, self.change.hint());
        if self.differing.is_empty() {
            let (column, id) = self.id.map(|(id, column)| (column, id.to_string())).unzip();
            return vec![error(self.change.on_service()).at(column, id.as_deref().unwrap_or_default())];
        }
        let problem = |difference: &Difference| {
            let (service, when) = (difference.service(), self.change.when());
            let error = match &difference.id_beside {
                Some(header) => ValueError::new(
                    Code::RecordConflict,
                    format!("the service has {service}, as `{header}` says{when}"),
                    format!(
                        "write the name that goes with `{header}`, or empty the cell; if the name is right, correct \
                         `{header}` and pass --conflicts mine"
                    ),
                ),
                None if difference.is_holder && difference.service.is_empty() => {
                    error(format!("nobody has it now{when}"))
                }
                None if difference.is_holder => error(format!("{service} has it now{when}")),
                None => error(format!("the service has {service}{when}")),
            };
            error.at(Some(difference.column), &difference.sheet)
        };
        self.differing.iter().map(problem).collect()
    }

    /// The message of a row that is not written because of `--conflicts`.
    pub(super) fn message(&self, stays: Conflicts) -> String {
        let what = if stays == Conflicts::Theirs { "its values are kept" } else { "the row is skipped" };
        let listed: Vec<String> = self.differing.iter().map(Difference::text).collect();
        let differing = if listed.is_empty() { String::new() } else { format!(": {}", listed.join("; ")) };
        format!("{}; {what}{differing}", self.change.on_service())
    }
}

impl Difference {
    /// The cells of the changes, in the order of the sheet. `id_beside` tells the header of the column whose id is that of the
    /// record, of a field and a column.
    fn all(
        record: &Record,
        changes: &Changes<'_>,
        (mapping, row): (&Mapping, &Row),
        catalog: &Catalog,
        id_beside: &dyn Fn(usize, u32) -> Option<String>,
    ) -> Vec<Self> {
        let entity = mapping.entity;
        let of_field = |index: usize, column: u32| {
            let field = &entity.fields[index];
            let service = service_value(field, record.get(field.name), catalog);
            Self { id_beside: id_beside(index, column), ..Self::at(column, mapping, row, service) }
        };
        let mut differing: Vec<Self> = changes.fields.iter().map(|given| of_field(given.field, given.column)).collect();
        for (field, _) in changes.missing {
            let column = mapping.column_of(entity.fields[*field].name);
            differing.extend(column.map(|column| of_field(*field, column)));
        }
        let pairs = record.get(CUSTOM_FIELDS).map(custom_fields).unwrap_or_default();
        differing.extend(changes.custom.iter().map(|given| {
            let held = diff::position_of(&given.name, &pairs).map(|position| pairs[position].1.clone());
            Self::at(given.column, mapping, row, held.unwrap_or_default())
        }));
        differing.sort_by_key(|difference| difference.column);
        differing
    }

    fn at(column: u32, mapping: &Mapping, row: &Row, service: String) -> Self {
        let header = mapping.header(column).unwrap_or_default().to_owned();
        let sheet = row.cell(column as usize).text.trim().to_owned();
        Self { column, header, sheet, service, is_holder: false, id_beside: None }
    }

    fn service(&self) -> String {
        quoted(&self.service)
    }

    fn text(&self) -> String {
        format!("`{}` is {} on the service, {} in the sheet", self.header, self.service(), quoted(&self.sheet))
    }
}

/// A field's value for display; a reference as its name and id.
fn service_value(field: &Field, held: Option<&Json>, catalog: &Catalog) -> String {
    let Some(held) = held else { return String::new() };
    match (field.reference_to(), held) {
        (_, Json::Null) => String::new(),
        (Some(reference), Json::Number(_)) => match crate::api::integer(held) {
            Some(id) if catalog.record(reference.to, id).is_some() => {
                format!("{} (#{id})", catalog.describe(reference.to, RecordRef::Known(id)))
            }
            _ => format!("#{held}"),
        },
        (_, Json::String(text)) => text.clone(),
        _ => held.to_string(),
    }
}

/// A value in backticks, shortened; `empty` for no value.
fn quoted(value: &str) -> String {
    match value.trim() {
        "" => String::from("empty"),
        value if value.chars().count() > LONGEST_VALUE => {
            let kept: String = value.chars().take(LONGEST_VALUE).collect();
            format!("`{kept}…`")
        }
        value => format!("`{value}`"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use crate::check::Conflicts;
    use crate::plan::CreateMissing;
    use crate::plan::scenario::Scenario;

    const EXPORTED: &str = "2026-01-01T08:00:00.000Z";
    const CHANGED: &str = "2026-02-02T08:00:00.000Z";

    /// An asset that was changed after it was exported.
    fn account() -> Scenario {
        let asset = json!([{
            "id": 1, "asset_id": "A-1", "asset_name": null, "product_id": 1, "status_id": 1, "location_id": 77,
            "notes": "n".repeat(70), "purchase_cost": 5, "custom_fields": [{"name": "Rack", "value": "B4"}],
            "created_at": EXPORTED, "updated_at": CHANGED,
        }]);
        Scenario::new()
            .holds("statuses", json!([{"id": 1, "name": "Ready", "type": "deployable"}, {"id": 2, "name": "Spare"}]))
            .holds("categories", json!([{"id": 1, "name": "Laptops", "type": "asset"}]))
            .holds(
                "products",
                json!([{"id": 1, "name": "X1", "category_id": 1}, {"id": 2, "name": "X2", "category_id": 1}]),
            )
            .holds("locations", json!([{"id": 7, "name": "Ulm"}]))
            .holds("assets", asset)
    }

    fn sheet(columns: &str, cells: &str) -> String {
        format!("id|asset_id|{columns}|created_at|updated_at\n1|A-1|{cells}|{EXPORTED}|{EXPORTED}")
    }

    #[test]
    fn every_field_that_differs_is_a_problem_with_the_value_of_the_service() {
        let columns = "product|location|notes|asset_name|purchase_cost|custom:Rack|custom:Floor";
        let shown = account().sheet("assets", &sheet(columns, "X2|Ulm|mine|Ada|7|C1|2")).shown();
        let since = "the record was changed on 2026-02-02 08:00:00.000 UTC, after the export";
        let has = |column: char, value: &str| format!("record.conflict at {column}: the service has {value}; {since}");
        let expected = [
            has('C', "`X1 (#1)`"),
            has('D', "`#77`"),
            has('E', &format!("`{}…`", "n".repeat(60))),
            has('F', "empty"),
            has('G', "`5`"),
            has('H', "`B4`"),
            has('I', "empty"),
        ];
        assert_eq!(shown, [format!("reject {}", expected.join("; "))]);
        // What is as the service has it is no difference.
        let same = account().sheet("assets", &sheet("product|purchase_cost", "X1|5")).shown();
        assert_eq!(same, ["unchanged 1"]);
    }

    #[test]
    fn a_row_that_does_not_show_readably_when_it_was_exported_overwrites_nothing() {
        let shown = |cost: &str, updated: &str| {
            let sheet = format!("id|asset_id|purchase_cost|created_at|updated_at\n1|A-1|{cost}|{EXPORTED}|{updated}");
            account().sheet("assets", &sheet).shown().remove(0)
        };
        for unreadable in ["########", "01/02/2026 08:00", "46023", "2026-01-01"] {
            let expected = format!("reject record.conflict at C: the service has `5`, {}", super::UNREADABLE);
            assert_eq!(shown("7", unreadable), expected, "{unreadable}");
            assert_eq!(shown("5", unreadable), "unchanged 1", "{unreadable}");
        }
        for old in ["13/01/2026 08:00", "46023.33333", "1 Jan 2026 8:00 AM"] {
            let row = shown("7", old);
            assert!(row.contains("the service has `5`; the record was changed on 2026-02-02"), "{old}: {row}");
        }
        for last in ["02/02/2026 08:00", "46055.33333", "2/2/26 8:00 AM"] {
            assert_eq!(shown("7", last), r#"update 1 {"purchase_cost":7}"#, "{last}");
        }
        assert_eq!(shown("7", ""), r#"update 1 {"purchase_cost":7}"#);
    }

    #[test]
    fn an_ambiguous_date_that_may_be_the_last_change_is() {
        let held = json!([{"id": 1, "asset_id": "A-1", "purchase_cost": 5, "created_at": EXPORTED,
            "updated_at": "2026-12-01T05:33:12.345Z"}]);
        let shown = |updated: &str| {
            let sheet = format!("id|asset_id|purchase_cost|created_at|updated_at\n1|A-1|7|01/01/2026 08:00|{updated}");
            Scenario::new().holds("assets", held.clone()).sheet("assets", &sheet).shown().remove(0)
        };
        assert_eq!(shown("01/12/2026 05:33"), r#"update 1 {"purchase_cost":7}"#);
        assert_eq!(shown("12/1/26 5:33 AM"), r#"update 1 {"purchase_cost":7}"#);
        assert!(shown("01/12/2026 05:32").starts_with("reject record.conflict"));
    }

    #[test]
    fn a_record_to_delete_of_an_unreadable_export_is_a_problem_at_its_id() {
        let text = "_action|id|asset_id|updated_at\ndelete|1|A-1|########";
        let unreadable =
            "`updated_at` cannot be read, so nobody can tell whether the record was changed after the export";
        assert_eq!(account().sheet("assets", text).shown(), [format!("reject record.conflict at B: {unreadable}")]);
        assert_eq!(
            account().conflicts(Conflicts::Mine).sheet("assets", text).plan().shown_steps(),
            ["assets: delete 1"]
        );
    }

    #[test]
    fn a_name_that_would_be_made_differs_too() {
        let shown = account()
            .create_missing(CreateMissing::All)
            .sheet("assets", &sheet("location", "Oslo"))
            .conflicts(Conflicts::Skip)
            .plan();
        assert_eq!(shown.rows.len(), 1);
        let note = "changed on the service on 2026-02-02 08:00:00.000 UTC, after the export; the row is skipped: `location` is `#77` on the service, `Oslo` in the sheet";
        assert_eq!((shown.shown_steps(), shown.rows[0].note.as_str()), (Vec::new(), note));
    }

    #[test]
    fn who_wins_is_told_with_both_values() {
        let told = |conflicts: Conflicts| {
            let outcome =
                account().conflicts(conflicts).sheet("assets", &sheet("purchase_cost|asset_name", "7|Ada")).plan();
            (outcome.shown_steps(), outcome.rows[0].note.clone())
        };
        let both = "`purchase_cost` is `5` on the service, `7` in the sheet; `asset_name` is empty on the service, `Ada` in the sheet";
        let since = "changed on the service on 2026-02-02 08:00:00.000 UTC, after the export";
        assert_eq!(told(Conflicts::Skip), (Vec::new(), format!("{since}; the row is skipped: {both}")));
        assert_eq!(told(Conflicts::Theirs), (Vec::new(), format!("{since}; its values are kept: {both}")));
        let (steps, note) = told(Conflicts::Mine);
        assert_eq!(note, "", "what is written is a change like any other");
        assert_eq!(steps, [r#"assets: update 1 {"asset_name":"Ada","purchase_cost":7}"#]);
    }

    #[test]
    fn a_record_to_delete_that_has_changed_is_a_problem_at_its_id() {
        let text = format!("_action|id|asset_id|created_at|updated_at\ndelete|1|A-1|{EXPORTED}|{EXPORTED}");
        let since = "changed on the service on 2026-02-02 08:00:00.000 UTC, after the export";
        let shown = account().sheet("assets", &text).shown();
        assert_eq!(shown, [format!("reject record.conflict at B: {since}")]);
        let outcome = account().conflicts(Conflicts::Mine).sheet("assets", &text).plan();
        assert_eq!(outcome.shown_steps(), ["assets: delete 1"]);
        assert_eq!(outcome.rows[0].note, "");
    }
}
