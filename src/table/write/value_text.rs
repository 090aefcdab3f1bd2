//! Numbers and timestamps as text for programs.

use std::fmt::Write;

use jiff::civil::{DateTime, Time};

use super::ColumnType;

/// Appends a number as in JSON: its own text if that is valid JSON, because it may have more digits than a float keeps.
pub(super) fn push_number(text: &str, number: f64, into: &mut String) {
    if is_json_number(text) {
        return into.push_str(text);
    }
    // Writing to a string cannot fail.
    let is_short_integer = number.fract() == 0.0 && number.abs() < 1e15;
    let _ = if is_short_integer { write!(into, "{number:.0}") } else { write!(into, "{number:?}") };
}

/// Whether JSON takes the text for a number.
fn is_json_number(text: &str) -> bool {
    let is_short_integer = |digits: &str| match digits.as_bytes() {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    is_short_integer(text.strip_prefix('-').unwrap_or(text)) || {
        let begins = text.starts_with(|char: char| char == '-' || char.is_ascii_digit());
        begins
            && text.ends_with(|char: char| char.is_ascii_digit())
            && serde_json::from_str::<serde_json::Number>(text).is_ok()
    }
}

/// Appends a moment in UTC in ISO 8601, to the millisecond; in a column of days a midnight is the day.
pub(super) fn push_timestamp(moment: DateTime, column_type: ColumnType, into: &mut String) {
    let (date, time) = (moment.date(), moment.time());
    let is_day = column_type != ColumnType::Timestamp && time == Time::midnight();
    if date.year() < 0 {
        // A sign makes the year longer.
        let _ = write!(into, "{date}");
    } else {
        push_digits(&[(date.year(), 4), (date.month().into(), 2), (date.day().into(), 2)], '-', into);
    }
    if !is_day {
        into.push('T');
        push_digits(&[(time.hour().into(), 2), (time.minute().into(), 2), (time.second().into(), 2)], ':', into);
        into.push('.');
        push_digits(&[(time.millisecond(), 3)], ' ', into);
        into.push('Z');
    }
}

/// Appends numbers with so many digits each, which formatting would take ten times as long for.
fn push_digits(numbers: &[(i16, u32)], separator: char, into: &mut String) {
    for (place, (number, digits)) in numbers.iter().enumerate() {
        if place > 0 {
            into.push(separator);
        }
        let digit = |power| char::from(b'0' + (number / 10_i16.pow(power) % 10) as u8);
        into.extend((0..*digits).rev().map(digit));
    }
}
