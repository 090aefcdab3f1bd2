//! Finds rows of a sheet that are about the same record.

use std::hash::BuildHasher;

use hashbrown::DefaultHashBuilder;

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
    /// Adds a row by its folded key, which may be empty, and its id. Returns the earlier row for the same record.
    pub(super) fn earlier(&mut self, id: Option<i64>, key: &str, row: u64) -> Option<EarlierRow> {
        let number = u32::try_from(row).unwrap_or(u32::MAX);
        let Some(id) = id else {
            let key = Some(key).filter(|key| !key.is_empty())?;
            let beside_id = self.beside_ids.find(key);
            return self.alone.find_or_add(key, number).or(beside_id).map(|row| EarlierRow::SameKey(row.into()));
        };
        let same_id = self.ids.find_or_add(&id.to_string(), number).map(|row| EarlierRow::SameId(row.into()));
        let same_key = self.alone.find(key).map(|row| EarlierRow::SameKey(row.into()));
        if !key.is_empty() {
            self.beside_ids.find_or_add(key, number);
        }
        same_id.or(same_key)
    }

    /// As [`SeenKeys::touch`], for rows without an id.
    pub(super) fn touch(&self, rows: &[Row], write_key: impl Fn(&Row, &mut String)) {
        self.alone.touch(rows, write_key);
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
    /// Adds a row by its folded serial number. Whether an earlier row has it too. A row may come by twice in a row.
    pub(super) fn is_repeated(&mut self, serial: &str, row: u64) -> bool {
        if let Some((_, was_repeated)) = self.last.filter(|(last, _)| *last == row) {
            return was_repeated;
        }
        let is_repeated = self.keys.find_or_add(serial, ()).is_some();
        self.last = Some((row, is_repeated));
        is_repeated
    }

    /// As [`SeenKeys::touch`].
    pub(super) fn touch(&self, rows: &[Row], write_serial: impl Fn(&Row, &mut String)) {
        self.keys.touch(rows, write_serial);
    }
}

/// Keys as hashes, each with a value: 8 bytes and the value for a key and some room, so that a million rows stay small.
///
/// Two different keys share a 64-bit hash once in about ten billion files of a million rows. A hash stands in the first
/// free slot from its place on; the places are in the order of the hashes, so that growing goes through memory in order.
#[derive(Debug, Default)]
struct SeenKeys<T> {
    build: DefaultHashBuilder,
    /// 0 in free slots.
    slots: Vec<u64>,
    /// The value of each hash, at the same index.
    values: Vec<T>,
    count: usize,
}

/// So many slots fit into the processor's cache.
const CACHED_SLOTS: usize = 32 * 1024;

impl<T: Copy + Default> SeenKeys<T> {
    /// The value of a folded key.
    fn find(&self, key: &str) -> Option<T> {
        // Most sheets have ids in every row or in none.
        if self.count == 0 { None } else { self.slot_of(self.hash(key)).ok().map(|slot| self.values[slot]) }
    }

    /// The value of a folded key; adds the key where there is none.
    fn find_or_add(&mut self, key: &str, value: T) -> Option<T> {
        if self.count * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let hash = self.hash(key);
        match self.slot_of(hash) {
            Ok(slot) => Some(self.values[slot]),
            Err(free) => {
                (self.slots[free], self.values[free]) = (hash, value);
                self.count += 1;
                None
            }
        }
    }

    fn hash(&self, key: &str) -> u64 {
        self.build.hash_one(key).max(1)
    }

    /// The slot with that hash, or the free one where it belongs. There is a free one.
    fn slot_of(&self, hash: u64) -> Result<usize, usize> {
        let slots = self.slots.len();
        let mut slot = ((u128::from(hash) * slots as u128) >> 64) as usize;
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

    /// Reads what look-ups of the folded keys of these rows are going to read. A million keys are more than the
    /// processor's cache holds: looked up one by one, each waits for memory; side by side, they wait together.
    fn touch(&self, rows: &[Row], write_key: impl Fn(&Row, &mut String)) {
        if self.slots.len() < CACHED_SLOTS {
            return;
        }
        let mut key = String::new();
        let hash = |row: &Row| {
            key.clear();
            write_key(row, &mut key);
            self.hash(&key)
        };
        let hashes: Vec<u64> = rows.iter().map(hash).collect();
        for hash in hashes {
            let _ = std::hint::black_box(self.slot_of(hash));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{EarlierRow, SeenKeys, SeenRecords, SeenSerials};
    use crate::table::Row;

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
    fn a_serial_number_is_repeated_in_another_row_only() {
        let mut seen = SeenSerials::default();
        assert!(!seen.is_repeated("5cg1", 2));
        assert!(!seen.is_repeated("5cg1", 2), "the same row again");
        assert!(seen.is_repeated("5cg1", 3));
        assert!(seen.is_repeated("5cg1", 3));
        assert!(!seen.is_repeated("5cg2", 4));
    }

    #[test]
    fn the_first_row_of_a_key_is_remembered() {
        let mut seen = SeenKeys::default();
        for row in 2..50_000_u32 {
            assert_eq!(seen.find_or_add(&format!("lap-{row}"), row), None);
        }
        let ahead = [Row::default(), Row::default()];
        seen.touch(&ahead, |_, key| key.push_str("lap-77"));
        seen.touch(&ahead, |_, key| key.push_str("lap-new"));
        assert_eq!(seen.find_or_add("lap-new", 50_000), None, "looking ahead adds nothing");
        for row in 2..50_000 {
            assert_eq!(seen.find_or_add(&format!("lap-{row}"), 50_001), Some(row));
            assert_eq!(seen.find(&format!("lap-{row}")), Some(row));
        }
    }
}
