//! The steps of an approved plan: which of them can still be sent, and the journal that they are sent from.
//!
//! The records concerned are read again in the fewest requests. A step is sent if it was approved, everything it depends on
//! is sent too, and the account still holds what it held when the plan was made.
//!
//! ```text
//! existing  records that were made since the plan
//! changed   records that were changed, and items that were moved
//! repeated  stock that was checked in or out
//! ```

mod changed;
mod existing;
mod repeated;

pub(crate) use existing::records_with_key;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value as Json;

use self::changed::PlannedItem;
use super::journal::{JournalBuilder, JournalError, PlannedRow, RowState};
use super::prepare::report_waits;
use super::prior_actions::{ActionsSince, KnownActions, LogReading};
use crate::account::Account;
use crate::api::{Body, Record};
use crate::catalog::{Catalog, LogPosition, LookupRequest, RecordRef};
use crate::check::{Code, Problem, ValueError};
use crate::error::Result;
use crate::observer::Observer;
use crate::plan::{
    DependsOn, PriorActions, RowId, RowStatus, Step, StepRole, StepSink as _, WriteKind, cleared_fields,
};
use crate::schema::{self, CUSTOM_FIELDS, Entity, Meaning, Reference, Role, Verb};

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
    /// The fields that its row was matched by, if others than the natural key.
    #[serde(default)]
    match_on: Option<Vec<String>>,
    /// The records that had its key already.
    #[serde(default)]
    same_key: Vec<i64>,
    /// Whether the service sends an e-mail to whoever receives the item.
    #[serde(default)]
    notifies: bool,
}

impl ProposedStep {
    /// The step itself; none where its text makes no sense.
    fn step(&self) -> Option<Step> {
        self.parse().map(|(step, _)| step)
    }

    /// The step, and what tells whether its record is there already.
    fn parse(&self) -> Option<(Step, StepKey)> {
        let StepContent { body, depends_on, before, match_on, same_key, .. } = self.content()?;
        let field = |name: &String| self.entity.field(name).map(|field| field.name);
        let match_on = match_on.map(|names| names.iter().filter_map(field).collect());
        let key = StepKey { match_on: match_on.unwrap_or_else(|| self.entity.key.to_vec()), same_key };
        let step = Step::new(self.number, self.row, StepRole::Row, self.entity, self.write);
        Some((Step { body, depends_on, before, ..step }, key))
    }

    fn content(&self) -> Option<StepContent> {
        serde_json::from_str(&self.content).ok()
    }
}

/// How the record that a step creates is recognized.
struct StepKey {
    /// The fields that its row was matched by.
    match_on: Vec<&'static str>,
    /// The records that had the same values in them when the plan was made.
    same_key: Vec<i64>,
}

/// When a plan was made.
#[derive(Debug, Clone)]
pub(crate) struct PlanTime {
    /// When planning began, by the clock of this machine.
    pub(crate) began: Timestamp,
    /// The newest entry of the activity log then.
    pub(crate) log: LogPosition,
}

/// What becomes of a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum StepDecision {
    Send,
    /// Sent, with custom fields that others have changed since.
    SendMerged(Box<MergedFields>),
    /// It was done since the plan was made.
    AlreadyDone {
        message: String,
    },
    NotApproved,
    Rejected(Box<Problem>),
}

/// Fields that a step sends instead of those of the plan, and what the record holds in them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MergedFields {
    body: Body,
    before: Body,
}

impl StepDecision {
    fn is_sent(&self) -> bool {
        matches!(self, StepDecision::Send | StepDecision::SendMerged(_))
    }
}

/// Reads the records again that approved steps are about, and decides what becomes of each step.
///
/// # Errors
/// Where the service cannot be read.
pub(crate) async fn decide(
    account: &Account,
    steps: &[ProposedStep],
    PlanTime { began, log }: PlanTime,
    observer: &mut dyn Observer,
) -> Result<Vec<StepDecision>> {
    let lookups = lookups(steps);
    let observer = RefCell::new(observer);
    let mut on_collection = |name: &str, _| observer.borrow_mut().on_phase(&format!("reading {name} again"), None);
    let reading = Catalog::fetch(&account.client, &lookups, &mut on_collection);
    let catalog = report_waits(&account.client, &observer, reading).await?;
    let (requests, since) = (repeated::requests(steps, &catalog), ActionsSince::Plan { began, log });
    let finding = KnownActions::find(account, requests, LogReading::Unanswered, &since);
    let mut prior_actions = report_waits(&account.client, &observer, finding).await?;
    Ok(decisions(steps, &catalog, &mut prior_actions))
}

fn lookups(steps: &[ProposedStep]) -> LookupRequest {
    let mut lookups = LookupRequest::default();
    let approved = steps.iter().filter(|proposed| proposed.is_approved);
    for (step, key) in approved.filter_map(ProposedStep::parse) {
        let Step { entity, write, body, before, .. } = &step;
        match (*write, entity.item()) {
            (WriteKind::Update(id) | WriteKind::Delete(id), _) => {
                lookups.matching(entity.name, entity.key);
                lookups.id(entity.name, id);
                if body.contains_key(CUSTOM_FIELDS) {
                    lookups.custom_fields(entity.name);
                }
            }
            (WriteKind::Create, Some((field, reference))) => {
                let Some(item) = schema::collection(reference.to) else { continue };
                repeated::look_up_holders(&mut lookups, &step);
                // Of the items everything is wanted: it tells where they are.
                match body.get(field.name) {
                    // What the run makes has no state before.
                    Some(Json::String(tag)) if before.is_some() => {
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
            (WriteKind::Create, None) => existing::look_up(&mut lookups, &step, &key.match_on),
        }
    }
    lookups
}

fn decisions(steps: &[ProposedStep], catalog: &Catalog, prior_actions: &mut dyn PriorActions) -> Vec<StepDecision> {
    let mut decisions: Vec<StepDecision> = Vec::with_capacity(steps.len());
    let mut sent = EarlierUpdates::default();
    for proposed in steps {
        let decision = match proposed.parse().filter(|_| proposed.is_approved) {
            Some((step, key)) => match blocking(&step, steps, &decisions) {
                Some(needed) => StepDecision::Rejected(Box::new(blocked_by("it needs", needed, catalog))),
                None => {
                    let decision = decide_unblocked(&step, &key, (catalog, &sent), prior_actions);
                    sent.note(&step, &decision);
                    decision
                }
            },
            None => StepDecision::NotApproved,
        };
        decisions.push(decision);
    }
    leave_with_holders(steps, &mut decisions, catalog);
    decisions
}

/// Decides an approved step of which everything it depends on is sent.
fn decide_unblocked(
    step: &Step,
    key: &StepKey,
    (catalog, earlier): (&Catalog, &EarlierUpdates),
    prior_actions: &mut dyn PriorActions,
) -> StepDecision {
    if let Some(problem) = conflict(step, key, (catalog, earlier)) {
        return StepDecision::Rejected(Box::new(problem));
    }
    if let WriteKind::Update(id) = step.write {
        let held = catalog.record(step.entity.name, id);
        let merged = held.and_then(|held| changed::merged_custom_fields(step, &earlier.leave(step, held)));
        return merged.map_or(StepDecision::Send, |merged| StepDecision::SendMerged(Box::new(merged)));
    }
    repeated::decide(step, catalog, prior_actions).unwrap_or(StepDecision::Send)
}

/// What the updates that are sent before a step leave behind.
#[derive(Default)]
struct EarlierUpdates {
    /// The custom fields of records: a later update of the same record replaces them all.
    custom_fields: HashMap<(&'static str, i64), Json>,
    /// The items that get another tag.
    tags: HashMap<(&'static str, String), i64>,
}

impl EarlierUpdates {
    fn note(&mut self, step: &Step, decision: &StepDecision) {
        let body = match decision {
            StepDecision::Send => &step.body,
            StepDecision::SendMerged(merged) => &merged.body,
            _ => return,
        };
        let WriteKind::Update(id) = step.write else { return };
        let (entity, tag) = (step.entity.name, step.entity.meaning(Meaning::Tag));
        if let Some(fields) = body.get(CUSTOM_FIELDS) {
            self.custom_fields.insert((entity, id), fields.clone());
        }
        if let Some(Json::String(tag)) = tag.and_then(|tag| body.get(tag.name)) {
            self.tags.insert((entity, tag.clone()), id);
        }
    }

    /// The record of a step with its custom fields as the updates leave them.
    fn leave<'r>(&self, step: &Step, held: &'r Record) -> Cow<'r, Record> {
        match step.write.record().and_then(|id| self.custom_fields.get(&(step.entity.name, id))) {
            Some(fields) => {
                let mut left = held.clone();
                left.insert(String::from(CUSTOM_FIELDS), fields.clone());
                Cow::Owned(left)
            }
            None => Cow::Borrowed(held),
        }
    }

    /// The record that a step refers to, once the updates are done.
    fn record(&self, reference: Reference, value: &Json, catalog: &Catalog) -> Option<RecordRef> {
        let tagged = value.as_str().and_then(|tag| self.tags.get(&(reference.to, tag.to_owned())));
        tagged.map(|id| RecordRef::Known(*id)).or_else(|| catalog.sent_reference(reference, value))
    }
}

/// Rejects check-ins that only make way for a check-out which is not sent.
fn leave_with_holders(steps: &[ProposedStep], decisions: &mut [StepDecision], catalog: &Catalog) {
    for (at, proposed) in steps.iter().enumerate() {
        if proposed.entity.role != Role::Action(Verb::Checkout) || decisions[at].is_sent() {
            continue;
        }
        for awaited in proposed.step().into_iter().flat_map(|step| step.depends_on) {
            let Ok(earlier) = steps.binary_search_by_key(&awaited.step, |other| other.number) else { continue };
            let is_return = steps[earlier].entity.role == Role::Action(Verb::Checkin);
            if is_return && decisions[earlier].is_sent() {
                let problem = blocked_by("it only makes way for", proposed, catalog);
                decisions[earlier] = StepDecision::Rejected(Box::new(problem));
            }
        }
    }
}

/// The first step that `step` depends on and that is neither sent nor done.
fn blocking<'s>(step: &Step, steps: &'s [ProposedStep], decisions: &[StepDecision]) -> Option<&'s ProposedStep> {
    step.depends_on.iter().find_map(|awaited| {
        let at = steps.binary_search_by_key(&awaited.step, |other| other.number).ok()?;
        let is_met =
            |decision: &StepDecision| decision.is_sent() || matches!(decision, StepDecision::AlreadyDone { .. });
        (!is_met(decisions.get(at)?)).then(|| &steps[at])
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
    let item = step.entity.item().map(|(field, reference)| (field.name, Some(reference)));
    let fields = item.into_iter().chain(["name"].iter().chain(step.entity.key).map(|name| (*name, None)));
    let text = fields.filter_map(|(name, to)| Some((step.body.get(name)?, to))).find_map(|(value, to)| match value {
        Json::String(text) => Some(format!(" `{text}`")),
        Json::Number(id) => {
            let known = to.zip(id.as_i64()).map(|(to, id)| catalog.describe(to.to, RecordRef::Known(id)));
            Some(known.filter(|name| !name.starts_with('#')).map_or(format!(" #{id}"), |name| format!(" `{name}`")))
        }
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
fn conflict(step: &Step, key: &StepKey, (catalog, earlier): (&Catalog, &EarlierUpdates)) -> Option<Problem> {
    let gone = |message: String| {
        let error = ValueError::new(Code::RecordMissing, message, "make the plan again");
        Some(error.at(None, ""))
    };
    let changed = match (step.write, step.entity.item()) {
        (WriteKind::Update(id) | WriteKind::Delete(id), _) => {
            let Some(held) = catalog.record(step.entity.name, id) else {
                return gone(String::from("the record is not there any more"));
            };
            changed::changed_fields(step, held, catalog)
        }
        (WriteKind::Create, Some((field, reference))) => {
            match changed::planned_item(step, field, reference, (catalog, earlier))? {
                PlannedItem::Gone(item) => return gone(format!("there is no {item} any more")),
                PlannedItem::Other(item) => vec![format!("{item} is another record")],
                PlannedItem::Same(held) => changed::moved_item(step, reference, held, catalog),
            }
        }
        (WriteKind::Create, None) => return existing::existing(step, key, catalog),
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
    let mut done: HashSet<u32> = HashSet::new();
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
            StepDecision::AlreadyDone { message } => {
                done.insert(proposed.number);
                ended(RowStatus::Unchanged, message, Vec::new())
            }
            StepDecision::Send | StepDecision::SendMerged(_) => {
                let Some(mut step) = proposed.step() else { continue };
                if let StepDecision::SendMerged(merged) = decision {
                    step.body.extend(merged.body.clone());
                    step.before.get_or_insert_default().extend(merged.before.clone());
                }
                let planned =
                    PlannedRow { state: RowState::Planned, ..ended(step.write.done_status(), "", Vec::new()) };
                let number = journal.count();
                numbers.insert(step.number, number);
                step.number = number;
                step.depends_on.retain(|awaited| !done.contains(&awaited.step));
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
    let sent = steps.iter().zip(decisions).filter(|(_, decision)| decision.is_sent());
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

/// How many e-mails the service sends because of the steps that are sent, and to how many people.
pub(crate) fn notifications(steps: &[ProposedStep], decisions: &[StepDecision]) -> (u64, u64) {
    let may_notify = |step: &ProposedStep| step.entity.recipient().is_some();
    let sent = steps.iter().zip(decisions).filter(|(step, decision)| decision.is_sent() && may_notify(step));
    let notifying = sent.filter_map(|(step, _)| Some((step, step.content().filter(|content| content.notifies)?)));
    let (mut emails, mut people) = (0, HashSet::new());
    for (proposed, StepContent { body, depends_on, .. }) in notifying {
        emails += 1;
        let Some(recipient) = proposed.entity.recipient() else { continue };
        let is_made = |awaited: &&DependsOn| awaited.field.as_deref() == Some(recipient.name);
        let made = depends_on.iter().find(is_made).map(|awaited| awaited.step);
        people.insert((made, body.get(recipient.name).map(Json::to_string)));
    }
    (emails, people.len() as u64)
}

#[cfg(test)]
mod tests;
