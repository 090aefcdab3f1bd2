//! Writes one collection to an output: filtered, sorted, as rows of cells.

use rusqlite::Connection;
use rusqlite::types::Value as Sql;

use super::columns::ExportColumns;
use super::filters::Filter;
use super::names::ReferenceNames;
use super::value;
use crate::api::RawFields;
use crate::catalog::{Mirror, MirrorError};
use crate::error::Error;
use crate::schema::Entity;
use crate::table::write::WriteError;
use crate::table::write::output::{ColumnType, OutputColumn, TableWriter, WriterStopped, write_behind};
use crate::table::{Cell, Row, Value};

#[derive(Debug)]
pub(crate) struct ExportTable {
    pub entity: &'static Entity,
    /// The name of the sheet or file, normally the collection's.
    pub name: String,
    pub columns: ExportColumns,
    /// Filters that the service has not applied already.
    pub filters: Vec<Filter>,
    pub sort: Option<SortBy>,
    /// Leading columns with the same value in every row, such as the tenant: header and value.
    pub front: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct SortBy {
    /// The column that rows are sorted by, and no other. The table need not have it.
    pub key: ExportColumns,
    /// Whether it holds system ids.
    pub is_id: bool,
    pub direction: SortDirection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SortDirection {
    Ascending,
    Descending,
}

/// Why a table could not be written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("cannot sort the rows: {0}")]
    Sort(#[from] rusqlite::Error),
}

impl From<WriterStopped> for TableError {
    /// What the writer says takes the place of this one.
    fn from(WriterStopped: WriterStopped) -> Self {
        Self::Write(WriteError::Interrupted)
    }
}

impl ExportTable {
    pub(crate) fn begin(&self, output: &mut dyn TableWriter) -> Result<(), WriteError> {
        let front =
            self.front.iter().map(|(header, _)| OutputColumn { header: header.clone(), column_type: ColumnType::Text });
        let columns: Vec<OutputColumn> = front.chain(self.columns.output()).collect();
        output.begin(&self.name, &columns)
    }

    pub(crate) fn width(&self) -> usize {
        self.front.len() + self.columns.headers().count()
    }

    /// Writes the rows of every record that matches the filters, and returns how many there are.
    pub(crate) fn write(
        &self,
        mirror: &Mirror,
        names: &ReferenceNames,
        output: &mut dyn TableWriter,
        on_row: &mut dyn FnMut(u64),
    ) -> Result<u64, TableError> {
        write_behind(output, |queue| {
            let mut row = Row::default();
            let mut count = 0;
            let mut put = |json: &str| -> Result<(), TableError> {
                if self.fill(json, names, count + 2, &mut row) {
                    queue.push(&mut row)?;
                    count += 1;
                    on_row(count);
                }
                Ok(())
            };
            match &self.sort {
                None => mirror.each(self.entity, |_, json| put(json))?,
                Some(sort) => self.write_sorted(sort, mirror, names, &mut put)?,
            }
            Ok(count)
        })
    }

    /// Fills the row with a record; false if the record does not match the filters.
    fn fill(&self, json: &str, names: &ReferenceNames, number: u64, row: &mut Row) -> bool {
        let Some(fields) = RawFields::of(json) else { return false };
        if !self.matches(&fields, names) {
            return false;
        }
        row.restart(number, value::formats());
        self.front.iter().for_each(|(_, text)| row.push_text(text));
        self.columns.fill(&fields, names, row);
        true
    }

    fn matches(&self, fields: &RawFields<'_>, names: &ReferenceNames) -> bool {
        self.filters.iter().all(|filter| filter.matches_record(fields, names))
    }

    /// Sorts on disk, by moving only a key and an id per record.
    fn write_sorted(
        &self,
        sort: &SortBy,
        mirror: &Mirror,
        names: &ReferenceNames,
        put: &mut dyn FnMut(&str) -> Result<(), TableError>,
    ) -> Result<(), TableError> {
        let keys = Connection::open("")?;
        keys.execute_batch(
            "PRAGMA journal_mode = OFF; BEGIN; CREATE TABLE key (id INTEGER PRIMARY KEY, text, display)",
        )?;
        let mut insert = keys.prepare("INSERT INTO key (id, text, display) VALUES (?1, ?2, ?3)")?;
        let mut row = Row::default();
        mirror.each(self.entity, |id, json| -> Result<(), TableError> {
            if let Some(fields) = RawFields::of(json).filter(|fields| self.matches(fields, names)) {
                row.restart(1, value::formats());
                sort.key.fill(&fields, names, &mut row);
                let cell = row.cell(0);
                insert.execute((id, sort_key(cell, sort.is_id), cell.text))?;
            }
            Ok(())
        })?;
        let order = match sort.direction {
            SortDirection::Ascending => "ASC",
            SortDirection::Descending => "DESC",
        };
        // Empty cells go last in both directions, as in a spreadsheet program.
        let sql = format!("SELECT id FROM key ORDER BY text IS NULL, text {order}, display {order}, id");
        let mut ordered = keys.prepare(&sql)?;
        let mut rows = ordered.query([])?;
        while let Some(found) = rows.next()? {
            if let Some(json) = mirror.record(self.entity, found.get(0)?)? {
                put(&json)?;
            }
        }
        Ok(())
    }
}

/// The sort key of a cell: numbers by value, dates by time, text ignoring case.
fn sort_key(cell: Cell<'_>, is_id: bool) -> Sql {
    match cell.value {
        // Ids are text, so that nobody calculates with them, and yet 10 comes after 9.
        Value::Text if is_id && let Ok(id) = cell.text.parse() => Sql::Integer(id),
        Value::Blank => Sql::Null,
        Value::Number(number) => Sql::Real(number),
        Value::Boolean(truth) => Sql::Integer(truth.into()),
        Value::Date(moment) => Sql::Text(moment.to_string()),
        Value::Text | Value::Error | Value::Structure | Value::Unevaluated => {
            Sql::Text(crate::schema::fold_name(cell.text).into_owned())
        }
    }
}

impl From<TableError> for Error {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Mirror(error) => error.into(),
            TableError::Write(error) => error.into(),
            TableError::Sort(_) => {
                Error::usage(error.to_string(), "make room for temporary files, or leave out --sort")
            }
        }
    }
}
