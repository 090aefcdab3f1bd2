//! Parses amounts of money with currency signs, separators and decimal marks.
//!
//! `1.234` and `1,234` are over a thousand in some countries and a little over one in others. They are never guessed:
//! they need `--decimal`, or a column that proves the mark (`MoneySurvey`).

mod unit;

use rust_decimal::Decimal;

use crate::table::{Cell, Value};

use super::currency::NoHint;
use super::number::{Reading, Readings, plain};
use super::text::trimmed;
use super::{Code, ValueError};

pub(crate) use super::currency::CurrencyHint;
pub(crate) use super::number::DecimalMark;
pub(crate) use unit::HeaderUnit;

/// An amount, and the currencies that its sign, code or number format allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Amount {
    /// May be negative; the caller decides whether that is valid.
    pub value: Decimal,
    pub currency: Option<CurrencyHint>,
}

/// Parses the amount in a cell.
///
/// Numeric cells are read with the 15 significant digits that spreadsheet programs keep. Text may have a currency
/// sign or code before or after the number, any thousands separator, and a minus on either side or brackets around
/// it.
#[inline]
pub(crate) fn parse(cell: Cell<'_>, mark: Option<DecimalMark>) -> Result<Amount, ValueError> {
    match cell.value {
        Value::Number(number) => from_number(number, cell),
        Value::Boolean(_) | Value::Date(_) => Err(AmountError::Other.into()),
        _ => match plain(cell.text.as_bytes()) {
            Some((mantissa, 0)) => Ok(Amount { value: Decimal::from(mantissa), currency: None }),
            Some((mantissa, scale)) if mark != Some(DecimalMark::Comma) => {
                Ok(Amount { value: unsigned(mantissa, scale), currency: None })
            }
            _ => from_text(trimmed(cell.text), mark),
        },
    }
}

/// A decimal with a non-negative mantissa, without the checks of [`Decimal::new`].
#[inline]
fn unsigned(mantissa: i64, scale: u32) -> Decimal {
    Decimal::from_parts(mantissa as u32, (mantissa >> 32) as u32, 0, false, scale)
}

/// Both readings of a text cell without its sign; `None` if it is not an amount.
pub(super) fn readings(text: &str) -> Option<Readings> {
    AmountParts::of(trimmed(text)).ok().map(|parts| Readings::of(parts.digits))
}

fn from_text(text: &str, mark: Option<DecimalMark>) -> Result<Amount, ValueError> {
    let parts = AmountParts::of(text)?;
    let value = match Readings::under(mark, parts.digits) {
        Reading::One(value) => value,
        Reading::Two(point, comma) => return Err(ambiguous(point, comma)),
        Reading::None => return Err(no_reading(mark, parts.digits)),
    };
    // Accounting formats show zero as `-0.00` or `(0.00)`, which is not negative.
    let value = if parts.sign == Sign::Minus && !value.is_zero() { -value } else { value };
    Ok(Amount { value, currency: parts.currency })
}

/// The error for digits that are invalid under `mark`: they may be valid under the other mark.
fn no_reading(mark: Option<DecimalMark>, digits: &str) -> ValueError {
    match (mark, Readings::under(None, digits)) {
        (Some(mark), Reading::One(_)) => other_mark(mark),
        _ => AmountError::Other.into(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Plus,
    Minus,
}

/// The parts of an amount.
#[derive(Debug)]
struct AmountParts<'a> {
    sign: Sign,
    /// From the first digit, or the decimal mark before it, to the last.
    digits: &'a str,
    currency: Option<CurrencyHint>,
}

/// Why a text is not an amount.
#[derive(Debug, PartialEq, Eq)]
enum AmountError {
    Percent,
    /// A suffix for thousands or millions.
    Multiple,
    /// A number format that shows it as thousands or millions.
    ShownAsMultiple,
    /// Two different currencies.
    TwoCurrencies,
    /// A currency no longer in use, with its successor.
    Historic(&'static str),
    Other,
}

impl<'a> AmountParts<'a> {
    fn of(text: &'a str) -> Result<Self, AmountError> {
        let is_digit = |char: char| matches!(char, '0'..='9' | '０'..='９');
        let first = text.find(is_digit).ok_or(AmountError::Other)?;
        let end =
            text.rfind(is_digit).map_or(first, |last| last + text[last..].chars().next().map_or(0, char::len_utf8));
        let first = first - mark_before(&text[..first]);
        let (before, before_signs) = without_signs(&text[..first]);
        let (after, after_signs) = without_signs(without_empty_decimals(&text[end..]));
        let sign = before_signs.and(after_signs).ok_or(AmountError::Other)?;
        Ok(Self { sign, digits: &text[first..end], currency: both(hint(before)?, hint(after)?)? })
    }
}

/// Length of a decimal mark that belongs to the digits after it: in `.5` and `$.50`, but not in `Rs.500`.
fn mark_before(before: &str) -> usize {
    let Some(symbol) = before.strip_suffix(['.', ',']) else { return 0 };
    usize::from(!symbol.ends_with(char::is_alphabetic))
}

/// Strips a suffix that means "no decimals": `5,-`, `5.–`, `5.`.
fn without_empty_decimals(after: &str) -> &str {
    match after.strip_prefix(['.', ',']) {
        Some(rest) => rest.trim_start_matches(['-', '–', '—']),
        None => after,
    }
}

/// The signs on one side of an amount.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Signs {
    minus: u8,
    plus: u8,
    open: u8,
    close: u8,
}

impl Signs {
    /// The combined sign; `None` if the signs contradict each other.
    fn and(self, other: Self) -> Option<Sign> {
        let brackets = (self.open, self.close, other.open, other.close);
        match (self.minus + other.minus, self.plus + other.plus, brackets) {
            (0, 0 | 1, (0, 0, 0, 0)) => Some(Sign::Plus),
            (1, 0, (0, 0, 0, 0)) | (0, 0, (1, 0, 0, 1)) => Some(Sign::Minus),
            _ => None,
        }
    }
}

/// Strips white space and signs from both ends, and returns the signs.
fn without_signs(text: &str) -> (&str, Signs) {
    let mut signs = Signs::default();
    let mut rest = trimmed(text);
    while let Some(shorter) = without_sign(rest, &mut signs) {
        rest = trimmed(shorter);
    }
    (rest, signs)
}

fn without_sign<'a>(text: &'a str, signs: &mut Signs) -> Option<&'a str> {
    let is_sign = |char: char| matches!(char, '-' | '−' | '–' | '－' | '+' | '(' | ')' | '（' | '）');
    let (sign, rest) = match (text.chars().next(), text.chars().next_back()) {
        (Some(first), _) if is_sign(first) => (first, &text[first.len_utf8()..]),
        (_, Some(last)) if is_sign(last) => (last, &text[..text.len() - last.len_utf8()]),
        _ => return None,
    };
    let count = match sign {
        '+' => &mut signs.plus,
        '(' | '（' => &mut signs.open,
        ')' | '）' => &mut signs.close,
        _ => &mut signs.minus,
    };
    *count = count.saturating_add(1).min(100);
    Some(rest)
}

/// The currency next to the number.
fn hint(text: &str) -> Result<Option<CurrencyHint>, AmountError> {
    if text.is_empty() {
        return Ok(None);
    }
    CurrencyHint::of(text).map(Some).map_err(|no_hint| match no_hint {
        NoHint::Historic(successor) => AmountError::Historic(successor),
        NoHint::Unknown if text.starts_with(['%', '％', '‰']) => AmountError::Percent,
        NoHint::Unknown if MULTIPLES.iter().any(|multiple| text.eq_ignore_ascii_case(multiple)) => {
            AmountError::Multiple
        }
        NoHint::Unknown => AmountError::Other,
    })
}

/// Suffixes that multiply the amount.
const MULTIPLES: &[&str] =
    &["k", "m", "t", "tsd", "tsd.", "mio", "mio.", "mrd", "mn", "bn", "万", "万元", "千", "億", "亿", "lakh", "crore"];

/// Combines the currencies from both sides, as in `US$ 12` or `$12.50 CAD`.
fn both(before: Option<CurrencyHint>, after: Option<CurrencyHint>) -> Result<Option<CurrencyHint>, AmountError> {
    match (before, after) {
        (Some(before), Some(after)) => before.and(after).map(Some).ok_or(AmountError::TwoCurrencies),
        (one, None) | (None, one) => Ok(one),
    }
}

/// Numbers from here on lose digits in spreadsheet programs.
const FIRST_INEXACT: f64 = 1e15;

fn from_number(number: f64, cell: Cell<'_>) -> Result<Amount, ValueError> {
    if cell.format.is_some_and(|format| format.contains('%')) {
        return Err(AmountError::Percent.into());
    }
    if cell.format.is_some_and(unit::shows_multiple) {
        return Err(AmountError::ShownAsMultiple.into());
    }
    let value = exact(number).ok_or(AmountError::Other)?;
    let currency = cell.format.and_then(CurrencyHint::of_format).or_else(|| shown_currency(cell.text));
    Ok(Amount { value, currency })
}

/// The decimal with at most 15 significant digits that a spreadsheet program shows for `number`.
fn exact(number: f64) -> Option<Decimal> {
    if number.is_nan() || number.abs() >= FIRST_INEXACT {
        return None;
    }
    if number.fract() == 0.0 {
        return Some(Decimal::from(number as i64));
    }
    let short = [(2, 1e2), (4, 1e4), (6, 1e6)].into_iter().find_map(|(scale, factor)| short(number, scale, factor));
    short.or_else(|| Decimal::from_scientific_lossy(&format!("{number:.14e}")).ok().map(|number| number.normalize()))
}

/// The number with `scale` decimals, if it is exactly that. Division is correctly rounded, so equality proves it.
fn short(number: f64, scale: u32, factor: f64) -> Option<Decimal> {
    let mantissa = (number * factor).round();
    let is_exact = mantissa.abs() < FIRST_INEXACT && mantissa / factor == number;
    is_exact.then(|| Decimal::new(mantissa as i64, scale).normalize())
}

/// The currency in the text of a numeric cell whose format is unknown.
fn shown_currency(text: &str) -> Option<CurrencyHint> {
    match text.as_bytes() {
        [b'0'..=b'9' | b'-', .., b'0'..=b'9'] | [_] | [] => None,
        _ => AmountParts::of(trimmed(text)).ok().and_then(|parts| parts.currency),
    }
}

impl From<AmountError> for ValueError {
    fn from(fault: AmountError) -> Self {
        let (code, message, hint) = match fault {
            AmountError::Percent => (Code::MoneyInvalid, INVALID, "write the amount itself, not a percentage"),
            AmountError::Multiple => (Code::MoneyInvalid, INVALID, "write the whole amount in digits"),
            AmountError::ShownAsMultiple => (
                Code::MoneyInvalid,
                "invalid amount: its number format shows it as thousands or millions",
                "write the whole amount, in a number format without such a unit",
            ),
            AmountError::TwoCurrencies => (
                Code::MoneyCurrency,
                "two currencies in one cell; expected an amount in one currency",
                "leave one currency beside the number",
            ),
            AmountError::Historic(successor) => {
                let hint = format!("convert the amount to `{successor}`, which replaced the currency");
                return Self::new(Code::CurrencyHistoric, "currency no longer in use", hint);
            }
            AmountError::Other => return Self::new(Code::MoneyInvalid, INVALID, "write the number alone").or_empty(),
        };
        Self::new(code, message, hint)
    }
}

const INVALID: &str = "invalid amount; expected a number such as `1299.00`";

fn ambiguous(point: Decimal, comma: Decimal) -> ValueError {
    let (large, small) = (point.max(comma), point.min(comma));
    ValueError::new(
        Code::MoneyAmbiguous,
        format!("ambiguous amount; could be `{large}` or `{small}`"),
        "write it without a thousands separator, or name the decimal mark with `--decimal .` or `--decimal ,`",
    )
}

/// A multiple that no amount reaches.
pub(super) fn too_large() -> ValueError {
    ValueError::new(Code::MoneyInvalid, INVALID, "correct the amount")
}

/// The cell is valid only with the other decimal mark.
fn other_mark(mark: DecimalMark) -> ValueError {
    let (message, hint) = match mark {
        DecimalMark::Point => (
            "invalid amount; expected a decimal point, as in `1299.50`",
            "write it with a decimal point, or use `--decimal ,`",
        ),
        DecimalMark::Comma => (
            "invalid amount; expected a decimal comma, as in `1299,50`",
            "write it with a decimal comma, or use `--decimal .`",
        ),
    };
    ValueError::new(Code::MoneyInvalid, message, hint)
}

#[cfg(test)]
mod tests;
