//! How many records a collection has. No reply says it: a page that is not the last one is followed by single records
//! further and further behind, and then by halves.

use crate::catalog::RecordSource;
use crate::schema::Entity;

/// How many records a collection has, no fewer and at most a page more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CollectionSize {
    pub(super) records: u64,
    /// The length of a full page.
    page: u64,
}

impl CollectionSize {
    /// How many requests reading the collection takes: its pages, which overlap by a record, and one to see the end.
    pub(super) fn requests(self) -> u64 {
        match self.records {
            0 => 1,
            records => records.div_ceil(self.page.saturating_sub(1).max(1)) + 1,
        }
    }
}

/// No list is read further. A service that answers every offset with a record must not keep the measuring going.
const LONGEST_LIST: u64 = 10_000_000;

/// Measures a collection: one request for a collection of one page, and twice the logarithm of its pages for others.
///
/// # Errors
/// The first page cannot be read. A service that refuses to look behind the end of a list only makes the size a guess.
pub(super) async fn measure<S: RecordSource>(source: &S, entity: &'static Entity) -> Result<CollectionSize, S::Error> {
    let limit = source.page_limit();
    let first = source.raw_page(entity, &[], 0, limit).await?.len();
    // The request may have shown that a smaller limit is the longest.
    let limit = source.page_limit().min(limit);
    let (found, limit) = (first as u64, u64::from(limit));
    if source.is_last(first, source.page_limit()) {
        return Ok(CollectionSize { records: found, page: limit });
    }
    let mut at_least = found;
    let mut end = None;
    let mut probe = found;
    while at_least < LONGEST_LIST && end.is_none_or(|end| end - at_least > found) {
        match source.raw_page(entity, &[], probe, 1).await {
            Ok(page) if !page.is_empty() => at_least = probe + 1,
            Ok(_) => end = Some(probe),
            Err(_) => break,
        }
        probe = match end {
            Some(end) => at_least + (end - at_least) / 2,
            None => at_least.saturating_mul(2),
        };
    }
    Ok(CollectionSize { records: end.unwrap_or(at_least), page: found })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::cell::Cell;

    use super::*;
    use crate::api::{RawPage, Record};
    use crate::schema;

    /// A list of so many records, and the requests it got.
    struct List {
        records: u64,
        page: u64,
        requests: Cell<u64>,
    }

    impl RecordSource for List {
        type Error = &'static str;

        fn page_limit(&self) -> u32 {
            1_000
        }

        fn is_last(&self, length: usize, _: u32) -> bool {
            (length as u64) < self.page
        }

        async fn raw_page(
            &self,
            _: &'static Entity,
            _: &[(&str, &str)],
            offset: u64,
            limit: u32,
        ) -> Result<RawPage, &'static str> {
            self.requests.set(self.requests.get() + 1);
            let length = self.records.saturating_sub(offset).min(self.page).min(limit.into());
            let records: Vec<String> = (0..length).map(|number| format!("{{\"id\":{}}}", offset + number)).collect();
            RawPage::of(format!("[{}]", records.join(","))).ok_or("no page")
        }

        async fn record(&self, _: &'static Entity, _: i64) -> Result<Option<Record>, &'static str> {
            Ok(None)
        }
    }

    fn measured(records: u64, page: u64) -> (CollectionSize, u64) {
        let list = List { records, page, requests: Cell::new(0) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let size = runtime.block_on(measure(&list, schema::collection("assets").unwrap())).unwrap();
        (size, list.requests.get())
    }

    #[test]
    fn one_page_takes_one_request() {
        assert_eq!(measured(0, 1_000), (CollectionSize { records: 0, page: 1_000 }, 1));
        assert_eq!(measured(999, 1_000), (CollectionSize { records: 999, page: 1_000 }, 1));
    }

    #[test]
    fn many_pages_are_measured_to_a_page() {
        for (records, page, most_requests) in
            [(1_000, 1_000, 2), (1_001, 1_000, 4), (20_000, 1_000, 12), (20_000, 100, 19), (123_457, 500, 20)]
        {
            let (size, requests) = measured(records, page);
            assert!((records..=records + page).contains(&size.records), "{records}: {size:?}");
            assert!(requests <= most_requests, "{records}: {requests} requests");
        }
    }

    #[test]
    fn a_list_without_an_end_is_given_up() {
        let (size, requests) = measured(u64::MAX, 1_000);
        assert!(size.records >= LONGEST_LIST && requests < 20, "{size:?} {requests}");
    }

    #[test]
    fn pages_overlap_and_the_end_is_seen() {
        for (records, page, requests) in [(0, 1_000, 1), (1, 1_000, 2), (999, 1_000, 2), (20_000, 1_000, 22), (7, 1, 8)]
        {
            assert_eq!(CollectionSize { records, page }.requests(), requests, "{records} by {page}");
        }
    }
}
