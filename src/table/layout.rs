//! What a sheet keeps beside its cells: hidden rows, merged cells, and the totals rows of its tables.

/// Merged cells that are kept of a sheet. No sheet for people has more; what comes later is not told.
const MOST_MERGED: usize = 20_000;
/// Runs of hidden rows: every second row of the longest sheet.
const MOST_HIDDEN: usize = 524_288;

/// Hidden rows, merged cells and declared totals of a sheet. Rows count from 1, columns from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SheetLayout {
    /// Runs of hidden rows, first and last, in order.
    hidden: Vec<(u64, u64)>,
    merged: Vec<MergedCells>,
    totals: Vec<u64>,
}

/// Cells merged into one; the value is in the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MergedCells {
    pub first_row: u64,
    pub last_row: u64,
    pub first_column: u32,
    pub last_column: u32,
}

impl SheetLayout {
    /// Adds hidden rows, which come in the order of the sheet.
    pub(super) fn hide(&mut self, first: u64, last: u64) {
        let has_room = self.hidden.len() < MOST_HIDDEN;
        match self.hidden.last_mut() {
            Some(run) if run.1 + 1 == first => run.1 = last,
            _ if has_room => self.hidden.push((first, last)),
            _ => {}
        }
    }

    pub(super) fn merge(&mut self, cells: MergedCells) {
        if self.merged.len() < MOST_MERGED {
            self.merged.push(cells);
        }
    }

    pub(super) fn add_totals_row(&mut self, row: u64) {
        self.totals.push(row);
    }

    /// Whether a row is hidden, by hand or by a filter.
    pub(crate) fn is_hidden(&self, row: u64) -> bool {
        let after = self.hidden.partition_point(|(first, _)| *first <= row);
        after.checked_sub(1).is_some_and(|at| row <= self.hidden[at].1)
    }

    /// The merged cells that begin below a row, by their first row.
    pub(crate) fn merged_below(&self, row: u64) -> Vec<MergedCells> {
        let mut merged: Vec<MergedCells> = self.merged.iter().copied().filter(|cells| cells.first_row > row).collect();
        merged.sort_by_key(|cells| cells.first_row);
        merged
    }

    /// The rows that tables declare to be totals.
    pub(crate) fn totals_rows(&self) -> &[u64] {
        &self.totals
    }
}

#[cfg(test)]
mod tests {
    use super::SheetLayout;

    #[test]
    fn runs_of_hidden_rows_are_found_again() {
        let mut layout = SheetLayout::default();
        [(3, 3), (4, 6), (9, 9)].into_iter().for_each(|(first, last)| layout.hide(first, last));
        let hidden: Vec<u64> = (1..12).filter(|row| layout.is_hidden(*row)).collect();
        assert_eq!(hidden, [3, 4, 5, 6, 9]);
        assert_eq!(layout.hidden.len(), 2);
    }
}
