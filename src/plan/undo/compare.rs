//! Compares written values with current ones, and converts values of replies to the form in which they are sent.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value as Json;

use super::current_state::CurrentState;
use crate::api::{Record, custom_fields, plain_text};
use crate::plan::diff::{self, ValueMatch, compare};
use crate::schema::{Entity, Field, Kind, fold_header};

/// Which request a value is for: the guide spells some options differently for create and update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WriteMethod {
    Create,
    Update,
}

impl CurrentState {
    /// Whether a record has a value, as far as the reply shows.
    pub(crate) fn holds(&self, entity: &Entity, field: &Field, value: &Json, record: &Record) -> bool {
        if !field.read || (!record.contains_key(field.name) && !self.carries(entity, field.name)) {
            return true;
        }
        let is_same_record = |reference, tag: &Json, held: &Json| {
            let id = self.id_of(reference, tag);
            Some(id.is_some() && id == self.id_of(reference, held))
        };
        let held = record.get(field.name).unwrap_or(&Json::Null);
        compare(field, value, held, is_same_record) == ValueMatch::Same
    }
}

/// Converts a value of a reply to the form in which it is sent; null for no value.
pub(super) fn as_sent(field: &Field, value: &Json, method: WriteMethod, current: &CurrentState) -> Json {
    if is_empty(value) {
        return Json::Null;
    }
    let text = || plain_text(value);
    match field.kind {
        Kind::CustomFields => match custom_fields(value) {
            pairs if pairs.is_empty() => Json::Null,
            pairs => diff::pairs(&pairs),
        },
        Kind::Reference(reference) => {
            let wired = current.id_of(reference, value).and_then(|id| current.wire(reference, id));
            wired.unwrap_or_else(|| value.clone())
        }
        Kind::Date => Json::from(text().get(..10).unwrap_or_default()),
        Kind::Boolean => match text().to_ascii_lowercase().as_str() {
            "1" | "yes" | "true" => Json::from(true),
            _ => Json::from(false),
        },
        Kind::Money | Kind::Integer { .. } | Kind::User => number(&text()).unwrap_or_else(|| value.clone()),
        Kind::Option(choices) => {
            let folded = fold_header(&text());
            let is_it = |option: &&str| fold_header(option) == folded;
            let position = choices.create.iter().position(is_it).or_else(|| choices.update.iter().position(is_it));
            let spellings = if method == WriteMethod::Create { choices.create } else { choices.update };
            position.and_then(|at| spellings.get(at)).map_or_else(|| value.clone(), |option| Json::from(*option))
        }
        Kind::Text(_) | Kind::Currency | Kind::Structure => Json::from(text()),
    }
}

/// What restores custom fields to those of before. Those that came since are sent with an empty value, as an import clears
/// them: whether a service removes what an update leaves out is not documented.
pub(super) fn restored_pairs(was: &Json, now: Option<&Json>) -> Json {
    let mut pairs = custom_fields(was);
    for (name, value) in now.map(custom_fields).unwrap_or_default() {
        if !value.trim().is_empty() && diff::position_of(&name, &pairs).is_none() {
            pairs.push((name, String::new()));
        }
    }
    if pairs.is_empty() { Json::Null } else { diff::pairs(&pairs) }
}

/// Whole amounts are sent as integers (field notes).
fn number(text: &str) -> Option<Json> {
    let number: Decimal = text.trim().parse().ok()?;
    match number.normalize().scale() {
        0 => number.to_i64().map(Json::from),
        _ => number.to_f64().map(Json::from),
    }
}

pub(in crate::plan) fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(items) => items.is_empty(),
        _ => false,
    }
}
