//! An XML part as UTF-8. The formats allow UTF-16 too.

use std::io::{self, Chain, Cursor, Read};

use super::encoding::{Encoding, LineEnding, Utf8Text};

/// A part and the first bytes of it, which were looked at.
type WholePart<R> = Chain<Cursor<Vec<u8>>, R>;

/// A part as UTF-8.
pub(super) enum Utf8Part<R> {
    AsItIs(WholePart<R>),
    Decoded(Box<Utf8Text<WholePart<R>>>),
}

impl<R: Read> Utf8Part<R> {
    /// Looks at the first bytes, of which some are zero in UTF-16.
    pub(super) fn new(mut part: R) -> io::Result<Utf8Part<R>> {
        let mut head = Vec::with_capacity(4);
        part.by_ref().take(4).read_to_end(&mut head)?;
        let encoding = match head.as_slice() {
            [0xFF, 0xFE, ..] | [b'<', 0, ..] => Encoding::parse("utf-16le"),
            [0xFE, 0xFF, ..] | [0, b'<', ..] => Encoding::parse("utf-16be"),
            _ => None,
        };
        let whole = Cursor::new(head).chain(part);
        Ok(match encoding {
            Some(encoding) => Utf8Part::Decoded(Box::new(Utf8Text::new(whole, encoding, LineEnding::Lf))),
            None => Utf8Part::AsItIs(whole),
        })
    }
}

impl<R: Read> Read for Utf8Part<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Utf8Part::AsItIs(part) => part.read(buffer),
            Utf8Part::Decoded(text) => text.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn both_orders_of_utf16_become_utf8_with_or_without_a_mark() {
        let text = "<?xml version=\"1.0\"?><a>Zoë 東京 \u{1F4F7}</a>";
        for mark in ["", "\u{FEFF}"] {
            let marked = format!("{mark}{text}");
            let little: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = marked.encode_utf16().flat_map(u16::to_be_bytes).collect();
            for bytes in [little, big, text.as_bytes().to_vec()] {
                let mut read = String::new();
                Utf8Part::new(bytes.as_slice()).unwrap().read_to_string(&mut read).unwrap();
                assert_eq!(read, text);
            }
        }
    }
}
