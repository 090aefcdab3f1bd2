//! A record that was changed on the service after its sheet was exported, and a row that would go over that.
//!
//! Which of the two is right nobody can tell but the user: the row is not sent, and every field in which sheet and
//! service differ shows both values, until `--conflicts` says whose stay.

use serde_json::Value as Json;

use super::missing::Draft;
use super::moment::Moment;
use super::own::Own;
use super::{diff, held};
use crate::api::custom_fields;
use crate::catalog::{Catalog, RecordRef};
use crate::check::{Code, Conflicts, GivenCustom, Problem, ValueError};
use crate::mapping::Mapping;
use crate::plan::resolver::ResolvedField;
use crate::schema::Field;
use crate::table::Row;

/// The characters of a value that a message shows.
const LONGEST_VALUE: usize = 60;

/// What to do about it.
const HINT: &str = "edit a new export or the result of your last import, or choose which values win with --conflicts \
                    theirs, mine or skip";

/// Where a row and its record differ, and since when.
#[derive(Debug)]
pub(super) struct Conflict {
    changed: Moment,
    differing: Vec<Difference>,
    id_column: u32,
    id: i64,
}

/// One field.
#[derive(Debug)]
struct Difference {
    column: u32,
    /// The header over it.
    header: String,
    /// As the sheet has it.
    sheet: String,
    /// As the service has it; empty for nothing.
    service: String,
}

/// What a row would change.
pub(super) struct Changes<'d> {
    pub(super) fields: &'d [ResolvedField],
    pub(super) missing: &'d [(usize, Draft)],
    pub(super) custom: &'d [GivenCustom],
}

impl Conflict {
    /// None where the record is as old as the sheet, or older.
    pub(super) fn of(
        own: &Own<'_>,
        changes: &Changes<'_>,
        mapping: &Mapping,
        row: &Row,
        catalog: &Catalog,
    ) -> Option<Self> {
        let changed = own.changed_since()?;
        let entity = mapping.entity;
        let of_field = |field: usize, column: u32| {
            let field = &entity.fields[field];
            Difference::at(column, mapping, row, service_value(field, own.record.get(field.name), catalog))
        };
        let mut differing: Vec<Difference> =
            changes.fields.iter().map(|given| of_field(given.field, given.column)).collect();
        for (field, _) in changes.missing {
            let column = mapping.column_of(entity.fields[*field].name);
            differing.extend(column.map(|column| of_field(*field, column)));
        }
        let pairs = own.record.get("custom_fields").map(custom_fields).unwrap_or_default();
        differing.extend(changes.custom.iter().map(|given| {
            let held = diff::position_of(&given.name, &pairs).map(|position| pairs[position].1.clone());
            Difference::at(given.column, mapping, row, held.unwrap_or_default())
        }));
        differing.sort_by_key(|difference| difference.column);
        Some(Self { changed, differing, id_column: own.id.column, id: own.id.number })
    }

    /// One problem for every cell in which sheet and service differ; of a row that deletes, one for its id too.
    pub(super) fn problems(&self) -> Vec<Problem> {
        let error = |message: String| ValueError::new(Code::RecordConflict, message, HINT);
        let since = self.changed.text();
        if self.differing.is_empty() {
            let message = format!("the record was changed on the service on {since}, after the export");
            return vec![error(message).at(Some(self.id_column), &self.id.to_string())];
        }
        let problem = |difference: &Difference| {
            let message = format!("the service has {}, changed on {since}, after the export", difference.service());
            error(message).at(Some(difference.column), &difference.sheet)
        };
        self.differing.iter().map(problem).collect()
    }

    /// What the row says that is not sent.
    pub(super) fn message(&self, stays: Conflicts) -> String {
        let what = match stays {
            Conflicts::Theirs => "its values stay",
            Conflicts::Mine => "the sheet's values are written",
            Conflicts::Skip => "the row is skipped",
        };
        let listed: Vec<String> = self.differing.iter().map(Difference::text).collect();
        let since = self.changed.text();
        let differing = if listed.is_empty() { String::new() } else { format!(": {}", listed.join("; ")) };
        format!("the record was changed on the service on {since}, after the export, and {what}{differing}")
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

/// A field's value for people: of a reference the name, with its id.
fn service_value(field: &Field, held: Option<&Json>, catalog: &Catalog) -> String {
    let Some(held) = held else { return String::new() };
    match (field.reference_to(), held) {
        (_, Json::Null) => String::new(),
        (Some(reference), Json::Number(_)) => match held::id(held) {
            Some(id) if catalog.record(reference.to, id).is_some() => {
                format!("{} (#{id})", catalog.describe(reference.to, RecordRef::Known(id)))
            }
            _ => format!("#{held}"),
        },
        (_, Json::String(text)) => text.clone(),
        _ => held.to_string(),
    }
}

/// A value in backticks, shortened; `empty` for nothing.
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
