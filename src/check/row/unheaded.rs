//! Values that stand below no header.

use std::collections::BTreeMap;

use super::ExtraCells;
use crate::mapping::Mapping;
use crate::table::Row;

/// Filled columns without a header: nothing reads them, and nothing may vanish unnamed.
pub(super) struct UnheadedColumns {
    /// The columns of the header row that have none, from 0.
    between: Vec<usize>,
    /// The number of columns up to the last header.
    headed: usize,
    /// The number of columns of the header row.
    width: usize,
    filled: BTreeMap<usize, u64>,
    /// The rows of a text file, and how many of them hold values beyond the header row.
    rows: u64,
    longer: u64,
}

impl UnheadedColumns {
    pub(super) fn new(mapping: &Mapping) -> Self {
        let headed = mapping.sheet_columns().last().map_or(0, |column| column.index + 1);
        let width = mapping.width.max(headed);
        let mut has_header = vec![false; width];
        mapping.sheet_columns().for_each(|column| has_header[column.index] = true);
        let between = (0..width).filter(|column| !has_header[*column]).collect();
        Self { between, headed, width, filled: BTreeMap::new(), rows: 0, longer: 0 }
    }

    pub(super) fn rewind(&mut self) {
        self.filled.clear();
        (self.rows, self.longer) = (0, 0);
    }

    /// The filled columns, and how many of their cells are.
    pub(super) fn filled(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.filled.iter().map(|(column, filled)| (*column, *filled))
    }

    /// The number of columns of a header row that every row of a text file goes beyond.
    pub(super) fn short_header(&self) -> Option<usize> {
        (self.rows > 1 && self.longer == self.rows).then_some(self.width)
    }

    /// The columns of a row of a text file that may hold values. One that is longer than the header row has shifted: what
    /// stands beyond the last header belongs to a column before it.
    pub(super) fn allowed(&self, row: &Row) -> usize {
        if row.len() > self.width { self.headed } else { self.width }
    }

    /// The first value of a row of a text file that stands where there may be none.
    pub(super) fn extra_cell(&self, row: &Row) -> Option<usize> {
        (self.allowed(row)..row.len()).find(|column| !row.cell(*column).is_blank())
    }

    /// Cells beyond the header row may be problems of their own.
    pub(super) fn observe(&mut self, row: &Row, extra_cells: ExtraCells) {
        let end = match extra_cells {
            ExtraCells::Ignored => row.len(),
            ExtraCells::Problem => {
                self.rows += 1;
                self.longer += u64::from(self.extra_cell(row).is_some());
                0
            }
        };
        for column in self.between.iter().copied().chain(self.width..end) {
            if !row.cell(column).is_blank() {
                *self.filled.entry(column).or_default() += 1;
            }
        }
    }

    /// Adds what a helper's rows tell.
    pub(super) fn absorb(&mut self, other: &Self) {
        for (column, filled) in &other.filled {
            *self.filled.entry(*column).or_default() += filled;
        }
        self.rows += other.rows;
        self.longer += other.longer;
    }
}
