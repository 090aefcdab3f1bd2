//! The words that states have on disk: one table each, read in both directions.

use crate::check::{Code, Problem, ValueError};
use crate::plan::StepResult;
use crate::plan::{Part, RowStatus, WriteKind};
use crate::run::journal::{Deed, Phase, RowState};

/// A state and its word.
pub(super) type Word<T> = (T, &'static str);

pub(super) const DEEDS: &[Word<Deed>] = &[(Deed::Import, "import"), (Deed::Delete, "delete"), (Deed::Undo, "undo")];

pub(super) const PHASES: &[Word<Phase>] = &[
    (Phase::Planning, "planning"),
    (Phase::Sending, "sending"),
    (Phase::Stopped, "stopped"),
    (Phase::Finished, "finished"),
];

pub(super) const ROW_STATES: &[Word<RowState>] =
    &[(RowState::Planned, "planned"), (RowState::Ended, "ended"), (RowState::Carried, "carried")];

pub(super) const PARTS: &[Word<Part>] = &[(Part::Own, "own"), (Part::Missing, "missing")];

pub(super) const RESULTS: &[Word<StepResult>] = &[
    (StepResult::Done, "done"),
    (StepResult::Found, "found"),
    (StepResult::Failed, "failed"),
    (StepResult::Unknown, "unknown"),
];

/// The word of a state. Every state has one: the tests see to it.
pub(super) fn word<T: PartialEq>(words: &[Word<T>], state: &T) -> &'static str {
    words.iter().find(|(known, _)| known == state).map_or("", |(_, word)| word)
}

/// The state of a word; none for a word that this version does not know.
pub(super) fn state<T: Copy>(words: &[Word<T>], word: &str) -> Option<T> {
    words.iter().find(|(_, known)| *known == word).map(|(state, _)| *state)
}

/// `create`, `update` or `delete`, and the record.
pub(super) fn write_words(write: WriteKind) -> (&'static str, Option<i64>) {
    match write {
        WriteKind::Create => ("create", None),
        WriteKind::Update(id) => ("update", Some(id)),
        WriteKind::Delete(id) => ("delete", Some(id)),
    }
}

pub(super) fn write_kind(word: &str, record: Option<i64>) -> Option<WriteKind> {
    match (word, record) {
        ("create", _) => Some(WriteKind::Create),
        ("update", Some(id)) => Some(WriteKind::Update(id)),
        ("delete", Some(id)) => Some(WriteKind::Delete(id)),
        _ => None,
    }
}

/// A status by the word that scripts see.
pub(super) fn status(word: &str) -> Option<RowStatus> {
    RowStatus::all().find(|status| status.as_str() == word)
}

/// Problems as JSON; none for none.
pub(super) fn problems_text(problems: &[Problem]) -> Option<String> {
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

/// Problems from their JSON; a code that this version does not know leaves its problem out.
pub(super) fn problems(text: Option<&str>) -> Vec<Problem> {
    let list: Vec<serde_json::Value> = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    list.iter().filter_map(problem).collect()
}

fn problem(stored: &serde_json::Value) -> Option<Problem> {
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
    fn every_state_has_a_word_of_its_own() {
        fn walk<T: Copy + PartialEq + std::fmt::Debug>(words: &[Word<T>]) {
            for (known, text) in words {
                assert_eq!(word(words, known), *text);
                assert_eq!(state(words, text), Some(*known));
            }
        }
        walk(DEEDS);
        walk(PHASES);
        walk(ROW_STATES);
        walk(PARTS);
        walk(RESULTS);
        for write in [WriteKind::Create, WriteKind::Update(7), WriteKind::Delete(8)] {
            let (word, record) = write_words(write);
            assert_eq!(write_kind(word, record), Some(write));
        }
    }

    #[test]
    fn problems_come_back_as_they_were() {
        let given = vec![
            ValueError::new(Code::DateAmbiguous, "ambiguous date", "write the year").at(Some(4), "01/02/24"),
            ValueError::new(Code::ServiceRefused, "the service rejected it", "correct it").at(None, ""),
        ];
        assert_eq!(problems(problems_text(&given).as_deref()), given);
        assert_eq!(problems_text(&[]), None);
    }

    #[test]
    fn problems_of_older_journals_are_read() {
        let stored = r#"[{"code":"date.invalid","column":2,"found":"soon","expected":"a date","hint":"write a date"},
            {"code":"required.missing","column":null,"found":"","expected":"","hint":""}]"#;
        let read: Vec<_> = problems(Some(stored)).into_iter().map(|problem| problem.error).collect();
        let given = [
            ValueError::new(Code::DateInvalid, "not a date; expected a date", "write a date"),
            ValueError::without_hint(Code::RequiredMissing, "a required value is missing"),
        ];
        assert_eq!(read, given);
    }
}
