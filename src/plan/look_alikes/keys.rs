//! Keys of names: names that have a key in common look alike.
//!
//! The names of organisations get the two key collisions that OpenRefine documents (Clustering In Depth: fingerprint
//! and n-gram fingerprint), without legal forms: `Dell`, `DELL Inc.` and `Dell GmbH & Co. KG` are one. Other names get
//! a stricter key, in which every digit counts and stays in its place: `XPS 13` is not `XPS 15`, and `iPhone 14` is not
//! `iPhone 14 Pro`. Only where a name has no digit may its words be in another order.

use std::collections::BTreeSet;

use super::legal_forms::without_legal_forms;
use crate::schema::Entity;
use unicode_normalization::UnicodeNormalization;

/// Shorter names are compared letter by letter: their pairs of letters are too few to tell them apart.
const LEAST_GRAM_LETTERS: usize = 5;

/// Words that say nothing, in the languages in which companies join their names.
const EMPTY_WORDS: &[&str] = &["and", "et", "the", "und"];

/// Letters that do not decompose into a plain one and a mark.
const PLAIN_LETTERS: &[(char, &str)] = &[
    ('æ', "ae"),
    ('œ', "oe"),
    ('ø', "o"),
    ('ł', "l"),
    ('đ', "d"),
    ('ð', "d"),
    ('þ', "th"),
    ('ı', "i"),
    ('ħ', "h"),
    ('ŧ', "t"),
];

/// How people write such letters on a keyboard that lacks them.
const DIGRAPHS: &[(char, &str)] = &[('ä', "ae"), ('ö', "oe"), ('ü', "ue"), ('ø', "oe"), ('å', "aa")];

/// The keys of a name of that collection, which is folded already.
pub(super) fn keys(entity: &Entity, folded: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut spellings = vec![plain_letters(folded)];
    if folded.contains(|char| DIGRAPHS.iter().any(|(letter, _)| *letter == char)) {
        spellings.push(plain_letters(&replaced(folded, DIGRAPHS)));
    }
    for spelling in spellings {
        if entity.names_organisations() {
            let glued = without_legal_forms(spelling.split_whitespace().map(letters).collect());
            let words = without_legal_forms(words(&spelling));
            keys.insert(format!("f {}", fingerprint(&glued)));
            keys.insert(format!("f {}", fingerprint(&words)));
            keys.insert(format!("n {}", gram_fingerprint(&words)));
        } else {
            keys.insert(format!("s {}", strict_key(&spelling)));
            if !spelling.contains(char::is_numeric) {
                keys.insert(format!("f {}", fingerprint(&words(&spelling))));
            }
        }
    }
    // A name of nothing but punctuation has no key.
    keys.retain(|key| key.len() > 2);
    keys
}

/// The words without order and repetition.
fn fingerprint(words: &[String]) -> String {
    let is_empty = |word: &&str| EMPTY_WORDS.contains(word);
    let telling: BTreeSet<&str> = words.iter().map(String::as_str).filter(|word| !is_empty(word)).collect();
    let telling = if telling.is_empty() { words.iter().map(String::as_str).collect() } else { telling };
    telling.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The pairs of letters without order and repetition, so that blanks and doubled letters do not matter. Digits do: the
/// pairs of `101` are those of `1010`.
fn gram_fingerprint(words: &[String]) -> String {
    let joined: Vec<char> = words.iter().flat_map(|word| word.chars()).collect();
    if joined.len() < LEAST_GRAM_LETTERS {
        return joined.into_iter().collect();
    }
    let grams: BTreeSet<String> = joined.windows(2).map(|pair| pair.iter().collect()).collect();
    let digits: String = joined.iter().filter(|char| char.is_numeric()).collect();
    format!("{}{digits}", grams.into_iter().collect::<String>())
}

/// The letters and digits in their order. Digits that something stands between stay apart: `2.4` is not `24`. A plus and
/// a number sign are part of the name: `Galaxy S24+`, `C#`.
fn strict_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    let mut is_apart = false;
    for char in text.chars() {
        if !(char.is_alphanumeric() || matches!(char, '+' | '#')) {
            is_apart = true;
            continue;
        }
        if is_apart && char.is_numeric() && key.ends_with(char::is_numeric) {
            key.push('|');
        }
        key.push(char);
        is_apart = false;
    }
    key
}

/// The words; punctuation between two of them separates them, and that inside a short form does not: `S.p.A.` is `spa`.
fn words(text: &str) -> Vec<String> {
    let is_between = |char: char| char.is_whitespace() || ",;:/\\()[]{}&+-_|–—".contains(char);
    text.split(is_between).map(letters).filter(|word| !word.is_empty()).collect()
}

fn letters(word: &str) -> String {
    word.chars().filter(|char| char.is_alphanumeric()).collect()
}

/// The text without accents.
fn plain_letters(folded: &str) -> String {
    if folded.is_ascii() {
        return folded.to_owned();
    }
    // The marks of Latin, Greek and Cyrillic; those of other scripts are letters.
    let decomposed: String = folded.nfkd().filter(|char| !matches!(char, '\u{300}'..='\u{36f}')).collect();
    replaced(&decomposed, PLAIN_LETTERS)
}

fn replaced(text: &str, table: &[(char, &str)]) -> String {
    let mut plain = String::with_capacity(text.len());
    for char in text.chars() {
        match table.iter().find(|(letter, _)| *letter == char) {
            Some((_, letters)) => plain.push_str(letters),
            None => plain.push(char),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::keys;
    use crate::schema::{self, fold_name};

    fn look_alike(collection: &str, one: &str, other: &str) -> bool {
        let entity = schema::collection(collection).unwrap();
        !keys(entity, &fold_name(one)).is_disjoint(&keys(entity, &fold_name(other)))
    }

    #[test]
    fn makers_are_alike_whatever_their_legal_form_and_punctuation() {
        for (one, other) in [
            ("Dell", "DELL Inc."),
            ("Dell", "Dell GmbH & Co. KG"),
            ("Hewlett-Packard", "HewlettPackard"),
            ("Hewlett Packard", "Packard, Hewlett"),
            ("HP", "H.P."),
            ("Brother Industries Co.,Ltd.", "Brother Industries"),
            ("Olivetti", "Olivetti S. p. A."),
            ("Müller", "Mueller AG"),
            ("Müller", "Muller"),
            ("Bang & Olufsen", "Bang and Olufsen A/S"),
            ("Boost", "Booost"),
            ("Sony", "株式会社Sony"),
            ("Volvo AB", "AB Volvo"),
            ("Société Générale", "Societe Generale SA"),
        ] {
            assert!(look_alike("manufacturers", one, other), "{one} {other}");
        }
    }

    #[test]
    fn different_makers_stay_apart() {
        for (one, other) in [
            ("Acer", "Race"),
            ("Level 3", "Level 33"),
            ("Studio 101", "Studio 1010"),
            ("3M", "M3"),
            ("Dell", "Dell EMC"),
            ("Apple", "Apple Valley"),
            ("AG", "SE"),
            ("...", "---"),
        ] {
            assert!(!look_alike("suppliers", one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_digit_a_version_or_a_word_more_is_another_product() {
        for (one, other) in [
            ("XPS 13", "XPS 15"),
            ("iPhone 14", "iPhone 14 Pro"),
            ("Galaxy S24", "Galaxy S24+"),
            ("USB 2.4", "USB 24"),
            ("Building 1 Room 2", "Building 2 Room 1"),
            ("Dock Inc.", "Dock"),
            ("Model S", "Model X"),
        ] {
            assert!(!look_alike("products", one, other), "{one} {other}");
        }
        for (one, other) in [
            ("XPS 13", "xps-13"),
            ("XPS13", "XPS 13"),
            ("Docking station", "Station, docking"),
            ("Wi-Fi router", "WiFi Router"),
            ("Téléphone", "telephone"),
        ] {
            assert!(look_alike("products", one, other), "{one} {other}");
        }
        assert!(look_alike("employees", "Byron, Ada", "Ada Byron"));
    }
}
