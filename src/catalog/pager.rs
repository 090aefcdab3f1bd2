//! A list, page by page, for callers that stop early or that do not need the guarantees of a list scan.

use super::source::RecordSource;
use crate::api::{RawPage, Record};
use crate::schema::Entity;

/// Reads a list page by page.
#[derive(Debug)]
pub(crate) struct Pager<'a, S> {
    source: &'a S,
    entity: &'static Entity,
    filters: &'a [(&'a str, &'a str)],
    limit: u32,
    offset: u64,
    requests: u64,
    end: ListEnd,
}

/// Whether the list has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListEnd {
    NotSeen,
    /// The last page was short. A service may hide records after it has cut a page, or cut this list shorter than
    /// others, so one more request asks from there.
    Suspected,
    Reached,
}

impl<'a, S: RecordSource> Pager<'a, S> {
    /// Nothing is requested yet.
    pub(crate) fn new(source: &'a S, entity: &'static Entity, filters: &'a [(&'a str, &'a str)]) -> Self {
        Self { source, entity, filters, limit: u32::MAX, offset: 0, requests: 0, end: ListEnd::NotSeen }
    }

    /// Pages of at most `limit` records.
    pub(crate) fn with_limit(self, limit: u32) -> Self {
        Self { limit, ..self }
    }

    /// The next page; none after the last one.
    ///
    /// # Errors
    /// The source cannot be read.
    pub(crate) async fn next_raw(&mut self) -> Result<Option<RawPage>, S::Error> {
        if self.is_done() {
            return Ok(None);
        }
        let limit = self.source.page_limit().clamp(1, self.limit.max(1));
        let page = self.source.raw_page(self.entity, self.filters, self.offset, limit).await?;
        self.end = match self.end {
            _ if page.is_empty() => ListEnd::Reached,
            _ if !self.source.is_last(page.len(), limit) => ListEnd::NotSeen,
            // What a filter finds is few records, and they fit a page.
            _ if self.is_whole_list() => ListEnd::Suspected,
            _ => ListEnd::Reached,
        };
        self.offset += page.len() as u64;
        self.requests += 1;
        Ok(Some(page))
    }

    /// As [`Pager::next_raw`], parsed.
    ///
    /// # Errors
    /// The source cannot be read.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Record>>, S::Error> {
        Ok(self.next_raw().await?.map(|page| page.to_records()))
    }

    /// Every record of the pages that are left.
    ///
    /// # Errors
    /// The source cannot be read.
    pub(crate) async fn rest(&mut self) -> Result<Vec<Record>, S::Error> {
        let mut records = Vec::new();
        while let Some(page) = self.next().await? {
            records.extend(page);
        }
        Ok(records)
    }

    /// Whether the last page was read.
    pub(crate) fn is_done(&self) -> bool {
        self.end == ListEnd::Reached
    }

    /// Whether the next page will most likely be empty.
    pub(crate) fn seems_done(&self) -> bool {
        self.end != ListEnd::NotSeen
    }

    fn is_whole_list(&self) -> bool {
        self.filters.iter().all(|(name, _)| matches!(*name, "sort" | "order"))
    }

    /// The offset behind the last record read.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The pages requested so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }
}
