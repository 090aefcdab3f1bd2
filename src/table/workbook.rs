//! A file of one or more sheets, opened by its content.

use std::io::Read;
use std::ops::ControlFlow;

use super::cell::Row;
use super::error::{LocatedFault, ReadError};
use super::input::{Input, ReopenableInput};
use super::layout::SheetLayout;
use super::read::container::{Container, HEAD, recognize};
use super::read::csv::{CsvReader, Decoding, RecordBlocks};
use super::read::damage::guarded;
use super::read::delimiter::Delimiter;
use super::read::encoding::Encoding;
use super::read::jsonl::JsonlReader;
use super::read::ods::OdsFile;
use super::read::package::Package;
use super::read::xls::XlsFile;
use super::read::xlsb::XlsbFile;
use super::read::xlsx::XlsxFile;
use super::read::{OnRow, SheetReader};
use super::sheet::{FileKind, Sheet};

/// How to read a text file; what is not given is detected.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadOptions {
    pub delimiter: Option<Delimiter>,
    pub encoding: Option<Encoding>,
}

/// A file whose sheets can be read as often as wanted, each time from the top.
pub(crate) struct Workbook {
    name: String,
    kind: FileKind,
    sheets: Vec<Sheet>,
    decoding: Option<Decoding>,
    reader: Box<dyn SheetReader>,
}

impl std::fmt::Debug for Workbook {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Workbook { name, kind, sheets, .. } = self;
        formatter.debug_struct("Workbook").field("name", name).field("kind", kind).field("sheets", sheets).finish()
    }
}

impl Workbook {
    /// Opens a file, going by its content, never by its extension. Stdin is kept in a temporary file.
    ///
    /// A CSV file is looked through once; the shared texts of a workbook, the stream of an .xls and the content of an .ods
    /// file come into memory.
    ///
    /// # Errors
    ///
    /// Whatever keeps the file from being read at all, in the user's words; a fault further down in a sheet shows when
    /// that row is reached.
    pub(crate) fn open(input: &Input, options: &ReadOptions) -> Result<Workbook, ReadError> {
        let name = input.name();
        ReopenableInput::new(input)
            .map_err(LocatedFault::from)
            .and_then(|source| guarded(|| OpenedWorkbook::new(source, options)))
            .map(|OpenedWorkbook { kind, sheets, decoding, reader }| Workbook {
                name: name.clone(),
                kind,
                sheets,
                decoding,
                reader,
            })
            .inspect(|workbook| tracing::info!(file = workbook.name, "reading"))
            .map_err(|LocatedFault { row, fault }| ReadError { file: name, sheet: None, row, fault })
    }

    pub(crate) fn kind(&self) -> FileKind {
        self.kind
    }

    /// The worksheets in the order of their tabs, hidden ones included; at least one.
    pub(crate) fn sheets(&self) -> &[Sheet] {
        &self.sheets
    }

    /// How a CSV file was understood; none for other files.
    pub(crate) fn decoding(&self) -> Option<&Decoding> {
        self.decoding.as_ref()
    }

    /// Streams the rows of a sheet from the top, title rows and header included. Rows without anything in them are left
    /// out, but counted in [`Row::number`]; a sheet with nothing in it has none. The row is reused for the next one.
    ///
    /// In JSON the header is a row of its own, number 0, and objects have the number of the line they begin in.
    ///
    /// # Errors
    ///
    /// A fault of the file; the rows before it have been handed out.
    pub(crate) fn each_row(
        &mut self,
        sheet: usize,
        on_row: &mut dyn FnMut(&Row) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.each_row_mut(sheet, &mut |row| on_row(row))
    }

    /// The first `count` rows of a sheet that have something in them; fewer where they are very long.
    ///
    /// # Errors
    ///
    /// As [`Workbook::each_row`].
    pub(crate) fn first_rows(&mut self, sheet: usize, count: usize) -> Result<Vec<Row>, ReadError> {
        const MOST_BYTES: usize = 16 * 1024 * 1024;
        let (mut rows, mut bytes) = (Vec::new(), 0);
        if count == 0 {
            return Ok(rows);
        }
        self.each_row(sheet, &mut |row| {
            bytes += row.size();
            rows.push(row.clone());
            if rows.len() < count && bytes < MOST_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(rows)
    }

    /// What a sheet keeps beside its cells.
    ///
    /// # Errors
    ///
    /// As [`Workbook::each_row`].
    pub(crate) fn layout(&mut self, sheet: usize) -> Result<SheetLayout, ReadError> {
        self.reader.layout(sheet).map_err(|LocatedFault { row, fault }| ReadError {
            file: self.name.clone(),
            sheet: self.sheets.get(sheet).and_then(|sheet| sheet.name.clone()),
            row,
            fault,
        })
    }

    /// The records of a text file in blocks, for several threads; none of other files.
    ///
    /// # Errors
    ///
    /// As [`Workbook::each_row`].
    pub(crate) fn blocks(&mut self) -> Result<Option<RecordBlocks>, ReadError> {
        self.reader.blocks(&self.name).map_err(|fault| fault.of_file(&self.name))
    }

    /// As [`Workbook::each_row`], for callers that swap the row for one of their own.
    pub(super) fn each_row_mut(&mut self, sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), ReadError> {
        self.reader.each_row(sheet, on_row).map_err(|LocatedFault { row, fault }| ReadError {
            file: self.name.clone(),
            sheet: self.sheets.get(sheet).and_then(|sheet| sheet.name.clone()),
            row,
            fault,
        })
    }
}

/// What is known once a file is open.
struct OpenedWorkbook {
    kind: FileKind,
    sheets: Vec<Sheet>,
    decoding: Option<Decoding>,
    reader: Box<dyn SheetReader>,
}

impl OpenedWorkbook {
    fn new(source: ReopenableInput, options: &ReadOptions) -> Result<OpenedWorkbook, LocatedFault> {
        let mut head = Vec::with_capacity(HEAD);
        source.open()?.take(HEAD as u64).read_to_end(&mut head)?;
        match recognize(&head)? {
            Container::Zip => OpenedWorkbook::zip(source),
            Container::Ole => {
                let (file, sheets) = XlsFile::open(source)?;
                Ok(OpenedWorkbook::book(FileKind::Xls, sheets, file))
            }
            Container::Json => Ok(OpenedWorkbook::book(FileKind::Jsonl, Sheet::only(), JsonlReader::open(source)?)),
            Container::Text => {
                let csv = CsvReader::open(source, options.delimiter, options.encoding)?;
                let decoding = Some(csv.decoding);
                Ok(OpenedWorkbook { decoding, ..OpenedWorkbook::book(FileKind::Csv, Sheet::only(), csv) })
            }
        }
    }

    fn zip(source: ReopenableInput) -> Result<OpenedWorkbook, LocatedFault> {
        let kind = Package::open(&source)?.kind()?;
        let opened = match kind {
            FileKind::Xlsb => XlsbFile::open(source).map(|(file, sheets)| OpenedWorkbook::book(kind, sheets, file)),
            FileKind::Ods => OdsFile::open(source).map(|(file, sheets)| OpenedWorkbook::book(kind, sheets, file)),
            _ => XlsxFile::open(source).map(|(file, sheets)| OpenedWorkbook::book(kind, sheets, file)),
        };
        Ok(opened?)
    }

    fn book(kind: FileKind, sheets: Vec<Sheet>, reader: impl SheetReader + 'static) -> OpenedWorkbook {
        OpenedWorkbook { kind, sheets, decoding: None, reader: Box::new(reader) }
    }
}

#[cfg(test)]
mod tests;
