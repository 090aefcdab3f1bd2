//! Splits JSON objects into their members, without parsing the values.

use std::borrow::Cow;

/// Calls `with` for every member of a JSON object, in order: its name, and its value as JSON text. None if the text is not
/// an object. Made for text that is known to be valid JSON: values are not checked, only delimited.
pub(super) fn each_member<'a>(json: &'a str, mut with: impl FnMut(Cow<'a, str>, &'a str)) -> Option<()> {
    let bytes = json.as_bytes();
    let mut at = expect(bytes, 0, b'{')?;
    if *bytes.get(skip_space(bytes, at))? == b'}' {
        return Some(());
    }
    loop {
        let start = expect(bytes, at, b'"')?;
        let end = string_end(bytes, start)?;
        let name = unescaped(json, start, end)?;
        let start = skip_space(bytes, expect(bytes, end + 1, b':')?);
        let end = value_end(bytes, start)?;
        with(name, json.get(start..end)?);
        at = skip_space(bytes, end) + 1;
        match bytes.get(at - 1)? {
            b',' => {}
            b'}' => return Some(()),
            _ => return None,
        }
    }
}

/// The place behind `wanted`, which may have white space before it.
fn expect(bytes: &[u8], at: usize, wanted: u8) -> Option<usize> {
    let at = skip_space(bytes, at);
    (*bytes.get(at)? == wanted).then_some(at + 1)
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| byte.is_ascii_whitespace()) {
        at += 1;
    }
    at
}

/// The string between these places, behind one quote and before the other.
fn unescaped(json: &str, start: usize, end: usize) -> Option<Cow<'_, str>> {
    let name = json.get(start..end)?;
    match name.contains('\\') {
        false => Some(Cow::Borrowed(name)),
        true => serde_json::from_str(json.get(start - 1..=end)?).ok().map(Cow::Owned),
    }
}

/// The place of the quote that ends the string whose text begins at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += bytes.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// The place behind the value that begins at `start`.
fn value_end(bytes: &[u8], start: usize) -> Option<usize> {
    match bytes.get(start)? {
        b'"' => string_end(bytes, start + 1).map(|end| end + 1),
        b'{' | b'[' => nested_end(bytes, start),
        _ => {
            let is_end = |byte: &u8| matches!(byte, b',' | b'}') || byte.is_ascii_whitespace();
            let length = bytes[start..].iter().position(is_end)?;
            (length > 0).then_some(start + length)
        }
    }
}

/// The place behind the object or list that begins at `at`.
fn nested_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        at = match bytes.get(at)? {
            b'"' => string_end(bytes, at + 1)?,
            b'{' | b'[' => {
                depth += 1;
                at
            }
            b'}' | b']' if depth == 1 => return Some(at + 1),
            b'}' | b']' => {
                depth -= 1;
                at
            }
            _ => at,
        } + 1;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    fn members(json: &str) -> Option<Vec<(String, &str)>> {
        let mut members = Vec::new();
        each_member(json, |name, value| members.push((name.into_owned(), value)))?;
        Some(members)
    }

    #[test]
    fn an_object_is_split_at_its_commas() {
        let json = r#" { "id" :7,"na\u006de": "a, \"b\"}\\" , "held":[{"a":"]"},[ ]], "b" : null ,"":{} } "#;
        let expected =
            [("id", "7"), ("name", r#""a, \"b\"}\\""#), ("held", r#"[{"a":"]"},[ ]]"#), ("b", "null"), ("", "{}")];
        assert_eq!(members(json).unwrap(), expected.map(|(name, value)| (name.to_owned(), value)));
        assert_eq!(members("{ }"), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_object_or_cut_off_has_no_members() {
        for json in ["", "[1]", "7", "{", r#"{"a"#, r#"{"a":"#, r#"{"a":}"#, r#"{"a":1"#, r#"{"a":"\""#, r#"{"a":[1}"#]
        {
            assert_eq!(members(json), None, "{json}");
        }
    }

    proptest! {
        #[test]
        fn members_are_those_that_a_parser_finds(
            fields in proptest::collection::vec(("(?s).{0,6}", r#"(?s).{0,12}|[\\\\"{}\[\],: ]{0,9}"#, 0..4_u8), 0..6)
        ) {
            let value = |text: &String, kind: u8| match kind {
                0 => serde_json::json!(text),
                1 => serde_json::json!([text, {"x": [text]}]),
                2 => serde_json::json!(text.len()),
                _ => serde_json::Value::Null,
            };
            let object: serde_json::Map<_, _> =
                fields.iter().map(|(name, text, kind)| (name.clone(), value(text, *kind))).collect();
            let json = serde_json::to_string_pretty(&object).unwrap();
            let parsed: Vec<(String, &RawValue)> =
                serde_json::from_str::<Ordered<'_>>(&json).unwrap().0;
            let expected: Vec<_> = parsed.iter().map(|(name, value)| (name.clone(), value.get())).collect();
            prop_assert_eq!(members(&json).unwrap(), expected);
        }

        #[test]
        fn nothing_makes_it_panic(json in r#"[{}\[\]",:\\\\ a1é]{0,30}"#) {
            members(&json);
        }
    }

    struct Ordered<'a>(Vec<(String, &'a RawValue)>);

    impl<'de: 'a, 'a> serde::Deserialize<'de> for Ordered<'a> {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Members;
            impl<'de> serde::de::Visitor<'de> for Members {
                type Value = Vec<(String, &'de RawValue)>;
                fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    formatter.write_str("an object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                    let mut members = Vec::new();
                    while let Some(member) = map.next_entry()? {
                        members.push(member);
                    }
                    Ok(members)
                }
            }
            deserializer.deserialize_map(Members).map(Self)
        }
    }
}
