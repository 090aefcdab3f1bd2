//! What came of a step.

use crate::api::{Fate, WriteFailure};
use crate::check::{Code, Flaw, Problem};
use crate::mapping::Mapping;

/// A step that the service took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepEnd {
    /// The record's id, where the reply or a look-up told it.
    pub id: Option<i64>,
}

/// Why a step did not succeed.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The request failed, or its answer was lost.
    Write(WriteFailure),
    /// A record that the row names could not be created.
    Awaited(String),
    /// The run stopped before the step was sent.
    NotSent(String),
    /// Our own mistake.
    Internal(String),
}

impl Fault {
    /// Whether it is not known what the service did.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Fault::Write(failure) if failure.fate == Fate::Unknown)
    }

    /// The text for the row's message.
    pub fn message(&self) -> String {
        match self {
            Fault::Write(failure) => failure.message.clone(),
            Fault::Awaited(reason) => format!("a record it names could not be created: {reason}"),
            Fault::NotSent(reason) => format!("not sent: {reason}"),
            Fault::Internal(reason) => format!("a mistake of tallyport: {reason}"),
        }
    }
}

/// A step's fault as problems of its row; the service's field errors land on the cells that fed the fields.
pub fn problems_of(fault: &Fault, mapping: &Mapping) -> Vec<Problem> {
    let failure = match fault {
        Fault::Write(failure) => failure,
        Fault::Awaited(reason) => {
            return vec![about_row(Code::NameFailed, reason, "see the row that creates it, then send this row again")];
        }
        Fault::NotSent(_) => return Vec::new(),
        Fault::Internal(reason) => {
            return vec![about_row(Code::ServiceUnknown, reason, "report it, with the result workbook")];
        }
    };
    match failure.fate {
        Fate::Unknown if mapping.entity.is_action() => vec![about_row(
            Code::ServiceUnknown,
            &failure.message,
            "look in the account whether it happened; sending it again may do it twice",
        )],
        Fate::Unknown => vec![about_row(
            Code::ServiceUnknown,
            &failure.message,
            "look for the record in the account; an upsert of this row is safe where it has a natural key",
        )],
        Fate::NotSent => vec![about_row(Code::ServiceUnreachable, &failure.message, "send the row again")],
        Fate::Refused if failure.fields.is_empty() => {
            vec![about_row(Code::ServiceRefused, &failure.message, "correct what the service names")]
        }
        Fate::Refused => failure.fields.iter().map(|(field, message)| refused_field(mapping, field, message)).collect(),
    }
}

/// The fault of a record that a row names: its fields are not the row's, so no cell of the row is meant.
pub fn problem_of_named(fault: &Fault) -> Option<Problem> {
    match fault {
        // The row's own step says why.
        Fault::Awaited(_) | Fault::NotSent(_) => None,
        Fault::Write(_) | Fault::Internal(_) => {
            Some(about_row(Code::NameFailed, &fault.message(), "create the record by itself, then send this row again"))
        }
    }
}

fn refused_field(mapping: &Mapping, field: &str, message: &str) -> Problem {
    let flaw = Flaw::new(
        Code::ServiceRefused,
        format!("what the service accepts for `{field}`: {message}"),
        "correct the cell",
    );
    flaw.at(mapping.column_of(field), "")
}

fn about_row(code: Code, reason: &str, mend: &'static str) -> Problem {
    Flaw::new(code, reason.to_owned(), mend).at(None, "")
}
