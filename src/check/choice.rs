//! Values from a closed set: yes or no, the options of a field, currency codes.

use crate::schema::fold_header;
use crate::table::{Cell, Value};

use super::text::trimmed;
use super::{Code, ValueError};

pub(crate) use super::currency::currency;

/// Words and check marks for yes, in lower case, in the languages we have seen in spreadsheets.
const YES: &[&str] = &[
    "yes", "true", "1", "y", "x", "on", "ja", "j", "wahr", "oui", "vrai", "sí", "si", "s", "verdadero", "sì", "vero",
    "sim", "verdadeiro", "waar", "✓", "✔", "✔️", "☑", "✅",
];

/// The same for no. `o` is not included: it is `oui` in French and looks like a zero.
const NO: &[&str] = &[
    "no", "false", "0", "n", "off", "nein", "falsch", "non", "faux", "falso", "não", "nao", "nee", "onwaar", "nej",
    "✗", "✘", "☐", "❌",
];

/// Parses yes or no.
#[inline]
pub(crate) fn boolean(cell: Cell<'_>) -> Result<bool, ValueError> {
    match cell.value {
        Value::Boolean(answer) => Ok(answer),
        Value::Number(1.0) => Ok(true),
        Value::Number(0.0) => Ok(false),
        Value::Number(_) | Value::Date(_) => Err(neither()),
        _ => answer(cell.text),
    }
}

fn answer(text: &str) -> Result<bool, ValueError> {
    match text {
        "yes" | "Yes" | "true" | "TRUE" | "1" => return Ok(true),
        "no" | "No" | "false" | "FALSE" | "0" => return Ok(false),
        _ => {}
    }
    let folded = trimmed(text).to_lowercase();
    if YES.contains(&folded.as_str()) {
        Ok(true)
    } else if NO.contains(&folded.as_str()) {
        Ok(false)
    } else {
        Err(neither())
    }
}

fn neither() -> ValueError {
    ValueError::new(Code::BooleanInvalid, "invalid value; expected `yes` or `no`", "write `yes` or `no`")
}

/// Spellings of options that the guide uses outside the option's own list (section "Assets"), and the listed ones.
const OTHER_SPELLINGS: &[(&str, &str)] = &[("Individual by Asset", "Individual Per Asset")];

/// Index of the option that `text` names; case, spaces, hyphens and underscores do not matter.
#[inline]
pub(crate) fn option(text: &str, options: &'static [&'static str]) -> Result<usize, ValueError> {
    match options.iter().position(|option| option.eq_ignore_ascii_case(text)) {
        Some(position) => Ok(position),
        None => folded_option(text, options),
    }
}

fn folded_option(text: &str, options: &'static [&'static str]) -> Result<usize, ValueError> {
    if let Some(position) = options.iter().position(|option| has_same_letters(text, option)) {
        return Ok(position);
    }
    let folded = fold_header(text);
    let meant = OTHER_SPELLINGS.iter().find(|(other, _)| fold_header(other) == folded);
    let folded = meant.map_or(folded, |(_, listed)| fold_header(listed));
    let is_meant = |option: &&str| !folded.is_empty() && fold_header(option) == folded;
    options.iter().position(is_meant).ok_or_else(|| no_option(&folded, options))
}

/// Whether two texts have the same letters and digits, ignoring case. False for other scripts, which need folding
/// first.
fn has_same_letters(one: &str, other: &str) -> bool {
    one.is_ascii() && letters(one).eq(letters(other)) && letters(one).next().is_some()
}

fn letters(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase())
}

/// Texts at least this similar are considered typos.
const ALIKE: f64 = 0.8;

fn no_option(folded: &str, options: &'static [&'static str]) -> ValueError {
    let listed: Vec<String> = options.iter().map(|option| format!("`{option}`")).collect();
    let message = match listed.as_slice() {
        [] => String::from("invalid option; this field has no options"),
        [only] => format!("invalid option; expected {only}"),
        [firsts @ .., last] => format!("invalid option; expected {} or {last}", firsts.join(", ")),
    };
    let likeness = |option: &&'static str| strsim::jaro_winkler(folded, &fold_header(option));
    let nearest = options.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let hint = match nearest {
        Some(nearest) if likeness(nearest) >= ALIKE => format!("did you mean `{nearest}`?"),
        _ => String::from("use one of these options"),
    };
    ValueError::new(Code::OptionInvalid, message, hint)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> Cell<'_> {
        Cell { text, value: Value::Text, format: None }
    }

    #[test]
    fn yes_and_no_in_many_spellings() {
        for word in ["yes", "YES", " true ", "1", "x", "X", "Y", "on", "ja", "Oui", "sí", "SI", "✓", "WAHR", "VRAI"]
        {
            assert_eq!(boolean(text(word)), Ok(true), "{word}");
        }
        for word in ["no", "No", "FALSE", "0", "n", "off", "Nein", "non", "não", "FALSCH"] {
            assert_eq!(boolean(text(word)), Ok(false), "{word}");
        }
        for word in ["", "o", "2", "maybe", "yes and no", "active"] {
            assert_eq!(boolean(text(word)).unwrap_err().code, Code::BooleanInvalid, "{word}");
        }
        assert_eq!(boolean(Cell { value: Value::Boolean(true), ..text("WAHR") }), Ok(true));
        assert_eq!(boolean(Cell { value: Value::Number(0.0), ..text("0.00") }), Ok(false));
        assert!(boolean(Cell { value: Value::Number(2.0), ..text("1") }).is_err());
    }

    #[test]
    fn no_word_is_both_yes_and_no() {
        assert!(YES.iter().all(|word| !NO.contains(word)));
        assert!(YES.iter().chain(NO).all(|word| word.to_lowercase() == *word));
    }

    const OPTIONS: &[&str] = &["Fixed Date", "Months from Asset Purchase Date", "Individual Per Asset"];

    #[test]
    fn options_are_found_whatever_their_case_and_separators() {
        for (word, position) in [
            ("Fixed Date", 0),
            ("fixed_date", 0),
            ("FIXED-DATE ", 0),
            ("months from asset purchase date", 1),
            ("IndividualPerAsset", 2),
            ("individual by asset", 2),
        ] {
            assert_eq!(option(word, OPTIONS), Ok(position), "{word}");
        }
    }

    #[test]
    fn other_words_list_the_options_and_name_the_nearest() {
        let error = option("Individual of Asset", OPTIONS).unwrap_err();
        assert_eq!(error.code, Code::OptionInvalid);
        assert_eq!(
            error.message,
            "invalid option; expected `Fixed Date`, `Months from Asset Purchase Date` or `Individual Per Asset`"
        );
        assert_eq!(error.hint(), "did you mean `Individual Per Asset`?");
        for word in ["xyzzy", "", "-", "()"] {
            assert_eq!(option(word, OPTIONS).unwrap_err().hint(), "use one of these options", "{word}");
        }
        assert_eq!(option("assets", &["accessory", "asset"]).unwrap_err().hint(), "did you mean `asset`?");
    }

    proptest! {
        #[test]
        fn nothing_panics(word in "\\PC*") {
            let _ = option(&word, OPTIONS);
            let _ = boolean(text(&word));
        }
    }
}
