//! An item on the day the register is of: where it stands, what it is worth, and what keeps that from being told.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::amount::Currency;
use super::depreciation::{Figures, last_day};
use super::item::{Disposal, Gap, Item};

/// Whether an item counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It is in the books: what the totals count.
    Held,
    /// It is no longer: its line stays, with the figures it would have, and no total counts it.
    Disposed,
    /// It was bought after the day of the register.
    NotYetBought,
}

impl Standing {
    /// As the register spells it; the formulas of the workbook compare with it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Disposed => "disposed",
            Self::NotYetBought => "not yet bought",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        let all = [Self::Held, Self::Disposed, Self::NotYetBought];
        all.into_iter().find(|standing| name.trim().eq_ignore_ascii_case(standing.name()))
    }
}

/// Something about a line that a reader should know although its figures stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    CurrencyUnstated,
    CurrencyUnknown(String),
    /// The cost is finer than the currency's minor unit.
    Finer {
        cost: Decimal,
        currency: Currency,
    },
    /// The cost is below the schedule's minimum value: there is nothing to charge.
    BelowMinimum(Decimal),
}

impl std::fmt::Display for Notice {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CurrencyUnstated => {
                formatter.write_str("no currency on it or its location: counted apart, as `unstated`")
            }
            Self::CurrencyUnknown(code) => {
                write!(formatter, "`{code}` is no currency code of ISO 4217: counted apart, with two decimals")
            }
            Self::Finer { cost, currency } => {
                write!(formatter, "the cost {cost} is finer than {} is counted: kept as it is", currency.code)
            }
            Self::BelowMinimum(minimum) => {
                write!(formatter, "the cost is below the minimum value {minimum}: nothing is charged")
            }
        }
    }
}

impl Notice {
    /// What to do about it in the account.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::CurrencyUnstated => "enter its currency, or that of its location",
            Self::CurrencyUnknown(_) => "enter the three letters of ISO 4217",
            Self::Finer { .. } => "nothing, or enter a cost in whole minor units",
            Self::BelowMinimum(_) => "nothing, or choose another depreciation",
        }
    }
}

/// A line of the register.
#[derive(Debug, Clone)]
pub struct Line {
    pub item: Item,
    pub standing: Standing,
    /// None where they cannot be computed; [`Line::gaps`] says why.
    pub figures: Option<Figures>,
    /// Whatever keeps the figures from being computed, all of it.
    pub gaps: Vec<Gap>,
    pub notices: Vec<Notice>,
}

impl Line {
    /// The item on the day `as_of`.
    pub fn on(as_of: Date, item: Item) -> Line {
        let standing = standing(&item, as_of);
        let gaps = gaps(&item, as_of);
        let figures = figures_on(&item, ended(&item, as_of)).filter(|_| gaps.is_empty());
        Line { standing, figures, gaps, notices: notices(&item), item }
    }

    /// The figures as they were on another day: what a roll-forward compares with.
    pub(super) fn figures_on(&self, day: Date) -> Option<Figures> {
        figures_on(&self.item, ended(&self.item, day))
    }

    /// Whether all that can be charged has been; none where the figures are not known.
    pub fn is_fully_depreciated(&self) -> Option<bool> {
        let (figures, schedule) = (self.figures.as_ref()?, self.item.schedule.as_ref().ok()?);
        Some(figures.elapsed >= schedule.months)
    }

    /// The day on which the last month is over.
    pub fn ends_on(&self) -> Option<Date> {
        last_day(*self.item.purchased.as_ref().ok()?, self.item.schedule.as_ref().ok()?)
    }

    /// Why there are no figures, in words; empty where there are.
    pub fn reason(&self) -> String {
        self.gaps.iter().map(Gap::to_string).collect::<Vec<_>>().join("; ")
    }
}

fn standing(item: &Item, as_of: Date) -> Standing {
    match (&item.purchased, item.disposal) {
        (Ok(purchased), _) if *purchased > as_of => Standing::NotYetBought,
        (_, Disposal::Archived) => Standing::Disposed,
        (_, Disposal::Terminated(day)) if day <= as_of => Standing::Disposed,
        _ => Standing::Held,
    }
}

/// The day up to which an item loses value: a license that has ended is no longer charged.
fn ended(item: &Item, day: Date) -> Date {
    match item.disposal {
        Disposal::Terminated(end) => day.min(end),
        _ => day,
    }
}

fn figures_on(item: &Item, day: Date) -> Option<Figures> {
    let (Ok(cost), Ok(purchased), Ok(schedule)) = (&item.cost, &item.purchased, &item.schedule) else { return None };
    Some(Figures::on(day, *cost, *purchased, schedule, item.currency.digits))
}

fn gaps(item: &Item, as_of: Date) -> Vec<Gap> {
    let later = item.purchased.as_ref().ok().filter(|purchased| **purchased > as_of).map(|day| Gap::BoughtLater(*day));
    let missing = [item.cost.as_ref().err(), item.purchased.as_ref().err(), item.schedule.as_ref().err()];
    later.into_iter().chain(missing.into_iter().flatten().cloned()).collect()
}

fn notices(item: &Item) -> Vec<Notice> {
    let Ok(cost) = item.cost else { return Vec::new() };
    let currency = &item.currency;
    let mut notices = Vec::new();
    if currency.is_unstated() {
        notices.push(Notice::CurrencyUnstated);
    } else if !currency.is_known() {
        notices.push(Notice::CurrencyUnknown(currency.code.to_string()));
    }
    if currency.rounded(cost) != cost {
        notices.push(Notice::Finer { cost, currency: currency.clone() });
    }
    match &item.schedule {
        Ok(schedule) if cost < schedule.minimum => notices.push(Notice::BelowMinimum(schedule.minimum)),
        _ => {}
    }
    notices
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use jiff::civil::date;

    use super::super::samples;
    use super::*;

    #[test]
    fn where_an_item_stands_depends_on_the_day() {
        let item = samples::item(1);
        let on = |day| Line::on(day, item.clone());
        let held = on(date(2025, 1, 15));
        assert_eq!((held.standing, held.is_fully_depreciated()), (Standing::Held, Some(false)));
        assert_eq!(held.figures.as_ref().unwrap().elapsed, 12);
        assert_eq!(held.ends_on(), Some(date(2027, 1, 15)));
        assert_eq!(on(date(2027, 1, 15)).is_fully_depreciated(), Some(true));
        let later = on(date(2024, 1, 14));
        assert_eq!((later.standing, later.figures.is_none()), (Standing::NotYetBought, true));
        assert_eq!(later.reason(), "bought on 2024-01-15, after the day of the register");
    }

    #[test]
    fn an_archived_asset_is_disposed_of_and_an_ended_license_is_charged_no_further() {
        let archived = Item { disposal: Disposal::Archived, ..samples::item(1) };
        let line = Line::on(date(2025, 1, 15), archived);
        assert_eq!((line.standing, line.figures.unwrap().elapsed), (Standing::Disposed, 12));
        let ended = Item { disposal: Disposal::Terminated(date(2024, 7, 15)), ..samples::item(1) };
        assert_eq!(Line::on(date(2024, 7, 14), ended.clone()).standing, Standing::Held);
        let line = Line::on(date(2025, 1, 15), ended);
        assert_eq!((line.standing, line.figures.unwrap().elapsed), (Standing::Disposed, 6));
    }

    #[test]
    fn every_gap_is_told_at_once() {
        let item = Item { cost: Err(Gap::CostMissing), purchased: Err(Gap::DateMissing), ..samples::item(1) };
        let line = Line::on(date(2025, 1, 1), item);
        assert_eq!(line.reason(), "no purchase cost; no purchase date");
        assert_eq!((line.figures, line.standing), (None, Standing::Held));
    }

    #[test]
    fn what_a_reader_should_know_is_noticed() {
        let item = Item { cost: Ok(Decimal::new(10_005, 3)), currency: Currency::of(""), ..samples::item(1) };
        let schedule =
            super::super::depreciation::Schedule { name: "S".into(), months: 12, minimum: Decimal::from(50) };
        let line = Line::on(date(2025, 1, 15), Item { schedule: Ok(schedule), ..item });
        let notices: Vec<_> = line.notices.iter().map(Notice::to_string).collect();
        assert_eq!(
            notices,
            [
                "no currency on it or its location: counted apart, as `unstated`",
                "the cost 10.005 is finer than unstated is counted: kept as it is",
                "the cost is below the minimum value 50: nothing is charged",
            ]
        );
    }
}
