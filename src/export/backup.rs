//! Backup of records before a delete: a workbook that an import can restore.

use std::path::{Path, PathBuf};

use rust_xlsxwriter::{Color, DocProperties};

use super::columns::{ExportColumns, ImportRole};
use super::names::ReferenceNames;
use super::value;
use crate::api::RawFields;
use crate::catalog::Record;
use crate::error::Diagnostic;
use crate::schema::Entity;
use crate::table::Row;
use crate::table::write::styles::{HEADER, header_format};
use crate::table::write::workbook::{HeaderCell, WorkbookWriter};
use crate::table::write::xlsx::{
    CellFormats, CellMark, LONGEST_TEXT, MAX_COLUMNS, MAX_ROWS, MarkFills, truncate_to_cell, write_cell,
};
use crate::table::write::{Access, AtomicFile, ColumnType, WriteError};

/// Minimum column width, in characters.
const MIN_WIDTH: usize = 8;
/// Header color of columns that an import ignores.
const READ_ONLY_COLOR: Color = Color::RGB(0x7F7F7F);

/// Why records could not be backed up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The file exists, and may be the only backup of other records.
    #[error("the backup would overwrite `{}`", path.display())]
    Exists { path: PathBuf },
    #[error("cannot back up {records} records: a sheet holds {}", MAX_ROWS - 1)]
    TooMany { records: usize },
    #[error("cannot back up records with {columns} fields: a sheet holds {MAX_COLUMNS} columns")]
    TooWide { columns: usize },
    /// A text longer than a cell can hold: the backup would be incomplete.
    #[error("cannot back up record #{id}: its `{header}` is longer than a cell can hold ({LONGEST_TEXT} characters)")]
    TooLong { id: i64, header: String },
}

impl Diagnostic for BackupError {
    fn hint(&self) -> Option<String> {
        match self {
            BackupError::Write(error) => error.hint(),
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
pub(crate) struct Backup {
    file: AtomicFile,
}

impl Backup {
    /// Creates the file.
    ///
    /// # Errors
    /// The file exists, or cannot be written.
    pub(crate) fn create(path: &Path) -> Result<Self, BackupError> {
        refuse_existing(path)?;
        // It shows whole records, also to those who may only read the list of what to delete.
        Ok(Self { file: AtomicFile::create_for(path, Access::private())? })
    }

    /// Writes the records and moves the file into place. `names` must know the collections that they refer to.
    ///
    /// # Errors
    /// The file cannot hold every value of every record, or cannot be written.
    pub(crate) fn write(
        self,
        entity: &'static Entity,
        records: &[&Record],
        names: &ReferenceNames,
    ) -> Result<PathBuf, BackupError> {
        let columns = ExportColumns::backup(entity, records.iter().copied());
        check_limits(&columns, records, names)?;
        let Self { file } = self;
        let mut writer = WorkbookWriter::new(file.path(), Some(file.folder()))?;
        writer.set_properties(
            &DocProperties::new().set_title(format!("Backup of {}", entity.name)).set_author("tallyport"),
        );
        fill(&mut writer, entity, &columns, records, names)?;
        writer.save(file.as_file())?;
        // Reading the names took its time.
        refuse_existing(file.path())?;
        Ok(file.commit()?)
    }
}

/// A backup never takes the place of another file.
fn refuse_existing(path: &Path) -> Result<(), BackupError> {
    if path.exists() { Err(BackupError::Exists { path: path.to_path_buf() }) } else { Ok(()) }
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
    writer: &mut WorkbookWriter,
    entity: &Entity,
    columns: &ExportColumns,
    records: &[&Record],
    names: &ReferenceNames,
) -> Result<(), WriteError> {
    let (imported, read_only) = (header_format(HEADER), header_format(READ_ONLY_COLOR));
    let mut formats = CellFormats::new(MarkFills::all(Color::White));
    let header = columns.headers_with_role().map(|(text, role)| HeaderCell {
        text,
        format: match role {
            ImportRole::Imported => &imported,
            ImportRole::ReadOnly => &read_only,
        },
        column_format: Some(formats.of_column(ColumnType::Text)),
    });
    let mut table = writer.add_table(entity.name, MIN_WIDTH, header)?;
    writer.edit_sheet(table.index, |sheet| {
        let mut row = Row::default();
        for record in records {
            fill_row(columns, record, names, u64::from(table.next_row) + 1, &mut row);
            for (place, cell) in (0..).zip(row.cells()) {
                let at = (table.next_row, place);
                write_cell(sheet, at, cell, ColumnType::Text, CellMark::Plain, &mut formats)?;
                table.widths.observe(table.next_row, usize::from(place), cell);
            }
            table.next_row += 1;
        }
        Ok(())
    })?;
    writer.finish_table(&table, 0)
}

fn fill_row(columns: &ExportColumns, record: &Record, names: &ReferenceNames, number: u64, row: &mut Row) {
    row.restart(number, value::formats());
    let json = serde_json::Value::Object(record.clone()).to_string();
    if let Some(fields) = RawFields::of(&json) {
        columns.fill(&fields, names, row);
    }
}
