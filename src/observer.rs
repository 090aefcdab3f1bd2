//! What a run or an export tells its caller while it works: progress, messages, and questions.
//!
//! The command line shows bars and asks on the terminal; a program that uses the library may log, or pass
//! [`NoObserver`].

use tokio::time::Instant;

use crate::api::WaitStatus;

/// Follows a run or an export. Every method has a default that does nothing.
pub trait Observer {
    /// A phase begins, such as `checking`; `rows` is how many rows it has, where that is known.
    fn on_phase(&mut self, name: &str, rows: Option<u64>) {
        let _ = (name, rows);
    }

    /// So many rows of this phase are done by now, and so many of those failed.
    fn on_rows(&mut self, done: u64, failed: u64) {
        let _ = (done, failed);
    }

    /// What is still to be sent.
    fn on_remaining(&mut self, remaining: Remaining) {
        let _ = remaining;
    }

    /// What the work waits for; none once it goes on.
    fn on_wait(&mut self, wait: Option<&Wait>) {
        let _ = wait;
    }

    /// Something worth knowing, such as a file that was written on the way.
    fn on_note(&mut self, text: &str) {
        let _ = text;
    }

    /// Something that the user should know and that does not stop the work.
    fn on_warning(&mut self, text: &str) {
        let _ = text;
    }

    /// Whether [`confirm`](Self::confirm) reaches somebody who can answer.
    fn can_confirm(&self) -> bool {
        false
    }

    /// Asks whether to go on, such as `this run will send 3 e-mails to 2 people. Continue?`. Without anybody to ask the
    /// answer is no.
    fn confirm(&mut self, question: &str) -> bool {
        let _ = question;
        false
    }
}

/// An observer that ignores everything and says no to every question.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {}

/// What there is still to send, and how fast that may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remaining {
    pub requests: u64,
    /// How many of them may be sent at once, without waiting for the quota.
    pub allowed_now: u64,
    /// Requests an hour, where there is a limit.
    pub per_hour: Option<u32>,
}

/// Why work makes no progress for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// The quota, or the service's own rate limit.
    RateLimit(WaitStatus),
    /// Responses were lost: it is being found out whether these requests were applied.
    Reconciling { requests: usize },
    /// Another run is writing what so many rows write: they wait until it has.
    OtherRun { run: String, rows: usize },
    /// An interrupt came: nothing new is sent, and these requests finish.
    Draining { requests: usize },
    /// The service is failing, and is left alone until then.
    BackingOff { until: Instant },
}
