//! Records that are about to be deleted, as a workbook that an import can bring back.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use rust_xlsxwriter::{Color, DocProperties, Workbook, Worksheet, XlsxError};

use super::names::Names;
use super::{Columns, value};
use crate::api::RawFields;
use crate::catalog::Record;
use crate::schema::Entity;
use crate::table::Row;
use crate::table::write::sheet::{ColumnWidths, HEADER, apply_layout, header_format, set_header_height};
use crate::table::write::xlsx::{
    CellFormats, CellMark, LONGEST_TEXT, MAX_COLUMNS, MAX_ROWS, truncate_to_cell, write_cell,
};
use crate::table::write::{AtomicFile, WriteError, catch_write_panic};

/// In characters.
const NARROWEST: usize = 8;
/// What an import does not read.
const TOLD: Color = Color::RGB(0x7F7F7F);

/// Why records could not be backed up.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A file is there, and may be all that is left of other records.
    #[error("the backup would overwrite `{}`", path.display())]
    Taken { path: PathBuf },
    /// More than a sheet can hold.
    #[error("a backup sheet holds {} records, and {records} are to be deleted", MAX_ROWS - 1)]
    TooMany { records: usize },
    /// The columns of a sheet do not suffice.
    #[error("a backup sheet holds {MAX_COLUMNS} columns, and the records have {columns} fields")]
    TooWide { columns: usize },
    /// A cell cannot hold it, and a backup that is not whole is none.
    #[error("record #{id} has a text in `{header}` that is longer than a cell can hold ({LONGEST_TEXT} characters)")]
    TooLong { id: i64, header: String },
}

impl BackupError {
    /// What to do now.
    pub fn hint(&self) -> Option<String> {
        match self {
            BackupError::Write(error) => error.hint(),
            BackupError::Taken { .. } => Some(String::from("name another file with --backup, or move that one away")),
            BackupError::TooMany { .. } => Some(String::from("split the sheet, and delete in several runs")),
            BackupError::TooWide { .. } | BackupError::TooLong { .. } => {
                Some(String::from("delete these records on the service's own pages, or leave the row out"))
            }
        }
    }
}

/// A backup in the making: whole on disk, or not there.
#[derive(Debug)]
pub struct Backup {
    whole: AtomicFile,
}

impl Backup {
    /// Begins the file.
    ///
    /// # Errors
    /// Where a file is there already, or none can be written.
    pub fn create(path: &Path) -> Result<Self, BackupError> {
        match path.exists() {
            true => Err(BackupError::Taken { path: path.to_path_buf() }),
            false => Ok(Self { whole: AtomicFile::create(path)? }),
        }
    }

    /// Writes the records and puts the file in its place. `names` knows the collections they refer to.
    ///
    /// # Errors
    /// Where the file cannot hold every value of every record.
    pub fn write(self, entity: &'static Entity, records: &[&Record], names: &Names) -> Result<PathBuf, BackupError> {
        let columns = Columns::backup(entity, records.iter().copied());
        see_limits(&columns, records, names)?;
        let Self { whole } = self;
        catch_write_panic(whole.path(), || {
            let mut workbook = Workbook::new();
            workbook.set_tempdir(whole.folder())?;
            let about = DocProperties::new().set_title(format!("Backup of {}", entity.name)).set_author("tallyport");
            workbook.set_properties(&about);
            let sheet = workbook.add_worksheet_with_constant_memory();
            fill(sheet?, entity, &columns, records, names)?;
            workbook.save_to_writer(BufWriter::with_capacity(1 << 18, whole.as_file()))
        })?;
        Ok(whole.commit()?)
    }
}

fn see_limits(columns: &Columns, records: &[&Record], names: &Names) -> Result<(), BackupError> {
    if records.len() >= MAX_ROWS as usize {
        return Err(BackupError::TooMany { records: records.len() });
    }
    let width = columns.headers().count();
    if width > usize::from(MAX_COLUMNS) {
        return Err(BackupError::TooWide { columns: width });
    }
    let mut row = Row::default();
    for record in records {
        fill_row(columns, record, names, 0, &mut row);
        let too_long = |text: &str| truncate_to_cell(text).len() < text.len();
        if let Some((_, header)) = row.cells().zip(columns.headers()).find(|(cell, _)| too_long(cell.text)) {
            let id = record.get("id").and_then(serde_json::Value::as_i64).unwrap_or_default();
            return Err(BackupError::TooLong { id, header: header.to_owned() });
        }
    }
    Ok(())
}

fn fill(
    sheet: &mut Worksheet,
    entity: &Entity,
    columns: &Columns,
    records: &[&Record],
    names: &Names,
) -> Result<(), XlsxError> {
    sheet.set_name(entity.name)?;
    let mut formats = CellFormats::new(Color::White);
    let mut widths = write_header(sheet, columns, &formats)?;
    let mut row = Row::default();
    for (number, record) in (1..).zip(records) {
        fill_row(columns, record, names, u64::from(number) + 1, &mut row);
        for (place, cell) in (0..).zip(row.cells()) {
            write_cell(sheet, (number, place), cell, CellMark::Plain, &mut formats)?;
            widths.observe(number, usize::from(place), cell);
        }
    }
    widths.set(sheet)?;
    apply_layout(sheet, records.len() as u32, widths.last_column(), 0)
}

fn fill_row(columns: &Columns, record: &Record, names: &Names, number: u64, row: &mut Row) {
    row.restart(number, value::formats());
    // Taken apart from its text, as every record of an export is.
    let json = serde_json::Value::Object(record.clone()).to_string();
    if let Some(fields) = RawFields::of(&json) {
        columns.fill(&fields, names, row);
    }
}

/// The headers, and the columns' formats; gives the headers' widths.
fn write_header(sheet: &mut Worksheet, columns: &Columns, formats: &CellFormats) -> Result<ColumnWidths, XlsxError> {
    let (read, told) = (header_format(HEADER), header_format(TOLD));
    let mut widths = ColumnWidths::new(NARROWEST);
    for (place, (text, part)) in (0..).zip(columns.headers_with_part()) {
        sheet.set_column_format(place, formats.text_column())?;
        let format = match part {
            super::Part::Read => &read,
            super::Part::Told => &told,
        };
        sheet.write_string_with_format(0, place, text, format)?;
        widths.add(text);
    }
    set_header_height(sheet)?;
    Ok(widths)
}
