//! What the sheets of a run refer to, collected before anything is fetched.

use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::system_id::marked_id;
use crate::schema::{fold_name, without_leading_zeros, without_separators};

/// Above so many texts exact searches never pay: an hour's quota would not suffice.
const MOST_SEARCHES: usize = 10_000;

/// What a run has to look up in the account, by collection.
#[derive(Debug, Default)]
pub(crate) struct LookupRequest {
    collections: BTreeMap<&'static str, CollectionLookup>,
}

/// What a run has to look up in one collection.
#[derive(Debug, Default)]
pub(super) struct CollectionLookup {
    pub(super) names: SearchTexts,
    pub(super) ids: HashSet<i64>,
    pub(super) scope: FetchScope,
    /// The fields by which rows are matched, one list for each sheet that differs.
    pub(super) match_on: Vec<Vec<&'static str>>,
    /// Further fields by which records are found, as far as they are fetched for other reasons.
    pub(super) also_by: Vec<&'static str>,
    /// Another field in which a record may have the key text of a row: the serial number that stands in for a tag.
    pub(super) stand_in: Option<&'static str>,
    pub(super) keys: RowKeys,
    /// The kinds of record of which any will do.
    pub(super) kinds: Vec<&'static str>,
    /// Whether rows write custom fields of the records that they match.
    pub(super) writes_custom_fields: bool,
}

/// How much of a collection is needed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum FetchScope {
    /// The records that are named, given by id, or matched.
    #[default]
    Referenced,
    Whole,
}

/// Distinct texts as a search would send them, as long as searching is possible at all.
#[derive(Debug)]
pub(super) enum SearchTexts {
    Few(HashSet<Box<str>>),
    TooMany,
}

/// The first key text of each row: as hashes to recognize records by, as texts to search for.
#[derive(Debug, Default)]
pub(super) struct RowKeys {
    hasher: DefaultHashBuilder,
    hashes: HashTable<u64>,
    pub(super) texts: SearchTexts,
    /// Whether rows are matched by other fields too.
    is_any: bool,
}

impl LookupRequest {
    /// A sheet names this record: by a name, an e-mail address, a tag or `#123`.
    pub(crate) fn name(&mut self, collection: &'static str, text: &str) {
        let lookup = self.of(collection);
        match marked_id(text) {
            Some(id) => {
                lookup.ids.insert(id);
            }
            None => lookup.names.insert(text),
        }
    }

    /// A sheet gives this record's system id.
    pub(crate) fn id(&mut self, collection: &'static str, id: i64) {
        self.of(collection).ids.insert(id);
    }

    /// Every record is needed.
    pub(crate) fn whole(&mut self, collection: &'static str) {
        self.of(collection).scope = FetchScope::Whole;
    }

    /// A record of this kind will do, of several the one that most records have: all are needed.
    pub(crate) fn kind(&mut self, collection: &'static str, kind: &'static str) {
        let lookup = self.of(collection);
        lookup.scope = FetchScope::Whole;
        if !lookup.kinds.contains(&kind) {
            lookup.kinds.push(kind);
        }
    }

    /// The collections of which any record of a kind will do.
    pub(super) fn with_kinds(&self) -> impl Iterator<Item = (&'static str, &CollectionLookup)> {
        self.collections.iter().filter(|(_, lookup)| !lookup.kinds.is_empty()).map(|(name, lookup)| (*name, lookup))
    }

    /// Rows of a sheet will be matched against existing records by these fields.
    pub(crate) fn matching(&mut self, collection: &'static str, match_on: &[&'static str]) {
        let lists = &mut self.of(collection).match_on;
        if !lists.iter().any(|list| list.as_slice() == match_on) {
            lists.push(match_on.to_vec());
        }
    }

    /// Records will be looked for by this field too, among those that are fetched anyhow.
    pub(crate) fn also_by(&mut self, collection: &'static str, field: &'static str) {
        let fields = &mut self.of(collection).also_by;
        if !fields.contains(&field) {
            fields.push(field);
        }
    }

    /// A row whose key no record has may be about the one that has its key text in this field, which is searched, too.
    pub(crate) fn stand_in(&mut self, collection: &'static str, field: &'static str) {
        self.also_by(collection, field);
        self.of(collection).stand_in = Some(field);
    }

    /// Rows write custom fields: those of the records that they match must be known, since a write replaces all of them.
    pub(crate) fn custom_fields(&mut self, collection: &'static str) {
        self.of(collection).writes_custom_fields = true;
    }

    /// Some row has no text for the first `match_on` field, so that it may match any record.
    pub(crate) fn matching_any(&mut self, collection: &'static str) {
        let lookup = self.of(collection);
        lookup.scope = FetchScope::Whole;
        lookup.keys.is_any = true;
    }

    /// The text of the first `match_on` field of one row.
    pub(crate) fn key(&mut self, collection: &'static str, first_key_text: &str) {
        self.of(collection).keys.insert(first_key_text);
    }

    pub(super) fn get(&self, collection: &str) -> Option<&CollectionLookup> {
        self.collections.get(collection)
    }

    fn of(&mut self, collection: &'static str) -> &mut CollectionLookup {
        self.collections.entry(collection).or_default()
    }
}

impl SearchTexts {
    fn insert(&mut self, text: &str) {
        let text = text.trim();
        let Self::Few(texts) = self else { return };
        if text.is_empty() || texts.contains(text) {
            return;
        }
        if texts.len() == MOST_SEARCHES {
            *self = Self::TooMany;
        } else {
            texts.insert(text.into());
        }
    }
}

impl Default for SearchTexts {
    fn default() -> Self {
        Self::Few(HashSet::new())
    }
}

impl RowKeys {
    fn insert(&mut self, text: &str) {
        self.texts.insert(text);
        let hash = self.hash(text);
        if !self.contains_hash(hash) {
            self.hashes.insert_unique(hash, hash, |hash| *hash);
        }
    }

    /// Whether a row may have this text for its key. Never a false no; a false yes for another text with the same hash,
    /// or one that differs only in separators or leading zeros, which a spreadsheet program drops.
    pub(super) fn may_contain(&self, text: &str) -> bool {
        self.is_any || self.contains_hash(self.hash(text))
    }

    fn contains_hash(&self, hash: u64) -> bool {
        self.hashes.find(hash, |other| *other == hash).is_some()
    }

    fn hash(&self, text: &str) -> u64 {
        let folded = fold_name(text);
        self.hasher.hash_one(without_leading_zeros(&without_separators(&folded)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::{LookupRequest, SearchTexts};

    #[test]
    fn spellings_are_distinct_and_marked_numbers_are_ids() {
        let mut lookups = LookupRequest::default();
        for text in ["Berlin", " Berlin ", "berlin", "#12", ""] {
            lookups.name("locations", text);
        }
        let lookup = lookups.get("locations").unwrap();
        let SearchTexts::Few(texts) = &lookup.names else { panic!("few") };
        assert_eq!(texts.len(), 2);
        assert!(lookup.ids.contains(&12));
    }

    #[test]
    fn too_many_texts_to_search_are_dropped_but_keys_are_still_recognized() {
        let mut lookups = LookupRequest::default();
        for number in 0..20_000 {
            lookups.key("assets", &format!("LAP-{number}"));
        }
        let keys = &lookups.get("assets").unwrap().keys;
        assert!(matches!(keys.texts, SearchTexts::TooMany));
        assert!(keys.may_contain("lap-19999"));
        assert!(!keys.may_contain("lap-20000"));
        lookups.key("assets", "4212");
        let keys = &lookups.get("assets").unwrap().keys;
        assert!(keys.may_contain("004212") && !keys.may_contain("42120"));
    }

    #[test]
    fn what_is_asked_for_twice_is_asked_for_once() {
        let mut lookups = super::LookupRequest::default();
        for _ in 0..2 {
            lookups.also_by("assets", "asset_serial");
            lookups.kind("statuses", "deployable");
            lookups.matching("assets", &["asset_id"]);
        }
        lookups.kind("statuses", "pending");
        lookups.matching("assets", &["asset_serial"]);
        let assets = lookups.get("assets").unwrap();
        assert_eq!((assets.also_by.len(), assets.match_on.len(), assets.scope), (1, 2, super::FetchScope::Referenced));
        let statuses = lookups.get("statuses").unwrap();
        assert_eq!(
            (statuses.kinds.as_slice(), statuses.scope),
            (&["deployable", "pending"][..], super::FetchScope::Whole)
        );
        assert_eq!(lookups.with_kinds().map(|(name, _)| name).collect::<Vec<_>>(), ["statuses"]);
        lookups.matching_any("locations");
        let locations = lookups.get("locations").unwrap();
        assert!(locations.scope == super::FetchScope::Whole && locations.keys.may_contain("whatever"));
        assert!(!lookups.get("assets").unwrap().keys.may_contain("whatever"));
        assert!(lookups.get("employees").is_none());
    }

    #[test]
    fn texts_are_searched_for_until_they_are_too_many() {
        let mut texts = super::SearchTexts::default();
        texts.insert("  ");
        texts.insert(" Ada ");
        texts.insert("Ada");
        let super::SearchTexts::Few(few) = &texts else { panic!("few") };
        assert_eq!(few.iter().map(|text| &**text).collect::<Vec<_>>(), ["Ada"]);
        for number in 1..super::MOST_SEARCHES {
            texts.insert(&number.to_string());
        }
        assert!(matches!(texts, super::SearchTexts::Few(_)));
        texts.insert("Ada");
        assert!(matches!(texts, super::SearchTexts::Few(_)), "it is among them");
        texts.insert("one more");
        assert!(matches!(texts, super::SearchTexts::TooMany));
    }
}
