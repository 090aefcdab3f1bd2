//! JSON Lines: an object a row, keyed by header, with every key in every row.
//!
//! Numbers, booleans and nulls are JSON's own; a number keeps the digits it had. Days and moments are ISO 8601 texts.
//! A structure ([`Holds::Json`]) stands as itself where its text is JSON, else as a text. A cell in which nothing
//! stands is `null`.

use std::io::Write;
use std::path::PathBuf;

use serde_json::value::RawValue;

use super::super::WriteError;
use super::places::{Places, Sink, refused};
use super::spelling::{keys, spell_moment, spell_number};
use super::{Finished, Holds, Output, OutputColumn};
use crate::table::{Cell, Row, Value};

/// Lines are written in blocks of so many bytes.
const BLOCK: usize = 1 << 16;

pub(super) struct JsonlFiles {
    table: Option<Table>,
    places: Places,
}

/// The table that rows go to.
struct Table {
    name: String,
    /// None for standard output.
    path: Option<PathBuf>,
    sink: Sink,
    columns: Vec<Column>,
    rows: u64,
    /// What is not written yet.
    lines: String,
}

struct Column {
    /// What stands before the value, such as `,"name":`.
    key: String,
    holds: Holds,
}

impl JsonlFiles {
    pub(super) fn new(places: Places) -> Self {
        Self { places, table: None }
    }

    /// Ends the table, if there is one.
    fn close(&mut self) -> Result<(), WriteError> {
        let Some(mut table) = self.table.take() else { return Ok(()) };
        table.write()?;
        self.places.keep(table.sink, vec![(table.name, table.rows)])
    }
}

impl Output for JsonlFiles {
    fn begin(&mut self, table: &str, columns: &[OutputColumn]) -> Result<(), WriteError> {
        self.close()?;
        let sink = self.places.next(table)?;
        let columns = keys(columns).into_iter().zip(columns).enumerate().map(|(place, (key, column))| {
            let mut before = String::from(if place == 0 { "" } else { "," });
            push_text(&key, &mut before);
            before.push(':');
            Column { key: before, holds: column.holds }
        });
        self.table = Some(Table {
            name: table.to_owned(),
            path: sink.path().map(ToOwned::to_owned),
            sink,
            columns: columns.collect(),
            rows: 0,
            lines: String::with_capacity(2 * BLOCK),
        });
        Ok(())
    }

    fn row(&mut self, row: &Row) -> Result<(), WriteError> {
        let Some(table) = &mut self.table else { return Err(WriteError::NoTable) };
        table.lines.push('{');
        for (place, column) in table.columns.iter().enumerate() {
            table.lines.push_str(&column.key);
            push_cell(row.cell(place), column.holds, &mut table.lines);
        }
        table.lines.push_str("}\n");
        table.rows += 1;
        if table.lines.len() < BLOCK { Ok(()) } else { table.write() }
    }

    fn finish(mut self: Box<Self>) -> Result<Finished, WriteError> {
        self.close()?;
        Ok(Finished { files: self.places.finish()?, ..Finished::default() })
    }
}

impl Table {
    fn write(&mut self) -> Result<(), WriteError> {
        let written = self.sink.write_all(self.lines.as_bytes());
        self.lines.clear();
        written.map_err(|error| refused(self.path.as_deref(), error))
    }
}

fn push_cell(cell: Cell<'_>, holds: Holds, into: &mut String) {
    match cell.value {
        Value::Number(number) if number.is_finite() => spell_number(cell.text, number, into),
        Value::Boolean(truth) => into.push_str(if truth { "true" } else { "false" }),
        Value::Date(moment) => {
            into.push('"');
            spell_moment(moment, holds, into);
            into.push('"');
        }
        _ if cell.text.is_empty() => into.push_str("null"),
        _ if holds == Holds::Json && is_structure(cell.text) => push_structure(cell.text, into),
        _ => push_text(cell.text, into),
    }
}

fn is_structure(text: &str) -> bool {
    text.starts_with(['{', '[']) && serde_json::from_str::<&RawValue>(text).is_ok()
}

/// Appends JSON to a line: breaks between its parts, which are all it may have, become spaces.
fn push_structure(text: &str, into: &mut String) {
    into.extend(text.chars().map(|char| if matches!(char, '\n' | '\r') { ' ' } else { char }));
}

fn push_text(text: &str, into: &mut String) {
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        into.push('"');
        into.push_str(text);
        return into.push('"');
    }
    // A text always has a spelling in JSON.
    into.push_str(&serde_json::to_string(text).unwrap_or_default());
}
