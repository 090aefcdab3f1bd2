#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::cell::Cell;
use std::convert::Infallible;

use jiff::ToSpan;
use serde_json::json;

use super::*;

/// A long list, the record of the highest id touched last, a minute after the one before.
struct LongList {
    length: i64,
    pages: Cell<u64>,
    look_ups: Cell<u64>,
}

const START: &str = "2026-01-01T00:00:00Z";

impl LongList {
    fn of(length: i64) -> Self {
        Self { length, pages: Cell::new(0), look_ups: Cell::new(0) }
    }

    fn at(id: i64) -> Record {
        let touched = START.parse::<Timestamp>().unwrap().checked_add(id.minutes()).unwrap();
        json!({"id": id, "asset_id": format!("T-{id}"), "updated_at": touched.to_string()}).as_object().unwrap().clone()
    }

    async fn find(&self, ids: &[i64], tags: &[&str], since: Option<Timestamp>) -> CurrentState {
        let mut present = CurrentState::default();
        let entity = schema::collection("assets").unwrap();
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let ids = ids.iter().copied().collect();
        Search { pages: self, entity, ids, tags, since, present: &mut present }.run().await.unwrap();
        present
    }

    fn requests(&self) -> (u64, u64) {
        (self.pages.get(), self.look_ups.get())
    }
}

impl RecordSource for LongList {
    type Error = Infallible;

    fn page_limit(&self) -> u32 {
        100
    }

    async fn page(
        &self,
        _: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Record>, Infallible> {
        if let [("asset_id", tag)] = filters {
            self.look_ups.set(self.look_ups.get() + 1);
            return Ok(tag.strip_prefix("T-").and_then(|id| id.parse().ok()).map(Self::at).into_iter().collect());
        }
        assert_eq!(filters, NEWEST_FIRST);
        self.pages.set(self.pages.get() + 1);
        let first = self.length - offset as i64;
        Ok((1..=first).rev().take(limit as usize).map(Self::at).collect())
    }

    async fn record(&self, _: &'static Entity, id: i64) -> Result<Option<Record>, Infallible> {
        self.look_ups.set(self.look_ups.get() + 1);
        Ok((1..=self.length).contains(&id).then(|| Self::at(id)))
    }
}

#[tokio::test]
async fn one_record_is_asked_for_by_its_id() {
    let list = LongList::of(50_000);
    let present = list.find(&[7], &[], None).await;
    assert!(present.record(("assets", 7)).is_some());
    assert_eq!(list.requests(), (0, 1));
    let list = LongList::of(50_000);
    list.find(&[], &["T-9"], None).await;
    assert_eq!(list.requests(), (0, 1));
}

#[tokio::test]
async fn what_was_touched_last_takes_as_many_pages_as_it_fills() {
    let list = LongList::of(50_000);
    let ids: Vec<i64> = (49_751..=50_000).collect();
    let present = list.find(&ids, &[], None).await;
    assert!(ids.iter().all(|id| present.record(("assets", *id)).is_some()));
    assert_eq!(list.requests(), (3, 0));
}

#[tokio::test]
async fn old_records_take_at_most_twice_as_many_requests_as_they_are() {
    let list = LongList::of(50_000);
    let present = list.find(&[1, 2, 3, 4, 5, 6], &[], None).await;
    assert!((1..=6).all(|id| present.record(("assets", id)).is_some()));
    assert_eq!(list.requests(), (5, 6));
}

#[tokio::test]
async fn what_is_not_in_the_whole_list_is_gone() {
    let list = LongList::of(250);
    let present = list.find(&(900..1_000).collect::<Vec<_>>(), &[], None).await;
    assert!(present.record(("assets", 900)).is_none());
    assert_eq!(list.requests(), (3, 0));
}

#[tokio::test]
async fn everything_touched_since_is_seen_and_nothing_older_kept() {
    let list = LongList::of(50_000);
    let since = START.parse::<Timestamp>().unwrap().checked_add(49_850.minutes()).unwrap();
    let present = list.find(&[], &[], Some(since)).await;
    assert!(present.record(("assets", 49_850)).is_some());
    assert!(present.record(("assets", 49_849)).is_none());
    assert_eq!(list.requests(), (2, 0));
}
