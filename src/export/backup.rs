//! Backup of records before a delete: a workbook that an import can restore.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use rust_xlsxwriter::{Color, DocProperties, Workbook, Worksheet, XlsxError};

use super::columns::{ExportColumns, ImportRole};
use super::names::ReferenceNames;
use super::value;
use crate::api::RawFields;
use crate::catalog::Record;
use crate::error::Diagnostic;
use crate::schema::Entity;
use crate::table::Row;
use crate::table::write::sheet::{ColumnWidths, HEADER, apply_layout, header_format, set_header_height};
use crate::table::write::xlsx::{
    CellFormats, CellMark, LONGEST_TEXT, MAX_COLUMNS, MAX_ROWS, truncate_to_cell, write_cell,
};
use crate::table::write::{AtomicFile, WriteError, catch_write_panic};

/// Minimum column width, in characters.
const MIN_WIDTH: usize = 8;
/// Header colour of columns that an import ignores.
const READ_ONLY_COLOR: Color = Color::RGB(0x7F7F7F);

/// Why records could not be backed up.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The file exists, and may be the only backup of other records.
    #[error("the backup would overwrite `{}`", path.display())]
    Exists { path: PathBuf },
    /// More records than a sheet has rows.
    #[error("cannot back up {records} records: a sheet holds {}", MAX_ROWS - 1)]
    TooMany { records: usize },
    /// More fields than a sheet has columns.
    #[error("cannot back up records with {columns} fields: a sheet holds {MAX_COLUMNS} columns")]
    TooWide { columns: usize },
    /// A text longer than a cell can hold: the backup would be incomplete.
    #[error("cannot back up record #{id}: its `{header}` is longer than a cell can hold ({LONGEST_TEXT} characters)")]
    TooLong { id: i64, header: String },
}

impl Diagnostic for BackupError {
    fn hint(&self) -> Option<String> {
        match self {
            BackupError::Write(error) => error.mend(),
            BackupError::Exists { .. } => {
                Some(String::from("pass another path to --backup, or move the existing file"))
            }
            BackupError::TooMany { .. } => Some(String::from("split the sheet and delete in several runs")),
            BackupError::TooWide { .. } | BackupError::TooLong { .. } => {
                Some(String::from("delete these records in the service's web interface, or leave the row out"))
            }
        }
    }
}

/// A backup file being written. It appears complete, or not at all.
#[derive(Debug)]
pub struct Backup {
    whole: AtomicFile,
}

impl Backup {
    /// Creates the file.
    ///
    /// # Errors
    /// The file exists, or cannot be written.
    pub fn create(path: &Path) -> Result<Self, BackupError> {
        match path.exists() {
            true => Err(BackupError::Exists { path: path.to_path_buf() }),
            false => Ok(Self { whole: AtomicFile::create(path)? }),
        }
    }

    /// Writes the records and moves the file into place. `names` must know the collections that they refer to.
    ///
    /// # Errors
    /// The file cannot hold every value of every record, or cannot be written.
    pub fn write(
        self,
        entity: &'static Entity,
        records: &[&Record],
        names: &ReferenceNames,
    ) -> Result<PathBuf, BackupError> {
        let columns = ExportColumns::backup(entity, records.iter().copied());
        check_limits(&columns, records, names)?;
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

fn check_limits(columns: &ExportColumns, records: &[&Record], names: &ReferenceNames) -> Result<(), BackupError> {
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
    columns: &ExportColumns,
    records: &[&Record],
    names: &ReferenceNames,
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

fn fill_row(columns: &ExportColumns, record: &Record, names: &ReferenceNames, number: u64, row: &mut Row) {
    row.restart(number, value::formats());
    let json = serde_json::Value::Object(record.clone()).to_string();
    if let Some(fields) = RawFields::of(&json) {
        columns.fill(&fields, names, row);
    }
}

/// Writes the header row and the column formats; returns the widths of the headers.
fn write_header(
    sheet: &mut Worksheet,
    columns: &ExportColumns,
    formats: &CellFormats,
) -> Result<ColumnWidths, XlsxError> {
    let (imported, read_only) = (header_format(HEADER), header_format(READ_ONLY_COLOR));
    let mut widths = ColumnWidths::new(MIN_WIDTH);
    for (place, (text, role)) in (0..).zip(columns.headers_with_role()) {
        sheet.set_column_format(place, formats.text_column())?;
        let format = match role {
            ImportRole::Imported => &imported,
            ImportRole::ReadOnly => &read_only,
        };
        sheet.write_string_with_format(0, place, text, format)?;
        widths.add(text);
    }
    set_header_height(sheet)?;
    Ok(widths)
}
