//! .xlsx and .xlsm: calamine's stream of cells, put together to rows.
//!
//! What the whole workbook has in common, its sheets, styles and shared texts, is read here ([`Book`],
//! [`shared_strings`]), within [`Limits`](super::limits::Limits); calamine gets the part of one sheet at a time, the same
//! that was looked at before. What its stream does not tell is filled in by [`XlsxPreScan`]; number formats are applied by
//! [`NumberFormats`].

mod book;
mod pre_scan;
mod shared_strings;

use std::io::BufReader;
use std::ops::ControlFlow;

use calamine::{Cell, DataRef, XlsxCellReader, XlsxError};

use super::damage::{broken, guarded, unpacking};
use super::limits::{Tally, too_many_cells};
use super::number_format::NumberFormats;
use super::package::{Package, PackedPart, PartId};
use super::row_builder::{CellContent, RowBuilder};
use super::{OnRow, SheetReader};
use crate::table::error::{LocatedFault, ReadFault};
use crate::table::input::{InputFile, ReopenableInput};
use crate::table::layout::SheetLayout;
use crate::table::sheet::Sheet;
use book::{Book, BookSheet};
use pre_scan::{ScanCursor, UnknownError, XlsxPreScan};
use shared_strings::shared_strings;

/// An .xlsx file with its shared strings in memory.
pub(in crate::table) struct XlsxFile {
    source: ReopenableInput,
    package: Package,
    strings: Vec<String>,
    formats: NumberFormats,
    tally: Tally,
    tabs: Vec<XlsxTab>,
}

/// One worksheet.
struct XlsxTab {
    /// The name of its part.
    part: String,
    pre_scan: Option<XlsxPreScan>,
}

impl XlsxFile {
    pub(in crate::table) fn open(source: ReopenableInput) -> Result<(XlsxFile, Vec<Sheet>), ReadFault> {
        let mut package = Package::open(&source)?;
        let book = Book::read(&mut package)?;
        if book.sheets.is_empty() {
            return Err(ReadFault::NoSheets);
        }
        let formats = NumberFormats::new(book::styles(&mut package, book.styles)?.codes(), book.system)?;
        let strings = shared_strings(&mut package, book.strings)?;
        let (mut tabs, mut sheets) = (Vec::new(), Vec::new());
        for BookSheet { name, visibility, part } in book.sheets {
            sheets.push(Sheet { name: Some(name), visibility });
            tabs.push(XlsxTab { part, pre_scan: None });
        }
        let tally = Tally::new(package.limits);
        Ok((XlsxFile { source, package, strings, formats, tally, tabs }, sheets))
    }
}

impl XlsxTab {
    fn pre_scan(&mut self, package: &mut Package) -> Result<(&XlsxPreScan, PartId), ReadFault> {
        let part = package.find(&self.part).ok_or_else(|| ReadFault::missing_part(&self.part))?;
        match &mut self.pre_scan {
            Some(pre_scan) => Ok((pre_scan, part)),
            unknown => Ok((unknown.insert(XlsxPreScan::take(package, part, &self.part)?), part)),
        }
    }
}

impl SheetReader for XlsxFile {
    fn layout(&mut self, sheet: usize) -> Result<SheetLayout, LocatedFault> {
        match self.tabs.get_mut(sheet) {
            Some(tab) => Ok(tab.pre_scan(&mut self.package)?.0.layout.clone()),
            None => Ok(SheetLayout::default()),
        }
    }

    fn each_row(&mut self, sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), LocatedFault> {
        let XlsxFile { source, package, strings, formats, tally, tabs } = self;
        let Some(tab) = tabs.get_mut(sheet) else { return Ok(()) };
        source.check_unchanged()?;
        tally.begin(sheet);
        let (pre_scan, part) = tab.pre_scan(package)?;
        let most = package.limits.cells;
        let cells = guarded(|| cells_of(package.part(part)?, strings))?;
        // One item of the stream per `<c>`, empty ones included: the pre-scan counts the same.
        let mut stream = CellStream { cells, cursor: pre_scan.cursor(), place: 0, most, ahead: None };
        let mut rows = RowBuilder::new(formats, tally);
        // What takes the rows runs outside of the guard: its panic is its own.
        while let Some(row) = guarded(|| stream.fill_row(&mut rows)).map_err(|fault| fault.at(rows.number().max(1)))? {
            if rows.begin_row(row, on_row)? == ControlFlow::Break(()) {
                return Ok(());
            }
        }
        rows.finish(on_row)
    }
}

/// calamine's stream over a sheet. It is told nothing of styles, so that each number comes as it is stored.
fn cells_of<'a>(
    sheet: PackedPart<'a>,
    strings: &'a [String],
) -> Result<XlsxCellReader<'a, BufReader<InputFile>>, ReadFault> {
    let mut xml = quick_xml::Reader::from_reader(BufReader::new(sheet));
    let config = xml.config_mut();
    // As calamine reads its own sheets.
    config.expand_empty_elements = true;
    config.check_end_names = false;
    XlsxCellReader::new(xml, strings, &[], &[], false).map_err(|error| damage(&error))
}

/// calamine's stream and what the pre-scan has to say about it.
struct CellStream<'a> {
    cells: XlsxCellReader<'a, BufReader<InputFile>>,
    cursor: ScanCursor<'a>,
    /// How many cells have been read, and how many may be.
    place: u32,
    most: u64,
    /// The first cell of the next row.
    ahead: Option<StreamedCell<'a>>,
}

/// A cell of the stream.
struct StreamedCell<'a> {
    content: StreamedValue<'a>,
    style: usize,
}

enum StreamedValue<'a> {
    Cell(Cell<DataRef<'a>>),
    /// As a cell, with a formula whose result was never stored.
    Unevaluated(Cell<DataRef<'a>>),
    UnknownError(&'a UnknownError),
    /// A text in several formats, as it is in the file.
    RichText(Cell<DataRef<'a>>, &'a str),
}

impl StreamedCell<'_> {
    /// Row and column, from 0.
    fn position(&self) -> (u32, u32) {
        match &self.content {
            StreamedValue::Cell(cell) | StreamedValue::Unevaluated(cell) | StreamedValue::RichText(cell, _) => {
                cell.get_position()
            }
            StreamedValue::UnknownError(error) => (error.row, error.column),
        }
    }

    fn content(&self) -> CellContent<'_> {
        match &self.content {
            StreamedValue::Cell(cell) => cell.get_value().into(),
            StreamedValue::Unevaluated(_) => CellContent::Unevaluated,
            StreamedValue::UnknownError(error) => CellContent::Error(&error.text),
            StreamedValue::RichText(_, text) => CellContent::Text(text),
        }
    }
}

impl<'a> CellStream<'a> {
    /// Adds the cells of the row at hand, and gives the number of the next one from 0; none at the end.
    fn fill_row(&mut self, rows: &mut RowBuilder<'_>) -> Result<Option<u32>, ReadFault> {
        if let Some(first) = self.ahead.take() {
            rows.add(first.position().1, first.content(), first.style)?;
        }
        while let Some(cell) = self.next()? {
            let (row, column) = cell.position();
            if !rows.is_in(row) {
                self.ahead = Some(cell);
                return Ok(Some(row));
            }
            rows.add(column, cell.content(), cell.style)?;
        }
        Ok(None)
    }

    #[inline]
    fn next(&mut self) -> Result<Option<StreamedCell<'a>>, ReadFault> {
        let next = self.cells.next_cell_with_style_id();
        let place = self.place;
        self.place = self.place.saturating_add(1);
        if u64::from(place) > self.most {
            return Err(too_many_cells());
        }
        match next {
            Ok(None) => Ok(None),
            Ok(Some((cell, style))) => {
                let is_empty = matches!(cell.get_value(), DataRef::Empty);
                let is_unevaluated = is_empty && self.cursor.is_unevaluated(place);
                let content = match self.cursor.rich_text(place) {
                    Some(text) => StreamedValue::RichText(cell, text),
                    None if is_unevaluated => StreamedValue::Unevaluated(cell),
                    None => StreamedValue::Cell(cell),
                };
                Ok(Some(StreamedCell { content, style }))
            }
            // The stream goes on behind the cell that it could not read.
            Err(XlsxError::CellError(_)) => match self.cursor.unknown_error(place) {
                Some(odd) => Ok(Some(StreamedCell { content: StreamedValue::UnknownError(odd), style: 0 })),
                None => Err(ReadFault::damaged("an error value that no program writes")),
            },
            Err(error) => Err(damage(&error)),
        }
    }
}

/// What calamine found, in the user's words.
fn damage(error: &XlsxError) -> ReadFault {
    match error {
        XlsxError::Io(error) => unpacking(error),
        XlsxError::Zip(error) => broken(error),
        XlsxError::Password => ReadFault::Password,
        XlsxError::Xml(quick_error) => match io_cause(quick_error) {
            Some(error) => unpacking(error),
            None => ReadFault::damaged("its XML is broken"),
        },
        XlsxError::XmlEof(_) => ReadFault::damaged("its XML ends too early"),
        XlsxError::FileNotFound(part) => ReadFault::missing_part(part),
        XlsxError::RelationshipNotFound | XlsxError::WorksheetNotFound(_) => {
            ReadFault::damaged("a sheet is missing in it")
        }
        XlsxError::Alphanumeric(_)
        | XlsxError::NumericColumn(_)
        | XlsxError::RangeWithoutColumnComponent
        | XlsxError::RangeWithoutRowComponent
        | XlsxError::ColumnNumberOverflow
        | XlsxError::RowNumberOverflow
        | XlsxError::DimensionCount(_) => ReadFault::damaged("a cell without a proper address"),
        XlsxError::ParseFloat(_) | XlsxError::ParseInt(_) => ReadFault::damaged("a text where a number should be"),
        XlsxError::Encoding(_) => ReadFault::damaged("text in an unknown encoding"),
        _ => ReadFault::damaged("its parts contradict each other"),
    }
}

/// The failure to read that stands behind an XML error, if it is one.
fn io_cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a std::io::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return Some(io);
        }
        // quick-xml shares its I/O errors.
        if let Some(shared) = error.downcast_ref::<std::sync::Arc<std::io::Error>>() {
            return Some(shared);
        }
        cause = error.source();
    }
    None
}
