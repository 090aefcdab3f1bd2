//! Sends one step.

use std::time::SystemTime;

use tokio::time::Instant;

use super::unresolved_steps::FailedAnswers;
use crate::api::{ApiError, AttemptLog, Client, LoggedAttempt, Record, WriteFailure, WriteReply, integer, record_id};
use crate::catalog::RecordSource;
use crate::plan::{Step, WriteKind};
use crate::run::journal::AttemptRecord;
use crate::schema::{self, Meaning};

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
    sent_at: Instant,
}

impl CompletedAttempt {
    /// The responses that had the status of the failure.
    pub(super) fn failed_answers(&self) -> FailedAnswers {
        let status = self.result.as_ref().err().and_then(|failure| failure.status);
        let answers = self.attempts.iter().filter(|attempt| status.is_some() && attempt.status == status);
        FailedAnswers { count: u32::try_from(answers.count()).unwrap_or(u32::MAX), since: self.sent_at }
    }
}

/// Sends a step and waits for its response.
pub(super) async fn send(transport: &impl StepTransport, step: Step) -> CompletedAttempt {
    let sent_at = Instant::now();
    let (mut result, attempts) = transport.send(&step).await;
    if !step.entity.is_collection() {
        // The reply to an action may carry the id of anything; only a collection's is the record's. What an action moves
        // says when that changed it.
        let is_item = |record: &Record| is_item_of(&step, record);
        result = result.map(|reply| WriteReply { id: None, record: reply.record.filter(is_item) });
    }
    CompletedAttempt { step, result, attempts, sent_at }
}

/// Whether a record is what an action moves.
fn is_item_of(step: &Step, record: &Record) -> bool {
    let Some((named, item)) = step.entity.item().and_then(|(field, item)| Some((step.body.get(field.name)?, item)))
    else {
        return false;
    };
    let tag = schema::collection(item.to).and_then(|entity| entity.meaning(Meaning::Tag)).filter(|_| named.is_string());
    match tag {
        Some(tag) => record.get(tag.name) == Some(named),
        None => record_id(record).is_some() && record_id(record) == integer(named),
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use serde_json::json;
    use tokio::runtime::Builder;

    use super::*;
    use crate::api::{ClientOptions, FailureScope, Secret, WriteOutcome};
    use crate::plan::{RowId, StepRole};
    use crate::sandbox::{Sandbox, SandboxOptions, Seed};

    fn step(entity: &str, write: WriteKind, body: &serde_json::Value) -> Step {
        let step = Step::new(0, RowId { sheet: 0, row: 2 }, StepRole::Row, schema::find(entity).unwrap(), write);
        Step { body: body.as_object().cloned().unwrap(), ..step }
    }

    #[test]
    fn a_step_is_sent_as_its_write_says_and_its_requests_are_told() {
        let options = SandboxOptions { quota: None, seed: Seed::Empty, ..SandboxOptions::default() };
        let sandbox = Sandbox::start(options).unwrap();
        let key = Secret::new(String::from("sandbox")).unwrap();
        let options = ClientOptions { quota: None, ..ClientOptions::new(sandbox.base_url().parse().unwrap(), key) };
        let client = Client::new(options).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let sends = |entity: &str, write, body: serde_json::Value| {
            let done = runtime.block_on(send(&client, step(entity, write, &body)));
            let requests: Vec<String> =
                done.attempts.iter().map(|attempt| format!("{} {:?}", attempt.request, attempt.status)).collect();
            assert_eq!(done.step.entity.name, entity);
            (done.result.map(|reply| (reply.id, reply.record.is_some())).map_err(|failure| failure.status), requests)
        };
        let one = |text: &str| vec![text.to_owned()];
        let created = sends("suppliers", WriteKind::Create, json!({"name": "Acme"}));
        assert_eq!(created, (Ok((Some(1), true)), one("POST suppliers Some(201)")));
        let updated = sends("suppliers", WriteKind::Update(1), json!({"city": "Ulm"}));
        assert_eq!(updated, (Ok((Some(1), true)), one("PUT suppliers Some(200)")));
        let deleted = sends("suppliers", WriteKind::Delete(1), json!({}));
        assert_eq!(deleted, (Ok((None, false)), one("DELETE suppliers Some(204)")));
        let refused = sends("suppliers", WriteKind::Create, json!({}));
        assert_eq!(refused, (Err(Some(422)), one("POST suppliers Some(422)")));
        for (entity, body) in [
            ("categories", json!({"name": "Mice", "type": "accessory"})),
            ("accessories", json!({"name": "Mouse", "category_id": 1, "quantity": 3})),
            ("locations", json!({"name": "Ulm"})),
        ] {
            assert!(sends(entity, WriteKind::Create, body).0.is_ok());
        }
        let out = json!({"accessory_id": 1, "location_id": 1, "quantity": 1, "checkout_date": "2026-01-02"});
        let moved = sends("checkout_accessory", WriteKind::Create, out);
        assert_eq!(
            moved.0,
            Ok((None, true)),
            "what the reply to an action names is not the action's record, but its item"
        );
        StepTransport::stop(&client);
        assert!(sends("suppliers", WriteKind::Create, json!({"name": "Late"})).0.is_err());
    }

    #[test]
    fn an_attempt_is_kept_with_its_time_in_milliseconds() {
        let attempt = LoggedAttempt {
            at: SystemTime::UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456),
            took: Duration::from_micros(12_345),
            request: "POST assets".parse().unwrap(),
            status: Some(500),
            reply: Some(String::from("oops")),
        };
        let record = attempt_record(7, attempt.clone());
        assert_eq!((record.step, record.at, record.milliseconds), (7, 1_700_000_000_123, 12));
        assert_eq!(
            (record.status, record.reply, record.request),
            (Some(500), Some(String::from("oops")), attempt.request)
        );
        let early = LoggedAttempt { at: SystemTime::UNIX_EPOCH - Duration::from_secs(1), ..attempt };
        assert_eq!(attempt_record(7, early).at, 0);
    }

    #[test]
    fn the_responses_that_failed_like_the_last_one_are_counted() {
        let count = |last: Option<u16>, statuses: &[Option<u16>]| {
            let attempt = |status: &Option<u16>| LoggedAttempt {
                at: SystemTime::UNIX_EPOCH,
                took: Duration::ZERO,
                request: "POST assets".parse().unwrap(),
                status: *status,
                reply: None,
            };
            let failure = WriteFailure {
                outcome: WriteOutcome::Unknown,
                status: last,
                message: String::new(),
                fields: Vec::new(),
                scope: FailureScope::Row,
                cause: None,
            };
            let step = step("assets", WriteKind::Create, &json!({}));
            let attempts = statuses.iter().map(attempt).collect();
            CompletedAttempt { step, result: Err(failure), attempts, sent_at: Instant::now() }.failed_answers().count
        };
        assert_eq!(count(Some(500), &[Some(500), Some(503), None, Some(500)]), 2);
        assert_eq!(count(None, &[None, Some(500)]), 0, "requests without a response do not count");
    }
}
