//! The ways a row can end, and their words.

use std::ops::AddAssign;

use super::FieldChange;
use crate::check::Problem;

/// How a row ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowStatus {
    Created,
    Updated,
    /// The record already was as the row says.
    Unchanged,
    /// It was rejected before it was sent, or the service refused it.
    Failed,
    /// The run stopped before it was sent. Nothing is wrong with it.
    NotSent,
    /// The row asked for nothing.
    Skipped,
    /// It was sent, and whether the service did it could not be found out.
    Unknown,
    Deleted,
}

/// Whether a status tells what was done, what a run would do, or what a check without an account found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportMode {
    Done,
    DryRun,
    /// Offline: a row is good or it is not, and what would become of it is not known.
    Check,
}

/// A status as read back from a result file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParsedStatus {
    pub status: RowStatus,
    pub mode: ReportMode,
}

/// What is the same for every row of a status: its words. One line each; the order is that of all tables.
struct StatusText {
    status: RowStatus,
    done: &'static str,
    planned: &'static str,
    checked: &'static str,
    /// In a sentence about a dry run: "3 to create".
    ahead: &'static str,
}

const STATUS_TEXTS: &[StatusText] = &[
    status_text(RowStatus::Created, "created", "would create", "good", "to create"),
    status_text(RowStatus::Updated, "updated", "would update", "good", "to update"),
    status_text(RowStatus::Deleted, "deleted", "would delete", "good", "to delete"),
    status_text(RowStatus::Unchanged, "unchanged", "would not change", "good", "unchanged"),
    status_text(RowStatus::Failed, "failed", "would fail", "failed", "failed"),
    status_text(RowStatus::NotSent, "not_sent", "would not be sent", "good", "not_sent"),
    status_text(RowStatus::Skipped, "skipped", "would skip", "skipped", "skipped"),
    // Of a dry run only what an earlier run left so: no request is sent whose outcome could be lost.
    status_text(RowStatus::Unknown, "unknown", "unknown", "good", "unknown"),
];

const fn status_text(
    status: RowStatus,
    done: &'static str,
    planned: &'static str,
    checked: &'static str,
    ahead: &'static str,
) -> StatusText {
    StatusText { status, done, planned, checked, ahead }
}

impl RowStatus {
    /// Every status, in the order of all tables.
    pub fn all() -> impl Iterator<Item = RowStatus> {
        STATUS_TEXTS.iter().map(|words| words.status)
    }

    /// `created`; what scripts see.
    pub fn as_str(self) -> &'static str {
        self.status_text().done
    }

    /// `created`, `would create` or `good`: what the `_status` column says.
    pub fn label(self, mode: ReportMode) -> &'static str {
        match mode {
            ReportMode::Done => self.status_text().done,
            ReportMode::DryRun => self.status_text().planned,
            ReportMode::Check => self.status_text().checked,
        }
    }

    /// What stands after a number of rows: `created`, `to create`, `good`.
    pub fn count_label(self, mode: ReportMode) -> &'static str {
        match mode {
            ReportMode::DryRun => self.status_text().ahead,
            mode => self.label(mode),
        }
    }

    /// Reads back what a `_status` cell says, whatever its case.
    pub fn parse(text: &str) -> Option<ParsedStatus> {
        let text = text.trim();
        [ReportMode::Done, ReportMode::DryRun, ReportMode::Check].into_iter().find_map(|mode| {
            let words = STATUS_TEXTS.iter().find(|words| words.status.label(mode).eq_ignore_ascii_case(text))?;
            Some(ParsedStatus { status: words.status, mode })
        })
    }

    /// Whether a row of this status needs no second try.
    pub fn is_done(self) -> bool {
        !matches!(self, RowStatus::Failed | RowStatus::NotSent | RowStatus::Unknown)
    }

    /// Whether something was written.
    pub fn is_written(self) -> bool {
        matches!(self, RowStatus::Created | RowStatus::Updated | RowStatus::Deleted)
    }

    fn status_text(self) -> &'static StatusText {
        // The table has a line for every status; its first would be wrong, never a panic.
        STATUS_TEXTS.iter().find(|words| words.status == self).unwrap_or(&STATUS_TEXTS[0])
    }
}

impl ParsedStatus {
    /// Whether the row needs no second try: something was done, and successfully.
    pub fn is_done(self) -> bool {
        self.mode == ReportMode::Done && self.status.is_done()
    }
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowOutcome {
    pub status: RowStatus,
    /// The record's system id, where it is known.
    pub id: Option<i64>,
    /// More about the outcome than status and problems say; may be empty.
    pub message: Box<str>,
    pub problems: Vec<Problem>,
    /// What an update changes, or would change in a dry run.
    pub changes: Vec<FieldChange>,
}

/// Rows by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub failed: u64,
    pub skipped: u64,
    pub unknown: u64,
    pub deleted: u64,
    pub not_sent: u64,
}

impl RowCounts {
    pub fn add(&mut self, status: RowStatus) {
        self.add_all(status, 1);
    }

    pub(crate) fn add_all(&mut self, status: RowStatus, rows: u64) {
        *self.slot(status) += rows;
    }

    pub fn of(mut self, status: RowStatus) -> u64 {
        *self.slot(status)
    }

    /// The rows that have an outcome.
    pub fn rows(self) -> u64 {
        RowStatus::all().map(|status| self.of(status)).sum()
    }

    /// The count of a status.
    pub fn slot(&mut self, status: RowStatus) -> &mut u64 {
        match status {
            RowStatus::Created => &mut self.created,
            RowStatus::Updated => &mut self.updated,
            RowStatus::Unchanged => &mut self.unchanged,
            RowStatus::Failed => &mut self.failed,
            RowStatus::Skipped => &mut self.skipped,
            RowStatus::Unknown => &mut self.unknown,
            RowStatus::Deleted => &mut self.deleted,
            RowStatus::NotSent => &mut self.not_sent,
        }
    }

    /// The counts by the words of `tense`, in the order of all tables; words that are the same are one line.
    pub(crate) fn by_label(self, mode: ReportMode) -> Vec<(RowStatus, &'static str, u64)> {
        let mut lines: Vec<(RowStatus, &'static str, u64)> = Vec::new();
        for status in RowStatus::all() {
            let word = status.count_label(mode);
            match lines.iter_mut().find(|line| line.1 == word) {
                Some(line) => line.2 += self.of(status),
                None => lines.push((status, word, self.of(status))),
            }
        }
        lines
    }
}

impl AddAssign for RowCounts {
    fn add_assign(&mut self, other: Self) {
        for status in RowStatus::all() {
            *self.slot(status) += other.of(status);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    const STATUSES: [RowStatus; 8] = [
        RowStatus::Created,
        RowStatus::Updated,
        RowStatus::Unchanged,
        RowStatus::Failed,
        RowStatus::Skipped,
        RowStatus::Unknown,
        RowStatus::Deleted,
        RowStatus::NotSent,
    ];

    #[test]
    fn the_table_has_a_line_for_every_status() {
        assert_eq!(STATUS_TEXTS.len(), STATUSES.len());
        for status in STATUSES {
            assert_eq!(status.status_text().status, status);
        }
    }

    #[test]
    fn both_wordings_are_read_back() {
        for status in STATUSES {
            for mode in [ReportMode::Done, ReportMode::DryRun] {
                let word = format!(" {} ", status.label(mode).to_uppercase());
                let mode = if status == RowStatus::Unknown { ReportMode::Done } else { mode };
                assert_eq!(RowStatus::parse(&word), Some(ParsedStatus { status, mode }), "{word}");
            }
        }
        assert_eq!(RowStatus::parse("maybe"), None);
    }

    #[test]
    fn only_what_was_done_is_done() {
        let done: Vec<_> = ["created", "updated", "unchanged", "skipped", "deleted", "failed", "unknown", "not_sent"]
            .into_iter()
            .filter(|word| RowStatus::parse(word).unwrap().is_done())
            .collect();
        assert_eq!(done, ["created", "updated", "unchanged", "skipped", "deleted"]);
        for word in ["would create", "would not change", "would fail", "good"] {
            assert!(!RowStatus::parse(word).unwrap().is_done(), "{word}");
        }
    }

    #[test]
    fn counts_add_up() {
        let mut counts = RowCounts::default();
        for status in STATUSES {
            counts.add(status);
        }
        assert_eq!(counts.rows(), 8);
        let same = counts;
        counts += same;
        assert_eq!(counts.rows(), 16);
        assert_eq!(
            counts.by_label(ReportMode::Check).iter().map(|line| (line.1, line.2)).collect::<Vec<_>>(),
            [("good", 12), ("failed", 2), ("skipped", 2)]
        );
    }
}
