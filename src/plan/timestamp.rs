//! Timestamps of records, as the service reports them and as a sheet shows them.
//!
//! The service reports milliseconds (field notes). A workbook has a real date of the same precision, a CSV file the
//! service's own text. A spreadsheet program may reduce the precision of either; a timestamp then stands for all moments
//! that show as it does. LibreOffice rounds times in .ods files to hundredths of a second. A program that saves a workbook
//! as CSV writes a date as it shows it: in the order of its country, cut off at the minute, or as a serial number.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Unit};
use serde_json::Value as Json;

use crate::check::{date, text};
use crate::table::{Cell, Value};

/// A point in time in UTC, with the precision it was reported in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReportedTimestamp {
    /// Truncated to the millisecond.
    at: DateTime,
    precision: Precision,
}

/// The precision of a timestamp, the finest one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    Millisecond,
    /// Hundredths of a second, rounded.
    Hundredth,
    /// Seconds, cut off.
    Second,
    /// Minutes, cut off.
    Minute,
    /// Up to so many milliseconds earlier or later.
    Within(i64),
}

/// The fewest decimals of a serial number that tells the time: three are to the minute and a half.
const FEWEST_DECIMALS: usize = 3;
/// The years of which a serial number is a plausible timestamp of the service; others count something.
const SERIAL_YEARS: std::ops::Range<i16> = 2000..2100;
const MILLISECONDS_PER_DAY: f64 = 86_400_000.0;

impl Precision {
    /// The precision of a date cell: that of the milliseconds that it holds.
    fn of_cell(at: DateTime) -> Self {
        match at.millisecond() {
            0 => Self::Second,
            millisecond if millisecond % 10 == 0 => Self::Hundredth,
            _ => Self::Millisecond,
        }
    }
}

impl ReportedTimestamp {
    /// Parses a cell; `None` if it does not show an unambiguous timestamp.
    pub(crate) fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell.value {
            Value::Date(at) => Some(Self::at(at, Precision::of_cell(at))),
            Value::Number(number) => Self::from_serial(&number.to_string()),
            Value::Text => {
                let text = text::trimmed(cell.text);
                let only = || <[Self; 1]>::try_from(Self::spelled(text)).ok().map(|[only]| only);
                Self::parse(text).or_else(|| Self::from_serial(text)).or_else(only)
            }
            _ => None,
        }
    }

    /// The timestamps that a text may mean whose order of day and month is not known.
    pub(super) fn spelled(text: &str) -> Vec<Self> {
        let text = with_plain_clock(text::trimmed(text));
        let Some((days, clock)) = date::days_and_time(&text) else { return Vec::new() };
        let Some((time, precision)) = time_of_day(clock) else { return Vec::new() };
        days.into_iter().map(|day| Self::at(day.to_datetime(time), precision)).collect()
    }

    /// Parses a date as a spreadsheet program stores it: `46357.23194`, days in the 1900 system.
    fn from_serial(text: &str) -> Option<Self> {
        let (days, fraction) = text.split_once(['.', ','])?;
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(days) || !is_digits(fraction) || fraction.len() < FEWEST_DECIMALS {
            return None;
        }
        let day = date::day_of_serial(days.parse().ok()?).filter(|day| SERIAL_YEARS.contains(&day.year()))?;
        let part: f64 = format!("0.{fraction}").parse().ok()?;
        let milliseconds = (part * MILLISECONDS_PER_DAY).round() as i64;
        let at = day.to_datetime(Time::midnight()).checked_add(SignedDuration::from_millis(milliseconds)).ok()?;
        // The last decimal is rounded.
        let rounding = MILLISECONDS_PER_DAY / 2.0 * 0.1_f64.powi(i32::try_from(fraction.len()).ok()?);
        Some(Self::at(at, Precision::Within(rounding.ceil() as i64)))
    }

    /// Parses a cell beside another timestamp of its row. What has lost its milliseconds has lost them in both, so the finer
    /// precision of two date cells is that of each: 12:00:00 beside 11:00:00.123 is 12:00:00.000.
    pub(super) fn from_cell_beside(cell: Cell<'_>, other: Cell<'_>) -> Option<Self> {
        let timestamp = Self::from_cell(cell)?;
        Some(match (cell.value, other.value) {
            (Value::Date(_), Value::Date(other)) => {
                Self { precision: timestamp.precision.min(Precision::of_cell(other)), ..timestamp }
            }
            _ => timestamp,
        })
    }

    /// A moment as the service reports it.
    pub(super) fn of(moment: Timestamp) -> Self {
        Self::at(TimeZone::UTC.to_datetime(moment), Precision::Millisecond)
    }

    /// Parses a record's value.
    pub(super) fn from_record(value: Option<&Json>) -> Option<Self> {
        Self::parse(value?.as_str()?.trim())
    }

    /// Parses `2024-05-01T12:34:56.789Z`, or the same without a time zone, which means UTC.
    fn parse(text: &str) -> Option<Self> {
        let clock = text.get(10..).filter(|clock| clock.starts_with(['T', 't', ' ']))?;
        let precision = match (clock.contains('.'), clock.matches(':').count()) {
            (true, _) => Precision::Millisecond,
            // An offset such as `+02:00` has a colon of its own; counting it as part of the time is harmless.
            (false, 2..) => Precision::Second,
            (false, _) => Precision::Minute,
        };
        let at = match text.parse::<Timestamp>() {
            Ok(at) => TimeZone::UTC.to_datetime(at),
            Err(_) => text.parse().ok()?,
        };
        Some(Self::at(at, precision))
    }

    fn at(at: DateTime, precision: Precision) -> Self {
        Self { at: truncate(at, Unit::Millisecond), precision }
    }

    /// The first and the last moment that it may stand for.
    fn range(self) -> (DateTime, DateTime) {
        let shifted =
            |from: DateTime, milliseconds| from.checked_add(SignedDuration::from_millis(milliseconds)).unwrap_or(from);
        match self.precision {
            Precision::Millisecond => (self.at, self.at),
            // LibreOffice rounds, but not up to the next second.
            Precision::Hundredth if self.at.millisecond() == 990 => (shifted(self.at, -5), shifted(self.at, 9)),
            Precision::Hundredth if self.at.millisecond() == 0 => (self.at, shifted(self.at, 5)),
            Precision::Hundredth => (shifted(self.at, -5), shifted(self.at, 5)),
            Precision::Second => (truncate(self.at, Unit::Second), shifted(truncate(self.at, Unit::Second), 999)),
            Precision::Within(milliseconds) => (shifted(self.at, -milliseconds), shifted(self.at, milliseconds)),
            Precision::Minute => (truncate(self.at, Unit::Minute), shifted(truncate(self.at, Unit::Minute), 59_999)),
        }
    }

    /// Whether this is later than all moments that a timestamp shown in a sheet may stand for.
    pub(crate) fn is_after(self, shown: ReportedTimestamp) -> bool {
        self.range().0 > shown.range().1
    }

    /// The last moment that it may stand for.
    pub(crate) fn last_moment(self) -> Option<Timestamp> {
        TimeZone::UTC.to_timestamp(self.range().1).ok()
    }

    /// The later of the two.
    pub(crate) fn later(self, other: Option<ReportedTimestamp>) -> ReportedTimestamp {
        other.filter(|other| other.is_after(self)).unwrap_or(self)
    }

    pub(super) fn is_same(self, other: ReportedTimestamp) -> bool {
        let (range, other) = (self.range(), other.range());
        range.0 <= other.1 && other.0 <= range.1
    }

    /// For display: `2024-05-01 12:34:56.789 UTC`.
    pub(super) fn text(self) -> String {
        let form = match self.precision {
            Precision::Millisecond | Precision::Hundredth => "%Y-%m-%d %H:%M:%S%.3f UTC",
            _ => "%Y-%m-%d %H:%M:%S UTC",
        };
        self.at.strftime(form).to_string()
    }
}

/// A text whose time of day is written as most programs write it: `14.35` of Danish, Finnish and Indonesian ones with a colon,
/// `p. m.` of Spanish ones as `PM`, and without ` UTC`, which it is in any case.
fn with_plain_clock(text: &str) -> String {
    let text = text.trim_end_matches(" UTC").replace("a. m.", "AM").replace("p. m.", "PM");
    match text.rsplit_once(' ') {
        Some((date, clock)) if is_clock_with_dots(clock) => format!("{date} {}", clock.replace('.', ":")),
        _ => text,
    }
}

fn is_clock_with_dots(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_part = |part: &&str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    matches!(parts.len(), 2 | 3) && parts.iter().all(is_part) && parts[1..].iter().all(|part| part.len() == 2)
}

/// Parses the time of day behind a spelled date, in UTC: `14:35`, `2:35:07 PM`.
fn time_of_day(text: &str) -> Option<(Time, Precision)> {
    // Programs round a second that they show to the nearest.
    const SECOND: Precision = Precision::Within(999);
    let forms = [
        ("%H:%M", Precision::Minute),
        ("%H:%M:%S", SECOND),
        ("%H:%M:%S%.f", Precision::Millisecond),
        ("%I:%M %p", Precision::Minute),
        ("%I:%M:%S %p", SECOND),
    ];
    let text: String = text.chars().map(|char| if char.is_whitespace() { ' ' } else { char }).collect();
    forms.into_iter().find_map(|(form, precision)| Some((Time::strptime(form, &text).ok()?, precision)))
}

fn truncate(at: DateTime, precision: Unit) -> DateTime {
    let rounding = jiff::civil::DateTimeRound::new().smallest(precision).mode(jiff::RoundMode::Trunc);
    at.round(rounding).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn held(text: &str) -> ReportedTimestamp {
        ReportedTimestamp::from_record(Some(&json!(text))).unwrap()
    }

    fn shown(text: &str) -> Option<ReportedTimestamp> {
        ReportedTimestamp::from_cell(Cell { text, value: Value::Text, format: None })
    }

    #[test]
    fn a_moment_is_the_same_in_every_kind_of_file() {
        let record = held("2024-05-01T12:34:56.789Z");
        let date = Value::Date(jiff::civil::date(2024, 5, 1).at(12, 34, 56, 789_000_000));
        let real = ReportedTimestamp::from_cell(Cell { text: "1/5/24 12:34", value: date, format: None }).unwrap();
        for same in ["2024-05-01T12:34:56.789Z", "2024-05-01 12:34:56.789", "2024-05-01T14:34:56.789+02:00"] {
            assert!(record.is_same(shown(same).unwrap()) && real.is_same(shown(same).unwrap()), "{same}");
        }
        assert_eq!(record.text(), "2024-05-01 12:34:56.789 UTC");
        for none in ["", "yesterday", "2024-05-01", "01/05/2024 12:34", "45413.5", "########", "1714566896", "7.4001"] {
            assert_eq!(shown(none), None, "{none}");
        }
    }

    #[test]
    fn a_date_that_a_spreadsheet_program_spells_or_numbers_is_the_same_moment() {
        let record = held("2024-05-31T14:34:56.789Z");
        for text in [
            "31/05/2024 14:34", "31.05.2024 14:34:57", "5/31/24 2:34 PM", "5/31/2024, 2:34:56\u{202f}pm",
            "31 May 2024 14:34", "2024/05/31 14:34", "31.5.2024 14.34", "2024-05-31 14:34:56.789 UTC",
            "31/05/2024 2:34 p. m.", "45443.608", "45443,60760", "45443.60760", "45443.607601724536",
        ] {
            assert!(record.is_same(shown(text).unwrap()), "{text}");
            let (before, after) = (held("2024-05-31T14:32:00.000Z"), held("2024-05-31T14:36:30.000Z"));
            assert!(after.is_after(shown(text).unwrap()) && !before.is_same(shown(text).unwrap()), "{text}");
        }
        let number = Cell { text: "45443.6076", value: Value::Number(45_443.607_601_724_536), format: None };
        assert!(record.is_same(ReportedTimestamp::from_cell(number).unwrap()));
        assert!(!held("2024-05-31T14:34:56.800Z").is_same(ReportedTimestamp::from_cell(number).unwrap()));
        assert_eq!(ReportedTimestamp::spelled("01/05/2024 12:34").len(), 2);
    }

    fn cell(text: &str) -> Cell<'_> {
        Cell { text, value: Value::Date(text.parse().unwrap()), format: None }
    }

    #[test]
    fn hundredths_and_whole_seconds_stand_for_what_was_rounded_to_them() {
        let is_same =
            |shown: &str, record: &str| ReportedTimestamp::from_cell(cell(shown)).unwrap().is_same(held(record));
        // As LibreOffice 7.4 rounds.
        for (shown, record) in [
            ("2024-05-01 12:34:49.01", "2024-05-01T12:34:49.012Z"),
            ("2024-05-01 12:34:49.01", "2024-05-01T12:34:49.015Z"),
            ("2024-05-01 12:34:49.02", "2024-05-01T12:34:49.016Z"),
            ("2024-05-01 12:34:49.1", "2024-05-01T12:34:49.105Z"),
            ("2024-05-01 23:59:59.99", "2024-05-01T23:59:59.999Z"),
            ("2024-05-01 12:34:49", "2024-05-01T12:34:49.004Z"),
            ("2024-05-01 12:34:49", "2024-05-01T12:34:49.789Z"),
            ("2024-05-01 12:34:49.012", "2024-05-01T12:34:49.012Z"),
        ] {
            assert!(is_same(shown, record), "{shown} {record}");
            assert!(!held(record).is_after(ReportedTimestamp::from_cell(cell(shown)).unwrap()), "{shown} {record}");
        }
        for (shown, record) in [
            ("2024-05-01 12:34:49.01", "2024-05-01T12:34:49.016Z"),
            ("2024-05-01 12:34:49.99", "2024-05-01T12:34:50.000Z"),
            ("2024-05-01 12:34:49", "2024-05-01T12:34:50.001Z"),
            ("2024-05-01 12:34:49.012", "2024-05-01T12:34:49.013Z"),
        ] {
            assert!(!is_same(shown, record), "{shown} {record}");
            assert!(held(record).is_after(ReportedTimestamp::from_cell(cell(shown)).unwrap()), "{shown} {record}");
        }
    }

    #[test]
    fn a_whole_second_beside_milliseconds_is_exact() {
        let is_changed = |shown: &str, beside: &str, record: &str| {
            held(record).is_after(ReportedTimestamp::from_cell_beside(cell(shown), cell(beside)).unwrap())
        };
        assert!(is_changed("2024-05-01 12:34:49", "2024-05-01 11:00:00.123", "2024-05-01T12:34:49.001Z"));
        assert!(is_changed("2024-05-01 12:34:49", "2024-05-01 11:00:00.12", "2024-05-01T12:34:49.006Z"));
        assert!(!is_changed("2024-05-01 12:34:49", "2024-05-01 11:00:00.12", "2024-05-01T12:34:49.004Z"));
        assert!(!is_changed("2024-05-01 12:34:49", "2024-05-01 11:00:00", "2024-05-01T12:34:49.999Z"));
    }

    #[test]
    fn a_millisecond_later_is_later_where_milliseconds_are_told() {
        let record = held("2024-05-01T12:34:56.789Z");
        let is_later = |text: &str| record.is_after(shown(text).unwrap());
        assert!(is_later("2024-05-01T12:34:56.788Z"));
        assert!(!is_later("2024-05-01T12:34:56.789Z") && !is_later("2024-05-01T12:34:56.790Z"));
        assert!(is_later("2024-05-01 12:34:55") && !is_later("2024-05-01 12:34:56"));
        assert!(is_later("2024-05-01 12:33") && !is_later("2024-05-01 12:34"));
    }
}
