//! What came of a step.

use crate::api::{Body, FailureScope, Record, WriteFailure, WriteOutcome};
use crate::check::{Code, Problem, ValueError};
use crate::mapping::TimestampColumn;
use crate::plan::{Step, StepRole, WriteKind};
use crate::plan::{StepOutcome, StepResult};
use crate::run::journal::SheetHeader;

/// How one try to send a step ended.
#[derive(Debug, Clone)]
pub(super) enum Landing {
    /// It was done.
    Done { id: Option<i64>, record: Option<Record> },
    /// The service read it and said no.
    Refused(WriteFailure),
    /// It never arrived.
    NotSent(WriteFailure),
    /// It may have been done.
    Lost(Loss),
}

/// Why nobody knows whether a step was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loss {
    /// What happened, for people.
    pub(super) cause: String,
    /// The status of the answer, where one came.
    pub(super) status: Option<u16>,
    pub(super) sent: Sent,
}

/// Whether the step was sent at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    Yes,
    /// It is looked for because others may have made what it is to make.
    NotYet,
}

impl Loss {
    /// Whether the service is surely done with the request: it answered itself, and no gateway for it.
    pub(super) fn is_over(&self) -> bool {
        self.sent == Sent::NotYet || self.status.is_some_and(|status| !matches!(status, 408 | 502..=504 | 520..=599))
    }

    /// Nothing was sent, but a record of the same key has come since the run was planned.
    pub(super) fn by_others() -> Self {
        let cause = String::from("something like it has come since the run was planned, and not by this run");
        Self { cause, status: None, sent: Sent::NotYet }
    }

    /// Whether the service said that it was done, and only did not say what.
    pub(super) fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

impl Landing {
    pub(super) fn of(failure: WriteFailure) -> Self {
        match failure.outcome {
            // A success that cannot be read is no success: whatever stands before the service may have said it.
            WriteOutcome::Unknown => {
                let status = failure.status.filter(|status| *status >= 300);
                Landing::Lost(Loss { cause: failure.message, status, sent: Sent::Yes })
            }
            WriteOutcome::NotSent => Landing::NotSent(failure),
            WriteOutcome::Refused => Landing::Refused(failure),
        }
    }

    /// Why every further request would fail alike.
    pub(super) fn stops_the_run(&self) -> Option<&str> {
        match self {
            Landing::Refused(failure) if failure.scope == FailureScope::Run => Some(&failure.message),
            _ => None,
        }
    }
}

/// A step that was done.
pub(super) fn done(step: &Step, id: Option<i64>, record: Option<&Record>) -> StepOutcome {
    let record_id = match step.write {
        WriteKind::Create => id,
        WriteKind::Update(id) | WriteKind::Delete(id) => Some(id),
    };
    let after = record.map(|record| match step.write {
        WriteKind::Create => after_image(step, record),
        WriteKind::Update(_) | WriteKind::Delete(_) => moment_of(record),
    });
    StepOutcome { record: record_id, after, ..ended(step, StepResult::Applied) }
}

/// A step that the service refused.
pub(super) fn refused(step: &Step, failure: &WriteFailure, sheet: &SheetHeader) -> StepOutcome {
    let outcome = ended(step, StepResult::Failed);
    let problems = match step.role {
        StepRole::Dependency => vec![named_failed(&failure.message)],
        StepRole::Row if matches!(step.write, WriteKind::Delete(_)) => vec![kept(failure)],
        StepRole::Row if failure.fields.is_empty() => {
            vec![about_row(Code::ServiceRefused, &failure.message, "correct what the service names")]
        }
        StepRole::Row => failure.fields.iter().map(|(field, message)| refused_field(sheet, field, message)).collect(),
    };
    StepOutcome { problems, ..outcome }
}

/// A step that was tried often enough, and surely was not done.
pub(super) fn given_up(step: &Step, loss: &Loss, tries: u32) -> StepOutcome {
    let text = format!("it was sent {tries} times and not done: {}", loss.cause);
    let problems = match step.role {
        StepRole::Dependency => vec![named_failed(&text)],
        StepRole::Row => vec![about_row(Code::ServiceUnreachable, &text, "send the row again")],
    };
    StepOutcome { problems, ..ended(step, StepResult::Failed) }
}

/// A step whose record could not be made because another step failed: that one's row says why.
pub(super) fn awaited(step: &Step, reason: &str) -> StepOutcome {
    let hint = "see the row that creates it, then send this row again";
    let problems = match step.role {
        // The row's own step says it.
        StepRole::Dependency => Vec::new(),
        StepRole::Row => vec![about_row(Code::NameFailed, reason, hint)],
    };
    StepOutcome { problems, ..ended(step, StepResult::Failed) }
}

/// A step that was looked for and found: by whoever it was made, the row has what it wants.
pub(super) fn found(step: &Step, loss: &Loss, id: Option<i64>, record: Option<&Record>) -> StepOutcome {
    match loss.sent {
        Sent::Yes => done(step, id, record),
        Sent::NotYet => {
            let message = String::from("it was there already when the run was taken up again");
            StepOutcome { record: id, message, ..ended(step, StepResult::AlreadyApplied) }
        }
    }
}

/// A step whose fate the service does not tell.
pub(super) fn undecided(step: &Step, loss: &Loss, look_at: &str) -> StepOutcome {
    let text = format!("{}; {look_at}", loss.cause);
    let (result, code, hint) = match loss.sent {
        Sent::Yes => (StepResult::Unknown, Code::ServiceUnknown, "look whether it is there before sending it again"),
        Sent::NotYet => (StepResult::Failed, Code::RecordExists, "look at it, and send the row again if it is another"),
    };
    let problems = match step.role {
        StepRole::Dependency => vec![named_failed(&text)],
        StepRole::Row => vec![about_row(code, &text, hint)],
    };
    StepOutcome { problems, ..ended(step, result) }
}

fn ended(step: &Step, result: StepResult) -> StepOutcome {
    let (record, after, message, problems) = (None, None, String::new(), Vec::new());
    StepOutcome { step: step.number, result, record, after, message, problems }
}

/// What the service made of the fields that were not sent: whoever takes the run back sees by them whether somebody
/// changed the record since.
fn after_image(step: &Step, record: &Record) -> Body {
    let fields = step.entity.updated_fields().filter(|field| !step.body.contains_key(field.name));
    fields.filter_map(|field| Some((field.name.to_owned(), record.get(field.name)?.clone()))).collect()
}

/// When the service changed the record for this run: the result shows it, so that whoever goes on from there is not told
/// of a conflict with the run itself.
fn moment_of(record: &Record) -> Body {
    let name = TimestampColumn::Updated.name();
    record.get(name).map(|moment| (name.to_owned(), moment.clone())).into_iter().collect()
}

/// A delete carries no field: whatever the service names is about the record itself.
fn kept(failure: &WriteFailure) -> Problem {
    let reasons: Vec<&str> = failure.fields.iter().map(|(_, reason)| reason.as_str()).collect();
    let reason = if reasons.is_empty() { failure.message.clone() } else { reasons.join("; ") };
    let message = format!("cannot be deleted: {reason}");
    about_row(Code::ServiceRefused, &message, "see what still uses the record, then delete it again")
}

fn refused_field(sheet: &SheetHeader, field: &str, message: &str) -> Problem {
    let error =
        ValueError::new(Code::ServiceRefused, format!("the service rejected `{field}`: {message}"), "correct the cell");
    let column = sheet.fields.iter().find(|(known, _)| known == field).map(|(_, column)| *column);
    error.at(column, "")
}

/// The fault of a record that a row names: its fields are not the row's, so no cell of the row is meant.
fn named_failed(message: &str) -> Problem {
    about_row(Code::NameFailed, message, "create the record by itself, then send this row again")
}

fn about_row(code: Code, reason: &str, hint: &'static str) -> Problem {
    ValueError::new(code, reason.to_owned(), hint).at(None, "")
}
