//! Finds rows of a sheet that are about the same record.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

use crate::schema::Entity;
use crate::table::Row;

/// What to do about two rows with one natural key. No two assets share a tag and no two people an address; two licences
/// may well share a name.
pub(crate) fn duplicate_hint(entity: &Entity) -> &'static str {
    if entity.is_tagged() || entity.is_person() {
        "merge the two rows, or correct the one that is wrong"
    } else {
        "merge the two rows, correct the one that is wrong, or pass --allow-duplicates if both are meant"
    }
}

/// The natural keys and ids of the rows seen so far.
///
/// The id identifies the record, so two rows with different ids may share a name, as their records do.
#[derive(Debug, Default)]
pub(super) struct SeenRecords {
    ids: SeenKeys,
    /// Keys of rows with an id, and of rows without.
    beside_ids: SeenKeys,
    alone: SeenKeys,
}

/// An earlier row for the same record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlierRow {
    SameId(u64),
    SameKey(u64),
}

impl SeenRecords {
    /// Adds a row by its folded key, which may be empty, and its id. Returns the earlier row for the same record.
    pub(super) fn earlier(&mut self, id: Option<i64>, key: &str, row: u64) -> Option<EarlierRow> {
        let Some(id) = id else {
            let key = Some(key).filter(|key| !key.is_empty())?;
            let beside_id = self.beside_ids.row_of(key);
            return self.alone.first_row_of(key, row).or(beside_id).map(EarlierRow::SameKey);
        };
        let same_id = self.ids.first_row_of(&id.to_string(), row).map(EarlierRow::SameId);
        let same_key = self.alone.row_of(key).map(EarlierRow::SameKey);
        if !key.is_empty() {
            self.beside_ids.first_row_of(key, row);
        }
        same_id.or(same_key)
    }
}

impl SeenRecords {
    /// As [`SeenKeys::touch`], for rows without an id.
    pub(super) fn touch(&self, rows: &[Row], write_key: impl Fn(&Row, &mut String)) {
        self.alone.touch(rows, write_key);
    }
}

/// The serial numbers of the rows seen so far.
#[derive(Debug, Default)]
pub(super) struct SeenSerials(SeenKeys);

impl SeenSerials {
    /// Adds a row by its folded serial number. Whether an earlier row has it too.
    pub(super) fn is_repeated(&mut self, serial: &str, row: u64) -> bool {
        self.0.first_row_of(serial, row).is_some_and(|first| first != row)
    }

    /// As [`SeenKeys::touch`].
    pub(super) fn touch(&self, rows: &[Row], write_serial: impl Fn(&Row, &mut String)) {
        self.0.touch(rows, write_serial);
    }
}

/// Keys as hashes: about 13 bytes per row, so that a million rows stay small.
///
/// Two different keys share a 64-bit hash once in about ten billion files of a million rows.
#[derive(Debug, Default)]
struct SeenKeys {
    build: DefaultHashBuilder,
    /// Indexes into `hashes`.
    table: HashTable<u32>,
    hashes: Vec<u64>,
    /// The row of each hash, at the same index.
    rows: Vec<u32>,
}

/// So many keys fit into the processor's cache.
const CACHED_KEYS: usize = 16 * 1024;

impl SeenKeys {
    /// The row with that folded key.
    fn row_of(&self, key: &str) -> Option<u64> {
        // Most sheets have ids in every row or in none.
        if self.hashes.is_empty() { None } else { self.row_of_hash(self.build.hash_one(key)) }
    }

    /// Reads what look-ups of the folded keys of these rows are going to read. A million keys are more than the
    /// processor's cache holds: looked up one by one, each waits for memory; side by side, they wait together.
    fn touch(&self, rows: &[Row], write_key: impl Fn(&Row, &mut String)) {
        if self.hashes.len() < CACHED_KEYS {
            return;
        }
        let mut key = String::new();
        let hash = |row: &Row| {
            key.clear();
            write_key(row, &mut key);
            self.build.hash_one(key.as_str())
        };
        let hashes: Vec<u64> = rows.iter().map(hash).collect();
        for hash in hashes {
            std::hint::black_box(self.row_of_hash(hash));
        }
    }

    fn row_of_hash(&self, hash: u64) -> Option<u64> {
        let position = self.table.find(hash, |position| self.hashes[*position as usize] == hash)?;
        Some(u64::from(self.rows[*position as usize]))
    }

    /// Adds a folded key. Returns the earlier row with that key.
    fn first_row_of(&mut self, key: &str, row: u64) -> Option<u64> {
        let hash = self.build.hash_one(key);
        if let Some(first) = self.row_of_hash(hash) {
            return Some(first);
        }
        let position = u32::try_from(self.hashes.len()).ok()?;
        self.hashes.push(hash);
        self.rows.push(u32::try_from(row).unwrap_or(u32::MAX));
        let hashes = &self.hashes;
        self.table.insert_unique(hash, position, |position| hashes[*position as usize]);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{EarlierRow, SeenKeys, SeenRecords};

    #[test]
    fn rows_with_ids_may_share_a_key_and_others_may_not() {
        let mut seen = SeenRecords::default();
        assert_eq!(seen.earlier(Some(7), "hq", 2), None);
        assert_eq!(seen.earlier(Some(8), "hq", 3), None);
        assert_eq!(seen.earlier(Some(7), "branch", 4), Some(EarlierRow::SameId(2)));
        assert_eq!(seen.earlier(None, "hq", 5), Some(EarlierRow::SameKey(2)));
        assert_eq!(seen.earlier(None, "depot", 6), None);
        assert_eq!(seen.earlier(Some(9), "depot", 7), Some(EarlierRow::SameKey(6)));
        assert_eq!(seen.earlier(None, "", 8), None);
        assert_eq!(seen.earlier(None, "", 9), None);
    }

    #[test]
    fn the_first_row_of_a_key_is_remembered() {
        let mut seen = SeenKeys::default();
        for row in 2..10_000 {
            assert_eq!(seen.first_row_of(&format!("lap-{row}"), row), None);
        }
        assert_eq!(seen.first_row_of("lap-77", 10_001), Some(77));
        assert_eq!(seen.first_row_of("lap-77", 10_002), Some(77));
    }
}
