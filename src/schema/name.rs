//! Folded names: the form in which two spellings of one name are equal.
//!
//! Trimmed, inner white space collapsed, Unicode NFKC, case folded (design rule 5). An exact match still wins over
//! a folded one; see [`Catalog`](crate::catalog::Catalog).

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use crate::unicode::is_invisible;

/// The folded form of a name; borrowed if the text is folded already.
pub fn fold_name(text: &str) -> Cow<'_, str> {
    if is_folded(text) {
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    fold_name_into(text, &mut folded);
    Cow::Owned(folded)
}

/// Appends the folded form of a name.
pub fn fold_name_into(text: &str, folded: &mut String) {
    let start = folded.len();
    if is_collapsed(text) {
        folded.push_str(text);
        folded[start..].make_ascii_lowercase();
    } else if text.is_ascii() {
        push_collapsed(text.bytes().map(|byte| char::from(byte.to_ascii_lowercase())), folded);
    } else {
        // Lower-casing the upper-case form folds `ß` with `SS` and the final sigma with the other.
        let normal = text.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase);
        push_collapsed(normal.nfkc(), folded);
    }
    if folded.len() > start && folded.ends_with(' ') {
        folded.pop();
    }
}

fn is_folded(text: &str) -> bool {
    is_collapsed(text) && !text.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Whether a text is ASCII with nothing to leave out: no blank but single ones between words.
fn is_collapsed(text: &str) -> bool {
    // All bytes of a short text are looked at faster than one after the other.
    if !text.bytes().fold(false, |is_odd, byte| is_odd | !byte.is_ascii_graphic()) {
        return true;
    }
    let mut last = b' ';
    for byte in text.bytes() {
        if !(byte.is_ascii_graphic() || byte == b' ' && last != b' ') {
            return false;
        }
        last = byte;
    }
    text.is_empty() || last != b' '
}

/// Appends characters, runs of white space as one blank and none at the start; invisible characters are dropped.
fn push_collapsed(chars: impl Iterator<Item = char>, folded: &mut String) {
    let mut after_blank = true;
    for char in chars {
        if is_invisible(char) {
            continue;
        }
        let blank = char.is_whitespace() || char.is_control();
        if !blank {
            folded.push(char);
        } else if !after_blank {
            folded.push(' ');
        }
        after_blank = blank;
    }
}

/// What follows a name behind a comma without being the first name.
const SUFFIXES: &[&str] = &[
    "jr", "sr", "junior", "senior", "ii", "iii", "iv", "esq", "phd", "ph d", "dphil", "md", "dds", "jd", "mba", "msc",
    "bsc", "cpa", "pmp", "pe", "rn", "dr", "prof", "inc", "llc", "ltd", "limited", "corp", "co", "plc", "gmbh", "ag",
    "kg", "sa", "sarl", "srl", "spa", "bv", "nv", "oy", "ab", "pty",
];

/// The most words of a first or last name.
const MOST_NAME_WORDS: usize = 4;

/// The name of a person that is written last name first: `Ada Byron` of `Byron, Ada`. None for every other text, be it a
/// name with a suffix such as `Bob Stone, Jr.`.
pub fn first_name_first(text: &str) -> Option<String> {
    let (last, first) = text.split_once(',')?;
    let (last, first) = (last.trim(), first.trim());
    let is_suffix = |part: &str| SUFFIXES.contains(&fold_name(part).replace('.', "").trim());
    let is_name = |part: &str| {
        let is_name_char =
            |char: char| char.is_alphabetic() || is_mark(char) || matches!(char, ' ' | '-' | '\'' | '’' | '.');
        part.chars().any(char::is_alphabetic)
            && part.chars().all(is_name_char)
            && part.split_whitespace().count() <= MOST_NAME_WORDS
            && !is_suffix(part)
    };
    (is_name(last) && is_name(first)).then(|| format!("{first} {last}"))
}

/// Whether the character only adds to the letter before it: accents of decomposed text.
fn is_mark(char: char) -> bool {
    unicode_normalization::char::is_combining_mark(char)
}

/// Drops what options differ in between the sections of the guide: `_`, `-` and blanks.
pub(crate) fn without_separators(folded: &str) -> String {
    folded.chars().filter(|char| !matches!(char, '_' | '-' | ' ')).collect()
}

/// The digits of a whole number without the zeros in front, at least one; any other text as it is.
pub(crate) fn without_leading_zeros(text: &str) -> &str {
    if text.len() < 2 || !text.starts_with('0') || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text;
    }
    let digits = text.trim_start_matches('0');
    if digits.is_empty() { &text[text.len() - 1..] } else { digits }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{first_name_first, fold_name, push_collapsed};

    proptest! {
        #[test]
        fn plain_texts_fold_like_all_others(text in "[ -~\t]{0,12}|[A-Za-z0-9-]( [A-Za-z0-9-]){0,6}") {
            let mut folded = String::new();
            push_collapsed(text.to_ascii_lowercase().chars(), &mut folded);
            prop_assert_eq!(fold_name(&text), folded.trim_end_matches(' '));
        }
    }

    #[test]
    fn spellings_of_one_name_fold_alike() {
        for (one, other) in [
            ("Berlin", " BERLIN "),
            ("New  York", "new\u{a0}york"),
            ("Zürich", "Zu\u{308}rich"),
            ("Straße", "STRASSE"),
            ("ﬁle", "FILE"),
            ("a\tb", "A B"),
            ("HF-LT-0001", "HF\u{ad}-LT\u{200b}-00\u{fe0f}01\u{200e}"),
            ("Berlin", "Ber\u{2060}\u{180e}lin\u{61c}"),
        ] {
            assert_eq!(fold_name(one), fold_name(other), "{one} {other}");
        }
        assert_eq!(fold_name("already folded-1"), "already folded-1");
        assert_eq!(fold_name("  "), "");
        assert_ne!(fold_name("Zurich"), fold_name("Zürich"));
    }

    #[test]
    fn a_name_with_the_last_name_first_is_turned_around() {
        for (text, name) in [
            ("Byron, Ada", "Ada Byron"),
            (" O'Neil-Smith ,  Mary Ann ", "Mary Ann O'Neil-Smith"),
            ("von der Leyen, Ursula", "Ursula von der Leyen"),
            ("Mu\u{308}ller, J.", "J. Mu\u{308}ller"),
            ("王, 小明", "小明 王"),
        ] {
            assert_eq!(first_name_first(text).as_deref(), Some(name), "{text}");
        }
        for other in [
            "Ada Byron", "Byron,", ", Ada", "Byron, Ada, Countess", "Bob Stone, Jr.", "Ada Byron, Ph.D.", "Stone, II",
            "Acme, Inc.", "Room 3, Berlin", "byron@example.com, ada", "1,5", "Byron, Ada (admin)", "",
        ] {
            assert_eq!(first_name_first(other), None, "{other}");
        }
    }
}
