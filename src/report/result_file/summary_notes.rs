//! What the Summary sheet has to know about the sheets of the result.

use hashbrown::HashMap;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::tally::ProblemExample;
use super::cell_errors::{MAX_NOTES, note};
use super::columns::{MESSAGE, ResultColumns};
use crate::check::Code;
use crate::plan::RowOutcome;
use crate::table::write::workbook::TableSheet;
use crate::table::{CellRef, Row};
use crate::wording::{counted, thousands};

/// Places of first problems kept for the Summary's links.
const MAX_PLACES: usize = 2_000;

/// What the Summary says about the sheets.
#[derive(Debug, Default)]
pub(super) struct SummaryNotes {
    /// The caller's sheets.
    pub(super) labels: Vec<String>,
    /// The cell of the first problem of a kind, and the input's row. By the caller's sheet (from 1), code and input
    /// column.
    places: HashMap<(usize, Code, Option<u32>), (u64, ResultCell)>,
    notes: usize,
    notes_left_out: u64,
    pub(super) texts_cut: u64,
    pub(super) cells_beyond: u64,
    pub(super) continued: Vec<String>,
}

/// A cell of the result.
#[derive(Debug, Clone)]
pub(super) struct ResultCell {
    pub(super) sheet: String,
    pub(super) cell: CellRef,
    /// The message there, which may name another row of the result.
    pub(super) message: Option<Box<str>>,
}

impl SummaryNotes {
    pub(super) fn note(&mut self, worksheet: &mut Worksheet, at: (u32, u16), text: &str) -> Result<(), XlsxError> {
        if self.notes >= MAX_NOTES {
            self.notes_left_out += 1;
            return Ok(());
        }
        self.notes += 1;
        worksheet.insert_note(at.0, at.1, &note(text)).map(drop)
    }

    /// Remembers the cell of the first problem of each kind.
    pub(super) fn remember(&mut self, table: &TableSheet, columns: &ResultColumns, row: &Row, outcome: &RowOutcome) {
        for problem in &outcome.problems {
            let key = (self.labels.len(), problem.code(), problem.column);
            if self.places.len() >= MAX_PLACES || self.places.contains_key(&key) {
                continue;
            }
            let place = problem.column.and_then(|column| columns.place(column as usize)).unwrap_or(MESSAGE);
            let cell = CellRef { row: u64::from(table.next_row) + 1, column: place as u32 };
            let names_row = problem.code() == Code::DuplicateKey;
            let message = names_row.then(|| Box::from(&*problem.error.message));
            self.places.insert(key, (row.number, ResultCell { sheet: table.name.clone(), cell, message }));
        }
    }

    /// The problem's cell in the result, if it was the first of its kind.
    pub(super) fn place(&self, label: &str, code: Code, example: &ProblemExample) -> Option<&ResultCell> {
        let sheets = (0..self.labels.len()).filter(|&number| self.labels[number] == label);
        let mut found = sheets.filter_map(|number| self.places.get(&(number + 1, code, example.column)));
        found.find(|found| found.0 == example.row).map(|found| &found.1)
    }

    /// What the user should know of the workbook itself.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut remarks = self.continued.clone();
        if self.notes_left_out > 0 {
            let notes = thousands(MAX_NOTES as u64);
            let left_out = counted(self.notes_left_out, "cell");
            remarks
                .push(format!("{left_out} beyond the first {notes} carry no note; their problems are in `_message`"));
        }
        remarks.extend(self.losses());
        remarks
    }

    /// What of the rows the workbook does not hold.
    pub(super) fn losses(&self) -> Vec<String> {
        let mut losses = Vec::new();
        if self.texts_cut > 0 {
            let texts = counted(self.texts_cut, "text");
            losses.push(format!("{texts} longer than a cell can hold: only the beginning is kept, and marked red"));
        }
        if self.cells_beyond > 0 {
            losses.push(format!("{} beyond the last column of a sheet left out", counted(self.cells_beyond, "cell")));
        }
        losses
    }
}
