//! Problems, numbers and times as text for people: the one place that words them.

use std::fmt::Write;
use std::path::Path;

use super::tally::shortened;
use crate::check::Problem;
use crate::mapping::IgnoredColumn;

/// The characters of a found text that a line shows.
const LONGEST_FOUND: usize = 80;

/// A problem without its place: `invalid date; expected …, found `soon` (date.invalid); hint: …`.
fn described(problem: &Problem) -> String {
    let code = problem.code();
    let mut line = String::from(&*problem.error.message);
    if !problem.found.is_empty() && !code.is_secret() {
        let _ = write!(line, ", found `{}`", shortened(&problem.found, LONGEST_FOUND));
    }
    let _ = write!(line, " ({})", code.as_str());
    if let Some(hint) = &problem.error.hint {
        let _ = write!(line, "; hint: {hint}");
    }
    line
}

/// The line about a problem in the `_message` cell: as [`described`], after the column's header.
pub(super) fn message_line(header: Option<&str>, problem: &Problem) -> String {
    match header.map(str::trim) {
        None | Some("") => described(problem),
        Some(header) => format!("`{}`: {}", shortened(header, LONGEST_FOUND), described(problem)),
    }
}

/// The note on an invalid cell. It leaves out what was found, which the cell itself shows.
pub(super) fn note_text(problem: &Problem) -> String {
    let mut text = capitalised(&problem.error.message);
    if let Some(hint) = &problem.error.hint {
        let _ = write!(text, "\nHint: {hint}");
    }
    text
}

pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The file's own name: what people call it.
pub(super) fn file_name(path: &str) -> String {
    Path::new(path).file_name().map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Names as a list of code words: `` `a`, `b` ``.
pub(super) fn quoted(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let quoted = names.into_iter().map(|name| format!("`{}`", shortened(name.as_ref(), LONGEST_FOUND)));
    quoted.collect::<Vec<_>>().join(", ")
}

/// The names of ignored columns by the reason, in the order in which the reasons come first.
pub(super) fn by_reason(columns: &[IgnoredColumn]) -> Vec<(Option<&str>, Vec<&str>)> {
    let mut groups: Vec<(Option<&str>, Vec<&str>)> = Vec::new();
    for column in columns {
        let reason = column.reason.as_deref();
        match groups.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(&column.name),
            None => groups.push((reason, vec![&column.name])),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Code, ValueError};

    fn error() -> ValueError {
        ValueError::new(
            Code::DateInvalid,
            "invalid date; expected a date such as `2026-01-31`",
            "write the year with four digits",
        )
    }

    #[test]
    fn a_line_says_where_what_and_what_to_do() {
        let problem = error().at(Some(2), "31/02/24");
        assert_eq!(
            message_line(Some("Purchase Date"), &problem),
            "`Purchase Date`: invalid date; expected a date such as `2026-01-31`, found `31/02/24` (date.invalid); \
             hint: write the year with four digits"
        );
    }

    #[test]
    fn a_secret_is_not_repeated() {
        let problem = ValueError::new(Code::CellSecret, "the column looks like a password", "remove the column")
            .at(Some(0), "hunter2");
        assert!(!message_line(None, &problem).contains("hunter2"));
    }
}
