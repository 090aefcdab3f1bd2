//! Formulas over the register's columns.
//!
//! `SUMIFS` is quick and says what it does, but takes what it compares with for a pattern, a number or a date where it
//! looks like one. Names that do are compared with `=` in a `SUMPRODUCT`, which takes them as they are.

use rust_xlsxwriter::{Workbook, XlsxError};

use crate::register::columns::{Of, place};
use crate::register::line::Standing;
use crate::register::previous::REGISTER_SHEET;
use crate::register::totals::By;
use crate::table::ColumnName;

/// Beyond that many comparisons a sheet of groups has plain numbers: a workbook that takes minutes to calculate is no
/// use.
const MOST_COMPARISONS: usize = 50_000_000;

/// Longer texts `SUMIFS` does not compare with (Excel's specification).
const LONGEST_CRITERION: usize = 255;

/// The names of the register's columns.
const NAMES: [(Of, &str); 13] = [
    (Of::Kind, "Reg_Kind"),
    (Of::Category, "Reg_Category"),
    (Of::Department, "Reg_Department"),
    (Of::Location, "Reg_Location"),
    (Of::Status, "Reg_Status"),
    (Of::Standing, "Reg_Standing"),
    (Of::Currency, "Reg_Currency"),
    (Of::Cost, "Reg_Cost"),
    (Of::Purchased, "Reg_Purchased"),
    (Of::Accumulated, "Reg_Accumulated"),
    (Of::BookValue, "Reg_BookValue"),
    (Of::RunsOut, "Reg_RunsOut"),
    (Of::FullyDepreciated, "Reg_Fully"),
];

/// The formulas' name of a column.
pub(super) fn name(of: Of) -> &'static str {
    NAMES.iter().find(|(known, _)| *known == of).map_or("", |(_, name)| name)
}

pub(super) fn column_of(by: By) -> Of {
    match by {
        By::Category => Of::Category,
        By::Department => Of::Department,
        By::Location => Of::Location,
        By::Status => Of::Status,
    }
}

/// How the register is spread over its sheet.
#[derive(Debug)]
pub(super) struct Live {
    items: usize,
}

/// What lines a sum is over.
#[derive(Debug, Clone, Default)]
pub(super) struct Where<'a> {
    /// A column, the cell that its value is compared with, and that cell's text.
    pub(super) equal: Vec<(&'a str, String, &'a str)>,
}

/// Whether a sheet calculates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calculates {
    Yes,
    No,
}

impl Live {
    pub(super) fn new(items: usize) -> Self {
        Self { items }
    }

    pub(super) fn with(&self, groups: usize) -> Calculates {
        if groups.saturating_mul(self.items) <= MOST_COMPARISONS { Calculates::Yes } else { Calculates::No }
    }

    pub(super) fn define_names(&self, workbook: &mut Workbook) -> Result<(), XlsxError> {
        let last = self.items.max(1) + 1;
        for (of, name) in NAMES {
            let column = ColumnName(u32::from(place(of)));
            workbook.define_name(name, &format!("={REGISTER_SHEET}!${column}$2:${column}${last}"))?;
        }
        workbook.define_name("As_of", "=Summary!$B$3").map(drop)
    }
}

impl Where<'_> {
    /// How many lines there are.
    pub(super) fn count(&self, standing: Standing) -> String {
        match self.is_plain() {
            true => format!("=COUNTIFS({})", self.criteria(standing)),
            false => format!("=SUMPRODUCT({}*1)", self.product(standing)),
        }
    }

    /// How many lines there are without a book value.
    pub(super) fn count_uncomputed(&self, standing: Standing) -> String {
        let value = name(Of::BookValue);
        match self.is_plain() {
            true => format!("=COUNTIFS({},{value},\"=\")", self.criteria(standing)),
            false => format!("=SUMPRODUCT({}*({value}=\"\"))", self.product(standing)),
        }
    }

    pub(super) fn sum(&self, of: Of, standing: Standing) -> String {
        let of = name(of);
        match self.is_plain() {
            true => format!("=SUMIFS({of},{})", self.criteria(standing)),
            false => format!("=SUMPRODUCT({}*{of})", self.product(standing)),
        }
    }

    /// The cost of the lines without a book value.
    pub(super) fn sum_uncomputed(&self, standing: Standing) -> String {
        let (cost, value) = (name(Of::Cost), name(Of::BookValue));
        match self.is_plain() {
            true => format!("=SUMIFS({cost},{},{value},\"=\")", self.criteria(standing)),
            false => format!("=SUMPRODUCT({}*({value}=\"\")*{cost})", self.product(standing)),
        }
    }

    fn criteria(&self, standing: Standing) -> String {
        let mut criteria = format!("{},\"{}\"", name(Of::Standing), standing.name());
        for (column, cell, _) in &self.equal {
            criteria += &format!(",{column},{cell}");
        }
        criteria
    }

    fn product(&self, standing: Standing) -> String {
        let mut product = format!("({}=\"{}\")", name(Of::Standing), standing.name());
        for (column, cell, _) in &self.equal {
            product += &format!("*({column}={cell})");
        }
        product
    }

    fn is_plain(&self) -> bool {
        self.equal.iter().all(|(_, _, text)| is_plain(text))
    }
}

/// Beginnings of the names of months, in the languages that spreadsheets are mostly used in.
const MONTHS: [&str; 19] = [
    "jan", "feb", "mar", "apr", "may", "mai", "jun", "jul", "aug", "sep", "oct", "okt", "nov", "dec", "dez", "fév",
    "avr", "aoû", "déc",
];

/// Whether a criterion with that text compares with nothing but that text.
pub(super) fn is_plain(text: &str) -> bool {
    let folded = text.to_lowercase();
    let is_month =
        MONTHS.iter().any(|month| folded.starts_with(month)) && text.contains(|char: char| char.is_numeric());
    let begins_well = text.starts_with(|char: char| char.is_alphabetic()) || text == crate::register::totals::NONE;
    begins_well
        && !is_month
        && !text.contains(['*', '?', '~'])
        && !matches!(folded.as_str(), "true" | "false" | "wahr" | "falsch" | "vrai" | "faux")
        && text.encode_utf16().count() < LONGEST_CRITERION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_like_something_else_are_compared_as_they_are() {
        for name in ["Laptops", "(none)", "Room 101", "Café", "EUR", "Marketing"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["", "A*", "what?", ">100", "=x", "2024", "-", "Mar 5", "TRUE", "1e5", &"x".repeat(300)] {
            assert!(!is_plain(name), "{name}");
        }
        let odd = Where { equal: vec![(name(Of::Category), String::from("$A5"), "2024")] };
        assert_eq!(
            odd.sum(Of::Cost, Standing::Held),
            "=SUMPRODUCT((Reg_Standing=\"held\")*(Reg_Category=$A5)*Reg_Cost)"
        );
        let plain = Where { equal: vec![(name(Of::Currency), String::from("$B5"), "EUR")] };
        assert_eq!(
            plain.sum_uncomputed(Standing::Held),
            "=SUMIFS(Reg_Cost,Reg_Standing,\"held\",Reg_Currency,$B5,Reg_BookValue,\"=\")"
        );
    }
}
