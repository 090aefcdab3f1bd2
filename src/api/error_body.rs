//! Error bodies of every shape to a message and its fields. Pure.

use serde_json::{Map, Value};

/// The longest message shown, in characters.
const LONGEST: usize = 300;
/// How an HTML page is described where data was expected.
pub(super) const HTML_PAGE: &str = "an HTML page";

/// The message of an error body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ErrorBody {
    /// For people; empty if the body says nothing.
    pub(super) message: String,
    /// Field names and what is wrong with them, in the order of the body.
    pub(super) fields: Vec<(String, String)>,
}

impl ErrorBody {
    /// Accepts `{message}`, `{error}`, `{errors: {field: [..]}}`, `{errors: {field: ".."}}`, `{errors: [..]}`, plain text
    /// and HTML (field notes).
    pub(super) fn read(body: &[u8], html: bool) -> Self {
        if html {
            return Self { message: html_title(&String::from_utf8_lossy(body)), fields: Vec::new() };
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Self::of(&object),
            Ok(Value::Array(items)) => Self::listed(&items),
            Ok(value) => Self { message: text_of(&value), fields: Vec::new() },
            Err(_) => Self { message: tidy(&String::from_utf8_lossy(body)), fields: Vec::new() },
        }
    }

    /// The message of an error object.
    pub(super) fn of(object: &Map<String, Value>) -> Self {
        let mut error_body = match object.get("errors") {
            Some(Value::Object(fields)) => Self::by_field(fields),
            Some(Value::Array(items)) => Self::listed(items),
            Some(value) => Self { message: text_of(value), fields: Vec::new() },
            None => match object.get("error") {
                Some(Value::Object(inner)) => Self::of(inner),
                _ => Self::default(),
            },
        };
        let own = ["message", "error", "detail"].iter().filter_map(|name| object.get(*name));
        if let Some(message) = own.map(text_of).find(|message| !message.is_empty()) {
            error_body.message = message;
        }
        error_body
    }

    fn by_field(fields: &Map<String, Value>) -> Self {
        let fields: Vec<_> = fields.iter().map(|(field, value)| (tidy(field), text_of(value))).collect();
        Self { message: joined(fields.iter().map(|(field, text)| format!("`{field}` {text}"))), fields }
    }

    /// A list of strings, or of objects that name their field.
    fn listed(items: &[Value]) -> Self {
        let fields = items.iter().filter_map(|item| {
            let object = item.as_object()?;
            let field =
                ["field", "path", "param", "attribute", "name"].iter().find_map(|name| object.get(*name)?.as_str())?;
            Some((tidy(field), text_of(item)))
        });
        Self { message: joined(items.iter().map(text_of)), fields: fields.collect() }
    }
}

/// A value as text: strings as they are, lists joined, objects by their message.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => tidy(text),
        Value::Array(items) => joined(items.iter().map(text_of)),
        Value::Object(object) => {
            let message = ["message", "msg", "detail", "error"].iter().find_map(|name| object.get(*name)?.as_str());
            message.map(tidy).unwrap_or_default()
        }
        other => other.to_string(),
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    tidy(&parts.join("; "))
}

/// Text from outside as one line of bounded length, without control characters.
pub(super) fn tidy(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|character: char| character.is_whitespace() || character.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > 4 * LONGEST {
            break;
        }
    }
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Whether a body is HTML, whatever its headers say.
pub(super) fn is_html(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let begins = |mark: &str| start.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark.as_bytes()));
    begins("<!doctype html") || begins("<html")
}

/// A page, described by its title.
fn html_title(page: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|start| {
        let from = start + lower[start..].find('>')? + 1;
        let to = from + lower[from..].find("</title")?;
        Some(tidy(&page[from..to]))
    });
    match title {
        Some(title) if !title.is_empty() => format!("{HTML_PAGE} titled `{title}`"),
        _ => HTML_PAGE.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ErrorBody, tidy};

    type Fields = &'static [(&'static str, &'static str)];

    #[test]
    fn error_bodies_of_every_shape() {
        let taken: Fields = &[("name", "is taken")];
        let cases: [(&str, &str, Fields); 19] = [
            (r#"{"message":"no such product"}"#, "no such product", &[]),
            (r#"{"error":"no such product"}"#, "no such product", &[]),
            (r#"{"error":{"message":"no such product"}}"#, "no such product", &[]),
            (r#"{"message":"","error":"Bad Request"}"#, "Bad Request", &[]),
            (r#"{"errors":{"name":["is taken"]}}"#, "`name` is taken", taken),
            (r#"{"errors":{"name":"is taken"}}"#, "`name` is taken", taken),
            (r#"{"message":"invalid","errors":{"name":["is taken"]}}"#, "invalid", taken),
            (r#"{"errors":["one","two"]}"#, "one; two", &[]),
            (r#"{"errors":[{"path":"name","message":"is taken"}]}"#, "is taken", taken),
            (r#"{"errors":[{"field":"name","msg":"is taken"},"two"]}"#, "is taken; two", taken),
            (r#"[{"message":"one"}]"#, "one", &[]),
            (r#"{"errors":"all wrong"}"#, "all wrong", &[]),
            (r#"{"errors":null,"detail":"nothing"}"#, "nothing", &[]),
            (r#""just text""#, "just text", &[]),
            ("plain\r\n text", "plain text", &[]),
            ("", "", &[]),
            ("{}", "", &[]),
            (r#"{"message":"broken"#, r#"{"message":"broken"#, &[]),
            (
                r#"{"errors":{"quantity":[5,null,"too\tmany"]}}"#,
                "`quantity` 5; too many",
                &[("quantity", "5; too many")],
            ),
        ];
        for (body, message, fields) in cases {
            let error_body = ErrorBody::read(body.as_bytes(), false);
            let found: Vec<_> = error_body.fields.iter().map(|(field, text)| (field.as_str(), text.as_str())).collect();
            assert_eq!((error_body.message.as_str(), found.as_slice()), (message, fields), "{body}");
        }
    }

    #[test]
    fn pages_are_described_by_their_title() {
        let cases = [
            (
                "<!DOCTYPE html><TITLE lang=en>Attention\n Required!</TITLE>…",
                "an HTML page titled `Attention Required!`",
            ),
            ("<html><body>no title", "an HTML page"),
            ("<html><title></title>", "an HTML page"),
            ("<html><title>never ends", "an HTML page"),
        ];
        for (page, message) in cases {
            assert!(super::is_html(page.as_bytes()));
            assert_eq!(ErrorBody::read(page.as_bytes(), true).message, message);
        }
    }

    #[test]
    fn text_from_outside_is_one_bounded_line() {
        assert_eq!(tidy(" a\u{1b}[31m\nb "), "a [31m b");
        assert_eq!(tidy(&"ü".repeat(1_000)).chars().count(), 301);
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            r#"[<>{}\[\]":,a-zİſ/ ]{0,60}"#.prop_map(String::into_bytes),
            "<title[>İa-z]{0,9}>[İa-z]{0,9}</title".prop_map(String::into_bytes),
        ]) {
            for html in [false, true] {
                ErrorBody::read(&body, html);
            }
        }
    }
}
