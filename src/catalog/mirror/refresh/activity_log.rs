//! What the activity log says since the last refresh of a collection, and whether its silence can be trusted.

use super::super::MirrorError;
use super::super::file::LogEntry;
use super::super::log_delta::LogDelta;
use super::super::service_time::ServiceTime;
use super::{OVERLAP, RefreshError, RefreshJob, RefreshTally};
use crate::catalog::NEWEST_FIRST;
use crate::catalog::source::RecordSource;
use crate::schema::{ACTIVITY, Entity, log_field};

/// Known entries met again that show where the known part of the log begins.
const KNOWN_ENTRIES: usize = 20;
/// An account that changes by the minute has a log of many pages; one that long is no help.
const MOST_LOG_PAGES: u64 = 20;
/// The mark of a log that had no entries: every entry will be new.
const EMPTY_LOG: &str = "1970-01-01T00:00:00.000Z";

impl<S: RecordSource> RefreshJob<'_, S> {
    /// Reads the new entries of the log; whether all of them, back to those that are known. Done first: what happens later
    /// is in the next refresh. A log that is closed to the API key proves nothing.
    pub(super) async fn read_log(&mut self) -> Result<bool, RefreshError<S::Error>> {
        match self.read_new_entries().await {
            Err(RefreshError::Service(error)) if S::is_denied(&error) => {
                self.mirror.set_log_denied(true)?;
                Ok(false)
            }
            read => read,
        }
    }

    async fn read_new_entries(&mut self) -> Result<bool, RefreshError<S::Error>> {
        let mark = self.mirror.log_mark()?.and_then(|mark| ServiceTime::parse(&mark));
        let Some(mark) = mark else { return self.mark_log().await };
        let first_day = mark.before(OVERLAP).first_log_day();
        let from = first_day.as_deref().map(|day| (log_field::DATE_FROM, day));
        let filters: Vec<(&str, &str)> = NEWEST_FIRST.iter().copied().chain(from).collect();
        // The service may take days in its own way: only an entry that is not new shows that none is left out before it.
        let mut reaches_mark = ServiceTime::parse(EMPTY_LOG) == Some(mark);
        let (mut offset, mut is_whole, mut newest) = (0, false, None);
        for _ in 0..MOST_LOG_PAGES {
            let page = self.page(&ACTIVITY, &filters, offset).await?;
            let mut known = 0;
            for entry in page.records().filter_map(LogEntry::parse) {
                newest.get_or_insert_with(|| entry.timestamp.clone());
                known += usize::from(!self.mirror.file().add_log_entry(&entry)?);
                let at = ServiceTime::parse(&entry.timestamp);
                reaches_mark |= at.is_some_and(|at| at <= mark);
                is_whole |= at.is_some_and(|at| at < mark.before(OVERLAP));
            }
            let is_last = self.is_last(&page);
            // The known part begins here, and enough of it was read for what was written late.
            is_whole |= known >= KNOWN_ENTRIES || (is_last && reaches_mark);
            if is_whole || is_last {
                break;
            }
            // New entries push the others down; those seen twice are known.
            offset += page.len().saturating_sub(1) as u64;
        }
        if let Some(newest) = newest {
            self.mirror.set_log_mark(&newest)?;
        }
        Ok(is_whole)
    }

    /// The first time, only the end of the log is recorded.
    async fn mark_log(&mut self) -> Result<bool, RefreshError<S::Error>> {
        let page = self.page(&ACTIVITY, NEWEST_FIRST, 0).await?;
        let mut entries = page.records().filter_map(LogEntry::parse).peekable();
        let newest = entries.peek().map_or(String::from(EMPTY_LOG), |entry| entry.timestamp.clone());
        for entry in entries {
            self.mirror.file().add_log_entry(&entry)?;
        }
        self.mirror.set_log_mark(&newest)?;
        Ok(false)
    }

    /// What the log says since the last refresh of the collection, which may be older than the last reading of the log:
    /// other exports read it for other collections. None if entries since then may be missing.
    pub(super) fn log_since_refresh(&self, entity: &Entity) -> Result<Option<LogDelta>, MirrorError> {
        let file = self.mirror.file();
        let (Some(state), Some(known)) = (file.state(entity)?, self.mirror.log_known(entity)?) else {
            return Ok(None);
        };
        if state.refresh < self.mirror.log_whole_since()? {
            return Ok(None);
        }
        Ok(Some(LogDelta::of(&file.entries_after(known)?)))
    }

    /// If a change was found that the log does not mention, the silence of the log is not trusted any more.
    pub(super) fn assess_log(&self, entity: &'static Entity, tally: &RefreshTally) -> Result<(), MirrorError> {
        if entity.log_type().is_none() {
            return Ok(());
        }
        let Some(log) = self.log_since_refresh(entity)? else { return Ok(()) };
        // Values of other records may have changed, and those are mentioned.
        let changed = tally.changed.iter().filter(|_| !log.has_altered_shown(entity));
        if tally.added.iter().chain(changed).any(|id| !log.mentions(entity, *id)) {
            self.mirror.invalidate_log()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use futures::executor::block_on;
    use serde_json::json;

    use super::super::{RefreshError, RefreshMode, RefreshOptions};
    use crate::catalog::fake_source::{FakeSource, ReadFailure, UnreadableLog};
    use crate::catalog::mirror::Mirror;
    use crate::schema::ASSETS;

    const OPTIONS: RefreshOptions<'_> =
        RefreshOptions { mode: RefreshMode::Incremental, concurrency: 1, now: "2026-11-24T09:30:00Z" };

    #[test]
    fn a_log_that_is_closed_is_remembered_until_it_is_open_and_one_that_fails_is_an_error() {
        let source = FakeSource::new().with("assets", [json!({"id": 1, "updated_at": "2026-01-01T00:00:00.000Z"})]);
        let mirror = Mirror::temporary().unwrap();
        let refresh = |failure| {
            let source = UnreadableLog { source: &source, failure };
            block_on(mirror.refresh(&source, &[&ASSETS], OPTIONS, &mut |_, _| {}))
        };
        assert_eq!(refresh(ReadFailure::Denied).unwrap()[0].records, 1);
        assert!(mirror.is_log_denied().unwrap());
        assert!(matches!(refresh(ReadFailure::Broken), Err(RefreshError::Service(ReadFailure::Broken))));
        block_on(mirror.refresh(&source, &[&ASSETS], OPTIONS, &mut |_, _| {})).unwrap();
        assert!(!mirror.is_log_denied().unwrap());
    }
}
