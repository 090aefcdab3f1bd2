//! What became of every row so far, in some thirty bytes a row.

use crate::check::Problem;
use crate::mapping::TimestampColumn;
use crate::plan::{RowCounts, RowStatus};
use crate::plan::{Step, StepRole, WriteKind};
use crate::plan::{StepOutcome, StepResult};
use crate::report::{Outcome, ProblemTally};
use crate::run::journal::{PlannedRow, RowState};

/// The outcomes of one sheet's rows, in the order of the sheet.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
    details: Vec<Detail>,
}

/// One row.
#[derive(Debug, Clone, Copy)]
struct Entry {
    row: u64,
    state: State,
    /// The record's id; 0 where it is not known.
    id: i64,
    /// When the service changed the record for this run, in milliseconds since the epoch; 0 where it did not say.
    changed: i64,
    /// A position in `details`, from 1; 0 for none.
    detail: u32,
}

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It has a step that has not ended; on a dry run it stays so.
    Planned(RowStatus),
    Ended(RowStatus),
    /// The run stopped before it was sent: it counts as failed, and nothing is wrong with it.
    NotSent,
    /// The run is at work, or can go on: it does not count yet.
    Open,
    /// An earlier run finished it, and its result says so: it counts as skipped.
    Carried(RowStatus),
}

/// What a row is once its write is done. An action makes something happen, so it counts as created.
pub(super) fn done_status(write: WriteKind) -> RowStatus {
    match write {
        WriteKind::Create => RowStatus::Created,
        WriteKind::Update(_) => RowStatus::Updated,
        WriteKind::Delete(_) => RowStatus::Deleted,
    }
}

#[derive(Debug, Default)]
struct Detail {
    message: Box<str>,
    problems: Vec<Problem>,
}

impl Ledger {
    /// Adds the next row of the sheet, as it was planned.
    pub(super) fn push(&mut self, row: u64, planned: PlannedRow) {
        let state = match planned.state {
            RowState::Planned => State::Planned(planned.status),
            RowState::Ended => State::Ended(planned.status),
            RowState::Carried => State::Carried(planned.status),
        };
        self.entries.push(Entry { row, state, id: planned.record.unwrap_or(0), changed: 0, detail: 0 });
        if !planned.problems.is_empty() || !planned.message.is_empty() {
            let detail = self.detail(self.entries.len() - 1);
            detail.problems = planned.problems;
            detail.message = planned.message.into();
        }
    }

    /// A step of the row has ended.
    pub(super) fn conclude(&mut self, step: &Step, outcome: &StepOutcome) {
        let row = step.row.row;
        match (step.role, outcome.result) {
            (StepRole::Dependency, StepResult::Applied | StepResult::AlreadyApplied) => {}
            (StepRole::Dependency, _) => self.blame(row, &outcome.problems),
            (StepRole::Row, result) => {
                let status = match result {
                    StepResult::Applied => done_status(step.write),
                    StepResult::AlreadyApplied => RowStatus::Unchanged,
                    StepResult::Failed => RowStatus::Failed,
                    StepResult::Unknown => RowStatus::Unknown,
                };
                self.end(row, status, outcome.record, &outcome.message, outcome.problems.clone());
                self.note_change(row, outcome);
            }
        }
    }

    /// The row's step has ended.
    fn end(&mut self, row: u64, status: RowStatus, id: Option<i64>, message: &str, problems: Vec<Problem>) {
        let Some(position) = self.position(row) else { return };
        self.entries[position].state = State::Ended(status);
        self.entries[position].id = id.unwrap_or(self.entries[position].id);
        if !message.is_empty() || !problems.is_empty() {
            let detail = self.detail(position);
            detail.message = message.into();
            detail.problems.extend(problems);
        }
    }

    /// When an update happened, as far as the service says.
    fn note_change(&mut self, row: u64, outcome: &StepOutcome) {
        let told = outcome.after.as_ref().and_then(|after| after.get(TimestampColumn::Updated.name())?.as_str());
        let changed = told.and_then(|moment| moment.parse::<jiff::Timestamp>().ok());
        if let (Some(changed), Some(position)) = (changed, self.position(row)) {
            self.entries[position].changed = changed.as_millisecond();
        }
    }

    /// When the service changed the record of the row at a position for this run; none where it did not, or did not say.
    pub(super) fn changed(&self, position: usize) -> Option<jiff::Timestamp> {
        let changed = self.entries.get(position)?.changed;
        jiff::Timestamp::from_millisecond(changed).ok().filter(|_| changed != 0)
    }

    /// Rows come in ascending order, but for workbooks that other programs wrote carelessly.
    fn position(&self, row: u64) -> Option<usize> {
        let sorted = self.entries.binary_search_by_key(&row, |entry| entry.row).ok();
        sorted.or_else(|| self.entries.iter().position(|entry| entry.row == row))
    }

    /// The sending is over, and the row's answer was lost. The pessimistic outcome is the default one.
    pub(super) fn lose(&mut self, row: u64) {
        if let Some(position) = self.position(row) {
            self.lose_at(position);
        }
    }

    /// The sending is over, and nobody can tell which of the open rows were sent.
    pub(super) fn lose_all(&mut self) {
        (0..self.entries.len()).for_each(|position| self.lose_at(position));
    }

    fn lose_at(&mut self, position: usize) {
        if matches!(self.entries[position].state, State::Planned(_)) {
            self.entries[position].state = State::Ended(RowStatus::Unknown);
            self.detail(position).message =
                "no response was received and the run stopped before checking; run `tallyport resume`".into();
        }
    }

    /// The sending is over: rows that have not ended were not sent.
    pub(super) fn close(&mut self, reason: &str) {
        for position in 0..self.entries.len() {
            if matches!(self.entries[position].state, State::Planned(_)) {
                self.entries[position].state = State::NotSent;
                self.detail(position).message = format!("not sent: {reason}").into();
            }
        }
    }

    /// The run is looked at before its end: rows that have not ended count for nothing.
    pub(super) fn leave_open(&mut self) {
        for entry in &mut self.entries {
            if matches!(entry.state, State::Planned(_)) {
                entry.state = State::Open;
            }
        }
    }

    /// Something went wrong with a record that the row names; its own step will say the rest.
    fn blame(&mut self, row: u64, problems: &[Problem]) {
        if let Some(position) = self.position(row) {
            self.detail(position).problems.extend_from_slice(problems);
        }
    }

    fn detail(&mut self, position: usize) -> &mut Detail {
        if self.entries[position].detail == 0 {
            self.details.push(Detail::default());
            self.entries[position].detail = self.details.len() as u32;
        }
        let index = self.entries[position].detail as usize - 1;
        &mut self.details[index]
    }

    /// The outcome of the row at a position of the sheet.
    pub(super) fn outcome(&self, position: usize) -> Option<Outcome> {
        let entry = self.entries.get(position)?;
        let status = match entry.state {
            State::Planned(status) | State::Ended(status) => status,
            State::NotSent | State::Open => RowStatus::Failed,
            State::Carried(status) => status,
        };
        let detail = (entry.detail as usize).checked_sub(1).and_then(|index| self.details.get(index));
        Some(Outcome {
            status,
            id: (entry.id != 0).then_some(entry.id),
            message: detail.map(|detail| detail.message.clone()).unwrap_or_default(),
            problems: detail.map(|detail| detail.problems.clone()).unwrap_or_default(),
        })
    }

    /// The rows counted by what became of them; rows that an earlier run finished count as skipped.
    pub(super) fn counts(&self) -> RowCounts {
        let mut counts = RowCounts::default();
        for entry in &self.entries {
            counts.add(match entry.state {
                State::Planned(status) | State::Ended(status) => status,
                State::NotSent => RowStatus::Failed,
                State::Open => continue,
                State::Carried(_) => RowStatus::Skipped,
            });
        }
        counts
    }

    /// How many rows stand at a state that the test accepts.
    pub(super) fn count(&self, is_meant: impl Fn(State) -> bool) -> u64 {
        self.entries.iter().filter(|entry| is_meant(entry.state)).count() as u64
    }

    /// The records of the rows that are to be sent.
    pub(super) fn planned_records(&self) -> impl Iterator<Item = i64> {
        let is_planned = |entry: &&Entry| matches!(entry.state, State::Planned(_)) && entry.id != 0;
        self.entries.iter().filter(is_planned).map(|entry| entry.id)
    }

    pub(super) fn rows(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Adds every problem to a tally.
    pub(super) fn tally(&self, sheet: &str, header: &dyn Fn(u32) -> Option<String>, tally: &mut ProblemTally) {
        for entry in &self.entries {
            let Some(detail) = (entry.detail as usize).checked_sub(1).and_then(|index| self.details.get(index)) else {
                continue;
            };
            for problem in &detail.problems {
                tally.add(sheet, problem.column.and_then(header).as_deref(), entry.row, problem);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn planned(status: RowStatus) -> PlannedRow {
        PlannedRow { state: RowState::Planned, status, record: None, message: String::new(), problems: Vec::new() }
    }

    #[test]
    fn a_row_under_way_when_the_run_is_cut_off_is_unknown_and_never_done() {
        let mut ledger = Ledger::default();
        (2..5).for_each(|row| ledger.push(row, planned(RowStatus::Created)));
        ledger.end(2, RowStatus::Created, Some(7), "", Vec::new());
        ledger.lose(2);
        ledger.lose(3);
        ledger.close("the run was interrupted");
        let statuses: Vec<RowStatus> = (0..3).map(|at| ledger.outcome(at).unwrap().status).collect();
        assert_eq!(statuses, [RowStatus::Created, RowStatus::Unknown, RowStatus::Failed]);
        assert_eq!(&*ledger.outcome(2).unwrap().message, "not sent: the run was interrupted");
        assert_eq!((ledger.counts().created, ledger.counts().unknown, ledger.counts().failed), (1, 1, 1));
    }
}
