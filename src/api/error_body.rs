//! Error bodies of every shape to a message and its fields. Pure.
//!
//! The guide does not say what an error looks like, so the texts of any JSON are collected in one walk. Keys that services
//! use for texts, for groups of errors and for the name of a field are known; any other key is taken for the name of a
//! field where nothing else gives a text.

use serde_json::{Map, Value};

/// The longest message shown, in characters.
const LONGEST: usize = 300;
/// The most texts that are taken from a body.
const MOST_TEXTS: usize = 40;
/// How an HTML page is described where data was expected.
pub(super) const HTML_PAGE: &str = "an HTML page";

/// Keys of a text for people. Keys are compared by their letters: `error_description` is `errorDescription`.
const TEXT_KEYS: &[&str] = &[
    "message", "msg", "error", "detail", "title", "reason", "description", "errormessage", "errordescription",
    "defaultmessage", "usermessage", "text",
];
/// Those that are never the name of a field.
const SURE_TEXT_KEYS: &[&str] = &["message", "msg", "error"];
/// Keys of what holds further errors: a list, or fields with their errors.
const GROUP_KEYS: &[&str] = &[
    "errors", "messages", "details", "fields", "fielderrors", "fieldviolations", "validationerrors", "violations",
    "issues", "invalidparams", "problems", "causes", "constraints", "embedded",
];
/// Keys of the field that an error is about.
const NAME_KEYS: &[&str] = &["field", "param", "parameter", "attribute", "property"];
/// Further ones of an error in a list. Elsewhere they may be the name of the error, or the path of the request.
const ITEM_NAME_KEYS: &[&str] = &["path", "name", "loc", "target", "source", "pointer"];
/// Keys that stand around the fields.
const ENVELOPE_KEYS: &[&str] = &["data", "result", "response", "body", "payload"];
/// Keys that say something where nothing else does.
const CODE_KEYS: &[&str] = &["code", "errorcode", "error", "type", "rule", "kind"];
/// Keys of what is no text for people.
const FACT_KEYS: &[&str] = &[
    "status", "statuscode", "code", "errorcode", "type", "success", "ok", "id", "timestamp", "time", "path",
    "instance", "method", "requestid", "traceid", "version", "url", "stack", "trace",
];

/// The message of an error body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ErrorBody {
    /// All that it says, for people; empty if the body says nothing.
    pub(super) message: String,
    /// Field names and what is wrong with them, in the order of the body. Under an empty name, what was said beside them
    /// and is no summary of them.
    pub(super) fields: Vec<(String, String)>,
}

impl ErrorBody {
    /// Accepts any JSON, plain text and HTML. JSON is read as such whatever the headers call it.
    pub(super) fn read(body: &[u8], html: bool) -> Self {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        match serde_json::from_slice(body) {
            Ok(Value::Null) => Self::default(),
            Ok(value @ (Value::Object(_) | Value::Array(_) | Value::String(_))) => Self::of(&value),
            _ => {
                let text = String::from_utf8_lossy(body);
                let message = if html { describe_page(&text) } else { tidy(&text) };
                Self { message, fields: Vec::new() }
            }
        }
    }

    /// The texts of a JSON value.
    pub(super) fn of(value: &Value) -> Self {
        let mut walk = TextWalk::default();
        walk.value(value, "", Place::Top);
        walk.finish()
    }
}

/// Where a value is, which decides what the keys of an object mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The body itself, or under its text keys: the texts sum up the rest.
    Top,
    /// One of several errors, or the errors of a field.
    Item,
    /// A group of errors: its keys are the names of fields.
    Group,
}

/// A text and the field that it is about; with an empty name if that is not said.
#[derive(Debug, PartialEq, Eq)]
struct FieldText {
    field: String,
    text: String,
    is_summary: bool,
}

/// Collects the texts of a JSON value, each once, in their order.
#[derive(Debug, Default)]
struct TextWalk {
    texts: Vec<FieldText>,
    /// Texts found, repeated ones as well.
    found: usize,
}

impl TextWalk {
    fn value(&mut self, value: &Value, field: &str, place: Place) {
        match value {
            _ if self.texts.len() >= MOST_TEXTS => {}
            Value::Null => {}
            Value::String(text) => self.add(text, field, place),
            Value::Bool(_) | Value::Number(_) if field.is_empty() => {}
            Value::Bool(_) | Value::Number(_) => self.add(&value.to_string(), field, place),
            Value::Array(items) => {
                for item in items {
                    self.value(item, field, if item.is_object() { Place::Item } else { place });
                }
            }
            Value::Object(object) => self.object(object, field, place),
        }
    }

    fn object(&mut self, object: &Map<String, Value>, outer: &str, place: Place) {
        let before = self.found;
        let own = if outer.is_empty() { named_field(object, place) } else { None };
        let field = own.as_deref().unwrap_or(outer);
        for (key, value) in object {
            match folded(key).as_str() {
                key if is_text_key(key, place) => {
                    self.value(value, field, if place == Place::Top { Place::Top } else { Place::Item });
                }
                key if GROUP_KEYS.contains(&key) => self.value(value, field, Place::Group),
                _ if place == Place::Group => self.value(value, &nested(outer, key), Place::Item),
                _ => {}
            }
        }
        let code = || object.iter().find(|(key, value)| CODE_KEYS.contains(&&*folded(key)) && is_word(value));
        if self.found == before && (own.is_none() || code().is_none()) {
            self.other_keys(object, outer);
        }
        if let Some((_, code)) = code().filter(|_| self.found == before) {
            self.add(code.as_str().unwrap_or(&code.to_string()), field, place);
        }
    }

    /// The keys of an object without a known text are the names of fields.
    fn other_keys(&mut self, object: &Map<String, Value>, outer: &str) {
        for (key, value) in object {
            match folded(key).as_str() {
                key if FACT_KEYS.contains(&key) && !value.is_array() && !value.is_object() => {}
                key if ENVELOPE_KEYS.contains(&key) && value.is_object() => self.value(value, outer, Place::Group),
                _ => self.value(value, &nested(outer, key), Place::Item),
            }
        }
    }

    fn add(&mut self, text: &str, field: &str, place: Place) {
        let text = tidy(text);
        if text.is_empty() {
            return;
        }
        self.found += 1;
        if !self.texts.iter().any(|known| known.field == field && known.text == text) {
            let is_summary = place == Place::Top && field.is_empty();
            self.texts.push(FieldText { field: field.to_owned(), text, is_summary });
        }
    }

    fn finish(self) -> ErrorBody {
        let (summaries, others): (Vec<_>, Vec<_>) = self.texts.into_iter().partition(|text| text.is_summary);
        let mut fields: Vec<(String, String)> = Vec::new();
        for FieldText { field, text, .. } in others {
            match fields.iter_mut().find(|(known, _)| *known == field) {
                Some((_, known)) => *known = tidy(&format!("{known}; {text}")),
                None => fields.push((field, text)),
            }
        }
        let is_new = |text: &String| !summaries.iter().any(|summary| summary.text == *text);
        let told = fields.iter().filter(|(_, text)| is_new(text)).map(|(field, text)| match field.as_str() {
            "" => text.clone(),
            field => format!("`{field}` {text}"),
        });
        let message: Vec<_> = summaries.iter().map(|summary| summary.text.clone()).chain(told).collect();
        if fields.iter().all(|(field, _)| field.is_empty()) {
            fields.clear();
        }
        ErrorBody { message: tidy(&message.join("; ")), fields }
    }
}

fn is_text_key(key: &str, place: Place) -> bool {
    if place == Place::Group { SURE_TEXT_KEYS } else { TEXT_KEYS }.contains(&key)
}

/// A key by its letters and digits alone, in lower case.
fn folded(key: &str) -> String {
    key.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_word(value: &Value) -> bool {
    value.is_number() || value.as_str().is_some_and(|text| !text.trim().is_empty())
}

/// The name of a field within another one. A number is the place in a list, and no name.
fn nested(outer: &str, key: &str) -> String {
    let key = tidy(key);
    match outer {
        _ if key.bytes().all(|byte| byte.is_ascii_digit()) => outer.to_owned(),
        "" => key,
        outer => tidy(&format!("{outer}.{key}")),
    }
}

/// The field that an object with an error says it is about.
fn named_field(object: &Map<String, Value>, place: Place) -> Option<String> {
    let is_name = |key: &str| match place {
        Place::Top => NAME_KEYS.contains(&key),
        Place::Item => NAME_KEYS.contains(&key) || ITEM_NAME_KEYS.contains(&key),
        Place::Group => false,
    };
    object.iter().filter(|(key, _)| is_name(&folded(key))).find_map(|(key, value)| field_name(&folded(key), value))
}

/// The name in `name`, in the path `["body", "name"]`, or in a pointer such as `/data/attributes/name`.
fn field_name(key: &str, value: &Value) -> Option<String> {
    let name = match value {
        Value::String(text) => text.as_str(),
        Value::Array(path) if matches!(key, "loc" | "path") => path.iter().rev().find_map(Value::as_str)?,
        Value::Object(source) => ["pointer", "parameter"].iter().find_map(|key| source.get(*key)?.as_str())?,
        _ => return None,
    };
    let name = tidy(name.rsplit('/').next().unwrap_or(name));
    Some(name).filter(|name| !name.is_empty())
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

/// A page, described by its title, or else by its text.
fn describe_page(page: &str) -> String {
    let lower = page.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|start| {
        let from = start + lower[start..].find('>')? + 1;
        let to = from + lower[from..].find("</title")?;
        Some(tidy(&page[from..to])).filter(|title| !title.is_empty())
    });
    match title {
        Some(title) => format!("{HTML_PAGE} titled `{title}`"),
        None => match visible_text(page, &lower).as_str() {
            "" => HTML_PAGE.to_owned(),
            text => format!("{HTML_PAGE} that says `{text}`"),
        },
    }
}

/// The text of a page without its tags. `lower` is the page in lower case.
fn visible_text(page: &str, lower: &str) -> String {
    const HIDDEN: [(&str, &str); 4] =
        [("<script", "</script>"), ("<style", "</style>"), ("<title", "</title>"), ("<!--", "-->")];
    let (mut text, mut at) = (String::new(), 0);
    while let Some(tag) = lower[at..].find('<').map(|start| at + start) {
        text.push_str(&page[at..tag]);
        text.push(' ');
        let hidden = HIDDEN.iter().find(|(opening, _)| lower[tag..].starts_with(opening));
        let end = hidden.map_or(">", |(_, closing)| closing);
        at = lower[tag..].find(end).map_or(page.len(), |length| tag + length + end.len());
    }
    text.push_str(&page[at..]);
    tidy(&text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use serde_json::{Value, json};

    use super::*;

    type Fields = &'static [(&'static str, &'static str)];

    /// What is read of each body is its message and its fields.
    fn assert_read(cases: &[(&str, &str, Fields)]) {
        for (body, message, fields) in cases {
            let error_body = ErrorBody::read(body.as_bytes(), false);
            let found: Vec<_> = error_body.fields.iter().map(|(field, text)| (field.as_str(), text.as_str())).collect();
            assert_eq!((error_body.message.as_str(), found.as_slice()), (*message, *fields), "{body}");
        }
    }

    #[test]
    fn error_bodies_of_every_shape() {
        let taken: Fields = &[("name", "is taken")];
        assert_read(&[
            (r#"{"message":"no such product"}"#, "no such product", &[]),
            (r#"{"error":"no such product"}"#, "no such product", &[]),
            (r#"{"message":"","error":"Bad Request"}"#, "Bad Request", &[]),
            (r#"{"error":true,"message":"no such product","code":404}"#, "no such product", &[]),
            (
                r#"{"error":"invalid_request","error_description":"no such product"}"#,
                "invalid_request; no such product",
                &[],
            ),
            (
                r#"{"reason":"no such product","timestamp":"2026-01-02","path":"/api/v1/assets"}"#,
                "no such product",
                &[],
            ),
            (
                r#"{"type":"about:blank","title":"Conflict","status":409,"detail":"is taken"}"#,
                "Conflict; is taken",
                &[],
            ),
            (r#"{"errors":{"name":["is taken"]}}"#, "`name` is taken", taken),
            (r#"{"errors":{"name":"is taken"}}"#, "`name` is taken", taken),
            (r#"{"errors":{"name":["is taken","is taken"]}}"#, "`name` is taken", taken),
            (r#"{"message":"invalid","errors":{"name":["is taken"]}}"#, "invalid; `name` is taken", taken),
            (r#"{"message":"is taken","errors":{"name":["is taken"]}}"#, "is taken", taken),
            (r#"{"errors":["one","two"]}"#, "one; two", &[]),
            (r#"{"errors":[["one"],["two"]]}"#, "one; two", &[]),
            (r#"{"errors":[{"path":"name","message":"is taken"}]}"#, "`name` is taken", taken),
            (
                r#"{"errors":[{"field":"name","msg":"is taken"},"two"]}"#,
                "`name` is taken; two",
                &[("name", "is taken"), ("", "two")],
            ),
            (r#"[{"message":"one"}]"#, "one", &[]),
            (r#"{"errors":"all wrong"}"#, "all wrong", &[]),
            (r#"{"errors":null,"detail":"nothing"}"#, "nothing", &[]),
            (r#""just text""#, "just text", &[]),
            ("plain\r\n text", "plain text", &[]),
            ("\u{feff}{\"message\":\"marked\"}", "marked", &[]),
            ("", "", &[]),
            ("{}", "", &[]),
            ("null", "", &[]),
            ("404", "404", &[]),
            (r#"{"success":false,"status":"error"}"#, "", &[]),
            (r#"{"message":"broken"#, r#"{"message":"broken"#, &[]),
            (
                r#"{"errors":{"quantity":[5,null,"too\tmany"]}}"#,
                "`quantity` 5; too many",
                &[("quantity", "5; too many")],
            ),
        ]);
    }

    #[test]
    fn texts_are_found_under_objects_and_in_nested_lists() {
        let taken: Fields = &[("name", "is taken")];
        assert_read(&[
            (r#"{"error":{"message":"no such product","code":404,"requestId":"8f"}}"#, "no such product", &[]),
            (r#"{"message":{"error":{"msg":"no such product"}}}"#, "no such product", &[]),
            (r#"{"error":{"name":["is taken"]}}"#, "`name` is taken", taken),
            (r#"{"error":{"field":"name","message":"is taken"}}"#, "`name` is taken", taken),
            (r#"{"message":{"name":"is taken"}}"#, "`name` is taken", taken),
            (r#"{"errors":{"name":{"msg":"is taken"}}}"#, "`name` is taken", taken),
            (r#"{"errors":{"name":[{"message":"is taken","path":"name","kind":"unique"}]}}"#, "`name` is taken", taken),
            (r#"{"errors":[{"name":["is taken"]}]}"#, "`name` is taken", taken),
            (r#"{"errors":[{"field":["is taken"]}]}"#, "`field` is taken", &[("field", "is taken")]),
            (r#"{"errors":[{"field":"name","code":"is taken"}]}"#, "`name` is taken", taken),
            (r#"{"errors":{"title":["is too long"]}}"#, "`title` is too long", &[("title", "is too long")]),
            (
                r#"{"errors":{"message":"invalid","name":["is taken"]}}"#,
                "invalid; `name` is taken",
                &[("", "invalid"), ("name", "is taken")],
            ),
            (
                r#"{"errors":[{"source":{"pointer":"/data/attributes/name"},"detail":"is taken"}]}"#,
                "`name` is taken",
                taken,
            ),
            (r#"{"detail":[{"loc":["body","name"],"msg":"is taken","type":"value_error"}]}"#, "`name` is taken", taken),
            (
                r#"{"title":"Invalid","invalid-params":[{"name":"name","reason":"is taken"}]}"#,
                "Invalid; `name` is taken",
                taken,
            ),
            (r#"{"_embedded":{"errors":[{"path":"name","message":"is taken"}]}}"#, "`name` is taken", taken),
            (
                r#"{"name":["is taken"],"type":["is unknown"]}"#,
                "`name` is taken; `type` is unknown",
                &[("name", "is taken"), ("type", "is unknown")],
            ),
            (r#"{"status":"fail","data":{"title":"is too long"}}"#, "`title` is too long", &[("title", "is too long")]),
            (
                r#"{"errors":{"asset":{"0":{"name":["is taken"]}}}}"#,
                "`asset.name` is taken",
                &[("asset.name", "is taken")],
            ),
            (r#"{"code":"NAME_TAKEN","status":409}"#, "NAME_TAKEN", &[]),
            (r#"{"error":"is taken","data":{"id":5,"name":"Berlin"}}"#, "is taken", &[]),
        ]);
    }

    #[test]
    fn a_body_of_many_texts_is_cut() {
        let list: Vec<String> = (0..1_000).map(|number| format!("error {number}")).collect();
        let fields: Vec<String> =
            (0..1_000).map(|number| format!("\"f{number}\":\"{}\"", "long ".repeat(200))).collect();
        let read = |body: String| ErrorBody::read(body.as_bytes(), false);
        let listed = read(serde_json::json!({"errors": list}).to_string());
        assert!(
            listed.message.starts_with("error 0; error 1; ") && listed.message.ends_with('…'),
            "{}",
            listed.message
        );
        assert_eq!(read(format!("{{\"errors\":{{{}}}}}", fields.join(","))).fields.len(), super::MOST_TEXTS);
    }

    #[test]
    fn pages_are_described_by_their_title() {
        let cases = [
            (
                "<!DOCTYPE html><TITLE lang=en>Attention\n Required!</TITLE>…",
                "an HTML page titled `Attention Required!`",
            ),
            (
                "<html><style>p{}</style><body><!-- > --><h1>Out\n of stock</h1>ß<script>a<b</script>",
                "an HTML page that says `Out of stock ß`",
            ),
            ("<html><title></title>", "an HTML page"),
            ("<html><title>never ends", "an HTML page"),
            ("<html><", "an HTML page"),
        ];
        for (page, message) in cases {
            assert!(super::is_html(page.as_bytes()));
            assert_eq!(ErrorBody::read(page.as_bytes(), true).message, message);
        }
        let mislabeled = ErrorBody::read(br#"{"message":"out of stock"}"#, true);
        assert_eq!(mislabeled.message, "out of stock", "whatever its type says");
        assert_eq!(ErrorBody::read(b"out of stock", true).message, "an HTML page that says `out of stock`");
    }

    #[test]
    fn text_from_outside_is_one_bounded_line() {
        assert_eq!(tidy(" a\u{1b}[31m\nb "), "a [31m b");
        assert_eq!(tidy(&"ü".repeat(1_000)).chars().count(), 301);
    }

    /// Any JSON, with many of the known keys.
    fn any_json() -> impl Strategy<Value = Value> {
        let keys = [TEXT_KEYS, GROUP_KEYS, NAME_KEYS, ITEM_NAME_KEYS, ENVELOPE_KEYS, CODE_KEYS, FACT_KEYS].concat();
        let key = prop_oneof![prop::sample::select(keys).prop_map(str::to_owned), "[a-z0-9_/.ß]{0,6}"];
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,400}".prop_map(Value::from),
        ];
        scalar.prop_recursive(5, 60, 8, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::vec((key.clone(), inner), 0..8)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_read_of_any_json_is_bounded(body in any_json()) {
            let ErrorBody { message, fields } = ErrorBody::read(body.to_string().as_bytes(), false);
            let is_short = |text: &str| text.chars().count() <= LONGEST + 1;
            prop_assert!(is_short(&message) && fields.len() <= MOST_TEXTS);
            for (field, text) in &fields {
                prop_assert!(is_short(field) && is_short(text) && !text.is_empty(), "{field}: {text}");
            }
        }

        /// A known text, group or name key, with anything beside it that is no text.
        #[test]
        fn a_text_under_the_name_of_a_field_is_not_lost(
            (field, text, beside) in ("[a-z]{3,8}_id", "[a-z]{1,9}( [a-z]{1,9}){0,4}", any::<i64>()),
            group in prop::sample::select([GROUP_KEYS, SURE_TEXT_KEYS, &["detail"]].concat()),
            text_key in prop::sample::select(TEXT_KEYS),
            name_key in prop::sample::select([NAME_KEYS, ITEM_NAME_KEYS].concat()),
        ) {
            for errors in [json!(text), json!([text]), json!({text_key: text}), json!([{text_key: text, "code": beside}])] {
                for within in [
                    json!({field.as_str(): errors}),
                    json!([{field.as_str(): errors}]),
                    json!([[{field.as_str(): errors}]]),
                    json!([{name_key: field, text_key: errors}]),
                ] {
                    for body in [json!({group: within, "status": beside}), json!({"message": {group: within}})] {
                        let read = ErrorBody::of(&body);
                        prop_assert!(read.message.contains(&text), "{body} {read:?}");
                        prop_assert_eq!(&read.fields, &[(field.clone(), text.clone())], "{}", body);
                    }
                }
            }
        }

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
