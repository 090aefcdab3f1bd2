//! The activity log: where it stood before the run, and what it said since.
//!
//! Entries have no id: timestamp, type, event, item and user tell one from another (field notes). Which fields they
//! carry beside these nobody documents, so an entry speaks against a step only where both tell and differ.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::compare::{Likeness, Tags, View, integer, likeness};
use crate::api::Record;
use crate::catalog::RecordSource;
use crate::plan::Step;
use crate::schema::{ACTIVITY, Entity, Field, HOLDERS, Role, fold_header};

/// Where the log stood when the run was planned.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum LogStart {
    /// It was not asked, or could not be read: what is in it now may be of any age.
    #[default]
    NotAsked,
    Empty,
    /// This was the newest entry.
    After(LogMark),
}

/// What tells one entry of the log from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogMark {
    pub timestamp: String,
    /// The entry's `type`.
    pub kind: Option<String>,
    pub event: Option<String>,
    pub item_id: Option<i64>,
    pub user_id: Option<i64>,
}

impl LogStart {
    /// Asks where the log stands: one request.
    ///
    /// # Errors
    /// Where the log cannot be read. A run may go on with [`LogStart::NotAsked`]; lost checkouts are then settled by
    /// where things are, if at all.
    pub async fn read<S: RecordSource>(service: &S) -> Result<Self, S::Error> {
        let newest = service.page(&ACTIVITY, NEWEST_FIRST, 0, 1).await?;
        Ok(match newest.first() {
            None => LogStart::Empty,
            Some(entry) => LogMark::of(entry).map_or(LogStart::NotAsked, LogStart::After),
        })
    }

    /// The day from which entries are asked for: the one before the mark's, since nobody says whose days are meant.
    pub fn first_day(&self) -> Option<String> {
        let LogStart::After(mark) = self else { return None };
        let day = TimeZone::UTC.to_datetime(moment(&mark.timestamp)?).date();
        day.checked_sub(1.day()).ok().map(|day| day.to_string())
    }

    /// Whether an entry was surely made after the run was planned.
    pub fn is_before(&self, entry: &Record) -> bool {
        self.age(entry) == Age::Newer
    }

    fn age(&self, entry: &Record) -> Age {
        let mark = match self {
            LogStart::Empty => return Age::Newer,
            LogStart::NotAsked => return Age::Unclear,
            LogStart::After(mark) => mark,
        };
        let Some(other) = LogMark::of(entry) else { return Age::Unclear };
        if other == *mark {
            return Age::Older;
        }
        match (moment(&other.timestamp), moment(&mark.timestamp)) {
            // Of one moment but not the mark itself: the mark was the newest of them, so this came after it.
            (Some(entry), Some(mark)) if entry >= mark => Age::Newer,
            (Some(_), Some(_)) => Age::Older,
            _ => Age::Unclear,
        }
    }
}

impl LogMark {
    /// None where an entry does not even say when it happened.
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

/// The newest entry comes first.
const NEWEST_FIRST: &[(&str, &str)] = &[("sort", "created_at"), ("order", "desc")];

/// When an entry was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    Older,
    Newer,
    Unclear,
}

fn moment(text: &str) -> Option<Timestamp> {
    let local = || TimeZone::UTC.to_timestamp(text.parse::<civil::DateTime>().ok()?).ok();
    text.parse().ok().or_else(local)
}

/// The `type` and `event` of the entries about an action.
pub(super) fn words(action: &'static Entity) -> Option<(&'static str, &'static str)> {
    let Role::Action(verb) = action.role else { return None };
    let (_, reference) = action.item()?;
    Some((crate::schema::collection(reference.to)?.log_type()?, verb.log_event()))
}

/// Whether the log tells of such actions at all: its newest entry of that event, whatever it happened to, is newer than
/// the run.
pub(super) async fn speaks<S: RecordSource>(
    service: &S,
    action: &'static Entity,
    start: &LogStart,
) -> Result<bool, S::Error> {
    let Some((_, event)) = words(action) else { return Ok(false) };
    let filters = [&[("event", event)], NEWEST_FIRST].concat();
    let newest = service.page(&ACTIVITY, &filters, 0, 1).await?;
    Ok(newest.iter().any(|entry| is_of(entry, event) && start.age(entry) == Age::Newer))
}

/// The entries about an item that may be of steps of one action, from the day before the run on.
///
/// Asked for by employee where `people` are told; an entry that does not name its employee is then known to be theirs.
pub(super) async fn entries<S: RecordSource>(
    service: &S,
    action: &'static Entity,
    item: i64,
    people: Option<&BTreeSet<i64>>,
    start: &LogStart,
) -> Result<Vec<Record>, S::Error> {
    let Some((kind, event)) = words(action) else { return Ok(Vec::new()) };
    let filter = action.item().and_then(|(_, reference)| crate::schema::collection(reference.to)?.log_filter());
    let (item, first_day) = (item.to_string(), start.first_day());
    let mut filters = vec![("type", kind), ("event", event)];
    filters.extend(filter.map(|filter| (filter.name, item.as_str())));
    filters.extend(first_day.as_deref().map(|day| ("date_from", day)));
    let Some(people) = people else { return all(service, &filters).await };
    let mut entries = Vec::new();
    for person in people {
        let id = person.to_string();
        let found = all(service, &[&filters[..], &[(PERSON, id.as_str())]].concat()).await?;
        entries.extend(found.into_iter().filter_map(|entry| of_person(entry, *person)));
    }
    Ok(entries)
}

/// An entry that was asked for by its employee, naming them; none where it names another, since the service does not
/// know the filter then and would give the others' entries over and over.
fn of_person(mut entry: Record, person: i64) -> Option<Record> {
    match entry.get(PERSON) {
        Some(named) if !is_blank(named) => (integer(named) == Some(person)).then_some(entry),
        _ => {
            entry.insert(PERSON.to_owned(), Json::from(person));
            Some(entry)
        }
    }
}

/// The employees that steps are about, where every step names one.
pub(super) fn people<'s>(steps: impl Iterator<Item = &'s Step>) -> Option<BTreeSet<i64>> {
    let people: Option<BTreeSet<i64>> = steps.map(person).collect();
    people.filter(|people| !people.is_empty())
}

/// The employee that a step names.
pub(super) fn person(step: &Step) -> Option<i64> {
    integer(step.body.get(PERSON)?)
}

/// The holder that the log can be filtered by.
const PERSON: &str = "employee_id";

/// The log only grows, and is read from its old end: nothing slips through between two pages.
async fn all<S: RecordSource>(service: &S, filters: &[(&str, &str)]) -> Result<Vec<Record>, S::Error> {
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

/// Whether an entry may be a step's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Relation {
    /// All that both tell agrees; these of the step's facts are told by the entry.
    Agrees {
        told: Vec<&'static str>,
    },
    /// It is about the same item and holder, but differs in these.
    Resembles(Vec<&'static str>),
    Other,
}

/// Facts that tell one action on an item and holder from another, as far as entries carry them.
const DETAILS: &[&str] = &["quantity", "product_key", "notes"];

/// Compares a step of `action` on that item with an entry.
pub(super) fn relation(
    action: &'static Entity,
    item: i64,
    step: &Step,
    entry: &Record,
    tags: &Tags,
    start: &LogStart,
) -> Relation {
    let Some((kind, event)) = words(action) else { return Relation::Other };
    let is_of_item = entry.get("item_id").and_then(integer).is_none_or(|id| id == item);
    let age = start.age(entry);
    if !is_about(entry, kind, event) || !is_of_item || age == Age::Older {
        return Relation::Other;
    }
    let mut differing = Vec::new();
    if age == Age::Unclear {
        differing.push("timestamp");
    }
    let (mut told, mut holder) = (Vec::new(), None);
    for field in action.holders() {
        match fact(field, step, entry, tags) {
            Fact::NotAsked => {}
            Fact::Differs => return Relation::Other,
            fact => {
                told.extend((fact == Fact::Same).then_some(field.name));
                holder = Some(fact);
            }
        }
    }
    if let Some(holder) = holder {
        let others: Vec<_> = strangers(action, step, entry).collect();
        // It went elsewhere, and says so.
        if holder == Fact::Blank && !others.is_empty() {
            return Relation::Other;
        }
        differing.extend(others);
    }
    for field in DETAILS.iter().filter_map(|name| action.field(name)) {
        match fact(field, step, entry, tags) {
            Fact::Same => told.push(field.name),
            Fact::Differs => differing.push(field.name),
            Fact::Blank | Fact::Untold | Fact::NotAsked => {}
        }
    }
    match differing.is_empty() {
        true => Relation::Agrees { told },
        false => Relation::Resembles(differing),
    }
}

/// What an entry says of one of a step's facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fact {
    Same,
    Differs,
    /// The entry has a place for it, and nothing there.
    Blank,
    Untold,
    /// The step says nothing of it.
    NotAsked,
}

fn fact(field: &'static Field, step: &Step, entry: &Record, tags: &Tags) -> Fact {
    let Some(wanted) = step.body.get(field.name).filter(|wanted| !wanted.is_null()) else { return Fact::NotAsked };
    match entry.get(field.name) {
        None => return Fact::Untold,
        Some(held) if is_blank(held) => return Fact::Blank,
        Some(_) => {}
    }
    let carried = entry.keys().cloned().collect();
    match likeness(field, wanted, entry, View { carried: &carried, tags }) {
        Likeness::Same | Likeness::Alike => Fact::Same,
        Likeness::Silent => Fact::Untold,
        Likeness::Other => Fact::Differs,
    }
}

/// Holders that an entry names and the step does not.
fn strangers(action: &'static Entity, step: &Step, entry: &Record) -> impl Iterator<Item = &'static str> {
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

/// Whether an entry is of that type and event, as far as it tells.
fn is_about(entry: &Record, kind: &str, event: &str) -> bool {
    says(entry, "type", kind) && is_of(entry, event)
}

fn is_of(entry: &Record, event: &str) -> bool {
    says(entry, "event", event)
}

fn says(entry: &Record, name: &str, word: &str) -> bool {
    entry.get(name).and_then(Json::as_str).is_none_or(|said| fold_header(said) == fold_header(word))
}
