//! Timestamps as the service formats them: `2024-05-01T12:34:56.789Z` (field notes).

use jiff::{SignedDuration, Timestamp};

use crate::catalog::first_log_day;

/// A time by the service's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServiceTime(Timestamp);

impl ServiceTime {
    /// None if the text is not a timestamp.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    pub(super) fn before(self, seconds: i64) -> Self {
        Self(self.0.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MIN))
    }

    pub(super) fn after(self, seconds: i64) -> Self {
        Self(self.0.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX))
    }

    /// The first day to read entries of the log from, to have all from this time on.
    pub(super) fn first_log_day(self) -> Option<String> {
        first_log_day(self.0)
    }
}
