//! Moments as the service spells them: `2024-05-01T12:34:56.789Z` (field notes).

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A moment of the service's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServiceTime(Timestamp);

impl ServiceTime {
    /// None where the text is no moment.
    pub(super) fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    pub(super) fn before(self, seconds: i64) -> Self {
        Self(self.0.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MIN))
    }

    pub(super) fn after(self, seconds: i64) -> Self {
        Self(self.0.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX))
    }

    /// The day, as the log's `date_from` takes it.
    pub(super) fn day(self) -> String {
        TimeZone::UTC.to_datetime(self.0).date().to_string()
    }
}
