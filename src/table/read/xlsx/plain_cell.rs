//! Cells and texts as nearly every program writes them, recognized at a glance.
//!
//! A sheet holds millions of `<c r="B7" s="3" t="s"><v>42</v></c>`. What has this shape to the letter, all of it in the
//! scanner's buffer, is taken apart here without looking for tags. Anything else, such as an entity, a comment, a
//! formula, other quotes or an address that makes no sense, is none of it and is left to the scanner, which knows XML.

use std::ops::Range;

use super::CellKind;

/// A cell without a formula, by where its parts stand in the bytes that it was found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlainCell {
    /// Row and column, from 0.
    pub(super) at: Option<(u32, u32)>,
    pub(super) style: usize,
    pub(super) kind: CellKind,
    pub(super) value: PlainValue,
    /// How many bytes it takes, with the white space before it.
    pub(super) len: usize,
}

/// Where the value of a cell stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PlainValue {
    None,
    /// The text of `<v>`.
    Stored(Range<usize>),
    /// The text of `<is>`.
    Inline(Range<usize>),
}

/// A text in one format: `<si><t>Berlin</t></si>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlainText {
    /// Where it stands, without the blanks that do not belong to it.
    pub(super) text: Range<usize>,
    /// How many bytes the element takes, with the white space before it.
    pub(super) len: usize,
}

/// Bytes, and how far they have been read.
struct Glance<'a> {
    bytes: &'a [u8],
    at: usize,
    /// What stands before the names of all elements: nothing, or for example `x:`.
    prefix: &'a [u8],
}

impl Glance<'_> {
    /// Reads these bytes; false, and nothing read, where others stand there.
    #[inline]
    fn has(&mut self, expected: &[u8]) -> bool {
        let is_there = self.bytes[self.at..].starts_with(expected);
        self.at += if is_there { expected.len() } else { 0 };
        is_there
    }

    #[inline]
    fn expect(&mut self, expected: &[u8]) -> Option<()> {
        self.has(expected).then_some(())
    }

    /// Reads `<` or `</`, the prefix, and the name with what ends it.
    #[inline]
    fn has_tag(&mut self, start: &[u8], name: &[u8]) -> bool {
        let before = self.at;
        let is_there = self.has(start) && self.has(self.prefix) && self.has(name);
        if !is_there {
            self.at = before;
        }
        is_there
    }

    #[inline]
    fn expect_tag(&mut self, start: &[u8], name: &[u8]) -> Option<()> {
        self.has_tag(start, name).then_some(())
    }

    fn skip_blanks(&mut self) {
        self.at += self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// Reads up to the next `<`; none where anything before it is more than its letters.
    #[inline]
    fn text(&mut self) -> Option<Range<usize>> {
        let len = memchr::memchr3(b'<', b'&', b'\r', &self.bytes[self.at..])?;
        let text = self.at..self.at + len;
        self.at = text.end;
        (self.bytes[text.end] == b'<').then_some(text)
    }

    /// Reads `<t>` to `</t>`. Its blanks count if it says so.
    fn text_element(&mut self) -> Option<Range<usize>> {
        let is_preserved = if self.has_tag(b"<", b"t>") {
            false
        } else {
            self.expect_tag(b"<", b"t xml:space=\"preserve\">")?;
            true
        };
        let text = self.text()?;
        self.expect_tag(b"</", b"t>")?;
        let bytes = &self.bytes[text.clone()];
        if memchr::memmem::find(bytes, b"_x").is_some() {
            return None;
        }
        if is_preserved {
            return Some(text);
        }
        let start = text.end - bytes.trim_ascii_start().len();
        Some(start..start + bytes.trim_ascii().len())
    }

    /// Reads a style's number and the quote behind it.
    #[inline]
    fn number(&mut self) -> Option<u32> {
        let mut number: u32 = 0;
        let first = self.at;
        loop {
            match self.next()? {
                digit @ b'0'..=b'9' => number = number.checked_mul(10)?.checked_add(u32::from(digit - b'0'))?,
                b'"' if self.at > first + 1 => return Some(number),
                _ => return None,
            }
        }
    }

    /// Reads an address such as `C7`, in capital letters, and the quote behind it.
    #[inline]
    fn address(&mut self) -> Option<(u32, u32)> {
        let mut column: u32 = 0;
        while let letter @ b'A'..=b'Z' = *self.bytes.get(self.at)? {
            column = column.checked_mul(26)?.checked_add(u32::from(letter - b'A') + 1)?;
            self.at += 1;
        }
        Some((self.number()?.checked_sub(1)?, column.checked_sub(1)?))
    }

    #[inline]
    fn kind(&mut self) -> Option<CellKind> {
        let rest = &self.bytes[self.at..];
        let value = &rest[..rest.iter().take(16).position(|byte| *byte == b'"')?];
        self.at += value.len() + 1;
        Some(CellKind::named(value))
    }
}

impl PlainCell {
    /// The cell that the bytes begin with, white space aside.
    pub(super) fn parse(bytes: &[u8], prefix: &[u8]) -> Option<PlainCell> {
        let mut glance = Glance { bytes, at: 0, prefix };
        glance.skip_blanks();
        glance.expect_tag(b"<", b"c")?;
        let mut cell = PlainCell { at: None, style: 0, kind: CellKind::default(), value: PlainValue::None, len: 0 };
        loop {
            match glance.next()? {
                b'>' => break,
                b'/' => {
                    glance.expect(b">")?;
                    return Some(PlainCell { len: glance.at, ..cell });
                }
                b' ' if glance.has(b"r=\"") => cell.at = Some(glance.address()?),
                b' ' if glance.has(b"s=\"") => cell.style = glance.number()? as usize,
                b' ' if glance.has(b"t=\"") => cell.kind = glance.kind()?,
                _ => return None,
            }
        }
        cell.value = glance.value(cell.kind)?;
        glance.expect_tag(b"</", b"c>")?;
        Some(PlainCell { len: glance.at, ..cell })
    }
}

impl Glance<'_> {
    #[inline]
    fn value(&mut self, kind: CellKind) -> Option<PlainValue> {
        if kind == CellKind::Inline {
            self.expect_tag(b"<", b"is>")?;
            let text = self.text_element()?;
            self.expect_tag(b"</", b"is>")?;
            return Some(PlainValue::Inline(text));
        }
        if !self.has_tag(b"<", b"v>") {
            return Some(PlainValue::None);
        }
        let text = self.text()?;
        self.expect_tag(b"</", b"v>")?;
        let has_code_points =
            kind == CellKind::Text && memchr::memmem::find(&self.bytes[text.clone()], b"_x").is_some();
        (!has_code_points).then_some(PlainValue::Stored(text))
    }
}

/// The text in an element of that name that the bytes begin with, white space aside.
pub(super) fn plain_text(bytes: &[u8], prefix: &[u8], element: &[u8]) -> Option<PlainText> {
    let mut glance = Glance { bytes, at: 0, prefix };
    glance.skip_blanks();
    glance.expect_tag(b"<", element)?;
    glance.expect(b">")?;
    let text = glance.text_element()?;
    glance.expect_tag(b"</", element)?;
    glance.expect(b">")?;
    Some(PlainText { text, len: glance.at })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn parse(bytes: &str) -> Option<PlainCell> {
        PlainCell::parse(bytes.as_bytes(), b"")
    }

    #[test]
    fn cells_to_the_letter_are_taken_apart() {
        let text = " <c r=\"B7\" s=\"3\" t=\"s\"><v>42</v></c><c";
        let cell = parse(text).unwrap();
        assert_eq!((cell.at, cell.style, cell.kind), (Some((6, 1)), 3, CellKind::Shared));
        assert_eq!((cell.value, cell.len), (PlainValue::Stored(26..28), text.len() - 2));
        let empty = parse("<c r=\"XFD1048576\" s=\"1\"/>").unwrap();
        assert_eq!((empty.at, empty.value), (Some((1_048_575, 16_383)), PlainValue::None));
        let inline = "<c t=\"inlineStr\"><is><t> a </t></is></c>";
        assert_eq!(parse(inline).unwrap().value, PlainValue::Inline(25..26));
        let inline = "<c t=\"inlineStr\"><is><t xml:space=\"preserve\"> a </t></is></c>";
        assert_eq!(parse(inline).unwrap().value, PlainValue::Inline(45..48));
        let prefixed = b"<x:c r=\"A1\"><x:v>1</x:v></x:c>";
        assert_eq!(PlainCell::parse(prefixed, b"x:").unwrap().len, prefixed.len());
        assert_eq!(PlainCell::parse(prefixed, b""), None);
    }

    #[test]
    fn whatever_is_odd_is_left_to_the_scanner() {
        for odd in [
            "<c r='B7'><v>1</v></c>",
            "<c r=\"b7\"><v>1</v></c>",
            "<c r=\"7\"><v>1</v></c>",
            "<c r=\"B0\"><v>1</v></c>",
            "<c r=\"B\"><v>1</v></c>",
            "<c r=\"B99999999999\"><v>1</v></c>",
            "<c  r=\"B7\"><v>1</v></c>",
            "<c cm=\"1\"><v>1</v></c>",
            "<c s=\"\"><v>1</v></c>",
            "<c><v>1&#48;</v></c>",
            "<c t=\"str\"><v>_x000D_</v></c>",
            "<c t=\"str\"><v>a\r\nb</v></c>",
            "<c><v>1<!-- one --></v></c>",
            "<c><f>1</f><v>1</v></c>",
            "<c><v>1</v><extLst/></c>",
            "<c t=\"inlineStr\"><is><r><t>a</t></r></is></c>",
            "<c t=\"inlineStr\"><v>a</v></c>",
            "<col/>",
            "</row>",
            "x<c/>",
            "",
        ] {
            assert_eq!(parse(odd), None, "{odd}");
        }
        let whole = "<c r=\"B7\" s=\"3\" t=\"s\"><v>42</v></c>";
        assert!((0..whole.len()).all(|len| parse(&whole[..len]).is_none()));
    }
}
