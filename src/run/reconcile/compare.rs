//! What was sent beside what is there. Pure.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use crate::api::{Body, Record};
use crate::catalog::fold_name;
use crate::plan::holds;
use crate::schema::{Entity, Field, Kind, Reference, TextForm, Use, Wire};

/// System ids of assets by their tags; none where the account has no asset of that tag.
pub(super) type Tags = HashMap<String, Option<i64>>;

/// What is known of replies as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'v> {
    /// Fields that any of the replies carries. One that a single record lacks is empty there; one that all lack, such
    /// as a field that is only ever written, says nothing of any.
    pub(super) carried: &'v HashSet<String>,
    pub(super) tags: &'v Tags,
}

/// A value that was sent, beside what a record holds there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    Same,
    /// The same text but for case, spacing or Unicode form: a service may store it so.
    Alike,
    Other,
    /// The reply does not tell.
    Silent,
}

pub(super) fn likeness(field: &Field, wanted: &Json, record: &Record, view: View<'_>) -> Likeness {
    match record.get(field.name) {
        None if !view.carried.contains(field.name) => Likeness::Silent,
        held => compare(field, wanted, held.unwrap_or(&Json::Null), view.tags),
    }
}

fn compare(field: &Field, wanted: &Json, held: &Json, tags: &Tags) -> Likeness {
    let held = match (field.kind, held) {
        // A reference may come back as the record it names.
        (Kind::Reference(_), Json::Object(named)) => named.get("id").unwrap_or(held),
        _ => held,
    };
    if holds(field, wanted, Some(held)) {
        return Likeness::Same;
    }
    match field.kind {
        Kind::Reference(Reference { wire: Wire::Tag, .. }) => asset_likeness(wanted, held, tags),
        Kind::Text(form) if is_alike(wanted, held) => match form {
            // Whatever the standard says of the part before the `@`, no service tells addresses apart by case.
            TextForm::Email => Likeness::Same,
            TextForm::Plain | TextForm::Url => Likeness::Alike,
        },
        _ => Likeness::Other,
    }
}

/// A tag that was sent may come back as the asset's system id.
fn asset_likeness(tag: &Json, held: &Json, tags: &Tags) -> Likeness {
    let Some(held) = integer(held) else { return Likeness::Other };
    match tag.as_str().and_then(|tag| tags.get(tag.trim())) {
        None => Likeness::Silent,
        Some(id) if *id == Some(held) => Likeness::Same,
        Some(_) => Likeness::Other,
    }
}

fn is_alike(wanted: &Json, held: &Json) -> bool {
    match (wanted, held) {
        (Json::String(wanted), Json::String(held)) => fold_name(wanted) == fold_name(held),
        _ => false,
    }
}

/// A whole number, which some replies carry as text.
pub(super) fn integer(value: &Json) -> Option<i64> {
    match value {
        Json::Number(number) => number.as_i64(),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// How a record fits the body of a create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fit {
    /// It holds all that was sent, as far as it tells, and so many fields beyond that.
    Equal { beyond: usize, telling: Telling },
    /// It has the key that was sent and differs in these fields; or differs in the key's letters alone.
    Differs(Vec<&'static str>),
    /// It may have the key that was sent, but does not tell these fields of it.
    Untold(Vec<&'static str>),
    /// Another record.
    Stranger,
}

/// Whether a record tells all the fields that were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telling {
    All,
    Some,
}

/// Compares a record with what a create sent. A key field that was not sent must be empty in the record: a product
/// without a model number is not the one of that name with one.
pub(super) fn fit(entity: &'static Entity, body: &Body, record: &Record, view: View<'_>) -> Fit {
    let (mut alike, mut untold, mut differing) = (Vec::new(), Vec::new(), Vec::new());
    let (mut beyond, mut telling) = (0, Telling::All);
    for field in entity.created_fields() {
        let is_key = entity.key.contains(&field.name);
        let Some(wanted) = body.get(field.name) else {
            let is_filled = !holds(field, &Json::Null, record.get(field.name));
            match is_key && is_filled {
                true => return Fit::Stranger,
                false => beyond += usize::from(is_filled),
            }
            continue;
        };
        match (likeness(field, wanted, record, view), is_key) {
            (Likeness::Same, _) => {}
            (Likeness::Silent, true) => untold.push(field.name),
            (Likeness::Silent, false) => telling = Telling::Some,
            (Likeness::Alike, true) => alike.push(field.name),
            (Likeness::Other, true) => return Fit::Stranger,
            (Likeness::Alike | Likeness::Other, false) => differing.push(field.name),
        }
    }
    match (alike.is_empty(), differing.is_empty()) {
        (true, true) if untold.is_empty() => Fit::Equal { beyond, telling },
        (true, true) => Fit::Untold(untold),
        (true, false) => Fit::Differs(differing),
        (false, true) => Fit::Differs(alike),
        // Other letters and other values: nobody made this out of what was sent.
        (false, false) => Fit::Stranger,
    }
}

/// How a record fits the body of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// It holds all that was sent, as far as it tells.
    AsSent,
    /// It holds what it held before.
    AsBefore,
    /// These fields hold neither.
    Neither(Vec<&'static str>),
    /// It tells none of the fields, or what they held before is not known and they do not hold what was sent.
    NotAsSent,
}

/// Compares a record with what an update sent, and with what stood there before it.
pub(super) fn state(
    entity: &'static Entity,
    body: &Body,
    before: Option<&Body>,
    record: &Record,
    view: View<'_>,
) -> State {
    let told: Vec<_> = body
        .iter()
        .filter_map(|(name, wanted)| {
            let field = entity.field(name)?;
            Some((field, likeness(field, wanted, record, view))).filter(|(_, likeness)| *likeness != Likeness::Silent)
        })
        .collect();
    let changed = told.iter().filter(|(_, likeness)| *likeness != Likeness::Same);
    let changed: Vec<_> = changed.map(|(field, _)| *field).collect();
    match before {
        _ if told.is_empty() => State::NotAsSent,
        _ if changed.is_empty() => State::AsSent,
        None => State::NotAsSent,
        Some(before) => {
            let was = |field: &Field| before.get(field.name).unwrap_or(&Json::Null);
            let is_as_before = |field: &Field| likeness(field, was(field), record, view) == Likeness::Same;
            match told.iter().all(|(field, _)| is_as_before(field)) {
                true => State::AsBefore,
                false => State::Neither(changed.into_iter().map(|field| field.name).collect()),
            }
        }
    }
}

/// The field by which records are searched and sorted out: the one of the key that tells most and is read the same
/// everywhere. Not a reference, which the guide takes now by tag and now by id, and not an option, which it spells in
/// two ways: a filter that finds nothing for such a reason would pass for "not there".
pub(super) fn telling_field(entity: &'static Entity) -> Option<&'static Field> {
    let fields = entity.key.iter().filter_map(|name| entity.field(name)).filter(|field| field.filter);
    let rank = |field: &&Field| match field.kind {
        Kind::Text(_) => Some(0),
        Kind::Date => Some(1),
        _ => None,
    };
    fields.filter(|field| rank(field).is_some() && field.create != Use::No).min_by_key(rank)
}

/// A value of the telling field, in the form in which records are sorted out.
pub(super) fn folded(field: &Field, value: Option<&Json>) -> Option<String> {
    let text = match value? {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return None,
    };
    let day = text.get(..10).filter(|_| field.kind == Kind::Date);
    Some(fold_name(day.unwrap_or(&text)).into_owned()).filter(|text| !text.is_empty())
}
