//! What the activity log has recorded since the run was planned.
//!
//! Entries have no id: timestamp, type, event, item and user identify one (field notes). Which fields they carry besides
//! these is not documented, so an entry contradicts a step only where both report a value and the values differ.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::compare::{ReplyShape, TagIds, ValueMatch, match_value};
use super::rivals::ArrivalWindow;
use crate::api::{Record, integer};
use crate::catalog::{EntryAge, LogPosition, NEWEST_FIRST, Pager, RecordSource};
use crate::plan::Step;
use crate::schema::{self, ACTIVITY, Entity, Field, HOLDERS, Meaning, Role, Verb, fold_header, log_field};

/// The `type` and `event` of an action's log entries.
pub(in crate::run) fn log_terms(action: &'static Entity) -> Option<(&'static str, &'static str)> {
    let Role::Action(verb) = action.role else { return None };
    let (_, reference) = action.item()?;
    Some((schema::collection(reference.to)?.log_type()?, verb.log_event()))
}

/// Whether the log records such actions at all: its newest entry of that event, for any item, is newer than the run.
pub(super) async fn records_action<S: RecordSource>(
    service: &S,
    action: &'static Entity,
    position: &LogPosition,
) -> Result<bool, S::Error> {
    let Some((_, event)) = log_terms(action) else { return Ok(false) };
    let filters = [&[(log_field::EVENT, event)], NEWEST_FIRST].concat();
    let newest = service.page(&ACTIVITY, &filters, 0, 1).await?;
    Ok(newest.iter().any(|entry| has_term(entry, log_field::EVENT, event) && position.age(entry) == EntryAge::Newer))
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
    let (item, first_day) = (item.to_string(), position.first_day());
    let mut filters = vec![(log_field::TYPE, kind), (log_field::EVENT, event)];
    filters.extend(item_filter(action).map(|filter| (filter, item.as_str())));
    filters.extend(first_day.as_deref().map(|day| (log_field::DATE_FROM, day)));
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

/// The check-outs and check-ins of an item that the log shows, by whomever and to whomever, since the run was planned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ItemMoves {
    pub(super) count: usize,
    /// How many they have taken from stock, less what they have returned; none if an entry does not say how many.
    pub(super) taken: Option<i64>,
}

impl ItemMoves {
    fn of<'r>(entries: impl Iterator<Item = &'r Record>) -> Self {
        let quantity = |entry: &Record| {
            let quantity = entry.get(Meaning::MovedQuantity.field_name()).and_then(integer)?;
            let is_out = has_term(entry, log_field::EVENT, Verb::Checkout.log_event());
            Some(if is_out { quantity } else { -quantity })
        };
        entries.fold(Self { count: 0, taken: Some(0) }, |moves, entry| {
            let taken = moves.taken.zip(quantity(entry)).and_then(|(taken, more)| taken.checked_add(more));
            Self { count: moves.count + 1, taken }
        })
    }
}

/// How the log shows that an item was moved since the run was planned.
pub(super) async fn item_moves<S: RecordSource>(
    service: &S,
    action: &'static Entity,
    item: i64,
    position: &LogPosition,
) -> Result<ItemMoves, S::Error> {
    let Some((kind, _)) = log_terms(action).filter(|_| *position != LogPosition::Unknown) else {
        return Ok(ItemMoves::default());
    };
    let (id, first_day) = (item.to_string(), position.first_day());
    let mut filters = vec![(log_field::TYPE, kind)];
    filters.extend(item_filter(action).map(|filter| (filter, id.as_str())));
    filters.extend(first_day.as_deref().map(|day| (log_field::DATE_FROM, day)));
    let is_move = |entry: &&Record| {
        let is_of_item = entry.get(log_field::ITEM_ID).and_then(integer).is_none_or(|id| id == item);
        let is_of_kind = has_term(entry, log_field::TYPE, kind);
        let is_moved = [Verb::Checkin, Verb::Checkout]
            .iter()
            .any(|verb| entry.contains_key(log_field::EVENT) && has_term(entry, log_field::EVENT, verb.log_event()));
        is_of_item && is_of_kind && is_moved && position.age(entry) != EntryAge::Older
    };
    Ok(ItemMoves::of(fetch_all(service, &filters).await?.iter().filter(is_move)))
}

/// The parameter by which the log is filtered by the item of an action.
fn item_filter(action: &'static Entity) -> Option<&'static str> {
    action.item().and_then(|(_, reference)| schema::collection(reference.to)?.log_filter()).map(|filter| filter.name)
}

/// An entry that was found by its employee, naming them; none where it names someone else, since the service then
/// ignores the filter and would return the same entries for everyone.
pub(in crate::run) fn with_employee(mut entry: Record, parameter: &str, employee: i64) -> Option<Record> {
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

/// The log only grows and is read from its oldest entry on, so no entry is missed between two pages. Where entries were
/// hidden from a page, the next one begins with entries of that page, which count once.
async fn fetch_all<S: RecordSource>(service: &S, filters: &[(&str, &str)]) -> Result<Vec<Record>, S::Error> {
    let mut pages = Pager::new(service, &ACTIVITY, filters);
    let mut entries: Vec<Record> = Vec::new();
    let mut after_short_page = false;
    while let Some(page) = pages.next().await? {
        let known = if after_short_page { entries.len() } else { 0 };
        let new: Vec<Record> = page.into_iter().filter(|entry| !entries[..known].contains(entry)).collect();
        entries.extend(new);
        after_short_page = pages.seems_done();
    }
    Ok(entries)
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

/// What tells apart actions on the same item and holder, as far as entries carry it.
const DETAILS: &[Meaning] = &[Meaning::MovedQuantity, Meaning::MovedKey, Meaning::ActionNotes];

/// Compares a step of `action` on that item with a log entry. `window`: when the step's own request may have arrived, where
/// that is known. An entry of another time is hardly the step's, but clocks may be set: it differs.
pub(super) fn match_entry(
    action: &'static Entity,
    item: i64,
    step: &Step,
    entry: &Record,
    tags: &TagIds,
    (position, window): (&LogPosition, Option<ArrivalWindow>),
) -> EntryMatch {
    let Some((kind, event)) = log_terms(action) else { return EntryMatch::Unrelated };
    let is_of_item = entry.get(log_field::ITEM_ID).and_then(integer).is_none_or(|id| id == item);
    let is_of_action = has_term(entry, log_field::TYPE, kind) && has_term(entry, log_field::EVENT, event);
    let age = position.age(entry);
    if !is_of_action || !is_of_item || age == EntryAge::Older {
        return EntryMatch::Unrelated;
    }
    let mut differing = Vec::new();
    if age == EntryAge::Unknown || window.is_some_and(|window| !window.includes(entry)) {
        differing.push(log_field::TIMESTAMP);
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
    for field in DETAILS.iter().filter_map(|detail| action.meaning(*detail)) {
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
    let item = item_filter(action);
    let is_item = move |name: &str| item == Some(name);
    HOLDERS
        .iter()
        .copied()
        .filter(move |name| !is_item(name) && step.body.get(*name).is_none() && !entry.get(*name).is_none_or(is_blank))
}

pub(in crate::run) fn is_blank(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Whether an entry's field holds that term, as far as it is reported.
pub(in crate::run) fn has_term(entry: &Record, name: &str, term: &str) -> bool {
    entry.get(name).and_then(Json::as_str).is_none_or(|said| fold_header(said) == fold_header(term))
}
