//! A value of an account's record as a value of a column: as far as it fits, and nothing otherwise. What the account
//! served is kept beside it, so nothing is lost.

use rusqlite::types::Value;
use serde_json::{Value as Json, json};

use crate::schema::{Choices, Kind};

/// The value that a column of this kind can hold, `Null` if there is none. References to a tag are looked up by the store.
pub(in crate::sandbox) fn column_value(kind: Kind, json: &Json) -> Value {
    let value = match kind {
        Kind::Text(_) | Kind::Date | Kind::Currency => text(json).map(Value::Text),
        Kind::Integer { .. } | Kind::User | Kind::Reference(_) => integer(json).map(Value::Integer),
        Kind::Money => amount(json).map(Value::Integer),
        Kind::Boolean => boolean(json).map(|yes| Value::Integer(yes.into())),
        Kind::Option(choices) => text(json).map(|text| Value::Text(option(choices, text))),
        Kind::CustomFields => custom_field_pairs(json).map(Value::Text),
        Kind::Structure => None,
    };
    value.unwrap_or(Value::Null)
}

/// A text, or a number or boolean in its place.
pub(in crate::sandbox) fn text(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(json.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A whole number, which may be written as `12.0` or as text.
pub(in crate::sandbox) fn integer(json: &Json) -> Option<i64> {
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() < EXACT).then_some(number as i64);
    match json {
        Json::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Json::String(text) => text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?)),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// 2^53: whole numbers below it are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// An amount of money. The sandbox counts in whole ones, and rounds.
fn amount(json: &Json) -> Option<i64> {
    let number = match json {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.trim().parse().ok(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    };
    integer(json).or_else(|| integer(&json!(number?.round())))
}

fn boolean(json: &Json) -> Option<bool> {
    match json {
        Json::Bool(yes) => Some(*yes),
        Json::Number(number) => number.as_f64().map(|number| number != 0.0),
        Json::String(text) if matches!(text.as_str(), "true" | "1") => Some(true),
        Json::String(text) if matches!(text.as_str(), "false" | "0") => Some(false),
        _ => None,
    }
}

/// An option in the spelling of create, in which the sandbox stores it.
fn option(choices: Choices, text: String) -> String {
    let updated = choices.update.iter().position(|option| *option == text);
    let created =
        updated.and_then(|index| choices.create.get(index)).filter(|_| !choices.create.contains(&text.as_str()));
    created.map_or(text, |option| (*option).to_owned())
}

/// Custom fields as the sandbox stores them, an array of pairs, from every shape that a reply may have (field notes).
fn custom_field_pairs(json: &Json) -> Option<String> {
    let pair = |name: &str, value: &Json| json!({"name": name, "value": text(value).unwrap_or_default()});
    let pairs: Vec<Json> = match json {
        Json::String(encoded) => {
            let inner = serde_json::from_str(encoded).ok().filter(|inner: &Json| !inner.is_string())?;
            return custom_field_pairs(&inner);
        }
        Json::Array(pairs) => {
            pairs.iter().filter_map(|field| Some(pair(field.get("name")?.as_str()?, &field["value"]))).collect()
        }
        Json::Object(fields) => fields.iter().map(|(name, value)| pair(name, value)).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) => return None,
    };
    Some(Json::from(pairs).to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::schema;

    #[test]
    fn values_of_other_types_are_kept_as_far_as_they_fit() {
        let number = Kind::Integer { least: 0 };
        for (kind, json, expected) in [
            (number, json!(7), Value::Integer(7)),
            (number, json!(7.0), Value::Integer(7)),
            (number, json!("7"), Value::Integer(7)),
            (number, json!("7.50"), Value::Null),
            (number, json!(1e300), Value::Null),
            (number, json!({"id": 7}), Value::Null),
            (Kind::Money, json!("1299.00"), Value::Integer(1299)),
            (Kind::Money, json!(12.5), Value::Integer(13)),
            (Kind::Money, json!("free"), Value::Null),
            (Kind::Money, json!(1e300), Value::Null),
            (Kind::Boolean, json!(1), Value::Integer(1)),
            (Kind::Boolean, json!("false"), Value::Integer(0)),
            (Kind::Boolean, json!("maybe"), Value::Null),
            (Kind::Date, json!("2024-05-01"), Value::Text("2024-05-01".into())),
            (Kind::Currency, json!(5), Value::Text("5".into())),
            (Kind::Structure, json!([1]), Value::Null),
        ] {
            assert_eq!(column_value(kind, &json), expected, "{kind:?} {json}");
        }
    }

    #[test]
    fn an_option_has_one_spelling() {
        let kind = schema::collection("maintenances").unwrap().field("type").unwrap().kind;
        for text in ["hardware support", "hardware_support"] {
            assert_eq!(column_value(kind, &json!(text)), Value::Text("hardware support".into()));
        }
        assert_eq!(column_value(kind, &json!("odd")), Value::Text("odd".into()));
    }

    #[test]
    fn custom_fields_are_stored_as_pairs() {
        let pairs = r#"[{"name":"MAC","value":"aa"},{"name":"Rack","value":"4"}]"#;
        for json in [
            json!([{"name": "MAC", "value": "aa"}, {"name": "Rack", "value": 4}]),
            json!({"MAC": "aa", "Rack": 4}),
            json!(r#"{"MAC": "aa", "Rack": "4"}"#),
        ] {
            assert_eq!(column_value(Kind::CustomFields, &json), Value::Text(pairs.into()));
        }
        assert_eq!(column_value(Kind::CustomFields, &json!("text")), Value::Null);
    }
}
