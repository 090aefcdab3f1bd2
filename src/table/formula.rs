//! Escaping of CSV text that a spreadsheet program would run as a formula.
//!
//! A program that opens a CSV file runs what begins with `=`, `+`, `-`, `@`, a tab or a CR (design rule 14). An export
//! puts an apostrophe before such a text. A text that already looks escaped gets another one, so that every text comes
//! back as it was.

use std::borrow::Cow;

/// What begins a formula.
const BEGINNINGS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A text as an export writes it to CSV.
pub(crate) fn escape_formula(text: &str) -> Cow<'_, str> {
    if begins_formula(text.trim_start_matches('\'')) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The text of `="00123"`, a formula that spreadsheet programs write into CSV to keep a text such as `00123` as it is.
pub(crate) fn text_of_formula(text: &str) -> Option<&str> {
    let quoted = text.strip_prefix("=\"")?.strip_suffix('"')?;
    (!quoted.contains('"')).then_some(quoted)
}

/// A text of CSV without the apostrophe that escapes it.
pub(crate) fn unescape_formula(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if begins_formula(rest.trim_start_matches('\'')) => rest,
        _ => text,
    }
}

fn begins_formula(text: &str) -> bool {
    text.starts_with(BEGINNINGS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_formulas_are_guarded() {
        for (text, guarded) in [
            ("=1", "'=1"),
            ("-5", "'-5"),
            ("'=1", "''=1"),
            ("'quoted'", "'quoted'"),
            ("'", "'"),
            ("", ""),
            ("a=1", "a=1"),
        ] {
            assert_eq!(escape_formula(text), guarded);
        }
        assert_eq!(unescape_formula("=1"), "=1", "as a person types it");
    }

    #[test]
    fn a_formula_of_a_text_is_the_text() {
        for (formula, text) in [
            ("=\"00123\"", Some("00123")),
            ("=\"\"", Some("")),
            ("=\"a\"&\"b\"", None),
            ("=\"", None),
            ("=1", None),
            ("", None),
        ] {
            assert_eq!(text_of_formula(formula), text, "{formula}");
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "['=+@\t\ra-]{0,6}") {
            let guarded = escape_formula(&text);
            prop_assert_eq!(unescape_formula(&guarded), text.as_str());
            prop_assert!(!begins_formula(&guarded));
        }
    }
}
