//! Status and body to records, or to an error. Pure. All tolerance is here: the guide says nothing about response
//! bodies, so every shape in the field notes is accepted ("Open, so be tolerant"), and nothing else is.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::error_body::{ErrorBody, HTML_PAGE, is_html};
use super::raw::RawPage;
use super::response_headers::ResponseHeaders;
use super::transport::LONGEST_RECORD;
use super::{ApiError, Body, FailureScope, Record, WriteFailure, WriteOutcome, WriteReply, record_id, retype_texts};
use crate::schema::{CREATED_AT, Entity, UPDATED_AT};

/// One complete response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: ResponseHeaders,
    content: ResponseBody,
}

/// A body, parsed at once where it is a list: whether it is complete, and what is in it, is found out in one pass.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ResponseBody {
    List(RawPage),
    Other(Vec<u8>),
}

impl Response {
    pub(super) fn new(status: u16, headers: ResponseHeaders, body: Vec<u8>) -> Self {
        let content = match body.first() {
            Some(b'[') => RawPage::read(body).map_or_else(ResponseBody::Other, ResponseBody::List),
            _ => ResponseBody::Other(body),
        };
        Self { status, headers, content }
    }

    /// The body as it arrived.
    pub(super) fn body(&self) -> &[u8] {
        match &self.content {
            ResponseBody::List(page) => page.text().as_bytes(),
            ResponseBody::Other(body) => body,
        }
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the body is data, complete as far as can be seen.
    pub(super) fn has_data(&self) -> bool {
        match &self.content {
            ResponseBody::List(_) => !self.is_html(),
            ResponseBody::Other(body) => !body.trim_ascii().is_empty() && !self.is_html() && !is_cut_off(body),
        }
    }

    fn is_html(&self) -> bool {
        self.headers.html || is_html(self.body())
    }

    /// Whether something in front of the service refused the request with a page.
    pub(super) fn is_blocked(&self) -> bool {
        self.status == 403 && self.is_html()
    }

    pub(super) fn error_body(&self) -> ErrorBody {
        ErrorBody::read(self.body(), self.is_html())
    }
}

/// A list of unparsed records. Anything but an array of objects is an error: a stray object must never become a row.
pub(super) fn raw_list(what: &str, response: Response) -> Result<RawPage, ApiError> {
    success(what, &response)?;
    match response.content {
        ResponseBody::List(page) => Ok(page),
        ResponseBody::Other(body) => {
            // White space may stand before a list.
            let read = RawPage::read(body);
            let response = |body| Response { content: ResponseBody::Other(body), ..response };
            read.map_err(|body| unexpected(what, "a list of records", &response(body)))
        }
    }
}

/// A single record; none if the service has no such id.
pub(super) fn record(what: &str, entity: &Entity, response: &Response) -> Result<Option<Record>, ApiError> {
    if matches!(response.status, 404 | 410) && !response.is_html() {
        return Ok(None);
    }
    let response = success(what, response)?;
    if response.body().len() > LONGEST_RECORD {
        return Err(unexpected(what, "a record", response));
    }
    let found = serde_json::from_slice(response.body()).map(|value| unwrap_envelope(entity, value));
    match found {
        Ok(ResponseContent::Record(record)) => Ok(Some(record)),
        Ok(ResponseContent::Nothing(MissingRecord::Empty)) => Ok(None),
        _ => Err(unexpected(what, "a record", response)),
    }
}

/// The tenants: an object with a `tenants` key (field notes), or the bare list.
pub(super) fn tenants(what: &str, response: &Response) -> Result<Vec<Record>, ApiError> {
    let response = success(what, response)?;
    let is_short = response.body().len() <= LONGEST_RECORD;
    let value: Option<Value> = is_short.then(|| serde_json::from_slice(response.body()).ok()).flatten();
    let rows = match value {
        Some(Value::Object(mut object)) => object.remove("tenants"),
        other => other,
    };
    rows.and_then(|rows| serde_json::from_value(rows).ok())
        .ok_or_else(|| unexpected(what, "an object with a `tenants` list", response))
}

/// Whether the body is JSON that ends too early: a connection that was closed before the last byte shows nothing else
/// where the length was not announced.
fn is_cut_off(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_err_and(|error| error.is_eof())
}

fn success<'a>(what: &str, response: &'a Response) -> Result<&'a Response, ApiError> {
    match response.is_success() {
        true => Ok(response),
        false => Err(error_for_status(what, response, &response.error_body())),
    }
}

/// What an unsuccessful status means for the request, or for the service as a whole.
pub(super) fn error_for_status(what: &str, response: &Response, error_body: &ErrorBody) -> ApiError {
    let (what, status, message) = (what.to_owned(), response.status, error_body.message.clone());
    let is_about_tenant = message.to_lowercase().contains("tenant");
    match status {
        300..=399 => ApiError::Redirected { what, status, to: response.headers.location.clone() },
        401 => ApiError::Unauthorized { message, key_origin: None },
        _ if response.is_blocked() => ApiError::Blocked { status, request_id: response.headers.request_id.clone() },
        400 | 403 | 404 | 422 if is_about_tenant => ApiError::Tenant { status, message },
        402 | 403 => ApiError::Forbidden { what, status, message },
        500.. => ApiError::Unavailable { what, status, message },
        _ => ApiError::Refused { what, status, message },
    }
}

fn unexpected(what: &str, expected: &str, response: &Response) -> ApiError {
    let found = match response.is_html() {
        true => HTML_PAGE.to_owned(),
        false => shape(response.body()),
    };
    ApiError::Contract { what: what.to_owned(), detail: format!("expected {expected}, got {found}") }
}

/// The shape of a body, without its contents: they may be anything, and of any size.
fn shape(body: &[u8]) -> String {
    match serde_json::from_slice(body) {
        Ok(BodyShape(text)) => text,
        Err(_) if body.trim_ascii().is_empty() => "empty".to_owned(),
        Err(error) if error.is_eof() => "truncated JSON".to_owned(),
        Err(_) => "not JSON".to_owned(),
    }
}

/// What a JSON value is, in words. Its contents are skipped, not kept.
struct BodyShape(String);

impl<'de> Deserialize<'de> for BodyShape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        let text = match raw.get().as_bytes().first() {
            Some(b'[') => raw.deserialize_seq(ShapeVisitor),
            Some(b'{') => raw.deserialize_map(ShapeVisitor),
            Some(b'n') => return Ok(Self("null".to_owned())),
            _ => return Ok(Self("a single value".to_owned())),
        };
        text.map(Self).map_err(serde::de::Error::custom)
    }
}

/// Counts the items of a list, and names the first fields of an object.
struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<String, A::Error> {
        let (mut count, mut stray) = (0_u64, None);
        while let Some(item) = items.next_element::<&RawValue>()? {
            count += 1;
            if !item.get().starts_with('{') {
                stray.get_or_insert(count);
            }
        }
        Ok(match stray {
            Some(position) => format!("a list whose item {position} is not a record"),
            None => format!("a list of {count}"),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<String, A::Error> {
        let mut names = Vec::new();
        while let Some((name, _)) = members.next_entry::<String, IgnoredAny>()? {
            if names.len() < 5 {
                names.push(format!("`{}`", super::error_body::tidy(&name)));
            }
        }
        match names[..] {
            [] => Ok("an empty object".to_owned()),
            _ => Ok(format!("an object with {}", names.join(", "))),
        }
    }
}

/// The response to a write. `id` is the record's id if it was known before: an update.
pub(super) fn written(
    what: &str,
    entity: &Entity,
    id: Option<i64>,
    response: &Response,
) -> Result<WriteReply, WriteFailure> {
    if !response.is_success() {
        return Err(failure(what, response));
    }
    let found = match read_success(entity, response) {
        Ok(found) => found,
        Err(message) => return Err(unreadable(response.status, message)),
    };
    match (found, id) {
        (ResponseContent::Unexpected(message), _) => Err(unreadable(response.status, message)),
        (ResponseContent::Failure(error_body), _) => Err(reported_failure(response.status, error_body)),
        (ResponseContent::Record(record), Some(id)) if record_id(&record) != Some(id) => {
            let other = record_id(&record).unwrap_or_default();
            Err(unreadable(response.status, format!("the response is about record {other}, not {id}")))
        }
        (ResponseContent::Record(record), _) => Ok(WriteReply { id: record_id(&record), record: Some(record) }),
        // A bare number in the response to an update may be a count, and the id is known.
        (ResponseContent::Id(_) | ResponseContent::Nothing(_), Some(id)) => {
            Ok(WriteReply { id: Some(id), record: None })
        }
        (ResponseContent::Id(id), None) => Ok(WriteReply { id: Some(id), record: None }),
        (ResponseContent::Nothing(_), None) => Ok(WriteReply { id: None, record: None }),
    }
}

/// The response to a delete. Its body contains nothing we need, but a success may still say that it failed.
pub(super) fn deleted(what: &str, entity: &Entity, response: &Response) -> Result<(), WriteFailure> {
    written(what, entity, None, response).map(|_| ())
}

/// Reads the body of a successful write; the error is for people.
fn read_success(entity: &Entity, response: &Response) -> Result<ResponseContent, String> {
    if response.body().trim_ascii().is_empty() {
        return Ok(ResponseContent::Nothing(MissingRecord::Empty));
    }
    if let Ok(value) = serde_json::from_slice(response.body()) {
        return Ok(unwrap_envelope(entity, value));
    }
    if response.is_html() {
        return Err(format!("the service responded {} with {HTML_PAGE}", response.status));
    }
    let looks_like_json = matches!(response.body().trim_ascii().first(), Some(b'{' | b'[' | b'"'));
    match std::str::from_utf8(response.body()) {
        // A plain "Created" is a message like any other.
        Ok(_) if !looks_like_json => Ok(ResponseContent::Nothing(MissingRecord::Message)),
        _ => Err(format!("the service responded {} with {}", response.status, shape(response.body()))),
    }
}

/// What the body of a success contains.
#[derive(Debug, PartialEq)]
enum ResponseContent {
    Record(Record),
    Id(i64),
    Nothing(MissingRecord),
    /// Not a response to one write; with a message for people.
    Unexpected(String),
    /// A failure with a success status.
    Failure(ErrorBody),
}

/// Why a body names no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MissingRecord {
    /// Nothing, null or an empty list.
    Empty,
    /// Text only.
    Message,
}

/// Finds the record or its id: bare, in a list of one, or under one of the envelope keys ([`wrappers`]).
fn unwrap_envelope(entity: &Entity, value: Value) -> ResponseContent {
    match value {
        Value::Object(object) => unwrap_object(entity, object),
        Value::Array(mut items) => match (items.len(), items.pop()) {
            (1, Some(item)) => unwrap_envelope(entity, item),
            (_, None) => ResponseContent::Nothing(MissingRecord::Empty),
            (many, _) => ResponseContent::Unexpected(format!(
                "the service responded with a list of {many} to a write of one record"
            )),
        },
        Value::Number(number) => {
            number.as_i64().map_or(ResponseContent::Nothing(MissingRecord::Message), ResponseContent::Id)
        }
        Value::String(text) => {
            text.trim().parse().map_or(ResponseContent::Nothing(MissingRecord::Message), ResponseContent::Id)
        }
        Value::Null => ResponseContent::Nothing(MissingRecord::Empty),
        Value::Bool(_) => ResponseContent::Nothing(MissingRecord::Message),
    }
}

fn unwrap_object(entity: &Entity, mut object: Map<String, Value>) -> ResponseContent {
    match record_id(&object) {
        Some(_) if is_record(entity, &object) => {
            retype_texts(entity, &mut object);
            return ResponseContent::Record(object);
        }
        Some(id) => return ResponseContent::Id(id),
        None => {}
    }
    if is_failure(&object) {
        return ResponseContent::Failure(ErrorBody::of(&Value::Object(object)));
    }
    for wrapper in wrappers(entity) {
        match object.remove(wrapper).map(|inner| unwrap_envelope(entity, inner)) {
            None | Some(ResponseContent::Nothing(_)) => {}
            Some(found) => return found,
        }
    }
    ResponseContent::Nothing(MissingRecord::Message)
}

/// The keys under which a record may be: `data`, its singular or plural name, and for `checkout/asset` also `asset`.
fn wrappers(entity: &Entity) -> [&'static str; 4] {
    let thing = entity.path.rsplit('/').next().unwrap_or(entity.path);
    ["data", entity.singular, entity.name, thing]
}

/// Whether an object with an id says more than the id: one field of the schema is enough.
fn is_record(entity: &Entity, object: &Body) -> bool {
    let is_own = |name: &String| matches!(name.as_str(), CREATED_AT | UPDATED_AT) || entity.field(name).is_some();
    object.keys().any(is_own)
}

/// Whether an object without an id says that the request failed, whatever its status: `{"success": false}`, `{"error": ..}`,
/// `{"status": "error"}`.
fn is_failure(object: &Map<String, Value>) -> bool {
    let is_set = |name: &str| match object.get(name) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(fields)) => !fields.is_empty(),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Number(number)) => number.as_i64() != Some(0),
        Some(Value::Bool(true)) => true,
    };
    let is_false = |name: &str| object.get(name) == Some(&Value::Bool(false));
    let is_error_status = |name: &str| match object.get(name) {
        Some(Value::String(text)) => matches!(text.as_str(), "error" | "fail" | "failed" | "failure"),
        Some(Value::Number(number)) => number.as_u64().is_some_and(|number| (400..600).contains(&number)),
        _ => false,
    };
    ["error", "errors"].into_iter().any(is_set)
        || ["success", "ok"].into_iter().any(is_false)
        || ["status", "statusCode"].into_iter().any(is_error_status)
}

/// A success that says that the request failed: it was probably not applied.
fn reported_failure(status: u16, error_body: ErrorBody) -> WriteFailure {
    let message = match error_body.message {
        message if message.is_empty() => "the service reported a failure with a success status".to_owned(),
        message => message,
    };
    WriteFailure { outcome: WriteOutcome::ReportedFailure, fields: error_body.fields, ..unreadable(status, message) }
}

/// A success that cannot be read: the write may have been applied.
fn unreadable(status: u16, message: String) -> WriteFailure {
    WriteFailure {
        outcome: WriteOutcome::Unknown,
        status: Some(status),
        message,
        fields: Vec::new(),
        scope: FailureScope::Row,
        cause: None,
    }
}

/// What an unsuccessful status means for a write, and how far the failure reaches.
fn classify_status(status: u16) -> (WriteOutcome, FailureScope) {
    match status {
        // 303 says "done, look there", and many services use 302 for it.
        302 | 303 => (WriteOutcome::Unknown, FailureScope::Run),
        300..=399 => (WriteOutcome::Refused, FailureScope::Run),
        401 | 402 | 403 | 405 | 406 | 407 | 415 => (WriteOutcome::Refused, FailureScope::Run),
        408 => (WriteOutcome::Unknown, FailureScope::Row),
        429 => (WriteOutcome::NotSent, FailureScope::Run),
        400..=499 => (WriteOutcome::Refused, FailureScope::Row),
        501 => (WriteOutcome::Refused, FailureScope::Run),
        _ => (WriteOutcome::Unknown, FailureScope::Row),
    }
}

/// A write to which the service responded with a failure.
fn failure(what: &str, response: &Response) -> WriteFailure {
    let error_body = response.error_body();
    let (outcome, scope) = classify_status(response.status);
    let error = error_for_status(what, response, &error_body);
    let message = match scope {
        FailureScope::Row if outcome == WriteOutcome::Refused && !error_body.message.is_empty() => error_body.message,
        _ => error.to_string(),
    };
    let cause = (scope == FailureScope::Run).then(|| Box::new(error));
    WriteFailure { outcome, status: Some(response.status), message, fields: error_body.fields, scope, cause }
}

/// A write without a response.
pub(super) fn without_response(outcome: WriteOutcome, error: ApiError) -> WriteFailure {
    let scope = match outcome {
        // The service is not there: the next row would fail, too.
        WriteOutcome::NotSent => FailureScope::Run,
        WriteOutcome::Unknown | WriteOutcome::Refused | WriteOutcome::ReportedFailure => FailureScope::Row,
    };
    let message = error.to_string();
    let cause = (scope == FailureScope::Run).then(|| Box::new(error));
    WriteFailure { outcome, status: None, message, fields: Vec::new(), scope, cause }
}

/// Whether there is no such record: what a retried delete finds if the first attempt deleted it.
pub(super) fn is_gone(response: &Response) -> bool {
    matches!(response.status, 404 | 410)
}
