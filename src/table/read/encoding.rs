//! Which encoding a text file is in, and that text as UTF-8.
//!
//! Detection looks at the whole file once, because a single `é` in row 90,000 decides; reading then never has to
//! change its mind. What decides, in this order: a byte order mark; zero bytes (UTF-16 without a mark, which
//! chardetng calls windows-1252 without a complaint); validity as UTF-8; line ends of CR alone (old Mac exports);
//! chardetng. Everything after UTF-8 is a guess, and says so.

use std::fmt;
use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Decoder};

use crate::table::error::ReadFault;

/// An encoding of text; displays as people call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

/// Names that people use, beside those of the WHATWG. `macintosh` is the WHATWG's own.
const ALSO_CALLED: &[(&str, &encoding_rs::Encoding)] = &[
    ("mac roman", encoding_rs::MACINTOSH),
    ("mac os roman", encoding_rs::MACINTOSH),
    ("macroman", encoding_rs::MACINTOSH),
    ("mac-roman", encoding_rs::MACINTOSH),
    ("ansi", encoding_rs::WINDOWS_1252),
    ("windows1252", encoding_rs::WINDOWS_1252),
    ("shift jis", encoding_rs::SHIFT_JIS),
    ("utf16", encoding_rs::UTF_16LE),
    ("utf-16 le", encoding_rs::UTF_16LE),
    ("utf-16 be", encoding_rs::UTF_16BE),
];

/// Where people's name differs from the WHATWG's.
const KNOWN_AS: &[(&encoding_rs::Encoding, &str)] = &[
    (encoding_rs::MACINTOSH, "Mac OS Roman"),
    (encoding_rs::WINDOWS_1252, "Windows-1252"),
    (encoding_rs::UTF_16LE, "UTF-16"),
    (encoding_rs::UTF_16BE, "UTF-16 (big-endian)"),
];

impl Encoding {
    pub const UTF_8: Encoding = Encoding(encoding_rs::UTF_8);

    /// Reads a name as the WHATWG lists them (`utf-8`, `windows-1252`, `latin1`, `shift_jis`, `macintosh`), or as people
    /// say (`mac roman`, `ansi`); case does not matter. None where the name is unknown.
    pub fn parse(name: &str) -> Option<Encoding> {
        let name = name.trim().to_lowercase();
        let also = ALSO_CALLED.iter().find(|(label, _)| *label == name).map(|(_, encoding)| *encoding);
        also.or_else(|| encoding_rs::Encoding::for_label_no_replacement(name.as_bytes())).map(Encoding)
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = KNOWN_AS.iter().find(|(encoding, _)| *encoding == self.0).map(|(_, name)| *name);
        formatter.write_str(known.unwrap_or(self.0.name()))
    }
}

/// Whether what was detected can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// The file or the user says so, or nothing else is possible.
    Certain,
    /// Likely; the text may have come out wrong without an error, so nothing should be created from it.
    Guessed,
}

/// Whether some bytes did not become text: U+FFFD stands in their place, or was in the file already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplacementChars {
    Absent,
    Present,
}

/// Which bytes end a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEnding {
    /// LF, alone or behind CR.
    Lf,
    /// CR and never LF.
    Cr,
}

/// What one look at the whole file found.
#[derive(Debug, Clone, Copy)]
pub(super) struct DetectedEncoding {
    pub(super) encoding: Encoding,
    pub(super) certainty: Certainty,
    pub(super) replacement_chars: ReplacementChars,
    pub(super) line_ending: LineEnding,
    /// Whether the bytes can be read as they are, as UTF-8 with LF line ends.
    pub(super) is_plain: bool,
}

/// Opens the same bytes, from the first.
pub(super) type OpenFn<'a> = &'a dyn Fn() -> Result<Box<dyn Read>, ReadFault>;

/// Looks at all of a text file; `wanted` is the user's choice of encoding.
pub(super) fn detect(open: OpenFn<'_>, wanted: Option<Encoding>) -> Result<DetectedEncoding, ReadFault> {
    let stats = ByteStats::collect(&mut *open()?)?;
    if wanted.is_none() && stats.is_binary() {
        return Err(ReadFault::NotText);
    }
    let (encoding, certainty) = match (wanted, stats.known_encoding()) {
        (Some(wanted), _) => (wanted, Certainty::Certain),
        (None, Some(known)) => known,
        (None, None) => (guess(&mut *open()?)?, Certainty::Guessed),
    };
    let line_ending = if stats.cr && !stats.lf { LineEnding::Cr } else { LineEnding::Lf };
    let is_clean = encoding == Encoding::UTF_8 && stats.stray == 0 && !stats.nul;
    let replacement_chars = match is_clean {
        true if stats.replacement == 0 => ReplacementChars::Absent,
        true => ReplacementChars::Present,
        false => decode_all(Utf8Text::new(open()?, encoding, line_ending))?,
    };
    let is_plain = is_clean && line_ending == LineEnding::Lf;
    Ok(DetectedEncoding { encoding, certainty, replacement_chars, line_ending, is_plain })
}

/// Asks chardetng, which is some hundred times slower than UTF-8 validation, and has soon made up its mind.
fn guess(input: &mut dyn Read) -> Result<Encoding, ReadFault> {
    const ENOUGH: usize = 1024 * 1024;
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut buffer = vec![0; 64 * 1024];
    let mut fed = 0;
    while fed < ENOUGH {
        let read = read_some(input, &mut buffer)?;
        if read == 0 {
            break;
        }
        // ASCII tells it nothing.
        if !buffer[..read].is_ascii() {
            detector.feed(&buffer[..read], false);
            fed += read;
        }
    }
    Ok(Encoding(detector.guess(None, Utf8Detection::Deny)))
}

/// Whether anything in the text cannot be decoded.
fn decode_all(mut text: Utf8Text<Box<dyn Read>>) -> Result<ReplacementChars, ReadFault> {
    io::copy(&mut text, &mut io::sink())?;
    Ok(text.replacement_chars)
}

/// What a file is made of, byte by byte.
#[derive(Debug, Default)]
struct ByteStats {
    bytes: u64,
    nul: bool,
    lf: bool,
    cr: bool,
    /// Zero bytes at even and at odd offsets of the file's beginning, of that many pairs.
    nul_even: u64,
    nul_odd: u64,
    pairs: u64,
    /// Control characters other than white space and NUL, in the file's beginning.
    control: u64,
    /// Sequences of several bytes that are valid UTF-8, and bytes that are not.
    sequences: u64,
    stray: u64,
    /// U+FFFD, encoded as UTF-8.
    replacement: u64,
    mark: Option<Encoding>,
}

impl ByteStats {
    /// How far the look at single bytes goes: enough to tell UTF-16 and binary data.
    const BEGINNING: usize = 64 * 1024;

    fn collect(input: &mut dyn Read) -> io::Result<ByteStats> {
        let mut stats = ByteStats::default();
        let mut buffer = vec![0; 256 * 1024];
        let mut kept = 0;
        loop {
            let read = read_some(input, &mut buffer[kept..])?;
            let filled = kept + read;
            if stats.bytes == 0 {
                stats.begin(&buffer[..filled]);
            }
            stats.bytes += read as u64;
            let has = |stats: bool, byte: u8| stats || memchr::memchr(byte, &buffer[kept..filled]).is_some();
            (stats.lf, stats.cr, stats.nul) = (has(stats.lf, b'\n'), has(stats.cr, b'\r'), has(stats.nul, 0));
            // What is kept is the beginning of a sequence that the next bytes may complete.
            let pending = stats.count_utf8(&buffer[..filled], read == 0);
            if read == 0 {
                return Ok(stats);
            }
            buffer.copy_within(filled - pending..filled, 0);
            kept = pending;
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
    fn is_binary(&self) -> bool {
        let looked_at = self.pairs * 2;
        let nuls = self.nul_even + self.nul_odd;
        let is_marked = self.mark.is_some() || self.utf16().is_some();
        !is_marked && looked_at > 0 && (self.control * 20 > looked_at || nuls * 10 > looked_at)
    }

    /// The encoding, where it does not take a guess at the letters.
    fn known_encoding(&self) -> Option<(Encoding, Certainty)> {
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

/// Reads once, again where a signal came between.
fn read_some(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// The text as UTF-8 with LF line ends, in whatever encoding it is; what cannot be decoded, and NUL, is U+FFFD.
pub(super) struct Utf8Text<R> {
    input: R,
    decoder: Decoder,
    line_ending: LineEnding,
    raw: Box<[u8]>,
    raw_start: usize,
    raw_end: usize,
    text: Vec<u8>,
    text_start: usize,
    state: DecoderState,
    pub(super) replacement_chars: ReplacementChars,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DecoderState {
    More,
    /// The input has ended; the decoder may hold something back.
    Ending,
    Ended,
}

impl<R: Read> Utf8Text<R> {
    pub(super) fn new(input: R, encoding: Encoding, line_ending: LineEnding) -> Utf8Text<R> {
        Utf8Text {
            input,
            decoder: encoding.0.new_decoder_with_bom_removal(),
            line_ending,
            raw: vec![0; 64 * 1024].into_boxed_slice(),
            raw_start: 0,
            raw_end: 0,
            text: Vec::new(),
            text_start: 0,
            state: DecoderState::More,
            replacement_chars: ReplacementChars::Absent,
        }
    }

    fn decode_more(&mut self) -> io::Result<()> {
        if self.raw_start == self.raw_end && self.state == DecoderState::More {
            self.raw_start = 0;
            self.raw_end = read_some(&mut self.input, &mut self.raw)?;
            if self.raw_end == 0 {
                self.state = DecoderState::Ending;
            }
        }
        // Three bytes of UTF-8 for one byte is the most that any encoding needs.
        self.text.resize(self.raw.len() * 3 + 16, 0);
        let is_last = self.state == DecoderState::Ending;
        let raw = &self.raw[self.raw_start..self.raw_end];
        let (result, read, written, had_errors) = self.decoder.decode_to_utf8(raw, &mut self.text, is_last);
        self.raw_start += read;
        self.text.truncate(written);
        self.text_start = 0;
        if had_errors {
            self.replacement_chars = ReplacementChars::Present;
        }
        if is_last && result == CoderResult::InputEmpty {
            self.state = DecoderState::Ended;
        }
        self.normalize();
        Ok(())
    }

    fn normalize(&mut self) {
        if self.line_ending == LineEnding::Cr {
            self.text.iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        }
        if memchr::memchr(0, &self.text).is_some() {
            self.replacement_chars = ReplacementChars::Present;
            self.text = String::from_utf8_lossy(&self.text).replace('\0', "\u{FFFD}").into_bytes();
        }
    }
}

impl<R: Read> Read for Utf8Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.text_start == self.text.len() && self.state != DecoderState::Ended {
            self.decode_more()?;
        }
        let len = buffer.len().min(self.text.len() - self.text_start);
        buffer[..len].copy_from_slice(&self.text[self.text_start..self.text_start + len]);
        self.text_start += len;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn read(bytes: &[u8]) -> (String, Certainty, ReplacementChars, String) {
        let detected = detect_in(bytes).unwrap();
        let mut text = String::new();
        let mut reader = Utf8Text::new(bytes, detected.encoding, detected.line_ending);
        reader.read_to_string(&mut text).unwrap();
        (detected.encoding.to_string(), detected.certainty, detected.replacement_chars, text)
    }

    fn detect_in(bytes: &[u8]) -> Result<DetectedEncoding, ReadFault> {
        let bytes = bytes.to_vec();
        detect(&move || Ok(Box::new(std::io::Cursor::new(bytes.clone()))), None)
    }

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn names_as_people_write_them() {
        let name = |label: &str| Encoding::parse(label).map(|encoding| encoding.to_string());
        assert_eq!(name("UTF-8").as_deref(), Some("UTF-8"));
        assert_eq!(name("latin1").as_deref(), Some("Windows-1252"));
        assert_eq!(name("Mac Roman").as_deref(), Some("Mac OS Roman"));
        assert_eq!(name("sjis").as_deref(), Some("Shift_JIS"));
        assert_eq!(name("klingon"), None);
    }

    #[test]
    fn utf8_is_sure_with_and_without_a_mark() {
        let expected = ("UTF-8".into(), Certainty::Certain, ReplacementChars::Absent, "Zoë,Łódź\n".into());
        assert_eq!(read("Zoë,Łódź\n".as_bytes()), expected);
        assert_eq!(read("\u{FEFF}Zoë,Łódź\n".as_bytes()), expected);
    }

    #[test]
    fn utf16_needs_no_mark() {
        let text = "asset_id,name\n1,Zoë\n";
        let le = utf16(text, u16::to_le_bytes);
        assert_eq!(read(&le), ("UTF-16".into(), Certainty::Certain, ReplacementChars::Absent, text.into()));
        let be = utf16(text, u16::to_be_bytes);
        assert_eq!(
            read(&be),
            ("UTF-16 (big-endian)".into(), Certainty::Certain, ReplacementChars::Absent, text.into())
        );
        let marked = [&b"\xFF\xFE"[..], &le].concat();
        assert_eq!(read(&marked).3, text);
    }

    #[test]
    fn a_stray_byte_does_not_turn_the_file_into_another_encoding() {
        let mut bytes = "Zoë,Łódź,Köln\n".repeat(50).into_bytes();
        bytes.extend(b"caf\xE9\n");
        let (encoding, certainty, replacement_chars, text) = read(&bytes);
        assert_eq!(
            (encoding.as_str(), certainty, replacement_chars),
            ("UTF-8", Certainty::Guessed, ReplacementChars::Present)
        );
        assert!(text.ends_with("caf\u{FFFD}\n"));
        assert!(text.starts_with("Zoë"));
    }

    #[test]
    fn legacy_encodings_are_guessed() {
        let western = "Modèle,Prix unitaire,Désignation\nécran,12,à côté de l'entrée\n".repeat(3);
        let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(&western);
        assert_eq!(read(&bytes), ("Windows-1252".into(), Certainty::Guessed, ReplacementChars::Absent, western));
        let japanese = "資産番号,名称,場所\n1,ノートパソコン,東京本社\n2,プリンター,大阪支店\n".repeat(3);
        let (bytes, ..) = encoding_rs::SHIFT_JIS.encode(&japanese);
        assert_eq!(read(&bytes), ("Shift_JIS".into(), Certainty::Guessed, ReplacementChars::Absent, japanese));
    }

    #[test]
    fn old_mac_exports_end_lines_with_cr_alone() {
        assert_eq!(
            read(b"Mod\x8Fle,Lieu\r\x8Ecran,Orl\x8Eans\r"),
            (
                "Mac OS Roman".into(),
                Certainty::Guessed,
                ReplacementChars::Absent,
                "Modèle,Lieu\nécran,Orléans\n".into()
            )
        );
    }

    #[test]
    fn nul_and_replacement_characters_are_seen() {
        assert_eq!(read(b"a,b\n1,x\0y\n1,2,3,4,5,6,7,8\n").2, ReplacementChars::Present);
        assert_eq!(read(b"a,b\n1,x\0y\n1,2,3,4,5,6,7,8\n").3, "a,b\n1,x\u{FFFD}y\n1,2,3,4,5,6,7,8\n");
        assert_eq!(read("a,b\n1,Z\u{FFFD}rich\n".as_bytes()).2, ReplacementChars::Present);
    }

    #[test]
    fn binary_data_is_refused() {
        let noise: Vec<u8> = (0..4096u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert!(matches!(detect_in(&noise), Err(ReadFault::NotText)));
    }

    #[test]
    fn a_sequence_may_straddle_the_buffer() {
        let text = format!("{}€,x\n", "a".repeat(256 * 1024 - 1));
        assert_eq!(read(text.as_bytes()).1, Certainty::Certain);
    }
}
