//! The names of records that others refer to.

use std::cell::RefCell;
use std::collections::BTreeSet;

use hashbrown::HashMap;

use crate::catalog::{Catalog, LookupResult, Mirror, MirrorError, Record, RecordRef, ReferenceSyntax};
use crate::check::{CLEAR, text};
use crate::schema::{self, Entity, Reference};

/// What a name has to be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    /// To be read by people: the id stands beside it.
    Reading,
    /// To find the record again: where it would not, `#` and the id stand in its place.
    Finding,
}

/// A record of a collection, and what its name has to be good for.
type Key = (&'static str, i64, Purpose);

/// Names of records, each looked up once.
#[derive(Debug, Default)]
pub struct Names {
    catalog: Catalog,
    known: RefCell<HashMap<Key, Box<str>>>,
}

impl Names {
    pub fn new(catalog: Catalog) -> Self {
        Self { catalog, known: RefCell::default() }
    }

    /// The names of all records of some collections.
    ///
    /// # Errors
    /// What the disk refuses.
    pub fn from_mirror(mirror: &Mirror, collections: &[&'static Entity]) -> Result<Self, MirrorError> {
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
    pub(super) fn put(&self, reference: Reference, id: i64, purpose: Purpose, into: &mut String) {
        let mut known = self.known.borrow_mut();
        let name = known.entry((reference.to, id, purpose)).or_insert_with(|| match purpose {
            Purpose::Reading => self.catalog.describe(reference.to, RecordRef::Known(id)).into(),
            Purpose::Finding => self.finding(reference, id).into(),
        });
        into.push_str(name);
    }

    /// What is kept of a record.
    pub(super) fn record(&self, collection: &str, id: i64) -> Option<&Record> {
        self.catalog.record(collection, id)
    }

    fn finding(&self, reference: Reference, id: i64) -> String {
        let target = RecordRef::Known(id);
        let name = self.catalog.describe(reference.to, target);
        let is_readable = !text::is_no_value_mark(&name) && name != CLEAR && text::trimmed(&name) == name;
        match self.catalog.find(reference.to, &name, ReferenceSyntax::Marked, reference.narrowed, &[]) {
            LookupResult::One(found) if found == target && is_readable => name,
            _ => format!("#{id}"),
        }
    }

    /// The ids that a person may mean by a name or a number.
    pub fn meant(&self, reference: Reference, text: &str) -> LookupResult {
        self.catalog.find(reference.to, text, ReferenceSyntax::Bare, reference.narrowed, &[])
    }
}

/// The collections whose names stand in a row of this one: those that its references point at by id, and those that
/// its structures name.
pub fn named_by(entity: &Entity) -> Vec<&'static Entity> {
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

/// The collections whose names a row of just these records needs.
pub fn referred<'r>(entity: &Entity, records: impl Iterator<Item = &'r Record>) -> BTreeSet<&'static str> {
    let references = entity.created_fields().filter_map(|field| Some((field, field.reference_to()?)));
    let references: Vec<_> = references.filter(|(_, reference)| reference.wire == schema::Wire::Id).collect();
    let mut names = BTreeSet::new();
    for record in records {
        let held = references.iter().filter(|(field, _)| record.get(field.name).is_some_and(|value| !value.is_null()));
        names.extend(held.map(|(_, reference)| reference.to));
    }
    names
}
