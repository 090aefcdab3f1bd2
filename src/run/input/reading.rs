//! Streams the rows of sheets through their checks.

use std::ops::ControlFlow;

use super::{InputRow, InputSet, MappedSheet, RowRules, SheetRules};
use crate::check::{CheckedRow, Checker, ExtraCells, Inference, RowAction};
use crate::mapping::RecordOrigin;
use crate::table::{self, OnRows, ReadError, Row};

impl InputSet {
    /// The check of each sheet.
    pub(crate) fn checkers<'c>(&self, sheets: &'c [SheetRules], rules: &'c RowRules) -> Vec<Checker<'c>> {
        let checker = |(index, (mapping, match_on)): (usize, &'c SheetRules)| match mapping.origin {
            RecordOrigin::Rows => Checker::new(mapping, &rules.own, match_on, self.extra_cells(index))
                .with_layout(&self.sheets[index].layout),
            // Many rows may describe one record, and what stands beside the table is told once.
            RecordOrigin::Described | RecordOrigin::Assignment => {
                Checker::new(mapping, &rules.further, &[], ExtraCells::Ignored).with_merged(&self.sheets[index].layout)
            }
        };
        sheets.iter().enumerate().map(checker).collect()
    }

    /// Runs the check over every row of a sheet, and over the further records of each, until what only a whole column
    /// tells is known. The checkers are then ready for the passes that follow. The callback gets the position of the
    /// sheet that the record belongs to; the row's own record comes first.
    ///
    /// # Errors
    /// Where the file cannot be read to its end.
    pub(crate) fn survey(
        &mut self,
        sheet: usize,
        checkers: &mut [Checker<'_>],
        on_record: &mut dyn FnMut(usize, InputRow<'_>, &mut CheckedRow),
    ) -> Result<u64, ReadError> {
        let further = self.further_of(sheet);
        let mut rows = self.each_record(sheet, checkers, on_record)?;
        let of_rows = || std::iter::once(sheet).chain(further.iter().copied());
        let learned: Vec<Inference> = of_rows().map(|index| checkers[index].infer_formats()).collect();
        if learned.contains(&Inference::NeedsSecondPass) {
            of_rows().for_each(|index| checkers[index].rewind());
            rows = self.each_record(sheet, checkers, on_record)?;
        }
        Ok(rows)
    }

    /// Streams the rows below the header, each with the check of its own record and of the further ones that it makes.
    ///
    /// # Errors
    /// Where the file cannot be read to its end.
    pub(crate) fn each_record(
        &mut self,
        sheet: usize,
        checkers: &mut [Checker<'_>],
        on_record: &mut dyn FnMut(usize, InputRow<'_>, &mut CheckedRow),
    ) -> Result<u64, ReadError> {
        let further = self.further_of(sheet);
        let mut rows = 0;
        let mut checked = CheckedRow::default();
        self.each_row(sheet, &mut |row| {
            rows += 1;
            let filled = checkers[sheet].check(row, &mut checked);
            on_record(sheet, InputRow { typed: row, filled }, &mut checked);
            if checked.action != Some(RowAction::Skip) {
                for index in &further {
                    let filled = checkers[*index].check(row, &mut checked);
                    if checked.says_record {
                        on_record(*index, InputRow { typed: row, filled }, &mut checked);
                    }
                }
            }
            ControlFlow::Continue(())
        })?;
        for index in std::iter::once(sheet).chain(further) {
            self.sheets[index].learn_from(&checkers[index]);
        }
        Ok(rows)
    }

    /// Streams the rows below the header, each with the check of the sheet's record.
    ///
    /// # Errors
    /// Where the file cannot be read to its end.
    pub(crate) fn each_checked(
        &mut self,
        sheet: usize,
        checker: &mut Checker<'_>,
        on_row: &mut dyn FnMut(InputRow<'_>, &mut CheckedRow),
    ) -> Result<u64, ReadError> {
        let mut rows = 0;
        let mut checked = CheckedRow::default();
        let mut hasher = checker.row_hasher();
        self.each_batch(sheet, |row| hasher.hashes(row), &mut |batch, keys| {
            checker.expect(keys);
            for row in batch {
                rows += 1;
                let filled = checker.check(row, &mut checked);
                on_row(InputRow { typed: row, filled }, &mut checked);
            }
            ControlFlow::Continue(())
        })?;
        self.sheets[sheet].learn_from(checker);
        Ok(rows)
    }

    /// Streams the rows below the header.
    ///
    /// # Errors
    /// Where the file cannot be read to its end.
    pub(crate) fn each_row(
        &mut self,
        sheet: usize,
        on_row: &mut dyn FnMut(&Row) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.each_batch(sheet, |_| (), &mut |rows, _| rows.iter().try_for_each(&mut *on_row))
    }

    /// As [`table::each_batch_ahead`], for the rows below the header.
    fn each_batch<P: Send>(
        &mut self,
        sheet: usize,
        prepare: impl FnMut(&Row) -> P + Send,
        on_rows: &mut OnRows<'_, P>,
    ) -> Result<(), ReadError> {
        let MappedSheet { file, position, ref mapping, .. } = self.sheets[sheet];
        let first = mapping.header_row + 1;
        table::each_batch_ahead(&mut self.files[file].workbook, (position, first), prepare, on_rows)
    }
}

impl MappedSheet {
    pub(super) fn learn_from(&mut self, checker: &Checker<'_>) {
        self.facts = checker.column_facts();
        if !self.is_further() {
            self.remarks = checker.remarks();
        }
    }
}
