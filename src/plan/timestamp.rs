//! Timestamps of records, as the service reports them and as a sheet shows them.
//!
//! The service reports milliseconds (field notes). A workbook has a real date of the same precision, a CSV file the
//! service's own text. A spreadsheet program may reduce the precision of either; a timestamp then stands for all moments
//! that show as it does. LibreOffice rounds times in .ods files to hundredths of a second.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Unit};
use serde_json::Value as Json;

use crate::check::text;
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
}

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
            Value::Text => Self::parse(text::trimmed(cell.text)),
            _ => None,
        }
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
            Precision::Minute => (truncate(self.at, Unit::Minute), shifted(truncate(self.at, Unit::Minute), 59_999)),
        }
    }

    /// Whether this is later than all moments that a timestamp shown in a sheet may stand for.
    pub(crate) fn is_after(self, shown: ReportedTimestamp) -> bool {
        self.range().0 > shown.range().1
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
        for none in ["", "yesterday", "2024-05-01", "01/05/2024 12:34", "45413.5"] {
            assert_eq!(shown(none), None, "{none}");
        }
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
