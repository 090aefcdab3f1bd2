//! One spelling of a secret, and where it stands in a text. Pure.

use std::ops::Range;

use super::decode::char_at;
use super::mask::TextKind;
use crate::unicode::is_invisible;

/// A part this long is masked in messages, whatever the length of the secret; a shorter one may be a common word.
const SHORTEST_PART: usize = 8;
const LONGEST_PART: usize = 16;
/// White space and invisible characters that may part a secret at one place.
const LONGEST_GAP: usize = 8;

/// One spelling of a secret.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Needle {
    text: String,
    /// The characters, in lower case.
    chars: Vec<char>,
    is_base64: bool,
}

/// The spellings of a secret that no decoding of single characters finds: as it is, in hexadecimal digits, and in base64
/// at every place where it can begin.
pub(super) fn needles(secret: &str) -> Vec<Needle> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut needles = vec![Needle::new(secret.to_owned(), false), Needle::new(hex, false)];
    for (shift, cut) in [(0, 0), (1, 2), (2, 3)] {
        let bytes = [&[0; 2][..shift], secret.as_bytes()].concat();
        // The characters that are the same whatever stands before and behind the secret.
        let whole = bytes.len() * 8 / 6;
        for signs in [b"+/", b"-_"] {
            let needle = Needle::new(base64(&bytes, signs)[cut..whole].to_owned(), true);
            if !needles.contains(&needle) {
                needles.push(needle);
            }
        }
    }
    needles
}

impl Needle {
    fn new(text: String, is_base64: bool) -> Self {
        let chars = text.chars().map(|char| char.to_ascii_lowercase()).collect();
        Self { text, chars, is_base64 }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where the needle stands in the text if it begins at that byte, after any number of decodings up to `depths`.
    pub(super) fn find_at(&self, text: &str, at: usize, depths: u8, kind: TextKind) -> Option<Range<usize>> {
        let end = (0..=depths).rev().find_map(|depth| self.end(text, at, depth, kind))?;
        if !self.is_base64 {
            return Some(escape_start(text, at)..end);
        }
        // The first and last characters of a secret may share one with its neighbours.
        let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
        let before = text[..at].bytes().rev().take(2).take_while(is_base64).count();
        let after = text[end..].bytes().take(4).take_while(is_base64).count();
        Some(escape_start(text, at - before)..end + after)
    }

    /// The byte behind the needle, or in a message behind a part of it, that begins at `at`.
    fn end(&self, text: &str, at: usize, depth: u8, kind: TextKind) -> Option<usize> {
        let (first, _) = char_at(text, at, depth)?;
        let first = first.to_ascii_lowercase();
        let ends = match kind {
            TextKind::Data => &self.chars[..1],
            TextKind::Message => &self.chars[..],
        };
        let starts = ends.iter().enumerate().filter(|(_, char)| **char == first);
        starts.filter_map(|(skipped, _)| self.matched(text, at, depth, skipped, kind)).max()
    }

    /// The byte behind what matches the needle from its character `skipped` on.
    fn matched(&self, text: &str, at: usize, depth: u8, skipped: usize, kind: TextKind) -> Option<usize> {
        let (mut next, mut end, mut count) = (at, at, 0);
        for wanted in &self.chars[skipped..] {
            let Some(behind) = next_char(text, next, depth, *wanted, count > 0) else { break };
            (next, end) = (behind, behind);
            count += 1;
        }
        let least = match kind {
            TextKind::Data => self.chars.len(),
            TextKind::Message => (self.chars.len() / 3).clamp(SHORTEST_PART, LONGEST_PART).min(self.chars.len()),
        };
        (count >= least).then_some(end)
    }
}

/// Where the escape that a byte is part of begins: `\t` or `\u0041` before the rest of a secret. Half an escape must not
/// stay, or the text would be no JSON any more.
fn escape_start(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let Some(backslash) = (at.saturating_sub(5)..at).rev().find(|before| bytes[*before] == b'\\') else { return at };
    let is_escape = bytes[..=backslash].iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1;
    let is_inside = at == backslash + 1 || bytes[backslash + 1] == b'u';
    if is_escape && is_inside { backslash } else { at }
}

/// The byte behind the wanted character at `at`, or behind white space and invisible characters there.
fn next_char(text: &str, mut at: usize, depth: u8, wanted: char, may_skip: bool) -> Option<usize> {
    for _ in 0..=LONGEST_GAP {
        let (char, next) = char_at(text, at, depth)?;
        if char.to_ascii_lowercase() == wanted {
            return Some(next);
        }
        if !may_skip || !(char.is_whitespace() || char.is_control() || is_invisible(char)) {
            return None;
        }
        at = next;
    }
    None
}

/// Bytes in base64 (RFC 4648), with padding; `signs` are the two characters behind letters and digits.
pub(super) fn base64(bytes: &[u8], signs: &[u8; 2]) -> String {
    let digit = |value: u32| match value & 63 {
        value @ 0..26 => b'A' + value as u8,
        value @ 26..52 => b'a' + (value as u8 - 26),
        value @ 52..62 => b'0' + (value as u8 - 52),
        value => signs[value as usize - 62],
    };
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let char = if place <= chunk.len() { digit(group >> (18 - 6 * place)) } else { b'=' };
            text.push(char::from(char));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (text, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(text.as_bytes(), b"+/"), encoded);
        }
        assert_eq!((base64(&[0xfb, 0xff], b"+/"), base64(&[0xfb, 0xff], b"-_")), ("+/8=".into(), "-_8=".into()));
    }
}
