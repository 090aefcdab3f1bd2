//! Status and bytes to records, or to what went wrong. Pure, and the home of all tolerance: the guide says nothing
//! of reply bodies, so every shape in the field notes is taken ("Open, so be tolerant"), and nothing else is.

use serde_json::{Map, Value};

use super::complaint::{Complaint, HTML_PAGE, is_html};
use super::raw::RawPage;
use super::signals::Signals;
use super::{ApiError, Body, Fate, Record, Scope, WriteFailure, Written, record_id};
use crate::schema::Entity;

/// One whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) signals: Signals,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    fn is_html(&self) -> bool {
        self.signals.html || is_html(&self.body)
    }

    pub(super) fn complaint(&self) -> Complaint {
        Complaint::read(&self.body, self.is_html())
    }
}

/// A list. Anything but an array of objects is a breach of contract: a stray object must never become a row.
pub(super) fn list(what: &str, answer: &Answer) -> Result<Vec<Record>, ApiError> {
    let answer = success(what, answer)?;
    serde_json::from_slice(&answer.body).map_err(|_| contract(what, "a list of records", answer))
}

/// A list whose records stay as they came.
pub(super) fn raw_list(what: &str, answer: Answer) -> Result<RawPage, ApiError> {
    success(what, &answer)?;
    RawPage::read(answer.body).map_err(|body| contract(what, "a list of records", &Answer { body, ..answer }))
}

/// A single record; none where the service knows no such id.
pub(super) fn record(what: &str, entity: &Entity, answer: &Answer) -> Result<Option<Record>, ApiError> {
    if answer.status == 404 && !answer.is_html() {
        return Ok(None);
    }
    let answer = success(what, answer)?;
    let found = serde_json::from_slice(&answer.body).map(|value| dig(entity, value));
    match found {
        Ok(Found::Record(record)) => Ok(Some(record)),
        Ok(Found::Nothing(Silence::Empty)) => Ok(None),
        _ => Err(contract(what, "a record", answer)),
    }
}

/// The tenants: an object with a `tenants` key (field notes), or the bare list.
pub(super) fn tenants(what: &str, answer: &Answer) -> Result<Vec<Record>, ApiError> {
    let answer = success(what, answer)?;
    let value: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let rows = match value {
        Some(Value::Object(mut object)) => object.remove("tenants"),
        other => other,
    };
    rows.and_then(|rows| serde_json::from_value(rows).ok())
        .ok_or_else(|| contract(what, "an object with a `tenants` list", answer))
}

fn success<'a>(what: &str, answer: &'a Answer) -> Result<&'a Answer, ApiError> {
    match answer.is_success() {
        true => Ok(answer),
        false => Err(refusal(what, answer, &answer.complaint())),
    }
}

/// What an unsuccessful answer means for the request, or for the service as a whole.
pub(super) fn refusal(what: &str, answer: &Answer, complaint: &Complaint) -> ApiError {
    let (what, status, message) = (what.to_owned(), answer.status, complaint.message.clone());
    let is_about_tenant = message.to_lowercase().contains("tenant");
    match status {
        300..=399 => ApiError::Redirected { what, status, to: answer.signals.location.clone() },
        401 => ApiError::Unauthorized { message },
        403 if answer.is_html() => ApiError::Blocked { status, request_id: answer.signals.request_id.clone() },
        400 | 403 | 404 | 422 if is_about_tenant => ApiError::Tenant { status, message },
        402 | 403 => ApiError::Forbidden { what, status, message },
        500.. => ApiError::Unavailable { what, status, message },
        _ => ApiError::Refused { what, status, message },
    }
}

fn contract(what: &str, expected: &str, answer: &Answer) -> ApiError {
    let found = match answer.is_html() {
        true => HTML_PAGE.to_owned(),
        false => shape(&answer.body),
    };
    ApiError::Contract { what: what.to_owned(), detail: format!("{expected} was expected, but it was {found}") }
}

/// What a body is, without its contents: they may be anyone's.
fn shape(body: &[u8]) -> String {
    match serde_json::from_slice(body) {
        Ok(Value::Array(items)) => match items.iter().position(|item| !item.is_object()) {
            Some(index) => format!("a list whose item {} is no record", index + 1),
            None => format!("a list of {}", items.len()),
        },
        Ok(Value::Object(object)) if object.is_empty() => "an empty object".to_owned(),
        Ok(Value::Object(object)) => {
            let keys: Vec<_> = object.keys().take(5).map(|key| format!("`{}`", super::complaint::tidy(key))).collect();
            format!("an object with {}", keys.join(", "))
        }
        Ok(Value::Null) => "null".to_owned(),
        Ok(_) => "a single value".to_owned(),
        Err(_) if body.trim_ascii().is_empty() => "empty".to_owned(),
        Err(error) if error.is_eof() => "JSON that breaks off".to_owned(),
        Err(_) => "not JSON".to_owned(),
    }
}

/// A write, as the answer tells it. `id` is the record's id where it was known before: an update.
pub(super) fn written(what: &str, entity: &Entity, id: Option<i64>, answer: &Answer) -> Result<Written, WriteFailure> {
    if !answer.is_success() {
        return Err(failure(what, answer));
    }
    let found = match read_success(entity, answer) {
        Ok(found) => found,
        Err(message) => return Err(garbled(answer.status, message)),
    };
    match (found, id) {
        (Found::Stray(message), _) => Err(garbled(answer.status, message)),
        (Found::Record(record), Some(id)) if record_id(&record) != Some(id) => {
            let other = record_id(&record).unwrap_or_default();
            Err(garbled(answer.status, format!("the answer is about record {other}, not {id}")))
        }
        (Found::Record(record), _) => Ok(Written { id: record_id(&record), record: Some(record) }),
        // A bare number in the answer to an update may as well be a count, and the id is known.
        (Found::Id(_) | Found::Nothing(_), Some(id)) => Ok(Written { id: Some(id), record: None }),
        (Found::Id(id), None) => Ok(Written { id: Some(id), record: None }),
        (Found::Nothing(_), None) => Ok(Written { id: None, record: None }),
    }
}

/// A delete, as the answer tells it. Its body carries nothing we need, but a success may still say that it failed.
pub(super) fn deleted(what: &str, entity: &Entity, answer: &Answer) -> Result<(), WriteFailure> {
    written(what, entity, None, answer).map(|_| ())
}

/// Reads the body of a success to a write; the error is for people.
fn read_success(entity: &Entity, answer: &Answer) -> Result<Found, String> {
    if answer.body.trim_ascii().is_empty() {
        return Ok(Found::Nothing(Silence::Empty));
    }
    if let Ok(value) = serde_json::from_slice(&answer.body) {
        return Ok(dig(entity, value));
    }
    if answer.is_html() {
        return Err(format!("the service answered {} with {HTML_PAGE}", answer.status));
    }
    let looks_like_json = matches!(answer.body.trim_ascii().first(), Some(b'{' | b'[' | b'"'));
    match std::str::from_utf8(&answer.body) {
        // A plain "Created" is a message like any other.
        Ok(_) if !looks_like_json => Ok(Found::Nothing(Silence::Message)),
        _ => Err(format!("the service answered {} with {}", answer.status, shape(&answer.body))),
    }
}

/// What a success body holds.
#[derive(Debug, PartialEq)]
enum Found {
    Record(Record),
    Id(i64),
    Nothing(Silence),
    /// Not an answer to one write, or a failure dressed as a success; with words for people.
    Stray(String),
}

/// A body that names no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silence {
    /// Nothing, null or an empty list.
    Empty,
    /// Words only.
    Message,
}

/// Finds the record or its id: bare, in a list of one, or under one of the [`wrappers`].
fn dig(entity: &Entity, value: Value) -> Found {
    match value {
        Value::Object(object) => dig_object(entity, object),
        Value::Array(mut items) => match (items.len(), items.pop()) {
            (1, Some(item)) => dig(entity, item),
            (_, None) => Found::Nothing(Silence::Empty),
            (many, _) => Found::Stray(format!("the service answered with a list of {many} for one record")),
        },
        Value::Number(number) => number.as_i64().map_or(Found::Nothing(Silence::Message), Found::Id),
        Value::String(text) => text.trim().parse().map_or(Found::Nothing(Silence::Message), Found::Id),
        Value::Null => Found::Nothing(Silence::Empty),
        Value::Bool(_) => Found::Nothing(Silence::Message),
    }
}

fn dig_object(entity: &Entity, mut object: Map<String, Value>) -> Found {
    match record_id(&object) {
        Some(_) if is_record(entity, &object) => return Found::Record(object),
        Some(id) => return Found::Id(id),
        None => {}
    }
    if let Some(message) = disguised_failure(&object) {
        return Found::Stray(message);
    }
    for wrapper in wrappers(entity) {
        match object.remove(wrapper).map(|inner| dig(entity, inner)) {
            None | Some(Found::Nothing(_)) => {}
            Some(found) => return found,
        }
    }
    Found::Nothing(Silence::Message)
}

/// The keys a record may lie under: `data`, its singular or plural name, and for `checkout/asset` also `asset`.
fn wrappers(entity: &Entity) -> [&'static str; 4] {
    let thing = entity.path.rsplit('/').next().unwrap_or(entity.path);
    ["data", entity.singular, entity.name, thing]
}

/// Whether an object with an id says more than the id: one field of the schema is enough.
fn is_record(entity: &Entity, object: &Body) -> bool {
    let is_own = |name: &String| matches!(name.as_str(), "created_at" | "updated_at") || entity.field(name).is_some();
    object.keys().any(is_own)
}

/// The words of a failure that came with a success status: `{"success": false}`, `{"error": ..}`, `{"status": "error"}`.
fn disguised_failure(object: &Map<String, Value>) -> Option<String> {
    let is_set = |name: &str| match object.get(name) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(fields)) => !fields.is_empty(),
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    };
    let is_failure = is_set("error")
        || is_set("errors")
        || object.get("success") == Some(&Value::Bool(false))
        || matches!(object.get("status").and_then(Value::as_str), Some("error" | "fail" | "failed"));
    is_failure.then(|| match Complaint::of(object).message {
        message if message.is_empty() => "the service answered a failure as a success".to_owned(),
        message => format!("the service answered a failure as a success: {message}"),
    })
}

/// A success that cannot be read: it may have been done.
fn garbled(status: u16, message: String) -> WriteFailure {
    WriteFailure {
        fate: Fate::Unknown,
        status: Some(status),
        message,
        fields: Vec::new(),
        stop: Scope::Row,
        cause: None,
    }
}

/// How an unsuccessful status is read: what became of the write, and how far it reaches.
fn verdict(status: u16, retry_after: bool) -> (Fate, Scope) {
    match status {
        // 303 says "done, look there", and many services use 302 for it.
        302 | 303 => (Fate::Unknown, Scope::Run),
        300..=399 => (Fate::Refused, Scope::Run),
        401 | 402 | 403 | 405 | 406 | 407 | 415 => (Fate::Refused, Scope::Run),
        408 => (Fate::Unknown, Scope::Row),
        429 => (Fate::NotSent, Scope::Run),
        400..=499 => (Fate::Refused, Scope::Row),
        501 => (Fate::Refused, Scope::Run),
        503 if retry_after => (Fate::NotSent, Scope::Run),
        _ => (Fate::Unknown, Scope::Row),
    }
}

/// A write the service did not answer with success.
fn failure(what: &str, answer: &Answer) -> WriteFailure {
    let complaint = answer.complaint();
    let (fate, stop) = verdict(answer.status, answer.signals.retry_after.is_some());
    let error = refusal(what, answer, &complaint);
    let message = match stop {
        Scope::Row if fate == Fate::Refused && !complaint.message.is_empty() => complaint.message,
        _ => error.to_string(),
    };
    let cause = (stop == Scope::Run).then(|| Box::new(error));
    WriteFailure { fate, status: Some(answer.status), message, fields: complaint.fields, stop, cause }
}

/// A write that got no answer.
pub(super) fn unanswered(fate: Fate, error: ApiError) -> WriteFailure {
    let stop = match fate {
        // Nobody is there: the next row would fare no better.
        Fate::NotSent => Scope::Run,
        Fate::Unknown | Fate::Refused => Scope::Row,
    };
    let message = error.to_string();
    let cause = (stop == Scope::Run).then(|| Box::new(error));
    WriteFailure { fate, status: None, message, fields: Vec::new(), stop, cause }
}

/// Whether there is no such record: what a delete that was repeated finds when it has done its work before.
pub(super) fn is_gone(answer: &Answer) -> bool {
    matches!(answer.status, 404 | 410)
}
