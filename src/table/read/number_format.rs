//! Numbers as the user sees them: number formats, dates, and the General format.
//!
//! In a workbook the meaning may be in the format alone: 6083 shown as `06083`, 0.5 shown as `EUR 0.50` or `50%`, 45322
//! shown as a date. ssfmt knows the format codes; dates are written as ISO 8601 whatever their format, since the day
//! is in the value and `01/02/24` would lose it.

use std::fmt::Write;
use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};
use ssfmt::ast::{DatePart, FormatPart};
use ssfmt::{FormatOptions, NumberFormat};

use super::guard::guarded;
use super::plain_format::PlainFormat;
use crate::table::cell::{Row, Value};
use crate::table::error::ReadFault;

/// Where the days of a workbook count from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateSystem {
    /// Day 1 is 1900-01-01, and there is a day 60, 1900-02-29, which never was.
    From1900,
    /// Day 0 is 1904-01-01: old Excel for Mac.
    From1904,
}

/// Whether the reader of the file already knows a number for a date or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KnownKind {
    Number,
    Date,
    Elapsed,
}

/// What a format code makes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FormatKind {
    General,
    Number,
    Date,
    /// A time of day.
    Time,
    /// Hours, minutes or seconds that may exceed a day.
    Elapsed,
}

/// One style of the workbook, prepared once.
struct CellStyle {
    kind: FormatKind,
    /// Into the codes, from 1; 0 is General.
    code: u16,
    format: Option<NumberFormat>,
    plain: Option<PlainFormat>,
}

/// The number formats of a workbook, by style id.
pub(super) struct NumberFormats {
    system: DateSystem,
    options: FormatOptions,
    styles: Vec<CellStyle>,
    pub(super) codes: Arc<[String]>,
    scratch: String,
}

impl NumberFormats {
    /// Prepares the formats; `codes` are those of the styles in their order.
    pub(super) fn new<'a>(codes: impl Iterator<Item = &'a str>, system: DateSystem) -> NumberFormats {
        let mut known: Vec<String> = Vec::new();
        let styles = codes.map(|code| prepare(code, &mut known)).collect();
        let date_system = match system {
            DateSystem::From1900 => ssfmt::DateSystem::Date1900,
            DateSystem::From1904 => ssfmt::DateSystem::Date1904,
        };
        let options = FormatOptions { date_system, ..FormatOptions::default() };
        NumberFormats { system, options, styles, codes: known.into(), scratch: String::new() }
    }

    /// Appends a number to the row, as its style shows it.
    pub(super) fn push(&mut self, row: &mut Row, number: f64, style: usize, known: KnownKind) {
        self.scratch.clear();
        let style = self.styles.get(style);
        let code = style.map_or(0, |style| style.code);
        let value = match (style.map_or(FormatKind::General, |style| style.kind), known) {
            (FormatKind::Elapsed, _) | (_, KnownKind::Elapsed) => push_elapsed(&mut self.scratch, number),
            (FormatKind::Date, _) | (FormatKind::General | FormatKind::Number, KnownKind::Date) => {
                push_date(&mut self.scratch, number, self.system)
            }
            (FormatKind::Time, _) => push_time(&mut self.scratch, number, self.system),
            (FormatKind::Number, _)
                if style.and_then(|style| style.plain).is_some_and(|plain| plain.push(&mut self.scratch, number)) =>
            {
                Value::Number(number)
            }
            (FormatKind::Number, _) => {
                let shown = style.and_then(|style| style.format.as_ref()?.try_format(number, &self.options).ok());
                match shown.as_deref().map(str::trim) {
                    // Such as `;;;`, which hides the number: better shown than lost.
                    None | Some("") => general(&mut self.scratch, number),
                    Some(shown) => self.scratch.push_str(shown),
                }
                Value::Number(number)
            }
            (FormatKind::General, _) => {
                general(&mut self.scratch, number);
                Value::Number(number)
            }
        };
        row.push_formatted(&self.scratch, value, code);
    }
}

fn prepare(code: &str, known: &mut Vec<String>) -> CellStyle {
    let general = CellStyle { kind: FormatKind::General, code: 0, format: None, plain: None };
    if code.is_empty() || code.eq_ignore_ascii_case("general") || code == "@" {
        return general;
    }
    // ssfmt slices codes at brackets without looking for letters of several bytes, hence the guard.
    let parsed = guarded(|| NumberFormat::parse(code).map_err(|_| damaged())).ok();
    let index = known.iter().position(|other| other == code).unwrap_or_else(|| {
        known.push(code.to_owned());
        known.len() - 1
    });
    let plain = PlainFormat::parse(code);
    let Ok(code) = u16::try_from(index + 1) else { return general };
    let Some(format) = parsed else { return CellStyle { code, ..general } };
    CellStyle { kind: kind(&format), code, format: Some(format), plain }
}

fn damaged() -> ReadFault {
    ReadFault::Damaged { detail: "a number format that no program knows".into() }
}

/// What the section for positive numbers says.
fn kind(format: &NumberFormat) -> FormatKind {
    let Some(section) = format.sections().first() else { return FormatKind::General };
    let is_day = |part: &FormatPart| match part {
        FormatPart::DatePart(part) => !is_time_of_day(*part),
        _ => false,
    };
    if section.parts.iter().any(|part| matches!(part, FormatPart::Elapsed(_))) {
        FormatKind::Elapsed
    } else if section.parts.iter().any(is_day) {
        FormatKind::Date
    } else if section.has_date_parts() {
        FormatKind::Time
    } else {
        FormatKind::Number
    }
}

fn is_time_of_day(part: DatePart) -> bool {
    use DatePart::{Hour, Hour2, Minute, Minute2, Second, Second2, SubSecond};
    matches!(part, Hour | Hour2 | Minute | Minute2 | Second | Second2 | SubSecond(_))
}

const SECONDS_PER_DAY: i64 = 86_400;
/// What a moment is rounded to: a serial of our days is exact to a microsecond, and services tell milliseconds.
const MILLISECONDS_PER_DAY: i64 = SECONDS_PER_DAY * 1_000;

/// A day and a time, or what a spreadsheet program shows for a day that never was.
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
fn push_date(text: &mut String, serial: f64, system: DateSystem) -> Value {
    match serial_date(serial, system) {
        SerialDate::Valid(at) => push_iso(text, at),
        // No date: whoever checks the cell says so, with the text that the user sees.
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
fn push_time(text: &mut String, serial: f64, system: DateSystem) -> Value {
    if !(0.0..1.0).contains(&serial) {
        return push_date(text, serial, system);
    }
    push_elapsed(text, serial)
}

/// `30:15:00`, as text: a span is no number of anything that the user wrote.
fn push_elapsed(text: &mut String, days: f64) -> Value {
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

/// Appends a cell that holds a date or time in ISO 8601.
pub(super) fn push_iso_cell(row: &mut Row, iso: &str) {
    let civil = iso.trim().trim_end_matches('Z');
    let mut text = String::new();
    match civil.parse::<DateTime>() {
        Ok(at) => {
            let value = push_iso(&mut text, at);
            row.push(&text, value);
        }
        Err(_) => row.push_text(civil),
    }
}

/// Appends a cell that holds a span in ISO 8601, such as `PT14H30M00S`, as `14:30:00`.
pub(super) fn push_iso_span(row: &mut Row, iso: &str) {
    let days = iso.parse::<jiff::SignedDuration>().map(|span| span.as_secs_f64() / SECONDS_PER_DAY as f64);
    let Ok(days) = days else { return row.push_text(iso) };
    let mut text = String::new();
    let value = push_elapsed(&mut text, days);
    row.push(&text, value);
}

/// A number in the General format, without an exponent up to 21 digits: `6377021234567890` is what the cell holds.
///
/// Like a spreadsheet program it shows 15 significant digits: 0.1 + 0.2 is stored as 0.30000000000000004.
pub(super) fn general(text: &mut String, number: f64) {
    const EXACT: f64 = 1e15;
    let size = number.abs();
    let _ = if number == 0.0 {
        text.push('0');
        Ok(())
    } else if size < EXACT && number.trunc() == number {
        write!(text, "{}", number as i64)
    } else if !(1e-9..1e21).contains(&size) {
        write!(text, "{number:E}")
    } else if size >= EXACT {
        write!(text, "{number}")
    } else {
        let rounded = format!("{number:.14e}").parse().unwrap_or(number);
        write!(text, "{rounded}")
    };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn shown(number: f64, code: &str) -> (String, Value) {
        shown_in(number, code, DateSystem::From1900)
    }

    fn shown_in(number: f64, code: &str, system: DateSystem) -> (String, Value) {
        let mut formats = NumberFormats::new([code].into_iter(), system);
        let mut row = Row::default();
        formats.push(&mut row, number, 0, KnownKind::Number);
        let cell = row.cell(0);
        (cell.text.to_owned(), cell.value)
    }

    fn date(text: &str) -> Value {
        Value::Date(text.parse().unwrap())
    }

    #[test]
    fn numbers_are_shown_by_their_format() {
        assert_eq!(shown(6083.0, "00000"), ("06083".into(), Value::Number(6083.0)));
        assert_eq!(shown(0.5, "0%"), ("50%".into(), Value::Number(0.5)));
        assert_eq!(shown(0.5, "[$EUR] 0.00").0, "EUR 0.50");
        assert_eq!(shown(1299.5, "_(* #,##0.00_);_(* (#,##0.00);_(* \"-\"??_);_(@_)").0, "1,299.50");
        assert_eq!(shown(7.0, ";;;").0, "7");
        assert_eq!(shown(7.0, "@"), ("7".into(), Value::Number(7.0)));
    }

    #[test]
    fn general_is_short_and_without_exponent() {
        let general = |number| shown(number, "General").0;
        assert_eq!(general(0.1 + 0.2), "0.3");
        assert_eq!(general(2266.13), "2266.13");
        assert_eq!(general(-5.0), "-5");
        assert_eq!(general(-0.0), "0");
        assert_eq!(general(123_456_789_012_345.0), "123456789012345");
        assert_eq!(general(6.37702123456789e15), "6377021234567890");
        assert_eq!(general(1e300), "1E300");
        assert_eq!(general(0.000_012_5), "0.0000125");
    }

    #[test]
    fn dates_are_iso_in_both_systems() {
        assert_eq!(shown(45_322.0, "mm-dd-yy"), ("2024-01-31".into(), date("2024-01-31")));
        assert_eq!(shown(45_322.604_166_666_664, "m/d/yy h:mm").0, "2024-01-31 14:30:00");
        assert_eq!(shown_in(43860.0, "d-mmm-yy", DateSystem::From1904).0, "2024-01-31");
        assert_eq!(shown_in(0.0, "yyyy", DateSystem::From1904).0, "1904-01-01");
        assert_eq!(shown(1.0, "dd/mm/yyyy").0, "1900-01-01");
        assert_eq!(shown(59.0, "dd/mm/yyyy").0, "1900-02-28");
        assert_eq!(shown(61.0, "dd/mm/yyyy").0, "1900-03-01");
        assert_eq!(shown(2_958_465.0, "dd/mm/yyyy").0, "9999-12-31");
        assert_eq!(shown(45_321.999_999_999, "dd/mm/yyyy").0, "2024-01-31");
    }

    #[test]
    fn moments_keep_their_milliseconds() {
        for text in ["2024-01-31T14:30:15.789", "2024-05-01T23:59:59.999", "2199-12-31T00:00:00.001"] {
            let at: DateTime = text.parse().unwrap();
            let day = at.date().since(Date::constant(1899, 12, 30)).unwrap().get_days();
            let since_midnight = at.time().since(Time::midnight()).unwrap().total(jiff::Unit::Millisecond).unwrap();
            let serial = f64::from(day) + since_midnight / MILLISECONDS_PER_DAY as f64;
            assert_eq!(shown(serial, "yyyy-mm-dd hh:mm:ss.000"), (text.replace('T', " "), date(text)));
        }
    }

    #[test]
    fn days_that_never_were_are_no_dates() {
        assert_eq!(shown(60.0, "dd/mm/yyyy"), ("1900-02-29".into(), Value::Text));
        assert_eq!(shown(0.0, "dd/mm/yyyy"), ("1900-01-00".into(), Value::Text));
        assert_eq!(shown(-1.0, "dd/mm/yyyy"), ("-1".into(), Value::Number(-1.0)));
        assert_eq!(shown(20_220_101.0, "dd/mm/yyyy"), ("20220101".into(), Value::Number(20_220_101.0)));
    }

    #[test]
    fn times_and_spans_are_no_dates() {
        assert_eq!(shown(0.604_166_666_666_666_6, "h:mm AM/PM"), ("14:30:00".into(), Value::Text));
        assert_eq!(shown(45_322.5, "h:mm"), ("2024-01-31 12:00:00".into(), date("2024-01-31T12:00:00")));
        assert_eq!(shown(1.5, "[h]:mm:ss"), ("36:00:00".into(), Value::Text));
    }

    #[test]
    fn iso_cells() {
        let mut row = Row::default();
        push_iso_cell(&mut row, "2024-01-31");
        push_iso_cell(&mut row, "2024-01-31T14:30:00.000");
        push_iso_cell(&mut row, "2024-01-31T14:30:00Z");
        push_iso_cell(&mut row, "14:30:00");
        push_iso_span(&mut row, "PT14H30M00S");
        let cells: Vec<_> = row.cells().map(|cell| (cell.text, cell.value)).collect();
        assert_eq!(cells[0], ("2024-01-31", date("2024-01-31")));
        assert_eq!(cells[1], ("2024-01-31 14:30:00", date("2024-01-31T14:30:00")));
        assert_eq!(cells[2].1, date("2024-01-31T14:30:00"));
        assert_eq!(cells[3], ("14:30:00", Value::Text));
        assert_eq!(cells[4], ("14:30:00", Value::Text));
    }

    proptest::proptest! {
        #[test]
        fn no_format_code_panics(code in "[\\[\\]$0#?.,;dmyhsAP@\"€\\\\ _*-]{0,12}", number: f64) {
            shown(number, &code);
        }
    }
}
