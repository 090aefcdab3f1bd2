//! Detects the encoding of a text file.
//!
//! Detection looks at the whole file once, because a single `é` in row 90,000 decides; reading then never has to
//! change its mind. What decides, in this order: a byte order mark; zero bytes (UTF-16 without a mark, which
//! chardetng calls windows-1252 without a complaint); validity as UTF-8; line ends of CR alone (old Mac exports);
//! chardetng. Everything after UTF-8 is a guess, and says so, except Windows-1252 that reads like Western text.

mod byte_stats;
mod utf8_text;
mod western;

use std::fmt;
use std::io::{self, Read, Seek};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

use crate::table::error::ReadFault;
use byte_stats::ByteStats;
pub(super) use utf8_text::Utf8Text;

/// An encoding of text; displays as people call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Encoding(&'static encoding_rs::Encoding);

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
    pub(crate) const UTF_8: Encoding = Encoding(encoding_rs::UTF_8);

    /// Reads a name as the WHATWG lists them (`utf-8`, `windows-1252`, `latin1`, `shift_jis`, `macintosh`), or as people
    /// say (`mac roman`, `ansi`); case does not matter. None where the name is unknown.
    pub(crate) fn parse(name: &str) -> Option<Encoding> {
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
pub(crate) enum Certainty {
    /// The file or the user says so, or nothing else is possible.
    Certain,
    /// Nothing in the file says so, but the text reads as if it were right.
    Likely,
    /// A guess; the text may have come out wrong without an error, so nothing should be created from it.
    Guessed,
}

/// Whether some bytes did not become text: U+FFFD stands in their place, or was in the file already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplacementChars {
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

/// What is known after reading the whole file once.
#[derive(Debug, Clone, Copy)]
pub(super) struct DetectedEncoding {
    pub(super) encoding: Encoding,
    pub(super) certainty: Certainty,
    pub(super) replacement_chars: ReplacementChars,
    pub(super) line_ending: LineEnding,
    /// Whether the bytes can be read as they are, as UTF-8 with LF line ends.
    pub(super) is_plain: bool,
}

/// A text file that is open.
pub(super) trait TextInput: Read + Seek + Send {}

impl<T: Read + Seek + Send> TextInput for T {}

/// Opens the same bytes, from the first.
pub(super) type OpenFn<'a> = &'a dyn Fn() -> Result<Box<dyn TextInput>, ReadFault>;

/// Files of so many bytes are looked through on two threads.
const LONG: u64 = 8 * 1024 * 1024;

/// Detects the encoding of a whole text file; `wanted` is the user's choice.
pub(super) fn detect(open: OpenFn<'_>, wanted: Option<Encoding>) -> Result<DetectedEncoding, ReadFault> {
    let stats = ByteStats::collect(open, LONG)?;
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
    let replacement_chars = if !is_clean {
        decode_all(Utf8Text::new(open()?, encoding, line_ending))?
    } else if stats.replacement == 0 {
        ReplacementChars::Absent
    } else {
        ReplacementChars::Present
    };
    let is_1252 = encoding == Encoding(encoding_rs::WINDOWS_1252) && certainty == Certainty::Guessed;
    let certainty = if is_1252 && western::is_western(Utf8Text::new(open()?, encoding, line_ending))? {
        Certainty::Likely
    } else {
        certainty
    };
    let is_plain = is_clean && line_ending == LineEnding::Lf;
    Ok(DetectedEncoding { encoding, certainty, replacement_chars, line_ending, is_plain })
}

/// Asks chardetng. It is about a hundred times slower than UTF-8 validation, and a megabyte is enough for it.
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
        // ASCII carries no information.
        if !buffer[..read].is_ascii() {
            detector.feed(&buffer[..read], false);
            fed += read;
        }
    }
    Ok(Encoding(detector.guess(None, Utf8Detection::Deny)))
}

/// Whether anything in the text cannot be decoded.
fn decode_all(mut text: Utf8Text<Box<dyn TextInput>>) -> Result<ReplacementChars, ReadFault> {
    io::copy(&mut text, &mut io::sink())?;
    Ok(text.replacement_chars)
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

#[cfg(test)]
mod tests;
