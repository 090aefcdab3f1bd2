//! Text of XML without its escapes, and without those that spreadsheet programs add.

use std::borrow::Cow;

/// A text without entities and with LF line ends: `&amp;`, `&#228;`. None if it holds another entity.
pub(super) fn unescaped(text: &str) -> Option<Cow<'_, str>> {
    if memchr::memchr2(b'&', b'\r', text.as_bytes()).is_none() {
        return Some(Cow::Borrowed(text));
    }
    // A CR that stands there as such is half a line end; one that is meant is written `&#13;`.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        let (entity, behind) = rest[at + 1..].split_once(';')?;
        plain.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "amp" => '&',
            number => {
                let number = number.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(digits) => u32::from_str_radix(digits, 16),
                    None => number.parse(),
                };
                char::from_u32(code.ok()?)?
            }
        });
        rest = behind;
    }
    plain.push_str(rest);
    Some(Cow::Owned(plain))
}

/// A text without Excel's escapes of characters that XML cannot hold: `_x000D_` is a CR, `_xD83D__xDCF7_` a camera.
pub(crate) fn without_code_points(text: Cow<'_, str>) -> Cow<'_, str> {
    if memchr::memmem::find(text.as_bytes(), b"_x").is_none() {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find("_x") {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let mut units = Vec::new();
        while let Some(unit) = code_unit(rest) {
            units.push(unit);
            rest = &rest[7..];
        }
        plain.extend(char::decode_utf16(units.iter().copied()).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
        if units.is_empty() {
            plain.push_str("_x");
            rest = &rest[2..];
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The unit of UTF-16 that a text begins with in Excel's spelling.
fn code_unit(text: &str) -> Option<u16> {
    let escape = text.as_bytes().get(..7)?;
    let digits = escape.strip_prefix(b"_x")?.strip_suffix(b"_")?;
    let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
    u16::from_str_radix(std::str::from_utf8(digits).ok().filter(|_| is_hex)?, 16).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_become_what_they_stand_for() {
        let plain = |text| without_code_points(unescaped(text).unwrap()).into_owned();
        assert_eq!(plain("R&amp;D&#13;&#xE4;\r\nb\rc"), "R&D\rä\nb\nc");
        assert_eq!(plain("a_x000D__x005F_x000D_b_x_"), "a\r_x000D_b_x_");
        assert_eq!(plain("_xD83D__xDCF7_ _xD83D_"), "\u{1F4F7} \u{FFFD}");
        assert_eq!(unescaped("&nbsp;"), None);
        assert_eq!(unescaped("R&D"), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[&#;x_0-9a-fDé]{0,30}") {
            let _ = unescaped(&text);
            let _ = without_code_points(text.as_str().into());
        }
    }
}
