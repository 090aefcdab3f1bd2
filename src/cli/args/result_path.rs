//! The value of `--result`: a path in which `{date}` and `{time}` are replaced.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use jiff::civil::DateTime;

use crate::export::{fill_stamps, local_now};

pub(super) fn result_path_parser() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|text| result_path(text, local_now()))
}

/// The path of that moment. A path that is not Unicode has no placeholders.
fn result_path(text: OsString, now: DateTime) -> Result<PathBuf, String> {
    let Some(pattern) = text.to_str() else { return Ok(PathBuf::from(text)) };
    let filled = fill_stamps(pattern, now);
    match placeholder(&filled) {
        Some(unknown) => Err(format!("unknown placeholder `{unknown}`; use {{date}} or {{time}}")),
        None => Ok(PathBuf::from(filled)),
    }
}

/// The first word in braces: `{dat}`, but not the `{1A2B-3C4D}` of a name that some program made.
fn placeholder(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let close = open + rest[open..].find('}')?;
        let word = &rest[open + 1..close];
        if !word.is_empty() && word.chars().all(|char| char.is_alphabetic() || char == '_') {
            return Some(&rest[open..=close]);
        }
        rest = &rest[open + 1..];
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn known_placeholders_are_replaced_and_others_refused() {
        let now = jiff::civil::date(2026, 11, 24).at(8, 5, 0, 0);
        let path = |text: &str| result_path(OsString::from(text), now).map(|path| path.display().to_string());
        assert_eq!(path("out/{date}/a-{time}.xlsx").unwrap(), "out/2026-11-24/a-080500.xlsx");
        for name in ["a.xlsx", "{1A2B-3C4D}.xlsx", "a{.xlsx", "{}.csv"] {
            assert_eq!(path(name).unwrap(), name);
        }
        for (name, unknown) in [("a-{dat}.xlsx", "{dat}"), ("{1}{Date}.csv", "{Date}"), ("{name}.csv", "{name}")] {
            let message = format!("unknown placeholder `{unknown}`; use {{date}} or {{time}}");
            assert_eq!(path(name).unwrap_err(), message);
        }
    }
}
