//! Errors and problems as text for people, for whatever prints them.
//!
//! The words themselves are made in one place, `report::words`, so that the terminal, the result workbook and a log
//! say the same thing the same way.

use crate::check::Problem;
use crate::table::Row;

pub use crate::report::problem_line;

/// Every problem of one row on a line of its own; the header row tells what their columns are called.
pub fn problem_lines(sheet: &str, header: &Row, row: u64, problems: &[Problem]) -> Vec<String> {
    let header_of = |problem: &Problem| problem.column.map(|column| header.cell(column as usize).text);
    problems.iter().map(|problem| problem_line(sheet, header_of(problem), row, problem)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Code, Flaw};

    #[test]
    fn each_problem_of_a_row_is_a_line_with_its_place() {
        let mut header = Row::default();
        ["Tag", "Bought"].into_iter().for_each(|text| header.push_text(text));
        let missing = Flaw::new(Code::RequiredMissing, "", "fill in the tag").at(Some(0), "");
        let whole = Flaw::new(Code::DuplicateKey, "each tag once", "").at(None, "");
        assert_eq!(
            problem_lines("assets", &header, 7, &[missing, whole]),
            [
                "assets!A7 (`Tag`): a required value is missing; to mend it: fill in the tag",
                "assets, row 7: the same record is in the file twice, expected each tag once"
            ]
        );
    }
}
