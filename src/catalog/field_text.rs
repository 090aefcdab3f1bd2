//! Values of fields as text, and the folded form in which they are compared.

use std::borrow::Cow;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde_json::Value;

use crate::schema::{Entity, Kind, fold_name, without_separators};

/// A value as a sheet would show it; none for nothing and for structures.
pub(super) fn value_text(value: Option<&Value>) -> Option<Cow<'_, str>> {
    match value? {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The folded value of a field; empty for nothing.
pub(super) fn folded_value<'a>(entity: &Entity, field: &str, value: Option<&'a Value>) -> Cow<'a, str> {
    match value_text(value) {
        Some(Cow::Borrowed(text)) => folded_text(entity, field, text),
        Some(Cow::Owned(text)) => Cow::Owned(folded_text(entity, field, &text).into_owned()),
        None => Cow::Borrowed(""),
    }
}

/// A text as a value of that field, folded: options without separators, dates without the time, numbers without trailing
/// zeros, everything else as names are.
pub(super) fn folded_text<'a>(entity: &Entity, field: &str, text: &'a str) -> Cow<'a, str> {
    match entity.field(field).map(|field| field.kind) {
        Some(Kind::Option(_)) => Cow::Owned(without_separators(&fold_name(text))),
        Some(Kind::Date) => Cow::Borrowed(day(text.trim())),
        Some(Kind::Money | Kind::Integer { .. }) => match Decimal::from_str(text.trim()) {
            Ok(number) => Cow::Owned(number.normalize().to_string()),
            Err(_) => fold_name(text),
        },
        _ => fold_name(text),
    }
}

/// The first ten characters: `2024-05-01` of `2024-05-01T12:34:56.789Z`.
fn day(text: &str) -> &str {
    text.char_indices().nth(10).map_or(text, |(end, _)| &text[..end])
}
