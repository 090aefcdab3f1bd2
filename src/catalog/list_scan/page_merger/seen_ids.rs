//! The ids handed over so far, in that order, and which of them are in doubt.

use std::hash::BuildHasher;
use std::ops::Range;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};

/// Ids in the order they were handed over. 8 bytes an id, and a table of 4-byte places to find them by: 1,000,000 ids
/// take about 25 MB.
#[derive(Debug, Default)]
pub(super) struct SeenIds {
    ids: Vec<i64>,
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Places whose ids are not known to stand in the list as they stand here: in order, apart, none empty.
    loose: Vec<Range<u32>>,
}

impl SeenIds {
    pub(super) fn len(&self) -> u32 {
        self.ids.len() as u32
    }

    /// Where the id stands, if it was handed over.
    pub(super) fn place(&self, id: i64) -> Option<u32> {
        let is_it = |place: &u32| self.ids[*place as usize] == id;
        self.places.find(self.hasher.hash_one(id), is_it).copied()
    }

    /// Adds an id; gives its place, or none if it stands there already.
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

    /// Whether the order of that place is in doubt.
    pub(super) fn is_tentative(&self, place: u32) -> bool {
        let after = self.loose.partition_point(|range| range.end <= place);
        self.loose.get(after).is_some_and(|range| range.contains(&place))
    }

    /// Puts the order of these places in doubt. They reach to the end of the run, or begin behind all that are.
    pub(super) fn mark_tentative(&mut self, mut places: Range<u32>) {
        if places.is_empty() {
            return;
        }
        while let Some(last) = self.loose.pop_if(|last| last.end >= places.start) {
            places = last.start.min(places.start)..last.end.max(places.end);
        }
        self.loose.push(places);
    }
}

#[cfg(test)]
mod tests {
    use super::SeenIds;

    #[test]
    fn an_id_stands_where_it_was_first_put() {
        let mut run = SeenIds::default();
        assert_eq!([7, 3, 7, -1].map(|id| run.push(id)), [Some(0), Some(1), None, Some(2)]);
        assert_eq!([7, 3, -1, 4].map(|id| run.place(id)), [Some(0), Some(1), Some(2), None]);
        assert_eq!(run.len(), 3);
    }

    #[test]
    fn loose_places_join_where_they_touch() {
        let mut run = SeenIds::default();
        for places in [2..4, 4..5, 8..9, 12..12, 10..12] {
            run.mark_tentative(places);
        }
        let loose = |run: &SeenIds| (0..14).filter(|place| run.is_tentative(*place)).collect::<Vec<_>>();
        assert_eq!((loose(&run), run.loose.len()), (vec![2, 3, 4, 8, 10, 11], 3));
        run.mark_tentative(3..13);
        assert_eq!((loose(&run), run.loose.len()), ((2..13).collect(), 1));
    }
}
