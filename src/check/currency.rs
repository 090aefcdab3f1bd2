//! Currencies: current and historic ISO 4217 codes, and the signs and words people use instead.

mod locale;
mod signs;

use std::fmt;
use std::sync::LazyLock;

use hashbrown::HashMap;
use iso_currency::{Currency, Flag, IntoEnumIterator};

use super::text::trimmed;
use super::{Code, ValueError};

/// Historic codes by their successor. Sources: ISO 4217 list three, and the euro's conversions up to Bulgaria
/// (2026-01-01).
const HISTORIC: &[(&str, &[&str])] = &[
    (
        "EUR",
        &[
            "ADP", "ATS", "BEF", "BGK", "BGL", "BGN", "CYP", "DDM", "DEM", "EEK", "ESA", "ESB", "ESP", "FIM", "FRF",
            "GRD", "HRD", "HRK", "IEP", "ITL", "LTL", "LTT", "LUF", "LVL", "LVR", "MTL", "MTP", "NLG", "PTE", "SIT",
            "SKK", "XEU",
        ],
    ),
    ("AFN", &["AFA"]),
    ("ALL", &["ALK"]),
    ("AOA", &["AOK", "AON", "AOR"]),
    ("ARS", &["ARA", "ARP", "ARY"]),
    ("AZN", &["AYM", "AZM"]),
    ("BAM", &["BAD"]),
    ("BOB", &["BOP"]),
    ("BRL", &["BRB", "BRC", "BRE", "BRN", "BRR"]),
    ("BYN", &["BYB", "BYR"]),
    ("CDF", &["ZRN", "ZRZ"]),
    ("CUP", &["CUC"]),
    ("CZK", &["CSJ", "CSK"]),
    ("GEL", &["GEK"]),
    ("GHS", &["GHC", "GHP"]),
    ("GNF", &["GNE", "GNS"]),
    ("ILS", &["ILP", "ILR"]),
    ("ISK", &["ISJ"]),
    ("MGA", &["MGF"]),
    ("MRU", &["MRO"]),
    ("MXN", &["MXP"]),
    ("MZN", &["MZE", "MZM"]),
    ("NIO", &["NIC"]),
    ("PEN", &["PEH", "PEI", "PES"]),
    ("PLN", &["PLZ"]),
    ("RON", &["ROK", "ROL"]),
    ("RSD", &["CSD", "YUD", "YUM", "YUN"]),
    ("RUB", &["RUR"]),
    ("SDG", &["SDD", "SDP"]),
    ("SLE", &["SLL"]),
    ("SRD", &["SRG"]),
    ("STN", &["STD"]),
    ("TJS", &["TJR"]),
    ("TMT", &["TMM"]),
    ("TRY", &["TRL"]),
    ("UAH", &["UAK"]),
    ("UGX", &["UGS", "UGW"]),
    ("USD", &["ECS", "TPE", "USS"]),
    ("UYU", &["UYN", "UYP"]),
    ("VES", &["VEB", "VEF"]),
    ("VND", &["VNC"]),
    ("XCG", &["ANG"]),
    ("XOF", &["GWE", "GWP", "MLF"]),
    ("YER", &["YDD"]),
    ("ZAR", &["ZAL"]),
    ("ZMW", &["ZMK"]),
    ("ZWG", &["ZWC", "ZWD", "ZWL", "ZWN", "ZWR"]),
];

/// All three-letter codes in use.
struct Codes {
    active: Vec<&'static str>,
    /// Index into `active` plus one, by the three letters; 0 for codes not in use.
    positions: Vec<u8>,
}

static CODES: LazyLock<Codes> = LazyLock::new(|| {
    let active: Vec<&'static str> = Currency::iter().filter(is_in_use).map(|currency| currency.code()).collect();
    let mut positions = vec![0; 26 * 26 * 26];
    for (at, code) in active.iter().enumerate() {
        if let Some(slot) = slot(code.as_bytes()).and_then(|slot| positions.get_mut(slot)) {
            *slot = at as u8 + 1;
        }
    }
    Codes { active, positions }
});

/// Not superseded, and not a metal, a unit of account or a test code.
///
/// The bolívar has two codes in use, VES and VED; `iso_currency` marks the first as superseded.
fn is_in_use(currency: &Currency) -> bool {
    let is_out = |flag: &Flag| matches!(flag, Flag::Special | Flag::Superseded(_));
    *currency == Currency::VES || !currency.flags().iter().any(is_out)
}

/// Index of three capital letters.
#[inline]
fn slot(code: &[u8]) -> Option<usize> {
    let &[a, b, c] = code else { return None };
    let letters = [a, b, c].map(|byte| usize::from(byte.wrapping_sub(b'A')));
    letters.iter().all(|letter| *letter < 26).then(|| (letters[0] * 26 + letters[1]) * 26 + letters[2])
}

/// The code, if it is in use.
#[inline]
fn active(code: &str) -> Option<&'static &'static str> {
    let codes = &*CODES;
    let position = *codes.positions.get(slot(code.as_bytes())?)?;
    codes.active.get(usize::from(position).wrapping_sub(1))
}

/// The successor of a historic code.
fn successor(code: &str) -> Option<&'static str> {
    HISTORIC.iter().find(|(_, codes)| codes.contains(&code)).map(|(successor, _)| *successor)
}

/// Parses a current ISO 4217 code, in any case. Names and signs are rejected with the code in the hint.
#[inline]
pub(crate) fn currency(text: &str) -> Result<&'static str, ValueError> {
    match active(text) {
        Some(code) => Ok(code),
        None => parse_code(trimmed(text)),
    }
}

fn parse_code(text: &str) -> Result<&'static str, ValueError> {
    let code = text.to_ascii_uppercase();
    if let Some(code) = active(&code) {
        return Ok(code);
    }
    Err(successor(&code).map_or_else(|| invalid(hint(text)), historic))
}

const INVALID: &str = "invalid currency; expected a code such as `EUR` or `USD`";
const HISTORIC_CODE: &str = "currency no longer in use; expected a current code such as `EUR` or `USD`";

fn historic(successor: &str) -> ValueError {
    ValueError::new(
        Code::CurrencyHistoric,
        HISTORIC_CODE,
        format!("write `{successor}`, which replaced it, and convert the amount"),
    )
}

fn invalid(hint: String) -> ValueError {
    ValueError::new(Code::CurrencyInvalid, INVALID, hint)
}

fn hint(text: &str) -> String {
    match resolve_currency(text).as_slice() {
        [] => String::from("use the three-letter ISO 4217 code"),
        [code] => format!("write `{code}`"),
        [first, second, ..] => format!("write the code of the currency, such as `{first}` or `{second}`"),
    }
}

/// The codes that a currency sign, a name or a numeric code can mean.
fn resolve_currency(text: &str) -> Vec<&'static str> {
    if let Some(hint) = CurrencyHint::of_sign(text) {
        return hint.codes.to_vec();
    }
    let number: Option<u16> = text.parse().ok().filter(|_| text.len() == 3);
    let by_name = |currency: &Currency| currency.name().eq_ignore_ascii_case(text);
    let known = number.and_then(Currency::from_numeric).or_else(|| Currency::iter().find(by_name));
    known.filter(is_in_use).map(|currency| currency.code()).into_iter().collect()
}

/// The currencies that a sign or code next to an amount can mean.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct CurrencyHint {
    sign: &'static str,
    codes: &'static [&'static str],
}

/// Why a text next to an amount is not a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoHint {
    Unknown,
    /// A currency no longer in use, with its successor.
    Historic(&'static str),
}

impl CurrencyHint {
    /// Whether the currency with that ISO code is possible.
    pub(crate) fn allows(&self, code: &str) -> bool {
        self.codes.contains(&code)
    }

    /// The ISO code, if only one is possible, or meant by convention: a bare `£` is sterling (design rule 7).
    pub(crate) fn code(&self) -> Option<&'static str> {
        match self.codes {
            [code] => Some(code),
            codes if codes == signs::POUNDS => Some("GBP"),
            _ => None,
        }
    }

    /// Whether it is a sign or word, and not the code itself.
    pub(crate) fn is_sign(&self) -> bool {
        self.codes != [self.sign]
    }

    /// The currency of a locale, if the sign can stand for it.
    fn in_locale(self, locale: &str) -> Self {
        let code = locale::currency_of(locale).filter(|code| self.allows(code));
        let codes = code.and_then(Self::of_code).map_or(self.codes, |hint| hint.codes);
        Self { codes, ..self }
    }

    /// The currencies of a trimmed sign, word or code.
    pub(super) fn of(text: &str) -> Result<Self, NoHint> {
        // No sign is also a code in another case, so checking codes first is safe.
        if let Some(hint) = Self::of_code(text).or_else(|| Self::of_sign(text)) {
            return Ok(hint);
        }
        let code = text.to_ascii_uppercase();
        Self::of_code(&code).ok_or_else(|| successor(&code).map_or(NoHint::Unknown, NoHint::Historic))
    }

    fn of_code(code: &str) -> Option<Self> {
        active(code).map(|code| Self { sign: code, codes: std::slice::from_ref(code) })
    }

    /// The currencies of a sign or word that is not a code.
    pub(super) fn of_sign(text: &str) -> Option<Self> {
        let hints = &*BY_SIGN;
        hints.get(text).or_else(|| hints.get(folded(text).as_str())).copied()
    }

    /// The narrower of two hints for one amount, if they agree.
    pub(super) fn and(self, other: Self) -> Option<Self> {
        let agrees = |narrow: &Self, wide: &Self| narrow.codes.iter().all(|code| wide.allows(code));
        if agrees(&self, &other) { Some(self) } else { agrees(&other, &self).then_some(other) }
    }

    /// The currencies of a number format, such as `#,##0.00 [$€-407]`, `[$EUR] 0.00` or `"£"#,##0`.
    pub(super) fn of_format(format: &str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii() && !matches!(byte, b'$' | b'"');
        if format.bytes().all(is_plain) {
            return None;
        }
        let format = format.split(';').next().unwrap_or_default();
        let hint = bracketed(format).or_else(|| quoted(format)).or_else(|| bare(format))?;
        Some(locale(format).map_or(hint, |locale| hint.in_locale(locale)))
    }
}

/// All signs and words by their folded form.
static BY_SIGN: LazyLock<HashMap<String, CurrencyHint>> = LazyLock::new(|| {
    let lines = signs::SIGNS.iter();
    lines.flat_map(|(signs, codes)| signs.iter().map(|sign| (folded(sign), CurrencyHint { sign, codes }))).collect()
});

/// Folds a sign for comparison: lower case, without a trailing dot.
fn folded(sign: &str) -> String {
    sign.trim_end_matches('.').to_lowercase()
}

/// `[$€-407]`; `[$-407]` is only a locale.
fn bracketed(format: &str) -> Option<CurrencyHint> {
    let inner = format.split_once("[$")?.1.split(']').next()?;
    let sign = inner.split_once('-').map_or(inner, |(sign, _)| sign);
    CurrencyHint::of(trimmed(sign)).ok()
}

/// `407` of `[$€-407]` or `[$-407]`, `en-US` of `[$$-en-US]`.
fn locale(format: &str) -> Option<&str> {
    let inner = format.split_once("[$")?.1.split(']').next()?;
    inner.split_once('-').map(|(_, locale)| locale)
}

fn quoted(format: &str) -> Option<CurrencyHint> {
    format.split('"').skip(1).step_by(2).find_map(|text| CurrencyHint::of(trimmed(text)).ok())
}

/// `$#,##0`, outside any brackets.
fn bare(format: &str) -> Option<CurrencyHint> {
    let is_sign = |char: &char| *char == '$' || (!char.is_ascii() && !char.is_alphanumeric());
    let outside = format.split(['[', ']']).step_by(2);
    outside.flat_map(str::chars).filter(is_sign).find_map(|char| CurrencyHint::of_sign(char.encode_utf8(&mut [0; 4])))
}

impl fmt::Display for CurrencyHint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.sign)
    }
}

impl fmt::Debug for CurrencyHint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CurrencyHint({} {})", self.sign, self.codes.join(","))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn codes_in_use_are_accepted_in_any_case() {
        for (text, code) in [("EUR", "EUR"), ("usd", "USD"), (" Chf\u{a0}", "CHF"), ("VES", "VES"), ("ZWG", "ZWG")] {
            assert_eq!(currency(text), Ok(code), "{text}");
        }
        for active in &CODES.active {
            assert_eq!(currency(active), Ok(*active));
        }
        assert!((150..=185).contains(&CODES.active.len()), "{}", CODES.active.len());
    }

    #[test]
    fn historic_codes_name_their_successor() {
        for (code, successor) in [
            ("DEM", "EUR"),
            ("hrk", "EUR"),
            ("BGN", "EUR"),
            ("VEF", "VES"),
            ("ZWL", "ZWG"),
            ("TRL", "TRY"),
            ("ROL", "RON"),
            ("BYR", "BYN"),
            ("MRO", "MRU"),
            ("STD", "STN"),
        ] {
            let error = currency(code).unwrap_err();
            assert_eq!(error.code, Code::CurrencyHistoric, "{code}");
            assert_eq!(error.hint(), format!("write `{successor}`, which replaced it, and convert the amount"));
        }
    }

    #[test]
    fn the_historic_table_holds_no_active_code_and_only_active_successors() {
        let mut seen = HashSet::new();
        for (successor, codes) in HISTORIC {
            assert!(active(successor).is_some(), "{successor}");
            for code in *codes {
                assert!(active(code).is_none(), "{code}");
                assert!(seen.insert(code), "{code} is there twice");
            }
        }
        for currency in Currency::iter().filter(|currency| currency.is_superseded().is_some()) {
            assert!(is_in_use(&currency) || successor(currency.code()).is_some(), "{currency:?}");
        }
    }

    #[test]
    fn names_signs_and_test_codes_are_refused_with_the_code() {
        for (text, hint) in [
            ("Euro", "write `EUR`"),
            ("€", "write `EUR`"),
            ("US Dollar", "write `USD`"),
            ("swiss franc", "write `CHF`"),
            ("978", "write `EUR`"),
            ("$", "write the code of the currency, such as `USD` or `CAD`"),
            ("XXX", "use the three-letter ISO 4217 code"),
            ("XTS", "use the three-letter ISO 4217 code"),
            ("XAU", "use the three-letter ISO 4217 code"),
            ("ABC", "use the three-letter ISO 4217 code"),
            ("", "use the three-letter ISO 4217 code"),
        ] {
            let error = currency(text).unwrap_err();
            assert_eq!((error.code, error.hint()), (Code::CurrencyInvalid, hint), "{text}");
        }
    }

    #[test]
    fn signs_are_folded_unique_and_mean_active_codes() {
        let mut seen = HashSet::new();
        for (signs, codes) in signs::SIGNS {
            for sign in *signs {
                assert!(seen.insert(folded(sign)), "{sign} is there twice");
                assert!(active(&sign.to_ascii_uppercase()).is_none(), "{sign} is a code");
            }
            assert!(codes.iter().all(|code| active(code).is_some()), "{codes:?}");
        }
    }

    #[test]
    fn a_hint_says_what_it_allows() {
        let dollar = CurrencyHint::of("$").unwrap();
        assert!(dollar.allows("USD") && dollar.allows("CAD") && dollar.allows("MXN") && !dollar.allows("EUR"));
        assert_eq!(dollar.code(), None);
        let euro = CurrencyHint::of("EUR").unwrap();
        assert_eq!((euro.code(), euro.to_string()), (Some("EUR"), String::from("EUR")));
        assert_eq!(dollar.and(CurrencyHint::of("CAD").unwrap()).unwrap().code(), Some("CAD"));
        assert_eq!(dollar.and(euro), None);
        assert_eq!(CurrencyHint::of("DEM"), Err(NoHint::Historic("EUR")));
    }

    #[test]
    fn number_formats_tell_the_currency() {
        for (format, code) in [
            ("[$EUR] 0.00", Some("EUR")),
            ("#,##0.00\\ [$€-407]", Some("EUR")),
            ("[$CHF] #,##0", Some("CHF")),
            ("\"£\"#,##0.00;[Red]-\"£\"#,##0.00", Some("GBP")),
            ("[$£-809]#,##0.00", Some("GBP")),
            ("[$$-409]#,##0.00", Some("USD")),
            ("[$$-en-US]#,##0.00", Some("USD")),
            ("[$$-1009]#,##0.00", Some("CAD")),
            ("[$-409]$#,##0.00", Some("USD")),
            ("[$¥-411]#,##0", Some("JPY")),
            ("[$¥-804]#,##0", Some("CNY")),
            ("#,##0.00\\ [$kr-41D]", Some("SEK")),
            ("[$kr.-406] #,##0.00", Some("DKK")),
            ("[$€-409]#,##0", Some("EUR")),
            ("[$$-407]#,##0", None),
            ("\"$\"#,##0.00", None),
            ("_-* #,##0.00\\ \"€\"_-;-* #,##0.00\\ \"€\"_-", Some("EUR")),
            ("[$RD$-1C0A]#,##0.00", Some("DOP")),
            ("€#,##0", Some("EUR")),
        ] {
            let hint = CurrencyHint::of_format(format).expect(format);
            assert_eq!(hint.code(), code, "{format}");
        }
        for format in ["0.00", "#,##0", "[$-409]0.00", "0 \"Stück\"", "[Red]0", "", "\"", "[$"] {
            assert_eq!(CurrencyHint::of_format(format), None, "{format}");
        }
        assert!(CurrencyHint::of_format("$#,##0").unwrap().allows("USD"));
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC*") {
            let _ = currency(&text);
            let _ = CurrencyHint::of(&text);
            let _ = CurrencyHint::of_format(&text);
        }
    }
}
