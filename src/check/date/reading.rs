//! The days a written date can mean: its parts, and what each order makes of them.

use jiff::civil::Date;
use unicode_normalization::char::is_combining_mark;

use super::DateOrder;
use super::words::{self, Word};

/// Years a date of an inventory can have. What lies outside is a slip of the keys or a count read as a date.
pub(super) const YEARS: std::ops::RangeInclusive<u16> = 1900..=2200;

/// Two-digit years from here on belong to the 1900s, those below to the 2000s (the rule of POSIX `strptime`).
const PIVOT: u16 = 69;

/// Why three numbers are not a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DayFault {
    Year,
    Month,
    /// That month has not so many days.
    Day {
        year: u16,
        month: u16,
    },
}

/// The day of the calendar.
#[inline]
pub(super) fn day_of(year: u16, month: u16, day: u16) -> Result<Date, DayFault> {
    if !YEARS.contains(&year) {
        return Err(DayFault::Year);
    }
    if !(1..=12).contains(&month) {
        return Err(DayFault::Month);
    }
    // Most days are in every month, which saves looking at the year.
    if day == 0 || (day > 28 && day > days_in(year, month)) {
        return Err(DayFault::Day { year, month });
    }
    Date::new(year as i16, month as i8, day as i8).map_err(|_| DayFault::Month)
}

/// How many days a month has, from 1 for January.
pub(super) fn days_in(year: u16, month: u16) -> u16 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A run of digits: its value and how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::check) struct Digits {
    pub(in crate::check) value: u16,
    pub(in crate::check) width: u8,
}

impl Digits {
    /// As a year: four digits, or two and the pivot.
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
    /// Whether the year stands first and has four digits: then month and day follow in that order everywhere.
    pub(in crate::check) fn is_year_first(&self) -> bool {
        self.parts[0].width == 4
    }

    /// Whether both separators are dots: where people write dots, the day comes first.
    pub(in crate::check) fn is_dotted(&self) -> bool {
        self.separators == ['.', '.']
    }

    /// What `order` makes of it; none where the parts don't have the shape.
    pub(super) fn read(&self, order: DateOrder) -> Option<Result<Date, DayFault>> {
        let [first, second, third] = self.parts;
        let (year, month, day) = match order {
            DateOrder::DayMonthYear => (third, second, first),
            DateOrder::MonthDayYear => (third, first, second),
            DateOrder::YearMonthDay => (first, second, third),
        };
        // `4/5/16` can't begin with a year: people who write the year first and short write all parts with two digits.
        let is_padded = order != DateOrder::YearMonthDay || year.width == 4 || (month.width == 2 && day.width == 2);
        if !is_padded || month.width > 2 || day.width > 2 {
            return None;
        }
        year.year().map(|year| day_of(year, month.value, day.value))
    }

    /// Every order that makes it a day of the calendar, with that day.
    pub(in crate::check) fn days(&self) -> Days {
        Days(DateOrder::ALL.map(|order| self.read(order).and_then(Result::ok)))
    }
}

/// The day under each order, in the order of [`DateOrder::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::check) struct Days(pub(in crate::check) [Option<Date>; 3]);

impl Days {
    /// The days that are possible, each once.
    pub(in crate::check) fn distinct(self) -> impl Iterator<Item = Date> {
        let Self(days) = self;
        days.into_iter().enumerate().filter_map(move |(at, day)| day.filter(|_| !days[..at].contains(&day)))
    }

    /// The day, where all possible orders agree on it.
    pub(in crate::check) fn only(self) -> Option<Date> {
        let mut days = self.distinct();
        days.next().filter(|_| days.next().is_none())
    }
}

/// What a text looks like, read as a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::check) enum Shape {
    Triple(Triple),
    /// Digits without separators, such as `20240101` or `36526`.
    Bare(u32, u8),
    /// A month in words: its day and year.
    Named {
        year: u16,
        month: u8,
        day: u16,
    },
    /// Two parts of three: `05/2023`, `Oct-14`.
    Incomplete,
    /// A length of time.
    Span,
    Other,
}

/// The shape of a trimmed text whose time part, if any, is cut off.
pub(super) fn shape(text: &str) -> Shape {
    let bytes = text.as_bytes();
    if let Some(triple) = plain_triple(bytes) {
        return Shape::Triple(triple);
    }
    if let Some(bare) = bare_digits(bytes) {
        return bare;
    }
    Parts::of(text).shape()
}

/// Eight digits at most.
fn bare_digits(bytes: &[u8]) -> Option<Shape> {
    let is_bare = (1..=8).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_digit);
    let value =
        bytes.iter().fold(0u32, |value, byte| value.wrapping_mul(10).wrapping_add(u32::from(byte.wrapping_sub(b'0'))));
    is_bare.then_some(Shape::Bare(value, bytes.len() as u8))
}

/// Three short numbers with one ASCII separator each and nothing around them: the shape of nearly all that is not ISO.
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

/// What stands between the numbers of a date; a blank is what is left of white space alone.
fn is_separator(char: char) -> bool {
    matches!(char, '-' | '/' | '.' | '\\' | ' ' | '–' | '‐' | '‑' | '−' | '年' | '月')
}

/// The numbers and words of a text.
#[derive(Default)]
struct Parts {
    numbers: [Digits; 3],
    count: usize,
    separators: [char; 2],
    /// A word that is only a month, with the count of numbers before it.
    month: Option<(u8, usize)>,
    /// A word that is a month or a day of the week; the last one counts, because the weekday stands first.
    weekday_or_month: Option<(u8, usize)>,
    oddity: Oddity,
}

/// What a text holds that no date does, the worst of it.
#[derive(Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Oddity {
    #[default]
    None,
    Stray,
    Span,
}

impl Parts {
    fn of(text: &str) -> Self {
        let mut parts = Self::default();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let kind = Run::of(first);
            let end = rest.find(|char| Run::of(char) != kind).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            rest = after;
            match kind {
                Run::Digits => parts.number(run),
                Run::Letters => parts.word(run),
                Run::Marks if run.len() == text.len() - after.len() => parts.gap(run, Place::Start),
                Run::Marks if after.is_empty() => parts.gap(run, Place::End),
                Run::Marks => parts.gap(run, Place::Inside),
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
            _ => self.is_odd(Oddity::Stray),
        }
    }

    fn word(&mut self, run: &str) {
        match words::meaning(run) {
            Word::Month(_) if self.month.is_some() => self.is_odd(Oddity::Stray),
            Word::Month(month) => self.month = Some((month, self.count)),
            Word::MonthOrWeekday(month) => self.weekday_or_month = Some((month, self.count)),
            Word::Filler => {}
            Word::Span => self.is_odd(Oddity::Span),
            Word::Unknown => self.is_odd(Oddity::Stray),
        }
    }

    /// What stands before, between and after numbers and words.
    fn gap(&mut self, run: &str, place: Place) {
        let mut marks = run.chars().filter(|char| !char.is_whitespace());
        let mark = marks.next().unwrap_or(' ');
        let has_more = marks.any(|char| !is_punctuation(char));
        let fits = match place {
            _ if mark == ' ' || is_punctuation(mark) => true,
            Place::Start => false,
            Place::Inside => is_separator(mark),
            Place::End => mark == '日',
        };
        if !fits || has_more {
            self.is_odd(Oddity::Stray);
        }
        if let Some(separator) = self.count.checked_sub(1).and_then(|at| self.separators.get_mut(at)) {
            *separator = mark;
        }
    }

    fn is_odd(&mut self, oddity: Oddity) {
        self.oddity = self.oddity.max(oddity);
    }

    fn shape(&self) -> Shape {
        match self.oddity {
            Oddity::None => {}
            Oddity::Stray => return Shape::Other,
            Oddity::Span => return Shape::Span,
        }
        match (self.count, self.month.or(self.weekday_or_month)) {
            (3, _) if self.month.is_none() && self.separators.into_iter().all(is_separator) => {
                Shape::Triple(Triple { parts: self.numbers, separators: self.separators })
            }
            (2, Some((month, before))) => self.named(month, before),
            (2, None) if is_separator(self.separators[0]) => Shape::Incomplete,
            (0 | 1, Some(_)) => Shape::Incomplete,
            _ => Shape::Other,
        }
    }

    /// `5 March 2024`, `March 5, 2024`, `2024 March 5`, by where the month stands.
    fn named(&self, month: u8, before: usize) -> Shape {
        let [first, second, _] = self.numbers;
        let year_is_first = before == 1 && (first.width > 2 || first.value > 31);
        let (day, year) = if year_is_first { (second, first) } else { (first, second) };
        match year.year() {
            Some(year) if before < 2 && day.width <= 2 => Shape::Named { year, month, day: day.value },
            _ => Shape::Incomplete,
        }
    }
}

/// Where in the text a gap is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Inside,
    End,
}

/// What a stretch of text is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Run {
    Digits,
    Letters,
    Marks,
}

impl Run {
    fn of(char: char) -> Self {
        match char {
            '0'..='9' => Self::Digits,
            // The signs for year, month and day separate numbers.
            '年' | '月' | '日' => Self::Marks,
            _ if char.is_alphabetic() || is_combining_mark(char) => Self::Letters,
            _ => Self::Marks,
        }
    }
}

/// Marks that stand beside words and before short years: `Wed., 5 Mar '24`.
fn is_punctuation(char: char) -> bool {
    matches!(char, '.' | ',' | '\'' | '’')
}
