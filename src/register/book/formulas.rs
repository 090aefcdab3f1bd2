//! Formulas over the register's columns.
//!
//! `SUMIFS` is quick and says what it does, but takes what it compares with for a pattern, a number or a date where it
//! looks like one. Names that do are compared with `=` in a `SUMPRODUCT`, which takes them as they are.

use rust_xlsxwriter::{Workbook, XlsxError};

use crate::register::columns::{ColumnSource, position};
use crate::register::line::ItemState;
use crate::register::previous::REGISTER_SHEET;
use crate::register::totals::GroupBy;
use crate::table::ColumnName;

/// Beyond that many comparisons a sheet of groups has plain numbers: a workbook that takes minutes to calculate is no
/// use.
const MOST_COMPARISONS: usize = 50_000_000;

/// Longer texts `SUMIFS` does not compare with (Excel's specification).
const LONGEST_CRITERION: usize = 255;

/// The names of the register's columns.
const NAMES: [(ColumnSource, &str); 13] = [
    (ColumnSource::Kind, "Reg_Kind"),
    (ColumnSource::Category, "Reg_Category"),
    (ColumnSource::Department, "Reg_Department"),
    (ColumnSource::Location, "Reg_Location"),
    (ColumnSource::Status, "Reg_Status"),
    (ColumnSource::State, "Reg_Standing"),
    (ColumnSource::Currency, "Reg_Currency"),
    (ColumnSource::Cost, "Reg_Cost"),
    (ColumnSource::PurchaseDate, "Reg_Purchased"),
    (ColumnSource::Accumulated, "Reg_Accumulated"),
    (ColumnSource::BookValue, "Reg_BookValue"),
    (ColumnSource::ExpiresOn, "Reg_RunsOut"),
    (ColumnSource::FullyDepreciated, "Reg_Fully"),
];

/// The formulas' name of a column.
pub(super) fn name(of: ColumnSource) -> &'static str {
    NAMES.iter().find(|(known, _)| *known == of).map_or("", |(_, name)| name)
}

pub(super) fn column_of(by: GroupBy) -> ColumnSource {
    match by {
        GroupBy::Category => ColumnSource::Category,
        GroupBy::Department => ColumnSource::Department,
        GroupBy::Location => ColumnSource::Location,
        GroupBy::Status => ColumnSource::Status,
    }
}

/// What lines a sum is over.
#[derive(Debug, Clone, Default)]
pub(super) struct LineFilter<'a> {
    /// A column, the cell that its value is compared with, and that cell's text.
    pub(super) equal: Vec<(&'a str, String, &'a str)>,
}

/// Whether a workbook with that many groups over that many items still calculates in reasonable time.
pub(super) fn are_affordable(groups: usize, items: usize) -> bool {
    groups.saturating_mul(items) <= MOST_COMPARISONS
}

/// Defines the names that the formulas use: `As_of`, and one for each column in [`NAMES`].
pub(super) fn define_names(workbook: &mut Workbook, items: usize) -> Result<(), XlsxError> {
    let last = items.max(1) + 1;
    for (source, name) in NAMES {
        let column = ColumnName(u32::from(position(source)));
        workbook.define_name(name, &format!("={REGISTER_SHEET}!${column}$2:${column}${last}"))?;
    }
    workbook.define_name("As_of", "=Summary!$B$3").map(drop)
}

impl LineFilter<'_> {
    /// How many lines there are.
    pub(super) fn count(&self, state: ItemState) -> String {
        match self.is_plain() {
            true => format!("=COUNTIFS({})", self.criteria(state)),
            false => format!("=SUMPRODUCT({}*1)", self.product(state)),
        }
    }

    /// How many lines there are without a book value.
    pub(super) fn count_uncomputed(&self, state: ItemState) -> String {
        let value = name(ColumnSource::BookValue);
        match self.is_plain() {
            true => format!("=COUNTIFS({},{value},\"=\")", self.criteria(state)),
            false => format!("=SUMPRODUCT({}*({value}=\"\"))", self.product(state)),
        }
    }

    pub(super) fn sum(&self, of: ColumnSource, state: ItemState) -> String {
        let of = name(of);
        match self.is_plain() {
            true => format!("=SUMIFS({of},{})", self.criteria(state)),
            false => format!("=SUMPRODUCT({}*{of})", self.product(state)),
        }
    }

    /// The cost of the lines without a book value.
    pub(super) fn sum_uncomputed(&self, state: ItemState) -> String {
        let (cost, value) = (name(ColumnSource::Cost), name(ColumnSource::BookValue));
        match self.is_plain() {
            true => format!("=SUMIFS({cost},{},{value},\"=\")", self.criteria(state)),
            false => format!("=SUMPRODUCT({}*({value}=\"\")*{cost})", self.product(state)),
        }
    }

    fn criteria(&self, state: ItemState) -> String {
        let mut criteria = format!("{},\"{}\"", name(ColumnSource::State), state.name());
        for (column, cell, _) in &self.equal {
            criteria += &format!(",{column},{cell}");
        }
        criteria
    }

    fn product(&self, state: ItemState) -> String {
        let mut product = format!("({}=\"{}\")", name(ColumnSource::State), state.name());
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
        let odd = LineFilter { equal: vec![(name(ColumnSource::Category), String::from("$A5"), "2024")] };
        assert_eq!(
            odd.sum(ColumnSource::Cost, ItemState::Held),
            "=SUMPRODUCT((Reg_Standing=\"held\")*(Reg_Category=$A5)*Reg_Cost)"
        );
        let plain = LineFilter { equal: vec![(name(ColumnSource::Currency), String::from("$B5"), "EUR")] };
        assert_eq!(
            plain.sum_uncomputed(ItemState::Held),
            "=SUMIFS(Reg_Cost,Reg_Standing,\"held\",Reg_Currency,$B5,Reg_BookValue,\"=\")"
        );
    }
}
