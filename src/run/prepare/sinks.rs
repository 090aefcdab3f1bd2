//! Where a plan goes: into a journal, or, for a trial, nowhere.

use std::collections::{HashMap, HashSet};

use super::is_rejected;
use crate::check::{CheckedRow, Code, Problem};
use crate::plan::{FieldChange, ReadOnlyCell, RowId, SheetPlan, Step, StepSink};
use crate::run::input::InputSet;
use crate::run::journal::{JournalBuilder, JournalError, PlannedRow, SheetHeader};
use crate::table::Row;

/// Receives a plan: the steps, and what was decided about the rows.
pub(crate) trait PlanSink: StepSink<Error = JournalError> {
    /// What a row says of the record that is planned next, before it is looked at.
    fn row_begins(&mut self, sheet: &SheetPlan<'_>, row: &Row, checked: &mut CheckedRow) {
        let _ = (sheet, row, checked);
    }

    /// What the row says of what the service sets.
    fn read_only(&mut self, cells: Vec<ReadOnlyCell>) {
        let _ = cells;
    }

    fn sheet(&mut self, sheet: u16, header: &SheetHeader) -> Result<(), JournalError>;
    fn changes(&mut self, changes: &[FieldChange]) -> Result<(), JournalError>;
    fn row(&mut self, row: &Row, planned: &PlannedRow, withheld: &dyn Fn(usize) -> bool) -> Result<(), JournalError>;
}

impl PlanSink for JournalBuilder {
    fn sheet(&mut self, sheet: u16, header: &SheetHeader) -> Result<(), JournalError> {
        JournalBuilder::sheet(self, sheet, header)
    }

    fn changes(&mut self, changes: &[FieldChange]) -> Result<(), JournalError> {
        JournalBuilder::changes(self, changes)
    }

    fn row(&mut self, row: &Row, planned: &PlannedRow, withheld: &dyn Fn(usize) -> bool) -> Result<(), JournalError> {
        JournalBuilder::row(self, row, planned, withheld)
    }
}

/// Keeps of a plan only which rows were rejected, of the sheets whose rows make several records.
pub(super) struct TrialSink {
    steps: u32,
    sheet: u16,
    /// Sheets whose rows make several records, each with the sheet that the rows belong to.
    owners: HashMap<u16, u16>,
    /// Rows that were rejected before.
    known: HashSet<RowId>,
    /// Rows whose own record is rejected, and rows of which a further one is.
    own: Rejections,
    further: Rejections,
}

/// Rows that a trial rejects.
#[derive(Debug, Default)]
pub(super) struct Rejections {
    pub(super) rows: HashSet<RowId>,
    /// The problems, each with the sheet of its record.
    pub(super) problems: HashMap<RowId, Vec<Problem>>,
}

impl TrialSink {
    /// `known` are the rows that were rejected before.
    pub(super) fn new(input: &InputSet, known: HashSet<RowId>) -> Self {
        let owners = input.further_sheets().into_iter().flat_map(|(sheet, owner)| [(sheet, owner), (owner, owner)]);
        let (own, further) = (Rejections::default(), Rejections::default());
        Self { steps: 0, sheet: 0, owners: owners.collect(), known, own, further }
    }

    /// What the trial rejects for good. While further records are rejected, that is their rows alone: what such a row would
    /// have done, such as taking the last of a stock, must not count against others.
    pub(super) fn rejections(self) -> Rejections {
        if self.further.rows.is_empty() { self.own } else { self.further }
    }
}

impl StepSink for TrialSink {
    type Error = JournalError;

    fn count(&self) -> u32 {
        self.steps
    }

    fn push(&mut self, _: &Step) -> Result<(), JournalError> {
        self.steps += 1;
        Ok(())
    }
}

impl PlanSink for TrialSink {
    fn sheet(&mut self, sheet: u16, _: &SheetHeader) -> Result<(), JournalError> {
        self.sheet = sheet;
        Ok(())
    }

    fn changes(&mut self, _: &[FieldChange]) -> Result<(), JournalError> {
        Ok(())
    }

    fn row(&mut self, row: &Row, planned: &PlannedRow, _: &dyn Fn(usize) -> bool) -> Result<(), JournalError> {
        if let (true, Some(owner)) = (is_rejected(planned), self.owners.get(&self.sheet)) {
            let id = RowId { sheet: *owner, row: row.number };
            if !self.known.contains(&id) {
                let rejections = if *owner == self.sheet { &mut self.own } else { &mut self.further };
                rejections.rows.insert(id);
                // Names are looked up in every pass, and one that the row would make itself is not missing.
                let told = planned.problems.iter().filter(|problem| problem.code() != Code::NameNotFound);
                let told: Vec<Problem> = told.cloned().collect();
                if !told.is_empty() {
                    rejections.problems.insert(RowId { sheet: self.sheet, row: row.number }, told);
                }
            }
        }
        Ok(())
    }
}
