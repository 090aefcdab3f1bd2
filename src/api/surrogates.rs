//! Escapes of lone UTF-16 surrogates in JSON, which a service may send for text that was cut in the middle of a
//! character. No text can hold one, and a parser rejects the whole page: they are read as U+FFFD.

/// The digits that an escape of a lone surrogate gets: U+FFFD.
const REPLACEMENT: &[u8; 4] = b"fffd";

/// Replaces escapes of lone surrogates, in place. Does not look whether the body is JSON: nothing else has them.
pub(super) fn repair(body: &mut [u8]) {
    if !memchr::memmem::find_iter(body, b"\\u").any(|at| matches!(body.get(at + 2), Some(b'd' | b'D'))) {
        return;
    }
    let mut at = 0;
    while let Some(backslash) = memchr::memchr(b'\\', &body[at..]).map(|found| at + found) {
        at = match (escaped_unit(body, backslash), escaped_unit(body, backslash + 6)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => backslash + 12,
            (Some(0xD800..=0xDFFF), _) => {
                body[backslash + 2..backslash + 6].copy_from_slice(REPLACEMENT);
                backslash + 6
            }
            // An escaped backslash is no beginning of an escape.
            _ => backslash + 2,
        }
        .min(body.len());
    }
}

/// The UTF-16 unit that the escape at that place stands for.
fn escaped_unit(body: &[u8], at: usize) -> Option<u16> {
    let digits = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::repair;

    fn repaired(text: &str) -> String {
        let mut body = text.as_bytes().to_vec();
        repair(&mut body);
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn only_lone_surrogates_are_replaced() {
        for (text, expected) in [
            (r#""a\ud83d""#, r#""a\ufffd""#),
            (r#""\uD83D\uDE00""#, r#""\uD83D\uDE00""#),
            (r#""\ude00\ud83d""#, r#""\ufffd\ufffd""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\\ud83d""#, r#""\\ud83d""#),
            (r#""\u00e9 \ud8""#, r#""\u00e9 \ud8""#),
            ("plain", "plain"),
        ] {
            assert_eq!(repaired(text), expected);
        }
    }

    proptest! {
        #[test]
        fn what_was_valid_stays_as_it_was(text in "(?s).{0,20}") {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(repaired(&json), json);
        }

        #[test]
        fn nothing_makes_it_panic(text in r"[\\\\ud8DcC0fe]{0,30}") {
            repaired(&text);
        }
    }
}
