//! Notes on invalid cells.

use rust_xlsxwriter::{Color, Note, ObjectMovement};

use super::super::text::note_text;
use super::columns::ResultColumns;
use crate::plan::RowOutcome;
use crate::table::write::xlsx::CellMark;

/// How many notes a workbook gets. Excel keeps each as a drawing and turns slow with many, and the workbook writer
/// takes some 12 KiB for each. The cells beyond are marked all the same, and their problems are in `_message`.
pub(super) const MAX_NOTES: usize = 1_500;

const WIDTH_PIXELS: u32 = 300;
/// What a line of that width holds, and takes.
const LINE_CHARS: usize = 44;
const LINE_PIXELS: u32 = 17;

/// The wrong cells of a row: the input's column and what is said on it.
#[derive(Debug)]
pub(super) struct CellErrors {
    cells: Vec<(usize, String)>,
    /// Whether the row as a whole, or a column that is not shown, is wrong.
    pub(super) row_mark: CellMark,
}

impl CellErrors {
    pub(super) fn new() -> Self {
        Self { cells: Vec::new(), row_mark: CellMark::Plain }
    }

    /// Sorts the problems of a row by the cell they are shown on.
    pub(super) fn collect(&mut self, outcome: &RowOutcome, columns: &ResultColumns) {
        self.cells.clear();
        self.row_mark = CellMark::Plain;
        for problem in &outcome.problems {
            let shown = problem.column.map(|column| column as usize).filter(|&column| columns.place(column).is_some());
            let Some(column) = shown else {
                self.row_mark = CellMark::Invalid;
                continue;
            };
            match self.cells.iter_mut().find(|cell| cell.0 == column) {
                Some(cell) => {
                    cell.1.push_str("\n\n");
                    cell.1.push_str(&note_text(problem));
                }
                None => self.cells.push((column, note_text(problem))),
            }
        }
    }

    /// Takes what is said on the cell in that column, if it is wrong.
    pub(super) fn take(&mut self, column: usize) -> Option<String> {
        self.cells.iter_mut().find(|cell| cell.0 == column).map(|cell| std::mem::take(&mut cell.1))
    }

    /// One past the last wrong column.
    pub(super) fn end(&self) -> usize {
        self.cells.iter().map(|cell| cell.0 + 1).max().unwrap_or(0)
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
