//! Detects drift: what others have added to the account or changed in it since a run was planned, such as a second import of
//! the same file or a colleague's entry. A resumed run may find that what it has not sent yet exists by now, or that a
//! record is no longer as it was when the plan was made.
//!
//! This finds suspects only, in few requests: a step whose result may exist already is then reconciled like one whose
//! response was lost.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::compare::{normalized_key, search_key};
use super::log;
use super::records::{is_before, is_older};
use crate::api::{Record, record_id};
use crate::catalog::{LogPosition, NEWEST_FIRST, Pager, RecordSource};
use crate::plan::{Step, WriteKind};
use crate::run::journal::PendingEntity;
use crate::schema::{self, ACTIVITY, Entity, Meaning, UPDATED_AT, log_field};

/// Changes by others since the plan was made.
#[derive(Debug, Default)]
pub(in super::super) struct ExternalChanges {
    /// The normalized keys of new records, by collection.
    keys: HashMap<&'static str, HashSet<String>>,
    /// Actions that the log shows more often than the run did them.
    actions: HashSet<&'static str>,
    /// The records that were changed; none of a collection in which any may have been.
    changed: HashMap<&'static str, Option<HashSet<i64>>>,
    /// The tags of changed items, by collection.
    tags: HashMap<&'static str, HashMap<String, i64>>,
}

impl ExternalChanges {
    /// Reads what is new in the collections of `pending` steps since the run began, apart from the records that the run `created` itself.
    ///
    /// # Errors
    /// Where the service could not be read.
    pub(in super::super) async fn detect<S: RecordSource>(
        service: &S,
        pending: &[PendingEntity],
        began: Timestamp,
        created: &HashSet<(&'static str, i64)>,
        (log, completed_actions): (&LogPosition, &[Step]),
    ) -> Result<Self, S::Error> {
        let mut changes = Self::default();
        for PendingEntity { entity, has_changes } in pending.iter().copied() {
            let written = if entity.is_action() { tagged_item(entity) } else { Some(entity) };
            if let Some(written) = written.filter(|written| has_changes && !changes.changed.contains_key(written.name))
            {
                changes.note_changed(written, changed_records(service, written, began).await?);
            }
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

    fn note_changed(&mut self, entity: &'static Entity, records: Option<Vec<Record>>) {
        let tags =
            records.iter().flatten().filter_map(|record| Some((tag(entity, record)?.to_owned(), record_id(record)?)));
        self.tags.insert(entity.name, tags.collect());
        let ids = records.map(|records| records.iter().filter_map(record_id).collect());
        self.changed.insert(entity.name, ids);
    }

    /// The tag by which a step would move another item than the one that it was planned for.
    pub(in super::super) fn tag_of_other<'s>(&self, step: &'s Step) -> Option<&'s str> {
        let item = tagged_item(step.entity)?;
        let tag = step.body.get(step.entity.item()?.0.name)?.as_str()?;
        let (planned, now) = (step.before.as_ref().and_then(record_id)?, *self.tags.get(item.name)?.get(tag)?);
        (planned != now).then_some(tag)
    }

    /// Whether what a step creates may exist already, or what it changes or deletes may no longer be as it was.
    pub(in super::super) fn may_include(&self, step: &Step) -> bool {
        if let WriteKind::Update(id) | WriteKind::Delete(id) = step.write {
            let changed = self.changed.get(step.entity.name);
            return changed.is_some_and(|changed| changed.as_ref().is_none_or(|changed| changed.contains(&id)));
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

/// The records changed since a moment. `None` where the service does not sort by the last change.
async fn changed_records<S: RecordSource>(
    service: &S,
    entity: &'static Entity,
    since: Timestamp,
) -> Result<Option<Vec<Record>>, S::Error> {
    if !entity.sorts.contains(&UPDATED_AT) {
        return Ok(None);
    }
    let mut changed = Vec::new();
    let mut pages = Pager::new(service, entity, &[("sort", UPDATED_AT), ("order", "desc")]);
    while let Some(page) = pages.next().await? {
        let records = page.len();
        let known = changed.len();
        changed.extend(page.into_iter().take_while(|record| !is_before(record, UPDATED_AT, since)));
        if changed.len() - known < records {
            break;
        }
    }
    Ok(Some(changed))
}

/// The collection of the items that an action names by tag.
fn tagged_item(action: &'static Entity) -> Option<&'static Entity> {
    action.item().and_then(|(_, reference)| schema::collection(reference.to)).filter(|item| item.is_tagged())
}

fn tag<'r>(item: &Entity, record: &'r Record) -> Option<&'r str> {
    record.get(item.meaning(Meaning::Tag)?.name)?.as_str()
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures::executor::block_on;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::catalog::LogCursor;
    use crate::catalog::fake_source::FakeSource;
    use crate::plan::{RowId, StepRole};
    use crate::schema;

    fn step(entity: &str, write: WriteKind, body: &Json) -> Step {
        let step = Step::new(0, RowId { sheet: 0, row: 2 }, StepRole::Row, schema::find(entity).unwrap(), write);
        Step { body: body.as_object().cloned().unwrap(), ..step }
    }

    fn detect(
        source: &FakeSource,
        entities: &[&str],
        created: &[(&'static str, i64)],
        log: (&LogPosition, &[Step]),
    ) -> ExternalChanges {
        let pending =
            |name: &&str| PendingEntity { entity: schema::find(name).unwrap(), has_changes: *name == "locations" };
        let entities: Vec<PendingEntity> = entities.iter().map(pending).collect();
        let began = "2026-11-24T10:00:00Z".parse().unwrap();
        block_on(ExternalChanges::detect(source, &entities, began, &created.iter().copied().collect(), log)).unwrap()
    }

    fn location(id: i64, name: &str, created: &str) -> Json {
        json!({"id": id, "name": name, "created_at": created, "updated_at": created})
    }

    #[test]
    fn a_new_record_of_somebody_else_may_be_what_a_step_creates() {
        let now = "2026-11-24T12:00:00Z";
        let source = FakeSource::new()
            .with(
                "locations",
                [location(1, "Old", "2020-01-01T00:00:00Z"), location(2, "Ulm", now), location(3, "Bonn", now)],
            )
            .with("employees", [json!({"id": 4, "name": "Ada", "email": "Ada@example.com", "created_at": now})]);
        let log = (&LogPosition::Unknown, &[] as &[Step]);
        let changes = detect(&source, &["locations", "employees"], &[("locations", 3), ("employees", 2)], log);
        let may = |entity: &str, write, body: Json| changes.may_include(&step(entity, write, &body));
        assert!(may("locations", WriteKind::Create, json!({"name": " ulm "})), "names are folded");
        assert!(!may("locations", WriteKind::Create, json!({"name": "Bonn"})), "the run made it");
        assert!(!may("locations", WriteKind::Create, json!({"name": "Berlin"})));
        assert!(!may("locations", WriteKind::Create, json!({})));
        let changed = |id| {
            [WriteKind::Update(id), WriteKind::Delete(id)].map(|write| may("locations", write, json!({"city": "Ulm"})))
        };
        assert_eq!((changed(1), changed(2)), ([false; 2], [true; 2]), "as it was before, and changed since");
        assert!(!may("employees", WriteKind::Update(4), json!({"name": "Ada"})), "no change is pending");
        assert!(may("employees", WriteKind::Create, json!({"email": "ada@example.com"})));
        assert!(!may("suppliers", WriteKind::Create, json!({"name": "Ulm"})), "not looked at");
        assert!(!may("checkout_asset", WriteKind::Create, json!({})));
    }

    #[test]
    fn a_tag_that_was_given_to_another_item_moves_nothing() {
        let asset = |id: i64, tag: &str, changed: &str| json!({"id": id, "asset_id": tag, "updated_at": changed});
        let (old, now) = ("2020-01-01T00:00:00Z", "2026-11-24T12:00:00Z");
        let assets = [asset(1, "A-9", now), asset(2, "A-1", now), asset(3, "A-3", old), asset(4, "A-4", now)];
        let source = FakeSource::new().with("assets", assets);
        let entity = schema::find("checkout_asset").unwrap();
        let tag_of_other = |has_changes: bool, tag: Json, planned: Json| {
            let (pending, log) = ([PendingEntity { entity, has_changes }], (&LogPosition::Unknown, &[] as &[Step]));
            let began = "2026-11-24T10:00:00Z".parse().unwrap();
            let changes = block_on(ExternalChanges::detect(&source, &pending, began, &HashSet::new(), log)).unwrap();
            let step = step("checkout_asset", WriteKind::Create, &json!({"asset_id": tag}));
            let step = Step { before: planned.as_object().cloned(), ..step };
            changes.tag_of_other(&step).map(str::to_owned)
        };
        assert_eq!(tag_of_other(true, json!("A-1"), json!({"id": 1})).as_deref(), Some("A-1"));
        for (tag, planned) in [("A-1", 2), ("A-3", 7), ("A-4", 4), ("A-5", 5)] {
            assert_eq!(tag_of_other(true, json!(tag), json!({"id": planned})), None, "{tag}");
        }
        assert_eq!(tag_of_other(true, json!("A-1"), Json::Null), None, "the run makes it");
        assert_eq!(tag_of_other(true, json!(1), json!({"id": 1})), None);
        assert_eq!(tag_of_other(false, json!("A-1"), json!({"id": 1})), None, "not looked at");
    }

    #[test]
    fn records_are_read_from_the_newest_to_the_first_that_is_older() {
        let old = (1..=500).map(|id| location(id, &format!("Old {id}"), "2020-01-01T00:00:00Z"));
        let new = (501..=530).map(|id| location(id, &format!("New {id}"), "2026-11-24T12:00:00Z"));
        let source = FakeSource::new().with_page_limit(20).with("locations", old.chain(new));
        let changes = detect(&source, &["locations"], &[], (&LogPosition::Unknown, &[]));
        assert_eq!(source.requests(), 4, "two for the new ones, and two for what was changed");
        let may = |name: &str| changes.may_include(&step("locations", WriteKind::Create, &json!({"name": name})));
        assert!(may("New 501") && may("New 530") && !may("Old 1"));
    }

    #[test]
    fn more_entries_of_an_action_than_the_run_made_are_somebody_elses() {
        let entry = |event: &str, kind: &str, second: i64| json!({"type": kind, "event": event, "item_id": 1, "user_id": 1, "timestamp": format!("2026-11-24T10:00:{second:02}Z")});
        let log = |moves: i64| {
            let before = (0..30).map(|second| entry("Checkout", "Accessory", second));
            let since = (30..30 + moves).map(|second| entry("Checkout", "Accessory", second));
            let others = [entry("Checkin", "Accessory", 58), entry("Checkout", "License", 59)];
            FakeSource::new().with_page_limit(10).with("activity", before.chain(since).chain(others))
        };
        let cursor = LogCursor::of(entry("Checkout", "Accessory", 29).as_object().unwrap()).unwrap();
        let position = LogPosition::After(cursor);
        let action = |name: &str| step(name, WriteKind::Create, &json!({}));
        let done = [action("checkout_accessory"), action("checkout_accessory"), action("checkin_accessory")];
        let names = ["checkout_accessory", "checkin_accessory"];
        for (moves, is_foreign, requests) in [(2, false, 1), (3, true, 1), (12, true, 2)] {
            let source = log(moves);
            let changes = detect(&source, &names[..1], &[], (&position, &done));
            assert_eq!(changes.may_include(&action("checkout_accessory")), is_foreign, "{moves}");
            assert_eq!(source.requests(), requests, "{moves}");
        }
        let changes = detect(&log(2), &names, &[], (&position, &done[..2]));
        assert!(changes.may_include(&action("checkin_accessory")), "the run made none");
        assert!(!changes.may_include(&action("checkout_accessory")));
        let source = log(9);
        let changes = detect(&source, &names, &[], (&LogPosition::Unknown, &[]));
        assert!(!changes.may_include(&action("checkout_accessory")));
        assert_eq!(source.requests(), 0, "nobody knows where the log stood");
    }
}
