//! A fake service with scripted replies, on the paused clock of the test.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, SystemTime};

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::api::{
    ApiError, FailureScope, LoggedAttempt, Method, RawPage, Record, RequestKind, WriteFailure, WriteOutcome, WriteReply,
};
use crate::catalog::RecordSource;
use crate::catalog::fake_source::FakeSource;
use crate::plan::Step;
use crate::run::worker::StepTransport;
use crate::schema::Entity;

/// How the service replies to a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// Applied, with the record's id.
    Applied,
    /// Applied, and the response does not have the record's id.
    WithoutId,
    /// Applied, and the response is about another record.
    Foreign,
    /// Reported as applied without an id, but no record exists.
    FalseSuccess,
    /// Rejected: this row only.
    Rejected,
    /// Rejected like every other request.
    RejectedRun,
    /// A success that says that it failed; the record was made all the same, or not.
    ReportedFailure { is_applied: bool },
    /// Never reached the service.
    NotSent,
    /// A firewall answered with a page.
    Blocked,
    /// The service said that this may not be written.
    Forbidden,
    /// Applied, and the response was lost; with the status of what came instead.
    LostApplied(Option<u16>),
    /// Not applied, and the response was lost.
    LostNotApplied(Option<u16>),
    /// Lost: after `lost_after`, with the status of what came instead. The record shows `shown_after` the send.
    LateApplied { status: Option<u16>, lost_after: Duration, shown_after: Duration },
    /// Reported as applied; the reply shows the record 7 with this JSON of it, and so does the service with that.
    Shows { reply: &'static str, then: &'static str },
    /// No response ever.
    Hangs,
}

/// One request of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SentStep {
    pub(super) step: u32,
    /// Time since the transport was made.
    pub(super) at: Duration,
    /// How many steps were in flight, this one included.
    pub(super) in_flight: usize,
}

pub(super) struct FakeTransport {
    pub(super) service: FakeSource,
    /// Replies by step, in order; [`Reply::Applied`] afterwards.
    script: RefCell<HashMap<u32, VecDeque<Reply>>>,
    /// How long a response takes.
    pub(super) latency: Duration,
    /// How many reads fail before one succeeds.
    pub(super) failing_reads: Cell<u32>,
    pub(super) sent: RefCell<Vec<SentStep>>,
    /// When reads were made.
    pub(super) reads: RefCell<Vec<Duration>>,
    pub(super) is_stopped: Cell<bool>,
    /// Records that the service shows from then on.
    late: RefCell<Vec<(Instant, Step)>>,
    in_flight: Cell<usize>,
    last_id: Cell<i64>,
    started: Instant,
}

impl FakeTransport {
    pub(super) fn new(script: &[(u32, &[Reply])]) -> Self {
        let script = script.iter().map(|(step, replies)| (*step, replies.iter().copied().collect())).collect();
        Self {
            service: FakeSource::new(),
            script: RefCell::new(script),
            latency: Duration::from_millis(100),
            failing_reads: Cell::new(0),
            sent: RefCell::default(),
            reads: RefCell::default(),
            is_stopped: Cell::new(false),
            late: RefCell::default(),
            in_flight: Cell::new(0),
            last_id: Cell::new(100),
            started: Instant::now(),
        }
    }

    /// The numbers of the steps sent, in order.
    pub(super) fn sent_steps(&self) -> Vec<u32> {
        self.sent.borrow().iter().map(|sent| sent.step).collect()
    }

    /// Time since the transport was made.
    pub(super) fn started_for(&self) -> Duration {
        self.started.elapsed()
    }

    fn apply(&self, step: &Step) -> i64 {
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        let mut record = step.body.clone();
        record.insert(String::from("id"), json!(id));
        self.service.insert(step.entity.name, record);
        id
    }

    fn next_reply(&self, step: u32) -> Reply {
        self.script.borrow_mut().get_mut(&step).and_then(VecDeque::pop_front).unwrap_or(Reply::Applied)
    }

    fn reply(&self, step: &Step, reply: Reply) -> Result<WriteReply, WriteFailure> {
        match reply {
            Reply::Applied => Ok(WriteReply { id: Some(self.apply(step)), record: None }),
            Reply::WithoutId => {
                self.apply(step);
                Ok(WriteReply::default())
            }
            Reply::Foreign => {
                self.apply(step);
                let record = json!({"id": 1, "name": "another"}).as_object().cloned();
                Ok(WriteReply { id: Some(1), record })
            }
            Reply::FalseSuccess => Ok(WriteReply::default()),
            Reply::Shows { reply, then } => {
                let record = |text: &str| serde_json::from_str::<Record>(text).ok();
                self.service.insert(step.entity.name, record(then).unwrap_or_default());
                Ok(WriteReply { id: Some(7), record: record(reply) })
            }
            Reply::Rejected => Err(failure(WriteOutcome::Refused, Some(422))),
            Reply::RejectedRun => {
                Err(WriteFailure { scope: FailureScope::Run, ..failure(WriteOutcome::Refused, Some(401)) })
            }
            Reply::Blocked => {
                let cause = Some(Box::new(ApiError::Blocked { status: 403, request_id: None }));
                let failed = failure(WriteOutcome::Refused, Some(403));
                Err(WriteFailure { scope: FailureScope::Run, cause, ..failed })
            }
            Reply::Forbidden => {
                let (what, message) = (String::from("PUT employees/2"), String::from("managed by SCIM"));
                let cause = Some(Box::new(ApiError::Forbidden { what, status: 403, message }));
                let failed = failure(WriteOutcome::Refused, Some(403));
                Err(WriteFailure { scope: FailureScope::Run, cause, ..failed })
            }
            Reply::ReportedFailure { is_applied } => {
                if is_applied {
                    self.apply(step);
                }
                Err(failure(WriteOutcome::ReportedFailure, Some(200)))
            }
            Reply::NotSent => Err(failure(WriteOutcome::NotSent, None)),
            Reply::LostApplied(status) => {
                self.apply(step);
                Err(failure(WriteOutcome::Unknown, status))
            }
            Reply::LateApplied { status, .. } => Err(failure(WriteOutcome::Unknown, status)),
            Reply::LostNotApplied(status) => Err(failure(WriteOutcome::Unknown, status)),
            Reply::Hangs => unreachable!("a step that hangs has no response"),
        }
    }

    fn read(&self) -> Result<(), ApiError> {
        self.reads.borrow_mut().push(self.started.elapsed());
        let now = Instant::now();
        let shown: Vec<_> = self.late.borrow_mut().extract_if(.., |(at, _)| *at <= now).collect();
        for (_, step) in shown {
            self.apply(&step);
        }
        match self.failing_reads.get() {
            0 => Ok(()),
            left => {
                self.failing_reads.set(left - 1);
                Err(ApiError::Unreachable { host: String::from("example.com"), cause: String::from("refused") })
            }
        }
    }
}

fn failure(outcome: WriteOutcome, status: Option<u16>) -> WriteFailure {
    let (message, fields) = (String::from("it failed"), Vec::new());
    WriteFailure { outcome, status, message, fields, scope: FailureScope::Row, cause: None }
}

impl StepTransport for FakeTransport {
    async fn send(&self, step: &Step) -> (Result<WriteReply, WriteFailure>, Vec<LoggedAttempt>) {
        let reply = self.next_reply(step.number);
        self.in_flight.set(self.in_flight.get() + 1);
        let sent = SentStep { step: step.number, at: self.started.elapsed(), in_flight: self.in_flight.get() };
        self.sent.borrow_mut().push(sent);
        if reply == Reply::Hangs {
            std::future::pending::<()>().await;
        }
        let latency = match reply {
            Reply::LateApplied { lost_after, shown_after, .. } => {
                self.late.borrow_mut().push((Instant::now() + shown_after, step.clone()));
                lost_after
            }
            _ => self.latency,
        };
        sleep(latency).await;
        self.in_flight.set(self.in_flight.get() - 1);
        let result = self.reply(step, reply);
        let status = result.as_ref().map_or_else(|failure| failure.status, |_| Some(201));
        let request = RequestKind { method: Method::Post, path: "locations" };
        let attempt = LoggedAttempt { at: SystemTime::UNIX_EPOCH, took: latency, request, status, reply: None };
        (result, vec![attempt])
    }

    fn stop(&self) {
        self.is_stopped.set(true);
    }
}

impl RecordSource for FakeTransport {
    type Error = ApiError;

    fn page_limit(&self) -> u32 {
        self.service.page_limit()
    }

    async fn raw_page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<RawPage, ApiError> {
        self.read()?;
        let Ok(page) = self.service.raw_page(entity, filters, offset, limit).await;
        Ok(page)
    }

    async fn record(&self, entity: &'static Entity, id: i64) -> Result<Option<Record>, ApiError> {
        self.read()?;
        let Ok(record) = self.service.record(entity, id).await;
        Ok(record)
    }
}
