//! The copy made the account's own again, in the fewest requests.
//!
//! The service has no "changed since" and tells no totals (field notes). What it has: lists sorted by `updated_at`,
//! the activity log, and pages by offset. Together they are enough:
//!
//! - **What was changed or made** stands at the top of the list sorted by `updated_at`, newest first. It is read down
//!   to the watermark, the latest moment the copy knows, and some way below it, for what was written late.
//! - **What was moved** is told by the log; where the record itself was not at the top of that list, it is read.
//! - **What was deleted** is told by the log, where it covers the collection at all.
//! - **The proof** is a count: the list has as many records as the copy where exactly one record lies at the offset
//!   of the last one. A deletion that nothing told of shows here, and then the collection is read whole.
//!
//! A collection that fits into one page is simply read: that is the one request the top of its list would cost.
//! Where many collections are wanted, those the log covers and says nothing of are looked at in turn only, unless the
//! log was ever found to keep silent about a change.
//!
//! A collection changes in the copy in one transaction: whoever is interrupted has the old copy.

use std::collections::BTreeSet;

use super::file::{CollectionState, History, LogEntry, UpsertResult};
use super::log_delta::{LastEvent, LogDelta, NEWEST_FIRST};
use super::service_time::ServiceTime;
use super::{Mirror, MirrorError, ObservedFields};
use crate::api::{RawPage, RawRecord};
use crate::catalog::fetch::RecordSource;
use crate::catalog::list_scan::{ListScan, RawListSource, ScanError};
use crate::error::{Error, ErrorKind};
use crate::schema::{ACTIVITY, Entity};

/// Requests of a refresh that changed nothing, at most: beyond it, quiet collections take turns.
const BUDGET: u64 = 14;
/// RefreshMethod far below the watermark changes are looked for, in seconds: a slow transaction shows its records late.
const OVERLAP: i64 = 300;
/// A log entry is written a moment after the record it tells of, in seconds.
const SLACK: i64 = 2;
/// RefreshMethod often a list that moves under us is tried anew before it is read whole, and read whole before we give up.
const TRIES: u32 = 3;
/// Records read one by one, at most, before the whole list is cheaper anyway.
const MOST_SINGLES: u64 = 20;
/// Entries met again that show where what is known begins.
const KNOWN_ENTRIES: usize = 20;
/// An account that changes by the minute has a log of pages; one that long is no help.
const MOST_LOG_PAGES: u64 = 20;

/// RefreshMethod the copy is brought up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshMode {
    /// By what changed, as far as that can be proved.
    Incremental,
    /// Every record of every collection is read.
    Full,
}

/// RefreshMethod a collection was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshMethod {
    /// Every record was read.
    Full,
    /// The changes were read, and a count proved them complete.
    Incremental,
    /// Not at all: the log says nothing happened.
    Unchanged,
}

/// What a refresh did to one collection.
#[derive(Debug, Clone, Copy)]
pub struct RefreshStats {
    pub entity: &'static Entity,
    pub how: RefreshMethod,
    /// Records in the copy now.
    pub records: u64,
    pub added: u64,
    pub changed: u64,
    pub removed: u64,
}

/// Why the copy could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError<E> {
    #[error(transparent)]
    Service(E),
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// The service's own order of its records is not steady, or somebody rewrites the whole list all the time.
    #[error("the list of {collection} does not hold still: {detail}")]
    Unstable { collection: &'static str, detail: String },
}

/// Where records come from, in lists and one by one.
pub trait MirrorSource: RawListSource + RecordSource<Error = SourceError<Self>> {}

impl<T: RawListSource + RecordSource<Error = SourceError<T>>> MirrorSource for T {}

/// What goes wrong with a source.
type SourceError<S> = <S as RawListSource>::Error;

/// What a refresh needs to know.
#[derive(Debug, Clone, Copy)]
pub struct RefreshOptions<'a> {
    pub mode: RefreshMode,
    /// Requests in flight.
    pub at_once: usize,
    /// Now, as RFC 3339.
    pub now: &'a str,
}

/// One refresh on its way.
struct RefreshJob<'a, S> {
    mirror: &'a Mirror,
    source: &'a S,
    options: RefreshOptions<'a>,
    number: i64,
    news: LogDelta,
    /// Whether the log told everything since the last refresh.
    log_is_whole: bool,
    longest: u32,
    on_progress: &'a mut dyn FnMut(&'static str, u64),
}

/// Adds up what happens to the records of a collection.
#[derive(Debug, Default)]
struct RefreshTally {
    /// Records that came into an empty copy. They are not told apart: there may be a million.
    first: u64,
    added: BTreeSet<i64>,
    changed: BTreeSet<i64>,
    removed: u64,
}

/// What the top of the list sorted by `updated_at` came to.
enum IncrementalResult {
    Done,
    /// A page did not join the one before.
    Inconsistent,
}

/// What the count came to.
enum CountCheck {
    AsKnown,
    Other,
}

impl Mirror {
    /// Brings the copies of these collections up to date. Tells `on_progress` the collection and how many of its
    /// records have come.
    ///
    /// # Errors
    /// What the service or the disk refuses. Collections finished before stay refreshed, the others as they were.
    pub async fn refresh<S: MirrorSource>(
        &self,
        source: &S,
        wanted: &[&'static Entity],
        options: RefreshOptions<'_>,
        on_progress: &mut dyn FnMut(&'static str, u64),
    ) -> Result<Vec<RefreshStats>, RefreshError<SourceError<S>>> {
        let number = self.next_refresh()?;
        let longest = self.longest_page()?;
        let news = LogDelta::default();
        let mut refresh =
            RefreshJob { mirror: self, source, options, number, news, log_is_whole: false, longest, on_progress };
        refresh.run(wanted).await
    }

    /// Reads one list, which may be a filtered one, into this copy: for parts of an account, and for lists of which no
    /// copy is kept. Gives how many records came.
    ///
    /// # Errors
    /// What the service or the disk refuses.
    pub async fn read<S: MirrorSource>(
        &self,
        source: &S,
        (entity, filters): (&'static Entity, &[(&str, &str)]),
        options: RefreshOptions<'_>,
        on_progress: &mut dyn FnMut(&'static str, u64),
    ) -> Result<u64, RefreshError<SourceError<S>>> {
        let mut detail = String::new();
        for _ in 0..TRIES {
            self.store().begin()?;
            self.store().empty(entity)?;
            let scan = ListScan {
                entity,
                filters,
                expected: None,
                concurrency: options.at_once,
                longest_page: self.longest_page()?,
            };
            let mut shape = ObservedFields::default();
            let mut taken = 0_i64;
            let mut take = |record: RawRecord<'_>| {
                taken += 1;
                if taken % 1_000 == 0 {
                    on_progress(entity.name, taken as u64);
                }
                shape.observe_json(record.json);
                // Entries of the log have no id (field notes): they are numbered as they come.
                self.store().add(entity, RawRecord { id: record.id.or(Some(taken)), ..record }, 0)
            };
            match scan.run(source, &mut take).await {
                Ok(stats) => {
                    self.store().set_shape(entity, &shape)?;
                    self.set_longest_page(self.longest_page()?.max(stats.longest_page))?;
                    self.store().commit()?;
                    return Ok(taken as u64);
                }
                Err(error) => {
                    self.store().roll_back();
                    match error {
                        ScanError::Service(error) => return Err(RefreshError::Service(error)),
                        ScanError::Take(error) => return Err(RefreshError::Mirror(error)),
                        ScanError::Unstable(unstable) => detail = unstable.to_string(),
                    }
                }
            }
        }
        Err(RefreshError::Unstable { collection: entity.name, detail })
    }
}

impl<S: MirrorSource> RefreshJob<'_, S> {
    async fn run(&mut self, wanted: &[&'static Entity]) -> Result<Vec<RefreshStats>, RefreshError<SourceError<S>>> {
        self.read_log(wanted).await?;
        let skippable = self.skippable(wanted)?;
        let mut done = Vec::new();
        for entity in wanted.iter().copied() {
            let refreshed = match skippable.contains(entity.name) {
                true => self.mark_unchanged(entity)?,
                false => self.refresh_one(entity).await?,
            };
            done.push(refreshed);
        }
        self.mirror.set_longest_page(self.longest)?;
        Ok(done)
    }

    /// Everything that the log tells since the last refresh. Read first: what happens later is told the next time.
    async fn read_log(&mut self, wanted: &[&'static Entity]) -> Result<(), RefreshError<SourceError<S>>> {
        let covers = wanted.iter().any(|entity| entity.log_type().is_some());
        if !covers || (self.options.mode == RefreshMode::Full && self.mirror.log_mark()?.is_none()) {
            return self.mark_log(wanted).await;
        }
        let Some(mark) = self.mirror.log_mark()?.and_then(|mark| ServiceTime::read(&mark)) else {
            return self.mark_log(wanted).await;
        };
        let day = mark.before(OVERLAP).day();
        let filters: Vec<(&str, &str)> = NEWEST_FIRST.iter().copied().chain([("date_from", day.as_str())]).collect();
        let mut offset = 0;
        let mut newest = None;
        for _ in 0..MOST_LOG_PAGES {
            let page = self.page(&ACTIVITY, &filters, offset).await?;
            let mut known = 0;
            for entry in page.records().filter_map(LogEntry::of) {
                newest.get_or_insert_with(|| entry.timestamp.clone());
                if self.mirror.store().log(&entry)? {
                    self.news.note(&entry);
                } else {
                    known += 1;
                }
                let at = ServiceTime::read(&entry.timestamp);
                self.log_is_whole |= at.is_some_and(|at| at < mark.before(OVERLAP));
            }
            // What is known begins here, and some way of it was looked through for what was written late.
            self.log_is_whole |= known >= KNOWN_ENTRIES || self.is_end(&page);
            if self.log_is_whole {
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

    /// The first time nothing is asked of the log but where it ends.
    async fn mark_log(&mut self, wanted: &[&'static Entity]) -> Result<(), RefreshError<SourceError<S>>> {
        if !wanted.iter().any(|entity| entity.log_type().is_some()) {
            return Ok(());
        }
        let page = self.page(&ACTIVITY, NEWEST_FIRST, 0).await?;
        let mut entries = page.records().filter_map(LogEntry::of).peekable();
        // An empty log: everything in it will be news.
        let newest = entries.peek().map_or(String::from("1970-01-01T00:00:00.000Z"), |entry| entry.timestamp.clone());
        for entry in entries {
            self.mirror.store().log(&entry)?;
        }
        Ok(self.mirror.set_log_mark(&newest)?)
    }

    /// The collections whose silence in the log is believed this time: as many as it takes to stay in the budget,
    /// those asked most recently.
    fn skippable(&self, wanted: &[&'static Entity]) -> Result<BTreeSet<&'static str>, RefreshError<SourceError<S>>> {
        let is_thorough = self.options.mode == RefreshMode::Full;
        if is_thorough || !self.log_is_whole || !self.mirror.is_log_trusted()? {
            return Ok(BTreeSet::new());
        }
        let mut cost = 1_u64;
        let mut quiet = Vec::new();
        for entity in wanted.iter().copied() {
            let Some(state) = self.mirror.store().state(entity)? else { return Ok(BTreeSet::new()) };
            let is_small = self.fits_a_page(self.mirror.store().count(entity)?);
            cost += if is_small { 1 } else { 2 };
            if is_small && entity.log_type().is_some() && self.news.is_silent_on(entity) {
                quiet.push((state.looked, entity.name));
            }
        }
        quiet.sort_unstable_by(|one, other| other.cmp(one));
        let spare = cost.saturating_sub(BUDGET) as usize;
        Ok(quiet.into_iter().take(spare).map(|(_, name)| name).collect())
    }

    fn mark_unchanged(&self, entity: &'static Entity) -> Result<RefreshStats, RefreshError<SourceError<S>>> {
        let store = self.mirror.store();
        if let Some(state) = store.state(entity)? {
            let refreshed_at = self.options.now.to_owned();
            store.set_state(entity, &CollectionState { refreshed_at, refresh: self.number, ..state })?;
        }
        let records = store.count(entity)?;
        Ok(RefreshStats { entity, how: RefreshMethod::Unchanged, records, added: 0, changed: 0, removed: 0 })
    }

    /// One collection, in one transaction.
    async fn refresh_one(&mut self, entity: &'static Entity) -> Result<RefreshStats, RefreshError<SourceError<S>>> {
        self.mirror.store().begin()?;
        let done = self.refresh_collection(entity).await;
        match done {
            Ok(refreshed) => {
                self.mirror.store().commit()?;
                Ok(refreshed)
            }
            Err(error) => {
                self.mirror.store().roll_back();
                Err(error)
            }
        }
    }

    async fn refresh_collection(
        &mut self,
        entity: &'static Entity,
    ) -> Result<RefreshStats, RefreshError<SourceError<S>>> {
        let store = self.mirror.store();
        let known = store.state(entity)?;
        let mut tally = RefreshTally::default();
        let is_delta =
            self.options.mode == RefreshMode::Incremental && known.is_some() && !self.fits_a_page(store.count(entity)?);
        let how = match is_delta && self.by_changes(entity, &known, &mut tally).await? {
            true => RefreshMethod::Incremental,
            false => {
                self.whole(entity, known.is_some(), &mut tally).await?;
                RefreshMethod::Full
            }
        };
        self.assess_log(entity, &known, &tally)?;
        let state = CollectionState {
            watermark: store.latest(entity)?,
            refreshed_at: self.options.now.to_owned(),
            refresh: self.number,
            looked: self.number,
        };
        store.set_state(entity, &state)?;
        let (added, changed) = (tally.first + tally.added.len() as u64, tally.changed.len() as u64);
        Ok(RefreshStats { entity, how, records: store.count(entity)?, added, changed, removed: tally.removed })
    }

    /// Whether what changed could be found and proved complete.
    async fn by_changes(
        &mut self,
        entity: &'static Entity,
        known: &Option<CollectionState>,
        tally: &mut RefreshTally,
    ) -> Result<bool, RefreshError<SourceError<S>>> {
        let Some(watermark) = known.as_ref().and_then(|state| ServiceTime::read(state.watermark.as_deref()?)) else {
            return Ok(false);
        };
        for _ in 0..TRIES {
            if let IncrementalResult::Inconsistent = self.walk(entity, watermark, tally).await? {
                continue;
            }
            if !self.follow_log(entity, tally).await? {
                return Ok(false);
            }
            if let CountCheck::AsKnown = self.count(entity).await? {
                return Ok(true);
            }
            // Somebody may have deleted or made something this very moment: the log tells by now.
            self.read_log(&[entity]).await?;
        }
        Ok(false)
    }

    /// Reads the list sorted by `updated_at` down to what is known.
    async fn walk(
        &mut self,
        entity: &'static Entity,
        watermark: ServiceTime,
        tally: &mut RefreshTally,
    ) -> Result<IncrementalResult, RefreshError<SourceError<S>>> {
        const LATEST_FIRST: &[(&str, &str)] = &[("sort", "updated_at"), ("order", "desc")];
        let history = self.mirror.store().history(entity)?;
        let mut offset = 0;
        let mut joint: Option<i64> = None;
        loop {
            let page = self.page(entity, LATEST_FIRST, offset).await?;
            if joint.is_some() && !page.records().any(|record| record.id == joint) {
                return Ok(IncrementalResult::Inconsistent);
            }
            let mut is_known = true;
            for record in page.records() {
                is_known &= self.upsert(entity, record, history, tally)? == UpsertResult::Unchanged;
            }
            let oldest = page.records().last().and_then(|record| ServiceTime::read(record.updated_at?));
            let is_below = |moment: ServiceTime| oldest.is_some_and(|oldest| oldest <= moment);
            if is_below(watermark.before(OVERLAP)) || (is_known && is_below(watermark)) || self.is_end(&page) {
                return Ok(IncrementalResult::Done);
            }
            joint = page.records().last().and_then(|record| record.id);
            offset += page.len().saturating_sub(1) as u64;
        }
    }

    /// Does what the log says and the list did not show; false where that is too much to be done one by one.
    async fn follow_log(
        &mut self,
        entity: &'static Entity,
        tally: &mut RefreshTally,
    ) -> Result<bool, RefreshError<SourceError<S>>> {
        let store = self.mirror.store();
        let history = store.history(entity)?;
        let mut singles: Vec<i64> = Vec::new();
        for (id, last) in self.news.about(entity) {
            match last {
                LastEvent::Deleted => {
                    tally.removed += u64::from(store.remove(entity, id, history, self.options.now)?);
                }
                LastEvent::Touched(at) => {
                    let updated_at = store.updated_at(entity, id)?.and_then(|text| ServiceTime::read(&text));
                    if updated_at.is_none_or(|updated_at| updated_at.after(SLACK) < at) {
                        singles.push(id);
                    }
                }
            }
        }
        let Some(holders) = self.news.holders(entity) else { return Ok(false) };
        singles.extend(holders.into_iter().filter(|id| !tally.changed.contains(id) && !tally.added.contains(id)));
        if singles.len() as u64 > MOST_SINGLES {
            return Ok(false);
        }
        for id in singles {
            self.read_single(entity, id, history, tally).await?;
        }
        Ok(true)
    }

    async fn read_single(
        &mut self,
        entity: &'static Entity,
        id: i64,
        history: History,
        tally: &mut RefreshTally,
    ) -> Result<(), RefreshError<SourceError<S>>> {
        match self.source.record(entity, id).await.map_err(RefreshError::Service)? {
            None => {
                let is_gone = self.mirror.store().remove(entity, id, history, self.options.now)?;
                tally.removed += u64::from(is_gone);
            }
            Some(record) => {
                let json = serde_json::Value::Object(record).to_string();
                if let Some(page) = RawPage::of(format!("[{json}]"))
                    && let Some(record) = page.get(0)
                {
                    self.upsert(entity, record, history, tally)?;
                }
            }
        }
        Ok(())
    }

    /// Whether the list has exactly as many records as the copy.
    async fn count(&mut self, entity: &'static Entity) -> Result<CountCheck, RefreshError<SourceError<S>>> {
        let known = self.mirror.store().count(entity)?;
        let (offset, expected) = (known.saturating_sub(1), known.min(1) as usize);
        let page = self.source.raw_page(entity, &[], offset, 2).await.map_err(RefreshError::Service)?;
        Ok(if page.len() == expected { CountCheck::AsKnown } else { CountCheck::Other })
    }

    /// Every record of a collection.
    async fn whole(
        &mut self,
        entity: &'static Entity,
        is_known: bool,
        tally: &mut RefreshTally,
    ) -> Result<(), RefreshError<SourceError<S>>> {
        let mut detail = String::new();
        for attempt in 1..=TRIES {
            let sweep_number = self.number * i64::from(TRIES + 1) + i64::from(attempt);
            match self.scan(entity, is_known, sweep_number, tally).await {
                Ok(()) => {
                    let history = self.mirror.store().history(entity)?;
                    let gone = self.mirror.store().remove_unseen(entity, sweep_number, history, self.options.now)?;
                    tally.removed += gone;
                    return Ok(());
                }
                Err(ScanError::Service(error)) => return Err(RefreshError::Service(error)),
                Err(ScanError::Take(error)) => return Err(RefreshError::Mirror(error)),
                Err(ScanError::Unstable(unstable)) => detail = unstable.to_string(),
            }
        }
        Err(RefreshError::Unstable { collection: entity.name, detail })
    }

    async fn scan(
        &mut self,
        entity: &'static Entity,
        is_known: bool,
        number: i64,
        tally: &mut RefreshTally,
    ) -> Result<(), ScanError<SourceError<S>, MirrorError>> {
        let store = self.mirror.store();
        let history = store.history(entity).map_err(ScanError::Take)?;
        let known = store.count(entity).map_err(ScanError::Take)?;
        let scan = ListScan {
            entity,
            filters: &[],
            expected: is_known.then_some(known),
            concurrency: self.options.at_once,
            longest_page: self.longest,
        };
        let mut shape = store.shape(entity).map_err(ScanError::Take)?;
        let (mut taken, mut has_new_fields) = (0, false);
        let (now, on_progress) = (self.options.now, &mut *self.on_progress);
        let mut take = |record: RawRecord<'_>| {
            taken += 1;
            if taken % 1_000 == 0 {
                on_progress(entity.name, taken);
            }
            has_new_fields |= shape.observe_json(record.json);
            if is_known || known > 0 {
                let upserted = store.upsert(entity, record, (number, history), now)?;
                tally.note(upserted, record.id);
            } else {
                store.add(entity, record, number)?;
                tally.first += 1;
            }
            Ok(())
        };
        let stats = scan.run(self.source, &mut take).await?;
        on_progress(entity.name, taken);
        self.longest = self.longest.max(stats.longest_page);
        if has_new_fields {
            store.set_shape(entity, &shape).map_err(ScanError::Take)?;
        }
        Ok(())
    }

    fn upsert(
        &self,
        entity: &'static Entity,
        record: RawRecord<'_>,
        history: History,
        tally: &mut RefreshTally,
    ) -> Result<UpsertResult, MirrorError> {
        let upserted = self.mirror.store().upsert(entity, record, (0, history), self.options.now)?;
        if upserted != UpsertResult::Unchanged {
            let mut shape = self.mirror.store().shape(entity)?;
            if shape.observe_json(record.json) {
                self.mirror.store().set_shape(entity, &shape)?;
            }
        }
        tally.note(upserted, record.id);
        Ok(upserted)
    }

    /// A log that kept silent about a change is believed no more.
    fn assess_log(
        &self,
        entity: &'static Entity,
        known: &Option<CollectionState>,
        tally: &RefreshTally,
    ) -> Result<(), RefreshError<SourceError<S>>> {
        if known.is_none() || entity.log_type().is_none() || !self.log_is_whole {
            return Ok(());
        }
        let is_untold = |id: &&i64| !self.news.tells_of(entity, **id);
        if tally.added.iter().chain(&tally.changed).find(is_untold).is_some() {
            self.mirror.invalidate_log()?;
        }
        Ok(())
    }

    async fn page(
        &mut self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
    ) -> Result<RawPage, RefreshError<SourceError<S>>> {
        let limit = RawListSource::page_limit(self.source);
        let page = self.source.raw_page(entity, filters, offset, limit).await.map_err(RefreshError::Service)?;
        self.longest = self.longest.max(page.len() as u32);
        Ok(page)
    }

    /// Whether nothing follows: the page is empty, or shorter than others were.
    fn is_end(&self, page: &RawPage) -> bool {
        page.is_empty() || page.len() == 1 || (page.len() as u32) < self.longest
    }

    fn fits_a_page(&self, records: u64) -> bool {
        records < u64::from(RawListSource::page_limit(self.source))
    }
}

impl RefreshTally {
    fn note(&mut self, upserted: UpsertResult, id: Option<i64>) {
        let Some(id) = id else { return };
        match upserted {
            UpsertResult::Unchanged => {}
            UpsertResult::Added => drop(self.added.insert(id)),
            UpsertResult::Changed if !self.added.contains(&id) => drop(self.changed.insert(id)),
            UpsertResult::Changed => {}
        }
    }
}

/// What went wrong is the error itself: callers match on it, whatever it was wrapped in on the way.
impl From<RefreshError<crate::api::ApiError>> for Error {
    fn from(error: RefreshError<crate::api::ApiError>) -> Self {
        match error {
            RefreshError::Service(error) => error.into(),
            RefreshError::Mirror(error) => error.into(),
            RefreshError::Unstable { .. } => {
                let hint = String::from("try again when less is done in the account");
                Error::new(ErrorKind::Refused, error.to_string(), Some(hint))
            }
        }
    }
}
