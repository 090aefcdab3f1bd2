//! Every record of a collection, or of a filtered list.

use super::super::log_delta::LastEvent;
use super::super::{Mirror, MirrorError};
use super::{ATTEMPTS, CollectionLoss, RefreshError, RefreshJob, RefreshOptions, RefreshTally, WholeCollection};
use crate::api::RawRecord;
use crate::catalog::list_scan::{Instability, ListScan, ScanError, UnstableList};
use crate::catalog::source::RecordSource;
use crate::schema::Entity;

/// Records between two calls of `on_progress`.
const PROGRESS_STEP: u64 = 1_000;

impl Mirror {
    /// Reads one list, which may be filtered, into this mirror: for parts of an account, and for lists that are not
    /// mirrored. Returns how many records were read.
    ///
    /// # Errors
    /// The service or the disk fails.
    pub(crate) async fn read<S: RecordSource>(
        &self,
        source: &S,
        (entity, filters): (&'static Entity, &[(&str, &str)]),
        options: RefreshOptions<'_>,
        on_progress: &mut dyn FnMut(&'static str, u64),
    ) -> Result<u64, RefreshError<S::Error>> {
        let concurrency = options.concurrency;
        let mut detail = String::new();
        for _ in 0..ATTEMPTS {
            self.file().begin()?;
            self.file().empty(entity)?;
            let longest_page = self.longest_page()?;
            let scan = ListScan { entity, filters, expected: None, concurrency, longest_page, confirmed_end: None };
            let mut inserter = self.file().inserter(entity)?;
            let mut read = 0;
            let mut take = |record: RawRecord<'_>| {
                read += 1;
                if read % PROGRESS_STEP == 0 {
                    on_progress(entity.name, read);
                }
                // Entries of the log have no id (field notes): they are numbered in the order of their arrival.
                let id = record.id.or_else(|| i64::try_from(read).ok());
                inserter.insert(RawRecord { id, ..record }, 0)
            };
            match scan.run(source, &mut take).await {
                Ok(stats) => {
                    self.file().observe_fields(entity)?;
                    self.set_longest_page(self.longest_page()?.max(stats.longest_page))?;
                    self.file().commit()?;
                    return Ok(read);
                }
                Err(error) => {
                    self.file().roll_back();
                    detail = retryable(error)?;
                }
            }
        }
        Err(RefreshError::Unstable { collection: entity.name, detail })
    }
}

impl<S: RecordSource> RefreshJob<'_, S> {
    /// Reads every record of a collection, and removes those that are gone.
    pub(super) async fn read_all(
        &mut self,
        entity: &'static Entity,
        is_known: bool,
        tally: &mut RefreshTally,
    ) -> Result<(), RefreshError<S::Error>> {
        let mut detail = String::new();
        let before = self.mirror.file().count(entity)?;
        for attempt in 1..=ATTEMPTS {
            let number = self.number * i64::from(ATTEMPTS + 1) + i64::from(attempt);
            let file = self.mirror.file();
            let known = file.count(entity)?;
            match self.scan(entity, (is_known, known), number, tally).await {
                Ok(()) if known == 0 => return Ok(()),
                Ok(()) => {
                    let loss = self.loss(entity, before, tally)?;
                    if tally.loss.is_none() && loss.is_some() {
                        tally.loss = loss;
                        detail = String::from("most of its records were gone");
                        continue;
                    }
                    tally.loss = loss;
                    let keep_previous = file.keeps_previous(entity)?;
                    tally.removed += file.remove_unseen(entity, number, keep_previous, self.options.now)?;
                    return Ok(());
                }
                Err(error) => detail = retryable(error)?,
            }
        }
        Err(RefreshError::Unstable { collection: entity.name, detail })
    }

    /// Whether most of the records that there were before were not in the list, and the log does not say that they were
    /// deleted.
    fn loss(
        &self,
        entity: &'static Entity,
        before: u64,
        tally: &RefreshTally,
    ) -> Result<Option<CollectionLoss>, MirrorError> {
        let read = tally.whole.as_ref().map_or(0, |whole| whole.records);
        let gone = self.mirror.file().count(entity)?.saturating_sub(read);
        if before == 0 || gone * 2 <= before {
            return Ok(None);
        }
        let is_deleted = |(_, last): &(i64, LastEvent)| *last == LastEvent::Deleted;
        let log = self.log_since_refresh(entity)?.unwrap_or_default();
        let is_explained = log.about(entity).filter(is_deleted).count() as u64 >= gone;
        Ok((!is_explained).then_some(CollectionLoss { collection: entity.name, gone, known: before }))
    }

    async fn scan(
        &mut self,
        entity: &'static Entity,
        (is_known, known): (bool, u64),
        number: i64,
        tally: &mut RefreshTally,
    ) -> Result<(), ScanError<S::Error, MirrorError>> {
        let file = self.mirror.file();
        let keep_previous = file.keeps_previous(entity).map_err(ScanError::Take)?;
        let mut inserter = file.inserter(entity).map_err(ScanError::Take)?;
        let scan = ListScan {
            entity,
            filters: &[],
            expected: is_known.then_some(known),
            concurrency: self.options.concurrency,
            longest_page: self.longest_page,
            confirmed_end: self.mirror.confirmed_end(entity).map_err(ScanError::Take)?,
        };
        let (mut read, mut latest) = (0, String::new());
        let (now, on_progress) = (self.options.now, &mut *self.on_progress);
        let mut take = |record: RawRecord<'_>| {
            read += 1;
            if read % PROGRESS_STEP == 0 {
                on_progress(entity.name, read);
            }
            if let Some(updated_at) = record.updated_at.filter(|updated_at| *updated_at > latest.as_str()) {
                updated_at.clone_into(&mut latest);
            }
            if is_known || known > 0 {
                let upserted = file.upsert(entity, record, (number, keep_previous), now)?;
                tally.add(upserted, record.id);
            } else {
                inserter.insert(record, number)?;
                tally.first += 1;
            }
            Ok(())
        };
        let stats = scan.run(self.source, &mut take).await?;
        on_progress(entity.name, read);
        tally.whole =
            Some(WholeCollection { records: stats.records, latest: Some(latest).filter(|at| !at.is_empty()) });
        self.longest_page = self.longest_page.max(stats.longest_page);
        self.mirror.set_confirmed_end(entity, stats.records).map_err(ScanError::Take)
    }
}

/// Why a scan has to be repeated; an error if that would not help.
fn retryable<E>(error: ScanError<E, MirrorError>) -> Result<String, RefreshError<E>> {
    match error {
        ScanError::Service(error) => Err(RefreshError::Service(error)),
        ScanError::Take(error) => Err(RefreshError::Mirror(error)),
        ScanError::Unstable(UnstableList { entity, instability: Instability::MissingId, .. }) => {
            Err(RefreshError::MissingId { collection: entity })
        }
        ScanError::Unstable(unstable) => Ok(unstable.to_string()),
        ScanError::Incomplete(incomplete) => Err(RefreshError::Incomplete(incomplete)),
    }
}
