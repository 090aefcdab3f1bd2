//! Custom fields in every shape that a response may give them.

use serde_json::Value as Json;

use super::plain_text;

/// The name and value pairs of a record's custom fields, in any of the shapes a response may have: an array of pairs, a
/// plain object, or either as JSON text (field notes).
pub(crate) fn custom_fields(held: &Json) -> Vec<(String, String)> {
    match held {
        Json::String(encoded) => serde_json::from_str::<Json>(encoded)
            .map(|decoded| match decoded {
                Json::String(_) => Vec::new(),
                other => custom_fields(&other),
            })
            .unwrap_or_default(),
        Json::Array(pairs) => pairs
            .iter()
            .filter_map(|pair| {
                Some((plain_text(pair.get("name")?), plain_text(pair.get("value").unwrap_or(&Json::Null))))
            })
            .collect(),
        Json::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), plain_text(value))).collect(),
        _ => Vec::new(),
    }
}
