//! What has to be looked at to settle the steps of one collection, in the fewest requests.
//!
//! Whole pages or exact searches, whichever is fewer for all steps together. Either way a list is read so that it
//! cannot lose a record: each page begins with the last record of the page before, and where it does not, something
//! was deleted or moved while the list was read, and it is read anew.
//!
//! An exact search misses a record whose key the service stores in other letters than it was sent. For addresses,
//! which services like to store in small letters, that form is searched too. Asset tags and names are taken to be
//! stored as sent: they come trimmed from the sheet, and folding them would merge what users keep apart. Pages miss
//! nothing of the kind.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value as Json;

use super::compare::{Tags, folded, integer, telling_field};
use crate::api::{Record, record_id};
use crate::catalog::RecordSource;
use crate::plan::{Step, WriteKind};
use crate::schema::{Entity, Field, Kind, Reference, TextForm, Wire};

/// Requests in flight at a time; the client has its own limit beside it.
const AT_ONCE: usize = 8;
/// How often a list that moves while it is read is begun again.
const READINGS: usize = 3;

/// What is wanted of one collection.
#[derive(Debug)]
pub(super) struct Wanted {
    entity: &'static Entity,
    telling: Option<&'static Field>,
    /// Values of the telling field to search for.
    texts: BTreeSet<String>,
    /// The same, in the form in which records are sorted out.
    folded: HashSet<String>,
    /// Records that updates and deletes are about.
    ids: BTreeSet<i64>,
}

/// How it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Pages,
    Searches,
}

/// Whether a list was read whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Whole,
    /// It changed under every reading: what is not in it may be there all the same.
    Torn,
}

/// What was seen of one collection.
#[derive(Debug)]
pub(super) struct Seen {
    /// Records that may be one of those looked for, each once.
    pub(super) records: Vec<Record>,
    /// Records that were asked for by id; none where there is no such record.
    pub(super) by_id: HashMap<i64, Option<Record>>,
    /// Fields that any record carried.
    pub(super) carried: HashSet<String>,
    pub(super) reading: Reading,
}

impl Wanted {
    pub(super) fn new(entity: &'static Entity, steps: &[&Step]) -> Self {
        let telling = telling_field(entity);
        let (texts, folded) = Default::default();
        let mut wanted = Self { entity, telling, texts, folded, ids: BTreeSet::new() };
        for step in steps {
            match (step.write, telling) {
                (WriteKind::Update(id) | WriteKind::Delete(id), _) => drop(wanted.ids.insert(id)),
                (WriteKind::Create, Some(field)) => wanted.want(field, step.body.get(field.name)),
                (WriteKind::Create, None) => {}
            }
        }
        wanted
    }

    fn want(&mut self, field: &'static Field, value: Option<&Json>) {
        let (Some(folded), Some(text)) = (folded(field, value), value.and_then(Json::as_str)) else { return };
        self.folded.insert(folded);
        self.texts.insert(text.to_owned());
        if field.kind == Kind::Text(TextForm::Email) {
            self.texts.insert(text.to_lowercase());
        }
    }

    /// Pages take one request each and one more to be sure of the end; a search or a record takes one. Where the size
    /// is not known, searches.
    pub(super) fn way(&self, size: Option<u64>, page_limit: u32) -> Way {
        let searches = (self.texts.len() + self.ids.len()) as u64;
        match size {
            Some(size) if size.div_ceil(u64::from(page_limit.max(1))) + 1 < searches => Way::Pages,
            _ => Way::Searches,
        }
    }

    /// Looks.
    pub(super) async fn look<S: RecordSource>(&self, service: &S, size: Option<u64>) -> Result<Seen, S::Error> {
        if self.way(size, service.page_limit()) == Way::Pages {
            let (records, reading) = read(service, self.entity, &[], 1).await?;
            if reading == Reading::Whole {
                return Ok(self.sort_out(records));
            }
        }
        self.search(service).await
    }

    /// Out of a whole collection, what was looked for.
    fn sort_out(&self, records: Vec<Record>) -> Seen {
        let mut seen = Seen::new();
        seen.by_id = self.ids.iter().map(|id| (*id, None)).collect();
        for record in records {
            if let Some(id) = record_id(&record).filter(|id| self.ids.contains(id)) {
                seen.by_id.insert(id, Some(record.clone()));
            }
            seen.add(record, |record| self.may_be_meant(record));
        }
        seen.once()
    }

    async fn search<S: RecordSource>(&self, service: &S) -> Result<Seen, S::Error> {
        let mut seen = Seen::new();
        if let Some(field) = self.telling {
            let entity = self.entity;
            let mut lists = stream::iter(&self.texts)
                .map(|text| async move { read(service, entity, &[(field.name, text)], READINGS).await })
                .buffered(AT_ONCE);
            while let Some((records, reading)) = lists.try_next().await? {
                if reading == Reading::Torn {
                    seen.reading = Reading::Torn;
                }
                for record in records {
                    // A service that does not know the filter gives everything.
                    seen.add(record, |record| self.may_be_meant(record));
                }
            }
        }
        let ids = stream::iter(&self.ids).map(|id| async move { Ok((*id, service.record(self.entity, *id).await?)) });
        seen.by_id = ids.buffered(AT_ONCE).try_collect().await?;
        Ok(seen.once())
    }

    /// Whether a record has one of the telling values.
    fn may_be_meant(&self, record: &Record) -> bool {
        let Some(field) = self.telling else { return false };
        folded(field, record.get(field.name)).is_some_and(|folded| self.folded.contains(&folded))
    }
}

impl Seen {
    fn new() -> Self {
        Self { records: Vec::new(), by_id: HashMap::new(), carried: HashSet::new(), reading: Reading::Whole }
    }

    fn add(&mut self, record: Record, is_kept: impl Fn(&Record) -> bool) {
        for name in record.keys() {
            if !self.carried.contains(name) {
                self.carried.insert(name.clone());
            }
        }
        if is_kept(&record) {
            self.records.push(record);
        }
    }

    /// Two searches, or two pages, may show one record.
    fn once(mut self) -> Self {
        let mut known = HashSet::new();
        self.records.retain(|record| record_id(record).is_none_or(|id| known.insert(id)));
        self
    }
}

/// A list to its end, begun anew up to `readings` times in all where it moves meanwhile.
async fn read<S: RecordSource>(
    service: &S,
    entity: &'static Entity,
    filters: &[(&str, &str)],
    readings: usize,
) -> Result<(Vec<Record>, Reading), S::Error> {
    let mut records = Vec::new();
    for _ in 0..readings {
        let reading;
        (records, reading) = read_once(service, entity, filters).await?;
        if reading == Reading::Whole {
            return Ok((records, reading));
        }
    }
    Ok((records, Reading::Torn))
}

async fn read_once<S: RecordSource>(
    service: &S,
    entity: &'static Entity,
    filters: &[(&str, &str)],
) -> Result<(Vec<Record>, Reading), S::Error> {
    let mut records: Vec<Record> = Vec::new();
    loop {
        let limit = service.page_limit().max(1);
        // A page of one cannot overlap and get on.
        let overlap = if limit > 1 { records.len().min(1) } else { 0 };
        let page = service.page(entity, filters, (records.len() - overlap) as u64, limit).await?;
        let is_last = service.is_last(page.len(), limit);
        let mut page = page.into_iter();
        if overlap == 1 {
            let (last, again) = (records.last().and_then(record_id), page.next().as_ref().and_then(record_id));
            if last != again {
                return Ok((records, Reading::Torn));
            }
        }
        let before = records.len();
        records.extend(page);
        if is_last || records.len() == before {
            return Ok((records, Reading::Whole));
        }
    }
}

/// The system ids of assets by their tags, asked once each.
#[derive(Debug, Default)]
pub(super) struct TagBook {
    pub(super) ids: Tags,
}

impl TagBook {
    /// Looks up the tags that are not known yet.
    pub(super) async fn learn<S: RecordSource>(&mut self, service: &S, tags: BTreeSet<String>) -> Result<(), S::Error> {
        let Some((assets, field)) = tagged() else { return Ok(()) };
        let unknown: Vec<String> = tags.into_iter().filter(|tag| !self.ids.contains_key(tag)).collect();
        let mut found = stream::iter(unknown)
            .map(|tag| async move {
                let page = service.page(assets, &[(field.name, tag.as_str())], 0, 2).await?;
                let id = page.iter().find(|asset| asset.get(field.name).and_then(Json::as_str) == Some(tag.as_str()));
                Ok((tag, id.and_then(record_id)))
            })
            .buffered(AT_ONCE);
        while let Some((tag, id)) = found.try_next().await? {
            self.ids.insert(tag, id);
        }
        Ok(())
    }
}

/// The collection that is referred to by tag, and its field with the tag.
pub(super) fn tagged() -> Option<(&'static Entity, &'static Field)> {
    let every = crate::schema::importable().flat_map(|entity| entity.fields);
    let to = every.filter_map(Field::reference_to).find(|reference| reference.wire == Wire::Tag)?.to;
    let entity = crate::schema::collection(to)?;
    Some((entity, entity.key.first().and_then(|name| entity.field(name))?))
}

/// The tags that a body names.
pub(super) fn tags_in(fields: impl Iterator<Item = &'static Field>, step: &Step) -> impl Iterator<Item = String> {
    let by_tag = |field: &&Field| matches!(field.kind, Kind::Reference(Reference { wire: Wire::Tag, .. }));
    let names: Vec<_> = fields.filter(by_tag).map(|field| field.name).collect();
    names.into_iter().filter_map(|name| Some(step.body.get(name)?.as_str()?.trim().to_owned()))
}

/// The tags that have to be looked up to compare steps with records: those of fields in which a record holds
/// what may be a system id.
pub(super) fn tags_needed<'r>(
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
    steps.iter().flat_map(|step| tags_in(fields.iter().copied(), step)).collect()
}
