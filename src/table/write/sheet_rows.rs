//! The rows of a sheet as XML, compressed on a second thread while they are made.
//!
//! They wait in a temporary file until the workbook is saved, and are put between what stands before and behind the rows
//! of a sheet. All three are deflated apart: such streams may stand one behind the other.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write as _};
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use flate2::{Compress, Compression, Crc, FlushCompress};

use crate::table::ColumnName;

/// XML that is handed over at a time.
const CHUNK: usize = 256 << 10;
/// Chunks that may wait to be compressed.
const AHEAD: usize = 4;
/// The height of a row in points, for each of its pixels.
const POINTS_PER_PIXEL: f64 = 0.75;

/// Writes the rows of a sheet, from the top, each cell by cell from the left.
pub(crate) struct SheetRows {
    xml: Vec<u8>,
    /// The letters of the columns so far.
    letters: Vec<String>,
    /// The number of the row, as text.
    row: String,
    /// Where its beginning stands in `xml`.
    head: Range<usize>,
    /// Bytes that are no longer in `xml`.
    handed_over: u64,
    chunks: SyncSender<Vec<u8>>,
    recycled: Receiver<Vec<u8>>,
    /// None after it has failed.
    deflater: Option<JoinHandle<io::Result<DeflatedRows>>>,
}

/// Compressed rows in a temporary file.
pub(super) struct DeflatedRows {
    pub(super) file: File,
    pub(super) compressed: u64,
    /// Of the XML, as is its size.
    pub(super) crc: Crc,
    pub(super) size: u64,
}

impl SheetRows {
    /// Rows that wait in `folder`, or in the system's folder for temporary files.
    pub(super) fn new(level: u8, folder: Option<&Path>) -> io::Result<Self> {
        Self::of_file(folder.map_or_else(tempfile::tempfile, tempfile::tempfile_in)?, level)
    }

    fn of_file(file: File, level: u8) -> io::Result<Self> {
        let (chunks, incoming) = sync_channel(AHEAD);
        let (used, recycled) = channel();
        let deflater = thread::Builder::new().name(String::from("deflate"));
        let deflater = Some(deflater.spawn(move || deflate_all(file, level, incoming, &used))?);
        let xml = Vec::with_capacity(CHUNK + CHUNK / 4);
        let (letters, row) = (Vec::new(), String::new());
        Ok(Self { xml, letters, row, head: 0..0, handed_over: 0, chunks, recycled, deflater })
    }

    /// Begins a row. It counts from 1. Without a height, in pixels, it is as tall as a line.
    pub(super) fn begin(&mut self, row: u32, height: Option<u32>) {
        self.row = row.to_string();
        let start = self.xml.len();
        self.push(r#"<row r=""#);
        self.xml.extend_from_slice(self.row.as_bytes());
        if let Some(pixels) = height {
            // Writing to memory cannot fail.
            let _ = write!(self.xml, r#"" ht="{}" customHeight="1"#, f64::from(pixels) * POINTS_PER_PIXEL);
        }
        self.push(r#"">"#);
        self.head = start..self.xml.len();
    }

    /// Ends the row, of which nothing is left if it has no cells.
    ///
    /// # Errors
    /// The rows so far could not be written.
    pub(super) fn end(&mut self) -> io::Result<()> {
        match self.xml.len() == self.head.end {
            true => self.xml.truncate(self.head.start),
            false => self.push("</row>"),
        }
        if self.xml.len() < CHUNK {
            return Ok(());
        }
        let empty = self.recycled.try_recv().unwrap_or_default();
        let full = std::mem::replace(&mut self.xml, empty);
        self.handed_over += full.len() as u64;
        match self.chunks.send(full) {
            Ok(()) => Ok(()),
            // The other thread has failed, and says why.
            Err(_) => join(self.deflater.take()).map(drop),
        }
    }

    /// The size of the rows as XML, as far as they are compressed.
    pub(super) fn size(&self) -> u64 {
        self.handed_over
    }

    /// One past the last column that has had a cell.
    pub(super) fn width(&self) -> usize {
        self.letters.len()
    }

    /// Adds a cell of text, as far as it is not empty. `format` is the number of its format in the workbook, or 0.
    pub(crate) fn text(&mut self, column: usize, format: u32, text: &str) {
        if text.is_empty() {
            return self.blank(column, format);
        }
        self.open(column, format, r#" t="inlineStr"><is><t"#);
        let is_space = |byte: &u8| matches!(byte, b'\t' | b'\n' | b' ');
        let bytes = text.as_bytes();
        let preserve = bytes.first().is_some_and(is_space) || bytes.last().is_some_and(is_space);
        self.push(if preserve { r#" xml:space="preserve">"# } else { ">" });
        push_escaped(text, &mut self.xml);
        self.push("</t></is></c>");
    }

    /// Adds a cell without a value, if it has a format.
    fn blank(&mut self, column: usize, format: u32) {
        if format > 0 {
            self.open(column, format, "/>");
        }
    }

    pub(crate) fn number(&mut self, column: usize, format: u32, number: f64) {
        self.open(column, format, "><v>");
        let _ = write!(self.xml, "{number}");
        self.push("</v></c>");
    }

    pub(super) fn boolean(&mut self, column: usize, format: u32, boolean: bool) {
        self.open(column, format, r#" t="b"><v>"#);
        self.push(if boolean { "1</v></c>" } else { "0</v></c>" });
    }

    /// Waits until all rows are compressed.
    pub(super) fn finish(self) -> io::Result<DeflatedRows> {
        let Self { xml, chunks, deflater, .. } = self;
        // If the other thread has failed, it says why.
        let _ = chunks.send(xml);
        drop(chunks);
        join(deflater)
    }

    fn open(&mut self, column: usize, format: u32, rest: &str) {
        let Self { xml, letters, row, .. } = self;
        letters.extend((letters.len()..=column).map(|column| ColumnName(column as u32).to_string()));
        xml.extend_from_slice(br#"<c r=""#);
        xml.extend_from_slice(letters[column].as_bytes());
        xml.extend_from_slice(row.as_bytes());
        if format > 0 {
            xml.extend_from_slice(br#"" s=""#);
            push_digits(format.into(), xml);
        }
        xml.push(b'"');
        xml.extend_from_slice(rest.as_bytes());
    }

    fn push(&mut self, xml: &str) {
        self.xml.extend_from_slice(xml.as_bytes());
    }
}

/// What became of the other thread.
fn join(deflater: Option<JoinHandle<io::Result<DeflatedRows>>>) -> io::Result<DeflatedRows> {
    match deflater.map(JoinHandle::join) {
        Some(Ok(deflated)) => deflated,
        Some(Err(panic)) => std::panic::resume_unwind(panic),
        None => Err(io::ErrorKind::BrokenPipe.into()),
    }
}

/// Nearly every number of a format has one or two digits.
fn push_digits(number: u64, into: &mut Vec<u8>) {
    if number >= 10 {
        push_digits(number / 10, into);
    }
    into.push(b'0' + (number % 10) as u8);
}

/// Appends text as Excel writes it: control characters as `_x000B_`, and what looks like one of these with its underscore
/// escaped in the same way.
fn push_escaped(text: &str, xml: &mut Vec<u8>) {
    // U+FFFE and U+FFFF begin with 0xEF.
    let is_plain =
        |byte: &u8| !matches!(byte, b'&' | b'<' | b'>' | b'_' | 0xEF | 0..=0x1F) || matches!(byte, b'\t' | b'\n');
    let mut rest = text;
    while let Some(at) = rest.as_bytes().iter().position(|byte| !is_plain(byte)) {
        xml.extend_from_slice(&rest.as_bytes()[..at]);
        let Some(char) = rest[at..].chars().next() else { return };
        match char {
            '&' => xml.extend_from_slice(b"&amp;"),
            '<' => xml.extend_from_slice(b"&lt;"),
            '>' => xml.extend_from_slice(b"&gt;"),
            '_' if is_escape(&rest.as_bytes()[at..]) => xml.extend_from_slice(b"_x005F_"),
            '\0'..='\x1F' | '\u{FFFE}' | '\u{FFFF}' => {
                let _ = write!(xml, "_x{:04X}_", u32::from(char));
            }
            _ => xml.extend_from_slice(&rest.as_bytes()[at..at + char.len_utf8()]),
        }
        rest = &rest[at + char.len_utf8()..];
    }
    xml.extend_from_slice(rest.as_bytes());
}

/// Whether a text begins like `_x000B_`, or does once what follows the digits is escaped: that begins with the underscore.
fn is_escape(text: &[u8]) -> bool {
    let Some((digits, rest)) = text.strip_prefix(b"_x").and_then(|text| text.split_at_checked(4)) else { return false };
    let ends = matches!(rest, [b'_', ..] | [0xEF, 0xBF, 0xBE | 0xBF, ..])
        || rest.first().is_some_and(|byte| *byte < b' ' && !matches!(byte, b'\t' | b'\n'));
    digits.iter().all(u8::is_ascii_hexdigit) && ends
}

/// Compresses the chunks that come, and writes them to `file`.
fn deflate_all(
    mut file: File,
    level: u8,
    chunks: Receiver<Vec<u8>>,
    used: &Sender<Vec<u8>>,
) -> io::Result<DeflatedRows> {
    let mut compress = Compress::new(Compression::new(level.into()), false);
    let (mut crc, mut size, mut compressed) = (Crc::new(), 0, 0);
    let mut deflated = Vec::with_capacity(CHUNK);
    let mut put = |deflated: &mut Vec<u8>| {
        file.write_all(deflated)?;
        compressed += deflated.len() as u64;
        deflated.clear();
        io::Result::Ok(())
    };
    for mut chunk in chunks {
        crc.update(&chunk);
        size += chunk.len() as u64;
        deflate(&mut compress, &chunk, FlushCompress::None, &mut deflated)?;
        put(&mut deflated)?;
        chunk.clear();
        // There may be no more rows.
        let _ = used.send(chunk);
    }
    deflate(&mut compress, &[], FlushCompress::Sync, &mut deflated)?;
    put(&mut deflated)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(DeflatedRows { file, compressed, crc, size })
}

/// Compresses `input` and appends what is ready of it to `output`; after a flush, that is all of it.
pub(super) fn deflate(
    compress: &mut Compress,
    mut input: &[u8],
    flush: FlushCompress,
    output: &mut Vec<u8>,
) -> io::Result<()> {
    loop {
        output.reserve(input.len() / 2 + 1024);
        let before = compress.total_in();
        compress.compress_vec(input, output, flush)?;
        input = &input[(compress.total_in() - before) as usize..];
        // As long as the output was filled to its end, there may be more.
        if input.is_empty() && output.len() < output.capacity() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_failed_write_is_told_while_there_are_rows_and_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("read-only");
        std::fs::write(&path, "").unwrap();
        let rows = || SheetRows::of_file(File::open(&path).unwrap(), 1).unwrap();
        let expected = File::open(&path).unwrap().write(b"x").unwrap_err().raw_os_error();

        let (mut failing, text) = (rows(), "x".repeat(CHUNK));
        let failed = (1..).find_map(|row| {
            failing.begin(row, None);
            failing.text(0, 0, &text);
            failing.end().err()
        });
        assert_eq!(failed.unwrap().raw_os_error(), expected);
        assert_eq!(failing.finish().err().unwrap().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(rows().finish().err().unwrap().raw_os_error(), expected);
    }
}
