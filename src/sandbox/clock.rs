//! The sandbox's clock: millisecond timestamps that never go backwards and never repeat for one record.

use std::collections::HashSet;

use jiff::Timestamp;

/// The clock of one store.
///
/// Entries of the activity log have no id: `timestamp`, `type`, `event`, `item_id` and `user_id` identify them. So when
/// a record changes twice within a millisecond, the clock advances by one, and `updated_at` differs for every change.
#[derive(Debug)]
pub(super) struct StoreClock {
    /// Milliseconds since 1970.
    now: i64,
    text: String,
    /// Records that got the current timestamp: collection and id.
    stamped: HashSet<(&'static str, i64)>,
}

impl StoreClock {
    /// A clock that starts after `last`, the latest timestamp of the store.
    pub(super) fn after(last: Option<&str>) -> Self {
        let last = last.and_then(|text| text.parse::<Timestamp>().ok()).map(|time| time.as_millisecond() + 1);
        let now = last.unwrap_or(0);
        Self { now, text: format_timestamp(now), stamped: HashSet::new() }
    }

    /// The timestamp for a change of the record `id` of `collection`; `outside` is the system time.
    pub(super) fn stamp(&mut self, outside: Timestamp, collection: &'static str, id: i64) -> &str {
        self.read(outside);
        if !self.mark(collection, id) {
            self.set(self.now + 1);
            self.mark(collection, id);
        }
        &self.text
    }

    /// The timestamp for a record that has no id yet. Call [`StoreClock::mark`] when it has one.
    pub(super) fn read(&mut self, outside: Timestamp) -> &str {
        if outside.as_millisecond() > self.now {
            self.set(outside.as_millisecond());
        }
        &self.text
    }

    /// Records that the record has used the current timestamp; false if it already had.
    pub(super) fn mark(&mut self, collection: &'static str, id: i64) -> bool {
        self.stamped.insert((collection, id))
    }

    fn set(&mut self, now: i64) {
        self.now = now;
        self.text = format_timestamp(now);
        self.stamped.clear();
    }
}

/// The format used in replies: `2024-05-01T12:34:56.789Z`.
fn format_timestamp(milliseconds: i64) -> String {
    let time = Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    format!("{time:.3}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn time_never_runs_backwards_and_no_record_is_stamped_twice() {
        let mut clock = StoreClock::after(None);
        let noon: Timestamp = "2024-05-01T12:00:00.789Z".parse().unwrap();
        let before: Timestamp = "2024-05-01T11:00:00Z".parse().unwrap();
        assert_eq!(clock.stamp(noon, "assets", 1), "2024-05-01T12:00:00.789Z");
        assert_eq!(clock.stamp(noon, "assets", 2), "2024-05-01T12:00:00.789Z");
        assert_eq!(clock.stamp(before, "assets", 3), "2024-05-01T12:00:00.789Z");
        assert_eq!(clock.stamp(noon, "assets", 2), "2024-05-01T12:00:00.790Z");
    }

    #[test]
    fn a_reopened_store_goes_on_after_its_last_timestamp() {
        let mut clock = StoreClock::after(Some("2024-05-01T12:00:00.000Z"));
        let before: Timestamp = "2024-05-01T11:00:00Z".parse().unwrap();
        assert_eq!(clock.stamp(before, "assets", 1), "2024-05-01T12:00:00.001Z");
    }
}
