//! Cells and texts as nearly every program writes them, recognized at a glance.
//!
//! A sheet holds millions of `<c r="B7" s="3" t="s"><v>42</v></c>`. What has this shape to the letter, all of it in the
//! scanner's buffer, is taken apart here without looking for tags. Anything else, such as an entity, a comment, a
//! formula, other quotes or an address that makes no sense, is not plain and is left to the scanner, which knows XML.

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

// Lengths that are known when this is compiled, and no calls, make these comparisons of a few instructions each.
impl Glance<'_> {
    /// Reads these bytes; false, and nothing read, where others stand there.
    #[inline(always)]
    fn has<const N: usize>(&mut self, expected: &[u8; N]) -> bool {
        let is_there = self.bytes[self.at..].first_chunk::<N>() == Some(expected);
        self.at += if is_there { N } else { 0 };
        is_there
    }

    #[inline(always)]
    fn expect<const N: usize>(&mut self, expected: &[u8; N]) -> Option<()> {
        self.has(expected).then_some(())
    }

    /// Reads `<` or `</`, the prefix, and the name with what ends it.
    #[inline(always)]
    fn has_tag<const S: usize, const N: usize>(&mut self, start: &[u8; S], name: &[u8; N]) -> bool {
        let before = self.at;
        let is_there = self.has(start) && self.has_prefix() && self.has(name);
        if !is_there {
            self.at = before;
        }
        is_there
    }

    #[inline(always)]
    fn has_prefix(&mut self) -> bool {
        if self.prefix.is_empty() {
            return true;
        }
        let is_there = self.bytes[self.at..].starts_with(self.prefix);
        self.at += self.prefix.len();
        is_there
    }

    #[inline(always)]
    fn expect_tag<const S: usize, const N: usize>(&mut self, start: &[u8; S], name: &[u8; N]) -> Option<()> {
        self.has_tag(start, name).then_some(())
    }

    #[inline(always)]
    fn skip_blanks(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    #[inline(always)]
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

    /// As [`Glance::text`], for a text that is a few bytes long.
    #[inline(always)]
    fn short_text(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        loop {
            match *self.bytes.get(self.at)? {
                b'<' => return Some(start..self.at),
                b'&' | b'\r' => return None,
                _ => self.at += 1,
            }
        }
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
    #[inline(always)]
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
    #[inline(always)]
    fn address(&mut self) -> Option<(u32, u32)> {
        let mut column: u32 = 0;
        while let letter @ b'A'..=b'Z' = *self.bytes.get(self.at)? {
            column = column.checked_mul(26)?.checked_add(u32::from(letter - b'A') + 1)?;
            self.at += 1;
        }
        Some((self.number()?.checked_sub(1)?, column.checked_sub(1)?))
    }

    #[inline(always)]
    fn kind(&mut self) -> Option<CellKind> {
        if self.has(b"s\"") {
            return Some(CellKind::Shared);
        }
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
            if glance.has(b" r=\"") {
                cell.at = Some(glance.address()?);
            } else if glance.has(b" s=\"") {
                cell.style = glance.number()? as usize;
            } else if glance.has(b" t=\"") {
                cell.kind = glance.kind()?;
            } else if glance.has(b">") {
                break;
            } else {
                glance.expect(b"/>")?;
                cell.len = glance.at;
                return Some(cell);
            }
        }
        cell.value = glance.value(cell.kind)?;
        glance.expect_tag(b"</", b"c>")?;
        cell.len = glance.at;
        Some(cell)
    }

    /// How many bytes the cell takes that the bytes begin with, if it is one of those that [`PlainCell::parse`] reads
    /// and has a number or a shared text; for those who only want to pass it.
    pub(super) fn len(bytes: &[u8]) -> Option<usize> {
        let mut glance = Glance { bytes, at: 0, prefix: b"" };
        glance.expect(b"<c ")?;
        glance.at += memchr::memchr(b'>', &bytes[glance.at..])? + 1;
        if bytes[glance.at - 2] == b'/' {
            return Some(glance.at);
        }
        glance.expect(b"<v>")?;
        glance.short_text()?;
        glance.expect(b"</v></c>")?;
        Some(glance.at)
    }
}

impl Glance<'_> {
    #[inline(always)]
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
        let text = if kind == CellKind::Text { self.text()? } else { self.short_text()? };
        self.expect_tag(b"</", b"v>")?;
        let has_code_points =
            kind == CellKind::Text && memchr::memmem::find(&self.bytes[text.clone()], b"_x").is_some();
        (!has_code_points).then_some(PlainValue::Stored(text))
    }
}

impl PlainText {
    /// The text that the bytes begin with, white space aside.
    pub(super) fn parse(bytes: &[u8], prefix: &[u8]) -> Option<PlainText> {
        let mut glance = Glance { bytes, at: 0, prefix };
        glance.skip_blanks();
        glance.expect_tag(b"<", b"si>")?;
        let text = glance.text_element()?;
        glance.expect_tag(b"</", b"si>")?;
        Some(PlainText { text, len: glance.at })
    }
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
