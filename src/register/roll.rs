//! From one register to the next: opening, additions, disposals, adjustments, depreciation, closing.
//!
//! For the cost, the accumulated depreciation and the book value of every category and currency
//!
//! ```text
//! opening + additions + disposals + adjustments + depreciation = closing
//! ```
//!
//! Items are matched by kind and id, and an item counts while it is held:
//!
//! - **Additions**: held now and not before, with their cost.
//! - **Disposals**: held before and now no longer, or no longer in the account, with the amounts of the opening: the
//!   service does not say when an asset was archived, so nothing is charged for the time up to it.
//! - **Depreciation**: what the present schedule charges from the opening's day to the closing's.
//! - **Adjustments**: the rest, which is what somebody changed: another cost, another schedule, a corrected purchase date,
//!   a move to another category or currency (out of one, into the other), and what had been charged by the opening's
//!   day on a thing that was entered late.
//!
//! Disposals are negative for cost and value; depreciation is negative for the book value. Everything is checked: the
//! sums against those of both registers, and the book value against cost less accumulated depreciation, item by item.

use std::collections::BTreeMap;
use std::io::Write;

use hashbrown::HashMap;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::amount::Currency;
use super::item::Kind;
use super::ledger::writer;
use super::line::{Line, Standing};
use super::previous::{Entry, Previous};
use super::totals::{By, Group, groups, key, shown};
use crate::table::formula::escape_formula;

/// How many differences an error names.
const MOST_NAMED: usize = 5;

/// What is rolled forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    Cost,
    Accumulated,
    BookValue,
}

impl Measure {
    pub(super) const ALL: [Measure; 3] = [Measure::Cost, Measure::Accumulated, Measure::BookValue];

    /// In the CSV.
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

/// One measure from opening to closing.
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
    /// In the order of the sheet and the CSV.
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

/// The three measures, in the order of [`Measure::ALL`].
pub(super) type Movements = [Movement; 3];

/// A category in a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RollGroup {
    pub(super) currency: Currency,
    pub(super) category: String,
    pub(super) movements: Movements,
}

/// What happened to an item, other than time going by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    Added,
    Disposed,
    Adjusted,
    MovedOut,
    MovedIn,
}

impl Event {
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

/// An item to which something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) event: Event,
    pub(super) kind: Kind,
    pub(super) id: i64,
    pub(super) tag: String,
    pub(super) title: String,
    pub(super) currency: Currency,
    pub(super) category: String,
    pub(super) movements: Movements,
}

/// A roll-forward that ties.
#[derive(Debug)]
pub(super) struct Roll {
    /// The day of the opening; none where that register was empty.
    pub(super) from: Option<Date>,
    /// By currency and category.
    pub(super) groups: Vec<RollGroup>,
    /// By what happened, then kind and id.
    pub(super) changes: Vec<Change>,
}

/// Rolls forward from `previous` to `lines`. What does not tie is given in words, with the items.
pub(super) fn roll(previous: &Previous, lines: &[Line]) -> Result<Roll, Vec<String>> {
    let mut rolling = Rolling::new(previous.as_of);
    let now: HashMap<(Kind, i64), &Line> = lines.iter().map(|line| ((line.item.kind, line.item.id), line)).collect();
    for line in lines {
        let entry = previous.entries.get(&(line.item.kind, line.item.id));
        rolling.item(entry.filter(|entry| is_held(entry)), Some(line).filter(|line| line.standing == Standing::Held));
    }
    for entry in previous.entries.values().filter(|entry| is_held(entry)) {
        if !now.contains_key(&(entry.kind, entry.id)) {
            rolling.item(Some(entry), None);
        }
    }
    rolling.check_opening(previous);
    rolling.check_closing(&groups(lines, By::Category));
    rolling.finish()
}

fn is_held(entry: &Entry) -> bool {
    entry.standing == Standing::Held
}

struct Rolling {
    from: Option<Date>,
    groups: BTreeMap<(Currency, String), RollGroup>,
    changes: Vec<Change>,
    differences: Vec<String>,
}

/// Where amounts belong, and whose they are.
struct Owner<'a> {
    kind: Kind,
    id: i64,
    tag: &'a str,
    title: &'a str,
    currency: &'a Currency,
    category: &'a str,
}

impl<'a> Owner<'a> {
    fn before(entry: &'a Entry) -> Self {
        let Entry { kind, id, tag, title, currency, category, .. } = entry;
        Self { kind: *kind, id: *id, tag, title, currency, category }
    }

    fn now(line: &'a Line) -> Self {
        let item = &line.item;
        let super::Item { kind, id, tag, title, currency, category, .. } = item;
        Self { kind: *kind, id: *id, tag, title, currency, category }
    }

    fn is_beside(&self, other: &Owner<'_>) -> bool {
        self.currency == other.currency && key(shown(self.category)) == key(shown(other.category))
    }
}

/// Cost, accumulated depreciation and book value; nothing for what could not be computed.
type Values = [Decimal; 3];

fn values_before(entry: &Entry) -> Values {
    [entry.cost, entry.accumulated, entry.book_value].map(Option::unwrap_or_default)
}

fn values_now(line: &Line) -> Values {
    let figures = line.figures.as_ref();
    let cost = line.item.cost.as_ref().ok().copied();
    [cost, figures.map(|figures| figures.accumulated), figures.map(|figures| figures.book_value)]
        .map(Option::unwrap_or_default)
}

fn movements(make: impl Fn(usize) -> Movement) -> Movements {
    [make(0), make(1), make(2)]
}

impl Rolling {
    fn new(from: Option<Date>) -> Self {
        Self { from, groups: BTreeMap::new(), changes: Vec::new(), differences: Vec::new() }
    }

    fn item(&mut self, before: Option<&Entry>, now: Option<&Line>) {
        match (before, now) {
            (None, None) => {}
            (Some(before), None) => self.disposed(before),
            (None, Some(now)) => self.added(now),
            (Some(before), Some(now)) if Owner::before(before).is_beside(&Owner::now(now)) => self.kept(before, now),
            (Some(before), Some(now)) => self.moved(before, now),
        }
    }

    fn disposed(&mut self, before: &Entry) {
        let opening = values_before(before);
        let gone = movements(|at| Movement { opening: opening[at], disposals: -opening[at], ..Movement::default() });
        self.note(Event::Disposed, Owner::before(before), gone, Figured::of_entry(before));
    }

    fn added(&mut self, now: &Line) {
        let closing = values_now(now);
        let charged = self.charged(now);
        let prior = closing[1] - charged;
        // What has no figures adds its cost alone.
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
        self.note(Event::Added, Owner::now(now), new, Figured::of_line(now));
    }

    fn kept(&mut self, before: &Entry, now: &Line) {
        let (opening, closing, charge) = (values_before(before), values_now(now), self.charge(now));
        let kept = movements(|at| Movement {
            opening: opening[at],
            adjustments: closing[at] - opening[at] - charge[at],
            depreciation: charge[at],
            closing: closing[at],
            ..Movement::default()
        });
        let figured = Figured::of_entry(before).and(Figured::of_line(now));
        let is_adjusted = kept.iter().any(|movement| !movement.adjustments.is_zero());
        match is_adjusted {
            true => self.note(Event::Adjusted, Owner::now(now), kept, figured),
            false => self.count(&Owner::now(now), &kept, figured),
        }
    }

    fn moved(&mut self, before: &Entry, now: &Line) {
        let (opening, closing, charge) = (values_before(before), values_now(now), self.charge(now));
        let out = movements(|at| Movement { opening: opening[at], adjustments: -opening[at], ..Movement::default() });
        let into = movements(|at| Movement {
            adjustments: closing[at] - charge[at],
            depreciation: charge[at],
            closing: closing[at],
            ..Movement::default()
        });
        self.note(Event::MovedOut, Owner::before(before), out, Figured::of_entry(before));
        self.note(Event::MovedIn, Owner::now(now), into, Figured::of_line(now));
    }

    /// What the present schedule charges from the opening's day on.
    fn charged(&self, line: &Line) -> Decimal {
        let Some(figures) = &line.figures else { return Decimal::ZERO };
        let at_opening = self.from.and_then(|day| line.figures_on(day));
        figures.accumulated - at_opening.map(|figures| figures.accumulated).unwrap_or_default()
    }

    fn charge(&self, line: &Line) -> Values {
        let charged = self.charged(line);
        [Decimal::ZERO, charged, -charged]
    }

    fn note(&mut self, event: Event, owner: Owner<'_>, movements: Movements, figured: Figured) {
        self.count(&owner, &movements, figured);
        let Owner { kind, id, tag, title, currency, category } = owner;
        self.changes.push(Change {
            event,
            kind,
            id,
            tag: tag.to_owned(),
            title: title.to_owned(),
            currency: currency.clone(),
            category: shown(category).to_owned(),
            movements,
        });
    }

    fn count(&mut self, owner: &Owner<'_>, movements: &Movements, figured: Figured) {
        self.check_item(owner, movements, figured);
        let group =
            self.groups.entry((owner.currency.clone(), key(shown(owner.category)))).or_insert_with(|| RollGroup {
                currency: owner.currency.clone(),
                category: shown(owner.category).to_owned(),
                movements: Movements::default(),
            });
        group.movements.iter_mut().zip(movements).for_each(|(sum, movement)| sum.add(movement));
    }

    /// Every measure ties, and in every column the book value is the cost less the accumulated depreciation.
    fn check_item(&mut self, owner: &Owner<'_>, movements: &Movements, figured: Figured) {
        let [cost, accumulated, book_value] = movements.map(|movement| movement.parts());
        let is_consistent = (0..6).all(|at| cost[at] - accumulated[at] == book_value[at]);
        let is_tied = movements.iter().all(Movement::is_tied);
        if !is_tied || (figured == Figured::Yes && !is_consistent) {
            self.differences.push(format!("{} {} `{}`", owner.kind.name(), owner.id, owner.tag));
        }
    }

    /// The openings are the sums of the earlier register.
    fn check_opening(&mut self, previous: &Previous) {
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

    /// The closings are the sums of the present register.
    fn check_closing(&mut self, present: &[Group]) {
        for group in present {
            let expected = [group.amounts.cost, group.amounts.accumulated, group.amounts.book_value];
            let own = self.groups.get(&(group.currency.clone(), key(&group.name)));
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

    fn finish(mut self) -> Result<Roll, Vec<String>> {
        if !self.differences.is_empty() {
            let beyond = self.differences.len().saturating_sub(MOST_NAMED);
            self.differences.truncate(MOST_NAMED);
            if beyond > 0 {
                self.differences.push(format!("and {beyond} more"));
            }
            return Err(self.differences);
        }
        self.changes.sort_by_key(|change| (change.event, change.kind, change.id));
        Ok(Roll { from: self.from, groups: self.groups.into_values().collect(), changes: self.changes })
    }
}

/// Whether an item had figures all along, so that its three measures must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Figured {
    Yes,
    No,
}

impl Figured {
    fn of_entry(entry: &Entry) -> Self {
        if entry.book_value.is_some() { Self::Yes } else { Self::No }
    }

    fn of_line(line: &Line) -> Self {
        if line.figures.is_some() { Self::Yes } else { Self::No }
    }

    fn and(self, other: Self) -> Self {
        if self == Self::Yes { other } else { self }
    }
}

/// The roll-forward as CSV: a line for each currency, category and measure. No sums, which would count double.
pub(super) fn write_csv(out: impl Write, roll: &Roll, to: Date) -> Result<(), csv::Error> {
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
#[path = "roll_tests.rs"]
mod tests;
