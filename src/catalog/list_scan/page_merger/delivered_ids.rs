//! The ids delivered so far, in order, and which of them are tentative.

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};

/// Ids in the order of their delivery. 8 bytes an id, and a hash table of 4-byte places: 1,000,000 ids take about
/// 25 MB.
#[derive(Debug, Default)]
pub(super) struct DeliveredIds {
    ids: Vec<i64>,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Places whose ids are not known to be in the list in this order: sorted ranges, disjoint, none empty.
    tentative: Vec<Range<u32>>,
}

impl DeliveredIds {
    pub(super) fn len(&self) -> u32 {
        self.ids.len() as u32
    }

    /// The place of the id, if it was delivered.
    pub(super) fn place(&self, id: i64) -> Option<u32> {
        let is_it = |place: &u32| self.ids[*place as usize] == id;
        self.places.find(self.hasher.hash_one(id), is_it).copied()
    }

    /// Adds an id and returns its place; none if it was delivered before.
    pub(super) fn push(&mut self, id: i64) -> Option<u32> {
        let Self { ids, places, hasher, .. } = self;
        let is_it = |place: &u32| ids[*place as usize] == id;
        let hash_of = |place: &u32| hasher.hash_one(ids[*place as usize]);
        let Entry::Vacant(vacant) = places.entry(hasher.hash_one(id), is_it, hash_of) else { return None };
        let place = ids.len() as u32;
        vacant.insert(place);
        ids.push(id);
        Some(place)
    }

    /// Whether the order of that place is tentative.
    pub(super) fn is_tentative(&self, place: u32) -> bool {
        let after = self.tentative.partition_point(|range| range.end <= place);
        self.tentative.get(after).is_some_and(|range| range.contains(&place))
    }

    /// Marks the order of these places as tentative. They reach to the end, or begin behind all tentative ones.
    pub(super) fn mark_tentative(&mut self, mut places: Range<u32>) {
        if places.is_empty() {
            return;
        }
        while let Some(last) = self.tentative.pop_if(|last| last.end >= places.start) {
            places = last.start.min(places.start)..last.end.max(places.end);
        }
        self.tentative.push(places);
    }
}

#[cfg(test)]
mod tests {
    use super::DeliveredIds;

    #[test]
    fn an_id_keeps_its_first_place() {
        let mut delivered = DeliveredIds::default();
        assert_eq!([7, 3, 7, -1].map(|id| delivered.push(id)), [Some(0), Some(1), None, Some(2)]);
        assert_eq!([7, 3, -1, 4].map(|id| delivered.place(id)), [Some(0), Some(1), Some(2), None]);
        assert_eq!(delivered.len(), 3);
    }

    #[test]
    fn tentative_ranges_merge_where_they_touch() {
        let mut delivered = DeliveredIds::default();
        for places in [2..4, 4..5, 8..9, 12..12, 10..12] {
            delivered.mark_tentative(places);
        }
        let tentative =
            |delivered: &DeliveredIds| (0..14).filter(|place| delivered.is_tentative(*place)).collect::<Vec<_>>();
        assert_eq!((tentative(&delivered), delivered.tentative.len()), (vec![2, 3, 4, 8, 10, 11], 3));
        delivered.mark_tentative(3..13);
        assert_eq!((tentative(&delivered), delivered.tentative.len()), ((2..13).collect(), 1));
    }
}
