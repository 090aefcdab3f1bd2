//! Folding of header words, so that `Asset Tag`, `asset_tag` and `AssetTag (required)` are one word.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use crate::unicode::is_invisible;

/// What other tools put before the word itself, in lower case.
const PREFIXES: &[&str] = &["hb.", "cf:"];

/// Before words about the person or place that has a thing.
const HOLDER: &str = "checked out to:";

/// Words that keep the prefix of a holder: alone they would be the thing's own.
const OF_THE_THING: &[&str] = &["name", "notes", "tag", "assettag", "serial", "id"];

/// The form in which header words are compared: NFKC, lower case, letters and digits only.
///
/// A technical name in square brackets is the word, as in `User name [userPrincipalName] Required`. Left out are other
/// brackets with what follows them ([`HeaderText`](super::HeaderText) tells whether they matter), a type as in
/// `,type:text`, the prefixes of other tools (`HB.`, `cf:`, `Checked Out To:`) and a `*`. A `#` beside other letters
/// reads as `number`.
///
/// `Purchase Date (YYYY-MM-DD)`, `purchase_date`, `cf: purchase date, type:date` and `PurchaseDate *` all become
/// `purchasedate`.
pub fn fold_header(text: &str) -> String {
    if let Some(folded) = fold_plain(text) {
        return folded;
    }
    let normal = compatible(text);
    if let Some(name) = technical_name(&normal) {
        return name.to_lowercase();
    }
    let normal = normal.to_lowercase();
    let bare = without_type(without_brackets(&normal));
    let folded = fold_letters(without_holder(without_prefix(bare)));
    if folded.is_empty() { fold_letters(&normal) } else { folded }
}

/// A text of letters and digits of ASCII, and of what may part them but means nothing, folded; none of any other. Nearly every
/// header word is one.
fn fold_plain(text: &str) -> Option<String> {
    let mut folded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' => folded.push(char::from(byte)),
            b'A'..=b'Z' => folded.push(char::from(byte.to_ascii_lowercase())),
            b' ' | b'_' | b'-' | b'/' => {}
            _ => return None,
        }
    }
    Some(folded)
}

/// The text in NFKC. Nearly every header is ASCII, which is in that form.
pub(super) fn compatible(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.nfkc().collect()) }
}

/// Letters and digits of a text in lower case; where there are any, `#` becomes `number`.
pub(super) fn fold_letters(lower: &str) -> String {
    let mut folded = String::with_capacity(lower.len());
    for char in lower.chars() {
        match char {
            '#' => folded.push_str("number"),
            'a'..='z' | 'A'..='Z' | '0'..='9' => folded.push(char),
            '\0'..='\x7f' => {}
            _ if char.is_alphanumeric() && !is_invisible(char) => folded.push(char),
            _ => {}
        }
    }
    folded
}

/// Cuts a trailing `(…)` or `[…]` with whatever follows it, as in `Name [displayName] Required`.
fn without_brackets(text: &str) -> &str {
    match text.find(['(', '[']) {
        Some(start) if start > 0 => &text[..start],
        _ => text,
    }
}

/// A name in square brackets that only a program would write: letters and digits with a hump, as `displayName`.
/// A unit or a format such as `[kg]` or `[YYYY-MM-DD]` has none.
fn technical_name(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once('[')?;
    let (name, _) = rest.split_once(']')?;
    let plain = name.chars().all(char::is_alphanumeric);
    let humps = name.chars().zip(name.chars().skip(1)).any(|(left, right)| left.is_lowercase() && right.is_uppercase());
    (plain && humps).then_some(name)
}

/// Cuts a type that another tool appended, as in `Serial number,type:text`.
fn without_type(lower: &str) -> &str {
    match lower.rsplit_once(',') {
        Some((word, tail)) if tail.trim_start().starts_with("type:") => word,
        _ => lower,
    }
}

fn without_prefix(lower: &str) -> &str {
    let text = lower.trim_start();
    PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text)
}

/// `Checked Out To: Name` on an assets sheet is a person's name: it must not become the asset's `name`.
fn without_holder(lower: &str) -> &str {
    match lower.strip_prefix(HOLDER) {
        Some(word) if !OF_THE_THING.contains(&fold_letters(word).as_str()) => word,
        _ => lower,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::fold_header;

    #[test]
    fn case_separators_and_brackets_do_not_matter() {
        for header in [
            "Purchase Date (YYYY-MM-DD)", "purchase_date", "PurchaseDate *", " purchase-date: ",
            "Purchase Date [purchaseDate] Required", "Purchase Date.", "HB.purchase_date",
            "cf:purchase date, type:date", "cf: Purchase date,type:text", "Checked Out To: Purchase Date",
        ] {
            assert_eq!(fold_header(header), "purchasedate", "{header}");
        }
        assert_eq!(fold_header("User name [userPrincipalName] Required"), "userprincipalname");
        assert_eq!(fold_header("Weight [kg]"), "weight");
        assert_eq!(fold_header("资产编号"), "资产编号");
        assert_eq!(fold_header("(none)"), "none");
    }

    #[test]
    fn a_number_sign_is_the_word_number() {
        assert_eq!(fold_header("Asset #"), "assetnumber");
        assert_eq!(fold_header("# of seats"), "numberofseats");
        assert_eq!(fold_header("Asset No."), "assetno");
    }

    #[test]
    fn composed_and_decomposed_letters_are_one() {
        assert_eq!(fold_header("Cate\u{301}gorie"), fold_header("Cat\u{e9}gorie"));
        assert_eq!(fold_header("ＳＮ"), "sn");
    }

    #[test]
    fn the_name_of_the_holder_keeps_its_prefix() {
        assert_eq!(fold_header("Checked Out To: Name"), "checkedouttoname");
        assert_eq!(fold_header("HB.name"), "name");
        assert_eq!(fold_header("Checked Out To: Email"), "email");
    }

    #[test]
    fn a_dot_inside_a_word_is_no_prefix() {
        assert_eq!(fold_header("Manufacturer.Name"), "manufacturername");
        assert_eq!(fold_header("custom:Rack"), "customrack");
    }

    proptest! {
        #[test]
        fn folding_never_panics_and_leaves_only_letters_and_digits(header in ".{0,40}") {
            let folded = fold_header(&header);
            prop_assert!(folded.chars().all(|char| char.is_alphanumeric() || is_mark(char)), "{folded:?}");
        }

        #[test]
        fn case_and_separators_never_matter(words in "[a-z]{1,8}( [a-z]{1,8}){0,3}", separator in "[ _-]") {
            let other = words.replace(' ', &separator).to_uppercase();
            prop_assert_eq!(fold_header(&other), fold_header(&words));
        }
    }

    /// Lower case of `İ` ends in a combining dot.
    fn is_mark(char: char) -> bool {
        char == '\u{307}'
    }
}
