//! Finds rows of a sheet that are about the same record.

use std::hash::{BuildHasher, Hash};
use std::num::NonZeroU64;

use hashbrown::DefaultHashBuilder;

use crate::schema::{Entity, fold_name_into};
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

/// The hash of a folded key, never 0.
///
/// Two different keys share a 64-bit hash once in about ten billion files of a million rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyHash(NonZeroU64);

/// What tells whether a row is a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyHashes {
    /// The row's number.
    pub(super) row: u64,
    /// Of its natural key; none if that is blank.
    pub(super) key: Option<KeyHash>,
    pub(super) serial: Option<KeyHash>,
}

/// Hashes the keys of rows, on whichever thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyHasher {
    build: DefaultHashBuilder,
    /// The columns of the natural key, if each key field is a plain cell of the row.
    pub(super) key_columns: Vec<usize>,
    pub(super) serial_column: Option<usize>,
    /// The text at hand, folded.
    folded: String,
}

impl KeyHasher {
    pub(super) fn new(key_columns: Vec<usize>, serial_column: Option<usize>) -> Self {
        Self { key_columns, serial_column, ..Self::default() }
    }

    /// One that hashes the same text alike, of other columns.
    pub(super) fn with_columns(&self, key_columns: Vec<usize>, serial_column: Option<usize>) -> Self {
        Self { key_columns, serial_column, ..self.clone() }
    }

    /// The columns whose texts are hashed.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> + '_ {
        self.key_columns.iter().copied().chain(self.serial_column)
    }

    pub(crate) fn hashes(&mut self, row: &Row) -> KeyHashes {
        KeyHashes { row: row.number, key: self.key(row), serial: self.serial(row) }
    }

    /// Of the natural key, unless its first text is blank.
    pub(super) fn key(&mut self, row: &Row) -> Option<KeyHash> {
        self.folded.clear();
        for column in &self.key_columns {
            fold_name_into(row.cell(*column).text, &mut self.folded);
            self.folded.push('\u{1f}');
        }
        let is_blank = self.folded.is_empty() || self.folded.starts_with('\u{1f}');
        (!is_blank).then(|| self.hash(&self.folded))
    }

    pub(super) fn serial(&mut self, row: &Row) -> Option<KeyHash> {
        let column = self.serial_column?;
        self.folded.clear();
        fold_name_into(row.cell(column).text, &mut self.folded);
        Some(self.hash(&self.folded))
    }

    pub(super) fn hash(&self, text: impl Hash) -> KeyHash {
        KeyHash(NonZeroU64::new(self.build.hash_one(text)).unwrap_or(NonZeroU64::MIN))
    }
}

/// The natural keys and ids of the rows seen so far.
///
/// The id identifies the record, so two rows with different ids may share a name, as their records do.
#[derive(Debug, Default)]
pub(super) struct SeenRecords {
    ids: SeenKeys<u32>,
    /// Keys of rows with an id, and of rows without.
    beside_ids: SeenKeys<u32>,
    alone: SeenKeys<u32>,
}

/// An earlier row for the same record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlierRow {
    SameId(u64),
    SameKey(u64),
}

impl SeenRecords {
    /// Adds a row by its natural key and its id. Returns the earlier row for the same record.
    pub(super) fn earlier(&mut self, id: Option<KeyHash>, key: Option<KeyHash>, row: u64) -> Option<EarlierRow> {
        let number = u32::try_from(row).unwrap_or(u32::MAX);
        let Some(id) = id else {
            let beside_id = self.beside_ids.find(key?);
            return self.alone.find_or_add(key?, number).or(beside_id).map(|row| EarlierRow::SameKey(row.into()));
        };
        let same_id = self.ids.find_or_add(id, number).map(|row| EarlierRow::SameId(row.into()));
        let same_key = key.and_then(|key| self.alone.find(key)).map(|row| EarlierRow::SameKey(row.into()));
        if let Some(key) = key {
            self.beside_ids.find_or_add(key, number);
        }
        same_id.or(same_key)
    }

    /// As [`SeenKeys::touch`], for rows without an id.
    pub(super) fn touch(&self, keys: impl Iterator<Item = KeyHash>) {
        self.alone.touch(keys);
    }
}

/// The serial numbers of the rows seen so far.
#[derive(Debug, Default)]
pub(super) struct SeenSerials {
    keys: SeenKeys<()>,
    /// The last row, and whether its serial number was repeated.
    last: Option<(u64, bool)>,
}

impl SeenSerials {
    /// Adds a row by its serial number. Whether an earlier row has it too. A row may come by twice in a row.
    pub(super) fn is_repeated(&mut self, serial: KeyHash, row: u64) -> bool {
        if let Some((_, was_repeated)) = self.last.filter(|(last, _)| *last == row) {
            return was_repeated;
        }
        let is_repeated = self.keys.find_or_add(serial, ()).is_some();
        self.last = Some((row, is_repeated));
        is_repeated
    }

    /// As [`SeenKeys::touch`].
    pub(super) fn touch(&self, serials: impl Iterator<Item = KeyHash>) {
        self.keys.touch(serials);
    }
}

/// Keys as hashes, each with a value: 8 bytes and the value for a key and some room, so that a million rows stay small.
///
/// A hash stands in the first free slot from its place on; the places are in the order of the hashes, so that growing goes
/// through memory in order.
#[derive(Debug, Default)]
struct SeenKeys<T> {
    /// 0 in free slots.
    slots: Vec<u64>,
    /// The value of each hash, at the same index.
    values: Vec<T>,
    count: usize,
}

/// So many slots fit into the processor's cache.
const CACHED_SLOTS: usize = 32 * 1024;

impl<T: Copy + Default> SeenKeys<T> {
    fn find(&self, key: KeyHash) -> Option<T> {
        // Most sheets have ids in every row or in none.
        if self.count == 0 { None } else { self.slot_of(key.0.get()).ok().map(|slot| self.values[slot]) }
    }

    /// The value of a key, which is added if it is new.
    fn find_or_add(&mut self, key: KeyHash, value: T) -> Option<T> {
        if self.count * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let hash = key.0.get();
        match self.slot_of(hash) {
            Ok(slot) => Some(self.values[slot]),
            Err(free) => {
                (self.slots[free], self.values[free]) = (hash, value);
                self.count += 1;
                None
            }
        }
    }

    /// Where a hash is looked for first.
    fn place_of(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.slots.len() as u128) >> 64) as usize
    }

    /// The slot with that hash, or the free one where it belongs. There is a free one.
    fn slot_of(&self, hash: u64) -> Result<usize, usize> {
        let slots = self.slots.len();
        let mut slot = self.place_of(hash);
        loop {
            match self.slots[slot] {
                0 => return Err(slot),
                found if found == hash => return Ok(slot),
                _ => slot = if slot + 1 == slots { 0 } else { slot + 1 },
            }
        }
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() / 2 * 3).max(1024);
        let hashes = std::mem::replace(&mut self.slots, vec![0; slots]);
        let values = std::mem::replace(&mut self.values, vec![T::default(); slots]);
        for (hash, value) in hashes.into_iter().zip(values).filter(|(hash, _)| *hash != 0) {
            if let Err(free) = self.slot_of(hash) {
                (self.slots[free], self.values[free]) = (hash, value);
            }
        }
    }

    /// Reads what look-ups of these keys are going to read. A million keys are more than the processor's cache holds: looked
    /// up one by one, each waits for memory; side by side, they wait together.
    fn touch(&self, keys: impl Iterator<Item = KeyHash>) {
        if self.slots.len() < CACHED_SLOTS {
            return;
        }
        // Without a branch in it, the processor reads for many keys at a time.
        let read = keys.fold(0, |read, key| {
            let place = self.place_of(key.0.get());
            std::hint::black_box(self.values[place]);
            read ^ self.slots[place]
        });
        std::hint::black_box(read);
    }
}

#[cfg(test)]
mod tests {
    use super::{EarlierRow, KeyHasher, SeenKeys, SeenRecords, SeenSerials};

    #[test]
    fn rows_with_ids_may_share_a_key_and_others_may_not() {
        let hasher = KeyHasher::default();
        let mut records = SeenRecords::default();
        let mut earlier = |id: Option<i64>, key: &str, row| {
            let key = Some(key).filter(|key| !key.is_empty()).map(|key| hasher.hash(key));
            records.earlier(id.map(|id| hasher.hash(id)), key, row)
        };
        assert_eq!(earlier(Some(7), "hq", 2), None);
        assert_eq!(earlier(Some(8), "hq", 3), None);
        assert_eq!(earlier(Some(7), "branch", 4), Some(EarlierRow::SameId(2)));
        assert_eq!(earlier(None, "hq", 5), Some(EarlierRow::SameKey(2)));
        assert_eq!(earlier(None, "depot", 6), None);
        assert_eq!(earlier(Some(9), "depot", 7), Some(EarlierRow::SameKey(6)));
        assert_eq!(earlier(None, "", 8), None);
        assert_eq!(earlier(None, "", 9), None);
    }

    #[test]
    fn a_serial_number_is_repeated_in_another_row_only() {
        let hasher = KeyHasher::default();
        let mut seen = SeenSerials::default();
        let mut is_repeated = |serial: &str, row| seen.is_repeated(hasher.hash(serial), row);
        assert!(!is_repeated("5cg1", 2));
        assert!(!is_repeated("5cg1", 2), "the same row again");
        assert!(is_repeated("5cg1", 3));
        assert!(is_repeated("5cg1", 3));
        assert!(!is_repeated("5cg2", 4));
    }

    #[test]
    fn the_first_row_of_a_key_is_remembered() {
        let hasher = KeyHasher::default();
        let hash = |row: u32| hasher.hash(format!("lap-{row}"));
        let mut records = SeenRecords::default();
        let mut seen = SeenKeys::default();
        for row in 2..50_000_u32 {
            assert_eq!(seen.find_or_add(hash(row), row), None);
            assert_eq!(records.earlier(None, Some(hash(row)), row.into()), None);
        }
        records.touch([hash(77), hash(60_000)].into_iter());
        assert_eq!(records.earlier(None, Some(hash(60_000)), 50_000), None, "looking ahead adds nothing");
        for row in 2..50_000 {
            assert_eq!(seen.find_or_add(hash(row), 50_001), Some(row));
            assert_eq!(seen.find(hash(row)), Some(row));
        }
    }
}
