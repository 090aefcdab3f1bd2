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
