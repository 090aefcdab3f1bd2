//! A scanner over the tags of an XML part that may be gigabytes long.
//!
//! It knows just enough XML for spreadsheets: which elements are there, with which attributes, and what text stands
//! between them. It holds one tag at a time and refuses longer ones, so that a part of any size costs no memory.

use std::io::{self, Read};

use super::damage::unpacking;
use super::xml_text::unescaped;
use crate::table::error::ReadFault;

/// No tag and no run of text of a workbook comes near: a cell holds 32,767 characters.
pub(super) const LONGEST_TOKEN: usize = 4 * 1024 * 1024;

/// Whether a tag opens an element, closes it, or is all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagKind {
    Open,
    Close,
    SelfClosing,
}

/// One tag, without its brackets.
#[derive(Debug, Clone, Copy)]
pub(super) struct XmlTag<'a> {
    pub(super) kind: TagKind,
    /// As it stands, prefix included.
    pub(super) full_name: &'a [u8],
    /// Without the namespace's prefix.
    pub(super) name: &'a [u8],
    attributes: &'a [u8],
    /// The text since the last tag, without leading and trailing white space, entities as they stand; only its first
    /// kilobyte.
    pub(super) text: &'a [u8],
    /// The same with its white space, and as long as the scanner keeps texts. Shorter than `text_len` where it is cut
    /// off or partly unread.
    pub(super) whole_text: &'a [u8],
    /// The length of that text in full, white space included.
    pub(super) text_len: usize,
}

impl<'a> XmlTag<'a> {
    /// What stands before the name: nothing, or a prefix and its colon.
    pub(super) fn prefix(&self) -> &'a [u8] {
        &self.full_name[..self.full_name.len() - self.name.len()]
    }

    /// The value of an attribute, by its local name, entities as they stand.
    pub(super) fn attribute(&self, name: &str) -> Option<&'a [u8]> {
        self.find_attribute(|key| local(key) == name.as_bytes())
    }

    /// The value of an attribute, by its name with the prefix, entities resolved.
    pub(super) fn prefixed_attribute(&self, name: &str) -> Option<String> {
        self.exact_attribute(name).map(resolved)
    }

    /// The value of an attribute, by its name with the prefix, entities as they stand.
    pub(super) fn exact_attribute(&self, name: &str) -> Option<&'a [u8]> {
        self.find_attribute(|key| key == name.as_bytes())
    }

    fn find_attribute(&self, is_wanted: impl Fn(&[u8]) -> bool) -> Option<&'a [u8]> {
        let mut rest = self.attributes;
        loop {
            let equals = memchr::memchr(b'=', rest)?;
            let key = rest[..equals].trim_ascii();
            let value = rest[equals + 1..].trim_ascii_start();
            let (&quote, value) = value.split_first()?;
            let end = memchr::memchr(quote, value)?;
            if is_wanted(key) {
                return Some(&value[..end]);
            }
            rest = &value[end + 1..];
        }
    }

    /// The value of an attribute as text, its entities resolved.
    pub(super) fn text_attribute(&self, name: &str) -> Option<String> {
        self.attribute(name).map(resolved)
    }

    /// The text since the last tag, its entities resolved.
    pub(super) fn plain_text(&self) -> String {
        resolved(self.text)
    }

    /// The same with the white space around it.
    pub(super) fn untrimmed_text(&self) -> String {
        resolved(self.whole_text)
    }
}

/// Text with what is no entity left as it stands.
fn resolved(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    unescaped(&text).unwrap_or_else(|| text.clone()).into_owned()
}

fn local(name: &[u8]) -> &[u8] {
    memchr::memrchr(b':', name).map_or(name, |colon| &name[colon + 1..])
}

/// The tags of a part.
pub(super) struct XmlScanner<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// How much of the part stood before the buffer.
    dropped: usize,
    text: Vec<u8>,
    text_len: usize,
    /// As much of a text as is kept.
    kept: usize,
}

impl<R: Read> XmlScanner<R> {
    pub(super) fn new(input: R) -> XmlScanner<R> {
        XmlScanner::keeping(input, 1024)
    }

    /// A scanner that keeps the first `kept` bytes of a text.
    pub(super) fn keeping(input: R, kept: usize) -> XmlScanner<R> {
        let buffer = vec![0; 64 * 1024];
        XmlScanner { input, buffer, start: 0, end: 0, dropped: 0, text: Vec::new(), text_len: 0, kept }
    }

    /// Where in the part the last tag ends.
    pub(super) fn position(&self) -> usize {
        self.dropped + self.start
    }

    /// What has been read from the part and comes next. For callers that know by sight what stands there; they pass over
    /// it with [`XmlScanner::skip`].
    pub(super) fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Passes over some bytes of [`XmlScanner::unread`].
    pub(super) fn skip(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// The next tag, or none at the end of the part. Comments and instructions are passed over.
    pub(super) fn next(&mut self) -> Result<Option<XmlTag<'_>>, ReadFault> {
        self.text.clear();
        self.text_len = 0;
        let (start, end) = loop {
            if !self.skip_text()? {
                return Ok(None);
            }
            if self.skip_markup()? {
                continue;
            }
            let Some(end) = self.find(tag_end)? else { return Ok(None) };
            break (self.start + 1, self.start + end);
        };
        self.start = end + 1;
        Ok(Some(tag(&self.buffer[start..end], &self.text, self.text_len)))
    }

    /// Goes to the next `<`; false where there is none.
    fn skip_text(&mut self) -> Result<bool, ReadFault> {
        loop {
            let unread = &self.buffer[self.start..self.end];
            let at = memchr::memchr(b'<', unread);
            let text = &unread[..at.unwrap_or(unread.len())];
            self.text_len += text.len();
            if self.text_len > LONGEST_TOKEN {
                return Err(ReadFault::Bloated);
            }
            let room = self.kept.saturating_sub(self.text.len()).min(text.len());
            self.text.extend_from_slice(&text[..room]);
            self.start += text.len();
            if at.is_some() {
                return Ok(true);
            }
            if !self.read_more()? {
                return Ok(false);
            }
        }
    }

    /// Passes over what starts with `<!` or `<?`; false where something else stands here.
    fn skip_markup(&mut self) -> Result<bool, ReadFault> {
        let longest = b"<![CDATA[".len();
        while self.end - self.start < longest && self.read_more()? {}
        let until: &[u8] = match &self.buffer[self.start..self.end] {
            [_, other, ..] if !matches!(other, b'!' | b'?') => return Ok(false),
            rest if rest.starts_with(b"<!--") => b"-->",
            rest if rest.starts_with(b"<![CDATA[") => b"]]>",
            rest if rest.starts_with(b"<!") => {
                return Err(ReadFault::damaged("it declares a document type, which no spreadsheet program writes"));
            }
            rest if rest.starts_with(b"<?") => b"?>",
            _ => return Ok(false),
        };
        let end = self.find(|bytes| memchr::memmem::find(bytes, until))?;
        let Some(end) = end else { return Err(ReadFault::Truncated) };
        if until == b"]]>" {
            self.push_escaped(self.start + longest..self.start + end);
        }
        self.start += end + until.len();
        Ok(true)
    }

    /// Adds what stands in the buffer there to the text, as if it had been written with entities.
    fn push_escaped(&mut self, range: std::ops::Range<usize>) {
        for &byte in self.buffer.get(range).unwrap_or_default() {
            let escaped: &[u8] = match byte {
                b'&' => b"&amp;",
                b'<' => b"&lt;",
                _ => &[byte],
            };
            self.text_len += escaped.len();
            if self.text.len() + escaped.len() <= self.kept {
                self.text.extend_from_slice(escaped);
            }
        }
    }

    /// Searches what is unread, reading on until it is found; none at the end of the part.
    fn find(&mut self, search: impl Fn(&[u8]) -> Option<usize>) -> Result<Option<usize>, ReadFault> {
        loop {
            if let Some(at) = search(&self.buffer[self.start..self.end]) {
                return Ok(Some(at));
            }
            if self.end - self.start > LONGEST_TOKEN {
                return Err(ReadFault::Bloated);
            }
            // A search begins anew, so let it have twice as much each time.
            if !self.read_more()? {
                return Ok(None);
            }
            while self.end < self.buffer.len() && self.read_more()? {}
        }
    }

    fn read_more(&mut self) -> Result<bool, ReadFault> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.dropped += self.start;
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unpacking(&error)),
            }
        }
    }
}

/// The `>` that ends the tag at the front: the first one that is not inside quotes.
fn tag_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr3(b'>', b'"', b'\'', &bytes[at..])?;
        let quote = bytes[at];
        if quote == b'>' {
            return Some(at);
        }
        at += 1;
        at += memchr::memchr(quote, &bytes[at..])? + 1;
    }
}

fn tag<'a>(inside: &'a [u8], whole_text: &'a [u8], text_len: usize) -> XmlTag<'a> {
    let (kind, inside) = match inside {
        [b'/', rest @ ..] => (TagKind::Close, rest),
        [rest @ .., b'/'] => (TagKind::SelfClosing, rest),
        rest => (TagKind::Open, rest),
    };
    let name_end = inside.iter().position(u8::is_ascii_whitespace).unwrap_or(inside.len());
    let full_name = &inside[..name_end];
    let (name, attributes, text) = (local(full_name), &inside[name_end..], whole_text.trim_ascii());
    XmlTag { kind, full_name, name, attributes, text, whole_text, text_len }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn tags_come_with_their_text_and_attributes() {
        let xml = b"<?xml version=\"1.0\"?><!-- <a> --><x:row r=\"1\"><c r=\"A1\" t='e' n=\"a>b &amp; c\"><v>1</v></c><c/></x:row>";
        let mut scanner = XmlScanner::new(&xml[..]);
        let mut seen = Vec::new();
        while let Some(tag) = scanner.next().unwrap() {
            let name = String::from_utf8_lossy(tag.name).into_owned();
            let text = String::from_utf8_lossy(tag.text).into_owned();
            seen.push((name, tag.kind, text, tag.text_attribute("n")));
        }
        let expected = [
            ("row", TagKind::Open, "", None),
            ("c", TagKind::Open, "", Some("a>b & c")),
            ("v", TagKind::Open, "", None),
            ("v", TagKind::Close, "1", None),
            ("c", TagKind::Close, "", None),
            ("c", TagKind::SelfClosing, "", None),
            ("row", TagKind::Close, "", None),
        ];
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(name, kind, text, n)| (name.to_owned(), kind, text.to_owned(), n.map(str::to_owned)))
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn endless_tokens_are_refused() {
        let endless = [b"<a ", &vec![b'x'; LONGEST_TOKEN * 2][..]].concat();
        assert!(matches!(XmlScanner::new(&endless[..]).next().err(), Some(ReadFault::Bloated)));
        let endless = [b"<a>", &vec![b'x'; LONGEST_TOKEN * 2][..], b"</a>"].concat();
        let mut scanner = XmlScanner::new(&endless[..]);
        assert!(scanner.next().is_ok());
        assert!(matches!(scanner.next().err(), Some(ReadFault::Bloated)));
    }
}
