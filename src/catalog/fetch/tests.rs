#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;

use futures::executor::block_on;
use proptest::prelude::*;
use serde_json::json;

use super::super::fake_source::{FakeSource, Quirk};
use super::super::rescan::IncompleteList;
use super::super::{Catalog, FetchMethod, LookupRequest, LookupResult, RecordRef, ReferenceSyntax};
use super::FetchError;
use crate::api::ApiError;
use crate::error::Error;
use crate::fuzz::{cases, few_or_all};

fn fetch(source: &FakeSource, lookups: &LookupRequest) -> Catalog {
    source.reset();
    let catalog = block_on(Catalog::fetch(source, lookups, &mut |_, _| {})).unwrap();
    assert_eq!(catalog.costs().iter().map(|cost| cost.requests).sum::<u64>(), source.requests());
    catalog
}

/// `Place 0` and so on, with ids from 1.
fn of_places(total: usize) -> FakeSource {
    let place = |number| json!({"id": number + 1, "name": format!("Place {number}"), "city": "Bonn", "zip": null});
    FakeSource::new().with("locations", (0..total).map(place))
}

fn of_assets(total: usize) -> FakeSource {
    let asset =
        |number| json!({"id": number + 1, "asset_id": format!("LAP-{number}"), "notes": "long", "product_id": 7});
    FakeSource::new().with("assets", (0..total).map(asset))
}

/// The names `Place first` to `Place first + count - 1`.
fn places(first: usize, count: usize) -> LookupRequest {
    let mut lookups = LookupRequest::default();
    for number in first..first + count {
        lookups.name("locations", &format!("Place {number}"));
    }
    lookups
}

fn find(catalog: &Catalog, name: &str) -> LookupResult {
    catalog.as_planned().find("locations", name, ReferenceSyntax::Marked, None)
}

#[test]
fn a_collection_costs_the_fewest_requests() {
    let mut accounts = HashMap::new();
    for (total, open, requests, how) in [
        // An empty list is read twice.
        (0, 3, 2, FetchMethod::Pages),
        // A short page, and the request that shows it to be the last.
        (1, 3, 2, FetchMethod::Pages),
        (999, 3, 2, FetchMethod::Pages),
        (1000, 3, 2, FetchMethod::Pages),
        (2500, 3, 4, FetchMethod::Pages),
        (2500, 900, 4, FetchMethod::Pages),
        // Names need not be unique and may be written in other letters: they are read in full, never searched for.
        (20_000, 3, 22, FetchMethod::Pages),
        (20_000, 5000, 22, FetchMethod::Pages),
        (6_500, 3, 8, FetchMethod::Pages),
    ] {
        let account = accounts.entry(total).or_insert_with(|| of_places(total));
        let catalog = fetch(account, &places(0, open));
        let cost = &catalog.costs()[0];
        assert_eq!((cost.requests, cost.how), (requests, how), "{open} of {total}");
        assert_eq!(catalog.is_whole("locations"), how == FetchMethod::Pages);
    }
}

#[test]
fn a_list_that_is_empty_once_is_not_believed() {
    let account = of_places(3).with_quirk(Quirk::FirstEmpty);
    let catalog = fetch(&account, &places(0, 3));
    assert_eq!(find(&catalog, "Place 2"), LookupResult::One(RecordRef::Known(3)));
}

#[test]
fn whole_collections_are_read_to_the_end() {
    let account = of_places(12_000);
    let mut lookups = places(0, 1);
    lookups.whole("locations");
    let catalog = fetch(&account, &lookups);
    assert_eq!((catalog.costs()[0].requests, catalog.costs()[0].records), (14, 12_000));
    assert!(catalog.is_whole("locations"));
}

#[test]
fn what_is_not_needed_is_not_requested() {
    let account = of_places(5);
    let catalog = fetch(&account, &LookupRequest::default());
    assert!(catalog.costs().is_empty());
    assert!(!catalog.is_whole("locations"));
    assert_eq!(find(&catalog, "Place 1"), LookupResult::None { nearest: Vec::new() });
}

#[test]
fn names_are_read_whole_whatever_their_letters() {
    let account = of_places(12_000);
    let mut lookups = places(11_999, 1);
    lookups.name("locations", "place 11998");
    lookups.name("locations", "#9000");
    lookups.id("locations", 10_500);
    lookups.id("locations", 15_000);
    let catalog = fetch(&account, &lookups);
    assert!(catalog.is_whole("locations"));
    assert_eq!(find(&catalog, "Place 11999"), LookupResult::One(RecordRef::Known(12_000)));
    assert_eq!(find(&catalog, "#9000"), LookupResult::One(RecordRef::Known(9_000)));
    assert_eq!(find(&catalog, "#10500"), LookupResult::One(RecordRef::Known(10_500)));
    assert!(matches!(find(&catalog, "#15000"), LookupResult::None { .. }));
    assert_eq!(find(&catalog, "place 11998"), LookupResult::One(RecordRef::Known(11_999)));
}

#[test]
fn a_name_seen_early_is_still_ambiguous_when_it_comes_again_late() {
    let name = |number| if number % 7_000 == 7 { "Twice".to_owned() } else { format!("Place {number}") };
    let account =
        FakeSource::new().with("locations", (0..10_000).map(|number| json!({"id": number + 1, "name": name(number)})));
    let mut lookups = LookupRequest::default();
    lookups.name("locations", "Twice");
    let LookupResult::Many(several) = find(&fetch(&account, &lookups), "Twice") else { panic!("many") };
    assert_eq!(several.iter().map(|(target, _)| *target).collect::<Vec<_>>(), [8, 7_008].map(RecordRef::Known));
}

#[test]
fn unique_tags_stop_the_reading_once_all_are_found() {
    let account = of_assets(100_000);
    let mut lookups = LookupRequest::default();
    lookups.name("assets", "LAP-5");
    lookups.name("assets", "LAP-1005");
    let catalog = fetch(&account, &lookups);
    assert_eq!((catalog.costs()[0].requests, catalog.costs()[0].how), (2, FetchMethod::Searches));
    assert!(!catalog.is_whole("assets"), "the collection was left early: its size is not known");
    let found = catalog.as_planned().find("assets", "lap-1005", ReferenceSyntax::TagOrId, None);
    assert_eq!(found, LookupResult::One(RecordRef::Known(1006)));
}

#[test]
fn a_key_that_no_record_has_is_searched_in_the_field_that_stands_in_for_it() {
    let asset = |number: usize| json!({"id": number + 1, "asset_id": format!("LAP-{number}"), "asset_serial": (900_000 + number).to_string(), "notes": "n"});
    let account = FakeSource::new().with("assets", (0..50_000).map(asset));
    let fetched = |stands_in: bool| {
        let mut lookups = LookupRequest::default();
        lookups.matching("assets", &["asset_id"]);
        lookups.key("assets", "940000");
        if stands_in {
            lookups.stand_in("assets", "asset_serial");
        }
        fetch(&account, &lookups)
    };
    let catalog = fetched(true);
    assert_eq!(catalog.with_text("assets", "asset_serial", "940000"), [40_001]);
    // All of it: a row may write to the record.
    assert_eq!(catalog.record("assets", 40_001).unwrap()["notes"], "n");
    assert_eq!((catalog.costs()[0].how, catalog.costs()[0].requests), (FetchMethod::Searches, 8));
    assert_eq!(fetched(false).with_text("assets", "asset_serial", "940000"), [0_i64; 0]);
}

#[test]
fn a_number_for_a_key_that_no_search_finds_may_be_there_behind_zeros() {
    let asset = |number: usize| json!({"id": number + 1, "asset_id": format!("{number:06}"), "notes": "n"});
    let account = FakeSource::new().with("assets", (0..30_000).map(asset));
    let mut lookups = LookupRequest::default();
    lookups.matching("assets", &["asset_id"]);
    lookups.key("assets", "20000");
    let catalog = fetch(&account, &lookups);
    assert_eq!(catalog.with_text("assets", "asset_id", "020000"), [20_001]);
    assert_eq!(catalog.record("assets", 20_001).unwrap()["notes"], "n");
}

#[test]
fn a_tag_that_no_search_finds_may_be_there_in_other_letters() {
    let account = of_assets(30_000);
    let mut lookups = LookupRequest::default();
    lookups.name("assets", "lap-20000");
    lookups.name("assets", "LAP-25000");
    let catalog = fetch(&account, &lookups);
    let found = |tag: &str| catalog.as_planned().find("assets", tag, ReferenceSyntax::TagOrId, None);
    assert_eq!(found("lap-20000"), LookupResult::One(RecordRef::Known(20_001)));
    assert_eq!((found("LAP-25000"), catalog.is_whole("assets")), (LookupResult::One(RecordRef::Known(25_001)), true));
}

#[test]
fn a_record_that_moves_up_while_the_list_is_read_is_not_missed() {
    let account = of_places(2_500).with_quirk(Quirk::DeletesWhileRead);
    let catalog = fetch(&account, &places(1, 2_499));
    for number in 1..2_500 {
        let expected = LookupResult::One(RecordRef::Known(number + 1));
        assert_eq!(find(&catalog, &format!("Place {number}")), expected, "{number}");
    }
}

/// Places that one bulk import created, so that they share their `created_at`.
fn of_imported_places(ids: impl IntoIterator<Item = i64>) -> FakeSource {
    let place = |id| json!({"id": id, "name": format!("Place {}", id - 1), "created_at": "2026-01-05T08:00:00.000Z"});
    FakeSource::new().with("locations", ids.into_iter().map(place))
}

#[test]
fn a_record_that_a_page_end_hides_is_found() {
    for total in [1_001, 1_002, 2_500, 4_000] {
        let lookups = places(0, total as usize);
        let account = of_imported_places(1..=total);
        let requests = fetch(&account, &lookups).costs()[0].requests;
        let catalog = fetch(&account.with_quirk(Quirk::ShufflesTies), &lookups);
        for number in 0..total {
            let expected = LookupResult::One(RecordRef::Known(number + 1));
            assert_eq!(find(&catalog, &format!("Place {number}")), expected, "{number} of {total}");
        }
        assert!(catalog.is_whole("locations"));
        assert_eq!(requests, total as u64 / 1_000 + 2, "ties that keep their order cost nothing");
    }
}

#[test]
fn a_list_that_never_adds_up_is_not_taken_for_whole() {
    let account = of_imported_places((1..1_500).chain([7]));
    let fetched = block_on(Catalog::fetch(&account, &places(0, 1), &mut |_, _| {}));
    let incomplete = IncompleteList { collection: "locations", listed: 1_500, known: 1_499 };
    assert_eq!(fetched.unwrap_err(), FetchError::Incomplete(incomplete));
}

#[test]
fn a_number_that_is_no_tag_is_looked_up_as_an_id() {
    let account = of_assets(100_000);
    let mut lookups = LookupRequest::default();
    lookups.name("assets", "70000");
    let catalog = fetch(&account, &lookups);
    assert_eq!(catalog.costs()[0].requests, 8);
    assert_eq!(
        catalog.as_planned().find("assets", "70000", ReferenceSyntax::TagOrId, None),
        LookupResult::One(RecordRef::Known(70_000))
    );
}

#[test]
fn the_end_of_a_list_is_looked_for_once() {
    let account = of_assets(8_000);
    let mut lookups = LookupRequest::default();
    for number in 0..4 {
        lookups.name("assets", &format!("NEW-{number}"));
    }
    let catalog = fetch(&account, &lookups);
    // Ten to read the list, and one to see whether it is so long that searches are cheaper.
    assert_eq!((catalog.costs()[0].requests, catalog.costs()[0].how), (11, FetchMethod::Pages));
    assert!(catalog.is_whole("assets"));
}

#[test]
fn what_cannot_be_fetched_is_told_as_its_cause_is() {
    let incomplete = IncompleteList { collection: "locations", listed: 3, known: 2 };
    let service = || ApiError::Unavailable { what: String::from("GET assets"), status: 503, message: String::new() };
    for (error, cause) in [
        (FetchError::Source(service()), service().to_string()),
        (FetchError::Incomplete(incomplete), incomplete.to_string()),
    ] {
        assert_eq!(Error::from(error).to_string(), cause);
    }
}

#[test]
fn records_that_rows_may_match_keep_all_fields() {
    let account = of_assets(2000);
    let mut lookups = LookupRequest::default();
    lookups.matching("assets", &["asset_id"]);
    lookups.key("assets", "lap-1500");
    lookups.id("assets", 3);
    let catalog = fetch(&account, &lookups);
    assert_eq!(catalog.record("assets", 1501).unwrap()["notes"], "long");
    assert_eq!(catalog.record("assets", 3).unwrap()["notes"], "long");
    let lean = catalog.record("assets", 4).unwrap();
    assert_eq!(lean.keys().collect::<Vec<_>>(), ["id", "asset_id", "product_id"]);
}

#[test]
fn custom_fields_that_a_list_leaves_out_are_read_with_each_record_that_is_written() {
    let fields = json!([{"name": "Rack", "value": "B"}]);
    let place = |number: i64| json!({"id": number, "name": format!("Place {number}"), "custom_fields": fields});
    let source = |quirk| FakeSource::new().with("locations", (1..=9).map(place)).with_quirk(quirk);
    let mut lookups = LookupRequest::default();
    lookups.matching("locations", &["name"]);
    lookups.key("locations", "place 7");
    for (writes, quirk, requests) in [
        (false, Quirk::ListsWithout("custom_fields"), 2),
        (true, Quirk::None, 2),
        (true, Quirk::ListsWithout("custom_fields"), 3),
    ] {
        if writes {
            lookups.custom_fields("locations");
        }
        let catalog = fetch(&source(quirk), &lookups);
        assert_eq!(catalog.costs()[0].requests, requests);
        let is_known = writes || quirk == Quirk::None;
        assert_eq!(catalog.record("locations", 7).unwrap().get("custom_fields"), is_known.then_some(&fields));
    }
}

#[test]
fn keys_that_are_references_need_every_record() {
    let account = FakeSource::new().with(
        "audits",
        (0..8000).map(|number| json!({"id": number + 1, "asset_id": "LAP-1", "audit_date": "2026-01-01"})),
    );
    let mut lookups = LookupRequest::default();
    lookups.matching("audits", &["asset_id", "audit_date"]);
    lookups.key("audits", "LAP-1");
    let catalog = fetch(&account, &lookups);
    assert_eq!((catalog.costs()[0].requests, catalog.is_whole("audits")), (10, true));
}

#[test]
fn progress_counts_distinct_records() {
    let account = FakeSource::new()
        .with("locations", (0..1500).map(|number: usize| json!({"id": number.min(1400), "name": "same"})));
    let mut seen = Vec::new();
    let mut lookups = LookupRequest::default();
    lookups.name("locations", "same");
    block_on(Catalog::fetch(&account, &lookups, &mut |name, count| seen.push((name.to_owned(), count)))).unwrap();
    assert_eq!(seen, [1000, 1401, 1401].map(|count| ("locations".to_owned(), count)));
}

proptest! {
    #![proptest_config(cases(few_or_all(4, 12) as u32))]

    /// Whatever names are needed of whatever account: they are found, for a page per 999 records, since pages share one.
    #[test]
    fn every_name_is_found_at_a_bounded_cost(total in 1usize..9_000, open in 1usize..40, first in 0usize..9_000) {
        let account = of_places(total);
        let catalog = fetch(&account, &places(first, open));
        for number in (first..first + open).filter(|number| *number < total) {
            prop_assert_eq!(find(&catalog, &format!("Place {number}")), LookupResult::One(RecordRef::Known(number as i64 + 1)));
        }
        prop_assert!(catalog.costs()[0].records <= total as u64);
        let paging = (total as u64 - 1).div_ceil(999).max(1) + 1;
        prop_assert!(catalog.costs()[0].requests <= paging);
    }
}

#[test]
fn pages_cut_by_the_service_are_not_the_end() {
    let account = of_places(250).with_quirk(Quirk::CutsPages(100));
    let catalog = fetch(&account, &places(240, 5));
    assert!(matches!(find(&catalog, "Place 244"), LookupResult::One(_)));
    assert_eq!(account.requests(), 4);
}

#[test]
fn a_page_that_is_short_in_the_middle_is_not_the_end() {
    let account = of_places(2_500).with_quirk(Quirk::HidesOne(500));
    let catalog = fetch(&account, &places(2_400, 5));
    assert!(matches!(find(&catalog, "Place 2404"), LookupResult::One(_)));
    assert!(catalog.is_whole("locations"));
}
