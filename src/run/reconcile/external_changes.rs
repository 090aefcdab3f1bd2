//! Detects drift: what others have added to the account since a run was planned, such as a second import of the same
//! file or a colleague's entry. A resumed run may find that what it has not sent yet exists by now.
//!
//! This finds suspects only, in few requests: a step whose result may exist already is then reconciled like one whose
//! response was lost.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::compare::{normalized_key, search_key};
use super::log;
use super::records::is_older;
use crate::api::{Record, record_id};
use crate::catalog::{LogPosition, NEWEST_FIRST, Pager, RecordSource};
use crate::plan::{Step, WriteKind};
use crate::schema::{ACTIVITY, Entity, log_field};

/// Changes by others since the plan was made.
#[derive(Debug, Default)]
pub(in super::super) struct ExternalChanges {
    /// The normalized keys of new records, by collection.
    keys: HashMap<&'static str, HashSet<String>>,
    /// Actions that the log shows more often than the run did them.
    actions: HashSet<&'static str>,
}

impl ExternalChanges {
    /// Reads what is new in `entities` since the run began, apart from the records that the run `created` itself.
    ///
    /// # Errors
    /// Where the service could not be read.
    pub(in super::super) async fn detect<S: RecordSource>(
        service: &S,
        entities: &[&'static Entity],
        began: Timestamp,
        created: &HashSet<(&'static str, i64)>,
        (log, completed_actions): (&LogPosition, &[Step]),
    ) -> Result<Self, S::Error> {
        let mut changes = Self::default();
        for entity in entities.iter().copied() {
            if entity.is_action() {
                let own = completed_actions.iter().filter(|step| step.entity.name == entity.name).count();
                if count_actions(service, entity, log).await? > own {
                    changes.actions.insert(entity.name);
                }
            } else if let Some(key) = search_key(entity) {
                let records = newer_records(service, entity, began).await?;
                let is_foreign =
                    |record: &&Record| record_id(record).is_none_or(|id| !created.contains(&(entity.name, id)));
                let foreign = records.iter().filter(is_foreign);
                let keys = foreign.filter_map(|record| normalized_key(key, record.get(key.name)));
                changes.keys.insert(entity.name, keys.collect());
            }
        }
        Ok(changes)
    }

    /// Whether what a step creates may exist already.
    pub(in super::super) fn may_include(&self, step: &Step) -> bool {
        if step.write != WriteKind::Create {
            return false;
        }
        if step.entity.is_action() {
            return self.actions.contains(step.entity.name);
        }
        let key = search_key(step.entity).and_then(|key| normalized_key(key, step.body.get(key.name)));
        let keys = self.keys.get(step.entity.name);
        keys.zip(key).is_some_and(|(keys, key)| keys.contains(&key))
    }
}

/// The records created since a moment, and some older ones. Read from the newest on, so that a record created
/// meanwhile moves others to the next page and none out of sight.
async fn newer_records<S: RecordSource>(
    service: &S,
    entity: &'static Entity,
    since: Timestamp,
) -> Result<Vec<Record>, S::Error> {
    let mut records: Vec<Record> = Vec::new();
    let mut pages = Pager::new(service, entity, NEWEST_FIRST);
    while !records.last().is_some_and(|oldest| is_older(oldest, since))
        && let Some(page) = pages.next().await?
    {
        records.extend(page);
    }
    Ok(records)
}

/// How often the log shows an action since the run was planned; 0 where the log was not read then.
async fn count_actions<S: RecordSource>(
    service: &S,
    action: &'static Entity,
    position: &LogPosition,
) -> Result<usize, S::Error> {
    let Some((kind, event)) = log::log_terms(action).filter(|_| *position != LogPosition::Unknown) else {
        return Ok(0);
    };
    let filters = [&[(log_field::TYPE, kind), (log_field::EVENT, event)], NEWEST_FIRST].concat();
    let (mut pages, mut newer) = (Pager::new(service, &ACTIVITY, &filters), 0);
    while let Some(page) = pages.next().await? {
        let fresh = page.iter().take_while(|entry| position.is_followed_by(entry)).count();
        newer += fresh;
        if fresh < page.len() {
            break;
        }
    }
    Ok(newer)
}
