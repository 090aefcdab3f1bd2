//! Timestamps of records, as the service reports them and as a sheet shows them.
//!
//! The service reports milliseconds (field notes). A workbook has a real date of the same precision, a CSV file the
//! service's own text. A spreadsheet program may reduce the precision of either; comparisons then use the lower
//! precision.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use serde_json::Value as Json;

use crate::check::text;
use crate::table::{Cell, Value};

/// A point in time in UTC, with the precision it was reported in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReportedTimestamp {
    /// Truncated to `precision`.
    at: DateTime,
    precision: Unit,
}

impl ReportedTimestamp {
    /// Parses a cell; `None` if it does not show an unambiguous timestamp.
    pub(crate) fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell.value {
            Value::Date(at) => Some(Self::at(at, Unit::Millisecond)),
            Value::Text => Self::parse(text::trimmed(cell.text)),
            _ => None,
        }
    }

    /// Parses a record's value.
    pub(super) fn from_record(value: Option<&Json>) -> Option<Self> {
        Self::parse(value?.as_str()?.trim())
    }

    /// Parses `2024-05-01T12:34:56.789Z`, or the same without a time zone, which means UTC.
    fn parse(text: &str) -> Option<Self> {
        let clock = text.get(10..).filter(|clock| clock.starts_with(['T', 't', ' ']))?;
        let precision = match (clock.contains('.'), clock.matches(':').count()) {
            (true, _) => Unit::Millisecond,
            // An offset such as `+02:00` has a colon of its own; counting it as part of the time is harmless.
            (false, 2..) => Unit::Second,
            (false, _) => Unit::Minute,
        };
        let at = match text.parse::<Timestamp>() {
            Ok(at) => TimeZone::UTC.to_datetime(at),
            Err(_) => text.parse().ok()?,
        };
        Some(Self::at(at, precision))
    }

    fn at(at: DateTime, precision: Unit) -> Self {
        Self { at: truncate(at, precision), precision }
    }

    /// Whether this is later than a timestamp shown in a sheet, at the lower of both precisions.
    pub(crate) fn is_after(self, shown: ReportedTimestamp) -> bool {
        self.at_common_precision(shown) > shown.at_common_precision(self)
    }

    /// The later of the two.
    pub(crate) fn later(self, other: Option<ReportedTimestamp>) -> ReportedTimestamp {
        other.filter(|other| other.is_after(self)).unwrap_or(self)
    }

    pub(super) fn is_same(self, other: ReportedTimestamp) -> bool {
        self.at_common_precision(other) == other.at_common_precision(self)
    }

    /// Truncated to the lower of both precisions.
    fn at_common_precision(self, other: ReportedTimestamp) -> DateTime {
        truncate(self.at, self.precision.max(other.precision))
    }

    /// For display: `2024-05-01 12:34:56.789 UTC`.
    pub(super) fn text(self) -> String {
        let form = match self.precision {
            Unit::Millisecond => "%Y-%m-%d %H:%M:%S%.3f UTC",
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
