//! Records from the mirror if it was just brought up to date, from the service otherwise.
//!
//! A collection of a hundred thousand records takes a hundred requests to read, and a handful to bring its mirror up to
//! date: whoever exports an account every night looks names up in it for next to nothing. Collections of a page or two
//! are read from the service; that costs no more.

use super::lookup_request::LookupRequest;
use super::mirror::{Mirror, MirrorError, RefreshError, RefreshOptions};
use super::source::RecordSource;
use crate::api::{RawPage, Record, retype_texts};
use crate::schema::{COLLECTIONS, Entity};

/// From so many pages on, a collection is read from the mirror.
const LEAST_PAGES: u64 = 3;

/// A source, and a mirror for the collections that are up to date in it.
#[derive(Debug)]
pub(crate) struct CachedSource<'a, S> {
    source: &'a S,
    mirror: Option<&'a Mirror>,
    /// The collections that are up to date in the mirror.
    fresh: Vec<&'static Entity>,
}

impl<'a, S: RecordSource> CachedSource<'a, S> {
    /// Everything from the source.
    pub(crate) fn uncached(source: &'a S) -> Self {
        Self { source, mirror: None, fresh: Vec::new() }
    }

    /// Brings the large collections that `lookups` names up to date in the mirror, if they are in it.
    ///
    /// # Errors
    /// The service or the disk fails.
    pub(crate) async fn refreshed(
        source: &'a S,
        mirror: &'a Mirror,
        lookups: &LookupRequest,
        options: RefreshOptions<'_>,
    ) -> Result<Self, RefreshError<S::Error>> {
        let least = LEAST_PAGES * u64::from(source.page_limit());
        let mut fresh = Vec::new();
        for entity in COLLECTIONS.iter().copied().filter(|entity| lookups.get(entity.name).is_some()) {
            if mirror.refreshed_at(entity)?.is_some() && mirror.count(entity)? >= least {
                fresh.push(entity);
            }
        }
        if !fresh.is_empty() {
            mirror.refresh(source, &fresh, options, &mut |_, _| {}).await?;
        }
        Ok(Self { source, mirror: Some(mirror), fresh })
    }

    /// The collections that are read from the mirror, with their numbers of records.
    pub(crate) fn served(&self) -> Result<Vec<(&'static str, u64)>, MirrorError> {
        let Some(mirror) = self.mirror else { return Ok(Vec::new()) };
        self.fresh.iter().map(|entity| Ok((entity.name, mirror.count(entity)?))).collect()
    }

    fn mirror_of(&self, entity: &Entity) -> Option<&'a Mirror> {
        self.mirror.filter(|_| self.fresh.iter().any(|fresh| fresh.name == entity.name))
    }
}

impl<S: RecordSource> RecordSource for CachedSource<'_, S> {
    type Error = RefreshError<S::Error>;

    fn is_denied(error: &Self::Error) -> bool {
        matches!(error, RefreshError::Service(error) if S::is_denied(error))
    }

    fn page_limit(&self) -> u32 {
        self.source.page_limit()
    }

    fn is_last(&self, length: usize, limit: u32) -> bool {
        // The mirror never cuts a page, so what ends a list of the service ends one of the mirror.
        self.source.is_last(length, limit)
    }

    async fn raw_page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<RawPage, Self::Error> {
        match self.mirror_of(entity) {
            Some(mirror) if filters.is_empty() => Ok(mirror.page(entity, offset, limit)?),
            _ => self.source.raw_page(entity, filters, offset, limit).await.map_err(RefreshError::Service),
        }
    }

    async fn record(&self, entity: &'static Entity, id: i64) -> Result<Option<Record>, Self::Error> {
        match self.mirror_of(entity) {
            Some(mirror) => {
                let mut record: Option<Record> =
                    mirror.record(entity, id)?.and_then(|json| serde_json::from_str(&json).ok());
                record.iter_mut().for_each(|record| retype_texts(entity, record));
                Ok(record)
            }
            None => self.source.record(entity, id).await.map_err(RefreshError::Service),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::fake_source::{ReadFailure, UnreadableLog};

    #[test]
    fn a_list_is_closed_only_if_the_service_says_so() {
        type Source<'a> = CachedSource<'a, UnreadableLog<'a>>;
        assert!(Source::is_denied(&RefreshError::Service(ReadFailure::Denied)));
        assert!(!Source::is_denied(&RefreshError::Service(ReadFailure::Broken)));
        assert!(!Source::is_denied(&RefreshError::MissingId { collection: "assets" }));
    }
}
