//! After a lost answer: look, compare, decide.
//!
//! A step whose answer was lost may have been done or not. Sending it again on hope doubles records; giving up loses
//! rows. [`settle`] looks at what the service holds and says of each step what became of it, or, where the service
//! does not tell, what a person should look at.
//!
//! ```text
//! search    what to ask for, and asking: pages or exact searches
//! log       the activity log: asking, and what an entry says of a step
//! compare   what was sent beside what is there                            pure
//! records   creates, updates and deletes                                  pure
//! moves     check-ins and checkouts: the log first, then the item
//! actions   what log and item say of them                                 pure
//! newcomers what may be there although the run has not sent it
//! pairing   who gets what, where several may have made the same           pure
//! ```
//!
//! What always holds
//! - [`Settlement::NotDone`] means that nothing is there which the step may have made. A record of the step's key
//!   that differs, an entry of the log that resembles: [`Settlement::Undecided`].
//! - [`Settlement::Done`] means that what is there holds all that was sent, and no two steps get one record.
//! - A read that fails decides nothing.
//!
//! What it cannot know
//! - A request that is still on its way when this looks. The caller waits until the service has surely dropped it or
//!   carried it out; a request that timed out here may still be worked on there.
//! - A record whose key someone changed, or that someone deleted, between the lost answer and the look.
//! - Which of several equal records somebody else made. The row has what it wanted either way.

mod actions;
mod compare;
mod log;
mod moves;
mod newcomers;
mod pairing;
mod records;
mod search;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

pub use log::LogStart;
pub(super) use newcomers::Newcomers;

use crate::api::Record;
use crate::catalog::RecordSource;
use crate::plan::Step;
use crate::schema::{self, Entity};
use compare::View;
use search::{TagBook, Wanted};

/// What a run knows that tells its own deeds from others'.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'k> {
    /// Records this run has been told of, by collection and id: they belong to other steps.
    pub told: &'k HashSet<(&'static str, i64)>,
    /// When the run began, by our clock; none where that is not known.
    pub began: Option<Timestamp>,
    /// How many records each collection held when the run was planned, where that is known.
    pub sizes: &'k HashMap<&'static str, u64>,
    /// Where the activity log stood when the run was planned.
    pub log: &'k LogStart,
    /// Actions of this run that are known to have been done, bodies as sent: they account for entries of the log.
    pub done_actions: &'k [Step],
    /// `available` of items before the run, by collection and id, where known.
    pub available: &'k HashMap<(&'static str, i64), i64>,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Settlement {
    /// It was done: the record's id, and the record where it is one that is there.
    Done { id: Option<i64>, record: Option<Record> },
    /// It was not done: it may be sent, again.
    NotDone,
    /// The service does not tell. What a person should look at, as a fragment for `_message`.
    Undecided(String),
}

/// What became of steps whose answers were lost, in their order; their bodies as they were sent.
///
/// Updates and deletes may be repeated without harm, and are [`Settlement::NotDone`] where they left no trace. No
/// step may be among `known`, and none on its way.
///
/// # Errors
/// Where the service could not be read: nothing is decided then.
pub(super) async fn settle<S: RecordSource>(
    service: &S,
    unsettled: &[&Step],
    known: &Known<'_>,
) -> Result<Vec<Settlement>, S::Error> {
    let mut of_records: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut of_actions = Vec::new();
    let mut settlements = vec![Settlement::NotDone; unsettled.len()];
    for (index, step) in unsettled.iter().enumerate() {
        match step.entity.is_action() {
            true => of_actions.push(index),
            false => of_records.entry(step.entity.name).or_default().push(index),
        }
    }
    let mut tags = TagBook::default();
    for (name, indices) in of_records {
        let Some(entity) = schema::collection(name) else { continue };
        let steps: Vec<&Step> = indices.iter().map(|index| unsettled[*index]).collect();
        let settled = settle_records(service, entity, &steps, known, &mut tags).await?;
        indices.into_iter().zip(settled).for_each(|(index, settlement)| settlements[index] = settlement);
    }
    let steps: Vec<&Step> = of_actions.iter().map(|index| unsettled[*index]).collect();
    let settled = moves::settle(service, &steps, known, &mut tags).await?;
    of_actions.into_iter().zip(settled).for_each(|(index, settlement)| settlements[index] = settlement);
    Ok(settlements)
}

async fn settle_records<S: RecordSource>(
    service: &S,
    entity: &'static Entity,
    steps: &[&Step],
    known: &Known<'_>,
    tags: &mut TagBook,
) -> Result<Vec<Settlement>, S::Error> {
    let told = known.told.iter().filter(|(collection, _)| *collection == entity.name).count() as u64;
    let size = known.sizes.get(entity.name).map(|size| size + told);
    let seen = Wanted::new(entity, steps).look(service, size).await?;
    let shown = seen.records.iter().chain(seen.by_id.values().flatten());
    tags.learn(service, search::tags_needed(entity, steps, shown)).await?;
    Ok(records::settle(entity, steps, &seen, View { carried: &seen.carried, tags: &tags.ids }, known))
}
