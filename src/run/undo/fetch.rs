//! What the account holds now, in the fewest requests.
//!
//! A list is read by what was touched last, so that what a run was about comes first however long the list is. It ends
//! when everything wanted has been seen, or when asking for what is still open by its id takes fewer requests than have
//! gone into pages already: never more than twice what the better way would have taken.

use std::collections::{BTreeSet, HashSet};
use std::mem;

use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use crate::api::{Record, record_id};
use crate::catalog::{LogPosition, Pager, RecordSource};
use crate::plan::undo::{CurrentState, FetchPlan, LogHolders, has_holder};
use crate::schema::{self, ACTIVITY, COLLECTIONS, Entity, UPDATED_AT, Verb, log_field};

/// Records asked for by id or tag at a time.
const AT_ONCE: usize = 8;

/// How far the clocks of this machine and of the service may be apart.
const CLOCKS_APART: SignedDuration = SignedDuration::from_hours(24);

/// The record touched last comes first.
const NEWEST_FIRST: &[(&str, &str)] = &[("sort", UPDATED_AT), ("order", "desc")];

/// Fetches what is wanted of the account. `began` is when the run began, `log` where the activity log stood then.
///
/// # Errors
/// Where the service cannot be read.
pub(in crate::run) async fn fetch<P: RecordSource>(
    pages: &P,
    wants: &FetchPlan,
    began: Timestamp,
    log: &LogPosition,
    on_collection: &mut dyn FnMut(&str),
) -> Result<CurrentState, P::Error> {
    let mut present = CurrentState::default();
    let since = began.checked_sub(CLOCKS_APART).unwrap_or(Timestamp::MIN);
    for entity in COLLECTIONS.iter().copied() {
        let ids = wants.ids.get(entity.name).cloned().unwrap_or_default();
        let tags = if entity.is_tagged() { wants.tags.clone() } else { HashSet::new() };
        let since = wants.recent.contains(entity.name).then_some(since);
        if !ids.is_empty() || !tags.is_empty() || since.is_some() {
            on_collection(entity.name);
            let mut search = Search { pages, entity, ids, tags, since, present: &mut present };
            search.run().await?;
        }
    }
    for (name, holders) in &wants.logs {
        on_collection("the activity log");
        let Some(entity) = schema::collection(name) else { continue };
        let entries = moves(pages, entity, holders, log).await?;
        present.logs.insert(entity.name, entries);
    }
    Ok(present)
}

/// Fetches more records of a collection, by their ids.
///
/// # Errors
/// Where the service cannot be read.
pub(in crate::run) async fn fetch_more<P: RecordSource>(
    pages: &P,
    entity: &'static Entity,
    ids: BTreeSet<i64>,
    present: &mut CurrentState,
) -> Result<(), P::Error> {
    let ids: HashSet<i64> = ids.into_iter().filter(|id| present.record((entity.name, *id)).is_none()).collect();
    Search { pages, entity, ids, tags: HashSet::new(), since: None, present }.run().await
}

/// The records of one collection that are wanted and not seen yet.
struct Search<'s, P> {
    pages: &'s P,
    entity: &'static Entity,
    ids: HashSet<i64>,
    tags: HashSet<String>,
    /// Everything touched since is wanted too.
    since: Option<Timestamp>,
    present: &'s mut CurrentState,
}

impl<P: RecordSource> Search<'_, P> {
    async fn run(&mut self) -> Result<(), P::Error> {
        let mut pages = Pager::new(self.pages, self.entity, NEWEST_FIRST);
        // What was not seen by the last page is not there.
        while !pages.is_done() {
            if self.since.is_none() && self.open() <= pages.requests() + 1 {
                return self.look_up().await;
            }
            pages.next().await?.into_iter().flatten().for_each(|record| self.take(record));
        }
        Ok(())
    }

    /// The requests that looking up what is open would take.
    fn open(&self) -> u64 {
        (self.ids.len() + self.tags.len()) as u64
    }

    fn take(&mut self, record: Record) {
        let is_older = self.since.is_some_and(|since| touched(&record).is_some_and(|touched| touched < since));
        let is_recent = self.since.is_some() && !is_older;
        if is_older {
            // The list is in order: all that follow are older still.
            self.since = None;
        }
        let is_wanted = record_id(&record).is_some_and(|id| self.ids.remove(&id));
        let is_tagged = tag(self.entity, &record).is_some_and(|tag| self.tags.remove(tag));
        if is_recent || is_wanted || is_tagged {
            self.present.add(self.entity, record);
        }
    }

    async fn look_up(&mut self) -> Result<(), P::Error> {
        let (pages, entity) = (self.pages, self.entity);
        let ids = mem::take(&mut self.ids);
        let mut found = stream::iter(ids).map(|id| pages.record(entity, id)).buffered(AT_ONCE);
        while let Some(record) = found.try_next().await? {
            record.into_iter().for_each(|record| self.present.add(entity, record));
        }
        let Some(key) = entity.key.first() else { return Ok(()) };
        let tags = mem::take(&mut self.tags);
        let by_tag = |tag: String| async move { pages.record_with(entity, key, &tag).await };
        let mut found = stream::iter(tags).map(by_tag).buffered(AT_ONCE);
        while let Some(record) = found.try_next().await? {
            record.into_iter().for_each(|record| self.present.add(entity, record));
        }
        Ok(())
    }
}

/// The check-ins and checkouts of a collection's things that the log tells of since the run was planned.
///
/// Nobody documents whether entries name the holder. Where they do not, those of the run's people are asked for.
async fn moves<P: RecordSource>(
    pages: &P,
    entity: &'static Entity,
    holders: &LogHolders,
    log: &LogPosition,
) -> Result<Vec<Record>, P::Error> {
    let entries = entries(pages, entity, log, None).await?;
    if entries.iter().all(has_holder) || holders.others > 0 {
        return Ok(entries);
    }
    let Some(parameter) = schema::person_parameter() else { return Ok(entries) };
    let mut of_people = Vec::new();
    for person in &holders.people {
        for mut entry in self::entries(pages, entity, log, Some(*person)).await? {
            // A service that does not know the filter gives everybody's.
            if !has_holder(&entry) {
                entry.insert(parameter.to_owned(), Json::from(*person));
            }
            if entry.get(parameter).and_then(Json::as_i64) == Some(*person) {
                of_people.push(entry);
            }
        }
    }
    Ok(of_people)
}

async fn entries<P: RecordSource>(
    pages: &P,
    entity: &'static Entity,
    log: &LogPosition,
    person: Option<i64>,
) -> Result<Vec<Record>, P::Error> {
    // Where nobody knows how far the log went then, none of its entries is known to be later.
    let Some(kind) = entity.log_type().filter(|_| *log != LogPosition::Unknown) else { return Ok(Vec::new()) };
    let (first_day, person) = (log.first_day(), person.map(|person| person.to_string()));
    let mut entries = Vec::new();
    for verb in [Verb::Checkin, Verb::Checkout] {
        let mut filters = vec![(log_field::TYPE, kind), (log_field::EVENT, verb.log_event())];
        filters.extend(first_day.as_deref().map(|day| (log_field::DATE_FROM, day)));
        filters.extend(schema::person_parameter().zip(person.as_deref()));
        let is_meant = |entry: &Record| {
            let says = |name: &str, word: &str| {
                entry.get(name).and_then(Json::as_str).is_some_and(|said| said.eq_ignore_ascii_case(word))
            };
            says(log_field::TYPE, kind) && says(log_field::EVENT, verb.log_event()) && log.is_followed_by(entry)
        };
        entries.extend(Pager::new(pages, &ACTIVITY, &filters).rest().await?.into_iter().filter(is_meant));
    }
    Ok(entries)
}

fn touched(record: &Record) -> Option<Timestamp> {
    record.get(UPDATED_AT)?.as_str()?.parse().ok()
}

fn tag<'r>(entity: &Entity, record: &'r Record) -> Option<&'r str> {
    record.get(*entity.key.first()?)?.as_str()
}

#[cfg(test)]
mod tests;
