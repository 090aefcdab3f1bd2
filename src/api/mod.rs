//! The HTTP client of the service. No other module knows HTTP.
//!
//! Each layer does one job and has its own tests. What always holds: the API key is sent to the base URL and nowhere
//! else, no more requests are sent in an hour than the quota allows, and a create is sent twice only if the first one
//! certainly did not arrive.
//!
//! ```text
//! client            one method per kind of call; joins the layers below
//! request           fields to method, URL and bytes                       pure
//! attempts          one request until it is settled: attempts and waits
//! retry             what may be sent again, and after how long            pure
//! rate_limiter      where requests wait for the quota and for the service
//! rolling_window    the quota of one process                              pure
//! shared_quota      the quota across processes and restarts
//! clock             wall clock and monotonic clock, to detect clock changes
//! transport         bytes out, bytes in: one attempt
//! response_headers  headers to limits, waits and the server's clock       pure
//! response          status and body to records, or to an error            pure
//! error_body        error bodies to a message and its fields              pure
//! page_limit        how long pages are, and which is the last                pure
//! raw               a page of a list as unparsed JSON                     pure
//! members           JSON objects split without parsing their values        pure
//! surrogates        escapes in a body that no text can hold               pure
//! counts            requests by kind
//! custom_fields     custom fields in every shape of a response            pure
//! wait              what requests wait for
//! attempt_log       every request of one write, for the journal
//! ```

use serde_json::{Map, Value};

use crate::schema::{self, Entity, Kind};

mod attempt_log;
mod attempts;
mod client;
mod clock;
mod connection_error;
mod counts;
mod custom_fields;
mod error;
mod error_body;
mod members;
mod page_limit;
mod rate_limiter;
mod raw;
mod request;
mod request_kind;
mod response;
mod response_headers;
mod retry;
mod rolling_window;
mod secret;
mod shared_quota;
#[cfg(test)]
mod simulated;
mod surrogates;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
mod transport;
mod wait;

pub(crate) use attempt_log::{AttemptLog, LoggedAttempt};
pub use client::{Client, ClientOptions};
pub(crate) use client::{MOST_CONCURRENT, Probe};
pub use counts::RequestCounts;
pub(crate) use custom_fields::custom_fields;
pub use error::ApiError;
pub(crate) use error::{FailureScope, WriteFailure, WriteOutcome};
pub(crate) use raw::{RawFields, RawPage, RawRecord};
pub use request::CustomFieldsEncoding;
pub(crate) use request_kind::{Method, RequestKind, UnknownRequest};
pub use secret::{Secret, SecretError};
#[cfg(test)]
pub(crate) use simulated::{SimulatedNetwork, SimulatedReply, SimulatedRequest};
#[cfg(feature = "buckets")]
pub(crate) use transport::install_cryptography;
pub use wait::{WaitReason, WaitStatus};

/// A record as the service returns it, unknown fields included.
pub(crate) type Record = Map<String, Value>;

/// The fields of a create, an update or an action. `custom_fields` may be the array, an object or JSON text.
pub(crate) type Body = Map<String, Value>;

/// The response to a write that succeeded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WriteReply {
    /// The record's id. None if the response to a create names none: then the natural key finds the record.
    pub id: Option<i64>,
    /// The record as it is now, if the response contains it.
    pub record: Option<Record>,
}

/// The system id of a record: its integer `id`.
pub(crate) fn record_id(record: &Record) -> Option<i64> {
    integer(record.get("id")?)
}

/// A whole number, which some replies carry as text.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Turns what a reply has as a number and the guide as a text, such as a tag of digits, into a text: it is compared and
/// sent as one. The reply to an action may show the item.
pub(crate) fn retype_texts(entity: &Entity, record: &mut Record) {
    let item = entity.item().and_then(|(_, reference)| schema::collection(reference.to));
    let entity = item.unwrap_or(entity);
    for (name, value) in record.iter_mut().filter(|(_, value)| value.is_number()) {
        if entity.field(name).is_some_and(|field| matches!(field.kind, Kind::Text(_))) {
            *value = Value::String(value.to_string());
        }
    }
}

/// A value of a record as text: a string as it is, nothing for null, anything else as JSON.
pub(crate) fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
