//! A CSV file cut into blocks of whole records, which several threads can then parse side by side. Cutting takes a tenth of
//! what parsing and checking take.

use std::io::{self, Read};

use super::{CsvRecords, cut_quoted, fill_from_line, without_cr};
use crate::table::cell::Row;
use crate::table::error::{LocatedFault, ReadError, ReadFault};
use crate::table::read::delimiter::Delimiter;

/// About how many bytes of records go into a block: enough rows that handing one over costs nothing beside them.
const BLOCK: usize = 128 * 1024;

/// The blocks of a file, in order.
pub(crate) struct RecordBlocks {
    records: CsvRecords<Box<dyn Read + Send>>,
    file: String,
    delimiter: Delimiter,
    /// About how many bytes a block has.
    size: usize,
    /// How many bytes were handed out, and how many there are; 0 where that is not known.
    taken: u64,
    len: u64,
    /// What is wrong with the file behind the last block.
    fault: Option<LocatedFault>,
    is_over: bool,
}

/// Some records of a file.
pub(crate) struct RecordBlock {
    text: Vec<u8>,
    delimiter: Delimiter,
    /// Reads what is no line by itself; made for the first such record.
    records: Option<CsvRecords<io::Empty>>,
    /// The number of the record before the first.
    before: u64,
    /// How much of the file ends with this block, up to 1; 0 where that is not known.
    pub(crate) share_read: f64,
    file: String,
}

/// Where a row stands in its block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowPlace {
    at: usize,
    /// The number of the record before it.
    before: u64,
}

impl RecordBlocks {
    pub(super) fn new(
        file: &str,
        text: Box<dyn Read + Send>,
        len: u64,
        delimiter: Delimiter,
    ) -> Result<RecordBlocks, LocatedFault> {
        let mut records = CsvRecords::new(text, delimiter);
        records.begin()?;
        let file = file.to_owned();
        Ok(RecordBlocks { records, file, delimiter, size: BLOCK, taken: 0, len, fault: None, is_over: false })
    }

    /// The next block; none at the end. A fault of the file comes after the records before it.
    pub(crate) fn next(&mut self) -> Option<Result<RecordBlock, ReadError>> {
        if self.is_over {
            return None;
        }
        let before = self.records.number;
        let mut text = Vec::with_capacity(self.size + self.size / 8);
        while text.len() < self.size && self.fault.is_none() {
            self.records.take_lines(&mut text, self.size);
            match self.records.next_raw(&mut text) {
                Ok(true) => {}
                Ok(false) => {
                    self.is_over = true;
                    break;
                }
                Err(fault) => self.fault = Some(fault),
            }
        }
        if text.is_empty() {
            self.is_over = true;
            return self.fault.take().map(|fault| Err(fault.of_file(&self.file)));
        }
        self.taken += text.len() as u64;
        let share_read = if self.len == 0 { 0.0 } else { self.taken as f64 / self.len as f64 };
        let (delimiter, file) = (self.delimiter, self.file.clone());
        Some(Ok(RecordBlock { text, delimiter, records: None, before, share_read, file }))
    }
}

#[cfg(test)]
impl RecordBlocks {
    /// Cuts blocks of another size.
    pub(super) fn of_size(self, size: usize) -> RecordBlocks {
        RecordBlocks { size, ..self }
    }
}

impl RecordBlock {
    /// Streams the rows of the block, with their numbers in the file, and the place in the block where each can be read again.
    ///
    /// # Errors
    /// A fault of the file; the rows before it have been handed out.
    pub(crate) fn each_row(&mut self, row: &mut Row, on_row: &mut dyn FnMut(&Row, RowPlace)) -> Result<(), ReadError> {
        let (text, is_whole) = valid_lines(&self.text);
        let quote_from =
            |at: usize| memchr::memchr(b'"', &text.as_bytes()[at..]).map_or(text.len(), |offset| at + offset);
        let (mut at, mut number, mut quote) = (0, self.before, quote_from(0));
        while at < text.len() {
            let place = RowPlace { at, before: number };
            let end = memchr::memchr(b'\n', &text.as_bytes()[at..]).map_or(text.len(), |offset| at + offset);
            if quote < at {
                quote = quote_from(at);
            }
            let line = &text[at..end];
            (at, number) = (end + 1, number + 1);
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.is_empty() {
                continue;
            }
            if !fill_from_line(row, number, (line, quote < end), self.delimiter.byte()) {
                let records = parser(&mut self.records, &self.text, self.delimiter);
                records.restart(place);
                records.next(row).map_err(|fault| fault.of_file(&self.file))?;
                (at, number) = (records.start, records.number);
            }
            if !row.is_blank() {
                on_row(row, place);
            }
        }
        if is_whole { Ok(()) } else { Err(ReadFault::Changed.at(number + 1).of_file(&self.file)) }
    }

    /// Reads a row again.
    ///
    /// # Errors
    /// As [`RecordBlock::each_row`], which has found none at that place.
    pub(crate) fn read_again(&mut self, place: RowPlace, row: &mut Row) -> Result<(), ReadError> {
        let records = parser(&mut self.records, &self.text, self.delimiter);
        records.restart(place);
        records.next(row).map(drop).map_err(|fault| fault.of_file(&self.file))
    }
}

/// The lines of a text up to the first that is not UTF-8, and whether these are all.
fn valid_lines(text: &[u8]) -> (&str, bool) {
    match std::str::from_utf8(text) {
        Ok(text) => (text, true),
        Err(error) => {
            let valid = &text[..error.valid_up_to()];
            let lines = memchr::memrchr(b'\n', valid).map_or(0, |last| last + 1);
            (std::str::from_utf8(&valid[..lines]).unwrap_or_default(), false)
        }
    }
}

/// The parser of a block's records.
fn parser<'p>(
    records: &'p mut Option<CsvRecords<io::Empty>>,
    text: &[u8],
    delimiter: Delimiter,
) -> &'p mut CsvRecords<io::Empty> {
    records.get_or_insert_with(|| CsvRecords::of_block(text.to_vec(), delimiter))
}

impl<R: Read> CsvRecords<R> {
    /// Appends the lines that are read and have no quote before them, each of which is a record, until `text` is about so long.
    fn take_lines(&mut self, text: &mut Vec<u8>, size: usize) {
        self.find_quote();
        let longest = self.start + size.saturating_sub(text.len());
        let lines = &self.buffer[self.start..self.quote.min(longest)];
        let Some(last) = memchr::memrchr(b'\n', lines) else { return };
        let lines = &lines[..=last];
        self.number += memchr::memchr_iter(b'\n', lines).count() as u64;
        text.extend_from_slice(lines);
        self.start += lines.len();
    }

    /// Appends the next record to `text` as it is, with its line end, be it an empty line; false at the end.
    fn next_raw(&mut self, text: &mut Vec<u8>) -> Result<bool, LocatedFault> {
        let Some(line_end) = self.line_end()? else { return Ok(false) };
        self.number += 1;
        self.find_quote();
        let line = without_cr(&self.buffer[self.start..line_end]);
        let is_line = self.quote >= line_end || cut_quoted(line, self.delimiter, |_| {});
        let end = match is_line {
            true => (line_end + 1).min(self.end),
            false => {
                let (read, ..) = self.parse_quoted()?;
                self.start + read
            }
        };
        text.extend_from_slice(&self.buffer[self.start..end]);
        self.start = end;
        Ok(true)
    }
}

impl CsvRecords<io::Empty> {
    /// The records in a text that is in memory.
    fn of_block(text: Vec<u8>, delimiter: Delimiter) -> Self {
        let end = text.len();
        CsvRecords {
            end,
            buffer: text,
            input_ended: true,
            ..CsvRecords::with_buffer(io::empty(), delimiter, Vec::new())
        }
    }

    /// Continues at a place.
    fn restart(&mut self, RowPlace { at, before }: RowPlace) {
        (self.start, self.number) = (at, before);
        self.quote = memchr::memchr(b'"', self.unread()).map_or(self.end, |offset| at + offset);
    }
}
