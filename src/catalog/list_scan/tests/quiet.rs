//! Lists at rest: everything in order, in the fewest requests.

use futures::executor::block_on;

use super::super::error::{Instability, UnstableList};
use super::super::{ListScan, ScanError};
use super::service::{Alike, Manner, Refused, Service, log};
use crate::api::RawRecord;
use crate::fuzz::few_or_all;
use crate::schema::collection;

/// The most requests that a list at rest may take: those of a long list include one behind its end that was made early.
fn bound(count: usize, length: u32) -> u64 {
    let pages = (count as u64).div_ceil(u64::from(length) - 1);
    pages + 1 + u64::from(pages >= 2)
}

/// Lengths of lists where a page more or less makes a difference.
fn edges(length: usize) -> Vec<usize> {
    let stride = length - 1;
    // Some three hundred pages are enough.
    let most = 3_001.min(300 * stride);
    let mut counts: Vec<usize> = (0..=most / stride)
        .filter(|page| *page < 7 || *page + 1 > most / stride)
        .flat_map(|page| (page * stride).saturating_sub(1)..=page * stride + 2)
        .filter(|count| *count <= most)
        .chain([0, 1, 2, 3, most])
        .collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// Where the service's page length shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LimitShownBy {
    Limit,
    Refusal,
    Cutting,
}

#[test]
fn a_list_at_rest_is_read_in_order_and_in_few_requests() {
    for length in [1_000, 500, 137, 50, 2] {
        for count in edges(length as usize).into_iter().step_by(few_or_all(3, 1) as usize) {
            let hints = [None, Some(count), Some(count / 2), Some(count * 2 + 5_000), Some(count + 1), Some(1)];
            // Every way with every hint, but not all of them with every list.
            for (index, hint) in hints.into_iter().enumerate().filter(|(index, _)| (index + count) % 2 == 0) {
                let shown_by = [LimitShownBy::Limit, LimitShownBy::Refusal, LimitShownBy::Cutting][(index + count) % 3];
                let longest_page = [0, length][(index + count / 2) % 2];
                let concurrency = [1, 3, 8][(index + count / 3) % 3];
                at_rest(length, count, shown_by, ListScan { concurrency, longest_page, ..hinted(hint) });
            }
        }
    }
}

fn hinted(hint: Option<usize>) -> ListScan<'static> {
    ListScan { expected: hint.map(|count| count as u64), ..Service::assets(0).whole() }
}

fn at_rest(length: u32, count: usize, shown_by: LimitShownBy, scan: ListScan<'_>) {
    let mut service = Service::assets(count);
    match shown_by {
        LimitShownBy::Limit => service.limit.set(length),
        LimitShownBy::Refusal => service.refuses_above = length,
        LimitShownBy::Cutting => service.cut = length,
    }
    let context = || {
        let ListScan { expected, concurrency, longest_page, .. } = scan;
        format!("{count} by {length}, {shown_by:?}, {expected:?} expected, {concurrency} at once, {longest_page} seen")
    };
    let (stats, names) = service.scan(scan).unwrap_or_else(|error| panic!("{error:?}: {}", context()));
    assert!(names == service.names(), "{}", context());
    assert_eq!((stats.records, stats.requests), (count as u64, service.requests.get()), "{}", context());
    assert_eq!(stats.reread, 0, "{}", context());
    assert!(stats.requests <= bound(count, length), "{} requests: {}", stats.requests, context());
    assert!(service.most_waiting.get() <= scan.concurrency, "{}", context());
    if count == 0 {
        assert_eq!(stats.requests, 1, "{}", context());
    }
    if count > length as usize {
        assert_eq!(stats.longest_page, length, "{}", context());
    }
}

#[test]
fn a_short_page_is_the_end_if_the_next_request_brings_nothing_new() {
    let service = Service::assets(40);
    let requests = |longest_page, confirmed_end| {
        service.scan(ListScan { longest_page, confirmed_end, ..service.whole() }).unwrap().0.requests
    };
    assert_eq!([0, 40, 41, 1_000].map(|longest| requests(longest, None)), [2; 4]);
    // Only a list that was asked for more before, and has not changed, is not asked again.
    assert_eq!([39, 40, 41].map(|confirmed| requests(1_000, Some(confirmed))), [2, 1, 2]);
    assert_eq!(requests(0, Some(40)), 2);
}

#[test]
fn a_short_page_in_the_middle_is_not_the_end() {
    let step = few_or_all(4, 1) as usize;
    for hidden in [0, 1, 998, 999, 1_000, 1_500, 1_997, 1_998, 3_000, 3_498] {
        let ways = [(1, None), (4, None), (4, Some(3_499)), (4, Some(1_998))].into_iter();
        for (concurrency, expected) in ways.skip(hidden % step).step_by(step) {
            let service = Service::assets(3_499).that(Manner::Hides(hidden));
            let scan = ListScan { concurrency, expected, longest_page: 1_000, ..service.whole() };
            let (stats, names) = service.scan(scan).unwrap();
            let mut visible = service.names();
            visible.remove(hidden);
            assert!(names == visible, "{hidden}: {} of 3,498", names.len());
            assert!(stats.requests <= 9, "{stats:?}");
        }
    }
}

#[test]
fn a_list_cut_shorter_than_others_is_read_to_its_end() {
    for (cut, count) in [15, 25, 30, 50, 128, 256].into_iter().flat_map(|cut| [cut, cut + 1, 700].map(|n| (cut, n))) {
        for expected in [None, Some(u64::from(cut)), Some(u64::from(count))] {
            let service = Service::assets(count as usize).cut_to(cut);
            let scan = ListScan { longest_page: 1_000, expected, ..service.whole() };
            assert!(service.scan(scan).unwrap().1 == service.names(), "{count} by {cut}");
        }
    }
}

#[test]
fn a_service_that_gives_shorter_pages_than_before_loses_nothing() {
    for (cut, expected) in [(500, None), (500, Some(2_000)), (137, Some(2_000)), (137, Some(138))] {
        let service = Service::assets(2_000).cut_to(cut);
        let (stats, names) = service.scan(ListScan { longest_page: 1_000, expected, ..service.whole() }).unwrap();
        assert_eq!((names, stats.longest_page), (service.names(), cut));
    }
}

#[test]
fn pages_are_fetched_side_by_side_once_the_list_is_known_to_be_long() {
    for (count, expected) in [(3_000, None), (3_000, Some(3_000)), (3_000, Some(1_500))] {
        let service = Service::assets(count);
        service.limit.set(50);
        let (stats, names) = service.scan(ListScan { expected, concurrency: 8, ..service.whole() }).unwrap();
        assert!(names == service.names());
        assert!(stats.requests <= bound(count, 50), "{stats:?}");
        assert_eq!(service.most_waiting.get(), 8);
    }
}

#[test]
fn a_page_longer_than_asked_for_is_taken_as_it_is() {
    for (length, limit) in [(5_000, 50), (1_200, 1_000), (12_344, 1_000), (12_345, 1_000)] {
        let service = Service::assets(12_345).that(Manner::IgnoresLimit(length));
        service.limit.set(limit);
        let (_, names) = service.scan(service.whole()).unwrap();
        assert!(names == service.names());
    }
}

#[test]
fn rows_without_ids_are_read_the_same_way() {
    for (count, length) in [(0, 1_000), (1, 1_000), (999, 1_000), (1_000, 1_000), (5_000, 1_000), (700, 50), (60, 2)] {
        let service = log(count, 3, Alike::None);
        service.limit.set(length);
        let (stats, names) = service.scan(service.whole()).unwrap();
        assert_eq!(names, service.names());
        assert!(stats.requests <= bound(count, length), "{stats:?}");
    }
}

#[test]
fn rows_that_are_alike_are_all_there() {
    let alike = [2, 3, 7, 10].map(Alike::OfTen);
    for (count, length, alike) in alike.map(|alike| (3_000, 50, alike)).into_iter().chain([(2_500, 500, Alike::All)]) {
        for concurrency in [1, 8] {
            let service = log(count, 3, alike);
            service.limit.set(length);
            let (stats, names) = service.scan(ListScan { concurrency, ..service.whole() }).unwrap();
            assert!(names == service.names(), "{count} {length} {alike:?}: {stats:?}");
        }
    }
}

#[test]
fn a_service_that_ignores_the_offset_ends_in_an_error() {
    for service in [Service::assets(5_000), log(5_000, 3, Alike::None), Service::assets(1_000)] {
        let service = service.that(Manner::IgnoresOffset);
        let error = service.scan(service.whole()).unwrap_err();
        assert!(
            matches!(error, ScanError::Unstable(UnstableList { instability: Instability::Endless { .. }, .. })),
            "{error:?}"
        );
        assert!(service.requests.get() < 40, "{}", service.requests.get());
    }
}

#[test]
fn a_service_of_single_records_ends_in_an_error() {
    let service = Service::assets(3).cut_to(1);
    let error = service.scan(service.whole()).unwrap_err();
    assert!(
        matches!(error, ScanError::Unstable(UnstableList { instability: Instability::Endless { .. }, .. })),
        "{error:?}"
    );
}

#[test]
fn a_list_without_an_order_is_read_whole_or_an_error() {
    for seed in 0..20 {
        let service = Service::new(collection("assets").unwrap(), 400, seed).that(Manner::Shuffles);
        service.limit.set(50);
        match service.scan(service.whole()) {
            Ok((_, mut names)) => {
                names.sort_unstable();
                assert_eq!(names, service.names(), "{seed}");
            }
            Err(error) => assert!(matches!(error, ScanError::Incomplete(_)), "{seed}: {error:?}"),
        }
    }
}

#[test]
fn an_error_is_never_the_end() {
    for (concurrency, request) in
        [1, 4].into_iter().flat_map(|concurrency| (1..=5).map(move |request| (concurrency, request)))
    {
        let service = Service::assets(4_500).that(Manner::Fails(request));
        match service.scan(ListScan { concurrency, ..service.whole() }) {
            Err(error) => assert!(matches!(error, ScanError::Service(Refused(_))), "{request}: {error:?}"),
            // It was a page that might have lain behind the end: one that is needed is asked for once more.
            Ok((_, names)) => {
                assert!(concurrency > 1 && names == service.names(), "{request} of {concurrency} at once")
            }
        }
    }
}

#[test]
fn a_service_that_refuses_offsets_behind_the_end_is_read_all_the_same() {
    for (count, expected) in [(12_000, None), (12_000, Some(50_000)), (1_500, Some(1_501)), (2, None)] {
        let service = Service::assets(count).that(Manner::RefusesBeyond);
        let (_, names) = service.scan(ListScan { expected, concurrency: 8, ..service.whole() }).unwrap();
        assert!(names == service.names());
    }
}

#[test]
fn whoever_takes_the_records_may_stop() {
    let service = Service::assets(3_000);
    let mut taken = 0;
    let mut take = |_: RawRecord<'_>| {
        taken += 1;
        if taken == 1_500 { Err("full") } else { Ok(()) }
    };
    let stopped = block_on(service.whole().run(&service, &mut take));
    assert_eq!((stopped, taken), (Err(ScanError::Take("full")), 1_500));
}
