//! The existing record that a row's id identifies, if the id can be trusted.
//!
//! Exports of any system have an `id` column, and another system's `12` must not overwrite our `#12`. So an id counts
//! if the user or an earlier result vouches for it, if the row's creation timestamp matches the record as exactly as the
//! file has it, or if the row's key matches the record's. Such a row is compared with its record cell by cell: a cell that
//! shows the record's current value has not been edited ([`super::unchanged`]).

use super::timestamp::ReportedTimestamp;
use super::{diff, unchanged};
use crate::api::custom_fields;
use crate::catalog::{Catalog, Record};
use crate::check::{CheckedRow, Code, ParsedId, ValueError, text::is_no_value_mark};
use crate::mapping::{Column, ColumnTarget, IdOwnership, Mapping, TimestampColumn};
use crate::plan::resolver::ResolvedField;
use crate::schema::CUSTOM_FIELDS;
use crate::table::{Cell, Row};

/// The record that a row targets.
#[derive(Debug, Clone, Copy)]
pub(super) struct TargetRecord<'c> {
    pub(super) id: ParsedId,
    pub(super) record: &'c Record,
    /// When the record had last been changed as of the export. Nothing where the row says it of another system's record.
    pub(super) version: ShownTimestamp,
}

/// What a row says of a timestamp of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShownTimestamp {
    Nothing,
    At(ReportedTimestamp),
    /// The cell is filled, and it is not known which moment it means.
    Unreadable,
}

impl ShownTimestamp {
    pub(super) fn at(self) -> Option<ReportedTimestamp> {
        match self {
            ShownTimestamp::At(shown) => Some(shown),
            ShownTimestamp::Nothing | ShownTimestamp::Unreadable => None,
        }
    }
}

/// Whether a row's timestamps show that it is about the record with its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RecordIdentity {
    Same,
    Unknown,
    Other,
}

impl<'c> TargetRecord<'c> {
    /// Finds the record with the row's id. `None` if the account has none, or if the row may be about another
    /// system's record. `key_matches` says whether the row's key matches the record's.
    pub(super) fn find(
        mapping: &Mapping,
        row: &Row,
        checked: &CheckedRow,
        catalog: &'c Catalog,
        key_matches: impl FnOnce(&Record) -> bool,
    ) -> Option<Self> {
        let id = checked.id?;
        let record = catalog.record(mapping.entity.name, id.number)?;
        let identity = record_identity(mapping, row, record);
        if id.ownership == IdOwnership::Unverified && identity != RecordIdentity::Same && !key_matches(record) {
            return None;
        }
        let version = match identity {
            RecordIdentity::Other => ShownTimestamp::Nothing,
            RecordIdentity::Same | RecordIdentity::Unknown => shown(mapping, row, record, TimestampColumn::Updated),
        };
        Some(Self { id, record, version })
    }

    /// When the service changed the record, if that was after the export.
    pub(super) fn changed_since(&self) -> Option<ReportedTimestamp> {
        let changed = ReportedTimestamp::from_record(self.record.get(TimestampColumn::Updated.name()))?;
        self.version.at().filter(|version| changed.is_after(*version)).map(|_| changed)
    }

    /// The reference fields of which some cell shows the record's current value.
    pub(super) fn shown_references(&self, mapping: &Mapping, row: &Row, catalog: &Catalog) -> Vec<usize> {
        let reference = |column: &Column| match column.target {
            ColumnTarget::Field { field, .. } => mapping.entity.fields[field].reference_to().map(|_| field),
            _ => None,
        };
        let shown = mapping.columns.iter().filter_map(|column| Some((reference(column)?, column.index as u32)));
        shown.filter(|(_, column)| self.shows(mapping, row, *column, catalog)).map(|(field, _)| field).collect()
    }

    /// Whether a cell shows the record's current value of the field or custom field that its column feeds.
    pub(super) fn shows(&self, mapping: &Mapping, row: &Row, column: u32, catalog: &Catalog) -> bool {
        let Some(known) = mapping.columns.iter().find(|known| known.index == column as usize) else { return false };
        // The apostrophe that begins a text of a workbook may be an escape or, as our own workbooks have it, the record's.
        let cells = [Some(row.cell(column as usize)), row.cell_with_apostrophe(column as usize)];
        cells.into_iter().flatten().any(|cell| self.cell_shows(mapping, cell, known, catalog))
    }

    fn cell_shows(&self, mapping: &Mapping, cell: Cell<'_>, known: &Column, catalog: &Catalog) -> bool {
        match &known.target {
            ColumnTarget::Field { field, ids } => {
                let field = &mapping.entity.fields[*field];
                let held = self.record.get(field.name);
                unchanged::is_shown_by(cell, (field, *ids), held, catalog)
            }
            ColumnTarget::Custom(name) => self.shows_custom(cell, name),
            // A describing column that the service returns under the same name; it is never written.
            ColumnTarget::Related { .. } => self.record.contains_key(known.header.as_str()),
            _ => false,
        }
    }

    fn shows_custom(&self, cell: Cell<'_>, name: &str) -> bool {
        let Some(fields) = self.record.get(CUSTOM_FIELDS) else { return false };
        let pairs = custom_fields(fields);
        let held = diff::position_of(name, &pairs).map(|position| &pairs[position].1);
        !cell.is_blank() && held.is_some_and(|held| unchanged::is_same_text(cell.text, held))
    }
}

/// Whether a record was changed after a timestamp, as far as is known.
pub(super) fn changed_after(record: &Record, moment: ReportedTimestamp) -> bool {
    ReportedTimestamp::from_record(record.get(TimestampColumn::Updated.name()))
        .is_some_and(|changed| changed.is_after(moment))
}

/// Whether a row shows when its record was last changed, and that is still so.
pub(super) fn shows_last_change(mapping: &Mapping, row: &Row, record: &Record) -> bool {
    let changed = ReportedTimestamp::from_record(record.get(TimestampColumn::Updated.name()));
    let shown = shown(mapping, row, record, TimestampColumn::Updated).at();
    shown.zip(changed).is_some_and(|(shown, changed)| shown.is_same(changed))
}

/// Adds a note that a name was ignored because it may be outdated.
pub(super) fn note_old_name(note: &mut String, header: Option<&str>, name: &str, called: &str) {
    let header = header.unwrap_or_default();
    add_note(note, &format!("`{header}` ignored: `{name}` seems to be the former name of `{called}`"));
}

/// Adds a note that an id was ignored because it may be outdated.
pub(super) fn note_id_left_behind(note: &mut String, header: &str) {
    add_note(note, &format!("`{header}` ignored: the name next to it matches the record"));
}

/// Adds a note that a record keeps its name, because a column has no part of another one.
pub(super) fn note_partial_name(note: &mut String, (field, name): (&str, &str), header: Option<&str>) {
    let header = header.unwrap_or_default();
    add_note(note, &format!("`{field}` stays `{name}`: `{header}` is blank"));
}

pub(super) fn add_note(note: &mut String, more: &str) {
    if !note.is_empty() {
        note.push_str("; ");
    }
    note.push_str(more);
}

/// The error for an unknown name next to a valid id.
pub(super) fn unknown_name_beside_id(collection: &str, name: &str, told_by_id: &str, id: i64) -> ValueError {
    ValueError::new(
        Code::NameNotFound,
        format!("`{name}` not found in {collection}; the id beside it is {told_by_id} (#{id})"),
        format!(
            "write that name if it was renamed since the export, or correct it; for a new record empty the id beside it \
             and pass --create-missing={collection}"
        ),
    )
}

/// Compares the row's timestamps with the record's.
fn record_identity(mapping: &Mapping, row: &Row, record: &Record) -> RecordIdentity {
    let told = |timestamp: TimestampColumn| {
        Some((
            shown(mapping, row, record, timestamp).at()?,
            ReportedTimestamp::from_record(record.get(timestamp.name()))?,
        ))
    };
    match (told(TimestampColumn::Created), told(TimestampColumn::Updated)) {
        (Some((shown, held)), _) if shown.is_same(held) => RecordIdentity::Same,
        (Some(_), _) => RecordIdentity::Other,
        (None, Some((shown, held))) if shown.is_same(held) => RecordIdentity::Same,
        (None, _) => RecordIdentity::Unknown,
    }
}

/// What a row shows as a timestamp of its record. A text that may mean several moments means the one that the record has,
/// if that is among them: another record does not have it by chance.
fn shown(mapping: &Mapping, row: &Row, record: &Record, timestamp: TimestampColumn) -> ShownTimestamp {
    let other = match timestamp {
        TimestampColumn::Created => TimestampColumn::Updated,
        TimestampColumn::Updated => TimestampColumn::Created,
    };
    let cell = |timestamp| mapping.timestamp_column(timestamp).map(|column| row.cell(column as usize));
    let Some(own) = cell(timestamp).filter(|own| !own.is_blank() && !is_no_value_mark(own.text.trim())) else {
        return ShownTimestamp::Nothing;
    };
    if let Some(shown) = ReportedTimestamp::from_cell_beside(own, cell(other).unwrap_or(Cell::BLANK)) {
        return ShownTimestamp::At(shown);
    }
    let held = ReportedTimestamp::from_record(record.get(timestamp.name()));
    let is_held = |shown: &ReportedTimestamp| held.is_some_and(|held| held.is_same(*shown));
    let spelled = ReportedTimestamp::spelled(own.text).into_iter().find(is_held);
    spelled.map_or(ShownTimestamp::Unreadable, ShownTimestamp::At)
}

/// A row's values, split by whether they differ from the target record.
#[derive(Debug, Default)]
pub(super) struct RowDelta {
    /// Values that differ and will be written.
    pub(super) edited: Vec<ResolvedField>,
    /// Values that the record already has.
    pub(super) unchanged: Vec<ResolvedField>,
    /// The reference fields of which some cell shows the record's current value, whether or not the name can be
    /// resolved.
    pub(super) shown: Vec<usize>,
}

impl RowDelta {
    /// For a row without a target record.
    pub(super) fn all_edited(fields: Vec<ResolvedField>) -> Self {
        Self { edited: fields, ..Self::default() }
    }

    /// All values of the row, each field once; edited values take precedence.
    pub(super) fn all(&self) -> Vec<ResolvedField> {
        let mut all = self.edited.clone();
        for held in &self.unchanged {
            if !all.iter().any(|given| given.field == held.field) {
                all.push(held.clone());
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_was_changed_after_every_moment_before_its_last_change() {
        let moment = |text: &str| ReportedTimestamp::from_record(Some(&json!(text))).unwrap();
        let record = |fields: serde_json::Value| fields.as_object().cloned().unwrap();
        let changed = record(json!({"id": 1, "updated_at": "2026-01-02T12:00:00.000Z"}));
        assert!(changed_after(&changed, moment("2026-01-02T11:59:59.000Z")));
        assert!(!changed_after(&changed, moment("2026-01-02T12:00:00.000Z")));
        assert!(!changed_after(&changed, moment("2026-01-03T00:00:00.000Z")));
        assert!(!changed_after(&record(json!({"id": 1})), moment("2026-01-02T12:00:00.000Z")), "it does not say");
    }

    #[test]
    fn a_record_is_the_one_whose_moments_a_row_shows() {
        let row = |cells: &[&str]| {
            let mut row = Row::default();
            row.clear(1);
            cells.iter().for_each(|cell| row.push_csv(cell));
            row
        };
        let (created, updated, other) =
            ("2026-01-02T12:00:00.000Z", "2026-03-04T12:00:00.000Z", "2026-05-06T12:00:00.000Z");
        let record = json!({"id": 1, "created_at": created, "updated_at": updated}).as_object().cloned().unwrap();
        let header = row(&["asset_id", "created_at", "updated_at"]);
        let entity = crate::schema::collection("assets").unwrap();
        let mapping = Mapping::new(entity, &header, &crate::mapping::MappingOverrides::default()).unwrap();
        let identity =
            |created: &str, updated: &str| record_identity(&mapping, &row(&["A-1", created, updated]), &record);
        assert_eq!([identity(created, ""), identity(created, other)], [RecordIdentity::Same; 2]);
        assert_eq!([identity(other, ""), identity(other, updated)], [RecordIdentity::Other; 2]);
        assert_eq!(identity("", updated), RecordIdentity::Same);
        assert_eq!([identity("", other), identity("", "")], [RecordIdentity::Unknown; 2], "it may have been changed");
    }
}
