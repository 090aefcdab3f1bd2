//! The activity log: its newest entry before the run, and what it has recorded since.
//!
//! Entries have no id: timestamp, type, event, item and user identify one (field notes). Which fields they carry besides
//! these is not documented, so an entry contradicts a step only where both report a value and the values differ.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::compare::{ReplyShape, TagIds, ValueMatch, integer, match_value};
use crate::api::Record;
use crate::catalog::RecordSource;
use crate::plan::Step;
use crate::schema::{self, ACTIVITY, Entity, Field, HOLDERS, Role, fold_header};

/// The newest entry of the activity log when the run was planned.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum LogPosition {
    /// The log was not read, or could not be: an entry in it now may be of any age.
    #[default]
    #[serde(rename = "NotAsked")]
    Unknown,
    Empty,
    After(LogCursor),
}

/// The identity of one log entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogCursor {
    pub timestamp: String,
    /// The entry's `type`.
    pub kind: Option<String>,
    pub event: Option<String>,
    pub item_id: Option<i64>,
    pub user_id: Option<i64>,
}

impl LogPosition {
    /// Reads the newest entry: one request.
    ///
    /// # Errors
    /// Where the log cannot be read. A run may continue with [`LogPosition::Unknown`]; lost checkouts are then
    /// reconciled by where the items are, if at all.
    pub async fn read<S: RecordSource>(service: &S) -> Result<Self, S::Error> {
        let newest = service.page(&ACTIVITY, NEWEST_FIRST, 0, 1).await?;
        Ok(match newest.first() {
            None => LogPosition::Empty,
            Some(entry) => LogCursor::of(entry).map_or(LogPosition::Unknown, LogPosition::After),
        })
    }

    /// The first day to read entries from: the day before the cursor's, since the time zone of days is not documented.
    pub fn first_day(&self) -> Option<String> {
        let LogPosition::After(cursor) = self else { return None };
        let day = TimeZone::UTC.to_datetime(parse_timestamp(&cursor.timestamp)?).date();
        day.checked_sub(1.day()).ok().map(|day| day.to_string())
    }

    /// Whether an entry was surely added after the run was planned.
    pub fn is_followed_by(&self, entry: &Record) -> bool {
        self.age(entry) == EntryAge::Newer
    }

    fn age(&self, entry: &Record) -> EntryAge {
        let cursor = match self {
            LogPosition::Empty => return EntryAge::Newer,
            LogPosition::Unknown => return EntryAge::Unknown,
            LogPosition::After(cursor) => cursor,
        };
        let Some(other) = LogCursor::of(entry) else { return EntryAge::Unknown };
        if other == *cursor {
            return EntryAge::Older;
        }
        match (parse_timestamp(&other.timestamp), parse_timestamp(&cursor.timestamp)) {
            // The same moment, but not the cursor itself: the cursor was the newest then, so this one came later.
            (Some(entry), Some(cursor)) if entry >= cursor => EntryAge::Newer,
            (Some(_), Some(_)) => EntryAge::Older,
            _ => EntryAge::Unknown,
        }
    }
}

impl LogCursor {
    /// None where an entry has no timestamp.
    pub fn of(entry: &Record) -> Option<Self> {
        let text = |name: &str| entry.get(name).and_then(Json::as_str).map(str::to_owned);
        let number = |name: &str| entry.get(name).and_then(integer);
        Some(Self {
            timestamp: text("timestamp").or_else(|| text("created_at"))?,
            kind: text("type"),
            event: text("event"),
            item_id: number("item_id"),
            user_id: number("user_id"),
        })
    }
}

/// Sorts a list by creation, newest first.
pub(super) const NEWEST_FIRST: &[(&str, &str)] = &[("sort", "created_at"), ("order", "desc")];

/// Whether an entry was added before or after the run was planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EntryAge {
    Older,
    Newer,
    Unknown,
}

fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let local = || TimeZone::UTC.to_timestamp(text.parse::<civil::DateTime>().ok()?).ok();
    text.parse().ok().or_else(local)
}

/// The `type` and `event` of an action's log entries.
pub(super) fn log_terms(action: &'static Entity) -> Option<(&'static str, &'static str)> {
    let Role::Action(verb) = action.role else { return None };
    let (_, reference) = action.item()?;
    Some((crate::schema::collection(reference.to)?.log_type()?, verb.log_event()))
}

/// Whether the log records such actions at all: its newest entry of that event, for any item, is newer than the run.
pub(super) async fn records_action<S: RecordSource>(
    service: &S,
    action: &'static Entity,
    position: &LogPosition,
) -> Result<bool, S::Error> {
    let Some((_, event)) = log_terms(action) else { return Ok(false) };
    let filters = [&[("event", event)], NEWEST_FIRST].concat();
    let newest = service.page(&ACTIVITY, &filters, 0, 1).await?;
    Ok(newest.iter().any(|entry| has_term(entry, "event", event) && position.age(entry) == EntryAge::Newer))
}

/// The entries about an item that may belong to steps of one action, from the day before the run on.
///
/// Filtered by employee where `employees` are given; an entry that does not name its employee is then known to be
/// theirs.
pub(super) async fn fetch_entries<S: RecordSource>(
    service: &S,
    action: &'static Entity,
    item: i64,
    employees: Option<&BTreeSet<i64>>,
    position: &LogPosition,
) -> Result<Vec<Record>, S::Error> {
    let Some((kind, event)) = log_terms(action) else { return Ok(Vec::new()) };
    let filter = action.item().and_then(|(_, reference)| crate::schema::collection(reference.to)?.log_filter());
    let (item, first_day) = (item.to_string(), position.first_day());
    let mut filters = vec![("type", kind), ("event", event)];
    filters.extend(filter.map(|filter| (filter.name, item.as_str())));
    filters.extend(first_day.as_deref().map(|day| ("date_from", day)));
    let Some((employees, parameter)) = employees.zip(schema::person_parameter()) else {
        return fetch_all(service, &filters).await;
    };
    let mut entries = Vec::new();
    for employee in employees {
        let id = employee.to_string();
        let found = fetch_all(service, &[&filters[..], &[(parameter, id.as_str())]].concat()).await?;
        entries.extend(found.into_iter().filter_map(|entry| with_employee(entry, parameter, *employee)));
    }
    Ok(entries)
}

/// An entry that was found by its employee, naming them; none where it names someone else, since the service then
/// ignores the filter and would return the same entries for everyone.
fn with_employee(mut entry: Record, parameter: &str, employee: i64) -> Option<Record> {
    match entry.get(parameter) {
        Some(named) if !is_blank(named) => (integer(named) == Some(employee)).then_some(entry),
        _ => {
            entry.insert(parameter.to_owned(), Json::from(employee));
            Some(entry)
        }
    }
}

/// The employees of steps, where every step names one.
pub(super) fn employees<'s>(steps: impl Iterator<Item = &'s Step>) -> Option<BTreeSet<i64>> {
    let employees: Option<BTreeSet<i64>> = steps.map(employee).collect();
    employees.filter(|employees| !employees.is_empty())
}

/// The employee that a step names.
pub(super) fn employee(step: &Step) -> Option<i64> {
    integer(step.body.get(schema::person_parameter()?)?)
}

/// The log only grows and is read from its oldest entry on, so no entry is missed between two pages.
async fn fetch_all<S: RecordSource>(service: &S, filters: &[(&str, &str)]) -> Result<Vec<Record>, S::Error> {
    let mut entries: Vec<Record> = Vec::new();
    loop {
        let limit = service.page_limit().max(1);
        let page = service.page(&ACTIVITY, filters, entries.len() as u64, limit).await?;
        let is_last = service.is_last(page.len(), limit) || page.is_empty();
        entries.extend(page);
        if is_last {
            return Ok(entries);
        }
    }
}

/// Whether a log entry may belong to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntryMatch {
    /// Everything that both report agrees; with the fields of the step that the entry reports.
    Agrees {
        reported: Vec<&'static str>,
    },
    /// It is about the same item and holder, but differs in these fields.
    Differs(Vec<&'static str>),
    Unrelated,
}

/// Fields that tell apart actions on the same item and holder, as far as entries carry them.
const DETAILS: &[&str] = &["quantity", "product_key", "notes"];

/// Compares a step of `action` on that item with a log entry.
pub(super) fn match_entry(
    action: &'static Entity,
    item: i64,
    step: &Step,
    entry: &Record,
    tags: &TagIds,
    position: &LogPosition,
) -> EntryMatch {
    let Some((kind, event)) = log_terms(action) else { return EntryMatch::Unrelated };
    let is_of_item = entry.get("item_id").and_then(integer).is_none_or(|id| id == item);
    let is_of_action = has_term(entry, "type", kind) && has_term(entry, "event", event);
    let age = position.age(entry);
    if !is_of_action || !is_of_item || age == EntryAge::Older {
        return EntryMatch::Unrelated;
    }
    let mut differing = Vec::new();
    if age == EntryAge::Unknown {
        differing.push("timestamp");
    }
    let (mut reported, mut holder) = (Vec::new(), None);
    for field in action.holders() {
        match match_field(field, step, entry, tags) {
            FieldMatch::NotSent => {}
            FieldMatch::Differs => return EntryMatch::Unrelated,
            found => {
                reported.extend((found == FieldMatch::Same).then_some(field.name));
                holder = Some(found);
            }
        }
    }
    if let Some(holder) = holder {
        let others: Vec<_> = foreign_holders(action, step, entry).collect();
        // The entry names another holder.
        if holder == FieldMatch::Blank && !others.is_empty() {
            return EntryMatch::Unrelated;
        }
        differing.extend(others);
    }
    for field in DETAILS.iter().filter_map(|name| action.field(name)) {
        match match_field(field, step, entry, tags) {
            FieldMatch::Same => reported.push(field.name),
            FieldMatch::Differs => differing.push(field.name),
            FieldMatch::Blank | FieldMatch::NotReported | FieldMatch::NotSent => {}
        }
    }
    if differing.is_empty() { EntryMatch::Agrees { reported } } else { EntryMatch::Differs(differing) }
}

/// How a log entry compares with one field of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldMatch {
    Same,
    Differs,
    /// The entry has the field, and it is empty.
    Blank,
    NotReported,
    /// The step does not send the field.
    NotSent,
}

fn match_field(field: &'static Field, step: &Step, entry: &Record, tags: &TagIds) -> FieldMatch {
    let Some(wanted) = step.body.get(field.name).filter(|wanted| !wanted.is_null()) else { return FieldMatch::NotSent };
    match entry.get(field.name) {
        None => return FieldMatch::NotReported,
        Some(held) if is_blank(held) => return FieldMatch::Blank,
        Some(_) => {}
    }
    let reported_fields = entry.keys().cloned().collect();
    match match_value(field, wanted, entry, ReplyShape { reported_fields: &reported_fields, tags }) {
        ValueMatch::Same | ValueMatch::Similar => FieldMatch::Same,
        ValueMatch::NotReported => FieldMatch::NotReported,
        ValueMatch::Different => FieldMatch::Differs,
    }
}

/// Holders that an entry names and the step does not.
fn foreign_holders(action: &'static Entity, step: &Step, entry: &Record) -> impl Iterator<Item = &'static str> {
    let item = action.item().and_then(|(_, reference)| crate::schema::collection(reference.to)?.log_filter());
    let is_item = move |name: &str| item.is_some_and(|item| item.name == name);
    HOLDERS
        .iter()
        .copied()
        .filter(move |name| !is_item(name) && step.body.get(*name).is_none() && !entry.get(*name).is_none_or(is_blank))
}

fn is_blank(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Whether an entry's field holds that term, as far as it is reported.
fn has_term(entry: &Record, name: &str, term: &str) -> bool {
    entry.get(name).and_then(Json::as_str).is_none_or(|said| fold_header(said) == fold_header(term))
}
