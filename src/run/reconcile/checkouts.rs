//! Reconciles check-ins and checkouts by the log and the item.
//!
//! An action was applied where either shows it. It was not where neither does: a log may be late, or silent about such
//! actions, so its silence alone proves nothing.

use std::collections::{BTreeMap, HashMap};

use super::evidence::{self, ItemEvidence, LogCompleteness, LogEvidence, StepGroup};
use super::log;
use super::search::{self, TagCache};
use super::{Resolution, RunContext};
use crate::api::integer;
use crate::catalog::{LogPosition, RecordSource};
use crate::plan::Step;
use crate::schema::{self, Entity, Field, Meaning};

/// Decides for actions whether each was applied, in their order.
pub(super) async fn reconcile<S: RecordSource>(
    service: &S,
    steps: &[&Step],
    context: &RunContext<'_>,
    tags: &mut TagCache,
) -> Result<Vec<Resolution>, S::Error> {
    tags.resolve(service, steps.iter().flat_map(|step| search::referenced_tags(item_field(step), step)).collect())
        .await?;
    let mut resolutions: Vec<_> =
        steps.iter().map(|step| Resolution::Indeterminate(evidence::where_to_look(step, context.log, &[]))).collect();
    let mut covered = HashMap::new();
    let mut pending = Vec::new();
    for (group, indices) in groups(steps, context, tags) {
        let (found, completeness) = read_log(service, &group, context, tags, &mut covered).await?;
        pending.push(PendingGroup::after_log(group, &indices, found, completeness, &mut resolutions, context));
    }
    for at in 0..pending.len() {
        for (index, found) in read_item(service, steps, &pending, at, context).await? {
            match (found, pending[at].completeness) {
                (ItemEvidence::Applied, _) => resolutions[index] = APPLIED,
                (ItemEvidence::NotApplied, _) | (ItemEvidence::HeldByOthers, LogCompleteness::Complete) => {
                    resolutions[index] = Resolution::NotApplied;
                }
                (ItemEvidence::HeldByOthers | ItemEvidence::None, _) => {}
            }
        }
    }
    Ok(resolutions)
}

/// An action leaves no record of its own.
const APPLIED: Resolution = Resolution::Applied { id: None, record: None };

/// The steps by action and item, with their positions. A step whose item does not exist is in no group.
fn groups<'s>(steps: &[&'s Step], context: &RunContext<'s>, tags: &TagCache) -> Vec<(StepGroup<'s>, Vec<usize>)> {
    let mut groups: BTreeMap<(&str, i64), (StepGroup<'s>, Vec<usize>)> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        let (action, Some(item)) = (step.entity, evidence::item_of(step, &tags.ids)) else { continue };
        let new = || {
            let done = context.completed_actions.iter().filter(|done| is_same_action(action, step, done)).collect();
            (StepGroup { action, item, done, open: Vec::new() }, Vec::new())
        };
        let (group, indices) = groups.entry((action.name, item)).or_insert_with(new);
        group.open.push(step);
        indices.push(index);
    }
    groups.into_values().collect()
}

fn item_field(step: &Step) -> impl Iterator<Item = &'static Field> + use<> {
    step.entity.item().map(|(field, _)| field).into_iter()
}

/// Whether another step is the same action on the same item.
fn is_same_action(action: &Entity, step: &Step, other: &Step) -> bool {
    other.entity.name == action.name
        && item_field(step).all(|field| step.body.get(field.name) == other.body.get(field.name))
}

/// `covered`: whether the log records each action at all, as far as already known.
async fn read_log<S: RecordSource>(
    service: &S,
    group: &StepGroup<'_>,
    context: &RunContext<'_>,
    tags: &mut TagCache,
    covered: &mut HashMap<&'static str, bool>,
) -> Result<(Vec<LogEvidence>, LogCompleteness), S::Error> {
    if *context.log == LogPosition::Unknown {
        return Ok((vec![LogEvidence::Absent; group.open.len()], LogCompleteness::Unproven));
    }
    let employees = log::employees(group.open.iter().copied());
    let entries = log::fetch_entries(service, group.action, group.item, employees.as_ref(), context.log).await?;
    // Entries of actions for other employees were filtered out.
    let is_covered = |done: &&Step| {
        employees.as_ref().is_none_or(|employees| log::employee(done).is_some_and(|id| employees.contains(&id)))
    };
    let done = group.done.iter().copied().filter(is_covered).collect();
    let group = &StepGroup { done, open: group.open.clone(), ..*group };
    let everyone: Vec<&Step> = group.done.iter().chain(&group.open).copied().collect();
    tags.resolve(service, search::required_tags(group.action, &everyone, entries.iter())).await?;
    let (found, completeness) = evidence::from_log(group, &entries, &tags.ids, context.log);
    if completeness != LogCompleteness::Unproven || !found.contains(&LogEvidence::Absent) {
        return Ok((found, completeness));
    }
    let name = group.action.name;
    let is_covered = match covered.get(name) {
        Some(is_covered) => *is_covered,
        None => log::records_action(service, group.action, context.log).await?,
    };
    covered.insert(name, is_covered);
    Ok((found, if is_covered { LogCompleteness::Complete } else { LogCompleteness::Unproven }))
}

/// A group with the steps that the log has not decided.
struct PendingGroup<'s> {
    group: StepGroup<'s>,
    /// Steps of the group that the log shows as applied.
    found: Vec<&'s Step>,
    /// Positions among the steps.
    open: Vec<usize>,
    /// How many steps have ambiguous log entries.
    ambiguous: usize,
    completeness: LogCompleteness,
}

impl<'s> PendingGroup<'s> {
    /// Resolves the steps that the log shows. The others it does not show yet, or never.
    fn after_log(
        group: StepGroup<'s>,
        indices: &[usize],
        evidence: Vec<LogEvidence>,
        completeness: LogCompleteness,
        resolutions: &mut [Resolution],
        context: &RunContext<'_>,
    ) -> Self {
        let (mut found, mut open, mut ambiguous) = (Vec::new(), Vec::new(), 0);
        for ((step, index), evidence) in group.open.iter().zip(indices).zip(evidence) {
            match evidence {
                LogEvidence::Applied => {
                    found.push(*step);
                    resolutions[*index] = APPLIED;
                }
                LogEvidence::Absent => open.push(*index),
                LogEvidence::Ambiguous(fields) => {
                    ambiguous += 1;
                    resolutions[*index] =
                        Resolution::Indeterminate(evidence::where_to_look(step, context.log, &fields));
                }
            }
        }
        Self { group, found, open, ambiguous, completeness }
    }

    fn item(&self) -> Option<(&'static str, i64)> {
        self.group.action.item().map(|(_, reference)| (reference.to, self.group.item))
    }

    fn is_resolved(&self) -> bool {
        self.open.is_empty() && self.ambiguous == 0
    }
}

/// Reads the item itself, unless another undecided step on the same item makes its state inconclusive.
async fn read_item<S: RecordSource>(
    service: &S,
    steps: &[&Step],
    pending: &[PendingGroup<'_>],
    at: usize,
    context: &RunContext<'_>,
) -> Result<Vec<(usize, ItemEvidence)>, S::Error> {
    let asked = &pending[at];
    let Some((collection, id)) = asked.item() else { return Ok(Vec::new()) };
    let others = || pending.iter().enumerate().filter(|(index, other)| *index != at && other.item() == asked.item());
    let is_inconclusive = asked.ambiguous > 0 || others().any(|(_, other)| !other.is_resolved());
    let Some(item) = schema::collection(collection).filter(|_| !asked.open.is_empty() && !is_inconclusive) else {
        return Ok(Vec::new());
    };
    let Some(record) = service.record(item, id).await? else { return Ok(Vec::new()) };
    let open: Vec<&Step> = asked.open.iter().map(|index| steps[*index]).collect();
    let done = context.completed_actions.iter().filter(|step| evidence::is_on(step, collection, &record));
    let found = asked.found.iter().chain(others().flat_map(|(_, other)| &other.found)).copied();
    let done: Vec<&Step> = done.chain(found).collect();
    let available = context.available.get(&(collection, id)).copied();
    let is_superseded = done.iter().any(|done| open.iter().any(|open| done.number > open.number));
    let evidence = match (available, record.get(Meaning::Available.field_name()).and_then(integer)) {
        (Some(before), Some(now)) => evidence::from_stock(before, now, &done, &open),
        // A later action on an asset hides whether an earlier one was applied.
        _ if is_superseded => return Ok(Vec::new()),
        _ => evidence::from_deployment(asked.group.action, &open, &record),
    };
    Ok(asked.open.iter().copied().zip(evidence).collect())
}
