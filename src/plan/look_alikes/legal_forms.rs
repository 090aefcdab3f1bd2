//! Legal forms of companies: `Inc.`, `GmbH & Co. KG`. They say who is liable, and not who made the laptop.

/// As they are left after lower-casing and without dots and blanks.
const LEGAL_FORMS: &[&str] = &[
    "ab", "ag", "aps", "as", "asa", "asbl", "bhd", "bv", "bvba", "co", "company", "corp", "corporation", "cv", "cvba",
    "doo", "eg", "ek", "eurl", "ev", "gbr", "gesmbh", "ggmbh", "gmbh", "gmbhcokg", "inc", "incorporated", "kft", "kg",
    "kgaa", "kk", "lda", "limitada", "limited", "llc", "llp", "lp", "ltd", "ltda", "mbh", "nv", "oao", "ohg", "ooo",
    "oy", "oyj", "pao", "plc", "private", "pt", "pte", "pty", "pvt", "sa", "sab", "sadecv", "sae", "sal", "sarl",
    "sas", "sasu", "sca", "sdn", "se", "sl", "slu", "snc", "spa", "spol", "sprl", "spzoo", "srl", "sro", "tbk", "ug",
    "ulc", "zao",
];

/// Legal forms that are written together with the name, the longer ones first.
const GLUED_FORMS: &[&str] =
    &["股份有限公司", "有限责任公司", "株式会社", "有限会社", "合同会社", "有限公司", "주식회사", "㈜"];

/// The most words that one form is written in: `sp. z o. o.`.
const MOST_WORDS: usize = 4;

/// The words without the legal forms at both ends, as long as a word is left. A form stands before the name in some
/// countries (`AB Volvo`), and in the middle it is a word like any other.
pub(super) fn without_legal_forms(words: Vec<String>) -> Vec<String> {
    let words: Vec<String> = words.iter().map(|word| without_glued_form(word).to_owned()).collect();
    let mut rest: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    while let Some(length) = (1..=MOST_WORDS).rev().find(|length| ends_with_form(&rest, *length)) {
        rest.truncate(rest.len() - length);
    }
    while rest.len() > 1 && rest.first().is_some_and(|word| is_form(word)) {
        rest.remove(0);
    }
    rest
}

fn ends_with_form(words: &[String], length: usize) -> bool {
    words.len() > length && is_form(&words[words.len() - length..].concat())
}

fn is_form(word: &str) -> bool {
    LEGAL_FORMS.contains(&word)
}

fn without_glued_form(word: &str) -> &str {
    let without = |form: &&str| word.strip_prefix(*form).or_else(|| word.strip_suffix(*form));
    GLUED_FORMS.iter().find_map(without).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::{LEGAL_FORMS, without_legal_forms};

    fn name_of(text: &str) -> String {
        without_legal_forms(text.split(' ').map(str::to_owned).collect()).join(" ")
    }

    #[test]
    fn legal_forms_go_from_both_ends_and_a_word_stays() {
        for (text, name) in [
            ("dell inc", "dell"),
            ("acme gmbh co kg", "acme"),
            ("acme sp z o o", "acme"),
            ("acme s p a", "acme"),
            ("ab volvo", "volvo"),
            ("pty pte ltd", "pty"),
            ("se", "se"),
            ("acme co op", "acme co op"),
            ("东芝有限公司", "东芝"),
        ] {
            assert_eq!(name_of(text), name, "{text}");
        }
    }

    #[test]
    fn the_list_is_sorted_and_without_repetition() {
        assert!(LEGAL_FORMS.is_sorted_by(|one, other| one < other));
    }
}
