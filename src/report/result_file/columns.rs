//! The columns of the result.

use super::super::change_tally::change_text;
use super::super::text::message_line;
use crate::plan::{ReportMode, RowOutcome};
use crate::table::Row;

/// The headers of the columns in front of the user's own.
pub(crate) const RESULT_HEADERS: [&str; 3] = ["_status", "_id", "_message"];

/// The column of `_message`.
pub(super) const MESSAGE: usize = 2;

/// How many columns come before the user's own.
pub(super) const RESULT_COLUMNS: usize = RESULT_HEADERS.len();

/// The input's columns: which are kept, and under which header.
#[derive(Debug)]
pub(super) struct ResultColumns {
    headers: Vec<Box<str>>,
    /// Columns of an earlier result, ascending.
    left_out: Vec<usize>,
}

impl ResultColumns {
    pub(super) fn new(header: &Row) -> Self {
        let headers: Vec<Box<str>> = header.cells().map(|cell| cell.text.into()).collect();
        let is_ours = |text: &str| RESULT_HEADERS.iter().any(|ours| ours.eq_ignore_ascii_case(text.trim()));
        let left_out = (0..headers.len()).filter(|&column| is_ours(&headers[column])).collect();
        Self { headers, left_out }
    }

    /// The number of columns of the header.
    pub(super) fn width(&self) -> usize {
        self.headers.len()
    }

    /// The input's columns below `end` that are kept, in their order.
    pub(super) fn kept(&self, end: usize) -> impl Iterator<Item = usize> {
        (0..end).filter(|column| !self.left_out.contains(column))
    }

    pub(super) fn header(&self, column: usize) -> Option<&str> {
        self.headers.get(column).map(|header| &**header)
    }

    /// The text of the `_message` cell: the message of the outcome, every problem and, of a dry run, every change, a line
    /// each. What a run changed is noted on the cells.
    pub(super) fn message(&self, outcome: &RowOutcome, mode: ReportMode) -> String {
        let mut message = String::from(&*outcome.message);
        for problem in &outcome.problems {
            if !message.is_empty() {
                message.push('\n');
            }
            let header = problem.column.and_then(|column| self.header(column as usize));
            message.push_str(&message_line(header, problem));
        }
        let planned = outcome.changes.iter().filter(|_| mode == ReportMode::DryRun);
        for change in planned {
            if !message.is_empty() {
                message.push('\n');
            }
            message.push_str(&format!("{}: {}", change.field, change_text(&change.old, &change.new)));
        }
        message
    }

    /// The result's column for a column of the input, from 0; none if it is left out.
    pub(super) fn place(&self, column: usize) -> Option<usize> {
        if self.left_out.contains(&column) {
            return None;
        }
        let before = self.left_out.iter().filter(|&&left_out| left_out < column).count();
        Some(RESULT_COLUMNS + column - before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_an_earlier_result_are_left_out() {
        let mut header = Row::default();
        ["_STATUS", "Tag", " _id ", "Name", "_Message"].into_iter().for_each(|text| header.push_text(text));
        let columns = ResultColumns::new(&header);
        assert_eq!(columns.kept(6).collect::<Vec<_>>(), [1, 3, 5]);
        assert_eq!([0, 1, 2, 3, 5].map(|column| columns.place(column)), [None, Some(3), None, Some(4), Some(5)]);
        assert_eq!(columns.header(3), Some("Name"));
    }
}
