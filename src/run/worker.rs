//! Sends one step.

use std::time::SystemTime;

use crate::api::{ApiError, AttemptLog, Client, LoggedAttempt, WriteFailure, WriteReply};
use crate::catalog::RecordSource;
use crate::plan::{Step, WriteKind};
use crate::run::journal::AttemptRecord;

/// The service as the dispatcher uses it: [`Client`], or a fake in tests.
pub trait StepTransport: RecordSource<Error = ApiError> {
    /// Sends a step whose dependencies are filled in.
    fn send(&self, step: &Step) -> impl Future<Output = (Result<WriteReply, WriteFailure>, Vec<LoggedAttempt>)>;

    /// Stops sending: requests that wait end as not sent, those in flight complete.
    fn stop(&self);
}

impl StepTransport for Client {
    async fn send(&self, step: &Step) -> (Result<WriteReply, WriteFailure>, Vec<LoggedAttempt>) {
        let log = AttemptLog::default();
        let client = self.with_attempt_log(&log);
        let result = match step.write {
            WriteKind::Create => client.create(step.entity, &step.body).await,
            WriteKind::Update(id) => client.update(step.entity, id, &step.body).await,
            WriteKind::Delete(id) => client.delete(step.entity, id).await.map(|()| WriteReply::default()),
        };
        (result, log.take())
    }

    fn stop(&self) {
        Client::stop(self);
    }
}

/// A step that was sent, with its response.
pub(super) struct CompletedAttempt {
    pub(super) step: Step,
    pub(super) result: Result<WriteReply, WriteFailure>,
    pub(super) attempts: Vec<LoggedAttempt>,
}

/// Sends a step and waits for its response.
pub(super) async fn send(transport: &impl StepTransport, step: Step) -> CompletedAttempt {
    let (mut result, attempts) = transport.send(&step).await;
    if !step.entity.is_collection() {
        // The reply to an action may carry the id of anything; only a collection's is the record's.
        result = result.map(|_| WriteReply::default());
    }
    CompletedAttempt { step, result, attempts }
}

/// An attempt as the journal stores it.
pub(super) fn attempt_record(step: u32, attempt: LoggedAttempt) -> AttemptRecord {
    let since = attempt.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    AttemptRecord {
        step,
        at: i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        milliseconds: u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
        request: attempt.request,
        status: attempt.status,
        reply: attempt.reply,
    }
}
