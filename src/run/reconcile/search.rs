//! Reads the records needed to reconcile the steps of one collection, in the fewest requests.
//!
//! Either a scan of the whole list or exact searches, whichever takes fewer requests for all steps together. A list is
//! read so that no record can slip through: each page begins with the last record of the page before, and where it
//! does not, records were deleted or moved meanwhile and the list is read again.
//!
//! An exact search misses a record whose key the service stores in another spelling than it was sent. For e-mail
//! addresses, which services like to store in lower case, that form is searched for too. Asset tags and names are
//! assumed to be stored as sent: they come trimmed from the sheet, and folding them would merge what users keep apart.
//! A scan misses nothing of the kind.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value as Json;

use super::compare::{TagIds, normalized_key, search_key};
use crate::api::{Record, integer, record_id};
use crate::catalog::{RecordSource, may_go_on};
use crate::plan::{Step, WriteKind};
use crate::schema::{Entity, Field, Kind, Reference, TextForm, Wire};

/// Requests in flight at a time; the client has its own limit besides.
const CONCURRENT_REQUESTS: usize = 8;
/// How often a list that changes while it is read is read in all.
const MAX_READS: usize = 3;

/// The records to read from one collection.
#[derive(Debug)]
pub(super) struct RecordQuery {
    entity: &'static Entity,
    key: Option<&'static Field>,
    /// Values of the key to search for.
    values: BTreeSet<String>,
    /// The same values, normalized.
    normalized: HashSet<String>,
    /// Records that updates and deletes are about.
    ids: BTreeSet<i64>,
}

/// How the records are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SearchStrategy {
    /// The whole list, page by page.
    Scan,
    /// One request for each value or id.
    Lookups,
}

/// Whether a list stayed the same while it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consistency {
    Consistent,
    /// It changed during every attempt: a record that is missing from it may exist all the same.
    Inconsistent,
}

/// The records of one collection that were read.
#[derive(Debug)]
pub(super) struct CollectionSnapshot {
    /// Records whose key matches, each once.
    pub(super) records: Vec<Record>,
    /// Records that were read by id; none where the record does not exist.
    pub(super) by_id: HashMap<i64, Option<Record>>,
    /// Fields that at least one record reports.
    pub(super) reported_fields: HashSet<String>,
    pub(super) consistency: Consistency,
}

impl RecordQuery {
    pub(super) fn new(entity: &'static Entity, steps: &[&Step]) -> Self {
        let key = search_key(entity);
        let (values, normalized) = Default::default();
        let mut query = Self { entity, key, values, normalized, ids: BTreeSet::new() };
        for step in steps {
            match (step.write, key) {
                (WriteKind::Update(id) | WriteKind::Delete(id), _) => drop(query.ids.insert(id)),
                (WriteKind::Create, Some(field)) => query.add_value(field, step.body.get(field.name)),
                (WriteKind::Create, None) => {}
            }
        }
        query
    }

    fn add_value(&mut self, field: &'static Field, value: Option<&Json>) {
        let (Some(normalized), Some(text)) = (normalized_key(field, value), value.and_then(Json::as_str)) else {
            return;
        };
        self.normalized.insert(normalized);
        self.values.insert(text.to_owned());
        if field.kind == Kind::Text(TextForm::Email) {
            self.values.insert(text.to_lowercase());
        }
    }

    /// A scan takes a request for each page and one or two more to see the end; a search or a record takes one. Where the size
    /// of the collection is not known: lookups.
    pub(super) fn strategy(&self, size: Option<u64>, page_limit: u32) -> SearchStrategy {
        let lookups = (self.values.len() + self.ids.len()) as u64;
        match size {
            Some(size) if size.div_ceil(u64::from(page_limit.max(1))) + 1 < lookups => SearchStrategy::Scan,
            _ => SearchStrategy::Lookups,
        }
    }

    /// Reads the records. `size`: how many the collection holds, where known.
    pub(super) async fn fetch<S: RecordSource>(
        &self,
        service: &S,
        size: Option<u64>,
    ) -> Result<CollectionSnapshot, S::Error> {
        if self.strategy(size, service.page_limit()) == SearchStrategy::Scan {
            let (records, consistency) = read_list(service, self.entity, &[], 1).await?;
            if consistency == Consistency::Consistent {
                return Ok(self.select(records));
            }
        }
        self.look_up(service).await
    }

    /// Picks the records of the query out of a whole list.
    fn select(&self, records: Vec<Record>) -> CollectionSnapshot {
        let mut snapshot = CollectionSnapshot::new();
        snapshot.by_id = self.ids.iter().map(|id| (*id, None)).collect();
        for record in records {
            if let Some(id) = record_id(&record).filter(|id| self.ids.contains(id)) {
                snapshot.by_id.insert(id, Some(record.clone()));
            }
            snapshot.add(record, |record| self.is_match(record));
        }
        snapshot.deduplicated()
    }

    async fn look_up<S: RecordSource>(&self, service: &S) -> Result<CollectionSnapshot, S::Error> {
        let mut snapshot = CollectionSnapshot::new();
        if let Some(field) = self.key {
            let entity = self.entity;
            let mut lists = stream::iter(&self.values)
                .map(|text| async move { read_list(service, entity, &[(field.name, text)], MAX_READS).await })
                .buffered(CONCURRENT_REQUESTS);
            while let Some((records, consistency)) = lists.try_next().await? {
                if consistency == Consistency::Inconsistent {
                    snapshot.consistency = Consistency::Inconsistent;
                }
                for record in records {
                    // A service that does not know the filter returns everything.
                    snapshot.add(record, |record| self.is_match(record));
                }
            }
        }
        let ids = stream::iter(&self.ids).map(|id| async move { Ok((*id, service.record(self.entity, *id).await?)) });
        snapshot.by_id = ids.buffered(CONCURRENT_REQUESTS).try_collect().await?;
        Ok(snapshot.deduplicated())
    }

    /// Whether a record has one of the values.
    fn is_match(&self, record: &Record) -> bool {
        let Some(field) = self.key else { return false };
        normalized_key(field, record.get(field.name)).is_some_and(|key| self.normalized.contains(&key))
    }
}

impl CollectionSnapshot {
    fn new() -> Self {
        let (records, by_id, reported_fields) = Default::default();
        Self { records, by_id, reported_fields, consistency: Consistency::Consistent }
    }

    fn add(&mut self, record: Record, is_kept: impl Fn(&Record) -> bool) {
        for name in record.keys() {
            if !self.reported_fields.contains(name) {
                self.reported_fields.insert(name.clone());
            }
        }
        if is_kept(&record) {
            self.records.push(record);
        }
    }

    /// Two searches, or two pages, may return the same record.
    fn deduplicated(mut self) -> Self {
        let mut seen = HashSet::new();
        self.records.retain(|record| record_id(record).is_none_or(|id| seen.insert(id)));
        self
    }
}

/// Reads a list to its end, again from the start where it changes meanwhile, up to `max_reads` times in all.
async fn read_list<S: RecordSource>(
    service: &S,
    entity: &'static Entity,
    filters: &[(&str, &str)],
    max_reads: usize,
) -> Result<(Vec<Record>, Consistency), S::Error> {
    let mut records = Vec::new();
    for _ in 0..max_reads {
        let consistency;
        (records, consistency) = read_list_once(service, entity, filters).await?;
        if consistency == Consistency::Consistent {
            return Ok((records, consistency));
        }
    }
    Ok((records, Consistency::Inconsistent))
}

async fn read_list_once<S: RecordSource>(
    service: &S,
    entity: &'static Entity,
    filters: &[(&str, &str)],
) -> Result<(Vec<Record>, Consistency), S::Error> {
    let mut records: Vec<Record> = Vec::new();
    loop {
        let limit = service.page_limit().max(1);
        // Pages of one record cannot overlap and advance.
        let overlap = if limit > 1 { records.len().min(1) } else { 0 };
        let page = service.page(entity, filters, (records.len() - overlap) as u64, limit).await?;
        let is_last = service.is_last(page.len(), limit);
        let mut page = page.into_iter();
        if overlap == 1 {
            let (last, again) = (records.last().and_then(record_id), page.next().as_ref().and_then(record_id));
            if last != again {
                return Ok((records, Consistency::Inconsistent));
            }
        }
        let before = records.len();
        records.extend(page);
        // Otherwise a short page is no end: one more request asks from there.
        if records.len() == before || (is_last && !may_go_on(filters, records.len())) {
            return Ok((records, Consistency::Consistent));
        }
    }
}

/// The system ids of assets by tag, each looked up once.
#[derive(Debug, Default)]
pub(super) struct TagCache {
    pub(super) ids: TagIds,
}

impl TagCache {
    /// Looks up the tags that are not in the cache.
    pub(super) async fn resolve<S: RecordSource>(
        &mut self,
        service: &S,
        tags: BTreeSet<String>,
    ) -> Result<(), S::Error> {
        let Some((assets, field)) = tag_field() else { return Ok(()) };
        let unknown: Vec<String> = tags.into_iter().filter(|tag| !self.ids.contains_key(tag)).collect();
        let mut found = stream::iter(unknown)
            .map(|tag| async move {
                let asset = service.record_with(assets, field.name, &tag).await?;
                Ok((tag, asset.as_ref().and_then(record_id)))
            })
            .buffered(CONCURRENT_REQUESTS);
        while let Some((tag, id)) = found.try_next().await? {
            self.ids.insert(tag, id);
        }
        Ok(())
    }
}

/// The collection that is referenced by tag, and the field with the tag.
pub(super) fn tag_field() -> Option<(&'static Entity, &'static Field)> {
    let every = crate::schema::importable().flat_map(|entity| entity.fields);
    let to = every.filter_map(Field::reference_to).find(|reference| reference.wire == Wire::Tag)?.to;
    let entity = crate::schema::collection(to)?;
    Some((entity, entity.key.first().and_then(|name| entity.field(name))?))
}

/// The tags that a body references in these fields.
pub(super) fn referenced_tags(
    fields: impl Iterator<Item = &'static Field>,
    step: &Step,
) -> impl Iterator<Item = String> {
    let by_tag = |field: &&Field| matches!(field.kind, Kind::Reference(Reference { wire: Wire::Tag, .. }));
    let names: Vec<_> = fields.filter(by_tag).map(|field| field.name).collect();
    names.into_iter().filter_map(|name| Some(step.body.get(name)?.as_str()?.trim().to_owned()))
}

/// The tags needed to compare steps with records: those in fields where a record holds what may be a system id.
pub(super) fn required_tags<'r>(
    entity: &'static Entity,
    steps: &[&Step],
    records: impl Iterator<Item = &'r Record> + Clone,
) -> BTreeSet<String> {
    let holds_ids = |field: &Field| {
        records.clone().any(|record| match record.get(field.name) {
            Some(Json::Object(_)) => true,
            Some(value) => integer(value).is_some(),
            None => false,
        })
    };
    let fields: Vec<_> = entity.fields.iter().filter(|field| holds_ids(field)).collect();
    steps.iter().flat_map(|step| referenced_tags(fields.iter().copied(), step)).collect()
}
