//! The texts of `join`: `{First name} {Last name}`.

use std::fmt;

/// A text with the headers of columns in braces. `{{` and `}}` are braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JoinTemplate {
    /// Each header, with the text before it.
    parts: Vec<(String, String)>,
    /// The text behind the last header.
    end: String,
}

/// Why a text is no template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JoinError {
    #[error("no header in braces")]
    NoHeader,
    #[error("a brace without its other half")]
    Unpaired,
    #[error("empty braces")]
    Empty,
}

impl JoinTemplate {
    pub(crate) fn parse(text: &str) -> Result<Self, JoinError> {
        let (mut parts, mut before, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            before.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(behind) = rest.strip_prefix(brace) {
                before.push_str(brace);
                rest = behind;
                continue;
            }
            let (header, behind) = rest
                .split_once('}')
                .filter(|(header, _)| brace == "{" && !header.contains('{'))
                .ok_or(JoinError::Unpaired)?;
            if header.trim().is_empty() {
                return Err(JoinError::Empty);
            }
            parts.push((std::mem::take(&mut before), header.trim().to_owned()));
            rest = behind;
        }
        before.push_str(rest);
        if parts.is_empty() { Err(JoinError::NoHeader) } else { Ok(Self { parts, end: before }) }
    }

    /// The headers in braces, in order.
    pub(crate) fn headers(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|(_, header)| header.as_str())
    }

    /// The same text with other headers.
    pub(crate) fn with_headers(&self, other: impl Fn(&str) -> String) -> Self {
        let parts = self.parts.iter().map(|(before, header)| (before.clone(), other(header)));
        Self { parts: parts.collect(), end: self.end.clone() }
    }

    /// The text with a value for each header. What stands between two values is left out with a blank one. Empty where
    /// all are blank.
    pub(crate) fn fill<'v>(&self, values: impl Iterator<Item = &'v str>) -> String {
        let (mut text, mut is_first) = (String::new(), true);
        for ((before, _), value) in self.parts.iter().zip(values).filter(|(_, value)| !value.is_empty()) {
            let before = if is_first { &self.parts[0].0 } else { before };
            text.push_str(before);
            text.push_str(value);
            is_first = false;
        }
        if !is_first {
            text.push_str(&self.end);
        }
        text
    }
}

impl fmt::Display for JoinTemplate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let braces = |text: &str| text.replace('{', "{{").replace('}', "}}");
        for (before, header) in &self.parts {
            write!(out, "{}{{{header}}}", braces(before))?;
        }
        write!(out, "{}", braces(&self.end))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{JoinError, JoinTemplate};

    #[test]
    fn separators_go_with_blank_values() {
        let fill = |text: &str, values: &[&str]| JoinTemplate::parse(text).unwrap().fill(values.iter().copied());
        assert_eq!(fill("{First} {Last}", &["Ada", "Byron"]), "Ada Byron");
        assert_eq!(fill("{First} {Last}", &["", "Byron"]), "Byron");
        assert_eq!(fill("{First} {Last}", &["Ada", ""]), "Ada");
        assert_eq!(fill("Room {Building}-{Room}.", &["", "5"]), "Room 5.");
        assert_eq!(fill("Room {Building}-{Room}.", &["", ""]), "");
        assert_eq!(fill("{{{A}}}", &["x"]), "{x}");
    }

    #[test]
    fn templates_are_written_as_they_are_read() {
        for text in ["{First} {Last}", "a{{b}}{C}d", "{A}"] {
            assert_eq!(JoinTemplate::parse(text).unwrap().to_string(), text);
        }
        for (text, error) in [
            ("First", JoinError::NoHeader),
            ("{First", JoinError::Unpaired),
            ("First} {Last}", JoinError::Unpaired),
            ("{{First}", JoinError::Unpaired),
            ("{ } {Last}", JoinError::Empty),
        ] {
            assert_eq!(JoinTemplate::parse(text), Err(error), "{text}");
        }
    }
}
