//! A record as the account served it, with its members in order and without secrets.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::schema::{CUSTOM_FIELDS, Entity, is_secret_header};

/// The members of a record, each value as JSON text. Values of secret fields are blank.
#[derive(Debug)]
pub(in crate::sandbox) struct CopiedRecord<'a> {
    pub(in crate::sandbox) members: Vec<(String, Cow<'a, str>)>,
    /// How many values were left out.
    pub(in crate::sandbox) secrets: u64,
}

impl<'a> CopiedRecord<'a> {
    /// Splits a record into its members; none if the text is not a JSON object.
    pub(in crate::sandbox) fn parse(entity: &Entity, json: &'a str) -> Option<Self> {
        let members = split(json)?.into_iter().map(|(name, value)| (name, Cow::Borrowed(value)));
        let mut record = Self { members: members.collect(), secrets: 0 };
        record.blank_secrets(entity);
        Some(record)
    }

    /// The JSON text of a member.
    pub(in crate::sandbox) fn text(&self, name: &str) -> Option<&str> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }

    /// The value of a member, null if the record has none.
    pub(in crate::sandbox) fn value(&self, name: &str) -> Json {
        self.text(name).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// A copy lies around in a file that anybody may be given: passwords and keys do not belong there.
    fn blank_secrets(&mut self, entity: &Entity) {
        for (name, value) in &mut self.members {
            if name == CUSTOM_FIELDS {
                // Most records have no secret, and keep their text to the letter.
                if let Ok(mut fields) = serde_json::from_str::<Json>(value)
                    && let blanked @ 1.. = blank_custom_fields(&mut fields)
                {
                    self.secrets += blanked;
                    *value = Cow::Owned(fields.to_string());
                }
            } else if entity.field(name).is_none() && is_secret_header(name) && !is_blank(value) {
                self.secrets += 1;
                *value = Cow::Borrowed("null");
            }
        }
    }
}

/// The members of a JSON object in order, each value as JSON text.
pub(in crate::sandbox) fn split(json: &str) -> Option<Vec<(String, &str)>> {
    serde_json::Deserializer::from_str(json).deserialize_map(MembersVisitor).ok()
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(String, &'de str)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(32);
        while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
            members.push((name, value.get()));
        }
        Ok(members)
    }
}

/// Empties the secret ones of custom fields, in every shape that a reply may have (field notes); how many.
fn blank_custom_fields(fields: &mut Json) -> u64 {
    match fields {
        Json::String(encoded) => {
            let Ok(mut inner @ (Json::Array(_) | Json::Object(_))) = serde_json::from_str(encoded) else { return 0 };
            let blanked = blank_custom_fields(&mut inner);
            if blanked > 0 {
                *encoded = inner.to_string();
            }
            blanked
        }
        Json::Array(pairs) => pairs
            .iter_mut()
            .filter(|pair| pair["name"].as_str().is_some_and(is_secret_header))
            .filter_map(|pair| pair.get_mut("value"))
            .map(blank)
            .sum(),
        Json::Object(fields) => {
            fields.iter_mut().filter(|(name, _)| is_secret_header(name)).map(|(_, value)| blank(value)).sum()
        }
        _ => 0,
    }
}

fn blank(value: &mut Json) -> u64 {
    let is_filled = !value.is_null() && value != "";
    if is_filled {
        *value = Json::from("");
    }
    is_filled.into()
}

fn is_blank(json: &str) -> bool {
    matches!(json, "null" | "\"\"")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::schema;

    fn parse(json: &str) -> CopiedRecord<'_> {
        CopiedRecord::parse(schema::collection("assets").unwrap(), json).unwrap()
    }

    #[test]
    fn members_keep_their_order_and_their_spelling() {
        let record = parse(r#"{"id": 7, "b": 1.50, "a\n": {"z": 1, "y": 2}}"#);
        let members: Vec<_> = record.members.iter().map(|(name, value)| (name.as_str(), value.as_ref())).collect();
        assert_eq!(members, [("id", "7"), ("b", "1.50"), ("a\n", r#"{"z": 1, "y": 2}"#)]);
        assert!(CopiedRecord::parse(schema::collection("assets").unwrap(), "[]").is_none());
    }

    #[test]
    fn secrets_are_left_out_in_every_shape() {
        for (shape, expected) in [
            (
                r#"[{"name":"PIN","value":"1234"},{"name":"MAC","value":"aa"}]"#,
                r#"[{"name":"PIN","value":""},{"name":"MAC","value":"aa"}]"#,
            ),
            (r#"{"PIN":"1234","MAC":"aa"}"#, r#"{"PIN":"","MAC":"aa"}"#),
            (r#""{\"PIN\":\"1234\"}""#, r#""{\"PIN\":\"\"}""#),
        ] {
            let json = format!(r#"{{"custom_fields":{shape},"bios_password":"x","asset_id":"A-1"}}"#);
            let record = parse(&json);
            assert_eq!(record.text("custom_fields").unwrap(), expected);
            assert_eq!((record.text("bios_password"), record.secrets), (Some("null"), 2));
            assert_eq!(record.value("asset_id"), "A-1");
        }
    }
}
