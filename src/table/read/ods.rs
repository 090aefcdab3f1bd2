//! .ods: OpenDocument spreadsheets, through calamine.
//!
//! calamine keeps all cells in memory, writes repeated cells and rows out, and reads on forever where a part ends too
//! early. A look at the part's tags, to its very end, comes before. Numbers are shown in the General format: calamine
//! gives their value, and neither the text that the user sees nor its format.

use std::io::{BufReader, Read};

use calamine::{Data, Ods, OdsError, Range, Reader};

use super::biff::MOST_CELLS;
use super::guard::guarded;
use super::package::{Package, broken, unpacking};
use super::shown::{DateSystem, Formats};
use super::tags::{Kind, Tag, Tags};
use super::xls::each_row_of;
use super::{OnRow, SheetReader};
use crate::table::error::{FaultAt, ReadFault};
use crate::table::input::Source;
use crate::table::workbook::Sheet;

/// Repeated text is written out; this much of it is refused.
const MOST_TEXT: u64 = 1024 * 1024 * 1024;
/// No table is nested deeper.
const DEEPEST: usize = 256;

/// An .ods file, all of it in memory.
pub(in crate::table) struct OdsFile {
    formats: Formats,
    tabs: Vec<Tab>,
}

struct Tab {
    cells: Range<Data>,
    /// Formulas without a stored result, row and column from 0, in order.
    unevaluated: Vec<(u32, u32)>,
}

impl OdsFile {
    pub(in crate::table) fn open(source: Source) -> Result<(OdsFile, Vec<Sheet>), ReadFault> {
        let mut package = Package::open(&source)?;
        if package.text("META-INF/manifest.xml")?.contains("encryption-data") {
            return Err(ReadFault::Password);
        }
        for part in ["META-INF/manifest.xml", "content.xml"] {
            let missing = ReadFault::Damaged { detail: format!("its part `{part}` is missing") };
            check(Tags::new(package.part(part)?.ok_or(missing)?))?;
        }
        drop(package);
        let file = BufReader::new(source.open()?);
        let mut book: Ods<_> = guarded(|| Ods::new(file).map_err(|error| damage(&error)))?;
        let (mut tabs, mut sheets) = (Vec::new(), Vec::new());
        for sheet in book.sheets_metadata().to_vec() {
            let mut read = || -> Result<Tab, OdsError> {
                let cells = book.worksheet_range(&sheet.name)?;
                let formulas = book.worksheet_formula(&sheet.name)?;
                Ok(Tab { unevaluated: unevaluated(&cells, &formulas), cells })
            };
            tabs.push(guarded(|| read().map_err(|error| damage(&error)))?);
            sheets.push(Sheet::new(&sheet.name, sheet.visible));
        }
        if tabs.is_empty() {
            return Err(ReadFault::NoSheets);
        }
        let formats = Formats::new(std::iter::empty(), DateSystem::From1900);
        Ok((OdsFile { formats, tabs }, sheets))
    }
}

fn unevaluated(cells: &Range<Data>, formulas: &Range<String>) -> Vec<(u32, u32)> {
    let Some((first_row, first_column)) = formulas.start() else { return Vec::new() };
    let position = |(row, column, _): (usize, usize, &String)| (first_row + row as u32, first_column + column as u32);
    let has_no_value = |at: &(u32, u32)| cells.get_value(*at).is_none_or(|value| *value == Data::Empty);
    formulas.used_cells().map(position).filter(has_no_value).collect()
}

impl SheetReader for OdsFile {
    fn each_row(&mut self, sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), FaultAt> {
        let Some(tab) = self.tabs.get(sheet) else { return Ok(()) };
        let is_unevaluated = |row, column| tab.unevaluated.binary_search(&(row, column)).is_ok();
        each_row_of(&tab.cells, &mut self.formats, |_, _| 0, is_unevaluated, on_row)
    }
}

/// Goes through a part: every element is closed, and its tables are of a size that memory can hold.
fn check(mut tags: Tags<impl Read>) -> Result<(), ReadFault> {
    let mut open: Vec<Box<[u8]>> = Vec::new();
    let mut extent = Extent::default();
    let mut has_root = false;
    while let Some(tag) = tags.next()? {
        extent.take(&tag)?;
        match tag.kind {
            Kind::Open if open.len() < DEEPEST => open.push(tag.full_name.into()),
            Kind::Close if open.last().is_some_and(|name| **name == *tag.full_name) => {
                open.pop();
                has_root = true;
            }
            Kind::Whole => {}
            _ => return Err(ReadFault::Damaged { detail: "its XML is broken".into() }),
        }
    }
    if open.is_empty() && has_root { Ok(()) } else { Err(ReadFault::Truncated) }
}

/// How much calamine makes of the tables.
#[derive(Debug, Default)]
struct Extent {
    /// Cells and text of all tables.
    cells: u64,
    text: u64,
    table: TableExtent,
    row_repeats: u64,
    /// Columns of the row at hand, up to its last cell and up to its last one with a value.
    columns: u64,
    filled: u64,
    cell_repeats: u64,
}

#[derive(Debug, Default, Clone, Copy)]
struct TableExtent {
    rows: u64,
    first: Option<u64>,
    last: u64,
    columns: u64,
}

impl Extent {
    fn take(&mut self, tag: &Tag<'_>) -> Result<(), ReadFault> {
        match (tag.name, tag.kind) {
            (b"table", Kind::Open) => self.table = TableExtent::default(),
            (b"table", Kind::Close) => self.end_table(),
            (b"table-row", Kind::Open | Kind::Whole) => {
                self.row_repeats = repeats(tag, "number-rows-repeated");
                (self.columns, self.filled) = (0, 0);
                if tag.kind == Kind::Whole {
                    self.end_row();
                }
            }
            (b"table-row", Kind::Close) => self.end_row(),
            (b"table-cell" | b"covered-table-cell", Kind::Open | Kind::Whole) => self.take_cell(tag),
            _ => self.text += tag.text_len as u64 * self.cell_repeats * self.row_repeats.max(1),
        }
        if self.cells > MOST_CELLS {
            return Err(ReadFault::TooLarge { what: "its sheets span more than 20 million cells" });
        }
        if self.text > MOST_TEXT { Err(ReadFault::Bloated) } else { Ok(()) }
    }

    fn take_cell(&mut self, tag: &Tag<'_>) {
        self.cell_repeats = repeats(tag, "number-columns-repeated");
        self.columns += self.cell_repeats;
        let has_value = tag.attribute("value-type").is_some() || tag.attribute("formula").is_some();
        if !has_value {
            self.cell_repeats = 0;
            return;
        }
        // What calamine holds before it writes repeated rows out.
        self.cells += self.columns - self.filled;
        self.filled = self.columns;
        let attributes = ["string-value", "formula"].iter().filter_map(|name| tag.attribute(name));
        let text: usize = attributes.map(<[u8]>::len).sum();
        self.text += text as u64 * self.cell_repeats * self.row_repeats.max(1);
    }

    fn end_row(&mut self) {
        let table = &mut self.table;
        if self.filled > 0 {
            table.first.get_or_insert(table.rows);
            table.last = table.rows + self.row_repeats;
            table.columns = table.columns.max(self.filled);
        }
        table.rows += self.row_repeats;
        self.cell_repeats = 0;
    }

    fn end_table(&mut self) {
        if let Some(first) = self.table.first {
            self.cells += (self.table.last - first) * self.table.columns;
        }
        self.table = TableExtent::default();
    }
}

/// How often a row or cell stands there; no more than a sheet has room for, as calamine caps it.
fn repeats(tag: &Tag<'_>, name: &str) -> u64 {
    const MOST: u64 = 1_048_576;
    tag.text_attribute(name).and_then(|count| count.trim().parse().ok()).unwrap_or(1).min(MOST)
}

/// What calamine found, in the user's words.
fn damage(error: &OdsError) -> ReadFault {
    let damaged = |detail: &str| ReadFault::Damaged { detail: detail.into() };
    match error {
        OdsError::Io(error) => unpacking(error),
        OdsError::Zip(error) => broken(error),
        OdsError::Password => ReadFault::Password,
        OdsError::CellLimitExceeded { .. } => {
            ReadFault::TooLarge { what: "its sheets span more than 20 million cells" }
        }
        OdsError::FileNotFound(part) => ReadFault::Damaged { detail: format!("its part `{part}` is missing") },
        OdsError::Eof(_) => damaged("its XML ends too early"),
        OdsError::Xml(_) | OdsError::XmlAttr(_) | OdsError::AttrError(_) => damaged("its XML is broken"),
        OdsError::ParseInt(_) | OdsError::ParseFloat(_) | OdsError::ParseBool(_) => damaged("a number that is none"),
        _ => damaged("its parts contradict each other"),
    }
}
