//! What is wrong with a TOML file that may hold a key: an error's own text quotes the line.

use toml::value::Datetime;

/// A mistake in a TOML file, without the file's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TomlMistake {
    /// Line and column, from 1; none if the parser does not say where.
    pub(crate) line: Option<usize>,
    pub(crate) column: Option<usize>,
    /// What is wrong, on one line.
    pub(crate) reason: String,
    /// What to write instead, where that is certain.
    pub(crate) hint: Option<&'static str>,
}

/// What to write where a text is expected and the file has one of TOML's dates.
pub(crate) const QUOTED_DATE: &str = "put the date in quotes, such as \"2026-12-31\"";

/// The parser hands a date over as a table with this key.
const DATE_KEY: &str = "$__toml_private_datetime";

impl TomlMistake {
    pub(crate) fn new(text: &str, error: &toml::de::Error) -> Self {
        let before = error.span().and_then(|span| text.get(..span.start));
        let found = error.span().and_then(|span| text.get(span));
        let is_date = found.is_some_and(|found| found.trim().parse::<Datetime>().is_ok());
        let reason = match in_plain_english(without_values(error.message())) {
            _ if is_of_date(error) => String::from("expected a table, found a date"),
            reason if is_date => reason.replace("found a table", "found a date"),
            reason => reason,
        };
        Self {
            line: before.map(|before| 1 + before.matches('\n').count()),
            column: before.map(|before| 1 + before.rsplit('\n').next().unwrap_or_default().chars().count()),
            hint: (is_date && reason.starts_with("expected a text,")).then_some(QUOTED_DATE),
            reason,
        }
    }
}

/// Whether the parser took a date for a table of settings.
pub(crate) fn is_of_date(error: &toml::de::Error) -> bool {
    error.message().contains(DATE_KEY)
}

/// A parser's message on one line, without the values it quotes. Names stay where they are plain words: a misspelt
/// setting is found by them.
fn without_values(message: &str) -> String {
    let line = message.lines().map(str::trim).collect::<Vec<_>>().join(", ");
    let mut shown = String::with_capacity(line.len());
    let mut rest = line.as_str();
    while let Some(start) = rest.find(['"', '`']) {
        let quote = &rest[start..=start];
        let (inner, after) = match quote {
            // A value may contain quotes, escaped or not: up to the last one.
            "\"" => rest[start + 1..].rsplit_once('"').unwrap_or((&rest[start + 1..], "")),
            _ => rest[start + 1..].split_once('`').unwrap_or((&rest[start + 1..], "")),
        };
        match quote {
            "\"" if EXAMPLES.contains(&inner) => shown.push_str(&rest[..rest.len() - after.len()]),
            "\"" => shown.push_str(rest[..start].trim_end()),
            _ => {
                let name = if is_plain_name(inner) { inner } else { "***" };
                shown.push_str(&format!("{}`{name}`", &rest[..start]));
            }
        }
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// The parser's message about a value of the wrong type in words of people who do not write programs; any other as it is.
fn in_plain_english(message: String) -> String {
    let types = message.strip_prefix("invalid type: ").and_then(|types| types.split_once(", expected "));
    let value = message.strip_prefix("invalid value: ").and_then(|value| value.split_once(", expected "));
    match (types, value) {
        (Some((found, expected)), _) => format!("expected {}, found {}", type_name(expected), type_name(found)),
        (None, Some((_, expected))) if is_number(expected) => String::from("the number is out of range"),
        _ => message,
    }
}

/// What people call a type of the parser's; the word for it may be followed by a value.
fn type_name(text: &str) -> &str {
    match text.split_whitespace().next().unwrap_or_default() {
        "string" => "a text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "floating" => "a decimal number",
        "sequence" => "a list",
        "map" | "struct" => "a table",
        "datetime" => "a date",
        word if is_number(word) => "a whole number",
        "a" if text == "a string" => "a text",
        "a" if text == "a boolean" => "true or false",
        "a" if text == "a sequence" => "a list",
        "a" if text == "a map" => "a table",
        _ => text,
    }
}

/// Whether it is a type of whole numbers, such as `i64`.
fn is_number(word: &str) -> bool {
    ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "usize"].contains(&word)
}

/// Values that our own messages show.
const EXAMPLES: &[&str] = &["10000/h"];

/// Whether it can be a setting or a sign of TOML, and no key.
pub(crate) fn is_plain_name(name: &str) -> bool {
    const LONGEST: usize = 30;
    let is_sign = name.chars().all(|char| char.is_ascii_punctuation());
    let is_name = name.chars().all(|char| char.is_ascii_lowercase() || char == '_' || char == '-');
    name.len() <= LONGEST && (is_sign || is_name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{TomlMistake, in_plain_english, without_values};

    #[test]
    fn names_stay_and_values_go() {
        for (message, shown) in [
            ("unknown field `tenat`, expected `tenant`", "unknown field `tenat`, expected `tenant`"),
            ("unknown field `btk_q7Xw93`", "unknown field `***`"),
            ("invalid type: string \"btk_q7Xw93\", expected i64", "invalid type: string, expected i64"),
            ("invalid type: string \"a\"b`c\", expected i64", "invalid type: string, expected i64"),
            ("a text such as \"10000/h\"", "a text such as \"10000/h\""),
            ("key with no value\nexpected `=`", "key with no value, expected `=`"),
            ("half `open", "half `open`"),
            ("half \"open", "half"),
        ] {
            assert_eq!(without_values(message), shown);
        }
    }

    #[test]
    fn wrong_types_are_told_without_words_of_programmers() {
        for (message, shown) in [
            ("invalid type: string, expected i64", "expected a whole number, found a text"),
            ("invalid type: integer `7`, expected a string", "expected a text, found a whole number"),
            ("invalid type: boolean `true`, expected a sequence", "expected a list, found true or false"),
            ("invalid type: floating point `1.5`, expected u16", "expected a whole number, found a decimal number"),
            ("invalid type: string, expected struct Profile", "expected a table, found a text"),
            (
                "invalid type: boolean `true`, expected a number or a text such as \"10000/h\"",
                "expected a number or a text such as \"10000/h\", found true or false",
            ),
            ("invalid value: integer `70000`, expected u16", "the number is out of range"),
            ("unknown field `tenat`, expected `tenant`", "unknown field `tenat`, expected `tenant`"),
        ] {
            assert_eq!(in_plain_english(message.to_owned()), shown);
        }
    }

    #[test]
    fn a_date_without_quotes_is_told_to_be_one() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        enum Setting {
            Text(#[allow(dead_code)] String),
            Number(#[allow(dead_code)] u16),
            List(#[allow(dead_code)] Vec<String>),
            Group {
                #[allow(dead_code)]
                key: String,
            },
        }
        let told = |text: &str| {
            let mistake = TomlMistake::new(text, &toml::from_str::<Setting>(text).unwrap_err());
            (mistake.reason, mistake.hint.is_some())
        };
        for (text, reason, is_quoted) in [
            ("text = 2026-01-01", "expected a text, found a date", true),
            ("text = 2026-01-01T08:00:00Z # when", "expected a text, found a date", true),
            ("text = 08:00:00", "expected a text, found a date", true),
            ("list = [\"a\", 2026-01-01]", "expected a text, found a date", true),
            ("text = { key = \"2026-01-01\" }", "expected a text, found a table", false),
            ("number = 2026-01-01", "expected a whole number, found a date", false),
            ("list = 2026-01-01", "expected a list, found a date", false),
            ("group = 2026-01-01", "expected a table, found a date", false),
        ] {
            assert_eq!(told(text), (reason.to_owned(), is_quoted), "{text}");
        }
    }

    #[test]
    fn a_mistake_has_a_place() {
        let text = "[a]\nx = ü\n";
        let mistake = TomlMistake::new(text, &text.parse::<toml::Table>().unwrap_err());
        assert_eq!((mistake.line, mistake.column), (Some(2), Some(5)));
    }
}
