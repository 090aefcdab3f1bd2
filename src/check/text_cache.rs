//! Texts that a column has held before, with what they mean: most columns of an inventory hold few.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many texts of a column are remembered: a slot for each, which a later text takes.
const SLOTS: usize = 128;

/// The longest text that is remembered, in bytes.
const LONGEST: usize = 47;

/// After so many cells it is decided whether remembering pays.
const TRIAL: u32 = 1_024;

/// What the texts of one column mean.
#[derive(Debug, Clone)]
pub(crate) struct TextCache<T> {
    /// Empty before the first text, and where remembering does not pay.
    slots: Vec<CachedText<T>>,
    looked_up: u32,
    found: u32,
    /// The number of the text that was put into a slot last: above those of this cache before it, and none of another cache's.
    last: u64,
}

/// How many caches have held a text.
static CACHES: AtomicU64 = AtomicU64::new(0);

#[derive(Debug, Clone)]
struct CachedText<T> {
    /// 0: none.
    len: u8,
    ends: Ends,
    text: [u8; LONGEST],
    value: T,
    /// See [`TextCache::last`].
    number: u64,
}

/// Identifies a remembered text of a column: the same for all cells that hold it, until another text takes its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TextId {
    slot: u8,
    number: u64,
}

impl TextId {
    /// How many slots there are.
    pub(crate) const SLOTS: usize = SLOTS;

    /// Below [`TextId::SLOTS`].
    pub(crate) fn slot(self) -> usize {
        self.slot.into()
    }
}

/// The first and the last bytes of a text, in which texts of a column differ most. All there is to texts of at most 16 bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Ends(u64, u64);

impl Ends {
    #[inline]
    fn of(text: &[u8]) -> Self {
        if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            return Ends(u64::from_le_bytes(*first), u64::from_le_bytes(*last));
        }
        if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
            return Ends(u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into());
        }
        match text {
            [] => Ends::default(),
            [first, .., last] => Ends(u16::from_le_bytes([*first, text[1]]).into(), u64::from(*last)),
            [only] => Ends(u64::from(*only), 0),
        }
    }

    /// The slot of a text.
    #[inline]
    fn slot(self, len: usize) -> usize {
        // A multiplication spreads every bit upwards.
        let mixed = (self.0 ^ self.1.rotate_left(29) ^ len as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 57) as usize
    }
}

impl<T> Default for TextCache<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), looked_up: 0, found: 0, last: 0 }
    }
}

impl<T: Copy> TextCache<T> {
    /// What the text means, and which it is.
    #[inline]
    pub(crate) fn get(&mut self, text: &str) -> Option<(&T, TextId)> {
        if self.looked_up < TRIAL {
            self.try_out();
        }
        if self.slots.is_empty() {
            return None;
        }
        let (text, ends) = (text.as_bytes(), Ends::of(text.as_bytes()));
        let at = ends.slot(text.len());
        let slot = self.slots.get(at)?;
        let has_ends = usize::from(slot.len) == text.len() && slot.ends == ends && !text.is_empty();
        let is_it = has_ends && (text.len() <= 16 || slot.text.get(..text.len()) == Some(text));
        if self.looked_up < TRIAL {
            self.found += u32::from(is_it);
        }
        is_it.then_some((&slot.value, TextId { slot: at as u8, number: slot.number }))
    }

    fn try_out(&mut self) {
        self.looked_up += 1;
        if self.looked_up == TRIAL && self.found < TRIAL / 2 {
            // Tags, serial numbers: no text comes twice.
            self.slots = Vec::new();
        }
    }

    /// Remembers a text that was not found.
    #[inline]
    pub(crate) fn insert(&mut self, text: &str, value: T) {
        if self.looked_up < TRIAL || !self.slots.is_empty() {
            self.put(text.as_bytes(), value);
        }
    }

    fn put(&mut self, text: &[u8], value: T) {
        if text.is_empty() || text.len() > LONGEST {
            return;
        }
        if self.slots.is_empty() {
            let free = CachedText { len: 0, ends: Ends::default(), text: [0; LONGEST], value, number: 0 };
            self.slots = vec![free; SLOTS];
            self.last = CACHES.fetch_add(1, Ordering::Relaxed) << u32::BITS;
        }
        self.last += 1;
        let ends = Ends::of(text);
        let slot = &mut self.slots[ends.slot(text.len())];
        (slot.len, slot.ends, slot.value, slot.number) = (text.len() as u8, ends, value, self.last);
        slot.text[..text.len()].copy_from_slice(text);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Ends, LONGEST, SLOTS, TRIAL, TextCache};
    use crate::check::checked_row::ParsedValue;

    /// What the text means.
    fn meaning(cache: &mut TextCache<ParsedValue>, text: &str) -> Option<ParsedValue> {
        cache.get(text).map(|(value, _)| *value)
    }

    #[test]
    fn a_text_is_known_as_what_it_means() {
        let mut cache = TextCache::default();
        assert_eq!(meaning(&mut cache, "12"), None);
        cache.insert("12", ParsedValue::Integer(12));
        assert_eq!(meaning(&mut cache, "12"), Some(ParsedValue::Integer(12)));
        for other in ["", "1", "2", "13", "12 ", "0012", "\0\u{0}12", "12345678901"] {
            assert_eq!(meaning(&mut cache, other), None, "{other:?}");
        }
        let (long, other) = ("Returned in May, all parts", "Returned by Ada, all parts");
        cache.insert(long, ParsedValue::Text);
        assert_eq!([long, other].map(|text| meaning(&mut cache, text)), [Some(ParsedValue::Text), None]);
        let long = "a".repeat(LONGEST + 1);
        cache.insert(&long, ParsedValue::Text);
        assert_eq!(meaning(&mut cache, &long), None);
        cache.insert(&long[1..], ParsedValue::Text);
        assert_eq!(meaning(&mut cache, &long[1..]), Some(ParsedValue::Text));
    }

    #[test]
    fn a_text_has_one_id_until_another_takes_its_slot() {
        let mut cache = TextCache::default();
        let mut ids = std::collections::HashMap::new();
        for number in (0..300).chain(0..300) {
            let text = number.to_string();
            cache.insert(&text, ParsedValue::Text);
            let (_, id) = cache.get(&text).unwrap();
            assert_eq!(cache.get(&text).unwrap().1, id);
            assert!(id.slot() < SLOTS);
            assert_eq!(ids.insert((id.slot(), id.number), number), None, "an id is not used again");
        }
    }

    #[test]
    fn every_slot_can_be_reached() {
        let used: std::collections::HashSet<usize> = (0..20_000)
            .map(|number: u32| number.to_string())
            .map(|text| Ends::of(text.as_bytes()).slot(text.len()))
            .collect();
        assert_eq!(used.len(), SLOTS);
    }

    #[test]
    fn a_column_of_different_texts_is_given_up() {
        let mut cache = TextCache::default();
        for number in 0..TRIAL + 1 {
            let text = number.to_string();
            assert_eq!(meaning(&mut cache, &text), None);
            cache.insert(&text, ParsedValue::Text);
        }
        assert!(cache.slots.is_empty());
        let mut few = TextCache::default();
        for number in 0..2 * TRIAL {
            let text = (number % 5).to_string();
            if few.get(&text).is_none() {
                few.insert(&text, ParsedValue::Text);
            }
        }
        assert_eq!(meaning(&mut few, "3"), Some(ParsedValue::Text));
    }
}
