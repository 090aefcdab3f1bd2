//! Parses dates: date cells, ISO text, and the formats of various countries.
//!
//! A date is never guessed. Ambiguous text needs `--date-format`, or an order that the whole column proves
//! (`DateSurvey`).

mod format;
mod reading;
mod time;
mod words;

use jiff::civil::Date;

use crate::table::{Cell, Value};

use super::text::trimmed;
use super::{Code, ValueError};

pub(crate) use format::DateFormat;
pub(super) use reading::{DateShape, Triple};
pub(super) use time::is_local_day_uncertain;

use reading::{Digits, InvalidDay, YEARS, day_of, days_in};

/// The order of day, month and year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum DateOrder {
    DayMonthYear,
    MonthDayYear,
    YearMonthDay,
}

impl DateOrder {
    pub(crate) const ALL: [Self; 3] = [Self::DayMonthYear, Self::MonthDayYear, Self::YearMonthDay];

    /// For people.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::DayMonthYear => "day-month-year",
            Self::MonthDayYear => "month-day-year",
            Self::YearMonthDay => "year-month-day",
        }
    }
}

/// How to read the text dates of a column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DateReading {
    /// The format given by the user (`--date-format`).
    pub format: Option<DateFormat>,
    /// The orders that the whole column proves.
    pub orders: DateOrders,
    /// Whether the column's texts show that a spreadsheet program has swapped day and month of its real dates.
    pub swapped: bool,
}

/// The order of day, month and year by separator. `05.03.2024` proves nothing for `3/5/24`: dates with different
/// separators come from different places.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DateOrders([Option<DateOrder>; SEPARATOR_KINDS]);

/// Dots, slashes, hyphens, and anything else or nothing.
pub(super) const SEPARATOR_KINDS: usize = 4;

impl DateOrders {
    pub(super) fn new(orders: [Option<DateOrder>; SEPARATOR_KINDS]) -> Self {
        Self(orders)
    }

    /// For people; none if nothing is proved.
    pub(crate) fn text(&self) -> Option<String> {
        let mut orders: Vec<&str> = self.0.iter().flatten().map(|order| order.text()).collect();
        orders.dedup();
        (!orders.is_empty()).then(|| orders.join(" or "))
    }

    fn of(&self, triple: &Triple) -> Option<DateOrder> {
        self.0[triple.separator_kind()]
    }
}

impl From<Option<DateOrder>> for DateOrders {
    /// One order for all separators.
    fn from(order: Option<DateOrder>) -> Self {
        Self([order; SEPARATOR_KINDS])
    }
}

impl DateReading {
    /// Whether year-first dates continue with the month, as they do unless the user's format is `YYYY-DD-MM`.
    fn trusts_iso(&self) -> bool {
        !self.format.as_ref().is_some_and(DateFormat::is_year_day_month)
    }
}

/// Parses the date in a cell.
///
/// Date cells are taken as such. ISO text always is, with or without a time; the written day counts, whatever the UTC
/// offset. Month names are unambiguous. Everything else needs `reading`, unless only one date is possible. Two-digit
/// years are 2000 to 2068 and 1969 to 1999.
#[inline]
pub(crate) fn parse(cell: Cell<'_>, reading: &DateReading) -> Result<Date, ValueError> {
    match cell.value {
        Value::Date(moment) => real(moment.date(), reading),
        Value::Number(number) => from_number(number, reading),
        _ => match iso(cell.text.as_bytes()) {
            Some(date) if reading.trusts_iso() => Ok(date),
            _ => from_text(trimmed(cell.text), reading),
        },
    }
}

/// The days that a text may mean, and the time behind the date. Without a time or a possible day, none.
pub(crate) fn days_and_time(text: &str) -> Option<(Vec<Date>, &str)> {
    let date = time::without_time(text);
    let time = text.strip_prefix(date)?.trim_start_matches(|char: char| char.is_whitespace() || char == ',');
    let days: Vec<Date> = match reading::shape(date) {
        DateShape::Triple(triple) if triple.is_year_first() => {
            triple.read(DateOrder::YearMonthDay).and_then(Result::ok).into_iter().collect()
        }
        DateShape::Triple(triple) => triple.days().distinct().collect(),
        DateShape::Named { year, month, day } => day_of(year, u16::from(month), day).into_iter().collect(),
        _ => Vec::new(),
    };
    (!days.is_empty() && !time.is_empty()).then_some((days, time))
}

/// The fast path: `2024-01-31` and nothing else.
#[inline]
pub(super) fn iso(bytes: &[u8]) -> Option<Date> {
    let &[a, b, c, d, b'-', e, f, b'-', g, h] = bytes else { return None };
    let digits = [a, b, c, d, e, f, g, h].map(|byte| byte.wrapping_sub(b'0'));
    if digits.iter().any(|digit| *digit > 9) {
        return None;
    }
    let [a, b, c, d, e, f, g, h] = digits.map(u16::from);
    day_of(a * 1000 + b * 100 + c * 10 + d, e * 10 + f, g * 10 + h).ok()
}

/// The shape of a text without its time.
pub(super) fn shape_of(text: &str) -> DateShape {
    match reading::plain_triple(text.as_bytes()) {
        Some(triple) => DateShape::Triple(triple),
        None => reading::shape(time::without_time(trimmed(text))),
    }
}

/// A date cell. A time of day alone is stored as a day in 1899.
fn real(date: Date, reading: &DateReading) -> Result<Date, ValueError> {
    if let Some(other) = swapped(date).filter(|_| reading.swapped) {
        return Err(maybe_swapped(date, other));
    }
    sensible(date)
}

/// The date with day and month swapped, if that is another one.
pub(super) fn swapped(date: Date) -> Option<Date> {
    let is_other = date.day() <= 12 && date.day() != date.month();
    is_other.then(|| Date::new(date.year(), date.day(), date.month()).ok()).flatten()
}

fn maybe_swapped(date: Date, other: Date) -> ValueError {
    ValueError::new(
        Code::DateSwapped,
        format!(
            "`{date}` or `{other}`; the texts in this column show that a spreadsheet program has swapped day and month of \
             its real dates"
        ),
        "import the original file into the spreadsheet again with this column as text, or write its dates as `YYYY-MM-DD`",
    )
}

fn sensible(date: Date) -> Result<Date, ValueError> {
    let is_sensible = u16::try_from(date.year()).is_ok_and(|year| YEARS.contains(&year));
    if is_sensible { Ok(date) } else { Err(fault(InvalidDay::Year)) }
}

fn from_text(text: &str, reading: &DateReading) -> Result<Date, ValueError> {
    if let (None, Some(triple)) = (&reading.format, reading::plain_triple(text.as_bytes())) {
        return from_triple(&triple, reading);
    }
    let text = time::without_time(text);
    if let Some(day) = reading.format.as_ref().and_then(|format| format.read(text)) {
        return day.map_err(fault);
    }
    match reading::shape(text) {
        DateShape::Triple(triple) => from_triple(&triple, reading),
        DateShape::Bare(number, width) => from_digits(number, width, reading),
        DateShape::Named { year, month, day } => day_of(year, u16::from(month), day).map_err(fault),
        DateShape::Incomplete => Err(incomplete()),
        DateShape::Span => Err(span()),
        DateShape::Other => Err(text.parse().map_or_else(|_| invalid(), serial)),
    }
}

/// Three numbers, in the known order or in the only possible one.
fn from_triple(triple: &Triple, reading: &DateReading) -> Result<Date, ValueError> {
    if triple.is_year_first() && reading.trusts_iso() {
        return triple.read(DateOrder::YearMonthDay).unwrap_or(Err(InvalidDay::Month)).map_err(fault);
    }
    if let Some(format) = &reading.format {
        return Err(otherwise(format));
    }
    if let Some(day) = reading.orders.of(triple).and_then(|order| triple.read(order)) {
        return day.map_err(fault);
    }
    let days = triple.days();
    match (days.only(), days.distinct().next()) {
        (Some(day), _) => Ok(day),
        (None, Some(_)) => Err(ambiguous(triple)),
        (None, None) => Err(impossible(triple)),
    }
}

/// Digits without separators: `20240131` is ISO, other eight digits need an order, fewer are not a date.
fn from_digits(number: u32, width: u8, reading: &DateReading) -> Result<Date, ValueError> {
    match width {
        8 => from_iso_digits(number)
            .filter(|_| reading.trusts_iso())
            .map_or_else(|| from_triple(&year_last(number), reading), Ok),
        6 | 7 => Err(reading.format.as_ref().map_or_else(tight, otherwise)),
        4 if (1900..=2100).contains(&number) => Err(incomplete()),
        _ => Err(serial(f64::from(number))),
    }
}

/// `20240131`, the basic format of ISO 8601. It is not ambiguous: in any other order the year would be before 1900 or
/// the month over 12.
pub(super) fn from_iso_digits(number: u32) -> Option<Date> {
    day_of((number / 10_000) as u16, (number / 100 % 100) as u16, (number % 100) as u16).ok()
}

/// `02042003` as day, month and year.
pub(super) fn year_last(number: u32) -> Triple {
    let part = |value: u32, width| Digits { value: value as u16, width };
    let parts = [part(number / 1_000_000, 2), part(number / 10_000 % 100, 2), part(number % 10_000, 4)];
    Triple { parts, separators: [' '; 2] }
}

fn from_number(number: f64, reading: &DateReading) -> Result<Date, ValueError> {
    if number.fract() != 0.0 || !(1.0..1e8).contains(&number) {
        return Err(serial(number));
    }
    let number = number as u32;
    if let Some(day) = reading.format.as_ref().and_then(|format| format.read_digits(number)) {
        return day.map_err(fault);
    }
    from_digits(number, number.ilog10() as u8 + 1, reading)
}

const A_BARE_NUMBER: &str = "bare number; expected a date such as `2026-01-31`";

const INVALID: &str = "invalid date; expected a date such as `2026-01-31`";

/// Numbers below this (1913-09-08) are more likely counts than dates.
const FIRST_LIKELY_SERIAL: f64 = 5000.0;

/// A bare number: the date it would be is shown but not used, because other date systems make it another date.
fn serial(number: f64) -> ValueError {
    match day_of_serial(number) {
        Some(day) if number >= FIRST_LIKELY_SERIAL => ValueError::new(
            Code::DateSerial,
            A_BARE_NUMBER,
            format!("format the cell as a date in the spreadsheet, or write `{day}` if that is the date you mean"),
        ),
        Some(_) => ValueError::new(
            Code::DateSerial,
            A_BARE_NUMBER,
            "write the date itself; a count of days, months or years is not a date",
        ),
        None => invalid(),
    }
}

/// The date of a serial number in the 1900 system. Serial 60 is 1900-02-29, which never existed.
pub(crate) fn day_of_serial(number: f64) -> Option<Date> {
    let days = number.floor();
    if !(1.0..120_000.0).contains(&days) || days == 60.0 {
        return None;
    }
    let days = days as i64 - i64::from(days > 60.0);
    let day = Date::new(1899, 12, 31).ok()?.checked_add(jiff::Span::new().try_days(days).ok()?).ok()?;
    sensible(day).ok()
}

fn invalid() -> ValueError {
    ValueError::new(Code::DateInvalid, INVALID, "write the date as `YYYY-MM-DD`").or_empty()
}

fn span() -> ValueError {
    ValueError::new(Code::DateInvalid, INVALID, "write the date itself; a time span is not a date")
}

fn incomplete() -> ValueError {
    ValueError::new(
        Code::DateIncomplete,
        "incomplete date; expected day, month and year, such as `2026-01-31`",
        "write the whole date as `YYYY-MM-DD`",
    )
}

fn tight() -> ValueError {
    ValueError::new(Code::DateInvalid, INVALID, "say how dates are written with `--date-format`, such as `DDMMYY`")
}

/// The cell does not have the user's format.
fn otherwise(format: &DateFormat) -> ValueError {
    let message = match format.is_year_day_month() {
        true => format!("invalid date; expected a date written as `{format}`"),
        false => format!("invalid date; expected a date written as `{format}`, or as `YYYY-MM-DD`"),
    };
    ValueError::new(Code::DateInvalid, message, "write it that way, or correct `--date-format`")
}

fn fault(fault: InvalidDay) -> ValueError {
    let message = match fault {
        InvalidDay::Year => format!("invalid date; expected a year from {} to {}", YEARS.start(), YEARS.end()),
        InvalidDay::Month => String::from("invalid date; expected a month from 1 to 12"),
        InvalidDay::Day { year, month } => {
            format!("invalid date; {} {year} has {} days", MONTH_NAMES[usize::from(month) % 13], days_in(year, month))
        }
    };
    ValueError::new(Code::DateInvalid, message, "correct the date").or_empty()
}

/// By number, from 1.
const MONTH_NAMES: [&str; 13] = [
    "", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
];

/// No order is possible: the closest one is explained.
fn impossible(triple: &Triple) -> ValueError {
    let faults = || DateOrder::ALL.into_iter().filter_map(|order| triple.read(order)).filter_map(Result::err);
    let is_day = |fault: &InvalidDay| matches!(fault, InvalidDay::Day { .. });
    let nearest = faults().find(is_day).or_else(|| faults().next());
    nearest.map_or_else(invalid, fault)
}

fn ambiguous(triple: &Triple) -> ValueError {
    let days: Vec<String> = triple.days().distinct().map(|day| format!("`{day}`")).collect();
    let separator = triple.separators[0];
    let year = if triple.parts[2].width == 4 { "YYYY" } else { "YY" };
    let pattern = |first, second| match separator {
        ' ' => format!("`{first}{second}{year}`"),
        _ => format!("`{first}{separator}{second}{separator}{year}`"),
    };
    ValueError::new(
        Code::DateAmbiguous,
        format!("ambiguous date; could be {}", days.join(" or ")),
        format!(
            "say how dates are written with `--date-format`, such as {} or {}, or write them as `YYYY-MM-DD`",
            pattern("DD", "MM"),
            pattern("MM", "DD")
        ),
    )
}

#[cfg(test)]
mod tests;
