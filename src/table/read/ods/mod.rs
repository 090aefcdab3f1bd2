//! .ods: OpenDocument spreadsheets, read from the packed XML row by row.
//!
//! A few bytes of such a file can stand for a million rows of 16,384 cells, which must not all be written out before the
//! first is handed out. So the content is unpacked into memory once, its tables
//! are found ([`OdsSurvey`]), and rows are made one at a time ([`RowScan`]) and counted while they are handed out.
//!
//! How numbers are shown is said in styles ([`CellFormats`]), which become the format codes that .xlsx has
//! ([`NumberStyle`](number_style::NumberStyle)): what a number means is decided in one place for all formats. Only where a
//! style has no code does the text count that the file shows.

mod cell_formats;
mod cells;
mod digits;
mod locale;
mod number_style;
mod survey;

use std::ops::ControlFlow;

use super::damage::guarded;
use super::limits::{LONGEST_ROW, MOST_ROWS, Tally};
use super::number_format::NumberFormats;
use super::package::Package;
use super::row_builder::RowBuilder;
use super::serial_date::DateSystem;
use super::xml_scanner::{XmlScanner, XmlTag};
use super::{OnRow, SheetReader};
use crate::table::error::{LocatedFault, ReadFault};
use crate::table::input::ReopenableInput;
use crate::table::layout::SheetLayout;
use crate::table::sheet::Sheet;
use cell_formats::{CellFormats, StyleId, StyleSheet};
use cells::{Ended, RowScan};
use survey::{OdsSurvey, OdsTable};

/// An .ods file, its content in memory as XML.
pub(in crate::table) struct OdsFile {
    content: Vec<u8>,
    tally: Tally,
    formats: NumberFormats,
    cell_formats: CellFormats,
    system: DateSystem,
    tables: Vec<OdsTable>,
}

impl OdsFile {
    pub(in crate::table) fn open(source: ReopenableInput) -> Result<(OdsFile, Vec<Sheet>), ReadFault> {
        const CONTENT: &str = "content.xml";
        let mut package = Package::open(&source)?;
        if package.text("META-INF/manifest.xml")?.contains("encryption-data") {
            return Err(ReadFault::Password);
        }
        let part = package.find(CONTENT).ok_or_else(|| ReadFault::missing_part(CONTENT))?;
        let content = guarded(|| package.bytes(part))?;
        let OdsSurvey { tables, currencies, styles, system, .. } = OdsSurvey::take(&content, package.limits)?;
        if tables.is_empty() {
            return Err(ReadFault::NoSheets);
        }
        let system = system.unwrap_or(DateSystem::From1900);
        let (cell_formats, codes) = CellFormats::new(&common_styles(&mut package)?, &styles, currencies)?;
        let formats = NumberFormats::new(codes.iter().map(String::as_str), system)?;
        let sheet = |table: &OdsTable| Sheet { name: Some(table.name.clone()), visibility: table.visibility };
        let sheets = tables.iter().map(sheet).collect();
        let tally = Tally::new(package.limits);
        Ok((OdsFile { content, tally, formats, cell_formats, system, tables }, sheets))
    }
}

/// The styles that are not beside the content.
fn common_styles(package: &mut Package) -> Result<StyleSheet, ReadFault> {
    let mut styles = StyleSheet::default();
    let Some(part) = package.find("styles.xml") else { return Ok(styles) };
    let limits = package.limits;
    let mut scanner = package.xml(part)?;
    while let Some(tag) = scanner.next()? {
        styles.observe(&tag, limits)?;
    }
    Ok(styles)
}

impl SheetReader for OdsFile {
    fn each_row(&mut self, sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), LocatedFault> {
        let Some(table) = self.tables.get(sheet) else { return Ok(()) };
        let mut scanner = XmlScanner::keeping(&self.content[table.start..], LONGEST_ROW);
        self.tally.begin(sheet);
        let mut rows = RowBuilder::new(&mut self.formats, &mut self.tally);
        let cell_formats = &self.cell_formats;
        let columns: Vec<_> =
            table.column_styles.iter().map(|(end, style)| (*end, cell_formats.style(style))).collect();
        let styles = TableStyles { formats: cell_formats, columns: &columns, system: self.system };
        let mut scan = RowScan::default();
        while let Some(tag) = scanner.next()? {
            match scan.observe(&tag, cell_formats).map_err(|fault| fault.at(scan.number()))? {
                Ended::Table => break,
                Ended::Nothing => {}
                Ended::Row { .. } if scan.cells.is_empty() => {}
                Ended::Row { first, repeats } => {
                    for row in first..first + repeats {
                        if rows.begin_row(row as u32, on_row)? == ControlFlow::Break(()) {
                            return Ok(());
                        }
                        add_cells(&scan, &mut rows, &styles).map_err(|fault| fault.at(row + 1))?;
                    }
                }
            }
        }
        rows.finish(on_row)
    }

    fn layout(&mut self, sheet: usize) -> Result<SheetLayout, LocatedFault> {
        Ok(self.tables.get(sheet).map(|table| table.layout.clone()).unwrap_or_default())
    }
}

/// The styles of the cells of a table.
struct TableStyles<'a> {
    formats: &'a CellFormats,
    /// The styles of columns, each with the column behind its last one.
    columns: &'a [(u64, Option<StyleId>)],
    system: DateSystem,
}

impl TableStyles<'_> {
    fn column_style(&self, column: u32) -> Option<StyleId> {
        let at = self.columns.partition_point(|(end, _)| *end <= u64::from(column));
        self.columns.get(at).and_then(|(_, style)| *style)
    }
}

fn add_cells(scan: &RowScan, rows: &mut RowBuilder<'_>, styles: &TableStyles<'_>) -> Result<(), ReadFault> {
    for cell in &scan.cells {
        for column in cell.column..cell.column + cell.repeats {
            let style = cell.style.or(scan.row_style).or_else(|| styles.column_style(column));
            let format = styles.formats.format(style, cell.currency());
            let (content, style) = cell.content(format, styles.system);
            rows.add(column, content, style)?;
        }
    }
    Ok(())
}

/// How often a row or cell stands there; no more than a sheet has room for.
fn repeats(tag: &XmlTag<'_>, name: &str) -> u64 {
    tag.text_attribute(name).and_then(|count| count.trim().parse().ok()).unwrap_or(1).min(MOST_ROWS)
}
