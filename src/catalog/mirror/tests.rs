#![allow(clippy::unwrap_used)]
//! The copy against an account that changes between refreshes, with a log that log all, some or nothing of it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::convert::Infallible;

use futures::executor::block_on;
use serde_json::{Map, Value as Json, json};

use super::refresh::{CollectionLoss, RefreshMethod, RefreshMode, RefreshOptions, RefreshStats};
use super::{ChangeKind, Mirror, MirrorError};
use crate::api::{RawPage, Record, record_id};
use crate::catalog::fake_source::{FakeSource, Quirk};
use crate::catalog::source::RecordSource;
use crate::catalog::{CachedSource, Catalog, LookupRequest};
use crate::schema::{ACTIVITY, COLLECTIONS, Entity, collection};

pub(super) const PAGE: u32 = 20;
pub(super) const NOW: &str = "2026-11-24T09:30:00Z";

/// What the activity log records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Log {
    Everything,
    Nothing,
}

/// An account that changes, with a clock of its own.
pub(super) struct ChangingAccount {
    pub(super) source: FakeSource,
    log: Log,
    seconds: Cell<i64>,
    next_id: Cell<i64>,
}

fn timestamp(seconds: i64) -> String {
    let start: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    format!("{:.3}", start + jiff::SignedDuration::from_secs(seconds))
}

pub(super) fn assets() -> &'static Entity {
    collection("assets").unwrap()
}

impl ChangingAccount {
    pub(super) fn new(log: Log) -> Self {
        let source = FakeSource::new().with_page_limit(PAGE);
        Self { source, log, seconds: Cell::new(1_000), next_id: Cell::new(1) }
    }

    fn tick(&self, seconds: i64) -> String {
        self.seconds.set(self.seconds.get() + seconds);
        timestamp(self.seconds.get())
    }

    fn log(&self, entity: &Entity, event: &str, id: i64, at: &str) {
        if let (Log::Everything, Some(kind)) = (self.log, entity.log_type()) {
            let entry = json!({"timestamp": at, "type": kind, "event": event, "item_id": id, "user_id": 7});
            self.with_list(ACTIVITY.name, |log| log.push(entry.as_object().unwrap().clone()));
        }
    }

    pub(super) fn with_list<T>(&self, list: &'static str, work: impl FnOnce(&mut Vec<Record>) -> T) -> T {
        work(self.source.lists.borrow_mut().entry(list).or_default())
    }

    fn change(&self, entity: &'static Entity, id: i64, field: &str, value: &str) {
        self.with_list(entity.name, |records| {
            let record = records.iter_mut().find(|record| record_id(record) == Some(id)).unwrap();
            record.insert(field.to_owned(), value.into());
        });
    }

    fn create(&self, entity: &'static Entity) -> i64 {
        let (id, at) = (self.next_id.get(), self.tick(3));
        self.next_id.set(id + 1);
        let record = json!({"id": id, "name": format!("thing {id}"), "created_at": at, "updated_at": at});
        self.with_list(entity.name, |records| records.push(record.as_object().unwrap().clone()));
        self.log(entity, "Create", id, &at);
        id
    }

    pub(super) fn fill(&self, entity: &'static Entity, records: usize) {
        for _ in 0..records {
            self.create(entity);
        }
    }

    fn update(&self, entity: &'static Entity, id: i64, name: &str) {
        let at = self.tick(3);
        self.change(entity, id, "name", name);
        self.change(entity, id, "updated_at", &at);
        self.log(entity, "Update", id, &at);
    }

    /// A check-out that changes a record without changing its `updated_at`.
    pub(super) fn check_out(&self, entity: &'static Entity, id: i64) {
        let at = self.tick(30);
        self.change(entity, id, "checkout_date", &at);
        self.log(entity, "Checkout", id, &at);
    }

    /// A new tag. The lists that refer to the asset show it, with the `updated_at` that they had.
    fn retag(&self, id: i64, tag: &str) {
        let old = self.with_list("assets", |assets| {
            assets.iter().find(|asset| record_id(asset) == Some(id)).unwrap().get("asset_id").cloned()
        });
        for name in ["maintenances", "audits"] {
            self.with_list(name, |records| {
                let shows_it = |record: &&mut Record| old.is_some() && record.get("asset_id") == old.as_ref();
                records
                    .iter_mut()
                    .filter(shows_it)
                    .for_each(|record| drop(record.insert("asset_id".into(), tag.into())));
            });
        }
        self.change(assets(), id, "asset_id", tag);
        self.update(assets(), id, tag);
    }

    fn delete(&self, entity: &'static Entity, id: i64) {
        let at = self.tick(3);
        self.with_list(entity.name, |records| records.retain(|record| record_id(record) != Some(id)));
        self.log(entity, "Delete", id, &at);
    }

    pub(super) fn ids(&self, entity: &'static Entity) -> Vec<i64> {
        self.with_list(entity.name, |records| records.iter().filter_map(record_id).collect())
    }

    pub(super) fn refresh(
        &self,
        mirror: &Mirror,
        wanted: &[&'static Entity],
        mode: RefreshMode,
    ) -> (Vec<RefreshStats>, u64) {
        self.source.reset();
        let options = RefreshOptions { mode, concurrency: 4, now: NOW };
        let refreshed = block_on(mirror.refresh(&self.source, wanted, options, &mut |_, _| {})).unwrap();
        (refreshed, self.source.requests())
    }

    #[track_caller]
    pub(super) fn assert_mirrored(&self, mirror: &Mirror, entity: &'static Entity) {
        let mut mirrored: BTreeMap<i64, Map<String, Json>> = BTreeMap::new();
        mirror
            .each(entity, |id, json| {
                mirrored.insert(id, serde_json::from_str(json).unwrap());
                Ok::<(), MirrorError>(())
            })
            .unwrap();
        let records = self.with_list(entity.name, |records| records.clone());
        assert_eq!(mirrored, records.into_iter().map(|record| (record_id(&record).unwrap(), record)).collect());
    }
}

#[test]
fn an_unchanged_account_takes_a_handful_of_requests() {
    let account = ChangingAccount::new(Log::Everything);
    account.fill(assets(), 500);
    let mirror = Mirror::temporary().unwrap();
    let (first, _) = account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    assert_eq!((first[0].how, first[0].added), (RefreshMethod::Full, 500));
    account.assert_mirrored(&mirror, assets());
    let (second, requests) = account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    assert_eq!(
        (second[0].how, second[0].added + second[0].changed + second[0].removed),
        (RefreshMethod::Incremental, 0)
    );
    assert!(requests <= 4, "{requests}");
}

#[test]
fn every_change_is_found_with_a_log_and_without() {
    for log in [Log::Everything, Log::Nothing] {
        let mut draw = fastrand::Rng::with_seed(7);
        let account = ChangingAccount::new(log);
        account.fill(assets(), 200);
        let mirror = Mirror::temporary().unwrap();
        account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
        for round in 0..40 {
            for _ in 0..draw.usize(0..12) {
                let ids = account.ids(assets());
                let id = ids[draw.usize(0..ids.len())];
                match draw.u8(0..10) {
                    0..3 => account.fill(assets(), 1),
                    3..7 => account.update(assets(), id, &format!("round {round}")),
                    7 if log == Log::Everything => account.check_out(assets(), id),
                    _ => account.delete(assets(), id),
                }
            }
            account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
            account.assert_mirrored(&mirror, assets());
        }
    }
}

#[test]
fn quiet_collections_take_turns_until_the_log_misses_a_change() {
    let account = ChangingAccount::new(Log::Everything);
    for entity in COLLECTIONS.iter().copied() {
        let records = if entity.name == "assets" { 100 } else { 5 };
        account.fill(entity, records);
    }
    let mirror = Mirror::temporary().unwrap();
    account.refresh(&mirror, COLLECTIONS, RefreshMode::Incremental);
    let mut skipped = Vec::new();
    for _ in 0..4 {
        let (refreshed, requests) = account.refresh(&mirror, COLLECTIONS, RefreshMode::Incremental);
        assert!(requests < 15, "{requests}");
        let unchanged = refreshed.iter().filter(|refreshed| refreshed.how == RefreshMethod::Unchanged);
        skipped.push(unchanged.map(|refreshed| refreshed.entity.name).collect::<Vec<_>>());
    }
    assert_ne!(skipped[0], skipped[1]);
    let all: std::collections::BTreeSet<_> = skipped.iter().flatten().collect();
    assert!(
        all.iter().all(|name| skipped.iter().any(|round| !round.contains(name))),
        "each is read at some time: {skipped:?}"
    );
    // A change that is not in the log.
    let licenses = collection("licenses").unwrap();
    let id = account.ids(licenses)[0];
    account.change(licenses, id, "name", "x");
    for _ in 0..3 {
        account.refresh(&mirror, COLLECTIONS, RefreshMode::Incremental);
    }
    account.assert_mirrored(&mirror, licenses);
    let (refreshed, _) = account.refresh(&mirror, COLLECTIONS, RefreshMode::Incremental);
    assert!(refreshed.iter().all(|refreshed| refreshed.how != RefreshMethod::Unchanged));
}

#[test]
fn records_that_show_the_tag_of_an_asset_follow_it() {
    let account = ChangingAccount::new(Log::Everything);
    let lists = ["assets", "maintenances", "audits"].map(|name| collection(name).unwrap());
    for entity in COLLECTIONS.iter().copied() {
        // Of audits there are few, as of all others.
        let records = if matches!(entity.name, "assets" | "maintenances") { 2 * PAGE } else { 5 };
        account.fill(entity, records as usize);
    }
    let tagged = account.ids(assets());
    tagged.iter().for_each(|id| account.retag(*id, &format!("T-{id}")));
    for (entity, asset) in lists[1..].iter().flat_map(|entity| tagged.iter().map(move |asset| (entity, asset))) {
        let ids = account.ids(entity);
        account.change(entity, ids[*asset as usize % ids.len()], "asset_id", &format!("T-{asset}"));
    }
    let mirror = Mirror::temporary().unwrap();
    account.refresh(&mirror, COLLECTIONS, RefreshMode::Incremental);
    let mut draw = fastrand::Rng::with_seed(7);
    let (mut unchanged, mut incremental) = (0, 0);
    for round in 0..60 {
        for _ in 0..draw.usize(0..3) {
            let entity = lists[draw.usize(0..3)];
            let id = account.ids(entity)[draw.usize(0..5)];
            match draw.u8(0..4) {
                0 => account.retag(tagged[draw.usize(0..5)], &format!("R-{round}-{id}")),
                1 => account.update(entity, id, &format!("round {round}")),
                2 => account.fill(entity, 1),
                _ => account.check_out(assets(), tagged[draw.usize(0..5)]),
            }
        }
        let wanted = match draw.usize(0..5) {
            place @ 0..3 => &lists[place..=place],
            _ => COLLECTIONS,
        };
        let (refreshed, _) = account.refresh(&mirror, wanted, RefreshMode::Incremental);
        wanted.iter().for_each(|entity| account.assert_mirrored(&mirror, entity));
        let of_audits = refreshed.iter().filter(|stats| stats.entity.name == "audits");
        unchanged += of_audits.filter(|stats| stats.how == RefreshMethod::Unchanged).count();
        incremental += refreshed.iter().filter(|stats| stats.how == RefreshMethod::Incremental).count();
    }
    assert!(mirror.is_log_trusted().unwrap(), "every change was mentioned");
    assert!(unchanged > 5 && incremental > 20, "{unchanged} {incremental}");
}

/// An account in which an asset gets a new tag, and another maintenance comes, just before the first list is counted.
struct RacingSource<'a> {
    account: &'a ChangingAccount,
    asset: i64,
    is_done: Cell<bool>,
}

impl RecordSource for RacingSource<'_> {
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
        if limit < PAGE && !self.is_done.replace(true) {
            self.account.retag(self.asset, "NEW");
            self.account.fill(entity, 1);
        }
        self.account.source.raw_page(entity, filters, offset, limit).await
    }

    async fn record(&self, entity: &'static Entity, id: i64) -> Result<Option<Record>, Infallible> {
        self.account.source.record(entity, id).await
    }
}

#[test]
fn a_tag_that_changes_while_the_list_is_read_is_taken_in() {
    let account = ChangingAccount::new(Log::Everything);
    let maintenances = collection("maintenances").unwrap();
    [assets(), maintenances].into_iter().for_each(|entity| account.fill(entity, 3 * PAGE as usize));
    let [asset, oldest] = [assets(), maintenances].map(|entity| account.ids(entity)[0]);
    account.change(assets(), asset, "asset_id", "OLD");
    account.change(maintenances, oldest, "asset_id", "OLD");
    let mirror = Mirror::temporary().unwrap();
    account.refresh(&mirror, &[assets(), maintenances], RefreshMode::Incremental);
    let source = RacingSource { account: &account, asset, is_done: Cell::new(false) };
    let options = RefreshOptions { mode: RefreshMode::Incremental, concurrency: 4, now: NOW };
    block_on(mirror.refresh(&source, &[maintenances], options, &mut |_, _| {})).unwrap();
    assert!(source.is_done.get());
    account.assert_mirrored(&mirror, maintenances);
}

/// An account whose list of assets is empty in as many replies as the counter says.
struct EmptyReplies<'a> {
    account: &'a ChangingAccount,
    left: Cell<u32>,
}

impl RecordSource for EmptyReplies<'_> {
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
        if entity.name == "assets" && self.left.get() > 0 {
            self.left.set(self.left.get() - 1);
            return Ok(RawPage::default());
        }
        self.account.source.raw_page(entity, filters, offset, limit).await
    }

    async fn record(&self, entity: &'static Entity, id: i64) -> Result<Option<Record>, Infallible> {
        self.account.source.record(entity, id).await
    }
}

#[test]
fn one_empty_reply_removes_nothing_and_a_second_one_is_told() {
    for (records, mode) in
        [(10, RefreshMode::Incremental), (10, RefreshMode::Full), (3 * PAGE as usize, RefreshMode::Full)]
    {
        let account = ChangingAccount::new(Log::Everything);
        account.fill(assets(), records);
        let mirror = Mirror::temporary().unwrap();
        account.refresh(&mirror, &[assets()], mode);
        let refresh = |empty| {
            let source = EmptyReplies { account: &account, left: Cell::new(empty) };
            let options = RefreshOptions { mode, concurrency: 4, now: NOW };
            block_on(mirror.refresh(&source, &[assets()], options, &mut |_, _| {})).unwrap()[0]
        };
        let kept = refresh(1);
        assert_eq!((kept.records, kept.removed, kept.changed, kept.loss), (records as u64, 0, 0, None));
        account.assert_mirrored(&mirror, assets());
        let emptied = refresh(u32::MAX);
        let known = records as u64;
        let loss = CollectionLoss { collection: "assets", gone: known, known };
        assert_eq!((emptied.records, emptied.removed, emptied.loss), (0, known, Some(loss)));
        let again = refresh(0);
        assert_eq!((again.added, again.loss), (known, None));
        account.assert_mirrored(&mirror, assets());
    }
}

#[test]
fn a_loss_is_most_of_a_collection_unless_the_log_tells_of_it() {
    for (log, deleted, gone) in
        [(Log::Nothing, 5, None), (Log::Nothing, 6, Some(6)), (Log::Everything, 6, None), (Log::Everything, 10, None)]
    {
        let account = ChangingAccount::new(log);
        account.fill(assets(), 10);
        let mirror = Mirror::temporary().unwrap();
        account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
        account.ids(assets()).into_iter().take(deleted).for_each(|id| account.delete(assets(), id));
        // New ones do not make up for them.
        account.fill(assets(), deleted);
        let (refreshed, _) = account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
        assert_eq!(refreshed[0].loss.map(|loss| loss.gone), gone, "{log:?} {deleted}");
        assert_eq!(refreshed[0].removed, deleted as u64);
        account.assert_mirrored(&mirror, assets());
    }
}

#[test]
fn a_collection_takes_in_what_the_log_said_to_others() {
    let (licenses, employees) = (collection("licenses").unwrap(), collection("employees").unwrap());
    let account = ChangingAccount::new(Log::Everything);
    [assets(), employees].into_iter().for_each(|entity| account.fill(entity, 50));
    account.fill(licenses, 5);
    let mirror = Mirror::temporary().unwrap();
    let refresh = |wanted: &[&'static Entity]| account.refresh(&mirror, wanted, RefreshMode::Incremental).0;
    refresh(&[assets(), licenses, employees]);
    account.check_out(assets(), 7);
    account.change(employees, 60, "number_of_assets", "1");
    refresh(&[licenses]);
    assert_eq!(refresh(&[assets()])[0].how, RefreshMethod::Incremental);
    account.assert_mirrored(&mirror, assets());
    refresh(&[employees]);
    account.assert_mirrored(&mirror, employees);
    // A log that cannot be read back to the last refresh of a collection proves nothing about it.
    account.check_out(assets(), 8);
    for _ in 0..30 * PAGE {
        account.check_out(licenses, account.ids(licenses)[0]);
    }
    refresh(&[licenses]);
    assert_eq!(refresh(&[assets()])[0].how, RefreshMethod::Full);
    account.assert_mirrored(&mirror, assets());
    assert_eq!(refresh(&[assets()])[0].how, RefreshMethod::Incremental);
}

#[test]
fn the_days_of_the_log_may_begin_at_another_hour() {
    let mut account = ChangingAccount::new(Log::Everything);
    account.source.quirk = Quirk::LateDays(8);
    account.tick(86_400);
    account.fill(assets(), 50);
    let mirror = Mirror::temporary().unwrap();
    let refresh = || account.refresh(&mirror, &[assets()], RefreshMode::Incremental).0[0].how;
    refresh();
    account.check_out(assets(), 7);
    assert_eq!(refresh(), RefreshMethod::Incremental);
    account.assert_mirrored(&mirror, assets());
    // Without an entry from before the last refresh, nobody knows what else the answer lacks.
    account.check_out(assets(), 8);
    account.with_list(ACTIVITY.name, Vec::clear);
    assert_eq!(refresh(), RefreshMethod::Full);
    account.assert_mirrored(&mirror, assets());
}

#[test]
fn the_fields_of_a_refreshed_mirror_are_those_of_a_new_one() {
    let account = ChangingAccount::new(Log::Everything);
    account.fill(assets(), 50);
    let mirror = Mirror::temporary().unwrap();
    let custom = |mirror: &Mirror, mode| {
        account.refresh(mirror, &[assets()], mode);
        mirror.observed_fields(assets()).unwrap().custom.iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let set = |id: i64, fields: &str| {
        account.change(assets(), id, "custom_fields", fields);
        account.update(assets(), id, fields);
    };
    set(20, r#"[{"name":"Rack","value":"1"},{"name":"Typo","value":"1"}]"#);
    assert_eq!(custom(&mirror, RefreshMode::Incremental), ["Rack", "Typo"]);
    set(10, r#"[{"name":"IMEI","value":"1"},{"name":"Rack","value":"1"}]"#);
    for (mode, deleted, expected) in [
        (RefreshMode::Incremental, None, &["IMEI", "Rack", "Typo"][..]),
        (RefreshMode::Full, Some(20), &["IMEI", "Rack"]),
        (RefreshMode::Incremental, Some(10), &[]),
    ] {
        deleted.into_iter().for_each(|id| account.delete(assets(), id));
        assert_eq!(custom(&mirror, mode), expected);
        assert_eq!(custom(&Mirror::temporary().unwrap(), RefreshMode::Incremental), expected);
    }
    let known = mirror.observed_fields(assets()).unwrap().with_former();
    assert_eq!(
        known.custom.iter().collect::<Vec<_>>(),
        ["IMEI", "Rack", "Typo"],
        "what an export may have been made for"
    );
}

#[test]
fn names_are_looked_up_in_the_mirror_if_that_costs_less() {
    let account = ChangingAccount::new(Log::Everything);
    account.fill(assets(), 500);
    let mirror = Mirror::temporary().unwrap();
    account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    account.update(assets(), 7, "just now");
    account.source.reset();
    let mut lookups = LookupRequest::default();
    lookups.whole("assets");
    let options = RefreshOptions { mode: RefreshMode::Incremental, concurrency: 4, now: NOW };
    let cached = block_on(CachedSource::refreshed(&account.source, &mirror, &lookups, options)).unwrap();
    assert_eq!(cached.served().unwrap(), [("assets", 500)]);
    let catalog = block_on(Catalog::fetch(&cached, &lookups, &mut |_, _| {})).unwrap();
    assert!(catalog.is_whole("assets") && account.source.requests() < 12, "{}", account.source.requests());
    assert!(catalog.record("assets", 499).is_some());
}

#[test]
fn a_wrong_mirror_shows_in_a_full_refresh() {
    let account = ChangingAccount::new(Log::Everything);
    account.fill(assets(), 100);
    let mirror = Mirror::temporary().unwrap();
    account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    mirror.file().attempt(|copy| copy.execute("UPDATE assets SET body = '{\"id\":3}' WHERE id = 3", [])).unwrap();
    account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    let (compared, _) = account.refresh(&mirror, &[assets()], RefreshMode::Full);
    assert_eq!((compared[0].added, compared[0].changed, compared[0].removed), (0, 1, 0));
    account.assert_mirrored(&mirror, assets());
}

#[test]
fn each_export_gets_what_changed_since_its_own_last_run() {
    let account = ChangingAccount::new(Log::Everything);
    let ids: Vec<i64> = (0..50).map(|_| account.create(assets())).collect();
    let mirror = Mirror::temporary().unwrap();
    let refresh = || account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    refresh();
    assert!(mirror.changes_since("daily", assets()).unwrap().is_none());
    mirror.set_baseline("daily", assets(), NOW).unwrap();
    mirror.set_baseline("weekly", assets(), NOW).unwrap();
    account.update(assets(), ids[0], "a");
    account.delete(assets(), ids[1]);
    refresh();
    let changes_of = |name: &str| -> Vec<(i64, &'static str)> {
        let (_, changes) = mirror.changes_since(name, assets()).unwrap().unwrap();
        let what = |changed: &ChangeKind| match changed {
            ChangeKind::Added(_) => "added",
            ChangeKind::Removed(_) => "removed",
            ChangeKind::Updated { .. } => "changed",
        };
        changes.iter().map(|change| (change.id, what(&change.kind))).collect()
    };
    assert_eq!(changes_of("daily"), [(ids[0], "changed"), (ids[1], "removed")]);
    mirror.set_baseline("daily", assets(), NOW).unwrap();
    let made = account.create(assets());
    refresh();
    account.update(assets(), ids[0], "thing 1");
    refresh();
    assert_eq!(changes_of("daily"), [(ids[0], "changed"), (made, "added")]);
    assert_eq!(changes_of("weekly"), [(ids[0], "changed"), (ids[1], "removed"), (made, "added")]);
    account.delete(assets(), made);
    refresh();
    assert_eq!(changes_of("daily"), [(ids[0], "changed")], "created and deleted again is no change");
    let (_, changes) = mirror.changes_since("weekly", assets()).unwrap().unwrap();
    let gone = changes.iter().find(|change| change.id == ids[1]).unwrap();
    assert_eq!(gone.log_entries.first().map(|entry| entry.event.as_str()), Some("Delete"));
}

#[test]
fn a_service_that_does_not_sort_is_read_in_full() {
    for log in [Log::Everything, Log::Nothing] {
        let mut account = ChangingAccount::new(log);
        account.fill(assets(), 100);
        account.source = account.source.with_quirk(Quirk::IgnoresSort);
        let mirror = Mirror::temporary().unwrap();
        account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
        for id in [50, 99, 3] {
            account.update(assets(), id, "changed");
            account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
            account.assert_mirrored(&mirror, assets());
        }
    }
}

#[test]
fn a_service_that_lists_the_newest_first_whatever_is_asked_is_read_in_full() {
    let mut account = ChangingAccount::new(Log::Nothing);
    account.fill(assets(), 100);
    account.with_list("assets", |records| records.reverse());
    account.source = account.source.with_quirk(Quirk::IgnoresSort);
    let mirror = Mirror::temporary().unwrap();
    account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    account.update(assets(), 2, "changed");
    account.refresh(&mirror, &[assets()], RefreshMode::Full);
    account.update(assets(), 3, "changed after");
    account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    account.assert_mirrored(&mirror, assets());
}

#[test]
fn a_record_stamped_in_the_future_does_not_hide_later_changes() {
    let account = ChangingAccount::new(Log::Nothing);
    account.fill(assets(), 100);
    account.change(assets(), 7, "updated_at", "2027-01-01T00:00:00.000Z");
    let mirror = Mirror::temporary().unwrap();
    account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    (1..=60).for_each(|id| account.update(assets(), id, "changed"));
    account.change(assets(), 7, "updated_at", "2027-01-01T00:00:00.000Z");
    account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    account.assert_mirrored(&mirror, assets());
}

#[test]
fn changes_that_were_stamped_long_before_they_showed_are_found() {
    let account = ChangingAccount::new(Log::Nothing);
    account.fill(assets(), 100);
    let mirror = Mirror::temporary().unwrap();
    let stamp = account.tick(5);
    account.tick(1_000);
    account.update(assets(), 100, "the watermark");
    account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    for id in 1..=60 {
        account.change(assets(), id, "name", "late");
        account.change(assets(), id, "updated_at", &stamp);
    }
    account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    account.assert_mirrored(&mirror, assets());
}

#[test]
fn a_mirror_is_kept_in_a_file_that_one_process_uses_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mirror/account.sqlite");
    assert!(Mirror::open_if_free(&path).unwrap().is_none(), "there is none");
    assert!(!path.exists());
    let account = ChangingAccount::new(Log::Everything);
    account.fill(assets(), 50);
    let mirror = Mirror::open(&path).unwrap().unwrap();
    account.refresh(&mirror, &[assets()], RefreshMode::Incremental);
    assert!(Mirror::open_if_free(&path).unwrap().is_none(), "it is in use");
    drop(mirror);
    let again = Mirror::open_if_free(&path).unwrap().unwrap();
    account.assert_mirrored(&again, assets());
    assert_eq!((again.count(assets()).unwrap(), again.refreshed_at(assets()).unwrap().as_deref()), (50, Some(NOW)));
    assert_eq!(again.refreshed_at(collection("licenses").unwrap()).unwrap(), None);
    let record: Json = serde_json::from_str(&again.record(assets(), 7).unwrap().unwrap()).unwrap();
    assert_eq!((&record["name"], again.record(assets(), 99).unwrap()), (&json!("thing 7"), None));
    let page = |offset, limit| again.page(assets(), offset, limit).unwrap().len();
    assert_eq!([page(0, 20), page(40, 20), page(50, 20)], [20, 10, 0]);
    let numbers: Vec<i64> = (0..3).map(|_| again.next_refresh().unwrap()).collect();
    assert_eq!(numbers, [2, 3, 4]);
    assert_eq!(again.longest_page().unwrap(), PAGE);
    let fields = again.observed_fields(assets()).unwrap();
    assert_eq!(fields.fields.iter().collect::<Vec<_>>(), ["id", "name", "created_at", "updated_at"]);
}

#[test]
fn a_mirror_in_use_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("account.sqlite");
    let first = Mirror::open(&path).unwrap();
    assert!(first.is_some() && Mirror::open(&path).unwrap().is_none());
    drop(first);
    assert!(Mirror::open(&path).unwrap().is_some());
}

#[test]
fn a_file_of_something_else_is_no_mirror() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("account.sqlite");
    let change = |sql: &str| rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    change("CREATE TABLE other (a); PRAGMA application_id = 7;");
    assert!(matches!(Mirror::open(&path), Err(MirrorError::Foreign { .. })));
    std::fs::remove_file(&path).unwrap();
    drop(Mirror::open(&path).unwrap());
    change("PRAGMA user_version = 99;");
    assert!(matches!(Mirror::open_if_free(&path), Err(MirrorError::Newer { format: 99, .. })));
    std::fs::write(&path, "no database at all, whatever its name may say ".repeat(99)).unwrap();
    assert!(matches!(Mirror::open_if_free(&path), Err(MirrorError::Database { .. })));
    let below = path.join("account.sqlite");
    assert!(matches!(Mirror::open(&below), Err(MirrorError::Folder { .. })));
}

#[test]
fn a_list_that_is_not_mirrored_is_read_as_it_is() {
    let account = ChangingAccount::new(Log::Everything);
    account.fill(assets(), 45);
    (1..=10).for_each(|id| account.change(assets(), id, "name", "same"));
    let mirror = Mirror::temporary().unwrap();
    let options = RefreshOptions { mode: RefreshMode::Incremental, concurrency: 2, now: NOW };
    let read = |filters: &[(&str, &str)]| {
        block_on(mirror.read(&account.source, (assets(), filters), options, &mut |_, _| {})).unwrap()
    };
    assert_eq!((read(&[]), mirror.count(assets()).unwrap()), (45, 45));
    assert_eq!((read(&[("name", "same")]), mirror.count(assets()).unwrap()), (10, 10), "what was there is gone");
    assert_eq!(mirror.longest_page().unwrap(), PAGE);
    assert_eq!(mirror.observed_fields(assets()).unwrap().fields.iter().count(), 4);
    // Entries of the log have no ids: they are numbered as they arrive.
    let entries = block_on(mirror.read(&account.source, (&ACTIVITY, &[]), options, &mut |_, _| {})).unwrap();
    assert_eq!((entries, mirror.count(&ACTIVITY).unwrap()), (45, 45));
    let mut numbers = Vec::new();
    mirror
        .each(&ACTIVITY, |id, _| {
            numbers.push(id);
            Ok::<(), MirrorError>(())
        })
        .unwrap();
    assert_eq!(numbers, (1..=45).collect::<Vec<i64>>());
}

#[test]
fn progress_of_long_lists_is_told_by_the_thousand() {
    let mut account = ChangingAccount::new(Log::Nothing);
    account.fill(assets(), 2_500);
    account.source = account.source.with_page_limit(1_000);
    let options = RefreshOptions { mode: RefreshMode::Full, concurrency: 1, now: NOW };
    let mirror = Mirror::temporary().unwrap();
    let mut told = Vec::new();
    block_on(mirror.refresh(&account.source, &[assets()], options, &mut |name, read| told.push((name, read)))).unwrap();
    assert_eq!(told, [("assets", 1_000), ("assets", 2_000), ("assets", 2_500)]);
    told.clear();
    block_on(mirror.read(&account.source, (assets(), &[]), options, &mut |name, read| told.push((name, read))))
        .unwrap();
    assert_eq!(told, [("assets", 1_000), ("assets", 2_000)]);
}

/// What a refresh of the assets, all read anew, says of an account that had sixty when it was fine.
fn refresh_after(change: impl FnOnce(&ChangingAccount), quirk: Quirk) -> (Result<(), String>, u64) {
    let mut account = ChangingAccount::new(Log::Nothing);
    account.fill(assets(), 60);
    let mirror = Mirror::temporary().unwrap();
    account.refresh(&mirror, &[assets()], RefreshMode::Full);
    change(&account);
    account.source = account.source.with_quirk(quirk);
    let options = RefreshOptions { mode: RefreshMode::Full, concurrency: 1, now: NOW };
    let refreshed = block_on(mirror.refresh(&account.source, &[assets()], options, &mut |_, _| {}));
    (refreshed.map(drop).map_err(|error| error.to_string()), mirror.count(assets()).unwrap())
}

#[test]
fn a_list_that_cannot_be_read_is_an_error_and_changes_nothing() {
    let record = |record: Json| {
        move |account: &ChangingAccount| {
            account.with_list("assets", |assets| assets.push(record.as_object().unwrap().clone()));
        }
    };
    // No change of the list: another reading would find the same.
    let (no_id, count) = refresh_after(record(json!({"name": "no id"})), Quirk::None);
    let error = "unexpected response to `GET assets`: a record has no `id`";
    assert_eq!((no_id, count), (Err(error.to_owned()), 60));
    // Listed twice: one position of the list holds no record of its own.
    let (incomplete, count) = refresh_after(record(json!({"id": 7, "name": "thing 7"})), Quirk::None);
    let error =
        "cannot read all assets: the list has 61 entries, but shows only 60 different records in any sort order";
    assert_eq!((incomplete, count), (Err(error.to_owned()), 60));
}

#[test]
fn a_list_in_no_order_is_read_until_it_adds_up() {
    let create_same_time = |account: &ChangingAccount| {
        account.fill(assets(), 100);
        account.with_list("assets", |assets| {
            assets.iter_mut().for_each(|asset| drop(asset.insert("created_at".to_owned(), json!(timestamp(0)))));
        });
    };
    assert_eq!(refresh_after(create_same_time, Quirk::ShufflesTies), (Ok(()), 160));
    assert_eq!(refresh_after(|_| {}, Quirk::Shuffles), (Ok(()), 60));
}

#[test]
fn collections_of_few_pages_or_without_a_copy_are_read_from_the_service() {
    let account = ChangingAccount::new(Log::Everything);
    let (licenses, products) = (collection("licenses").unwrap(), collection("products").unwrap());
    account.fill(assets(), 3 * PAGE as usize);
    account.fill(licenses, 3 * PAGE as usize - 1);
    account.fill(products, 100);
    let mirror = Mirror::temporary().unwrap();
    account.refresh(&mirror, &[assets(), licenses], RefreshMode::Incremental);
    let mut lookups = LookupRequest::default();
    ["assets", "licenses", "products"].iter().for_each(|name| lookups.whole(name));
    let options = RefreshOptions { mode: RefreshMode::Incremental, concurrency: 1, now: NOW };
    let cached = block_on(CachedSource::refreshed(&account.source, &mirror, &lookups, options)).unwrap();
    assert_eq!(cached.served().unwrap(), [("assets", 60)]);
    let uncached = CachedSource::uncached(&account.source);
    assert_eq!(uncached.served().unwrap(), []);
    account.source.reset();
    use crate::catalog::RecordSource as _;
    let held = |name: &str, id: i64| block_on(cached.record(collection(name).unwrap(), id)).unwrap().is_some();
    assert_eq!((held("assets", 1), held("assets", 999), account.source.requests()), (true, false, 0));
    assert_eq!((held("products", 130), account.source.requests()), (true, 1));
    let length = |filters: &[(&str, &str)]| block_on(cached.raw_page(assets(), filters, 0, 30)).unwrap().len();
    assert_eq!((length(&[]), account.source.requests()), (30, 1), "the copy has longer pages");
    assert_eq!((length(&[("name", "thing 7")]), account.source.requests()), (1, 2));
    assert_eq!((cached.page_limit(), cached.is_last(3, PAGE), cached.is_last(20, PAGE)), (PAGE, true, false));
}
