//! Records that were made since the plan: a step must not make them a second time.
//!
//! They are found as an import finds them: by the fields that the plan matched its rows by, where a blank is no key
//! (design rule 3). Records that had the key when the plan was made do not count: the plan made its step beside them, as of
//! another manufacturer or with `--allow-duplicates`.

use serde_json::Value as Json;

use super::StepKey;
use crate::catalog::{Catalog, KeyValue, LookupRequest, LookupResult, RecordRef};
use crate::check::{Code, Problem, ValueError};
use crate::plan::Step;
use crate::schema::{self, Field};

/// Asks for the records that may be the one that a step creates.
pub(super) fn look_up(lookups: &mut LookupRequest, step: &Step, match_on: &[&'static str]) {
    let entity = step.entity;
    lookups.matching(entity.name, match_on);
    if is_awaited(step, match_on) {
        return;
    }
    for field in match_on.iter().filter_map(|name| entity.field(name)) {
        look_up_tag(lookups, step, field);
    }
    match match_on.first().and_then(|first| given(step, first)) {
        Some(Json::String(text)) => lookups.key(entity.name, text),
        None if match_on.iter().all(|name| given(step, name).is_none()) => {}
        // The rest of the key may be any record's.
        _ => lookups.matching_any(entity.name),
    }
}

/// Asks for the record whose tag a field of a step names.
pub(super) fn look_up_tag(lookups: &mut LookupRequest, step: &Step, field: &Field) {
    let to = field.reference_to().and_then(|reference| schema::collection(reference.to));
    if let (Some(to), Some(Json::String(tag))) = (to, step.body.get(field.name)) {
        lookups.matching(to.name, to.key);
        lookups.key(to.name, tag);
    }
}

/// The problem of a step whose record is there already.
pub(super) fn existing(step: &Step, key: &StepKey, catalog: &Catalog) -> Option<Problem> {
    let found = with_key(step, &key.match_on, catalog);
    let is_new = |target: &RecordRef| !matches!(target, RecordRef::Known(id) if key.same_key.contains(id));
    let (_, name) = found.into_iter().find(|(target, _)| is_new(target))?;
    let error = ValueError::new(
        Code::RecordExists,
        format!("made since the plan was made: {name}"),
        "make the plan again: it may have to be updated",
    );
    Some(error.at(None, ""))
}

/// The records of the account that have the key of the record that a step creates.
pub(crate) fn records_with_key(step: &Step, match_on: &[&'static str], catalog: &Catalog) -> Vec<i64> {
    let known = with_key(step, match_on, catalog).into_iter().filter_map(|(target, _)| match target {
        RecordRef::Known(id) => Some(id),
        RecordRef::Planned(_) => None,
    });
    known.collect()
}

/// The records with the key of a step's record, and what they are called.
fn with_key(step: &Step, match_on: &[&'static str], catalog: &Catalog) -> Vec<(RecordRef, String)> {
    if is_awaited(step, match_on) {
        return Vec::new();
    }
    let texts: Vec<Option<String>> = match_on.iter().map(|name| key_text(given(step, name)?)).collect();
    let mut key = Vec::new();
    for (name, text) in match_on.iter().zip(&texts) {
        let reference = step.entity.field(name).and_then(Field::reference_to);
        key.push(match (text, reference, given(step, name)) {
            // Nothing can refer to a record that is not there.
            (Some(_), Some(reference), Some(value)) => match catalog.sent_reference(reference, value) {
                Some(target) => KeyValue::Reference(target),
                None => return Vec::new(),
            },
            (Some(text), _, _) => KeyValue::Text(text),
            (None, _, _) => KeyValue::Missing,
        });
    }
    match catalog.match_record(step.entity.name, match_on, &key) {
        LookupResult::One(target) => vec![(target, catalog.describe(step.entity.name, target))],
        LookupResult::Many(several) => several,
        LookupResult::None { .. } => Vec::new(),
    }
}

/// Whether the key refers to a record that the run itself makes: then nothing has that key.
fn is_awaited(step: &Step, match_on: &[&'static str]) -> bool {
    let is_key = |name: &String| match_on.contains(&name.as_str());
    step.depends_on.iter().any(|awaited| awaited.field.as_ref().is_some_and(is_key))
}

/// What a step says in a field, if it says something.
fn given<'s>(step: &'s Step, name: &str) -> Option<&'s Json> {
    let value = step.body.get(name)?;
    let is_blank = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
    (!is_blank).then_some(value)
}

pub(super) fn key_text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
