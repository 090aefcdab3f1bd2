//! Byte statistics of a text file, from which its encoding is detected.

use std::io::{self, Read, Seek, SeekFrom};
use std::panic::resume_unwind;
use std::thread;

use super::{Certainty, Encoding, OpenFn, read_some};
use crate::table::error::ReadFault;

/// Which part of a file is looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FilePart {
    Beginning,
    Rest,
}

/// Counts of bytes and byte sequences in a file.
#[derive(Debug, Default)]
pub(super) struct ByteStats {
    pub(super) nul: bool,
    pub(super) lf: bool,
    /// CR, and no LF so far.
    pub(super) cr: bool,
    /// Zero bytes at even and at odd offsets of the file's beginning, of that many pairs.
    nul_even: u64,
    nul_odd: u64,
    pairs: u64,
    /// Control characters other than white space and NUL, in the file's beginning.
    control: u64,
    /// Sequences of several bytes that are valid UTF-8, and bytes that are not.
    sequences: u64,
    pub(super) stray: u64,
    /// U+FFFD, encoded as UTF-8.
    pub(super) replacement: u64,
    mark: Option<Encoding>,
}

impl ByteStats {
    /// How many bytes are inspected one by one: enough to recognize UTF-16 and binary data.
    const BEGINNING: usize = 64 * 1024;

    /// The halves of a file of `long` bytes or more are looked through on two threads, since nothing else can begin before.
    pub(super) fn collect(open: OpenFn<'_>, long: u64) -> Result<ByteStats, ReadFault> {
        let mut input = open()?;
        let len = input.seek(SeekFrom::End(0))?;
        input.rewind()?;
        if len < long {
            return Ok(Self::of_part(&mut input, FilePart::Beginning)?);
        }
        let mut rest = open()?;
        let middle = char_start(&mut rest, len / 2)?;
        let (first, second) = thread::scope(|scope| {
            let second = scope.spawn(move || Self::of_part(&mut rest, FilePart::Rest));
            let first = Self::of_part(&mut input.take(middle), FilePart::Beginning);
            (first, second.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        Ok(first?.with(&second?))
    }

    fn of_part(input: &mut dyn Read, part: FilePart) -> io::Result<ByteStats> {
        let mut stats = ByteStats::default();
        let mut buffer = vec![0; 256 * 1024];
        let (mut kept, mut is_beginning) = (0, part == FilePart::Beginning);
        loop {
            let read = read_some(input, &mut buffer[kept..])?;
            let filled = kept + read;
            if is_beginning {
                stats.begin(&buffer[..filled]);
                is_beginning = false;
            }
            let has = |stats: bool, byte: u8| stats || memchr::memchr(byte, &buffer[kept..filled]).is_some();
            (stats.lf, stats.nul) = (has(stats.lf, b'\n'), has(stats.nul, 0));
            stats.cr = !stats.lf && has(stats.cr, b'\r');
            // What is kept is the beginning of a sequence that the next bytes may complete.
            let pending = stats.count_utf8(&buffer[..filled], read == 0);
            if read == 0 {
                return Ok(stats);
            }
            buffer.copy_within(filled - pending..filled, 0);
            kept = pending;
        }
    }

    /// With what was counted behind, from the beginning of a character on.
    fn with(self, behind: &ByteStats) -> ByteStats {
        ByteStats {
            nul: self.nul || behind.nul,
            lf: self.lf || behind.lf,
            cr: self.cr || behind.cr,
            sequences: self.sequences + behind.sequences,
            stray: self.stray + behind.stray,
            replacement: self.replacement + behind.replacement,
            ..self
        }
    }

    fn begin(&mut self, head: &[u8]) {
        self.mark = encoding_rs::Encoding::for_bom(head).map(|(encoding, _)| Encoding(encoding));
        let head = &head[..head.len().min(Self::BEGINNING)];
        for pair in head.chunks_exact(2) {
            self.pairs += 1;
            self.nul_even += u64::from(pair[0] == 0);
            self.nul_odd += u64::from(pair[1] == 0);
        }
        let is_control = |byte: &u8| (1..0x20).contains(byte) && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C | 0x1A);
        self.control = head.iter().filter(|byte| is_control(byte)).count() as u64;
    }

    /// Counts, and returns how many bytes at the end are a sequence cut short by the buffer.
    fn count_utf8(&mut self, mut bytes: &[u8], at_end: bool) -> usize {
        if bytes.is_ascii() {
            return 0;
        }
        loop {
            let (valid, rest) = match std::str::from_utf8(bytes) {
                Ok(_) => (bytes, None),
                Err(error) => (&bytes[..error.valid_up_to()], Some((error.valid_up_to(), error.error_len()))),
            };
            self.sequences += valid.iter().filter(|byte| **byte >= 0xC0).count() as u64;
            self.replacement += memchr::memmem::find_iter(valid, "\u{FFFD}".as_bytes()).count() as u64;
            match rest {
                None => return 0,
                Some((at, None)) if !at_end => return bytes.len() - at,
                Some((at, len)) => {
                    self.stray += 1;
                    bytes = &bytes[at + len.unwrap_or(bytes.len() - at)..];
                }
            }
        }
    }

    /// Where every other byte of ASCII text is zero. Text of other scripts has at least its delimiters and line ends.
    fn utf16(&self) -> Option<Encoding> {
        let is_many = |count: u64| count * 10 >= self.pairs && count > 0;
        let is_few = |count: u64| count * 50 <= self.pairs;
        match (self.nul_even, self.nul_odd) {
            (even, odd) if is_many(odd) && is_few(even) => Some(Encoding(encoding_rs::UTF_16LE)),
            (even, odd) if is_many(even) && is_few(odd) => Some(Encoding(encoding_rs::UTF_16BE)),
            _ => None,
        }
    }

    /// No text has more than a few control characters; a stray NUL happens in text too.
    pub(super) fn is_binary(&self) -> bool {
        let looked_at = self.pairs * 2;
        let nuls = self.nul_even + self.nul_odd;
        let is_marked = self.mark.is_some() || self.utf16().is_some();
        !is_marked && looked_at > 0 && (self.control * 20 > looked_at || nuls * 10 > looked_at)
    }

    /// The encoding, if it can be told without guessing from letter frequencies.
    pub(super) fn known_encoding(&self) -> Option<(Encoding, Certainty)> {
        if let Some(encoding) = self.mark.or_else(|| self.utf16()) {
            return Some((encoding, Certainty::Certain));
        }
        if self.stray == 0 {
            return Some((Encoding::UTF_8, Certainty::Certain));
        }
        // Valid sequences do not come about by chance: a few strays among them are damage, not another encoding.
        if self.sequences >= self.stray {
            return Some((Encoding::UTF_8, Certainty::Guessed));
        }
        (self.cr && !self.lf).then_some((Encoding(encoding_rs::MACINTOSH), Certainty::Guessed))
    }
}

/// Where the first character of UTF-8 begins from `at` on; the input then stands there.
fn char_start(input: &mut (impl Read + Seek + ?Sized), at: u64) -> io::Result<u64> {
    // A character has at most four bytes; strays may stand behind it.
    const AHEAD: u64 = 16;
    let mut bytes = Vec::new();
    input.seek(SeekFrom::Start(at))?;
    input.take(AHEAD).read_to_end(&mut bytes)?;
    let is_start = |byte: &u8| byte & 0xC0 != 0x80;
    let start = at + bytes.iter().position(is_start).unwrap_or(bytes.len()) as u64;
    input.seek(SeekFrom::Start(start))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Cursor;

    use proptest::prelude::*;

    use super::super::TextInput;
    use super::*;

    proptest! {
        #[test]
        fn two_halves_are_counted_as_the_whole_is(
            text in "[a,\r\n\0é€😀\u{FFFD}]{0,40}",
            stray in prop::option::of((0..40usize, any::<u8>())),
        ) {
            let mut bytes = text.into_bytes();
            if let Some((at, byte)) = stray
                && let Some(place) = bytes.get_mut(at)
            {
                *place = byte;
            }
            let open = || -> Result<Box<dyn TextInput>, ReadFault> { Ok(Box::new(Cursor::new(bytes.clone()))) };
            let counted = |long| {
                let ByteStats { nul, lf, cr, sequences, stray, replacement, .. } = ByteStats::collect(&open, long).unwrap();
                (nul, lf, cr && !lf, sequences, stray, replacement)
            };
            prop_assert_eq!(counted(0), counted(u64::MAX));
        }
    }
}
