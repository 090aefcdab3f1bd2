//! The stored form of states, problems and JSON. What is stored and makes no sense is an error, never a default.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Type, ValueRef};
use rusqlite::{Error, Result, Row};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::api::{RequestKind, UnknownRequest};
use crate::check::{Code, Problem, ValueError};
use crate::plan::{RowStatus, StepResult, StepRole, WriteKind};
use crate::run::journal::{RowState, RunKind, RunPhase};
use crate::schema::{self, Entity};

/// Stored content that makes no sense; the journal is damaged.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unreadable(String);

/// The error for stored content that makes no sense, as [`JournalError::Damaged`](super::JournalError) tells it.
pub(super) fn unreadable(what: impl Into<String>) -> Error {
    Error::FromSqlConversionFailure(0, Type::Text, Box::new(Unreadable(what.into())))
}

/// A column that holds a value as JSON.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        let text = serde_json::to_string(&self.0).map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))?;
        Ok(text.into())
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Json).map_err(|error| FromSqlError::Other(Box::new(error)))
    }
}

/// The value in a column that holds JSON.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T> {
    row.get(column).map(|Json(value)| value)
}

/// The value in a column that holds JSON or nothing.
pub(super) fn json_if_any<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<Option<T>> {
    Ok(row.get::<_, Option<Json<T>>>(column)?.map(|Json(value)| value))
}

/// The columns of a row, each read once, in the order of the query. A name would be looked for among all of them, which is a
/// twentieth of an import.
pub(super) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    pub(super) fn of(row: &'r Row<'s>) -> Self {
        Self::from(row, 0)
    }

    /// From a column on, the first being 0.
    pub(super) fn from(row: &'r Row<'s>, first: usize) -> Self {
        Self { row, next: first }
    }

    pub(super) fn get<T: FromSql>(&mut self) -> Result<T> {
        self.next += 1;
        self.row.get(self.next - 1)
    }

    /// A text, which ends with the row.
    pub(super) fn text(&mut self) -> Result<&'r str> {
        self.next += 1;
        Ok(self.row.get_ref(self.next - 1)?.as_str()?)
    }

    pub(super) fn text_if_any(&mut self) -> Result<Option<&'r str>> {
        self.next += 1;
        Ok(self.row.get_ref(self.next - 1)?.as_str_or_null()?)
    }

    pub(super) fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        self.get().map(|Json(value)| value)
    }

    pub(super) fn json_if_any<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        Ok(self.get::<Option<Json<T>>>()?.map(|Json(value)| value))
    }

    /// A state by its stored name.
    pub(super) fn state<T: Copy + PartialEq>(&mut self, names: &StoredNames<T>) -> Result<T> {
        names.decode(self.text()?)
    }

    /// Problems as [`encode_problems`] writes them.
    pub(super) fn problems(&mut self) -> Result<Vec<Problem>> {
        let stored: Option<Vec<StoredProblem>> = self.json_if_any()?;
        stored.into_iter().flatten().map(StoredProblem::decode).collect()
    }
}

/// A state with its stored names: one table per enum, read in both directions.
pub(super) struct StoredNames<T: 'static> {
    /// What errors call it.
    what: &'static str,
    names: &'static [(T, &'static str)],
}

pub(super) const RUN_KINDS: StoredNames<RunKind> = StoredNames {
    what: "kind of run",
    names: &[
        (RunKind::Import, "import"),
        (RunKind::Delete, "delete"),
        (RunKind::Undo, "undo"),
        (RunKind::Apply, "apply"),
    ],
};

pub(super) const PHASES: StoredNames<RunPhase> = StoredNames {
    what: "phase",
    names: &[
        (RunPhase::Planning, "planning"),
        (RunPhase::Sending, "sending"),
        (RunPhase::Stopped, "stopped"),
        (RunPhase::Finished, "finished"),
    ],
};

pub(super) const ROW_STATES: StoredNames<RowState> = StoredNames {
    what: "row state",
    names: &[
        (RowState::Planned, "planned"),
        (RowState::Ended, "ended"),
        (RowState::Carried, "carried"),
        (RowState::Detail, "detail"),
    ],
};

pub(super) const PARTS: StoredNames<StepRole> =
    StoredNames { what: "role of a step", names: &[(StepRole::Row, "own"), (StepRole::Dependency, "missing")] };

pub(super) const RESULTS: StoredNames<StepResult> = StoredNames {
    what: "result of a step",
    names: &[
        (StepResult::Applied, "done"),
        (StepResult::AlreadyApplied, "found"),
        (StepResult::Failed, "failed"),
        (StepResult::Unknown, "unknown"),
    ],
};

impl<T: Copy + PartialEq> StoredNames<T> {
    /// The stored name of a state. Tests check that every state has one.
    pub(super) fn encode(&self, state: T) -> &'static str {
        self.names.iter().find(|(known, _)| *known == state).map_or("", |(_, name)| name)
    }

    pub(super) fn decode(&self, name: &str) -> Result<T> {
        let known = self.names.iter().find(|(_, known)| *known == name).map(|(state, _)| *state);
        known.ok_or_else(|| unreadable(format!("unknown {} `{name}`", self.what)))
    }

    /// The state in a column.
    pub(super) fn column(&self, row: &Row<'_>, column: &str) -> Result<T> {
        self.decode(&row.get::<_, String>(column)?)
    }
}

/// `create`, `update` or `delete`, and the record.
pub(super) fn encode_write(write: WriteKind) -> (&'static str, Option<i64>) {
    match write {
        WriteKind::Create => ("create", None),
        WriteKind::Update(id) => ("update", Some(id)),
        WriteKind::Delete(id) => ("delete", Some(id)),
    }
}

pub(super) fn decode_write(word: &str, record: Option<i64>) -> Result<WriteKind> {
    match (word, record) {
        ("create", _) => Ok(WriteKind::Create),
        ("update", Some(id)) => Ok(WriteKind::Update(id)),
        ("delete", Some(id)) => Ok(WriteKind::Delete(id)),
        _ => Err(unreadable(format!("unknown write `{word}`"))),
    }
}

/// A status by its name in JSON.
pub(super) fn decode_status(name: &str) -> Result<RowStatus> {
    let known = RowStatus::all().find(|status| status.as_str() == name);
    known.ok_or_else(|| unreadable(format!("unknown row status `{name}`")))
}

/// The collection or action of that name.
pub(super) fn decode_entity(name: &str) -> Result<&'static Entity> {
    let known = schema::importable().find(|entity| entity.name == name);
    known.ok_or_else(|| unreadable(format!("unknown collection `{name}`")))
}

/// A request as `POST assets`.
pub(super) fn decode_request(text: &str) -> Result<RequestKind> {
    text.parse().map_err(|error: UnknownRequest| unreadable(error.to_string()))
}

/// Problems as JSON; none where there are none.
pub(super) fn encode_problems(problems: &[Problem]) -> Option<String> {
    if problems.is_empty() {
        return None;
    }
    let list = problems.iter().map(|problem| {
        serde_json::json!({
            "code": problem.code().as_str(),
            "column": problem.column,
            "found": if problem.code().is_secret() { "" } else { &*problem.found },
            "message": problem.error.message,
            "hint": problem.error.hint,
        })
    });
    Some(serde_json::Value::from_iter(list).to_string())
}

#[derive(Debug, Deserialize)]
struct StoredProblem {
    code: String,
    column: Option<u32>,
    found: String,
    #[serde(default)]
    message: String,
    hint: Option<String>,
    /// Version 0.1 has this in place of `message`.
    #[serde(default)]
    expected: String,
    /// Version 0.1 has this in place of `hint`.
    mend: Option<String>,
}

impl StoredProblem {
    fn decode(self) -> Result<Problem> {
        let code = Code::ALL.iter().copied().find(|code| code.as_str() == self.code);
        let code = code.ok_or_else(|| unreadable(format!("unknown problem `{}`", self.code)))?;
        let message = match (self.message, self.expected) {
            (message, expected) if message.is_empty() && expected.is_empty() => code.title().to_owned(),
            (message, expected) if message.is_empty() => format!("{}; expected {expected}", code.title()),
            (message, _) => message,
        };
        let hint = [self.hint, self.mend].into_iter().flatten().find(|hint| !hint.is_empty());
        let error = ValueError { code, message: message.into(), hint: hint.map(Into::into) };
        Ok(error.at(self.column, &self.found))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use super::*;
    use crate::run::journal::JournalError;

    #[test]
    fn every_state_has_its_own_name() {
        fn walk<T: Copy + PartialEq + std::fmt::Debug>(stored: &StoredNames<T>) {
            for (state, name) in stored.names {
                assert_eq!(stored.encode(*state), *name);
                assert_eq!(stored.decode(name).unwrap(), *state);
            }
        }
        walk(&RUN_KINDS);
        walk(&PHASES);
        walk(&ROW_STATES);
        walk(&PARTS);
        walk(&RESULTS);
        for write in [WriteKind::Create, WriteKind::Update(7), WriteKind::Delete(8)] {
            let (name, record) = encode_write(write);
            assert_eq!(decode_write(name, record).unwrap(), write);
        }
    }

    /// Reads a column of problems that holds `stored`.
    fn read(stored: Option<&str>) -> Result<Vec<Problem>> {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.query_row("SELECT ?1", [stored], |row| Columns::of(row).problems())
    }

    #[test]
    fn problems_round_trip() {
        let given = vec![
            ValueError::new(Code::DateAmbiguous, "a date", "write the year").at(Some(4), "01/02/24"),
            ValueError::new(Code::ServiceRefused, "what it takes", "correct it").at(None, ""),
        ];
        assert_eq!(read(encode_problems(&given).as_deref()).unwrap(), given);
        assert_eq!(encode_problems(&[]), None);
        assert_eq!(read(None).unwrap(), []);
    }

    #[test]
    fn problems_of_older_journals_are_read() {
        let stored = r#"[{"code":"date.invalid","column":2,"found":"soon","expected":"a date","mend":"write a date"},
            {"code":"required.missing","column":null,"found":"","expected":"","mend":""}]"#;
        let read: Vec<_> = read(Some(stored)).unwrap().into_iter().map(|problem| problem.error).collect();
        let given = [
            ValueError::new(Code::DateInvalid, "not a date; expected a date", "write a date"),
            ValueError::without_hint(Code::RequiredMissing, "a required value is missing"),
        ];
        assert_eq!(read, given);
    }

    #[test]
    fn content_that_makes_no_sense_is_an_error() {
        for stored in ["", "{}", r#"[{"code":"no.such","column":1,"found":""}]"#] {
            assert!(read(Some(stored)).is_err(), "{stored}");
        }
        let error = JournalError::database(Path::new("a"), PHASES.decode("paused").unwrap_err());
        assert_eq!(error.to_string(), "the journal `a` is damaged: unknown phase `paused`");
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let unserialisable = std::collections::BTreeMap::from([(vec![1], 1)]);
        assert!(connection.query_row("SELECT ?1", [Json(unserialisable)], |_| Ok(())).is_err());
    }
}
