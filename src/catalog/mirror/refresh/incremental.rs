//! What changed in a collection since the last refresh, and the proof that this is all.

use super::super::file::{CollectionState, UpsertResult};
use super::super::log_delta::LastEvent;
use super::super::service_time::ServiceTime;
use super::{ATTEMPTS, OVERLAP, RefreshError, RefreshJob, RefreshTally};
use crate::api::RawPage;
use crate::catalog::source::RecordSource;
use crate::schema::{Entity, UPDATED_AT};

/// A log entry is written a moment after the record it is about, in seconds.
const LOG_DELAY: i64 = 2;
/// The most records read one by one; beyond it the whole list is cheaper anyway.
const MOST_SINGLE_READS: u64 = 20;

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
            if !self.read_latest(entity, watermark, tally).await? {
                continue;
            }
            if !self.apply_log(entity, tally).await? {
                return Ok(false);
            }
            if self.count_matches(entity).await? {
                return Ok(true);
            }
            // Somebody may have deleted or created something just now: the log says so by now.
            self.read_log(&[entity]).await?;
        }
        Ok(false)
    }

    /// Reads the list sorted by `updated_at` down to what is known; false if a page does not overlap the one before.
    async fn read_latest(
        &mut self,
        entity: &'static Entity,
        watermark: ServiceTime,
        tally: &mut RefreshTally,
    ) -> Result<bool, RefreshError<S::Error>> {
        const LATEST_FIRST: &[(&str, &str)] = &[("sort", UPDATED_AT), ("order", "desc")];
        let keep_previous = self.mirror.file().keeps_previous(entity)?;
        let mut offset = 0;
        let mut last_id: Option<i64> = None;
        loop {
            let page = self.page(entity, LATEST_FIRST, offset).await?;
            if last_id.is_some() && !page.records().any(|record| record.id == last_id) {
                return Ok(false);
            }
            let mut is_known = true;
            for record in page.records() {
                is_known &= self.upsert(entity, record, keep_previous, tally)? == UpsertResult::Unchanged;
            }
            let oldest = page.records().last().and_then(|record| ServiceTime::parse(record.updated_at?));
            let is_below = |time: ServiceTime| oldest.is_some_and(|oldest| oldest <= time);
            if is_below(watermark.before(OVERLAP)) || (is_known && is_below(watermark)) || self.is_last(&page) {
                return Ok(true);
            }
            last_id = page.records().last().and_then(|record| record.id);
            offset += page.len().saturating_sub(1) as u64;
        }
    }

    /// Applies what the log says and the list did not show; false if that is too much to be read one by one.
    async fn apply_log(
        &mut self,
        entity: &'static Entity,
        tally: &mut RefreshTally,
    ) -> Result<bool, RefreshError<S::Error>> {
        let file = self.mirror.file();
        let keep_previous = file.keeps_previous(entity)?;
        let mut stale: Vec<i64> = Vec::new();
        for (id, last) in self.log.about(entity) {
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
        let Some(holders) = self.log.holders(entity) else { return Ok(false) };
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
