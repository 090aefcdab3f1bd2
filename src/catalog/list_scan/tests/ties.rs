//! Lists of records that were created at the same time: the service may sort those as it likes.

use std::collections::HashSet;

use futures::executor::block_on;
use serde_json::json;

use super::super::{ListScan, ScanError, ScanStats};
use super::service::{Churn, Service};
use crate::api::RawRecord;
use crate::catalog::fake_source::{FakeSource, Quirk};
use crate::catalog::rescan::IncompleteList;
use crate::fuzz::few_or_all;
use crate::schema::collection;

const LIMIT: u32 = 50;

/// Assets with these numbers, of which `imported` were created at the same time.
fn of_assets(numbers: impl Iterator<Item = usize>, imported: std::ops::Range<usize>) -> FakeSource {
    let created_at = |number: &usize| if imported.contains(number) { imported.start } else { *number };
    let asset = |number: usize| {
        let created_at = format!("2026-01-05T08:00:{:07.3}Z", created_at(&number) as f64 / 1_000.0);
        json!({"id": number + 1, "asset_id": format!("A-{number:05}"), "created_at": created_at})
    };
    FakeSource::new().with("assets", numbers.map(asset)).with_page_limit(LIMIT)
}

/// The ids that come, sorted.
fn scan(
    source: &FakeSource,
    concurrency: usize,
) -> Result<(ScanStats, Vec<i64>), ScanError<std::convert::Infallible, ()>> {
    let mut ids = Vec::new();
    let mut take = |record: RawRecord<'_>| {
        ids.extend(record.id);
        Ok(())
    };
    let entity = collection("assets").unwrap();
    let scan = ListScan { entity, filters: &[], expected: None, concurrency, longest_page: LIMIT, confirmed_end: None };
    let stats = block_on(scan.run(source, &mut take))?;
    ids.sort_unstable();
    Ok((stats, ids))
}

#[test]
fn a_record_that_a_page_end_hides_is_found() {
    for total in (40..400).step_by(few_or_all(40, 7) as usize).chain([51, 52, 101]) {
        for (concurrency, imported) in [(1, 0..total), (4, 0..total), (4, total / 4..total / 2), (1, total - 9..total)]
        {
            let source = of_assets(0..total, imported.clone()).with_quirk(Quirk::ShufflesTies);
            let (stats, ids) = scan(&source, concurrency).unwrap();
            let expected: Vec<i64> = (1..=total as i64).collect();
            assert!(ids == expected, "{} of {total}, {imported:?} at {concurrency} at once", ids.len());
            assert_eq!(stats.records, total as u64);
            assert!(stats.requests >= source.requests(), "{stats:?}");
        }
    }
}

#[test]
fn ties_that_keep_their_order_cost_nothing() {
    let source = of_assets(0..400, 0..400);
    let (stats, ids) = scan(&source, 1).unwrap();
    assert_eq!((ids.len(), stats.requests, stats.reread), (400, 10, 0));
    for seed in 0..few_or_all(20, 100) {
        let churn = Churn { appends: (60, 5), updates: (50, 20), ..Churn::default() };
        let (service, _) = scan_changing(churn, seed);
        assert_eq!(service.sorted.get(), 0, "{seed}: no other order was asked for");
    }
}

/// Scans a list of records that were created at the same time, which others change.
fn scan_changing(churn: Churn, seed: u64) -> (Service, Vec<String>) {
    let service = Service::new(collection("assets").unwrap(), 500, seed).with_ties().under(churn);
    service.limit.set(LIMIT);
    let concurrency = [1, 4, 8][seed as usize % 3];
    let (_, names) = service.scan(ListScan { concurrency, longest_page: LIMIT, ..service.whole() }).unwrap();
    (service, names)
}

#[test]
fn ties_that_are_deleted_meanwhile_hide_no_others() {
    for seed in 0..few_or_all(20, 100) {
        let churn = Churn { appends: (60, 5), deletes: (40, 5), ..Churn::default() };
        let (service, names) = scan_changing(churn, seed);
        let came: HashSet<&String> = names.iter().collect();
        assert_eq!(came.len(), names.len(), "{seed}: something came twice");
        let (throughout, _) = service.witnessed();
        let lost: Vec<_> = throughout.iter().filter(|(name, count)| **count > 0 && !came.contains(name)).collect();
        assert!(lost.is_empty(), "{seed}: {lost:?}");
    }
}

#[test]
fn a_list_that_never_adds_up_is_an_error() {
    // An asset is listed twice, and takes the position of another one.
    let source = of_assets((0..70).chain([7]).chain(70..99), 0..100);
    let incomplete = IncompleteList { collection: "assets", listed: 100, known: 99 };
    assert_eq!(scan(&source, 1).unwrap_err(), ScanError::Incomplete(incomplete));
}
