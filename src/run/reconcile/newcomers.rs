//! What came into the account since a run was planned, and not by the run: the same file imported once more, a
//! colleague. What a run that is taken up again has not sent yet may be there by now.
//!
//! Only a suspicion is told, in few requests: a step that a newcomer may have made needless is looked for like one
//! whose answer was lost.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::compare::{folded, telling_field};
use super::log::{self, LogStart};
use super::records::is_older;
use crate::api::{Record, record_id};
use crate::catalog::RecordSource;
use crate::plan::{Step, WriteKind};
use crate::schema::{ACTIVITY, Entity};

/// Suspicions, by what steps write to.
#[derive(Debug, Default)]
pub(in super::super) struct Newcomers {
    /// The keys of new records, folded, by collection.
    keys: HashMap<&'static str, HashSet<String>>,
    /// Actions that happened oftener than the run did them.
    actions: HashSet<&'static str>,
}

impl Newcomers {
    /// Looks what is new in `entities` since the run began, beside what the run was told of.
    ///
    /// # Errors
    /// Where the service could not be read: nothing is known then.
    pub(in super::super) async fn look<S: RecordSource>(
        service: &S,
        entities: &[&'static Entity],
        began: Timestamp,
        told: &HashSet<(&'static str, i64)>,
        log: (&LogStart, &[Step]),
    ) -> Result<Self, S::Error> {
        let mut newcomers = Self::default();
        for entity in entities.iter().copied() {
            if entity.is_action() {
                let is_meant = |step: &&Step| step.entity.name == entity.name;
                let done = log.1.iter().filter(is_meant).count();
                if count(service, entity, log.0).await? > done {
                    newcomers.actions.insert(entity.name);
                }
            } else if let Some(telling) = telling_field(entity) {
                let records = newer(service, entity, began).await?;
                let is_foreign =
                    |record: &&Record| record_id(record).is_none_or(|id| !told.contains(&(entity.name, id)));
                let foreign = records.iter().filter(is_foreign);
                let keys = foreign.filter_map(|record| folded(telling, record.get(telling.name)));
                newcomers.keys.insert(entity.name, keys.collect());
            }
        }
        Ok(newcomers)
    }

    /// Whether what a step is to make may be there already.
    pub(in super::super) fn may_have_made(&self, step: &Step) -> bool {
        if step.write != WriteKind::Create {
            return false;
        }
        if step.entity.is_action() {
            return self.actions.contains(step.entity.name);
        }
        let key = telling_field(step.entity).and_then(|telling| folded(telling, step.body.get(telling.name)));
        let keys = self.keys.get(step.entity.name);
        keys.zip(key).is_some_and(|(keys, key)| keys.contains(&key))
    }
}

/// The records that came since a moment, and some before. Read from the newest on, so that a record that comes
/// meanwhile moves others to the next page and none out of sight.
async fn newer<S: RecordSource>(
    service: &S,
    entity: &'static Entity,
    since: Timestamp,
) -> Result<Vec<Record>, S::Error> {
    let newest_first = [("sort", "created_at"), ("order", "desc")];
    let mut records: Vec<Record> = Vec::new();
    loop {
        let limit = service.page_limit().max(1);
        let page = service.page(entity, &newest_first, records.len() as u64, limit).await?;
        let is_last = page.is_empty()
            || service.is_last(page.len(), limit)
            || page.last().is_some_and(|oldest| is_older(oldest, since));
        records.extend(page);
        if is_last {
            return Ok(records);
        }
    }
}

/// How often an action happened since the run was planned, as the log tells. Where the log was not asked then, nothing
/// can be told.
async fn count<S: RecordSource>(service: &S, action: &'static Entity, start: &LogStart) -> Result<usize, S::Error> {
    let Some((kind, event)) = log::words(action).filter(|_| *start != LogStart::NotAsked) else { return Ok(0) };
    let filters = [("type", kind), ("event", event), ("sort", "created_at"), ("order", "desc")];
    let (mut seen, mut newer) = (0_u64, 0);
    loop {
        let limit = service.page_limit().max(1);
        let page = service.page(&ACTIVITY, &filters, seen, limit).await?;
        let is_last = page.is_empty() || service.is_last(page.len(), limit);
        seen += page.len() as u64;
        let fresh = page.iter().take_while(|entry| start.is_before(entry)).count();
        newer += fresh;
        if is_last || fresh < page.len() {
            return Ok(newer);
        }
    }
}
