//! Problems by kind, however many there are: for each kind its number and the first few.

use std::hash::BuildHasher;

use hashbrown::{Equivalent, HashMap};

use crate::check::{Code, Problem};
use crate::table::CellRef;

/// The examples kept of each group.
const EXAMPLES: usize = 3;

/// The groups kept apart. A file needs hundreds of faulty columns to have more; what comes later is only counted.
const MAX_GROUPS: usize = 1_000;

/// The characters of a found text that are kept.
const LONGEST_FOUND: usize = 60;

/// Problems grouped by sheet, code and column.
#[derive(Debug, Default)]
pub struct ProblemTally {
    groups: Vec<ProblemGroup>,
    index: HashMap<GroupKey, usize>,
    total: u64,
}

/// The problems of one kind in one column of one sheet.
#[derive(Debug, Clone)]
pub struct ProblemGroup {
    pub sheet: Box<str>,
    pub code: Code,
    /// The column's header; none if the problem is about whole rows.
    pub header: Option<Box<str>>,
    pub count: u64,
    /// The first of them, in the order they came.
    pub examples: Vec<ProblemExample>,
    /// Row, column and message of the last one, the message by its hash.
    last: Option<(u64, Option<u32>, u64)>,
}

/// One problem of a group.
#[derive(Debug, Clone)]
pub struct ProblemExample {
    pub row: u64,
    /// From 0.
    pub column: Option<u32>,
    /// The cell's content, shortened; empty if it is blank or looks like a secret.
    pub found: Box<str>,
    pub message: Box<str>,
    /// Empty where there is none.
    pub hint: Box<str>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct GroupKey {
    sheet: Box<str>,
    code: Code,
    header: Option<Box<str>>,
    /// Tells missing columns apart: they have no header.
    message: Option<Box<str>>,
}

/// The same without allocations; fields in the same order, for the same hash.
#[derive(Hash)]
struct GroupKeyRef<'a> {
    sheet: &'a str,
    code: Code,
    header: Option<&'a str>,
    message: Option<&'a str>,
}

impl Equivalent<GroupKey> for GroupKeyRef<'_> {
    fn equivalent(&self, key: &GroupKey) -> bool {
        self.code == key.code
            && self.header == key.header.as_deref()
            && self.message == key.message.as_deref()
            && *self.sheet == *key.sheet
    }
}

impl ProblemTally {
    /// Counts a problem of that `row` (as a spreadsheet shows it, from 1) of that sheet. What two fields find in the one cell
    /// that both read is one problem.
    pub fn add(&mut self, sheet: &str, header: Option<&str>, row: u64, problem: &Problem) {
        let is_missing_column = header.is_none() && problem.code() == Code::RequiredMissing;
        let message = is_missing_column.then_some(&*problem.error.message);
        let key = GroupKeyRef { sheet, code: problem.code(), header, message };
        let at = match self.index.get(&key) {
            Some(&at) => at,
            None if self.groups.len() == MAX_GROUPS => {
                self.total += 1;
                return;
            }
            None => self.begin(&key),
        };
        let last = Some((row, problem.column, self.index.hasher().hash_one(&*problem.error.message)));
        let group = &mut self.groups[at];
        if problem.column.is_some() && group.last == last {
            return;
        }
        group.last = last;
        group.count += 1;
        self.total += 1;
        if group.examples.len() < EXAMPLES {
            group.examples.push(ProblemExample::new(row, problem));
        }
    }

    /// The groups, the largest first; equals in the order they came.
    pub fn groups(&self) -> Vec<&ProblemGroup> {
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        groups
    }

    /// All problems, those without a group included.
    pub fn total(&self) -> u64 {
        self.total
    }

    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    fn begin(&mut self, key: &GroupKeyRef<'_>) -> usize {
        let at = self.groups.len();
        let (sheet, code, header) = (Box::<str>::from(key.sheet), key.code, key.header.map(Box::<str>::from));
        let message = key.message.map(Box::<str>::from);
        self.index.insert(GroupKey { sheet: sheet.clone(), code, header: header.clone(), message }, at);
        self.groups.push(ProblemGroup { sheet, code, header, count: 0, examples: Vec::new(), last: None });
        at
    }
}

impl ProblemGroup {
    /// The hint, if all examples have the same.
    pub fn shared_hint(&self) -> Option<&str> {
        let first = self.examples.first()?;
        self.examples.iter().all(|example| example.hint == first.hint).then_some(&*first.hint)
    }

    /// The message, if all examples have the same.
    pub fn shared_message(&self) -> Option<&str> {
        let first = self.examples.first()?;
        self.examples.iter().all(|example| example.message == first.message).then_some(&*first.message)
    }
}

impl ProblemExample {
    fn new(row: u64, problem: &Problem) -> Self {
        let found = if problem.code().is_secret() { "" } else { &*problem.found };
        Self {
            row,
            column: problem.column,
            found: shortened(found, LONGEST_FOUND).into(),
            message: (&*problem.error.message).into(),
            hint: problem.error.hint().into(),
        }
    }

    /// `C7`, or `row 7` where the row as a whole is meant.
    pub fn address(&self) -> String {
        match self.column {
            Some(column) => CellRef { row: self.row, column }.to_string(),
            None => format!("row {}", self.row),
        }
    }
}

/// The beginning of a text, on one line.
pub(super) fn shortened(text: &str, longest: usize) -> String {
    let mut line: String = text.chars().take(longest).map(|char| if char.is_control() { ' ' } else { char }).collect();
    if text.chars().nth(longest).is_some() {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::check::ValueError;

    fn problem(code: Code, column: u32, found: &str) -> Problem {
        ValueError::new(code, "a date", "write a date").at(Some(column), found)
    }

    #[test]
    fn groups_are_counted_with_their_first_examples() {
        let mut tally = ProblemTally::default();
        tally.add("assets", Some("Email"), 2, &problem(Code::EmailInvalid, 0, "x"));
        for row in 2..7 {
            tally.add("assets", Some("Bought"), row, &problem(Code::DateInvalid, 2, "soon"));
        }
        let groups = tally.groups();
        assert_eq!(
            groups.iter().map(|group| (group.code, group.count)).collect::<Vec<_>>(),
            [(Code::DateInvalid, 5), (Code::EmailInvalid, 1)]
        );
        let addresses: Vec<_> = groups[0].examples.iter().map(ProblemExample::address).collect();
        assert_eq!(addresses, ["C2", "C3", "C4"]);
        assert_eq!(groups[0].shared_hint(), Some("write a date"));
        assert_eq!(tally.total(), 6);
    }

    #[test]
    fn a_cell_that_two_fields_read_is_counted_once() {
        let mut tally = ProblemTally::default();
        for _ in 0..2 {
            tally.add("assets", Some("Serial"), 2, &problem(Code::CellDamaged, 2, "1.00E+05"));
        }
        tally.add("assets", Some("Serial"), 3, &problem(Code::CellDamaged, 2, "1.00E+05"));
        assert_eq!((tally.total(), tally.groups()[0].count, tally.groups()[0].examples.len()), (2, 2, 2));
    }

    #[test]
    fn memory_is_bounded_and_the_total_is_not() {
        let mut tally = ProblemTally::default();
        for column in 0..MAX_GROUPS as u32 + 50 {
            tally.add("assets", Some(&column.to_string()), 2, &problem(Code::DateInvalid, column, &"x".repeat(9_999)));
        }
        assert_eq!(tally.groups().len(), MAX_GROUPS);
        assert_eq!(tally.total(), MAX_GROUPS as u64 + 50);
        assert_eq!(tally.groups()[0].examples[0].found.chars().count(), LONGEST_FOUND);
    }

    #[test]
    fn a_secret_is_not_kept() {
        let mut tally = ProblemTally::default();
        tally.add("employees", Some("Password"), 2, &problem(Code::CellSecret, 4, "hunter2"));
        assert_eq!(&*tally.groups()[0].examples[0].found, "");
    }
}
