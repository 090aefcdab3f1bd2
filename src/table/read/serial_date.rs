//! Dates and times as spreadsheets store them: serial numbers, and ISO 8601 in OpenDocument files.
//!
//! Dates are written as ISO 8601 whatever their format, since the day is in the value and `01/02/24` would lose it.

use std::fmt::Write;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};

use super::general_format::general;
use crate::table::cell::{Row, Value, text_or_blank};

/// Where the days of a workbook count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateSystem {
    /// Day 1 is 1900-01-01, and there is a day 60, 1900-02-29, which never was.
    From1900,
    /// Day 0 is 1904-01-01: old Excel for Mac.
    From1904,
}

const SECONDS_PER_DAY: i64 = 86_400;
/// A serial number is rounded to the millisecond: for today it is exact to a microsecond, and services report
/// milliseconds.
pub(super) const MILLISECONDS_PER_DAY: i64 = SECONDS_PER_DAY * 1_000;

/// A date and time, or what a spreadsheet program shows for a date that does not exist.
enum SerialDate {
    Valid(DateTime),
    Nonexistent(&'static str),
    /// Before the first or after the last day of the system.
    OutOfRange,
}

fn serial_date(serial: f64, system: DateSystem) -> SerialDate {
    const LAST_DAY: f64 = 2_958_466.0;
    if !(0.0..LAST_DAY).contains(&serial) {
        return SerialDate::OutOfRange;
    }
    let milliseconds = (serial * MILLISECONDS_PER_DAY as f64).round() as i64;
    let (days, millisecond) = (milliseconds / MILLISECONDS_PER_DAY, milliseconds % MILLISECONDS_PER_DAY);
    let epoch = match (system, days) {
        (DateSystem::From1904, _) => Date::constant(1904, 1, 1),
        (DateSystem::From1900, 0) => return SerialDate::Nonexistent("1900-01-00"),
        (DateSystem::From1900, 60) => return SerialDate::Nonexistent("1900-02-29"),
        (DateSystem::From1900, ..60) => Date::constant(1899, 12, 31),
        (DateSystem::From1900, _) => Date::constant(1899, 12, 30),
    };
    match (epoch.checked_add(days.days()), time_of(millisecond)) {
        (Ok(date), Some(time)) => SerialDate::Valid(date.to_datetime(time)),
        _ => SerialDate::OutOfRange,
    }
}

fn time_of(millisecond: i64) -> Option<Time> {
    let part = |value: i64| i8::try_from(value).ok();
    let second = millisecond / 1_000;
    let nanosecond = i32::try_from(millisecond % 1_000 * 1_000_000).ok()?;
    Time::new(part(second / 3600)?, part(second / 60 % 60)?, part(second % 60)?, nanosecond).ok()
}

/// A serial as date, with its time where it has one.
pub(super) fn push_date(text: &mut String, serial: f64, system: DateSystem) -> Value {
    match serial_date(serial, system) {
        SerialDate::Valid(at) => push_iso(text, at),
        // Not a date: the check of the cell reports it, with the text that the user sees.
        SerialDate::Nonexistent(shown) => {
            text.push_str(shown);
            Value::Text
        }
        SerialDate::OutOfRange => {
            general(text, serial);
            Value::Number(serial)
        }
    }
}

fn push_iso(text: &mut String, at: DateTime) -> Value {
    push_padded(text, i64::from(at.year()), 4);
    for part in [at.month(), at.day()] {
        text.push('-');
        push_padded(text, i64::from(part), 2);
    }
    if at.time() != Time::midnight() {
        text.push(' ');
        let second = i64::from(at.hour()) * 3600 + i64::from(at.minute()) * 60 + i64::from(at.second());
        push_clock(text, second);
        if at.millisecond() != 0 {
            text.push('.');
            push_padded(text, i64::from(at.millisecond()), 3);
        }
    }
    Value::Date(at)
}

fn push_clock(text: &mut String, second: i64) {
    push_padded(text, second / 3600, 2);
    for part in [second / 60 % 60, second % 60] {
        text.push(':');
        push_padded(text, part, 2);
    }
}

/// Appends at least `width` digits.
fn push_padded(text: &mut String, number: i64, width: usize) {
    if width == 2 && (0..100).contains(&number) {
        text.push(char::from(b'0' + (number / 10) as u8));
        text.push(char::from(b'0' + (number % 10) as u8));
        return;
    }
    // Writing to a string cannot fail.
    let _ = write!(text, "{number:0width$}");
}

/// A time of day has no date, and must not be taken for one of 1899; a date shown by its time alone still is one.
pub(super) fn push_time(text: &mut String, serial: f64, system: DateSystem) -> Value {
    if !(0.0..1.0).contains(&serial) {
        return push_date(text, serial, system);
    }
    push_elapsed(text, serial)
}

/// `30:15:00`, as text: a span is no number of anything that the user wrote.
pub(super) fn push_elapsed(text: &mut String, days: f64) -> Value {
    let seconds = (days * SECONDS_PER_DAY as f64).round();
    if !seconds.is_finite() || seconds.abs() > 1e15 {
        general(text, days);
        return Value::Number(days);
    }
    if seconds < 0.0 {
        text.push('-');
    }
    push_clock(text, seconds.abs() as i64);
    Value::Text
}

/// Whether a text shows the day of a serial in figures, in any order: `03/04/24` may be a day in March or in April.
pub(super) fn shows_day(text: &str, serial: f64, system: DateSystem) -> bool {
    let SerialDate::Valid(at) = serial_date(serial, system) else { return false };
    let (year, month, day) = (i64::from(at.year()), i64::from(at.month()), i64::from(at.day()));
    let figures = text.split(|char: char| !char.is_ascii_digit()).filter(|part| !part.is_empty());
    let mut shown: Vec<i64> = figures.take(3).filter_map(|part| part.parse().ok()).collect();
    shown.sort_unstable();
    let is_shown = |year| {
        let mut parts = [year, month, day];
        parts.sort_unstable();
        shown == parts
    };
    is_shown(year) || is_shown(year % 100)
}

/// Appends a cell that holds a date or time in ISO 8601, with the number of its format.
pub(super) fn push_iso_cell(row: &mut Row, iso: &str, format: u16) {
    let civil = iso.trim().trim_end_matches('Z');
    let is_day = civil.len() == iso.trim().len() || civil.trim_end_matches(['0', '.', ':']).ends_with(['T', 't']);
    if !is_day {
        // A moment in UTC, of which the check has to say which day it takes.
        return row.push_formatted(iso.trim(), text_or_blank(iso), format);
    }
    let mut text = String::new();
    match civil.parse::<DateTime>() {
        Ok(at) => {
            let value = push_iso(&mut text, at);
            row.push_formatted(&text, value, format);
        }
        Err(_) => row.push_formatted(civil, text_or_blank(civil), format),
    }
}

/// Appends a cell that holds a span in ISO 8601, such as `PT14H30M00S`, as `14:30:00`, with the number of its format.
pub(super) fn push_iso_span(row: &mut Row, iso: &str, format: u16) {
    let days = iso.parse::<jiff::SignedDuration>().map(|span| span.as_secs_f64() / SECONDS_PER_DAY as f64);
    let Ok(days) = days else { return row.push_formatted(iso, text_or_blank(iso), format) };
    let mut text = String::new();
    let value = push_elapsed(&mut text, days);
    row.push_formatted(&text, value, format);
}
