//! What the activity log says since the last refresh, and whether its silence can be trusted.

use super::super::MirrorError;
use super::super::file::{CollectionState, LogEntry};
use super::super::service_time::ServiceTime;
use super::{OVERLAP, RefreshError, RefreshJob, RefreshMode, RefreshTally};
use crate::catalog::NEWEST_FIRST;
use crate::catalog::source::RecordSource;
use crate::schema::{ACTIVITY, Entity, log_field};

/// Known entries met again that show where the known part of the log begins.
const KNOWN_ENTRIES: usize = 20;
/// An account that changes by the minute has a log of many pages; one that long is no help.
const MOST_LOG_PAGES: u64 = 20;

impl<S: RecordSource> RefreshJob<'_, S> {
    /// Reads what the log says since the last refresh. Done first: what happens later is in the next refresh.
    pub(super) async fn read_log(&mut self, wanted: &[&'static Entity]) -> Result<(), RefreshError<S::Error>> {
        if !wanted.iter().any(|entity| entity.log_type().is_some()) {
            return Ok(());
        }
        let mark = self.mirror.log_mark()?;
        if self.options.mode == RefreshMode::Full && mark.is_none() {
            return self.mark_log().await;
        }
        let Some(mark) = mark.and_then(|mark| ServiceTime::parse(&mark)) else { return self.mark_log().await };
        let day = mark.before(OVERLAP).day();
        let filters: Vec<(&str, &str)> =
            NEWEST_FIRST.iter().copied().chain([(log_field::DATE_FROM, day.as_str())]).collect();
        let mut offset = 0;
        let mut newest = None;
        for _ in 0..MOST_LOG_PAGES {
            let page = self.page(&ACTIVITY, &filters, offset).await?;
            let mut known = 0;
            for entry in page.records().filter_map(LogEntry::parse) {
                newest.get_or_insert_with(|| entry.timestamp.clone());
                if self.mirror.file().add_log_entry(&entry)? {
                    self.log.add(&entry);
                } else {
                    known += 1;
                }
                let at = ServiceTime::parse(&entry.timestamp);
                self.log_is_complete |= at.is_some_and(|at| at < mark.before(OVERLAP));
            }
            // The known part begins here, and enough of it was read for what was written late.
            self.log_is_complete |= known >= KNOWN_ENTRIES || self.is_last(&page);
            if self.log_is_complete {
                break;
            }
            // New entries push the others down; those seen twice are known.
            offset += page.len().saturating_sub(1) as u64;
        }
        if let Some(newest) = newest {
            self.mirror.set_log_mark(&newest)?;
        }
        Ok(())
    }

    /// The first time, only the end of the log is recorded.
    async fn mark_log(&mut self) -> Result<(), RefreshError<S::Error>> {
        let page = self.page(&ACTIVITY, NEWEST_FIRST, 0).await?;
        let mut entries = page.records().filter_map(LogEntry::parse).peekable();
        // After an empty log, every entry will be new.
        let newest = entries.peek().map_or(String::from("1970-01-01T00:00:00.000Z"), |entry| entry.timestamp.clone());
        for entry in entries {
            self.mirror.file().add_log_entry(&entry)?;
        }
        Ok(self.mirror.set_log_mark(&newest)?)
    }

    /// If a change was found that the log does not mention, the silence of the log is not trusted any more.
    pub(super) fn assess_log(
        &self,
        entity: &'static Entity,
        known: Option<&CollectionState>,
        tally: &RefreshTally,
    ) -> Result<(), MirrorError> {
        if known.is_none() || entity.log_type().is_none() || !self.log_is_complete {
            return Ok(());
        }
        if tally.added.iter().chain(&tally.changed).any(|id| !self.log.mentions(entity, *id)) {
            self.mirror.invalidate_log()?;
        }
        Ok(())
    }
}
