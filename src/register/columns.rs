//! The columns of the register, the same in the workbook and in the CSV, in this order.
//!
//! The order and the names are a contract with ledgers and with roll-forwards that read an earlier register back: new
//! columns go to the end.

use std::borrow::Cow;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::line::{Line, Standing};
use super::totals::shown;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    Number,
    Money,
    Date,
}

/// A value of a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Told<'a> {
    Blank,
    Text(Cow<'a, str>),
    Number(i64),
    Money(Decimal),
    Date(Date),
}

/// One column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) of: Of,
    /// In the CSV.
    pub(super) name: &'static str,
    /// In the workbook.
    pub(super) title: &'static str,
    pub(super) holds: Holds,
    /// The least and the most it takes in the workbook, in characters.
    pub(super) width: (usize, usize),
}

/// What a column tells of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Kind,
    Id,
    Tag,
    Title,
    Serial,
    Category,
    Department,
    Location,
    Supplier,
    Status,
    Standing,
    Currency,
    Cost,
    Purchased,
    Depreciation,
    Months,
    Minimum,
    Elapsed,
    Accumulated,
    BookValue,
    FullyDepreciated,
    Disposed,
    EndsOn,
    RunsOut,
    Reason,
    Day,
}

const fn column(of: Of, name: &'static str, title: &'static str, holds: Holds, width: (usize, usize)) -> Column {
    Column { of, name, title, holds, width }
}

pub(super) const COLUMNS: &[Column] = &[
    column(Of::Kind, "kind", "Kind", Holds::Text, (8, 8)),
    column(Of::Id, "id", "Id", Holds::Number, (7, 12)),
    column(Of::Tag, "tag", "Tag", Holds::Text, (9, 24)),
    column(Of::Title, "name", "Name", Holds::Text, (12, 30)),
    column(Of::Category, "category", "Category", Holds::Text, (11, 24)),
    column(Of::Department, "department", "Department", Holds::Text, (12, 22)),
    column(Of::Location, "location", "Location", Holds::Text, (10, 22)),
    column(Of::Status, "status", "Status", Holds::Text, (9, 18)),
    column(Of::Standing, "standing", "Standing", Holds::Text, (10, 14)),
    column(Of::Currency, "currency", "Currency", Holds::Text, (10, 10)),
    column(Of::Cost, "cost", "Cost", Holds::Money, (17, 20)),
    column(Of::Purchased, "purchase_date", "Purchased", Holds::Date, (13, 13)),
    column(Of::Months, "months", "Months", Holds::Number, (9, 9)),
    column(Of::Elapsed, "months_elapsed", "Months elapsed", Holds::Number, (10, 10)),
    column(Of::Accumulated, "accumulated_depreciation", "Accumulated depreciation", Holds::Money, (17, 20)),
    column(Of::BookValue, "book_value", "Book value", Holds::Money, (17, 20)),
    column(Of::Depreciation, "depreciation", "Depreciation", Holds::Text, (14, 22)),
    column(Of::Minimum, "minimum_value", "Minimum value", Holds::Money, (11, 16)),
    column(Of::FullyDepreciated, "fully_depreciated", "Fully depreciated", Holds::Text, (12, 12)),
    column(Of::Disposed, "disposed", "Disposed", Holds::Text, (10, 10)),
    column(Of::EndsOn, "fully_depreciated_on", "Fully depreciated on", Holds::Date, (12, 12)),
    column(Of::RunsOut, "runs_out_on", "Warranty or license until", Holds::Date, (14, 14)),
    column(Of::Serial, "serial", "Serial", Holds::Text, (8, 20)),
    column(Of::Supplier, "supplier", "Supplier", Holds::Text, (10, 20)),
    column(Of::Reason, "not_computed_because", "Not computed because", Holds::Text, (21, 48)),
    column(Of::Day, "as_of", "As of", Holds::Date, (12, 12)),
];

/// The last of the columns that are printed, a page wide; those beyond are for the screen.
pub(super) const LAST_PRINTED: Of = Of::BookValue;

/// The position of a column, from 0.
pub(super) fn place(of: Of) -> u16 {
    COLUMNS.iter().position(|column| column.of == of).unwrap_or_default() as u16
}

/// What stands for a name that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Nothing: for programs.
    Blank,
    /// `(none)`: for filters and the formulas of the workbook.
    Word,
}

impl Of {
    /// What the column says of a line in the register of `as_of`.
    pub(super) fn told(self, line: &Line, as_of: Date, missing: Missing) -> Told<'_> {
        let item = &line.item;
        let schedule = item.schedule.as_ref().ok();
        let figures = line.figures.as_ref();
        match self {
            Self::Kind => Told::Text(item.kind.name().into()),
            Self::Id => Told::Number(item.id),
            Self::Tag => named(&item.tag),
            Self::Title => named(&item.title),
            Self::Serial => named(&item.serial),
            Self::Category => group(&item.category, missing),
            Self::Department => group(&item.department, missing),
            Self::Location => group(&item.location, missing),
            Self::Supplier => named(&item.supplier),
            Self::Status => group(&item.status, missing),
            Self::Standing => Told::Text(line.standing.name().into()),
            Self::Currency => Told::Text((*item.currency.code).into()),
            Self::Cost => money(item.cost.as_ref().ok().copied()),
            Self::Purchased => day(item.purchased.as_ref().ok().copied()),
            Self::Depreciation => named(schedule.map_or("", |schedule| &schedule.name)),
            Self::Months => number(schedule.map(|schedule| schedule.months)),
            Self::Minimum => money(schedule.map(|schedule| schedule.minimum)),
            Self::Elapsed => number(figures.map(|figures| figures.elapsed)),
            Self::Accumulated => money(figures.map(|figures| figures.accumulated)),
            Self::BookValue => money(figures.map(|figures| figures.book_value)),
            Self::FullyDepreciated => line.is_fully_depreciated().map_or(Told::Blank, yes_or_no),
            Self::Disposed => yes_or_no(line.standing == Standing::Disposed),
            Self::EndsOn => day(line.ends_on()),
            Self::RunsOut => day(item.runs_out),
            Self::Reason => Told::Text(line.reason().into()).or_blank(),
            Self::Day => Told::Date(as_of),
        }
    }
}

impl<'a> Told<'a> {
    fn or_blank(self) -> Told<'a> {
        match &self {
            Told::Text(text) if text.is_empty() => Told::Blank,
            _ => self,
        }
    }
}

fn named(text: &str) -> Told<'_> {
    Told::Text(text.into()).or_blank()
}

fn group(text: &str, missing: Missing) -> Told<'_> {
    match missing {
        Missing::Blank => named(text),
        Missing::Word => named(shown(text)),
    }
}

fn money(amount: Option<Decimal>) -> Told<'static> {
    amount.map_or(Told::Blank, Told::Money)
}

fn day(day: Option<Date>) -> Told<'static> {
    day.map_or(Told::Blank, Told::Date)
}

fn number(number: Option<u32>) -> Told<'static> {
    number.map_or(Told::Blank, |number| Told::Number(i64::from(number)))
}

fn yes_or_no(yes: bool) -> Told<'static> {
    Told::Text(if yes { "yes" } else { "no" }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_titles_are_unique_and_the_order_is_kept() {
        let mut names: Vec<_> = COLUMNS.iter().flat_map(|column| [column.name, column.title]).collect();
        names.sort_unstable_by_key(|name| name.to_lowercase());
        names.dedup();
        assert_eq!(names.len(), 2 * COLUMNS.len());
        assert_eq!(COLUMNS.last().map(|column| column.of), Some(Of::Day));
        assert_eq!(place(Of::Cost), 10, "a ledger counts on it");
    }
}
