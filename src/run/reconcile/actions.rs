//! Whether check-ins and checkouts were done: told by the activity log, else by where things are. Pure.

use std::cmp::Reverse;

use serde_json::Value as Json;

use super::compare::{Tags, integer};
use super::log::{LogStart, Relation, relation};
use super::pairing::pair;
use super::search::tagged;
use crate::api::{Record, record_id};
use crate::plan::Step;
use crate::schema::{Entity, Role, Verb, Wire};

/// Steps of one action on one item, with all that may account for the log's entries about it.
#[derive(Debug)]
pub(super) struct Pool<'s> {
    pub(super) action: &'static Entity,
    /// The item's system id.
    pub(super) item: i64,
    /// Steps of this run that are known to have been done.
    pub(super) done: Vec<&'s Step>,
    /// Those to settle.
    pub(super) open: Vec<&'s Step>,
}

/// What the log says of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    Done,
    NotThere,
    /// There is an entry that may be the step's, but differs in these; or is as much another step's.
    Unclear(Vec<&'static str>),
}

/// Whether what the log does not tell did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// It tells of such actions.
    Proven,
    /// It has told of none so far.
    Unproven,
    /// It lacks an action that was done for sure.
    Gaps,
}

/// What the log says of a pool's open steps, in their order.
///
/// Each action is logged once, so entries are shared out: first to the steps that were done for sure, which must have
/// one, then to the open ones. A step that has one however they are shared out was done, one that never has was not;
/// what is between is unclear. Equal ones are counted.
pub(super) fn by_log(pool: &Pool<'_>, entries: &[Record], tags: &Tags, start: &LogStart) -> (Vec<Word>, Trust) {
    let relations = |steps: &[&Step]| -> Vec<Vec<Relation>> {
        let one = |step: &&Step| {
            entries.iter().map(|entry| relation(pool.action, pool.item, step, entry, tags, start)).collect()
        };
        steps.iter().map(one).collect()
    };
    let mut order: Vec<usize> = (0..pool.open.len()).collect();
    order.sort_by_key(|open| (Reverse(pool.open[*open].body.len()), pool.open[*open].number));
    let steps: Vec<&Step> = pool.done.iter().copied().chain(order.iter().map(|open| pool.open[*open])).collect();
    let relations = relations(&steps);
    let wishes: Vec<Vec<usize>> = relations.iter().map(|relations| agreeing(relations)).collect();
    let pairs = pair(&wishes);
    let mut shares = Shares { steps, relations, pairs, sure: pool.done.len(), taken: vec![false; entries.len()] };
    let trust = shares.trust();
    let mut words = vec![Word::NotThere; pool.open.len()];
    let spans = spans(&shares.steps, &wishes, shares.sure);
    for (at, open) in (pool.done.len()..).zip(order) {
        words[open] = match (spans[at - shares.sure], resembling(&shares.relations[at], &shares.taken)) {
            (Span::Surely, _) => Word::Done,
            (Span::Perhaps, _) => Word::Unclear(Vec::new()),
            (Span::Never, Some((_, fields))) => Word::Unclear(fields.to_vec()),
            (Span::Never, None) => Word::NotThere,
        };
    }
    (words, trust)
}

/// Entries shared out among steps.
struct Shares<'s> {
    /// Those that were done for sure, then the open ones.
    steps: Vec<&'s Step>,
    /// By step and entry.
    relations: Vec<Vec<Relation>>,
    /// The entry of each step.
    pairs: Vec<Option<usize>>,
    /// How many steps were done for sure.
    sure: usize,
    /// Whether an entry is somebody's.
    taken: Vec<bool>,
}

impl Shares<'_> {
    /// Sees to it that all who were done for sure have an entry, if in the service's own words.
    fn trust(&mut self) -> Trust {
        self.pairs.iter().flatten().for_each(|entry| self.taken[*entry] = true);
        let mut trust = match self.pairs.iter().any(Option::is_some) {
            true => Trust::Proven,
            false => Trust::Unproven,
        };
        for at in (0..self.sure).filter(|at| self.pairs[*at].is_none()) {
            match resembling(&self.relations[at], &self.taken) {
                Some((entry, _)) => self.taken[entry] = true,
                None => trust = Trust::Gaps,
            }
        }
        trust
    }
}

/// Whether a step has an entry, in all the ways in which entries can be shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    /// In all of them.
    Surely,
    /// In some.
    Perhaps,
    Never,
}

/// The spans of the open steps, in their order; equal steps stand for one another and are counted. Every entry was made
/// by somebody, so as many as possible are explained, and those who were done for sure have theirs in any case.
fn spans(steps: &[&Step], wishes: &[Vec<usize>], sure: usize) -> Vec<Span> {
    let explained = |is_meant: &dyn Fn(usize) -> bool| {
        let wishes: Vec<Vec<usize>> =
            (0..steps.len()).filter(|at| *at < sure || is_meant(*at)).map(|at| wishes[at].clone()).collect();
        pair(&wishes).iter().flatten().count()
    };
    let all = explained(&|_| true);
    let by_sure = explained(&|_| false);
    let mut spans = vec![Span::Never; steps.len() - sure];
    for at in sure..steps.len() {
        let is_alike = |other: usize| steps[other].body == steps[at].body;
        let before = (sure..at).filter(|other| is_alike(*other)).count();
        let least = all - explained(&|other| !is_alike(other));
        let most = explained(&is_alike) - by_sure;
        spans[at - sure] = match before {
            before if before < least => Span::Surely,
            before if before < most => Span::Perhaps,
            _ => Span::Never,
        };
    }
    spans
}

/// Entries that agree, those that tell most first.
fn agreeing(relations: &[Relation]) -> Vec<usize> {
    let told = |(entry, relation): (usize, &Relation)| match relation {
        Relation::Agrees { told } => Some((Reverse(told.len()), entry)),
        Relation::Resembles(_) | Relation::Other => None,
    };
    let mut agreeing: Vec<_> = relations.iter().enumerate().filter_map(told).collect();
    agreeing.sort_unstable();
    agreeing.into_iter().map(|(_, entry)| entry).collect()
}

fn resembling<'r>(relations: &'r [Relation], taken: &[bool]) -> Option<(usize, &'r [&'static str])> {
    relations.iter().enumerate().find_map(|(entry, relation)| match relation {
        Relation::Resembles(fields) if !taken[entry] => Some((entry, fields.as_slice())),
        _ => None,
    })
}

/// What the item itself says of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Done,
    NotDone,
    Nothing,
}

/// What an asset's `deployed_to` says of open steps, in their order. It can speak for one of them only.
pub(super) fn by_deployment(action: &'static Entity, open: &[&Step], asset: &Record) -> Vec<Sign> {
    let deployed = match asset.get(DEPLOYED_TO) {
        Some(Json::Array(deployed)) => deployed.as_slice(),
        Some(Json::Null) => &[],
        Some(_) | None => return vec![Sign::Nothing; open.len()],
    };
    let mut is_claimed = false;
    let mut once = |sign: Sign| match sign {
        // One deployment, or one return, is the work of one step.
        Sign::Done if std::mem::replace(&mut is_claimed, true) => Sign::NotDone,
        sign => sign,
    };
    let sign = |step: &&Step| match (action.role, deployed.is_empty()) {
        (Role::Action(Verb::Checkin), true) => Sign::Done,
        (Role::Action(Verb::Checkin), false) | (Role::Action(Verb::Checkout), true) => Sign::NotDone,
        (Role::Action(Verb::Checkout), false) if deployed.iter().any(|place| is_at(action, step, place)) => Sign::Done,
        _ => Sign::Nothing,
    };
    open.iter().map(|step| once(sign(step))).collect()
}

/// Replies of assets carry whom they are checked out to (field notes).
const DEPLOYED_TO: &str = "deployed_to";

fn is_at(action: &'static Entity, step: &Step, place: &Json) -> bool {
    action.holders().any(|holder| {
        let (wanted, held) = (step.body.get(holder.name), place.get(holder.name));
        wanted.and_then(integer).is_some_and(|wanted| held.and_then(integer) == Some(wanted))
    })
}

/// What the stock of an item says of open steps, in their order: how many were `available` before the run and are
/// now, and what is explained by steps that were done.
pub(super) fn by_stock(before: i64, now: i64, done: &[&Step], open: &[&Step]) -> Vec<Sign> {
    // Numbers of sheets and services may be anything: what cannot be reckoned says nothing.
    let sum = |steps: &[&Step]| steps.iter().try_fold(0_i64, |sum, step| sum.checked_add(taken(step)?));
    let rest = sum(done).and_then(|explained| before.checked_sub(now)?.checked_sub(explained));
    let Some(rest) = rest else { return vec![Sign::Nothing; open.len()] };
    if rest == 0 {
        return vec![Sign::NotDone; open.len()];
    }
    let quantities: Option<Vec<i64>> = open.iter().map(|step| taken(step)).collect();
    match quantities.as_deref() {
        Some(_) if sum(open) == Some(rest) => vec![Sign::Done; open.len()],
        Some([first, others @ ..]) if others.iter().all(|other| other == first) && is_alike(open) => {
            match usize::try_from(rest / first) {
                Ok(times) if rest % first == 0 && times <= open.len() => {
                    (0..open.len()).map(|index| if index < times { Sign::Done } else { Sign::NotDone }).collect()
                }
                _ => vec![Sign::Nothing; open.len()],
            }
        }
        // A check-in takes back as many as were handed out, which its body does not say.
        None if open.len() == 1 && rest < 0 => vec![Sign::Done],
        _ => vec![Sign::Nothing; open.len()],
    }
}

/// Whether steps are interchangeable.
fn is_alike(steps: &[&Step]) -> bool {
    steps.windows(2).all(|pair| pair[0].body == pair[1].body)
}

/// How many an action takes from what is available; none where its body does not say.
fn taken(step: &Step) -> Option<i64> {
    let Role::Action(verb) = step.entity.role else { return None };
    let is_key = step.body.get("product_key").is_some_and(|key| !key.is_null());
    let quantity = step.body.get("quantity").and_then(integer);
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
        Wire::Tag => tagged().is_some_and(|(_, tag)| record.get(tag.name) == Some(named)),
    }
}

/// The item of a step: its system id, and none where the account has no asset of that tag.
pub(super) fn item_of(step: &Step, tags: &Tags) -> Option<i64> {
    let (field, reference) = step.entity.item()?;
    let named = step.body.get(field.name)?;
    match reference.wire {
        Wire::Id => integer(named),
        Wire::Tag => *tags.get(named.as_str()?.trim())?,
    }
}

/// What a person should look at to find out whether an action was done.
pub(super) fn look_at(step: &Step, start: &LogStart, differing: &[&'static str]) -> String {
    let (action, Some((item, reference))) = (step.entity, step.entity.item()) else {
        return String::from("nobody can tell whether it was done");
    };
    let name = |to: &str, field: &str| {
        let one = crate::schema::collection(to).map_or(to, |entity| entity.singular);
        let is_tag = tagged().is_some_and(|(entity, _)| entity.name == to);
        match step.body.get(field) {
            Some(Json::String(tag)) if is_tag => format!("{one} `{tag}`"),
            Some(id) => format!("{one} `#{id}`"),
            None => one.to_owned(),
        }
    };
    let mut places = vec![name(reference.to, item.name)];
    let holders = action.holders().filter(|holder| step.body.contains_key(holder.name));
    places.extend(holders.filter_map(|holder| Some(name(holder.reference_to()?.to, holder.name))));
    let from = start.first_day().map(|day| format!(" from `{day}` on")).unwrap_or_default();
    let entry = match differing {
        [] => String::new(),
        fields => format!("; an entry there differs in `{}`", fields.join("`, `")),
    };
    format!("look at {} in the service's activity log{from}{entry}; not sent again", places.join(" and "))
}
