//! XLSX: a sheet per table, in constant memory however many rows there are.
//!
//! Types are real: dates and timestamps are Excel's own, amounts are numbers with their currency's format, ids and tags
//! are text and stay text when somebody edits them. No text ever becomes a formula. What a sheet cannot hold continues
//! in the next one (rows), is truncated and reported (text), or is refused (columns).

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use hashbrown::HashMap;
use rust_xlsxwriter::DocProperties;

use super::super::assembly::{SheetBody, assemble};
use super::super::sheet_rows::SheetRows;
use super::super::styles::{HEADER, header_format};
use super::super::workbook::{HeaderCell, TableSheet, WorkbookWriter};
use super::super::xlsx::{
    AMOUNT_FORMAT, CellFormats, CellStyle, MAX_COLUMNS, MAX_ROWS, XlsxCell, truncate_to_cell, value_width,
};
use super::super::{ColumnType, WriteError};
use super::output_files::{OutputFiles, Sink};
use super::table_writer::{OutputColumn, OutputReport, TableWriter, TruncatedText};
use crate::table::{Cell, CellRef, Row, Value};

/// The lowest level: exports are large, soon replaced, and waited for.
const COMPRESSION: u8 = 1;
/// In characters.
const NARROWEST: usize = 8;

pub(super) struct Workbooks {
    book: Option<OutputBook>,
    files: OutputFiles,
    title: String,
    report: OutputReport,
    /// [`MAX_ROWS`]; less in tests.
    rows_per_sheet: u32,
}

/// The workbook that tables go to.
struct OutputBook {
    /// What errors are about.
    path: PathBuf,
    sink: Sink,
    /// The workbook without its rows, which are written apart.
    writer: WorkbookWriter,
    formats: FormatNumbers,
    sheet: Option<OutputSheet>,
    /// The rows of the sheets before that one.
    bodies: Vec<SheetBody>,
    /// The tables in it and their numbers of rows.
    tables: Vec<(String, u64)>,
}

/// The sheet that rows go to.
struct OutputSheet {
    table: TableSheet,
    columns: Vec<OutputColumn>,
    rows: SheetRows,
}

/// The formats of cells, and the numbers by which cells refer to them.
struct FormatNumbers {
    formats: CellFormats,
    /// Of number formats of their own.
    coded: HashMap<String, u32>,
    /// Of the other styles.
    styles: HashMap<CellStyle<'static>, u32>,
}

impl Workbooks {
    pub(super) fn new(files: OutputFiles, title: &str) -> Self {
        let report = OutputReport::default();
        Self { files, title: title.to_owned(), book: None, report, rows_per_sheet: MAX_ROWS }
    }

    #[cfg(test)]
    pub(super) fn with_rows_per_sheet(self, rows_per_sheet: u32) -> Self {
        Self { rows_per_sheet, ..self }
    }

    /// The workbook for the next table: the present one, or in a folder one of its own.
    fn book(&mut self, table: &str) -> Result<&mut OutputBook, WriteError> {
        if self.files.is_folder() {
            self.close_book()?;
        }
        let book = match self.book.take() {
            Some(book) => book,
            None => OutputBook::create(self.files.next(table)?, &self.title)?,
        };
        Ok(self.book.insert(book))
    }

    fn close_book(&mut self) -> Result<(), WriteError> {
        let Some(mut book) = self.book.take() else { return Ok(()) };
        book.close_sheet()?;
        let tables = std::mem::take(&mut book.tables);
        self.files.add(book.save()?, tables)
    }
}

impl TableWriter for Workbooks {
    fn begin(&mut self, table: &str, columns: &[OutputColumn]) -> Result<(), WriteError> {
        let book = self.book(table)?;
        book.close_sheet()?;
        if columns.len() > usize::from(MAX_COLUMNS) {
            let (path, table) = (book.path.clone(), table.to_owned());
            return Err(WriteError::TooWide { path, table, columns: columns.len() });
        }
        book.tables.push((table.to_owned(), 0));
        book.open_sheet(columns.to_vec())
    }

    fn row(&mut self, row: &Row) -> Result<(), WriteError> {
        let Some(book) = &mut self.book else { return Err(WriteError::NoTable) };
        book.continue_if_full(self.rows_per_sheet)?;
        book.row(row, &mut self.report)
    }

    fn finish(mut self: Box<Self>) -> Result<OutputReport, WriteError> {
        self.close_book()?;
        Ok(OutputReport { files: self.files.finish()?, ..self.report })
    }
}

impl OutputBook {
    fn create(sink: Sink, title: &str) -> Result<Self, WriteError> {
        let path = sink.path().unwrap_or(Path::new("standard output")).to_owned();
        let mut writer = WorkbookWriter::new(&path, folder(&sink))?;
        writer.set_compression(COMPRESSION);
        writer.set_properties(&DocProperties::new().set_title(title).set_author("tallyport"));
        let formats = FormatNumbers::new();
        Ok(Self { path, sink, writer, formats, sheet: None, bodies: Vec::new(), tables: Vec::new() })
    }

    /// Opens a sheet for the table begun last.
    fn open_sheet(&mut self, columns: Vec<OutputColumn>) -> Result<(), WriteError> {
        let format = header_format(HEADER);
        self.writer.register_format(&format);
        for column in &columns {
            self.formats.number(CellStyle::of_column(column.column_type), &mut self.writer);
        }
        let header = columns.iter().map(|column| HeaderCell {
            text: &column.header,
            format: &format,
            column_format: Some(self.formats.formats.of_column(column.column_type)),
        });
        let name = self.tables.last().map_or("", |(table, _)| table);
        let table = self.writer.add_table(name, NARROWEST, header)?;
        let rows = SheetRows::new(columns.len(), COMPRESSION, folder(&self.sink));
        let rows = rows.map_err(|error| WriteError::from_io(&self.path, error))?;
        self.sheet = Some(OutputSheet { table, columns, rows });
        Ok(())
    }

    /// Ends the current sheet, if there is one.
    fn close_sheet(&mut self) -> Result<Option<Vec<OutputColumn>>, WriteError> {
        let Some(OutputSheet { table, columns, rows }) = self.sheet.take() else { return Ok(None) };
        self.writer.finish_table(&table, 0)?;
        let rows = rows.finish().map_err(|error| WriteError::from_io(&self.path, error))?;
        let last = CellRef { row: table.next_row.into(), column: columns.len().saturating_sub(1) as u32 };
        self.bodies.push(SheetBody { rows, range: format!("A1:{last}") });
        Ok(Some(columns))
    }

    /// Continues in a new sheet when the current one is full.
    fn continue_if_full(&mut self, rows_per_sheet: u32) -> Result<(), WriteError> {
        let is_full = |sheet: &OutputSheet| sheet.table.next_row >= rows_per_sheet || sheet.rows.is_full();
        if !self.sheet.as_ref().is_some_and(is_full) {
            return Ok(());
        }
        match self.close_sheet()? {
            Some(columns) => self.open_sheet(columns),
            None => Ok(()),
        }
    }

    fn row(&mut self, row: &Row, report: &mut OutputReport) -> Result<(), WriteError> {
        let Self { writer, formats, sheet, tables, .. } = self;
        let (Some(OutputSheet { table, columns, rows }), Some((_, count))) = (&mut *sheet, tables.last_mut()) else {
            return Err(WriteError::NoTable);
        };
        rows.begin(table.next_row + 1);
        for (place, column) in columns.iter().enumerate() {
            let (cell, at) = (row.cell(place), (table.next_row, place));
            let (content, style) = formats.formats.content(cell, column.column_type);
            let mut format = || formats.number(style, writer);
            match content {
                XlsxCell::Text("") => {}
                XlsxCell::Text(text) => rows.text(place, format(), text),
                XlsxCell::Number(number) => rows.number(place, format(), number),
                XlsxCell::Boolean(boolean) => rows.boolean(place, format(), boolean),
                XlsxCell::Moment(moment) => rows.number(place, format(), moment.to_excel()),
            }
            if truncate_to_cell(cell.text).len() < cell.text.len() {
                report.truncate(|| truncated_text(&table.name, at, cell.text));
            }
            table.widths.observe_width(table.next_row, place, || width(cell, column.column_type));
        }
        table.next_row += 1;
        *count += 1;
        match rows.end() {
            Ok(()) => Ok(()),
            // Closing the sheet says why.
            Err(error) => self.close_sheet().and(Err(WriteError::from_io(&self.path, error))),
        }
    }

    /// Writes the workbook to its destination.
    fn save(self) -> Result<Sink, WriteError> {
        let Self { mut sink, writer, bodies, .. } = self;
        let workbook = writer.into_bytes()?;
        let output = BufWriter::with_capacity(1 << 18, &mut sink);
        let assembled = assemble(&workbook, COMPRESSION, bodies, output);
        assembled.map_err(|error| WriteError::from_output(sink.path(), error))?;
        Ok(sink)
    }
}

/// The folder of the workbook, where its rows wait: the system's folder for temporary files may be in memory.
fn folder(sink: &Sink) -> Option<&Path> {
    match sink {
        Sink::File(file) => Some(file.folder()),
        Sink::Stream(_) => None,
    }
}

impl FormatNumbers {
    fn new() -> Self {
        Self { formats: CellFormats::for_export(), coded: HashMap::new(), styles: HashMap::new() }
    }

    /// The number of a style's format in the workbook.
    fn number(&mut self, style: CellStyle<'_>, writer: &mut WorkbookWriter) -> u32 {
        let known = match style {
            CellStyle::Coded(code) => self.coded.get(code),
            style => self.styles.get(&style),
        };
        if let Some(number) = known {
            return *number;
        }
        let number = writer.register_format(self.formats.of_style(style));
        match style.without_code() {
            Ok(style) => self.styles.insert(style, number),
            Err(code) => self.coded.insert(code.to_owned(), number),
        };
        number
    }
}

fn truncated_text(sheet: &str, (row, column): (u32, usize), text: &str) -> TruncatedText {
    let at = CellRef { row: u64::from(row) + 1, column: column as u32 };
    TruncatedText { sheet: sheet.to_owned(), at, characters: text.chars().count() }
}

/// The width of a cell: an amount is longer than its text by the currency and the thousands separators.
fn width(cell: Cell<'_>, column_type: ColumnType) -> usize {
    match (cell.value, cell.format) {
        (Value::Number(number), Some(code)) => amount_width(number, code),
        (Value::Number(number), None) if column_type == ColumnType::Money => amount_width(number, AMOUNT_FORMAT),
        _ => value_width(cell),
    }
}

fn amount_width(number: f64, code: &str) -> usize {
    let code = code.split(';').next().unwrap_or_default();
    let decimals = code.rsplit_once('.').map_or(0, |(_, decimals)| decimals.matches('0').count() + 1);
    let currency = code.chars().filter(|char| !"[]$#,0.\"\\".contains(*char)).count();
    let whole = format!("{:.0}", number.trunc()).len();
    currency + whole + whole / 3 + decimals
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs::File;
    use std::io::Read;
    use std::sync::Arc;

    use jiff::civil::date;

    use super::super::super::xlsx::{CellMark, write_cell};
    use super::super::table_writer::OutputTarget;
    use super::*;

    const TYPES: [ColumnType; 4] = [ColumnType::Text, ColumnType::Money, ColumnType::Timestamp, ColumnType::Boolean];

    /// Cells of every kind in columns of several types, and texts that have to be escaped.
    fn rows() -> Vec<Row> {
        let texts = [
            "007", " a ", "a\tb\n", "<&>\"'", "_x0041_", "_x41_", "_x0041_x0042_", "\u{1}\r\u{fffe}\u{feff}", "é_x",
            "", "two\nlines", "_", "https://example.com/", "\u{1F600}_x000", "x\u{1f}",
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
        let formats: Arc<[String]> = Arc::from(["[$EUR] #,##0.00".to_owned(), "0%".to_owned()]);
        let texts = texts.map(|text| (text, Value::Text));
        let row = |(place, (text, value)): (usize, (&str, Value))| {
            let mut row = Row::default();
            row.restart(1, &formats);
            (0..TYPES.len()).for_each(|column| row.push_formatted(text, value, ((place + column) % 3) as u16));
            row
        };
        texts.into_iter().chain(values).enumerate().map(row).collect()
    }

    fn sheet_xml(path: &Path) -> String {
        let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
        let mut xml = String::new();
        archive.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_string(&mut xml).unwrap();
        xml
    }

    #[test]
    fn a_sheet_without_rows_has_its_header_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty.xlsx");
        let files = OutputFiles::open(&OutputTarget::File(path.clone()), "xlsx").unwrap();
        let mut output = Box::new(Workbooks::new(files, ""));
        output.begin("t", &[OutputColumn { header: String::from("a"), column_type: ColumnType::Text }]).unwrap();
        output.finish().unwrap();
        assert_eq!(sheet_xml(&path).matches("<row ").count(), 1);
    }

    #[test]
    fn a_sheet_is_what_the_library_would_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ours.xlsx");
        let headers = ["a", "b", "c", "d"].into_iter().zip(TYPES);
        let columns: Vec<_> =
            headers.map(|(header, column_type)| OutputColumn { header: header.to_owned(), column_type }).collect();
        let files = OutputFiles::open(&OutputTarget::File(path.clone()), "xlsx").unwrap();
        let mut output = Box::new(Workbooks::new(files, ""));
        output.begin("t", &columns).unwrap();
        rows().iter().for_each(|row| output.row(row).unwrap());
        output.finish().unwrap();

        let theirs = folder.path().join("theirs.xlsx");
        let (mut writer, mut formats) = (WorkbookWriter::new(&theirs, None).unwrap(), CellFormats::for_export());
        let format = header_format(HEADER);
        writer.register_format(&format);
        for column_type in TYPES {
            writer.register_format(formats.of_column(column_type));
        }
        let header = columns.iter().map(|column| HeaderCell {
            text: &column.header,
            format: &format,
            column_format: Some(formats.of_column(column.column_type)),
        });
        let mut table = writer.add_table("t", NARROWEST, header).unwrap();
        for row in rows() {
            for (place, column_type) in (0..).zip(TYPES) {
                let (cell, at) = (row.cell(usize::from(place)), (table.next_row, place));
                let write = |sheet: &mut _| write_cell(sheet, at, cell, column_type, CellMark::Plain, &mut formats);
                writer.edit_sheet(table.index, write).unwrap();
                table.widths.observe_width(at.0, usize::from(place), || width(cell, column_type));
            }
            table.next_row += 1;
        }
        writer.finish_table(&table, 0).unwrap();
        writer.save(&File::create(&theirs).unwrap()).unwrap();
        assert_eq!(sheet_xml(&path), sheet_xml(&theirs));
    }

    #[test]
    fn amounts_have_room_for_their_currency() {
        for (number, code, shown) in [
            (1299.5, "[$EUR] #,##0.00", "EUR 1,299.50"),
            (-1_234_567.0, "[$JPY] #,##0", "JPY -1,234,567"),
            (0.5, "#,##0.00;[Red]-#,##0.00", "0.50"),
        ] {
            assert!(amount_width(number, code) >= shown.len(), "{shown}");
            assert!(amount_width(number, code) <= shown.len() + 2, "{shown}");
        }
    }
}
