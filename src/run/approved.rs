//! The steps of an approved plan: which of them can still be sent, and the journal that they are sent from.
//!
//! The records concerned are read again in the fewest requests. A step is sent if it was approved, everything it depends on
//! is sent too, and the account still holds what it held when the plan was made.

use std::cell::RefCell;
use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value as Json;

use super::journal::{JournalBuilder, JournalError, PlannedRow, RowState};
use super::prepare::report_waits;
use crate::account::Account;
use crate::api::{Body, Record, integer};
use crate::catalog::{Catalog, KeyValue, LookupRequest, LookupResult, RecordRef};
use crate::check::{Code, Problem, ValueError};
use crate::error::Result;
use crate::observer::Observer;
use crate::plan::{DependsOn, RowId, RowStatus, Step, StepRole, StepSink as _, WriteKind, holds, value_text};
use crate::schema::{self, Entity, Field, Kind, Meaning, Reference, Role, Verb};

/// A step of a plan, at the row of its first line.
#[derive(Debug)]
pub(crate) struct ProposedStep {
    pub(crate) number: u32,
    pub(crate) row: RowId,
    pub(crate) entity: &'static Entity,
    pub(crate) write: WriteKind,
    pub(crate) is_approved: bool,
    /// The rest as JSON: there may be very many steps, and a text takes a fraction of the memory.
    pub(crate) content: Box<str>,
}

/// What a step sends, what it waits for, and what was there before.
#[derive(Deserialize)]
struct StepContent {
    body: Body,
    #[serde(default)]
    depends_on: Vec<DependsOn>,
    #[serde(default)]
    before: Option<Body>,
}

impl ProposedStep {
    /// The step itself; none where its text makes no sense.
    fn step(&self) -> Option<Step> {
        let StepContent { body, depends_on, before } = serde_json::from_str(&self.content).ok()?;
        let step = Step::new(self.number, self.row, StepRole::Row, self.entity, self.write);
        Some(Step { body, depends_on, before, ..step })
    }
}

/// What becomes of a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum StepDecision {
    Send,
    NotApproved,
    Rejected(Box<Problem>),
}

/// Reads the records again that approved steps are about, and decides what becomes of each step.
///
/// # Errors
/// Where the service cannot be read.
pub(crate) async fn decide(
    account: &Account,
    steps: &[ProposedStep],
    observer: &mut dyn Observer,
) -> Result<Vec<StepDecision>> {
    let lookups = lookups(steps);
    let observer = RefCell::new(observer);
    let mut on_collection = |name: &str, _| observer.borrow_mut().on_phase(&format!("reading {name} again"), None);
    let reading = Catalog::fetch(&account.client, &lookups, &mut on_collection);
    let catalog = report_waits(&account.client, &observer, reading).await?;
    Ok(decisions(steps, &catalog))
}

fn lookups(steps: &[ProposedStep]) -> LookupRequest {
    let mut lookups = LookupRequest::default();
    let approved = steps.iter().filter(|proposed| proposed.is_approved);
    for Step { entity, write, body, depends_on, .. } in approved.filter_map(ProposedStep::step) {
        match (write, entity.item()) {
            (WriteKind::Update(id) | WriteKind::Delete(id), _) => {
                lookups.matching(entity.name, entity.key);
                lookups.id(entity.name, id);
            }
            (WriteKind::Create, Some((field, reference))) => {
                let Some(item) = schema::collection(reference.to) else { continue };
                // Of the items everything is wanted: it tells where they are.
                match body.get(field.name) {
                    Some(Json::String(tag)) if !depends_on.iter().any(|awaited| is_made(steps, awaited.step)) => {
                        lookups.matching(item.name, item.key);
                        lookups.key(item.name, tag);
                    }
                    Some(Json::Number(id)) => {
                        lookups.matching(item.name, item.key);
                        id.as_i64().into_iter().for_each(|id| lookups.id(item.name, id));
                    }
                    _ => {}
                }
            }
            (WriteKind::Create, None) => {
                lookups.matching(entity.name, entity.key);
                match entity.key.first().and_then(|first| body.get(*first)) {
                    Some(Json::String(text)) => lookups.key(entity.name, text),
                    // A record that is not there yet has no others.
                    None => {}
                    Some(_) => lookups.matching_any(entity.name),
                }
            }
        }
    }
    lookups
}

/// Whether a step creates a record.
fn is_made(steps: &[ProposedStep], number: u32) -> bool {
    let found = steps.binary_search_by_key(&number, |proposed| proposed.number);
    found.is_ok_and(|at| steps[at].write == WriteKind::Create && steps[at].entity.is_collection())
}

fn decisions(steps: &[ProposedStep], catalog: &Catalog) -> Vec<StepDecision> {
    let mut decisions: Vec<StepDecision> = Vec::with_capacity(steps.len());
    for proposed in steps {
        let decision = match proposed.step().filter(|_| proposed.is_approved) {
            Some(step) => match blocking(&step, steps, &decisions) {
                Some(needed) => StepDecision::Rejected(Box::new(blocked_by(needed))),
                None => conflict(&step, catalog)
                    .map_or(StepDecision::Send, |problem| StepDecision::Rejected(Box::new(problem))),
            },
            None => StepDecision::NotApproved,
        };
        decisions.push(decision);
    }
    decisions
}

/// The first step that `step` depends on and that is not sent.
fn blocking<'s>(step: &Step, steps: &'s [ProposedStep], decisions: &[StepDecision]) -> Option<&'s ProposedStep> {
    step.depends_on.iter().find_map(|awaited| {
        let at = steps.binary_search_by_key(&awaited.step, |other| other.number).ok()?;
        (decisions.get(at)? != &StepDecision::Send).then(|| &steps[at])
    })
}

fn blocked_by(needed: &ProposedStep) -> Problem {
    let what = needed.step().map_or_else(|| String::from(needed.entity.singular), |step| described(&step));
    let why = if needed.is_approved { "cannot be sent" } else { "was not approved" };
    let error = ValueError::new(
        Code::DependencyLeftOut,
        format!("it needs {what}, which {why}"),
        "make the plan again, and approve both",
    );
    error.at(None, "")
}

/// `products Dell XPS 13`, `the check-in of LAP-1`: what a step is about.
fn described(step: &Step) -> String {
    let texts = step
        .entity
        .item()
        .map(|(field, _)| field.name)
        .into_iter()
        .chain(["name"])
        .chain(step.entity.key.iter().copied());
    let text = texts.filter_map(|field| step.body.get(field)).find_map(|value| match value {
        Json::String(text) => Some(format!(" `{text}`")),
        Json::Number(id) => Some(format!(" #{id}")),
        _ => None,
    });
    let what = match step.entity.role {
        Role::Action(Verb::Checkin) => "the check-in of",
        Role::Action(Verb::Checkout) => "the check-out of",
        Role::Collection { .. } | Role::Listing => step.entity.singular,
    };
    format!("{what}{}", text.unwrap_or_default())
}

/// What is not as it was when the plan was made.
fn conflict(step: &Step, catalog: &Catalog) -> Option<Problem> {
    let changed = match (step.write, step.entity.item()) {
        (WriteKind::Update(id) | WriteKind::Delete(id), _) => {
            let Some(held) = catalog.record(step.entity.name, id) else {
                let error =
                    ValueError::new(Code::RecordMissing, "the record is not there any more", "make the plan again");
                return Some(error.at(None, ""));
            };
            changed_fields(step, held, catalog)
        }
        (WriteKind::Create, Some((field, reference))) => moved_item(step, field, reference, catalog)?,
        (WriteKind::Create, None) => return existing(step, catalog),
    };
    (!changed.is_empty()).then(|| {
        let error = ValueError::new(
            Code::RecordConflict,
            format!("changed since the plan was made: {}", changed.join("; ")),
            "make the plan again, and approve the change that is left",
        );
        error.at(None, "")
    })
}

/// The fields of a record that are not as they were, each with both values.
fn changed_fields(step: &Step, held: &Record, catalog: &Catalog) -> Vec<String> {
    let before = step.before.as_ref();
    let fields = step.entity.fields.iter().filter_map(|field| Some((field, before?.get(field.name)?)));
    // What a delete keeps of its record also has what changes by itself, such as counts.
    let is_own = |field: &Field| field.is_written() || !matches!(step.write, WriteKind::Delete(_));
    let changed = fields.filter(|(field, old)| is_own(field) && !holds(field, old, held.get(field.name)));
    changed.map(|(field, old)| was_and_is(field, Some(old), held.get(field.name), catalog)).collect()
}

fn was_and_is(field: &Field, old: Option<&Json>, new: Option<&Json>, catalog: &Catalog) -> String {
    let text = |value: Option<&Json>| value.map(|value| value_text(catalog, field, value)).unwrap_or_default();
    let shown = |text: String| if text.is_empty() { String::from("empty") } else { format!("`{text}`") };
    format!("{} was {}, is {}", field.name, shown(text(old)), shown(text(new)))
}

/// Who has an item, where that is not who had it. `None` if the item is made by this run.
fn moved_item(step: &Step, field: &Field, reference: Reference, catalog: &Catalog) -> Option<Vec<String>> {
    let item = schema::collection(reference.to)?;
    let id = match step.body.get(field.name)? {
        Json::Number(id) => id.as_i64()?,
        Json::String(tag) => *catalog.with_text(item.name, item.key.first()?, tag).first()?,
        _ => return None,
    };
    let holders = Meaning::Holders.field_name();
    // What is kept in stock has many holders, and the service decides whether enough is left.
    let before = step.before.as_ref()?.get(holders).filter(|_| item.is_tagged())?;
    let held = catalog.record(item.name, id)?.get(holders);
    let names = |value: Option<&Json>| -> Vec<String> {
        let entries = value.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let name = |entry: &Json| {
            let named = step.entity.holders().chain(step.entity.opposite().into_iter().flat_map(Entity::holders));
            let found = named.map(|holder| (holder, entry.get(holder.name).and_then(integer)));
            found.into_iter().find_map(|(holder, id)| {
                let (id, to) = (id?, holder.reference_to()?.to);
                let name = catalog.describe(to, RecordRef::Known(id));
                let singular = schema::collection(to).map_or(to, |entity| entity.singular);
                // People and places are not read again: of those that the steps do not name only the id is known.
                Some(if name.starts_with('#') { format!("{singular} {name}") } else { name })
            })
        };
        let mut names: Vec<String> =
            entries.iter().map(|entry| name(entry).unwrap_or_else(|| holder_of(entry, item))).collect();
        names.sort();
        names
    };
    // Nobody has an item that the run itself takes back first.
    let is_returned = before.is_null();
    let (was, is) = (names(Some(before)), names(held));
    Some(match is_returned || was == is {
        true => Vec::new(),
        false => vec![format!("it was with {}, and is with {}", shown_holders(&was), shown_holders(&is))],
    })
}

/// A holder of whom only an id is known.
fn holder_of(entry: &Json, item: &Entity) -> String {
    let ids = schema::HOLDERS.iter().filter_map(|name| Some(format!("{name} {}", entry.get(*name).and_then(integer)?)));
    ids.into_iter().next().unwrap_or_else(|| format!("another {}", item.singular))
}

fn shown_holders(names: &[String]) -> String {
    if names.is_empty() { String::from("nobody") } else { format!("`{}`", names.join("`, `")) }
}

/// A record that is there already.
fn existing(step: &Step, catalog: &Catalog) -> Option<Problem> {
    let texts: Vec<Option<String>> = step.entity.key.iter().map(|name| key_text(step.body.get(*name)?)).collect();
    let is_awaited = |name: &str| step.depends_on.iter().any(|awaited| awaited.field.as_deref() == Some(name));
    let mut key = Vec::new();
    for (name, text) in step.entity.key.iter().zip(&texts) {
        let is_reference = step.entity.field(name).is_some_and(|field| matches!(field.kind, Kind::Reference(_)));
        key.push(match (text, is_reference) {
            // It cannot be there: what it refers to is not.
            _ if is_awaited(name) => return None,
            (Some(text), true) => {
                text.parse().map_or(KeyValue::Text(text), |id| KeyValue::Reference(RecordRef::Known(id)))
            }
            (Some(text), false) => KeyValue::Text(text),
            (None, _) => KeyValue::Text(""),
        });
    }
    let found = match catalog.match_record(step.entity.name, step.entity.key, &key) {
        LookupResult::One(target) => catalog.describe(step.entity.name, target),
        LookupResult::Many(several) => several.into_iter().next().map(|(_, name)| name)?,
        LookupResult::None { .. } => return None,
    };
    let error = ValueError::new(
        Code::RecordExists,
        format!("made since the plan was made: {found}"),
        "make the plan again: it may have to be updated",
    );
    Some(error.at(None, ""))
}

fn key_text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Writes the steps that are sent into a journal, numbered anew. Returns what becomes of the row of each step.
///
/// # Errors
/// Where the journal cannot take them.
pub(crate) fn write_steps(
    journal: &mut JournalBuilder,
    steps: Vec<ProposedStep>,
    decisions: &[StepDecision],
) -> Result<HashMap<RowId, PlannedRow>, JournalError> {
    let mut numbers: HashMap<u32, u32> = HashMap::new();
    let mut rows = HashMap::new();
    for (proposed, decision) in steps.into_iter().zip(decisions) {
        let ended = |status, message: &str, problems| PlannedRow {
            state: RowState::Ended,
            status,
            record: proposed.write.record(),
            message: message.to_owned(),
            problems,
        };
        let planned = match decision {
            StepDecision::NotApproved => ended(RowStatus::Skipped, "not approved", Vec::new()),
            StepDecision::Rejected(problem) => ended(RowStatus::Failed, "", vec![problem.as_ref().clone()]),
            StepDecision::Send => {
                let Some(mut step) = proposed.step() else { continue };
                let planned =
                    PlannedRow { state: RowState::Planned, ..ended(step.write.done_status(), "", Vec::new()) };
                let number = journal.count();
                numbers.insert(step.number, number);
                step.number = number;
                for awaited in &mut step.depends_on {
                    awaited.step = numbers.get(&awaited.step).copied().unwrap_or(awaited.step);
                }
                journal.push(&step)?;
                planned
            }
        };
        rows.insert(proposed.row, planned);
    }
    Ok(rows)
}

/// The writes of a plan by kind, for limits.
pub(crate) fn totals(steps: &[ProposedStep], decisions: &[StepDecision]) -> crate::plan::PlanTotals {
    let mut totals = crate::plan::PlanTotals { rows: steps.len() as u64, ..Default::default() };
    let sent = steps.iter().zip(decisions).filter(|(_, decision)| **decision == StepDecision::Send);
    for (proposed, _) in sent {
        match proposed.write {
            WriteKind::Create => totals.creates += u64::from(proposed.entity.is_collection()),
            WriteKind::Update(_) => {
                totals.updates += 1;
                totals.clears += proposed.step().map_or(0, |step| nulls(&step.body));
            }
            WriteKind::Delete(_) => totals.deletes += 1,
        }
    }
    totals
}

fn nulls(body: &Body) -> u64 {
    body.values().filter(|value| value.is_null()).count() as u64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures::executor::block_on;
    use serde_json::json;

    use super::*;
    use crate::account::AccountIdentity;
    use crate::catalog::fake_source::FakeSource;
    use crate::run::journal::{AccountSnapshot, JournalLocation, RunDetails, RunHeader, RunKind};
    use crate::run::prepare::tests::{Office, Told};

    /// A step of a plan, which stands in the row after the one before; approved.
    fn proposed(number: u32, entity: &str, write: WriteKind, content: Json) -> ProposedStep {
        ProposedStep {
            number,
            row: RowId { sheet: 0, row: u64::from(number) + 2 },
            entity: schema::find(entity).unwrap(),
            write,
            is_approved: true,
            content: content.to_string().into(),
        }
    }

    fn creates(number: u32, entity: &str, body: Json) -> ProposedStep {
        proposed(number, entity, WriteKind::Create, json!({"body": body}))
    }

    fn declined(step: ProposedStep) -> ProposedStep {
        ProposedStep { is_approved: false, ..step }
    }

    /// What is decided about steps: `send`, `not approved`, or the code and message of the problem.
    fn decided(source: FakeSource, steps: &[ProposedStep]) -> Vec<String> {
        let Ok(catalog) = block_on(Catalog::fetch(&source, &lookups(steps), &mut |_, _| {}));
        decisions(steps, &catalog).iter().map(shown).collect()
    }

    fn shown(decision: &StepDecision) -> String {
        match decision {
            StepDecision::Send => String::from("send"),
            StepDecision::NotApproved => String::from("not approved"),
            StepDecision::Rejected(problem) => format!("{}: {}", problem.code().as_str(), problem.error.message),
        }
    }

    /// Three laptops of which Ada has the first and Berlin the second, and what they need.
    fn account() -> FakeSource {
        let held = |id: i64, tag: &str, holder: Json| json!({"id": id, "asset_id": tag, "product_id": 1, "status_id": 1, "deployed_to": holder});
        FakeSource::new()
            .with("employees", [json!({"id": 1, "name": "Ada", "email": "ada@example.com"})])
            .with("locations", [json!({"id": 7, "name": "Berlin", "city": "Ulm"}), json!({"id": 8, "name": "Bonn"})])
            .with(
                "assets",
                [
                    held(1, "A-1", json!([{"employee_id": 1}])),
                    held(2, "A-2", json!([{"location_id": 7}])),
                    held(3, "A-3", Json::Null),
                ],
            )
            .with("products", [json!({"id": 1, "name": "X1", "model_number": "G9", "category_id": 1})])
            .with(
                "accessories",
                [json!({"id": 5, "name": "Mouse", "available": 2, "deployed_to": [{"employee_id": 1}]})],
            )
    }

    fn updates(number: u32, id: i64, content: Json) -> ProposedStep {
        proposed(number, "locations", WriteKind::Update(id), content)
    }

    #[test]
    fn a_record_that_changed_or_is_gone_since_the_plan_is_left_alone() {
        let update =
            |id: i64, before: &str| updates(0, id, json!({"body": {"city": "Bonn"}, "before": {"city": before}}));
        assert_eq!(decided(account(), &[update(7, "Ulm")]), ["send"]);
        assert_eq!(
            decided(account(), &[update(7, "Köln")]),
            ["record.conflict: changed since the plan was made: city was `Köln`, is `Ulm`"]
        );
        assert_eq!(decided(account(), &[update(9, "Ulm")]), ["record.missing: the record is not there any more"]);
        assert_eq!(decided(account(), &[declined(update(9, "Ulm"))]), ["not approved"]);
        let delete = |id: i64, before: Json| {
            proposed(0, "locations", WriteKind::Delete(id), json!({"body": {}, "before": before}))
        };
        assert_eq!(decided(account(), &[delete(7, json!({"id": 7, "name": "Berlin", "city": "Ulm"}))]), ["send"]);
        assert_eq!(
            decided(account(), &[delete(7, json!({"name": "Bern", "city": null}))]),
            [
                "record.conflict: changed since the plan was made: name was `Bern`, is `Berlin`; city was empty, is `Ulm`"
            ]
        );
        assert_eq!(decided(account(), &[delete(9, json!({}))]), ["record.missing: the record is not there any more"]);
    }

    #[test]
    fn a_record_that_somebody_has_made_since_the_plan_is_not_made_again() {
        let made = |entity: &str, body: Json| decided(account(), &[creates(0, entity, body)]).remove(0);
        assert_eq!(made("locations", json!({"name": "Kiel"})), "send");
        assert_eq!(made("locations", json!({"name": "berlin"})), "record.exists: made since the plan was made: Berlin");
        let product = |model: &str, category: i64| {
            made("products", json!({"name": "X1", "model_number": model, "category_id": category}))
        };
        assert_eq!(product("G9", 1), "record.exists: made since the plan was made: X1");
        assert_eq!(product("G10", 1), "send");
        // A key that is not given is empty.
        assert_eq!(made("products", json!({"name": "X1", "category_id": 1})), "send");
        assert_eq!(made("products", json!({"model_number": "G9", "category_id": 1})), "send");
        let twice = account().with("locations", [json!({"id": 9, "name": "Berlin"})]);
        let found = decided(twice, &[creates(0, "locations", json!({"name": "Berlin"}))]).remove(0);
        assert!(found.starts_with("record.exists: made since the plan was made: Berlin (#7"), "{found}");
    }

    #[test]
    fn a_key_of_references_is_compared_by_id_and_not_where_the_run_makes_what_it_names() {
        let work =
            |asset: Json| json!({"asset_id": asset, "name": "Fan", "type": "repair", "start_date": "2026-03-02"});
        let source = || {
            account().with(
                "maintenances",
                [json!({"id": 4, "name": "Fan", "asset_id": 1, "type": "repair", "start_date": "2026-03-02"})],
            )
        };
        let held = |asset: Json| decided(source(), &[creates(0, "maintenances", work(asset))]).remove(0);
        let key = schema::find("maintenances").unwrap().key;
        assert!(key.contains(&"asset_id"), "{key:?}");
        assert!(held(json!(1)).starts_with("record.exists: made since the plan was made: "), "{}", held(json!(1)));
        assert_eq!(held(json!(2)), "send");
        let asset = creates(0, "assets", json!({"asset_id": "A-9", "product_id": 1, "status_id": 1}));
        let waits = json!({"body": work(Json::Null), "depends_on": [{"step": 0, "field": "asset_id"}]});
        let steps = [asset, proposed(1, "maintenances", WriteKind::Create, waits)];
        assert_eq!(decided(source(), &steps), ["send", "send"]);
    }

    #[test]
    fn what_needs_a_step_that_is_not_sent_is_not_sent_either() {
        let steps = |is_approved: bool, name: &str| {
            let place = ProposedStep { is_approved, ..creates(0, "locations", json!({"name": name})) };
            let person = json!({
                "body": {"name": "Eve", "email": "eve@example.com"},
                "depends_on": [{"step": 0, "field": "location_id"}],
            });
            let asset = json!({"body": {"asset_id": "A-9"}, "depends_on": [{"step": 3, "field": "location_id"}]});
            [
                place,
                proposed(3, "employees", WriteKind::Create, person),
                proposed(4, "assets", WriteKind::Create, asset),
            ]
        };
        assert_eq!(decided(account(), &steps(true, "Kiel")), ["send", "send", "send"]);
        assert_eq!(
            decided(account(), &steps(false, "Kiel")),
            [
                "not approved",
                "dependency.left_out: it needs location `Kiel`, which was not approved",
                "dependency.left_out: it needs employee `Eve`, which cannot be sent",
            ]
        );
        assert_eq!(
            decided(account(), &steps(true, "Bonn"))[1],
            "dependency.left_out: it needs location `Bonn`, which cannot be sent"
        );
    }

    #[test]
    fn an_item_that_somebody_else_has_by_now_is_not_moved() {
        let moved = |action: &str, item: Json, before: Json| {
            let body = json!({"asset_id": item, "employee_id": 1, "checkout_date": "2026-03-02"});
            let content = json!({"body": body, "before": before});
            decided(account(), &[proposed(0, action, WriteKind::Create, content)]).remove(0)
        };
        let by_ada = json!({"deployed_to": [{"employee_id": 1}]});
        let nobody = json!({"deployed_to": []});
        assert_eq!(moved("checkout_asset", json!("A-3"), nobody.clone()), "send");
        assert_eq!(
            moved("checkout_asset", json!("A-1"), nobody.clone()),
            "record.conflict: changed since the plan was made: it was with nobody, and is with `employee #1`"
        );
        assert_eq!(
            moved("checkout_asset", json!("A-2"), nobody.clone()),
            "record.conflict: changed since the plan was made: it was with nobody, and is with `location #7`"
        );
        assert_eq!(moved("checkin_asset", json!(1), by_ada.clone()), "send");
        assert_eq!(
            moved("checkin_asset", json!(3), by_ada.clone()),
            "record.conflict: changed since the plan was made: it was with `employee #1`, and is with nobody"
        );
        assert_eq!(
            moved("checkin_asset", json!(2), by_ada.clone()),
            "record.conflict: changed since the plan was made: it was with `employee #1`, and is with `location #7`"
        );
        // The run takes it back itself, nothing is known of before, or it is none of the account's.
        assert_eq!(moved("checkout_asset", json!("A-2"), json!({"deployed_to": null})), "send");
        assert_eq!(moved("checkout_asset", json!("A-2"), json!({})), "send");
        assert_eq!(moved("checkout_asset", json!("A-9"), nobody), "send");
        assert_eq!(moved("checkout_asset", json!(true), by_ada), "send");
    }

    #[test]
    fn of_what_is_kept_in_stock_the_service_decides() {
        let body = json!({"accessory_id": 5, "employee_id": 1, "quantity": 1, "checkout_date": "2026-03-02"});
        let content = json!({"body": body, "before": {"available": 9, "deployed_to": []}});
        assert_eq!(decided(account(), &[proposed(0, "checkout_accessory", WriteKind::Create, content)]), ["send"]);
    }

    #[test]
    fn items_that_the_run_makes_are_not_looked_up() {
        let asset = creates(0, "assets", json!({"asset_id": "A-9", "product_id": 1, "status_id": 1}));
        let out = |item: Json, depends_on: Json| {
            let body = json!({"asset_id": item, "employee_id": 1, "checkout_date": "2026-03-02"});
            proposed(1, "checkout_asset", WriteKind::Create, json!({"body": body, "depends_on": depends_on}))
        };
        let asked = |step: ProposedStep| format!("{:?}", lookups(&[declined(creates(0, "assets", json!({}))), step]));
        assert!(asked(out(json!("A-9"), json!([]))).contains("\"A-9\""));
        assert!(asked(out(json!("A-9"), json!([{"step": 7, "field": null}]))).contains("\"A-9\""));
        assert!(!asked(out(json!("A-9"), json!([{"step": 0, "field": null}]))).contains("A-9"));
        assert!(asked(out(json!(77), json!([{"step": 0, "field": null}]))).contains("77"));
        assert_eq!(asked(declined(out(json!("A-9"), json!([])))), format!("{:?}", LookupRequest::default()));
        assert!(is_made(std::slice::from_ref(&asset), 0) && !is_made(std::slice::from_ref(&asset), 1));
        assert!(!is_made(&[out(json!("A-9"), json!([]))], 1), "a check-out makes nothing");
        assert!(!is_made(&[updates(0, 7, json!({"body": {}}))], 0));
    }

    #[test]
    fn records_are_looked_up_by_their_key_or_among_all() {
        let asked = |body: Json| format!("{:?}", lookups(&[creates(0, "locations", body)]));
        assert!(asked(json!({"name": "Kiel"})).contains("\"Kiel\""));
        assert!(asked(json!({})).contains("is_any: false"), "{}", asked(json!({})));
        assert!(asked(json!({"name": 7})).contains("is_any: true"), "{}", asked(json!({"name": 7})));
        let update = format!("{:?}", lookups(&[updates(0, 741, json!({"body": {}}))]));
        assert!(update.contains("741") && update.contains("[\"name\"]"), "{update}");
    }

    #[test]
    fn a_step_without_sense_is_not_sent() {
        let broken = ProposedStep { content: "{".into(), ..creates(0, "locations", json!({"name": "Kiel"})) };
        assert!(broken.step().is_none());
        let whole = creates(4, "locations", json!({"name": "Kiel"})).step().unwrap();
        assert_eq!((whole.number, whole.row.row, whole.role, whole.write), (4, 6, StepRole::Row, WriteKind::Create));
        assert_eq!((whole.body["name"].as_str(), whole.depends_on.len(), whole.before), (Some("Kiel"), 0, None));
    }

    #[test]
    fn steps_are_described_by_what_they_are_about() {
        let said = |entity: &str, body: Json| described(&creates(0, entity, body).step().unwrap());
        assert_eq!(said("products", json!({"name": "X1"})), "product `X1`");
        assert_eq!(said("checkout_asset", json!({"asset_id": "A-1"})), "the check-out of `A-1`");
        assert_eq!(said("checkin_asset", json!({"asset_id": 12})), "the check-in of #12");
        assert_eq!(said("assets", json!({"asset_id": "A-1", "name": null})), "asset `A-1`");
        assert_eq!(said("locations", json!({})), "location");
        let broken = ProposedStep { content: "".into(), ..creates(0, "locations", json!({})) };
        assert_eq!(blocked_by(&broken).error.message, "it needs location, which cannot be sent");
    }

    #[test]
    fn holders_of_whom_little_is_known_are_named_all_the_same() {
        let item = schema::collection("assets").unwrap();
        assert_eq!(holder_of(&json!({"asset_id": 3}), item), "asset_id 3");
        assert_eq!(holder_of(&json!({"something": 3}), item), "another asset");
        assert_eq!(shown_holders(&[]), "nobody");
        assert_eq!(shown_holders(&[String::from("Ada"), String::from("Bob")]), "`Ada`, `Bob`");
        assert_eq!(
            ["x".into(), json!(7), json!(true)].map(|value| key_text(&value)),
            [Some("x".into()), Some("7".into()), None]
        );
    }

    #[test]
    fn what_is_sent_is_counted_by_kind() {
        let steps = [
            creates(0, "locations", json!({"name": "Kiel"})),
            creates(1, "checkout_asset", json!({"asset_id": "A-1"})),
            updates(2, 7, json!({"body": {"city": null, "zip": null, "state": "BE"}})),
            updates(3, 8, json!({"body": {"city": null}})),
            proposed(4, "locations", WriteKind::Delete(9), json!({"body": {}})),
            creates(5, "locations", json!({"name": "Ulm"})),
        ];
        let (send, not) = (StepDecision::Send, StepDecision::NotApproved);
        let decisions = [send.clone(), send.clone(), send.clone(), not.clone(), send, not];
        let counted = totals(&steps, &decisions);
        assert_eq!((counted.rows, counted.creates, counted.updates), (6, 1, 1));
        assert_eq!((counted.clears, counted.deletes), (2, 1));
    }

    #[test]
    fn steps_are_numbered_anew_and_rows_say_what_becomes_of_them() {
        let waits = json!({
            "body": {"name": "Eve", "email": "eve@example.com"},
            "depends_on": [{"step": 2, "field": "location_id"}, {"step": 9, "field": null}],
        });
        let steps = vec![
            declined(creates(0, "locations", json!({"name": "Ulm"}))),
            creates(2, "locations", json!({"name": "Kiel"})),
            updates(3, 7, json!({"body": {"city": "Bonn"}, "before": {"city": "Ulm"}})),
            proposed(5, "employees", WriteKind::Create, waits),
            updates(6, 8, json!({"body": {"city": "Bonn"}})),
        ];
        let problem = blocked_by(&steps[0]);
        let send = StepDecision::Send;
        let rejected = StepDecision::Rejected(Box::new(problem.clone()));
        let decisions = [StepDecision::NotApproved, send.clone(), rejected, send.clone(), send];
        let (id, details) = (String::from("20261124-093012-kqzf"), RunDetails::default());
        let account = AccountIdentity::SandboxMemory;
        let header = RunHeader { id, kind: RunKind::Apply, account, undoes: None, details };
        let mut journal = JournalBuilder::create(JournalLocation::Memory, &header).unwrap();
        let rows = write_steps(&mut journal, steps, &decisions).unwrap();
        let planned = |row: u64| &rows[&RowId { sheet: 0, row }];
        let ended = |row: u64| (planned(row).state, planned(row).status, planned(row).record);
        assert_eq!(ended(2), (RowState::Ended, RowStatus::Skipped, None));
        assert_eq!((planned(2).message.as_str(), planned(2).problems.len()), ("not approved", 0));
        assert_eq!(ended(4), (RowState::Planned, RowStatus::Created, None));
        assert_eq!(ended(5), (RowState::Ended, RowStatus::Failed, Some(7)));
        assert_eq!((planned(5).message.as_str(), &planned(5).problems), ("", &vec![problem]));
        assert_eq!(ended(8), (RowState::Planned, RowStatus::Updated, Some(8)));
        let journal = journal.finish(&AccountSnapshot::default()).unwrap();
        assert_eq!(journal.step_count().unwrap(), 3);
        let person = journal.step(1).unwrap().unwrap();
        assert_eq!((person.entity.name, person.depends_on[0].step, person.depends_on[1].step), ("employees", 0, 9));
        assert_eq!(journal.step(0).unwrap().unwrap().body["name"], "Kiel");
        assert_eq!(journal.step(2).unwrap().unwrap().write, WriteKind::Update(8));
    }

    #[test]
    fn the_records_concerned_are_read_again() {
        let office = Office::new();
        let steps = [
            proposed(
                0,
                "locations",
                WriteKind::Update(2),
                json!({"body": {"city": "Bonn"}, "before": {"city": "Berlin"}}),
            ),
            creates(1, "suppliers", json!({"name": "contoso supplies"})),
            proposed(
                2,
                "locations",
                WriteKind::Update(3),
                json!({"body": {"city": "Bonn"}, "before": {"city": "Bern"}}),
            ),
        ];
        let mut told = Told::default();
        let decisions = office.runtime.block_on(decide(&office.account, &steps, &mut told)).unwrap();
        assert_eq!(
            decisions.iter().map(shown).collect::<Vec<String>>(),
            [
                "send",
                "record.exists: made since the plan was made: Contoso Supplies",
                "record.conflict: changed since the plan was made: city was `Bern`, is `London`",
            ]
        );
        let mut phases = told.phases;
        phases.sort();
        phases.dedup();
        assert_eq!(phases, ["reading locations again", "reading suppliers again"]);
    }

    #[test]
    fn only_fields_that_changed_since_the_plan_stand_in_the_way() {
        let Ok(catalog) = block_on(Catalog::fetch(&FakeSource::new(), &LookupRequest::default(), &mut |_, _| {}));
        let step = |collection: &str, write: WriteKind, before: Json| {
            let entity = schema::collection(collection).unwrap();
            let step = Step::new(0, RowId { sheet: 0, row: 2 }, StepRole::Row, entity, write);
            Step { before: before.as_object().cloned(), ..step }
        };
        let changed = |step: &Step, held: Json| changed_fields(step, held.as_object().unwrap(), &catalog);
        let update = step("locations", WriteKind::Update(1), json!({"name": "Berlin", "city": "Ulm"}));
        assert_eq!(changed(&update, json!({"name": "Berlin", "city": "Ulm", "country": "DE"})), [""; 0]);
        assert_eq!(changed(&update, json!({"name": "Berlin", "city": "Bonn"})), ["city was `Ulm`, is `Bonn`"]);
        assert_eq!(changed(&update, json!({"name": "Berlin"})), ["city was `Ulm`, is empty"]);
        // How much a person holds changes by itself.
        let before = json!({"name": "Ada", "number_of_assets": 1});
        let delete = step("employees", WriteKind::Delete(1), before);
        assert_eq!(changed(&delete, json!({"name": "Ada", "number_of_assets": 2})), [""; 0]);
        assert_eq!(changed(&delete, json!({"name": "Bob", "number_of_assets": 1})), ["name was `Ada`, is `Bob`"]);
    }
}
