//! Parses numbers with decimal marks and thousands separators, and finds their two readings.

use rust_decimal::Decimal;

/// The decimal mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum DecimalMark {
    /// `1,299.00`
    Point,
    /// `1.299,00`
    Comma,
}

impl DecimalMark {
    pub(crate) fn of_char(char: char) -> Option<Self> {
        [DecimalMark::Point, DecimalMark::Comma].into_iter().find(|mark| mark.as_char() == char)
    }

    pub(crate) fn as_char(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }
}

/// The value of a number under either decimal mark; `None` if it is not valid under that one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Readings {
    pub(super) point: Option<Decimal>,
    pub(super) comma: Option<Decimal>,
}

/// The value of a number, all readings considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    None,
    One(Decimal),
    /// The values with a decimal point and with a decimal comma.
    Two(Decimal, Decimal),
}

impl Readings {
    /// Both readings of a number without sign, symbol or white space around it.
    pub(super) fn of(text: &str) -> Self {
        Self { point: read(text, DecimalMark::Point), comma: read(text, DecimalMark::Comma) }
    }

    /// The value under `mark`, or whatever is possible if no mark is known.
    pub(super) fn under(mark: Option<DecimalMark>, text: &str) -> Reading {
        match mark {
            Some(mark) => read(text, mark).map_or(Reading::None, Reading::One),
            None => Self::of(text).either(),
        }
    }

    fn either(self) -> Reading {
        match (self.point, self.comma) {
            (Some(point), Some(comma)) if point != comma => Reading::Two(point, comma),
            (Some(number), _) | (None, Some(number)) => Reading::One(number),
            (None, None) => Reading::None,
        }
    }
}

/// The fast path: digits with an optional point and one, two or more than three decimals, which have only one
/// reading.
///
/// Returns the mantissa and its scale; `None` for anything longer or ambiguous.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> Option<(i64, u32)> {
    if bytes.is_empty() || bytes.len() > 18 {
        return None;
    }
    let mut mantissa = 0i64;
    let mut point = None;
    for (at, byte) in bytes.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa * 10 + i64::from(digit);
        } else if *byte == b'.' && point.is_none() && at > 0 {
            point = Some(at);
        } else {
            return None;
        }
    }
    let Some(point) = point else { return Some((mantissa, 0)) };
    match bytes.len() - point - 1 {
        0 | 3 => None,
        decimals => Some((mantissa, decimals as u32)),
    }
}

/// More digits than any amount needs, and few enough for an `i128`.
const MOST_DIGITS: u32 = 28;

/// Parses the number with `mark` as the decimal mark.
///
/// Digits before the mark may be grouped by one kind of separator: groups of three, or Indian groups as in
/// `12,34,567`. A group never starts with a single zero, so `0.166` is not thousands.
fn read(text: &str, mark: DecimalMark) -> Option<Decimal> {
    let mut mantissa = 0i128;
    let mut digits = 0;
    let mut groups = Groups::default();
    let mut scale = None;
    for char in text.chars() {
        let char = plain_form(char);
        if let Some(digit) = char.to_digit(10) {
            mantissa = mantissa * 10 + i128::from(digit);
            digits += 1;
            if digits > MOST_DIGITS {
                return None;
            }
            match &mut scale {
                Some(scale) => *scale += 1,
                None => groups.digit(digit),
            }
        } else if scale.is_some() {
            return None;
        } else if char == mark.as_char() {
            scale = Some(0);
        } else {
            groups.separator(char)?;
        }
    }
    let scale = scale.unwrap_or(0);
    let is_number = digits > 0 && groups.are_regular() && !text.ends_with(mark.as_char());
    is_number.then(|| Decimal::try_from_i128_with_scale(mantissa, scale).ok()).flatten()
}

/// Maps full-width digits and marks to ASCII, white space to a blank, and apostrophes to `'`.
fn plain_form(char: char) -> char {
    match char {
        '０'..='９' | '．' | '，' => char::from_u32(char as u32 - 0xfee0).unwrap_or(char),
        '’' | '‘' | 'ʼ' | '´' => '\'',
        _ if char.is_whitespace() => ' ',
        _ => char,
    }
}

/// The groups of digits before the decimal mark.
#[derive(Default)]
struct Groups {
    separator: Option<char>,
    starts_with_zero: bool,
    first: u32,
    /// Digits in the current group.
    current: u32,
    /// Width of the inner groups; 0 if there are none.
    inner: u32,
    are_uneven: bool,
}

impl Groups {
    fn digit(&mut self, digit: u32) {
        if self.separator.is_none() && self.current == 0 {
            self.starts_with_zero = digit == 0;
        }
        self.current += 1;
    }

    /// Ends a group; `None` if `char` is not a valid separator here.
    fn separator(&mut self, char: char) -> Option<()> {
        match self.separator {
            _ if self.current == 0 => return None,
            None if matches!(char, '.' | ',' | '\'' | ' ') => {
                self.separator = Some(char);
                self.first = self.current;
            }
            Some(separator) if separator == char => {
                self.are_uneven |= self.inner != 0 && self.inner != self.current;
                self.inner = self.current;
            }
            _ => return None,
        }
        self.current = 0;
        Some(())
    }

    fn are_regular(&self) -> bool {
        let inner_fits = match self.inner {
            0 | 3 => (1..=3).contains(&self.first),
            2 => (1..=2).contains(&self.first) && self.separator == Some(','),
            _ => false,
        };
        self.separator.is_none() || (self.current == 3 && inner_fits && !self.are_uneven && !self.starts_with_zero)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn readings(text: &str) -> (Option<String>, Option<String>) {
        let readings = Readings::of(text);
        (readings.point.map(|number| number.to_string()), readings.comma.map(|number| number.to_string()))
    }

    #[test]
    fn a_number_has_none_one_or_two_readings() {
        for (text, point, comma) in [
            ("1234", "1234", "1234"),
            ("1,234", "1234", "1.234"),
            ("1.234", "1.234", "1234"),
            ("1,299.00", "1299.00", ""),
            ("1.299,00", "", "1299.00"),
            ("0,166", "", "0.166"),
            ("0.166", "0.166", ""),
            ("1234,567", "", "1234.567"),
            ("1,234,567", "1234567", ""),
            ("12,34,567.5", "1234567.5", ""),
            ("12.34.567", "", ""),
            ("1,2,345", "", ""),
            ("1 234 567,89", "", "1234567.89"),
            ("1\u{a0}234", "1234", "1234"),
            ("1 234.567", "1234.567", ""),
            ("1'234’567.50", "1234567.50", ""),
            ("1’234", "1234", "1234"),
            (".5", "0.5", ""),
            ("１２，３４５．６", "12345.6", ""),
            ("1,23", "", "1.23"),
            ("12,34,56", "", ""),
            ("", "", ""),
            (".", "", ""),
            ("1..2", "", ""),
            ("1,,234", "", ""),
            ("1 2", "", ""),
            ("1.234.567,891,2", "", ""),
            ("99999999999999999999999999999", "", ""),
        ] {
            let some = |text: &str| (!text.is_empty()).then(|| String::from(text));
            assert_eq!(readings(text), (some(point), some(comma)), "{text}");
        }
    }

    #[test]
    fn the_plain_form_is_only_what_has_one_reading() {
        assert_eq!(plain(b"1299"), Some((1299, 0)));
        assert_eq!(plain(b"1299.5"), Some((12995, 1)));
        assert_eq!(plain(b"0.3166"), Some((3166, 4)));
        for text in ["", ".5", "5.", "1.234", "1,5", "-1", "1.2.3", "1234567890123456789"] {
            assert_eq!(plain(text.as_bytes()), None, "{text}");
        }
    }
}
