//! What changed since the last export of a name, as a table: one row for each record that came or went, one for each
//! field that is another.

use serde_json::{Map, Value as Json};

use super::account::{Account, List};
use super::destination::Layout;
use crate::api::RawFields;
use crate::catalog::{ChangeKind, LogEntry, RecordChange};
use crate::error::Error;
use crate::export::{Columns, Ids};
use crate::schema::Entity;
use crate::table::write::output::{ColumnType, OutputColumn, TableWriter};
use crate::table::{Row, Value};

/// What the table is called.
pub(super) const CHANGES: &str = "Changes";
/// Fields that change with every change: they tell nothing.
const STAMPS: &[&str] = &["updated_at", "created_at"];
/// What the log may carry of the person who did it, the most telling first.
const PEOPLE: &[&str] = &["user_email", "user_name", "user", "user_id"];

/// What was counted while the table was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub added: u64,
    pub removed: u64,
    pub changed: u64,
    /// Collections that this name exports for the first time.
    pub first: u64,
    pub rows: u64,
}

impl Counts {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            added: self.added + other.added,
            removed: self.removed + other.removed,
            changed: self.changed + other.changed,
            first: self.first + other.first,
            rows: self.rows + other.rows,
        }
    }
}

/// Begins the table.
pub(super) fn begin(output: &mut dyn TableWriter, has_tenants: bool, layout: Layout) -> Result<(), Error> {
    let column = |header: &str, column_type| OutputColumn { header: header.to_owned(), column_type };
    let collection = match layout {
        Layout::Flat => "collection",
        // To data tools `collection` is what the folder says, here `changes`.
        Layout::Partitioned => "changed_collection",
    };
    let mut columns = Vec::new();
    if has_tenants {
        columns.push(column("tenant_id", ColumnType::Text));
    }
    columns.extend([
        column(collection, ColumnType::Text),
        column("id", ColumnType::Text),
        column("record", ColumnType::Text),
        column("change", ColumnType::Text),
        column("field", ColumnType::Text),
        column("before", ColumnType::Text),
        column("after", ColumnType::Text),
        column("changed_at", ColumnType::Timestamp),
        column("event", ColumnType::Text),
        column("by", ColumnType::Text),
    ]);
    Ok(output.begin(CHANGES, &columns)?)
}

/// Writes what happened to one collection of an account.
pub(super) fn write(
    account: &Account,
    list: &List,
    name: &str,
    tenant: Option<&str>,
    (output, counts): (&mut dyn TableWriter, &mut Counts),
) -> Result<(), Error> {
    let Some((_, changes)) = account.mirror.changes_since(name, list.entity)? else {
        counts.first += 1;
        return Ok(());
    };
    let columns = Columns::of(list.entity, &account.mirror.shape(list.entity)?, Ids::Names);
    let mut table = Table { account, entity: list.entity, columns, tenant, output, row: Row::default(), counts };
    changes.iter().try_for_each(|change| table.change(change))
}

/// The table on its way.
struct Table<'a> {
    account: &'a Account,
    entity: &'static Entity,
    columns: Columns,
    tenant: Option<&'a str>,
    output: &'a mut dyn TableWriter,
    row: Row,
    counts: &'a mut Counts,
}

impl Table<'_> {
    fn change(&mut self, change: &RecordChange) -> Result<(), Error> {
        match &change.kind {
            ChangeKind::Added(record) => {
                self.counts.added += 1;
                self.line(change, record, ("added", "", "", ""))
            }
            ChangeKind::Removed(record) => {
                self.counts.removed += 1;
                self.line(change, record, ("removed", "", "", ""))
            }
            ChangeKind::Updated { before, after } => {
                self.counts.changed += 1;
                let (old, new) = (self.cells(before), self.cells(after));
                let headers: Vec<String> = self.columns.headers().map(str::to_owned).collect();
                for ((header, old), new) in headers.iter().zip(&old).zip(&new) {
                    if old != new && !STAMPS.contains(&header.as_str()) {
                        self.line(change, after, ("changed", header, old, new))?;
                    }
                }
                Ok(())
            }
        }
    }

    /// The texts of a record's cells.
    fn cells(&self, record: &Map<String, Json>) -> Vec<String> {
        let json = Json::Object(record.clone()).to_string();
        let mut row = Row::default();
        if let Some(fields) = RawFields::of(&json) {
            self.columns.fill(&fields, &self.account.names, &mut row);
        }
        row.cells().map(|cell| cell.text.to_owned()).collect()
    }

    fn line(
        &mut self,
        change: &RecordChange,
        record: &Map<String, Json>,
        (what, field, before, after): (&str, &str, &str, &str),
    ) -> Result<(), Error> {
        self.counts.rows += 1;
        let entry = entry_for(change);
        let row = &mut self.row;
        row.clear(self.counts.rows + 1);
        if let Some(tenant) = self.tenant {
            row.push_text(tenant);
        }
        for text in [self.entity.name, &change.id.to_string(), title(self.entity, record), what, field, before, after] {
            row.push_text(text);
        }
        let updated_at = record.get("updated_at").and_then(Json::as_str).filter(|_| what != "removed");
        let at = entry.map(|entry| entry.timestamp.as_str()).or(updated_at).unwrap_or(&change.seen_at);
        match at.parse::<jiff::Timestamp>() {
            Ok(moment) => row.push(at, Value::Date(jiff::tz::TimeZone::UTC.to_datetime(moment))),
            Err(_) => row.push_text(at),
        }
        row.push_text(entry.map_or("", |entry| &entry.event));
        row.push_text(&entry.and_then(person).unwrap_or_default());
        Ok(self.output.row(row)?)
    }
}

/// The entry that tells of just this: a deletion for what is gone, the latest else.
fn entry_for(change: &RecordChange) -> Option<&LogEntry> {
    let of = |event: &str| change.log_entries.iter().find(|entry| entry.event == event);
    match change.kind {
        ChangeKind::Removed(_) => of("Delete"),
        ChangeKind::Added(_) => of("Create").or_else(|| of("Recover")),
        ChangeKind::Updated { .. } => change.log_entries.first(),
    }
}

fn person(entry: &LogEntry) -> Option<String> {
    let body: Json = serde_json::from_str(&entry.body).ok()?;
    PEOPLE.iter().find_map(|name| match body.get(*name)? {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(format!("user {number}")),
        _ => None,
    })
}

/// What people call the record.
fn title<'a>(entity: &Entity, record: &'a Map<String, Json>) -> &'a str {
    let names = ["name"].into_iter().chain(entity.key.iter().copied());
    names.filter_map(|name| record.get(name)?.as_str()).find(|text| !text.is_empty()).unwrap_or_default()
}
