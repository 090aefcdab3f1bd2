//! Takes secrets out of text, in whatever spelling they come back.
//!
//! A service that refuses a key may quote it: as it is, with JSON escapes, percent-encoded, in base64. So a secret is
//! looked for in what the text says after decoding, up to three times, and masked where it stands.

use std::borrow::Cow;
use std::fmt;

use super::decode::{self, DECODINGS};
use super::needle::{Needle, needles};

/// Printed instead of a secret.
pub(super) const HIDDEN: &str = "***";

/// Shorter secrets protect nothing, and masking them would garble text that has nothing to do with them.
const SHORTEST: usize = 8;
/// From this length on, even a plain lower-case word is a real key: shorter ones are keys of practice accounts.
const LONGEST_WORD: usize = 16;
/// Longer texts are searched only if a first look finds the secret or an escape in them.
const LONG_TEXT: usize = 64 << 10;

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    /// For people. A part of a secret is masked, too: messages are shortened, and quote halves.
    Message,
    /// Records and documents: only whole secrets are masked.
    Data,
}

/// Secrets to mask.
#[derive(Clone, Default)]
pub(crate) struct Mask {
    needles: Vec<Needle>,
    /// The ASCII characters that needles begin with, and those that parts of needles begin with, as bits.
    starts: u128,
    part_starts: u128,
}

impl Mask {
    /// Masks nothing.
    pub(crate) const NOTHING: Self = Self { needles: Vec::new(), starts: 0, part_starts: 0 };

    /// A mask for these secrets. Those that protect nothing are left out.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut mask = Self::default();
        secrets.into_iter().for_each(|secret| mask.add(secret));
        mask
    }

    /// Masks this secret, too.
    pub(crate) fn add(&mut self, secret: &str) {
        let is_word = secret.len() < LONGEST_WORD && secret.bytes().all(|byte| byte.is_ascii_lowercase());
        if secret.len() >= SHORTEST && !is_word && secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            let new = needles(secret);
            for needle in new.into_iter().filter(|needle| !self.needles.contains(needle)).collect::<Vec<_>>() {
                let bits = needle.text().bytes().map(bits);
                self.starts |= bits.clone().next().unwrap_or_default();
                self.part_starts |= bits.fold(0, |all, bits| all | bits);
                self.needles.push(needle);
            }
        }
    }

    /// The text with `***` in place of every secret.
    pub(crate) fn apply<'a>(&self, text: &'a str, kind: TextKind) -> Cow<'a, str> {
        if self.needles.is_empty() || (text.len() > LONG_TEXT && !self.may_be_in(text)) {
            return Cow::Borrowed(text);
        }
        let mut masked = String::new();
        let mut copied = 0;
        let mut at = 0;
        let depths = if text.contains(decode::ESCAPES) { DECODINGS } else { 0 };
        while at < text.len() {
            if !self.may_begin(text.as_bytes()[at], depths, kind) {
                at += 1;
                continue;
            }
            match self.needles.iter().find_map(|needle| needle.find_at(text, at, depths, kind)) {
                Some(found) => {
                    let start = found.start.max(copied);
                    masked.push_str(&text[copied..start]);
                    masked.push_str(HIDDEN);
                    (copied, at) = (found.end, found.end);
                }
                None => at += text[at..].chars().next().map_or(1, char::len_utf8),
            }
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        masked.push_str(&text[copied..]);
        Cow::Owned(masked)
    }

    /// Whether a secret may begin with that byte: a first look, since nearly all of a text is none.
    fn may_begin(&self, byte: u8, depths: u8, kind: TextKind) -> bool {
        // The first byte of full-width forms.
        const FULL_WIDTH: u8 = 0xef;
        let starts = if kind == TextKind::Data { self.starts } else { self.part_starts };
        match byte {
            b'\\' | b'%' | b'&' | b'=' if depths > 0 => true,
            0..128 => starts >> byte & 1 == 1,
            _ => byte == FULL_WIDTH,
        }
    }

    /// Whether a long text may hold a secret: it stands there as it is, or characters that need no escape are escaped.
    fn may_be_in(&self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let is_there = |needle: &Needle| memchr::memmem::find(bytes, needle.text().as_bytes()).is_some();
        self.needles.iter().any(is_there) || decode::has_needless_escape(bytes)
    }
}

/// The bits of an ASCII character in both cases.
fn bits(byte: u8) -> u128 {
    [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()].iter().fold(0, |bits, byte| bits | 1_u128 << (byte & 127))
}

impl fmt::Debug for Mask {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Mask({} spellings)", self.needles.len())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::super::needle::base64;
    use super::*;

    const KEY: &str = "btk/q7Xw+93LmZ=p0RtY5e";

    fn masked(text: &str) -> String {
        Mask::new([KEY]).apply(text, TextKind::Message).into_owned()
    }

    fn spelt(each: impl Fn(char) -> String) -> String {
        KEY.chars().map(each).collect()
    }

    /// The key in every spelling in which a service, a proxy or a log may quote it.
    fn spellings() -> Vec<String> {
        let code = |char: char| u32::from(char);
        let json = spelt(|char| format!("\\u{:04x}", code(char)));
        let percent = spelt(|char| format!("%{:02X}", code(char)));
        vec![
            KEY.to_owned(),
            format!("Bearer {KEY}"),
            KEY.to_uppercase(),
            KEY.replace('/', "\\/"),
            json.clone(),
            json.to_uppercase().replace("\\U", "\\u"),
            json.replace('\\', "\\\\"),
            json.replace('\\', "\\\\\\\\"),
            KEY.replacen('t', "\\u0074", 1),
            KEY.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D"),
            percent.clone(),
            percent.replace('%', "%25"),
            percent.replace('%', "\\u0025"),
            spelt(|char| format!("%u{:04x}", code(char))),
            spelt(|char| format!("&#{};", code(char))),
            spelt(|char| format!("&#x{:x};", code(char))),
            spelt(|char| format!("&amp;#{};", code(char))),
            KEY.replace('/', "&sol;").replace('+', "&plus;").replace('=', "&equals;"),
            spelt(|char| format!("\\x{:02x}", code(char))),
            spelt(|char| format!("\\u{{{:x}}}", code(char))),
            spelt(|char| format!("\\{:03o}", code(char))),
            spelt(|char| format!("={:02X}", code(char))),
            spelt(|char| format!("{:02x}", code(char))),
            spelt(|char| format!("{:02X}", code(char))),
            base64(KEY.as_bytes(), b"+/"),
            base64(KEY.as_bytes(), b"-_"),
            base64(format!("Bearer {KEY}").as_bytes(), b"+/"),
            base64(format!("ada:{KEY}").as_bytes(), b"+/"),
            base64(format!("a:{KEY}:b").as_bytes(), b"-_").replace('_', "%5f"),
            format!("{}\n {}", &KEY[..9], &KEY[9..]),
            format!("{}\u{200b}{}", &KEY[..9], &KEY[9..]),
            format!("{}\\r\\n\\t{}", &KEY[..9], &KEY[9..]),
            spelt(|char| format!("{char}\0")),
            spelt(|char| char::from_u32(code(char) + 0xfee0).unwrap().to_string()),
        ]
    }

    #[test]
    fn a_secret_is_masked_in_every_spelling() {
        for spelling in spellings() {
            for (before, after) in
                [("", ""), ("no such key: ", "."), ("{\"", "\":1}"), ("key=", "&x=1"), ("<b>", "</b>")]
            {
                let text = masked(&format!("{before}{spelling}{after}"));
                assert!(text.contains(HIDDEN), "{spelling}: {text}");
                assert!(text.len() <= before.len() + after.len() + "Bearer ***\0".len() + 8, "{spelling}: {text}");
            }
        }
    }

    #[test]
    fn json_stays_json() {
        for spelling in spellings().into_iter().filter(|text| !text.contains(['\0', '\n', '\\'])) {
            let document = serde_json::json!({"message": format!("{spelling}, \"x\"\n"), &*spelling: [spelling]});
            let text = document.to_string();
            let masked = Mask::new([KEY]).apply(&text, TextKind::Data);
            let read: serde_json::Value =
                serde_json::from_str(&masked).unwrap_or_else(|error| panic!("{error}: {masked}"));
            assert!(read["message"].as_str().unwrap().ends_with(", \"x\"\n"), "{masked}");
        }
        // Escapes whose characters are the first ones of a key, or seem to belong to base64.
        let encoded = base64(b"token-0123456789-abc", b"+/");
        for (key, text) in [
            ("token-0123456789-abc", String::from(r#"{"a":"\token-0123456789-abc"}"#)),
            ("62tk-0123456789-abc", String::from(r#"{"a":"\u0062tk-0123456789-abc"}"#)),
            ("token-0123456789-abc", format!(r#"{{"a":"x\n{encoded}\n"}}"#)),
            ("token-0123456789-abc", format!(r#"{{"a":"\u00e9{encoded}\\"}}"#)),
            ("token-0123456789-abc", String::from(r#"{"a":"\\token-0123456789-abc"}"#)),
        ] {
            let masked = Mask::new([key]).apply(&text, TextKind::Data);
            assert!(masked.contains(HIDDEN), "{masked}");
            assert!(serde_json::from_str::<serde_json::Value>(&masked).is_ok(), "{masked}");
        }
    }

    #[test]
    fn parts_are_masked_in_messages_and_not_in_data() {
        assert_eq!(masked("`btk/q7Xw+93…` is no key"), "`***…` is no key");
        assert_eq!(masked("{\"btk/q7Xw+93L\":\"mZ=p0RtY5e\"}"), "{\"***\":\"***\"}");
        let data = "[{\"asset_serial\":\"btk/q7Xw+93\"}]";
        assert_eq!(Mask::new([KEY]).apply(data, TextKind::Data), data);
        assert_eq!(masked("btk/q7 is short"), "btk/q7 is short");
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in [
            "the service does not accept the API key (401)",
            "100% of \\\"Müller & Co.\\\" &amp; C:\\temp\\new \\u00e9 a=b",
            "%",
            "\\",
            "&",
            "&#",
            "&#;",
            "\\u",
            "\\u00",
            "%4",
            "=",
            "",
        ] {
            assert_eq!(masked(text), text);
        }
        for practice in ["sandbox", "practice", "short-1", "k"] {
            assert_eq!(Mask::new([practice]).apply(practice, TextKind::Message), practice);
        }
    }

    #[test]
    fn long_texts_are_searched_where_they_may_hold_a_secret() {
        let filler = "{\"name\":\"MacBook Pro 14\",\"notes\":\"plain\"},".repeat(3_000);
        for spelling in [KEY.to_owned(), spelt(|char| format!("\\u{:04x}", u32::from(char))), KEY.replace('/', "\\/")] {
            let text = format!("{filler}{spelling}{filler}");
            let masked = Mask::new([KEY]).apply(&text, TextKind::Data).into_owned();
            assert_eq!(masked.len(), 2 * filler.len() + 3, "{spelling}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "(?s)[\\\\%&=#;xu{}0-9a-fbtkBTK/é\u{200b}\n]{0,60}") {
            masked(&text);
        }
    }
}
