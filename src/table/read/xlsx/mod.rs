//! .xlsx and .xlsm: workbooks of XML parts in a zip container.
//!
//! What the whole workbook has in common, its sheets, styles and shared texts, is read when it is opened ([`Book`],
//! [`shared_strings`]), within [`Limits`](super::limits::Limits). The part of a sheet is read whenever its rows or its
//! layout are asked for, both times by [`SheetScan`]; number formats are applied by [`NumberFormats`].

mod address;
mod book;
mod plain_cell;
mod rich_text;
pub(crate) mod saved_by;
mod shared_strings;
mod sheet_scan;

use std::ops::ControlFlow;

use super::damage::guarded;
use super::limits::Tally;
use super::number_format::NumberFormats;
use super::package::Package;
use super::row_builder::RowBuilder;
use super::shared_strings::SharedStrings;
use super::{OnRow, SheetReader};
use crate::table::error::{LocatedFault, ReadFault};
use crate::table::input::ReopenableInput;
use crate::table::layout::SheetLayout;
use crate::table::sheet::Sheet;
use book::{Book, BookSheet, totals_rows};
use shared_strings::shared_strings;
use sheet_scan::{CellKind, SheetItem, SheetScan};

/// An .xlsx file with its shared strings in memory.
pub(in crate::table) struct XlsxFile {
    source: ReopenableInput,
    package: Package,
    strings: SharedStrings,
    formats: NumberFormats,
    tally: Tally,
    tabs: Vec<XlsxTab>,
}

/// One worksheet.
struct XlsxTab {
    /// The name of its part.
    part: String,
    layout: Option<SheetLayout>,
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
            tabs.push(XlsxTab { part, layout: None });
        }
        let tally = Tally::new(package.limits);
        Ok((XlsxFile { source, package, strings, formats, tally, tabs }, sheets))
    }
}

impl SheetReader for XlsxFile {
    fn layout(&mut self, sheet: usize) -> Result<SheetLayout, LocatedFault> {
        let XlsxFile { source, package, tabs, .. } = self;
        let Some(tab) = tabs.get_mut(sheet) else { return Ok(SheetLayout::default()) };
        if let Some(layout) = &tab.layout {
            return Ok(layout.clone());
        }
        source.check_unchanged()?;
        Ok(tab.layout.insert(layout_of(package, &tab.part)?).clone())
    }

    fn each_row(&mut self, sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), LocatedFault> {
        let XlsxFile { source, package, strings, formats, tally, tabs } = self;
        let Some(tab) = tabs.get(sheet) else { return Ok(()) };
        source.check_unchanged()?;
        tally.begin(sheet);
        let part = package.find(&tab.part).ok_or_else(|| ReadFault::missing_part(&tab.part))?;
        let limits = package.limits;
        package.scan_part(part, |xml| {
            let mut sheet = SheetScan::new(xml, limits);
            let mut rows = RowBuilder::new(formats, tally);
            // What takes the rows runs outside of the guard: its panic is its own.
            let mut next = |rows: &mut RowBuilder<'_>| {
                guarded(|| sheet.fill_row(strings, rows)).map_err(|fault: ReadFault| fault.at(rows.number().max(1)))
            };
            while let Some(row) = next(&mut rows)? {
                if rows.begin_row(row, on_row)? == ControlFlow::Break(()) {
                    return Ok(());
                }
            }
            rows.finish(on_row)
        })
    }
}

/// What a sheet, by the name of its part, keeps beside its cells.
fn layout_of(package: &mut Package, name: &str) -> Result<SheetLayout, ReadFault> {
    let part = package.find(name).ok_or_else(|| ReadFault::missing_part(name))?;
    let limits = package.limits;
    let mut layout = package.scan_part(part, |xml| {
        let mut layout = SheetLayout::default();
        let mut sheet = SheetScan::new(xml, limits);
        while let Some(item) = sheet.next_beside_cells()? {
            match item {
                SheetItem::Cell(_) => {}
                SheetItem::HiddenRow(row) => layout.hide(row, row),
                SheetItem::Merged(cells) => layout.merge(cells),
            }
        }
        Ok::<_, ReadFault>(layout)
    })?;
    totals_rows(package, name)?.into_iter().for_each(|row| layout.add_totals_row(row));
    Ok(layout)
}
