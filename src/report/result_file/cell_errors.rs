//! Notes on invalid and changed cells.

use rust_xlsxwriter::{Color, Note, ObjectMovement};

use super::super::change_tally::{change_text, was_text};
use super::super::text::note_text;
use super::columns::ResultColumns;
use crate::plan::{ReportMode, RowOutcome};
use crate::table::write::xlsx::CellMark;

/// How many notes a workbook gets. Excel keeps each as a drawing and turns slow with many, and the workbook writer
/// takes some 12 KiB for each. The cells beyond are marked all the same, and their problems are in `_message`.
pub(super) const MAX_NOTES: usize = 1_500;

const WIDTH_PIXELS: u32 = 300;
/// What a line of that width holds, and takes.
const LINE_CHARS: usize = 44;
const LINE_PIXELS: u32 = 17;

/// The marked cells of a row: those that are wrong, and those that an update changes.
#[derive(Debug)]
pub(super) struct CellErrors {
    cells: Vec<MarkedCell>,
    /// Whether the row as a whole, or a column that is not shown, is wrong.
    pub(super) row_mark: CellMark,
}

/// A cell with what is said on it.
#[derive(Debug)]
pub(super) struct MarkedCell {
    /// The input's column, from 0.
    column: usize,
    pub(super) mark: CellMark,
    pub(super) text: String,
}

impl CellErrors {
    pub(super) fn new() -> Self {
        Self { cells: Vec::new(), row_mark: CellMark::Plain }
    }

    /// Sorts the problems of a row by the cell they are shown on.
    pub(super) fn collect(&mut self, outcome: &RowOutcome, columns: &ResultColumns, mode: ReportMode) {
        self.cells.clear();
        self.row_mark = CellMark::Plain;
        for problem in &outcome.problems {
            let shown = problem.column.map(|column| column as usize).filter(|&column| columns.place(column).is_some());
            let Some(column) = shown else {
                self.row_mark = CellMark::Invalid;
                continue;
            };
            self.add(column, CellMark::Invalid, &note_text(problem));
        }
        for change in &outcome.changes {
            let text = match mode {
                ReportMode::Done => was_text(&change.old),
                ReportMode::DryRun | ReportMode::Check => change_text(&change.old, &change.new),
            };
            self.add(change.column as usize, CellMark::Changed, &text);
        }
    }

    fn add(&mut self, column: usize, mark: CellMark, text: &str) {
        match self.cells.iter_mut().find(|cell| cell.column == column) {
            Some(cell) => {
                cell.text.push_str("\n\n");
                cell.text.push_str(text);
            }
            None => self.cells.push(MarkedCell { column, mark, text: text.to_owned() }),
        }
    }

    /// Takes what is said on the cell in that column, if it is marked.
    pub(super) fn take(&mut self, column: usize) -> Option<MarkedCell> {
        let at = self.cells.iter().position(|cell| cell.column == column)?;
        Some(self.cells.swap_remove(at))
    }

    /// One past the last marked column.
    pub(super) fn end(&self) -> usize {
        self.cells.iter().map(|cell| cell.column + 1).max().unwrap_or(0)
    }
}

/// The note for a text, large enough to show all of it.
pub(super) fn note(text: &str) -> Note {
    let lines: usize = text.lines().map(|line| line.chars().count().div_ceil(LINE_CHARS).max(1)).sum();
    Note::new(text)
        .set_author("tallyport")
        .add_author_prefix(false)
        .set_width(WIDTH_PIXELS)
        .set_height((lines.min(40) as u32 + 1) * LINE_PIXELS)
        .set_font_size(9)
        .set_background_color(Color::RGB(0x00FF_F8DC))
        .set_object_movement(ObjectMovement::MoveButDontSizeWithCells)
}
