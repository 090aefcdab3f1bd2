//! Check-outs in the activity log that no run of this machine has made.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::{Stream, StreamExt, stream};
use serde_json::Value as Json;

use super::{ActionsSince, LogReading};
use crate::api::{ApiError, Client, Record, integer};
use crate::catalog::{LogPosition, Pager, RecordSource};
use crate::error::Result;
use crate::plan::{ActionRecord, ActionRequest, PriorAction};
use crate::run::reconcile::log::{has_term, is_blank, log_terms, with_employee};
use crate::schema::{self, ACTIVITY, CREATED_AT, Entity, Meaning, Verb, log_field};

/// The most pages that are read of the log of an item, or of an item and an employee.
const MAX_PAGES: usize = 5;

/// After so many logs that the API key may not read, and none that it may, no more are asked for.
const MAX_DENIALS: usize = 3;

/// After so many logs that do not exist, and none that does, there is no log to ask for.
const MAX_REFUSALS: usize = 20;

/// The status of an item, or a log, that does not exist.
const NOT_FOUND: u16 = 404;

/// The name of the action and the id of the item.
type ItemKey = (&'static str, i64);

/// The log entries about items, as far as they were read.
#[derive(Debug, Clone, Default)]
pub(super) struct ItemLogs {
    by_item: HashMap<ItemKey, ItemLog>,
    /// The items of which the service refused the log, with the status.
    refused: HashMap<ItemKey, u16>,
    since: ActionsSince,
}

/// The log entries about one item.
#[derive(Debug, Clone, Default)]
struct ItemLog {
    /// All of them, if they were read to the end.
    whole: Option<Vec<Record>>,
    /// Those of some employees; none for an employee with more than can be read. They go before the whole log.
    by_employee: HashMap<i64, Option<Vec<Record>>>,
}

impl ItemLogs {
    /// Reads the log of every item that rows ask about.
    pub(super) async fn read(
        client: &Client,
        concurrency: usize,
        requests: &[ActionRequest],
        (reading, since): (LogReading, &ActionsSince),
    ) -> Result<Self> {
        if matches!(since, ActionsSince::Plan { log: LogPosition::Unknown, .. }) {
            // No entry is known to be later than the plan.
            return Ok(Self { since: since.clone(), ..Self::default() });
        }
        let mut items: BTreeMap<ItemKey, ItemQuery> = BTreeMap::new();
        for request in requests {
            let key = (request.action.name, request.item.id);
            items.entry(key).or_insert_with(|| ItemQuery::new(request)).add(request);
        }
        let answers = stream::iter(items)
            .map(|(key, query)| async move { (key, query.read(client, reading, since).await) })
            .buffer_unordered(concurrency.max(1));
        Ok(Self { since: since.clone(), ..Self::collect(answers).await? })
    }

    /// The answer about an item concerns that item, unless the key may read no log at all.
    async fn collect(answers: impl Stream<Item = (ItemKey, Result<ItemLog, ApiError>)>) -> Result<Self, ApiError> {
        let mut logs = Self::default();
        let mut answers = std::pin::pin!(answers);
        while let Some((key, answer)) = answers.next().await {
            match answer {
                Ok(log) => drop(logs.by_item.insert(key, log)),
                Err(error) => match error.status().filter(|_| error.is_denied()) {
                    Some(status) => drop(logs.refused.insert(key, status)),
                    None => return Err(error),
                },
            }
            if logs.by_item.is_empty() && (logs.denials() >= MAX_DENIALS || logs.refused.len() >= MAX_REFUSALS) {
                break;
            }
        }
        Ok(logs)
    }

    /// What is known of an item of which no log was read.
    fn without_log(&self, item: ItemKey) -> PriorAction {
        match self.refused.get(&item) {
            Some(&NOT_FOUND) => PriorAction::LogRefused { status: NOT_FOUND },
            _ if self.is_denied() => PriorAction::LogDenied,
            Some(status) => PriorAction::LogRefused { status: *status },
            None => PriorAction::Absent,
        }
    }

    /// Whether the log is closed to the API key, and not just that of an item.
    fn is_denied(&self) -> bool {
        self.by_item.is_empty() && (self.denials() > 0 || self.refused.len() >= MAX_REFUSALS)
    }

    fn denials(&self) -> usize {
        self.refused.values().filter(|status| **status != NOT_FOUND).count()
    }

    /// What the log shows of check-outs like a request, beyond those that runs of this machine have made.
    pub(super) fn unexplained(&self, request: &ActionRequest, ours: usize) -> PriorAction {
        let Some(holder) = &request.holder else { return PriorAction::Absent };
        let entries = match self.entries(request, holder) {
            None => return self.without_log((request.action.name, request.item.id)),
            Some(None) => return PriorAction::LogTooLong,
            Some(Some(entries)) => entries,
        };
        let mut outstanding = outstanding(request, holder, entries);
        outstanding.retain(|entry| self.since.is_followed_by(entry));
        let times = outstanding.len().saturating_sub(ours);
        let last = outstanding.last().and_then(|entry| day_of(entry));
        if times == 0 { PriorAction::Absent } else { PriorAction::Logged { times, last } }
    }

    /// How many check-outs like a request have not been checked in. `None` if the log shows no check-in from that holder, or
    /// does not say from whom.
    pub(super) fn still_out(&self, request: &ActionRequest) -> Option<usize> {
        let holder = request.holder.as_ref()?;
        let entries = self.entries(request, holder)??;
        let is_return = |entry: &&Record| has_term(entry, log_field::EVENT, Verb::Checkin.log_event());
        let returns = entries.iter().filter(is_return).filter(|entry| may_be_of(request.action, holder, entry));
        let mut named = returns.map(|entry| entry.get(holder.0).is_some_and(|held| !is_blank(held))).peekable();
        (named.peek().is_some() && named.all(|is_named| is_named)).then(|| outstanding(request, holder, entries).len())
    }

    /// The entries that may be about a request's item and holder; `Some(None)` if there are too many, `None` if none were
    /// read.
    fn entries(&self, request: &ActionRequest, holder: &(&'static str, ActionRecord)) -> Option<Option<&[Record]>> {
        let log = self.by_item.get(&(request.action.name, request.item.id))?;
        let person = schema::person_parameter() == Some(holder.0);
        let of_employee = log.by_employee.get(&holder.1.id).filter(|_| person);
        Some(of_employee.unwrap_or(&log.whole).as_deref())
    }
}

impl ActionsSince {
    fn is_followed_by(&self, entry: &Record) -> bool {
        match self {
            ActionsSince::Ever => true,
            ActionsSince::Plan { log, .. } => log.is_followed_by(entry),
        }
    }

    /// The first day to read entries from, if not all are wanted.
    fn first_day(&self) -> Option<String> {
        match self {
            ActionsSince::Ever => None,
            ActionsSince::Plan { log, .. } => log.first_day(),
        }
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

    /// One employee is asked for alone. For several the item's whole log takes fewer requests, unless it is long, or it is
    /// asked who has brought something back and does not say.
    async fn read<S: RecordSource>(
        &self,
        service: &S,
        reading: LogReading,
        since: &ActionsSince,
    ) -> std::result::Result<ItemLog, S::Error> {
        let mut log = ItemLog::default();
        if self.employees.len() > 1 || self.has_other_holders {
            let pages = MAX_PAGES.max(self.employees.len());
            log.whole = self.entries(service, None, since, pages).await?;
            let is_enough =
                |entries: &Vec<Record>| reading == LogReading::Unanswered || self.tells_who_returned(entries);
            if log.whole.as_ref().is_some_and(is_enough) {
                return Ok(log);
            }
        }
        for employee in &self.employees {
            log.by_employee.insert(*employee, self.entries(service, Some(*employee), since, MAX_PAGES).await?);
        }
        Ok(log)
    }

    fn tells_who_returned(&self, entries: &[Record]) -> bool {
        let names_holder = |entry: &Record| {
            self.action.holders().any(|field| entry.get(field.name).is_some_and(|held| !is_blank(held)))
        };
        let mut returns = entries.iter().filter(|entry| has_term(entry, log_field::EVENT, Verb::Checkin.log_event()));
        returns.all(names_holder)
    }

    /// The entries in the order of the log; none where there are more than so many pages.
    async fn entries<S: RecordSource>(
        &self,
        service: &S,
        employee: Option<i64>,
        since: &ActionsSince,
        max_pages: usize,
    ) -> std::result::Result<Option<Vec<Record>>, S::Error> {
        let (item, person) = (self.item.to_string(), employee.map(|id| id.to_string()));
        let first_day = since.first_day();
        let filter = self.action.item().and_then(|(_, reference)| schema::collection(reference.to)?.log_filter());
        let mut filters: Vec<(&str, &str)> = Vec::new();
        filters.extend(log_terms(self.action).map(|(kind, _)| (log_field::TYPE, kind)));
        filters.extend(filter.map(|filter| (filter.name, item.as_str())));
        filters.extend(schema::person_parameter().zip(person.as_deref()));
        filters.extend(first_day.as_deref().map(|day| (log_field::DATE_FROM, day)));
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
    let is_of_holder =
        |entry: &&Record| may_be_of(request.action, holder, entry) && is_of_holder_now(request, holder, entry);
    let mut entries: Vec<&Record> = entries.iter().filter(is_of_holder).collect();
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
    !is_before(entry, request.created)
}

/// Whether the entry is about the holder that has this tag now, if it names one by a tag.
fn is_of_holder_now(request: &ActionRequest, (parameter, holder): &(&str, ActionRecord), entry: &Record) -> bool {
    let names_tag = holder.tag.is_some() && entry.get(*parameter).is_some_and(Json::is_string);
    !names_tag || !is_before(entry, request.holder_created)
}

fn is_before(entry: &Record, created: Option<jiff::Timestamp>) -> bool {
    let logged = time_of(entry).and_then(|time| time.parse::<jiff::Timestamp>().ok());
    logged.zip(created).is_some_and(|(logged, created)| logged < created)
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

    use futures::executor::block_on;
    use serde_json::json;

    use super::*;
    use crate::catalog::fake_source::{FakeSource, Quirk};
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
            holder_created: None,
        };
        let has = |asked, entry: Json| has_quantity(&request(asked), entry.as_object().unwrap());
        assert!(has(Some(2), json!({"quantity": 2})) && has(Some(2), json!({"quantity": "2"})));
        assert!(!has(Some(2), json!({"quantity": 3})));
        assert!(has(Some(2), json!({})) && has(None, json!({"quantity": 3})));
    }

    /// A check-out of two of accessory 1 to that employee, or to location 5.
    fn request(employee: Option<i64>) -> ActionRequest {
        let record = |id| ActionRecord { id, tag: None };
        let holder = employee.map_or(("location_id", record(5)), |id| ("employee_id", record(id)));
        ActionRequest {
            action: schema::find("checkout_accessory").unwrap(),
            collection: "accessories",
            item: record(1),
            holder: Some(holder),
            date: None,
            quantity: Some(2),
            key: None,
            created: None,
            holder_created: None,
        }
    }

    /// An entry about accessory 1 of that day.
    fn entry(event: &str, day: u8, more: &Json) -> Json {
        let timestamp = format!("2026-01-{day:02}T10:00:00.000Z");
        let mut entry = json!({"type": "Accessory", "event": event, "item_id": 1, "timestamp": timestamp});
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        entry
    }

    fn of(employee: i64) -> Json {
        json!({"employee_id": employee})
    }

    fn logs(by_item: HashMap<(&'static str, i64), ItemLog>) -> ItemLogs {
        ItemLogs { by_item, ..ItemLogs::default() }
    }

    fn whole(entries: Vec<Record>) -> ItemLog {
        ItemLog { whole: Some(entries), ..ItemLog::default() }
    }

    /// What the log shows of a request, if all entries about its item are read.
    fn shown(request: &ActionRequest, ours: usize, entries: &[Json]) -> PriorAction {
        let entries = entries.iter().map(|entry| entry.as_object().unwrap().clone()).collect();
        let key = (request.action.name, request.item.id);
        logs(HashMap::from([(key, whole(entries))])).unexplained(request, ours)
    }

    fn logged(times: usize, day: u8) -> PriorAction {
        PriorAction::Logged { times, last: Some(format!("2026-01-{day:02}")) }
    }

    #[test]
    fn check_outs_that_nobody_took_back_are_outstanding_beyond_our_own() {
        let out = |day| entry("Checkout", day, &of(7));
        let back = |day| entry("Checkin", day, &of(7));
        let ada = request(Some(7));
        assert_eq!(shown(&ada, 0, &[]), PriorAction::Absent);
        assert_eq!(shown(&ada, 0, &[out(2)]), logged(1, 2));
        assert_eq!(shown(&ada, 0, &[out(4), out(2), out(3)]), logged(3, 4), "in the order of their times");
        assert_eq!(shown(&ada, 1, &[out(2), out(3)]), logged(1, 3));
        assert_eq!(shown(&ada, 2, &[out(2), out(3)]), PriorAction::Absent);
        assert_eq!(shown(&ada, 3, &[out(2), out(3)]), PriorAction::Absent);
        assert_eq!(shown(&ada, 0, &[back(5), out(2)]), PriorAction::Absent);
        assert_eq!(shown(&ada, 0, &[back(3), out(2), out(4)]), logged(1, 4));
        assert_eq!(shown(&ada, 0, &[entry("Update", 3, &of(7)), out(2)]), logged(1, 2), "an update takes nothing back");
    }

    #[test]
    fn the_answer_about_an_item_concerns_that_item() {
        let item = |id| ("checkout_accessory", id);
        let refused = |status| {
            let (what, message) = (String::from("GET activity"), String::new());
            match status {
                404 => ApiError::Refused { what, status, message },
                _ => ApiError::Forbidden { what, status, message },
            }
        };
        // What is known of items 1, 2, ... after these answers; 200 is an empty log.
        let known = |answers: &[u16]| -> Vec<PriorAction> {
            let answer = |status| if status == 200 { Ok(whole(Vec::new())) } else { Err(refused(status)) };
            let answered = (1..).zip(answers).map(|(id, status)| (item(id), answer(*status)));
            let logs = block_on(ItemLogs::collect(stream::iter(answered))).unwrap();
            let request = |id| ActionRequest { item: ActionRecord { id, tag: None }, ..request(Some(7)) };
            (1..).zip(answers).map(|(id, _)| logs.unexplained(&request(id), 0)).collect()
        };
        let of_item = |status| PriorAction::LogRefused { status };
        use PriorAction::{Absent, LogDenied};
        assert_eq!(known(&[404, 200]), [of_item(404), Absent]);
        assert_eq!(known(&[200, 403, 200]), [Absent, of_item(403), Absent]);
        assert_eq!(known(&[404]), [of_item(404)], "nothing is said about the key");
        assert_eq!(known(&[404, 404, 404, 404, 200])[4], Absent);
        assert_eq!(known(&[403, 404]), [LogDenied, of_item(404)]);
        let nowhere = known(&[404; 30]);
        assert_eq!(
            (&nowhere[19], &nowhere[20], &nowhere[29]),
            (&of_item(404), &LogDenied, &LogDenied),
            "not asked for"
        );
        assert_eq!(known(&[403; 5]), vec![LogDenied; 5], "the last two are not asked for");
        let failed = ApiError::Unavailable { what: String::new(), status: 503, message: String::new() };
        assert!(block_on(ItemLogs::collect(stream::iter([(item(1), Err(failed))]))).is_err());
    }

    #[test]
    fn since_a_plan_only_later_entries_count() {
        let out = |day| entry("Checkout", day, &of(7)).as_object().unwrap().clone();
        let newest = crate::catalog::LogCursor::of(&out(3)).unwrap();
        let since = ActionsSince::Plan { began: jiff::Timestamp::now(), log: LogPosition::After(newest) };
        let shown = |entries: Vec<Record>| {
            let by_item = HashMap::from([(("checkout_accessory", 1), whole(entries))]);
            ItemLogs { by_item, since: since.clone(), ..ItemLogs::default() }.unexplained(&request(Some(7)), 0)
        };
        assert_eq!(shown(vec![out(2), out(3)]), PriorAction::Absent);
        assert_eq!(shown(vec![out(2), out(3), out(5)]), logged(1, 5));
        let back = entry("Checkin", 4, &of(7)).as_object().unwrap().clone();
        assert_eq!(shown(vec![out(3), back, out(5)]), logged(1, 5), "what came back was out before");
        assert_eq!(since.first_day().as_deref(), Some("2026-01-02"));
        assert_eq!(ActionsSince::Ever.first_day(), None);
    }

    #[test]
    fn entries_of_other_holders_quantities_and_items_do_not_count() {
        let out = |more: Json| entry("Checkout", 2, &more);
        let ada = request(Some(7));
        for (more, counts) in [
            (json!({"employee_id": 7}), true),
            (json!({"employee_id": "7"}), true),
            (json!({"employee_id": 8}), false),
            (json!({"location_id": 5}), false),
            (json!({"employee_id": null, "location_id": null}), true),
            (json!({"employee_id": 7, "quantity": 2}), true),
            (json!({"employee_id": 7, "quantity": 3}), false),
        ] {
            assert_eq!(shown(&ada, 0, &[out(more.clone())]) == logged(1, 2), counts, "{more}");
        }
        assert_eq!(shown(&request(None), 0, &[out(json!({"location_id": 5}))]), logged(1, 2));
        assert_eq!(shown(&request(None), 0, &[out(json!({"employee_id": 5}))]), PriorAction::Absent);
        let created = |time: &str| ActionRequest { created: Some(time.parse().unwrap()), ..request(Some(7)) };
        let entries = [out(of(7))];
        assert_eq!(shown(&created("2026-01-02T10:00:00Z"), 0, &entries), logged(1, 2));
        assert_eq!(shown(&created("2026-01-02T10:00:01Z"), 0, &entries), PriorAction::Absent, "it was another item");
        let nobody = ActionRequest { holder: None, ..request(None) };
        assert_eq!(shown(&nobody, 0, &entries), PriorAction::Absent);
        let unread = ActionRequest { item: ActionRecord { id: 2, tag: None }, ..request(Some(7)) };
        let read = logs(HashMap::from([(("checkout_accessory", 1), whole(Vec::new()))]));
        assert_eq!(read.unexplained(&unread, 0), PriorAction::Absent);
    }

    #[test]
    fn an_entry_that_names_a_tag_is_of_the_record_that_had_it_then() {
        let created = |time: &str| ActionRequest {
            holder: Some(("asset_id", ActionRecord { id: 2, tag: Some(String::from("T-1")) })),
            holder_created: Some(time.parse().unwrap()),
            ..request(None)
        };
        let by = |asset: Json| [entry("Checkout", 2, &json!({"asset_id": asset}))];
        assert_eq!(shown(&created("2026-01-02T10:00:00Z"), 0, &by(json!("T-1"))), logged(1, 2));
        assert_eq!(shown(&created("2026-01-02T10:00:01Z"), 0, &by(json!("T-1"))), PriorAction::Absent);
        assert_eq!(shown(&created("2026-01-02T10:00:01Z"), 0, &by(json!(2))), logged(1, 2), "an id is given once");
        assert_eq!(shown(&created("2026-01-02T10:00:00Z"), 0, &by(json!(1))), PriorAction::Absent);
    }

    /// What is read of a log for these requests, and by how many requests.
    fn read(source: &FakeSource, requests: &[ActionRequest]) -> (ItemLog, u64) {
        read_as(LogReading::Unanswered, source, requests)
    }

    fn read_as(reading: LogReading, source: &FakeSource, requests: &[ActionRequest]) -> (ItemLog, u64) {
        let mut query = ItemQuery::new(&requests[0]);
        requests.iter().for_each(|request| query.add(request));
        source.reset();
        (block_on(query.read(source, reading, &ActionsSince::Ever)).unwrap(), source.requests())
    }

    fn told(log: ItemLog) -> Vec<String> {
        let count = |entries: Option<Vec<Record>>| entries.map_or(-1, |entries| entries.len() as i64);
        let mut told: Vec<String> =
            log.by_employee.into_iter().map(|(id, entries)| format!("{id}: {}", count(entries))).collect();
        told.extend(log.whole.map(|entries| format!("whole: {}", entries.len())));
        told.sort_unstable();
        told
    }

    #[test]
    fn what_came_back_is_no_longer_out_if_the_log_says_from_whom() {
        let still_out = |request: &ActionRequest, entries: &[Json]| {
            let entries = entries.iter().map(|entry| entry.as_object().unwrap().clone()).collect();
            logs(HashMap::from([(("checkout_accessory", 1), whole(entries))])).still_out(request)
        };
        let (out, back) = (entry("Checkout", 2, &of(7)), |more: Json| entry("Checkin", 4, &more));
        let ada = request(Some(7));
        assert_eq!(still_out(&ada, std::slice::from_ref(&out)), None, "nothing came back");
        assert_eq!(still_out(&ada, &[out.clone(), back(of(7))]), Some(0));
        assert_eq!(still_out(&ada, &[out.clone(), entry("Checkout", 3, &of(7)), back(of(7))]), Some(1));
        assert_eq!(still_out(&ada, &[out.clone(), back(of(8))]), None, "from somebody else");
        assert_eq!(still_out(&ada, &[out, back(json!({}))]), None, "from whom it does not say");
    }

    #[test]
    fn who_returned_something_is_asked_for_where_the_log_of_the_item_does_not_say() {
        let requests = [request(Some(7)), request(Some(8))];
        let entries = [entry("Checkout", 2, &json!({})), entry("Checkin", 3, &json!({}))];
        let source = |entries: &[Json]| FakeSource::new().with("activity", entries.to_vec());
        let told_of = |reading, entries: &[Json]| told(read_as(reading, &source(entries), &requests).0);
        assert_eq!(told_of(LogReading::Unanswered, &entries), ["whole: 2"]);
        assert_eq!(told_of(LogReading::All, &entries[..1]), ["whole: 1"], "nothing was returned");
        assert_eq!(told_of(LogReading::All, &entries).len(), 3);
    }

    #[test]
    fn one_employee_is_asked_for_alone_and_several_by_the_log_of_the_item() {
        let entries = (0..30).map(|number| entry("Checkout", 2, &of(7 + number % 2)));
        let source = FakeSource::new().with_page_limit(100).with("activity", entries);
        let (log, requests) = read(&source, &[request(Some(7)), request(Some(7))]);
        assert_eq!((told(log), requests <= 2), (vec![String::from("7: 15")], true));
        let (log, requests) = read(&source, &[request(Some(7)), request(Some(8))]);
        assert_eq!((told(log), requests <= 2), (vec![String::from("whole: 30")], true));
        assert_eq!(told(read(&source, &[request(None)]).0), ["whole: 30"]);
    }

    #[test]
    fn a_log_that_is_too_long_is_read_by_employee_or_not_at_all() {
        // Six pages of the item, of which one is about employee 8.
        let entries = (0..60).map(|number| entry("Checkout", 2, &of(if number < 52 { 7 } else { 8 })));
        let source = FakeSource::new().with_page_limit(10).with("activity", entries);
        let (log, requests) = read(&source, &[request(Some(7)), request(Some(8))]);
        let by_employee = logs(HashMap::from([(("checkout_accessory", 1), log.clone())]));
        assert_eq!((told(log), requests >= 10), (vec![String::from("7: -1"), String::from("8: 8")], true));
        assert_eq!(by_employee.unexplained(&request(Some(7)), 0), PriorAction::LogTooLong);
        assert_eq!(by_employee.unexplained(&request(Some(8)), 0), logged(8, 2));
        assert_eq!(by_employee.unexplained(&request(None), 0), PriorAction::LogTooLong);
        assert_eq!(by_employee.unexplained(&request(Some(9)), 0), PriorAction::LogTooLong);
        assert_eq!(told(read(&source, &[request(None)]).0), [""; 0], "nobody else can be asked for");
    }

    #[test]
    fn a_log_of_just_so_many_pages_is_read_to_its_end() {
        let source = |count: u8| {
            let entries = (0..count).map(|_| entry("Checkout", 2, &of(7)));
            FakeSource::new().with_page_limit(10).with("activity", entries)
        };
        assert_eq!(told(read(&source(50), &[request(Some(7))]).0), ["7: 50"]);
        assert_eq!(told(read(&source(51), &[request(Some(7))]).0), ["7: -1"]);
    }

    #[test]
    fn entries_about_other_things_are_left_out_whatever_the_service_does_with_filters() {
        let other = |field: &str, value: Json| {
            let mut other = entry("Checkout", 2, &of(7));
            other[field] = value;
            other
        };
        let entries = [
            entry("Checkout", 2, &of(7)),
            other("type", json!("License")),
            other("item_id", json!(2)),
            other("item_id", json!("1")),
            entry("Checkout", 2, &of(8)),
            entry("Checkout", 2, &json!({})),
        ];
        let source = FakeSource::new().with("activity", entries).with_quirk(Quirk::IgnoresFilters);
        let (log, _) = read(&source, &[request(Some(7))]);
        let named: Vec<_> =
            log.by_employee[&7].as_ref().unwrap().iter().map(|entry| entry["employee_id"].clone()).collect();
        assert_eq!(named, [json!(7), json!(7), json!(7)], "one that names nobody is whose it was asked for");
    }
}
