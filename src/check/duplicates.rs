//! A natural key twice in the input.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// The keys seen so far in a sheet, as hashes: 13 bytes or so a row, so that a million rows stay small.
///
/// Two different keys share a 64-bit hash once in some ten billion files of a million rows.
#[derive(Debug, Default)]
pub(super) struct SeenKeys {
    build: DefaultHashBuilder,
    /// Positions in `hashes`.
    table: HashTable<u32>,
    hashes: Vec<u64>,
    /// The row of each, at the same position.
    rows: Vec<u32>,
}

impl SeenKeys {
    /// Remembers a folded key; the row that had it before, if one did.
    pub(super) fn first_row_of(&mut self, key: &str, row: u64) -> Option<u64> {
        let hash = self.build.hash_one(key);
        let hashes = &self.hashes;
        if let Some(position) = self.table.find(hash, |position| hashes[*position as usize] == hash) {
            return Some(u64::from(self.rows[*position as usize]));
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
    use super::SeenKeys;

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
