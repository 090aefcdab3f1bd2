//! Damage that a spreadsheet program has done to what was typed: lost digits, codes that became dates.

use super::trimmed;
use crate::check::date::iso;
use crate::check::{Code, ValueError};
use crate::table::{Cell, Value};

/// Spreadsheet programs keep 15 significant digits, so whole numbers from here on have lost their last digits.
pub(super) const FIRST_DAMAGED: f64 = 1e15;

/// Detects damage by a spreadsheet program to a long number or a code in a text column: lost digits, `6.37702E+15`,
/// `#######`. `None` if the text can be trusted.
#[inline]
pub(crate) fn damaged(cell: Cell<'_>) -> Option<ValueError> {
    match cell.value {
        Value::Number(number) => damaged_number(number, cell.text),
        Value::Text => damaged_text(cell.text),
        _ => None,
    }
}

fn damaged_number(number: f64, shown: &str) -> Option<ValueError> {
    if number.abs() >= FIRST_DAMAGED {
        return Some(digits_lost());
    }
    if !looks_scientific(trimmed(shown)) {
        return None;
    }
    // The file has all digits, but what the user sees (and what would be sent) does not.
    let hint = match typed_with_exponent(number) {
        Some(typed) => format!("{ENTER_AGAIN}; it may have been `{typed}`"),
        None => format!("format the cell as text and write `{number}`"),
    };
    Some(ValueError::new(Code::CellDamaged, "number in scientific notation; expected all its digits", hint))
}

/// What may have been typed for a number that a cell shows with an exponent: a spreadsheet program makes 7031000 of `7031E3`
/// and shows `7.03E+06`. None for a number with too many digits for that.
fn typed_with_exponent(number: f64) -> Option<String> {
    const MOST_DIGITS: usize = 6;
    let digits = format!("{number}");
    let mantissa = digits.trim_end_matches('0');
    let zeros = digits.len() - mantissa.len();
    let is_code = zeros > 0 && mantissa.len() <= MOST_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then(|| format!("{mantissa}E{zeros}"))
}

fn damaged_text(text: &str) -> Option<ValueError> {
    let text = trimmed(text);
    match text.as_bytes() {
        [b'0'..=b'9' | b'+' | b'-', .., b'0'..=b'9'] if looks_scientific(text) => Some(digits_lost()),
        [b'#', b'#', b'#', rest @ ..] if rest.iter().all(|byte| *byte == b'#') => Some(ValueError::new(
            Code::CellDamaged,
            "`####` instead of a value: the column was too narrow when it was exported",
            "widen the column in the spreadsheet and export it again",
        )),
        _ => None,
    }
}

fn digits_lost() -> ValueError {
    ValueError::new(
        Code::CellDamaged,
        "digits were lost in a spreadsheet program; expected the number with all its digits",
        "format the column as text, then enter the value again from its source; the lost digits cannot be recovered",
    )
}

/// Whether a text is a long number as spreadsheet programs show it: `6.37702E+15`, `6,4E+15`, `6E+15`.
///
/// The plus sign is required, because `2E15` and `1E-05` may be numbers of parts and rooms.
fn looks_scientific(text: &str) -> bool {
    // Nearly every text is out of the question at once.
    if !matches!(text.as_bytes(), [.., b'+', _, _] | [.., b'+', _, _, _]) {
        return false;
    }
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let Some(exponent) = exponent.strip_prefix('+') else { return false };
    let decimals = match mantissa.as_bytes() {
        [b'0'..=b'9'] => true,
        [b'0'..=b'9', b'.' | b',', decimals @ ..] => !decimals.is_empty() && decimals.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    decimals && (2..=3).contains(&exponent.len()) && exponent.bytes().all(|byte| byte.is_ascii_digit())
}

/// Detects damage to a code: a tag, a serial number, a key or a name. Beside what [`damaged`] detects, a spreadsheet
/// program may have turned it into a date or a truth value, or show it rounded.
#[inline]
pub(crate) fn damaged_code(cell: Cell<'_>) -> Option<ValueError> {
    match cell.value {
        Value::Date(_) => Some(became_date()),
        Value::Boolean(_) => {
            Some(ValueError::new(Code::CellDamaged, "truth value where a code or a name is expected", ENTER_AGAIN))
        }
        Value::Number(number) if cell.format.is_some() && is_rounded(number, cell.text) => Some(ValueError::new(
            Code::CellDamaged,
            format!("rounded number; the cell holds `{number}` and shows other digits"),
            ENTER_AGAIN,
        )),
        Value::Text if is_shown_date(trimmed(cell.text)) => Some(became_date()),
        _ => damaged(cell),
    }
}

const ENTER_AGAIN: &str = "format the column as text, then enter the value again from its source";

fn became_date() -> ValueError {
    ValueError::new(
        Code::CellDamaged,
        "date where a code or a name is expected; a spreadsheet program has turned the entry into a date",
        ENTER_AGAIN,
    )
}

/// Whether the digits of a number are not among those that its cell shows.
pub(crate) fn is_rounded(number: f64, shown: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let shown = digits(shown);
    let stored = digits(&format!("{number}"));
    !shown.is_empty() && !shown.contains(stored.trim_matches('0'))
}

/// Month names as spreadsheet programs abbreviate them, in English and German.
const MONTHS: &[&str] = &[
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Mrz", "Mär", "Mai", "Okt",
    "Dez",
];

/// The length of `25-Mär-2024`, in bytes.
pub(super) const LONGEST_SHOWN_DATE: usize = 12;

/// Whether a text is a date as spreadsheet programs show one that they have made of a code: `5-Mar`, `Mar-24`,
/// `5-Mar-24`, `05. Mrz`, `Mrz 24`, or a whole day with its time. Only in this spelling: `MAR-24` was typed.
fn is_shown_date(text: &str) -> bool {
    if let Some(day) = text.strip_suffix(" 00:00:00") {
        return iso(day.as_bytes()).is_some();
    }
    if text.len() > LONGEST_SHOWN_DATE {
        return false;
    }
    let is_day = |part: &str| part.len() <= 2 && part.parse().is_ok_and(|day: u8| (1..=31).contains(&day));
    let is_year = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    // The second letter of a code is seldom a small one.
    let is_month = |part: &str| {
        part.as_bytes().get(1).is_some_and(|second| !second.is_ascii_uppercase()) && MONTHS.contains(&part)
    };
    // No month and no day has more than four bytes.
    let Some(at) = text.bytes().take(5).position(|byte| matches!(byte, b'-' | b' ')) else { return false };
    match (&text[..at], &text[at + 1..]) {
        (month, year) if is_month(month) => is_year(year),
        (day, month) if is_month(month) => is_day(day.strip_suffix('.').unwrap_or(day)),
        (day, rest) if is_day(day) => rest.split_once('-').is_some_and(|(month, year)| {
            is_month(month) && is_year(year.strip_prefix("20").filter(|short| !short.is_empty()).unwrap_or(year))
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> Cell<'_> {
        Cell { text, value: Value::Text, format: None }
    }

    fn number(number: f64, text: &str) -> Cell<'_> {
        Cell { text, value: Value::Number(number), format: None }
    }

    #[test]
    fn damage_is_seen() {
        for cell in [
            number(1e15, "1E+15"),
            number(8_904_456_789_012_345_678.0, "8904456789012345000"),
            text("6.37702E+15"),
            text("6,4E+15"),
            text("\u{a0}6E+15"),
            text("-1.2e+100"),
            text("#######"),
        ] {
            assert_eq!(damaged(cell).map(|error| error.code), Some(Code::CellDamaged), "{cell:?}");
        }
        for cell in [
            number(123_456_789_012_345.0, "123456789012345"),
            number(6083.0, "06083"),
            text("8904456789012345678"),
            text("2E15"),
            text("1E-05"),
            text("12E+15"),
            text("1.E+15"),
            text("1.2E+5"),
            text("#730242"),
            text("##"),
            text("A1.2E+15"),
            text(""),
        ] {
            assert_eq!(damaged(cell), None, "{cell:?}");
        }
    }

    #[test]
    fn a_long_number_shown_short_says_what_to_write() {
        let error = damaged(number(123_456_789_012.0, "1.23457E+11")).unwrap();
        assert_eq!(error.hint(), "format the cell as text and write `123456789012`");
    }

    #[test]
    fn a_code_that_was_taken_for_an_exponent_is_not_written_as_its_number() {
        let hint = |value: f64, shown| damaged_code(number(value, shown)).unwrap().hint().to_owned();
        let again = "format the column as text, then enter the value again from its source; it may have been";
        for (value, shown, typed) in
            [(1e5, "1.00E+05", "1E5"), (7_031_000.0, "7.03E+06", "7031E3"), (12e12, "1.20E+13", "12E12")]
        {
            assert_eq!(hint(value, shown), format!("{again} `{typed}`"));
        }
        assert_eq!(hint(1_234_567.0, "1.23E+06"), "format the cell as text and write `1234567`");
        assert_eq!(hint(-1e5, "-1.00E+05"), "format the cell as text and write `-100000`");
    }

    #[test]
    fn codes_that_became_dates_or_were_rounded_are_seen() {
        let date = Value::Date(jiff::civil::date(2026, 3, 5).at(0, 0, 0, 0));
        let formatted = |value: f64, text: &'static str| Cell { format: Some("0"), ..number(value, text) };
        for cell in [
            Cell { value: date, ..text("2026-03-05") },
            Cell { value: Value::Boolean(true), ..text("TRUE") },
            text("5-Mar"),
            text("05-Mar"),
            text("Mar-24"),
            text("1-Dec-2026"),
            text("1-Dec-26"),
            text(" 5-Mar\u{a0}"),
            text("05. Mrz"),
            text("Mrz 24"),
            text("2026-03-05 00:00:00"),
            text("6.37702E+15"),
            formatted(1234.5, "1235"),
            formatted(12_500_000.0, "13M"),
        ] {
            assert_eq!(damaged_code(cell).map(|error| error.code), Some(Code::CellDamaged), "{cell:?}");
        }
        for cell in [
            text("MAR-24"),
            text("mar-24"),
            text("5-MAR"),
            text("32-Mar"),
            text("Mar-2"),
            text("A-Mar"),
            text("Mar"),
            text("Mar 2024"),
            text("2026-03-05"),
            text("5-3"),
            text("March-24"),
            text("May Lee"),
            text("Mar-24-A"),
            text("5-Mar-A"),
            formatted(6083.0, "06083"),
            formatted(42.0, "HF-0042"),
            formatted(1001.0, "1,001"),
            formatted(12.5, "12.50"),
            formatted(0.0, "0"),
            formatted(5_551_234.0, "555-1234"),
            formatted(7.0, ""),
            number(12.5, "12.5"),
        ] {
            assert_eq!(damaged_code(cell), None, "{cell:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(raw in "\\PC*", value in any::<f64>()) {
            let _ = damaged_code(text(&raw));
            let _ = damaged_code(Cell { format: Some("0"), ..number(value, &raw) });
        }
    }
}
