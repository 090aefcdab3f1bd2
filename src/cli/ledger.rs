//! What became of every row so far, in some thirty bytes a row.

use crate::check::Problem;
use crate::report::{Counts, Outcome, ProblemTally, Status};

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
    /// A position in `details`, from 1; 0 for none.
    detail: u32,
}

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It has a step that has not ended; on a dry run it stays so.
    Planned(Status),
    Ended(Status),
    /// The run stopped before it was sent: it counts as failed, and nothing is wrong with it.
    NotSent,
    /// An earlier run finished it, and its result says so.
    Carried,
}

#[derive(Debug, Default)]
struct Detail {
    message: Box<str>,
    problems: Vec<Problem>,
}

impl Ledger {
    /// Adds the next row of the sheet.
    pub(super) fn push(&mut self, row: u64, state: State, id: Option<i64>, problems: Vec<Problem>) {
        self.entries.push(Entry { row, state, id: id.unwrap_or(0), detail: 0 });
        if !problems.is_empty() {
            self.detail(self.entries.len() - 1).problems = problems;
        }
    }

    /// The row's step has ended.
    pub(super) fn end(&mut self, row: u64, status: Status, id: Option<i64>, message: &str, problems: Vec<Problem>) {
        let Some(position) = self.position(row) else { return };
        self.entries[position].state = State::Ended(status);
        self.entries[position].id = id.unwrap_or(self.entries[position].id);
        if !message.is_empty() || !problems.is_empty() {
            let detail = self.detail(position);
            detail.message = message.into();
            detail.problems.extend(problems);
        }
    }

    /// Rows come in ascending order, but for workbooks that other programs wrote carelessly.
    fn position(&self, row: u64) -> Option<usize> {
        let sorted = self.entries.binary_search_by_key(&row, |entry| entry.row).ok();
        sorted.or_else(|| self.entries.iter().position(|entry| entry.row == row))
    }

    /// The sending is over: a step that has not ended was in flight when the run was stopped. The pessimistic outcome
    /// is the default one.
    pub(super) fn close(&mut self) {
        for position in 0..self.entries.len() {
            if matches!(self.entries[position].state, State::Planned(_)) {
                self.entries[position].state = State::Ended(Status::Unknown);
                self.detail(position).message =
                    "it was being sent when the run was stopped: look for the record in the account".into();
            }
        }
    }

    /// The run stopped before the row was sent.
    pub(super) fn leave(&mut self, row: u64, message: &str) {
        self.end(row, Status::Failed, None, message, Vec::new());
        if let Some(position) = self.position(row) {
            self.entries[position].state = State::NotSent;
        }
    }

    /// Something went wrong with a record that the row names; its own step will say the rest.
    pub(super) fn blame(&mut self, row: u64, problem: Option<Problem>) {
        if let Some(position) = self.position(row) {
            self.detail(position).problems.extend(problem);
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

    /// The outcome of the row at a position of the sheet; rows carried from an earlier result have none here.
    pub(super) fn outcome(&self, position: usize) -> Option<(u64, Option<Outcome>)> {
        let entry = self.entries.get(position)?;
        let status = match entry.state {
            State::Planned(status) | State::Ended(status) => status,
            State::NotSent => Status::Failed,
            State::Carried => return Some((entry.row, None)),
        };
        let detail = (entry.detail as usize).checked_sub(1).and_then(|index| self.details.get(index));
        Some((
            entry.row,
            Some(Outcome {
                status,
                id: (entry.id != 0).then_some(entry.id),
                message: detail.map(|detail| detail.message.clone()).unwrap_or_default(),
                problems: detail.map(|detail| detail.problems.clone()).unwrap_or_default(),
            }),
        ))
    }

    /// The rows counted by what became of them; rows that an earlier run finished count as skipped.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for entry in &self.entries {
            counts.add(match entry.state {
                State::Planned(status) | State::Ended(status) => status,
                State::NotSent => Status::Failed,
                State::Carried => Status::Skipped,
            });
        }
        counts
    }

    /// How many rows stand at a state.
    pub(super) fn count(&self, state: State) -> u64 {
        self.entries.iter().filter(|entry| entry.state == state).count() as u64
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

    #[test]
    fn a_row_under_way_when_the_run_is_cut_off_is_unknown_and_never_done() {
        let mut ledger = Ledger::default();
        ledger.push(2, State::Planned(Status::Created), None, Vec::new());
        ledger.push(3, State::Planned(Status::Created), None, Vec::new());
        ledger.end(2, Status::Created, Some(7), "", Vec::new());
        ledger.close();
        let statuses: Vec<Status> = (0..2).map(|at| ledger.outcome(at).unwrap().1.unwrap().status).collect();
        assert_eq!(statuses, [Status::Created, Status::Unknown]);
        assert_eq!((ledger.counts().created, ledger.counts().unknown), (1, 1));
    }
}
