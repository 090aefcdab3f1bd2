//! Lists that change while they are read: what was there all the time is there once, and nothing is there twice.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::super::{ListScan, ScanStats};
use super::service::{Alike, Churn, Service, log};
use crate::fuzz::{cases, few_or_all};
use crate::schema::collection;

/// How others write, how long the list and its pages are, and how it is read.
#[derive(Debug, Clone, Copy)]
struct Scene {
    count: usize,
    limit: u32,
    cut: u32,
    concurrency: usize,
    expected: Option<u64>,
    longest_page: u32,
    churn: Churn,
    seed: u64,
}

/// What may come more often than it was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Surplus {
    None,
    OfEqualRows,
}

impl Scene {
    fn service(&self, service: Service) -> Service {
        let service = service.cut_to(self.cut).under(self.churn);
        service.limit.set(self.limit);
        service
    }

    fn scan(&self, service: &Service) -> (ScanStats, Vec<String>) {
        let Scene { expected, concurrency, longest_page, .. } = *self;
        let scan = ListScan { expected, concurrency, longest_page, ..service.whole() };
        service.scan(scan).unwrap_or_else(|error| panic!("{error:?}: {self:?}"))
    }

    /// Scans a collection: its records have ids.
    fn of_records(&self) -> ScanStats {
        let service = self.service(Service::new(collection("assets").unwrap(), self.count, self.seed));
        let (stats, names) = self.scan(&service);
        let (throughout, ever) = service.witnessed();
        let came: HashSet<&String> = names.iter().collect();
        assert_eq!(came.len(), names.len(), "something came twice: {self:?}");
        assert!(came.iter().all(|name| ever.contains_key(*name)), "{self:?}");
        let stayed = |name: &&String| throughout.get(*name).is_some_and(|count| *count > 0);
        let lost: Vec<_> = throughout.keys().filter(stayed).filter(|name| !came.contains(name)).collect();
        assert!(lost.is_empty(), "{lost:?} of {} lost, {stats:?}: {self:?}", self.count);
        let in_order: Vec<&String> = names.iter().filter(stayed).collect();
        assert!(in_order.is_sorted(), "{self:?}");
        assert_eq!(stats.records, names.len() as u64);
        // One that was asked for as the end showed may never have been sent.
        assert!(service.requests.get() <= stats.requests, "{stats:?}: {self:?}");
        stats
    }

    /// Scans a list of rows without ids, of which some are alike.
    fn of_rows(&self, alike: Alike, surplus: Surplus) -> ScanStats {
        let service = self.service(log(self.count, self.seed, alike));
        let (stats, names) = self.scan(&service);
        let (throughout, ever) = service.witnessed();
        let mut came: HashMap<&String, u32> = HashMap::new();
        for name in &names {
            *came.entry(name).or_default() += 1;
        }
        for (name, count) in &throughout {
            assert!(came.get(name).copied().unwrap_or(0) >= *count, "{name} lost, {stats:?}: {self:?}");
        }
        for (name, count) in came {
            let most = ever.get(name).copied().unwrap_or(0);
            assert!(count <= most || surplus == Surplus::OfEqualRows, "{name} too often, {stats:?}: {self:?}");
        }
        stats
    }
}

fn churn() -> impl Strategy<Value = Churn> {
    let kind = |most: usize| (prop_oneof![Just(0_u32), 1..70_u32], 1..=most);
    (kind(6), kind(4), kind(5), kind(4), kind(5)).prop_map(|(appends, inserts, deletes, recovers, updates)| Churn {
        appends,
        inserts,
        deletes,
        recovers,
        updates,
    })
}

fn scene() -> impl Strategy<Value = Scene> {
    let lengths = prop_oneof![
        Just((1_000_u32, u32::MAX)),
        Just((1_000, 137)),
        Just((1_000, 50)),
        Just((50, u32::MAX)),
        Just((10, u32::MAX)),
        Just((1_000, 7)),
    ];
    let hint = prop_oneof![Just(None), (0_u64..3_000).prop_map(Some)];
    (0..3_000_usize, lengths, 1..10_usize, hint, churn(), any::<u64>(), any::<bool>()).prop_map(
        |(count, (limit, cut), concurrency, expected, churn, seed, is_seen)| {
            let length = limit.min(cut);
            // Some forty pages are enough.
            let count = count.min(length as usize * 40);
            Scene {
                count,
                limit,
                cut,
                concurrency,
                expected,
                longest_page: if is_seen { length } else { 0 },
                churn,
                seed,
            }
        },
    )
}

proptest! {
    #![proptest_config(cases(few_or_all(30, 100) as u32))]

    #[test]
    fn every_record_that_stayed_is_there_once(scene in scene()) {
        scene.of_records();
    }

    /// The log only grows, and equal rows stay as many as they are.
    #[test]
    fn every_row_of_a_growing_log_is_there_as_often_as_it_was(scene in scene(), alike in 2..11_u64) {
        let churn = Churn { appends: scene.churn.appends, ..Churn::default() };
        Scene { churn, ..scene }.of_rows(Alike::OfTen(alike), Surplus::None);
    }

    /// Where others are let in among them, one of several equal rows may come twice, but none is lost if page comes
    /// after page.
    #[test]
    fn every_row_that_stayed_is_there_at_least_as_often_as_it_was(scene in scene(), alike in 2..4_u64) {
        let churn = Churn { deletes: (0, 1), recovers: (0, 1), ..scene.churn };
        Scene { churn, concurrency: 1, ..scene }.of_rows(Alike::OfTen(alike), Surplus::OfEqualRows);
    }

    /// Rows that are all different may go as well.
    #[test]
    fn every_different_row_that_stayed_is_there_once(scene in scene()) {
        scene.of_rows(Alike::None, Surplus::None);
    }
}

/// What a busy day does to a list of 5,000 while it is read.
const BUSY: Churn =
    Churn { appends: (60, 5), inserts: (10, 2), deletes: (40, 5), recovers: (20, 2), updates: (50, 20) };

fn busy(seed: u64) -> Scene {
    let concurrency = [1, 4, 8][seed as usize % 3];
    let expected = [None, Some(5_000), Some(4_000)][seed as usize / 3 % 3];
    Scene { count: 500, limit: 100, cut: u32::MAX, concurrency, expected, longest_page: 100, churn: BUSY, seed }
}

#[test]
fn hundreds_of_scans_on_a_busy_day_lose_nothing() {
    let stats: Vec<ScanStats> = (0..few_or_all(60, 200)).map(|seed| busy(seed).of_records()).collect();
    let (requests, reread) =
        stats.iter().fold((0, 0), |(requests, reread), stats| (requests + stats.requests, reread + stats.reread));
    // Things did move, and only what they moved was read again.
    assert!(reread > 100 && reread < requests / 2, "{reread} of {requests} requests read again");
}

#[test]
fn many_that_go_at_once_cost_what_lies_between() {
    // Every request finds up to three pages gone.
    for seed in 0..few_or_all(9, 36) {
        let churn = Churn { deletes: (15, 150), ..Churn::default() };
        let stats = Scene { count: 2_000, churn, limit: 50, longest_page: 50, ..busy(seed) }.of_records();
        assert!(stats.requests < 2_000 / 49 * 5, "{stats:?}");
    }
}

#[test]
fn pages_of_two_are_enough() {
    for seed in 0..few_or_all(30, 90) {
        let churn = Churn { appends: (10, 2), inserts: (5, 1), deletes: (10, 1), recovers: (5, 1), updates: (20, 2) };
        Scene { count: 60, limit: 2, longest_page: 2, churn, expected: None, ..busy(seed) }.of_records();
    }
}

/// Rows inserted between rows that were read, while pages arrive out of order: one row was delivered twice once.
#[test]
fn rows_inserted_late_are_no_anchors() {
    for longest_page in [0, 7] {
        let churn = Churn { inserts: (50, 4), ..Churn::default() };
        let seed = 15_300_089_770_088_377_208;
        Scene { count: 279, limit: 1_000, cut: 7, concurrency: 5, expected: None, longest_page, churn, seed }
            .of_rows(Alike::None, Surplus::None);
    }
}
