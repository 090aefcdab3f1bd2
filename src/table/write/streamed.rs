//! Workbooks of up to a million rows a sheet, compressed on a second thread while they are made.
//!
//! [`WorkbookWriter`] writes all but the rows: the other sheets, and of a sheet of rows what stands before and behind
//! them. The rows are XML of our own, the same as the library writes for such cells, only faster. Both are put together
//! when the workbook is saved.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use hashbrown::HashMap;
use rust_xlsxwriter::Format;

use super::assembly::{SheetBody, assemble};
use super::sheet_rows::SheetRows;
use super::workbook::{HeaderCell, TableSheet, WorkbookWriter};
use super::xlsx::{CellFormats, CellMark, CellStyle, MAX_COLUMNS, MAX_ROWS, XlsxCell};
use super::{AtomicFile, ColumnType, WriteError};
use crate::table::{Cell, CellRef};

/// Writes a workbook. After an error it must not be used again.
pub(crate) struct StreamedWorkbook {
    /// None for standard output.
    path: Option<PathBuf>,
    /// The folder of the workbook, where its rows wait: the system's folder for temporary files may be in memory.
    folder: Option<PathBuf>,
    /// From 1 (fast) to 9 (small).
    level: u8,
    /// The workbook without its rows.
    writer: WorkbookWriter,
    numbers: FormatNumbers,
    /// The rows of the sheets that are closed, by the sheet's index.
    bodies: HashMap<usize, SheetBody>,
    pub(crate) limits: SheetLimits,
}

/// What a sheet holds at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SheetLimits {
    /// With the header.
    pub rows: u32,
    /// Bytes of XML.
    pub size: u64,
}

impl Default for SheetLimits {
    /// Excel opens no sheet near the size, and from twice as much on its checksum would be wrong.
    fn default() -> Self {
        Self { rows: MAX_ROWS, size: 2 << 30 }
    }
}

/// A sheet of a header and rows, which are written from the top.
pub(crate) struct StreamedSheet {
    pub table: TableSheet,
    /// Takes cells whose format is not one of a value: it is registered by the caller.
    pub rows: SheetRows,
    columns: Vec<ColumnFormat>,
}

/// A header, and the type of the cells below it where they share one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamedColumn<'a> {
    pub text: &'a str,
    pub format: &'a Format,
    pub column_type: Option<ColumnType>,
}

/// How the cells of a column look that have no format of their own.
#[derive(Debug, Clone, Copy)]
struct ColumnFormat {
    column_type: ColumnType,
    /// The number of the format, or 0.
    number: u32,
}

impl StreamedWorkbook {
    /// Begins a workbook for a file, or for standard output. Values are formatted by `formats`.
    pub(crate) fn new(file: Option<&AtomicFile>, formats: CellFormats, level: u8) -> Result<Self, WriteError> {
        let (path, folder) = (file.map(AtomicFile::path), file.map(AtomicFile::folder));
        let mut writer = WorkbookWriter::new(path.unwrap_or(Path::new("standard output")), folder)?;
        writer.set_compression(level);
        let (path, folder) = (path.map(Path::to_owned), folder.map(Path::to_owned));
        let numbers = FormatNumbers { formats, coded: HashMap::new(), styles: HashMap::new() };
        Ok(Self { path, folder, level, writer, numbers, bodies: HashMap::new(), limits: SheetLimits::default() })
    }

    /// The workbook without its rows: for other sheets, notes and properties. A format that is used here without being
    /// registered shifts the numbers of those registered later, so that no sheet of rows may come after it.
    pub(crate) fn writer(&mut self) -> &mut WorkbookWriter {
        &mut self.writer
    }

    /// What errors are about.
    pub(crate) fn path(&self) -> &Path {
        self.writer.path()
    }

    /// Adds a sheet with its header row, as far as a sheet has columns. They are at least `narrowest` characters wide.
    pub(crate) fn open_sheet(
        &mut self,
        wanted: &str,
        narrowest: usize,
        columns: &[StreamedColumn<'_>],
    ) -> Result<StreamedSheet, WriteError> {
        let Self { writer, numbers, level, folder, .. } = self;
        let columns = &columns[..columns.len().min(MAX_COLUMNS.into())];
        let header = columns.iter().map(|column| HeaderCell {
            text: column.text,
            format: column.format,
            column_format: column.column_type.map(|column_type| numbers.formats.of_column(column_type)),
        });
        let table = writer.add_table(wanted, narrowest, header)?;
        let columns = columns.iter().map(|column| match column.column_type {
            None => ColumnFormat::NONE,
            Some(column_type) => {
                let style = CellStyle::of_column(column_type);
                ColumnFormat { column_type, number: numbers.number(style, CellMark::Plain, writer) }
            }
        });
        let columns = columns.collect();
        let rows = SheetRows::new(*level, folder.as_deref()).map_err(|error| self.io_error(error))?;
        Ok(StreamedSheet { table, rows, columns })
    }

    /// Whether the sheet holds no more rows.
    pub(crate) fn is_full(&self, sheet: &StreamedSheet) -> bool {
        sheet.table.next_row >= self.limits.rows || sheet.rows.size() >= self.limits.size
    }

    /// Begins the next row; with a height, in pixels, if it is not as tall as a line.
    pub(crate) fn begin_row(&mut self, sheet: &mut StreamedSheet, height: Option<u32>) -> Result<(), WriteError> {
        let TableSheet { index, next_row, .. } = sheet.table;
        sheet.rows.begin(next_row + 1, height);
        match height {
            None => Ok(()),
            // For the notes, whose places depend on the heights. The rows that this adds are dropped on saving.
            Some(pixels) => {
                self.writer.edit_sheet(index, |sheet| sheet.set_row_height_pixels(next_row, pixels).map(drop))
            }
        }
    }

    /// Adds a cell to the current row, to the right of those before. Text never becomes a formula, and is written as far
    /// as a cell holds it. A marked cell is filled even if it is empty.
    pub(crate) fn cell(&mut self, sheet: &mut StreamedSheet, column: usize, cell: Cell<'_>, mark: CellMark) {
        let Self { writer, numbers, .. } = self;
        let StreamedSheet { rows, columns, .. } = sheet;
        let ColumnFormat { column_type, number } = columns.get(column).copied().unwrap_or(ColumnFormat::NONE);
        let (content, style) = numbers.formats.content(cell, column_type);
        let mut format = || if style.fits(column_type, mark) { number } else { numbers.number(style, mark, writer) };
        match content {
            XlsxCell::Text("") if mark == CellMark::Plain => {}
            XlsxCell::Text(text) => rows.text(column, format(), text),
            XlsxCell::Number(number) => rows.number(column, format(), number),
            XlsxCell::Boolean(boolean) => rows.boolean(column, format(), boolean),
            XlsxCell::Moment(moment) => rows.number(column, format(), moment.to_excel()),
        }
    }

    /// Ends the current row.
    pub(crate) fn end_row(&mut self, sheet: &mut StreamedSheet) -> Result<(), WriteError> {
        sheet.table.next_row += 1;
        sheet.rows.end().map_err(|error| self.io_error(error))
    }

    /// Ends a sheet, of which the first `frozen` columns stay in view.
    pub(crate) fn close_sheet(&mut self, sheet: StreamedSheet, frozen: u16) -> Result<TableSheet, WriteError> {
        let StreamedSheet { table, rows, columns } = sheet;
        self.writer.finish_table(&table, frozen)?;
        let width = columns.len().max(rows.width());
        let rows = rows.finish().map_err(|error| self.io_error(error))?;
        let last = CellRef { row: table.next_row.into(), column: width.saturating_sub(1) as u32 };
        self.bodies.insert(table.index, SheetBody { rows, range: format!("A1:{last}") });
        Ok(table)
    }

    /// Writes the workbook to its destination.
    pub(crate) fn save(self, output: impl Write) -> Result<(), WriteError> {
        let Self { path, level, writer, bodies, .. } = self;
        let workbook = writer.into_bytes()?;
        let output = BufWriter::with_capacity(1 << 18, output);
        assemble(&workbook, level, bodies, output).map_err(|error| WriteError::from_output(path.as_deref(), error))
    }

    fn io_error(&self, error: io::Error) -> WriteError {
        WriteError::from_io(self.path(), error)
    }
}

impl ColumnFormat {
    const NONE: Self = Self { column_type: ColumnType::Text, number: 0 };
}

/// The formats of cells, and the numbers by which cells refer to them.
struct FormatNumbers {
    formats: CellFormats,
    /// Of number formats of their own: by mark, in the order of [`CellMark`], as far as they have been used.
    coded: HashMap<String, [Option<u32>; 3]>,
    /// Of the other styles.
    styles: HashMap<(CellStyle<'static>, CellMark), u32>,
}

impl FormatNumbers {
    /// The number of a style's format in the workbook.
    fn number(&mut self, style: CellStyle<'_>, mark: CellMark, writer: &mut WorkbookWriter) -> u32 {
        let Self { formats, coded, styles } = self;
        match style.without_code() {
            Err(code) if formats.has_room_for(code) => *coded.entry_ref(code).or_default()[mark as usize]
                .get_or_insert_with(|| writer.register_format(formats.of_style(style, mark))),
            Err(_) => self.number(CellStyle::General, mark, writer),
            Ok(kept) => {
                *styles.entry((kept, mark)).or_insert_with(|| writer.register_format(formats.of_style(style, mark)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;
    use std::fs::File;
    use std::io::Read;
    use std::sync::Arc;

    use jiff::civil::date;
    use rust_xlsxwriter::{Color, FormatAlign, Note};

    use super::super::styles::{HEADER, header_format};
    use super::super::xlsx::{MarkFills, write_cell};
    use super::*;
    use crate::table::{Row, Value};

    /// Of the columns with a header, behind one for texts with a format of their own.
    const TYPES: [ColumnType; 4] = [ColumnType::Text, ColumnType::Money, ColumnType::Timestamp, ColumnType::Boolean];
    /// The last two have no header.
    const COLUMNS: u16 = 7;
    const MARKS: [CellMark; 3] = [CellMark::Plain, CellMark::Invalid, CellMark::Changed];

    /// Cells of every kind, with codes and without, and texts that have to be escaped, in every column.
    fn rows() -> Vec<Row> {
        let texts = [
            "007", " a ", "a\tb\n", "<&>\"'", "_x0041_", "_x41_", "_x0041_x0042_", "\u{1}\r\u{fffe}\u{feff}", "é_x",
            "", "two\nlines", "_", "https://example.com/", "\u{1F600}_x000", "x\u{1f}", "</row></sheetData>",
        ];
        let moment = date(2024, 5, 1).at(12, 34, 56, 789_000_000);
        let values = [
            ("12.50", Value::Number(12.5)),
            ("99999999999999.99", Value::Number(99_999_999_999_999.99)),
            ("1e300", Value::Number(1e300)),
            ("-0.1", Value::Number(-0.1)),
            ("TRUE", Value::Boolean(true)),
            ("2024-05-01", Value::Date(moment)),
            ("2024-05-01", Value::Date(date(2024, 5, 1).at(0, 0, 0, 0))),
            ("1850-01-01", Value::Date(date(1850, 1, 1).at(0, 0, 0, 0))),
        ];
        let too_long = format!("0{}", " ".repeat(255));
        let formats: Arc<[String]> = Arc::from(["[$EUR] #,##0.00".to_owned(), "0%".to_owned(), too_long]);
        let texts = texts.map(|text| (text, Value::Text));
        let row = |(place, (text, value)): (usize, (&str, Value))| {
            let mut row = Row::default();
            row.restart(1, &formats);
            (0..COLUMNS.into()).for_each(|column| row.push_formatted(text, value, ((place + column) % 4) as u16));
            row
        };
        texts.into_iter().chain(values).enumerate().map(row).collect()
    }

    /// Every fourth row is taller, but not the last one, whose height the library writes twice.
    fn height(row: u32) -> Option<u32> {
        (row % 4 == 1).then_some(20 + 10 * row)
    }

    /// A text in the first column, which may be empty.
    fn own_text(row: u32) -> Option<&'static str> {
        (!row.is_multiple_of(5)).then_some(if row.is_multiple_of(3) { "" } else { "created" })
    }

    fn mark(row: u32, column: u16) -> CellMark {
        MARKS[(row as usize / 4 + usize::from(column)) % MARKS.len()]
    }

    fn own_format() -> Format {
        Format::new().set_align(FormatAlign::Top).set_background_color(Color::Green)
    }

    fn write_note(writer: &mut WorkbookWriter, index: usize, row: u32) {
        if row.is_multiple_of(3) {
            writer.edit_sheet(index, |sheet| sheet.insert_note(row, 2, &Note::new("wrong")).map(drop)).unwrap();
        }
    }

    /// A sheet of the library's own.
    fn write_summary(writer: &mut WorkbookWriter) {
        let index = writer.add_sheet("Summary").unwrap();
        let bold = Format::new().set_bold();
        writer.edit_sheet(index, |sheet| sheet.write_string_with_format(0, 0, "Summary", &bold).map(drop)).unwrap();
    }

    fn headers(format: &Format) -> Vec<StreamedColumn<'_>> {
        let types = [None].into_iter().chain(TYPES.map(Some));
        types.map(|column_type| StreamedColumn { text: "header", format, column_type }).collect()
    }

    fn write_streamed(file: &File, formats: CellFormats, rows: &[Row]) {
        let mut workbook = StreamedWorkbook::new(None, formats, 1).unwrap();
        write_summary(workbook.writer());
        let (header, own) = (header_format(HEADER), workbook.writer().register_format(&own_format()));
        let mut sheet = workbook.open_sheet("rows", 8, &headers(&header)).unwrap();
        for row in rows {
            let next = sheet.table.next_row;
            workbook.begin_row(&mut sheet, height(next)).unwrap();
            own_text(next).into_iter().for_each(|text| sheet.rows.text(0, own, text));
            for column in 1..COLUMNS {
                workbook.cell(&mut sheet, column.into(), row.cell(column.into()), mark(next, column));
            }
            write_note(workbook.writer(), sheet.table.index, next);
            workbook.end_row(&mut sheet).unwrap();
        }
        workbook.close_sheet(sheet, 1).unwrap();
        write_summary(workbook.writer());
        workbook.save(file).unwrap();
    }

    fn write_by_library(file: &File, mut formats: CellFormats, rows: &[Row]) {
        let mut writer = WorkbookWriter::new(Path::new("theirs.xlsx"), None).unwrap();
        write_summary(&mut writer);
        let (header, own) = (header_format(HEADER), own_format());
        writer.register_format(&own);
        let header = headers(&header).into_iter().map(|column| HeaderCell {
            text: column.text,
            format: column.format,
            column_format: column.column_type.map(|column_type| formats.of_column(column_type)),
        });
        let mut table = writer.add_table("rows", 8, header).unwrap();
        for row in rows {
            let next = table.next_row;
            let write = |sheet: &mut rust_xlsxwriter::Worksheet| {
                if let Some(pixels) = height(next) {
                    sheet.set_row_height_pixels(next, pixels)?;
                }
                if let Some(text) = own_text(next) {
                    sheet.write_string_with_format(next, 0, text, &own)?;
                }
                (1..COLUMNS).try_for_each(|column| {
                    let column_type = TYPES.get(usize::from(column) - 1).copied().unwrap_or(ColumnType::Text);
                    let cell = row.cell(column.into());
                    write_cell(sheet, (next, column), cell, column_type, mark(next, column), &mut formats)
                })
            };
            writer.edit_sheet(table.index, write).unwrap();
            write_note(&mut writer, table.index, next);
            table.next_row += 1;
        }
        writer.finish_table(&table, 1).unwrap();
        write_summary(&mut writer);
        writer.save(file).unwrap();
    }

    /// The parts of a workbook as text, but those that say when it was made.
    fn parts(file: File) -> BTreeMap<String, String> {
        let mut archive = zip::ZipArchive::new(file).unwrap();
        let mut parts = BTreeMap::new();
        for index in 0..archive.len() {
            let mut part = archive.by_index(index).unwrap();
            let (name, mut text) = (part.name().unwrap().into_owned(), String::new());
            part.read_to_string(&mut text).unwrap();
            parts.insert(name, text);
        }
        parts.retain(|name, _| !name.starts_with("docProps/"));
        parts
    }

    #[test]
    fn a_workbook_is_what_the_library_would_write() {
        let marked = || CellFormats::new(MarkFills { invalid: Color::Red, changed: Color::Yellow });
        let ways: [fn() -> CellFormats; 2] = [marked, CellFormats::for_export];
        for formats in ways {
            let (ours, theirs) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
            write_streamed(&ours, formats(), &rows());
            write_by_library(&theirs, formats(), &rows());
            let (ours, theirs) = (parts(ours), parts(theirs));
            assert!(ours.keys().eq(theirs.keys()), "{:?} and {:?}", ours.keys(), theirs.keys());
            assert!(ours.contains_key("xl/comments1.xml") && ours.contains_key("xl/worksheets/sheet3.xml"));
            for (name, ours) in &ours {
                // By element, so that a failure is short.
                let differs = ours.split('<').zip(theirs[name].split('<')).find(|(ours, theirs)| ours != theirs);
                assert_eq!(differs, None, "{name}");
                assert_eq!(ours.len(), theirs[name].len(), "{name}");
            }
        }
    }

    #[test]
    fn every_row_is_there_once_whatever_its_height() {
        for rows in [0, 3] {
            let file = tempfile::tempfile().unwrap();
            let header = header_format(HEADER);
            let mut workbook = StreamedWorkbook::new(None, CellFormats::for_export(), 1).unwrap();
            let mut sheet = workbook.open_sheet("rows", 8, &headers(&header)).unwrap();
            for _ in 0..rows {
                workbook.begin_row(&mut sheet, Some(40)).unwrap();
                sheet.rows.text(0, 0, "a");
                workbook.end_row(&mut sheet).unwrap();
            }
            workbook.close_sheet(sheet, 0).unwrap();
            workbook.save(&file).unwrap();
            let sheet = &parts(file)["xl/worksheets/sheet1.xml"];
            let found: Vec<_> = sheet.split("<row ").skip(1).map(|row| row.split_once('>').unwrap().0).collect();
            let tall: Vec<_> = (0..rows).map(|row| format!(r#"r="{}" ht="30" customHeight="1""#, row + 2)).collect();
            assert_eq!(found[1..], tall);
            assert!(found[0].starts_with(r#"r="1" ht="#), "{}", found[0]);
        }
    }

    #[test]
    fn headers_beyond_the_last_column_are_left_out() {
        let (file, header) = (tempfile::tempfile().unwrap(), header_format(HEADER));
        let mut workbook = StreamedWorkbook::new(None, CellFormats::for_export(), 1).unwrap();
        let columns = vec![headers(&header)[1]; usize::from(MAX_COLUMNS) + 1];
        let sheet = workbook.open_sheet("rows", 8, &columns).unwrap();
        workbook.close_sheet(sheet, 0).unwrap();
        workbook.save(&file).unwrap();
        assert!(parts(file)["xl/worksheets/sheet1.xml"].contains(r#"<dimension ref="A1:XFD1"/>"#));
    }

    #[test]
    fn a_sheet_is_full_by_rows_or_by_size() {
        let formats = CellFormats::for_export();
        let mut workbook = StreamedWorkbook::new(None, formats, 1).unwrap();
        let mut sheet = workbook.open_sheet("rows", 8, &[]).unwrap();
        let mut rows_until_full = |limits| {
            workbook.limits = limits;
            let before = sheet.table.next_row;
            while !workbook.is_full(&sheet) {
                workbook.begin_row(&mut sheet, None).unwrap();
                sheet.rows.text(0, 0, &"x".repeat(1 << 16));
                workbook.end_row(&mut sheet).unwrap();
            }
            sheet.table.next_row - before
        };
        assert_eq!(rows_until_full(SheetLimits { rows: 3, ..SheetLimits::default() }), 2);
        assert!((1..20).contains(&rows_until_full(SheetLimits { size: 1 << 19, ..SheetLimits::default() })));
    }
}
