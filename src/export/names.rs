//! The names of referenced records, and values that records show of them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use hashbrown::HashMap;
use serde_json::Value as Json;

use super::value;
use crate::catalog::{Catalog, CurrentField, LookupResult, Mirror, MirrorError, Record, RecordRef, ReferenceSyntax};
use crate::check::reads_as_itself;
use crate::schema::{self, Entity, Reference};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum NamePurpose {
    /// For people to read; the id is in the column beside it.
    Display,
    /// For an import to find the record again. `#` and the id where the name is ambiguous.
    Lookup,
}

/// A record, and what its name is used for.
type NameKey = (&'static str, i64, NamePurpose);

/// Names of referenced records, each computed once.
#[derive(Debug, Default)]
pub(crate) struct ReferenceNames {
    catalog: Arc<Catalog>,
    former: FormerRecords,
    known: RefCell<HashMap<NameKey, Box<str>>>,
}

/// What records were at an earlier time, by collection. A collection that is not here is as it was.
pub(super) type FormerRecords = HashMap<&'static str, FormerCollection>;

/// What the records of a collection were at an earlier time.
#[derive(Debug)]
pub(super) enum FormerCollection {
    Unknown,
    /// Those that changed since.
    Changed(HashMap<i64, FormerRecord>),
}

/// A record that changed since an earlier time.
#[derive(Debug)]
pub(super) struct FormerRecord {
    /// What it was; none if it was not there.
    pub record: Option<Record>,
    /// When the change was noticed, as RFC 3339.
    pub seen_at: String,
}

impl ReferenceNames {
    pub(crate) fn new(catalog: Catalog) -> Self {
        Self { catalog: Arc::new(catalog), ..Self::default() }
    }

    /// These names, for records of a time when others were like this. A record that is not known to have been like it is
    /// now shows what it copied.
    pub(super) fn as_of(&self, former: FormerRecords) -> Self {
        Self { catalog: Arc::clone(&self.catalog), former, known: RefCell::default() }
    }

    /// The names of all records of these collections.
    ///
    /// # Errors
    /// A local snapshot that cannot be read.
    pub(crate) fn from_mirror(mirror: &Mirror, collections: &[&'static Entity]) -> Result<Self, MirrorError> {
        let mut catalog = Catalog::default();
        for entity in collections.iter().copied() {
            mirror.each(entity, |id, json| {
                if let Ok(record) = serde_json::from_str(json) {
                    catalog.insert_known(entity, id, record);
                }
                Ok::<(), MirrorError>(())
            })?;
        }
        Ok(Self::new(catalog))
    }

    /// Appends the name of a record to `into`.
    pub(super) fn push_name(&self, reference: Reference, id: i64, purpose: NamePurpose, into: &mut String) {
        let mut known = self.known.borrow_mut();
        let name = known.entry((reference.to, id, purpose)).or_insert_with(|| match purpose {
            NamePurpose::Display => self.catalog.describe(reference.to, RecordRef::Known(id)).into(),
            NamePurpose::Lookup => self.lookup_name(reference, id).into(),
        });
        into.push_str(name);
    }

    /// A field's value in a record at the time of these names, normally now. `find` finds the JSON text of a field of the
    /// record.
    pub(super) fn current_value<'r>(
        &self,
        field: CurrentField,
        find: impl Fn(&str) -> Option<&'r str>,
    ) -> Option<Json> {
        let own = |name: &str| serde_json::from_str(value::non_empty(find(name))?).ok();
        field.value(&own, &|collection, id| self.record(collection, id))
    }

    fn record(&self, collection: &str, id: i64) -> Option<&Record> {
        match self.former.get(collection) {
            None => self.catalog.record(collection, id),
            Some(FormerCollection::Unknown) => None,
            Some(FormerCollection::Changed(changed)) => match changed.get(&id) {
                Some(former) => former.record.as_ref(),
                None => self.catalog.record(collection, id),
            },
        }
    }

    /// Whether any record of the collection is known to be other than it was.
    pub(super) fn has_changes(&self, collection: &str) -> bool {
        matches!(self.former.get(collection), Some(FormerCollection::Changed(changed)) if !changed.is_empty())
    }

    /// When it was noticed that a record is not what it was.
    pub(super) fn changed_at(&self, collection: &str, id: i64) -> Option<&str> {
        match self.former.get(collection)? {
            FormerCollection::Unknown => None,
            FormerCollection::Changed(changed) => Some(&changed.get(&id)?.seen_at),
        }
    }

    fn lookup_name(&self, reference: Reference, id: i64) -> String {
        let target = RecordRef::Known(id);
        let name = self.catalog.describe(reference.to, target);
        match self.catalog.as_held().find(reference.to, &name, ReferenceSyntax::Marked, reference.narrowed) {
            LookupResult::One(found) if found == target && reads_as_itself(&name) => name,
            _ => format!("#{id}"),
        }
    }

    /// The records that a name or number typed by a person may refer to.
    pub(crate) fn find(&self, reference: Reference, text: &str) -> LookupResult {
        self.catalog.as_held().find(reference.to, text, ReferenceSyntax::Bare, reference.narrowed)
    }
}

/// The collections whose names a row of this one shows: those it references by id, and those its structured fields
/// mention.
pub(super) fn referenced_collections(entity: &Entity) -> Vec<&'static Entity> {
    let by_id = entity.fields.iter().filter(|field| field.read).filter_map(|field| {
        let reference = field.reference_to()?;
        (reference.wire == schema::Wire::Id).then_some(reference.to)
    });
    let mut names: Vec<&'static Entity> = by_id.filter_map(schema::collection).collect();
    names.extend(entity.fields.iter().flat_map(|field| field.names).filter_map(|name| schema::collection(name)));
    names.sort_unstable_by_key(|entity| entity.name);
    names.dedup_by_key(|entity| entity.name);
    names
}

/// The collections that these records refer to by id.
pub(crate) fn collections_referenced_by<'r>(
    entity: &Entity,
    records: impl Iterator<Item = &'r Record>,
) -> BTreeSet<&'static str> {
    let references = entity.created_fields().filter_map(|field| Some((field, field.reference_to()?)));
    let references: Vec<_> = references.filter(|(_, reference)| reference.wire == schema::Wire::Id).collect();
    let mut names = BTreeSet::new();
    for record in records {
        let held = references.iter().filter(|(field, _)| record.get(field.name).is_some_and(|value| !value.is_null()));
        names.extend(held.map(|(_, reference)| reference.to));
    }
    names
}
