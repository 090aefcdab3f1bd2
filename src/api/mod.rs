//! The HTTP client: the only place that knows HTTP.
//!
//! Each layer does one thing and is tested alone. What always holds: the key goes to the base link and nowhere else,
//! no more requests leave in an hour than the quota allows, and a create is sent twice only where the first surely did
//! not arrive.
//!
//! ```text
//! client      one method per kind of call; joins the layers below
//! request     fields to method, link and bytes                        pure
//! attempts    one request to its end: attempts and waits
//! retry       what may be sent again, and after how long              pure
//! quota       the rolling hour, and the gate where requests wait
//! ledger      the rolling hour across processes and restarts
//! clock       what time it is, and whether somebody set it
//! transport   bytes out, bytes in: one attempt
//! signals     headers to limits, waits and clock                      pure
//! reply       status and bytes to records, or to what went wrong      pure
//! complaint   error bodies to a message and its fields                pure
//! pages       a list as a stream of pages
//! raw         a page of a list as it came                            pure
//! counts      requests by kind
//! custom      custom fields in every shape of a reply                pure
//! notes       every request of one write, for the journal
//! ```

use serde_json::{Map, Value};

mod attempts;
mod client;
mod clock;
mod complaint;
mod counts;
mod custom;
mod error;
mod ledger;
mod notes;
mod pages;
mod quota;
mod raw;
mod reply;
mod request;
mod retry;
mod secret;
mod signals;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
mod transport;

pub use client::{Client, ClientOptions, MOST_CONCURRENT, Probe};
pub use counts::RequestCounts;
pub use custom::custom_fields;
pub use error::{ApiError, Fate, Scope, WriteFailure};
pub use ledger::LedgerError;
pub use notes::{Attempted, Notes};
pub use quota::{WaitReason, Waiting};
pub use raw::{RawFields, RawPage, RawRecord};
pub use request::CustomFieldsEncoding;
pub use secret::{Secret, SecretError};
#[cfg(feature = "buckets")]
pub(crate) use transport::install_cryptography;

/// A record as the service gives it: unknown fields are kept.
pub type Record = Map<String, Value>;

/// The fields of a create, an update or an action. `custom_fields` may be the array, an object or JSON text.
pub type Body = Map<String, Value>;

/// A write that succeeded.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Written {
    /// The record's id. None where a create's answer names none: then the natural key finds the record.
    pub id: Option<i64>,
    /// The record as it is now, where the answer carries it.
    pub record: Option<Record>,
}

/// The system id of a record: its integer `id`.
pub fn record_id(record: &Record) -> Option<i64> {
    match record.get("id")? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
