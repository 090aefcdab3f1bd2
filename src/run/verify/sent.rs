//! What a run sent against what the account holds: every step that was applied, by the body that its journal has.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::digest::PartsDigest;
use super::sums::SumTally;
use super::{Difference, DifferenceKind, Findings, changed_by, held_by, text};
use crate::account::Account;
use crate::api::{Body, Record, custom_fields, integer, plain_text, record_id};
use crate::catalog::LogPosition;
use crate::error::Result;
use crate::observer::Observer;
use crate::plan::undo::{CurrentState, FetchPlan, RecordKey};
use crate::plan::{RowId, Step, StepOutcome, StepResult, WriteKind};
use crate::run::journal::{Journal, SheetHeader};
use crate::run::prepare::report_waits;
use crate::run::undo::fetch::{fetch, fetch_more};
use crate::schema::{
    self, ASSIGNED_TO, COLLECTIONS, CUSTOM_FIELDS, Entity, Field, Kind, Meaning, Reference, Role, UPDATED_AT, Verb,
    Wire,
};
use crate::wording::counted;

/// Compares what the steps of a run sent with the account.
///
/// # Errors
/// Where the journal or the service cannot be read.
pub(crate) async fn compare_run(account: &Account, journal: &Journal, observer: &mut dyn Observer) -> Result<Findings> {
    let mut sent = SentRecords::default();
    journal.each_outcome(&mut |mut step, outcome| sent.add_step(&mut step, &outcome))?;
    sent.open_steps = journal.open_steps()?;
    let began = journal.started_at()?;
    let client = &account.client;
    let shared = RefCell::new(&mut *observer);
    let mut on_collection = |name: &str| shared.borrow_mut().on_phase(&format!("reading {name}"), None);
    let reading = fetch(client, &sent.fetch, began, &LogPosition::Unknown, &mut on_collection);
    let mut present = report_waits(client, &shared, reading).await?;
    let mut comparison = RunComparison { sent: &sent, present: &present, findings: Findings::default() };
    let raw = comparison.compare(&journal.sheets()?);
    let mut findings = comparison.findings;
    for (collection, ids) in named_records(&raw) {
        if let Some(entity) = schema::collection(collection) {
            fetch_more(client, entity, ids, &mut present).await?;
        }
    }
    for difference in raw {
        findings.push(difference.told(&sent, &present));
    }
    let since = |key: RecordKey| sent.records.get(&key)?.changed_at;
    changed_by::find(client, &mut findings.differences, &since, observer).await?;
    findings.remarks = sent.remarks();
    findings.journal = Some(sent.digest.finish());
    Ok(findings)
}

/// What a run sent of one record.
#[derive(Debug, Default)]
struct SentRecord {
    row: Option<RowId>,
    /// The last write wins.
    fields: Body,
    is_deleted: bool,
    /// The last check-in or check-out of an item of which the service says who holds it.
    moved: Option<SentMove>,
    /// When the run changed it last, by the service's clock.
    changed_at: Option<Timestamp>,
    title: String,
}

/// A check-in or check-out.
#[derive(Debug, Clone)]
struct SentMove {
    action: &'static Entity,
    body: Body,
}

/// Everything that a run sent, by record.
#[derive(Default)]
struct SentRecords {
    records: BTreeMap<RecordKey, SentRecord>,
    /// What each step created.
    made: HashMap<u32, i64>,
    /// Ids of items that the run created, by tag.
    tags: HashMap<String, i64>,
    fetch: FetchPlan,
    failed: u64,
    unknown: u64,
    open_steps: u64,
    /// Check-ins and check-outs of which the service does not say who holds what.
    stock_moves: u64,
    digest: PartsDigest,
}

impl SentRecords {
    fn add_step(&mut self, step: &mut Step, outcome: &StepOutcome) {
        for awaited in &step.depends_on {
            if let (Some(field), Some(id)) = (&awaited.field, self.made.get(&awaited.step)) {
                step.body.insert(field.clone(), Json::from(*id));
            }
        }
        self.digest.text(step.entity.name);
        self.digest.text(&format!("{:?} {:?} {:?}", step.write, outcome.result, outcome.record));
        self.digest.fields(&step.body);
        match outcome.result {
            StepResult::Failed => self.failed += 1,
            StepResult::Unknown => self.unknown += 1,
            StepResult::Applied | StepResult::AlreadyApplied if step.entity.is_action() => self.add_move(step),
            StepResult::Applied | StepResult::AlreadyApplied => self.add_write(step, outcome),
        }
    }

    fn add_write(&mut self, step: &Step, outcome: &StepOutcome) {
        let Some(id) = step.write.record().or(outcome.record) else {
            self.unknown += 1;
            return;
        };
        if step.write == WriteKind::Create {
            self.made.insert(step.number, id);
            let tag = step.entity.meaning(Meaning::Tag).and_then(|tag| step.body.get(tag.name)?.as_str());
            if let Some(tag) = tag {
                self.tags.insert(tag.trim().to_owned(), id);
            }
        }
        self.fetch_tags(step.entity, &step.body);
        let told = step.title().or_else(|| {
            let name = step.entity.naming_field()?.name;
            step.before.as_ref()?.get(name)?.as_str()
        });
        let title = told.map(str::to_owned);
        let record = self.record(step.entity, id, step.row);
        if let Some(title) = title {
            record.title = title;
        }
        record.fields.extend(step.body.iter().map(|(name, value)| (name.clone(), value.clone())));
        record.is_deleted = matches!(step.write, WriteKind::Delete(_));
        let changed = outcome.after.as_ref().and_then(|after| after.get(UPDATED_AT)?.as_str()?.parse().ok());
        record.changed_at = changed.max(record.changed_at);
    }

    fn add_move(&mut self, step: &Step) {
        let Some((field, reference)) = step.entity.item() else { return };
        let Some(item) = schema::collection(reference.to).filter(|item| item.meaning(Meaning::Holders).is_some())
        else {
            self.stock_moves += 1;
            return;
        };
        let named = step.body.get(field.name);
        let known = step.before.as_ref().and_then(record_id);
        let by_name = || match named? {
            Json::String(tag) => self.tags.get(tag.trim()).copied(),
            id => integer(id),
        };
        let Some(id) = known.or_else(by_name) else {
            self.unknown += 1;
            return;
        };
        let record = self.record(item, id, step.row);
        if let (true, Some(Json::String(tag))) = (record.title.is_empty(), named) {
            record.title.clone_from(tag);
        }
        for own in step.entity.fields {
            if let (Some(sets), Some(value)) = (own.sets, step.body.get(own.name)) {
                record.fields.insert(sets.to_owned(), value.clone());
            }
        }
        record.moved = Some(SentMove { action: step.entity, body: step.body.clone() });
        // When the move was logged is not known: what the log has of moves may be the run's own.
    }

    fn record(&mut self, entity: &'static Entity, id: i64, row: RowId) -> &mut SentRecord {
        self.fetch.ids.entry(entity.name).or_default().insert(id);
        let record = self.records.entry((entity.name, id)).or_default();
        record.row.get_or_insert(row);
        record
    }

    /// A tag may come back as the system id of its asset.
    fn fetch_tags(&mut self, entity: &'static Entity, body: &Body) {
        let by_tag = |field: &&Field| field.reference_to().is_some_and(|reference| reference.wire == Wire::Tag);
        for field in entity.fields.iter().filter(by_tag) {
            let tag = body.get(field.name).and_then(Json::as_str).map(str::trim);
            if let Some(tag) = tag.filter(|tag| !self.tags.contains_key(*tag)) {
                self.fetch.tags.insert(tag.to_owned());
            }
        }
    }

    /// What was not compared.
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let not_applied = self.failed + self.unknown + self.open_steps;
        if not_applied > 0 {
            let steps = counted(not_applied, "step");
            remarks
                .push(format!("{steps} of the run failed, were never sent or have an unknown outcome: not compared"));
        }
        if self.stock_moves > 0 {
            let moves = counted(self.stock_moves, "move");
            remarks.push(format!("{moves} of stock or seats: the service does not say who has them, so not compared"));
        }
        remarks
    }
}

/// A difference with the values as they came.
struct RawDifference {
    kind: DifferenceKind,
    key: RecordKey,
    source: String,
    content: RawContent,
}

enum RawContent {
    Record,
    Field { field: &'static Field, expected: Json, found: Json },
    CustomField { name: String, expected: String, found: String },
    Holder { moved: SentMove, found: Json },
}

struct RunComparison<'c> {
    sent: &'c SentRecords,
    present: &'c CurrentState,
    findings: Findings,
}

impl RunComparison<'_> {
    /// Compares every record, and returns what differs.
    fn compare(&mut self, sheets: &[SheetHeader]) -> Vec<RawDifference> {
        let (mut raw, mut read) = (Vec::new(), PartsDigest::default());
        let mut sums: BTreeMap<(u16, usize), SumTally> = BTreeMap::new();
        for (key, sent) in &self.sent.records {
            let Some(rank) = COLLECTIONS.iter().position(|entity| entity.name == key.0) else { continue };
            let (entity, held) = (COLLECTIONS[rank], self.present.record(*key));
            read.text(key.0);
            read.text(&key.1.to_string());
            held.into_iter().for_each(|held| read.fields(held));
            let row = sent.row.unwrap_or(RowId { sheet: 0, row: 0 });
            let label = sheets.get(usize::from(row.sheet)).map_or("", |sheet| sheet.label.as_str());
            let source = format!("{label} row {}", row.row);
            let mut add = |kind, content| raw.push(RawDifference { kind, key: *key, source: source.clone(), content });
            match (held, sent.is_deleted) {
                (None, true) => self.findings.counts.equal += 1,
                (Some(_), true) => add(DifferenceKind::Extra, RawContent::Record),
                (None, false) => add(DifferenceKind::Missing, RawContent::Record),
                (Some(held), false) => {
                    let different = self.compare_record(entity, sent, held);
                    different.into_iter().for_each(|content| add(DifferenceKind::Different, content));
                }
            }
            if !sent.is_deleted {
                let tally = sums.entry((row.sheet, rank)).or_insert_with(|| SumTally::new(entity, label.to_owned()));
                tally.add(&amounts(entity, &sent.fields), currency(entity, &sent.fields).as_deref(), held);
            }
        }
        self.findings.sums = sums.into_values().map(SumTally::finish).collect();
        self.findings.read = read.finish();
        raw
    }

    /// What differs of a record that is there. What is equal is counted.
    fn compare_record(&mut self, entity: &'static Entity, sent: &SentRecord, held: &Record) -> Vec<RawContent> {
        let mut different = Vec::new();
        for field in entity.fields {
            let Some(expected) = sent.fields.get(field.name) else { continue };
            if !field.read || !self.reports(entity, field, held) {
                continue;
            }
            let found = held.get(field.name).cloned().unwrap_or(Json::Null);
            if field.name == CUSTOM_FIELDS {
                self.compare_custom(entity, (expected, &found), &mut different);
            } else if self.present.holds(entity, field, expected, held)
                || text::is_same(entity, field.name, &plain_text(expected), &plain_text(&found))
            {
                self.findings.counts.equal += 1;
            } else {
                different.push(RawContent::Field { field, expected: expected.clone(), found });
            }
        }
        if let Some(moved) = &sent.moved {
            let holders = Meaning::Holders.field_name();
            let found = held.get(holders).cloned().unwrap_or(Json::Null);
            match is_held_as_sent(moved, &found) {
                _ if found.is_null() && !self.present.carries(entity, holders) => {}
                true => self.findings.counts.equal += 1,
                false => different.push(RawContent::Holder { moved: moved.clone(), found }),
            }
        }
        different
    }

    /// Whether replies have the field at all: one that no reply has says nothing about any record.
    fn reports(&self, entity: &Entity, field: &Field, held: &Record) -> bool {
        held.contains_key(field.name) || self.present.carries(entity, field.name)
    }

    /// Custom fields one by one; those that were not sent are others' business.
    fn compare_custom(&mut self, entity: &Entity, (sent, held): (&Json, &Json), different: &mut Vec<RawContent>) {
        let held = custom_fields(held);
        for (name, expected) in custom_fields(sent) {
            let found = held.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str());
            if text::is_same(entity, CUSTOM_FIELDS, &expected, found) {
                self.findings.counts.equal += 1;
            } else {
                different.push(RawContent::CustomField { name, expected, found: found.to_owned() });
            }
        }
    }
}

/// Whether an item is with whom it was checked out to, or with nobody after a check-in.
fn is_held_as_sent(moved: &SentMove, held: &Json) -> bool {
    let entries = held.as_array().map(Vec::as_slice).unwrap_or_default();
    if moved.action.role == Role::Action(Verb::Checkin) {
        return entries.is_empty();
    }
    moved.action.holders().all(|holder| match moved.body.get(holder.name).and_then(integer) {
        Some(id) => entries.iter().any(|entry| entry.get(holder.name).and_then(integer) == Some(id)),
        None => true,
    })
}

fn amounts(entity: &'static Entity, fields: &Body) -> Vec<(&'static str, Decimal)> {
    let money = entity.fields.iter().filter(|field| field.kind == Kind::Money);
    money.filter_map(|field| Some((field.name, plain_text(fields.get(field.name)?).trim().parse().ok()?))).collect()
}

fn currency(entity: &Entity, fields: &Body) -> Option<String> {
    let field = entity.fields.iter().find(|field| field.kind == Kind::Currency)?;
    fields.get(field.name).map(plain_text).filter(|code| !code.is_empty())
}

/// The records that differing values refer to: people want their names.
fn named_records(differences: &[RawDifference]) -> BTreeMap<&'static str, BTreeSet<i64>> {
    let mut named: BTreeMap<&'static str, BTreeSet<i64>> = BTreeMap::new();
    let mut add = |reference: Option<Reference>, value: Option<&Json>| {
        if let (Some(reference), Some(id)) = (reference, value.and_then(referred_id)) {
            named.entry(reference.to).or_default().insert(id);
        }
    };
    for difference in differences {
        match &difference.content {
            RawContent::Field { field, expected, found } => {
                add(field.reference_to(), Some(expected));
                add(field.reference_to(), Some(found));
            }
            RawContent::Holder { moved, found } => {
                let entries = found.as_array().map(Vec::as_slice).unwrap_or_default();
                let opposite = moved.action.opposite().into_iter().flat_map(Entity::holders);
                for holder in moved.action.holders().chain(opposite) {
                    add(holder.reference_to(), moved.body.get(holder.name));
                    entries.iter().for_each(|entry| add(holder.reference_to(), entry.get(holder.name)));
                }
            }
            RawContent::Record | RawContent::CustomField { .. } => {}
        }
    }
    named
}

fn referred_id(value: &Json) -> Option<i64> {
    match value {
        Json::Object(named) => record_id(named),
        value => integer(value),
    }
}

impl RawDifference {
    /// The difference in words, with names in place of ids.
    fn told(self, sent: &SentRecords, present: &CurrentState) -> Difference {
        let Self { kind, key: (collection, id), source, content } = self;
        let title = sent.records.get(&(collection, id)).map(|record| record.title.as_str()).unwrap_or_default();
        let describe = |collection: &str, id: i64| match schema::collection(collection) {
            Some(entity) => present.title(entity, id, &Record::new()),
            None => format!("#{id}"),
        };
        let record = if title.is_empty() { describe(collection, id) } else { title.to_owned() };
        let (field, expected, found) = match content {
            RawContent::Record if kind == DifferenceKind::Missing => (None, record.clone(), String::new()),
            RawContent::Record => (None, String::new(), record.clone()),
            RawContent::Field { field, expected, found } => {
                let text = |value: &Json| value_text(field, value, &describe);
                (Some(field.name.to_owned()), text(&expected), text(&found))
            }
            RawContent::CustomField { name, expected, found } => (Some(format!("custom:{name}")), expected, found),
            RawContent::Holder { moved, found } => {
                let expected = match moved.action.role {
                    Role::Action(Verb::Checkin) => String::new(),
                    _ => super::holder_names(moved.action, std::slice::from_ref(&moved.body), &describe),
                };
                (Some(ASSIGNED_TO.to_owned()), expected, held_by(moved.action, Some(&found), &describe))
            }
        };
        let (changed_by, changed_at) = (None, None);
        Difference { kind, collection, id: Some(id), record, field, expected, found, source, changed_by, changed_at }
    }
}

fn value_text(field: &Field, value: &Json, describe: &dyn Fn(&str, i64) -> String) -> String {
    let text = plain_text(value);
    match (field.kind, referred_id(value)) {
        (Kind::Reference(Reference { wire: Wire::Tag, .. }), _) if value.is_string() => text,
        (Kind::Reference(reference), Some(id)) => describe(reference.to, id),
        (Kind::Date, _) => text.get(..10).map_or_else(|| text.clone(), str::to_owned),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::plan::{DependsOn, StepRole};

    fn step(number: u32, entity: &str, write: WriteKind, body: Json) -> Step {
        let row = RowId { sheet: 0, row: u64::from(number) + 2 };
        let entity = schema::find(entity).unwrap();
        Step { body: body.as_object().cloned().unwrap(), ..Step::new(number, row, StepRole::Row, entity, write) }
    }

    fn ended(step: &Step, result: StepResult, record: Option<i64>) -> StepOutcome {
        let (message, problems) = (String::new(), Vec::new());
        StepOutcome { step: step.number, result, record, after: None, message, problems }
    }

    #[test]
    fn the_last_write_to_a_record_counts_and_ids_of_new_records_are_filled_in() {
        let mut sent = SentRecords::default();
        let mut add = |mut step: Step, result, record| {
            let outcome = ended(&step, result, record);
            sent.add_step(&mut step, &outcome);
        };
        add(step(0, "locations", WriteKind::Create, json!({"name": "Ulm"})), StepResult::Applied, Some(5));
        let mut asset =
            step(1, "assets", WriteKind::Create, json!({"asset_id": "A-1", "notes": "one", "status_id": 1}));
        asset.depends_on.push(DependsOn { step: 0, field: Some(String::from("location_id")) });
        add(asset, StepResult::Applied, Some(9));
        add(step(2, "assets", WriteKind::Update(9), json!({"notes": "two"})), StepResult::AlreadyApplied, Some(9));
        add(step(3, "assets", WriteKind::Update(8), json!({"notes": "never"})), StepResult::Failed, Some(8));
        let back = json!({"asset_id": 9, "status_id": 4, "checkin_date": "2026-11-24"});
        add(step(4, "checkin_asset", WriteKind::Create, back), StepResult::Applied, None);
        let mouse = json!({"accessory_id": 3, "employee_id": 1, "quantity": 1});
        add(step(5, "checkout_accessory", WriteKind::Create, mouse), StepResult::Applied, None);
        let asset = &sent.records[&("assets", 9)];
        assert_eq!(
            Json::from(asset.fields.clone()),
            json!({
                "asset_id": "A-1", "notes": "two", "status_id": 4, "location_id": 5,
            })
        );
        assert_eq!((asset.title.as_str(), asset.moved.is_some()), ("A-1", true));
        assert_eq!((sent.records.len(), sent.failed, sent.stock_moves), (2, 1, 1));
        assert_eq!(sent.remarks().len(), 2);
    }

    #[test]
    fn what_was_not_compared_is_told_if_there_is_any() {
        let mut sent = SentRecords::default();
        assert_eq!(sent.remarks(), [""; 0]);
        sent.stock_moves = 1;
        assert!(sent.remarks()[0].starts_with("1 move of stock"));
        sent.open_steps = 2;
        assert!(sent.remarks()[0].starts_with("2 steps"), "{:?}", sent.remarks());
    }

    #[test]
    fn the_records_that_differing_values_name_are_asked_for() {
        let assets = schema::find("assets").unwrap();
        let field = |name: &str| assets.field(name).unwrap();
        let difference = |content: RawContent| RawDifference {
            kind: DifferenceKind::Different,
            key: ("assets", 1),
            source: String::new(),
            content,
        };
        let moved = SentMove {
            action: schema::find("checkout_asset").unwrap(),
            body: json!({"asset_id": "A-1", "employee_id": 2}).as_object().cloned().unwrap(),
        };
        let named = named_records(&[
            difference(RawContent::Field { field: field("location_id"), expected: json!(5), found: json!("6") }),
            difference(RawContent::Field { field: field("notes"), expected: json!("7"), found: Json::Null }),
            difference(RawContent::Holder { moved, found: json!([{"employee_id": 3}, {"location_id": 8}]) }),
            difference(RawContent::Record),
        ]);
        assert_eq!(named["locations"], BTreeSet::from([5, 6, 8]));
        assert_eq!(named["employees"], BTreeSet::from([2, 3]));
        assert_eq!(named.len(), 2);
    }

    #[test]
    fn an_item_is_with_its_holder_or_with_nobody() {
        let moved = |action: &str, body: Json| SentMove {
            action: schema::find(action).unwrap(),
            body: body.as_object().cloned().unwrap(),
        };
        let out = moved("checkout_asset", json!({"asset_id": "A-1", "employee_id": 2}));
        assert!(is_held_as_sent(&out, &json!([{"employee_id": "2"}])));
        assert!(!is_held_as_sent(&out, &json!([{"employee_id": 3}])) && !is_held_as_sent(&out, &Json::Null));
        let back = moved("checkin_asset", json!({"asset_id": 1}));
        assert!(is_held_as_sent(&back, &json!([])) && is_held_as_sent(&back, &Json::Null));
        assert!(!is_held_as_sent(&back, &json!([{"location_id": 3}])));
    }

    fn object(value: Json) -> Record {
        value.as_object().cloned().unwrap()
    }

    /// What a run of these steps sent; each was applied, and gave that id.
    fn sent_by(steps: Vec<(Step, Option<i64>)>) -> SentRecords {
        let mut sent = SentRecords::default();
        for (mut step, record) in steps {
            let outcome = ended(&step, StepResult::Applied, record);
            sent.add_step(&mut step, &outcome);
        }
        sent
    }

    /// The differences from what the account holds, as `kind record field expected found`, and how much is equal.
    fn compared(sent: &SentRecords, held: &[(&str, Json)]) -> (Vec<String>, u64) {
        let mut present = CurrentState::default();
        for (collection, record) in held {
            present.add(schema::collection(collection).unwrap(), object(record.clone()));
        }
        let mut comparison = RunComparison { sent, present: &present, findings: Findings::default() };
        let sheets = [SheetHeader::without_columns(schema::collection("assets").unwrap())];
        let raw = comparison.compare(&sheets);
        let told = |raw: RawDifference| {
            let told = raw.told(sent, &present);
            let field = told.field.as_deref().unwrap_or("-");
            format!("{} {} {field} `{}` `{}`", told.kind.as_str(), told.record, told.expected, told.found)
        };
        (raw.into_iter().map(told).collect(), comparison.findings.counts.equal)
    }

    #[test]
    fn a_reply_without_a_field_says_nothing_about_it() {
        let sent = sent_by(vec![(
            step(0, "assets", WriteKind::Create, json!({"asset_id": "A-1", "notes": "one", "asset_name": "x"})),
            Some(1),
        )]);
        let differing = |held: &[(&str, Json)]| compared(&sent, held);
        assert_eq!(differing(&[("assets", json!({"id": 1, "asset_id": "A-1"}))]), (Vec::new(), 1));
        let other = ("assets", json!({"id": 2, "asset_id": "A-2", "notes": "x"}));
        let known = [("assets", json!({"id": 1, "asset_id": "A-1"})), other];
        assert_eq!(differing(&known), (vec![String::from("different A-1 notes `one` ``")], 1), "other records have it");
        assert_eq!(differing(&[]), (vec![String::from("missing A-1 - `A-1` ``")], 0));
    }

    #[test]
    fn what_was_deleted_last_is_to_be_gone() {
        let create = step(0, "locations", WriteKind::Create, json!({"name": "Ulm"}));
        let delete = |number| step(number, "locations", WriteKind::Delete(1), json!({}));
        let back = step(2, "locations", WriteKind::Create, json!({"name": "Bonn"}));
        let gone = sent_by(vec![(create.clone(), Some(1)), (delete(1), None)]);
        let held = ("locations", json!({"id": 1, "name": "Ulm"}));
        assert_eq!(compared(&gone, &[]), (Vec::new(), 1));
        assert_eq!(compared(&gone, std::slice::from_ref(&held)), (vec![String::from("extra Ulm - `` `Ulm`")], 0));
        let again = sent_by(vec![(delete(0), None), (back, Some(1))]);
        assert_eq!(compared(&again, &[held]).0, ["different Bonn name `Bonn` `Ulm`"]);
        let mut told = delete(0);
        told.before = Some(object(json!({"id": 1, "name": "Ulm"})));
        assert_eq!(sent_by(vec![(told, None)]).records[&("locations", 1)].title, "Ulm");
    }

    #[test]
    fn custom_fields_are_compared_one_by_one_and_others_are_left_out() {
        let pairs =
            json!([{"name": "Rack", "value": " A "}, {"name": "MAC", "value": "aa"}, {"name": "Bay", "value": "1"}]);
        let sent = sent_by(vec![(step(0, "assets", WriteKind::Update(1), json!({"custom_fields": pairs})), None)]);
        let held = json!({"id": 1, "asset_id": "A-1", "custom_fields": {"Rack": "A", "MAC": "bb", "New": "x"}});
        let differing = ["different A-1 custom:MAC `aa` `bb`", "different A-1 custom:Bay `1` ``"];
        assert_eq!(compared(&sent, &[("assets", held)]), (differing.map(str::to_owned).to_vec(), 1));
    }

    #[test]
    fn values_are_told_by_the_names_of_what_they_refer_to() {
        let assets = schema::find("assets").unwrap();
        let works = schema::find("maintenances").unwrap();
        let describe = |collection: &str, id: i64| format!("{collection} {id}");
        let told = |entity: &'static Entity, field: &str, value: Json| {
            value_text(entity.field(field).unwrap(), &value, &describe)
        };
        assert_eq!(told(assets, "location_id", json!(5)), "locations 5");
        assert_eq!(told(assets, "location_id", json!("5")), "locations 5");
        assert_eq!(told(assets, "location_id", json!({"id": 5})), "locations 5");
        assert_eq!(told(assets, "location_id", json!(null)), "");
        assert_eq!(told(assets, "location_id", json!("odd")), "odd");
        assert_eq!(told(works, "asset_id", json!("7")), "7", "a tag of digits is a tag");
        assert_eq!(told(works, "asset_id", json!(7)), "assets 7");
        assert_eq!(told(assets, "purchase_date", json!("2026-01-02T00:00:00Z")), "2026-01-02");
        assert_eq!(told(assets, "purchase_date", json!("2026")), "2026");
        assert_eq!(told(assets, "notes", json!("2026-01-02T00:00:00Z")), "2026-01-02T00:00:00Z");
    }

    #[test]
    fn a_move_is_of_the_item_that_its_id_or_tag_names() {
        let out = |number, asset: Json| {
            step(number, "checkout_asset", WriteKind::Create, json!({"asset_id": asset, "employee_id": 2}))
        };
        let mut known = out(1, json!("OTHER"));
        known.before = Some(object(json!({"id": 8})));
        let sent = sent_by(vec![
            (step(0, "assets", WriteKind::Create, json!({"asset_id": " A-1 "})), Some(9)),
            (known, None),
            (out(2, json!("A-1")), None),
            (out(3, json!("LOST")), None),
            (step(4, "checkin_asset", WriteKind::Create, json!({"asset_id": 7, "status_id": 3})), None),
        ]);
        assert_eq!(sent.records.keys().collect::<Vec<_>>(), [&("assets", 7), &("assets", 8), &("assets", 9)]);
        assert!([7, 8, 9].iter().all(|id| sent.records[&("assets", *id)].moved.is_some()));
        assert_eq!((sent.unknown, sent.records[&("assets", 8)].title.as_str()), (1, "OTHER"));
        assert_eq!(sent.records[&("assets", 9)].title, " A-1 ", "its own name stays");
        let found = ("assets", json!({"id": 8, "asset_id": "A-8", "deployed_to": [{"location_id": 4}]}));
        assert!(compared(&sent, &[found]).0.contains(&String::from("different OTHER assigned_to `#2` `#4`")));
        let silent = [8, 9].map(|id| ("assets", json!({"id": id, "asset_id": "x"})));
        let told = compared(&sent, &silent).0;
        assert!(!told.iter().any(|told| told.contains("assigned_to")), "no reply tells: {told:?}");
    }

    #[test]
    fn tags_of_records_that_the_run_did_not_make_are_fetched() {
        let work = |number, tag: &str| {
            (step(number, "maintenances", WriteKind::Create, json!({"asset_id": tag, "name": "Fan"})), Some(7))
        };
        let sent = sent_by(vec![
            (step(0, "assets", WriteKind::Create, json!({"asset_id": "A-1"})), Some(9)),
            work(1, "A-1"),
            work(2, " A-2 "),
        ]);
        assert_eq!(sent.fetch.tags.iter().collect::<Vec<_>>(), ["A-2"]);
        assert_eq!((sent.fetch.ids["assets"].len(), sent.fetch.ids["maintenances"].len()), (1, 1));
        let differing = compared(
            &sent,
            &[
                ("assets", json!({"id": 9, "asset_id": "A-1"})),
                ("maintenances", json!({"id": 7, "asset_id": 9, "name": "Fan"})),
            ],
        );
        assert_eq!(differing.0, ["different Fan asset_id ` A-2 ` `A-1`"]);
    }

    #[test]
    fn what_has_no_id_or_no_end_is_not_compared() {
        let mut sent = sent_by(vec![(step(0, "locations", WriteKind::Create, json!({"name": "Ulm"})), None)]);
        assert_eq!((sent.unknown, sent.records.len()), (1, 0));
        let mut lost = step(1, "locations", WriteKind::Update(3), json!({"name": "Bonn"}));
        let outcome = ended(&lost, StepResult::Unknown, None);
        sent.add_step(&mut lost, &outcome);
        assert_eq!((sent.unknown, sent.failed, sent.records.len()), (2, 0, 0));
        sent.open_steps = 1;
        assert!(sent.remarks()[0].starts_with("3 steps of the run failed"), "{:?}", sent.remarks());
    }

    #[test]
    fn the_last_change_of_a_record_by_the_run_counts() {
        let mut sent = SentRecords::default();
        for (number, time) in
            [(0, "2026-01-02T00:00:00Z"), (1, "2026-01-04T00:00:00Z"), (2, "2026-01-03T00:00:00Z"), (3, "odd")]
        {
            let mut step = step(number, "locations", WriteKind::Update(5), json!({"city": "x"}));
            let outcome = StepOutcome {
                after: Some(object(json!({"updated_at": time}))),
                ..ended(&step, StepResult::Applied, None)
            };
            sent.add_step(&mut step, &outcome);
        }
        let record = &sent.records[&("locations", 5)];
        assert_eq!(record.changed_at.unwrap().to_string(), "2026-01-04T00:00:00Z");
        assert_eq!(record.row.unwrap().row, 2, "the first row that is about it");
    }

    #[test]
    fn the_digest_tells_what_was_sent_and_what_came_of_it() {
        let digest =
            |body: Json, record| sent_by(vec![(step(0, "locations", WriteKind::Create, body), record)]).digest.finish();
        let one = || digest(json!({"name": "Ulm", "city": "x"}), Some(1));
        assert_eq!(one(), digest(json!({"city": "x", "name": "Ulm"}), Some(1)));
        assert_ne!(one(), digest(json!({"name": "Ulm", "city": "x"}), Some(2)));
        assert_ne!(one(), digest(json!({"name": "Ulm", "city": "y"}), Some(1)));
    }

    #[test]
    fn sums_take_amounts_that_are_numbers_and_the_currency_that_was_sent() {
        let assets = schema::find("assets").unwrap();
        let of = |body: Json| (amounts(assets, &object(body.clone())), currency(assets, &object(body)));
        let cost = |amount: &str| vec![("purchase_cost", amount.parse::<Decimal>().unwrap())];
        assert_eq!(
            of(json!({"purchase_cost": "12.50", "currency": "EUR"})),
            (cost("12.50"), Some(String::from("EUR")))
        );
        assert_eq!(of(json!({"purchase_cost": 3, "currency": ""})), (cost("3"), None));
        assert_eq!(of(json!({"purchase_cost": "many"})), (Vec::new(), None));
    }

    #[test]
    fn a_value_in_another_form_is_equal_and_a_holder_that_is_null_is_none() {
        let body = json!({"asset_id": "A-1", "purchase_cost": 12, "location_id": 5, "asset_name": "x "});
        let out = json!({"asset_id": "A-1", "employee_id": 2});
        let sent = sent_by(vec![
            (step(0, "assets", WriteKind::Create, body), Some(1)),
            (step(1, "checkout_asset", WriteKind::Create, out), None),
        ]);
        let held = |out: Json| {
            json!({
                "id": 1, "asset_id": "A-1", "purchase_cost": "12.00", "location_id": {"id": 5, "name": "Ulm"},
                "asset_name": "x", "deployed_to": out,
            })
        };
        assert_eq!(compared(&sent, &[("assets", held(json!([{"employee_id": 2}])))]), (Vec::new(), 5));
        let differing = vec![String::from("different A-1 assigned_to `#2` ``")];
        assert_eq!(compared(&sent, &[("assets", held(json!(null)))]), (differing, 4));
    }
}
