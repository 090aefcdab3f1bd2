//! .xlsx and .xlsm: calamine's stream of cells, put together to rows.
//!
//! The stream alone is not enough, nor safe. A look at the parts comes first ([`Package`], [`parts`]); what the stream
//! does not tell is filled in by [`Survey`]; number formats are applied by [`Formats`].

mod parts;
mod survey;

use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;

use calamine::{Cell, DataRef, Reader, SheetType, Xlsx, XlsxCellReader, XlsxError};

use super::assembly::{Assembly, Held};
use super::guard::guarded;
use super::package::{Package, broken, unpacking};
use super::shown::{DateSystem, Formats};
use super::{OnRow, SheetReader};
use crate::table::error::{FaultAt, ReadFault};
use crate::table::input::Source;
use crate::table::workbook::Sheet;
use survey::{Notes, OddError, Survey};

/// An .xlsx file with its shared strings in memory.
pub(in crate::table) struct XlsxFile {
    source: Source,
    book: Xlsx<BufReader<File>>,
    formats: Formats,
    tabs: Vec<Tab>,
}

/// One worksheet.
struct Tab {
    name: String,
    part: String,
    survey: Option<Survey>,
}

impl XlsxFile {
    pub(in crate::table) fn open(source: Source) -> Result<(XlsxFile, Vec<Sheet>), ReadFault> {
        let mut package = Package::open(&source)?;
        let sheet_parts = parts::check(&mut package)?;
        drop(package);
        let file = BufReader::new(source.open()?);
        let mut book = guarded(|| Xlsx::new(file).map_err(|error| damage(&error)))?;
        let (mut tabs, mut sheets) = (Vec::new(), Vec::new());
        for (sheet, part) in book.sheets_metadata().iter().zip(sheet_parts) {
            if sheet.typ == SheetType::WorkSheet {
                sheets.push(Sheet::new(&sheet.name, sheet.visible));
                tabs.push(Tab { name: sheet.name.clone(), part, survey: None });
            }
        }
        let first = tabs.first().ok_or(ReadFault::NoSheets)?;
        let formats = guarded(|| prepare_formats(&mut book, &first.name))?;
        Ok((XlsxFile { source, book, formats, tabs }, sheets))
    }
}

/// Every sheet's stream gives all of the workbook's styles.
fn prepare_formats(book: &mut Xlsx<BufReader<File>>, sheet: &str) -> Result<Formats, ReadFault> {
    let system = if book.has_1904_epoch() { DateSystem::From1904 } else { DateSystem::From1900 };
    let cells = book.worksheet_cells_reader(sheet).map_err(|error| damage(&error))?;
    let codes =
        cells.styles().iter().map(|style| style.number_format.as_ref().map_or("", |format| &format.format_code));
    Ok(Formats::new(codes, system))
}

impl SheetReader for XlsxFile {
    fn each_row(&mut self, sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), FaultAt> {
        let XlsxFile { source, book, formats, tabs } = self;
        let Some(tab) = tabs.get_mut(sheet) else { return Ok(()) };
        let survey = match &mut tab.survey {
            Some(survey) => survey,
            unknown => unknown.insert(Survey::take(&mut Package::open(source)?, &tab.part)?),
        };
        let cells = guarded(|| book.worksheet_cells_reader(&tab.name).map_err(|error| damage(&error)))?;
        // One item of the stream per `<c>`, empty ones included: the survey counts the same.
        let mut stream = Stream { cells, notes: survey.notes(), place: 0, ahead: None };
        let mut rows = Assembly::new(formats);
        // What takes the rows runs outside of the guard: its panic is its own.
        while let Some(row) = guarded(|| stream.fill_row(&mut rows)).map_err(|fault| fault.at(rows.number().max(1)))? {
            if rows.begin_row(row, on_row) == ControlFlow::Break(()) {
                return Ok(());
            }
        }
        rows.finish(on_row);
        Ok(())
    }
}

/// calamine's stream and what the survey has to say about it.
struct Stream<'a> {
    cells: XlsxCellReader<'a, BufReader<File>>,
    notes: Notes<'a>,
    /// How many cells have been read.
    place: u32,
    /// The first cell of the next row.
    ahead: Option<Streamed<'a>>,
}

/// A cell of the stream.
struct Streamed<'a> {
    content: Content<'a>,
    style: usize,
}

enum Content<'a> {
    Cell(Cell<DataRef<'a>>),
    /// As a cell, with a formula whose result was never stored.
    Unstored(Cell<DataRef<'a>>),
    Odd(&'a OddError),
}

impl Streamed<'_> {
    /// Row and column, from 0.
    fn position(&self) -> (u32, u32) {
        match &self.content {
            Content::Cell(cell) | Content::Unstored(cell) => cell.get_position(),
            Content::Odd(error) => (error.row, error.column),
        }
    }

    fn held(&self) -> Held<'_> {
        match &self.content {
            Content::Cell(cell) => cell.get_value().into(),
            Content::Unstored(_) => Held::Unevaluated,
            Content::Odd(error) => Held::Error(&error.text),
        }
    }
}

impl<'a> Stream<'a> {
    /// Adds the cells of the row at hand, and gives the number of the next one from 0; none at the end.
    fn fill_row(&mut self, rows: &mut Assembly<'_>) -> Result<Option<u32>, ReadFault> {
        if let Some(first) = self.ahead.take() {
            rows.add(first.position().1, first.held(), first.style)?;
        }
        while let Some(streamed) = self.next()? {
            let (row, column) = streamed.position();
            if !rows.is_in(row) {
                self.ahead = Some(streamed);
                return Ok(Some(row));
            }
            rows.add(column, streamed.held(), streamed.style)?;
        }
        Ok(None)
    }

    #[inline]
    fn next(&mut self) -> Result<Option<Streamed<'a>>, ReadFault> {
        let next = self.cells.next_cell_with_style_id();
        let place = self.place;
        self.place = self.place.wrapping_add(1);
        match next {
            Ok(None) => Ok(None),
            Ok(Some((cell, style))) => {
                let is_empty = matches!(cell.get_value(), DataRef::Empty);
                let is_unstored = is_empty && self.notes.is_unstored(place);
                let content = if is_unstored { Content::Unstored(cell) } else { Content::Cell(cell) };
                Ok(Some(Streamed { content, style }))
            }
            // The stream goes on behind the cell that it could not read.
            Err(XlsxError::CellError(_)) => match self.notes.odd_error(place) {
                Some(odd) => Ok(Some(Streamed { content: Content::Odd(odd), style: 0 })),
                None => Err(damaged("an error value that no program writes")),
            },
            Err(error) => Err(damage(&error)),
        }
    }
}

fn damaged(detail: impl Into<String>) -> ReadFault {
    ReadFault::Damaged { detail: detail.into() }
}

/// What calamine found, in the user's words.
fn damage(error: &XlsxError) -> ReadFault {
    match error {
        XlsxError::Io(error) => unpacking(error),
        XlsxError::Zip(error) => broken(error),
        XlsxError::Password => ReadFault::Password,
        XlsxError::Xml(quick_error) => match io_cause(quick_error) {
            Some(error) => unpacking(error),
            None => damaged("its XML is broken"),
        },
        XlsxError::XmlEof(_) => damaged("its XML ends too early"),
        XlsxError::FileNotFound(part) => damaged(format!("its part `{}` is missing", part.escape_debug())),
        XlsxError::RelationshipNotFound | XlsxError::WorksheetNotFound(_) => damaged("a sheet is missing in it"),
        XlsxError::Alphanumeric(_)
        | XlsxError::NumericColumn(_)
        | XlsxError::RangeWithoutColumnComponent
        | XlsxError::RangeWithoutRowComponent
        | XlsxError::ColumnNumberOverflow
        | XlsxError::RowNumberOverflow
        | XlsxError::DimensionCount(_) => damaged("a cell without a proper address"),
        XlsxError::ParseFloat(_) | XlsxError::ParseInt(_) => damaged("a number that is none"),
        XlsxError::Encoding(_) => damaged("text in an unknown encoding"),
        _ => damaged("its parts contradict each other"),
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
