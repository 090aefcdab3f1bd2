//! Cells that a merge covers: they look filled and hold nothing.

use super::problem::{Code, ValueError};
use crate::table::{CellRef, MergedCells, Row};

/// The merged cells of a sheet, as its rows go by.
pub(super) struct MergedRanges {
    /// By their first row; those before `next` have begun.
    ranges: Vec<MergedCells>,
    next: usize,
    /// The ranges with a value that reach the row at hand.
    active: Vec<MergedCells>,
}

impl MergedRanges {
    pub(super) fn new(ranges: Vec<MergedCells>) -> Self {
        Self { ranges, next: 0, active: Vec::new() }
    }

    pub(super) fn rewind(&mut self) {
        (self.next, self.active) = (0, Vec::new());
    }

    /// Goes on to a row. A range that begins in a row without a value in its first cell covers nothing.
    pub(super) fn advance(&mut self, row: &Row) {
        if self.next == self.ranges.len() && self.active.is_empty() {
            return;
        }
        self.active.retain(|range| row.number <= range.last_row);
        while let Some(range) = self.ranges.get(self.next).filter(|range| range.first_row <= row.number) {
            if range.first_row == row.number && !row.cell(range.first_column as usize).is_blank() {
                self.active.push(*range);
            }
            self.next += 1;
        }
    }

    /// What is wrong with a blank cell in that column, from 0, if a merge covers it.
    pub(super) fn covered(&self, column: usize) -> Option<ValueError> {
        let holds = |range: &&MergedCells| (range.first_column..=range.last_column).contains(&(column as u32));
        let range = self.active.iter().find(holds)?;
        let first = CellRef { row: range.first_row, column: range.first_column };
        let last = CellRef { row: range.last_row, column: range.last_column };
        Some(ValueError::new(
            Code::CellMerged,
            format!("part of the merged cells {first}:{last}; the value belongs to {first} alone"),
            "unmerge the cells, and write the value into each row that it is for",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::MergedRanges;
    use crate::table::{MergedCells, Row};

    fn row(number: u64, cells: &[&str]) -> Row {
        let mut row = Row::default();
        row.clear(number);
        cells.iter().for_each(|cell| row.push_text(cell));
        row
    }

    #[test]
    fn only_the_cells_below_a_value_are_covered() {
        let range = |first_row, last_row, column| MergedCells {
            first_row,
            last_row,
            first_column: column,
            last_column: column,
        };
        let mut merged = MergedRanges::new(vec![range(2, 3, 0), range(2, 3, 1)]);
        for _ in 0..2 {
            merged.advance(&row(2, &["Berlin", ""]));
            merged.advance(&row(3, &["", ""]));
            assert!(merged.covered(0).is_some());
            assert!(merged.covered(1).is_none(), "an empty range");
            merged.advance(&row(4, &["", ""]));
            assert!(merged.covered(0).is_none());
            merged.rewind();
        }
    }
}
