//! What the sheets of a run want to know of the account, gathered before anything is fetched.

use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

use super::name::fold_name;

/// Above so many texts exact searches never pay: even an hour's quota would not hold them.
const MOST_SEARCHES: usize = 10_000;

/// The wants of a run, by collection.
#[derive(Debug, Default)]
pub struct LookupRequest {
    collections: BTreeMap<&'static str, CollectionLookup>,
}

/// The wants of one collection.
#[derive(Debug, Default)]
pub(super) struct CollectionLookup {
    pub(super) names: SearchTexts,
    pub(super) ids: HashSet<i64>,
    pub(super) scope: FetchScope,
    /// What rows are matched on, one list per sheet that differs.
    pub(super) match_on: Vec<Vec<&'static str>>,
    pub(super) keys: RowKeys,
}

/// FetchMethod much of a collection is open.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum FetchScope {
    /// The records that are named, numbered or matched.
    #[default]
    Some,
    Whole,
}

/// Distinct texts as a search would send them, as long as searching is thinkable at all.
#[derive(Debug)]
pub(super) enum SearchTexts {
    Few(HashSet<Box<str>>),
    TooMany,
}

/// The first key texts of rows: as hashes to recognise records by, as texts to search with.
#[derive(Debug, Default)]
pub(super) struct RowKeys {
    build: DefaultHashBuilder,
    hashes: HashSet<u64>,
    pub(super) texts: SearchTexts,
}

impl LookupRequest {
    /// A sheet names this record: by a name, an e-mail address, a tag or `#123`.
    pub fn name(&mut self, collection: &'static str, text: &str) {
        let lookup = self.of(collection);
        match numbered(text) {
            Some(id) => {
                lookup.ids.insert(id);
            }
            None => lookup.names.insert(text),
        }
    }

    /// A sheet gives this record's system id.
    pub fn id(&mut self, collection: &'static str, id: i64) {
        self.of(collection).ids.insert(id);
    }

    /// Every record is open.
    pub fn whole(&mut self, collection: &'static str) {
        self.of(collection).scope = FetchScope::Whole;
    }

    /// Rows of a sheet will be matched against existing records by these fields.
    pub fn matching(&mut self, collection: &'static str, match_on: &[&'static str]) {
        let lists = &mut self.of(collection).match_on;
        if !lists.iter().any(|list| list.as_slice() == match_on) {
            lists.push(match_on.to_vec());
        }
    }

    /// The text of the first `match_on` field of one row.
    pub fn key(&mut self, collection: &'static str, first_key_text: &str) {
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
        self.hashes.insert(self.hash(text));
    }

    /// Whether some row has this text for its key. Never wrongly no; wrongly yes for another text of the same hash
    /// or one that differs only in separators.
    pub(super) fn may_hold(&self, text: &str) -> bool {
        self.hashes.contains(&self.hash(text))
    }

    fn hash(&self, text: &str) -> u64 {
        let folded = fold_name(text);
        self.build.hash_one(without_separators(&folded))
    }
}

/// The system id that `#123` stands for.
pub(super) fn numbered(text: &str) -> Option<i64> {
    text.trim().strip_prefix('#').and_then(bare_number)
}

/// The system id that `123` could be: digits only, no sign.
pub(super) fn bare_number(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Drops what options differ in between the sections of the guide: `_`, `-` and blanks.
pub(super) fn without_separators(folded: &str) -> String {
    folded.chars().filter(|char| !matches!(char, '_' | '-' | ' ')).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::{LookupRequest, SearchTexts, bare_number, numbered};

    #[test]
    fn spellings_are_kept_apart_and_numbers_are_ids() {
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
    fn too_many_texts_to_search_are_not_kept_but_keys_are_still_known() {
        let mut lookups = LookupRequest::default();
        for number in 0..20_000 {
            lookups.key("assets", &format!("LAP-{number}"));
        }
        let keys = &lookups.get("assets").unwrap().keys;
        assert!(matches!(keys.texts, SearchTexts::TooMany));
        assert!(keys.may_hold("lap-19999"));
        assert!(!keys.may_hold("lap-20000"));
    }

    #[test]
    fn only_digits_are_numbers() {
        assert_eq!(numbered(" #123"), Some(123));
        assert_eq!(numbered("#-1"), None);
        assert_eq!(bare_number("007"), Some(7));
        assert_eq!(bare_number("99999999999999999999"), None);
        assert_eq!(bare_number(""), None);
    }
}
