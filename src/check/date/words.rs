//! Words in dates: months, weekdays, and the small words between them.

use std::sync::LazyLock;

use hashbrown::HashMap;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The meaning of a word in a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// From 1.
    Month(u8),
    /// A month or a weekday: `mar` is mars and mardi, marzo and martes.
    MonthOrWeekday(u8),
    /// A weekday, an ordinal ending or a small word, which does not change the date.
    Filler,
    /// A unit of time, as in `36 months`: a duration, not a date.
    Span,
    Unknown,
}

/// Month names in English, German, French, Spanish, Italian, Portuguese, Dutch, the Scandinavian languages and
/// Estonian, with their short forms: lower case, without accents and dots. No word means two months.
#[rustfmt::skip]
const MONTHS: [&[&str]; 12] = [
    &["january", "jan", "januar", "janner", "janv", "janvier", "enero",
      "ene", "gennaio", "gen", "janeiro", "januari", "jaanuar"],
    &["february", "feb", "februar", "febr", "fev", "fevr", "fevrier",
      "febrero", "febbraio", "febb", "fevereiro", "februari", "veebruar", "veebr"],
    &["march", "mar", "marz", "maerz", "mrz", "mars", "marzo", "marco", "maart", "mrt", "marts"],
    &["april", "apr", "avril", "avr", "abril", "abr", "aprile", "aprill"],
    &["may", "mai", "mayo", "maggio", "mag", "maio", "mei", "maj"],
    &["june", "jun", "juni", "juin", "junio", "giugno", "giu", "junho", "juuni"],
    &["july", "jul", "juli", "juillet", "juil", "julio", "luglio", "lug", "julho", "juuli"],
    &["august", "aug", "aout", "agosto", "ago", "augustus", "augusti"],
    &["september", "sep", "sept", "septembre", "septiembre", "setiembre", "settembre", "sett", "set", "setembro"],
    &["october", "oct", "oktober", "okt", "octobre", "octubre", "ottobre", "ott", "outubro", "out", "oktoober"],
    &["november", "nov", "novembre", "noviembre", "novembro"],
    &["december", "dec", "dezember", "dez", "decembre", "diciembre", "dic",
      "dicembre", "dezembro", "desember", "des", "detsember", "dets"],
];

/// Weekdays in the same languages.
#[rustfmt::skip]
const WEEKDAYS: &[&str] = &[
    "monday", "mon", "tuesday", "tue", "tues", "wednesday", "wed", "thursday", "thu", "thur", "thurs", "friday",
    "fri", "saturday", "sat", "sunday", "sun", "montag", "mo", "dienstag", "di", "mittwoch", "mi", "donnerstag",
    "do", "freitag", "fr", "samstag", "sa", "sonnabend", "sonntag", "so", "lundi", "lun", "mardi", "mar",
    "mercredi", "mer", "jeudi", "jeu", "vendredi", "ven", "samedi", "sam", "dimanche", "dim", "lunes", "martes",
    "miercoles", "mie", "jueves", "jue", "viernes", "vie", "sabado", "sab", "domingo", "dom", "lunedi",
    "martedi", "mercoledi", "giovedi", "gio", "venerdi", "sabato", "domenica", "segunda", "terca", "quarta",
    "quinta", "sexta", "feira", "maandag", "ma", "dinsdag", "woensdag", "wo", "donderdag", "vrijdag", "vr",
    "zaterdag", "za", "zondag", "zo", "mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lordag", "sondag",
    "man", "tir", "ons", "tor", "fre", "lor", "son", "tis",
];

/// Ordinal endings, articles and prepositions.
#[rustfmt::skip]
const SMALL_WORDS: &[&str] = &[
    "st", "nd", "rd", "th", "er", "of", "the", "at", "on", "de", "del", "den", "der", "le", "la", "el", "il",
    "di", "da", "do", "du", "am", "um", "a", "op", "d",
];

/// Units of time, by how they begin.
#[rustfmt::skip]
const SPANS: &[&str] = &[
    "month", "year", "week", "day", "monat", "jahr", "woche", "tag", "mois", "ans", "annee", "semaine", "jour",
    "mes", "ano", "semana", "dia", "maand", "jaar", "weken", "dagen", "yr", "mth",
];

/// All words by their folded form; `MonthOrWeekday` if it is in both tables.
static MEANINGS: LazyLock<HashMap<&str, Word>> = LazyLock::new(|| {
    let fillers = WEEKDAYS.iter().chain(SMALL_WORDS).map(|word| (*word, Word::Filler));
    let mut meanings: HashMap<&str, Word> = fillers.collect();
    for (month, names) in (1..).zip(MONTHS) {
        for name in names {
            let meaning = if meanings.contains_key(name) { Word::MonthOrWeekday(month) } else { Word::Month(month) };
            meanings.insert(name, meaning);
        }
    }
    meanings
});

/// The meaning of a word, whatever its case, accents and dots.
pub(super) fn meaning(word: &str) -> Word {
    let folded = fold(word);
    let is_span = || SPANS.iter().any(|span| folded.starts_with(span));
    match MEANINGS.get(folded.as_str()) {
        Some(meaning) => *meaning,
        None if is_span() => Word::Span,
        None => Word::Unknown,
    }
}

/// Lower case, without accents: `Août` is `aout`.
fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    word.nfd().filter(|char| !is_combining_mark(*char)).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_word_means_two_months() {
        let words: Vec<_> = MONTHS.iter().flat_map(|names| names.iter()).collect();
        let distinct: HashSet<_> = words.iter().collect();
        assert_eq!(words.len(), distinct.len());
    }

    #[test]
    fn words_are_stored_as_they_are_compared() {
        for word in MONTHS.iter().flat_map(|names| names.iter()).chain(WEEKDAYS).chain(SMALL_WORDS).chain(SPANS) {
            assert_eq!(&fold(word), word);
        }
    }

    #[test]
    fn months_are_known_in_many_languages() {
        for (word, month) in [
            ("Mar", Word::MonthOrWeekday(3)),
            ("avr", Word::Month(4)),
            ("AVRIL", Word::Month(4)),
            ("aprill", Word::Month(4)),
            ("Août", Word::Month(8)),
            ("März", Word::Month(3)),
            ("Jänner", Word::Month(1)),
            ("déc", Word::Month(12)),
            ("Mittwoch", Word::Filler),
            ("months", Word::Span),
            ("Jahre", Word::Span),
            ("Over", Word::Unknown),
        ] {
            assert_eq!(meaning(word), month, "{word}");
        }
    }
}
