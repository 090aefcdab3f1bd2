#![allow(clippy::unwrap_used)]

use futures::executor::block_on;
use serde_json::{Value as Json, json};

use super::*;
use crate::catalog::fake_source::{FakeSource, Quirk};
use crate::schema::{COLLECTIONS, collection};

/// Whether a page of records, each an id and when it was created, shows that ties changed places.
fn shows_ties(records: &[(i64, Json)], overlap: usize, known: &[i64]) -> bool {
    let records: Vec<_> = records.iter().map(|(id, at)| json!({"id": id, "created_at": at})).collect();
    let page = RawPage::of(Json::from(records.clone()).to_string()).unwrap();
    has_reordered_ties(&page, overlap, |index| known.contains(&records[index]["id"].as_i64().unwrap()))
}

#[test]
fn a_record_that_comes_again_has_taken_the_position_of_another() {
    let (early, late) = (|id: i64| (id, json!("09:00")), |id: i64| (id, json!("10:00")));
    let known = [1, 2, 3];
    assert!(shows_ties(&[early(3), early(1), early(4)], 1, &known));
    assert!(shows_ties(&[early(3), early(4), early(1)], 1, &known));
    assert!(shows_ties(&[early(9), early(3), early(1), early(2)], 1, &known), "two came again, and one came new");
    // The list goes on.
    assert!(!shows_ties(&[early(3), early(4), early(5)], 1, &known));
    assert!(!shows_ties(&[early(3)], 1, &known));
    // Nothing is at a position that was read before.
    assert!(!shows_ties(&[early(3), early(1)], 0, &known));
    // A record was inserted before, and those behind it have moved.
    assert!(!shows_ties(&[early(2), late(3), late(4)], 1, &known));
    // Two have changed places, and both were seen.
    assert!(!shows_ties(&[early(4), early(3), early(5)], 1, &known));
    // Some services list a record once for each thing that is joined to it.
    assert!(!shows_ties(&[early(3), early(3), early(4)], 1, &known));
    // Records that do not say when they were created may be ties.
    assert!(shows_ties(&[(3, Json::Null), (1, Json::Null)], 1, &known));
}

#[test]
fn every_collection_can_be_sorted_as_the_passes_ask() {
    for entity in COLLECTIONS {
        assert!([best_sort(entity), CREATED_AT].iter().all(|sort| entity.sorts.contains(sort)), "{}", entity.name);
        assert_ne!(best_sort(entity), CREATED_AT, "{}", entity.name);
    }
    let best = |name| best_sort(collection(name).unwrap());
    assert_eq!([best("assets"), best("employees"), best("audits")], ["asset_id", "email", "audit_date"]);
    assert!(PASSES.iter().all(|pass| ["asc", "desc"].contains(&pass.order) && (1..=10).contains(&pass.tenths)));
}

/// Reads the list again from the start; returns the requests, and whether nothing is missing.
fn rescan(source: &FakeSource, filters: &[(&str, &str)]) -> (u64, Result<(), IncompleteList>) {
    let mut ids = std::collections::BTreeSet::new();
    let mut rescan = Rescan::new(source, collection("locations").unwrap(), filters);
    while let Some(page) = block_on(rescan.next_page(ids.len() as u64)).unwrap() {
        ids.extend(page.records().filter_map(|record| record.id));
    }
    assert_eq!(rescan.requests(), source.requests());
    (rescan.requests(), rescan.check(ids.len() as u64))
}

/// Places with these ids, all created at the same time.
fn of_ids(ids: impl IntoIterator<Item = i64>) -> FakeSource {
    let place = |id| json!({"id": id, "name": format!("Place {id:04}"), "created_at": "2026-01-05T08:00:00.000Z"});
    FakeSource::new().with("locations", ids.into_iter().map(place)).with_page_limit(100)
}

#[test]
fn a_list_is_read_again_until_it_adds_up() {
    let shuffling = || of_ids(1..=950).with_quirk(Quirk::ShufflesTies);
    assert_eq!(rescan(&shuffling(), &[]), (11, Ok(())), "names differ: one pass is enough");
    assert_eq!(rescan(&shuffling(), &[("sort", "created_at"), ("order", "asc")]), (11, Ok(())));
    assert_eq!(rescan(&of_ids([]), &[]), (1, Ok(())));
    // One record is listed twice, so that one position holds none.
    let missing = IncompleteList { collection: "locations", listed: 950, known: 949 };
    let (requests, end) = rescan(&of_ids((1..950).chain([1])), &[]);
    assert_eq!(end, Err(missing));
    assert_eq!(requests, 3 * 11 + 12 + 15 + 13, "each pass is made once");
    assert_eq!(
        missing.to_string(),
        "cannot read all locations: the list has 950 entries, but shows only 949 different records in any sort order"
    );
    assert_eq!((missing.kind(), missing.hint().is_some()), (ErrorKind::Refused, true));
}

#[test]
fn records_that_the_service_hides_are_not_waited_for() {
    let positions = |lengths: &[usize]| {
        let mut positions = Positions::default();
        for length in lengths {
            positions.add(&RawPage::of(format!("[{}]", vec!["{}"; *length].join(","))).unwrap());
        }
        positions.visible()
    };
    assert_eq!(positions(&[]), 0);
    assert_eq!(positions(&[100, 100, 37]), 237);
    assert_eq!(positions(&[100, 100, 37, 0]), 237);
    // The page after a short one begins with what the short one ended with.
    assert_eq!(positions(&[100, 98, 100, 37]), 333);
    assert_eq!(positions(&[99, 100, 100, 1]), 299);
}
