//! Cells one by one, put together to rows.

use std::ops::ControlFlow;

use calamine::{CellErrorType, Data, DataRef};

use super::shown::{Formats, Known, push_iso_cell, push_iso_span};
use super::{MOST_COLUMNS, OnRow};
use crate::table::cell::{Row, Value};
use crate::table::error::ReadFault;

/// One shared string may stand in every cell of a row: that text is not written out without end.
const MOST_TEXT: usize = 64 * 1024 * 1024;

/// What a cell holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Held<'a> {
    Blank,
    Text(&'a str),
    Number(f64, Known),
    /// A number, as the file itself says it is shown.
    Shown(&'a str, f64),
    /// A date, a time or both, in ISO 8601.
    Iso(&'a str),
    /// A span of time, in ISO 8601.
    Span(&'a str),
    Boolean(bool),
    Error(&'a str),
    Unevaluated,
}

impl<'a> From<&'a DataRef<'_>> for Held<'a> {
    fn from(value: &'a DataRef<'_>) -> Held<'a> {
        match value {
            DataRef::SharedString(text) => Held::Text(text),
            DataRef::String(text) => Held::Text(text),
            DataRef::Float(number) => Held::Number(*number, Known::Number),
            DataRef::Int(number) => Held::Number(*number as f64, Known::Number),
            DataRef::DateTime(at) => Held::serial(at),
            DataRef::DateTimeIso(iso) => Held::Iso(iso),
            DataRef::DurationIso(iso) => Held::Span(iso),
            DataRef::Bool(boolean) => Held::Boolean(*boolean),
            DataRef::Error(error) => Held::Error(error_text(error)),
            DataRef::Empty => Held::Blank,
        }
    }
}

impl<'a> From<&'a Data> for Held<'a> {
    fn from(value: &'a Data) -> Held<'a> {
        match value {
            Data::String(text) => Held::Text(text),
            Data::Float(number) => Held::Number(*number, Known::Number),
            Data::Int(number) => Held::Number(*number as f64, Known::Number),
            Data::DateTime(at) => Held::serial(at),
            Data::DateTimeIso(iso) => Held::Iso(iso),
            Data::DurationIso(iso) => Held::Span(iso),
            Data::Bool(boolean) => Held::Boolean(*boolean),
            Data::Error(error) => Held::Error(error_text(error)),
            Data::Empty => Held::Blank,
        }
    }
}

impl Held<'_> {
    fn serial(at: &calamine::ExcelDateTime) -> Held<'static> {
        Held::Number(at.as_f64(), if at.is_duration() { Known::Elapsed } else { Known::Date })
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

/// The row that is being put together. Blank cells cost nothing: they are added when a cell comes behind them.
pub(super) struct Assembly<'a> {
    row: Row,
    formats: &'a mut Formats,
}

impl<'a> Assembly<'a> {
    pub(super) fn new(formats: &'a mut Formats) -> Assembly<'a> {
        Assembly { row: Row::default(), formats }
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
    pub(super) fn begin_row(&mut self, row: u32, on_row: &mut OnRow<'_>) -> ControlFlow<()> {
        let flow = self.hand_out(on_row);
        self.row.restart(u64::from(row) + 1, &self.formats.codes);
        flow
    }

    /// Adds a cell to the row at hand.
    pub(super) fn add(&mut self, column: u32, held: Held<'_>, style: usize) -> Result<(), ReadFault> {
        if matches!(held, Held::Blank) {
            return Ok(());
        }
        let column = column as usize;
        if column >= MOST_COLUMNS {
            return Err(ReadFault::Damaged { detail: "a cell beyond the last column, XFD".into() });
        }
        if self.row.text_len() > MOST_TEXT {
            return Err(ReadFault::TooLarge { what: "a row of more than 64 MiB" });
        }
        let is_in_order = column >= self.row.len();
        self.row.pad(column);
        self.push(held, style);
        if !is_in_order {
            self.row.move_last_to(column);
        }
        Ok(())
    }

    fn push(&mut self, held: Held<'_>, style: usize) {
        let row = &mut self.row;
        match held {
            Held::Blank => row.push("", Value::Blank),
            Held::Text(text) => row.push_text(text),
            Held::Number(number, known) => self.formats.push(row, number, style, known),
            Held::Shown(text, number) => row.push(text, Value::Number(number)),
            Held::Iso(iso) => push_iso_cell(row, iso),
            Held::Span(iso) => push_iso_span(row, iso),
            Held::Boolean(boolean) => row.push(if boolean { "TRUE" } else { "FALSE" }, Value::Boolean(boolean)),
            Held::Error(text) => row.push(text, Value::Error),
            Held::Unevaluated => row.push("", Value::Unevaluated),
        }
    }

    /// Hands out the row at hand, unless nothing is in it.
    fn hand_out(&mut self, on_row: &mut OnRow<'_>) -> ControlFlow<()> {
        if self.row.is_blank() { ControlFlow::Continue(()) } else { on_row(&mut self.row) }
    }

    /// Hands out the last row.
    pub(super) fn finish(mut self, on_row: &mut OnRow<'_>) {
        // Whether more is wanted does not matter: there is no more.
        let _ = self.hand_out(on_row);
    }
}
