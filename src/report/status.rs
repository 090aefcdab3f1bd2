//! The ways a row can end, and their words.

use std::ops::AddAssign;

/// How a row ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    Created,
    Updated,
    /// The record already was as the row says.
    Unchanged,
    /// Nothing was sent, or the service refused it.
    Failed,
    /// The row asked for nothing.
    Skipped,
    /// It was sent, and whether the service did it could not be found out.
    Unknown,
    Deleted,
}

/// Whether a status tells what was done, what a run would do, or what a check without an account found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tense {
    Done,
    Planned,
    /// Offline: a row is good or it is not, and what would become of it is not known.
    Checked,
}

/// A status as read back from a result file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reported {
    pub status: Status,
    pub tense: Tense,
}

/// What is the same for every row of a status: its words. One line each; the order is that of all tables.
struct Words {
    status: Status,
    done: &'static str,
    planned: &'static str,
    checked: &'static str,
    /// In a sentence about a dry run: "3 to create".
    ahead: &'static str,
}

const WORDS: &[Words] = &[
    words(Status::Created, "created", "would create", "good", "to create"),
    words(Status::Updated, "updated", "would update", "good", "to update"),
    words(Status::Deleted, "deleted", "would delete", "good", "to delete"),
    words(Status::Unchanged, "unchanged", "would not change", "good", "unchanged"),
    words(Status::Failed, "failed", "would fail", "failed", "failed"),
    words(Status::Skipped, "skipped", "would skip", "skipped", "skipped"),
    words(Status::Unknown, "unknown", "would be unknown", "good", "unknown"),
];

const fn words(
    status: Status,
    done: &'static str,
    planned: &'static str,
    checked: &'static str,
    ahead: &'static str,
) -> Words {
    Words { status, done, planned, checked, ahead }
}

impl Status {
    /// Every status, in the order of all tables.
    pub fn all() -> impl Iterator<Item = Status> {
        WORDS.iter().map(|words| words.status)
    }

    /// `created`; what scripts see.
    pub fn as_str(self) -> &'static str {
        self.words().done
    }

    /// `created`, `would create` or `good`: what the `_status` column says.
    pub fn wording(self, tense: Tense) -> &'static str {
        match tense {
            Tense::Done => self.words().done,
            Tense::Planned => self.words().planned,
            Tense::Checked => self.words().checked,
        }
    }

    /// What stands after a number of rows: `created`, `to create`, `good`.
    pub fn counted(self, tense: Tense) -> &'static str {
        match tense {
            Tense::Planned => self.words().ahead,
            tense => self.wording(tense),
        }
    }

    /// Reads back what a `_status` cell says, whatever its case.
    pub fn parse(text: &str) -> Option<Reported> {
        let text = text.trim();
        [Tense::Done, Tense::Planned, Tense::Checked].into_iter().find_map(|tense| {
            let words = WORDS.iter().find(|words| words.status.wording(tense).eq_ignore_ascii_case(text))?;
            Some(Reported { status: words.status, tense })
        })
    }

    /// Whether a row of this status needs no second try.
    pub fn is_done(self) -> bool {
        !matches!(self, Status::Failed | Status::Unknown)
    }

    fn words(self) -> &'static Words {
        // The table has a line for every status; its first would be wrong, never a panic.
        WORDS.iter().find(|words| words.status == self).unwrap_or(&WORDS[0])
    }
}

impl Reported {
    /// Whether the row needs no second try: something was done, and successfully.
    pub fn is_done(self) -> bool {
        self.tense == Tense::Done && self.status.is_done()
    }
}

/// Rows by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub failed: u64,
    pub skipped: u64,
    pub unknown: u64,
    pub deleted: u64,
}

impl Counts {
    pub fn add(&mut self, status: Status) {
        *self.slot(status) += 1;
    }

    pub fn of(mut self, status: Status) -> u64 {
        *self.slot(status)
    }

    /// The rows that have an outcome.
    pub fn rows(self) -> u64 {
        Status::all().map(|status| self.of(status)).sum()
    }

    /// The count of a status.
    pub fn slot(&mut self, status: Status) -> &mut u64 {
        match status {
            Status::Created => &mut self.created,
            Status::Updated => &mut self.updated,
            Status::Unchanged => &mut self.unchanged,
            Status::Failed => &mut self.failed,
            Status::Skipped => &mut self.skipped,
            Status::Unknown => &mut self.unknown,
            Status::Deleted => &mut self.deleted,
        }
    }

    /// The counts by the words of `tense`, in the order of all tables; words that are the same are one line.
    pub(crate) fn worded(self, tense: Tense) -> Vec<(Status, &'static str, u64)> {
        let mut lines: Vec<(Status, &'static str, u64)> = Vec::new();
        for status in Status::all() {
            let word = status.counted(tense);
            match lines.iter_mut().find(|line| line.1 == word) {
                Some(line) => line.2 += self.of(status),
                None => lines.push((status, word, self.of(status))),
            }
        }
        lines
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        for status in Status::all() {
            *self.slot(status) += other.of(status);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    const STATUSES: [Status; 7] = [
        Status::Created,
        Status::Updated,
        Status::Unchanged,
        Status::Failed,
        Status::Skipped,
        Status::Unknown,
        Status::Deleted,
    ];

    #[test]
    fn the_table_has_a_line_for_every_status() {
        assert_eq!(WORDS.len(), STATUSES.len());
        for status in STATUSES {
            assert_eq!(status.words().status, status);
        }
    }

    #[test]
    fn both_wordings_are_read_back() {
        for status in STATUSES {
            for tense in [Tense::Done, Tense::Planned] {
                let word = format!(" {} ", status.wording(tense).to_uppercase());
                assert_eq!(Status::parse(&word), Some(Reported { status, tense }), "{word}");
            }
        }
        assert_eq!(Status::parse("maybe"), None);
    }

    #[test]
    fn only_what_was_done_is_done() {
        let done: Vec<_> = ["created", "updated", "unchanged", "skipped", "deleted", "failed", "unknown"]
            .into_iter()
            .filter(|word| Status::parse(word).unwrap().is_done())
            .collect();
        assert_eq!(done, ["created", "updated", "unchanged", "skipped", "deleted"]);
        for word in ["would create", "would not change", "would fail", "good"] {
            assert!(!Status::parse(word).unwrap().is_done(), "{word}");
        }
    }

    #[test]
    fn counts_add_up() {
        let mut counts = Counts::default();
        for status in STATUSES {
            counts.add(status);
        }
        assert_eq!(counts.rows(), 7);
        let same = counts;
        counts += same;
        assert_eq!(counts.rows(), 14);
        assert_eq!(
            counts.worded(Tense::Checked).iter().map(|line| (line.1, line.2)).collect::<Vec<_>>(),
            [("good", 10), ("failed", 2), ("skipped", 2)]
        );
    }
}
