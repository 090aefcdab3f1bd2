//! Check-ins and checkouts: what the log says of them, and where it does not decide, what the item says.

use std::collections::{BTreeMap, HashMap};

use super::actions::{self, Pool, Sign, Trust, Word};
use super::compare::integer;
use super::log::{self, LogStart};
use super::search::{self, TagBook};
use super::{Known, Settlement};
use crate::catalog::RecordSource;
use crate::plan::Step;
use crate::schema::{self, Entity, Field};

/// What became of actions, in their order.
pub(super) async fn settle<S: RecordSource>(
    service: &S,
    steps: &[&Step],
    known: &Known<'_>,
    tags: &mut TagBook,
) -> Result<Vec<Settlement>, S::Error> {
    tags.learn(service, steps.iter().flat_map(|step| search::tags_in(item_field(step), step)).collect()).await?;
    let mut settlements: Vec<_> =
        steps.iter().map(|step| Settlement::Undecided(actions::look_at(step, known.log, &[]))).collect();
    let mut proofs = HashMap::new();
    let mut pending = Vec::new();
    for (pool, indices) in pools(steps, known, tags) {
        let (words, trust) = ask_log(service, &pool, known, tags, &mut proofs).await?;
        pending.push(Pending::after(pool, &indices, words, trust, &mut settlements, known));
    }
    for at in 0..pending.len() {
        for (index, sign) in ask_item(service, steps, &pending, at, known).await? {
            match sign {
                Sign::Done => settlements[index] = DONE,
                Sign::NotDone => settlements[index] = Settlement::NotDone,
                Sign::Nothing => {}
            }
        }
    }
    Ok(settlements)
}

/// An action leaves no record of its own.
const DONE: Settlement = Settlement::Done { id: None, record: None };

/// The steps by action and item, with their positions. Those whose item is not there are in none.
fn pools<'s>(steps: &[&'s Step], known: &Known<'s>, tags: &TagBook) -> Vec<(Pool<'s>, Vec<usize>)> {
    let mut pools: BTreeMap<(&str, i64), (Pool<'s>, Vec<usize>)> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        let (action, Some(item)) = (step.entity, actions::item_of(step, &tags.ids)) else { continue };
        let new = || {
            let done = known.done_actions.iter().filter(|done| is_same(action, step, done)).collect();
            (Pool { action, item, done, open: Vec::new() }, Vec::new())
        };
        let (pool, indices) = pools.entry((action.name, item)).or_insert_with(new);
        pool.open.push(step);
        indices.push(index);
    }
    pools.into_values().collect()
}

fn item_field(step: &Step) -> impl Iterator<Item = &'static Field> + use<> {
    step.entity.item().map(|(field, _)| field).into_iter()
}

/// Whether another step is the same action on the same item.
fn is_same(action: &Entity, step: &Step, other: &Step) -> bool {
    other.entity.name == action.name
        && item_field(step).all(|field| step.body.get(field.name) == other.body.get(field.name))
}

async fn ask_log<S: RecordSource>(
    service: &S,
    pool: &Pool<'_>,
    known: &Known<'_>,
    tags: &mut TagBook,
    proofs: &mut HashMap<&'static str, bool>,
) -> Result<(Vec<Word>, Trust), S::Error> {
    if *known.log == LogStart::NotAsked {
        return Ok((vec![Word::NotThere; pool.open.len()], Trust::Unproven));
    }
    let people = log::people(pool.open.iter().copied());
    let entries = log::entries(service, pool.action, pool.item, people.as_ref(), known.log).await?;
    // What was done for others has its entries elsewhere.
    let is_meant =
        |done: &&Step| people.as_ref().is_none_or(|people| log::person(done).is_some_and(|id| people.contains(&id)));
    let done = pool.done.iter().copied().filter(is_meant).collect();
    let pool = &Pool { done, open: pool.open.clone(), ..*pool };
    let everyone: Vec<&Step> = pool.done.iter().chain(&pool.open).copied().collect();
    tags.learn(service, search::tags_needed(pool.action, &everyone, entries.iter())).await?;
    let (words, trust) = actions::by_log(pool, &entries, &tags.ids, known.log);
    if trust != Trust::Unproven || !words.contains(&Word::NotThere) {
        return Ok((words, trust));
    }
    let name = pool.action.name;
    let is_proven = match proofs.get(name) {
        Some(known) => *known,
        None => log::speaks(service, pool.action, known.log).await?,
    };
    proofs.insert(name, is_proven);
    Ok((words, if is_proven { Trust::Proven } else { Trust::Unproven }))
}

/// What the log left open of one pool.
struct Pending<'s> {
    pool: Pool<'s>,
    /// Steps of the pool that the log says were done.
    found: Vec<&'s Step>,
    /// Positions among the steps.
    open: Vec<usize>,
    /// How many steps the log speaks of without being clear.
    unclear: usize,
}

impl<'s> Pending<'s> {
    /// Settles what the log decides.
    fn after(
        pool: Pool<'s>,
        indices: &[usize],
        words: Vec<Word>,
        trust: Trust,
        settlements: &mut [Settlement],
        known: &Known<'_>,
    ) -> Self {
        let (mut found, mut open, mut unclear) = (Vec::new(), Vec::new(), 0);
        for ((step, index), word) in pool.open.iter().zip(indices).zip(words) {
            match word {
                Word::Done => {
                    found.push(*step);
                    settlements[*index] = DONE;
                }
                Word::NotThere if trust == Trust::Proven => settlements[*index] = Settlement::NotDone,
                Word::NotThere => open.push(*index),
                Word::Unclear(fields) => {
                    unclear += 1;
                    settlements[*index] = Settlement::Undecided(actions::look_at(step, known.log, &fields));
                }
            }
        }
        Self { pool, found, open, unclear }
    }

    fn item(&self) -> Option<(&'static str, i64)> {
        self.pool.action.item().map(|(_, reference)| (reference.to, self.pool.item))
    }

    fn is_settled(&self) -> bool {
        self.open.is_empty() && self.unclear == 0
    }
}

/// Asks the item itself, where nothing else that is open muddles what it says.
async fn ask_item<S: RecordSource>(
    service: &S,
    steps: &[&Step],
    pending: &[Pending<'_>],
    at: usize,
    known: &Known<'_>,
) -> Result<Vec<(usize, Sign)>, S::Error> {
    let asked = &pending[at];
    let Some((collection, id)) = asked.item() else { return Ok(Vec::new()) };
    let others = || pending.iter().enumerate().filter(|(index, other)| *index != at && other.item() == asked.item());
    let is_muddled = asked.unclear > 0 || others().any(|(_, other)| !other.is_settled());
    let Some(item) = schema::collection(collection).filter(|_| !asked.open.is_empty() && !is_muddled) else {
        return Ok(Vec::new());
    };
    let Some(record) = service.record(item, id).await? else { return Ok(Vec::new()) };
    let open: Vec<&Step> = asked.open.iter().map(|index| steps[*index]).collect();
    let done = known.done_actions.iter().filter(|step| actions::is_on(step, collection, &record));
    let found = asked.found.iter().chain(others().flat_map(|(_, other)| &other.found)).copied();
    let done: Vec<&Step> = done.chain(found).collect();
    let available = known.available.get(&(collection, id)).copied();
    let is_overtaken = done.iter().any(|done| open.iter().any(|open| done.number > open.number));
    let signs = match (available, record.get("available").and_then(integer)) {
        (Some(before), Some(now)) => actions::by_stock(before, now, &done, &open),
        // What was done to an asset since hides what was done before.
        _ if is_overtaken => return Ok(Vec::new()),
        _ => actions::by_deployment(asked.pool.action, &open, &record),
    };
    Ok(asked.open.iter().copied().zip(signs).collect())
}
