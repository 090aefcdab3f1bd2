//! How long ago: as people write it, and as they read it.

use jiff::{Span, Timestamp, tz::TimeZone};

use crate::error::Error;

/// The moment that lies `age` before `now`; months and days are those of the machine's time zone.
///
/// # Errors
/// If the text is not a duration.
pub(super) fn before(now: Timestamp, age: &str) -> Result<Timestamp, Error> {
    let told = || {
        Error::usage(format!("invalid duration `{age}`"), "write one such as 90d, 12h, `6 months` or `1 year 2 weeks`")
    };
    let span: Span = age.trim().parse().map_err(|_| told())?;
    if span.is_negative() {
        return Err(told());
    }
    now.to_zoned_datetime(TimeZone::system()).checked_sub(span).map(|then| then.timestamp()).map_err(|_| {
        Error::usage(format!("`{age}` is longer ago than the calendar goes"), "write a shorter time, such as 90d")
    })
}

/// `3 h ago`, in the unit that matters.
pub(super) fn ago(now: Timestamp, then: i64) -> String {
    let seconds = (now.as_millisecond() - then).div_euclid(1000);
    let in_units = |number: i64, unit: &str| match number {
        1 => format!("1 {unit} ago"),
        _ => format!("{number} {unit}s ago"),
    };
    match seconds {
        // The clock was set back since.
        ..-60 => String::from("in the future"),
        -60..60 => String::from("just now"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..172_800 => format!("{} h ago", seconds / 3_600),
        _ if seconds < 60 * 86_400 => in_units(seconds / 86_400, "day"),
        _ if seconds < 730 * 86_400 => in_units(seconds / (30 * 86_400), "month"),
        _ => in_units(seconds / (365 * 86_400), "year"),
    }
}

/// When a run began by its name, `20261124-093012-kqzf`: all that is known of one whose journal cannot be read.
pub(super) fn from_name(run: &str) -> Option<i64> {
    let (date_and_time, _) = run.rsplit_once('-')?;
    let moment = jiff::civil::DateTime::strptime("%Y%m%d-%H%M%S", date_and_time).ok()?;
    TimeZone::UTC.to_timestamp(moment).ok().map(|moment| moment.as_millisecond())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::ToSpan;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn ages_are_written_as_people_write_them() {
        for (age, hours) in [("90d", 90 * 24), ("12h", 12), ("2 weeks", 14 * 24), ("1d 12h", 36), (" 3 hours ", 3)] {
            let then = before(now(), age).unwrap();
            let apart = now().duration_since(then).as_secs_f64() / 3_600.0;
            // A change of the clocks may lie between.
            assert!((apart - f64::from(hours)).abs() <= 1.0, "{age}: {apart}");
        }
        assert!(before(now(), "6 months").unwrap() < now() - 4_000.hours());
        for age in ["", "soon", "90", "-3d", "3d ago", "d", "99999 years"] {
            assert!(before(now(), age).is_err(), "{age}");
        }
    }

    #[test]
    fn ages_are_told_in_the_unit_that_matters() {
        let told = |seconds: i64| ago(now(), now().as_millisecond() - seconds * 1000);
        let expected = [
            (-7_200, "in the future"),
            (3, "just now"),
            (61, "1 min ago"),
            (3 * 3_600 + 5, "3 h ago"),
            (47 * 3_600, "47 h ago"),
            (48 * 3_600, "2 days ago"),
            (61 * 86_400, "2 months ago"),
            (800 * 86_400, "2 years ago"),
        ];
        for (seconds, text) in expected {
            assert_eq!(told(seconds), text);
        }
    }

    #[test]
    fn a_name_tells_when_its_run_began() {
        let began = from_name("20261124-115900-kqzf").unwrap();
        assert_eq!(ago(now(), began), "1 min ago");
        assert_eq!(from_name("notes"), None);
    }
}
