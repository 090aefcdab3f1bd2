//! Decides from the records whether creates, updates and deletes were applied. Pure.

use std::cmp::Reverse;
use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::compare::{
    CreateMatch, ReplyCoverage, ReplyShape, UpdateMatch, changed_fields, match_create, match_update, normalized_key,
    search_key,
};
use super::matching::{ambiguous, maximum_matching};
use super::search::{CollectionSnapshot, Consistency};
use super::{Resolution, RunContext};
use crate::api::{Body, Record, record_id};
use crate::plan::{Step, WriteKind};
use crate::schema::{CREATED_AT, Entity, Field};

/// Decides for steps of one collection whether each was applied, in their order.
pub(super) fn reconcile(
    entity: &'static Entity,
    steps: &[&Step],
    snapshot: &CollectionSnapshot,
    shape: ReplyShape<'_>,
    context: &RunContext<'_>,
) -> Vec<Resolution> {
    let creates: Vec<&Step> = steps.iter().copied().filter(|step| step.write == WriteKind::Create).collect();
    let mut created = reconcile_creates(entity, &creates, snapshot, shape, context).into_iter();
    let one = |step: &&Step| match step.write {
        WriteKind::Create => created.next().unwrap_or_else(|| indeterminate(INCONSISTENT_LIST)),
        WriteKind::Update(id) => reconcile_update(entity, step, id, by_id(snapshot, id), shape),
        WriteKind::Delete(id) => match by_id(snapshot, id) {
            Some(record) => reconcile_delete(entity, step, record, shape),
            None => Resolution::Applied { id: Some(id), record: None },
        },
    };
    steps.iter().map(one).collect()
}

const INCONSISTENT_LIST: &str =
    "the records changed while they were read; look for the record before you send the row again";

fn indeterminate(message: impl Into<String>) -> Resolution {
    Resolution::Indeterminate(message.into())
}

fn by_id(snapshot: &CollectionSnapshot, id: i64) -> Option<&Record> {
    snapshot.by_id.get(&id)?.as_ref()
}

fn reconcile_update(
    entity: &'static Entity,
    step: &Step,
    id: i64,
    record: Option<&Record>,
    shape: ReplyShape<'_>,
) -> Resolution {
    let Some(record) = record else {
        return indeterminate(format!(
            "{} `#{id}` no longer exists; could not determine whether it was updated before",
            entity.singular
        ));
    };
    match match_update(entity, &step.body, step.before.as_ref(), record, shape) {
        UpdateMatch::AsSent => Resolution::Applied { id: Some(id), record: Some(record.clone()) },
        // Sending it again has the planned effect, whether it was applied before or not.
        UpdateMatch::AsBefore | UpdateMatch::NotAsSent => Resolution::NotApplied,
        UpdateMatch::Neither(fields) => indeterminate(format!("{}; not overwritten", changed_since(&fields, record))),
    }
}

/// A delete of a record that is there.
fn reconcile_delete(entity: &'static Entity, step: &Step, record: &Record, shape: ReplyShape<'_>) -> Resolution {
    let changed = step.before.as_ref().map(|before| changed_fields(entity, before, record, shape)).unwrap_or_default();
    match changed.is_empty() {
        true => Resolution::NotApplied,
        false => indeterminate(format!("{}; not deleted", changed_since(&changed, record))),
    }
}

fn changed_since(fields: &[&str], record: &Record) -> String {
    let now: Vec<_> = fields.iter().map(|name| format!("`{name}` is now {}", quoted(record.get(*name)))).collect();
    format!("changed by someone else since: {}", now.join(", "))
}

/// A value for messages, shortened.
pub(in crate::run) fn quoted(value: Option<&Json>) -> String {
    const MAX_CHARS: usize = 60;
    let text = match value {
        None | Some(Json::Null) => return String::from("empty"),
        Some(Json::String(text)) if text.is_empty() => return String::from("empty"),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// A record that a create may have made.
struct Candidate<'r> {
    /// The position in the snapshot.
    index: usize,
    id: Option<i64>,
    record: &'r Record,
    found: CreateMatch,
}

fn reconcile_creates(
    entity: &'static Entity,
    steps: &[&Step],
    snapshot: &CollectionSnapshot,
    shape: ReplyShape<'_>,
    context: &RunContext<'_>,
) -> Vec<Resolution> {
    let Some(key) = search_key(entity) else {
        return vec![indeterminate(format!("the {} have no field to find the record by", entity.name)); steps.len()];
    };
    if !snapshot.reported_fields.is_empty() && !snapshot.reported_fields.contains(key.name) {
        let message = format!("the service's {} do not show their `{}`; look for the record", entity.name, key.name);
        return vec![indeterminate(message); steps.len()];
    }
    // The step that sent most comes first: its record also fits a step that sent less, but not the other way round.
    let mut order: Vec<usize> = (0..steps.len()).collect();
    order.sort_by_key(|index| (Reverse(steps[*index].body.len()), steps[*index].number));
    let by_key = group_by_key(key, snapshot);
    let candidates: Vec<Vec<Candidate<'_>>> = order
        .iter()
        .map(|index| {
            let step = steps[*index];
            let of_key = normalized_key(key, step.body.get(key.name)).and_then(|key| by_key.get(&key));
            let found = of_key.into_iter().flatten().map(|index| candidate(entity, step, *index, snapshot, shape));
            found.filter(|candidate| is_available(entity, candidate, context)).collect()
        })
        .collect();
    let preferences: Vec<Vec<usize>> = candidates.iter().map(|candidates| preferences(candidates)).collect();
    let assigned = maximum_matching(&preferences);
    let bodies: Vec<&Body> = order.iter().map(|index| &steps[*index].body).collect();
    let ambiguous = ambiguous(&preferences, &assigned, |one, other, record| {
        bodies[one] != bodies[other] && [one, other].iter().any(|step| is_partly_reported(&candidates[*step], record))
    });
    let mut resolutions: Vec<_> = vec![Resolution::NotApplied; steps.len()];
    for (at, index) in order.into_iter().enumerate() {
        let record = assigned[at].filter(|_| !ambiguous[at]).and_then(|record| snapshot.records.get(record));
        resolutions[index] = match record {
            Some(record) => Resolution::Applied { id: record_id(record), record: Some(record.clone()) },
            None if normalized_key(key, steps[index].body.get(key.name)).is_none() => {
                indeterminate(format!("it was sent without `{}`, by which it could be found", key.name))
            }
            None if ambiguous[at] => indeterminate(format!(
                "other rows with the same `{}` match the same {}, and the service does not show where they differ; not \
                 sent again",
                entity.key.join("`, `"),
                entity.singular
            )),
            None => unmatched(entity, &candidates[at], &assigned, snapshot.consistency),
        };
    }
    resolutions
}

/// The ids of the records that hold what a step sent and that the run is not known to have created.
pub(super) fn equal_records(
    entity: &'static Entity,
    step: &Step,
    snapshot: &CollectionSnapshot,
    shape: ReplyShape<'_>,
    context: &RunContext<'_>,
) -> Vec<i64> {
    let Some(key) = search_key(entity) else { return Vec::new() };
    let wanted = normalized_key(key, step.body.get(key.name));
    let is_same_key = |record: &Record| wanted.is_some() && normalized_key(key, record.get(key.name)) == wanted;
    let of_key = (0..snapshot.records.len()).filter(|index| is_same_key(&snapshot.records[*index]));
    let candidates = of_key.map(|index| candidate(entity, step, index, snapshot, shape));
    let equal = candidates.filter(|candidate| {
        matches!(candidate.found, CreateMatch::Equal { .. }) && is_available(entity, candidate, context)
    });
    equal.filter_map(|candidate| candidate.id).collect()
}

/// Positions of the records by normalized key. A record that lacks the field others report has no key.
fn group_by_key(key: &Field, snapshot: &CollectionSnapshot) -> HashMap<String, Vec<usize>> {
    let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, record) in snapshot.records.iter().enumerate() {
        let Some(key) = normalized_key(key, record.get(key.name)) else { continue };
        by_key.entry(key).or_default().push(index);
    }
    by_key
}

fn candidate<'r>(
    entity: &'static Entity,
    step: &Step,
    index: usize,
    snapshot: &'r CollectionSnapshot,
    shape: ReplyShape<'_>,
) -> Candidate<'r> {
    let record = &snapshot.records[index];
    Candidate { index, id: record_id(record), record, found: match_create(entity, &step.body, record, shape) }
}

/// Whether a record may be the step's: it belongs to no other step and did not exist long before the run, as a record
/// with the same key may where rows are matched on another field.
fn is_available(entity: &'static Entity, candidate: &Candidate<'_>, context: &RunContext<'_>) -> bool {
    let is_older = context.began.is_some_and(|began| is_older(candidate.record, began));
    !is_older && candidate.id.is_none_or(|id| !context.created.contains(&(entity.name, id)))
}

/// How far the service's clock may be off ours.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_hours(1);

/// Whether a record was created before a moment of our clock, as far as it reports its creation.
pub(super) fn is_older(record: &Record, moment: Timestamp) -> bool {
    is_before(record, CREATED_AT, moment)
}

/// Whether what a record reports in `created_at` or `updated_at` was before a moment of our clock.
pub(super) fn is_before(record: &Record, field: &str, moment: Timestamp) -> bool {
    let reported = record.get(field).and_then(Json::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    let moment = moment.saturating_sub(MAX_CLOCK_SKEW).unwrap_or(moment);
    reported.is_some_and(|reported| reported < moment)
}

/// The records that may be assigned to a step: those with the fewest fields beyond what it sent first, then the oldest.
fn preferences(candidates: &[Candidate<'_>]) -> Vec<usize> {
    let equal = |candidate: &Candidate<'_>| match (&candidate.found, candidate.id) {
        (CreateMatch::Equal { extra_fields, .. }, Some(id)) => Some((*extra_fields, id, candidate.index)),
        _ => None,
    };
    let mut preferences: Vec<_> = candidates.iter().filter_map(equal).collect();
    preferences.sort_unstable();
    preferences.into_iter().map(|(_, _, index)| index).collect()
}

/// Whether a record reports only part of what the step sent, so that it may equally well belong to another step.
fn is_partly_reported(candidates: &[Candidate<'_>], record: usize) -> bool {
    let is_partial = |candidate: &Candidate<'_>| {
        matches!(candidate.found, CreateMatch::Equal { coverage: ReplyCoverage::Partial, .. })
    };
    candidates.iter().any(|candidate| candidate.index == record && is_partial(candidate))
}

/// A step without a record: not applied, unless a record with its key that belongs to no other step suggests that it
/// may have been.
fn unmatched(
    entity: &'static Entity,
    candidates: &[Candidate<'_>],
    assigned: &[Option<usize>],
    consistency: Consistency,
) -> Resolution {
    let is_taken = |candidate: &Candidate<'_>| assigned.contains(&Some(candidate.index));
    let conflict =
        candidates.iter().find(|candidate| candidate.found != CreateMatch::Unrelated && !is_taken(candidate));
    match (conflict, consistency) {
        (Some(conflict), _) => indeterminate(describe_conflict(entity, conflict)),
        (None, Consistency::Inconsistent) => indeterminate(INCONSISTENT_LIST),
        (None, Consistency::Consistent) => Resolution::NotApplied,
    }
}

fn describe_conflict(entity: &'static Entity, conflict: &Candidate<'_>) -> String {
    let key = entity.key.join("`, `");
    let Some(id) = conflict.id else {
        return format!("one of the {} has its `{key}`, but the service does not show its id", entity.name);
    };
    let one = format!("{} `#{id}`", entity.singular);
    let fields = match &conflict.found {
        CreateMatch::Differs(fields) => fields,
        CreateMatch::NotReported(fields) => {
            return format!("{one} may be it, but does not show its `{}`; not sent again", fields.join("`, `"));
        }
        CreateMatch::Equal { .. } | CreateMatch::Unrelated => return format!("{one} may be it; not sent again"),
    };
    let held: Vec<_> =
        fields.iter().map(|name| format!("`{name}` is {}", quoted(conflict.record.get(*name)))).collect();
    let held = held.join(", ");
    format!("{one} has its `{key}` and appeared during the run, but differs: {held}; not sent again")
}
