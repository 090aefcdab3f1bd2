//! Text cells: trimming, placeholders, damaged numbers, whole numbers, e-mail and web addresses.

mod address;
mod damage;
mod error_word;
mod undecoded;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::table::{Cell, Value};
use crate::unicode::is_invisible;

use super::number::{Reading, Readings};
use super::{Code, ValueError};

pub(crate) use address::{email, url};
pub(crate) use damage::{damaged, damaged_code, is_rounded};
pub(crate) use error_word::is_error_word;
pub(crate) use undecoded::{damage_of, is_misread};

use damage::{FIRST_DAMAGED, LONGEST_SHOWN_DATE};

/// Trims invisible characters: white space of every kind (including no-break and thin spaces), zero-width characters,
/// byte order marks and direction marks.
#[inline]
pub(crate) fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [] => text,
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        [only] if only.is_ascii_graphic() => text,
        _ => text.trim_matches(|char: char| char.is_whitespace() || is_invisible(char)),
    }
}

/// Placeholders that mean "no value", in lower case.
///
/// `NA` is not one: it is Namibia's country code and a surname. Neither is `unknown`, which people use as the name of
/// a status or location.
const NO_VALUE: &[&str] = &[
    "n/a", "n.a.", "n.a", "n\\a", "nil", "nil return", "none", "null", "tbd", "tba", "tbc", "(none)", "(null)",
    "(blank)", "(empty)", "[none]", "<none>", "<null>", "k.a.", "s/o", "n.v.t.", "not applicable", "not available",
    "to be determined",
];

/// Longest placeholder, except for a row of dashes.
const LONGEST_MARK: usize = 16;

/// Whether a trimmed text is a placeholder for "no value", such as `-`, `.`, `n/a`, `NIL`, `?`, `TBD`, `****`.
#[inline]
pub(crate) fn is_no_value_mark(text: &str) -> bool {
    match text.as_bytes().first() {
        None => false,
        Some(b'(' | b'[' | b'<' | b'n' | b'N' | b't' | b'T' | b'k' | b'K' | b's' | b'S') => is_no_value_word(text),
        Some(b'\\') => is_null_word(text),
        Some(b'-' | b'.' | b'*' | b'?' | b'_' | b'/' | 0xe2 | 0xef) => text.chars().all(is_filler),
        Some(_) => false,
    }
}

/// Whether a trimmed text is what databases and data tools write for no value, which no person types as one.
#[inline]
pub(crate) fn is_null_word(text: &str) -> bool {
    text == "\\N" || NULLS.iter().any(|null| null.eq_ignore_ascii_case(text))
}

const NULLS: &[&str] = &["null", "(null)", "<null>", "[null]", "<na>"];

fn is_no_value_word(text: &str) -> bool {
    text.len() <= LONGEST_MARK && NO_VALUE.iter().any(|mark| mark.eq_ignore_ascii_case(text))
}

/// What firmware reports as a serial number where nobody wrote one, in lower case.
///
/// Only serial numbers, and the tags made of them, are compared with these: a product may be called `OEM`.
const FIRMWARE_SERIALS: &[&str] = &[
    "to be filled by o.e.m.", "to be filled by o.e.m", "to be filled by oem", "tobefilledbyo.e.m.", "o.e.m.", "oem",
    "default string", "default", "serial number", "system serial number", "chassis serial number",
    "base board serial number", "baseboard serial number", "system serial", "chassis serial", "not specified",
    "not available", "not defined", "not present", "invalid", "unknown", "empty", "n/a", "none", "null", "0123456789",
    "123456789", "1234567890", "filled by oem", "fill by oem",
];

/// Whether a trimmed text is what firmware reports in place of a serial number, such as `Default string` or `0`. Which
/// device it is does not follow from it: thousands have the same.
#[inline]
pub(crate) fn is_firmware_serial(text: &str) -> bool {
    let filler = |char: u8| text.bytes().all(|byte| byte.eq_ignore_ascii_case(&char));
    match text.as_bytes().first() {
        None => false,
        // As nearly all serial numbers are, and none of these.
        Some(_)
            if text.bytes().any(|byte| byte.is_ascii_digit())
                && text.bytes().any(|byte| byte.is_ascii_alphabetic()) =>
        {
            false
        }
        Some(b'0' | b'x' | b'X') if filler(b'0') || filler(b'x') => true,
        Some(_) => FIRMWARE_SERIALS.iter().any(|known| known.eq_ignore_ascii_case(text)),
    }
}

/// Characters that make a cell look empty: dashes, dots, stars and question marks.
fn is_filler(char: char) -> bool {
    matches!(char, '-' | '.' | '*' | '?' | '_' | '/' | '‐'..='―' | '…' | '−' | '－' | '？')
}

/// Whether nothing can be odd about a text, as its letters show at once: no white space around it, no placeholder, no error
/// value, no damage, no letters of other scripts. True of nearly all tags, serial numbers and names.
#[inline]
pub(crate) fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    // What begins like a placeholder may be one, unless it is too long or ends in a digit.
    let is_mark = || {
        bytes.len() <= LONGEST_MARK
            && !last.is_ascii_digit()
            && matches!(first, b'n' | b'N' | b't' | b'T' | b'k' | b'K' | b's' | b'S')
    };
    // Neither a day nor a month is followed by a capital letter.
    let is_date = || {
        bytes.len() <= LONGEST_SHOWN_DATE
            && bytes.get(1).is_some_and(|second| !second.is_ascii_uppercase())
            && bytes.iter().take(5).any(|byte| matches!(byte, b'-' | b' '))
    };
    first.is_ascii_alphanumeric()
        && *last != b' '
        && bytes.iter().fold(0, |found, byte| found | UNCOMMON[usize::from(*byte)]) == 0
        && !is_mark()
        && !is_date()
}

/// Whether a text is digits, or digits with dashes, as nearly all amounts and dates are: no white space around it, no
/// placeholder, no error value, no letters.
#[inline]
pub(crate) fn is_number_like(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_digit) && bytes.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'-'))
}

/// 1 for the bytes of texts that are not plain.
const UNCOMMON: [u8; 256] = {
    let mut table = [1; 256];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'_' | b' ' | b'.' | b'/') {
            table[byte] = 0;
        }
        byte += 1;
    }
    table
};

/// Whether the text contains a replacement character: some other character was lost in decoding.
#[inline]
pub(crate) fn has_replacement(text: &str) -> bool {
    !text.is_ascii() && text.contains(char::REPLACEMENT_CHARACTER)
}

/// Parses a whole number of at least `least`.
///
/// `3.0`, `1,234,567` and `1 000` are whole. `1,000` is ambiguous and rejected: it means a thousand in some countries
/// and one in others.
#[inline]
pub(crate) fn integer(cell: Cell<'_>, least: i64) -> Result<i64, ValueError> {
    let number = match cell.value {
        Value::Number(number) => whole(number, cell)?,
        Value::Boolean(_) | Value::Date(_) => return Err(not_whole()),
        _ => match plain_digits(cell.text.as_bytes()) {
            Some(number) => number,
            None => written_integer(trimmed(cell.text))?,
        },
    };
    if number < least { Err(too_small(least)) } else { Ok(number) }
}

/// The fast path for nearly every cell: up to 18 digits and nothing else.
#[inline]
fn plain_digits(bytes: &[u8]) -> Option<i64> {
    if bytes.is_empty() || bytes.len() > 18 {
        return None;
    }
    bytes.iter().try_fold(0i64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then(|| number * 10 + i64::from(digit))
    })
}

fn whole(number: f64, cell: Cell<'_>) -> Result<i64, ValueError> {
    if number.fract() != 0.0 && is_rounded(number, cell.text) {
        let message = format!("invalid whole number; the cell holds `{number}` and shows `{}`", trimmed(cell.text));
        return Err(ValueError::new(Code::IntegerInvalid, message, "write the whole number that is meant"));
    }
    if number.fract() != 0.0 || cell.format.is_some_and(|format| format.contains('%')) {
        return Err(not_whole());
    }
    if number.abs() >= FIRST_DAMAGED {
        return Err(too_long());
    }
    Ok(number as i64)
}

fn written_integer(text: &str) -> Result<i64, ValueError> {
    let (sign, digits) = match text.strip_prefix(['-', '−']) {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    match Readings::under(None, digits) {
        Reading::One(number) if number.is_integer() => number.to_i64().map(|number| sign * number).ok_or_else(too_long),
        Reading::Two(point, comma) => Err(two_readings(point.max(comma), point.min(comma))),
        Reading::One(_) | Reading::None => Err(not_whole()),
    }
}

/// `1,234` or `1.234`: over a thousand, or a little over one.
fn two_readings(large: Decimal, small: Decimal) -> ValueError {
    let small = small.normalize();
    ValueError::new(
        Code::IntegerAmbiguous,
        format!("ambiguous number; could be `{large}` or `{small}`"),
        format!("write `{large}` without a thousands separator if that is what you mean"),
    )
}

fn not_whole() -> ValueError {
    ValueError::new(
        Code::IntegerInvalid,
        "invalid whole number; expected digits such as `12`",
        "write digits only, without a unit or a fraction",
    )
}

fn too_long() -> ValueError {
    ValueError::new(Code::IntegerRange, "number out of range; expected at most 15 digits", "correct the number")
}

fn too_small(least: i64) -> ValueError {
    ValueError::new(Code::IntegerRange, format!("number out of range; expected at least {least}"), "correct the number")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> Cell<'_> {
        Cell { text, value: Value::Text, format: None }
    }

    fn number(number: f64, text: &str) -> Cell<'_> {
        Cell { text, value: Value::Number(number), format: None }
    }

    #[test]
    fn a_fraction_that_is_not_shown_is_told() {
        let error = integer(number(2.4, "2"), 0).unwrap_err();
        assert_eq!(error.message, "invalid whole number; the cell holds `2.4` and shows `2`");
        let error = integer(number(2.4, "2.40"), 0).unwrap_err();
        assert_eq!(error.message, "invalid whole number; expected digits such as `12`");
    }

    #[test]
    fn invisible_characters_are_trimmed() {
        for raw in
            [" a b ", "\u{a0}a b\u{2009}", "\u{feff}a b\u{200b}", "\ta b\r\n", "\u{202f}\u{200e}a b\u{3000}", "a b"]
        {
            assert_eq!(trimmed(raw), "a b", "{raw:?}");
        }
        assert_eq!(trimmed(""), "");
        assert_eq!(trimmed(" \u{a0}\u{feff}"), "");
        assert_eq!(trimmed("é"), "é");
    }

    #[test]
    fn no_value_marks_are_known() {
        for mark in [
            "-", "--", "–", "—", ".", "...", "…", "?", "???", "****", "_", "/", "-/-", "n/a", "N/A", "NIL", "nil",
            "none", "None", "NULL", "TBD", "tba", "(blank)", "<none>", "\\N", "k.A.", "NIL return", "Not Applicable",
        ] {
            assert!(is_no_value_mark(mark), "{mark}");
        }
        for value in [
            "", "NA", "0", "no", "x", "A-1", "-5", "nada", "None of them", "unknown", "Tba1", "#1", "#N/A", ".net",
            "“", "エ",
        ] {
            assert!(!is_no_value_mark(value), "{value}");
        }
    }

    #[test]
    fn marks_are_stored_as_they_are_compared() {
        for mark in NO_VALUE {
            assert_eq!(&mark.to_ascii_lowercase(), mark);
            assert!(mark.len() <= LONGEST_MARK && is_no_value_mark(mark), "{mark}");
        }
    }

    #[test]
    fn what_firmware_reports_is_no_serial_number() {
        for serial in ["To be filled by O.E.M.", "DEFAULT STRING", "0", "00000000", "XXXXXXX", "None", "Not Specified"]
        {
            assert!(is_firmware_serial(serial), "{serial}");
        }
        for serial in ["", "5CG4410XYZ", "01", "X0", "000A", "Default string 2"] {
            assert!(!is_firmware_serial(serial), "{serial}");
        }
        assert!(FIRMWARE_SERIALS.iter().all(|serial| serial.to_ascii_lowercase() == *serial));
        assert!(FIRMWARE_SERIALS.iter().all(|serial| is_firmware_serial(serial)));
    }

    #[test]
    fn replacement_characters_are_seen() {
        assert!(has_replacement("M\u{fffd}ller"));
        assert!(!has_replacement("Müller") && !has_replacement("Mueller") && !has_replacement(""));
    }

    #[test]
    fn whole_numbers_in_many_spellings() {
        for (cell, outcome) in [
            ("12", Ok(12)),
            (" 12 ", Ok(12)),
            ("+12", Ok(12)),
            ("3.0", Ok(3)),
            ("3,00", Ok(3)),
            ("1,234,567", Ok(1_234_567)),
            ("1,234.00", Ok(1234)),
            ("1.234,00", Ok(1234)),
            ("1 000", Ok(1000)),
            ("1\u{a0}000", Ok(1000)),
            ("1’000", Ok(1000)),
            ("１２", Ok(12)),
            ("007", Ok(7)),
            ("1,000", Err("integer.ambiguous: ambiguous number; could be `1000` or `1`")),
            ("1.234", Err("integer.ambiguous: ambiguous number; could be `1234` or `1.234`")),
            ("-5", Err("integer.range: number out of range; expected at least 0")),
            ("3.5", Err("integer.invalid: invalid whole number; expected digits such as `12`")),
            ("0,500", Err("integer.invalid: invalid whole number; expected digits such as `12`")),
            ("5 pcs", Err("integer.invalid: invalid whole number; expected digits such as `12`")),
            ("3E+3", Err("integer.invalid: invalid whole number; expected digits such as `12`")),
            ("95%", Err("integer.invalid: invalid whole number; expected digits such as `12`")),
            ("1.2.3", Err("integer.invalid: invalid whole number; expected digits such as `12`")),
            ("", Err("integer.invalid: invalid whole number; expected digits such as `12`")),
            ("-", Err("integer.invalid: invalid whole number; expected digits such as `12`")),
            ("1234567890123456789012", Err("integer.range: number out of range; expected at most 15 digits")),
        ] {
            assert_outcome(text(cell), outcome);
        }
        assert_outcome(number(3.0, "3.00"), Ok(3));
        assert_outcome(
            number(3.5, "4"),
            Err("integer.invalid: invalid whole number; the cell holds `3.5` and shows `4`"),
        );
        assert_outcome(number(1e300, ""), Err("integer.range: number out of range; expected at most 15 digits"));
        assert_outcome(
            number(f64::NAN, ""),
            Err("integer.invalid: invalid whole number; expected digits such as `12`"),
        );
        assert_outcome(
            Cell { format: Some("0%"), ..number(1.0, "100%") },
            Err("integer.invalid: invalid whole number; expected digits such as `12`"),
        );
        assert_outcome(
            Cell { value: Value::Boolean(true), ..text("TRUE") },
            Err("integer.invalid: invalid whole number; expected digits such as `12`"),
        );
        assert_eq!(integer(text("-5"), -10), Ok(-5));
        assert_eq!(integer(text("0"), 1).unwrap_err().message, "number out of range; expected at least 1");
    }

    fn assert_outcome(cell: Cell<'_>, outcome: Result<i64, &str>) {
        let found = integer(cell, 0).map_err(|error| format!("{}: {}", error.code.as_str(), error.message));
        assert_eq!(found, outcome.map_err(String::from), "{cell:?}");
    }

    proptest! {
        #[test]
        fn any_whole_number_is_read_back(value in -999_999_999_999_999i64..=999_999_999_999_999) {
            prop_assert_eq!(integer(text(&value.to_string()), i64::MIN), Ok(value));
            prop_assert_eq!(integer(number(value as f64, ""), i64::MIN), Ok(value));
            prop_assert_eq!(integer(text(&format!(" {value}.0")), i64::MIN), Ok(value));
        }

        #[test]
        fn plain_texts_are_what_they_seem(
            raw in "[ -~]{0,20}",
            code in "[A-Za-z0-9 ./_-]{0,20}|[0-9-]{0,12}|([0-9]{1,2}[- ])?(Jan|Mrz|May|Dez)([- ][0-9]{2,4})?",
        ) {
            for raw in [&raw, &code].into_iter().filter(|raw| is_number_like(raw)) {
                prop_assert_eq!(trimmed(raw), raw);
                prop_assert!(!is_no_value_mark(raw) && !is_error_word(raw) && !has_replacement(raw), "{}", raw);
                prop_assert_eq!(crate::unicode::look_alike(raw), None);
            }
            for raw in [raw, code].iter().filter(|raw| is_plain(raw)) {
                prop_assert_eq!(trimmed(raw), raw);
                prop_assert!(!is_no_value_mark(raw) && !is_error_word(raw) && !has_replacement(raw), "{}", raw);
                prop_assert_eq!(damaged_code(text(raw)), None);
                prop_assert_eq!(crate::unicode::look_alike(raw), None);
            }
        }

        #[test]
        fn nothing_panics(raw in "\\PC*", value in any::<f64>()) {
            let _ = trimmed(&raw);
            let _ = is_no_value_mark(&raw);
            let _ = integer(text(&raw), 0);
            let _ = integer(number(value, &raw), 0);
        }
    }
}
