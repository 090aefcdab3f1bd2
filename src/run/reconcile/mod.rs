//! Reconciles steps whose response was lost: find out whether each one was applied.
//!
//! Sending such a step again blindly creates duplicates; giving up on it loses rows. [`reconcile`] reads what the
//! service holds and decides for each step whether it was applied or, where the service does not show it, tells a person
//! what to look at.
//!
//! ```text
//! search            which records to read, and reading them: a list scan or exact searches
//! log               the activity log: reading it, and matching an entry with a step
//! compare           the values sent and the values held                          pure
//! records           decides creates, updates and deletes                         pure
//! checkouts         decides check-ins and checkouts: by the log, then by the item
//! rivals            what other runs of this machine have done, and when the run's own requests were in flight   pure
//! evidence          what the log and the item prove about them                   pure
//! external_changes  records and actions that others added since the plan
//! matching          assigns records and entries to steps: bipartite matching     pure
//! ```
//!
//! What always holds
//! - [`Resolution::NotApplied`] means that nothing exists which the step may have created. A record with the step's key
//!   but other values, or a similar log entry, gives [`Resolution::Indeterminate`].
//! - [`Resolution::Applied`] means that the service holds everything the step sent, and that no two steps get the same
//!   record.
//! - A read that fails decides nothing.
//!
//! What it cannot know
//! - Whether a request is still on its way. The caller waits until the service has surely dropped or applied it; a
//!   request that timed out on our side may still be processed there.
//! - That someone changed the key of a record, or deleted it, between the lost response and this read.
//! - Which of several equal records someone else created. Either way the row has what it asked for.
//! - Whose an entry of the log is that came while a request was on its way. One of another time is nobody's, so the step is
//!   [`Resolution::Indeterminate`]; what other runs of this machine have done, their journals tell.

mod checkouts;
mod compare;
mod evidence;
mod external_changes;
pub(in crate::run) mod log;
mod matching;
mod records;
mod rivals;
mod search;
#[cfg(test)]
pub(super) mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

pub(super) use compare::{has_other_key, kept_fields};
pub(super) use external_changes::ExternalChanges;
pub(super) use records::quoted;
pub(super) use rivals::{ArrivalWindow, PlanTimes};

use crate::api::Record;
use crate::catalog::{LogPosition, RecordSource};
use crate::plan::Step;
use crate::run::other_runs::OtherRuns;
use crate::schema::{self, Entity};
use compare::ReplyShape;
use search::{CollectionSnapshot, RecordQuery, TagCache};

/// What a run knows that tells its own changes from those of others.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunContext<'k> {
    /// Records that the run is known to have created, by collection and id: they belong to other steps.
    pub created: &'k HashSet<(&'static str, i64)>,
    /// When the run began, by our clock, where that is known.
    pub began: Option<Timestamp>,
    /// How many records each collection held when the run was planned, where that is known.
    pub sizes: &'k HashMap<&'static str, u64>,
    /// The newest entry of the activity log when the run was planned.
    pub log: &'k LogPosition,
    /// Actions that the run is known to have done, with bodies as sent: each has an entry in the log.
    pub completed_actions: &'k [Step],
    /// `available` of items before the run, by collection and id, where known.
    pub available: &'k HashMap<(&'static str, i64), i64>,
    /// What other runs of this machine have sent.
    pub other_runs: &'k dyn OtherRuns,
    /// When the plan was made; none where no other run counts.
    pub plan: Option<PlanTimes>,
    /// Actions of the run that were not sent because another run had done the same.
    pub done_elsewhere: &'k [Step],
    /// The steps that were sent, each with the time in which its request may have arrived, where that is known.
    pub sent: &'k HashMap<u32, Option<ArrivalWindow>>,
}

impl RunContext<'_> {
    fn window(&self, step: u32) -> Option<ArrivalWindow> {
        self.sent.get(&step).copied().flatten()
    }
}

/// Whether a step whose response was lost was applied.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Resolution {
    /// It was applied. With the record's id, and the record where it exists.
    Applied { id: Option<i64>, record: Option<Record> },
    /// It was not applied and may be sent again.
    NotApplied,
    /// The same: another run of this machine has done what it sends.
    DoneByOtherRun { run: String },
    /// The service does not show it. What a person should look at, as a fragment for `_message`.
    Indeterminate(String),
}

/// Decides for steps whose responses were lost whether each was applied, in their order. Bodies are as sent.
///
/// Updates and deletes are safe to repeat, and are [`Resolution::NotApplied`] where they left no trace. None of the
/// steps may be listed in `context`, and none may be in flight.
///
/// # Errors
/// Where the service could not be read; then nothing is decided.
pub(super) async fn reconcile<S: RecordSource>(
    service: &S,
    unresolved: &[&Step],
    context: &RunContext<'_>,
) -> Result<Vec<Resolution>, S::Error> {
    let mut of_records: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut of_actions = Vec::new();
    let mut resolutions = vec![Resolution::NotApplied; unresolved.len()];
    for (index, step) in unresolved.iter().enumerate() {
        if step.entity.is_action() {
            of_actions.push(index);
        } else {
            of_records.entry(step.entity.name).or_default().push(index);
        }
    }
    let mut tags = TagCache::default();
    for (name, indices) in of_records {
        let Some(entity) = schema::collection(name) else { continue };
        let steps: Vec<&Step> = indices.iter().map(|index| unresolved[*index]).collect();
        let resolved = reconcile_records(service, entity, &steps, context, &mut tags).await?;
        indices.into_iter().zip(resolved).for_each(|(index, resolution)| resolutions[index] = resolution);
    }
    let steps: Vec<&Step> = of_actions.iter().map(|index| unresolved[*index]).collect();
    let resolved = checkouts::reconcile(service, &steps, context, &mut tags).await?;
    of_actions.into_iter().zip(resolved).for_each(|(index, resolution)| resolutions[index] = resolution);
    Ok(resolutions)
}

/// For each step of a collection that is known to be applied, the ids of further records that hold what it sent and that
/// no other step is known to have created.
pub(super) async fn find_duplicates<S: RecordSource>(
    service: &S,
    steps: &[&Step],
    context: &RunContext<'_>,
) -> Result<Vec<Vec<i64>>, S::Error> {
    let mut found = vec![Vec::new(); steps.len()];
    let mut tags = TagCache::default();
    let entities: BTreeMap<&str, &'static Entity> = steps.iter().map(|step| (step.entity.name, step.entity)).collect();
    for entity in entities.into_values() {
        let indices: Vec<usize> = (0..steps.len()).filter(|index| steps[*index].entity.name == entity.name).collect();
        let of_entity: Vec<&Step> = indices.iter().map(|index| steps[*index]).collect();
        let snapshot = fetch(service, entity, &of_entity, context, &mut tags).await?;
        let shape = ReplyShape { reported_fields: &snapshot.reported_fields, tags: &tags.ids };
        for index in indices {
            found[index] = records::equal_records(entity, steps[index], &snapshot, shape, context);
        }
    }
    Ok(found)
}

async fn reconcile_records<S: RecordSource>(
    service: &S,
    entity: &'static Entity,
    steps: &[&Step],
    context: &RunContext<'_>,
    tags: &mut TagCache,
) -> Result<Vec<Resolution>, S::Error> {
    let snapshot = fetch(service, entity, steps, context, tags).await?;
    let shape = ReplyShape { reported_fields: &snapshot.reported_fields, tags: &tags.ids };
    Ok(records::reconcile(entity, steps, &snapshot, shape, context))
}

/// Reads the records that steps of a collection may be about, and the tags needed to compare them.
async fn fetch<S: RecordSource>(
    service: &S,
    entity: &'static Entity,
    steps: &[&Step],
    context: &RunContext<'_>,
    tags: &mut TagCache,
) -> Result<CollectionSnapshot, S::Error> {
    let created = context.created.iter().filter(|(collection, _)| *collection == entity.name).count() as u64;
    let size = context.sizes.get(entity.name).map(|size| size + created);
    let snapshot = RecordQuery::new(entity, steps).fetch(service, size).await?;
    let shown = snapshot.records.iter().chain(snapshot.by_id.values().flatten());
    tags.resolve(service, search::required_tags(entity, steps, shown)).await?;
    Ok(snapshot)
}
