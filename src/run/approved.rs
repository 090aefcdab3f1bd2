//! The steps of an approved plan: which of them can still be sent, and the journal that they are sent from.
//!
//! The records concerned are read again in the fewest requests. A step is sent if it was approved, everything it depends on
//! is sent too, and the account still holds what it held when the plan was made.

use std::cell::RefCell;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value as Json;

use super::journal::{JournalBuilder, JournalError, PlannedRow, RowState};
use super::prepare::report_waits;
use crate::account::Account;
use crate::api::{Body, Record, integer};
use crate::catalog::{Catalog, KeyValue, LookupRequest, LookupResult, RecordRef};
use crate::check::{Code, Problem, ValueError};
use crate::error::Result;
use crate::observer::Observer;
use crate::plan::{
    DependsOn, RowId, RowStatus, Step, StepRole, StepSink as _, WriteKind, cleared_fields, holds, value_text,
};
use crate::schema::{self, Entity, Field, Kind, Meaning, Reference, Role, Verb};

/// A step of a plan, at the row of its first line.
#[derive(Debug)]
pub(crate) struct ProposedStep {
    pub(crate) number: u32,
    pub(crate) row: RowId,
    pub(crate) entity: &'static Entity,
    pub(crate) write: WriteKind,
    pub(crate) is_approved: bool,
    /// The rest as JSON: there may be very many steps, and a text takes a fraction of the memory.
    pub(crate) content: Box<str>,
}

/// What a step sends, what it waits for, and what was there before.
#[derive(Deserialize)]
struct StepContent {
    body: Body,
    #[serde(default)]
    depends_on: Vec<DependsOn>,
    #[serde(default)]
    before: Option<Body>,
}

impl ProposedStep {
    /// The step itself; none where its text makes no sense.
    fn step(&self) -> Option<Step> {
        let StepContent { body, depends_on, before } = serde_json::from_str(&self.content).ok()?;
        let step = Step::new(self.number, self.row, StepRole::Row, self.entity, self.write);
        Some(Step { body, depends_on, before, ..step })
    }
}

/// What becomes of a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum StepDecision {
    Send,
    NotApproved,
    Rejected(Box<Problem>),
}

/// Reads the records again that approved steps are about, and decides what becomes of each step.
///
/// # Errors
/// Where the service cannot be read.
pub(crate) async fn decide(
    account: &Account,
    steps: &[ProposedStep],
    observer: &mut dyn Observer,
) -> Result<Vec<StepDecision>> {
    let lookups = lookups(steps);
    let observer = RefCell::new(observer);
    let mut on_collection = |name: &str, _| observer.borrow_mut().on_phase(&format!("reading {name} again"), None);
    let reading = Catalog::fetch(&account.client, &lookups, &mut on_collection);
    let catalog = report_waits(&account.client, &observer, reading).await?;
    Ok(decisions(steps, &catalog))
}

fn lookups(steps: &[ProposedStep]) -> LookupRequest {
    let mut lookups = LookupRequest::default();
    let approved = steps.iter().filter(|proposed| proposed.is_approved);
    for Step { entity, write, body, depends_on, .. } in approved.filter_map(ProposedStep::step) {
        match (write, entity.item()) {
            (WriteKind::Update(id) | WriteKind::Delete(id), _) => {
                lookups.matching(entity.name, entity.key);
                lookups.id(entity.name, id);
            }
            (WriteKind::Create, Some((field, reference))) => {
                let Some(item) = schema::collection(reference.to) else { continue };
                // Of the items everything is wanted: it tells where they are.
                match body.get(field.name) {
                    Some(Json::String(tag)) if !depends_on.iter().any(|awaited| is_made(steps, awaited.step)) => {
                        lookups.matching(item.name, item.key);
                        lookups.key(item.name, tag);
                    }
                    Some(Json::Number(id)) => {
                        lookups.matching(item.name, item.key);
                        id.as_i64().into_iter().for_each(|id| lookups.id(item.name, id));
                    }
                    _ => {}
                }
            }
            (WriteKind::Create, None) => {
                lookups.matching(entity.name, entity.key);
                match entity.key.first().and_then(|first| body.get(*first)) {
                    Some(Json::String(text)) => lookups.key(entity.name, text),
                    // A record that is not there yet has no others.
                    None => {}
                    Some(_) => lookups.matching_any(entity.name),
                }
            }
        }
    }
    lookups
}

/// Whether a step creates a record.
fn is_made(steps: &[ProposedStep], number: u32) -> bool {
    let found = steps.binary_search_by_key(&number, |proposed| proposed.number);
    found.is_ok_and(|at| steps[at].write == WriteKind::Create && steps[at].entity.is_collection())
}

fn decisions(steps: &[ProposedStep], catalog: &Catalog) -> Vec<StepDecision> {
    let mut decisions: Vec<StepDecision> = Vec::with_capacity(steps.len());
    for proposed in steps {
        let decision = match proposed.step().filter(|_| proposed.is_approved) {
            Some(step) => match blocking(&step, steps, &decisions) {
                Some(needed) => StepDecision::Rejected(Box::new(blocked_by("it needs", needed, catalog))),
                None => conflict(&step, catalog)
                    .map_or(StepDecision::Send, |problem| StepDecision::Rejected(Box::new(problem))),
            },
            None => StepDecision::NotApproved,
        };
        decisions.push(decision);
    }
    leave_with_holders(steps, &mut decisions, catalog);
    decisions
}

/// Rejects check-ins that only make way for a check-out which is not sent.
fn leave_with_holders(steps: &[ProposedStep], decisions: &mut [StepDecision], catalog: &Catalog) {
    for (at, proposed) in steps.iter().enumerate() {
        if proposed.entity.role != Role::Action(Verb::Checkout) || decisions[at] == StepDecision::Send {
            continue;
        }
        for awaited in proposed.step().into_iter().flat_map(|step| step.depends_on) {
            let Ok(earlier) = steps.binary_search_by_key(&awaited.step, |other| other.number) else { continue };
            let is_return = steps[earlier].entity.role == Role::Action(Verb::Checkin);
            if is_return && decisions[earlier] == StepDecision::Send {
                let problem = blocked_by("it only makes way for", proposed, catalog);
                decisions[earlier] = StepDecision::Rejected(Box::new(problem));
            }
        }
    }
}

/// The first step that `step` depends on and that is not sent.
fn blocking<'s>(step: &Step, steps: &'s [ProposedStep], decisions: &[StepDecision]) -> Option<&'s ProposedStep> {
    step.depends_on.iter().find_map(|awaited| {
        let at = steps.binary_search_by_key(&awaited.step, |other| other.number).ok()?;
        (decisions.get(at)? != &StepDecision::Send).then(|| &steps[at])
    })
}

fn blocked_by(why_needed: &str, needed: &ProposedStep, catalog: &Catalog) -> Problem {
    let what = needed.step().map_or_else(|| String::from(needed.entity.singular), |step| described(&step, catalog));
    let why = if needed.is_approved { "cannot be sent" } else { "was not approved" };
    let error = ValueError::new(
        Code::DependencyLeftOut,
        format!("{why_needed} {what}, which {why}"),
        "make the plan again, and approve both",
    );
    error.at(None, "")
}

/// `products Dell XPS 13`, `the check-in of LAP-1`: what a step is about.
fn described(step: &Step, catalog: &Catalog) -> String {
    if let WriteKind::Update(id) | WriteKind::Delete(id) = step.write {
        // What is sent of a record that is there need not have its name.
        let name = catalog.describe(step.entity.name, RecordRef::Known(id));
        let name = if name.starts_with('#') { name } else { format!("`{name}`") };
        return format!("{} {name}", step.entity.singular);
    }
    let texts = step
        .entity
        .item()
        .map(|(field, _)| field.name)
        .into_iter()
        .chain(["name"])
        .chain(step.entity.key.iter().copied());
    let text = texts.filter_map(|field| step.body.get(field)).find_map(|value| match value {
        Json::String(text) => Some(format!(" `{text}`")),
        Json::Number(id) => Some(format!(" #{id}")),
        _ => None,
    });
    let what = match step.entity.role {
        Role::Action(Verb::Checkin) => "the check-in of",
        Role::Action(Verb::Checkout) => "the check-out of",
        Role::Collection { .. } | Role::Listing => step.entity.singular,
    };
    format!("{what}{}", text.unwrap_or_default())
}

/// What is not as it was when the plan was made.
fn conflict(step: &Step, catalog: &Catalog) -> Option<Problem> {
    let changed = match (step.write, step.entity.item()) {
        (WriteKind::Update(id) | WriteKind::Delete(id), _) => {
            let Some(held) = catalog.record(step.entity.name, id) else {
                let error =
                    ValueError::new(Code::RecordMissing, "the record is not there any more", "make the plan again");
                return Some(error.at(None, ""));
            };
            changed_fields(step, held, catalog)
        }
        (WriteKind::Create, Some((field, reference))) => moved_item(step, field, reference, catalog)?,
        (WriteKind::Create, None) => return existing(step, catalog),
    };
    (!changed.is_empty()).then(|| {
        let error = ValueError::new(
            Code::RecordConflict,
            format!("changed since the plan was made: {}", changed.join("; ")),
            "make the plan again, and approve the change that is left",
        );
        error.at(None, "")
    })
}

/// The fields of a record that are not as they were, each with both values.
fn changed_fields(step: &Step, held: &Record, catalog: &Catalog) -> Vec<String> {
    let before = step.before.as_ref();
    let fields = step.entity.fields.iter().filter_map(|field| Some((field, before?.get(field.name)?)));
    // What a delete keeps of its record also has what changes by itself, such as counts.
    let is_own = |field: &Field| field.is_written() || !matches!(step.write, WriteKind::Delete(_));
    let changed = fields.filter(|(field, old)| is_own(field) && !holds(field, old, held.get(field.name)));
    changed.map(|(field, old)| was_and_is(field, Some(old), held.get(field.name), catalog)).collect()
}

fn was_and_is(field: &Field, old: Option<&Json>, new: Option<&Json>, catalog: &Catalog) -> String {
    let text = |value: Option<&Json>| value.map(|value| value_text(catalog, field, value)).unwrap_or_default();
    let shown = |text: String| if text.is_empty() { String::from("empty") } else { format!("`{text}`") };
    format!("{} was {}, is {}", field.name, shown(text(old)), shown(text(new)))
}

/// Who has an item, where that is not who had it. `None` if the item is made by this run.
fn moved_item(step: &Step, field: &Field, reference: Reference, catalog: &Catalog) -> Option<Vec<String>> {
    let item = schema::collection(reference.to)?;
    let id = match step.body.get(field.name)? {
        Json::Number(id) => id.as_i64()?,
        Json::String(tag) => *catalog.with_text(item.name, item.key.first()?, tag).first()?,
        _ => return None,
    };
    let holders = Meaning::Holders.field_name();
    // What is kept in stock has many holders, and the service decides whether enough is left.
    let before = step.before.as_ref()?.get(holders).filter(|_| item.is_tagged())?;
    let held = catalog.record(item.name, id)?.get(holders);
    let names = |value: Option<&Json>| -> Vec<String> {
        let entries = value.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let name = |entry: &Json| {
            let named = step.entity.holders().chain(step.entity.opposite().into_iter().flat_map(Entity::holders));
            let found = named.map(|holder| (holder, entry.get(holder.name).and_then(integer)));
            found.into_iter().find_map(|(holder, id)| {
                let (id, to) = (id?, holder.reference_to()?.to);
                let name = catalog.describe(to, RecordRef::Known(id));
                let singular = schema::collection(to).map_or(to, |entity| entity.singular);
                // People and places are not read again: of those that the steps do not name only the id is known.
                Some(if name.starts_with('#') { format!("{singular} {name}") } else { name })
            })
        };
        let mut names: Vec<String> =
            entries.iter().map(|entry| name(entry).unwrap_or_else(|| holder_of(entry, item))).collect();
        names.sort();
        names
    };
    // Nobody has an item that the run itself takes back first.
    let is_returned = before.is_null();
    let (was, is) = (names(Some(before)), names(held));
    Some(match is_returned || was == is {
        true => Vec::new(),
        false => vec![format!("it was with {}, and is with {}", shown_holders(&was), shown_holders(&is))],
    })
}

/// A holder of whom only an id is known.
fn holder_of(entry: &Json, item: &Entity) -> String {
    let ids = schema::HOLDERS.iter().filter_map(|name| Some(format!("{name} {}", entry.get(*name).and_then(integer)?)));
    ids.into_iter().next().unwrap_or_else(|| format!("another {}", item.singular))
}

fn shown_holders(names: &[String]) -> String {
    if names.is_empty() { String::from("nobody") } else { format!("`{}`", names.join("`, `")) }
}

/// A record that is there already.
fn existing(step: &Step, catalog: &Catalog) -> Option<Problem> {
    let texts: Vec<Option<String>> = step.entity.key.iter().map(|name| key_text(step.body.get(*name)?)).collect();
    let is_awaited = |name: &str| step.depends_on.iter().any(|awaited| awaited.field.as_deref() == Some(name));
    let mut key = Vec::new();
    for (name, text) in step.entity.key.iter().zip(&texts) {
        let is_reference = step.entity.field(name).is_some_and(|field| matches!(field.kind, Kind::Reference(_)));
        key.push(match (text, is_reference) {
            // It cannot be there: what it refers to is not.
            _ if is_awaited(name) => return None,
            (Some(text), true) => {
                text.parse().map_or(KeyValue::Text(text), |id| KeyValue::Reference(RecordRef::Known(id)))
            }
            (Some(text), false) => KeyValue::Text(text),
            (None, _) => KeyValue::Text(""),
        });
    }
    let found = match catalog.match_record(step.entity.name, step.entity.key, &key) {
        LookupResult::One(target) => catalog.describe(step.entity.name, target),
        LookupResult::Many(several) => several.into_iter().next().map(|(_, name)| name)?,
        LookupResult::None { .. } => return None,
    };
    let error = ValueError::new(
        Code::RecordExists,
        format!("made since the plan was made: {found}"),
        "make the plan again: it may have to be updated",
    );
    Some(error.at(None, ""))
}

fn key_text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Writes the steps that are sent into a journal, numbered anew. Returns what becomes of the row of each step.
///
/// # Errors
/// Where the journal cannot take them.
pub(crate) fn write_steps(
    journal: &mut JournalBuilder,
    steps: Vec<ProposedStep>,
    decisions: &[StepDecision],
) -> Result<HashMap<RowId, PlannedRow>, JournalError> {
    let mut numbers: HashMap<u32, u32> = HashMap::new();
    let mut rows = HashMap::new();
    for (proposed, decision) in steps.into_iter().zip(decisions) {
        let ended = |status, message: &str, problems| PlannedRow {
            state: RowState::Ended,
            status,
            record: proposed.write.record(),
            message: message.to_owned(),
            problems,
        };
        let planned = match decision {
            StepDecision::NotApproved => ended(RowStatus::Skipped, "not approved", Vec::new()),
            StepDecision::Rejected(problem) => ended(RowStatus::Failed, "", vec![problem.as_ref().clone()]),
            StepDecision::Send => {
                let Some(mut step) = proposed.step() else { continue };
                let planned =
                    PlannedRow { state: RowState::Planned, ..ended(step.write.done_status(), "", Vec::new()) };
                let number = journal.count();
                numbers.insert(step.number, number);
                step.number = number;
                for awaited in &mut step.depends_on {
                    awaited.step = numbers.get(&awaited.step).copied().unwrap_or(awaited.step);
                }
                journal.push(&step)?;
                planned
            }
        };
        rows.insert(proposed.row, planned);
    }
    Ok(rows)
}

/// The writes of a plan by kind, for limits.
pub(crate) fn totals(steps: &[ProposedStep], decisions: &[StepDecision]) -> crate::plan::PlanTotals {
    let mut totals = crate::plan::PlanTotals { rows: steps.len() as u64, ..Default::default() };
    let sent = steps.iter().zip(decisions).filter(|(_, decision)| **decision == StepDecision::Send);
    for (proposed, _) in sent {
        match proposed.write {
            WriteKind::Create => totals.creates += u64::from(proposed.entity.is_collection()),
            WriteKind::Update(_) => {
                totals.updates += 1;
                totals.clears += proposed.step().map_or(0, |step| cleared_fields(&step.body, step.before.as_ref()));
            }
            WriteKind::Delete(_) => totals.deletes += 1,
        }
    }
    totals
}

#[cfg(test)]
mod tests;
