//! A position in the activity log, to tell what was added after it.
//!
//! Entries have no id: timestamp, type, event, item and user identify one (field notes).

use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::RecordSource;
use crate::api::{Record, integer};
use crate::schema::{ACTIVITY, CREATED_AT, log_field};

/// The newest entry of the activity log at some moment, such as when a run was planned.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum LogPosition {
    /// The log was not read, or could not be: an entry in it now may be of any age.
    #[default]
    #[serde(rename = "NotAsked")]
    Unknown,
    Empty,
    After(LogCursor),
}

/// The identity of one log entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogCursor {
    pub timestamp: String,
    /// The entry's `type`.
    pub kind: Option<String>,
    pub event: Option<String>,
    pub item_id: Option<i64>,
    pub user_id: Option<i64>,
}

impl LogPosition {
    /// Reads the newest entry: one request. Where the log is closed to the API key it is [`LogPosition::Unknown`]: lost
    /// checkouts are then reconciled by where the items are, if at all.
    ///
    /// # Errors
    /// Where the service cannot be read.
    pub async fn read<S: RecordSource>(service: &S) -> Result<Self, S::Error> {
        let newest = match service.page(&ACTIVITY, NEWEST_FIRST, 0, 1).await {
            Err(error) if S::is_denied(&error) => return Ok(LogPosition::Unknown),
            newest => newest?,
        };
        Ok(match newest.first() {
            None => LogPosition::Empty,
            Some(entry) => LogCursor::of(entry).map_or(LogPosition::Unknown, LogPosition::After),
        })
    }

    /// The first day to read entries from.
    pub fn first_day(&self) -> Option<String> {
        let LogPosition::After(cursor) = self else { return None };
        first_log_day(parse_timestamp(&cursor.timestamp)?)
    }

    /// Whether an entry was surely added after the run was planned.
    pub fn is_followed_by(&self, entry: &Record) -> bool {
        self.age(entry) == EntryAge::Newer
    }

    pub(crate) fn age(&self, entry: &Record) -> EntryAge {
        let cursor = match self {
            LogPosition::Empty => return EntryAge::Newer,
            LogPosition::Unknown => return EntryAge::Unknown,
            LogPosition::After(cursor) => cursor,
        };
        let Some(other) = LogCursor::of(entry) else { return EntryAge::Unknown };
        if other == *cursor {
            return EntryAge::Older;
        }
        match (parse_timestamp(&other.timestamp), parse_timestamp(&cursor.timestamp)) {
            // The same moment, but not the cursor itself: the cursor was the newest then, so this one came later.
            (Some(entry), Some(cursor)) if entry >= cursor => EntryAge::Newer,
            (Some(_), Some(_)) => EntryAge::Older,
            _ => EntryAge::Unknown,
        }
    }
}

impl LogCursor {
    /// None where an entry has no timestamp.
    pub fn of(entry: &Record) -> Option<Self> {
        let text = |name: &str| entry.get(name).and_then(Json::as_str).map(str::to_owned);
        let number = |name: &str| entry.get(name).and_then(integer);
        Some(Self {
            timestamp: text(log_field::TIMESTAMP).or_else(|| text(CREATED_AT))?,
            kind: text(log_field::TYPE),
            event: text(log_field::EVENT),
            item_id: number(log_field::ITEM_ID),
            user_id: number(log_field::USER_ID),
        })
    }
}

/// The value of the log's filter `date_from` with which no entry from that time on is left out: the day before, since
/// the time zone of days is not documented.
pub(crate) fn first_log_day(from: Timestamp) -> Option<String> {
    let day = TimeZone::UTC.to_datetime(from).date();
    day.checked_sub(1.day()).ok().map(|day| day.to_string())
}

/// Sorts a list by creation, newest first.
pub(crate) const NEWEST_FIRST: &[(&str, &str)] = &[("sort", CREATED_AT), ("order", "desc")];

/// Whether an entry was added before or after the run was planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryAge {
    Older,
    Newer,
    Unknown,
}

/// When an entry was added, by the service's clock.
pub(crate) fn entry_time(entry: &Record) -> Option<Timestamp> {
    parse_timestamp(&LogCursor::of(entry)?.timestamp)
}

fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let local = || TimeZone::UTC.to_timestamp(text.parse::<civil::DateTime>().ok()?).ok();
    text.parse().ok().or_else(local)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures::executor::block_on;
    use serde_json::json;

    use super::*;
    use crate::catalog::fake_source::{FakeSource, ReadFailure, UnreadableLog};

    fn entry(at: serde_json::Value, item: i64) -> Record {
        let entry = json!({"timestamp": at, "type": "Asset", "event": "Update", "item_id": item, "user_id": 7});
        entry.as_object().unwrap().clone()
    }

    #[test]
    fn the_newest_entry_is_read_in_one_request() {
        let log = |entries: Vec<Record>| {
            let source = FakeSource::new().with(ACTIVITY.name, entries.into_iter().map(Json::Object));
            let Ok(position) = block_on(LogPosition::read(&source));
            (position, source.requests())
        };
        assert_eq!(log(Vec::new()), (LogPosition::Empty, 1));
        let (position, requests) =
            log(vec![entry(json!("2026-01-01T00:00:00Z"), 1), entry(json!("2026-01-02T03:00:00Z"), 2)]);
        let LogPosition::After(cursor) = &position else { panic!("{position:?}") };
        assert_eq!((cursor.item_id, cursor.user_id, requests), (Some(2), Some(7), 1));
        assert_eq!((cursor.kind.as_deref(), cursor.event.as_deref()), (Some("Asset"), Some("Update")));
        assert_eq!(position.first_day().as_deref(), Some("2026-01-01"));
        assert_eq!(log(vec![entry(Json::Null, 1)]).0, LogPosition::Unknown);
        assert_eq!((LogPosition::Empty.first_day(), LogPosition::Unknown.first_day()), (None, None));
    }

    #[test]
    fn entries_are_older_or_newer_than_the_run() {
        let cursor = LogCursor::of(&entry(json!("2026-01-02T00:00:00Z"), 2)).unwrap();
        let after = LogPosition::After(cursor.clone());
        let age = |at: &str, item: i64| after.age(&entry(json!(at), item));
        assert_eq!(age("2026-01-02T00:00:00Z", 2), EntryAge::Older, "the cursor itself");
        assert_eq!(age("2026-01-02T00:00:00Z", 3), EntryAge::Newer, "of the same moment");
        assert_eq!(
            (age("2026-01-01T23:59:59Z", 3), age("2026-01-02T00:00:01Z", 3)),
            (EntryAge::Older, EntryAge::Newer)
        );
        assert_eq!((age("once", 3), after.age(&Record::new())), (EntryAge::Unknown, EntryAge::Unknown));
        assert!(after.is_followed_by(&entry(json!("2026-01-03T00:00:00Z"), 3)));
        assert!(!after.is_followed_by(&entry(json!("2026-01-01T00:00:00Z"), 3)));
        let any = entry(json!("2026-01-01T00:00:00Z"), 3);
        assert_eq!(
            (LogPosition::Empty.age(&any), LogPosition::Unknown.age(&any)),
            (EntryAge::Newer, EntryAge::Unknown)
        );
        let made = json!({"created_at": "2026-01-05T00:00:00Z"});
        assert_eq!(LogCursor::of(made.as_object().unwrap()).unwrap().timestamp, "2026-01-05T00:00:00Z");
        let odd = LogPosition::After(LogCursor { timestamp: String::from("once"), ..cursor });
        assert_eq!((odd.age(&any), odd.first_day()), (EntryAge::Unknown, None));
    }

    #[test]
    fn a_log_that_is_closed_has_no_position_and_one_that_fails_is_an_error() {
        let source = FakeSource::new();
        let read = |failure| block_on(LogPosition::read(&UnreadableLog { source: &source, failure }));
        assert_eq!(read(ReadFailure::Denied), Ok(LogPosition::Unknown));
        assert_eq!(read(ReadFailure::Broken), Err(ReadFailure::Broken));
    }
}
