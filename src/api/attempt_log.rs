//! Every request of a write, for whoever keeps a record of them.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::attempts::Attempt;
use super::request::Request;

/// The most of an answer that is kept.
const LONGEST_REPLY: usize = 2_000;

/// One request that was sent, or could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedAttempt {
    /// When it left.
    pub at: SystemTime,
    /// From then to its last byte, or to its failure. WaitStatus for the quota is not in it.
    pub took: Duration,
    /// Method and path, such as `POST assets`.
    pub what: String,
    /// None where no whole answer came.
    pub status: Option<u16>,
    /// What came back where it was no success, shortened; without an answer the cause.
    pub reply: Option<String>,
}

/// Collects the requests of one call: see [`super::Client::with_attempt_log`].
#[derive(Debug, Clone, Default)]
pub struct AttemptLog(Arc<Mutex<Vec<LoggedAttempt>>>);

impl AttemptLog {
    /// What was noted so far.
    pub fn take(&self) -> Vec<LoggedAttempt> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn add(&self, request: &Request, at: SystemTime, took: Duration, attempt: &Attempt) {
        let (status, reply) = match attempt {
            Attempt::Answered(answer) if answer.is_success() => (Some(answer.status), None),
            Attempt::Answered(answer) => (Some(answer.status), Some(shortened(&answer.body))),
            Attempt::NotSent(cause) | Attempt::Lost(cause) => (None, Some(cause.clone())),
        };
        let noted = LoggedAttempt { at, took, what: request.what(), status, reply };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(noted);
    }
}

fn shortened(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(LONGEST_REPLY)]).into_owned()
}
