//! One collection into an output: which of its records, in which order, as which rows.

use rusqlite::Connection;
use rusqlite::types::Value as Sql;

use super::columns::Columns;
use super::condition::Condition;
use super::names::Names;
use super::value;
use crate::api::RawFields;
use crate::catalog::{Mirror, MirrorError};
use crate::error::Error;
use crate::schema::Entity;
use crate::table::write::WriteError;
use crate::table::write::output::{ColumnType, OutputColumn, TableWriter};
use crate::table::{Cell, Row, Value};

/// One table of an export.
#[derive(Debug)]
pub struct Sheet {
    pub entity: &'static Entity,
    /// What it is called: the collection's name, as a rule.
    pub name: String,
    pub columns: Columns,
    /// Those that are still to be applied.
    pub conditions: Vec<Condition>,
    pub sort: Option<Sort>,
    /// Columns in front that hold the same in every row, such as the tenant.
    pub front: Vec<(String, String)>,
}

/// An order of rows by the cells of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The position of the column.
    pub column: usize,
    pub direction: Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

/// Why a table could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("rows could not be put in order: {0}")]
    Sort(#[from] rusqlite::Error),
}

impl Sheet {
    /// Begins the table.
    pub fn begin(&self, output: &mut dyn TableWriter) -> Result<(), WriteError> {
        let front =
            self.front.iter().map(|(header, _)| OutputColumn { header: header.clone(), column_type: ColumnType::Text });
        let columns: Vec<OutputColumn> = front.chain(self.columns.output()).collect();
        output.begin(&self.name, &columns)
    }

    /// Writes the rows of every record that meets the conditions; how many those are.
    pub fn write(
        &self,
        mirror: &Mirror,
        names: &Names,
        output: &mut dyn TableWriter,
        on_row: &mut dyn FnMut(u64),
    ) -> Result<u64, SheetError> {
        let mut row = Row::default();
        let mut count = 0;
        let mut put = |json: &str| -> Result<(), SheetError> {
            if self.fill(json, names, count + 2, &mut row) {
                output.row(&row)?;
                count += 1;
                on_row(count);
            }
            Ok(())
        };
        match &self.sort {
            None => mirror.each(self.entity, |_, json| put(json))?,
            Some(sort) => self.sorted(sort, mirror, names, &mut put)?,
        }
        Ok(count)
    }

    /// Whether the record belongs here; then the row holds it.
    fn fill(&self, json: &str, names: &Names, number: u64, row: &mut Row) -> bool {
        let Some(fields) = RawFields::of(json) else { return false };
        if !self.conditions.iter().all(|condition| condition.is_met(&fields)) {
            return false;
        }
        row.restart(number, value::formats());
        self.front.iter().for_each(|(_, text)| row.push_text(text));
        self.columns.fill(&fields, names, row);
        true
    }

    /// Sorts on disk: only a key and an id of each record are moved.
    fn sorted(
        &self,
        sort: &Sort,
        mirror: &Mirror,
        names: &Names,
        put: &mut dyn FnMut(&str) -> Result<(), SheetError>,
    ) -> Result<(), SheetError> {
        let keys = Connection::open("")?;
        keys.execute_batch("PRAGMA journal_mode = OFF; BEGIN; CREATE TABLE key (id INTEGER PRIMARY KEY, text, shown)")?;
        let mut insert = keys.prepare("INSERT INTO key (id, text, shown) VALUES (?1, ?2, ?3)")?;
        let mut row = Row::default();
        let column = sort.column + self.front.len();
        mirror.each(self.entity, |id, json| -> Result<(), SheetError> {
            if self.fill(json, names, 1, &mut row) {
                let cell = row.cell(column);
                insert.execute((id, key(cell), cell.text))?;
            }
            Ok(())
        })?;
        let order = match sort.direction {
            Direction::Ascending => "ASC",
            Direction::Descending => "DESC",
        };
        // Empty cells stand at the end, whichever way, as a spreadsheet program has it.
        let sql = format!("SELECT id FROM key ORDER BY text IS NULL, text {order}, shown {order}, id");
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

/// What a cell is sorted by: numbers by their size, dates by time, texts without regard to case.
fn key(cell: Cell<'_>) -> Sql {
    match cell.value {
        Value::Blank => Sql::Null,
        Value::Number(number) => Sql::Real(number),
        Value::Boolean(truth) => Sql::Integer(truth.into()),
        Value::Date(moment) => Sql::Text(moment.to_string()),
        Value::Text | Value::Error | Value::Unevaluated => Sql::Text(crate::catalog::fold_name(cell.text).into_owned()),
    }
}

impl From<SheetError> for Error {
    fn from(error: SheetError) -> Self {
        match error {
            SheetError::Mirror(error) => error.into(),
            SheetError::Write(error) => error.into(),
            SheetError::Sort(_) => {
                Error::usage(error.to_string(), "make room for temporary files, or leave out --sort")
            }
        }
    }
}
