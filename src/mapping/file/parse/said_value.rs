//! The values that rules say: texts, or kinds of records.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::Text;

/// A text, or `{ kind = "deployable", name = "Ready to Deploy" }`.
pub(super) enum SaidValue {
    Text(String),
    Kind { kind: Option<String>, name: Option<String> },
}

impl<'de> Deserialize<'de> for SaidValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SaidVisitor;

        impl<'de> Visitor<'de> for SaidVisitor {
            type Value = SaidValue;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(
                    "a text in quotes, or a kind such as { kind = \"deployable\", name = \"Ready to Deploy\" }",
                )
            }

            fn visit_str<E>(self, text: &str) -> Result<SaidValue, E> {
                Ok(SaidValue::Text(text.to_owned()))
            }

            fn visit_bool<E>(self, answer: bool) -> Result<SaidValue, E> {
                Ok(SaidValue::Text(answer.to_string()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<SaidValue, E> {
                Ok(SaidValue::Text(number.to_string()))
            }

            fn visit_f64<E>(self, number: f64) -> Result<SaidValue, E> {
                Ok(SaidValue::Text(number.to_string()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SaidValue, A::Error> {
                let (mut kind, mut name) = (None, None);
                while let Some(key) = map.next_key::<String>()? {
                    let Text(text) = map.next_value()?;
                    match key.as_str() {
                        "kind" => kind = Some(text),
                        "name" => name = Some(text),
                        _ => return Err(Error::unknown_field(&key, &["kind", "name"])),
                    }
                }
                Ok(SaidValue::Kind { kind, name })
            }
        }

        deserializer.deserialize_any(SaidVisitor)
    }
}
