//! Totals of register lines. Amounts in different currencies are never added.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::columns::ColumnSource;
use super::currency::Currency;
use super::item::{ItemKind, RegisterItem};
use super::line::{ItemState, RegisterLine};

/// The group name of lines without a category, department, location or status.
pub(super) const NONE: &str = "(none)";

/// The sums of some lines of one currency.
///
/// Invariant: cost − cost without a book value − accumulated depreciation = book value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    pub items: u64,
    /// The number of items without a book value.
    pub uncomputed_items: u64,
    pub cost: Decimal,
    /// The cost of the items without a book value.
    pub uncomputed_cost: Decimal,
    pub accumulated: Decimal,
    pub book_value: Decimal,
}

impl Amounts {
    pub(super) fn add(&mut self, line: &RegisterLine) {
        let cost = line.item.cost.as_ref().copied().unwrap_or_default();
        self.items += 1;
        self.cost += cost;
        match &line.figures {
            Some(figures) => {
                self.accumulated += figures.accumulated;
                self.book_value += figures.book_value;
            }
            None => {
                self.uncomputed_items += 1;
                self.uncomputed_cost += cost;
            }
        }
    }

    pub(super) fn add_all(&mut self, other: &Amounts) {
        self.items += other.items;
        self.uncomputed_items += other.uncomputed_items;
        self.cost += other.cost;
        self.uncomputed_cost += other.uncomputed_cost;
        self.accumulated += other.accumulated;
        self.book_value += other.book_value;
    }
}

#[derive(Debug)]
pub(super) struct Grouping {
    pub(super) column: ColumnSource,
    /// The value of an item; empty if it has none.
    value: fn(&RegisterItem) -> &str,
}

pub(super) const CATEGORY: Grouping = Grouping { column: ColumnSource::Category, value: |item| &item.category };

/// Every grouping that has a sheet.
pub(super) const GROUPINGS: [Grouping; 4] = [
    CATEGORY,
    Grouping { column: ColumnSource::Department, value: |item| &item.department },
    Grouping { column: ColumnSource::Location, value: |item| &item.location },
    Grouping { column: ColumnSource::Status, value: |item| &item.status },
];

/// The held lines of one category, department, location or status, in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LineGroup {
    pub currency: Currency,
    /// Spelled as in its first line, since names that differ only in case are one group; [`NONE`] for lines without
    /// one.
    pub name: String,
    pub amounts: Amounts,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CurrencyTotal {
    pub currency: Currency,
    pub held: Amounts,
    pub disposed: Amounts,
}

/// The number of items by kind and state.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct RegisterCounts {
    pub items: u64,
    pub assets: u64,
    pub licenses: u64,
    pub held: u64,
    pub disposed: u64,
    pub not_yet_bought: u64,
    /// Held items that are fully depreciated.
    pub fully_depreciated: u64,
    /// Held items without a book value.
    pub uncomputed: u64,
}

impl RegisterCounts {
    pub(super) fn of(lines: &[RegisterLine]) -> Self {
        let count = |is: fn(&RegisterLine) -> bool| lines.iter().filter(|line| is(line)).count() as u64;
        let held = |line: &RegisterLine| line.state == ItemState::Held;
        Self {
            items: lines.len() as u64,
            assets: count(|line| line.item.kind == ItemKind::Asset),
            licenses: count(|line| line.item.kind == ItemKind::License),
            held: count(held),
            disposed: count(|line| line.state == ItemState::Disposed),
            not_yet_bought: count(|line| line.state == ItemState::NotYetBought),
            fully_depreciated: count(|line| line.state == ItemState::Held && line.is_fully_depreciated() == Some(true)),
            uncomputed: count(|line| line.state == ItemState::Held && line.figures.is_none()),
        }
    }
}

/// The totals of each currency, sorted by code.
pub(super) fn by_currency(lines: &[RegisterLine]) -> Vec<CurrencyTotal> {
    let mut totals: BTreeMap<&Currency, CurrencyTotal> = BTreeMap::new();
    for line in lines {
        let currency = &line.item.currency;
        let total = totals.entry(currency).or_insert_with(|| CurrencyTotal {
            currency: currency.clone(),
            held: Amounts::default(),
            disposed: Amounts::default(),
        });
        match line.state {
            ItemState::Held => total.held.add(line),
            ItemState::Disposed => total.disposed.add(line),
            ItemState::NotYetBought => {}
        }
    }
    totals.into_values().collect()
}

/// Groups the held lines by currency and `by`, sorted by currency and then by descending book value.
pub(super) fn groups(lines: &[RegisterLine], by: &Grouping) -> Vec<LineGroup> {
    let mut groups: BTreeMap<(&Currency, String), LineGroup> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.state == ItemState::Held) {
        let name = name_or_none((by.value)(&line.item));
        let currency = &line.item.currency;
        let group = groups.entry((currency, group_key(name))).or_insert_with(|| LineGroup {
            currency: currency.clone(),
            name: name.to_owned(),
            amounts: Amounts::default(),
        });
        group.amounts.add(line);
    }
    let mut groups: Vec<LineGroup> = groups.into_values().collect();
    groups.sort_by(|one, other| {
        let by_value = other.amounts.book_value.cmp(&one.amounts.book_value);
        one.currency.cmp(&other.currency).then(by_value)
    });
    groups
}

/// The name, or [`NONE`] if it is empty.
pub(super) fn name_or_none(name: &str) -> &str {
    if name.is_empty() { NONE } else { name }
}

/// Folds case: spreadsheet formulas treat names that differ only in case as equal.
pub(super) fn group_key(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use jiff::civil::date;

    use super::super::item::{Disposal, MissingFigure};
    use super::super::samples;
    use super::*;

    fn lines() -> Vec<RegisterLine> {
        let yen = RegisterItem { currency: Currency::of("JPY"), category: "laptops".into(), ..samples::item(2) };
        let items = [
            samples::item(1),
            yen,
            RegisterItem { cost: Err(MissingFigure::CostMissing), ..samples::item(3) },
            RegisterItem {
                schedule: Err(MissingFigure::NoDepreciation("it".into())),
                category: String::new(),
                ..samples::item(4)
            },
            RegisterItem { disposal: Disposal::Archived, ..samples::item(5) },
            RegisterItem { purchase_date: Ok(date(2026, 1, 1)), ..samples::item(6) },
            RegisterItem { category: "LAPTOPS".into(), purchase_date: Ok(date(2020, 1, 1)), ..samples::item(7) },
        ];
        items.into_iter().map(|item| RegisterLine::on(date(2025, 1, 15), item)).collect()
    }

    #[test]
    fn currencies_stay_apart_and_the_sums_tie() {
        let totals = by_currency(&lines());
        let shown: Vec<_> = totals
            .iter()
            .map(|total| {
                let Amounts { items, uncomputed_items, cost, uncomputed_cost, accumulated, book_value } = &total.held;
                assert_eq!(*cost - uncomputed_cost - accumulated, *book_value);
                let disposed = &total.disposed.cost;
                format!(
                    "{} {items} {uncomputed_items} {cost} {accumulated} {book_value} {disposed}",
                    total.currency.code
                )
            })
            .collect();
        assert_eq!(shown, ["EUR 4 2 3000 1333.33 666.67 1000", "JPY 1 0 1000 333 667 0"]);
    }

    #[test]
    fn groups_are_by_folded_name_and_currency() {
        let groups = groups(&lines(), &CATEGORY);
        let shown: Vec<_> = groups
            .iter()
            .map(|group| format!("{} {} {}", group.currency.code, group.name, group.amounts.book_value))
            .collect();
        assert_eq!(shown, ["EUR Laptops 666.67", "EUR (none) 0", "JPY laptops 667"]);
    }

    #[test]
    fn items_are_counted() {
        let counts = RegisterCounts::of(&lines());
        let RegisterCounts { items, held, disposed, not_yet_bought, fully_depreciated, uncomputed, .. } = counts;
        assert_eq!([items, held, disposed, not_yet_bought, fully_depreciated, uncomputed], [7, 5, 1, 1, 1, 2]);
    }
}
