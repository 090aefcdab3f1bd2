//! Tells a misspelt header from another word.

use crate::schema;

use super::HeaderAliases;

/// A header at least this similar to a known one is considered a misspelling (1.0 is equal).
const MISSPELT: f64 = 0.84;

/// A known word of this many letters or more is also misspelt with a single typing mistake. Shorter ones are similar to
/// everything.
const MIN_LETTERS: usize = 5;

/// Words of their own, folded, one letter away from a word of the schema. A new word of the schema with five or six
/// letters needs a look at what resembles it.
const ORDINARY: &[&str] = &[
    "amounts", "assess", "band", "bland", "brought", "canon", "carga", "carro", "carton", "conte", "conto", "counts",
    "court", "datei", "daten", "device", "devis", "emails", "estadio", "karton", "kasten", "konten", "marc", "march",
    "mare", "mark", "marker", "market", "markt", "masque", "merge", "merke", "modal", "mode", "modem", "modes",
    "modul", "module", "modulo", "month", "motel", "nodes", "noted", "notion", "officer", "paste", "pause", "piste",
    "porte", "pose", "post", "posten", "poster", "posts", "press", "pride", "prime", "prince", "prize", "puerto",
    "seals", "sector", "sektor", "sets", "skate", "slate", "smart", "stage", "stake", "stale", "star", "stark", "stat",
    "states", "stats", "statue", "statute", "suit", "suits", "teams", "tile", "titre", "tonal", "totals", "vapor",
    "vile", "villa",
];

/// How similar a folded header is to a folded word of the schema, if it is close enough to be a typing mistake.
pub(super) fn similarity(word: &str, header: &str) -> Option<f64> {
    let (one, other) = (word.chars().count(), header.chars().count());
    let (short, long) = (one.min(other), one.max(other));
    // Each letter that one has more than the other is a difference, and comparing takes time.
    if long - short > 1 && (short as f64) < MISSPELT * long as f64 {
        return None;
    }
    let similarity = strsim::normalized_damerau_levenshtein(word, header);
    (similarity >= MISSPELT || is_one_mistake(word, header)).then_some(similarity)
}

/// Whether two texts differ by no more than a typing mistake.
pub(super) fn is_misspelt(one: &str, other: &str) -> bool {
    similarity(&schema::fold_header(one), &schema::fold_header(other)).is_some()
}

/// Whether one letter of a short word is wrong, missing or too many, or two are swapped. The first letter is seldom
/// wrong (`votes` are no `notes`), and another number is another column (`phone2`).
fn is_one_mistake(word: &str, header: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    word.chars().count() >= MIN_LETTERS
        && word.chars().next() == header.chars().next()
        && digits(word) == digits(header)
        && strsim::damerau_levenshtein(word, header) == 1
        && !ORDINARY.contains(&header)
        && !is_known_word(header)
}

/// Whether a header is a word for something else: a field of any collection or action.
fn is_known_word(header: &str) -> bool {
    schema::importable().any(|entity| HeaderAliases::of(entity).get(header).is_some())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn one_mistake_is_enough_in_a_short_word() {
        for (word, header) in [
            ("notes", "nottes"),
            ("notes", "noets"),
            ("title", "titl"),
            ("serial", "serail"),
            ("status", "stauts"),
            ("model", "modle"),
            ("vendor", "vendro"),
            ("assettag", "asettag"),
        ] {
            assert!(similarity(word, header).is_some(), "{header}");
        }
        let others =
            [("notes", "votes"), ("model", "modem"), ("phone", "phone2"), ("type", "tipe"), ("serial", "srail")];
        for (word, header) in others {
            assert_eq!(similarity(word, header), None, "{header}");
        }
        // A word of another collection means what it means there.
        assert_eq!(similarity("count", "county"), None);
    }

    #[test]
    fn ordinary_words_are_folded_and_no_words_of_the_schema() {
        for word in ORDINARY {
            assert_eq!(schema::fold_header(word), *word);
            assert!(!is_known_word(word), "{word}");
        }
    }
}
