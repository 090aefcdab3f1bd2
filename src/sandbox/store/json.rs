//! Writes rows of the database as JSON.

use std::io::Write;

use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::super::facts::JsonForm;
use super::tables::ReplyColumn;

/// Writes a row as a JSON object.
pub(super) fn write_row(row: &Row<'_>, columns: &[ReplyColumn], out: &mut Vec<u8>) -> rusqlite::Result<()> {
    out.push(b'{');
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(column.lead.as_bytes());
        write_value(row.get_ref(index)?, column.form, out);
    }
    out.push(b'}');
    Ok(())
}

/// Writing to a vector cannot fail, so the results below are dropped.
pub(super) fn write_value(value: ValueRef<'_>, form: JsonForm, out: &mut Vec<u8>) {
    match (value, form) {
        (ValueRef::Integer(yes), JsonForm::Boolean) => out.extend_from_slice(if yes == 0 { b"false" } else { b"true" }),
        (ValueRef::Integer(integer), _) => drop(write!(out, "{integer}")),
        (ValueRef::Real(whole), _) if whole.fract() == 0.0 => drop(write!(out, "{whole:.0}")),
        (ValueRef::Real(number), _) => drop(serde_json::to_writer(out, &number)),
        (ValueRef::Text(json), JsonForm::Json) => out.extend_from_slice(json),
        (ValueRef::Text(text), _) => drop(serde_json::to_writer(out, &String::from_utf8_lossy(text))),
        (ValueRef::Null | ValueRef::Blob(_), _) => out.extend_from_slice(b"null"),
    }
}
