//! The table of changes since the last export of the same name: one row per record that was added or removed, and one
//! per field that changed.

use serde_json::{Map, Value as Json};

use super::columns::{ExportColumns, IdColumns};
use super::destination::{CHANGES_TABLE, OutputLayout};
use super::source::{ExportList, ExportSource};
use crate::api::RawFields;
use crate::catalog::{ChangeKind, LogEntry, RecordChange};
use crate::error::Result;
use crate::schema::{CREATED_AT, Entity, UPDATED_AT};
use crate::table::write::output::{ColumnType, OutputColumn, TableWriter};
use crate::table::{Cell, Row, Value};

/// Fields that change with every update, and so say nothing.
const TIMESTAMP_FIELDS: &[&str] = &[UPDATED_AT, CREATED_AT];
/// Fields of a log entry that identify the person who made the change, the most readable first.
const PERSON_FIELDS: &[&str] = &["user_email", "user_name", "user", "user_id"];

/// How much changed since the last export of the same name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChangeCounts {
    /// Records.
    pub added: u64,
    pub removed: u64,
    pub changed: u64,
    /// Rows of the table: one per changed field.
    pub rows: u64,
    /// Collections that were exported under this name for the first time, so that there is nothing to compare with.
    pub first_exports: u64,
}

impl ChangeCounts {
    pub(crate) fn add(&mut self, other: Self) {
        self.added += other.added;
        self.removed += other.removed;
        self.changed += other.changed;
        self.rows += other.rows;
        self.first_exports += other.first_exports;
    }
}

/// Writes the table of changes of these accounts since the last export called `name`.
pub(crate) fn write_changes(
    sources: &[ExportSource<'_>],
    name: &str,
    layout: OutputLayout,
    output: &mut dyn TableWriter,
) -> Result<ChangeCounts> {
    let has_tenants = sources.len() > 1;
    output.begin(CHANGES_TABLE, &columns(has_tenants, layout))?;
    let mut counts = ChangeCounts::default();
    for source in sources {
        let tenant = source.tenant.filter(|_| has_tenants).map(|tenant| tenant.id.to_string());
        for list in &source.lists {
            let Some((_, changes)) = source.copy.mirror.changes_since(name, list.entity)? else {
                counts.first_exports += 1;
                continue;
            };
            let mut writer = ChangeWriter::new(source, list, tenant.as_deref(), output, &mut counts)?;
            changes.iter().try_for_each(|change| writer.write(change))?;
        }
    }
    Ok(counts)
}

fn columns(has_tenants: bool, layout: OutputLayout) -> Vec<OutputColumn> {
    let collection = match layout {
        OutputLayout::Flat => "collection",
        // To data tools, `collection` is part of the folder's name: here `changes`.
        OutputLayout::Partitioned => "changed_collection",
    };
    let headers = [collection, "id", "record", "change", "field", "before", "after", "changed_at", "event", "by"];
    let column = |header: &str| OutputColumn {
        header: header.to_owned(),
        column_type: if header == "changed_at" { ColumnType::Timestamp } else { ColumnType::Text },
    };
    has_tenants.then_some("tenant_id").into_iter().chain(headers).map(column).collect()
}

/// A cell before or after a change. An amount is a number, to calculate with.
#[derive(Debug, Default)]
struct ChangedCell {
    text: String,
    number: Option<f64>,
}

fn number(cell: Cell<'_>) -> Option<f64> {
    match cell.value {
        Value::Number(number) => Some(number),
        _ => None,
    }
}

/// Writes the changes of one collection.
struct ChangeWriter<'a, 's> {
    source: &'a ExportSource<'s>,
    entity: &'static Entity,
    /// The columns whose cells are compared.
    columns: ExportColumns,
    tenant: Option<&'a str>,
    output: &'a mut dyn TableWriter,
    row: Row,
    counts: &'a mut ChangeCounts,
}

impl<'a, 's> ChangeWriter<'a, 's> {
    fn new(
        source: &'a ExportSource<'s>,
        list: &ExportList,
        tenant: Option<&'a str>,
        output: &'a mut dyn TableWriter,
        counts: &'a mut ChangeCounts,
    ) -> Result<Self> {
        let shape = source.copy.mirror.observed_fields(list.entity)?;
        let columns = ExportColumns::of(list.entity, &shape, IdColumns::NamesOnly);
        Ok(Self { source, entity: list.entity, columns, tenant, output, row: Row::default(), counts })
    }

    fn write(&mut self, change: &RecordChange) -> Result<()> {
        match &change.kind {
            ChangeKind::Added(record) => {
                self.counts.added += 1;
                self.write_row(change, record, ("added", ""), [&ChangedCell::default(), &ChangedCell::default()])
            }
            ChangeKind::Removed(record) => {
                self.counts.removed += 1;
                self.write_row(change, record, ("removed", ""), [&ChangedCell::default(), &ChangedCell::default()])
            }
            ChangeKind::Updated { before, after } => {
                self.counts.changed += 1;
                let (old, new) = (self.cells(before), self.cells(after));
                let headers: Vec<String> = self.columns.headers().map(str::to_owned).collect();
                for ((header, old), new) in headers.iter().zip(&old).zip(&new) {
                    if old.text != new.text && !TIMESTAMP_FIELDS.contains(&header.as_str()) {
                        self.write_row(change, after, ("changed", header), [old, new])?;
                    }
                }
                Ok(())
            }
        }
    }

    /// A record's cells.
    fn cells(&self, record: &Map<String, Json>) -> Vec<ChangedCell> {
        let json = Json::Object(record.clone()).to_string();
        let mut row = Row::default();
        if let Some(fields) = RawFields::of(&json) {
            self.columns.fill(&fields, &self.source.names, &mut row);
        }
        row.cells().map(|cell| ChangedCell { text: cell.text.to_owned(), number: number(cell) }).collect()
    }

    fn write_row(
        &mut self,
        change: &RecordChange,
        record: &Map<String, Json>,
        (kind, field): (&str, &str),
        cells: [&ChangedCell; 2],
    ) -> Result<()> {
        self.counts.rows += 1;
        let entry = matching_log_entry(change);
        let row = &mut self.row;
        row.clear(self.counts.rows + 1);
        if let Some(tenant) = self.tenant {
            row.push_text(tenant);
        }
        let name = display_name(self.entity, record);
        for text in [self.entity.name, &change.id.to_string(), name, kind, field] {
            row.push_text(text);
        }
        for cell in cells {
            match cell.number {
                Some(number) => row.push(&cell.text, Value::Number(number)),
                None => row.push_text(&cell.text),
            }
        }
        let updated_at = record.get(UPDATED_AT).and_then(Json::as_str).filter(|_| kind != "removed");
        let at = entry.map(|entry| entry.timestamp.as_str()).or(updated_at).unwrap_or(&change.seen_at);
        match at.parse::<jiff::Timestamp>() {
            Ok(timestamp) => row.push(at, Value::Date(jiff::tz::TimeZone::UTC.to_datetime(timestamp))),
            Err(_) => row.push_text(at),
        }
        row.push_text(entry.map_or("", |entry| &entry.event));
        row.push_text(&entry.and_then(person).unwrap_or_default());
        Ok(self.output.row(row)?)
    }
}

/// The log entry for this change: the deletion of a removed record, the latest entry otherwise.
fn matching_log_entry(change: &RecordChange) -> Option<&LogEntry> {
    let of = |event: &str| change.log_entries.iter().find(|entry| entry.event == event);
    match change.kind {
        ChangeKind::Removed(_) => of("Delete"),
        ChangeKind::Added(_) => of("Create").or_else(|| of("Recover")),
        ChangeKind::Updated { .. } => change.log_entries.first(),
    }
}

/// Who made the change, as far as the log entry says.
fn person(entry: &LogEntry) -> Option<String> {
    let body: Json = serde_json::from_str(&entry.body).ok()?;
    PERSON_FIELDS.iter().find_map(|name| match body.get(*name)? {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(format!("user {number}")),
        _ => None,
    })
}

/// The name of a record, or else the first field of its natural key that is not empty.
fn display_name<'a>(entity: &Entity, record: &'a Map<String, Json>) -> &'a str {
    let names = ["name"].into_iter().chain(entity.key.iter().copied());
    names.filter_map(|name| record.get(name)?.as_str()).find(|text| !text.is_empty()).unwrap_or_default()
}
