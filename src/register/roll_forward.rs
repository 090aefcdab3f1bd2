//! The roll-forward from an earlier register to this one: opening, additions, disposals, adjustments, depreciation,
//! closing.
//!
//! For the cost, the accumulated depreciation and the book value of every category and currency:
//!
//! ```text
//! opening + additions + disposals + adjustments + depreciation = closing
//! ```
//!
//! Items are matched by kind and id, and included while they are held:
//!
//! - **Additions**: items held now but not before, with their cost.
//! - **Disposals**: items held before but not now, or no longer in the account, with the amounts of the opening. The
//!   service does not report when an asset was archived, so nothing is charged for the time before that. An asset that
//!   was bought and archived since the opening has no movements; such assets are counted.
//! - **Ended licenses**: the day on which a license ends is known. One that ended since the opening is rolled forward up
//!   to that day as if it were held, an addition if it was not held before, and disposed of with the amounts of that
//!   day, which are those of its line.
//! - **Depreciation**: the charge of the current schedule from the date of the opening to the date of the closing.
//! - **Adjustments**: the rest, which is what somebody changed: the cost, the schedule, the purchase date, the category
//!   or currency (out of one group, into another), and charges before the opening for an item that was entered late.
//!
//! Disposals are negative for cost and book value; depreciation is negative for the book value. Everything is checked:
//! the sums against both registers, and for every item the book value against cost minus accumulated depreciation.

use std::collections::BTreeMap;
use std::io::Write;

use hashbrown::HashMap;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::columns::ColumnSource;
use super::csv_file::writer;
use super::currency::Currency;
use super::item::Disposal;
use super::line::{ItemState, RegisterLine};
use super::previous::{PreviousRegister, RegisterEntry};
use super::totals::{CATEGORY, LineGroup, group_key, groups, name_or_none};
use crate::table::formula::escape_formula;

/// The maximum number of differences listed in an error.
const MOST_NAMED: usize = 5;

/// The amounts that are rolled forward: the columns they have in the register.
pub(super) const MEASURES: [ColumnSource; 3] = [ColumnSource::Cost, ColumnSource::Accumulated, ColumnSource::BookValue];

/// A value for each of [`MEASURES`].
type Values = [Decimal; 3];

/// The movements of each of [`MEASURES`].
pub(super) type Movements = [Movement; 3];

/// The change of one measure from opening to closing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Movement {
    pub(super) opening: Decimal,
    pub(super) additions: Decimal,
    pub(super) disposals: Decimal,
    pub(super) adjustments: Decimal,
    pub(super) depreciation: Decimal,
    pub(super) closing: Decimal,
}

impl Movement {
    /// The amounts in the order of the sheet and the CSV.
    pub(super) fn parts(&self) -> [Decimal; 6] {
        [self.opening, self.additions, self.disposals, self.adjustments, self.depreciation, self.closing]
    }

    fn add(&mut self, other: &Movement) {
        self.opening += other.opening;
        self.additions += other.additions;
        self.disposals += other.disposals;
        self.adjustments += other.adjustments;
        self.depreciation += other.depreciation;
        self.closing += other.closing;
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RollForwardGroup {
    pub(super) currency: Currency,
    pub(super) category: String,
    pub(super) movements: Movements,
}

/// What happened to an item, apart from depreciation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ItemEvent {
    Added,
    Disposed,
    Adjusted,
    MovedOut,
    MovedIn,
}

impl ItemEvent {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Disposed => "disposed",
            Self::Adjusted => "adjusted",
            Self::MovedOut => "moved out",
            Self::MovedIn => "moved in",
        }
    }
}

/// An item that was added, disposed of, adjusted or moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ItemChange {
    pub(super) event: ItemEvent,
    /// The item as it is now, or as it was if it is no longer in its group or in the account.
    pub(super) entry: RegisterEntry,
    pub(super) movements: Movements,
}

/// A roll-forward that balances.
#[derive(Debug)]
pub(super) struct RollForward {
    /// The date of the opening; none if the earlier register was empty.
    pub(super) from: Option<Date>,
    /// Sorted by currency and category.
    pub(super) groups: Vec<RollForwardGroup>,
    /// Sorted by event, kind and id.
    pub(super) changes: Vec<ItemChange>,
    /// The number of assets that were bought and archived since the opening: they have no movements.
    pub(super) bought_and_archived: u64,
}

/// Rolls forward from `previous` to `lines`. The error describes what does not balance.
pub(super) fn roll(previous: &PreviousRegister, lines: &[RegisterLine]) -> Result<RollForward, Vec<String>> {
    let mut builder = RollForwardBuilder::default();
    let held = previous.entries.iter().filter(|(_, entry)| entry.state == ItemState::Held);
    let mut held: HashMap<_, &RegisterEntry> = held.collect();
    for line in lines {
        let before = held.remove(&(line.item.kind, line.item.id));
        let is_rolled = line.state == ItemState::Held || has_ended_since(previous.as_of, line);
        let now = is_rolled.then(|| RegisterEntry::of(line));
        builder.bought_and_archived += u64::from(before.is_none() && is_bought_and_archived(previous.as_of, line));
        builder.item(before, now.as_ref(), charged_since(previous.as_of, line));
    }
    for gone in held.into_values() {
        builder.item(Some(gone), None, Decimal::ZERO);
    }
    builder.check_opening(previous);
    builder.check_closing(&groups(lines, &CATEGORY));
    builder.finish(previous.as_of)
}

/// Whether it ended on a known day since the opening.
fn has_ended_since(opening: Option<Date>, line: &RegisterLine) -> bool {
    let is_since = |day: Date| opening.is_some_and(|opening| day > opening);
    line.state == ItemState::Disposed && matches!(line.item.disposal, Disposal::Terminated(day) if is_since(day))
}

fn is_bought_and_archived(opening: Option<Date>, line: &RegisterLine) -> bool {
    let bought = line.item.purchase_date.as_ref();
    let is_since = bought.is_ok_and(|bought| opening.is_some_and(|opening| *bought > opening));
    line.state == ItemState::Disposed && line.item.disposal == Disposal::Archived && is_since
}

/// The charge of the current schedule since the opening.
fn charged_since(opening: Option<Date>, line: &RegisterLine) -> Decimal {
    let Some(figures) = &line.figures else { return Decimal::ZERO };
    let at_opening = opening.and_then(|day| line.figures_on(day));
    figures.accumulated - at_opening.map(|figures| figures.accumulated).unwrap_or_default()
}

#[derive(Default)]
struct RollForwardBuilder {
    groups: BTreeMap<(Currency, String), RollForwardGroup>,
    changes: Vec<ItemChange>,
    bought_and_archived: u64,
    differences: Vec<String>,
}

/// Cost, accumulated depreciation and book value; zero for what could not be computed, or without an entry.
fn values(entry: Option<&RegisterEntry>) -> Values {
    let amounts = |entry: &RegisterEntry| [entry.cost, entry.accumulated, entry.book_value];
    entry.map(amounts).unwrap_or_default().map(Option::unwrap_or_default)
}

fn group_of(entry: &RegisterEntry) -> (Currency, String) {
    (entry.currency.clone(), group_key(name_or_none(&entry.category)))
}

/// The movements of an item. Adjustments are what nothing else explains, so that every measure balances.
fn movements(event: ItemEvent, opening: Values, closing: Values, now_has_figures: bool, charged: Decimal) -> Movements {
    let depreciation = [Decimal::ZERO, charged, -charged];
    let additions = match event {
        // An item without figures only adds its cost.
        ItemEvent::Added if !now_has_figures => [closing[0], Decimal::ZERO, Decimal::ZERO],
        ItemEvent::Added => [closing[0], Decimal::ZERO, closing[0]],
        _ => Values::default(),
    };
    let disposals = if event == ItemEvent::Disposed { opening.map(|amount| -amount) } else { Values::default() };
    [0, 1, 2].map(|at| Movement {
        opening: opening[at],
        additions: additions[at],
        disposals: disposals[at],
        adjustments: closing[at] - opening[at] - additions[at] - disposals[at] - depreciation[at],
        depreciation: depreciation[at],
        closing: closing[at],
    })
}

/// The disposal of these amounts. They leave the closing in which the item still was.
fn disposal(amounts: Values) -> Movements {
    amounts.map(|amount| Movement { disposals: -amount, closing: -amount, ..Movement::default() })
}

impl RollForwardBuilder {
    /// Adds an item that was held before, is held now or has ended since, or both. `charged` is its charge since the
    /// opening.
    fn item(&mut self, before: Option<&RegisterEntry>, now: Option<&RegisterEntry>, charged: Decimal) {
        match (before, now) {
            (None, None) => {}
            (Some(_), None) => self.add(ItemEvent::Disposed, before, None, Decimal::ZERO),
            (None, Some(_)) => self.add(ItemEvent::Added, None, now, charged),
            (Some(from), Some(to)) if group_of(from) == group_of(to) => {
                self.add(ItemEvent::Adjusted, before, now, charged);
            }
            (Some(_), Some(_)) => {
                self.add(ItemEvent::MovedOut, before, None, Decimal::ZERO);
                self.add(ItemEvent::MovedIn, None, now, charged);
            }
        }
    }

    fn add(&mut self, event: ItemEvent, before: Option<&RegisterEntry>, now: Option<&RegisterEntry>, charged: Decimal) {
        let Some(entry) = now.or(before) else { return };
        let has_figures = |entry: &RegisterEntry| entry.book_value.is_some();
        let movements = movements(event, values(before), values(now), now.is_some_and(has_figures), charged);
        if before.is_none_or(has_figures) && now.is_none_or(has_figures) {
            self.check_book_value(entry, &movements);
        }
        self.record(event, entry, movements);
        if let Some(ended) = now.filter(|now| now.state != ItemState::Held) {
            self.record(ItemEvent::Disposed, ended, disposal(values(now)));
        }
    }

    fn record(&mut self, event: ItemEvent, entry: &RegisterEntry, movements: Movements) {
        let group = self.groups.entry(group_of(entry)).or_insert_with(|| RollForwardGroup {
            currency: entry.currency.clone(),
            category: name_or_none(&entry.category).to_owned(),
            movements: Movements::default(),
        });
        group.movements.iter_mut().zip(&movements).for_each(|(sum, movement)| sum.add(movement));
        if event != ItemEvent::Adjusted || movements.iter().any(|movement| !movement.adjustments.is_zero()) {
            self.changes.push(ItemChange { event, entry: entry.clone(), movements });
        }
    }

    /// Checks that the book value is the cost minus the accumulated depreciation in every column.
    fn check_book_value(&mut self, entry: &RegisterEntry, movements: &Movements) {
        let [cost, accumulated, book_value] = movements.map(|movement| movement.parts());
        if (0..6).any(|at| cost[at] - accumulated[at] != book_value[at]) {
            self.differences.push(format!("{} {} `{}`", entry.kind.name(), entry.id, entry.tag));
        }
    }

    /// Checks the openings against the sums of the earlier register.
    fn check_opening(&mut self, previous: &PreviousRegister) {
        let mut sums: BTreeMap<&Currency, Values> = BTreeMap::new();
        for entry in previous.entries.values().filter(|entry| entry.state == ItemState::Held) {
            let sum = sums.entry(&entry.currency).or_default();
            sum.iter_mut().zip(values(Some(entry))).for_each(|(sum, value)| *sum += value);
        }
        for (currency, expected) in sums {
            let own = self.groups.values().filter(|group| group.currency == *currency);
            let found =
                own.fold(Values::default(), |sum, group| [0, 1, 2].map(|at| sum[at] + group.movements[at].opening));
            self.compare("opening", &currency.code, found, expected);
        }
    }

    /// Checks the closings against the sums of this register.
    fn check_closing(&mut self, present: &[LineGroup]) {
        for group in present {
            let expected = [group.amounts.cost, group.amounts.accumulated, group.amounts.book_value];
            let own = self.groups.get(&(group.currency.clone(), group_key(&group.name)));
            let found = own.map(|own| own.movements.map(|movement| movement.closing)).unwrap_or_default();
            self.compare("closing", &format!("{} {}", group.name, group.currency.code), found, expected);
        }
    }

    fn compare(&mut self, what: &str, whose: &str, found: Values, expected: Values) {
        for (at, measure) in MEASURES.into_iter().enumerate() {
            if found[at] != expected[at] {
                let (name, found, expected) = (measure.column().title.to_lowercase(), found[at], expected[at]);
                self.differences.push(format!("{what} {name} of {whose}: {found}, the register has {expected}"));
            }
        }
    }

    fn finish(mut self, from: Option<Date>) -> Result<RollForward, Vec<String>> {
        if !self.differences.is_empty() {
            let beyond = self.differences.len().saturating_sub(MOST_NAMED);
            self.differences.truncate(MOST_NAMED);
            if beyond > 0 {
                self.differences.push(format!("and {beyond} more"));
            }
            return Err(self.differences);
        }
        self.changes.sort_by_key(|change| (change.event, change.entry.kind, change.entry.id));
        let (groups, changes) = (self.groups.into_values().collect(), self.changes);
        Ok(RollForward { from, groups, changes, bought_and_archived: self.bought_and_archived })
    }
}

/// Writes the roll-forward as CSV: a line for each currency, category and measure, without totals.
pub(super) fn write_csv(out: impl Write, roll: &RollForward, to: Date) -> Result<(), csv::Error> {
    let mut out = writer(out);
    out.write_record([
        "currency", "category", "measure", "opening", "additions", "disposals", "adjustments", "depreciation",
        "closing", "opening_date", "closing_date",
    ])?;
    let from = roll.from.map(|day| day.to_string()).unwrap_or_default();
    for group in &roll.groups {
        for (measure, movement) in MEASURES.into_iter().zip(&group.movements) {
            out.write_field(&*group.currency.code)?;
            out.write_field(&*escape_formula(&group.category))?;
            out.write_field(measure.column().name)?;
            for part in movement.parts() {
                out.write_field(group.currency.plain(part))?;
            }
            out.write_record([&from, &to.to_string()])?;
        }
    }
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests;
