//! .ods: OpenDocument spreadsheets, read from the packed XML row by row.
//!
//! A few bytes of such a file can stand for a million rows of 16,384 cells, which must not all be written out before the
//! first is handed out. So the content is unpacked into memory once, its tables
//! are found ([`OdsSurvey`]), and rows are made one at a time ([`RowScan`]) and counted while they are handed out.

mod cells;
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
use cells::{Ended, RowScan};
use survey::{OdsSurvey, OdsTable};

/// An .ods file, its content in memory as XML.
pub(in crate::table) struct OdsFile {
    content: Vec<u8>,
    tally: Tally,
    formats: NumberFormats,
    currencies: Vec<String>,
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
        let OdsSurvey { tables, currencies, .. } = OdsSurvey::take(&content, package.limits)?;
        if tables.is_empty() {
            return Err(ReadFault::NoSheets);
        }
        let codes: Vec<String> = currencies.iter().map(|code| format!("[${code}]0")).collect();
        // The first style is that of cells without a currency.
        let codes = std::iter::once("General").chain(codes.iter().map(String::as_str));
        let formats = NumberFormats::new(codes, DateSystem::From1900)?;
        let sheet = |table: &OdsTable| Sheet { name: Some(table.name.clone()), visibility: table.visibility };
        let sheets = tables.iter().map(sheet).collect();
        Ok((OdsFile { content, tally: Tally::new(package.limits), formats, currencies, tables }, sheets))
    }
}

impl SheetReader for OdsFile {
    fn each_row(&mut self, sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), LocatedFault> {
        let Some(table) = self.tables.get(sheet) else { return Ok(()) };
        let mut scanner = XmlScanner::keeping(&self.content[table.start..], LONGEST_ROW);
        self.tally.begin(sheet);
        let mut rows = RowBuilder::new(&mut self.formats, &mut self.tally);
        let mut scan = RowScan::default();
        while let Some(tag) = scanner.next()? {
            match scan.observe(&tag, &self.currencies).map_err(|fault| fault.at(scan.number()))? {
                Ended::Table => break,
                Ended::Nothing => {}
                Ended::Row { .. } if scan.cells.is_empty() => {}
                Ended::Row { first, repeats } => {
                    for row in first..first + repeats {
                        if rows.begin_row(row as u32, on_row)? == ControlFlow::Break(()) {
                            return Ok(());
                        }
                        add_cells(&scan, &mut rows).map_err(|fault| fault.at(row + 1))?;
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

fn add_cells(scan: &RowScan, rows: &mut RowBuilder<'_>) -> Result<(), ReadFault> {
    for cell in &scan.cells {
        for column in cell.column..cell.column + cell.repeats {
            rows.add(column, cell.content(), 0)?;
        }
    }
    Ok(())
}

/// How often a row or cell stands there; no more than a sheet has room for.
fn repeats(tag: &XmlTag<'_>, name: &str) -> u64 {
    tag.text_attribute(name).and_then(|count| count.trim().parse().ok()).unwrap_or(1).min(MOST_ROWS)
}
