//! Infers from a whole column the order of its dates or the decimal mark of its amounts.
//!
//! Each cell allows some readings; the column allows those that all its cells allow. A single remaining reading is
//! proof. Several prove nothing, and none means that the cells contradict each other. The order of the cells does not
//! matter.

use jiff::civil::Date;

use super::date::{self, DateOrder, DateOrders, DateShape, SEPARATOR_KINDS, Triple};
use super::money;
use super::number::{self, DecimalMark, Readings};

/// A set of at most eight readings, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ReadingSet(u8);

impl ReadingSet {
    fn narrow(&mut self, other: Self) {
        self.0 &= other.0;
    }

    /// Index of the only remaining reading.
    fn only(self) -> Option<usize> {
        (self.0.count_ones() == 1).then(|| self.0.trailing_zeros() as usize)
    }
}

/// Infers the order of day, month and year from the text cells of a date column.
///
/// ISO dates, month names and cells that are not dates prove nothing. A number over 12 is not a month, a number over
/// 31 is a year, and with dots as both separators the day comes first. Each kind of separator is inferred for itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct DateSurvey {
    orders: [OrderSurvey; SEPARATOR_KINDS],
    real: RealDates,
}

/// The dates of a column with one kind of separator.
#[derive(Debug, Clone)]
struct OrderSurvey {
    allowed: ReadingSet,
    need: bool,
}

impl Default for OrderSurvey {
    fn default() -> Self {
        Self { allowed: ReadingSet(ANY_ORDER), need: false }
    }
}

impl OrderSurvey {
    fn decide(&self) -> Option<DateOrder> {
        self.allowed.only().map(|at| DateOrder::ALL[at])
    }
}

const ANY_ORDER: u8 = 0b111;

/// What shows that a spreadsheet program has read the dates of another country. It turned those with a day up to 12
/// into real dates, day and month swapped, and left the others as texts that it could not read.
#[derive(Debug, Clone, Copy, Default)]
struct RealDates {
    /// Real dates that would be another date with day and month swapped.
    swappable: u64,
    /// Real dates that cannot have been swapped: the program knew the order.
    fixed: u64,
    /// Text dates with only the day first, and with only the month first.
    day_first: u64,
    month_first: u64,
    /// Text dates that the program would have turned into real ones.
    either: u64,
}

impl RealDates {
    fn are_swapped(&self) -> bool {
        let is_one_order = (self.day_first > 0) != (self.month_first > 0);
        self.swappable > 0 && self.fixed == 0 && self.either == 0 && is_one_order
    }

    fn observe_text(&mut self, triple: &Triple) {
        // A program that takes dots for separators of dates knows that the day comes first.
        if triple.is_dotted() {
            return;
        }
        let [day_first, month_first, _] = triple.days().0;
        match (day_first, month_first) {
            (Some(day), Some(other)) if day != other => self.either += 1,
            (Some(_), None) => self.day_first += 1,
            (None, Some(_)) => self.month_first += 1,
            _ => {}
        }
    }
}

impl DateSurvey {
    /// Adds what another part of the column shows.
    pub(super) fn merge(&mut self, other: &Self) {
        for (order, other) in self.orders.iter_mut().zip(&other.orders) {
            order.allowed.narrow(other.allowed);
            order.need |= other.need;
        }
        let RealDates { swappable, fixed, day_first, month_first, either } = other.real;
        self.real.swappable += swappable;
        self.real.fixed += fixed;
        self.real.day_first += day_first;
        self.real.month_first += month_first;
        self.real.either += either;
    }

    /// Adds a text cell. Cheap for ISO dates.
    #[inline]
    pub(crate) fn observe(&mut self, text: &str) {
        if !begins_like_iso(text.as_bytes()) {
            self.observe_written(text);
        }
    }

    fn observe_written(&mut self, text: &str) {
        match date::shape_of(text) {
            DateShape::Triple(triple) if !triple.is_year_first() => self.take(&triple),
            DateShape::Bare(number, 8) if date::from_iso_digits(number).is_none() => {
                self.take(&date::year_last(number))
            }
            _ => {}
        }
    }

    /// Adds a real date of the spreadsheet.
    #[inline]
    pub(crate) fn observe_real(&mut self, day: Date) {
        match date::swapped(day) {
            Some(_) => self.real.swappable += 1,
            None => self.real.fixed += u64::from(day.day() > 12),
        }
    }

    fn take(&mut self, triple: &Triple) {
        self.real.observe_text(triple);
        let days = triple.days();
        let [day_first, ..] = days.0;
        let allowed = match day_first {
            Some(_) if triple.is_dotted() => 0b001,
            _ => days.0.iter().enumerate().fold(0, |bits, (at, day)| bits | (u8::from(day.is_some()) << at)),
        };
        // A cell that is not a date in any order is a mistake, not evidence.
        if allowed != 0 {
            let survey = &mut self.orders[triple.separator_kind()];
            survey.allowed.narrow(ReadingSet(allowed));
            survey.need |= days.only().is_none();
        }
    }

    /// The orders that the column proves, by separator.
    pub(crate) fn decide(&self) -> DateOrders {
        DateOrders::new(self.orders.each_ref().map(OrderSurvey::decide))
    }

    /// Those of them without which a cell cannot be read.
    pub(crate) fn needed(&self) -> DateOrders {
        DateOrders::new(self.orders.each_ref().map(|survey| survey.decide().filter(|_| survey.need)))
    }

    /// Whether the column shows that a spreadsheet program has swapped day and month of its real dates.
    pub(crate) fn is_swapped(&self) -> bool {
        self.real.are_swapped()
    }
}

/// Four digits and a hyphen: either year first, or not a date.
fn begins_like_iso(bytes: &[u8]) -> bool {
    matches!(bytes, [a, b, c, d, b'-', ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()))
}

/// Infers the decimal mark from the text cells of an amount column.
#[derive(Debug, Clone)]
pub(crate) struct MoneySurvey {
    allowed: ReadingSet,
    need: bool,
}

impl Default for MoneySurvey {
    fn default() -> Self {
        Self { allowed: ReadingSet(0b11), need: false }
    }
}

impl MoneySurvey {
    /// Adds what another part of the column shows.
    pub(super) fn merge(&mut self, other: &Self) {
        self.allowed.narrow(other.allowed);
        self.need |= other.need;
    }

    /// Adds a text cell. Cells that are not amounts prove nothing.
    #[inline]
    pub(crate) fn observe(&mut self, text: &str) {
        match number::plain(text.as_bytes()) {
            Some((_, 0)) => {}
            Some(_) => self.allowed.narrow(ReadingSet(0b01)),
            None => self.observe_written(text),
        }
    }

    fn observe_written(&mut self, text: &str) {
        let Some(readings) = money::readings(text) else { return };
        let Readings { point, comma } = readings;
        let allowed = u8::from(point.is_some()) | (u8::from(comma.is_some()) << 1);
        if allowed != 0 {
            self.allowed.narrow(ReadingSet(allowed));
            self.need |= allowed == 0b11 && point != comma;
        }
    }

    /// The decimal mark, if the column proves one.
    pub(crate) fn decide(&self) -> Option<DecimalMark> {
        self.allowed.only().map(|at| [DecimalMark::Point, DecimalMark::Comma][at])
    }

    /// Whether any cell can only be read if the mark is known.
    pub(crate) fn needs_mark(&self) -> bool {
        self.need
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use proptest::prelude::*;

    /// The order that the dates with one kind of separator prove, and whether any of them needs it.
    fn dates(cells: &[&str]) -> (Option<DateOrder>, bool) {
        let mut survey = DateSurvey::default();
        cells.iter().for_each(|cell| survey.observe(cell));
        let seen = survey.orders.iter().find(|order| order.need || order.allowed.0 != ANY_ORDER);
        seen.map_or((None, false), |order| (order.decide(), order.need))
    }

    fn amounts(cells: &[&str]) -> (Option<DecimalMark>, bool) {
        let mut survey = MoneySurvey::default();
        cells.iter().for_each(|cell| survey.observe(cell));
        (survey.decide(), survey.needs_mark())
    }

    #[test]
    fn the_column_proves_the_order_of_its_dates() {
        use DateOrder::{DayMonthYear, MonthDayYear, YearMonthDay};
        for (cells, order, need) in [
            (&["2024-01-02", "2024-03-04"][..], None, false),
            (&["01/02/2024", "03/04/2024"], None, true),
            (&["01/02/2024", "22/12/2014"], Some(DayMonthYear), true),
            (&["01/02/2024", "11/24/2008"], Some(MonthDayYear), true),
            (&["22/12/2014", "11/24/2008"], None, false),
            (&["22/12/2014", "11/24/2008", "01/02/2024"], None, true),
            (&["01.11.2023"], Some(DayMonthYear), true),
            (&["01.11.2023", "11.24.2008"], None, true),
            (&["22.3.15"], Some(DayMonthYear), false),
            (&["1/23/23", "4/5/16"], Some(MonthDayYear), true),
            (&["13/9/24", "01/12/15"], Some(DayMonthYear), true),
            (&["13/09/24"], None, true),
            (&["13/09/24", "31/12/99"], Some(DayMonthYear), true),
            (&["99/12/31", "03/04/05"], Some(YearMonthDay), true),
            (&["22-03-2015", "01-01-2013"], Some(DayMonthYear), false),
            (&["02042003", "22032015"], Some(DayMonthYear), true),
            (&["20150322", "20150323"], None, false),
            (&["12/17/2017 14:35", "1/2/2017 09:00"], Some(MonthDayYear), true),
            (&["01/01/2024", "05/05/2024"], None, false),
            (&["31/02/2024", "n/a", "", "Oct-14", "36", "soon"], None, false),
            (&["2019/04/16", "2024.01.05", "Mi 2024-01-05"], None, false),
        ] {
            assert_eq!(dates(cells), (order, need), "{cells:?}");
        }
    }

    #[test]
    fn dates_with_other_separators_prove_nothing() {
        let mut survey = DateSurvey::default();
        ["05.03.2024", "3/5/24", "13-02-2024", "01-02-2024"].iter().for_each(|cell| survey.observe(cell));
        let day_first = Some(DateOrder::DayMonthYear);
        assert_eq!(survey.decide(), DateOrders::new([day_first, None, day_first, None]));
    }

    #[test]
    fn swapped_dates_are_those_that_the_texts_beside_them_contradict() {
        let is_swapped = |real: &[(i8, i8)], texts: &[&str]| {
            let mut survey = DateSurvey::default();
            real.iter().for_each(|(month, day)| survey.observe_real(jiff::civil::date(2024, *month, *day)));
            texts.iter().for_each(|text| survey.observe(text));
            survey.is_swapped()
        };
        assert!(is_swapped(&[(1, 2), (12, 6)], &["13/02/2024", "25/12/2023"]));
        assert!(is_swapped(&[(1, 2), (3, 3)], &["13-02-2024", "2024-01-31", "n/a"]));
        assert!(is_swapped(&[(2, 1)], &["02/13/2024"]));
        assert!(is_swapped(&[(2, 1)], &["13/02/24"]));
        for (real, texts) in [
            (&[(1, 2), (12, 16)][..], &["13/02/2024"][..]),
            (&[(1, 2)], &["13/02/2024", "01/02/2024"]),
            (&[(1, 2)], &["13/02/2024", "02/13/2024"]),
            (&[(3, 3)], &["13/02/2024"]),
            (&[(1, 2)], &["13.02.2024"]),
            (&[(1, 2)], &["2024-02-13", "13 Feb 2024", "soon"]),
            (&[(1, 2)], &[]),
            (&[], &["13/02/2024"]),
        ] {
            assert!(!is_swapped(real, texts), "{real:?} {texts:?}");
        }
    }

    #[test]
    fn the_column_proves_its_decimal_mark() {
        use DecimalMark::{Comma, Point};
        for (cells, mark, need) in [
            (&["1234", "5"][..], None, false),
            (&["1.234"], None, true),
            (&["1,234"], None, true),
            (&["1.234", "1.234,56"], Some(Comma), true),
            (&["12.345,67", "1.234 €"], Some(Comma), true),
            (&["1,234", "$1,299.00"], Some(Point), true),
            (&["1.234", "12,5"], Some(Comma), true),
            (&["0,166", "0,316666667"], Some(Comma), false),
            (&["2266.13", "$12.58"], Some(Point), false),
            (&["184,904.05", "301300"], Some(Point), false),
            (&["13,1", "12.5"], None, false),
            (&["1.234.567"], Some(Comma), false),
            (&["ECHANTILLON", "NC", "100*", "1e/ml", "95%", "-"], None, false),
            (&["(1.234)", "-5,50"], Some(Comma), true),
        ] {
            assert_eq!(amounts(cells), (mark, need), "{cells:?}");
        }
    }

    proptest! {
        #[test]
        fn the_order_of_the_cells_does_not_matter(
            (cells, shuffled) in proptest::collection::vec("[0-9]{1,2}[./-][0-9]{1,2}[./-](20)?[0-9]{2}|[0-9]{1,3}[.,][0-9]{1,3}", 0..8)
                .prop_flat_map(|cells| (Just(cells.clone()), Just(cells).prop_shuffle()))
        ) {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            let shuffled: Vec<&str> = shuffled.iter().map(String::as_str).collect();
            prop_assert_eq!(dates(&cells), dates(&shuffled));
            prop_assert_eq!(amounts(&cells), amounts(&shuffled));
        }

        #[test]
        fn nothing_panics(text in "\\PC*") {
            dates(&[&text]);
            amounts(&[&text]);
        }
    }
}
