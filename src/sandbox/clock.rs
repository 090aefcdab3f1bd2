//! The sandbox's time: milliseconds that never run backwards, and never stamp one record twice.

use std::collections::HashSet;

use jiff::Timestamp;

/// The clock of one store.
///
/// Rows of the activity log have no id: `timestamp`, `type`, `event`, `item_id` and `user_id` identify one. So when
/// a record changes again within one millisecond, the clock moves on by one; `updated_at` then tells every change.
#[derive(Debug)]
pub(super) struct StoreClock {
    /// Milliseconds since 1970.
    now: i64,
    text: String,
    /// The records stamped in this millisecond: collection and id.
    stamped: HashSet<(&'static str, i64)>,
}

impl StoreClock {
    /// A clock that shows no time before `last`, the latest timestamp of the store.
    pub(super) fn after(last: Option<&str>) -> Self {
        let last = last.and_then(|text| text.parse::<Timestamp>().ok()).map(|time| time.as_millisecond() + 1);
        let now = last.unwrap_or(0);
        Self { now, text: format_timestamp(now), stamped: HashSet::new() }
    }

    /// The timestamp for a change of the record `id` of `collection`, given the time of day outside.
    pub(super) fn stamp(&mut self, outside: Timestamp, collection: &'static str, id: i64) -> &str {
        self.read(outside);
        if !self.mark(collection, id) {
            self.set(self.now + 1);
            self.mark(collection, id);
        }
        &self.text
    }

    /// The timestamp for a record that has no id yet; [`StoreClock::mark`] it when it has.
    pub(super) fn read(&mut self, outside: Timestamp) -> &str {
        if outside.as_millisecond() > self.now {
            self.set(outside.as_millisecond());
        }
        &self.text
    }

    /// Notes that the record has its stamp of this millisecond; says whether it is the first.
    pub(super) fn mark(&mut self, collection: &'static str, id: i64) -> bool {
        self.stamped.insert((collection, id))
    }

    fn set(&mut self, now: i64) {
        self.now = now;
        self.text = format_timestamp(now);
        self.stamped.clear();
    }
}

/// As replies spell it: `2024-05-01T12:34:56.789Z`.
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
