#![allow(clippy::unwrap_used, clippy::expect_used)]

use jiff::ToSpan;
use serde_json::json;

use super::*;
use crate::catalog::fake_source::FakeSource;

const START: &str = "2026-01-01T00:00:00Z";

/// A long list, the record of the highest id touched last, a minute after the one before.
fn long_list(length: i64) -> FakeSource {
    let asset = |id: i64| {
        let touched = START.parse::<Timestamp>().unwrap().checked_add(id.minutes()).unwrap();
        json!({"id": id, "asset_id": format!("T-{id}"), "updated_at": touched.to_string()})
    };
    FakeSource::new().with_page_limit(100).with("assets", (1..=length).map(asset))
}

async fn find(source: &FakeSource, ids: &[i64], tags: &[&str], since: Option<Timestamp>) -> CurrentState {
    let mut present = CurrentState::default();
    let entity = schema::collection("assets").unwrap();
    let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    let ids = ids.iter().copied().collect();
    Search { pages: source, entity, ids, tags, since, present: &mut present }.run().await.unwrap();
    present
}

/// Pages, and lookups by id or tag.
fn requests(source: &FakeSource) -> (u64, u64) {
    (source.pages(), source.lookups())
}

#[tokio::test]
async fn one_record_is_asked_for_by_its_id() {
    let list = long_list(50_000);
    let present = find(&list, &[7], &[], None).await;
    assert!(present.record(("assets", 7)).is_some());
    assert_eq!(requests(&list), (0, 1));
    let list = long_list(50_000);
    find(&list, &[], &["T-9"], None).await;
    assert_eq!(requests(&list), (0, 1));
}

#[tokio::test]
async fn what_was_touched_last_takes_as_many_pages_as_it_fills() {
    let list = long_list(50_000);
    let ids: Vec<i64> = (49_751..=50_000).collect();
    let present = find(&list, &ids, &[], None).await;
    assert!(ids.iter().all(|id| present.record(("assets", *id)).is_some()));
    assert_eq!(requests(&list), (3, 0));
}

#[tokio::test]
async fn what_is_seen_by_its_tag_is_not_asked_for() {
    let list = long_list(500);
    let present = find(&list, &[], &["T-500", "T-499", "T-402"], None).await;
    assert!([500, 499, 402].iter().all(|id| present.record(("assets", *id)).is_some()));
    assert_eq!((requests(&list), present.record(("assets", 401)).is_some()), ((1, 0), false));
}

#[tokio::test]
async fn old_records_take_at_most_twice_as_many_requests_as_they_are() {
    let list = long_list(50_000);
    let present = find(&list, &[1, 2, 3, 4, 5, 6], &[], None).await;
    assert!((1..=6).all(|id| present.record(("assets", id)).is_some()));
    assert_eq!(requests(&list), (5, 6));
}

#[tokio::test]
async fn what_is_not_in_the_whole_list_is_gone() {
    let list = long_list(250);
    let present = find(&list, &(900..1_000).collect::<Vec<_>>(), &[], None).await;
    assert!(present.record(("assets", 900)).is_none());
    assert_eq!(requests(&list), (4, 0), "the last request shows that nothing follows");
}

#[tokio::test]
async fn everything_touched_since_is_seen_and_nothing_older_kept() {
    let list = long_list(50_000);
    let since = START.parse::<Timestamp>().unwrap().checked_add(49_850.minutes()).unwrap();
    let present = find(&list, &[], &[], Some(since)).await;
    assert!(present.record(("assets", 49_850)).is_some());
    assert!(present.record(("assets", 49_849)).is_none());
    assert_eq!(requests(&list), (2, 0));
}

/// An entry of the log about accessory 1.
fn entry(event: &str, second: u8, employee: Option<i64>) -> Json {
    let timestamp = format!("2026-01-02T10:00:{second:02}.000Z");
    let mut entry = json!({"type": "Accessory", "event": event, "item_id": 1, "user_id": 1, "timestamp": timestamp});
    if let Some(employee) = employee {
        entry["employee_id"] = json!(employee);
    }
    entry
}

/// Where the log stood when its newest entry was that one.
fn after(entry: &Json) -> LogPosition {
    LogPosition::After(crate::catalog::LogCursor::of(entry.as_object().unwrap()).unwrap())
}

fn wants(people: &[i64], others: u64) -> FetchPlan {
    let mut wants = FetchPlan::default();
    wants.logs.insert("accessories", LogHolders { people: people.iter().copied().collect(), others });
    wants
}

/// What is found of the log: event, second and employee of each entry.
async fn moves_of(source: &FakeSource, wants: &FetchPlan, log: &LogPosition) -> Vec<String> {
    let began = START.parse().unwrap();
    let mut phases = Vec::new();
    let present = fetch(source, wants, began, log, &mut |name: &str| phases.push(name.to_owned())).await.unwrap();
    assert_eq!(phases, ["the activity log"]);
    let told = |entry: &Record| {
        let second = &entry["timestamp"].as_str().unwrap()[17..19];
        format!("{} {second} {}", entry["event"].as_str().unwrap(), entry.get("employee_id").unwrap_or(&Json::Null))
    };
    present.logs["accessories"].iter().map(told).collect()
}

#[tokio::test]
async fn moves_since_the_run_was_planned_are_read_from_the_log() {
    let first = entry("Checkout", 1, Some(7));
    let log = after(&first);
    let mut other = entry("Checkout", 4, Some(7));
    other["type"] = json!("License");
    let entries = [
        first,
        entry("Checkout", 2, Some(7)),
        entry("Checkin", 3, Some(8)),
        other,
        entry("Update", 5, Some(7)),
        entry("Checkout", 6, Some(8)),
    ];
    let source = FakeSource::new().with("activity", entries.clone());
    let found = ["Checkin 03 8", "Checkout 02 7", "Checkout 06 8"];
    assert_eq!(moves_of(&source, &wants(&[7], 0), &log).await, found);
    assert_eq!(requests(&source), (0, 2), "one list for each event");
    let odd =
        FakeSource::new().with("activity", entries).with_quirk(crate::catalog::fake_source::Quirk::IgnoresFilters);
    assert_eq!(moves_of(&odd, &wants(&[7], 0), &log).await, found, "whatever the service does with filters");
    assert_eq!(moves_of(&source, &wants(&[7], 0), &LogPosition::Unknown).await, [""; 0], "nothing is surely newer");
}

#[tokio::test]
async fn where_entries_name_nobody_those_of_the_runs_people_are_asked_for() {
    let log = after(&entry("Checkout", 1, None));
    // The service knows whose entries they are, and does not say.
    let source =
        Nameless(FakeSource::new().with("activity", [entry("Checkout", 2, Some(7)), entry("Checkin", 3, Some(8))]));
    let began = START.parse().unwrap();
    let told = async |wants: FetchPlan| {
        let present = fetch(&source, &wants, began, &log, &mut |_: &str| {}).await.unwrap();
        let whose = |entry: &Record| entry.get("employee_id").and_then(Json::as_i64);
        present.logs["accessories"].iter().map(whose).collect::<Vec<_>>()
    };
    assert_eq!(told(wants(&[7, 8, 9], 0)).await, [Some(7), Some(8)]);
    assert_eq!(told(wants(&[8], 0)).await, [Some(8)]);
    assert_eq!(told(wants(&[7], 1)).await, [None, None], "a place cannot be asked for");
    let ignoring = FakeSource::new()
        .with("activity", [entry("Checkout", 2, Some(7)), entry("Checkin", 3, None)])
        .with_quirk(crate::catalog::fake_source::Quirk::IgnoresFilters);
    let present = fetch(&ignoring, &wants(&[7, 8], 0), began, &log, &mut |_: &str| {}).await.unwrap();
    let whose: Vec<_> = present.logs["accessories"].iter().map(|entry| entry["employee_id"].clone()).collect();
    assert_eq!(whose, [json!(7), json!(7), json!(8)], "those of others are not theirs");
}

/// A service whose log does not name holders.
struct Nameless(FakeSource);

impl RecordSource for Nameless {
    type Error = std::convert::Infallible;

    fn page_limit(&self) -> u32 {
        self.0.page_limit()
    }

    fn is_last(&self, length: usize, limit: u32) -> bool {
        self.0.is_last(length, limit)
    }

    async fn raw_page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<crate::api::RawPage, Self::Error> {
        let mut records = self.0.raw_page(entity, filters, offset, limit).await?.to_records(entity);
        records.iter_mut().for_each(|record| drop(record.remove("employee_id")));
        Ok(crate::api::RawPage::of(serde_json::to_string(&records).unwrap()).unwrap())
    }

    async fn record(&self, entity: &'static Entity, id: i64) -> Result<Option<Record>, Self::Error> {
        self.0.record(entity, id).await
    }
}

#[tokio::test]
async fn only_what_is_wanted_is_fetched() {
    let touched = |day: u8| format!("2026-01-{day:02}T00:00:00Z");
    let source = FakeSource::new()
        .with(
            "assets",
            [
                json!({"id": 1, "asset_id": "T-1", "updated_at": touched(1)}),
                json!({"id": 2, "asset_id": "T-2", "updated_at": touched(2)}),
            ],
        )
        .with("locations", [json!({"id": 5, "name": "Ulm", "updated_at": touched(1)})])
        .with(
            "products",
            [
                json!({"id": 6, "name": "Old", "updated_at": touched(1)}),
                json!({"id": 7, "name": "New", "updated_at": touched(4)}),
            ],
        );
    let mut wants = FetchPlan::default();
    wants.ids.entry("locations").or_default().extend([5, 6]);
    wants.tags.insert(String::from("T-2"));
    wants.recent.insert("products");
    let mut phases = Vec::new();
    // Clocks may be a day apart.
    let began = "2026-01-04T12:00:00Z".parse().unwrap();
    let mut on_collection = |name: &str| phases.push(name.to_owned());
    let mut present = fetch(&source, &wants, began, &LogPosition::Empty, &mut on_collection).await.unwrap();
    assert_eq!(phases.len(), 3, "{phases:?}");
    let has = |present: &CurrentState| {
        [("locations", 5), ("locations", 6), ("assets", 1), ("assets", 2), ("products", 6), ("products", 7)]
            .map(|key| present.record(key).is_some())
    };
    assert_eq!(has(&present), [true, false, false, true, false, true]);
    source.reset();
    let products = schema::collection("products").unwrap();
    fetch_more(&source, products, BTreeSet::from([6, 7]), &mut present).await.unwrap();
    assert_eq!((has(&present)[4], requests(&source)), (true, (0, 1)), "one is known");
    source.reset();
    fetch_more(&source, products, BTreeSet::from([7]), &mut present).await.unwrap();
    assert_eq!(source.requests(), 0);
}
