//! Workbooks whose rows are written to disk as they come: memory stays flat however many there are.
//!
//! [`WorkbookWriter`] holds the workbook, and [`TableSheet`] a sheet of a header and rows below it. What the cells hold
//! and how they look is up to the caller. Workbooks that may have a million rows are written by
//! [`StreamedWorkbook`](super::streamed::StreamedWorkbook), which is faster.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use hashbrown::HashMap;
use rust_xlsxwriter::{DocProperties, Format, Workbook, Worksheet, XlsxError};

use super::sheet::{self, ColumnWidths};
use super::xlsx::{MAX_COLUMNS, truncate_to_cell};
use super::{SheetNames, WriteError, catch_write_panic};

/// Writes a workbook. After an error it must not be used again.
pub(crate) struct WorkbookWriter {
    /// What errors are about.
    path: PathBuf,
    workbook: Workbook,
    names: SheetNames,
    /// Those that [`WorkbookWriter::register_format`] has registered.
    formats: HashMap<Format, u32>,
}

impl WorkbookWriter {
    /// Begins a workbook for the file at `path`. Rows wait in `folder`, if given: the system's folder for temporary
    /// files may be in memory.
    pub(crate) fn new(path: &Path, folder: Option<&Path>) -> Result<Self, WriteError> {
        let (workbook, names) = (Workbook::new(), SheetNames::default());
        let mut writer = Self { path: path.to_owned(), workbook, names, formats: HashMap::new() };
        if let Some(folder) = folder {
            writer.edit(|workbook| workbook.set_tempdir(folder).map(drop))?;
        }
        Ok(writer)
    }

    /// What errors are about.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Sets how hard the file is compressed, from 1 (fast) to 9 (small); the default is 6.
    pub(crate) fn set_compression(&mut self, level: u8) {
        self.workbook.set_zip_compression_level(level);
    }

    pub(crate) fn set_properties(&mut self, properties: &DocProperties) {
        self.workbook.set_properties(properties);
    }

    /// Adds a sheet that is kept in memory until the workbook is saved, and returns its index.
    pub(crate) fn add_sheet(&mut self, wanted: &str) -> Result<usize, WriteError> {
        let (index, name) = (self.workbook.worksheets().len(), self.names.claim(wanted));
        self.edit(|workbook| workbook.add_worksheet().set_name(name).map(drop))?;
        Ok(index)
    }

    /// Adds a sheet whose rows are written to disk as they come, with its header row, whose formats are registered.
    /// Columns are at least `narrowest` characters wide.
    pub(crate) fn add_table<'a>(
        &mut self,
        wanted: &str,
        narrowest: usize,
        header: impl IntoIterator<Item = HeaderCell<'a>>,
    ) -> Result<TableSheet, WriteError> {
        let (index, name) = (self.workbook.worksheets().len(), self.names.claim(wanted));
        let header: Vec<_> = header.into_iter().take(MAX_COLUMNS.into()).collect();
        for format in header.iter().flat_map(|cell| cell.column_format.into_iter().chain([cell.format])) {
            self.register_format(format);
        }
        let widths = self.edit(|workbook| {
            let sheet = workbook.add_worksheet_with_constant_memory()?;
            sheet.set_name(&name)?;
            write_header(sheet, narrowest, &header)
        })?;
        Ok(TableSheet { index, name, next_row: 1, widths })
    }

    /// Works on a sheet.
    pub(crate) fn edit_sheet<T>(
        &mut self,
        index: usize,
        work: impl FnOnce(&mut Worksheet) -> Result<T, XlsxError>,
    ) -> Result<T, WriteError> {
        self.edit(|workbook| workbook.worksheet_from_index(index).and_then(work))
    }

    /// Works on the workbook itself.
    pub(crate) fn edit<T>(
        &mut self,
        work: impl FnOnce(&mut Workbook) -> Result<T, XlsxError>,
    ) -> Result<T, WriteError> {
        catch_write_panic(&self.path, || work(&mut self.workbook))
    }

    /// Ends a table: widths, filter, panes and page. Its first `frozen` columns stay in view.
    pub(crate) fn finish_table(&mut self, table: &TableSheet, frozen: u16) -> Result<(), WriteError> {
        self.edit_sheet(table.index, |sheet| {
            if table.next_row == 1 {
                // The library writes the last row twice if it has a height. This moves on to a row without cells.
                sheet.write_number(1, 0, 0)?.clear_cell(1, 0);
            }
            table.widths.set(sheet)?;
            sheet::apply_layout(sheet, table.next_row - 1, table.widths.last_column(), frozen)
        })
    }

    /// The number by which cells refer to a format. It is right if every format so far was registered before it was used.
    pub(crate) fn register_format(&mut self, format: &Format) -> u32 {
        // The first format of a workbook is the default.
        let next = self.formats.len() as u32 + 1;
        *self.formats.entry_ref(format).or_insert_with(|| {
            self.workbook.register_format(format);
            next
        })
    }

    /// The workbook as a file in memory.
    pub(super) fn into_bytes(mut self) -> Result<Vec<u8>, WriteError> {
        self.edit(Workbook::save_to_buffer)
    }

    /// Writes the workbook to `file`.
    pub(crate) fn save(mut self, file: &File) -> Result<(), WriteError> {
        self.edit(|workbook| workbook.save_to_writer(BufWriter::with_capacity(1 << 18, file)))
    }
}

/// A header, and the format of the cells below it where they share one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeaderCell<'a> {
    pub text: &'a str,
    pub format: &'a Format,
    pub column_format: Option<&'a Format>,
}

/// A sheet of a header and rows, which are written from the top.
#[derive(Debug)]
pub(crate) struct TableSheet {
    /// Its position in the workbook.
    pub index: usize,
    /// As on its tab.
    pub name: String,
    /// The row to write next, from 0 with the header.
    pub next_row: u32,
    pub widths: ColumnWidths,
}

fn write_header(sheet: &mut Worksheet, narrowest: usize, header: &[HeaderCell<'_>]) -> Result<ColumnWidths, XlsxError> {
    let mut widths = ColumnWidths::new(narrowest);
    for (column, cell) in (0..).zip(header) {
        if let Some(format) = cell.column_format {
            sheet.set_column_format(column, format)?;
        }
        let text = truncate_to_cell(cell.text);
        sheet.write_string_with_format(0, column, text, cell.format)?;
        widths.add(text);
    }
    sheet::set_header_height(sheet)?;
    Ok(widths)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::{Cursor, Read};

    use super::super::styles::{HEADER, header_format};
    use super::*;

    #[test]
    fn a_table_without_rows_has_its_header_once() {
        let mut writer = WorkbookWriter::new(Path::new("test.xlsx"), None).unwrap();
        let format = header_format(HEADER);
        let header = ["name", "email"].map(|text| HeaderCell { text, format: &format, column_format: None });
        let table = writer.add_table("employees", 8, header).unwrap();
        writer.finish_table(&table, 0).unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(writer.into_bytes().unwrap())).unwrap();
        let mut xml = String::new();
        archive.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_string(&mut xml).unwrap();
        assert_eq!(xml.matches("<row r=\"1\"").count(), 1, "{xml}");
        assert_eq!(xml.matches("<c ").count(), 2, "{xml}");
    }
}
