//! Validates a request body against the schema and collects all its errors.
//!
//! Pure functions: whether a reference exists or a tag is free is checked by the store.

use iso_currency::Currency;
use jiff::civil::Date;
use rusqlite::types::Value;
use serde_json::Value as Json;

use super::body::JsonBody;
use super::facts;
use super::refusal::FieldErrors;
use crate::schema::{Choices, Entity, Field, Kind, TextForm, Use};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyPurpose {
    /// A create, check-in or checkout: required fields must be present.
    Create,
    /// An update of the record with that id: omitted fields stay unchanged.
    Update { id: i64 },
}

/// A parsed body: its values, and the errors found so far.
#[derive(Debug, Clone)]
pub(super) struct ParsedBody {
    pub(super) entity: &'static Entity,
    /// One per field of the entity, in its order: none if the body omits it, `Null` if the body clears it.
    pub(super) values: Vec<Option<Value>>,
    pub(super) errors: FieldErrors,
}

impl ParsedBody {
    pub(super) fn integer(&self, field: &str) -> Option<i64> {
        match self.value(field) {
            Some(Value::Integer(integer)) => Some(*integer),
            _ => None,
        }
    }

    pub(super) fn text(&self, field: &str) -> Option<&str> {
        match self.value(field) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The value of that field, including `Null`.
    pub(super) fn value(&self, field: &str) -> Option<&Value> {
        self.entity.field_index(field).and_then(|index| self.values[index].as_ref())
    }
}

/// Parses a body according to the fields of the entity. The result collects errors, since the store may find more.
pub(super) fn read(entity: &'static Entity, purpose: BodyPurpose, body: &JsonBody) -> ParsedBody {
    let mut draft = ParsedBody { entity, values: vec![None; entity.fields.len()], errors: FieldErrors::default() };
    let mut seen: Vec<&str> = Vec::with_capacity(body.0.len());
    for (name, json) in &body.0 {
        if seen.contains(&name.as_str()) {
            draft.errors.add(name, "is given twice");
            continue;
        }
        seen.push(name);
        if let Err(error) = read_member(&mut draft, purpose, name, json) {
            draft.errors.add(name, error);
        }
    }
    if purpose == BodyPurpose::Create {
        complete(&mut draft);
    }
    draft
}

fn read_member(draft: &mut ParsedBody, purpose: BodyPurpose, name: &str, json: &Json) -> Result<(), String> {
    if let (BodyPurpose::Update { id }, "id") = (purpose, name) {
        let same = json.as_i64() == Some(id);
        return if same { Ok(()) } else { Err(format!("must be `{id}` as in the path, not {}", shown(json))) };
    }
    let entity = draft.entity;
    let Some(index) = entity.field_index(name).filter(|index| may_carry(&entity.fields[*index], purpose)) else {
        return Err("is not a parameter of this call".into());
    };
    let field = &entity.fields[index];
    draft.values[index] = match (json, purpose) {
        (Json::Null, BodyPurpose::Create) => None,
        (Json::Null, BodyPurpose::Update { .. }) if field.is_required() => {
            return Err("is required, it cannot be null".into());
        }
        (Json::Null, BodyPurpose::Update { .. }) => Some(Value::Null),
        _ => Some(value_of(field, purpose, json)?),
    };
    Ok(())
}

fn may_carry(field: &Field, purpose: BodyPurpose) -> bool {
    match purpose {
        BodyPurpose::Create => field.create != Use::No,
        BodyPurpose::Update { .. } => field.update,
    }
}

/// Fills in defaults for omitted fields, and adds an error for each missing required field.
fn complete(draft: &mut ParsedBody) {
    for (field, value) in draft.entity.fields.iter().zip(&mut draft.values) {
        if value.is_some() || draft.errors.has(field.name) {
            continue;
        }
        if field.is_required() {
            draft.errors.add(field.name, "is required");
        }
        let default = facts::DEFAULTS.iter().find(|(name, of, _)| *name == draft.entity.name && *of == field.name);
        *value = default.map(|(.., text)| Value::Text((*text).into()));
    }
}

fn value_of(field: &Field, purpose: BodyPurpose, json: &Json) -> Result<Value, String> {
    match field.kind {
        Kind::Text(form) => text(field, form, json),
        Kind::Integer { least } => integer(json, least).map(Value::Integer),
        Kind::Money => money(json).map(Value::Integer),
        Kind::Date => date(string(json)?).map(Value::Text),
        Kind::Boolean => match json {
            Json::Bool(yes) => Ok(Value::Integer((*yes).into())),
            _ => Err(format!("must be a boolean, not {}", shown(json))),
        },
        Kind::Currency => currency(string(json)?),
        Kind::Option(choices) => option(choices, purpose, string(json)?),
        Kind::Reference(reference) if reference.wire == crate::schema::Wire::Tag => {
            Ok(Value::Text(string(json)?.into()))
        }
        Kind::Reference(_) => integer(json, 1).map(Value::Integer),
        Kind::User => integer(json, 1).map(Value::Integer),
        Kind::CustomFields => custom_fields(string(json)?),
        Kind::Structure => Err("is not a parameter of this call".into()),
    }
}

fn text(field: &Field, form: TextForm, json: &Json) -> Result<Value, String> {
    let text = string(json)?;
    if field.is_required() && text.trim().is_empty() {
        return Err("is required, it cannot be blank".into());
    }
    match form {
        TextForm::Email if !is_email(text) => Err(format!("must be an e-mail address, not {}", shown(json))),
        TextForm::Url if !is_url(text) => {
            Err(format!("must be a web address such as `https://example.com`, not {}", shown(json)))
        }
        _ => Ok(Value::Text(text.into())),
    }
}

fn string(json: &Json) -> Result<&str, String> {
    json.as_str().ok_or_else(|| format!("must be a string, not {}", shown(json)))
}

/// The largest integer that every JSON parser represents exactly, 2^53 - 1.
const LARGEST: i64 = 9_007_199_254_740_991;

fn integer(json: &Json, least: i64) -> Result<i64, String> {
    match json.as_i64() {
        Some(integer) if integer < least => Err(format!("must be at least {least}, not `{integer}`")),
        Some(integer) if integer > LARGEST => Err(format!("must be at most {LARGEST}, not `{integer}`")),
        Some(integer) => Ok(integer),
        None => Err(format!("must be an integer, not {}", shown(json))),
    }
}

/// Integers only, as the guide says. `12.0` is refused too, since it is not written as an integer.
fn money(json: &Json) -> Result<i64, String> {
    match json {
        Json::Number(number) if number.is_f64() => Err(format!("must be a whole amount, not `{number}`")),
        _ => integer(json, 0),
    }
}

/// A valid date in the format of the guide, `2022-12-01`.
pub(super) fn date(text: &str) -> Result<String, String> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes
            .iter()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() });
    match text.parse::<Date>() {
        Ok(_) if shaped => Ok(text.into()),
        _ => Err(format!("must be a date such as `2022-12-01`, not `{}`", short(text))),
    }
}

fn currency(code: &str) -> Result<Value, String> {
    let known = Currency::from_code(code).filter(|_| !facts::NO_CURRENCIES.contains(&code));
    let in_use = |currency: Currency| currency.is_superseded().is_none() || facts::CURRENCIES_IN_USE.contains(&code);
    match known {
        Some(currency) if in_use(currency) => Ok(Value::Text(code.into())),
        Some(currency) => Err(format!("`{code}` is no longer in use, it became `{}`", currency.latest().code())),
        None => Err(format!("must be an ISO 4217 code such as `EUR`, not `{}`", short(code))),
    }
}

/// An option as spelled in the section of the guide for that request. It is stored in the spelling of create, so that
/// lists and filters use one spelling.
fn option(choices: Choices, purpose: BodyPurpose, text: &str) -> Result<Value, String> {
    let spelled = match purpose {
        BodyPurpose::Create => choices.create,
        BodyPurpose::Update { .. } => choices.update,
    };
    let found = spelled.iter().position(|option| *option == text).and_then(|index| choices.create.get(index));
    match found {
        Some(option) => Ok(Value::Text((*option).into())),
        None => Err(not_an_option(spelled, text)),
    }
}

pub(super) fn not_an_option(options: &[&str], text: &str) -> String {
    format!("must be one of `{}`, not `{}`", options.join("`, `"), short(text))
}

/// A string with `[{"name": "..", "value": ".."}, ..]` (guide), each name once.
fn custom_fields(text: &str) -> Result<Value, String> {
    let expected =
        || format!("must be a string holding `[{{\"name\": \"..\", \"value\": \"..\"}}, ..]`, not `{}`", short(text));
    let Ok(Json::Array(pairs)) = serde_json::from_str(text) else { return Err(expected()) };
    let mut names: Vec<&str> = Vec::new();
    for pair in &pairs {
        let name = pair_name(pair).ok_or_else(expected)?;
        if names.contains(&name) {
            return Err(format!("names `{}` twice", short(name)));
        }
        names.push(name);
    }
    Ok(Value::Text(Json::from(pairs).to_string()))
}

/// The name in an object that has a name and a value, both strings, and nothing else.
fn pair_name(pair: &Json) -> Option<&str> {
    let pair = pair.as_object().filter(|pair| pair.len() == 2)?;
    pair.get("value")?.as_str()?;
    pair.get("name")?.as_str().filter(|name| !name.trim().is_empty())
}

/// Whether the text is a well-formed e-mail address.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = !text.chars().any(|char| {
        char.is_whitespace() || char.is_control() || matches!(char, '<' | '>' | ',' | ';' | '"' | '(' | ')')
    });
    let label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    plain
        && !local.is_empty()
        && local.split('.').all(|part| !part.is_empty() && !part.contains('@'))
        && domain.contains('.')
        && domain.split('.').all(label)
        && domain.chars().all(|char| char.is_alphanumeric() || matches!(char, '-' | '.'))
}

/// Whether the text is an absolute HTTP URL with a host.
fn is_url(text: &str) -> bool {
    let written = !text.chars().any(|char| char.is_whitespace() || char.is_control());
    let web = url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    written && web && (lower.starts_with("http://") || lower.starts_with("https://"))
}

/// Quotes a JSON value for an error message.
fn shown(json: &Json) -> String {
    format!("`{}`", short(&json.to_string()))
}

fn short(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::schema;

    fn any_json() -> impl Strategy<Value = Json> {
        prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(|number| json!(number)),
            ".{0,80}".prop_map(Json::from),
            "[0-9+-]{0,4}-[0-9]{1,2}-[0-9]{1,2}".prop_map(Json::from),
            "[a-z@.]{0,12}@[a-z@.]{0,12}".prop_map(Json::from),
            "(https?:/{0,2})?[a-z./ ]{0,12}".prop_map(Json::from),
            r#"\[\{"name": ?"[a-z]?", "value": ("[a-z]?"|[0-9])\}\]"#.prop_map(Json::from),
        ]
    }

    fn any_entity() -> impl Strategy<Value = &'static Entity> {
        proptest::sample::select(schema::importable().collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_kept_or_told(entity in any_entity(), at in any::<proptest::sample::Index>(), json in any_json()) {
            let field = &entity.fields[at.index(entity.fields.len())];
            let body = JsonBody(vec![(field.name.to_owned(), json.clone())]);
            for purpose in [BodyPurpose::Create, BodyPurpose::Update { id: 1 }] {
                let draft = read(entity, purpose, &body);
                let kept = draft.value(field.name).is_some();
                let left_out = json.is_null() && purpose == BodyPurpose::Create && may_carry(field, purpose);
                prop_assert_eq!(kept || left_out && !field.is_required(), !draft.errors.has(field.name));
            }
        }

        #[test]
        fn a_name_nobody_documented_is_always_refused(entity in any_entity(), name in ".{0,20}", json in any_json()) {
            prop_assume!(entity.field(&name).is_none() && name != "id");
            let body = JsonBody(vec![(name.clone(), json)]);
            for purpose in [BodyPurpose::Create, BodyPurpose::Update { id: 1 }] {
                prop_assert!(read(entity, purpose, &body).errors.has(&name));
            }
        }

        #[test]
        fn a_day_is_one_the_calendar_has(year in 0..9999_i16, month in 0..15_i8, day in 0..34_i8) {
            let text = format!("{year:04}-{month:02}-{day:02}");
            prop_assert_eq!(date(&text).is_ok(), Date::new(year, month, day).is_ok());
        }
    }

    #[test]
    fn currencies_are_active_ones() {
        for code in ["EUR", "USD", "JPY", "CHF", "VES", "VED", "ZWG", "SLE", "XAU", "XDR"] {
            assert!(currency(code).is_ok(), "{code}");
        }
        for code in ["HRK", "BGN", "ZWL", "SLL", "DEM", "XXX", "XTS", "eur", "", "EU", "EURO"] {
            assert!(currency(code).is_err(), "{code}");
        }
    }
}
