//! XLSX: a sheet per table, in constant memory however many rows there are.
//!
//! Types are real: dates and timestamps are Excel's own, amounts are numbers with their currency's format, ids and tags
//! are text and stay text when somebody edits them. No text ever becomes a formula. What a sheet cannot hold continues
//! in the next one (rows), is truncated and reported (text), or is refused (columns).

use rust_xlsxwriter::DocProperties;

use super::super::ColumnType;
use super::super::WriteError;
use super::super::streamed::{SheetLimits, StreamedColumn, StreamedSheet, StreamedWorkbook};
use super::super::styles::{HEADER, header_format};
use super::super::xlsx::{AMOUNT_FORMAT, CellFormats, CellMark, MAX_COLUMNS, truncate_to_cell, value_width};
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
    limits: SheetLimits,
}

/// The workbook that tables go to.
struct OutputBook {
    sink: Sink,
    workbook: StreamedWorkbook,
    sheet: Option<OutputSheet>,
    /// The tables in it and their numbers of rows.
    tables: Vec<(String, u64)>,
}

/// The sheet that rows go to.
struct OutputSheet {
    sheet: StreamedSheet,
    columns: Vec<OutputColumn>,
}

impl Workbooks {
    pub(super) fn new(files: OutputFiles, title: &str) -> Self {
        let report = OutputReport::default();
        Self { files, title: title.to_owned(), book: None, report, limits: SheetLimits::default() }
    }

    #[cfg(test)]
    pub(super) fn with_rows_per_sheet(self, rows_per_sheet: u32) -> Self {
        Self { limits: SheetLimits { rows: rows_per_sheet, ..self.limits }, ..self }
    }

    /// The workbook for the next table: the present one, or in a folder one of its own.
    fn book(&mut self, table: &str) -> Result<&mut OutputBook, WriteError> {
        if self.files.is_folder() {
            self.close_book()?;
        }
        let book = match self.book.take() {
            Some(book) => book,
            None => OutputBook::create(self.files.next(table)?, &self.title, self.limits)?,
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
            let (path, table) = (book.workbook.path().to_owned(), table.to_owned());
            return Err(WriteError::TooWide { path, table, columns: columns.len() });
        }
        book.tables.push((table.to_owned(), 0));
        book.open_sheet(columns.to_vec())
    }

    fn row(&mut self, row: &Row) -> Result<(), WriteError> {
        let Some(book) = &mut self.book else { return Err(WriteError::NoTable) };
        book.continue_if_full()?;
        book.row(row, &mut self.report)
    }

    fn finish(mut self: Box<Self>) -> Result<OutputReport, WriteError> {
        self.close_book()?;
        Ok(OutputReport { files: self.files.finish()?, ..self.report })
    }
}

impl OutputBook {
    fn create(sink: Sink, title: &str, limits: SheetLimits) -> Result<Self, WriteError> {
        let file = match &sink {
            Sink::File(file) => Some(file),
            Sink::Stream(_) => None,
        };
        let mut workbook = StreamedWorkbook::new(file, CellFormats::for_export(), COMPRESSION)?;
        workbook.limits = limits;
        workbook.writer().set_properties(&DocProperties::new().set_title(title).set_author("tallyport"));
        Ok(Self { sink, workbook, sheet: None, tables: Vec::new() })
    }

    /// Opens a sheet for the table begun last.
    fn open_sheet(&mut self, columns: Vec<OutputColumn>) -> Result<(), WriteError> {
        let format = header_format(HEADER);
        let headers = columns.iter().map(|column| StreamedColumn {
            text: &column.header,
            format: &format,
            column_type: Some(column.column_type),
        });
        let name = self.tables.last().map_or("", |(table, _)| table);
        let sheet = self.workbook.open_sheet(name, NARROWEST, &headers.collect::<Vec<_>>())?;
        self.sheet = Some(OutputSheet { sheet, columns });
        Ok(())
    }

    /// Ends the current sheet, if there is one.
    fn close_sheet(&mut self) -> Result<Option<Vec<OutputColumn>>, WriteError> {
        let Some(OutputSheet { sheet, columns }) = self.sheet.take() else { return Ok(None) };
        self.workbook.close_sheet(sheet, 0)?;
        Ok(Some(columns))
    }

    /// Continues in a new sheet when the current one is full.
    fn continue_if_full(&mut self) -> Result<(), WriteError> {
        if !self.sheet.as_ref().is_some_and(|current| self.workbook.is_full(&current.sheet)) {
            return Ok(());
        }
        match self.close_sheet()? {
            Some(columns) => self.open_sheet(columns),
            None => Ok(()),
        }
    }

    fn row(&mut self, row: &Row, report: &mut OutputReport) -> Result<(), WriteError> {
        let Self { workbook, sheet, tables, .. } = self;
        let (Some(OutputSheet { sheet, columns }), Some((_, count))) = (sheet, tables.last_mut()) else {
            return Err(WriteError::NoTable);
        };
        workbook.begin_row(sheet, None)?;
        for (place, column) in columns.iter().enumerate() {
            let cell = row.cell(place);
            workbook.cell(sheet, place, cell, CellMark::Plain);
            let table = &mut sheet.table;
            if truncate_to_cell(cell.text).len() < cell.text.len() {
                report.truncate(|| truncated_text(&table.name, (table.next_row, place), cell.text));
            }
            table.widths.observe_width(table.next_row, place, || width(cell, column.column_type));
        }
        *count += 1;
        workbook.end_row(sheet)
    }

    /// Writes the workbook to its destination.
    fn save(self) -> Result<Sink, WriteError> {
        let Self { mut sink, workbook, .. } = self;
        workbook.save(&mut sink)?;
        Ok(sink)
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
    use super::*;

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
