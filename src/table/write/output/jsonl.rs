//! JSON Lines: an object a row, keyed by header, with every key in every row.
//!
//! Numbers, booleans and nulls are JSON's own; a number keeps the digits it had. Days and moments are ISO 8601 texts.
//! A structure ([`ColumnType::Json`]) is written as it is if its text is valid JSON, else as a string. An empty cell is
//! `null`.

use std::io::Write;
use std::path::PathBuf;

use serde_json::value::RawValue;

use super::super::value_text::{push_number, push_timestamp};
use super::super::{ColumnType, WriteError};
use super::file_per_table::TableFile;
use super::output_files::Sink;
use super::table_writer::{OutputColumn, keys};
use crate::table::{Cell, Row, Value};

/// Lines are written in blocks of this many bytes.
const BLOCK: usize = 1 << 16;

pub(super) struct JsonlTable {
    /// None for standard output.
    path: Option<PathBuf>,
    sink: Sink,
    columns: Vec<JsonlColumn>,
    /// What is not written yet.
    lines: String,
}

struct JsonlColumn {
    /// The text before the value, such as `,"name":`.
    key: String,
    column_type: ColumnType,
}

impl TableFile for JsonlTable {
    type Options = ();

    fn begin(sink: Sink, columns: &[OutputColumn], (): &()) -> Result<Self, WriteError> {
        let columns = keys(columns).into_iter().zip(columns).enumerate().map(|(place, (key, column))| {
            let mut before = String::from(if place == 0 { "" } else { "," });
            push_text(&key, &mut before);
            before.push(':');
            JsonlColumn { key: before, column_type: column.column_type }
        });
        let path = sink.path().map(ToOwned::to_owned);
        Ok(Self { path, sink, columns: columns.collect(), lines: String::with_capacity(2 * BLOCK) })
    }

    fn row(&mut self, row: &Row, _: &mut dyn FnMut(&str, &str)) -> Result<(), WriteError> {
        self.lines.push('{');
        for (place, column) in self.columns.iter().enumerate() {
            self.lines.push_str(&column.key);
            push_cell(row.cell(place), column.column_type, &mut self.lines);
        }
        self.lines.push_str("}\n");
        if self.lines.len() < BLOCK { Ok(()) } else { self.write() }
    }

    fn finish(mut self) -> Result<Sink, WriteError> {
        self.write()?;
        Ok(self.sink)
    }
}

impl JsonlTable {
    fn write(&mut self) -> Result<(), WriteError> {
        let written = self.sink.write_all(self.lines.as_bytes());
        self.lines.clear();
        written.map_err(|error| WriteError::from_output(self.path.as_deref(), error))
    }
}

fn push_cell(cell: Cell<'_>, column_type: ColumnType, into: &mut String) {
    match cell.value {
        Value::Number(number) if number.is_finite() => push_number(cell.text, number, into),
        Value::Boolean(truth) => into.push_str(if truth { "true" } else { "false" }),
        Value::Date(moment) => {
            into.push('"');
            push_timestamp(moment, column_type, into);
            into.push('"');
        }
        _ if cell.text.is_empty() => into.push_str("null"),
        _ if column_type == ColumnType::Json && is_structure(cell.text) => push_structure(cell.text, into),
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
