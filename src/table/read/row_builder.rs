//! Builds rows from single cells.

use std::ops::ControlFlow;

use super::OnRow;
use super::limits::{LONGEST_ROW, MOST_COLUMNS, Tally, row_too_long};
use super::number_format::NumberFormats;
use super::serial_date::{push_iso_cell, push_iso_span};
use crate::table::cell::{Row, Value};
use crate::table::error::{LocatedFault, ReadFault};

/// What a cell holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum CellContent<'a> {
    Blank,
    Text(&'a str),
    Number(f64),
    /// A number, as the file itself says it is shown.
    Formatted(&'a str, f64),
    /// A date, a time or both, in ISO 8601.
    Iso(&'a str),
    /// A span of time, in ISO 8601.
    Span(&'a str),
    Boolean(bool),
    Error(&'a str),
    Unevaluated,
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
        let format = || self.formats.format_of(style);
        match content {
            CellContent::Blank => row.push("", Value::Blank),
            CellContent::Text(text) => row.push_workbook_text(text),
            CellContent::Number(number) => self.formats.push(row, number, style),
            CellContent::Formatted(text, number) => row.push_formatted(text, Value::Number(number), format()),
            CellContent::Iso(iso) => push_iso_cell(row, iso, format()),
            CellContent::Span(iso) => push_iso_span(row, iso, format()),
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
