//! Finds the dates that a text can mean: its parts, and their value in each order.

use jiff::civil::Date;
use unicode_normalization::char::is_combining_mark;

use super::DateOrder;
use super::words::{self, Word};

/// Years that are plausible in an inventory. Anything else is a typo or a count read as a date.
pub(super) const YEARS: std::ops::RangeInclusive<u16> = 1900..=2200;

/// Two-digit years from here on belong to the 1900s, those below to the 2000s (the rule of POSIX `strptime`).
const PIVOT: u16 = 69;

/// Why three numbers are not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InvalidDay {
    Year,
    Month,
    /// The month does not have that many days.
    Day {
        year: u16,
        month: u16,
    },
}

/// The date, if it exists.
#[inline]
pub(super) fn day_of(year: u16, month: u16, day: u16) -> Result<Date, InvalidDay> {
    if !YEARS.contains(&year) {
        return Err(InvalidDay::Year);
    }
    if !(1..=12).contains(&month) {
        return Err(InvalidDay::Month);
    }
    // Most days exist in every month, so the year need not be checked.
    if day == 0 || (day > 28 && day > days_in(year, month)) {
        return Err(InvalidDay::Day { year, month });
    }
    Date::new(year as i16, month as i8, day as i8).map_err(|_| InvalidDay::Month)
}

/// Number of days in a month (January is 1).
pub(super) fn days_in(year: u16, month: u16) -> u16 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A sequence of digits: its value and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::check) struct Digits {
    pub(in crate::check) value: u16,
    pub(in crate::check) width: u8,
}

impl Digits {
    /// As a four-digit year, or a two-digit one relative to the pivot.
    pub(super) fn year(self) -> Option<u16> {
        match self.width {
            4 => Some(self.value),
            2 if self.value < PIVOT => Some(2000 + self.value),
            2 => Some(1900 + self.value),
            _ => None,
        }
    }
}

/// Three numbers with separators, such as `1/2/2024`, as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::check) struct Triple {
    pub(in crate::check) parts: [Digits; 3],
    pub(in crate::check) separators: [char; 2],
}

impl Triple {
    /// Whether a four-digit year comes first: then month and day follow in that order in every country.
    pub(in crate::check) fn is_year_first(&self) -> bool {
        self.parts[0].width == 4
    }

    /// Whether both separators are dots: countries that use dots put the day first.
    pub(in crate::check) fn is_dotted(&self) -> bool {
        self.separators == ['.', '.']
    }

    /// Into the kinds of separators: dots, slashes, hyphens, anything else.
    pub(in crate::check) fn separator_kind(&self) -> usize {
        match self.separators[0] {
            '.' => 0,
            '/' => 1,
            '-' => 2,
            _ => 3,
        }
    }

    /// The date in that order; `None` if the parts do not fit.
    pub(super) fn read(&self, order: DateOrder) -> Option<Result<Date, InvalidDay>> {
        let [first, second, third] = self.parts;
        let (year, month, day) = match order {
            DateOrder::DayMonthYear => (third, second, first),
            DateOrder::MonthDayYear => (third, first, second),
            DateOrder::YearMonthDay => (first, second, third),
        };
        // `4/5/16` cannot start with a year: two-digit years come first only where all parts have two digits.
        let is_padded = order != DateOrder::YearMonthDay || year.width == 4 || (month.width == 2 && day.width == 2);
        if !is_padded || month.width > 2 || day.width > 2 {
            return None;
        }
        year.year().map(|year| day_of(year, month.value, day.value))
    }

    /// The dates in the orders that are possible.
    pub(in crate::check) fn days(&self) -> Days {
        Days(DateOrder::ALL.map(|order| self.read(order).and_then(Result::ok)))
    }
}

/// The date in each order, as in [`DateOrder::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::check) struct Days(pub(in crate::check) [Option<Date>; 3]);

impl Days {
    /// The possible dates, without duplicates.
    pub(in crate::check) fn distinct(self) -> impl Iterator<Item = Date> {
        let Self(days) = self;
        days.into_iter().enumerate().filter_map(move |(at, day)| day.filter(|_| !days[..at].contains(&day)))
    }

    /// The date, if all possible orders agree.
    pub(in crate::check) fn only(self) -> Option<Date> {
        let mut days = self.distinct();
        days.next().filter(|_| days.next().is_none())
    }
}

/// The shape of a text that may be a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::check) enum DateShape {
    Triple(Triple),
    /// Digits without separators, such as `20240101` or `36526`.
    Bare(u32, u8),
    /// A named month with day and year.
    Named {
        year: u16,
        month: u8,
        day: u16,
    },
    /// Two parts of three: `05/2023`, `Oct-14`.
    Incomplete,
    /// A duration.
    Span,
    Other,
}

/// The shape of a trimmed text without a time.
pub(super) fn shape(text: &str) -> DateShape {
    let bytes = text.as_bytes();
    if let Some(triple) = plain_triple(bytes) {
        return DateShape::Triple(triple);
    }
    if let Some(bare) = bare_digits(bytes) {
        return bare;
    }
    DateParts::of(text).shape()
}

/// Eight digits at most.
fn bare_digits(bytes: &[u8]) -> Option<DateShape> {
    let is_bare = (1..=8).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_digit);
    let value =
        bytes.iter().fold(0u32, |value, byte| value.wrapping_mul(10).wrapping_add(u32::from(byte.wrapping_sub(b'0'))));
    is_bare.then_some(DateShape::Bare(value, bytes.len() as u8))
}

/// The fast path for most dates that are not ISO: three short numbers with ASCII separators.
#[inline]
pub(super) fn plain_triple(bytes: &[u8]) -> Option<Triple> {
    let (first, rest) = leading_digits(bytes)?;
    let (before, rest) = plain_separator(rest)?;
    let (second, rest) = leading_digits(rest)?;
    let (after, rest) = plain_separator(rest)?;
    let (third, rest) = leading_digits(rest)?;
    rest.is_empty().then_some(Triple { parts: [first, second, third], separators: [before, after] })
}

/// One to four digits, and what follows them.
#[inline]
fn leading_digits(bytes: &[u8]) -> Option<(Digits, &[u8])> {
    let mut value = 0;
    let mut width = 0;
    while let Some(digit) = bytes.get(width).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit <= 9) {
        if width == 4 {
            return None;
        }
        value = value * 10 + u16::from(digit);
        width += 1;
    }
    (width > 0).then(|| (Digits { value, width: width as u8 }, &bytes[width..]))
}

#[inline]
fn plain_separator(bytes: &[u8]) -> Option<(char, &[u8])> {
    match bytes {
        [separator @ (b'-' | b'/' | b'.' | b'\\' | b' '), rest @ ..] => Some((char::from(*separator), rest)),
        _ => None,
    }
}

/// Whether the character may separate the numbers of a date; white space counts as a blank.
fn is_separator(char: char) -> bool {
    matches!(char, '-' | '/' | '.' | '\\' | ' ' | '–' | '‐' | '‑' | '−' | '年' | '月')
}

/// The numbers and words of a text.
#[derive(Default)]
struct DateParts {
    numbers: [Digits; 3],
    count: usize,
    separators: [char; 2],
    /// A month name, with the count of numbers before it.
    month: Option<(u8, usize)>,
    /// A word that is both a month and a weekday; the last one counts, because the weekday comes first.
    weekday_or_month: Option<(u8, usize)>,
    invalid_part: InvalidPart,
}

/// The worst part of a text that no date contains.
#[derive(Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum InvalidPart {
    #[default]
    None,
    Stray,
    Span,
}

impl DateParts {
    fn of(text: &str) -> Self {
        let mut parts = Self::default();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let kind = TextRun::of(first);
            let end = rest.find(|char| TextRun::of(char) != kind).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            rest = after;
            match kind {
                TextRun::Digits => parts.number(run),
                TextRun::Letters => parts.word(run),
                TextRun::Marks if run.len() == text.len() - after.len() => parts.gap(run, GapPosition::Start),
                TextRun::Marks if after.is_empty() => parts.gap(run, GapPosition::End),
                TextRun::Marks => parts.gap(run, GapPosition::Inside),
            }
        }
        parts
    }

    fn number(&mut self, run: &str) {
        let number = self.numbers.get_mut(self.count);
        match (number, run.parse()) {
            (Some(number), Ok(value)) if run.len() <= 4 => {
                *number = Digits { value, width: run.len() as u8 };
                self.count += 1;
            }
            _ => self.mark_invalid(InvalidPart::Stray),
        }
    }

    fn word(&mut self, run: &str) {
        match words::meaning(run) {
            Word::Month(_) if self.month.is_some() => self.mark_invalid(InvalidPart::Stray),
            Word::Month(month) => self.month = Some((month, self.count)),
            Word::MonthOrWeekday(month) => self.weekday_or_month = Some((month, self.count)),
            Word::Filler => {}
            Word::Span => self.mark_invalid(InvalidPart::Span),
            Word::Unknown => self.mark_invalid(InvalidPart::Stray),
        }
    }

    /// Handles the text before, between and after numbers and words.
    fn gap(&mut self, run: &str, place: GapPosition) {
        let mut marks = run.chars().filter(|char| !char.is_whitespace());
        let mark = marks.next().unwrap_or(' ');
        let has_more = marks.any(|char| !is_punctuation(char));
        let fits = match place {
            _ if mark == ' ' || is_punctuation(mark) => true,
            GapPosition::Start => false,
            GapPosition::Inside => is_separator(mark),
            GapPosition::End => mark == '日',
        };
        if !fits || has_more {
            self.mark_invalid(InvalidPart::Stray);
        }
        if let Some(separator) = self.count.checked_sub(1).and_then(|at| self.separators.get_mut(at)) {
            *separator = mark;
        }
    }

    fn mark_invalid(&mut self, invalid_part: InvalidPart) {
        self.invalid_part = self.invalid_part.max(invalid_part);
    }

    fn shape(&self) -> DateShape {
        match self.invalid_part {
            InvalidPart::None => {}
            InvalidPart::Stray => return DateShape::Other,
            InvalidPart::Span => return DateShape::Span,
        }
        match (self.count, self.month.or(self.weekday_or_month)) {
            (3, _) if self.month.is_none() && self.separators.into_iter().all(is_separator) => {
                DateShape::Triple(Triple { parts: self.numbers, separators: self.separators })
            }
            (2, Some((month, before))) => self.named(month, before),
            (2, None) if is_separator(self.separators[0]) => DateShape::Incomplete,
            (0 | 1, Some(_)) => DateShape::Incomplete,
            _ => DateShape::Other,
        }
    }

    /// `5 March 2024`, `March 5, 2024`, `2024 March 5`, depending on where the month is.
    fn named(&self, month: u8, before: usize) -> DateShape {
        let [first, second, _] = self.numbers;
        let year_is_first = before == 1 && (first.width > 2 || first.value > 31);
        let (day, year) = if year_is_first { (second, first) } else { (first, second) };
        match year.year() {
            Some(year) if before < 2 && day.width <= 2 => DateShape::Named { year, month, day: day.value },
            _ => DateShape::Incomplete,
        }
    }
}

/// Where a gap in the text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GapPosition {
    Start,
    Inside,
    End,
}

/// What a segment of text consists of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TextRun {
    Digits,
    Letters,
    Marks,
}

impl TextRun {
    fn of(char: char) -> Self {
        match char {
            '0'..='9' => Self::Digits,
            // The characters for year, month and day separate numbers.
            '年' | '月' | '日' => Self::Marks,
            _ if char.is_alphabetic() || is_combining_mark(char) => Self::Letters,
            _ => Self::Marks,
        }
    }
}

/// Punctuation next to words and before short years: `Wed., 5 Mar '24`.
fn is_punctuation(char: char) -> bool {
    matches!(char, '.' | ',' | '\'' | '’')
}
