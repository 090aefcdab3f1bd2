//! Formulas over the columns of the register.
//!
//! `SUMIFS` is fast and readable, but interprets a criterion that looks like a pattern, a number or a date as one. Such
//! names are compared with `=` in a `SUMPRODUCT` instead, which compares them literally.

use rust_xlsxwriter::Workbook;

use super::page::XlsxResult;
use crate::register::columns::{ColumnSource, position};
use crate::register::line::ItemState;
use crate::register::previous::REGISTER_SHEET;
use crate::register::totals::NONE;
use crate::table::ColumnName;

/// The maximum number of comparisons on a sheet of groups. Beyond it the sheet has plain numbers, since a workbook that
/// takes minutes to calculate is useless.
const MOST_COMPARISONS: usize = 50_000_000;

/// `SUMIFS` does not compare longer texts (Excel's specification).
const LONGEST_CRITERION: usize = 255;

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

pub(super) fn range(column: ColumnSource) -> &'static str {
    NAMES.iter().find(|(known, _)| *known == column).map_or("", |(_, name)| name)
}

/// The lines that a formula is about: those in a state and with certain values.
#[derive(Debug, Clone)]
pub(super) struct LineFilter<'a> {
    state: ItemState,
    conditions: Vec<Condition<'a>>,
}

/// A column must equal a cell, whose text is known.
#[derive(Debug, Clone)]
struct Condition<'a> {
    range: &'static str,
    cell: String,
    text: &'a str,
}

impl<'a> LineFilter<'a> {
    pub(super) fn new(state: ItemState) -> Self {
        Self { state, conditions: Vec::new() }
    }

    /// Requires that the column equals `cell`, which contains `text`.
    pub(super) fn equal(mut self, column: ColumnSource, cell: String, text: &'a str) -> Self {
        self.conditions.push(Condition { range: range(column), cell, text });
        self
    }

    /// The formulas of the six [amounts](super::amounts).
    pub(super) fn amounts(&self) -> [String; 6] {
        [
            self.count(),
            self.formula(None, true),
            self.sum(ColumnSource::Cost),
            self.formula(Some(ColumnSource::Cost), true),
            self.sum(ColumnSource::Accumulated),
            self.sum(ColumnSource::BookValue),
        ]
    }

    pub(super) fn count(&self) -> String {
        self.formula(None, false)
    }

    pub(super) fn sum(&self, column: ColumnSource) -> String {
        self.formula(Some(column), false)
    }

    /// The sum of a column, or the number of lines without one; of all lines, or of those without a book value.
    fn formula(&self, summed: Option<ColumnSource>, without_book_value: bool) -> String {
        let (state, book_value) = (range(ColumnSource::State), range(ColumnSource::BookValue));
        if self.conditions.iter().all(|condition| is_plain(condition.text)) {
            let mut arguments: Vec<String> = summed.map(|column| range(column).to_owned()).into_iter().collect();
            arguments.push(format!("{state},\"{}\"", self.state.name()));
            arguments.extend(self.conditions.iter().map(|condition| format!("{},{}", condition.range, condition.cell)));
            arguments.extend(without_book_value.then(|| format!("{book_value},\"=\"")));
            let function = if summed.is_some() { "SUMIFS" } else { "COUNTIFS" };
            return format!("={function}({})", arguments.join(","));
        }
        let mut factors = vec![format!("({state}=\"{}\")", self.state.name())];
        factors.extend(self.conditions.iter().map(|condition| format!("({}={})", condition.range, condition.cell)));
        factors.extend(without_book_value.then(|| format!("({book_value}=\"\")")));
        // A product of booleans is a number; a single boolean is not.
        factors.push(summed.map_or("1", range).to_owned());
        format!("=SUMPRODUCT({})", factors.join("*"))
    }
}

/// Whether a workbook with that many groups over that many items still calculates in reasonable time.
pub(super) fn are_affordable(groups: usize, items: usize) -> bool {
    groups.saturating_mul(items) <= MOST_COMPARISONS
}

/// Defines the names that the formulas use: `As_of`, and one for each column in [`NAMES`].
pub(super) fn define_names(workbook: &mut Workbook, items: usize) -> XlsxResult {
    let last = items.max(1) + 1;
    for (source, name) in NAMES {
        let column = ColumnName(u32::from(position(source)));
        workbook.define_name(name, &format!("={REGISTER_SHEET}!${column}$2:${column}${last}"))?;
    }
    workbook.define_name("As_of", "=Summary!$B$3").map(drop)
}

/// Prefixes of month names, in the most common languages of spreadsheets.
const MONTHS: [&str; 19] = [
    "jan", "feb", "mar", "apr", "may", "mai", "jun", "jul", "aug", "sep", "oct", "okt", "nov", "dec", "dez", "fév",
    "avr", "aoû", "déc",
];

/// Whether a criterion with that text matches that text only.
pub(super) fn is_plain(text: &str) -> bool {
    let folded = text.to_lowercase();
    let is_month =
        MONTHS.iter().any(|month| folded.starts_with(month)) && text.contains(|char: char| char.is_numeric());
    let begins_well = text.starts_with(|char: char| char.is_alphabetic()) || text == NONE;
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
        let odd = LineFilter::new(ItemState::Held).equal(ColumnSource::Category, String::from("$A5"), "2024");
        assert_eq!(odd.sum(ColumnSource::Cost), "=SUMPRODUCT((Reg_Standing=\"held\")*(Reg_Category=$A5)*Reg_Cost)");
        let plain = LineFilter::new(ItemState::Held).equal(ColumnSource::Currency, String::from("$B5"), "EUR");
        assert_eq!(plain.amounts()[3], "=SUMIFS(Reg_Cost,Reg_Standing,\"held\",Reg_Currency,$B5,Reg_BookValue,\"=\")");
    }
}
