//! Check-outs in the activity log that no run of this machine has made.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value as Json;

use crate::api::{Client, Record, integer};
use crate::catalog::{Pager, RecordSource};
use crate::error::Result;
use crate::plan::{ActionRecord, ActionRequest, PriorAction};
use crate::run::reconcile::log::{has_term, is_blank, log_terms, with_employee};
use crate::schema::{self, ACTIVITY, CREATED_AT, Entity, Meaning, Verb, log_field};

/// The most pages that are read of the log of an item, or of an item and an employee.
const MAX_PAGES: usize = 5;

/// The log entries about items, as far as they were read.
#[derive(Debug, Clone, Default)]
pub(super) struct ItemLogs(HashMap<(&'static str, i64), ItemLog>);

/// The log entries about one item.
#[derive(Debug, Clone)]
enum ItemLog {
    /// All of them.
    Whole(Vec<Record>),
    /// Those of some employees; none for an employee with more than can be read.
    ByEmployee(HashMap<i64, Option<Vec<Record>>>),
}

impl ItemLogs {
    /// Reads the log of every item that rows ask about.
    pub(super) async fn read(client: &Client, concurrency: usize, requests: &[ActionRequest]) -> Result<Self> {
        let mut items: BTreeMap<(&str, i64), ItemQuery> = BTreeMap::new();
        for request in requests {
            let key = (request.action.name, request.item.id);
            items.entry(key).or_insert_with(|| ItemQuery::new(request)).add(request);
        }
        let logs = stream::iter(items.into_values())
            .map(|query| async move { query.read(client).await.map(|log| ((query.action.name, query.item), log)) })
            .buffer_unordered(concurrency.max(1));
        Ok(Self(logs.try_collect().await?))
    }

    /// What the log shows of check-outs like a request, beyond those that runs of this machine have made.
    pub(super) fn unexplained(&self, request: &ActionRequest, ours: usize) -> PriorAction {
        let Some(holder) = &request.holder else { return PriorAction::Absent };
        let entries = match self.0.get(&(request.action.name, request.item.id)) {
            None => return PriorAction::Absent,
            Some(ItemLog::Whole(entries)) => entries,
            Some(ItemLog::ByEmployee(by_employee)) => match by_employee.get(&holder.1.id).map(Option::as_ref) {
                Some(Some(entries)) if Some(holder.0) == schema::person_parameter() => entries,
                _ => return PriorAction::LogTooLong,
            },
        };
        let outstanding = outstanding(request, holder, entries);
        let times = outstanding.len().saturating_sub(ours);
        let last = outstanding.last().and_then(|entry| day_of(entry));
        if times == 0 { PriorAction::Absent } else { PriorAction::Logged { times, last } }
    }
}

/// What has to be read about one item.
struct ItemQuery {
    action: &'static Entity,
    item: i64,
    employees: BTreeSet<i64>,
    has_other_holders: bool,
}

impl ItemQuery {
    fn new(request: &ActionRequest) -> Self {
        Self { action: request.action, item: request.item.id, employees: BTreeSet::new(), has_other_holders: false }
    }

    fn add(&mut self, request: &ActionRequest) {
        match &request.holder {
            Some((parameter, holder)) if Some(*parameter) == schema::person_parameter() => {
                self.employees.insert(holder.id);
            }
            _ => self.has_other_holders = true,
        }
    }

    /// One employee is asked for alone. For several the item's whole log takes fewer requests, unless it is long.
    async fn read<S: RecordSource>(&self, service: &S) -> std::result::Result<ItemLog, S::Error> {
        if self.employees.len() > 1 || self.has_other_holders {
            let pages = MAX_PAGES.max(self.employees.len());
            if let Some(entries) = self.entries(service, None, pages).await? {
                return Ok(ItemLog::Whole(entries));
            }
        }
        let mut by_employee = HashMap::new();
        for employee in &self.employees {
            by_employee.insert(*employee, self.entries(service, Some(*employee), MAX_PAGES).await?);
        }
        Ok(ItemLog::ByEmployee(by_employee))
    }

    /// The entries in the order of the log; none where there are more than so many pages.
    async fn entries<S: RecordSource>(
        &self,
        service: &S,
        employee: Option<i64>,
        max_pages: usize,
    ) -> std::result::Result<Option<Vec<Record>>, S::Error> {
        let (item, person) = (self.item.to_string(), employee.map(|id| id.to_string()));
        let filter = self.action.item().and_then(|(_, reference)| schema::collection(reference.to)?.log_filter());
        let mut filters: Vec<(&str, &str)> = Vec::new();
        filters.extend(log_terms(self.action).map(|(kind, _)| (log_field::TYPE, kind)));
        filters.extend(filter.map(|filter| (filter.name, item.as_str())));
        filters.extend(schema::person_parameter().zip(person.as_deref()));
        let mut pages = Pager::new(service, &ACTIVITY, &filters);
        let mut entries = Vec::new();
        for _ in 0..max_pages {
            let Some(page) = pages.next().await? else { return Ok(Some(entries)) };
            let found = page.into_iter().filter(|entry| self.is_of_item(entry));
            match schema::person_parameter().zip(employee) {
                Some((name, id)) => entries.extend(found.filter_map(|entry| with_employee(entry, name, id))),
                None => entries.extend(found),
            }
        }
        Ok(pages.next().await?.is_none_or(|page| page.is_empty()).then_some(entries))
    }

    fn is_of_item(&self, entry: &Record) -> bool {
        let is_of_kind = log_terms(self.action).is_some_and(|(kind, _)| has_term(entry, log_field::TYPE, kind));
        is_of_kind && entry.get(log_field::ITEM_ID).and_then(integer).is_none_or(|id| id == self.item)
    }
}

/// The check-outs to a holder that no later check-in has taken back, as far as the entries tell.
fn outstanding<'r>(
    request: &ActionRequest,
    holder: &(&'static str, ActionRecord),
    entries: &'r [Record],
) -> Vec<&'r Record> {
    let mut entries: Vec<&Record> = entries.iter().filter(|entry| may_be_of(request.action, holder, entry)).collect();
    entries.sort_by_key(|entry| time_of(entry).unwrap_or_default());
    let mut outstanding = Vec::new();
    for entry in entries {
        if has_term(entry, log_field::EVENT, Verb::Checkout.log_event()) {
            outstanding.push(entry);
        } else if has_term(entry, log_field::EVENT, Verb::Checkin.log_event()) {
            outstanding.pop();
        }
    }
    outstanding.retain(|entry| has_quantity(request, entry) && is_of_item_now(request, entry));
    outstanding
}

/// Whether an entry is about that holder, or does not say about whom.
fn may_be_of(action: &'static Entity, (parameter, holder): &(&'static str, ActionRecord), entry: &Record) -> bool {
    let item = action.item().and_then(|(_, reference)| schema::collection(reference.to)?.log_filter());
    let reported = |name: &str| entry.get(name).filter(|value| !is_blank(value));
    match reported(parameter) {
        Some(held) => holder.is_named_by(held),
        None => {
            let others = action.holders().filter(|field| item.is_none_or(|item| item.name != field.name));
            others.filter(|field| field.name != *parameter).all(|field| reported(field.name).is_none())
        }
    }
}

fn has_quantity(request: &ActionRequest, entry: &Record) -> bool {
    let logged = entry.get(Meaning::MovedQuantity.field_name()).and_then(integer);
    logged.zip(request.quantity).is_none_or(|(logged, asked)| logged == asked)
}

/// Whether the entry is about the item that has this id now, not about one that was deleted.
fn is_of_item_now(request: &ActionRequest, entry: &Record) -> bool {
    let logged = time_of(entry).and_then(|time| time.parse::<jiff::Timestamp>().ok());
    logged.zip(request.created).is_none_or(|(logged, created)| logged >= created)
}

fn time_of(entry: &Record) -> Option<&str> {
    entry.get(log_field::TIMESTAMP).or_else(|| entry.get(CREATED_AT)).and_then(Json::as_str)
}

fn day_of(entry: &Record) -> Option<String> {
    time_of(entry)?.get(..10).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::plan::ActionRecord;

    #[test]
    fn an_entry_may_be_of_a_request_unless_it_says_another_quantity() {
        let request = |quantity| ActionRequest {
            action: schema::find("checkout_accessory").unwrap(),
            collection: "accessories",
            item: ActionRecord { id: 1, tag: None },
            holder: None,
            date: None,
            quantity,
            key: None,
            created: None,
        };
        let has = |asked, entry: Json| has_quantity(&request(asked), entry.as_object().unwrap());
        assert!(has(Some(2), json!({"quantity": 2})) && has(Some(2), json!({"quantity": "2"})));
        assert!(!has(Some(2), json!({"quantity": 3})));
        assert!(has(Some(2), json!({})) && has(None, json!({"quantity": 3})));
    }
}
