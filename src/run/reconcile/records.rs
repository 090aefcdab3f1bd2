//! Whether creates, updates and deletes of records were done, told by the records. Pure.

use std::cmp::Reverse;
use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::compare::{Fit, State, Telling, View, fit, folded, state, telling_field};
use super::pairing::{contested, pair};
use super::search::{Reading, Seen};
use super::{Known, Settlement};
use crate::api::{Body, Record, record_id};
use crate::plan::{Step, WriteKind};
use crate::schema::Entity;

/// What became of steps of one collection, in their order.
pub(super) fn settle(
    entity: &'static Entity,
    steps: &[&Step],
    seen: &Seen,
    view: View<'_>,
    known: &Known<'_>,
) -> Vec<Settlement> {
    let creates: Vec<&Step> = steps.iter().copied().filter(|step| step.write == WriteKind::Create).collect();
    let mut created = settle_creates(entity, &creates, seen, view, known).into_iter();
    let one = |step: &&Step| match step.write {
        WriteKind::Create => created.next().unwrap_or_else(|| Settlement::Undecided(String::from(TORN))),
        WriteKind::Update(id) => settle_update(entity, step, id, by_id(seen, id), view),
        WriteKind::Delete(id) => match by_id(seen, id) {
            Some(_) => Settlement::NotDone,
            None => Settlement::Done { id: Some(id), record: None },
        },
    };
    steps.iter().map(one).collect()
}

const TORN: &str = "the records changed while they were read; look for the record before you send the row again";

fn by_id(seen: &Seen, id: i64) -> Option<&Record> {
    seen.by_id.get(&id)?.as_ref()
}

fn settle_update(entity: &'static Entity, step: &Step, id: i64, record: Option<&Record>, view: View<'_>) -> Settlement {
    let Some(record) = record else {
        let gone =
            format!("{} `#{id}` is no longer there; nobody can tell whether it was updated before", entity.singular);
        return Settlement::Undecided(gone);
    };
    match state(entity, &step.body, step.before.as_ref(), record, view) {
        State::AsSent => Settlement::Done { id: Some(id), record: Some(record.clone()) },
        // Sent again it does what the plan wanted, whether it was done before or not.
        State::AsBefore | State::NotAsSent => Settlement::NotDone,
        State::Neither(fields) => {
            let now: Vec<_> =
                fields.iter().map(|name| format!("`{name}` is now {}", shown(record.get(*name)))).collect();
            Settlement::Undecided(format!("changed by someone else since: {}; not overwritten", now.join(", ")))
        }
    }
}

/// Enough of a value to recognise it by.
fn shown(value: Option<&Json>) -> String {
    const LONGEST: usize = 60;
    let text = match value {
        None | Some(Json::Null) => return String::from("empty"),
        Some(Json::String(text)) if text.is_empty() => return String::from("empty"),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// A record that may be what a create made.
struct Candidate<'r> {
    /// The position among the records seen.
    index: usize,
    id: Option<i64>,
    record: &'r Record,
    fit: Fit,
}

fn settle_creates(
    entity: &'static Entity,
    steps: &[&Step],
    seen: &Seen,
    view: View<'_>,
    known: &Known<'_>,
) -> Vec<Settlement> {
    let Some(telling) = telling_field(entity) else {
        return vec![
            Settlement::Undecided(format!("nothing tells one of the {} from another", entity.name));
            steps.len()
        ];
    };
    if !seen.carried.is_empty() && !seen.carried.contains(telling.name) {
        let untold = format!("the service's {} do not show their `{}`; look for the record", entity.name, telling.name);
        return vec![Settlement::Undecided(untold); steps.len()];
    }
    let mut by_key: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, record) in seen.records.iter().enumerate() {
        // A record that leaves out what others tell has no key, and is nobody's.
        let Some(key) = folded(telling, record.get(telling.name)) else { continue };
        by_key.entry(key).or_default().push(index);
    }
    // Who sent most comes first: its record may pass for that of one who sent less, not the other way round.
    let mut order: Vec<usize> = (0..steps.len()).collect();
    order.sort_by_key(|index| (Reverse(steps[*index].body.len()), steps[*index].number));
    let candidates: Vec<Vec<Candidate<'_>>> = order
        .iter()
        .map(|index| {
            let step = steps[*index];
            let of_key = folded(telling, step.body.get(telling.name)).and_then(|key| by_key.get(&key));
            let free = of_key.into_iter().flatten().map(|index| candidate(entity, step, *index, seen, view));
            free.filter(|candidate| is_free(entity, candidate, known)).collect()
        })
        .collect();
    let wishes: Vec<Vec<usize>> = candidates.iter().map(|candidates| wishes(candidates)).collect();
    let pairs = pair(&wishes);
    let bodies: Vec<&Body> = order.iter().map(|index| &steps[*index].body).collect();
    let contested = contested(&wishes, &pairs, |one, other, record| {
        bodies[one] != bodies[other] && [one, other].iter().any(|step| is_vague(&candidates[*step], record))
    });
    let mut settlements: Vec<_> = vec![Settlement::NotDone; steps.len()];
    for (at, index) in order.into_iter().enumerate() {
        settlements[index] = match pairs[at].filter(|_| !contested[at]).and_then(|record| seen.records.get(record)) {
            Some(record) => Settlement::Done { id: record_id(record), record: Some(record.clone()) },
            None if folded(telling, steps[index].body.get(telling.name)).is_none() => {
                Settlement::Undecided(format!("it was sent without `{}`, by which it could be found", telling.name))
            }
            None if contested[at] => {
                let look =
                    format!("other rows of the same `{}` fit the same {}", entity.key.join("`, `"), entity.singular);
                Settlement::Undecided(format!(
                    "{look}, and the service does not show where they differ; not sent again"
                ))
            }
            None => unpaired(entity, &candidates[at], &pairs, seen.reading),
        };
    }
    settlements
}

fn candidate<'r>(entity: &'static Entity, step: &Step, index: usize, seen: &'r Seen, view: View<'_>) -> Candidate<'r> {
    let record = &seen.records[index];
    Candidate { index, id: record_id(record), record, fit: fit(entity, &step.body, record, view) }
}

/// Whether a record may be the step's: it is not another step's, and did not stand there long before the run, as one
/// of the same key may where rows are matched on something else.
fn is_free(entity: &'static Entity, candidate: &Candidate<'_>, known: &Known<'_>) -> bool {
    let is_older = known.began.is_some_and(|began| is_older(candidate.record, began));
    !is_older && candidate.id.is_none_or(|id| !known.told.contains(&(entity.name, id)))
}

/// How far the service's clock and ours may be apart.
const CLOCKS: SignedDuration = SignedDuration::from_hours(1);

/// Whether a record was made before a moment of our clock, as far as it tells.
pub(super) fn is_older(record: &Record, moment: Timestamp) -> bool {
    let created = record.get("created_at").and_then(Json::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    let moment = moment.saturating_sub(CLOCKS).unwrap_or(moment);
    created.is_some_and(|created| created < moment)
}

/// The records that a step would take, those that hold least beside what it sent first, then the oldest.
fn wishes(candidates: &[Candidate<'_>]) -> Vec<usize> {
    let equal = |candidate: &Candidate<'_>| match (&candidate.fit, candidate.id) {
        (Fit::Equal { beyond, .. }, Some(id)) => Some((*beyond, id, candidate.index)),
        _ => None,
    };
    let mut wishes: Vec<_> = candidates.iter().filter_map(equal).collect();
    wishes.sort_unstable();
    wishes.into_iter().map(|(_, _, index)| index).collect()
}

/// Whether the record that one step got may as well be another's: it does not show where the two differ.
fn is_vague(candidates: &[Candidate<'_>], record: usize) -> bool {
    let is_vague = |candidate: &Candidate<'_>| matches!(candidate.fit, Fit::Equal { telling: Telling::Some, .. });
    candidates.iter().any(|candidate| candidate.index == record && is_vague(candidate))
}

/// A step that got no record: it was not done, unless a record of its key that nobody else accounts for says that it
/// may have been.
fn unpaired(
    entity: &'static Entity,
    candidates: &[Candidate<'_>],
    pairs: &[Option<usize>],
    reading: Reading,
) -> Settlement {
    let is_taken = |candidate: &Candidate<'_>| pairs.contains(&Some(candidate.index));
    let conflict = candidates.iter().find(|candidate| candidate.fit != Fit::Stranger && !is_taken(candidate));
    match (conflict, reading) {
        (Some(conflict), _) => Settlement::Undecided(look_at(entity, conflict)),
        (None, Reading::Torn) => Settlement::Undecided(String::from(TORN)),
        (None, Reading::Whole) => Settlement::NotDone,
    }
}

fn look_at(entity: &'static Entity, conflict: &Candidate<'_>) -> String {
    let key = entity.key.join("`, `");
    let Some(id) = conflict.id else {
        return format!("one of the {} has its `{key}`, but the service does not tell its id", entity.name);
    };
    let one = format!("{} `#{id}`", entity.singular);
    let fields = match &conflict.fit {
        Fit::Differs(fields) => fields,
        Fit::Untold(fields) => {
            return format!("{one} may be it, but does not tell its `{}`; not sent again", fields.join("`, `"));
        }
        Fit::Equal { .. } | Fit::Stranger => return format!("{one} may be it; not sent again"),
    };
    let held: Vec<_> = fields.iter().map(|name| format!("`{name}` is {}", shown(conflict.record.get(*name)))).collect();
    let held = held.join(", ");
    format!("{one} has its `{key}` and came up during the run, but differs: {held}; not sent again")
}
