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
//!   service does not report when an asset was archived, so nothing is charged for the time before that.
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

use super::csv_file::writer;
use super::currency::Currency;
use super::item::{ItemKind, RegisterItem};
use super::line::{ItemState, RegisterLine};
use super::previous::{PreviousEntry, PreviousRegister};
use super::totals::{GroupBy, LineGroup, group_key, groups, name_or_none};
use crate::table::formula::escape_formula;

/// The maximum number of differences listed in an error.
const MOST_NAMED: usize = 5;

/// An amount that is rolled forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    Cost,
    Accumulated,
    BookValue,
}

impl Measure {
    pub(super) const ALL: [Measure; 3] = [Measure::Cost, Measure::Accumulated, Measure::BookValue];

    /// The name in the CSV.
    fn name(self) -> &'static str {
        match self {
            Self::Cost => "cost",
            Self::Accumulated => "accumulated_depreciation",
            Self::BookValue => "book_value",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Cost => "Cost",
            Self::Accumulated => "Accumulated depreciation",
            Self::BookValue => "Book value",
        }
    }
}

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

    fn is_tied(&self) -> bool {
        self.opening + self.additions + self.disposals + self.adjustments + self.depreciation == self.closing
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

/// The movements of the three measures, in the order of [`Measure::ALL`].
pub(super) type Movements = [Movement; 3];

/// The movements of a category in a currency.
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
    pub(super) kind: ItemKind,
    pub(super) id: i64,
    pub(super) tag: String,
    pub(super) title: String,
    pub(super) currency: Currency,
    pub(super) category: String,
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
}

/// Rolls forward from `previous` to `lines`. The error describes what does not balance.
pub(super) fn roll(previous: &PreviousRegister, lines: &[RegisterLine]) -> Result<RollForward, Vec<String>> {
    let mut builder = RollForwardBuilder::new(previous.as_of);
    let now: HashMap<(ItemKind, i64), &RegisterLine> =
        lines.iter().map(|line| ((line.item.kind, line.item.id), line)).collect();
    for line in lines {
        let entry = previous.entries.get(&(line.item.kind, line.item.id));
        builder.item(entry.filter(|entry| is_held(entry)), Some(line).filter(|line| line.state == ItemState::Held));
    }
    for entry in previous.entries.values().filter(|entry| is_held(entry)) {
        if !now.contains_key(&(entry.kind, entry.id)) {
            builder.item(Some(entry), None);
        }
    }
    builder.check_opening(previous);
    builder.check_closing(&groups(lines, GroupBy::Category));
    builder.finish()
}

fn is_held(entry: &PreviousEntry) -> bool {
    entry.state == ItemState::Held
}

struct RollForwardBuilder {
    from: Option<Date>,
    groups: BTreeMap<(Currency, String), RollForwardGroup>,
    changes: Vec<ItemChange>,
    differences: Vec<String>,
}

/// The item that amounts belong to, and its group.
struct ItemIdentity<'a> {
    kind: ItemKind,
    id: i64,
    tag: &'a str,
    title: &'a str,
    currency: &'a Currency,
    category: &'a str,
}

impl<'a> ItemIdentity<'a> {
    fn before(entry: &'a PreviousEntry) -> Self {
        let PreviousEntry { kind, id, tag, title, currency, category, .. } = entry;
        Self { kind: *kind, id: *id, tag, title, currency, category }
    }

    fn now(line: &'a RegisterLine) -> Self {
        let item = &line.item;
        let RegisterItem { kind, id, tag, title, currency, category, .. } = item;
        Self { kind: *kind, id: *id, tag, title, currency, category }
    }

    fn is_beside(&self, other: &ItemIdentity<'_>) -> bool {
        self.currency == other.currency
            && group_key(name_or_none(self.category)) == group_key(name_or_none(other.category))
    }
}

/// Cost, accumulated depreciation and book value; zero for what could not be computed.
type Values = [Decimal; 3];

fn values_before(entry: &PreviousEntry) -> Values {
    [entry.cost, entry.accumulated, entry.book_value].map(Option::unwrap_or_default)
}

fn values_now(line: &RegisterLine) -> Values {
    let figures = line.figures.as_ref();
    let cost = line.item.cost.as_ref().ok().copied();
    [cost, figures.map(|figures| figures.accumulated), figures.map(|figures| figures.book_value)]
        .map(Option::unwrap_or_default)
}

fn movements(make: impl Fn(usize) -> Movement) -> Movements {
    [make(0), make(1), make(2)]
}

impl RollForwardBuilder {
    fn new(from: Option<Date>) -> Self {
        Self { from, groups: BTreeMap::new(), changes: Vec::new(), differences: Vec::new() }
    }

    fn item(&mut self, before: Option<&PreviousEntry>, now: Option<&RegisterLine>) {
        match (before, now) {
            (None, None) => {}
            (Some(before), None) => self.disposed(before),
            (None, Some(now)) => self.added(now),
            (Some(before), Some(now)) if ItemIdentity::before(before).is_beside(&ItemIdentity::now(now)) => {
                self.kept(before, now)
            }
            (Some(before), Some(now)) => self.moved(before, now),
        }
    }

    fn disposed(&mut self, before: &PreviousEntry) {
        let opening = values_before(before);
        let gone = movements(|at| Movement { opening: opening[at], disposals: -opening[at], ..Movement::default() });
        self.note(ItemEvent::Disposed, ItemIdentity::before(before), gone, before.book_value.is_some());
    }

    fn added(&mut self, now: &RegisterLine) {
        let closing = values_now(now);
        let charged = self.charged(now);
        let prior = closing[1] - charged;
        // An item without figures only adds its cost.
        let added_value = if now.figures.is_some() { closing[0] } else { Decimal::ZERO };
        let new = [
            Movement { additions: closing[0], closing: closing[0], ..Movement::default() },
            Movement { adjustments: prior, depreciation: charged, closing: closing[1], ..Movement::default() },
            Movement {
                additions: added_value,
                adjustments: -prior,
                depreciation: -charged,
                closing: closing[2],
                ..Movement::default()
            },
        ];
        self.note(ItemEvent::Added, ItemIdentity::now(now), new, now.figures.is_some());
    }

    fn kept(&mut self, before: &PreviousEntry, now: &RegisterLine) {
        let (opening, closing, charge) = (values_before(before), values_now(now), self.charge(now));
        let kept = movements(|at| Movement {
            opening: opening[at],
            adjustments: closing[at] - opening[at] - charge[at],
            depreciation: charge[at],
            closing: closing[at],
            ..Movement::default()
        });
        let has_figures = before.book_value.is_some() && now.figures.is_some();
        let is_adjusted = kept.iter().any(|movement| !movement.adjustments.is_zero());
        match is_adjusted {
            true => self.note(ItemEvent::Adjusted, ItemIdentity::now(now), kept, has_figures),
            false => self.count(&ItemIdentity::now(now), &kept, has_figures),
        }
    }

    fn moved(&mut self, before: &PreviousEntry, now: &RegisterLine) {
        let (opening, closing, charge) = (values_before(before), values_now(now), self.charge(now));
        let out = movements(|at| Movement { opening: opening[at], adjustments: -opening[at], ..Movement::default() });
        let into = movements(|at| Movement {
            adjustments: closing[at] - charge[at],
            depreciation: charge[at],
            closing: closing[at],
            ..Movement::default()
        });
        self.note(ItemEvent::MovedOut, ItemIdentity::before(before), out, before.book_value.is_some());
        self.note(ItemEvent::MovedIn, ItemIdentity::now(now), into, now.figures.is_some());
    }

    /// The charge of the current schedule since the opening.
    fn charged(&self, line: &RegisterLine) -> Decimal {
        let Some(figures) = &line.figures else { return Decimal::ZERO };
        let at_opening = self.from.and_then(|day| line.figures_on(day));
        figures.accumulated - at_opening.map(|figures| figures.accumulated).unwrap_or_default()
    }

    fn charge(&self, line: &RegisterLine) -> Values {
        let charged = self.charged(line);
        [Decimal::ZERO, charged, -charged]
    }

    fn note(&mut self, event: ItemEvent, identity: ItemIdentity<'_>, movements: Movements, has_figures: bool) {
        self.count(&identity, &movements, has_figures);
        let ItemIdentity { kind, id, tag, title, currency, category } = identity;
        self.changes.push(ItemChange {
            event,
            kind,
            id,
            tag: tag.to_owned(),
            title: title.to_owned(),
            currency: currency.clone(),
            category: name_or_none(category).to_owned(),
            movements,
        });
    }

    fn count(&mut self, identity: &ItemIdentity<'_>, movements: &Movements, has_figures: bool) {
        self.check_item(identity, movements, has_figures);
        let group = self
            .groups
            .entry((identity.currency.clone(), group_key(name_or_none(identity.category))))
            .or_insert_with(|| RollForwardGroup {
                currency: identity.currency.clone(),
                category: name_or_none(identity.category).to_owned(),
                movements: Movements::default(),
            });
        group.movements.iter_mut().zip(movements).for_each(|(sum, movement)| sum.add(movement));
    }

    /// Checks that every measure balances and, if the item has figures, that the book value is the cost minus the
    /// accumulated depreciation in every column.
    fn check_item(&mut self, identity: &ItemIdentity<'_>, movements: &Movements, has_figures: bool) {
        let [cost, accumulated, book_value] = movements.map(|movement| movement.parts());
        let is_consistent = (0..6).all(|at| cost[at] - accumulated[at] == book_value[at]);
        let is_tied = movements.iter().all(Movement::is_tied);
        if !is_tied || (has_figures && !is_consistent) {
            self.differences.push(format!("{} {} `{}`", identity.kind.name(), identity.id, identity.tag));
        }
    }

    /// Checks the openings against the sums of the earlier register.
    fn check_opening(&mut self, previous: &PreviousRegister) {
        let mut sums: BTreeMap<&Currency, Values> = BTreeMap::new();
        for entry in previous.entries.values().filter(|entry| is_held(entry)) {
            let sum = sums.entry(&entry.currency).or_default();
            sum.iter_mut().zip(values_before(entry)).for_each(|(sum, value)| *sum += value);
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
        for (at, measure) in Measure::ALL.into_iter().enumerate() {
            if found[at] != expected[at] {
                let (name, found, expected) = (measure.title().to_lowercase(), found[at], expected[at]);
                self.differences.push(format!("{what} {name} of {whose}: {found}, the register has {expected}"));
            }
        }
    }

    fn finish(mut self) -> Result<RollForward, Vec<String>> {
        if !self.differences.is_empty() {
            let beyond = self.differences.len().saturating_sub(MOST_NAMED);
            self.differences.truncate(MOST_NAMED);
            if beyond > 0 {
                self.differences.push(format!("and {beyond} more"));
            }
            return Err(self.differences);
        }
        self.changes.sort_by_key(|change| (change.event, change.kind, change.id));
        Ok(RollForward { from: self.from, groups: self.groups.into_values().collect(), changes: self.changes })
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
        for (measure, movement) in Measure::ALL.into_iter().zip(&group.movements) {
            out.write_field(&*group.currency.code)?;
            out.write_field(&*escape_formula(&group.category))?;
            out.write_field(measure.name())?;
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
