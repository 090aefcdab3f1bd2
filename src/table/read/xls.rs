//! .xls: OLE compound files of Excel 5 to 2003, through calamine.
//!
//! calamine trusts the container's chains of sectors, and a damaged one makes it allocate without end. So the cfb crate
//! opens the file, which checks them, and calamine gets the workbook stream in a new container. All cells of all sheets
//! are in memory.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Write};
use std::ops::ControlFlow;

use calamine::{Data, Range, Reader, SheetType, Xls, XlsError};
use cfb::{CompoundFile, Version};

use super::biff::{self, StyledCell};
use super::damage::guarded;
use super::number_format::NumberFormats;
use super::row_builder::{CellContent, RowBuilder};
use super::serial_date::DateSystem;
use super::{OnRow, SheetReader};
use crate::table::error::{LocatedFault, ReadFault};
use crate::table::input::ReopenableInput;
use crate::table::layout::SheetLayout;
use crate::table::sheet::Sheet;

/// An .xls file, all of it in memory.
pub(in crate::table) struct XlsFile {
    formats: NumberFormats,
    tabs: Vec<XlsTab>,
}

struct XlsTab {
    cells: Range<Data>,
    styles: Vec<StyledCell>,
    layout: SheetLayout,
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
        let (name, mut stream) = guarded(|| workbook_stream(&source))?;
        let scan = biff::pre_scan(&mut stream)?;
        let container = guarded(|| new_container(name, &stream))?;
        drop(stream);
        let mut book = guarded(|| Xls::new(container).map_err(|error| damage(&error)))?;
        let system = if book.has_1904_epoch() { DateSystem::From1904 } else { DateSystem::From1900 };
        let formats = NumberFormats::new(scan.codes.iter().map(String::as_str), system);
        let (mut tabs, mut sheets) = (Vec::new(), Vec::new());
        let scanned = scan.styles.into_iter().zip(scan.layouts);
        for (sheet, (styles, layout)) in book.sheets_metadata().to_vec().into_iter().zip(scanned) {
            if sheet.typ != SheetType::WorkSheet {
                continue;
            }
            let cells = guarded(|| book.worksheet_range(&sheet.name).map_err(|error| damage(&error)))?;
            sheets.push(Sheet::new(&sheet.name, sheet.visible));
            tabs.push(XlsTab { cells, styles, layout });
        }
        if tabs.is_empty() {
            return Err(ReadFault::NoSheets);
        }
        Ok((XlsFile { formats, tabs }, sheets))
    }
}

/// The stream that holds the workbook, and its name.
fn workbook_stream(source: &ReopenableInput) -> Result<(&'static str, Vec<u8>), ReadFault> {
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
    Ok((name, stream))
}

fn has(container: &CompoundFile<BufReader<File>>, name: &str) -> bool {
    container.is_stream(format!("/{name}"))
}

fn foreign(container: &CompoundFile<BufReader<File>>) -> ReadFault {
    let known = DOCUMENTS.iter().find(|(name, _)| has(container, name));
    ReadFault::Foreign {
        what: known.map_or("an Office file of another kind", |(_, what)| *what),
        hint: "copy its table into a spreadsheet and save that as .xlsx",
    }
}

/// A sound container with nothing but the workbook in it.
fn new_container(name: &str, stream: &[u8]) -> Result<Cursor<Vec<u8>>, ReadFault> {
    let memory = Cursor::new(Vec::with_capacity(stream.len() + stream.len() / 8));
    // calamine takes a container of version 4 without a small stream for an empty one.
    let mut container = CompoundFile::create_with_version(Version::V3, memory)?;
    container.create_stream(format!("/{name}"))?.write_all(stream)?;
    container.flush()?;
    let mut memory = container.into_inner();
    memory.set_position(0);
    Ok(memory)
}

impl SheetReader for XlsFile {
    fn each_row(&mut self, sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), LocatedFault> {
        let Some(tab) = self.tabs.get(sheet) else { return Ok(()) };
        let mut styles = tab.styles.iter().peekable();
        let hold = |row, column, value| {
            let (at, content) = ((row, column), CellContent::from(value));
            if !matches!(content, CellContent::Number(..)) {
                return (content, 0);
            }
            while styles.next_if(|styled| (u32::from(styled.row), u32::from(styled.column)) < at).is_some() {}
            let styled = styles.peek().filter(|styled| (u32::from(styled.row), u32::from(styled.column)) == at);
            (content, styled.map_or(usize::MAX, |styled| usize::from(styled.style)))
        };
        each_row_of(&tab.cells, &mut self.formats, hold, on_row)
    }

    fn layout(&mut self, sheet: usize) -> Result<SheetLayout, LocatedFault> {
        Ok(self.tabs.get(sheet).map(|tab| tab.layout.clone()).unwrap_or_default())
    }
}

/// Streams a range of cells; `hold` gives what a cell holds and its style, by row and column from 0, in order.
pub(super) fn each_row_of<'a>(
    cells: &'a Range<Data>,
    formats: &mut NumberFormats,
    mut hold: impl FnMut(u32, u32, &'a Data) -> (CellContent<'a>, usize),
    on_row: &mut OnRow<'_>,
) -> Result<(), LocatedFault> {
    let Some((first_row, first_column)) = cells.start() else { return Ok(()) };
    let mut rows = RowBuilder::new(formats);
    for (row, values) in (first_row..).zip(cells.rows()) {
        if rows.begin_row(row, on_row) == ControlFlow::Break(()) {
            return Ok(());
        }
        let mut add_all = || {
            (first_column..).zip(values).try_for_each(|(column, value)| {
                let (content, style) = hold(row, column, value);
                rows.add(column, content, style)
            })
        };
        guarded(&mut add_all).map_err(|fault| fault.at(u64::from(row) + 1))?;
    }
    rows.finish(on_row);
    Ok(())
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

/// What calamine found, in the user's words.
fn damage(error: &XlsError) -> ReadFault {
    match error {
        XlsError::Password => ReadFault::Password,
        XlsError::Len { .. } | XlsError::ContinueRecordTooShort | XlsError::EoStream(_) => {
            ReadFault::damaged("a record in it is too short")
        }
        XlsError::Unrecognized { .. } => ReadFault::damaged("a record in it makes no sense"),
        XlsError::Cfb(_) => ReadFault::damaged("its text is in an unknown code page"),
        _ => ReadFault::damaged("its parts contradict each other"),
    }
}
