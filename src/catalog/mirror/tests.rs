#![allow(clippy::unwrap_used)]
//! The copy against an account that changes between refreshes, with a log that tells all, some or nothing of it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::convert::Infallible;

use serde_json::{Map, Value as Json, json};

use super::refresh::{RefreshMethod, RefreshMode, RefreshOptions, RefreshStats};
use super::{ChangeKind, Mirror};
use crate::api::RawPage;
use crate::catalog::fetch::RecordSource;
use crate::catalog::list_scan::RawListSource;
use crate::catalog::{CachedSource, Catalog, LookupRequest};
use crate::schema::{ACTIVITY, COLLECTIONS, Entity, collection};

const PAGE: u32 = 20;
const NOW: &str = "2026-11-24T09:30:00Z";

/// What the log tells of what is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Log {
    All,
    Nothing,
}

type Records = BTreeMap<i64, Map<String, Json>>;

/// An account of assets and accessories, with a clock of its own.
struct Account {
    records: RefCell<BTreeMap<&'static str, Records>>,
    log: RefCell<Vec<Json>>,
    tells: Log,
    seconds: Cell<i64>,
    next: Cell<i64>,
    requests: Cell<u64>,
}

fn moment(seconds: i64) -> String {
    let start: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    format!("{:.3}", start + jiff::SignedDuration::from_secs(seconds))
}

fn assets() -> &'static Entity {
    collection("assets").unwrap()
}

impl Account {
    fn new(tells: Log) -> Self {
        Self {
            records: RefCell::default(),
            log: RefCell::default(),
            tells,
            seconds: Cell::new(1_000),
            next: Cell::new(1),
            requests: Cell::new(0),
        }
    }

    fn tick(&self, seconds: i64) -> String {
        self.seconds.set(self.seconds.get() + seconds);
        moment(self.seconds.get())
    }

    fn tell(&self, entity: &Entity, event: &str, id: i64, at: &str) {
        if let (Log::All, Some(kind)) = (self.tells, entity.log_type()) {
            let entry = json!({"timestamp": at, "type": kind, "event": event, "item_id": id, "user_id": 7});
            self.log.borrow_mut().push(entry);
        }
    }

    fn create(&self, entity: &'static Entity) -> i64 {
        let (id, at) = (self.next.get(), self.tick(3));
        self.next.set(id + 1);
        let record = json!({"id": id, "name": format!("thing {id}"), "created_at": at, "updated_at": at});
        let record = record.as_object().unwrap().clone();
        self.records.borrow_mut().entry(entity.name).or_default().insert(id, record);
        self.tell(entity, "Create", id, &at);
        id
    }

    fn fill(&self, entity: &'static Entity, records: usize) {
        for _ in 0..records {
            self.create(entity);
        }
    }

    fn update(&self, entity: &'static Entity, id: i64, name: &str) {
        let at = self.tick(3);
        let mut records = self.records.borrow_mut();
        let record = records.get_mut(entity.name).unwrap().get_mut(&id).unwrap();
        record.insert("name".into(), name.into());
        record.insert("updated_at".into(), at.clone().into());
        self.tell(entity, "Update", id, &at);
    }

    /// A check-out that changes a record without changing its `updated_at`.
    fn move_out(&self, entity: &'static Entity, id: i64) {
        let at = self.tick(30);
        let mut records = self.records.borrow_mut();
        records.get_mut(entity.name).unwrap().get_mut(&id).unwrap().insert("checkout_date".into(), at.clone().into());
        self.tell(entity, "Checkout", id, &at);
    }

    fn delete(&self, entity: &'static Entity, id: i64) {
        let at = self.tick(3);
        self.records.borrow_mut().get_mut(entity.name).unwrap().remove(&id);
        self.tell(entity, "Delete", id, &at);
    }

    fn ids(&self, entity: &Entity) -> Vec<i64> {
        self.records.borrow().get(entity.name).map(|records| records.keys().copied().collect()).unwrap_or_default()
    }

    fn list(&self, entity: &Entity, filters: &[(&str, &str)], offset: u64, limit: u32) -> Vec<Json> {
        self.requests.set(self.requests.get() + 1);
        let asked = |name: &str| filters.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let mut rows: Vec<Json> = match entity.name == ACTIVITY.name {
            true => {
                let from = asked("date_from").unwrap_or_default();
                let log = self.log.borrow();
                log.iter().filter(|entry| entry["timestamp"].as_str().unwrap() >= from).cloned().collect()
            }
            false => self
                .records
                .borrow()
                .get(entity.name)
                .into_iter()
                .flatten()
                .map(|(_, record)| Json::from(record.clone()))
                .collect(),
        };
        if asked("sort") == Some("updated_at") {
            rows.sort_by(|one, other| other["updated_at"].as_str().cmp(&one["updated_at"].as_str()));
        } else if asked("order") == Some("desc") {
            rows.reverse();
        }
        rows.into_iter().skip(offset as usize).take(limit.min(PAGE) as usize).collect()
    }

    fn refresh(&self, mirror: &Mirror, wanted: &[&'static Entity], mode: RefreshMode) -> (Vec<RefreshStats>, u64) {
        self.requests.set(0);
        let options = RefreshOptions { mode, at_once: 4, now: NOW };
        let mut say = |_, _| {};
        let work = mirror.refresh(self, wanted, options, &mut say);
        let refreshed = futures::executor::block_on(work).unwrap();
        (refreshed, self.requests.get())
    }

    #[track_caller]
    fn see_same(&self, mirror: &Mirror, entity: &'static Entity) {
        let mut held = BTreeMap::new();
        mirror
            .each(entity, |id, json| {
                held.insert(id, serde_json::from_str::<Map<String, Json>>(json).unwrap());
                Ok::<(), super::MirrorError>(())
            })
            .unwrap();
        assert_eq!(held, self.records.borrow().get(entity.name).cloned().unwrap_or_default());
    }
}

impl RawListSource for Account {
    type Error = Infallible;

    fn page_limit(&self) -> u32 {
        PAGE
    }

    async fn raw_page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<RawPage, Infallible> {
        Ok(RawPage::of(Json::from(self.list(entity, filters, offset, limit)).to_string()).unwrap())
    }
}

impl RecordSource for Account {
    type Error = Infallible;

    fn page_limit(&self) -> u32 {
        PAGE
    }

    async fn page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Map<String, Json>>, Infallible> {
        let rows = self.list(entity, filters, offset, limit);
        Ok(rows.into_iter().map(|row| row.as_object().unwrap().clone()).collect())
    }

    async fn record(&self, entity: &'static Entity, id: i64) -> Result<Option<Map<String, Json>>, Infallible> {
        self.requests.set(self.requests.get() + 1);
        Ok(self.records.borrow().get(entity.name).and_then(|records| records.get(&id)).cloned())
    }
}

#[test]
fn an_account_that_is_as_it_was_takes_a_handful_of_requests() {
    let account = Account::new(Log::All);
    account.fill(assets(), 500);
    let mirror = Mirror::scratch().unwrap();
    let (first, _) = account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    assert_eq!((first[0].how, first[0].added), (RefreshMethod::Full, 500));
    account.see_same(&mirror, assets());
    let (second, requests) = account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    assert_eq!(
        (second[0].how, second[0].added + second[0].changed + second[0].removed),
        (RefreshMethod::Incremental, 0)
    );
    assert!(requests <= 4, "{requests}");
}

#[test]
fn what_is_done_is_found_with_a_log_and_without() {
    for tells in [Log::All, Log::Nothing] {
        let mut draw = fastrand::Rng::with_seed(7);
        let account = Account::new(tells);
        account.fill(assets(), 200);
        let mirror = Mirror::scratch().unwrap();
        account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
        for round in 0..40 {
            for _ in 0..draw.usize(0..12) {
                let ids = account.ids(assets());
                let id = ids[draw.usize(0..ids.len())];
                match draw.u8(0..10) {
                    0..3 => account.fill(assets(), 1),
                    3..7 => account.update(assets(), id, &format!("round {round}")),
                    7 if tells == Log::All => account.move_out(assets(), id),
                    _ => account.delete(assets(), id),
                }
            }
            account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
            account.see_same(&mirror, assets());
        }
    }
}

#[test]
fn quiet_collections_take_turns_until_the_log_is_found_to_keep_silent() {
    let account = Account::new(Log::All);
    for entity in COLLECTIONS.iter().copied() {
        let records = if entity.name == "assets" { 100 } else { 5 };
        account.fill(entity, records);
    }
    let mirror = Mirror::scratch().unwrap();
    account.refresh(&mirror, COLLECTIONS, RefreshMode::Incremental);
    let mut skippable = Vec::new();
    for _ in 0..4 {
        let (refreshed, requests) = account.refresh(&mirror, COLLECTIONS, RefreshMode::Incremental);
        assert!(requests < 15, "{requests}");
        let vouched = refreshed.iter().filter(|refreshed| refreshed.how == RefreshMethod::Unchanged);
        skippable.push(vouched.map(|refreshed| refreshed.entity.name).collect::<Vec<_>>());
    }
    assert_ne!(skippable[0], skippable[1]);
    let all: std::collections::BTreeSet<_> = skippable.iter().flatten().collect();
    assert!(
        all.iter().all(|name| skippable.iter().any(|round| !round.contains(name))),
        "each is looked at: {skippable:?}"
    );
    // A change that the log does not tell of.
    let licenses = collection("licenses").unwrap();
    let id = account.ids(licenses)[0];
    account.records.borrow_mut().get_mut("licenses").unwrap().get_mut(&id).unwrap().insert("name".into(), "x".into());
    for _ in 0..3 {
        account.refresh(&mirror, COLLECTIONS, RefreshMode::Incremental);
    }
    account.see_same(&mirror, licenses);
    let (refreshed, _) = account.refresh(&mirror, COLLECTIONS, RefreshMode::Incremental);
    assert!(refreshed.iter().all(|refreshed| refreshed.how != RefreshMethod::Unchanged));
}

#[test]
fn names_are_looked_up_in_the_copy_where_that_costs_less() {
    let account = Account::new(Log::All);
    account.fill(assets(), 500);
    let mirror = Mirror::scratch().unwrap();
    account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    account.update(assets(), 7, "just now");
    account.requests.set(0);
    let mut needs = LookupRequest::default();
    needs.whole("assets");
    let options = RefreshOptions { mode: RefreshMode::Incremental, at_once: 4, now: NOW };
    let copied = futures::executor::block_on(CachedSource::refreshed(&account, &mirror, &needs, options)).unwrap();
    assert_eq!(copied.served().unwrap(), [("assets", 500)]);
    let catalog = futures::executor::block_on(Catalog::fetch(&copied, &needs, &mut |_, _| {})).unwrap();
    assert!(catalog.is_whole("assets") && account.requests.get() < 12, "{}", account.requests.get());
    assert!(catalog.record("assets", 499).is_some());
}

#[test]
fn a_copy_that_is_wrong_shows_when_it_is_compared() {
    let account = Account::new(Log::All);
    account.fill(assets(), 100);
    let mirror = Mirror::scratch().unwrap();
    account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    mirror.store().attempt(|copy| copy.execute("UPDATE assets SET body = '{\"id\":3}' WHERE id = 3", [])).unwrap();
    account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    let (compared, _) = account.refresh(&mirror, &[assets()], RefreshMode::Full);
    assert_eq!((compared[0].added, compared[0].changed, compared[0].removed), (0, 1, 0));
    account.see_same(&mirror, assets());
}

#[test]
fn each_name_is_told_what_changed_since_its_own_export() {
    let account = Account::new(Log::All);
    let ids: Vec<i64> = (0..50).map(|_| account.create(assets())).collect();
    let mirror = Mirror::scratch().unwrap();
    let refresh = || account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    refresh();
    assert!(mirror.changes_since("daily", assets()).unwrap().is_none());
    mirror.set_baseline("daily", assets(), NOW).unwrap();
    mirror.set_baseline("weekly", assets(), NOW).unwrap();
    account.update(assets(), ids[0], "a");
    account.delete(assets(), ids[1]);
    refresh();
    let told = |name: &str| -> Vec<(i64, &'static str)> {
        let (_, changes) = mirror.changes_since(name, assets()).unwrap().unwrap();
        let what = |changed: &ChangeKind| match changed {
            ChangeKind::Added(_) => "added",
            ChangeKind::Removed(_) => "removed",
            ChangeKind::Updated { .. } => "changed",
        };
        changes.iter().map(|change| (change.id, what(&change.kind))).collect()
    };
    assert_eq!(told("daily"), [(ids[0], "changed"), (ids[1], "removed")]);
    mirror.set_baseline("daily", assets(), NOW).unwrap();
    let made = account.create(assets());
    refresh();
    account.update(assets(), ids[0], "thing 1");
    refresh();
    assert_eq!(told("daily"), [(ids[0], "changed"), (made, "added")]);
    assert_eq!(told("weekly"), [(ids[0], "changed"), (ids[1], "removed"), (made, "added")]);
    account.delete(assets(), made);
    refresh();
    assert_eq!(told("daily"), [(ids[0], "changed")], "made and deleted again is nothing to tell");
    let (_, changes) = mirror.changes_since("weekly", assets()).unwrap().unwrap();
    let gone = changes.iter().find(|change| change.id == ids[1]).unwrap();
    assert_eq!(gone.log_entries.first().map(|entry| entry.event.as_str()), Some("Delete"));
}
