//! Reads a whole list of the service, every record once, while others change it.
//!
//! The service pages by offset over live data: when a record is deleted, all records behind it move up, and the next
//! page begins one record too late. So pages overlap by one record and are merged only where they agree; where they do
//! not, the part before is read again.
//!
//! ```text
//! scan_state        what to request next, and what to do with a page
//! end_estimator     how far the list reaches, how long its pages are, where it ends   pure
//! prefetch_buffer   pages that are requested or received but not merged yet           pure
//! page_merger       pages to one sequence of records                                  pure
//! error             why a list could not be read
//! ```
//!
//! # Why nothing is lost and nothing comes twice
//!
//! The list has an order that does not change: each record has a place before or behind every other for as long as it
//! exists, and updates leave it there (`created_at`, field notes). A page is a contiguous stretch of the list at one
//! moment. Let `K` be the rearmost of all records delivered so far. This invariant holds throughout:
//!
//! > every record that existed all the time and does not stand behind `K` has been delivered.
//!
//! A page is merged only if one of its records, `a`, was delivered before, or if it begins at offset 0. Take a record `r`
//! that existed all the time and does not stand behind the page's last record. Either it stands before `a`, which is not
//! behind `K`, and has been delivered; or it stands between `a` and the page's last record, was there when the page was
//! read, and so is on it; and whatever is new on a page is delivered. On a page from offset 0 it is on the page in any
//! case. So the invariant holds for the new `K` too. It does not matter when a page was read, or in which order pages
//! arrived, which is why they can be fetched in parallel.
//!
//! The end: the page that ends the list contained its last record, and every record that existed all the time stood
//! before it. A short page may be such a page if the service is known to return longer ones, and a request from its last
//! record on that brings nothing new proves it: a service that hides records after it has cut a page, or that cuts some
//! lists shorter than others, sends short pages in the middle. An empty page where the overlap should have been is no
//! end: something was deleted, and an earlier page has to show what is there.
//!
//! Nothing comes twice because every id is remembered. Rows without ids are counted instead, see [`page_merger`].
//! Records that were created or deleted meanwhile may be delivered or not, at most once; those inserted between records
//! that were delivered already are delivered behind them.
//!
//! A page merged across a gap would be the only way to lose a record, and there is none: if no record of a page is
//! known, the pages before it are requested, going back by half a page, then a whole one, then two, until one merges;
//! offset 0 always does. If the service returns the same records for every offset, pages without anything new show it
//! (`Instability::Endless`), and the caller starts again.
//!
//! The order may change all the same: among records that were created at the same time, where the guide names none.
//! Records that change places show it, and then the list is read again in other orders, see [`super::rescan`]. What was
//! delivered is remembered, so nothing comes twice then either.
//!
//! # What it costs
//!
//! With a page length of `L`, a list of `N` records that does not change takes `ceil(N / (L - 1)) + 1` requests at most:
//! its pages, and one to see that a short page was the end; and one more if a page that was requested early turned out
//! to lie behind the end.

mod end_estimator;
mod error;
mod page_merger;
mod prefetch_buffer;
mod scan_state;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

pub(crate) use error::{Instability, ScanError, UnstableList};

use super::rescan::Rescan;
use super::source::RecordSource;
use crate::api::RawRecord;
use crate::schema::Entity;
use scan_state::{ScanState, ScanStep};

/// Reads one list from beginning to end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListScan<'a> {
    pub entity: &'static Entity,
    /// As [`RecordSource::raw_page`] takes them. An order in which records move, such as by `updated_at`, loses those
    /// that do.
    pub filters: &'a [(&'a str, &'a str)],
    /// How many records there were last time. A hint: the nearer it is, the more can be fetched in parallel.
    pub expected: Option<u64>,
    /// Requests in flight at a time, and about as many pages in memory.
    pub concurrency: usize,
    /// The longest page this service was ever seen to return, 0 if unknown: a shorter one is the end then.
    pub longest_page: u32,
    /// How many records the list had when a request behind its end last found nothing, as a scan that came to its end
    /// does. A list that is still one page of so many records is not asked again; that is the common night on which
    /// nothing happened.
    pub confirmed_end: Option<u64>,
}

/// What a scan did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ScanStats {
    /// Records delivered.
    pub records: u64,
    pub requests: u64,
    /// Requests for a part that had been read already, because the list changed.
    pub reread: u64,
    /// The longest page the service is known to return now, for the next scan's [`ListScan::longest_page`].
    pub longest_page: u32,
}

impl ListScan<'_> {
    /// Reads the list and delivers each record to `take` as soon as it is known to be next.
    ///
    /// # Errors
    /// The service cannot be read, `take` returns an error, the pages cannot be merged, or records are missing in any
    /// order.
    pub(crate) async fn run<L: RecordSource, T>(
        self,
        lists: &L,
        take: &mut dyn FnMut(RawRecord<'_>) -> Result<(), T>,
    ) -> Result<ScanStats, ScanError<L::Error, T>> {
        let mut scan = ScanState::new(&self);
        let mut in_flight = FuturesUnordered::new();
        loop {
            match scan.step(take)? {
                ScanStep::Advanced => continue,
                ScanStep::Ended => return Ok(scan.stats()),
                ScanStep::Reordered => return self.rescan(lists, scan, take).await,
                ScanStep::Blocked => {}
            }
            while in_flight.len() < self.concurrency.max(1)
                && let Some(request) = scan.next_request(lists.page_limit())
            {
                in_flight.push(async move {
                    let page = lists.raw_page(self.entity, self.filters, request.offset, request.limit).await;
                    // The service may have rejected the limit and accepted a smaller one within this request.
                    (request, lists.page_limit(), page)
                });
            }
            let Some((request, limit, page)) = in_flight.next().await else { return Err(scan.no_overlap().into()) };
            scan.receive(request, limit, page).map_err(ScanError::Service)?;
        }
    }

    /// Reads the list again for the records that were left out.
    async fn rescan<L: RecordSource, T>(
        self,
        lists: &L,
        mut scan: ScanState,
        take: &mut dyn FnMut(RawRecord<'_>) -> Result<(), T>,
    ) -> Result<ScanStats, ScanError<L::Error, T>> {
        let mut rescan = Rescan::new(lists, self.entity, self.filters);
        while let Some(page) = rescan.next_page(scan.stats().records).await.map_err(ScanError::Service)? {
            scan.merge_unordered(&page, take)?;
        }
        scan.add_rescan(rescan.requests());
        rescan.check(scan.stats().records)?;
        Ok(scan.stats())
    }
}

#[cfg(test)]
mod tests;
