//! Parses custom fields from JSON in one cell, as an export writes them and as people type them.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::text::trimmed;
use super::{Code, ValueError};

/// Parses the names and values of custom fields, in order.
///
/// Accepted are an array of pairs, `[{"name": "Rack", "value": "B4"}]`, a single pair, and a plain object, `{"Rack":
/// "B4"}`. Numbers and booleans become text as written. A field with a null value is omitted, like a blank cell.
/// Other keys of a pair than `name` and `value` are ignored, because replies may have more.
pub(crate) fn json_cell(text: &str) -> Result<Vec<(String, String)>, ValueError> {
    let text = trimmed(text);
    let written = match text.chars().next() {
        Some('[') => pairs(text)?,
        Some('{') => object(text)?,
        _ => return Err(not_json()),
    };
    let fields = written.into_iter().filter_map(|field| field.transpose()).collect::<Result<Vec<_>, _>>()?;
    each_once(fields)
}

/// A field, an error, or nothing for null.
type FieldResult<'a> = Result<Option<(String, String)>, ValueError>;

fn pairs(text: &str) -> Result<Vec<FieldResult<'_>>, ValueError> {
    let pairs: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| unreadable(&error, text))?;
    Ok(pairs.into_iter().map(|pair| pair_of(pair.get())).collect())
}

fn pair_of(text: &str) -> FieldResult<'_> {
    let entries: Entries<'_> = serde_json::from_str(text).map_err(|_| not_a_pair())?;
    entries.as_pair().ok_or_else(not_a_pair)?
}

fn object(text: &str) -> Result<Vec<FieldResult<'_>>, ValueError> {
    let entries: Entries<'_> = serde_json::from_str(text).map_err(|error| unreadable(&error, text))?;
    match entries.as_pair() {
        Some(pair) if entries.0.len() == 2 => Ok(vec![pair]),
        _ => Ok(entries.0.into_iter().map(|(name, value)| field(name, value)).collect()),
    }
}

/// The entries of an object in their order, including duplicates.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Entries<'a> {
    /// The entries as a field, if they have a name and a value.
    fn as_pair(&self) -> Option<FieldResult<'a>> {
        let entry = |key: &str| self.0.iter().find(|(name, _)| name == key).map(|(_, value)| *value);
        let (name, value) = (entry("name")?, entry("value")?);
        Some(plain_text("name", name).and_then(|name| field(name.unwrap_or_default(), value)))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Entries(entries))
    }
}

fn field<'a>(name: String, value: &'a RawValue) -> FieldResult<'a> {
    let value = plain_text(&name, value)?;
    Ok(value.map(|value| (String::from(trimmed(&name)), value)))
}

/// A string, number or boolean as text; `None` for null. Numbers keep all their digits.
fn plain_text(name: &str, value: &RawValue) -> Result<Option<String>, ValueError> {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).map(Some).map_err(|_| not_json()),
        Some(b'{' | b'[') => Err(nested(name)),
        Some(b'n') => Ok(None),
        _ => Ok(Some(String::from(text))),
    }
}

fn each_once(fields: Vec<(String, String)>) -> Result<Vec<(String, String)>, ValueError> {
    let mut names = HashSet::new();
    for (name, _) in &fields {
        if name.is_empty() {
            return Err(invalid("custom field without a name", "name the field, or remove it"));
        }
        if !names.insert(name.as_str()) {
            return Err(invalid("the same custom field twice", format!("keep one value for `{name}`")));
        }
    }
    Ok(fields)
}

fn invalid(message: &'static str, hint: impl Into<std::borrow::Cow<'static, str>>) -> ValueError {
    ValueError::new(Code::CustomFieldsInvalid, message, hint)
}

const FIELDS: &str = r#"invalid custom fields; expected JSON such as `[{"name": "Rack", "value": "B4"}]`"#;

fn not_json() -> ValueError {
    invalid(FIELDS, "write them like that, or give each field its own column headed `custom:NAME`")
}

fn not_a_pair() -> ValueError {
    invalid(FIELDS, "give every pair a `name` and a `value`")
}

fn nested(name: &str) -> ValueError {
    invalid(
        "invalid custom field value; expected a text, a number or a boolean",
        format!("write the value of `{name}` as one text"),
    )
}

fn unreadable(error: &serde_json::Error, text: &str) -> ValueError {
    if text.contains(['“', '”', '„']) {
        return invalid(FIELDS, "write straight quotes `\"` instead of typographic ones");
    }
    invalid(FIELDS, format!("correct the JSON at line {}, character {}", error.line(), error.column()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(String, String)> {
        json_cell(text).unwrap()
    }

    fn fields(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect()
    }

    #[test]
    fn pairs_and_plain_objects_are_read() {
        assert_eq!(read(r#"[{"name": "Rack", "value": "B4"}]"#), fields(&[("Rack", "B4")]));
        assert_eq!(read(r#" [{"value": 4, "name": "Slot", "id": 7}] "#), fields(&[("Slot", "4")]));
        assert_eq!(read(r#"{"name": "Rack", "value": "B4"}"#), fields(&[("Rack", "B4")]));
        assert_eq!(read(r#"{"Rack": "B4", "Insured": true}"#), fields(&[("Rack", "B4"), ("Insured", "true")]));
        assert_eq!(read(r#"{"name": "Server", "value": "high", "Rack": "B4"}"#).len(), 3);
        assert_eq!(read("[]"), []);
        assert_eq!(read("{}"), []);
        assert_eq!(read(r#"{"Rack": null, "Row": "1\n2"}"#), fields(&[("Row", "1\n2")]));
    }

    #[test]
    fn numbers_keep_their_digits() {
        assert_eq!(
            read(r#"{"a": 1.10, "b": 12345678901234567890123}"#),
            fields(&[("a", "1.10"), ("b", "12345678901234567890123")])
        );
    }

    #[test]
    fn what_cannot_be_read_says_what_to_do() {
        for (text, hint) in [
            ("B4", "write them like that, or give each field its own column headed `custom:NAME`"),
            ("", "write them like that, or give each field its own column headed `custom:NAME`"),
            (r#"{"Rack": "B4""#, "correct the JSON at line 1, character 13"),
            (r#"{“Rack”: “B4”}"#, "write straight quotes `\"` instead of typographic ones"),
            (r#"[{"name": "Rack"}]"#, "give every pair a `name` and a `value`"),
            (r#"["Rack"]"#, "give every pair a `name` and a `value`"),
            (r#"{"Rack": {"a": 1}}"#, "write the value of `Rack` as one text"),
            (r#"{"Rack": "B4", "Rack": "B5"}"#, "keep one value for `Rack`"),
            (r#"[{"name": "Rack", "value": 1}, {"name": " Rack", "value": 2}]"#, "keep one value for `Rack`"),
            (r#"{"": "B4"}"#, "name the field, or remove it"),
            (r#"[{"name": null, "value": "B4"}]"#, "name the field, or remove it"),
        ] {
            let error = json_cell(text).unwrap_err();
            assert_eq!((error.code, error.hint()), (Code::CustomFieldsInvalid, hint), "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_fields_are_read_back(names in proptest::collection::hash_set("[a-z]{1,8}[a-zà-ÿ0-9%]", 0..6), value in "\\PC*") {
            let fields: Vec<_> = names.into_iter().map(|name| (name, value.clone())).collect();
            let pairs: Vec<_> = fields.iter().map(|(name, value)| serde_json::json!({"name": name, "value": value})).collect();
            prop_assert_eq!(json_cell(&serde_json::to_string(&pairs).unwrap()).unwrap(), fields);
        }

        #[test]
        fn nothing_panics(text in "[\\[{]?\\PC*") {
            let _ = json_cell(&text);
        }
    }
}
