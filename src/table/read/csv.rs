//! CSV in all its dialects, as a stream of rows.
//!
//! Lines without a quote, nearly all of them, and those whose quotes stand around whole cells are cut with memchr; all other
//! records, and very long lines, go through csv-core, so that what an odd quote means is decided in one place. Both agree on lines
//! that either could cut, which property tests check.
//!
//! The buffer grows with the longest record only, up to [`LONGEST_RECORD`]: a quote that is never closed would otherwise drag the
//! rest of the file into memory.

mod blocks;
mod quotes;

use std::fmt;
use std::io::{self, Read};
use std::ops::{ControlFlow, Range};

use csv_core::ReadRecordResult;

use super::delimiter::{self, Delimiter};
use super::encoding::{self, Certainty, DetectedEncoding, Encoding, ReplacementChars, Utf8Text};
use super::limits::MOST_COLUMNS;
use super::{OnRow, SheetReader};
use crate::table::cell::{Row, each_place_of};
use crate::table::error::{LocatedFault, ReadFault};
use crate::table::input::ReopenableInput;
pub(crate) use blocks::{RecordBlock, RecordBlocks, RowPlace};
use quotes::{PlainQuotes, QuoteStyle, quote_fault};

/// The longest record that is read, in bytes.
pub(crate) const LONGEST_RECORD: usize = 8 * 1024 * 1024;

/// How much of the text is used to detect the delimiter.
const SAMPLE: u64 = 64 * 1024;

/// How a CSV file was understood: what a command shows its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decoding {
    pub delimiter: Delimiter,
    pub encoding: Encoding,
    /// Guessed where encoding or delimiter might be another.
    pub certainty: Certainty,
    pub encoding_certainty: Certainty,
    pub replacement_chars: ReplacementChars,
}

impl Decoding {
    /// Whether the text may have been decoded wrongly.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.encoding_certainty == Certainty::Guessed
    }
}

impl fmt::Display for Decoding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guessed = match self.certainty {
            Certainty::Certain => "",
            Certainty::Likely => " (detected)",
            Certainty::Guessed => " (a guess)",
        };
        write!(formatter, "{}, {}{guessed}", self.encoding, self.delimiter.name())
    }
}

/// A CSV file, looked through once.
pub(in crate::table) struct CsvReader {
    source: ReopenableInput,
    detected: DetectedEncoding,
    pub(in crate::table) decoding: Decoding,
    quotes: QuoteStyle,
}

impl CsvReader {
    pub(in crate::table) fn open(
        source: ReopenableInput,
        delimiter: Option<Delimiter>,
        encoding: Option<Encoding>,
    ) -> Result<CsvReader, ReadFault> {
        let detected = encoding::detect(&|| Ok(Box::new(source.open()?)), encoding)?;
        let mut beginning = Vec::new();
        text(&source, &detected)?.take(SAMPLE).read_to_end(&mut beginning)?;
        let is_whole = (beginning.len() as u64) < SAMPLE;
        if is_whole && crate::table::is_blank(String::from_utf8_lossy(without_mark(&beginning)).trim()) {
            return Err(ReadFault::Empty);
        }
        let (delimiter, sure) = match (delimiter, delimiter::sep_line(without_mark(&beginning))) {
            (Some(wanted), _) => (wanted, Certainty::Certain),
            (None, Some((said, _))) => (said, Certainty::Certain),
            (None, None) => delimiter::detect(without_mark(&beginning), is_whole),
        };
        let certainty = if sure == Certainty::Certain { detected.certainty } else { Certainty::Guessed };
        let decoding = Decoding {
            delimiter,
            encoding: detected.encoding,
            certainty,
            encoding_certainty: detected.certainty,
            replacement_chars: detected.replacement_chars,
        };
        let quotes = QuoteStyle::detect(&String::from_utf8_lossy(&beginning), delimiter.byte());
        Ok(CsvReader { source, detected, decoding, quotes })
    }
}

impl SheetReader for CsvReader {
    fn each_row(&mut self, _sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), LocatedFault> {
        let mut records = CsvRecords::new(self.text()?, self.decoding.delimiter);
        records.begin()?;
        let mut row = Row::default();
        while records.next(&mut row)? {
            if !row.is_blank() && on_row(&mut row) == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }

    fn blocks(&mut self, file: &str) -> Result<Option<RecordBlocks>, LocatedFault> {
        // The length of a file that has to be decoded says nothing of the length of its text.
        let len = if self.detected.is_plain { self.source.len() } else { 0 };
        RecordBlocks::new(file, self.text()?, len, self.decoding.delimiter).map(Some)
    }
}

impl CsvReader {
    /// The file as UTF-8 with LF line ends and common quotes.
    fn text(&self) -> Result<Box<dyn Read + Send>, ReadFault> {
        let text = text(&self.source, &self.detected)?;
        Ok(match self.quotes {
            QuoteStyle::Dialect => Box::new(PlainQuotes::new(text, self.decoding.delimiter.byte())),
            _ => text,
        })
    }
}

/// The file as UTF-8 with LF line ends.
fn text(source: &ReopenableInput, detected: &DetectedEncoding) -> Result<Box<dyn Read + Send>, ReadFault> {
    let file = source.open()?;
    if detected.is_plain {
        return Ok(Box::new(file));
    }
    Ok(Box::new(Utf8Text::new(file, detected.encoding, detected.line_ending)))
}

fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(text)
}

/// The records of a text in UTF-8 with LF or CRLF line ends.
struct CsvRecords<R> {
    input: R,
    /// `start..end` is read but not yet handed out.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    input_ended: bool,
    /// Where the next quote stands, at `end` if there is none; behind `start` it is out of date.
    quote: usize,
    /// The number of the last record.
    number: u64,
    delimiter: u8,
    /// Built where the first record needs it, which takes as long as reading a hundred others.
    quoted: Option<csv_core::Reader>,
    output: Vec<u8>,
    ends: Vec<usize>,
}

impl<R: Read> CsvRecords<R> {
    fn new(input: R, delimiter: Delimiter) -> CsvRecords<R> {
        CsvRecords::with_buffer(input, delimiter, vec![0; 256 * 1024])
    }

    fn with_buffer(input: R, delimiter: Delimiter, buffer: Vec<u8>) -> CsvRecords<R> {
        CsvRecords {
            input,
            buffer,
            start: 0,
            end: 0,
            input_ended: false,
            quote: 0,
            number: 0,
            delimiter: delimiter.byte(),
            quoted: None,
            output: Vec::new(),
            ends: vec![0; 64],
        }
    }

    /// Skips a byte order mark and Excel's `sep=` line, which no spreadsheet program shows as a row.
    fn begin(&mut self) -> Result<(), ReadFault> {
        const LONGEST_BEGINNING: usize = 64;
        while self.end < LONGEST_BEGINNING && !self.input_ended {
            self.read_more()?;
        }
        self.start = self.end - without_mark(&self.buffer[..self.end]).len();
        if let Some((_, len)) = delimiter::sep_line(&self.buffer[self.start..self.end]) {
            self.start += len;
        }
        Ok(())
    }

    /// Reads the next record that is not an empty line into `row`; false at the end.
    fn next(&mut self, row: &mut Row) -> Result<bool, LocatedFault> {
        loop {
            let Some(line_end) = self.line_end()? else { return Ok(false) };
            self.number += 1;
            self.find_quote();
            let line = without_cr(&self.buffer[self.start..line_end]);
            if line.is_empty() {
                self.start = (line_end + 1).min(self.end);
                continue;
            }
            // The whole file was valid when it was opened.
            let line = std::str::from_utf8(line).map_err(|_| ReadFault::Changed.at(self.number))?;
            if fill_from_line(row, self.number, (line, self.quote < line_end), self.delimiter) {
                self.start = (line_end + 1).min(self.end);
            } else {
                self.parsed_record(row)?;
            }
            return Ok(true);
        }
    }

    fn find_quote(&mut self) {
        if self.quote < self.start {
            self.quote = memchr::memchr(b'"', self.unread()).map_or(self.end, |at| self.start + at);
        }
    }

    fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Where the line that starts at `start` ends, or none behind the last one.
    fn line_end(&mut self) -> Result<Option<usize>, LocatedFault> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', self.unread()) {
                return Ok(Some(self.start + at));
            }
            if self.input_ended {
                return Ok((self.start < self.end).then_some(self.end));
            }
            if self.unread().len() > LONGEST_RECORD {
                return Err(ReadFault::RecordTooLong.at(self.number + 1));
            }
            self.read_more()?;
        }
    }

    /// Moves what is unread to the front, makes room and reads once.
    fn read_more(&mut self) -> Result<(), ReadFault> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        self.quote = 0;
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let read = loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.end += read;
        self.input_ended = read == 0;
        // `quote` is a promise about start..end, and both have moved.
        self.quote = memchr::memchr(b'"', self.unread()).unwrap_or(self.end);
        Ok(())
    }

    /// Reads a record by csv-core, however many lines it has.
    fn parsed_record(&mut self, row: &mut Row) -> Result<(), LocatedFault> {
        let (read, written, cells) = self.parse_quoted()?;
        let raw = &self.buffer[self.start..self.start + read];
        let is_one_line = !self.output[..written].contains(&b'\n');
        if !is_one_line && swallows_rows(raw, self.delimiter) {
            return Err(ReadFault::UnclosedQuote.at(self.number));
        }
        // csv-core leaves the CR of the line end in the last cell.
        let trimmed = if raw.ends_with(b"\r\n") { written.saturating_sub(1) } else { written };
        let text = std::str::from_utf8(&self.output[..trimmed]).map_err(|_| ReadFault::Changed.at(self.number))?;
        if cells > MOST_COLUMNS {
            return Err(too_many_columns().at(self.number));
        }
        let ends = &mut self.ends[..cells];
        if let Some(last) = ends.last_mut() {
            *last = trimmed;
        }
        row.clear(self.number);
        row.fill(text, ends);
        row.set_quote_fault(quote_fault(raw, self.delimiter));
        self.start += read;
        Ok(())
    }

    /// Bytes read, bytes of text written, cells.
    fn parse_quoted(&mut self) -> Result<(usize, usize, usize), LocatedFault> {
        let mut quoted = self.quoted.take().unwrap_or_else(|| quoted_reader(self.delimiter));
        let parsed = self.parse_quoted_by(&mut quoted);
        self.quoted = Some(quoted);
        parsed
    }

    fn parse_quoted_by(&mut self, quoted: &mut csv_core::Reader) -> Result<(usize, usize, usize), LocatedFault> {
        loop {
            // With room for all of the input, the output is never the one that is full.
            self.output.resize(self.output.len().max(self.unread().len() + 1), 0);
            quoted.reset();
            let input = &self.buffer[self.start..self.end];
            let (result, read, written, cells) = quoted.read_record(input, &mut self.output, &mut self.ends);
            match result {
                ReadRecordResult::Record => return Ok((read, written, cells)),
                ReadRecordResult::OutputEndsFull if self.ends.len() > MOST_COLUMNS => {
                    return Err(too_many_columns().at(self.number));
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                _ if self.input_ended => return self.end_quoted(quoted, (read, written, cells)),
                _ if self.unread().len() > LONGEST_RECORD => return Err(ReadFault::UnclosedQuote.at(self.number)),
                _ => self.read_more()?,
            }
        }
    }

    /// The last record has no line end: lends it one. Inside an open quote that does not end it.
    fn end_quoted(
        &mut self,
        quoted: &mut csv_core::Reader,
        (read, written, cells): (usize, usize, usize),
    ) -> Result<(usize, usize, usize), LocatedFault> {
        if cells == self.ends.len() {
            self.ends.push(0);
        }
        let (result, ..) = quoted.read_record(b"\n", &mut self.output[written..], &mut self.ends[cells..]);
        match result {
            ReadRecordResult::Record => Ok((read, written, cells + 1)),
            _ => Err(ReadFault::UnclosedQuote.at(self.number)),
        }
    }
}

fn quoted_reader(delimiter: u8) -> csv_core::Reader {
    // CR is left to `without_cr`: alone, inside a line, it is part of a cell.
    let mut builder = csv_core::ReaderBuilder::new();
    builder.delimiter(delimiter).terminator(csv_core::Terminator::Any(b'\n')).build()
}

/// Without the CR of a CRLF line end.
fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Fills a row from a line, of which it is known whether it has a quote. False if the record is left to csv-core: a quote stands
/// elsewhere than around a cell or is doubled, the record goes on in the next line, or there may be too many cells.
fn fill_from_line(row: &mut Row, number: u64, (line, has_quote): (&str, bool), delimiter: u8) -> bool {
    row.clear(number);
    if line.len() >= MOST_COLUMNS {
        return false;
    }
    if !has_quote {
        row.split(line, delimiter);
        return true;
    }
    row.take_line(line);
    cut_quoted(line.as_bytes(), delimiter, |cell| row.push_part(line, cell))
}

/// Finds the cells of a line without the quotes around them. False if a quote stands elsewhere or is doubled, or if the record
/// goes on in the next line.
fn cut_quoted(line: &[u8], delimiter: u8, mut found: impl FnMut(Range<usize>)) -> bool {
    let mut start = 0;
    while let Some(quote) = memchr::memchr(b'"', &line[start..]).map(|offset| start + offset) {
        if quote > start {
            if line[quote - 1] != delimiter {
                return false;
            }
            cut_plain(line, start..quote - 1, delimiter, &mut found);
        }
        let Some(length) = memchr::memchr(b'"', &line[quote + 1..]) else { return false };
        let close = quote + 1 + length;
        found(quote + 1..close);
        match line.get(close + 1) {
            None => return true,
            Some(byte) if *byte == delimiter => start = close + 2,
            Some(_) => return false,
        }
    }
    cut_plain(line, start..line.len(), delimiter, &mut found);
    true
}

/// Finds the cells of a part of a line without quotes.
#[inline]
fn cut_plain(line: &[u8], part: Range<usize>, delimiter: u8, found: &mut impl FnMut(Range<usize>)) {
    let mut start = part.start;
    each_place_of(delimiter, &line[part.clone()], |offset| {
        found(start..part.start + offset);
        start = part.start + offset + 1;
    });
    found(start..part.end);
}

fn too_many_columns() -> ReadFault {
    ReadFault::TooLarge { what: "a row of more than 16,384 cells" }
}

/// Whether a quoted cell goes over line ends and then ends in the middle of a cell.
///
/// So it does when a quote was never closed: everything up to the next opening quote, rows later, becomes one cell, and
/// the text behind that quote sticks to it. No program writes such a record on purpose.
fn swallows_rows(record: &[u8], delimiter: u8) -> bool {
    let mut at = 0;
    let mut is_cell_start = true;
    while at < record.len() {
        if !(is_cell_start && record[at] == b'"') {
            is_cell_start = record[at] == delimiter;
            at += 1;
            continue;
        }
        let Some(close) = closing_quote(&record[at + 1..]).map(|offset| at + 1 + offset) else { return false };
        let behind = record[close + 1..].iter().find(|byte| **byte != b' ');
        let is_cell_end = behind.is_none_or(|byte| *byte == delimiter || matches!(byte, b'\r' | b'\n'));
        if !is_cell_end && record[at..close].contains(&b'\n') {
            return true;
        }
        is_cell_start = false;
        at = close + 1;
    }
    false
}

/// The first quote that is not doubled.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr(b'"', &text[at..])?;
        if text.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests;
