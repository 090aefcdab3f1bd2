//! .xlsb: binary workbooks, through calamine's stream of cells.
//!
//! calamine passes over formulas whose result is an error, which would then look like blanks, over hidden rows and over
//! merged cells; a look at the records finds them. Numbers are shown in the General format, dates as dates: the stream tells neither the format nor the
//! style of a cell.
//!
//! Record numbers are those of \[MS-XLSB\] 2.3.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;

use calamine::{Reader, SheetType, Xlsb, XlsbError};

use super::damage::{broken, guarded, unpacking};
use super::number_format::NumberFormats;
use super::package::Package;
use super::row_builder::{CellContent, RowBuilder};
use super::serial_date::DateSystem;
use super::{OnRow, SheetReader};
use crate::table::error::{LocatedFault, ReadFault};
use crate::table::input::ReopenableInput;
use crate::table::layout::{MergedCells, SheetLayout};
use crate::table::sheet::Sheet;

/// An .xlsb file with its shared strings in memory.
pub(in crate::table) struct XlsbFile {
    source: ReopenableInput,
    book: Xlsb<BufReader<File>>,
    formats: NumberFormats,
    tabs: Vec<XlsbTab>,
}

struct XlsbTab {
    name: String,
    part: String,
    scan: Option<SheetScan>,
}

/// What the records of a sheet tell beside its cells.
#[derive(Debug, Default)]
struct SheetScan {
    errors: Vec<FormulaErrorCell>,
    layout: SheetLayout,
}

/// A formula whose result is an error; row and column from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FormulaErrorCell {
    row: u32,
    column: u32,
    text: &'static str,
}

/// Codes of error values, \[MS-XLSB\] 2.5.97.2.
const ERRORS: &[(u8, &str)] = &[
    (0x00, "#NULL!"),
    (0x07, "#DIV/0!"),
    (0x0F, "#VALUE!"),
    (0x17, "#REF!"),
    (0x1D, "#NAME?"),
    (0x24, "#NUM!"),
    (0x2A, "#N/A"),
    (0x2B, "#GETTING_DATA"),
];

impl XlsbFile {
    pub(in crate::table) fn open(source: ReopenableInput) -> Result<(XlsbFile, Vec<Sheet>), ReadFault> {
        let mut package = Package::open(&source)?;
        if ["xl/sharedStrings.bin", "xl/styles.bin", "xl/workbook.bin"].iter().any(|part| package.is_suspicious(part)) {
            return Err(ReadFault::Bloated);
        }
        let parts = sheet_parts(&mut package)?;
        drop(package);
        let file = BufReader::new(source.open()?);
        let book: Xlsb<_> = guarded(|| Xlsb::new(file).map_err(|error| damage(&error)))?;
        let system = if book.has_1904_epoch() { DateSystem::From1904 } else { DateSystem::From1900 };
        let (mut tabs, mut sheets) = (Vec::new(), Vec::new());
        for sheet in book.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet) {
            let part = parts.iter().find(|(name, _)| *name == sheet.name).map(|(_, part)| part.clone());
            tabs.push(XlsbTab { name: sheet.name.clone(), part: part.unwrap_or_default(), scan: None });
            sheets.push(Sheet::new(&sheet.name, sheet.visible));
        }
        if tabs.is_empty() {
            return Err(ReadFault::NoSheets);
        }
        let formats = NumberFormats::new(std::iter::empty(), system);
        Ok((XlsbFile { source, book, formats, tabs }, sheets))
    }
}

impl SheetReader for XlsbFile {
    fn each_row(&mut self, sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), LocatedFault> {
        let XlsbFile { source, book, formats, tabs } = self;
        let Some(tab) = tabs.get_mut(sheet) else { return Ok(()) };
        let mut errors = tab.scan(source)?.errors.clone().into_iter().peekable();
        let mut cells = guarded(|| book.worksheet_cells_reader(&tab.name).map_err(|error| damage(&error)))?;
        let mut rows = RowBuilder::new(formats);
        loop {
            let next = guarded(|| cells.next_cell().map_err(|error| damage(&error)));
            let next = next.map_err(|fault| fault.at(rows.number().max(1)))?;
            let at = next.as_ref().map_or((u32::MAX, u32::MAX), calamine::Cell::get_position);
            while let Some(error) = errors.next_if(|error| (error.row, error.column) < at) {
                if add(&mut rows, (error.row, error.column), CellContent::Error(error.text), on_row)?
                    == ControlFlow::Break(())
                {
                    return Ok(());
                }
            }
            let Some(cell) = next else { break };
            if add(&mut rows, at, cell.get_value().into(), on_row)? == ControlFlow::Break(()) {
                return Ok(());
            }
        }
        rows.finish(on_row);
        Ok(())
    }

    fn layout(&mut self, sheet: usize) -> Result<SheetLayout, LocatedFault> {
        let XlsbFile { source, tabs, .. } = self;
        let Some(tab) = tabs.get_mut(sheet) else { return Ok(SheetLayout::default()) };
        Ok(tab.scan(source)?.layout.clone())
    }
}

impl XlsbTab {
    /// What the records tell, read once.
    fn scan(&mut self, source: &ReopenableInput) -> Result<&SheetScan, ReadFault> {
        if self.scan.is_none() {
            let mut package = Package::open(source)?;
            self.scan = Some(match package.part(&self.part)? {
                Some(sheet) => SheetScan::of(XlsbRecords::new(BufReader::new(sheet)))?,
                None => SheetScan::default(),
            });
        }
        Ok(self.scan.get_or_insert_default())
    }
}

fn add(
    rows: &mut RowBuilder<'_>,
    (row, column): (u32, u32),
    content: CellContent<'_>,
    on_row: &mut OnRow<'_>,
) -> Result<ControlFlow<()>, LocatedFault> {
    if !rows.is_in(row) && rows.begin_row(row, on_row) == ControlFlow::Break(()) {
        return Ok(ControlFlow::Break(()));
    }
    guarded(|| rows.add(column, content, usize::MAX)).map_err(|fault: ReadFault| fault.at(u64::from(row) + 1))?;
    Ok(ControlFlow::Continue(()))
}

/// Names of sheets, and their parts.
fn sheet_parts(package: &mut Package) -> Result<Vec<(String, String)>, ReadFault> {
    const BUNDLE_SHEET: u16 = 0x009C;
    let targets = package.relations("xl/_rels/workbook.bin.rels")?;
    let mut parts = Vec::new();
    let Some(book) = package.part("xl/workbook.bin")? else { return Ok(parts) };
    let mut records = XlsbRecords::new(BufReader::new(book));
    while let Some((kind, data)) = records.next()? {
        if kind != BUNDLE_SHEET {
            continue;
        }
        let Some((id, rest)) = wide_text(data.get(8..).unwrap_or_default()) else { continue };
        let Some((name, _)) = wide_text(rest) else { continue };
        let target = targets.iter().find(|(known, _)| *known == id).map(|(_, target)| format!("xl/{target}"));
        parts.push((name, target.unwrap_or_default()));
    }
    Ok(parts)
}

/// A text behind its length in UTF-16 units, and what comes behind it.
fn wide_text(data: &[u8]) -> Option<(String, &[u8])> {
    let len = u32::from_le_bytes(data.get(..4)?.try_into().ok()?) as usize;
    let (text, rest) = data.get(4..)?.split_at_checked(len.checked_mul(2)?)?;
    let units = text.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let letters = char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    Some((letters.collect(), rest))
}

impl SheetScan {
    fn of(mut records: XlsbRecords<impl Read>) -> Result<Self, ReadFault> {
        const ROW: u16 = 0x0000;
        const FORMULA_ERROR: u16 = 0x000B;
        const MERGED_CELLS: u16 = 0x00B0;
        /// `fDyZero` of a row.
        const HIDDEN: u8 = 0x10;
        let mut scan = Self::default();
        let mut row = 0;
        while let Some((kind, data)) = records.next()? {
            let number = |at: usize| data.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
            match (kind, number(0)) {
                (ROW, Some(number)) => {
                    row = number;
                    if data.get(11).is_some_and(|flags| flags & HIDDEN != 0) {
                        let row = u64::from(row) + 1;
                        scan.layout.hide(row, row);
                    }
                }
                (FORMULA_ERROR, Some(column)) => {
                    let code = data.get(8).copied();
                    let text = ERRORS.iter().find(|(known, _)| Some(*known) == code).map_or("#ERROR", |(_, text)| text);
                    scan.errors.push(FormulaErrorCell { row, column, text });
                }
                // The last row and the columns stand behind the first row.
                (MERGED_CELLS, Some(first_row)) => {
                    if let (Some(last_row), Some(first_column), Some(last_column)) = (number(4), number(8), number(12))
                    {
                        let (first_row, last_row) = (u64::from(first_row) + 1, u64::from(last_row) + 1);
                        scan.layout.merge(MergedCells { first_row, last_row, first_column, last_column });
                    }
                }
                _ => {}
            }
        }
        Ok(scan)
    }
}

/// The records of a part.
struct XlsbRecords<R> {
    input: R,
    data: Vec<u8>,
}

impl<R: Read> XlsbRecords<R> {
    fn new(input: R) -> XlsbRecords<R> {
        XlsbRecords { input, data: Vec::new() }
    }

    /// The next record: its number and content. None at the end of the part.
    fn next(&mut self) -> Result<Option<(u16, &[u8])>, ReadFault> {
        /// Excel's own are below 100 kB.
        const LONGEST: usize = 64 * 1024 * 1024;
        let Some(low) = self.byte()? else { return Ok(None) };
        let high = if low & 0x80 == 0 { Some(0) } else { self.byte()? };
        let mut len = 0;
        for shift in [0, 7, 14, 21] {
            let Some(byte) = self.byte()? else { return Ok(None) };
            len |= usize::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        if len > LONGEST {
            return Err(ReadFault::Bloated);
        }
        self.data.clear();
        let read = (&mut self.input).take(len as u64).read_to_end(&mut self.data).map_err(|error| unpacking(&error))?;
        if read < len {
            return Err(ReadFault::Truncated);
        }
        let kind = u16::from(low & 0x7F) | u16::from(high.unwrap_or(0) & 0x7F) << 7;
        Ok(Some((kind, &self.data)))
    }

    fn byte(&mut self) -> Result<Option<u8>, ReadFault> {
        let mut byte = [0];
        match self.input.read_exact(&mut byte) {
            Ok(()) => Ok(Some(byte[0])),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(unpacking(&error)),
        }
    }
}

/// What calamine found, in the user's words.
fn damage(error: &XlsbError) -> ReadFault {
    match error {
        XlsbError::Io(error) => unpacking(error),
        XlsbError::Zip(error) => broken(error),
        XlsbError::Password => ReadFault::Password,
        XlsbError::FileNotFound(part) => ReadFault::missing_part(part),
        XlsbError::Xml(_) | XlsbError::XmlAttr(_) => ReadFault::damaged("its XML is broken"),
        XlsbError::WideStr { .. } => ReadFault::damaged("a text in it is cut off"),
        XlsbError::WorksheetNotFound(_) => ReadFault::damaged("a sheet is missing in it"),
        _ => ReadFault::damaged("its parts contradict each other"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A record as a part holds it; its content is shorter than 128 bytes.
    fn record(kind: u16, data: &[u8]) -> Vec<u8> {
        let number = match kind {
            0..0x80 => vec![kind as u8],
            _ => vec![(kind & 0x7F) as u8 | 0x80, (kind >> 7) as u8],
        };
        [&number[..], &[data.len() as u8], data].concat()
    }

    fn row(number: u8, flags: u8) -> Vec<u8> {
        record(0, &[&[number, 0, 0, 0, 0, 0, 0, 0, 0x2C, 1, 0, flags][..], &[0; 5]].concat())
    }

    #[test]
    fn hidden_rows_merged_cells_and_errors_are_taken_down() {
        let error = record(0x0B, &[2, 0, 0, 0, 0, 0, 0, 0, 0x17, 0, 0]);
        let merged = record(0xB0, &[4, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);
        let rows = [row(0, 0), row(1, 0x10), row(2, 0x18), error, row(3, 0x20), record(0x92, &[]), merged].concat();
        let scan = SheetScan::of(XlsbRecords::new(&rows[..])).unwrap();
        let hidden: Vec<u64> = (1..6).filter(|row| scan.layout.is_hidden(*row)).collect();
        assert_eq!(hidden, [2, 3]);
        let merged = MergedCells { first_row: 5, last_row: 7, first_column: 1, last_column: 2 };
        assert_eq!(scan.layout.merged_below(1), [merged]);
        assert_eq!(scan.errors, [FormulaErrorCell { row: 2, column: 2, text: "#REF!" }]);
    }
}
