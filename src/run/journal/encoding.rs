//! The stored form of states and problems: one table per enum, read in both directions.

use crate::check::{Code, Problem, ValueError};
use crate::plan::{RowStatus, StepResult, StepRole, WriteKind};
use crate::run::journal::{RowState, RunKind, RunPhase};

/// A state and its stored name.
pub(super) type StoredName<T> = (T, &'static str);

pub(super) const RUN_KINDS: &[StoredName<RunKind>] =
    &[(RunKind::Import, "import"), (RunKind::Delete, "delete"), (RunKind::Undo, "undo")];

pub(super) const PHASES: &[StoredName<RunPhase>] = &[
    (RunPhase::Planning, "planning"),
    (RunPhase::Sending, "sending"),
    (RunPhase::Stopped, "stopped"),
    (RunPhase::Finished, "finished"),
];

pub(super) const ROW_STATES: &[StoredName<RowState>] =
    &[(RowState::Planned, "planned"), (RowState::Ended, "ended"), (RowState::Carried, "carried")];

pub(super) const PARTS: &[StoredName<StepRole>] = &[(StepRole::Row, "own"), (StepRole::Dependency, "missing")];

pub(super) const RESULTS: &[StoredName<StepResult>] = &[
    (StepResult::Applied, "done"),
    (StepResult::AlreadyApplied, "found"),
    (StepResult::Failed, "failed"),
    (StepResult::Unknown, "unknown"),
];

/// The stored name of a state. Tests check that every state has one.
pub(super) fn encode<T: PartialEq>(names: &[StoredName<T>], state: &T) -> &'static str {
    names.iter().find(|(known, _)| known == state).map_or("", |(_, name)| name)
}

/// The state with that stored name; none for a name that this version does not know.
pub(super) fn decode<T: Copy>(names: &[StoredName<T>], name: &str) -> Option<T> {
    names.iter().find(|(_, known)| *known == name).map(|(state, _)| *state)
}

/// `create`, `update` or `delete`, and the record.
pub(super) fn encode_write(write: WriteKind) -> (&'static str, Option<i64>) {
    match write {
        WriteKind::Create => ("create", None),
        WriteKind::Update(id) => ("update", Some(id)),
        WriteKind::Delete(id) => ("delete", Some(id)),
    }
}

pub(super) fn decode_write(word: &str, record: Option<i64>) -> Option<WriteKind> {
    match (word, record) {
        ("create", _) => Some(WriteKind::Create),
        ("update", Some(id)) => Some(WriteKind::Update(id)),
        ("delete", Some(id)) => Some(WriteKind::Delete(id)),
        _ => None,
    }
}

/// A status by its name in JSON.
pub(super) fn decode_status(name: &str) -> Option<RowStatus> {
    RowStatus::all().find(|status| status.as_str() == name)
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

/// Problems from JSON, without those whose code this version does not know.
pub(super) fn decode_problems(text: Option<&str>) -> Vec<Problem> {
    let list: Vec<serde_json::Value> = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    list.iter().filter_map(decode_problem).collect()
}

fn decode_problem(stored: &serde_json::Value) -> Option<Problem> {
    let text = |name: &str| stored.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let code = Code::ALL.iter().copied().find(|code| code.as_str() == text("code"))?;
    let column = stored.get("column").and_then(serde_json::Value::as_u64).and_then(|column| column.try_into().ok());
    // Journals of version 0.1 have `expected` and `mend` in place of `message` and `hint`.
    let message = match (text("message"), text("expected")) {
        ("", "") => code.title().to_owned(),
        ("", expected) => format!("{}; expected {expected}", code.title()),
        (message, _) => message.to_owned(),
    };
    let hint = [text("hint"), text("mend")].into_iter().find(|hint| !hint.is_empty());
    let error = ValueError { code, message: message.into(), hint: hint.map(|hint| hint.to_owned().into()) };
    Some(error.at(column, text("found")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_own_name() {
        fn walk<T: Copy + PartialEq + std::fmt::Debug>(names: &[StoredName<T>]) {
            for (state, name) in names {
                assert_eq!(encode(names, state), *name);
                assert_eq!(decode(names, name), Some(*state));
            }
        }
        walk(RUN_KINDS);
        walk(PHASES);
        walk(ROW_STATES);
        walk(PARTS);
        walk(RESULTS);
        for write in [WriteKind::Create, WriteKind::Update(7), WriteKind::Delete(8)] {
            let (name, record) = encode_write(write);
            assert_eq!(decode_write(name, record), Some(write));
        }
    }

    #[test]
    fn problems_round_trip() {
        let given = vec![
            ValueError::new(Code::DateAmbiguous, "a date", "write the year").at(Some(4), "01/02/24"),
            ValueError::new(Code::ServiceRefused, "what it takes", "correct it").at(None, ""),
        ];
        assert_eq!(decode_problems(encode_problems(&given).as_deref()), given);
        assert_eq!(encode_problems(&[]), None);
    }

    #[test]
    fn problems_of_older_journals_are_read() {
        let stored = r#"[{"code":"date.invalid","column":2,"found":"soon","expected":"a date","mend":"write a date"},
            {"code":"required.missing","column":null,"found":"","expected":"","mend":""}]"#;
        let read: Vec<_> = decode_problems(Some(stored)).into_iter().map(|problem| problem.error).collect();
        let given = [
            ValueError::new(Code::DateInvalid, "not a date; expected a date", "write a date"),
            ValueError::without_hint(Code::RequiredMissing, "a required value is missing"),
        ];
        assert_eq!(read, given);
    }
}
