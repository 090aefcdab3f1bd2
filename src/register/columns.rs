//! The columns of the register, the same in the workbook and in the CSV, in this order.
//!
//! The order and the names are a contract with the programs that read the CSV, and with roll-forwards, which read an
//! earlier register. Add new columns at the end.

use std::borrow::Cow;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::line::{ItemState, RegisterLine};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueType {
    Text,
    Number,
    Money,
    Date,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum CellValue<'a> {
    Blank,
    Text(Cow<'a, str>),
    Number(i64),
    Money(Decimal),
    Date(Date),
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) source: ColumnSource,
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) value_type: ValueType,
    /// Minimum and maximum width in the workbook, in characters.
    pub(super) width: (usize, usize),
}

/// Which property of a line a column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnSource {
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
    State,
    Currency,
    Cost,
    PurchaseDate,
    Depreciation,
    Months,
    Minimum,
    Elapsed,
    Accumulated,
    BookValue,
    FullyDepreciated,
    Disposed,
    EndsOn,
    ExpiresOn,
    Reason,
    Day,
}

const fn column(
    source: ColumnSource,
    name: &'static str,
    title: &'static str,
    value_type: ValueType,
    width: (usize, usize),
) -> Column {
    Column { source, name, title, value_type, width }
}

pub(super) const COLUMNS: &[Column] = &[
    column(ColumnSource::Kind, "kind", "Kind", ValueType::Text, (8, 8)),
    column(ColumnSource::Id, "id", "Id", ValueType::Number, (7, 12)),
    column(ColumnSource::Tag, "tag", "Tag", ValueType::Text, (9, 24)),
    column(ColumnSource::Title, "name", "Name", ValueType::Text, (12, 30)),
    column(ColumnSource::Category, "category", "Category", ValueType::Text, (11, 24)),
    column(ColumnSource::Department, "department", "Department", ValueType::Text, (12, 22)),
    column(ColumnSource::Location, "location", "Location", ValueType::Text, (10, 22)),
    column(ColumnSource::Status, "status", "Status", ValueType::Text, (9, 18)),
    column(ColumnSource::State, "standing", "Standing", ValueType::Text, (10, 14)),
    column(ColumnSource::Currency, "currency", "Currency", ValueType::Text, (10, 10)),
    column(ColumnSource::Cost, "cost", "Cost", ValueType::Money, (17, 20)),
    column(ColumnSource::PurchaseDate, "purchase_date", "Purchased", ValueType::Date, (13, 13)),
    column(ColumnSource::Months, "months", "Months", ValueType::Number, (9, 9)),
    column(ColumnSource::Elapsed, "months_elapsed", "Months elapsed", ValueType::Number, (10, 10)),
    column(
        ColumnSource::Accumulated,
        "accumulated_depreciation",
        "Accumulated depreciation",
        ValueType::Money,
        (17, 20),
    ),
    column(ColumnSource::BookValue, "book_value", "Book value", ValueType::Money, (17, 20)),
    column(ColumnSource::Depreciation, "depreciation", "Depreciation", ValueType::Text, (14, 22)),
    column(ColumnSource::Minimum, "minimum_value", "Minimum value", ValueType::Money, (11, 16)),
    column(ColumnSource::FullyDepreciated, "fully_depreciated", "Fully depreciated", ValueType::Text, (12, 12)),
    column(ColumnSource::Disposed, "disposed", "Disposed", ValueType::Text, (10, 10)),
    column(ColumnSource::EndsOn, "fully_depreciated_on", "Fully depreciated on", ValueType::Date, (12, 12)),
    column(ColumnSource::ExpiresOn, "runs_out_on", "Warranty or license until", ValueType::Date, (14, 14)),
    column(ColumnSource::Serial, "serial", "Serial", ValueType::Text, (8, 20)),
    column(ColumnSource::Supplier, "supplier", "Supplier", ValueType::Text, (10, 20)),
    column(ColumnSource::Reason, "not_computed_because", "Not computed because", ValueType::Text, (21, 48)),
    column(ColumnSource::Day, "as_of", "As of", ValueType::Date, (12, 12)),
];

/// The last printed column; the columns after it do not fit the page and are for the screen only.
pub(super) const LAST_PRINTED: ColumnSource = ColumnSource::BookValue;

/// The position of a column, counting from 0.
pub(super) fn position(source: ColumnSource) -> u16 {
    COLUMNS.iter().position(|column| column.source == source).unwrap_or_default() as u16
}

impl ColumnSource {
    pub(super) fn column(self) -> &'static Column {
        &COLUMNS[usize::from(position(self))]
    }

    /// The value of the column for a line in the register of `as_of`.
    pub(super) fn value(self, line: &RegisterLine, as_of: Date) -> CellValue<'_> {
        let item = &line.item;
        let schedule = item.schedule.as_ref().ok();
        let figures = line.figures.as_ref();
        match self {
            Self::Kind => CellValue::Text(item.kind.name().into()),
            Self::Id => CellValue::Number(item.id),
            Self::Tag => named(&item.tag),
            Self::Title => named(&item.title),
            Self::Serial => named(&item.serial),
            Self::Category => named(&item.category),
            Self::Department => named(&item.department),
            Self::Location => named(&item.location),
            Self::Supplier => named(&item.supplier),
            Self::Status => named(&item.status),
            Self::State => CellValue::Text(line.state.name().into()),
            Self::Currency => CellValue::Text((*item.currency.code).into()),
            Self::Cost => money(item.cost.as_ref().ok().copied()),
            Self::PurchaseDate => day(item.purchase_date.as_ref().ok().copied()),
            Self::Depreciation => named(schedule.map_or("", |schedule| &schedule.name)),
            Self::Months => number(schedule.map(|schedule| schedule.months)),
            Self::Minimum => money(schedule.map(|schedule| schedule.minimum)),
            Self::Elapsed => number(figures.map(|figures| figures.elapsed)),
            Self::Accumulated => money(figures.map(|figures| figures.accumulated)),
            Self::BookValue => money(figures.map(|figures| figures.book_value)),
            Self::FullyDepreciated => line.is_fully_depreciated().map_or(CellValue::Blank, yes_or_no),
            Self::Disposed => yes_or_no(line.state == ItemState::Disposed),
            Self::EndsOn => day(line.ends_on()),
            Self::ExpiresOn => day(item.expires_on),
            Self::Reason if line.missing.is_empty() => CellValue::Blank,
            Self::Reason => CellValue::Text(line.reason().into()),
            Self::Day => CellValue::Date(as_of),
        }
    }
}

fn named(text: &str) -> CellValue<'_> {
    if text.is_empty() { CellValue::Blank } else { CellValue::Text(text.into()) }
}

fn money(amount: Option<Decimal>) -> CellValue<'static> {
    amount.map_or(CellValue::Blank, CellValue::Money)
}

fn day(day: Option<Date>) -> CellValue<'static> {
    day.map_or(CellValue::Blank, CellValue::Date)
}

fn number(number: Option<u32>) -> CellValue<'static> {
    number.map_or(CellValue::Blank, |number| CellValue::Number(i64::from(number)))
}

fn yes_or_no(yes: bool) -> CellValue<'static> {
    CellValue::Text(if yes { "yes" } else { "no" }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_knows_a_register_by_its_columns() {
        for names in crate::run::input::own_sheets::REGISTER_HEADERS {
            assert!(COLUMNS.iter().any(|column| [column.name, column.title] == names), "{names:?}");
        }
    }

    #[test]
    fn names_and_titles_are_unique_and_the_order_is_kept() {
        let mut names: Vec<_> = COLUMNS.iter().flat_map(|column| [column.name, column.title]).collect();
        names.sort_unstable_by_key(|name| name.to_lowercase());
        names.dedup();
        assert_eq!(names.len(), 2 * COLUMNS.len());
        assert_eq!(COLUMNS.last().map(|column| column.source), Some(ColumnSource::Day));
        assert_eq!(position(ColumnSource::Cost), 10, "a ledger counts on it");
    }
}
