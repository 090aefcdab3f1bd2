//! Records that are about to be deleted, as a workbook that an import can bring back.

use std::path::{Path, PathBuf};

use rust_xlsxwriter::{Color, DocProperties};

use super::names::Names;
use super::{Columns, value};
use crate::api::RawFields;
use crate::catalog::Record;
use crate::error::Diagnostic;
use crate::schema::Entity;
use crate::table::Row;
use crate::table::write::styles::{HEADER, header_format};
use crate::table::write::workbook::{HeaderCell, WorkbookWriter};
use crate::table::write::xlsx::{
    CellFormats, CellMark, LONGEST_TEXT, MAX_COLUMNS, MAX_ROWS, truncate_to_cell, write_cell,
};
use crate::table::write::{AtomicFile, ColumnType, WriteError};

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
        let mut writer = WorkbookWriter::new(whole.path(), Some(whole.folder()))?;
        writer.set_properties(
            &DocProperties::new().set_title(format!("Backup of {}", entity.name)).set_author("tallyport"),
        );
        fill(&mut writer, entity, &columns, records, names)?;
        writer.save(whole.as_file())?;
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
    writer: &mut WorkbookWriter,
    entity: &Entity,
    columns: &Columns,
    records: &[&Record],
    names: &Names,
) -> Result<(), WriteError> {
    let (read, told) = (header_format(HEADER), header_format(TOLD));
    let mut formats = CellFormats::new(Color::White);
    let header = columns.headers_with_part().map(|(text, part)| HeaderCell {
        text,
        format: match part {
            super::Part::Read => &read,
            super::Part::Told => &told,
        },
        column_format: Some(formats.of_column(ColumnType::Text)),
    });
    let mut table = writer.add_table(entity.name, NARROWEST, header)?;
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

fn fill_row(columns: &Columns, record: &Record, names: &Names, number: u64, row: &mut Row) {
    row.restart(number, value::formats());
    // Taken apart from its text, as every record of an export is.
    let json = serde_json::Value::Object(record.clone()).to_string();
    if let Some(fields) = RawFields::of(&json) {
        columns.fill(&fields, names, row);
    }
}

impl Diagnostic for BackupError {
    fn hint(&self) -> Option<String> {
        BackupError::hint(self)
    }
}
