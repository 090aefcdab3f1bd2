//! A service in memory for unit tests: lists with filters, order and pages, and records by id. It counts its requests and
//! misbehaves on demand.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::convert::Infallible;
use std::iter;

use fastrand::Rng;
use serde_json::Value as Json;

use super::field_text::value_text;
use super::source::RecordSource;
use crate::api::{RawPage, Record, record_id};
use crate::schema::{ACTIVITY, Entity, Kind};

/// What a service may do that no guide forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quirk {
    None,
    IgnoresFilters,
    /// Before its second request, the first record of the list is deleted.
    DeletesWhileRead,
    /// The first request for a list gets an empty one.
    FirstEmpty,
    /// Pages are silently cut to this length, and the client suspects it.
    CutsPages(u32),
    /// The record at this place is left out of a page after the page was cut.
    HidesOne(usize),
    /// Lists leave out this field, which a record by itself has.
    ListsWithout(&'static str),
    /// Days of the log begin this many hours after midnight UTC.
    LateDays(u8),
    /// Lists are never sorted.
    IgnoresSort,
    /// Before each request, the list is shuffled.
    Shuffles,
    /// Records that the sort order does not tell apart are in another order in each page.
    ShufflesTies,
}

type Lists = HashMap<&'static str, Vec<Record>>;

/// Lists by name, each in the order of creation.
#[derive(Debug)]
pub(crate) struct FakeSource {
    pub(crate) lists: RefCell<Lists>,
    pub(crate) page_limit: u32,
    pub(crate) quirk: Quirk,
    pages: Cell<u64>,
    lookups: Cell<u64>,
}

impl FakeSource {
    pub(crate) fn new() -> Self {
        Self {
            lists: RefCell::default(),
            page_limit: 1_000,
            quirk: Quirk::None,
            pages: Cell::new(0),
            lookups: Cell::new(0),
        }
    }

    /// Adds records, or entries of the log, to a list.
    pub(crate) fn with(self, list: &'static str, records: impl IntoIterator<Item = Json>) -> Self {
        let records = records.into_iter().map(|record| record.as_object().expect("a record").clone());
        self.lists.borrow_mut().entry(list).or_default().extend(records);
        self
    }

    /// Adds a record to a list while the source is in use.
    pub(crate) fn insert(&self, list: &'static str, record: Record) {
        self.lists.borrow_mut().entry(list).or_default().push(record);
    }

    pub(crate) fn with_quirk(self, quirk: Quirk) -> Self {
        Self { quirk, ..self }
    }

    pub(crate) fn with_page_limit(self, page_limit: u32) -> Self {
        Self { page_limit, ..self }
    }

    /// Requests for pages of a whole list, sorted or not.
    pub(crate) fn pages(&self) -> u64 {
        self.pages.get()
    }

    /// Requests for single records, and for filtered lists.
    pub(crate) fn lookups(&self) -> u64 {
        self.lookups.get()
    }

    pub(crate) fn requests(&self) -> u64 {
        self.pages() + self.lookups()
    }

    /// Counts requests anew.
    pub(crate) fn reset(&self) {
        self.pages.set(0);
        self.lookups.set(0);
    }

    fn longest_page(&self) -> u32 {
        if let Quirk::CutsPages(length) = self.quirk { length } else { u32::MAX }
    }

    fn passes(&self, entity: &Entity, record: &Record, filters: &[(&str, &str)]) -> bool {
        let equals = |(name, value): &(&str, &str)| match (*name, record.get(*name)) {
            ("sort" | "order", _) => true,
            ("date_from", _) => {
                let hour = if let Quirk::LateDays(hour) = self.quirk { hour } else { 0 };
                let midnight = format!("{value}T{hour:02}");
                record["timestamp"].as_str().is_some_and(|timestamp| timestamp >= midnight.as_str())
            }
            (_, Some(held)) => {
                let is_date = entity.field(name).is_some_and(|field| field.kind == Kind::Date);
                let text = value_text(Some(held));
                text.is_some_and(|text| text == *value || is_date && text.get(..10) == Some(value))
            }
            // The log's filters for items name what `item_id` refers to.
            (name, None) if entity.name == "activity" && name != "employee_id" => {
                record["item_id"] == value.parse::<i64>().unwrap_or_default()
            }
            _ => false,
        };
        self.quirk == Quirk::IgnoresFilters || filters.iter().all(equals)
    }
}

impl RecordSource for FakeSource {
    type Error = Infallible;

    fn page_limit(&self) -> u32 {
        self.page_limit
    }

    fn is_last(&self, length: usize, limit: u32) -> bool {
        length < limit.min(self.longest_page()) as usize
    }

    async fn raw_page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<RawPage, Infallible> {
        let is_whole = filters.iter().all(|(name, _)| matches!(*name, "sort" | "order"));
        let counter = if is_whole { &self.pages } else { &self.lookups };
        counter.set(counter.get() + 1);
        let mut lists = self.lists.borrow_mut();
        let list = lists.entry(entity.name).or_default();
        if self.quirk == Quirk::DeletesWhileRead && self.requests() == 2 {
            list.remove(0);
        }
        if self.quirk == Quirk::Shuffles {
            Rng::with_seed(self.requests()).shuffle(list);
        }
        if self.quirk == Quirk::FirstEmpty && self.requests() == 1 {
            return Ok(page_of(iter::empty()));
        }
        let limit = limit.min(self.page_limit).min(self.longest_page()) as usize;
        if let Quirk::ListsWithout(field) = self.quirk {
            let mut listed = list.clone();
            listed.iter_mut().for_each(|record| drop(record.remove(field)));
            return Ok(page_of(listed.iter().skip(offset as usize).take(limit)));
        }
        let passing = list.iter().filter(|record| is_whole || self.passes(entity, record, filters));
        if (filters.is_empty() && self.quirk != Quirk::ShufflesTies) || self.quirk == Quirk::IgnoresSort {
            let page = passing.enumerate().skip(offset as usize).take(limit);
            return Ok(page_of(
                page.filter(|(place, _)| self.quirk != Quirk::HidesOne(*place)).map(|(_, record)| record),
            ));
        }
        let mut records: Vec<&Record> = passing.collect();
        if self.quirk == Quirk::ShufflesTies {
            Rng::with_seed(self.requests()).shuffle(&mut records);
        }
        let sort = filters.iter().find(|(name, _)| *name == "sort").map_or("created_at", |(_, field)| *field);
        records.sort_by_key(|record| value_text(record.get(sort)).map(Cow::into_owned));
        if filters.contains(&("order", "desc")) {
            records.reverse();
        }
        Ok(page_of(records.into_iter().skip(offset as usize).take(limit)))
    }

    async fn record(&self, entity: &'static Entity, id: i64) -> Result<Option<Record>, Infallible> {
        self.lookups.set(self.lookups.get() + 1);
        let lists = self.lists.borrow();
        Ok(lists.get(entity.name).and_then(|list| list.iter().find(|record| record_id(record) == Some(id))).cloned())
    }
}

fn page_of<'r>(records: impl Iterator<Item = &'r Record>) -> RawPage {
    let records: Vec<&Record> = records.collect();
    RawPage::of(serde_json::to_string(&records).expect("records serialise")).expect("a list of records")
}

/// Why a list cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadFailure {
    Denied,
    Broken,
}

/// A service whose activity log cannot be read.
#[derive(Debug)]
pub(crate) struct UnreadableLog<'a> {
    pub(crate) source: &'a FakeSource,
    pub(crate) failure: ReadFailure,
}

impl RecordSource for UnreadableLog<'_> {
    type Error = ReadFailure;

    fn is_denied(error: &ReadFailure) -> bool {
        *error == ReadFailure::Denied
    }

    fn page_limit(&self) -> u32 {
        self.source.page_limit()
    }

    async fn raw_page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<RawPage, ReadFailure> {
        if entity.name == ACTIVITY.name {
            return Err(self.failure);
        }
        let Ok(page) = self.source.raw_page(entity, filters, offset, limit).await;
        Ok(page)
    }

    async fn record(&self, entity: &'static Entity, id: i64) -> Result<Option<Record>, ReadFailure> {
        let Ok(record) = self.source.record(entity, id).await;
        Ok(record)
    }
}
