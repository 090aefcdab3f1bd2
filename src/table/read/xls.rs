//! .xls: OLE compound files of Excel 5 to 2003.
//!
//! The cfb crate opens the container and checks its chains of sectors. The workbook stream is kept as it is, with the place
//! of each cell's record: laying all cells out over the box around them, and writing each formula out, would let a few
//! kilobytes ask for gigabytes.

use std::io::{BufReader, Read};
use std::ops::ControlFlow;

use cfb::CompoundFile;

use super::biff::{Globals, Record, Spelling, error_text, f64_at, record, records, rk, u16_at, u32_at};
use super::damage::guarded;
use super::limits::{Limits, Tally};
use super::number_format::NumberFormats;
use super::row_builder::{CellContent, RowBuilder};
use super::{OnRow, SheetReader};
use crate::table::error::{LocatedFault, ReadFault};
use crate::table::input::{InputFile, ReopenableInput};
use crate::table::layout::{MergedCells, SheetLayout};
use crate::table::sheet::Sheet;

/// An .xls file, its workbook stream in memory.
pub(in crate::table) struct XlsFile {
    stream: Vec<u8>,
    tally: Tally,
    spelling: Spelling,
    strings: Vec<String>,
    formats: NumberFormats,
    tabs: Vec<XlsTab>,
}

/// A worksheet.
#[derive(Debug, Default)]
struct XlsTab {
    /// In the order of row and column.
    cells: Vec<XlsCell>,
    layout: SheetLayout,
    /// How many bytes its records take.
    len: usize,
}

/// A cell, and where in the stream its value stands; row and column from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct XlsCell {
    row: u16,
    column: u16,
    style: u16,
    kind: XlsValue,
    at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum XlsValue {
    Number,
    /// A number in four bytes.
    Rk,
    /// A text, and how many bytes its record has for it.
    Text(u16),
    SharedText,
    Boolean,
    Error,
}

/// Streams of other kinds of OLE files.
const DOCUMENTS: &[(&str, &str)] = &[
    ("WordDocument", "a Word document"),
    ("PowerPoint Document", "a PowerPoint presentation"),
    ("__properties_version1.0", "an Outlook message"),
    ("VisioDocument", "a Visio drawing"),
];

impl XlsFile {
    pub(in crate::table) fn open(source: ReopenableInput) -> Result<(XlsFile, Vec<Sheet>), ReadFault> {
        let stream = guarded(|| workbook_stream(&source))?;
        let limits = Limits::of(source.len());
        let Globals { spelling, system, styles, strings, sheets: found } = Globals::read(&stream, limits)?;
        if found.is_empty() {
            return Err(ReadFault::NoSheets);
        }
        let formats = NumberFormats::new(styles.codes(), system)?;
        let (mut tabs, mut sheets, mut read) = (Vec::new(), Vec::new(), 0);
        for (sheet, start) in found {
            let tab = XlsTab::read(stream.get(start..).ok_or(ReadFault::Truncated)?, start);
            read += tab.len;
            if read > stream.len() {
                return Err(ReadFault::damaged("its sheets overlap"));
            }
            tabs.push(tab);
            sheets.push(sheet);
        }
        Ok((XlsFile { stream, tally: Tally::new(limits), spelling, strings, formats, tabs }, sheets))
    }
}

/// The stream that holds the workbook.
fn workbook_stream(source: &ReopenableInput) -> Result<Vec<u8>, ReadFault> {
    let mut container = CompoundFile::open(BufReader::new(source.open()?)).map_err(|error| broken(&error))?;
    if has(&container, "EncryptedPackage") {
        return Err(ReadFault::Password);
    }
    let name = match ["Workbook", "Book"].into_iter().find(|name| has(&container, name)) {
        Some(name) => name,
        None => return Err(foreign(&container)),
    };
    let mut stream = Vec::new();
    let part = container.open_stream(format!("/{name}")).map_err(|error| broken(&error))?;
    part.take(source.len() + 1).read_to_end(&mut stream).map_err(|error| broken(&error))?;
    // Sectors that are used twice make a stream longer than its file.
    if stream.len() as u64 > source.len() {
        return Err(ReadFault::damaged("its parts overlap"));
    }
    Ok(stream)
}

fn has(container: &CompoundFile<BufReader<InputFile>>, name: &str) -> bool {
    container.is_stream(format!("/{name}"))
}

fn foreign(container: &CompoundFile<BufReader<InputFile>>) -> ReadFault {
    let known = DOCUMENTS.iter().find(|(name, _)| has(container, name));
    ReadFault::Foreign {
        what: known.map_or("an Office file of another kind", |(_, what)| *what),
        hint: "copy its table into a spreadsheet and save that as .xlsx",
    }
}

impl XlsTab {
    /// Finds the cells of a sheet, which begins at `start` of the workbook stream.
    fn read(stream: &[u8], start: usize) -> XlsTab {
        let mut tab = XlsTab { len: stream.len(), ..XlsTab::default() };
        let mut depth = 0_usize;
        for record in records(stream) {
            match record.kind {
                record::BOF => depth += 1,
                record::EOF if depth <= 1 => {
                    tab.len = record.at;
                    break;
                }
                record::EOF => depth -= 1,
                // Deeper are the records of charts within the sheet.
                _ if depth <= 1 => tab.take(&record, start),
                _ => {}
            }
        }
        // Where two records are about one cell, the later one counts.
        tab.cells.sort_by_key(|cell| (cell.row, cell.column));
        tab
    }

    fn take(&mut self, record: &Record<'_>, start: usize) {
        let data = record.data;
        if record.kind == record::MERGED_CELLS {
            return self.take_merged(data);
        }
        if record.kind == record::STRING {
            return self.take_formula_text(start + record.at, data.len() as u16);
        }
        let (Some(row), Some(column)) = (u16_at(data, 0), u16_at(data, 2)) else { return };
        let style = u16_at(data, 4).unwrap_or_default();
        let mut add = |column, style, kind, offset| {
            self.cells.push(XlsCell { row, column, style, kind, at: start + record.at + offset });
        };
        match record.kind {
            record::NUMBER => add(column, style, XlsValue::Number, 6),
            record::RK => add(column, style, XlsValue::Rk, 6),
            record::LABEL | record::RSTRING => {
                add(column, style, XlsValue::Text(data.len().saturating_sub(6) as u16), 6)
            }
            record::LABEL_SST => add(column, style, XlsValue::SharedText, 6),
            record::BOOL_ERR if data.get(7) == Some(&0) => add(column, style, XlsValue::Boolean, 6),
            record::BOOL_ERR => add(column, style, XlsValue::Error, 6),
            // A style and a number for each cell, and the last column at the end.
            record::MUL_RK => {
                for index in 0..(data.len().saturating_sub(6) / 6).min(256) {
                    let style = u16_at(data, 4 + 6 * index).unwrap_or_default();
                    add(column.saturating_add(index as u16), style, XlsValue::Rk, 6 + 6 * index);
                }
            }
            record::FORMULA => match data.get(6..14) {
                // A text comes in a record of its own.
                Some([0, .., 0xFF, 0xFF]) => add(column, style, XlsValue::Text(0), usize::MAX - start - record.at),
                Some([1, .., 0xFF, 0xFF]) => add(column, style, XlsValue::Boolean, 8),
                Some([2, .., 0xFF, 0xFF]) => add(column, style, XlsValue::Error, 8),
                Some([.., 0xFF, 0xFF]) | None => {}
                Some(_) => add(column, style, XlsValue::Number, 6),
            },
            // Bit 5 of the options says that the row has no height.
            record::ROW if u16_at(data, 12).is_some_and(|options| options & 0x20 != 0) => {
                self.layout.hide(u64::from(row) + 1, u64::from(row) + 1);
            }
            _ => {}
        }
    }

    /// The text of the formula that came last.
    fn take_formula_text(&mut self, at: usize, len: u16) {
        if let Some(cell) = self.cells.last_mut().filter(|cell| cell.at == usize::MAX) {
            (cell.at, cell.kind) = (at, XlsValue::Text(len));
        }
    }

    /// A count, and for each range its first and last row and column.
    fn take_merged(&mut self, data: &[u8]) {
        for range in data.get(2..).unwrap_or_default().chunks_exact(8) {
            let number = |at: usize| u16_at(range, at).unwrap_or_default();
            self.layout.merge(MergedCells {
                first_row: u64::from(number(0)) + 1,
                last_row: u64::from(number(2)) + 1,
                first_column: number(4).into(),
                last_column: number(6).into(),
            });
        }
    }
}

impl SheetReader for XlsFile {
    fn each_row(&mut self, sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), LocatedFault> {
        let XlsFile { stream, tally, spelling, strings, formats, tabs } = self;
        let Some(tab) = tabs.get(sheet) else { return Ok(()) };
        tally.begin(sheet);
        let mut rows = RowBuilder::new(formats, tally);
        let mut text = String::new();
        for cell in &tab.cells {
            let row = u32::from(cell.row);
            if !rows.is_in(row) && rows.begin_row(row, on_row)? == ControlFlow::Break(()) {
                return Ok(());
            }
            let mut add = || {
                let content = content_of(stream, *spelling, strings, cell, &mut text)?;
                rows.add(u32::from(cell.column), content, usize::from(cell.style))
            };
            guarded(&mut add).map_err(|fault: ReadFault| fault.at(u64::from(row) + 1))?;
        }
        rows.finish(on_row)
    }

    fn layout(&mut self, sheet: usize) -> Result<SheetLayout, LocatedFault> {
        Ok(self.tabs.get(sheet).map(|tab| tab.layout.clone()).unwrap_or_default())
    }
}

/// What a cell holds; a text of its own is put into `text`.
fn content_of<'a>(
    stream: &[u8],
    spelling: Spelling,
    strings: &'a [String],
    cell: &XlsCell,
    text: &'a mut String,
) -> Result<CellContent<'a>, ReadFault> {
    let too_short = || ReadFault::damaged("a record in it is too short");
    let byte = || stream.get(cell.at).copied().ok_or_else(too_short);
    Ok(match cell.kind {
        XlsValue::Number => CellContent::Number(f64_at(stream, cell.at).ok_or_else(too_short)?),
        XlsValue::Rk => CellContent::Number(rk(u32_at(stream, cell.at).ok_or_else(too_short)?)),
        XlsValue::Boolean => CellContent::Boolean(byte()? != 0),
        XlsValue::Error => CellContent::Error(error_text(byte()?)),
        // The text of a formula that has no record.
        // A formula's text that has no record.
        XlsValue::Text(_) if cell.at == usize::MAX => CellContent::Blank,
        XlsValue::Text(len) => {
            let data = stream.get(cell.at..cell.at + usize::from(len));
            *text = data.and_then(|data| spelling.text(data)).ok_or_else(too_short)?;
            CellContent::Text(text)
        }
        XlsValue::SharedText => {
            let index = u32_at(stream, cell.at).ok_or_else(too_short)? as usize;
            strings.get(index).map_or(CellContent::Blank, |text| CellContent::Text(text))
        }
    })
}

/// What the cfb crate found, in the user's words.
fn broken(error: &std::io::Error) -> ReadFault {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => ReadFault::Truncated,
        std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput | std::io::ErrorKind::NotFound => {
            ReadFault::damaged("its container is broken or cut off")
        }
        kind => ReadFault::from(std::io::Error::from(kind)),
    }
}
