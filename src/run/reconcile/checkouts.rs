//! Reconciles check-ins and checkouts by the log and the item.
//!
//! An action was applied where either shows it. It was not where neither does: a log may be late, or silent about such
//! actions, so its silence alone proves nothing.
//!
//! Log and item show what others have done, too. Other runs of this machine have journals: what these tell is theirs.
//! Strangers are known by their entries only: one that came while a request of ours was on its way is taken for ours.

use std::collections::{BTreeMap, HashMap};

use super::evidence::{self, ItemEvidence, LogCompleteness, LogEvidence, StepGroup};
use super::log::{self, ItemMoves};
use super::rivals::{Rivals, is_alike};
use super::search::{self, TagCache};
use super::{Resolution, RunContext};
use crate::api::{Record, integer};
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
    let mut resolutions: Vec<_> =
        steps.iter().map(|step| Resolution::Indeterminate(evidence::where_to_look(step, context.log, &[]))).collect();
    if steps.is_empty() {
        return Ok(resolutions);
    }
    tags.resolve(service, steps.iter().flat_map(|step| search::referenced_tags(item_field(step), step)).collect())
        .await?;
    let mut groups = Vec::new();
    for (group, indices) in self::groups(steps, context, tags) {
        let entries = fetch_log(service, &group, context).await?;
        groups.push((group, indices, entries));
    }
    // Read after the log: they know of every entry that other runs have made.
    let Some(rivals) = rivals(context) else { return Ok(resolutions) };
    let mut covered = HashMap::new();
    let mut pending = Vec::new();
    for (mut group, indices, entries) in groups {
        group.add_rivals(&rivals, context, tags);
        let (found, completeness) = read_log(service, &group, entries, context, tags, &mut covered).await?;
        pending.push(PendingGroup::after_log(group, &indices, found, completeness, &mut resolutions, context));
    }
    let mut items = Vec::new();
    for at in 0..pending.len() {
        items.push(ItemState::read(service, &pending, at, context).await?);
    }
    let Some(rivals_now) = self::rivals(context) else { return Ok(resolutions) };
    for (at, item) in items.into_iter().enumerate().filter_map(|(at, item)| Some((at, item?))) {
        for (index, found) in item.evidence(steps, &pending, at, (&rivals, &rivals_now), context) {
            match (found, pending[at].completeness) {
                (ItemEvidence::Applied, _) => resolutions[index] = APPLIED,
                (ItemEvidence::NotApplied, _) | (ItemEvidence::HeldByOthers, LogCompleteness::Complete) => {
                    resolutions[index] = Resolution::NotApplied;
                }
                (ItemEvidence::HeldByOthers | ItemEvidence::None, _) => {}
            }
        }
    }
    note_done_by_others(steps, &mut resolutions, &rivals_now, context);
    Ok(resolutions)
}

/// An action leaves no record of its own.
const APPLIED: Resolution = Resolution::Applied { id: None, record: None };

/// What other runs have done meanwhile; none where that cannot be read.
fn rivals(context: &RunContext<'_>) -> Option<Rivals> {
    let Some(plan) = context.plan else { return Some(Rivals::default()) };
    Some(Rivals::of(context.other_runs.actions()?, plan))
}

/// What another run has done exactly so is not done once more. It serves one step for each time.
fn note_done_by_others(steps: &[&Step], resolutions: &mut [Resolution], rivals: &Rivals, context: &RunContext<'_>) {
    let mut served: Vec<&Step> = context.done_elsewhere.iter().collect();
    for (step, resolution) in steps.iter().zip(resolutions) {
        if *resolution != Resolution::NotApplied {
            continue;
        }
        let times = served.iter().filter(|other| is_alike(other, step)).count();
        if let Some(run) = rivals.runs_that_did(step).nth(times) {
            *resolution = Resolution::DoneByOtherRun { run: run.to_owned() };
            served.push(step);
        }
    }
}

/// The steps by action and item, with their positions. A step whose item does not exist is in no group.
fn groups<'s>(steps: &[&'s Step], context: &RunContext<'s>, tags: &TagCache) -> Vec<(StepGroup<'s>, Vec<usize>)> {
    let mut groups: BTreeMap<(&str, i64), (StepGroup<'s>, Vec<usize>)> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        let (action, Some(item)) = (step.entity, evidence::item_of(step, &tags.ids)) else { continue };
        let new = || {
            let done = context.completed_actions.iter().filter(|done| is_same_action(action, step, done)).collect();
            (StepGroup { action, item, done, open: Vec::new(), possible: Vec::new() }, Vec::new())
        };
        let (group, indices) = groups.entry((action.name, item)).or_insert_with(new);
        group.open.push(step);
        indices.push(index);
    }
    groups.into_values().collect()
}

impl<'s> StepGroup<'s> {
    /// Adds what other runs have done with the item. A step that was not sent is not looked for itself: whoever did the
    /// same has done it.
    fn add_rivals(&mut self, rivals: &'s Rivals, context: &RunContext<'_>, tags: &TagCache) {
        let is_of_group = |step: &&Step| {
            step.entity.name == self.action.name && evidence::item_of(step, &tags.ids) == Some(self.item)
        };
        let is_looked_for = |step: &&Step| {
            self.open.iter().any(|open| !context.sent.contains_key(&open.number) && is_alike(open, step))
        };
        let possible = rivals.possible().filter(is_of_group).filter(|step| !is_looked_for(step)).collect();
        self.done.extend(rivals.certain().filter(is_of_group));
        self.possible = possible;
    }
}

fn item_field(step: &Step) -> impl Iterator<Item = &'static Field> + use<> {
    step.entity.item().map(|(field, _)| field).into_iter()
}

/// Whether another step is the same action on the same item.
fn is_same_action(action: &Entity, step: &Step, other: &Step) -> bool {
    other.entity.name == action.name
        && item_field(step).all(|field| step.body.get(field.name) == other.body.get(field.name))
}

/// The entries of the log that may belong to a group; none where nobody knows where the log stood.
async fn fetch_log<S: RecordSource>(
    service: &S,
    group: &StepGroup<'_>,
    context: &RunContext<'_>,
) -> Result<Option<Vec<Record>>, S::Error> {
    if *context.log == LogPosition::Unknown {
        return Ok(None);
    }
    let employees = log::employees(group.open.iter().copied());
    log::fetch_entries(service, group.action, group.item, employees.as_ref(), context.log).await.map(Some)
}

/// `covered`: whether the log records each action at all, as far as already known.
async fn read_log<S: RecordSource>(
    service: &S,
    group: &StepGroup<'_>,
    entries: Option<Vec<Record>>,
    context: &RunContext<'_>,
    tags: &mut TagCache,
    covered: &mut HashMap<&'static str, bool>,
) -> Result<(Vec<LogEvidence>, LogCompleteness), S::Error> {
    let Some(entries) = entries else {
        return Ok((vec![LogEvidence::Absent; group.open.len()], LogCompleteness::Unproven));
    };
    let employees = log::employees(group.open.iter().copied());
    // Entries of actions for other employees were filtered out.
    let is_covered = |step: &&Step| {
        employees.as_ref().is_none_or(|employees| log::employee(step).is_some_and(|id| employees.contains(&id)))
    };
    let done = group.done.iter().copied().filter(is_covered).collect();
    let possible = group.possible.iter().copied().filter(is_covered).collect();
    let group = &StepGroup { done, open: group.open.clone(), possible, ..*group };
    let everyone: Vec<&Step> = group.done.iter().chain(&group.open).chain(&group.possible).copied().collect();
    tags.resolve(service, search::required_tags(group.action, &everyone, entries.iter())).await?;
    let (found, completeness) = evidence::from_log(group, &entries, &tags.ids, context);
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

/// An item after the run, and how often it was moved.
struct ItemState {
    collection: &'static str,
    id: i64,
    record: Record,
    /// By anybody since the run was planned, as far as the log shows.
    moves: ItemMoves,
}

impl ItemState {
    /// Reads the item of a group, unless another undecided step on the same item makes its state inconclusive.
    async fn read<S: RecordSource>(
        service: &S,
        pending: &[PendingGroup<'_>],
        at: usize,
        context: &RunContext<'_>,
    ) -> Result<Option<Self>, S::Error> {
        let asked = &pending[at];
        let Some((collection, id)) = asked.item() else { return Ok(None) };
        let mut others =
            pending.iter().enumerate().filter(|(index, other)| *index != at && other.item() == asked.item());
        let is_inconclusive = asked.ambiguous > 0 || others.any(|(_, other)| !other.is_resolved());
        let Some(item) = schema::collection(collection).filter(|_| !asked.open.is_empty() && !is_inconclusive) else {
            return Ok(None);
        };
        let Some(record) = service.record(item, id).await? else { return Ok(None) };
        let is_stock = context.available.contains_key(&(collection, id)) && available(&record).is_some();
        let moves = match is_stock {
            true => log::item_moves(service, asked.group.action, id, context.log).await?,
            false => ItemMoves::default(),
        };
        Ok(Some(Self { collection, id, record, moves }))
    }

    /// What the item shows about the open steps of its group. `rivals`: what other runs had done before the item was read, and
    /// afterwards.
    fn evidence(
        &self,
        steps: &[&Step],
        pending: &[PendingGroup<'_>],
        at: usize,
        (rivals, rivals_now): (&Rivals, &Rivals),
        context: &RunContext<'_>,
    ) -> Vec<(usize, ItemEvidence)> {
        let asked = &pending[at];
        let open: Vec<&Step> = asked.open.iter().map(|index| steps[*index]).collect();
        let is_on = |step: &&Step| evidence::is_on(step, self.collection, &self.record);
        let others = pending.iter().filter(|other| other.item() == asked.item());
        let own = context.completed_actions.iter().filter(is_on);
        let own: Vec<&Step> = own.chain(others.flat_map(|other| &other.found).copied()).collect();
        let theirs: Vec<&Step> = rivals.certain().filter(is_on).collect();
        // What other runs are doing just now the item may show, or not yet.
        let is_in_motion = rivals_now.possible().any(|step| is_on(&step))
            || rivals_now.certain().filter(is_on).count() != theirs.len();
        if is_in_motion {
            return Vec::new();
        }
        let before = context.available.get(&(self.collection, self.id)).copied();
        let evidence = match (before, available(&self.record)) {
            (Some(before), Some(now)) => {
                let done: Vec<&Step> = own.iter().chain(&theirs).copied().collect();
                // A log that lacks an action which surely was applied does not show all that was taken, and one that shows
                // more may show an open step's.
                let is_whole = asked.completeness == LogCompleteness::Complete && self.moves.count == done.len();
                let logged = self.moves.taken.filter(|_| is_whole);
                let found = evidence::from_stock((before, now), &done, &open, logged);
                // Strangers may have taken what the open steps would have.
                if self.moves.count > done.len() { found.into_iter().map(unless_applied).collect() } else { found }
            }
            // A later action on an asset hides whether an earlier one was applied.
            _ if own.iter().any(|done| open.iter().any(|open| done.number > open.number)) => return Vec::new(),
            _ if !theirs.is_empty() => {
                let is_done = |open: &&Step| theirs.iter().any(|done| is_alike(done, open));
                let found = |open| if is_done(open) { ItemEvidence::NotApplied } else { ItemEvidence::None };
                open.iter().map(found).collect()
            }
            _ => evidence::from_deployment(asked.group.action, &open, &self.record),
        };
        asked.open.iter().copied().zip(evidence).collect()
    }
}

fn available(item: &Record) -> Option<i64> {
    item.get(Meaning::Available.field_name()).and_then(integer)
}

fn unless_applied(evidence: ItemEvidence) -> ItemEvidence {
    if evidence == ItemEvidence::Applied { ItemEvidence::None } else { evidence }
}
