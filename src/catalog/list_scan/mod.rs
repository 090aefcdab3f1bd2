//! A whole list of the service, every record once, while others change it.
//!
//! The service pages by offset over live data: when a record is deleted, all behind it move up, and the next page
//! begins one too late. So pages overlap by one record and are put together only where they agree; where they do not,
//! the part before is read again.
//!
//! ```text
//! end_estimator    how far the list reaches, how long its pages are, where it ends    pure
//! ahead       pages asked for or here that are not joined yet                    pure
//! merger      pages to one run of records                                        pure
//! reading     what to ask for next, and what to do with what came                pure
//! error       why a list could not be read
//! ```
//!
//! # Why nothing is lost and nothing comes twice
//!
//! The list has an order that does not change: each record has a place before or behind every other for as long as it
//! exists, and updates leave it there (`created_at`, field notes). A page is what stood in some stretch of the list
//! at one moment, without a gap. Let `K` be the rearmost of all records handed over so far. It holds throughout that
//!
//! > every record that existed all the time and does not stand behind `K` has been handed over.
//!
//! A page is joined only if a record of it, `a`, was handed over before, or if it begins at offset 0. Take a record `r`
//! that existed all the time and does not stand behind the page's last one. Either it stands before `a`, which is not
//! behind `K`, and has been handed over; or it stands between `a` and the page's last, was there when the page was
//! read, and so is on it; and whatever is new on a page is handed over. On a page from offset 0 it is on the page in
//! any case. So it holds for the new `K` too. It does not matter when a page was read, or in which order pages came,
//! which is why they can be fetched side by side.
//!
//! The end: the page that ends the list held its last record, and every record that existed all the time stood before
//! it. A short page is such a page if the service is known to give longer ones. An empty one, where the overlap should
//! have been, is not: something was deleted, and an earlier page has to show what is there.
//!
//! Nothing comes twice since every id is remembered. TextMerger without ids are counted instead, see [`merger`]. IdMerger that
//! came or went meanwhile may be there or not, once at most; those that came in between others that had come already
//! are handed over behind them.
//!
//! A page joined with a gap would be the only way to lose a record, and there is none: where no record of a page is
//! known, the pages before it are asked for, by half a page, then a whole one, then two, until one is joined; offset 0
//! always is. If the service does not keep the order, records that move show it ([`Instability::Moved`]); if it gives the
//! same records for every offset, pages that hold nothing new do ([`Instability::Endless`]). Then the caller starts anew.
//!
//! # What it costs
//!
//! With a page length of `L`, a list of `N` records at rest takes `ceil(N / (L - 1)) + 1` requests at most: its pages,
//! and either one that turned out to lie behind its end or one to see that a short page was the end.

mod end_estimator;
mod error;
mod page_merger;
mod prefetch_buffer;
mod scan_state;

use futures::StreamExt;
use futures::stream::FuturesUnordered;

pub use error::{Instability, ScanError, UnstableList};

use crate::api::{RawPage, RawRecord};
use crate::schema::Entity;
use scan_state::{ScanState, ScanStep};

/// Where lists come from, as they came.
pub trait RawListSource {
    type Error;

    /// The most records that one page holds, as far as is known: it may shrink when a page is asked for.
    fn page_limit(&self) -> u32;

    /// The records from `offset` on, `limit` at most, whose fields hold exactly the values of `filters`. `sort` and
    /// `order` may be among these; records come in the order of their creation otherwise.
    fn raw_page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> impl Future<Output = Result<RawPage, Self::Error>>;
}

/// One list to be read whole.
#[derive(Debug, Clone, Copy)]
pub struct ListScan<'a> {
    pub entity: &'static Entity,
    /// As [`RawListSource::raw_page`] takes them. An order in which records move, such as by `updated_at`, loses those that do.
    pub filters: &'a [(&'a str, &'a str)],
    /// How many records there were last time. A hint: the nearer it is, the more can be fetched side by side.
    pub expected: Option<u64>,
    /// Requests under way at a time, and about the pages held in memory.
    pub at_once: usize,
    /// The longest page this service was ever seen to give, 0 for none: a shorter one is an end then.
    pub longest: u32,
}

/// What a scan came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanStats {
    /// IdMerger handed over.
    pub records: u64,
    pub requests: u64,
    /// Requests for a part that had been read already, since the list changed under it.
    pub reread: u64,
    /// The longest page the service is known to give now, for the next scan's [`ListScan::longest`].
    pub longest: u32,
}

impl ListScan<'_> {
    /// Reads the list and hands each record over as soon as it is known to be next.
    ///
    /// # Errors
    /// Where the service cannot be read, `take` refuses a record, or the pages do not come together.
    pub async fn run<L: RawListSource, T>(
        self,
        lists: &L,
        take: &mut dyn FnMut(RawRecord<'_>) -> Result<(), T>,
    ) -> Result<ScanStats, ScanError<L::Error, T>> {
        let mut reading = ScanState::new(&self);
        let mut under_way = FuturesUnordered::new();
        loop {
            match reading.step(take)? {
                ScanStep::Went => continue,
                ScanStep::Ended => return Ok(reading.stats()),
                ScanStep::Waits => {}
            }
            while under_way.len() < self.at_once.max(1)
                && let Some(ask) = reading.ask(lists.page_limit())
            {
                under_way.push(async move {
                    let page = lists.raw_page(self.entity, self.filters, ask.offset, ask.limit).await;
                    // The service may have refused the limit and taken a smaller one within that very request.
                    (ask, lists.page_limit(), page)
                });
            }
            let Some((ask, limit, page)) = under_way.next().await else { return Err(reading.adrift().into()) };
            reading.came(ask, limit, page).map_err(ScanError::Service)?;
        }
    }
}

#[cfg(test)]
mod tests;
