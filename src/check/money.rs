//! Amounts of money: signs, separators and decimal marks as people write them.
//!
//! A lone `1.234` or `1,234` is a thousand and more here and one and a bit there, and is never guessed: it needs
//! `--decimal`, or a mark that the whole column proves ([`super::column::MoneySurvey`]).

use rust_decimal::Decimal;

use crate::table::{Cell, Value};

use super::currency::NoHint;
use super::number::{Reading, Readings, plain};
use super::text::trimmed;
use super::{Code, ValueError};

pub use super::currency::CurrencyHint;
pub use super::number::DecimalMark;

/// An amount, and the currency that its sign, code or number format allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// May be negative: whether that makes sense is the caller's question.
    pub value: Decimal,
    pub currency: Option<CurrencyHint>,
}

/// The amount a cell holds.
///
/// Numeric cells are taken with the 15 significant digits a spreadsheet program keeps. Text may have a sign or code
/// before or after it, separators of any kind between thousands, a minus on either side or brackets around it.
#[inline]
pub fn parse(cell: Cell<'_>, mark: Option<DecimalMark>) -> Result<Amount, ValueError> {
    match cell.value {
        Value::Number(number) => from_number(number, cell),
        Value::Boolean(_) | Value::Date(_) => Err(Fault::Other.into()),
        _ => match plain(cell.text.as_bytes()) {
            Some((mantissa, 0)) => Ok(Amount { value: Decimal::from(mantissa), currency: None }),
            Some((mantissa, scale)) if mark != Some(DecimalMark::Comma) => {
                Ok(Amount { value: unsigned(mantissa, scale), currency: None })
            }
            _ => from_text(trimmed(cell.text), mark),
        },
    }
}

/// The decimal of a mantissa that is not negative, without the checks of [`Decimal::new`].
#[inline]
fn unsigned(mantissa: i64, scale: u32) -> Decimal {
    Decimal::from_parts(mantissa as u32, (mantissa >> 32) as u32, 0, false, scale)
}

/// Both readings of a text cell without its sign; none where it is no amount.
pub(super) fn readings(text: &str) -> Option<Readings> {
    Written::of(trimmed(text)).ok().map(|written| Readings::of(written.digits))
}

fn from_text(text: &str, mark: Option<DecimalMark>) -> Result<Amount, ValueError> {
    let written = Written::of(text)?;
    let value = match Readings::under(mark, written.digits) {
        Reading::One(value) => value,
        Reading::Two(point, comma) => return Err(ambiguous(point, comma)),
        Reading::None => return Err(no_reading(mark, written.digits)),
    };
    // Accounting formats write nothing as `-0.00` or `(0.00)`: that is not a negative amount.
    let value = if written.sign == Sign::Minus && !value.is_zero() { -value } else { value };
    Ok(Amount { value, currency: written.currency })
}

/// Digits that are no number under `mark`: perhaps they are one under the other.
fn no_reading(mark: Option<DecimalMark>, digits: &str) -> ValueError {
    match (mark, Readings::under(None, digits)) {
        (Some(mark), Reading::One(_)) => other_mark(mark),
        _ => Fault::Other.into(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Plus,
    Minus,
}

/// An amount taken apart.
#[derive(Debug)]
struct Written<'a> {
    sign: Sign,
    /// From the first digit (or the mark before it) to the last.
    digits: &'a str,
    currency: Option<CurrencyHint>,
}

/// Why a text is no amount.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    Percent,
    /// Thousands, millions, ten thousands.
    Multiple,
    /// Two currencies beside one number.
    TwoCurrencies,
    /// A currency out of use, with its successor.
    Historic(&'static str),
    Other,
}

impl<'a> Written<'a> {
    fn of(text: &'a str) -> Result<Self, Fault> {
        let is_digit = |char: char| matches!(char, '0'..='9' | '０'..='９');
        let first = text.find(is_digit).ok_or(Fault::Other)?;
        let end =
            text.rfind(is_digit).map_or(first, |last| last + text[last..].chars().next().map_or(0, char::len_utf8));
        let first = first - mark_before(&text[..first]);
        let (before, before_signs) = without_signs(&text[..first]);
        let (after, after_signs) = without_signs(without_empty_decimals(&text[end..]));
        let sign = before_signs.and(after_signs).ok_or(Fault::Other)?;
        Ok(Self { sign, digits: &text[first..end], currency: both(hint(before)?, hint(after)?)? })
    }
}

/// The length of a decimal mark that belongs to the digits after it: in `.5` and `$.50`, not in `Rs.500`.
fn mark_before(before: &str) -> usize {
    let Some(symbol) = before.strip_suffix(['.', ',']) else { return 0 };
    usize::from(!symbol.ends_with(char::is_alphabetic))
}

/// What stands where decimals could, and says that there are none: `5,-`, `5.–`, `5.`.
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
    /// The sign of the whole; none where signs contradict each other.
    fn and(self, other: Self) -> Option<Sign> {
        let brackets = (self.open, self.close, other.open, other.close);
        match (self.minus + other.minus, self.plus + other.plus, brackets) {
            (0, 0 | 1, (0, 0, 0, 0)) => Some(Sign::Plus),
            (1, 0, (0, 0, 0, 0)) | (0, 0, (1, 0, 0, 1)) => Some(Sign::Minus),
            _ => None,
        }
    }
}

/// The text without white space and signs at both ends, and those signs.
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

/// What stands beside the number, as a currency.
fn hint(text: &str) -> Result<Option<CurrencyHint>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    CurrencyHint::of(text).map(Some).map_err(|no_hint| match no_hint {
        NoHint::Historic(successor) => Fault::Historic(successor),
        NoHint::Unknown if text.starts_with(['%', '％', '‰']) => Fault::Percent,
        NoHint::Unknown if MULTIPLES.iter().any(|multiple| text.eq_ignore_ascii_case(multiple)) => Fault::Multiple,
        NoHint::Unknown => Fault::Other,
    })
}

/// Words that make an amount many times larger.
const MULTIPLES: &[&str] =
    &["k", "m", "t", "tsd", "tsd.", "mio", "mio.", "mrd", "mn", "bn", "万", "万元", "千", "億", "亿", "lakh", "crore"];

/// One currency from both sides, as in `US$ 12` or `$12.50 CAD`.
fn both(before: Option<CurrencyHint>, after: Option<CurrencyHint>) -> Result<Option<CurrencyHint>, Fault> {
    match (before, after) {
        (Some(before), Some(after)) => before.and(after).map(Some).ok_or(Fault::TwoCurrencies),
        (one, None) | (None, one) => Ok(one),
    }
}

/// The first number that a spreadsheet program no longer keeps to the last digit.
const FIRST_INEXACT: f64 = 1e15;

fn from_number(number: f64, cell: Cell<'_>) -> Result<Amount, ValueError> {
    if cell.format.is_some_and(|format| format.contains('%')) {
        return Err(Fault::Percent.into());
    }
    let value = exact(number).ok_or(Fault::Other)?;
    let currency = cell.format.and_then(CurrencyHint::of_format).or_else(|| shown_currency(cell.text));
    Ok(Amount { value, currency })
}

/// The decimal number of at most 15 significant digits that a spreadsheet program shows for `number`.
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

/// The number with `scale` decimals, where it is exactly that. A division is rounded correctly, so equality proves it.
fn short(number: f64, scale: u32, factor: f64) -> Option<Decimal> {
    let mantissa = (number * factor).round();
    let is_exact = mantissa.abs() < FIRST_INEXACT && mantissa / factor == number;
    is_exact.then(|| Decimal::new(mantissa as i64, scale).normalize())
}

/// The currency in the text of a numeric cell, where its format is not known.
fn shown_currency(text: &str) -> Option<CurrencyHint> {
    match text.as_bytes() {
        [b'0'..=b'9' | b'-', .., b'0'..=b'9'] | [_] | [] => None,
        _ => Written::of(trimmed(text)).ok().and_then(|written| written.currency),
    }
}

impl From<Fault> for ValueError {
    fn from(fault: Fault) -> Self {
        let (code, message, hint) = match fault {
            Fault::Percent => (Code::MoneyInvalid, INVALID, "write the amount itself, not a percentage"),
            Fault::Multiple => (Code::MoneyInvalid, INVALID, "write the whole amount in digits"),
            Fault::TwoCurrencies => (
                Code::MoneyCurrency,
                "two currencies in one cell; expected an amount in one currency",
                "leave one currency beside the number",
            ),
            Fault::Historic(successor) => {
                let hint = format!("convert the amount to `{successor}`, which replaced the currency");
                return Self::new(Code::CurrencyHistoric, "currency no longer in use", hint);
            }
            Fault::Other => {
                (Code::MoneyInvalid, INVALID, "write the number alone, or leave the cell empty if there is none")
            }
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

/// The cell makes sense only with the other decimal mark.
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
