//! Finds rows of a sheet that are about the same record.

use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;
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
/// Two different keys agree in the 58 bits that are compared once in about half a million files of a million rows.
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

    /// As [`SeenKeys::note_share_read`].
    pub(super) fn note_share_read(&mut self, share: f64) {
        [&mut self.ids, &mut self.beside_ids, &mut self.alone].into_iter().for_each(|keys| keys.note_share_read(share));
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

    /// As [`SeenKeys::note_share_read`].
    pub(super) fn note_share_read(&mut self, share: f64) {
        self.keys.note_share_read(share);
    }

    /// As [`SeenKeys::touch`].
    pub(super) fn touch(&self, serials: impl Iterator<Item = KeyHash>) {
        self.keys.touch(serials);
    }
}

/// Keys as hashes, each with a value, so that millions of rows stay small: 6 bytes and the value for a key, and some room.
///
/// A hash stands in the first free slot from its place on; the places are in the order of the hashes. The first bits of a hash
/// tell its region, in which it always is, so that they need not be stored.
#[derive(Debug)]
struct SeenKeys<T> {
    /// Slots of a hash and a value, and some bytes more, so that eight can be read of the last.
    bytes: Vec<u8>,
    /// How many slots a region has.
    room: usize,
    count: usize,
    /// How much of the sheet its rows are, up to 1; 0 where that is not known.
    share_read: f64,
    value: PhantomData<T>,
}

/// As many regions as so many bits can tell.
const REGION_BITS: u32 = 10;

/// The bytes that are stored of a hash: of the bits behind the first. Together these are 58.
const HASH_BYTES: usize = 6;
const HASH_BITS: u32 = HASH_BYTES as u32 * 8;

/// So many keys fit into the processor's cache.
const CACHED_KEYS: usize = 16 * 1024;

/// At most so many times the room is made at once: enough for a million rows when the first are read.
const MOST_GROWTH: usize = 64;

/// What is kept with a key.
trait KeyValue: Copy {
    /// How many bytes it takes.
    const BYTES: usize;

    fn read(bytes: &[u8]) -> Self;

    fn write(self, bytes: &mut [u8]);
}

impl KeyValue for () {
    const BYTES: usize = 0;

    fn read(_: &[u8]) -> Self {}

    fn write(self, _: &mut [u8]) {}
}

/// The number of a row.
impl KeyValue for u32 {
    const BYTES: usize = 4;

    fn read(bytes: &[u8]) -> Self {
        bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }

    fn write(self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.to_le_bytes());
    }
}

/// A hash as it is stored.
#[derive(Debug, Clone, Copy)]
struct StoredHash {
    region: usize,
    /// Never 0, which stands in free slots.
    rest: u64,
}

/// Where a hash is, or belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Taken(usize),
    Free(usize),
    /// Its region is full.
    NoRoom,
}

impl<T> Default for SeenKeys<T> {
    fn default() -> Self {
        Self { bytes: Vec::new(), room: 0, count: 0, share_read: 0.0, value: PhantomData }
    }
}

impl<T: KeyValue> SeenKeys<T> {
    const WIDTH: usize = HASH_BYTES + T::BYTES;

    fn find(&self, key: KeyHash) -> Option<T> {
        // Most sheets have ids in every row or in none.
        if self.count == 0 {
            return None;
        }
        match self.slot_of(StoredHash::of(key)) {
            Slot::Taken(slot) => Some(self.value(slot)),
            Slot::Free(_) | Slot::NoRoom => None,
        }
    }

    /// The value of a key, which is added if it is new.
    fn find_or_add(&mut self, key: KeyHash, value: T) -> Option<T> {
        if self.count * 5 >= self.slots() * 4 {
            self.grow();
        }
        let hash = StoredHash::of(key);
        loop {
            match self.slot_of(hash) {
                Slot::Taken(slot) => return Some(self.value(slot)),
                Slot::Free(slot) => {
                    self.put(slot, hash.rest, value);
                    self.count += 1;
                    return None;
                }
                Slot::NoRoom => self.grow(),
            }
        }
    }

    fn slots(&self) -> usize {
        self.room << REGION_BITS
    }

    /// Where a hash is looked for first, in its region.
    fn place_of(&self, rest: u64) -> usize {
        (((rest >> (HASH_BITS - u32::BITS)) * self.room as u64) >> u32::BITS) as usize
    }

    /// The slots in which a hash may be, in this order.
    fn places(&self, hash: StoredHash) -> impl Iterator<Item = usize> + use<T> {
        let (start, place, room) = (hash.region * self.room, self.place_of(hash.rest), self.room);
        (start + place..start + room).chain(start..start + place)
    }

    fn slot_of(&self, hash: StoredHash) -> Slot {
        for slot in self.places(hash) {
            match self.rest(slot) {
                0 => return Slot::Free(slot),
                rest if rest == hash.rest => return Slot::Taken(slot),
                _ => {}
            }
        }
        Slot::NoRoom
    }

    /// What is stored in a slot; 0 if it is free.
    fn rest(&self, slot: usize) -> u64 {
        let bytes = self.bytes.get(slot * Self::WIDTH..).and_then(<[u8]>::first_chunk);
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes)) & ((1 << HASH_BITS) - 1)
    }

    fn value(&self, slot: usize) -> T {
        T::read(&self.bytes[slot * Self::WIDTH + HASH_BYTES..][..T::BYTES])
    }

    fn put(&mut self, slot: usize, rest: u64, value: T) {
        let (hash, place) = self.bytes[slot * Self::WIDTH..][..Self::WIDTH].split_at_mut(HASH_BYTES);
        hash.copy_from_slice(&rest.to_le_bytes()[..HASH_BYTES]);
        value.write(place);
    }

    fn note_share_read(&mut self, share: f64) {
        self.share_read = share;
    }

    /// Makes room for a quarter more, or for as many keys as there will be if the rest of the sheet is like its beginning. In
    /// place: two copies would be more than all else together.
    fn grow(&mut self) {
        let old = self.room;
        let is_telling = self.share_read > 0.0 && self.count >= CACHED_KEYS;
        let expected = if is_telling { self.count as f64 / self.share_read } else { 0.0 };
        let room = (expected * 1.3) as usize >> REGION_BITS;
        // The end may be blank.
        self.room = (old + old / 4).max(4).max(room.min(old * MOST_GROWTH));
        self.bytes.resize(self.slots() * Self::WIDTH + size_of::<u64>() - HASH_BYTES, 0);
        let mut late = Vec::new();
        // From the last to the first: what is behind a slot has its place already.
        for slot in (0..old << REGION_BITS).rev() {
            let rest = self.rest(slot);
            if rest == 0 {
                continue;
            }
            let (hash, value) = (StoredHash { region: slot / old, rest }, self.value(slot));
            self.bytes[slot * Self::WIDTH..][..HASH_BYTES].fill(0);
            let free = self.places(hash).find(|place| *place < slot || self.rest(*place) == 0);
            match free {
                Some(free) if free >= slot => self.put(free, rest, value),
                // Before it some still have to go.
                _ => late.push((hash, value)),
            }
        }
        for (hash, value) in late {
            if let Slot::Free(free) = self.slot_of(hash) {
                self.put(free, hash.rest, value);
            }
        }
    }

    /// Reads what look-ups of these keys are going to read. A million keys are more than the processor's cache holds: looked
    /// up one by one, each waits for memory; side by side, they wait together.
    fn touch(&self, keys: impl Iterator<Item = KeyHash>) {
        if self.count < CACHED_KEYS {
            return;
        }
        // Without a branch in it, the processor reads for many keys at a time.
        let read = keys.map(StoredHash::of).fold(0, |read, hash| {
            let slot = hash.region * self.room + self.place_of(hash.rest);
            read ^ self.bytes[slot * Self::WIDTH]
        });
        std::hint::black_box(read);
    }
}

impl StoredHash {
    fn of(key: KeyHash) -> Self {
        let bits = key.0.get();
        let rest = (bits << REGION_BITS) >> (u64::BITS - HASH_BITS);
        Self { region: (bits >> (u64::BITS - REGION_BITS)) as usize, rest: rest.max(1) }
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
