//! What the header of an amount column says of its amounts: `Purchase Cost (EUR)`, `Price (k EUR)`, `原值(万元)`.

use rust_decimal::Decimal;
use unicode_normalization::UnicodeNormalization;

use crate::check::currency::CurrencyHint;

/// The currency of the amounts below a header, and what they are multiplied by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeaderUnit {
    pub currency: Option<CurrencyHint>,
    /// 1, or such as 1,000 for amounts in thousands.
    pub factor: Decimal,
}

impl Default for HeaderUnit {
    fn default() -> Self {
        Self { currency: None, factor: Decimal::ONE }
    }
}

/// Words for multiples that need a currency beside them, since a `T` alone may be anything. As written.
const SHORT_MULTIPLES: &[(&str, i64)] = &[("K", 1_000), ("T", 1_000), ("M", 1_000_000), ("m", 1_000_000)];

/// Words for multiples, in lower case.
const MULTIPLES: &[(&str, i64)] = &[
    ("k", 1_000),
    ("tsd", 1_000),
    ("thousand", 1_000),
    ("thousands", 1_000),
    ("tausend", 1_000),
    ("milliers", 1_000),
    ("miles", 1_000),
    ("'000", 1_000),
    ("000", 1_000),
    ("000s", 1_000),
    ("000's", 1_000),
    ("千", 1_000),
    ("万", 10_000),
    ("萬", 10_000),
    ("tis", 1_000),
    ("тыс", 1_000),
    ("mio", 1_000_000),
    ("mln", 1_000_000),
    ("млн", 1_000_000),
    ("mn", 1_000_000),
    ("million", 1_000_000),
    ("millions", 1_000_000),
    ("亿", 100_000_000),
    ("億", 100_000_000),
];

/// Codes that are words of everyday language in lower case: `Cost (all)`.
const EVERYDAY_WORDS: &[&str] =
    &["all", "amd", "ang", "bam", "bob", "cop", "cup", "gel", "lei", "mad", "pen", "ron", "sos", "top", "try", "won"];

impl HeaderUnit {
    /// What a header says. Brackets come first; without any, the last word may be a currency: `Price EUR`.
    pub(crate) fn of(header: &str) -> Self {
        let header: String = header.nfkc().collect();
        let mut outside = String::new();
        let mut unit = Self::default();
        let mut rest = header.as_str();
        while let Some((before, after)) = rest.split_once(['(', '[']) {
            outside.push_str(before);
            let (inside, behind) = after.split_once([')', ']']).unwrap_or((after, ""));
            unit = unit.or(Self::of_words(words(inside).collect()));
            rest = behind;
        }
        outside.push_str(rest);
        unit.or(Self::of_last_words(&outside))
    }

    fn or(self, other: Self) -> Self {
        if self == Self::default() { other } else { self }
    }

    fn of_words(words: Vec<&str>) -> Self {
        let parts: Vec<Self> = words.iter().filter_map(|word| Self::of_word(word)).collect();
        let currency = parts.iter().find_map(|part| part.currency);
        let short = |word: &&str| SHORT_MULTIPLES.iter().find(|(short, _)| short == word).map(|line| line.1);
        let short = words.iter().filter(|_| currency.is_some()).find_map(short);
        let long = parts.iter().map(|part| part.factor).find(|factor| *factor != Decimal::ONE);
        let factor = long.or(short.map(Decimal::from)).unwrap_or(Decimal::ONE);
        Self { currency, factor }
    }

    /// `Cost in k EUR`, `preis_euro`, `value_kaed`: the last word says a currency, and the one before may multiply it.
    fn of_last_words(text: &str) -> Self {
        let all: Vec<&str> = words(text).flat_map(|word| word.split('_')).collect();
        let ([.., _, last], true) = (all.as_slice(), all.len() > 1) else { return Self::default() };
        let is_currency = Self::of_word(last).is_some_and(|unit| unit.currency.is_some());
        if !is_currency {
            return Self::default();
        }
        // `Cost k EUR`, but not the first word of all, which is the field's.
        let from = if all.len() > 2 { all.len() - 2 } else { all.len() - 1 };
        Self::of_words(all[from..].to_vec())
    }

    /// `EUR`, `€`, `k`, `kEUR`, `T€`, `$000`.
    fn of_word(word: &str) -> Option<Self> {
        if let Some(currency) = currency(word) {
            return Some(Self { currency: Some(currency), factor: Decimal::ONE });
        }
        let lower = word.to_lowercase();
        if let Some((_, factor)) = MULTIPLES.iter().find(|(multiple, _)| *multiple == lower.trim_end_matches('.')) {
            return Some(Self { currency: None, factor: Decimal::from(*factor) });
        }
        let multiples = MULTIPLES.iter().chain(SHORT_MULTIPLES);
        let compound = |(multiple, factor): &(&str, i64)| {
            let beside = word.strip_prefix(multiple).or_else(|| word.strip_suffix(multiple))?;
            Some(Self { currency: Some(currency(beside)?), factor: Decimal::from(*factor) })
        };
        multiples.into_iter().find_map(compound)
    }
}

/// Whether a number format calls the number a multiple: of 12, `0 "k€"` shows `12 k€`. Where a comma behind the digits scales it,
/// as in `0,"k€"`, the cell holds the whole amount. What stands in front is a currency, such as the `K` of Zambia.
pub(super) fn shows_multiple(format: &str) -> bool {
    if format.bytes().all(|byte| !matches!(byte, b'"' | b'\\')) {
        return false;
    }
    let (mut behind, mut digits) = (String::new(), String::new());
    let mut chars = format.chars();
    while let Some(char) = chars.next() {
        let literal: String = match char {
            ';' => break,
            '"' => chars.by_ref().take_while(|char| *char != '"').chain([' ']).collect(),
            '\\' => chars.next().into_iter().collect(),
            // `[$€-407]`, or a colour or a condition.
            '[' => {
                let inner: String = chars.by_ref().take_while(|char| *char != ']').collect();
                format!("{} ", inner.strip_prefix('$').and_then(|sign| sign.split('-').next()).unwrap_or_default())
            }
            '0' | '#' | '?' | ',' | '.' => {
                digits.push(char);
                continue;
            }
            _ => String::from(' '),
        };
        if !digits.is_empty() {
            behind.push_str(&literal);
        }
    }
    !digits.ends_with(',') && HeaderUnit::of_words(words(&behind).collect()).factor != Decimal::ONE
}

/// The words of a text; apostrophes and signs belong to them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| char.is_whitespace() || matches!(char, ',' | ';' | ':' | '/' | '|'))
        .filter(|word| !word.is_empty())
}

/// A currency's code or sign. Single letters such as `R` are no currencies in a header.
fn currency(word: &str) -> Option<CurrencyHint> {
    let is_letter = word.chars().count() == 1 && word.chars().all(|char| char.is_ascii_alphabetic());
    if is_letter || EVERYDAY_WORDS.contains(&word) {
        return None;
    }
    CurrencyHint::of(word).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formats_that_call_a_number_a_multiple() {
        for format in [
            r##"#,##0 "k€""##, r##"#,##0 "TEUR""##, r#"[$€-2] 0 "k""#, r#"0.0" k EUR""#, r#"0\k"#, r#"0" Mio.""#,
            r##"#,##0 "tis. Kč""##, r#"0 "млн ₽""#, r#"0 "T€";[Red]-0 "T€""#, r#"0 "万""#,
        ] {
            assert!(shows_multiple(format), "{format}");
        }
        for format in [
            "#,##0.00",
            r##"#,##0,"k€""##,
            r##"#,##0,, "Mio""##,
            r##"#,##0.00 "EUR""##,
            r##"#,##0.00\ "€""##,
            "[$EUR] #,##0.00",
            r##"_-* #,##0.00\ [$€-407]_-;-* #,##0.00\ [$€-407]_-"##,
            "General",
            r#"0"#,
            "\"",
            "\\",
            "[",
            r##"0 "pcs""##,
            r##""K"#,##0.00"##,
            r##"_-[$K-1409]* #,##0.00_-;_-"-"??_-"##,
            r##"#,##0.00 "M""##,
        ] {
            assert!(!shows_multiple(format), "{format}");
        }
    }

    #[test]
    fn headers_say_currency_and_multiple() {
        for (header, code, factor) in [
            ("Purchase Cost (EUR)", "EUR", 1),
            ("Purchase Cost [usd]", "USD", 1),
            ("Purchase Cost (€)", "EUR", 1),
            ("Cost (£)", "GBP", 1),
            ("Purchase Cost (k EUR)", "EUR", 1_000),
            ("Purchase Cost (kEUR)", "EUR", 1_000),
            ("Purchase Cost (EUR k)", "EUR", 1_000),
            ("Purchase Cost (T EUR)", "EUR", 1_000),
            ("Kosten (TEUR)", "EUR", 1_000),
            ("Kosten (T€)", "EUR", 1_000),
            ("Cost (in thousands of EUR)", "EUR", 1_000),
            ("Cost (EUR '000)", "EUR", 1_000),
            ("Cost (£k)", "GBP", 1_000),
            ("Cost (EUR, net)", "EUR", 1),
            ("Cost (net) (EUR)", "EUR", 1),
            ("Cost (Mio. EUR)", "EUR", 1_000_000),
            ("Cost in EUR", "EUR", 1),
            ("Cost in k EUR", "EUR", 1_000),
            ("Kosten TEUR", "EUR", 1_000),
            ("preis_euro", "EUR", 1),
            ("value_kaed", "AED", 1_000),
            ("原值(万元)", "", 10_000),
            ("Cost (thousands)", "", 1_000),
            ("Cost (k)", "", 1_000),
            ("Cost (TRY)", "TRY", 1),
            ("Cost (KES)", "KES", 1),
        ] {
            let unit = HeaderUnit::of(header);
            let found = unit.currency.and_then(|currency| currency.code()).unwrap_or_default();
            assert_eq!((found, unit.factor), (code, Decimal::from(factor)), "{header}");
        }
        assert!(HeaderUnit::of("Cost ($)").currency.unwrap().allows("CAD"));
    }

    #[test]
    fn other_words_say_nothing() {
        for header in [
            "Purchase Cost", "Cost", "EUR", "Cost (all)", "Cost (T)", "Cost (M)", "Cost (old)", "Cost (2024)",
            "Cost R", "Cost (net)", "Price (", "Price )(", "Top", "Total cost all", "Cost (ex VAT)", "",
        ] {
            assert_eq!(HeaderUnit::of(header), HeaderUnit::default(), "{header}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(header in "\\PC*") {
            HeaderUnit::of(&header);
        }
    }
}
