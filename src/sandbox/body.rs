//! Request bodies: one JSON object, in which repeated names remain visible.

use std::fmt;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::refusal::Refusal;

/// How long a client may take to send a body.
pub(super) const BODY_TIME: Duration = Duration::from_secs(30);

/// The members of the object, in the order sent. A name may occur twice: a map would silently drop one of them.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct JsonBody(pub(super) Vec<(String, Value)>);

impl JsonBody {
    /// Parses a body, which must be a JSON object with the matching `Content-Type`.
    pub(super) fn read(headers: &HeaderMap, bytes: &[u8]) -> Result<Self, Refusal> {
        if !says_json(headers) {
            let message = "the body must be sent with `Content-Type: application/json`";
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        serde_json::from_slice(bytes)
            .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, format!("the body is not a JSON object: {error}")))
    }
}

fn says_json(headers: &HeaderMap) -> bool {
    let Some(Ok(kind)) = headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) else { return false };
    let mut parts = kind.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    is_json && parts.all(|parameter| parameter.replace('"', "").eq_ignore_ascii_case("charset=utf-8"))
}

impl<'de> Deserialize<'de> for JsonBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = JsonBody;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonBody, A::Error> {
                let mut members = Vec::with_capacity(16);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(JsonBody(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(kind: Option<&'static str>, bytes: &str) -> Result<JsonBody, StatusCode> {
        let mut headers = HeaderMap::new();
        if let Some(kind) = kind {
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        }
        JsonBody::read(&headers, bytes.as_bytes()).map_err(|refusal| refusal.status)
    }

    #[test]
    fn a_name_that_comes_twice_stays_twice() {
        let body = read(Some("application/json"), r#"{"a": 1, "b": null, "a": 2}"#).unwrap();
        let names: Vec<_> = body.0.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "b", "a"]);
    }

    #[test]
    fn only_json_objects_are_bodies() {
        for kind in ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""] {
            assert_eq!(read(Some(kind), "{}"), Ok(JsonBody::default()), "{kind}");
        }
        for kind in [
            None,
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("application/json; charset=latin1"),
        ] {
            assert_eq!(read(kind, "{}"), Err(StatusCode::UNSUPPORTED_MEDIA_TYPE), "{kind:?}");
        }
        for bytes in ["", "[]", "1", "null", "\"{}\"", "{\"a\":}", "{} {}", "{\"a\": 1"] {
            assert_eq!(read(Some("application/json"), bytes), Err(StatusCode::BAD_REQUEST), "{bytes}");
        }
    }
}
