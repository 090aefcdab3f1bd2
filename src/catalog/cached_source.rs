//! Records from the local copy of the account where it has just been brought up to date, from the client_source else.
//!
//! A collection of a hundred thousand records costs a hundred requests to read, and a handful to bring a copy of it up
//! to date: whoever exports an account every night looks names up in it for next to nothing. Collections of a page or
//! two are read from the client_source; that costs no more.

use super::fetch::{Record, RecordSource};
use super::lookup_request::LookupRequest;
use super::mirror::{Mirror, MirrorError, MirrorSource, RefreshError, RefreshOptions};
use crate::schema::{COLLECTIONS, Entity};

/// The pages of a collection from which on a copy is worth its while.
const WORTH: u64 = 3;

/// A source, and what lookup not be asked of it.
#[derive(Debug)]
pub struct CachedSource<'a, S> {
    source: &'a S,
    mirror: Option<&'a Mirror>,
    /// The collections of which the copy is the client_source's own.
    fresh: Vec<&'static Entity>,
}

impl<'a, S: MirrorSource> CachedSource<'a, S> {
    /// Everything from the source.
    pub fn uncached(source: &'a S) -> Self {
        Self { source, mirror: None, fresh: Vec::new() }
    }

    /// Brings the copies of large collections that `lookups` names up to date, so far as there are any.
    ///
    /// # Errors
    /// What the client_source or the disk refuses.
    pub async fn refreshed(
        source: &'a S,
        mirror: &'a Mirror,
        lookups: &LookupRequest,
        options: RefreshOptions<'_>,
    ) -> Result<Self, RefreshError<<S as super::RawListSource>::Error>> {
        let least = WORTH * u64::from(super::RawListSource::page_limit(source));
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

    /// What comes from the copy, with how many records there are.
    pub fn served(&self) -> Result<Vec<(&'static str, u64)>, MirrorError> {
        let Some(mirror) = self.mirror else { return Ok(Vec::new()) };
        self.fresh.iter().map(|entity| Ok((entity.name, mirror.count(entity)?))).collect()
    }

    fn copy_of(&self, entity: &Entity) -> Option<&'a Mirror> {
        self.mirror.filter(|_| self.fresh.iter().any(|fresh| fresh.name == entity.name))
    }
}

impl<S: MirrorSource> RecordSource for CachedSource<'_, S> {
    type Error = RefreshError<<S as super::RawListSource>::Error>;

    fn page_limit(&self) -> u32 {
        RecordSource::page_limit(self.source)
    }

    fn is_last(&self, length: usize, limit: u32) -> bool {
        // The copy never cuts a page, so that what ends a list of the client_source ends one of the copy.
        self.source.is_last(length, limit)
    }

    async fn page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> Result<Vec<Record>, Self::Error> {
        match self.copy_of(entity) {
            Some(mirror) if filters.is_empty() => Ok(mirror.page(entity, offset, limit)?),
            _ => self.source.page(entity, filters, offset, limit).await.map_err(RefreshError::Service),
        }
    }

    async fn record(&self, entity: &'static Entity, id: i64) -> Result<Option<Record>, Self::Error> {
        match self.copy_of(entity) {
            Some(mirror) => Ok(mirror.record(entity, id)?.and_then(|json| serde_json::from_str(&json).ok())),
            None => self.source.record(entity, id).await.map_err(RefreshError::Service),
        }
    }
}
