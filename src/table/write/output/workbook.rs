//! XLSX: a sheet a table, in constant memory however many rows there are.
//!
//! Types are real: dates and moments are Excel's own, amounts are numbers with their currency's format, ids and tags
//! are texts and stay texts when somebody edits them. No text ever becomes a formula. What a sheet cannot hold goes on
//! in the next (rows), is cut and told (texts), or is refused (columns).

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use hashbrown::HashMap;
use rust_xlsxwriter::{DocProperties, Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::super::sheet::{ColumnWidths, HEADER, apply_layout, header_format, set_header_height};
use super::super::xlsx::{
    DATE_FORMAT, MAX_COLUMNS, MAX_ROWS, TIMESTAMP_FORMAT, excel_moment, truncate_to_cell, value_width,
};
use super::super::{SheetNames, WriteError, catch_write_panic};
use super::output_files::{OutputFiles, Sink, refused};
use super::{ColumnType, OutputColumn, OutputOptions, OutputReport, TableWriter, TruncatedText};
use crate::table::{Cell, CellRef, Row, Value};

/// The lowest level: exports are large, soon replaced, and waited for.
const COMPRESSION: u8 = 1;
/// In characters.
const NARROWEST: usize = 8;
/// An amount whose currency is not told.
const AMOUNT_FORMAT: &str = "#,##0.00";
/// Excel shows a truth as one whatever the format; LibreOffice shows it as a number, and writes this format itself.
const TRUTH_FORMAT: &str = r#""TRUE";"TRUE";"FALSE""#;
/// Number formats kept apart; amounts in more currencies than that have the plain format.
const MAX_FORMATS: usize = 1_000;

pub(super) struct Workbooks {
    book: Option<OutputBook>,
    files: OutputFiles,
    title: String,
    told: OutputReport,
    /// [`MAX_ROWS`]; less in tests.
    rows_per_sheet: u32,
}

/// The workbook that tables go to.
struct OutputBook {
    /// What errors are about.
    path: PathBuf,
    sink: Sink,
    workbook: Workbook,
    names: SheetNames,
    formats: OutputFormats,
    sheet: Option<OutputSheet>,
    /// The tables in it, with the rows of each.
    tables: Vec<(String, u64)>,
}

/// The sheet that rows go to.
struct OutputSheet {
    /// Its position in the workbook.
    index: usize,
    name: String,
    columns: Vec<OutputColumn>,
    next_row: u32,
    widths: ColumnWidths,
}

impl Workbooks {
    pub(super) fn new(files: OutputFiles, style: &OutputOptions) -> Self {
        let told = OutputReport::default();
        Self { files, title: style.title.clone(), book: None, told, rows_per_sheet: MAX_ROWS }
    }

    #[cfg(test)]
    pub(super) fn with_rows_per_sheet(self, rows_per_sheet: u32) -> Self {
        Self { rows_per_sheet, ..self }
    }

    /// The workbook for the next table: the present one, or one of its own in a folder.
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
        book.row(row, &mut self.told)
    }

    fn finish(mut self: Box<Self>) -> Result<OutputReport, WriteError> {
        self.close_book()?;
        Ok(OutputReport { files: self.files.finish()?, ..self.told })
    }
}

impl OutputBook {
    fn create(sink: Sink, title: &str) -> Result<Self, WriteError> {
        let path = sink.path().unwrap_or(Path::new("standard output")).to_owned();
        let mut workbook = Workbook::new();
        if let Sink::File(whole) = &sink {
            // The rows wait beside the file, not in the system's folder for temporary files, which may be memory.
            catch_write_panic(&path, || workbook.set_tempdir(whole.folder()).map(drop))?;
        }
        workbook.set_zip_compression_level(COMPRESSION);
        workbook.set_properties(&DocProperties::new().set_title(title).set_author("tallyport"));
        let (names, formats) = (SheetNames::default(), OutputFormats::new());
        Ok(Self { path, sink, workbook, names, formats, sheet: None, tables: Vec::new() })
    }

    /// Opens a sheet for the table begun last.
    fn open_sheet(&mut self, columns: Vec<OutputColumn>) -> Result<(), WriteError> {
        let Self { path, workbook, names, formats, tables, sheet, .. } = self;
        let name = names.claim(tables.last().map_or("", |(table, _)| table));
        let index = workbook.worksheets().len();
        let widths = catch_write_panic(path, || {
            let worksheet = workbook.add_worksheet_with_constant_memory()?;
            worksheet.set_name(&name)?;
            write_header(worksheet, &columns, formats)
        })?;
        *sheet = Some(OutputSheet { index, name, columns, next_row: 1, widths });
        Ok(())
    }

    /// Ends the current sheet, if there is one.
    fn close_sheet(&mut self) -> Result<Option<OutputSheet>, WriteError> {
        let Some(sheet) = self.sheet.take() else { return Ok(None) };
        catch_write_panic(&self.path, || {
            let worksheet = self.workbook.worksheet_from_index(sheet.index)?;
            sheet.widths.set(worksheet)?;
            apply_layout(worksheet, sheet.next_row - 1, sheet.widths.last_column(), 0)
        })?;
        Ok(Some(sheet))
    }

    /// A sheet holds only so many rows; the rest go to another one.
    fn continue_if_full(&mut self, rows_per_sheet: u32) -> Result<(), WriteError> {
        if self.sheet.as_ref().is_none_or(|sheet| sheet.next_row < rows_per_sheet) {
            return Ok(());
        }
        match self.close_sheet()? {
            Some(full) => self.open_sheet(full.columns),
            None => Ok(()),
        }
    }

    fn row(&mut self, row: &Row, told: &mut OutputReport) -> Result<(), WriteError> {
        let Self { path, workbook, formats, sheet, tables, .. } = self;
        let (Some(sheet), Some((_, rows))) = (sheet, tables.last_mut()) else { return Err(WriteError::NoTable) };
        catch_write_panic(path, || {
            let worksheet = workbook.worksheet_from_index(sheet.index)?;
            for (place, column) in (0..MAX_COLUMNS).zip(&sheet.columns) {
                let cell = row.cell(usize::from(place));
                let at = (sheet.next_row, place);
                put(worksheet, at, cell, column.column_type, formats, |text| {
                    told.truncate(|| sheet_clipped(&sheet.name, at, text))
                })?;
                sheet.widths.observe_width(sheet.next_row, usize::from(place), || width(cell, column.column_type));
            }
            Ok(())
        })?;
        sheet.next_row += 1;
        *rows += 1;
        Ok(())
    }

    /// Writes the workbook to where it goes.
    fn save(self) -> Result<Sink, WriteError> {
        let Self { path, mut sink, mut workbook, .. } = self;
        if let Sink::File(whole) = &sink {
            catch_write_panic(&path, || workbook.save_to_writer(BufWriter::with_capacity(1 << 18, whole.as_file())))?;
            return Ok(sink);
        }
        // A workbook is not written from its beginning to its end, and a stream is.
        let mut file = tempfile::tempfile().map_err(|error| WriteError::from_io(&path, error))?;
        catch_write_panic(&path, || workbook.save_to_writer(BufWriter::with_capacity(1 << 18, &file)))?;
        pour(&mut file, &mut sink).map_err(|error| refused(None, error))?;
        Ok(sink)
    }
}

fn pour(file: &mut File, sink: &mut Sink) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    io::copy(file, sink)?;
    sink.flush()
}

/// The header row, and the columns' formats; gives the headers' widths.
fn write_header(
    sheet: &mut Worksheet,
    columns: &[OutputColumn],
    formats: &OutputFormats,
) -> Result<ColumnWidths, XlsxError> {
    let format = header_format(HEADER);
    let mut widths = ColumnWidths::new(NARROWEST);
    for (place, column) in (0..MAX_COLUMNS).zip(columns) {
        sheet.set_column_format(place, formats.of_column(column.column_type))?;
        let header = truncate_to_cell(&column.header);
        sheet.write_string_with_format(0, place, header, &format)?;
        widths.add(header);
    }
    set_header_height(sheet)?;
    Ok(widths)
}

fn sheet_clipped(sheet: &str, (row, column): (u32, u16), text: &str) -> TruncatedText {
    let at = CellRef { row: u64::from(row) + 1, column: u32::from(column) };
    TruncatedText { sheet: sheet.to_owned(), at, characters: text.chars().count() }
}

/// The formats of an output's cells, each made once.
struct OutputFormats {
    text: Format,
    /// A text of several lines, as when a person types one.
    lines: Format,
    general: Format,
    truth: Format,
    day: Format,
    moment: Format,
    amount: Format,
    coded: HashMap<String, Format>,
}

impl OutputFormats {
    fn new() -> Self {
        let coded = |code: &str| base().set_num_format(code);
        Self {
            text: coded("@"),
            lines: coded("@").set_text_wrap(),
            general: base(),
            truth: coded(TRUTH_FORMAT),
            day: coded(DATE_FORMAT),
            moment: coded(TIMESTAMP_FORMAT),
            amount: coded(AMOUNT_FORMAT),
            coded: HashMap::new(),
        }
    }

    /// The format that most cells of a column have; they need not be given it one by one.
    fn of_column(&self, column_type: ColumnType) -> &Format {
        match column_type {
            ColumnType::Text | ColumnType::Json => &self.text,
            ColumnType::Integer | ColumnType::Number => &self.general,
            ColumnType::Boolean => &self.truth,
            ColumnType::Money => &self.amount,
            ColumnType::Date => &self.day,
            ColumnType::Timestamp => &self.moment,
        }
    }

    /// The format of a number with a format code of its own.
    fn coded(&mut self, code: &str) -> &Format {
        if self.coded.len() >= MAX_FORMATS && !self.coded.contains_key(code) {
            return &self.amount;
        }
        self.coded.entry_ref(code).or_insert_with(|| base().set_num_format(code))
    }
}

/// Texts of several lines make rows tall; values stay at the top beside them.
fn base() -> Format {
    Format::new().set_align(FormatAlign::Top)
}

/// How wide a cell stands: an amount is longer than its text by the currency and by what parts the thousands.
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
    let told = code.chars().filter(|char| !"[]$#,0.\"\\".contains(*char)).count();
    let whole = format!("{:.0}", number.trunc()).len();
    told + whole + whole / 3 + decimals
}

/// Writes a cell. Where its column's format fits, none is looked up. A text that had to be cut goes to `clip`.
fn put(
    sheet: &mut Worksheet,
    (row, place): (u32, u16),
    cell: Cell<'_>,
    column_type: ColumnType,
    formats: &mut OutputFormats,
    clip: impl FnOnce(&str),
) -> Result<(), XlsxError> {
    match cell.value {
        Value::Number(number) if number.is_finite() => match (cell.format, column_type) {
            (Some(code), _) => sheet.write_number_with_format(row, place, number, formats.coded(code))?,
            (None, ColumnType::Money | ColumnType::Integer | ColumnType::Number) => {
                sheet.write_number(row, place, number)?
            }
            (None, _) => sheet.write_number_with_format(row, place, number, &formats.general)?,
        },
        Value::Boolean(truth) if column_type == ColumnType::Boolean => sheet.write_boolean(row, place, truth)?,
        Value::Boolean(truth) => sheet.write_boolean_with_format(row, place, truth, &formats.truth)?,
        Value::Date(moment) => {
            let is_day = moment.time() == jiff::civil::Time::midnight();
            match (excel_moment(moment), column_type) {
                (None, _) => return put_text(sheet, (row, place), cell.text, column_type, formats, clip),
                (Some(excel), ColumnType::Timestamp) => sheet.write_datetime(row, place, excel)?,
                (Some(excel), ColumnType::Date) if is_day => sheet.write_datetime(row, place, excel)?,
                (Some(excel), _) if is_day => sheet.write_datetime_with_format(row, place, excel, &formats.day)?,
                (Some(excel), _) => sheet.write_datetime_with_format(row, place, excel, &formats.moment)?,
            }
        }
        _ => return put_text(sheet, (row, place), cell.text, column_type, formats, clip),
    };
    Ok(())
}

fn put_text(
    sheet: &mut Worksheet,
    (row, place): (u32, u16),
    text: &str,
    column_type: ColumnType,
    formats: &OutputFormats,
    clip: impl FnOnce(&str),
) -> Result<(), XlsxError> {
    let kept = truncate_to_cell(text);
    if kept.len() < text.len() {
        clip(text);
    }
    match column_type {
        _ if kept.is_empty() => {}
        _ if kept.contains('\n') => _ = sheet.write_string_with_format(row, place, kept, &formats.lines)?,
        ColumnType::Text | ColumnType::Json => _ = sheet.write_string(row, place, kept)?,
        // What is typed over it later is a value of the column's kind again; the text itself stays one.
        _ => _ = sheet.write_string_with_format(row, place, kept, &formats.text)?,
    }
    Ok(())
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
