//! An in-memory service: lists with filters and pages, records by id, and optional quirks.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::convert::Infallible;

use futures::executor::block_on;
use serde_json::Value as Json;

use super::super::{Resolution, RunContext, reconcile};
use crate::api::{Record, record_id};
use crate::catalog::RecordSource;
use crate::plan::Step;
use crate::schema::{Entity, Kind};

/// Odd behaviour that the guide does not rule out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::run) enum Quirk {
    None,
    /// Filters it is given are ignored.
    IgnoresFilters,
    /// The first record is deleted before the second page is read.
    DeletesWhileRead,
}

#[derive(Debug)]
pub(in crate::run) struct Service {
    lists: RefCell<HashMap<&'static str, Vec<Record>>>,
    pub(super) page_limit: u32,
    pub(super) quirk: Quirk,
    pub(super) requests: Cell<u64>,
}

impl Service {
    pub(in crate::run) fn new() -> Self {
        let lists = RefCell::new(HashMap::new());
        Self { lists, page_limit: 1000, quirk: Quirk::None, requests: Cell::new(0) }
    }

    /// With records, or entries of the log, added to a list.
    pub(super) fn with(self, list: &'static str, records: impl IntoIterator<Item = Json>) -> Self {
        let records = records.into_iter().map(|record| record.as_object().expect("a record").clone());
        self.lists.borrow_mut().entry(list).or_default().extend(records);
        self
    }

    /// Adds a record to a list.
    pub(in crate::run) fn insert(&self, list: &'static str, record: Record) {
        self.lists.borrow_mut().entry(list).or_default().push(record);
    }

    pub(super) fn reconcile(&self, steps: &[&Step], context: &RunContext<'_>) -> Vec<Resolution> {
        match block_on(reconcile(self, steps, context)) {
            Ok(resolutions) => resolutions,
            Err(never) => match never {},
        }
    }

    fn matches(&self, entity: &Entity, record: &Record, filters: &[(&str, &str)]) -> bool {
        let holds = |(name, value): &(&str, &str)| match (*name, record.get(*name)) {
            ("sort" | "order", _) => true,
            ("date_from", _) => record["timestamp"].as_str().is_some_and(|timestamp| timestamp >= *value),
            (_, Some(Json::String(text))) => {
                let day = entity.field(name).is_some_and(|field| field.kind == Kind::Date);
                text == value || day && text.get(..10) == Some(value)
            }
            (_, Some(Json::Number(number))) => number.to_string() == *value,
            // The log's filters for items name what `item_id` holds.
            (name, None) if entity.name == "activity" && name != "employee_id" => {
                record["item_id"] == value.parse::<i64>().unwrap_or_default()
            }
            _ => false,
        };
        self.quirk == Quirk::IgnoresFilters || filters.iter().all(holds)
    }
}

impl RecordSource for Service {
    type Error = Infallible;

    fn page_limit(&self) -> u32 {
        self.page_limit
    }

    async fn page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Record>, Infallible> {
        self.requests.set(self.requests.get() + 1);
        let mut lists = self.lists.borrow_mut();
        let list = lists.entry(entity.name).or_default();
        if self.quirk == Quirk::DeletesWhileRead && self.requests.get() == 2 {
            list.remove(0);
        }
        let mut found: Vec<_> = list.iter().filter(|record| self.matches(entity, record, filters)).cloned().collect();
        if filters.contains(&("order", "desc")) {
            found.reverse();
        }
        Ok(found.into_iter().skip(offset as usize).take(limit as usize).collect())
    }

    async fn record(&self, entity: &'static Entity, id: i64) -> Result<Option<Record>, Infallible> {
        self.requests.set(self.requests.get() + 1);
        let lists = self.lists.borrow();
        Ok(lists.get(entity.name).and_then(|list| list.iter().find(|record| record_id(record) == Some(id))).cloned())
    }
}
