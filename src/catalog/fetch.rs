//! RecordSource or searches, whichever costs less.
//!
//! No list says how long it is. RecordSource are read until one is short, and what was read is then all there is. A long
//! collection of which little is open is found out by a probe: once `p` pages are read and `u` records are still
//! to be found, one record is asked for `u` pages ahead. If there is one, the rest takes more than `u` pages, and `u`
//! exact searches are cheaper.

use std::collections::{BTreeMap, HashSet};
use std::mem;

use futures::{StreamExt, stream};
use serde_json::{Map, Value};

use super::collection_index::{CollectionIndex, Coverage, value_text};
use super::field_retention::{self, FieldRetention};
use super::lookup_request::{CollectionLookup, FetchScope, LookupRequest, SearchTexts, bare_number};
use super::{Catalog, RecordRef};
use crate::schema::{COLLECTIONS, Entity, Kind, TextForm};

/// A record as the client_source gives it: field name to value.
pub type Record = Map<String, Value>;

/// RecordSource always read before a probe: most collections end sooner, and suggestions want names.
const LEAST_PAGES: u64 = 5;
/// Records asked for by an exact search: enough for every record of one name, nearly always.
const SEARCH_LIMIT: u32 = 100;
/// Searches in flight at a time.
const SEARCHES_AT_ONCE: usize = 8;

/// Where records come from.
pub trait RecordSource {
    type Error;

    /// The most records that one page holds, as far as is known: it may shrink when a page is asked for.
    fn page_limit(&self) -> u32;

    /// Whether a page of `length`, asked for by `limit`, is the last one. A client_source may cut pages without a word.
    fn is_last(&self, length: usize, limit: u32) -> bool {
        length < limit as usize
    }

    /// The records from `offset` on, `limit` at most, whose fields hold exactly the values of `filters`.
    fn page(
        &self,
        entity: &'static Entity,
        filters: &[(&str, &str)],
        offset: u64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Record>, Self::Error>>;

    /// The record of that system id, `None` if the account has none.
    fn record(&self, entity: &'static Entity, id: i64) -> impl Future<Output = Result<Option<Record>, Self::Error>>;
}

/// What a collection cost to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchCost {
    pub collection: &'static str,
    pub requests: u64,
    /// Distinct records received.
    pub records: u64,
    pub how: FetchMethod,
}

/// FetchMethod a collection was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchMethod {
    Pages,
    /// Exact searches after the first pages.
    Searches,
}

impl Catalog {
    /// Fetches what `lookups` names, collection by collection in dependency order. Tells `on_progress` the collection
    /// and how many of its records have come so far.
    pub async fn fetch<P: RecordSource>(
        pages: &P,
        lookups: &LookupRequest,
        on_progress: &mut dyn FnMut(&str, u64),
    ) -> Result<Self, P::Error> {
        let mut catalog = Self::default();
        for entity in COLLECTIONS.iter().copied() {
            let Some(lookup) = lookups.get(entity.name) else { continue };
            let mut fetch = CollectionFetch::new(pages, entity, lookup, &mut *on_progress);
            fetch.run().await?;
            catalog.costs.push(fetch.cost);
            catalog.indexes.insert(entity.name, fetch.index);
        }
        Ok(catalog)
    }
}

/// One collection on its way.
struct CollectionFetch<'a, P> {
    pages: &'a P,
    entity: &'static Entity,
    field_retention: FieldRetention<'a>,
    open: OpenLookups,
    index: CollectionIndex,
    cost: FetchCost,
    on_progress: &'a mut dyn FnMut(&str, u64),
}

/// What happens after a full page.
enum NextRequest {
    ReadOn,
    Probe,
    Search,
}

impl<'a, P: RecordSource> CollectionFetch<'a, P> {
    fn new(
        pages: &'a P,
        entity: &'static Entity,
        lookup: &'a CollectionLookup,
        on_progress: &'a mut dyn FnMut(&str, u64),
    ) -> Self {
        let match_on: Vec<_> = lookup.match_on.iter().flatten().copied().collect();
        Self {
            pages,
            entity,
            field_retention: FieldRetention::new(entity, lookup),
            open: OpenLookups::new(entity, lookup),
            index: CollectionIndex::new(entity, &match_on),
            cost: FetchCost { collection: entity.name, requests: 0, records: 0, how: FetchMethod::Pages },
            on_progress,
        }
    }

    async fn run(&mut self) -> Result<(), P::Error> {
        let mut offset = 0;
        let mut read = 0;
        let mut is_probed = false;
        loop {
            let limit = self.pages.page_limit().max(1);
            let records = self.pages.page(self.entity, &[], offset, limit).await?;
            let is_last = self.pages.is_last(records.len(), limit);
            offset += records.len() as u64;
            read += 1;
            self.take(1, records);
            if is_last {
                self.index.coverage = Coverage::Whole;
                return Ok(());
            }
            match self.open.after(read) {
                NextRequest::ReadOn => {}
                NextRequest::Search => return self.search(limit).await,
                NextRequest::Probe if is_probed => {}
                NextRequest::Probe => {
                    is_probed = true;
                    let ahead = offset + self.open.open() * u64::from(limit);
                    let probe = self.pages.page(self.entity, &[], ahead, 1).await?;
                    let is_large = !probe.is_empty();
                    self.take(1, probe);
                    if is_large {
                        return self.search(limit).await;
                    }
                }
            }
        }
    }

    /// Looks every open text and id up.
    async fn search(&mut self, limit: u32) -> Result<(), P::Error> {
        let limit = limit.min(SEARCH_LIMIT);
        let (pages, entity) = (self.pages, self.entity);
        let texts = self.open.take_texts();
        let mut found = stream::iter(texts)
            .map(|(field, text)| async move {
                let answer = search_for(pages, entity, (field, &text), limit).await?;
                Ok((text, answer))
            })
            .buffered(SEARCHES_AT_ONCE);
        while let Some(result) = found.next().await {
            let (text, (requests, records)) = result?;
            self.cost.how = FetchMethod::Searches;
            if let Some(id) = bare_number(&text).filter(|_| records.is_empty()) {
                self.open.want_id(id);
            }
            self.take(requests, records);
        }
        self.look_ids_up().await
    }

    async fn look_ids_up(&mut self) -> Result<(), P::Error> {
        let (pages, entity) = (self.pages, self.entity);
        let mut ids = self.open.take_ids();
        ids.retain(|id| self.index.get(RecordRef::Known(*id)).is_none());
        let mut found = stream::iter(ids).map(|id| pages.record(entity, id)).buffered(SEARCHES_AT_ONCE);
        while let Some(result) = found.next().await {
            self.cost.how = FetchMethod::Searches;
            self.take(1, result?.into_iter().collect());
        }
        Ok(())
    }

    fn take(&mut self, requests: u64, records: Vec<Record>) {
        self.cost.requests += requests;
        for record in records {
            let Some(id) = record_id(&record) else { continue };
            self.open.settle(id, &record);
            self.index.insert(RecordRef::Known(id), self.field_retention.trim(id, record));
        }
        self.cost.records = self.index.entries().len() as u64;
        (self.on_progress)(self.entity.name, self.cost.records);
    }
}

/// All records whose field holds exactly that text, and the requests it took.
async fn search_for<P: RecordSource>(
    pages: &P,
    entity: &'static Entity,
    filter: (&str, &str),
    limit: u32,
) -> Result<(u64, Vec<Record>), P::Error> {
    let mut records = Vec::new();
    for requests in 1.. {
        let page = pages.page(entity, &[filter], records.len() as u64, limit).await?;
        let is_last = pages.is_last(page.len(), limit);
        records.extend(page);
        if is_last {
            return Ok((requests, records));
        }
    }
    Ok((u64::MAX, records))
}

/// The system id; some replies carry it as text.
fn record_id(record: &Record) -> Option<i64> {
    match record.get("id")? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => bare_number(text),
        _ => None,
    }
}

/// What exact searches would have to find. A name stays open although a page had it: a later page may have it again,
/// and two records of one name are for the user to describe_distinct apart. A unique field is settled by its exact text.
struct OpenLookups {
    scope: FetchScope,
    unique: Option<&'static str>,
    texts: BTreeMap<&'static str, HashSet<Box<str>>>,
    ids: HashSet<i64>,
}

impl OpenLookups {
    fn new(entity: &'static Entity, lookup: &CollectionLookup) -> Self {
        let texts = searches(entity, lookup);
        Self {
            scope: if texts.is_some() { lookup.scope } else { FetchScope::Whole },
            unique: field_retention::unique_field(entity),
            texts: texts.unwrap_or_default(),
            ids: lookup.ids.clone(),
        }
    }

    /// The requests that searching would take.
    fn open(&self) -> u64 {
        (self.texts.values().map(HashSet::len).sum::<usize>() + self.ids.len()) as u64
    }

    fn after(&self, pages_read: u64) -> NextRequest {
        match (self.scope, self.open()) {
            (FetchScope::Whole, _) => NextRequest::ReadOn,
            (FetchScope::Some, 0) => NextRequest::Search,
            (FetchScope::Some, open) if pages_read >= LEAST_PAGES.max(open) => NextRequest::Probe,
            _ => NextRequest::ReadOn,
        }
    }

    fn settle(&mut self, id: i64, record: &Record) {
        self.ids.remove(&id);
        let Some(unique) = self.unique else { return };
        if let (Some(texts), Some(text)) = (self.texts.get_mut(unique), value_text(record.get(unique))) {
            texts.remove(text.as_ref());
        }
    }

    fn want_id(&mut self, id: i64) {
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

/// The exact searches that would find what is open, by field; `None` where searches cannot.
fn searches(entity: &'static Entity, lookup: &CollectionLookup) -> Option<BTreeMap<&'static str, HashSet<Box<str>>>> {
    let (SearchTexts::Few(names), SearchTexts::Few(keys)) = (&lookup.names, &lookup.keys.texts) else { return None };
    let mut firsts: Vec<_> = lookup.match_on.iter().map(|match_on| match_on.first().copied()).collect();
    firsts.dedup();
    let key_field = match firsts.as_slice() {
        [] => None,
        [Some(field)] if finds_all(entity, field) => Some(*field),
        _ => return None,
    };
    let lookups = field_retention::lookup_fields(entity);
    let mut searches: BTreeMap<_, HashSet<_>> = BTreeMap::new();
    for name in names {
        let field = search_field(entity, &lookups, name)?;
        searches.entry(field).or_default().insert(name.clone());
    }
    if let Some(field) = key_field {
        searches.entry(field).or_default().extend(keys.iter().cloned());
    }
    Some(searches)
}

/// The field that a text names a record by: an address is no name.
fn search_field(entity: &'static Entity, lookups: &[&'static str], text: &str) -> Option<&'static str> {
    let is_email = |field: &&&str| entity.field(field).is_some_and(|field| field.kind == Kind::Text(TextForm::Email));
    let email = lookups.iter().find(is_email).filter(|_| text.contains('@'));
    email.or(lookups.first()).copied().filter(|field| finds_all(entity, field))
}

/// Whether exact searches on a field find every record that a sheet can mean by it. Another record of the same name in
/// other letters would escape them, and be created a second time: only fields that no two records share are searched.
fn finds_all(entity: &'static Entity, field: &str) -> bool {
    field_retention::is_searchable(entity, field) && field_retention::unique_field(entity) == Some(field)
}

#[cfg(test)]
mod tests;
