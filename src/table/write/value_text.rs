//! Numbers and timestamps as text for programs.

use std::fmt::Write;

use jiff::civil::{DateTime, Time};

use super::ColumnType;

/// Appends a number as JSON spells it: its own text where that is such a spelling, since it may have more digits than
/// the number is exact.
pub(super) fn push_number(text: &str, number: f64, into: &mut String) {
    match () {
        _ if is_json_number(text) => into.push_str(text),
        _ if number.fract() == 0.0 && number.abs() < 1e15 => _ = write!(into, "{number:.0}"),
        _ => _ = write!(into, "{number:?}"),
    }
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
    let _ = match column_type != ColumnType::Timestamp && moment.time() == Time::midnight() {
        true => write!(into, "{}", moment.date()),
        false => {
            let (date, time) = (moment.date(), moment.time());
            let (hour, minute, second) = (time.hour(), time.minute(), time.second());
            write!(into, "{date}T{hour:02}:{minute:02}:{second:02}.{:03}Z", time.millisecond())
        }
    };
}
