//! Fetches what a run needs of the account: by pages or by searches, whichever costs less.
//!
//! No list reports its length. Pages are read until one is short, and what was read is then the whole collection. If
//! little of a long collection is needed, a probe finds out: once `p` pages are read and `u` records are still to be
//! found, one record is requested `u` pages ahead. If there is one, the rest takes more than `u` pages, and `u` exact
//! searches are cheaper. What they do not find may be there in other letters or behind leading zeros, and would be created a
//! second time: then the rest is read all the same.

use std::collections::{BTreeMap, HashSet};
use std::mem;

use futures::{StreamExt, stream};

use super::collection_index::{CollectionIndex, Coverage};
use super::field_retention::FieldRetention;
use super::field_text::value_text;
use super::key_fields::{is_searchable, lookup_fields, unique_field};
use super::lookup_request::{CollectionLookup, FetchScope, LookupRequest, SearchTexts};
use super::pager::Pager;
use super::rescan::{IncompleteList, Rescan};
use super::source::RecordSource;
use super::system_id::bare_id;
use super::{Catalog, RecordRef, record_kinds};
use crate::api::{Record, record_id};
use crate::error::Error;
use crate::schema::{COLLECTIONS, CUSTOM_FIELDS, Entity, Kind, TextForm};

/// Pages always read before a probe: most collections end sooner, and suggestions need names.
const LEAST_PAGES: u64 = 5;
/// Records requested by an exact search: enough for every record of one name, nearly always.
const SEARCH_LIMIT: u32 = 100;
/// Searches in flight at a time.
const CONCURRENT_SEARCHES: usize = 8;

/// What fetching a collection cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FetchCost {
    pub collection: &'static str,
    pub requests: u64,
    /// Distinct records received.
    pub records: u64,
    pub how: FetchMethod,
}

/// How a collection was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FetchMethod {
    Pages,
    /// Exact searches after the first pages.
    Searches,
}

/// Why what a run needs of the account could not be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FetchError<E> {
    #[error(transparent)]
    Source(E),
    /// A name that is not found may be that of a record which is missing, and would be created a second time.
    #[error(transparent)]
    Incomplete(#[from] IncompleteList),
}

impl<E> From<FetchError<E>> for Error
where
    Error: From<E>,
{
    fn from(error: FetchError<E>) -> Self {
        match error {
            FetchError::Source(error) => error.into(),
            FetchError::Incomplete(error) => error.into(),
        }
    }
}

impl Catalog {
    /// Fetches what `lookups` names, collection by collection in dependency order. `on_progress` gets the collection and
    /// how many of its records have been received.
    ///
    /// # Errors
    /// The source cannot be read, or a list of which every record is needed leaves some out.
    pub(crate) async fn fetch<S: RecordSource>(
        source: &S,
        lookups: &LookupRequest,
        on_progress: &mut dyn FnMut(&str, u64),
    ) -> Result<Self, FetchError<S::Error>> {
        let mut catalog = Self::default();
        for entity in COLLECTIONS.iter().copied() {
            let Some(lookup) = lookups.get(entity.name) else { continue };
            let mut fetch = CollectionFetch::new(source, entity, lookup, &mut *on_progress);
            if let Some(field) = record_kinds::counted_field(lookups, entity) {
                fetch.retention = fetch.retention.also_keeping(field);
            }
            fetch.run().await?;
            if lookup.writes_custom_fields {
                fetch.read_custom_fields().await.map_err(FetchError::Source)?;
            }
            catalog.costs.push(fetch.cost);
            catalog.indexes.insert(entity.name, fetch.index);
        }
        catalog.count_usage(source, lookups).await.map_err(FetchError::Source)?;
        Ok(catalog)
    }
}

/// The fetch of one collection, in progress.
struct CollectionFetch<'a, S> {
    source: &'a S,
    entity: &'static Entity,
    retention: FieldRetention<'a>,
    open: OpenLookups,
    index: CollectionIndex,
    cost: FetchCost,
    on_progress: &'a mut dyn FnMut(&str, u64),
}

/// Whether searches found all that they looked for. What is written in other letters, or with leading zeros, an exact search
/// does not find, so that only the whole list shows that there is no such record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SearchCompleteness {
    Complete,
    Incomplete,
}

/// How reading page by page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PagesEnd {
    /// What is needed was read.
    Enough,
    /// The list was read to its end, but its pages may have left records out.
    Reordered,
}

/// What to request after a full page.
enum NextRequest {
    Page,
    Probe,
    Searches,
}

impl<'a, S: RecordSource> CollectionFetch<'a, S> {
    fn new(
        source: &'a S,
        entity: &'static Entity,
        lookup: &'a CollectionLookup,
        on_progress: &'a mut dyn FnMut(&str, u64),
    ) -> Self {
        let match_on: Vec<_> = lookup.match_on.iter().flatten().chain(&lookup.also_by).copied().collect();
        Self {
            source,
            entity,
            retention: FieldRetention::new(entity, lookup),
            open: OpenLookups::new(entity, lookup),
            index: CollectionIndex::new(entity, &match_on),
            cost: FetchCost { collection: entity.name, requests: 0, records: 0, how: FetchMethod::Pages },
            on_progress,
        }
    }

    async fn run(&mut self) -> Result<(), FetchError<S::Error>> {
        if self.read_pages().await.map_err(FetchError::Source)? == PagesEnd::Reordered {
            self.rescan().await?;
        }
        Ok(())
    }

    /// Reads page by page as long as that is the cheapest way.
    async fn read_pages(&mut self) -> Result<PagesEnd, S::Error> {
        let mut pages = Pager::new(self.source, self.entity, &[]).overlapping();
        let (mut counted, mut is_probed, mut is_searched) = (0, false, false);
        while let Some(records) = pages.next().await? {
            self.receive(pages.requests() - counted, records);
            counted = pages.requests();
            if pages.seems_done() || is_searched {
                continue;
            }
            is_searched = match self.open.next_request(pages.requests()) {
                NextRequest::Page => false,
                NextRequest::Searches => true,
                NextRequest::Probe if is_probed => false,
                NextRequest::Probe => {
                    is_probed = true;
                    self.has_records_beyond(pages.offset()).await?
                }
            };
            if is_searched && self.search().await? == SearchCompleteness::Complete {
                self.cost.how = FetchMethod::Searches;
                return Ok(PagesEnd::Enough);
            }
        }
        self.receive(pages.requests() - counted, Vec::new());
        if pages.has_reordered_ties() {
            return Ok(PagesEnd::Reordered);
        }
        self.index.coverage = Coverage::Whole;
        Ok(PagesEnd::Enough)
    }

    /// Reads the whole list again for the records that its pages left out.
    async fn rescan(&mut self) -> Result<(), FetchError<S::Error>> {
        let mut rescan = Rescan::new(self.source, self.entity, &[]);
        let mut counted = 0;
        while let Some(page) = rescan.next_page(self.cost.records).await.map_err(FetchError::Source)? {
            self.receive(rescan.requests() - counted, page.to_records(self.entity));
            counted = rescan.requests();
        }
        self.receive(rescan.requests() - counted, Vec::new());
        rescan.check(self.cost.records)?;
        self.index.coverage = Coverage::Whole;
        Ok(())
    }

    /// Whether the list has a record as many pages behind `offset` as there are open lookups.
    async fn has_records_beyond(&mut self, offset: u64) -> Result<bool, S::Error> {
        let ahead = offset + self.open.count() * u64::from(self.source.page_limit().max(1));
        let probe = self.source.page(self.entity, &[], ahead, 1).await?;
        let has_records = !probe.is_empty();
        self.receive(1, probe);
        Ok(has_records)
    }

    /// Searches for every open text and id.
    async fn search(&mut self) -> Result<SearchCompleteness, S::Error> {
        let (source, entity, stand_in) = (self.source, self.entity, self.open.stand_in);
        let texts = self.open.take_texts();
        let mut found = SearchCompleteness::Complete;
        let mut results = stream::iter(texts)
            .map(|(field, text)| async move {
                let (mut requests, mut records) = search_field_for(source, entity, field, &text).await?;
                if let Some(stand_in) = stand_in.filter(|_| records.is_empty()) {
                    let found = search_field_for(source, entity, stand_in, &text).await?;
                    (requests, records) = (requests + found.0, found.1);
                }
                Ok((text, requests, records))
            })
            .buffered(CONCURRENT_SEARCHES);
        while let Some(result) = results.next().await {
            let (text, requests, records) = result?;
            if records.is_empty() {
                if text.chars().any(char::is_alphabetic) || self.retention.may_lack_zeros(&text) {
                    found = SearchCompleteness::Incomplete;
                }
                if let Some(id) = bare_id(&text) {
                    self.open.add_id(id);
                }
            }
            self.receive(requests, records);
        }
        self.look_up_ids().await?;
        Ok(found)
    }

    async fn look_up_ids(&mut self) -> Result<(), S::Error> {
        let (source, entity) = (self.source, self.entity);
        let mut ids = self.open.take_ids();
        ids.retain(|id| self.index.get(RecordRef::Known(*id)).is_none());
        let mut results = stream::iter(ids).map(|id| source.record(entity, id)).buffered(CONCURRENT_SEARCHES);
        while let Some(result) = results.next().await {
            self.receive(1, result?.into_iter().collect());
        }
        Ok(())
    }

    /// A list may leave out the custom fields, of which the guide says nothing. Then those of the records that rows may match
    /// are read one by one: a write that knew of none would delete them.
    async fn read_custom_fields(&mut self) -> Result<(), S::Error> {
        let (source, entity) = (self.source, self.entity);
        let entries = self.index.entries();
        if entries.iter().any(|entry| entry.record.contains_key(CUSTOM_FIELDS)) {
            return Ok(());
        }
        let ids = entries.iter().filter_map(|entry| match entry.target {
            RecordRef::Known(id) => self.retention.retains_whole(id, &entry.record).then_some(id),
            RecordRef::Planned(_) => None,
        });
        let ids: Vec<i64> = ids.collect();
        let mut results = stream::iter(ids)
            .map(|id| async move { Ok((id, source.record(entity, id).await?)) })
            .buffered(CONCURRENT_SEARCHES);
        while let Some(result) = results.next().await {
            let (id, record) = result?;
            self.cost.requests += 1;
            if let Some(fields) = record.and_then(|mut record| record.remove(CUSTOM_FIELDS)) {
                self.index.add_field(RecordRef::Known(id), CUSTOM_FIELDS, fields);
            }
        }
        Ok(())
    }

    fn receive(&mut self, requests: u64, records: Vec<Record>) {
        self.cost.requests += requests;
        for record in records {
            let Some(id) = record_id(&record) else { continue };
            self.open.resolve(id, &record);
            self.index.insert(RecordRef::Known(id), self.retention.trim(id, record));
        }
        self.cost.records = self.index.entries().len() as u64;
        (self.on_progress)(self.entity.name, self.cost.records);
    }
}

/// The records that have exactly this text in a field, and the requests that it took to find them.
async fn search_field_for<S: RecordSource>(
    source: &S,
    entity: &'static Entity,
    field: &str,
    text: &str,
) -> Result<(u64, Vec<Record>), S::Error> {
    let filters = [(field, text)];
    let mut pages = Pager::new(source, entity, &filters).with_limit(SEARCH_LIMIT);
    let records = pages.rest().await?;
    Ok((pages.requests(), records))
}

/// What exact searches would have to find. A name stays open although a page had it: a later page may have it again, and
/// two records of one name are for the user to choose from. A unique field is resolved by its exact text.
struct OpenLookups {
    scope: FetchScope,
    unique: Option<&'static str>,
    texts: BTreeMap<&'static str, HashSet<Box<str>>>,
    ids: HashSet<i64>,
    /// The field that is searched for a text which no record has in its own.
    stand_in: Option<&'static str>,
}

impl OpenLookups {
    fn new(entity: &'static Entity, lookup: &CollectionLookup) -> Self {
        let texts = searches(entity, lookup);
        Self {
            scope: if texts.is_some() { lookup.scope } else { FetchScope::Whole },
            unique: unique_field(entity),
            texts: texts.unwrap_or_default(),
            ids: lookup.ids.clone(),
            stand_in: lookup.stand_in.filter(|field| is_searchable(entity, field)),
        }
    }

    /// The requests that searching would take at most.
    fn count(&self) -> u64 {
        let fields = 1 + usize::from(self.stand_in.is_some());
        (self.texts.values().map(HashSet::len).sum::<usize>() * fields + self.ids.len()) as u64
    }

    fn next_request(&self, pages_read: u64) -> NextRequest {
        match (self.scope, self.count()) {
            (FetchScope::Whole, _) => NextRequest::Page,
            (FetchScope::Referenced, 0) => NextRequest::Searches,
            (FetchScope::Referenced, open) if pages_read >= LEAST_PAGES.max(open) => NextRequest::Probe,
            _ => NextRequest::Page,
        }
    }

    fn resolve(&mut self, id: i64, record: &Record) {
        self.ids.remove(&id);
        let Some(unique) = self.unique else { return };
        if let (Some(texts), Some(text)) = (self.texts.get_mut(unique), value_text(record.get(unique))) {
            texts.remove(text.as_ref());
        }
    }

    fn add_id(&mut self, id: i64) {
        self.ids.insert(id);
    }

    fn take_texts(&mut self) -> Vec<(&'static str, Box<str>)> {
        let taken = mem::take(&mut self.texts).into_iter();
        let mut texts: Vec<_> =
            taken.flat_map(|(field, texts)| texts.into_iter().map(move |text| (field, text))).collect();
        texts.sort_unstable();
        texts
    }

    fn take_ids(&mut self) -> Vec<i64> {
        let mut ids: Vec<_> = mem::take(&mut self.ids).into_iter().collect();
        ids.sort_unstable();
        ids
    }
}

/// The exact searches that would find what is needed, by field; none if searches cannot.
fn searches(entity: &'static Entity, lookup: &CollectionLookup) -> Option<BTreeMap<&'static str, HashSet<Box<str>>>> {
    let (SearchTexts::Few(names), SearchTexts::Few(keys)) = (&lookup.names, &lookup.keys.texts) else { return None };
    let mut firsts: Vec<_> = lookup.match_on.iter().map(|match_on| match_on.first().copied()).collect();
    firsts.dedup();
    let key_field = match firsts.as_slice() {
        [] => None,
        [Some(field)] if finds_all(entity, field) => Some(*field),
        _ => return None,
    };
    let fields = lookup_fields(entity);
    let mut searches: BTreeMap<_, HashSet<_>> = BTreeMap::new();
    for name in names {
        let field = search_field(entity, &fields, name)?;
        searches.entry(field).or_default().insert(name.clone());
    }
    if let Some(field) = key_field {
        searches.entry(field).or_default().extend(keys.iter().cloned());
    }
    Some(searches)
}

/// The field by which a text names a record: an e-mail address is not a name.
fn search_field(entity: &'static Entity, fields: &[&'static str], text: &str) -> Option<&'static str> {
    let is_email = |field: &&&str| entity.field(field).is_some_and(|field| field.kind == Kind::Text(TextForm::Email));
    let email = fields.iter().find(is_email).filter(|_| text.contains('@'));
    email.or(fields.first()).copied().filter(|field| finds_all(entity, field))
}

/// Whether a record that an exact search on a field finds is the one that a sheet means: only fields that no two records
/// share are searched, since another record of the same name would be missed.
fn finds_all(entity: &'static Entity, field: &str) -> bool {
    is_searchable(entity, field) && unique_field(entity) == Some(field)
}

#[cfg(test)]
mod tests;
