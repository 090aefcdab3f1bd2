//! Conflicts: a record was changed on the service after its sheet was exported, and a row would overwrite that
//! change.
//!
//! Only the user can tell which value is right, so the row is not sent. Every field that differs between sheet and
//! service is reported with both values, until `--conflicts` says which side wins.

use serde_json::Value as Json;

use super::diff;
use super::missing::DependencyRecord;
use super::target::TargetRecord;
use super::timestamp::ReportedTimestamp;
use crate::api::custom_fields;
use crate::catalog::{Catalog, RecordRef};
use crate::check::{Code, Conflicts, CustomField, Problem, ValueError};
use crate::mapping::Mapping;
use crate::plan::resolver::ResolvedField;
use crate::schema::{CUSTOM_FIELDS, Field};
use crate::table::Row;

/// Longest value shown in a message, in characters.
const LONGEST_VALUE: usize = 60;

/// The hint of every conflict.
const HINT: &str = "edit a new export or the result of your last import, or choose which values win with --conflicts \
                    theirs, mine or skip";

/// The differences between a row and its record, and when the service last changed the record.
#[derive(Debug)]
pub(super) struct Conflict {
    changed: ReportedTimestamp,
    differing: Vec<Difference>,
    id_column: u32,
    id: i64,
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
}

/// The changes a row would make.
pub(super) struct Changes<'d> {
    pub(super) fields: &'d [ResolvedField],
    pub(super) missing: &'d [(usize, DependencyRecord)],
    pub(super) custom: &'d [CustomField],
}

impl Conflict {
    /// Returns `None` if the record has not changed since the sheet was exported.
    pub(super) fn of(
        target_record: &TargetRecord<'_>,
        changes: &Changes<'_>,
        mapping: &Mapping,
        row: &Row,
        catalog: &Catalog,
    ) -> Option<Self> {
        let changed = target_record.changed_since()?;
        let entity = mapping.entity;
        let of_field = |field: usize, column: u32| {
            let field = &entity.fields[field];
            Difference::at(column, mapping, row, service_value(field, target_record.record.get(field.name), catalog))
        };
        let mut differing: Vec<Difference> =
            changes.fields.iter().map(|given| of_field(given.field, given.column)).collect();
        for (field, _) in changes.missing {
            let column = mapping.column_of(entity.fields[*field].name);
            differing.extend(column.map(|column| of_field(*field, column)));
        }
        let pairs = target_record.record.get(CUSTOM_FIELDS).map(custom_fields).unwrap_or_default();
        differing.extend(changes.custom.iter().map(|given| {
            let held = diff::position_of(&given.name, &pairs).map(|position| pairs[position].1.clone());
            Difference::at(given.column, mapping, row, held.unwrap_or_default())
        }));
        differing.sort_by_key(|difference| difference.column);
        Some(Self { changed, differing, id_column: target_record.id.column, id: target_record.id.number })
    }

    /// One problem per differing cell. A row that deletes its record gets one at its id instead.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let error = |message: String| ValueError::new(Code::RecordConflict, message, HINT);
        let since = self.changed.text();
        if self.differing.is_empty() {
            let message = format!("changed on the service on {since}, after the export");
            return vec![error(message).at(Some(self.id_column), &self.id.to_string())];
        }
        let problem = |difference: &Difference| {
            let message = format!("the service has {}, changed on {since}, after the export", difference.service());
            error(message).at(Some(difference.column), &difference.sheet)
        };
        self.differing.iter().map(problem).collect()
    }

    /// The row's message when `--conflicts` resolves the conflict.
    pub(super) fn message(&self, stays: Conflicts) -> String {
        let what = match stays {
            Conflicts::Theirs => "its values are kept",
            Conflicts::Mine => "the sheet's values are written",
            Conflicts::Skip => "the row is skipped",
        };
        let listed: Vec<String> = self.differing.iter().map(Difference::text).collect();
        let since = self.changed.text();
        let differing = if listed.is_empty() { String::new() } else { format!(": {}", listed.join("; ")) };
        format!("changed on the service on {since}, after the export; {what}{differing}")
    }
}

impl Difference {
    fn at(column: u32, mapping: &Mapping, row: &Row, service: String) -> Self {
        let header = mapping.header(column).unwrap_or_default().to_owned();
        let sheet = row.cell(column as usize).text.trim().to_owned();
        Self { column, header, sheet, service }
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
