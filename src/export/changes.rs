//! The table of changes since the last export of the same name: one row per record that was added or removed, and one
//! per field that changed.
//!
//! It tells of the records and columns that the export has, and of no others: a file for other people must not disclose
//! in its changes what its tables leave out. A record that a change makes match the filters has entered; one that no
//! longer matches has left.
//!
//! What a record copies from another one, as an asset its category from its product, is what the other one says: then for
//! the record as it was, now for the record as it is. So a record may change although nothing was done to it.

use hashbrown::HashSet;
use serde_json::{Map, Value as Json};

use super::columns::{ExportColumns, IdColumns, name_header};
use super::destination::{CHANGES_TABLE, OutputLayout};
use super::filters::Filter;
use super::names::{FormerCollection, FormerRecord, FormerRecords, ReferenceNames};
use super::resolve::ResolvedJob;
use super::source::{self, ExportList, ExportSource};
use super::value;
use crate::api::RawFields;
use crate::catalog::{ChangeKind, LogEntry, Mirror, MirrorError, RecordChange};
use crate::error::Result;
use crate::run::input::own_sheets::CHANGES_HEADERS;
use crate::schema::{CREATED_AT, CopiedField, Entity, Field, RecordDifference, UPDATED_AT};
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
    /// Records that match the filters now and did not before.
    pub entered: u64,
    /// Records that matched the filters before and do not now.
    pub left: u64,
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
        self.entered += other.entered;
        self.left += other.left;
        self.rows += other.rows;
        self.first_exports += other.first_exports;
    }
}

/// Writes the table of changes of these accounts since the last export of the job's name, and returns when the account
/// was read for that, as RFC 3339.
pub(crate) fn write_changes(
    sources: &[ExportSource<'_>],
    job: &ResolvedJob,
    output: &mut dyn TableWriter,
) -> Result<(ChangeCounts, Option<String>)> {
    let name = job.options.name.as_deref().unwrap_or_default();
    let has_tenants = sources.len() > 1;
    output.begin(CHANGES_TABLE, &columns(has_tenants, job.output.layout()))?;
    let (mut counts, mut since) = (ChangeCounts::default(), None);
    for source in sources {
        let tenant = source.tenant.filter(|_| has_tenants).map(|tenant| tenant.id.to_string());
        for list in &source.lists {
            let Some((read_at, changes)) = source.copy.mirror.changes_since(name, list.entity)? else {
                counts.first_exports += 1;
                continue;
            };
            since = since.max(Some(read_at));
            let columns = compared_columns(list.entity, sources, job)?;
            let mut writer = ChangeWriter {
                source,
                list,
                names_before: source.names.as_of(former_records(&source.copy.mirror, name, list.entity)?),
                copied: list.entity.copied_references().collect(),
                columns,
                is_selection: job.columns.contains_key(list.entity.name),
                tenant: tenant.as_deref(),
                output: &mut *output,
                row: Row::default(),
                counts: &mut counts,
            };
            changes.iter().try_for_each(|change| writer.write(change))?;
            writer.write_copied(&changes.iter().map(|change| change.id).collect())?;
        }
    }
    Ok((counts, since))
}

/// What the records were that those of a collection copy from, when the export of that name was made. An export of an
/// earlier version did not record that.
fn former_records(mirror: &Mirror, name: &str, entity: &Entity) -> Result<FormerRecords, MirrorError> {
    let mut former = FormerRecords::default();
    for (_, copied) in entity.copied_references() {
        let records = match mirror.changes_since(name, copied.from)? {
            Some((_, changes)) => FormerCollection::Changed(changes.into_iter().map(former_record).collect()),
            None => FormerCollection::Unknown,
        };
        former.insert(copied.from.name, records);
    }
    Ok(former)
}

fn former_record(change: RecordChange) -> (i64, FormerRecord) {
    let record = match change.kind {
        ChangeKind::Added(_) => None,
        ChangeKind::Removed(before) | ChangeKind::Updated { before, .. } => Some(before),
    };
    (change.id, FormerRecord { record, seen_at: change.seen_at })
}

fn columns(has_tenants: bool, layout: OutputLayout) -> Vec<OutputColumn> {
    let collection = match layout {
        OutputLayout::Flat => "collection",
        // To data tools, `collection` is part of the folder's name: here `changes`.
        OutputLayout::Partitioned => "changed_collection",
    };
    let column = |header: &str| OutputColumn {
        header: header.to_owned(),
        column_type: if header == "changed_at" { ColumnType::Timestamp } else { ColumnType::Text },
    };
    let front = has_tenants.then_some("tenant_id").into_iter().chain([collection]);
    front.chain(CHANGES_HEADERS).map(column).collect()
}

/// The columns whose cells are compared: those of the table, and of fields that no record has any more. Where it has a
/// reference as id and name, the name says it.
fn compared_columns(entity: &'static Entity, sources: &[ExportSource<'_>], job: &ResolvedJob) -> Result<ExportColumns> {
    let shape = source::merged_shape(entity, sources)?;
    if job.columns.contains_key(entity.name) {
        return Ok(source::columns(entity, &shape, job)?);
    }
    let ids = match job.options.ids {
        IdColumns::Both | IdColumns::NamesOnly => IdColumns::NamesOnly,
        IdColumns::IdsOnly => IdColumns::IdsOnly,
    };
    Ok(ExportColumns::of(entity, &shape.with_former(), ids))
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
    list: &'a ExportList,
    /// The names for records as they were.
    names_before: ReferenceNames,
    /// The fields whose values come from other records.
    copied: Vec<(&'static Field, CopiedField)>,
    /// The columns whose cells are compared.
    columns: ExportColumns,
    /// Whether only some columns are exported: a record is then named only by those.
    is_selection: bool,
    tenant: Option<&'a str>,
    output: &'a mut dyn TableWriter,
    row: Row,
    counts: &'a mut ChangeCounts,
}

impl<'a> ChangeWriter<'a, '_> {
    fn write(&mut self, change: &RecordChange) -> Result<()> {
        match &change.kind {
            ChangeKind::Added(after) if self.is_exported(after, self.names()) && self.is_recent(after) => {
                self.counts.added += 1;
                self.write_record(change, after, ("added", &[RecordDifference::Added]))
            }
            ChangeKind::Removed(before) if self.is_exported(before, &self.names_before) => {
                self.counts.removed += 1;
                self.write_record(change, before, ("removed", &[RecordDifference::Removed]))
            }
            ChangeKind::Updated { before, after } if self.is_recent(after) => {
                match (self.is_exported(before, &self.names_before), self.is_exported(after, self.names())) {
                    (true, true) => self.write_fields(change, before, after),
                    (false, true) => {
                        self.counts.entered += 1;
                        self.write_record(change, after, ("entered", &self.filtered_differences(before, after)))
                    }
                    // What it is now is not exported; what it was has been.
                    (true, false) => {
                        self.counts.left += 1;
                        self.write_record(change, before, ("left", &self.filtered_differences(before, after)))
                    }
                    (false, false) => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    /// Writes what changed about the other records with those that they copy values from.
    fn write_copied(&mut self, written: &HashSet<i64>) -> Result<()> {
        let (mirror, entity) = (&self.source.copy.mirror, self.list.entity);
        if !self.copied.iter().any(|(_, copied)| self.names_before.has_changes(copied.from.name)) {
            return Ok(());
        }
        mirror.each(entity, |id, json| {
            let seen_at = RawFields::of(json).and_then(|fields| self.source_changed_at(&fields)).map(str::to_owned);
            let Some(seen_at) = seen_at.filter(|_| !written.contains(&id)) else { return Ok(()) };
            let Ok(after) = serde_json::from_str::<Map<String, Json>>(json) else { return Ok(()) };
            let kind = ChangeKind::Updated { before: after.clone(), after };
            self.write(&RecordChange { id, kind, seen_at, log_entries: Vec::new() })
        })
    }

    /// When it was noticed that a record is not what it was from which this one copies.
    fn source_changed_at(&self, record: &RawFields<'_>) -> Option<&str> {
        self.copied.iter().find_map(|(_, copied)| {
            let id = value::integer(record.get(copied.by.name)?)?;
            self.names_before.changed_at(copied.from.name, id)
        })
    }

    /// Whether the record matches the filters on what it holds.
    fn is_exported(&self, record: &Map<String, Json>, names: &ReferenceNames) -> bool {
        self.matches(record, names, |filter| !filter.is_about_time())
    }

    /// Whether the record was changed recently enough for the export, where that is asked for.
    fn is_recent(&self, record: &Map<String, Json>) -> bool {
        self.matches(record, self.names(), Filter::is_about_time)
    }

    fn matches(
        &self,
        record: &Map<String, Json>,
        names: &ReferenceNames,
        is_applied: impl Fn(&Filter) -> bool,
    ) -> bool {
        let mut filters = self.list.client_filters.iter().filter(|filter| is_applied(filter)).peekable();
        if filters.peek().is_none() {
            return true;
        }
        let json = Json::Object(record.clone()).to_string();
        RawFields::of(&json).is_some_and(|fields| filters.all(|filter| filter.matches_record(&fields, names)))
    }

    /// The fields because of which a record matches the filters now and did not before, or the other way round.
    fn filtered_differences(&self, before: &Map<String, Json>, after: &Map<String, Json>) -> Vec<RecordDifference<'a>> {
        let [before, after] = [before, after].map(|record| Json::Object(record.clone()).to_string());
        let (Some(before), Some(after)) = (RawFields::of(&before), RawFields::of(&after)) else { return Vec::new() };
        let differs = |filter: &&Filter| {
            filter.matches_record(&before, &self.names_before) != filter.matches_record(&after, self.names())
        };
        let list: &'a ExportList = self.list;
        let deciding = list.client_filters.iter().filter(|filter| !filter.is_about_time()).filter(differs);
        deciding.map(|filter| RecordDifference::Field(filter.field_name())).collect()
    }

    fn names(&self) -> &ReferenceNames {
        &self.source.names
    }

    /// Writes a row for each exported field that differs.
    fn write_fields(
        &mut self,
        change: &RecordChange,
        before: &Map<String, Json>,
        after: &Map<String, Json>,
    ) -> Result<()> {
        let (old, new) = (self.cells(before, &self.names_before), self.cells(after, self.names()));
        let headers: Vec<String> = self.columns.headers().map(str::to_owned).collect();
        let rows = self.counts.rows;
        for ((header, old), new) in headers.iter().zip(&old).zip(&new) {
            if old.text != new.text && !TIMESTAMP_FIELDS.contains(&header.as_str()) {
                let entry = self.cause(change, &[RecordDifference::Field(header)]);
                self.write_row(change, after, ("changed", header), ([old, new], entry))?;
            }
        }
        self.counts.changed += u64::from(self.counts.rows > rows);
        Ok(())
    }

    /// Writes the row of a whole record, which one of these differences is the reason for.
    fn write_record(
        &mut self,
        change: &RecordChange,
        record: &Map<String, Json>,
        (kind, differences): (&str, &[RecordDifference<'_>]),
    ) -> Result<()> {
        let cells = [&ChangedCell::default(), &ChangedCell::default()];
        let entry = self.cause(change, differences);
        self.write_row(change, record, (kind, ""), (cells, entry))
    }

    /// The latest entry of the log that may be the reason for one of these differences.
    fn cause<'c>(&self, change: &'c RecordChange, differences: &[RecordDifference<'_>]) -> Option<&'c LogEntry> {
        let entity = self.list.entity;
        let own = || differences.iter().filter(|difference| !self.is_copied(change, **difference));
        let is_cause = |entry: &&LogEntry| own().any(|difference| entity.may_be_changed_by(&entry.event, *difference));
        change.log_entries.iter().find(is_cause)
    }

    /// Whether a field differs because the record that it is copied from does: the log of this one does not tell of that.
    fn is_copied(&self, change: &RecordChange, difference: RecordDifference<'_>) -> bool {
        let (RecordDifference::Field(name), ChangeKind::Updated { before, after }) = (difference, &change.kind) else {
            return false;
        };
        let is_it = |field: &Field| field.name == name || name_header(field) == name;
        let copied = self.copied.iter().find(|(field, _)| is_it(field));
        copied.is_some_and(|(_, copied)| before.get(copied.by.name) == after.get(copied.by.name))
    }

    /// A record's cells.
    fn cells(&self, record: &Map<String, Json>, names: &ReferenceNames) -> Vec<ChangedCell> {
        let json = Json::Object(record.clone()).to_string();
        let mut row = Row::default();
        if let Some(fields) = RawFields::of(&json) {
            self.columns.fill(&fields, names, &mut row);
        }
        row.cells().map(|cell| ChangedCell { text: cell.text.to_owned(), number: number(cell) }).collect()
    }

    fn write_row(
        &mut self,
        change: &RecordChange,
        record: &Map<String, Json>,
        (kind, field): (&str, &str),
        (cells, entry): ([&ChangedCell; 2], Option<&LogEntry>),
    ) -> Result<()> {
        self.counts.rows += 1;
        let row = &mut self.row;
        row.clear(self.counts.rows + 1);
        if let Some(tenant) = self.tenant {
            row.push_text(tenant);
        }
        let entity = self.list.entity;
        let is_shown = |name: &str| !self.is_selection || self.columns.headers().any(|header| header == name);
        let name = display_name(entity, record, is_shown);
        for text in [entity.name, &change.id.to_string(), name, kind, field] {
            row.push_text(text);
        }
        for cell in cells {
            match cell.number {
                Some(number) => row.push(&cell.text, Value::Number(number)),
                None => row.push_text(&cell.text),
            }
        }
        let at = entry.map_or_else(|| changed_at(change), |entry| &entry.timestamp);
        match at.parse::<jiff::Timestamp>() {
            Ok(timestamp) => row.push(at, Value::Date(jiff::tz::TimeZone::UTC.to_datetime(timestamp))),
            Err(_) => row.push_text(at),
        }
        row.push_text(entry.map_or("", |entry| &entry.event));
        row.push_text(&entry.and_then(person).unwrap_or_default());
        Ok(self.output.row(row)?)
    }
}

/// When the record was changed, as far as it says itself, or else when that was noticed.
fn changed_at(change: &RecordChange) -> &str {
    let said = match &change.kind {
        ChangeKind::Added(after) => updated_at(after),
        ChangeKind::Removed(_) => None,
        // What the service looks up elsewhere changes without the record.
        ChangeKind::Updated { before, after } => updated_at(after).filter(|at| updated_at(before) != Some(*at)),
    };
    said.unwrap_or(&change.seen_at)
}

fn updated_at(record: &Map<String, Json>) -> Option<&str> {
    record.get(UPDATED_AT)?.as_str()
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

/// The name of a record, or else the first field of its natural key that is not empty and may be shown.
fn display_name<'a>(entity: &Entity, record: &'a Map<String, Json>, is_shown: impl Fn(&str) -> bool) -> &'a str {
    let names = ["name"].into_iter().chain(entity.key.iter().copied()).filter(|name| is_shown(name));
    names.filter_map(|name| record.get(name)?.as_str()).find(|text| !text.is_empty()).unwrap_or_default()
}
