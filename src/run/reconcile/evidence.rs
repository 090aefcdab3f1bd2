//! Evidence of whether check-ins and checkouts were applied: the activity log and the state of the item. Pure.

use std::cmp::Reverse;

use serde_json::Value as Json;

use super::RunContext;
use super::compare::TagIds;
use super::log::{EntryMatch, match_entry};
use super::matching::maximum_matching;
use super::search::tag_field;
use crate::api::integer;
use crate::api::{Record, record_id};
use crate::catalog::LogPosition;
use crate::plan::{ItemHolders, Step};
use crate::schema::{Entity, Meaning, Role, Verb, Wire};

/// Steps of one action on one item, with everything that may account for the log entries about it.
#[derive(Debug)]
pub(super) struct StepGroup<'s> {
    pub(super) action: &'static Entity,
    /// The item's system id.
    pub(super) item: i64,
    /// Steps of this run, and of other runs of this machine, that are known to have been applied.
    pub(super) done: Vec<&'s Step>,
    /// The steps to decide.
    pub(super) open: Vec<&'s Step>,
    /// Steps of other runs that may have been applied.
    pub(super) possible: Vec<&'s Step>,
}

/// What the log shows about a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LogEvidence {
    Applied,
    Absent,
    /// An entry may belong to the step, but differs in these fields, or may equally well belong to another step.
    Ambiguous(Vec<&'static str>),
}

/// Whether an action without a log entry did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogCompleteness {
    /// The log records such actions.
    Complete,
    /// It has recorded none so far.
    Unproven,
    /// An action that surely was applied is missing.
    Incomplete,
}

/// What the log shows about a group's open steps, in their order.
///
/// Each action has one entry, so entries are assigned: first to the steps that surely were applied, which must have
/// one, then to the open steps. A step that gets an entry in every possible assignment was applied, one that never gets
/// one was not, and anything in between is ambiguous. Equal steps are counted. Steps of other runs that may have been
/// applied compete with the open ones.
pub(super) fn from_log(
    group: &StepGroup<'_>,
    entries: &[Record],
    tags: &TagIds,
    context: &RunContext<'_>,
) -> (Vec<LogEvidence>, LogCompleteness) {
    let mut order: Vec<usize> = (0..group.open.len()).collect();
    order.sort_by_key(|open| (Reverse(group.open[*open].body.len()), group.open[*open].number));
    let open = order.iter().map(|open| group.open[*open]);
    let steps: Vec<&Step> = group.done.iter().copied().chain(open).chain(group.possible.iter().copied()).collect();
    let is_open = |at: usize| (group.done.len()..group.done.len() + group.open.len()).contains(&at);
    let match_all = |(at, step): (usize, &&Step)| -> Vec<EntryMatch> {
        let window = context.window(step.number).filter(|_| is_open(at));
        let matches = |entry| match_entry(group.action, group.item, step, entry, tags, (context.log, window));
        entries.iter().map(matches).collect()
    };
    let matches: Vec<Vec<EntryMatch>> = steps.iter().enumerate().map(match_all).collect();
    let candidates: Vec<Vec<usize>> = matches.iter().map(|matches| agreeing(matches)).collect();
    let assigned = maximum_matching(&candidates);
    let mut assignment =
        EntryAssignment { matches, assigned, done: group.done.len(), used: vec![false; entries.len()] };
    let completeness = assignment.completeness();
    let mut evidence = vec![LogEvidence::Absent; group.open.len()];
    let certainties = certainties(&steps, &candidates, (assignment.done, group.open.len()));
    for (at, open) in (assignment.done..).zip(order) {
        let differing = differing(&assignment.matches[at], &assignment.used);
        evidence[open] = match (certainties[at - assignment.done], differing) {
            (MatchCertainty::Certain, _) => LogEvidence::Applied,
            (MatchCertainty::Possible, _) => LogEvidence::Ambiguous(Vec::new()),
            (MatchCertainty::Impossible, Some((_, fields))) => LogEvidence::Ambiguous(fields.to_vec()),
            (MatchCertainty::Impossible, None) => LogEvidence::Absent,
        };
    }
    (evidence, completeness)
}

/// Log entries assigned to steps: those that surely were applied, then the open ones, then those of other runs that may have been.
struct EntryAssignment {
    /// By step and entry.
    matches: Vec<Vec<EntryMatch>>,
    /// The entry of each step.
    assigned: Vec<Option<usize>>,
    /// How many steps surely were applied.
    done: usize,
    /// Whether an entry belongs to a step.
    used: Vec<bool>,
}

impl EntryAssignment {
    /// Marks the entries in use. A step that surely was applied and has no agreeing entry takes one that differs, since
    /// the service may word it differently.
    fn completeness(&mut self) -> LogCompleteness {
        self.assigned.iter().flatten().for_each(|entry| self.used[*entry] = true);
        let has_entries = self.assigned.iter().any(Option::is_some);
        let mut completeness = if has_entries { LogCompleteness::Complete } else { LogCompleteness::Unproven };
        for at in (0..self.done).filter(|at| self.assigned[*at].is_none()) {
            match differing(&self.matches[at], &self.used) {
                Some((entry, _)) => self.used[entry] = true,
                None => completeness = LogCompleteness::Incomplete,
            }
        }
        completeness
    }
}

/// Whether a step gets an entry, over all possible assignments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MatchCertainty {
    /// In all of them.
    Certain,
    /// In some.
    Possible,
    /// In none.
    Impossible,
}

/// The certainties of the open steps, in their order; equal steps are interchangeable and counted. Every entry was
/// made by someone, so as many as possible are explained, and the first `done` steps have theirs in any case. The steps after
/// the `open` ones are of other runs: equal to an open one or not, they compete with it.
fn certainties(steps: &[&Step], candidates: &[Vec<usize>], (done, open): (usize, usize)) -> Vec<MatchCertainty> {
    let explained = |is_included: &dyn Fn(usize) -> bool| {
        let included = (0..steps.len()).filter(|at| *at < done || is_included(*at));
        let candidates: Vec<Vec<usize>> = included.map(|at| candidates[at].clone()).collect();
        maximum_matching(&candidates).iter().flatten().count()
    };
    let all = explained(&|_| true);
    let by_done = explained(&|_| false);
    let end = done + open;
    let mut certainties = vec![MatchCertainty::Impossible; open];
    for at in done..end {
        let is_equal = |other: usize| other < end && steps[other].body == steps[at].body;
        let before = (done..at).filter(|other| is_equal(*other)).count();
        let least = all - explained(&|other| !is_equal(other));
        let most = explained(&is_equal) - by_done;
        certainties[at - done] = match before {
            before if before < least => MatchCertainty::Certain,
            before if before < most => MatchCertainty::Possible,
            _ => MatchCertainty::Impossible,
        };
    }
    certainties
}

/// The entries that agree, those that report most fields first.
fn agreeing(matches: &[EntryMatch]) -> Vec<usize> {
    let rank = |(entry, found): (usize, &EntryMatch)| match found {
        EntryMatch::Agrees { reported } => Some((Reverse(reported.len()), entry)),
        EntryMatch::Differs(_) | EntryMatch::Unrelated => None,
    };
    let mut agreeing: Vec<_> = matches.iter().enumerate().filter_map(rank).collect();
    agreeing.sort_unstable();
    agreeing.into_iter().map(|(_, entry)| entry).collect()
}

/// The first unused entry that may belong to the step but differs from it, with the differing fields.
fn differing<'r>(matches: &'r [EntryMatch], used: &[bool]) -> Option<(usize, &'r [&'static str])> {
    matches.iter().enumerate().find_map(|(entry, found)| match found {
        EntryMatch::Differs(fields) if !used[entry] => Some((entry, fields.as_slice())),
        _ => None,
    })
}

/// What the state of the item shows about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemEvidence {
    Applied,
    NotApplied,
    /// Only others are seen to hold it, which someone may have changed since.
    HeldByOthers,
    None,
}

/// What an asset's `deployed_to` shows about open steps, in their order. It is evidence for at most one of them.
pub(super) fn from_deployment(action: &'static Entity, open: &[&Step], asset: &Record) -> Vec<ItemEvidence> {
    let holders = ItemHolders::of(asset);
    let mut is_claimed = false;
    let mut claim_once = |evidence: ItemEvidence| match evidence {
        // One deployment, or one return, is the work of one step.
        ItemEvidence::Applied if std::mem::replace(&mut is_claimed, true) => ItemEvidence::NotApplied,
        evidence => evidence,
    };
    let evidence = |step: &&Step| match (action.role, holders) {
        (Role::Action(Verb::Checkin), ItemHolders::Nobody) => ItemEvidence::Applied,
        (Role::Action(Verb::Checkin), ItemHolders::Listed(_)) | (Role::Action(Verb::Checkout), ItemHolders::Nobody) => {
            ItemEvidence::NotApplied
        }
        (Role::Action(Verb::Checkout), ItemHolders::Listed(deployed)) => {
            let is_held = deployed.iter().any(|holder| is_held_by(action, step, holder));
            if is_held { ItemEvidence::Applied } else { ItemEvidence::HeldByOthers }
        }
        // Whoever has it may have it by the step.
        _ => ItemEvidence::None,
    };
    open.iter().map(|step| claim_once(evidence(step))).collect()
}

fn is_held_by(action: &'static Entity, step: &Step, deployment: &Json) -> bool {
    action.holders().any(|holder| {
        let (wanted, held) = (step.body.get(holder.name), deployment.get(holder.name));
        wanted.and_then(integer).is_some_and(|wanted| held.and_then(integer) == Some(wanted))
    })
}

/// What the stock of an item shows about open steps, in their order: how many were `available` before the run, how many
/// are now, and how much of the difference the steps known to be `done` explain. Where their bodies do not say, `logged` does:
/// what the log shows as taken. That what it shows is all then proves that nothing else was applied, and no more.
pub(super) fn from_stock(
    (before, now): (i64, i64),
    done: &[&Step],
    open: &[&Step],
    logged: Option<i64>,
) -> Vec<ItemEvidence> {
    let rest = |explained: i64| before.checked_sub(now)?.checked_sub(explained);
    let Some(rest) = sum(done).and_then(rest) else {
        let is_explained = logged.and_then(rest) == Some(0);
        let evidence = if is_explained { ItemEvidence::NotApplied } else { ItemEvidence::None };
        return vec![evidence; open.len()];
    };
    if rest == 0 {
        return vec![ItemEvidence::NotApplied; open.len()];
    }
    let quantities: Option<Vec<i64>> = open.iter().map(|step| quantity_taken(step)).collect();
    match quantities.as_deref() {
        Some(_) if sum(open) == Some(rest) => vec![ItemEvidence::Applied; open.len()],
        Some([first, others @ ..]) if others.iter().all(|other| other == first) && are_equal(open) => {
            match usize::try_from(rest / first) {
                Ok(times) if rest % first == 0 && times <= open.len() => (0..open.len())
                    .map(|index| if index < times { ItemEvidence::Applied } else { ItemEvidence::NotApplied })
                    .collect(),
                _ => vec![ItemEvidence::None; open.len()],
            }
        }
        // A check-in returns as many as were checked out, which its body does not say.
        None if open.len() == 1 && rest < 0 => vec![ItemEvidence::Applied],
        _ => vec![ItemEvidence::None; open.len()],
    }
}

/// How many steps take from what is available. Numbers from sheets and services may be anything: an overflow is no evidence.
fn sum(steps: &[&Step]) -> Option<i64> {
    steps.iter().try_fold(0_i64, |sum, step| sum.checked_add(quantity_taken(step)?))
}

/// Whether steps are interchangeable.
fn are_equal(steps: &[&Step]) -> bool {
    steps.windows(2).all(|pair| pair[0].body == pair[1].body)
}

/// How many an action takes from what is available; none where its body does not say.
fn quantity_taken(step: &Step) -> Option<i64> {
    let Role::Action(verb) = step.entity.role else { return None };
    let is_key = step.body.get(Meaning::MovedKey.field_name()).is_some_and(|key| !key.is_null());
    let quantity = step.body.get(Meaning::MovedQuantity.field_name()).and_then(integer);
    match verb {
        Verb::Checkout => quantity.or(is_key.then_some(1)).filter(|quantity| *quantity > 0),
        Verb::Checkin => is_key.then_some(-1),
    }
}

/// Whether a step is an action on that record of `collection`.
pub(super) fn is_on(step: &Step, collection: &str, record: &Record) -> bool {
    let Some((field, reference)) = step.entity.item() else { return false };
    let Some(named) = step.body.get(field.name).filter(|_| reference.to == collection) else { return false };
    match reference.wire {
        Wire::Id => integer(named).is_some_and(|id| record_id(record) == Some(id)),
        Wire::Tag => tag_field().is_some_and(|(_, tag)| record.get(tag.name) == Some(named)),
    }
}

/// The system id of a step's item; none where the account has no asset with that tag.
pub(super) fn item_of(step: &Step, tags: &TagIds) -> Option<i64> {
    let (field, reference) = step.entity.item()?;
    let named = step.body.get(field.name)?;
    match reference.wire {
        Wire::Id => integer(named),
        Wire::Tag => *tags.get(named.as_str()?.trim())?,
    }
}

/// Where a person can find out whether an action was applied.
pub(super) fn where_to_look(step: &Step, position: &LogPosition, differing: &[&'static str]) -> String {
    let (action, Some((item, reference))) = (step.entity, step.entity.item()) else {
        return String::from("could not determine whether it was applied");
    };
    let name = |to: &str, field: &str| {
        let singular = crate::schema::collection(to).map_or(to, |entity| entity.singular);
        let is_tag = tag_field().is_some_and(|(entity, _)| entity.name == to);
        match step.body.get(field) {
            Some(Json::String(tag)) if is_tag => format!("{singular} `{tag}`"),
            Some(id) => format!("{singular} `#{id}`"),
            None => singular.to_owned(),
        }
    };
    let mut named = vec![name(reference.to, item.name)];
    let holders = action.holders().filter(|holder| step.body.contains_key(holder.name));
    named.extend(holders.filter_map(|holder| Some(name(holder.reference_to()?.to, holder.name))));
    let from = position.first_day().map(|day| format!(" from `{day}` on")).unwrap_or_default();
    let entry = match differing {
        [] => String::new(),
        fields => format!("; an entry there differs in `{}`", fields.join("`, `")),
    };
    format!("look at {} in the service's activity log{from}{entry}; not sent again", named.join(" and "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::plan::{RowId, StepRole, WriteKind};
    use crate::schema;

    #[test]
    fn stock_tells_what_was_applied_only_of_steps_that_are_alike() {
        let checkout = |employee: i64, quantity: i64| {
            let entity = schema::find("checkout_accessory").unwrap();
            let step = Step::new(0, RowId { sheet: 0, row: 2 }, StepRole::Row, entity, WriteKind::Create);
            let body = json!({"accessory_id": 1, "employee_id": employee, "quantity": quantity});
            Step { body: body.as_object().cloned().unwrap(), ..step }
        };
        let (ada, again, bob, more) = (checkout(1, 2), checkout(1, 2), checkout(2, 2), checkout(1, 3));
        use ItemEvidence::{Applied, None as Nothing, NotApplied};
        for (now, done, open, evidence) in [
            (8, &[][..], &[&ada, &again][..], [Applied, NotApplied]),
            (8, &[], &[&ada, &bob], [Nothing, Nothing]),
            (6, &[], &[&ada, &bob], [Applied, Applied]),
            (10, &[], &[&ada, &bob], [NotApplied, NotApplied]),
            (7, &[], &[&ada, &again], [Nothing, Nothing]),
            (8, &[], &[&ada, &more], [Nothing, Nothing]),
            (5, &[&more], &[&ada, &again], [Applied, NotApplied]),
        ] {
            assert_eq!(from_stock((10, now), done, open, Some(10 - now)), evidence, "{now}");
        }
        assert_eq!(from_stock((i64::MIN, 1), &[], &[&ada], None), [Nothing]);
    }

    #[test]
    fn an_item_that_somebody_unnamed_has_shows_nothing_about_its_moves() {
        use ItemEvidence::{Applied, HeldByOthers, None as Nothing, NotApplied};
        for (held, out, back) in [
            (json!({"deployed_to": []}), NotApplied, Applied),
            (json!({"deployed_to": [], "checkout_date": "2026-01-02"}), Nothing, Nothing),
            (json!({"checkout_date": null}), Nothing, Nothing),
            (json!({"deployed_to": [{"location_id": 4}]}), Applied, NotApplied),
            (json!({"deployed_to": [{"employee_id": 4}]}), HeldByOthers, NotApplied),
        ] {
            let evidence = |name: &str, body: Json| {
                let entity = schema::find(name).unwrap();
                let step = Step::new(0, RowId { sheet: 0, row: 2 }, StepRole::Row, entity, WriteKind::Create);
                let step = Step { body: body.as_object().cloned().unwrap(), ..step };
                from_deployment(entity, &[&step], held.as_object().unwrap())
            };
            assert_eq!(evidence("checkout_asset", json!({"asset_id": "A-1", "location_id": 4})), [out], "{held}");
            assert_eq!(evidence("checkin_asset", json!({"asset_id": 1})), [back], "{held}");
        }
    }

    #[test]
    fn where_check_ins_do_not_say_how_many_came_back_the_log_does() {
        let checkin = |employee: i64| {
            let entity = schema::find("checkin_accessory").unwrap();
            let step = Step::new(0, RowId { sheet: 0, row: 2 }, StepRole::Row, entity, WriteKind::Create);
            Step { body: json!({"accessory_id": 1, "employee_id": employee}).as_object().cloned().unwrap(), ..step }
        };
        let (ada, bob, eve) = (checkin(1), checkin(2), checkin(3));
        let of = |now, done: &[&Step], open: &[&Step], logged| from_stock((4, now), done, open, logged);
        use ItemEvidence::{Applied, None as Nothing, NotApplied};
        assert_eq!(of(7, &[&ada], &[&bob, &eve], Some(-3)), [NotApplied, NotApplied]);
        assert_eq!(of(9, &[&ada], &[&bob], Some(-3)), [Nothing], "two came back that the log does not show");
        assert_eq!(of(7, &[&ada], &[&bob], None), [Nothing], "the log does not say how many");
        assert_eq!(of(i64::MAX, &[&ada], &[&bob], Some(i64::MIN)), [Nothing]);
        assert_eq!((of(4, &[], &[&bob], None), of(6, &[], &[&bob], None)), (vec![NotApplied], vec![Applied]));
    }
}
