//! What changed in a collection since the last refresh, and the proof that this is all.

use std::collections::HashSet;

use super::super::MirrorError;
use super::super::file::{CollectionState, UpsertResult};
use super::super::log_delta::{LastEvent, LogDelta};
use super::super::service_time::ServiceTime;
use super::{ATTEMPTS, OVERLAP, RefreshError, RefreshJob, RefreshTally};
use crate::api::RawPage;
use crate::catalog::source::RecordSource;
use crate::schema::{Entity, UPDATED_AT};

/// A log entry is written a moment after the record it is about, in seconds.
const LOG_DELAY: i64 = 2;
/// The most records read one by one; beyond it the whole list is cheaper anyway.
const MOST_SINGLE_READS: u64 = 20;

/// Known records at the end of a page that show where the known part of the list begins.
const KNOWN_AT_END: usize = 10;

/// How the list sorted by `updated_at` was read.
enum LatestRead {
    /// Down to what is known.
    Whole(LatestRecords),
    /// A page does not overlap the one before: something changed meanwhile.
    Shifted,
    /// The service does not sort by `updated_at`, as far as can be seen.
    Unsorted,
}

/// The records at the top of the list.
#[derive(Default)]
struct LatestRecords {
    ids: HashSet<i64>,
    /// The `updated_at` of the last one.
    oldest: Option<String>,
}

/// Whether the `updated_at` of the records falls: a service that ignores the order shows later changes further down,
/// where nobody looks for them.
fn is_falling(page: &RawPage) -> bool {
    times(page).is_sorted_by(|one, next| one >= next)
}

/// Whether all records were updated at one moment, so that their order says nothing about the service.
fn is_one_moment(page: &RawPage) -> bool {
    let times: Vec<ServiceTime> = times(page).collect();
    times.len() > 1 && times.first() == times.last()
}

fn times(page: &RawPage) -> impl Iterator<Item = ServiceTime> {
    page.records().filter_map(|record| ServiceTime::parse(record.updated_at?))
}

impl<S: RecordSource> RefreshJob<'_, S> {
    /// Reads what changed; false if it cannot be proved complete.
    pub(super) async fn read_changes(
        &mut self,
        entity: &'static Entity,
        known: Option<&CollectionState>,
        tally: &mut RefreshTally,
    ) -> Result<bool, RefreshError<S::Error>> {
        let watermark = known.and_then(|state| ServiceTime::parse(state.watermark.as_deref()?));
        let Some(watermark) = watermark else { return Ok(false) };
        for _ in 0..ATTEMPTS {
            // What its records show of others changed, and their `updated_at` did not. The log may have been read on.
            let log = self.log_since_refresh(entity)?;
            if log.map_or(LogDelta::tells_of(entity), |log| log.has_altered_shown(entity)) {
                return Ok(false);
            }
            let latest = match self.read_latest(entity, watermark, tally).await? {
                LatestRead::Whole(latest) => latest,
                LatestRead::Shifted => continue,
                LatestRead::Unsorted => return Ok(false),
            };
            if !self.apply_log(entity, tally).await? || self.has_unseen_later_record(entity, &latest)? {
                return Ok(false);
            }
            if self.count_matches(entity).await? {
                return Ok(true);
            }
            // Somebody may have deleted or created something just now: the log says so by now.
            if LogDelta::tells_of(entity) && !self.read_log().await? {
                // The collections that were read before this one lack entries too.
                self.mirror.set_log_whole_since(self.number + 1)?;
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// Reads the list sorted by `updated_at`, newest first, down to what is known.
    ///
    /// Below the watermark, reading goes on while the last records of a page are news: changes that were stamped before
    /// they became visible lie deeper than the watermark says.
    async fn read_latest(
        &mut self,
        entity: &'static Entity,
        watermark: ServiceTime,
        tally: &mut RefreshTally,
    ) -> Result<LatestRead, RefreshError<S::Error>> {
        const LATEST_FIRST: &[(&str, &str)] = &[("sort", UPDATED_AT), ("order", "desc")];
        let keep_previous = self.mirror.file().keeps_previous(entity)?;
        let mut offset = 0;
        let mut last_id: Option<i64> = None;
        let mut latest = LatestRecords::default();
        loop {
            let page = self.page(entity, LATEST_FIRST, offset).await?;
            if last_id.is_some() && !page.records().any(|record| record.id == last_id) {
                return Ok(LatestRead::Shifted);
            }
            let is_sorted = is_falling(&page) && (offset > 0 || !is_one_moment(&page));
            let is_repeated =
                page.len() > 1 && page.records().all(|record| latest.ids.contains(&record.id.unwrap_or(0)));
            if !is_sorted || is_repeated {
                return Ok(LatestRead::Unsorted);
            }
            let mut known_at_end = 0;
            for record in page.records() {
                latest.ids.extend(record.id);
                latest.oldest = record.updated_at.map(str::to_owned).or(latest.oldest);
                let is_known = self.upsert(entity, record, keep_previous, tally)? == UpsertResult::Unchanged;
                known_at_end = if is_known { known_at_end + 1 } else { 0 };
            }
            let oldest = latest.oldest.as_deref().and_then(ServiceTime::parse);
            let is_below = |time: ServiceTime| oldest.is_some_and(|oldest| oldest <= time);
            let is_known = known_at_end == page.len() && is_below(watermark);
            let ends_known = known_at_end >= KNOWN_AT_END && is_below(watermark.before(OVERLAP));
            if page.len() <= 1 || is_known || ends_known {
                return Ok(LatestRead::Whole(latest));
            }
            last_id = page.records().last().and_then(|record| record.id);
            offset += page.len().saturating_sub(1) as u64;
        }
    }

    /// Whether the mirror has a record that changed later than the oldest that was read and was not among them: then the
    /// service does not sort by `updated_at`, or the record is gone and the log does not say so.
    fn has_unseen_later_record(&self, entity: &'static Entity, latest: &LatestRecords) -> Result<bool, MirrorError> {
        let Some(oldest) = &latest.oldest else { return Ok(false) };
        let later = self.mirror.file().updated_after(entity, oldest)?;
        Ok(later.iter().any(|id| !latest.ids.contains(id)))
    }

    /// Applies what the log says and the list did not show; false if that is too much to be read one by one.
    async fn apply_log(
        &mut self,
        entity: &'static Entity,
        tally: &mut RefreshTally,
    ) -> Result<bool, RefreshError<S::Error>> {
        let file = self.mirror.file();
        let keep_previous = file.keeps_previous(entity)?;
        let log = self.log_since_refresh(entity)?.unwrap_or_default();
        let mut stale: Vec<i64> = Vec::new();
        for (id, last) in log.about(entity) {
            match last {
                LastEvent::Deleted => {
                    tally.removed += u64::from(file.remove(entity, id, keep_previous, self.options.now)?);
                }
                LastEvent::Touched(at) => {
                    let updated_at = file.updated_at(entity, id)?.and_then(|text| ServiceTime::parse(&text));
                    if updated_at.is_none_or(|updated_at| updated_at.after(LOG_DELAY) < at) {
                        stale.push(id);
                    }
                }
            }
        }
        let Some(holders) = log.holders(entity) else { return Ok(false) };
        stale.extend(holders.into_iter().filter(|id| !tally.changed.contains(id) && !tally.added.contains(id)));
        if stale.len() as u64 > MOST_SINGLE_READS {
            return Ok(false);
        }
        for id in stale {
            self.read_record(entity, id, keep_previous, tally).await?;
        }
        Ok(true)
    }

    async fn read_record(
        &mut self,
        entity: &'static Entity,
        id: i64,
        keep_previous: bool,
        tally: &mut RefreshTally,
    ) -> Result<(), RefreshError<S::Error>> {
        let Some(record) = self.source.record(entity, id).await.map_err(RefreshError::Service)? else {
            let was_there = self.mirror.file().remove(entity, id, keep_previous, self.options.now)?;
            tally.removed += u64::from(was_there);
            return Ok(());
        };
        let json = serde_json::Value::Object(record).to_string();
        let page = RawPage::of(format!("[{json}]"));
        if let Some(record) = page.as_ref().and_then(|page| page.get(0)) {
            self.upsert(entity, record, keep_previous, tally)?;
        }
        Ok(())
    }

    /// Whether the list has exactly as many records as the mirror: one request.
    async fn count_matches(&mut self, entity: &'static Entity) -> Result<bool, RefreshError<S::Error>> {
        let known = self.mirror.file().count(entity)?;
        let (offset, expected) = (known.saturating_sub(1), known.min(1) as usize);
        let page = self.source.raw_page(entity, &[], offset, 2).await.map_err(RefreshError::Service)?;
        Ok(page.len() == expected)
    }
}

#[cfg(test)]
mod tests;
