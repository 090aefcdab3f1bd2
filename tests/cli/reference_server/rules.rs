//! Validates request bodies against the fields of the guide.

use serde_json::{Value, json};

use super::account::{Account, Record, Refusal};
use super::tables::{Field, Kind};

/// The kind of request: a create needs all required fields, an update must not clear them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Create,
    Update,
}

/// Returns the fields to store, or everything that is wrong with the body.
pub fn read(account: &Account, fields: &[Field], body: &Record, purpose: Purpose) -> Result<Record, Refusal> {
    let mut problems = Vec::new();
    let mut record = Record::new();
    for name in body.keys() {
        let is_id = name == "id" && purpose == Purpose::Update;
        if !is_id && fields.iter().all(|field| field.name != name) {
            problems.push((None, format!("{name} is not a parameter of this call.")));
        }
    }
    for field in fields {
        let given = body.get(field.name).filter(|value| !value.is_null() && **value != "");
        match (given, body.contains_key(field.name)) {
            (Some(value), _) => match value_of(account, field, value, purpose) {
                Ok(value) => drop(record.insert(field.name.into(), value)),
                Err(words) => problems.push((Some(field.name), words)),
            },
            (None, is_named) if field.needed && (is_named || purpose == Purpose::Create) => {
                problems.push((Some(field.name), "is required".into()));
            }
            (None, true) => drop(record.insert(field.name.into(), Value::Null)),
            (None, false) => {}
        }
    }
    if problems.is_empty() { Ok(record) } else { Err(Refusal { status: 422, problems }) }
}

fn value_of(account: &Account, field: &Field, value: &Value, purpose: Purpose) -> Result<Value, String> {
    let text = || value.as_str().ok_or_else(|| "must be text".to_owned());
    let kept = || Ok(value.clone());
    match field.kind {
        Kind::Text => text().and_then(|_| kept()),
        Kind::Integer if value.is_i64() => kept(),
        Kind::Integer => Err("must be an integer".into()),
        Kind::Money if value.is_number() => kept(),
        Kind::Money => Err("must be a number".into()),
        Kind::Boolean if value.is_boolean() => kept(),
        Kind::Boolean => Err("must be true or false".into()),
        Kind::Date => match text()?.parse::<jiff::civil::Date>() {
            Ok(date) if date.to_string() == text()? => kept(),
            _ => Err("must be a date such as 2022-12-01".into()),
        },
        Kind::CustomFields => custom_fields(value),
        Kind::Tag => match account.asset_tagged(text()?) {
            Some(_) => kept(),
            None => Err("is not the tag of an asset".into()),
        },
        Kind::Reference(name) => match value.as_i64().filter(|id| account.has(name, *id)) {
            Some(_) => kept(),
            None => Err(format!("is not the id of a record of {name}")),
        },
        Kind::Option(creating, updating) => {
            let options = if purpose == Purpose::Create { creating } else { updating };
            if options.contains(&text()?) { kept() } else { Err(format!("must be one of {}", options.join(", "))) }
        }
    }
}

/// Name and value pairs, as an array or as JSON text.
fn custom_fields(value: &Value) -> Result<Value, String> {
    let decoded = match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        other => other.clone(),
    };
    let pair = |pair: &Value| Some(json!({"name": pair.get("name")?.as_str()?, "value": pair.get("value")?}));
    let pairs: Option<Value> = decoded.as_array().and_then(|pairs| pairs.iter().map(pair).collect());
    pairs.ok_or_else(|| "must be a JSON array of names and values".into())
}
