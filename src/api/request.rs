//! Requests as data: method, URL and bytes. Pure; [`super::client`] sends them.

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::request_kind::{Method, RequestKind};
use super::{ApiError, Body};
use crate::redact::shown_url;
use crate::schema::{CUSTOM_FIELDS, Entity};

/// How `custom_fields` are sent. The guide says "(String)" and shows a JSON array (field notes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomFieldsEncoding {
    /// A string that contains the JSON array.
    #[default]
    #[serde(alias = "string")]
    JsonString,
    /// The array itself.
    Array,
}

/// One request, which can be sent any number of times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) kind: RequestKind,
    pub(super) url: Url,
    /// JSON, or nothing.
    pub(super) body: Vec<u8>,
}

impl Request {
    /// The request as messages name it: `GET assets`.
    pub(super) fn what(&self) -> String {
        self.kind.to_string()
    }
}

/// Builds requests to one base URL, each with the tenant.
#[derive(Debug, Clone)]
pub(super) struct RequestBuilder {
    base: Url,
    tenant: Option<i64>,
    encoding: CustomFieldsEncoding,
}

impl RequestBuilder {
    /// Checks that the key may be sent to `base`.
    pub(super) fn new(base: Url, tenant: Option<i64>, encoding: CustomFieldsEncoding) -> Result<Self, ApiError> {
        if let Some(reason) = invalid(&base) {
            return Err(ApiError::BaseUrl { url: shown_url(base.as_str()), reason });
        }
        if base.scheme() == "http" && !is_loopback(&base) {
            return Err(ApiError::Insecure { url: shown_url(base.as_str()) });
        }
        Ok(Self { base, tenant, encoding })
    }

    pub(super) fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        match self.base.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Whether the service runs on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.base)
    }

    /// A list, `query` first.
    pub(super) fn list(&self, entity: &'static Entity, query: &[(&str, &str)]) -> Request {
        let mut request = self.bare(Method::Get, entity, None);
        if !query.is_empty() {
            request.url.query_pairs_mut().extend_pairs(query);
        }
        self.with_tenant(request)
    }

    pub(super) fn get(&self, entity: &'static Entity, id: i64) -> Request {
        self.with_tenant(self.bare(Method::Get, entity, Some(id)))
    }

    /// The only request without a tenant (field notes).
    pub(super) fn tenants(&self) -> Request {
        self.bare(Method::Get, &crate::schema::TENANTS, None)
    }

    pub(super) fn create(&self, entity: &'static Entity, body: &Body) -> Request {
        self.with_tenant(Request { body: self.encode(body), ..self.bare(Method::Post, entity, None) })
    }

    pub(super) fn update(&self, entity: &'static Entity, id: i64, body: &Body) -> Request {
        self.with_tenant(Request { body: self.encode(body), ..self.bare(Method::Put, entity, Some(id)) })
    }

    pub(super) fn delete(&self, entity: &'static Entity, id: i64) -> Request {
        self.with_tenant(self.bare(Method::Delete, entity, Some(id)))
    }

    fn bare(&self, method: Method, entity: &'static Entity, id: Option<i64>) -> Request {
        let mut path = format!("{}/{}", self.base.path().trim_end_matches('/'), entity.path);
        if let Some(id) = id {
            path.push('/');
            path.push_str(&id.to_string());
        }
        let mut url = self.base.clone();
        url.set_path(&path);
        Request { kind: RequestKind { method, path: entity.path }, url, body: Vec::new() }
    }

    fn with_tenant(&self, mut request: Request) -> Request {
        if let Some(tenant) = self.tenant {
            request.url.query_pairs_mut().append_pair("tenant_id", &tenant.to_string());
        }
        request
    }

    fn encode(&self, body: &Body) -> Vec<u8> {
        // Maps with text keys and JSON values always serialise.
        serde_json::to_vec(&EncodedBody { body, encoding: self.encoding }).unwrap_or_default()
    }
}

fn invalid(base: &Url) -> Option<&'static str> {
    if !matches!(base.scheme(), "http" | "https") {
        return Some("it starts with neither `https://` nor `http://`");
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Some("it contains a user name or password");
    }
    if base.query().is_some() || base.fragment().is_some() {
        return Some("it contains a `?` or `#` part");
    }
    None
}

/// Whether the host is this machine, by the URL alone: `localhost`, 127.0.0.0/8 or ::1.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A body as it is sent: unchanged except for `custom_fields`.
struct EncodedBody<'a> {
    body: &'a Body,
    encoding: CustomFieldsEncoding,
}

impl Serialize for EncodedBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.body.len()))?;
        for (name, value) in self.body {
            match name.as_str() {
                CUSTOM_FIELDS => map.serialize_entry(name, &custom_fields(value, self.encoding))?,
                _ => map.serialize_entry(name, value)?,
            }
        }
        map.end()
    }
}

/// `custom_fields` in the given encoding, whether they are an array, an object or JSON in a string. Anything else (a null
/// that clears them) is sent as it is.
fn custom_fields(value: &Value, encoding: CustomFieldsEncoding) -> Value {
    let pairs = match value {
        Value::Array(_) => value.clone(),
        Value::Object(fields) => pairs(fields),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Array(items)) => Value::Array(items),
            Ok(Value::Object(fields)) => pairs(&fields),
            _ => return value.clone(),
        },
        other => return other.clone(),
    };
    match encoding {
        CustomFieldsEncoding::Array => pairs,
        CustomFieldsEncoding::JsonString => Value::String(pairs.to_string()),
    }
}

/// Guide: `[{"name": "custom_field_name", "value": "custom_field_value"}, ....]`.
fn pairs(fields: &Map<String, Value>) -> Value {
    fields.iter().map(|(name, value)| serde_json::json!({ "name": name, "value": value })).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use serde_json::{Value, json};

    use super::{ApiError, CustomFieldsEncoding, RequestBuilder, Url};
    use crate::schema::{ACTIVITY, collection, find};

    fn target(base: &str, tenant: Option<i64>) -> RequestBuilder {
        RequestBuilder::new(Url::parse(base).unwrap(), tenant, CustomFieldsEncoding::JsonString).unwrap()
    }

    #[test]
    fn every_request_has_its_documented_url() {
        let target = target("https://app.example.com/api/v1", Some(7));
        let assets = collection("assets").unwrap();
        let body = serde_json::Map::new();
        let cases = [
            (
                target.list(assets, &[("limit", "5"), ("asset_id", "A&B #1")]),
                "assets?limit=5&asset_id=A%26B+%231&tenant_id=7",
            ),
            (target.list(&ACTIVITY, &[]), "activity?tenant_id=7"),
            (target.get(assets, 12), "assets/12?tenant_id=7"),
            (target.create(find("checkout_asset").unwrap(), &body), "checkout/asset?tenant_id=7"),
            (target.update(assets, 12, &body), "assets/12?tenant_id=7"),
            (target.delete(assets, 12), "assets/12?tenant_id=7"),
            (target.tenants(), "tenants"),
        ];
        for (request, link) in cases {
            assert_eq!(request.url.as_str(), format!("https://app.example.com/api/v1/{link}"));
        }
    }

    #[test]
    fn a_slash_at_the_end_of_the_base_url_changes_nothing() {
        let request = target("http://127.0.0.1:8080/api/v1/", None).get(collection("assets").unwrap(), 1);
        assert_eq!(request.url.as_str(), "http://127.0.0.1:8080/api/v1/assets/1");
        assert_eq!(request.what(), "GET assets");
    }

    #[test]
    fn the_key_is_sent_encrypted_or_stays_on_this_machine() {
        let fit = ["https://x.example", "http://localhost:1/api", "http://127.9.9.9", "http://[::1]:80/api/v1"];
        let insecure =
            ["http://x.example", "http://127.0.0.1.example", "http://192.168.1.2", "http://localhost.example"];
        let unfit =
            ["ftp://x.example", "https://ada:secret@x.example", "https://x.example/?a=b", "https://x.example/#a"];
        let new = |link: &str| RequestBuilder::new(Url::parse(link).unwrap(), None, CustomFieldsEncoding::Array);
        for link in fit {
            assert!(new(link).is_ok(), "{link}");
        }
        for link in insecure {
            assert!(matches!(new(link), Err(ApiError::Insecure { .. })), "{link}");
        }
        for link in unfit {
            let error = new(link).unwrap_err();
            assert!(matches!(error, ApiError::BaseUrl { .. }), "{link}");
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn custom_fields_are_sent_in_the_given_encoding() {
        let array = json!([{ "name": "Rack", "value": "B4" }]);
        let text = Value::String(array.to_string());
        let given =
            [array.clone(), text.clone(), json!({ "Rack": "B4" }), Value::String(r#"{"Rack":"B4"}"#.to_owned())];
        let expected = [(CustomFieldsEncoding::JsonString, &text), (CustomFieldsEncoding::Array, &array)];
        for (encoding, expected) in expected {
            for value in &given {
                assert_eq!(&super::custom_fields(value, encoding), expected, "{value}");
            }
            for odd in [Value::Null, json!("free text"), json!(5)] {
                assert_eq!(super::custom_fields(&odd, encoding), odd);
            }
        }
    }

    #[test]
    fn a_body_keeps_its_order_and_values() {
        let body = json!({ "name": "Ä", "notes": null, "quantity": 3, "custom_fields": [] });
        let request =
            target("https://x.example/v1", None).create(collection("assets").unwrap(), body.as_object().unwrap());
        let text = String::from_utf8(request.body).unwrap();
        assert_eq!(text, r#"{"name":"Ä","notes":null,"quantity":3,"custom_fields":"[]"}"#);
    }
}
