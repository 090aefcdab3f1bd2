//! Builds rows from single cells.

use std::ops::ControlFlow;

use calamine::{CellErrorType, Data, DataRef};

use super::OnRow;
use super::limits::{LONGEST_ROW, MOST_COLUMNS, Tally, row_too_long};
use super::number_format::{KnownKind, NumberFormats};
use super::serial_date::{push_iso_cell, push_iso_span};
use crate::table::cell::{Row, Value};
use crate::table::error::{LocatedFault, ReadFault};

/// What a cell holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum CellContent<'a> {
    Blank,
    Text(&'a str),
    Number(f64, KnownKind),
    /// A number, as the file itself says it is shown, with the number of its format from 1; 0 is none.
    Formatted(&'a str, f64, u16),
    /// A date, a time or both, in ISO 8601.
    Iso(&'a str),
    /// A span of time, in ISO 8601.
    Span(&'a str),
    Boolean(bool),
    Error(&'a str),
    Unevaluated,
}

impl<'a> From<&'a DataRef<'_>> for CellContent<'a> {
    fn from(value: &'a DataRef<'_>) -> CellContent<'a> {
        match value {
            DataRef::SharedString(text) => CellContent::Text(text),
            DataRef::String(text) => CellContent::Text(text),
            DataRef::Float(number) => CellContent::Number(*number, KnownKind::Number),
            DataRef::Int(number) => CellContent::Number(*number as f64, KnownKind::Number),
            DataRef::DateTime(at) => CellContent::serial(at),
            DataRef::DateTimeIso(iso) => CellContent::Iso(iso),
            DataRef::DurationIso(iso) => CellContent::Span(iso),
            DataRef::Bool(boolean) => CellContent::Boolean(*boolean),
            DataRef::Error(error) => CellContent::Error(error_text(error)),
            DataRef::Empty => CellContent::Blank,
        }
    }
}

impl<'a> From<&'a Data> for CellContent<'a> {
    fn from(value: &'a Data) -> CellContent<'a> {
        match value {
            Data::String(text) => CellContent::Text(text),
            Data::Float(number) => CellContent::Number(*number, KnownKind::Number),
            Data::Int(number) => CellContent::Number(*number as f64, KnownKind::Number),
            Data::DateTime(at) => CellContent::serial(at),
            Data::DateTimeIso(iso) => CellContent::Iso(iso),
            Data::DurationIso(iso) => CellContent::Span(iso),
            Data::Bool(boolean) => CellContent::Boolean(*boolean),
            Data::Error(error) => CellContent::Error(error_text(error)),
            Data::Empty => CellContent::Blank,
        }
    }
}

impl CellContent<'_> {
    /// How much text the file gives for it, in bytes.
    fn text_len(&self) -> usize {
        match self {
            CellContent::Text(text) | CellContent::Formatted(text, ..) | CellContent::Iso(text) => text.len(),
            CellContent::Span(text) | CellContent::Error(text) => text.len(),
            _ => 0,
        }
    }

    fn serial(at: &calamine::ExcelDateTime) -> CellContent<'static> {
        CellContent::Number(at.as_f64(), if at.is_duration() { KnownKind::Elapsed } else { KnownKind::Date })
    }
}

/// As a spreadsheet program shows it.
fn error_text(error: &CellErrorType) -> &'static str {
    match error {
        CellErrorType::Div0 => "#DIV/0!",
        CellErrorType::NA => "#N/A",
        CellErrorType::Name => "#NAME?",
        CellErrorType::Null => "#NULL!",
        CellErrorType::Num => "#NUM!",
        CellErrorType::Ref => "#REF!",
        CellErrorType::Value => "#VALUE!",
        CellErrorType::GettingData => "#GETTING_DATA",
    }
}

/// Builds one row after another. Blank cells cost nothing: they are added when a later cell follows.
pub(super) struct RowBuilder<'a> {
    row: Row,
    formats: &'a mut NumberFormats,
    tally: &'a mut Tally,
}

impl<'a> RowBuilder<'a> {
    pub(super) fn new(formats: &'a mut NumberFormats, tally: &'a mut Tally) -> RowBuilder<'a> {
        RowBuilder { row: Row::default(), formats, tally }
    }

    /// The number of the row at hand, 0 before the first.
    pub(super) fn number(&self) -> u64 {
        self.row.number
    }

    /// Whether the row at hand is this one, counted from 0.
    pub(super) fn is_in(&self, row: u32) -> bool {
        u64::from(row) + 1 == self.row.number
    }

    /// Hands out the row at hand, and begins another, counted from 0.
    pub(super) fn begin_row(&mut self, row: u32, on_row: &mut OnRow<'_>) -> Result<ControlFlow<()>, LocatedFault> {
        let flow = self.hand_out(on_row)?;
        self.row.restart(u64::from(row) + 1, &self.formats.codes);
        Ok(flow)
    }

    /// Adds a cell to the row at hand.
    pub(super) fn add(&mut self, column: u32, content: CellContent<'_>, style: usize) -> Result<(), ReadFault> {
        if matches!(content, CellContent::Blank) {
            return Ok(());
        }
        let column = column as usize;
        if column >= MOST_COLUMNS {
            return Err(ReadFault::damaged("a cell beyond the last column, XFD"));
        }
        if self.row.text_len() + content.text_len() > LONGEST_ROW {
            return Err(row_too_long());
        }
        let is_in_order = column >= self.row.len();
        self.row.pad(column);
        self.push(content, style);
        if !is_in_order {
            self.row.move_last_to(column);
        }
        Ok(())
    }

    fn push(&mut self, content: CellContent<'_>, style: usize) {
        let row = &mut self.row;
        match content {
            CellContent::Blank => row.push("", Value::Blank),
            CellContent::Text(text) => row.push_text(text),
            CellContent::Number(number, known) => self.formats.push(row, number, style, known),
            CellContent::Formatted(text, number, format) => row.push_formatted(text, Value::Number(number), format),
            CellContent::Iso(iso) => push_iso_cell(row, iso),
            CellContent::Span(iso) => push_iso_span(row, iso),
            CellContent::Boolean(boolean) => row.push(if boolean { "TRUE" } else { "FALSE" }, Value::Boolean(boolean)),
            CellContent::Error(text) => row.push(text, Value::Error),
            CellContent::Unevaluated => row.push("", Value::Unevaluated),
        }
    }

    /// Hands out the row at hand, unless nothing is in it.
    fn hand_out(&mut self, on_row: &mut OnRow<'_>) -> Result<ControlFlow<()>, LocatedFault> {
        if self.row.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        self.tally.add(&self.row).map_err(|fault| fault.at(self.row.number))?;
        if self.row.is_blank() { Ok(ControlFlow::Continue(())) } else { Ok(on_row(&mut self.row)) }
    }

    /// Hands out the last row.
    pub(super) fn finish(mut self, on_row: &mut OnRow<'_>) -> Result<(), LocatedFault> {
        // Whether more is wanted does not matter: there is no more.
        self.hand_out(on_row).map(|_| ())
    }
}
