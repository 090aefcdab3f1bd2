//! Reply shapes: the guide leaves them open, so each preset is one plausible choice.

use serde_json::{Map, Value, json};

use super::account::{Record, Refusal};
use super::tables::{Collection, Kind};

/// A reply shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shapes {
    /// `{"data": {..}}`; an update is 204, errors are a list of sentences.
    Data,
    /// `{"asset": {..}}`; an update is an empty object, errors are one sentence under `error`.
    Singular,
    /// `[{..}]`; errors by field.
    ListOfOne,
    /// `{"assets": [{..}]}`; errors are `{"message": ..}`.
    Plural,
    /// `{"id": 7, "message": "created"}`; errors are plain text.
    IdOnly,
    /// `{"message": "ok"}`; errors by field.
    MessageOnly,
    /// As `ListOfOne`, with ids as text, texts of digits as numbers, and null for false. Custom fields that an update does
    /// not name stay, and the log's `date_to` is the beginning of that day.
    Loose,
}

impl Shapes {
    pub const ALL: [Self; 7] =
        [Self::Data, Self::Singular, Self::ListOfOne, Self::Plural, Self::IdOnly, Self::MessageOnly, Self::Loose];

    /// The longest page; a larger limit is reduced silently.
    pub fn longest_page(self) -> usize {
        match self {
            Self::Data | Self::MessageOnly => 100,
            Self::Singular | Self::IdOnly => 500,
            Self::ListOfOne | Self::Plural | Self::Loose => 1000,
        }
    }

    /// Whether searches ignore case.
    pub fn folds_case(self) -> bool {
        matches!(self, Self::Data | Self::ListOfOne | Self::MessageOnly)
    }

    /// Whether log entries have more fields than those that identify them.
    pub fn tells_holders(self) -> bool {
        !matches!(self, Self::IdOnly | Self::MessageOnly)
    }

    /// Whether an update keeps the custom fields that it does not name.
    pub fn keeps_custom_fields(self) -> bool {
        self == Self::Loose
    }

    /// Whether a log entry is not later than the day in `date_to`.
    pub fn is_until(self, timestamp: &str, day: &str) -> bool {
        if self == Self::Loose { timestamp < day } else { &timestamp[..10] <= day }
    }

    /// Formats the values of a record.
    pub fn record(self, collection: &Collection, mut record: Record) -> Record {
        if self == Self::Loose {
            record.iter_mut().for_each(|(name, value)| *value = loosened(name, value));
        }
        for field in collection.fields() {
            let Some(value) = record.get_mut(field.name) else { continue };
            match field.kind {
                Kind::Money if matches!(self, Self::Data | Self::IdOnly) => *value = in_decimals(value),
                Kind::CustomFields => *value = self.custom_fields(value),
                _ => {}
            }
        }
        record
    }

    /// Custom fields are stored as pairs.
    fn custom_fields(self, pairs: &Value) -> Value {
        let Some(list) = pairs.as_array() else { return Value::Null };
        match self {
            Self::Data | Self::IdOnly => Value::String(pairs.to_string()),
            Self::Singular | Self::MessageOnly | Self::Loose => pairs.clone(),
            Self::ListOfOne | Self::Plural => list
                .iter()
                .map(|pair| (pair["name"].as_str().unwrap_or_default().to_owned(), pair["value"].clone()))
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    /// The response to a create.
    pub fn created(self, collection: &Collection, id: i64, record: Record) -> (u16, Value) {
        match self {
            Self::Data => (200, json!({"data": record})),
            Self::Singular => (201, json!({collection.singular: record})),
            Self::ListOfOne | Self::Loose => (200, json!([record])),
            Self::Plural => (201, json!({collection.name: [record]})),
            Self::IdOnly => (200, json!({"id": id, "message": "created"})),
            Self::MessageOnly => (200, json!({"message": "ok"})),
        }
    }

    /// The response to an update; null is an empty body.
    pub fn updated(self, collection: &Collection, record: Record) -> (u16, Value) {
        match self {
            Self::Data | Self::IdOnly => (204, Value::Null),
            Self::Singular => (200, json!({})),
            Self::ListOfOne | Self::Loose => (200, json!([record])),
            Self::Plural => (200, json!({collection.name: [record]})),
            Self::MessageOnly => (200, json!({"message": "ok"})),
        }
    }

    /// The response to a delete.
    pub fn deleted(self, collection: &Collection) -> (u16, Value) {
        match self {
            Self::Data | Self::IdOnly | Self::ListOfOne | Self::Loose => {
                (200, json!({"message": format!("The {} was deleted.", collection.singular)}))
            }
            Self::Singular => (204, Value::Null),
            Self::Plural | Self::MessageOnly => (200, json!({"success": true})),
        }
    }

    /// The response to a check-in or checkout of `item`.
    pub fn moved(self, collection: &Collection, id: i64, item: Record) -> (u16, Value) {
        match self {
            Self::Data | Self::Singular | Self::ListOfOne | Self::Plural | Self::Loose => {
                self.created(collection, id, item)
            }
            // No id: it would be unclear of what.
            Self::IdOnly => (200, json!({"status": "success"})),
            Self::MessageOnly => (200, json!({"message": "ok"})),
        }
    }

    /// The response to a refused request; plain text for some shapes.
    pub fn refused(self, refusal: &Refusal) -> Vec<u8> {
        let sentences: Vec<String> = refusal.sentences();
        let body = match self {
            Self::Data => json!({"errors": sentences}),
            Self::Singular => json!({"error": sentences.join(" ")}),
            Self::ListOfOne | Self::MessageOnly | Self::Loose => match refusal.by_field() {
                fields if fields.is_empty() => json!({"message": sentences.join(" ")}),
                fields => json!({"errors": fields}),
            },
            Self::Plural => json!({"message": sentences.join(" ")}),
            Self::IdOnly => return sentences.join("\n").into_bytes(),
        };
        body.to_string().into_bytes()
    }
}

/// A value in another type than the guide names.
fn loosened(name: &str, value: &Value) -> Value {
    match value {
        Value::Bool(false) => Value::Null,
        Value::Number(number) if name == "id" || name.ends_with("_id") => Value::String(number.to_string()),
        Value::String(text) if !text.starts_with('0') => {
            text.parse::<u32>().map_or_else(|_| value.clone(), Value::from)
        }
        _ => value.clone(),
    }
}

/// Formats `1299` as `"1299.00"`.
fn in_decimals(amount: &Value) -> Value {
    amount.as_f64().map_or(Value::Null, |amount| Value::String(format!("{amount:.2}")))
}
