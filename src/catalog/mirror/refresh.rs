//! Brings the mirror up to date in the fewest requests.
//!
//! The service has no "changed since" and reports no totals (field notes). What it has: lists sorted by `updated_at`,
//! the activity log, and pages by offset. Together they are enough:
//!
//! - **What was changed or created** is at the top of the list sorted by `updated_at`, newest first. It is read down to
//!   the watermark, the latest timestamp the mirror knows (but never later than the refresh), and a little below it, for
//!   what was written late; and on while the last records of a page are news. If the timestamps do not fall, or records
//!   that belong there are missing, the service does not sort, and the collection is read in full.
//! - **What was moved** is in the log; if the record itself was not at the top of that list, it is read.
//! - **What was deleted** is in the log, if the log covers the collection at all.
//! - **The proof** is a count: the list has as many records as the mirror if exactly one record is at the offset of the
//!   last one. A deletion that is not in the log shows here, and then the collection is read in full.
//!
//! A collection that fits into one page is simply read: that is the one request the top of its list would cost.
//! If many collections are wanted, those of which the log proves that nothing changed are checked in turn only, unless the
//! log was ever found to have missed a change. What counts is what the log says since the collection itself was refreshed:
//! other exports may have read the log since.
//!
//! Records that show values of others, such as an audit with the tag of its asset, are read anew when the log tells of
//! changes of those: nothing about the records themselves shows it.
//!
//! ```text
//! activity_log   what the log says since the last refresh
//! incremental    what changed in a collection, and the proof
//! full           every record of a collection
//! ```
//!
//! A collection changes in the mirror in one transaction: after an interruption the mirror is as it was before.

mod activity_log;
mod full;
mod incremental;

use std::collections::BTreeSet;
use std::fmt;

use super::file::{CollectionState, UpsertResult};
use super::log_delta::LogDelta;
use super::service_time::ServiceTime;
use super::{Mirror, MirrorError};
use crate::api::{ApiError, RawPage, RawRecord};
use crate::catalog::rescan::IncompleteList;
use crate::catalog::source::RecordSource;
use crate::error::{Error, ErrorKind};
use crate::schema::Entity;

/// The most requests of a refresh that finds no changes: beyond it, collections that the log does not mention take turns.
const REQUEST_BUDGET: u64 = 14;
/// How far below the watermark changes are looked for, in seconds: a slow transaction shows its records late.
const OVERLAP: i64 = 300;
/// How often a list that changes while it is read is read again.
const ATTEMPTS: u32 = 3;

/// How the mirror is brought up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefreshMode {
    /// By what changed, as far as that can be proved.
    Incremental,
    /// Every record of every collection is read.
    Full,
}

/// How a collection was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshMethod {
    /// Every record was read.
    Full,
    /// The changes were read, and a count proved them complete.
    Incremental,
    /// Not read: according to the log nothing happened.
    Unchanged,
}

/// What a refresh did to one collection.
#[derive(Debug, Clone, Copy)]
pub struct RefreshStats {
    pub entity: &'static Entity,
    pub how: RefreshMethod,
    /// Records in the mirror now.
    pub records: u64,
    pub added: u64,
    pub changed: u64,
    pub removed: u64,
    /// Most of the records are gone and nothing says why.
    pub loss: Option<CollectionLoss>,
}

/// Most of a collection is gone, and the activity log does not tell of deletions. The list was read again before that was
/// believed: a reply that is empty by mistake would empty the files of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct CollectionLoss {
    pub collection: &'static str,
    pub gone: u64,
    /// Records in the mirror before.
    pub known: u64,
}

impl fmt::Display for CollectionLoss {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { collection, gone, known } = self;
        write!(
            formatter,
            "{collection}: {gone} of {known} records are gone since the last export, and the activity log does not tell of \
             their deletion; the list was read twice"
        )
    }
}

/// Why the mirror could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError<E> {
    #[error(transparent)]
    Service(E),
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// The service does not keep its records in order, or somebody rewrites the whole list all the time.
    #[error("{collection} changed while it was being read: {detail}")]
    Unstable { collection: &'static str, detail: String },
    /// Every record has an integer `id` (field notes).
    #[error("unexpected response to `GET {collection}`: a record has no `id`")]
    MissingId { collection: &'static str },
    /// Records are missing in whatever order the list is read.
    #[error(transparent)]
    Incomplete(#[from] IncompleteList),
}

impl From<RefreshError<ApiError>> for Error {
    fn from(error: RefreshError<ApiError>) -> Self {
        match error {
            RefreshError::Service(error) => error.into(),
            RefreshError::Mirror(error) => error.into(),
            RefreshError::Incomplete(error) => error.into(),
            RefreshError::MissingId { .. } => {
                let hint = String::from("check that `--base-url` is the API's URL, ending in `/api/v1`");
                Error::new(ErrorKind::Refused, error.to_string(), Some(hint))
            }
            RefreshError::Unstable { .. } => {
                let hint = String::from("try again when fewer changes are made in the account");
                Error::new(ErrorKind::Refused, error.to_string(), Some(hint))
            }
        }
    }
}

/// What a refresh needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefreshOptions<'a> {
    pub mode: RefreshMode,
    /// Requests in flight.
    pub concurrency: usize,
    /// Now, as RFC 3339.
    pub now: &'a str,
}

/// A refresh in progress.
struct RefreshJob<'a, S> {
    mirror: &'a Mirror,
    source: &'a S,
    options: RefreshOptions<'a>,
    number: i64,
    longest_page: u32,
    on_progress: &'a mut dyn FnMut(&'static str, u64),
}

/// Counts what changed in a collection.
#[derive(Debug, Default)]
struct RefreshTally {
    /// Records stored in an empty mirror. They are not listed: there may be a million.
    first: u64,
    added: BTreeSet<i64>,
    changed: BTreeSet<i64>,
    removed: u64,
    loss: Option<CollectionLoss>,
    /// Set if every record was read.
    whole: Option<WholeCollection>,
}

/// What is known of a collection all of whose records were read.
#[derive(Debug)]
struct WholeCollection {
    records: u64,
    /// The latest `updated_at`.
    latest: Option<String>,
}

impl Mirror {
    /// Brings the mirrors of these collections up to date. `on_progress` gets the collection and how many of its
    /// records have been read.
    ///
    /// # Errors
    /// The service or the disk fails. Collections finished before stay refreshed, the others are as they were.
    pub(crate) async fn refresh<S: RecordSource>(
        &self,
        source: &S,
        wanted: &[&'static Entity],
        options: RefreshOptions<'_>,
        on_progress: &mut dyn FnMut(&'static str, u64),
    ) -> Result<Vec<RefreshStats>, RefreshError<S::Error>> {
        let mut job = RefreshJob {
            mirror: self,
            source,
            options,
            number: self.next_refresh()?,
            longest_page: self.longest_page()?,
            on_progress,
        };
        job.run(wanted).await
    }
}

impl<S: RecordSource> RefreshJob<'_, S> {
    async fn run(&mut self, wanted: &[&'static Entity]) -> Result<Vec<RefreshStats>, RefreshError<S::Error>> {
        self.refresh_log(wanted).await?;
        let skipped = self.skippable(wanted)?;
        let mut done = Vec::new();
        for entity in wanted.iter().copied() {
            done.push(if skipped.contains(entity.name) {
                self.mark_unchanged(entity)?
            } else {
                self.refresh_collection(entity).await?
            });
        }
        self.mirror.set_longest_page(self.longest_page)?;
        Ok(done)
    }

    /// Reads what the log says since it was read last, in one transaction. It is read for the collections that it covers,
    /// and for holders of things unless they are few: those are read whole.
    async fn refresh_log(&mut self, wanted: &[&'static Entity]) -> Result<(), RefreshError<S::Error>> {
        self.mirror.set_log_denied(false)?;
        let mut is_needed = false;
        for entity in wanted.iter().filter(|entity| LogDelta::tells_of(entity)) {
            is_needed |= entity.log_type().is_some() || !self.fits_a_page(self.mirror.file().count(entity)?);
        }
        if !is_needed {
            return Ok(());
        }
        self.mirror.file().begin()?;
        let read = self.read_log().await;
        if matches!(read, Ok(false)) {
            self.mirror.set_log_whole_since(self.number)?;
        }
        self.end_transaction(read).map(drop)
    }

    /// The collections that are not checked this time because the log proves that nothing changed: as many as it takes to
    /// stay in the budget, those checked most recently.
    fn skippable(&self, wanted: &[&'static Entity]) -> Result<BTreeSet<&'static str>, MirrorError> {
        if self.options.mode == RefreshMode::Full || !self.mirror.is_log_trusted()? {
            return Ok(BTreeSet::new());
        }
        let file = self.mirror.file();
        let mut cost = 1_u64;
        let mut quiet = Vec::new();
        for entity in wanted.iter().copied() {
            let Some(state) = file.state(entity)? else { return Ok(BTreeSet::new()) };
            let is_small = self.fits_a_page(file.count(entity)?);
            cost += if is_small { 1 } else { 2 };
            if is_small && self.log_since_refresh(entity)?.is_some_and(|log| log.proves_unchanged(entity)) {
                quiet.push((state.last_read, entity.name));
            }
        }
        quiet.sort_unstable_by(|one, other| other.cmp(one));
        let most = cost.saturating_sub(REQUEST_BUDGET) as usize;
        Ok(quiet.into_iter().take(most).map(|(_, name)| name).collect())
    }

    fn mark_unchanged(&self, entity: &'static Entity) -> Result<RefreshStats, MirrorError> {
        let file = self.mirror.file();
        if let Some(state) = file.state(entity)? {
            let refreshed_at = self.options.now.to_owned();
            self.set_refreshed(entity, &CollectionState { refreshed_at, refresh: self.number, ..state })?;
        }
        let records = file.count(entity)?;
        Ok(RefreshStats {
            entity,
            how: RefreshMethod::Unchanged,
            records,
            added: 0,
            changed: 0,
            removed: 0,
            loss: None,
        })
    }

    /// One collection, in one transaction.
    async fn refresh_collection(&mut self, entity: &'static Entity) -> Result<RefreshStats, RefreshError<S::Error>> {
        self.mirror.file().begin()?;
        let refreshed = self.read_collection(entity).await;
        self.end_transaction(refreshed)
    }

    fn end_transaction<T>(&self, done: Result<T, RefreshError<S::Error>>) -> Result<T, RefreshError<S::Error>> {
        match done {
            Ok(_) => self.mirror.file().commit()?,
            Err(_) => self.mirror.file().roll_back(),
        }
        done
    }

    /// Records that the mirror of the collection equals the service's, as far as the log was read.
    fn set_refreshed(&self, entity: &'static Entity, state: &CollectionState) -> Result<(), MirrorError> {
        let file = self.mirror.file();
        file.set_state(entity, state)?;
        self.mirror.set_log_known(entity, file.log_end()?)
    }

    async fn read_collection(&mut self, entity: &'static Entity) -> Result<RefreshStats, RefreshError<S::Error>> {
        let file = self.mirror.file();
        let known = file.state(entity)?;
        let mut tally = RefreshTally::default();
        let is_incremental =
            self.options.mode == RefreshMode::Incremental && known.is_some() && !self.fits_a_page(file.count(entity)?);
        let how = if is_incremental && self.read_changes(entity, known.as_ref(), &mut tally).await? {
            RefreshMethod::Incremental
        } else {
            self.read_all(entity, known.is_some(), &mut tally).await?;
            RefreshMethod::Full
        };
        self.assess_log(entity, &tally)?;
        if tally.may_have_new_fields() {
            file.observe_fields(entity)?;
        }
        let WholeCollection { records, latest } = match tally.whole.take() {
            Some(whole) => whole,
            None => WholeCollection { records: file.count(entity)?, latest: file.latest(entity)? },
        };
        let state = CollectionState {
            watermark: latest.map(|latest| self.capped(latest)),
            refreshed_at: self.options.now.to_owned(),
            refresh: self.number,
            last_read: self.number,
        };
        self.set_refreshed(entity, &state)?;
        let (added, changed) = (tally.first + tally.added.len() as u64, tally.changed.len() as u64);
        Ok(RefreshStats { entity, how, records, added, changed, removed: tally.removed, loss: tally.loss })
    }

    /// The watermark after this refresh: not later than now. A record that is stamped in the future would hide what
    /// changes until then.
    fn capped(&self, latest: String) -> String {
        match (ServiceTime::parse(&latest), ServiceTime::parse(self.options.now)) {
            (Some(time), Some(now)) if time > now => self.options.now.to_owned(),
            _ => latest,
        }
    }

    /// Inserts or updates a record that was read.
    fn upsert(
        &self,
        entity: &'static Entity,
        record: RawRecord<'_>,
        keep_previous: bool,
        tally: &mut RefreshTally,
    ) -> Result<UpsertResult, MirrorError> {
        let upserted = self.mirror.file().upsert(entity, record, (0, keep_previous), self.options.now)?;
        tally.add(upserted, record.id);
        Ok(upserted)
    }

    async fn page(
        &mut self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
    ) -> Result<RawPage, RefreshError<S::Error>> {
        let limit = self.source.page_limit();
        let page = self.source.raw_page(entity, filters, offset, limit).await.map_err(RefreshError::Service)?;
        self.longest_page = self.longest_page.max(page.len() as u32);
        Ok(page)
    }

    /// Whether the list ends with that page: it is empty, or shorter than others were.
    fn is_last(&self, page: &RawPage) -> bool {
        page.is_empty() || page.len() == 1 || (page.len() as u32) < self.longest_page
    }

    fn fits_a_page(&self, records: u64) -> bool {
        records < u64::from(self.source.page_limit())
    }
}

impl RefreshTally {
    /// Whether the fields of the records may be others than before.
    fn may_have_new_fields(&self) -> bool {
        self.whole.is_some() || self.removed > 0 || !self.added.is_empty() || !self.changed.is_empty()
    }

    fn add(&mut self, upserted: UpsertResult, id: Option<i64>) {
        let Some(id) = id else { return };
        match upserted {
            UpsertResult::Unchanged => {}
            UpsertResult::Added => drop(self.added.insert(id)),
            UpsertResult::Changed if !self.added.contains(&id) => drop(self.changed.insert(id)),
            UpsertResult::Changed => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_says_how_much_of_what_is_gone() {
        let loss = CollectionLoss { collection: "assets", gone: 9, known: 10 };
        assert!(loss.to_string().starts_with("assets: 9 of 10 records are gone since the last export"), "{loss}");
    }

    #[test]
    fn a_refresh_that_the_service_prevents_is_refused_with_what_to_do() {
        let errors = [
            RefreshError::MissingId { collection: "assets" },
            RefreshError::Unstable { collection: "assets", detail: String::from("records moved") },
        ];
        let told = errors.map(|error| {
            let error = Error::from(error);
            (error.kind(), error.to_string(), error.hint().unwrap_or_default())
        });
        assert_eq!(told[0].0, ErrorKind::Refused);
        assert_eq!(told[0].1, "unexpected response to `GET assets`: a record has no `id`");
        assert!(told[0].2.contains("--base-url"), "{}", told[0].2);
        assert_eq!(told[1].1, "assets changed while it was being read: records moved");
        assert!(told[1].2.contains("try again"), "{}", told[1].2);
    }
}
