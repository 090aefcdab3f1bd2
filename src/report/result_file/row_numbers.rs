//! Row numbers in messages, as whoever corrects the rows looks for them. The result of a run is corrected itself, so
//! they are its own: it has no title rows and no blank ones. The result of a check holds only the failed rows and the
//! original file is corrected, so they are the original's.

use std::borrow::Cow;

use crate::check::{Code, Problem};
use crate::plan::{ReportMode, RowOutcome};

/// The first row below the header.
const FIRST_ROW: u64 = 2;

/// Sheets of the result go on in another one beyond this: row numbers are then the input's.
const MOST_ROWS: usize = 1_000_000;

/// What a message about a duplicate begins with.
const DUPLICATE: &str = "duplicate of row ";

/// Whose rows the numbers of a check's result count.
const ORIGINAL: &str = " of the original file";

/// Words the row numbers of a result.
#[derive(Debug)]
pub(super) struct RowNumbers {
    mode: ReportMode,
    /// The input's numbers of the rows of the current sheet, in their order; none of a check.
    rows: Vec<u64>,
}

impl RowNumbers {
    pub(super) fn new(mode: ReportMode) -> Self {
        Self { mode, rows: Vec::new() }
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }

    /// Takes down the next row, and words its outcome with the row numbers of the file to correct.
    pub(super) fn add<'o>(&mut self, row: u64, outcome: &'o RowOutcome) -> Cow<'o, RowOutcome> {
        if self.mode == ReportMode::Check {
            return Cow::Owned(in_original(row, outcome.clone()));
        }
        if self.rows.len() < MOST_ROWS {
            self.rows.push(row);
        }
        if !outcome.problems.iter().any(|problem| self.reworded(problem).is_some()) {
            return Cow::Borrowed(outcome);
        }
        let mut outcome = outcome.clone();
        for problem in &mut outcome.problems {
            if let Some(message) = self.reworded(problem) {
                problem.error.message = Cow::Owned(message);
            }
        }
        Cow::Owned(outcome)
    }

    /// The message about a duplicate of an earlier row, where that row has another number in the result.
    fn reworded(&self, problem: &Problem) -> Option<String> {
        let (number, rest) = duplicate_of(problem)?;
        let source: u64 = number.parse().ok()?;
        let place = self.rows.binary_search(&source).ok()? as u64 + FIRST_ROW;
        (place != source).then(|| format!("{DUPLICATE}{place}{rest}"))
    }
}

/// The number of the earlier row, and the rest of the message.
fn duplicate_of(problem: &Problem) -> Option<(&str, &str)> {
    let text = problem.error.message.strip_prefix(DUPLICATE).filter(|_| problem.code() == Code::DuplicateKey)?;
    Some(text.split_at(text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len())))
}

/// The outcome with the row it is about in front.
fn in_original(row: u64, mut outcome: RowOutcome) -> RowOutcome {
    let own = format!("row {row}{ORIGINAL}");
    outcome.message = if outcome.message.is_empty() { own } else { format!("{own}\n{}", outcome.message) }.into();
    for problem in &mut outcome.problems {
        let reworded = duplicate_of(problem).map(|(number, rest)| format!("{DUPLICATE}{number}{ORIGINAL}{rest}"));
        if let Some(message) = reworded {
            problem.error.message = Cow::Owned(message);
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::ValueError;
    use crate::plan::RowStatus;

    fn duplicate(of: &str) -> RowOutcome {
        let problem = ValueError::without_hint(Code::DuplicateKey, format!("duplicate of row {of}")).at(Some(0), "x");
        let (id, message, changes) = (None, "".into(), Vec::new());
        RowOutcome { status: RowStatus::Failed, id, message, problems: vec![problem], changes }
    }

    #[test]
    fn duplicates_name_the_row_of_the_result() {
        let mut rows = RowNumbers::new(ReportMode::Done);
        let good = RowOutcome { problems: Vec::new(), ..duplicate("1") };
        for row in [5, 7] {
            assert_eq!(*rows.add(row, &good), good);
        }
        let message = |outcome: &RowOutcome| outcome.problems[0].error.message.to_string();
        assert_eq!(
            message(&rows.add(8, &duplicate("7; both are record #3"))),
            "duplicate of row 3; both are record #3"
        );
        assert_eq!(message(&rows.add(9, &duplicate("5"))), "duplicate of row 2");
        assert_eq!(message(&rows.add(10, &duplicate("4"))), "duplicate of row 4", "not a row of this sheet");
        rows.clear();
        rows.add(2, &good);
        assert!(matches!(rows.add(3, &duplicate("2")), Cow::Borrowed(_)), "as in the input");
    }

    #[test]
    fn a_check_names_the_rows_of_the_original() {
        let mut rows = RowNumbers::new(ReportMode::Check);
        let outcome = rows.add(9, &duplicate("5; both are record #3")).into_owned();
        assert_eq!(&*outcome.message, "row 9 of the original file");
        assert_eq!(&*outcome.problems[0].error.message, "duplicate of row 5 of the original file; both are record #3");
        let outcome = rows.add(12, &duplicate("9")).into_owned();
        assert_eq!(&*outcome.problems[0].error.message, "duplicate of row 9 of the original file", "not as it counts");
    }
}
