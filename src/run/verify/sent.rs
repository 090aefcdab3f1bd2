//! What a run sent against what the account holds: every step that was applied, by the body that its journal has.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde_json::Value as Json;

use super::digest::PartsDigest;
use super::sums::{self, StatedAmount, SumTally};
use super::{Difference, DifferenceKind, Findings, changed_by, held_by, text};
use crate::account::Account;
use crate::api::{Body, Record, custom_fields, integer, plain_text, record_id};
use crate::catalog::LogPosition;
use crate::error::Result;
use crate::observer::Observer;
use crate::plan::undo::{CurrentState, FetchPlan, RecordKey};
use crate::plan::{ItemHolders, RowId, Step, StepOutcome, StepResult, WriteKind, changed_pairs};
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
    sent.failed_rows = journal.failed_rows()?;
    let began = journal.account_snapshot()?.by_service_clock(journal.started_at()?);
    let client = &account.client;
    let shared = RefCell::new(&mut *observer);
    let mut on_collection = |name: &str| shared.borrow_mut().on_phase(&format!("reading {name}"), None);
    let reading = fetch(client, &sent.fetch, began, &LogPosition::Unknown, &mut on_collection);
    let mut present = report_waits(client, &shared, reading).await?;
    sent.add_moves_by_tag(&present);
    let mut comparison = RunComparison {
        sent: &sent,
        present: &present,
        findings: Findings::default(),
        unreported: BTreeSet::new(),
        unreported_moves: 0,
    };
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
    let of_sums = std::mem::take(&mut findings.remarks);
    findings.note(sent.remarks());
    findings.remarks.extend(of_sums);
    findings.not_compared = sent.open_steps + sent.unknown;
    findings.journal = Some(sent.digest.finish());
    Ok(findings)
}

/// What a run sent of one record.
#[derive(Debug, Default)]
struct SentRecord {
    row: Option<RowId>,
    /// The last write wins.
    fields: Body,
    /// The custom fields that the run meant to change: a write carries the record's others with them.
    custom: BTreeMap<String, String>,
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
    step: u32,
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
    /// Moves of items of which only the tag is known.
    moves_by_tag: Vec<Step>,
    fetch: FetchPlan,
    /// Rows that were rejected or refused.
    failed_rows: u64,
    /// Steps of unknown outcome.
    unknown: u64,
    /// Steps that were not sent, or not finished.
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
            // Counted by row: a row that failed may have had no step at all.
            StepResult::Failed => {}
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
        for (name, value) in &step.body {
            if name == CUSTOM_FIELDS {
                let before = step.before.as_ref().and_then(|before| before.get(name)).map(custom_fields);
                let changed = changed_pairs(value, &before.unwrap_or_default());
                record.custom.extend(changed.into_iter().map(|field| (field.name, field.value)));
            } else {
                record.fields.insert(name.clone(), value.clone());
            }
        }
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
        match (known.or_else(by_name), named) {
            (Some(id), _) => self.move_item(step, item, id),
            (None, Some(Json::String(tag))) => {
                self.fetch.tags.insert(tag.trim().to_owned());
                self.moves_by_tag.push(step.clone());
            }
            (None, _) => self.unknown += 1,
        }
    }

    /// Adds the moves of items that only a tag names, now that the account has been read.
    fn add_moves_by_tag(&mut self, present: &CurrentState) {
        for step in std::mem::take(&mut self.moves_by_tag) {
            let item = step.entity.item().and_then(|(field, reference)| {
                let id = present.id_of(reference, step.body.get(field.name)?)?;
                Some((schema::collection(reference.to)?, id))
            });
            match item {
                Some((item, id)) => self.move_item(&step, item, id),
                None => self.unknown += 1,
            }
        }
    }

    fn move_item(&mut self, step: &Step, item: &'static Entity, id: i64) {
        let named = step.entity.item().and_then(|(field, _)| step.body.get(field.name));
        let record = self.record(item, id, step.row);
        if let (true, Some(Json::String(tag))) = (record.title.is_empty(), named) {
            record.title.clone_from(tag);
        }
        if record.moved.as_ref().is_some_and(|later| later.step > step.number) {
            return;
        }
        for own in step.entity.fields {
            if let (Some(sets), Some(value)) = (own.sets, step.body.get(own.name)) {
                record.fields.insert(sets.to_owned(), value.clone());
            }
        }
        record.moved = Some(SentMove { step: step.number, action: step.entity, body: step.body.clone() });
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
        if self.failed_rows > 0 {
            let rows = counted(self.failed_rows, "row");
            remarks.push(format!("{rows} failed: not compared; the result of the run says why"));
        }
        if self.open_steps > 0 {
            let steps = counted(self.open_steps, "step");
            remarks
                .push(format!("{steps} not sent or not finished: not compared; `tallyport resume` continues the run"));
        }
        if self.unknown > 0 {
            let steps = counted(self.unknown, "step");
            remarks.push(format!("{steps} with unknown outcome: not compared"));
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
    /// Fields that were sent and that no reply has, each with its collection.
    unreported: BTreeSet<(&'static str, &'static str)>,
    /// Items of which the account does not say who has them.
    unreported_moves: u64,
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
        let unreported = self.unreported.iter().map(|(collection, field)| {
            format!("`{field}` of {collection}: the service does not report it, so not compared")
        });
        self.findings.note(unreported.chain(sums.values().filter_map(SumTally::remark)));
        let moves = counted(self.unreported_moves, "move");
        let unreported = format!("{moves} of items: the account does not say who has them now, so not compared");
        self.findings.note((self.unreported_moves > 0).then_some(unreported));
        self.findings.sums = sums.into_values().map(SumTally::finish).collect();
        self.findings.read = read.finish();
        raw
    }

    /// What differs of a record that is there. What is equal is counted.
    fn compare_record(&mut self, entity: &'static Entity, sent: &SentRecord, held: &Record) -> Vec<RawContent> {
        let mut different = Vec::new();
        for field in entity.fields {
            if !field.read {
                continue;
            }
            if !self.reports(entity, field, held) {
                let is_sent = sent.fields.get(field.name).is_some_and(|sent| !sent.is_null());
                self.unreported.extend(is_sent.then_some((entity.name, field.name)));
                continue;
            }
            let found = held.get(field.name).cloned().unwrap_or(Json::Null);
            if field.name == CUSTOM_FIELDS {
                self.compare_custom(entity, (&sent.custom, &found), &mut different);
                continue;
            }
            let Some(expected) = sent.fields.get(field.name) else { continue };
            if self.present.holds(entity, field, expected, held)
                || text::is_same(entity, field.name, &plain_text(expected), &plain_text(&found))
            {
                self.findings.counts.equal += 1;
            } else {
                different.push(RawContent::Field { field, expected: expected.clone(), found });
            }
        }
        if let Some(moved) = &sent.moved {
            let is_reported = self.present.carries(entity, Meaning::Holders.field_name());
            match is_held_as_sent(moved, held).filter(|_| is_reported) {
                None => self.unreported_moves += 1,
                Some(true) => self.findings.counts.equal += 1,
                Some(false) => {
                    let found = held.get(Meaning::Holders.field_name()).cloned().unwrap_or(Json::Null);
                    different.push(RawContent::Holder { moved: moved.clone(), found });
                }
            }
        }
        different
    }

    /// Whether replies have the field at all: one that no reply has says nothing about any record.
    fn reports(&self, entity: &Entity, field: &Field, held: &Record) -> bool {
        held.contains_key(field.name) || self.present.carries(entity, field.name)
    }

    /// Custom fields one by one; those that the run did not change are others' business.
    fn compare_custom(
        &mut self,
        entity: &Entity,
        (sent, held): (&BTreeMap<String, String>, &Json),
        different: &mut Vec<RawContent>,
    ) {
        let held = custom_fields(held);
        for (name, expected) in sent {
            let found = held.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
            if text::is_same(entity, CUSTOM_FIELDS, expected, found) {
                self.findings.counts.equal += 1;
            } else {
                let (name, expected, found) = (name.clone(), expected.clone(), found.to_owned());
                different.push(RawContent::CustomField { name, expected, found });
            }
        }
    }
}

/// Whether an item is with whom it was checked out to, or with nobody after a check-in. None if its record does not say with whom.
fn is_held_as_sent(moved: &SentMove, held: &Record) -> Option<bool> {
    let entries = match ItemHolders::of(held) {
        ItemHolders::Unnamed => return None,
        ItemHolders::NotReported | ItemHolders::Nobody => &[],
        ItemHolders::Listed(entries) => entries,
    };
    if moved.action.role == Role::Action(Verb::Checkin) {
        return Some(entries.is_empty());
    }
    let is_held = moved.action.holders().all(|holder| match moved.body.get(holder.name).and_then(integer) {
        Some(id) => entries.iter().any(|entry| entry.get(holder.name).and_then(integer) == Some(id)),
        None => true,
    });
    Some(is_held)
}

fn amounts(entity: &'static Entity, fields: &Body) -> Vec<StatedAmount> {
    let money = entity.fields.iter().filter(|field| field.kind == Kind::Money);
    let stated = money.filter_map(|field| Some((field.name, sums::amount(fields.get(field.name)?)?)));
    stated.map(|(field, amount)| StatedAmount { field, amount: Some(amount) }).collect()
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
        let (id, is_explained) = (Some(id), false);
        Difference {
            kind,
            collection,
            id,
            record,
            field,
            expected,
            found,
            source,
            is_explained,
            changed_by,
            changed_at,
        }
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
mod tests;
