//! Every request of a write, for the journal.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::attempts::Attempt;
use super::request::Request;
use super::request_kind::RequestKind;

/// The most of a response that is kept.
const LONGEST_REPLY: usize = 2_000;

/// One request that was sent, or could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedAttempt {
    /// When it was sent.
    pub at: SystemTime,
    /// From then to its last byte, or to its failure. Waiting for the quota is not in it.
    pub took: Duration,
    pub request: RequestKind,
    /// None if no complete response arrived.
    pub status: Option<u16>,
    /// The response if it was not a success, shortened; the cause if there was no response.
    pub reply: Option<String>,
}

/// Collects the requests of one call, see [`super::Client::with_attempt_log`].
#[derive(Debug, Clone, Default)]
pub struct AttemptLog(Arc<Mutex<Vec<LoggedAttempt>>>);

impl AttemptLog {
    /// The attempts logged so far.
    pub fn take(&self) -> Vec<LoggedAttempt> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn add(&self, request: &Request, at: SystemTime, took: Duration, attempt: &Attempt) {
        let (status, reply) = match attempt {
            Attempt::Answered(answer) if answer.is_success() => (Some(answer.status), None),
            Attempt::Answered(answer) => (Some(answer.status), Some(shortened(answer.body()))),
            Attempt::NotSent(cause) | Attempt::Lost(cause) => (None, Some(cause.clone())),
        };
        let noted = LoggedAttempt { at, took, request: request.kind, status, reply };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(noted);
    }
}

fn shortened(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(LONGEST_REPLY)]).into_owned()
}
