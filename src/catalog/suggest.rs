//! Nearest names, ranked.

use std::cmp::Ordering;

use crate::schema::fold_name;

/// Edits allowed for each ten letters of the longer text.
const EDITS_IN_TEN: usize = 4;
/// Letters that a contained text needs: `IT` is inside too many names.
const LEAST_CONTAINED: usize = 3;
/// The least share of a name's letters that words in common must make.
const LEAST_SHARED: f64 = 0.5;

/// At most `most` of the names that resemble the text, the nearest first; equally near ones in alphabetical order. A
/// name resembles it if at most four letters in ten differ, if one contains the other, or if half of their words are the
/// same.
pub(crate) fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    let unmatched = UnmatchedName::new(&fold_name(text));
    if unmatched.folded.is_empty() {
        return Vec::new();
    }
    let mut best: Vec<(f64, &str)> = Vec::new();
    for name in names {
        let least = if best.len() < most { 0.0 } else { best.last().map_or(0.0, |(likeness, _)| *likeness) };
        if let Some(likeness) = unmatched.likeness(&fold_name(name), least) {
            insert(&mut best, (likeness, name), most);
        }
    }
    best.into_iter().map(|(_, name)| name).collect()
}

/// Inserts a name at its rank, unless it is there already, and drops what is beyond `most`.
fn insert<'a>(best: &mut Vec<(f64, &'a str)>, (likeness, name): (f64, &'a str), most: usize) {
    if best.iter().any(|(_, other)| *other == name) {
        return;
    }
    let is_before = |(other, text): &(f64, &str)| likeness.total_cmp(other).then(text.cmp(&name)) != Ordering::Greater;
    let rank = best.partition_point(is_before);
    best.insert(rank, (likeness, name));
    best.truncate(most);
}

/// A text that found nothing, measured once.
struct UnmatchedName {
    folded: String,
    length: usize,
    words: Vec<String>,
    letters: LetterHistogram,
}

/// How often each letter occurs, in 64 bins: two texts are at least as many edits apart as their bins differ.
struct LetterHistogram([u16; 64]);

impl UnmatchedName {
    fn new(folded: &str) -> Self {
        let mut words: Vec<String> = words(folded).map(str::to_owned).collect();
        words.sort_unstable();
        words.dedup();
        Self { folded: folded.to_owned(), length: folded.chars().count(), words, letters: LetterHistogram::of(folded) }
    }

    /// From 0 to 1; none if too low, or lower than `least` as far as that is cheap to know.
    fn likeness(&self, name: &str, least: f64) -> Option<f64> {
        let length = name.chars().count();
        if length == 0 {
            return None;
        }
        let ways = [self.contained(name, length), self.shared_words(name), self.edited(name, length, least)];
        ways.into_iter().flatten().max_by(f64::total_cmp)
    }

    /// One text begins with the other (better) or contains it.
    fn contained(&self, name: &str, length: usize) -> Option<f64> {
        let (shorter, longer) = if length < self.length { (name, self.folded.as_str()) } else { (&*self.folded, name) };
        if length.min(self.length) < LEAST_CONTAINED || !longer.contains(shorter) {
            return None;
        }
        let share = length.min(self.length) as f64 / length.max(self.length) as f64;
        let base = if longer.starts_with(shorter) { 0.65 } else { 0.55 };
        Some(base + (1.0 - base) * share)
    }

    /// Words in common, in whatever order: `Byron, Ada` is `Ada Byron`.
    fn shared_words(&self, name: &str) -> Option<f64> {
        let mut shared = 0;
        let mut total = 0;
        for word in words(name) {
            total += word.len();
            if self.words.binary_search_by(|own| own.as_str().cmp(word)).is_ok() {
                shared += word.len();
            }
        }
        let own: usize = self.words.iter().map(String::len).sum();
        let share = shared as f64 / total.max(own).max(1) as f64;
        (share >= LEAST_SHARED).then_some(0.5 + 0.48 * share)
    }

    /// Letters missing, added, changed or swapped.
    fn edited(&self, name: &str, length: usize, least: f64) -> Option<f64> {
        let longer = length.max(self.length);
        let allowed = (longer * EDITS_IN_TEN).div_ceil(10).min(longer.saturating_sub(1));
        let likeness = |edits: usize| (edits <= allowed).then(|| 1.0 - edits as f64 / longer as f64);
        let is_worth_it = |edits| likeness(edits).is_some_and(|most| most >= least);
        if !is_worth_it(length.abs_diff(self.length))
            || !is_worth_it(self.letters.least_edits(&LetterHistogram::of(name)))
        {
            return None;
        }
        likeness(strsim::osa_distance(&self.folded, name))
    }
}

impl LetterHistogram {
    fn of(text: &str) -> Self {
        let mut bins = [0u16; 64];
        for char in text.chars() {
            let bin = &mut bins[char as usize % 64];
            *bin = bin.saturating_add(1);
        }
        Self(bins)
    }

    fn least_edits(&self, other: &Self) -> usize {
        let pairs = || self.0.iter().zip(&other.0);
        let over: usize = pairs().map(|(one, other)| usize::from(one.saturating_sub(*other))).sum();
        let under: usize = pairs().map(|(one, other)| usize::from(other.saturating_sub(*one))).sum();
        over.max(under)
    }
}

fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_likeliest_name_comes_first() {
        let names = ["Berlin", "Berlin Mitte", "Bern", "Hamburg", "Dublin", "New York"];
        for (text, first) in [
            ("Berlni", Some("Berlin")),
            ("berlin-mitte", Some("Berlin Mitte")),
            ("BERLIN MITTE OFFICE", Some("Berlin Mitte")),
            ("York, New", Some("New York")),
            ("Hamburg HQ", Some("Hamburg")),
            ("ham", Some("Hamburg")),
            ("Tokyo", None),
            ("xx", None),
            ("", None),
        ] {
            assert_eq!(nearest(text, names.into_iter(), 3).first().copied(), first, "{text}");
        }
    }

    #[test]
    fn equally_near_names_are_sorted_and_unique() {
        let names = ["Room 3", "Room 1", "Room 2", "Room 1", "Room 4"];
        assert_eq!(nearest("Room 9", names.into_iter(), 3), ["Room 1", "Room 2", "Room 3"]);
        let reversed = names.into_iter().rev();
        assert_eq!(nearest("Room 9", reversed, 3), ["Room 1", "Room 2", "Room 3"]);
    }

    #[test]
    fn letters_beyond_ascii_count_as_letters() {
        assert_eq!(nearest("Zurich", ["Zürich", "Munich"].into_iter(), 1), ["Zürich"]);
        assert_eq!(nearest("东京办公", ["东京办公室"].into_iter(), 1), ["东京办公室"]);
    }

    #[test]
    fn a_hundred_thousand_names_are_ranked() {
        let names: Vec<String> = (0..100_000).map(|number| format!("LAP-{number:06}")).collect();
        assert_eq!(nearest("LAP-04217", names.iter().map(String::as_str), 1), ["LAP-042170"]);
    }
}
