//! When a record was made or last changed: as the service tells it, and as a sheet shows it.
//!
//! The service tells milliseconds (field notes). A workbook holds a real date of the same precision, a CSV file the
//! service's own text; what a spreadsheet program makes of either may show less, and then no more is compared.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};
use serde_json::Value as Json;

use crate::check::text;
use crate::table::{Cell, Value};

/// A moment in universal time, as exactly as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Cut to `precision`.
    at: DateTime,
    precision: Unit,
}

impl Moment {
    /// What a cell shows; none where it shows no moment that can be told for sure.
    pub fn shown(cell: Cell<'_>) -> Option<Self> {
        match cell.value {
            Value::Date(at) => Some(Self::at(at, Unit::Millisecond)),
            Value::Text => Self::told(text::trimmed(cell.text)),
            _ => None,
        }
    }

    /// What a record says.
    pub(super) fn held(value: Option<&Json>) -> Option<Self> {
        Self::told(value?.as_str()?.trim())
    }

    /// `2024-05-01T12:34:56.789Z`, or the same without a zone, which is universal time.
    fn told(text: &str) -> Option<Self> {
        let clock = text.get(10..).filter(|clock| clock.starts_with(['T', 't', ' ']))?;
        let precision = match (clock.contains('.'), clock.matches(':').count()) {
            (true, _) => Unit::Millisecond,
            // An offset such as `+02:00` has a colon of its own; taken for a part of the time it costs nothing.
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
        Self { at: cut(at, precision), precision }
    }

    /// Whether this moment is later than one that a sheet shows, as far as both can be told.
    pub fn is_after(self, shown: Moment) -> bool {
        self.cut_alike(shown) > shown.cut_alike(self)
    }

    /// The later one.
    pub fn later(self, other: Option<Moment>) -> Moment {
        other.filter(|other| other.is_after(self)).unwrap_or(self)
    }

    pub(super) fn is_same(self, other: Moment) -> bool {
        self.cut_alike(other) == other.cut_alike(self)
    }

    /// No more exact than either.
    fn cut_alike(self, other: Moment) -> DateTime {
        cut(self.at, self.precision.max(other.precision))
    }

    /// `2024-05-01 12:34:56.789 UTC`.
    pub(super) fn text(self) -> String {
        let form = match self.precision {
            Unit::Millisecond => "%Y-%m-%d %H:%M:%S%.3f UTC",
            _ => "%Y-%m-%d %H:%M:%S UTC",
        };
        self.at.strftime(form).to_string()
    }
}

fn cut(at: DateTime, precision: Unit) -> DateTime {
    let rounding = jiff::civil::DateTimeRound::new().smallest(precision).mode(jiff::RoundMode::Trunc);
    at.round(rounding).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn held(text: &str) -> Moment {
        Moment::held(Some(&json!(text))).unwrap()
    }

    fn shown(text: &str) -> Option<Moment> {
        Moment::shown(Cell { text, value: Value::Text, format: None })
    }

    #[test]
    fn a_moment_is_the_same_in_every_kind_of_file() {
        let record = held("2024-05-01T12:34:56.789Z");
        let date = Value::Date(jiff::civil::date(2024, 5, 1).at(12, 34, 56, 789_000_000));
        let real = Moment::shown(Cell { text: "1/5/24 12:34", value: date, format: None }).unwrap();
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
