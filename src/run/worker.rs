//! One step: the call, and what came of it.

use std::time::SystemTime;

use super::outcome::{Landing, Loss, Sent};
use crate::api::{AttemptLog, Client, LoggedAttempt};
use crate::plan::{Step, WriteKind};
use crate::run::journal::AttemptRecord;

/// A step that came back.
pub(super) struct Flown {
    pub(super) step: Step,
    pub(super) landing: Landing,
    pub(super) attempts: Vec<LoggedAttempt>,
}

/// Makes the request of one step whose awaited fields are filled in.
pub(super) async fn perform(client: &Client, step: Step) -> Flown {
    let notes = AttemptLog::default();
    let client = client.with_attempt_log(&notes);
    let written = match step.write {
        WriteKind::Create => client.create(step.entity, &step.body).await,
        WriteKind::Update(id) => client.update(step.entity, id, &step.body).await,
        WriteKind::Delete(id) => client.delete(step.entity, id).await.map(|()| Default::default()),
    };
    let landing = match written {
        // An action's reply may carry the id of anything; only a collection's is the record's.
        Ok(_) if !step.entity.is_collection() => Landing::Done { id: None, record: None },
        Ok(written) if step.write == WriteKind::Create && written.id.is_none() => Landing::Lost(Loss {
            cause: String::from("the service did not tell the new record's id"),
            status: Some(200),
            sent: Sent::Yes,
        }),
        Ok(written) => Landing::Done { id: written.id, record: written.record },
        Err(failure) => Landing::of(failure),
    };
    Flown { step, landing, attempts: notes.take() }
}

/// An attempt as the journal keeps it.
pub(super) fn note(step: u32, attempted: LoggedAttempt) -> AttemptRecord {
    let since = attempted.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    AttemptRecord {
        step,
        at: i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        milliseconds: u64::try_from(attempted.took.as_millis()).unwrap_or(u64::MAX),
        request: attempted.what,
        status: attempted.status,
        reply: attempted.reply,
    }
}
