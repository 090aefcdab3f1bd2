//! A line of the register: an item on the as-of date, its state, its figures, and why figures are missing.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::currency::Currency;
use super::depreciation::{Figures, last_day};
use super::item::{Disposal, MissingFigure, RegisterItem, UnusableValue};

/// The state of an item on the as-of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ItemState {
    /// On the books. Totals include held items only.
    Held,
    /// No longer on the books. Its line stays, with the figures it would have had.
    Disposed,
    /// Bought after the as-of date.
    NotYetBought,
}

impl ItemState {
    /// The name used in the register. The formulas of the workbook compare with it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Disposed => "disposed",
            Self::NotYetBought => "not yet bought",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let all = [Self::Held, Self::Disposed, Self::NotYetBought];
        all.into_iter().find(|state| name.trim().eq_ignore_ascii_case(state.name()))
    }
}

/// Something a reader should know about a line, beside the reasons for missing figures.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineWarning {
    #[error("neither it nor its location has a currency: totalled separately as `unstated`")]
    CurrencyUnstated,
    #[error("`{0}` is not an ISO 4217 currency code: totalled separately, with two decimal places")]
    CurrencyUnknown(String),
    #[error("the cost {cost} has more than the {} decimal places of {}: kept as it is", currency.digits, currency.code)]
    Finer { cost: Decimal, currency: Currency },
    #[error("the cost is below the minimum value {0}: nothing is depreciated")]
    BelowMinimum(Decimal),
    #[error(transparent)]
    Unusable(UnusableValue),
}

impl LineWarning {
    /// What to change in the account.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::CurrencyUnstated => "enter its currency or the currency of its location",
            Self::CurrencyUnknown(_) => "enter a three-letter ISO 4217 code",
            Self::Finer { .. } => "nothing, or enter a cost in whole minor units",
            Self::BelowMinimum(_) => "nothing, or choose another depreciation",
            Self::Unusable(value) => value.hint(),
        }
    }

    /// Whether the item may have left the books on a day that the account does not give.
    pub(crate) fn is_of_standing(&self) -> bool {
        matches!(self, Self::Unusable(UnusableValue::Termination(_) | UnusableValue::Status { .. }))
    }
}

/// A line of the register.
#[derive(Debug, Clone)]
pub(crate) struct RegisterLine {
    pub item: RegisterItem,
    pub state: ItemState,
    /// None if they cannot be computed; [`RegisterLine::missing`] says why.
    pub figures: Option<Figures>,
    /// Every value whose absence prevents the figures from being computed.
    pub missing: Vec<MissingFigure>,
    pub warnings: Vec<LineWarning>,
}

impl RegisterLine {
    /// The line of the item on the day `as_of`.
    pub(crate) fn on(as_of: Date, item: RegisterItem) -> RegisterLine {
        let state = state(&item, as_of);
        let missing = missing(&item, as_of);
        let figures = figures_on(&item, last_charged_day(&item, as_of)).filter(|_| missing.is_empty());
        RegisterLine { state, figures, missing, warnings: warnings(&item, state), item }
    }

    /// The figures on another day, for a roll-forward to compare with.
    pub(super) fn figures_on(&self, day: Date) -> Option<Figures> {
        figures_on(&self.item, last_charged_day(&self.item, day))
    }

    /// Whether the item is fully depreciated; none if the figures are unknown.
    pub(crate) fn is_fully_depreciated(&self) -> Option<bool> {
        let (figures, schedule) = (self.figures.as_ref()?, self.item.schedule.as_ref().ok()?);
        Some(figures.elapsed >= schedule.months)
    }

    /// The day on which the last month of the schedule ends.
    pub(crate) fn ends_on(&self) -> Option<Date> {
        last_day(*self.item.purchase_date.as_ref().ok()?, self.item.schedule.as_ref().ok()?)
    }

    /// Why there are no figures, as text; empty if there are figures.
    pub(crate) fn reason(&self) -> String {
        self.missing.iter().map(MissingFigure::to_string).collect::<Vec<_>>().join("; ")
    }
}

fn state(item: &RegisterItem, as_of: Date) -> ItemState {
    match (&item.purchase_date, item.disposal) {
        (Ok(purchase_date), _) if *purchase_date > as_of => ItemState::NotYetBought,
        (_, Disposal::Archived) => ItemState::Disposed,
        (_, Disposal::Terminated(day)) if day <= as_of => ItemState::Disposed,
        _ => ItemState::Held,
    }
}

/// The day up to which an item is depreciated: a terminated license is no longer charged.
fn last_charged_day(item: &RegisterItem, day: Date) -> Date {
    match item.disposal {
        Disposal::Terminated(end) => day.min(end),
        _ => day,
    }
}

fn figures_on(item: &RegisterItem, day: Date) -> Option<Figures> {
    let (Ok(cost), Ok(purchase_date), Ok(schedule)) = (&item.cost, &item.purchase_date, &item.schedule) else {
        return None;
    };
    Some(Figures::on(day, *cost, *purchase_date, schedule, item.currency.digits))
}

fn missing(item: &RegisterItem, as_of: Date) -> Vec<MissingFigure> {
    let later = item
        .purchase_date
        .as_ref()
        .ok()
        .filter(|purchase_date| **purchase_date > as_of)
        .map(|day| MissingFigure::BoughtLater(*day));
    let missing = [item.cost.as_ref().err(), item.purchase_date.as_ref().err(), item.schedule.as_ref().err()];
    later.into_iter().chain(missing.into_iter().flatten().cloned()).collect()
}

fn warnings(item: &RegisterItem, state: ItemState) -> Vec<LineWarning> {
    // They matter only while the item counts as held.
    let unusable = item.unusable.iter().filter(|_| state == ItemState::Held);
    let mut warnings: Vec<LineWarning> = unusable.cloned().map(LineWarning::Unusable).collect();
    let Ok(cost) = item.cost else { return warnings };
    let currency = &item.currency;
    if currency.is_unstated() {
        warnings.push(LineWarning::CurrencyUnstated);
    } else if !currency.is_known() {
        warnings.push(LineWarning::CurrencyUnknown(currency.code.to_string()));
    }
    if currency.rounded(cost) != cost {
        warnings.push(LineWarning::Finer { cost, currency: currency.clone() });
    }
    match &item.schedule {
        Ok(schedule) if cost < schedule.minimum => warnings.push(LineWarning::BelowMinimum(schedule.minimum)),
        _ => {}
    }
    warnings
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
        let on = |day| RegisterLine::on(day, item.clone());
        let held = on(date(2025, 1, 15));
        assert_eq!((held.state, held.is_fully_depreciated()), (ItemState::Held, Some(false)));
        assert_eq!(held.figures.as_ref().unwrap().elapsed, 12);
        assert_eq!(held.ends_on(), Some(date(2027, 1, 15)));
        assert_eq!(on(date(2027, 1, 15)).is_fully_depreciated(), Some(true));
        let later = on(date(2024, 1, 14));
        assert_eq!((later.state, later.figures.is_none()), (ItemState::NotYetBought, true));
        assert_eq!(later.reason(), "bought on 2024-01-15, after the as-of date");
    }

    #[test]
    fn an_archived_asset_is_disposed_of_and_an_ended_license_is_charged_no_further() {
        let archived = RegisterItem { disposal: Disposal::Archived, ..samples::item(1) };
        let line = RegisterLine::on(date(2025, 1, 15), archived);
        assert_eq!((line.state, line.figures.unwrap().elapsed), (ItemState::Disposed, 12));
        let ended = RegisterItem { disposal: Disposal::Terminated(date(2024, 7, 15)), ..samples::item(1) };
        assert_eq!(RegisterLine::on(date(2024, 7, 14), ended.clone()).state, ItemState::Held);
        let line = RegisterLine::on(date(2025, 1, 15), ended);
        assert_eq!((line.state, line.figures.unwrap().elapsed), (ItemState::Disposed, 6));
    }

    #[test]
    fn every_gap_is_told_at_once() {
        let item = RegisterItem {
            cost: Err(MissingFigure::CostMissing),
            purchase_date: Err(MissingFigure::DateMissing),
            ..samples::item(1)
        };
        let line = RegisterLine::on(date(2025, 1, 1), item);
        assert_eq!(line.reason(), "no purchase cost; no purchase date");
        assert_eq!((line.figures, line.state), (None, ItemState::Held));
    }

    #[test]
    fn a_doubtful_standing_is_told_of_held_items_with_or_without_figures() {
        let unusable = vec![UnusableValue::Termination("soon".into())];
        let item = RegisterItem { unusable, ..samples::item(1) };
        let told = |item: &RegisterItem, day| {
            let line = RegisterLine::on(day, item.clone());
            line.warnings.iter().map(LineWarning::is_of_standing).collect::<Vec<_>>()
        };
        assert_eq!(told(&item, date(2025, 1, 15)), [true]);
        assert_eq!(told(&item, date(2024, 1, 14)), [false; 0], "not yet bought");
        let bare = RegisterItem { cost: Err(MissingFigure::CostMissing), ..item };
        assert_eq!(told(&bare, date(2025, 1, 15)), [true]);
    }

    #[test]
    fn what_a_reader_should_know_is_noticed() {
        let item = RegisterItem { cost: Ok(Decimal::new(10_005, 3)), currency: Currency::of(""), ..samples::item(1) };
        let schedule = super::super::depreciation::DepreciationSchedule {
            name: "S".into(),
            months: 12,
            minimum: Decimal::from(50),
        };
        let line = RegisterLine::on(date(2025, 1, 15), RegisterItem { schedule: Ok(schedule), ..item });
        let warnings: Vec<_> = line.warnings.iter().map(LineWarning::to_string).collect();
        assert_eq!(
            warnings,
            [
                "neither it nor its location has a currency: totalled separately as `unstated`",
                "the cost 10.005 has more than the 2 decimal places of unstated: kept as it is",
                "the cost is below the minimum value 50: nothing is depreciated",
            ]
        );
    }
}
