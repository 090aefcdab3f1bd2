//! Row numbers in messages, as the result counts its rows: it has no title rows and no blank ones, and whoever corrects
//! it looks for row numbers there.

use std::borrow::Cow;

use crate::check::{Code, Problem};
use crate::plan::RowOutcome;

/// The first row below the header.
const FIRST_ROW: u64 = 2;

/// Sheets of the result go on in another one beyond this: row numbers are then the input's.
const MOST_ROWS: usize = 1_000_000;

/// The input's numbers of the rows of the current sheet, in their order.
#[derive(Debug, Default)]
pub(super) struct RowNumbers(Vec<u64>);

impl RowNumbers {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes down the next row, and words its outcome as the result counts.
    pub(super) fn add<'o>(&mut self, row: u64, outcome: &'o RowOutcome) -> Cow<'o, RowOutcome> {
        if self.0.len() < MOST_ROWS {
            self.0.push(row);
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
        const DUPLICATE: &str = "duplicate of row ";
        let number = problem.error.message.strip_prefix(DUPLICATE).filter(|_| problem.code() == Code::DuplicateKey)?;
        let (number, rest) = number.split_at(number.find(|char: char| !char.is_ascii_digit()).unwrap_or(number.len()));
        let source: u64 = number.parse().ok()?;
        let place = self.0.binary_search(&source).ok()? as u64 + FIRST_ROW;
        (place != source).then(|| format!("{DUPLICATE}{place}{rest}"))
    }
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
        let mut rows = RowNumbers::default();
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
}
