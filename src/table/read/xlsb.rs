//! .xlsb: binary workbooks, record by record.
//!
//! A reader that takes room for whatever length a record states, or keeps every defined name with its formula written
//! out, needs gigabytes for a file of a kilobyte. The records that hold cells are few and simple, and read here: texts,
//! numbers with their formats, and formulas by their stored results.
//!
//! Record numbers are those of \[MS-XLSB\] 2.3.

use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;

use hashbrown::HashMap;

use super::biff::{error_text, f64_at, rk, u16_at, u32_at};
use super::damage::{guarded, unpacking};
use super::limits::{LONGEST_SHEET_NAME, MOST_ROWS, MOST_SHEETS, Tally, check_sheets, too_many_cells};
use super::number_format::{NumberFormats, StyleTable};
use super::package::{Package, PackedPart, PartId, resolved_target};
use super::row_builder::{CellContent, RowBuilder};
use super::serial_date::DateSystem;
use super::shared_strings::SharedStrings;
use super::{OnRow, SheetReader};
use crate::table::error::{LocatedFault, ReadFault};
use crate::table::input::ReopenableInput;
use crate::table::layout::{MergedCells, SheetLayout};
use crate::table::sheet::{Sheet, Visibility};

const BOOK: &str = "xl/workbook.bin";

mod record {
    pub(super) const ROW: u16 = 0x0000;
    pub(super) const RK: u16 = 0x0002;
    pub(super) const ERROR: u16 = 0x0003;
    pub(super) const BOOLEAN: u16 = 0x0004;
    pub(super) const REAL: u16 = 0x0005;
    pub(super) const TEXT: u16 = 0x0006;
    pub(super) const SHARED_TEXT: u16 = 0x0007;
    pub(super) const FORMULA_TEXT: u16 = 0x0008;
    pub(super) const FORMULA_NUMBER: u16 = 0x0009;
    pub(super) const FORMULA_BOOLEAN: u16 = 0x000A;
    pub(super) const FORMULA_ERROR: u16 = 0x000B;
    pub(super) const SHARED_ITEM: u16 = 0x0013;
    pub(super) const FORMAT: u16 = 0x002C;
    pub(super) const XF: u16 = 0x002F;
    pub(super) const RICH_TEXT: u16 = 0x003E;
    pub(super) const END_SHEET_DATA: u16 = 0x0092;
    pub(super) const BEGIN_SHEET_DATA: u16 = 0x0091;
    pub(super) const MERGED_CELLS: u16 = 0x00B0;
    pub(super) const BOOK_PROPERTIES: u16 = 0x0099;
    pub(super) const BUNDLE_SHEET: u16 = 0x009C;
    pub(super) const BEGIN_CELL_XFS: u16 = 0x0269;
    pub(super) const END_CELL_XFS: u16 = 0x026A;
}

/// An .xlsb file with its shared strings in memory.
pub(in crate::table) struct XlsbFile {
    source: ReopenableInput,
    package: Package,
    strings: SharedStrings,
    formats: NumberFormats,
    tally: Tally,
    tabs: Vec<XlsbTab>,
}

struct XlsbTab {
    /// The name of its part.
    part: String,
    layout: Option<SheetLayout>,
}

impl XlsbFile {
    pub(in crate::table) fn open(source: ReopenableInput) -> Result<(XlsbFile, Vec<Sheet>), ReadFault> {
        let mut package = Package::open(&source)?;
        let (system, sheets) = book(&mut package)?;
        let formats = NumberFormats::new(styles(&mut package)?.codes(), system)?;
        let strings = shared_strings(&mut package)?;
        let tab = |(sheet, part)| (sheet, XlsbTab { part, layout: None });
        let (sheets, tabs) = sheets.into_iter().map(tab).unzip();
        let tally = Tally::new(package.limits);
        Ok((XlsbFile { source, package, strings, formats, tally, tabs }, sheets))
    }
}

impl SheetReader for XlsbFile {
    fn each_row(&mut self, sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), LocatedFault> {
        let XlsbFile { source, package, strings, formats, tally, tabs } = self;
        let Some(XlsbTab { part, .. }) = tabs.get(sheet) else { return Ok(()) };
        source.check_unchanged()?;
        tally.begin(sheet);
        let most = package.limits.cells;
        let part = package.find(part).ok_or_else(|| ReadFault::missing_part(part))?;
        let mut records = records_of(package, part)?;
        let mut rows = RowBuilder::new(formats, tally);
        let (mut cells, mut is_inside) = (0_u64, false);
        loop {
            let next = guarded(|| records.next()).map_err(|fault: ReadFault| fault.at(rows.number().max(1)))?;
            match next {
                None | Some((record::END_SHEET_DATA, _)) => break,
                Some((record::BEGIN_SHEET_DATA, _)) => is_inside = true,
                Some(_) if !is_inside => {}
                Some((record::ROW, data)) => {
                    let row = u32_at(data, 0).filter(|row| u64::from(*row) < MOST_ROWS);
                    let row = row.ok_or_else(|| ReadFault::damaged("a row beyond the last one"))?;
                    if rows.begin_row(row, on_row)? == ControlFlow::Break(()) {
                        return Ok(());
                    }
                }
                Some((kind, data)) => {
                    add_cell(&mut rows, kind, data, strings).map_err(|fault| fault.at(rows.number().max(1)))?;
                }
            }
            cells += 1;
            if cells > most {
                return Err(too_many_cells().at(rows.number().max(1)));
            }
        }
        rows.finish(on_row)
    }

    fn layout(&mut self, sheet: usize) -> Result<SheetLayout, LocatedFault> {
        let XlsbFile { source, package, tabs, .. } = self;
        let Some(tab) = tabs.get_mut(sheet) else { return Ok(SheetLayout::default()) };
        if let Some(layout) = &tab.layout {
            return Ok(layout.clone());
        }
        source.check_unchanged()?;
        let part = package.find(&tab.part).ok_or_else(|| ReadFault::missing_part(&tab.part))?;
        Ok(tab.layout.insert(layout_of(records_of(package, part)?)?).clone())
    }
}

/// The hidden rows and merged cells of a sheet.
fn layout_of(mut records: XlsbRecords<impl Read>) -> Result<SheetLayout, ReadFault> {
    /// `fDyZero` of a row.
    const HIDDEN: u8 = 0x10;
    let mut layout = SheetLayout::default();
    while let Some((kind, data)) = records.next()? {
        match (kind, u32_at(data, 0)) {
            (record::ROW, Some(row)) if data.get(11).is_some_and(|flags| flags & HIDDEN != 0) => {
                let row = u64::from(row) + 1;
                layout.hide(row, row);
            }
            // The last row and the columns stand behind the first row.
            (record::MERGED_CELLS, Some(first_row)) => {
                if let (Some(last_row), Some(first_column), Some(last_column)) =
                    (u32_at(data, 4), u32_at(data, 8), u32_at(data, 12))
                {
                    let (first_row, last_row) = (u64::from(first_row) + 1, u64::from(last_row) + 1);
                    layout.merge(MergedCells { first_row, last_row, first_column, last_column });
                }
            }
            _ => {}
        }
    }
    Ok(layout)
}

/// Adds a cell to the row at hand; records of another kind are passed over.
fn add_cell(rows: &mut RowBuilder<'_>, kind: u16, data: &[u8], strings: &SharedStrings) -> Result<(), ReadFault> {
    let cut_off = || ReadFault::damaged("a record in it is too short");
    // Column, style, and a flag that matters to nobody.
    let (column, style) = match (u32_at(data, 0), u32_at(data, 4)) {
        (Some(column), Some(style)) => (column, style & 0x00FF_FFFF),
        _ => return Ok(()),
    };
    let value = data.get(8..).unwrap_or_default();
    let byte = || value.first().copied().ok_or_else(cut_off);
    let text;
    let content = match kind {
        record::RK => number(rk(u32_at(value, 0).ok_or_else(cut_off)?)),
        record::REAL | record::FORMULA_NUMBER => number(f64_at(value, 0).ok_or_else(cut_off)?),
        record::BOOLEAN | record::FORMULA_BOOLEAN => CellContent::Boolean(byte()? != 0),
        record::ERROR | record::FORMULA_ERROR => CellContent::Error(error_text(byte()?)),
        record::TEXT | record::FORMULA_TEXT => {
            text = wide_text(value).ok_or_else(|| ReadFault::damaged("a text in it is cut off"))?.0;
            CellContent::Text(&text)
        }
        record::RICH_TEXT => {
            let behind_flags = value.get(1..).unwrap_or_default();
            text = wide_text(behind_flags).ok_or_else(|| ReadFault::damaged("a text in it is cut off"))?.0;
            CellContent::Text(&text)
        }
        record::SHARED_TEXT => {
            let index = u32_at(value, 0).ok_or_else(cut_off)? as usize;
            let shared = strings.get(index);
            CellContent::Text(shared.ok_or_else(|| ReadFault::damaged("a text in it is missing"))?)
        }
        _ => return Ok(()),
    };
    guarded(|| rows.add(column, content, style as usize))
}

fn number(number: f64) -> CellContent<'static> {
    CellContent::Number(number)
}

/// Where dates count from, and the worksheets with the names of their parts.
fn book(package: &mut Package) -> Result<(DateSystem, Vec<(Sheet, String)>), ReadFault> {
    let targets = sheet_targets(package)?;
    let part = package.find(BOOK).ok_or_else(|| ReadFault::missing_part(BOOK))?;
    let mut records = records_of(package, part)?;
    let (mut system, mut sheets) = (DateSystem::From1900, Vec::new());
    while let Some((kind, data)) = records.next()? {
        match kind {
            record::BOOK_PROPERTIES if data.first().is_some_and(|flags| flags & 1 != 0) => {
                system = DateSystem::From1904;
            }
            record::BUNDLE_SHEET => {
                sheets.extend(bundle_sheet(data, &targets)?);
                check_sheets(sheets.iter().filter_map(|(sheet, _): &(Sheet, String)| sheet.name.as_deref()))?;
            }
            _ => {}
        }
    }
    drop(records);
    let mut parts: Vec<_> = sheets.iter().filter_map(|(_, part)| package.find(part)).collect();
    parts.sort_unstable();
    if parts.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(ReadFault::damaged("two of its sheets are the same part"));
    }
    if sheets.is_empty() { Err(ReadFault::NoSheets) } else { Ok((system, sheets)) }
}

/// A tab: state, number, relation and name; none where it is a chart or dialog.
fn bundle_sheet(data: &[u8], targets: &HashMap<String, String>) -> Result<Option<(Sheet, String)>, ReadFault> {
    let texts = wide_text(data.get(8..).unwrap_or_default()).and_then(|(id, rest)| Some((id, wide_text(rest)?.0)));
    let (id, name) = texts.ok_or_else(|| ReadFault::damaged("a text in it is cut off"))?;
    let Some(part) = targets.get(&id) else { return Ok(None) };
    let visibility = if u32_at(data, 0) == Some(0) { Visibility::Visible } else { Visibility::Hidden };
    Ok(Some((Sheet { name: Some(name), visibility }, part.clone())))
}

/// The parts of the worksheets, by the ids of their relations.
fn sheet_targets(package: &mut Package) -> Result<HashMap<String, String>, ReadFault> {
    let mut targets = HashMap::new();
    package.each_relation(BOOK, |relation| {
        // Some programs leave the type out, and the folder tells it.
        if relation.kind != "worksheet" && !relation.target.contains("worksheets/") {
            return Ok(());
        }
        let is_long = relation.id.len().max(relation.target.len()) > LONGEST_SHEET_NAME;
        if is_long || targets.len() > MOST_SHEETS {
            return Err(ReadFault::TooLarge { what: "more parts than a workbook can have" });
        }
        match targets.insert(relation.id, resolved_target(BOOK, &relation.target)) {
            Some(_) => Err(ReadFault::damaged("two of its relations have the same id")),
            None => Ok(()),
        }
    })?;
    Ok(targets)
}

fn styles(package: &mut Package) -> Result<StyleTable, ReadFault> {
    let mut styles = StyleTable::default();
    let Some(part) = package.find("xl/styles.bin") else { return Ok(styles) };
    let mut records = records_of(package, part)?;
    let mut is_inside = false;
    while let Some((kind, data)) = records.next()? {
        match kind {
            record::FORMAT => {
                if let (Some(id), Some((code, _))) = (u16_at(data, 0), data.get(2..).and_then(wide_text)) {
                    styles.add_code(u32::from(id), code)?;
                }
            }
            record::BEGIN_CELL_XFS => is_inside = true,
            record::END_CELL_XFS => is_inside = false,
            record::XF if is_inside => styles.add_style(u32::from(u16_at(data, 2).unwrap_or(0)))?,
            _ => {}
        }
    }
    Ok(styles)
}

fn shared_strings(package: &mut Package) -> Result<SharedStrings, ReadFault> {
    let mut strings = SharedStrings::default();
    let Some(part) = package.find("xl/sharedStrings.bin") else { return Ok(strings) };
    let most = package.limits.strings;
    let mut records = records_of(package, part)?;
    while let Some((kind, data)) = records.next()? {
        if kind != record::SHARED_ITEM {
            continue;
        }
        let text = data.get(1..).and_then(wide_text);
        strings.push(&text.ok_or_else(|| ReadFault::damaged("a text in it is cut off"))?.0);
        if strings.len() as u64 > most {
            return Err(ReadFault::TooLarge { what: "more texts than a file of this size can hold" });
        }
    }
    Ok(strings)
}

/// A text behind its length in UTF-16 units, and what comes behind it.
fn wide_text(data: &[u8]) -> Option<(String, &[u8])> {
    let len = u32::from_le_bytes(data.get(..4)?.try_into().ok()?) as usize;
    let (text, rest) = data.get(4..)?.split_at_checked(len.checked_mul(2)?)?;
    let units = text.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let letters = char::decode_utf16(units).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER));
    Some((letters.collect(), rest))
}

fn records_of(package: &mut Package, part: PartId) -> Result<XlsbRecords<BufReader<PackedPart<'_>>>, ReadFault> {
    Ok(XlsbRecords::new(BufReader::new(package.part(part)?)))
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
        const LONGEST: usize = 1024 * 1024;
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
    fn hidden_rows_and_merged_cells_are_taken_down() {
        let merged = record(0xB0, &[4, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);
        let rows = [row(0, 0), row(1, 0x10), row(2, 0x18), row(3, 0x20), record(0x92, &[]), merged].concat();
        let layout = layout_of(XlsbRecords::new(&rows[..])).unwrap();
        let hidden: Vec<u64> = (1..6).filter(|row| layout.is_hidden(*row)).collect();
        assert_eq!(hidden, [2, 3]);
        let merged = MergedCells { first_row: 5, last_row: 7, first_column: 1, last_column: 2 };
        assert_eq!(layout.merged_below(1), [merged]);
    }
}
