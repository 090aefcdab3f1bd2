//! Check-ins and check-outs that have already happened (design rule 11): a sheet that is imported again must not repeat
//! them.
//!
//! An asset says itself who holds it. Of everything else only an earlier run of this machine or the service's activity
//! log can tell, which the planner asks through [`PriorActions`].

use jiff::Timestamp;
use serde_json::Value as Json;

use super::resolver::{Resolved, ResolvedField, Resolver, UnknownNames, UserIds, wire_value};
use crate::api::{Record, integer};
use crate::catalog::{Catalog, RecordRef};
use crate::check::{CheckedRow, Code, ValueError};
use crate::mapping::{ColumnTarget, Mapping, ResultColumn};
use crate::plan::{ItemHolders, RowStatus, Step};
use crate::schema::{self, CREATED_AT, Entity, Field, Kind, Meaning, Reference, Role, Verb, Wire};
use crate::table::Row;

/// What was done about the actions that rows ask for, before this run.
pub(crate) trait PriorActions {
    /// Whether the action has happened. Of identical rows each takes one that happened.
    fn take(&mut self, request: &ActionRequest) -> PriorAction;

    /// Whether a run of this machine has done the action after that time, on whatever day it said, and none has taken it back.
    fn done_after(&self, request: &ActionRequest, time: Timestamp) -> PriorAction;
}

/// What is known about an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PriorAction {
    /// It has not happened.
    Absent,
    /// An earlier run did it.
    Done { run: String },
    /// An earlier run sent it, and it is not known whether the service did it.
    Unresolved { run: String },
    /// Someone did the like of it, says the activity log; with how often and when last.
    Logged { times: usize, last: Option<String> },
    /// The activity log is too long to be read to its end for this.
    LogTooLong,
    /// The activity log is closed to the API key.
    LogDenied,
    /// The service refuses the activity log of this item, with that status.
    LogRefused { status: u16 },
}

/// The action that a row asks for, on a record that the account has.
#[derive(Debug, Clone)]
pub(crate) struct ActionRequest {
    pub action: &'static Entity,
    /// The collection of the item.
    pub collection: &'static str,
    pub item: ActionRecord,
    /// The parameter that names the holder, and the holder. None for actions without one.
    pub holder: Option<(&'static str, ActionRecord)>,
    /// The day of the action.
    pub date: Option<String>,
    pub quantity: Option<i64>,
    /// The product key of a license seat.
    pub key: Option<String>,
    /// When the item was created: what happened before happened to another record with that id.
    pub created: Option<Timestamp>,
    /// When the holder was created: what happened before and names a tag happened to another record with that tag.
    pub holder_created: Option<Timestamp>,
}

/// A record of the account as actions name it: by its system id, or by its tag if it has one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ActionRecord {
    pub id: i64,
    pub tag: Option<String>,
}

impl ActionRecord {
    fn of(catalog: &Catalog, collection: &str, id: i64) -> Self {
        let tag = schema::collection(collection).and_then(|entity| entity.meaning(Meaning::Tag));
        let text = tag.and_then(|tag| catalog.record(collection, id)?.get(tag.name)?.as_str().map(str::to_owned));
        Self { id, tag: text }
    }

    /// The record that a value in the body of an action names. None for a tag that no known record has.
    fn sent(catalog: &Catalog, reference: Reference, value: &Json) -> Option<Self> {
        match catalog.sent_reference(reference, value)? {
            RecordRef::Known(id) => Some(Self::of(catalog, reference.to, id)),
            RecordRef::Planned(_) => None,
        }
    }

    /// Whether a value in the body of an action names this record.
    pub(crate) fn is_named_by(&self, value: &Json) -> bool {
        match (value, &self.tag) {
            (Json::String(text), Some(tag)) => text.trim() == tag.trim(),
            (value, _) => integer(value) == Some(self.id),
        }
    }
}

impl Entity {
    /// The parameter with the day on which an action happens.
    pub fn action_date(&self) -> Option<&'static Field> {
        let is_day = |field: &&Field| field.kind == Kind::Date && field.is_required();
        self.fields.iter().filter(|_| self.is_action()).find(is_day)
    }
}

impl ActionRequest {
    /// None where the item or the holder does not exist yet: nothing can have happened to it.
    pub(crate) fn of(catalog: &Catalog, action: &'static Entity, fields: &[ResolvedField]) -> Option<Self> {
        let value = |field: &Field| {
            let index = action.field_index(field.name)?;
            fields.iter().find(|given| given.field == index).map(|given| &given.value)
        };
        let record = |field: &Field| match value(field)? {
            Resolved::Record(RecordRef::Known(id), reference) => Some(ActionRecord::of(catalog, reference.to, *id)),
            _ => None,
        };
        let (item_field, reference) = action.item()?;
        let item = record(item_field)?;
        let holder = action.holders().find_map(|field| Some((field.name, record(field)?)));
        if holder.is_none() && action.holders().next().is_some() {
            return None;
        }
        let plain = |field: &Field| match value(field)? {
            Resolved::Value(value) => Some(value),
            _ => None,
        };
        Some(Self::new(catalog, (action, reference), (item, holder), plain))
    }

    /// Asks for what was done with an item, whoever has it.
    pub(crate) fn of_item(catalog: &Catalog, action: &'static Entity, item: i64) -> Option<Self> {
        let (_, reference) = action.item()?;
        let item = ActionRecord::of(catalog, reference.to, item);
        Some(Self::new(catalog, (action, reference), (item, None), |_| None))
    }

    /// Asks for what was done with each item of which the account does not say who has it.
    pub(crate) fn of_unnamed(catalog: &Catalog, action: &'static Entity) -> impl Iterator<Item = Self> {
        let records = action.item().into_iter().flat_map(|(_, item)| catalog.known_records(item.to));
        let unnamed = records.filter(|(_, record)| ItemHolders::of(record) == ItemHolders::Unnamed);
        unnamed.filter_map(move |(id, _)| Self::of_item(catalog, action, id))
    }

    /// What a planned step asks for. None where the item or the holder does not exist yet, or is not known.
    pub(crate) fn of_step(catalog: &Catalog, step: &Step) -> Option<Self> {
        let action = step.entity;
        let (item_field, reference) = action.item()?;
        let item = ActionRecord::sent(catalog, reference, step.body.get(item_field.name)?)?;
        let record = |field: &Field| ActionRecord::sent(catalog, field.reference_to()?, step.body.get(field.name)?);
        let holder = action.holders().find_map(|field| Some((field.name, record(field)?)));
        if holder.is_none() && action.holders().next().is_some() {
            return None;
        }
        let plain = |field: &Field| step.body.get(field.name);
        Some(Self::new(catalog, (action, reference), (item, holder), plain))
    }

    /// `value`: what is asked for in a field that names no record.
    fn new<'v>(
        catalog: &Catalog,
        (action, reference): (&'static Entity, Reference),
        (item, holder): (ActionRecord, Option<(&'static str, ActionRecord)>),
        value: impl Fn(&Field) -> Option<&'v Json>,
    ) -> Self {
        let text = |field: Option<&'static Field>| value(field?)?.as_str().map(str::to_owned);
        let created = |collection: &str, id: i64| -> Option<Timestamp> {
            catalog.record(collection, id)?.get(CREATED_AT)?.as_str()?.parse().ok()
        };
        let held_in = |(parameter, holder): &(&str, ActionRecord)| {
            created(action.field(parameter)?.reference_to()?.to, holder.id)
        };
        Self {
            action,
            collection: reference.to,
            created: created(reference.to, item.id),
            holder_created: holder.as_ref().and_then(held_in),
            date: text(action.action_date()),
            quantity: action.meaning(Meaning::MovedQuantity).and_then(|field| integer(value(field)?)),
            key: text(action.meaning(Meaning::MovedKey)),
            item,
            holder,
        }
    }

    /// What a checked row of an action asks for, before anything of the run is planned.
    pub(crate) fn of_row(
        (catalog, users): (&Catalog, &UserIds),
        mapping: &Mapping,
        row: &Row,
        checked: &CheckedRow,
    ) -> Option<Self> {
        let resolver =
            Resolver { catalog: catalog.as_held(), users, unknown: &UnknownNames::default(), is_compared: false };
        let (fields, _) = resolver.resolve(mapping, row, checked);
        Self::of(catalog, mapping.entity, &fields)
    }

    pub(crate) fn is_checkout(&self) -> bool {
        self.action.role == Role::Action(Verb::Checkout)
    }

    /// Whether the item is moved as a whole, as an asset is, and not taken from stock.
    pub(crate) fn is_of_tagged_item(&self) -> bool {
        schema::collection(self.collection).is_some_and(Entity::is_tagged)
    }
}

/// What an item that is moved as a whole says about an action on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemState {
    /// It is where the action would put it.
    Done,
    /// It is elsewhere.
    NotDone,
    /// It does not say.
    Unknown,
}

impl ItemState {
    /// `fields`: what the row says, of which a check-in also sets some on the item.
    pub(super) fn of(catalog: &Catalog, request: &ActionRequest, fields: &[ResolvedField]) -> Self {
        let Some(record) = catalog.record(request.collection, request.item.id) else { return ItemState::Unknown };
        match (&request.holder, ItemHolders::of(record)) {
            (_, ItemHolders::NotReported | ItemHolders::Unnamed) => ItemState::Unknown,
            (Some(_), ItemHolders::Nobody) => ItemState::NotDone,
            (Some(holder), ItemHolders::Listed(deployed)) => held_by(request.action, holder, deployed),
            (None, ItemHolders::Nobody) if sets_nothing_new(catalog, request.action, fields, record) => ItemState::Done,
            // A status that somebody has changed since does not show that it came back.
            (None, _) => ItemState::Unknown,
        }
    }
}

fn held_by(action: &Entity, (parameter, holder): &(&str, ActionRecord), deployed: &[Json]) -> ItemState {
    let names = |entry: &Json, name: &str| entry.get(name).is_some_and(|held| !held.is_null());
    if deployed.iter().any(|entry| entry.get(*parameter).is_some_and(|held| holder.is_named_by(held))) {
        return ItemState::Done;
    }
    // An entry that names nobody may be anybody's.
    let names_someone = |entry: &Json| action.holders().any(|field| names(entry, field.name));
    if deployed.iter().all(names_someone) { ItemState::NotDone } else { ItemState::Unknown }
}

/// Whether the item already has everything that a check-in would set on it.
fn sets_nothing_new(catalog: &Catalog, action: &Entity, fields: &[ResolvedField], record: &Record) -> bool {
    fields.iter().all(|given| {
        let Some(set) = action.fields[given.field].sets else { return true };
        let held = record.get(set).unwrap_or(&Json::Null);
        match given.value {
            Resolved::Record(target, reference) => {
                let wanted = wire_value(catalog, target, Reference { wire: Wire::Id, ..reference });
                wanted.as_ref().and_then(integer).is_some_and(|wanted| integer(held) == Some(wanted))
            }
            _ => false,
        }
    })
}

/// Why a row is not sent, where it is not certain that its action has not happened.
pub(crate) fn repeated(
    prior: &PriorAction,
    request: &ActionRequest,
    shown: (&str, Option<&str>),
) -> Option<ValueError> {
    let verb = if request.is_checkout() { "check-out" } else { "check-in" };
    let (item, to) = (shown.0, shown.1.map(|holder| format!(" to `{holder}`")).unwrap_or_default());
    let (message, hint) = match prior {
        PriorAction::Absent | PriorAction::Done { .. } => return None,
        PriorAction::Unresolved { run } => (
            format!("run `{run}` sent this {verb}, and it is not known whether the service did it"),
            format!("run `tallyport resume {run}` to find out, or pass --repeat to send it again"),
        ),
        PriorAction::Logged { times, last } => {
            let times = if *times == 1 { String::from("once") } else { format!("{times} times") };
            let last = last.as_ref().map(|day| format!(", last on {day}")).unwrap_or_default();
            (
                format!("`{item}` was already checked out{to} {times}, says the activity log{last}; it may be this"),
                String::from("leave the row out if it was, or pass --repeat to check it out again"),
            )
        }
        PriorAction::LogDenied => (
            format!(
                "this API key may not read the activity log, so it is not known whether this {verb} was made before"
            ),
            format!("leave the row out if it was, or pass --repeat to send the {verb}"),
        ),
        PriorAction::LogRefused { status } => (
            format!(
                "the service does not give the activity log of `{item}` ({status}), so it is not known whether this {verb} \
                 was made before"
            ),
            format!("leave the row out if it was, or pass --repeat to send the {verb}"),
        ),
        PriorAction::LogTooLong => (
            format!("the activity log of `{item}` is too long to find out whether this {verb} was made before"),
            format!("leave the row out if it was, or pass --repeat to send the {verb}"),
        ),
    };
    Some(ValueError::new(Code::CheckoutRepeated, message, hint))
}

/// Whether the row is of a result file that says that it was done.
pub(super) fn is_reported_done(mapping: &Mapping, row: &Row) -> bool {
    let is_status = |target: &ColumnTarget| *target == ColumnTarget::Result(ResultColumn::Status);
    let column = mapping.columns.iter().find(|column| is_status(&column.target));
    let reported = column.and_then(|column| RowStatus::parse(row.cell(column.index).text));
    reported.is_some_and(|reported| reported.is_done())
}
