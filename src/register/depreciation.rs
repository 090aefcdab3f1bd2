//! Straight-line depreciation, exactly.
//!
//! - The **charge base** is the cost less the schedule's minimum value; where the cost is below the minimum it is
//!   nothing, and the book value stays at the cost.
//! - A **month counts as elapsed** on the purchase's day of the month: what was bought on the 15th has one month behind
//!   it on the 15th of the next, not on the 14th. In a shorter month that day is its last: bought on 31 January, a
//!   month has elapsed on 28 (or 29) February and two on 31 March; bought on 29 February 2024, twelve have on 28
//!   February 2025. So nothing is charged in the first month before it is over, and what is bought on 1 January has
//!   eleven months behind it on 31 December and a full year on 1 January.
//! - **Accumulated** depreciation is the charge base × elapsed months ÷ months, rounded half up to the currency's minor
//!   unit (a cent; a whole yen; a thousandth of a dinar). The total is rounded, never the month: cents do not drift,
//!   and a month's charge is the difference between two totals.
//! - The **last month closes exactly**: from then on the book value is the minimum to the last digit.
//!
//! A laptop for 1,000.00 over 36 months loses 27.777… a month:
//!
//! ```text
//! bought    2024-01-31
//! as of     2024-02-28   2024-02-29   2024-03-31   2024-04-30   2027-01-31
//! lost            0.00        27.78        55.56        83.33      1000.00
//! ```
//!
//! With a minimum value of 100, over 12 months, in yen, which have no smaller unit, 1,000 have lost 75 after a month, and
//! stand at 100 after the twelfth.

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::currency::rounded;

/// How something loses value: the service's depreciation (guide, section "Depreciations").
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DepreciationSchedule {
    pub name: String,
    /// At least 1.
    pub months: u32,
    /// What is left at the end, in the currency of the cost; not negative.
    pub minimum: Decimal,
}

/// What has become of a cost by some day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Whole months since the purchase, at most those of the schedule.
    pub elapsed: u32,
    pub accumulated: Decimal,
    /// The cost less the accumulated depreciation.
    pub book_value: Decimal,
}

impl Figures {
    /// The figures at the end of `day`. `digits` are those of the currency's minor unit. Before the purchase nothing
    /// has been charged.
    pub(crate) fn on(
        day: Date,
        cost: Decimal,
        purchase_date: Date,
        schedule: &DepreciationSchedule,
        digits: u32,
    ) -> Self {
        let elapsed = elapsed_months(purchase_date, day).min(schedule.months);
        let accumulated = accumulated(charge_base(cost, schedule), elapsed, schedule.months, digits);
        Self { elapsed, accumulated, book_value: cost - accumulated }
    }
}

/// What is charged in all.
pub(crate) fn charge_base(cost: Decimal, schedule: &DepreciationSchedule) -> Decimal {
    (cost - schedule.minimum).max(Decimal::ZERO)
}

/// The whole months from a purchase to a day; none before it.
pub(crate) fn elapsed_months(purchase_date: Date, day: Date) -> u32 {
    let months = |date: Date| i32::from(date.year()) * 12 + i32::from(date.month());
    let is_due = day.day() >= purchase_date.day().min(day.days_in_month());
    let elapsed = months(day) - months(purchase_date) - i32::from(!is_due);
    u32::try_from(elapsed).unwrap_or(0)
}

/// The day on which the last month is over; none beyond the calendar.
pub(crate) fn last_day(purchase_date: Date, schedule: &DepreciationSchedule) -> Option<Date> {
    let months = i32::try_from(schedule.months).ok().filter(|months| *months < 120_000)?;
    purchase_date.checked_add(months.months()).ok()
}

/// The charge of the first `elapsed` of all `months`. At the end it is the base itself, even where that is finer than
/// the minor unit: nothing remains.
fn accumulated(base: Decimal, elapsed: u32, months: u32, digits: u32) -> Decimal {
    if elapsed >= months {
        return base;
    }
    let (elapsed, months) = (Decimal::from(elapsed), Decimal::from(months));
    // Multiplied first: the quotient alone would have been cut already. An amount too large for that has no cents.
    let exact = base.checked_mul(elapsed).map_or_else(|| base / months * elapsed, |product| product / months);
    rounded(exact, digits).min(base)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_the_documentation() {
        let schedule = DepreciationSchedule { name: "Laptops, 3 years".into(), months: 36, minimum: Decimal::ZERO };
        let on = |day| Figures::on(day, Decimal::from(1000), date(2024, 1, 31), &schedule, 2);
        for (day, accumulated) in [
            // The month is over on the 29th.
            (date(2024, 2, 28), "0"),
            (date(2024, 2, 29), "27.78"),
            (date(2024, 3, 31), "55.56"),
            // A charge of 27.77: nothing drifts.
            (date(2024, 4, 30), "83.33"),
            // The 36th month.
            (date(2027, 1, 31), "1000"),
        ] {
            assert_eq!(on(day).accumulated.to_string(), accumulated, "{day}");
        }
        assert_eq!(on(date(2030, 1, 1)).book_value, Decimal::ZERO);
        let schedule = DepreciationSchedule { name: "One year".into(), months: 12, minimum: Decimal::from(100) };
        let figures = Figures::on(date(2024, 2, 1), Decimal::from(1000), date(2024, 1, 1), &schedule, 0);
        assert_eq!((figures.accumulated, figures.book_value), (Decimal::from(75), Decimal::from(925)));
        let closed = Figures::on(date(2025, 1, 1), Decimal::from(1000), date(2024, 1, 1), &schedule, 0);
        assert_eq!(closed.book_value, Decimal::from(100));
    }

    fn schedule(months: u32, minimum: i64) -> DepreciationSchedule {
        DepreciationSchedule { name: "S".into(), months, minimum: Decimal::from(minimum) }
    }

    /// The book values at the end of each year of something bought on 1 January: books close years on the night to
    /// the next 1 January.
    fn book_values(cost: i64, minimum: i64, years: u32) -> Vec<i64> {
        let schedule = schedule(years * 12, minimum);
        (1..=years as i16)
            .map(|year| Figures::on(date(2020 + year, 1, 1), Decimal::from(cost), date(2020, 1, 1), &schedule, 2))
            .map(|figures| i64::try_from(figures.book_value).unwrap())
            .collect()
    }

    /// OpenStax, Principles of Accounting, Volume 1: Financial Accounting, section 11.3: a screen printing machine for
    /// 58,000 with a salvage value of 10,000 over five years, 9,600 a year.
    #[test]
    fn the_screen_printing_machine_of_openstax() {
        assert_eq!(book_values(58_000, 10_000, 5), [48_400, 38_800, 29_200, 19_600, 10_000]);
    }

    /// Porter and Norton, Financial Accounting (Cengage Learning, 2011), straight-line method: cost 10,000, salvage
    /// value 2,000, five years, 1,600 a year.
    #[test]
    fn the_straight_line_table_of_porter_and_norton() {
        assert_eq!(book_values(10_000, 2_000, 5), [8_400, 6_800, 5_200, 3_600, 2_000]);
    }

    /// Microsoft, documentation of Excel's function SLN: cost 30,000, salvage 7,500, life 10: 2,250 each year.
    #[test]
    fn the_example_of_excels_sln() {
        let values = book_values(30_000, 7_500, 10);
        let charges: Vec<_> = std::iter::once(30_000).chain(values.clone()).zip(values).map(|(a, b)| a - b).collect();
        assert_eq!(charges, [2_250; 10]);
    }

    /// A usual exercise on part of a year: a truck for 44,200 bought on 1 June, residual value 2,800, five years; the
    /// year ends after seven months.
    #[test]
    fn part_of_a_year_is_its_months() {
        let truck = |day| Figures::on(day, Decimal::from(44_200), date(2019, 6, 1), &schedule(60, 2_800), 2);
        assert_eq!(truck(date(2020, 1, 1)).accumulated, Decimal::from(4_830));
        assert_eq!(truck(date(2019, 12, 31)).elapsed, 6, "the seventh month is over on the 1st");
    }

    #[test]
    fn months_end_on_the_day_of_the_purchase_or_the_last_of_the_month() {
        for (purchase_date, day, months) in [
            (date(2024, 1, 15), date(2024, 2, 14), 0),
            (date(2024, 1, 15), date(2024, 2, 15), 1),
            (date(2024, 1, 31), date(2024, 2, 28), 0),
            (date(2024, 1, 31), date(2024, 2, 29), 1),
            (date(2023, 1, 31), date(2023, 2, 28), 1),
            (date(2023, 1, 31), date(2023, 3, 30), 1),
            (date(2023, 1, 31), date(2023, 4, 30), 3),
            (date(2024, 2, 29), date(2025, 2, 27), 11),
            (date(2024, 2, 29), date(2025, 2, 28), 12),
            (date(2024, 2, 29), date(2028, 2, 28), 47),
            (date(2024, 2, 29), date(2028, 2, 29), 48),
            (date(2024, 12, 31), date(2025, 1, 1), 0),
            (date(2024, 5, 1), date(2024, 5, 1), 0),
            (date(2024, 5, 1), date(2023, 5, 1), 0),
        ] {
            assert_eq!(elapsed_months(purchase_date, day), months, "{purchase_date} to {day}");
        }
    }

    #[test]
    fn a_cost_below_the_minimum_is_not_charged() {
        let figures = Figures::on(date(2030, 1, 1), Decimal::from(80), date(2020, 1, 1), &schedule(12, 100), 2);
        assert_eq!((figures.accumulated, figures.book_value), (Decimal::ZERO, Decimal::from(80)));
    }

    #[test]
    fn half_a_unit_is_rounded_up() {
        // 0.01 over two months: half a cent.
        let figures = Figures::on(date(2024, 2, 1), Decimal::new(1, 2), date(2024, 1, 1), &schedule(2, 0), 2);
        assert_eq!(figures.accumulated, Decimal::new(1, 2));
        let dinar = Figures::on(date(2024, 2, 1), Decimal::from(1), date(2024, 1, 1), &schedule(3, 0), 3);
        assert_eq!(dinar.accumulated, Decimal::new(333, 3));
    }

    #[test]
    fn the_last_day_is_the_one_that_closes() {
        let closing = last_day(date(2024, 1, 31), &schedule(1, 0)).unwrap();
        assert_eq!(closing, date(2024, 2, 29));
        assert_eq!(elapsed_months(date(2024, 1, 31), closing), 1);
        assert_eq!(last_day(date(2024, 1, 31), &schedule(u32::MAX, 0)), None);
    }

    proptest! {
        #[test]
        fn charges_never_run_backwards_and_always_close(
            cents in 0i64..10_000_000_000, minimum in 0i64..20_000, months in 1u32..240, day in 1i8..=28, ahead in 0i32..9_000,
        ) {
            let (cost, schedule) = (Decimal::new(cents, 2), schedule(months, minimum));
            let purchase_date = date(2020, 1, day);
            let on = |days: i32| Figures::on(purchase_date.checked_add(days.days()).unwrap(), cost, purchase_date, &schedule, 2);
            let (earlier, later) = (on(ahead), on(ahead + 31));
            prop_assert!(earlier.accumulated <= later.accumulated);
            prop_assert_eq!(later.accumulated + later.book_value, cost);
            prop_assert!(later.book_value >= schedule.minimum.min(cost));
            let closing = Figures::on(last_day(purchase_date, &schedule).unwrap(), cost, purchase_date, &schedule, 2);
            prop_assert_eq!(closing.book_value, schedule.minimum.min(cost));
            // Never half a cent from the exact charge.
            let exact = charge_base(cost, &schedule) * Decimal::from(later.elapsed) / Decimal::from(months);
            prop_assert!((later.accumulated - exact).abs() <= Decimal::new(5, 3));
        }
    }
}
