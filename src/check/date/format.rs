//! Parses and applies `--date-format`.

use std::fmt;

use jiff::civil::Date;

use super::reading::{Digits, InvalidDay, day_of};
use super::words::{self, Word};

/// A date format, such as `DD.MM.YYYY`, `M/D/YY`, `YYYYMMDD`, `D MMM YYYY` or `%d.%m.%Y`.
///
/// - `D`, `DD`, `%d`, `%e`: the day; `M`, `MM`, `%m`: the month; both with or without a leading zero in the cell.
/// - `MMM`, `MMMM`, `%b`, `%B`: the name of the month, long or short, in any known language.
/// - `YYYY`, `%Y`: a four-digit year; `YY`, `%y`: a two-digit year (00 to 68 are 2000 to 2068, 69 to 99 are 1969 to
///   1999) or a four-digit one.
/// - Parts without anything between them have a fixed width.
/// - A time in the format is ignored, as it is in the cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DateFormat {
    pattern: Box<str>,
    parts: [PatternPart; 3],
    /// After each part.
    separators: [Separator; 3],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PatternPart {
    Day,
    Month,
    MonthName,
    ShortYear,
    Year,
}

/// What separates two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Separator {
    /// Nothing: the parts have a fixed width.
    Tight,
    Space,
    /// These characters, with optional white space around them.
    Mark(Box<str>),
}

/// Why a text is not a date format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DateFormatError {
    #[error("the date format `{pattern}` has no {part}")]
    Lacks { pattern: String, part: &'static str },
    #[error("the date format `{pattern}` has the {part} twice")]
    Twice { pattern: String, part: &'static str },
    #[error("the date format `{pattern}` contains `{found}`, which is not recognized")]
    Unknown { pattern: String, found: String },
}

impl fmt::Display for DateFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.pattern)
    }
}

impl DateFormat {
    /// Parses a pattern; letters may be upper or lower case.
    pub(crate) fn parse(pattern: &str) -> Result<Self, DateFormatError> {
        let pattern = pattern.trim();
        let mut parser = PatternParser { pattern, parts: Vec::new(), literal: String::new(), separators: Vec::new() };
        let mut rest = pattern;
        while let Some(char) = rest.chars().next() {
            rest = match char {
                'H' | 'h' => break,
                '%' if rest[1..].starts_with(['H', 'I', 'T', 'R']) => break,
                '%' => parser.directive(&rest[1..])?,
                'D' | 'd' | 'M' | 'm' | 'Y' | 'y' => parser.letters(rest, char)?,
                'T' | 't' => &rest[1..],
                _ if char.is_ascii_alphabetic() => return Err(parser.unknown(char.to_string())),
                _ => parser.literal(rest, char),
            };
        }
        parser.finish()
    }

    /// Parses a trimmed text without a time; `None` if it has another format.
    pub(super) fn read(&self, text: &str) -> Option<Result<Date, InvalidDay>> {
        let (mut year, mut month, mut day) = (None, None, None);
        let mut rest = text;
        for (at, part) in self.parts.iter().enumerate() {
            let is_tight =
                self.separators[at] == Separator::Tight || (at > 0 && self.separators[at - 1] == Separator::Tight);
            let (value, after) = part.take(rest, if is_tight && at < 3 { Width::Fixed } else { Width::Free })?;
            match part {
                PatternPart::Day => day = Some(value),
                PatternPart::Month | PatternPart::MonthName => month = Some(value),
                PatternPart::ShortYear | PatternPart::Year => year = Some(value),
            }
            rest = self.separators[at].skip(after, at == 2)?;
        }
        rest.is_empty().then_some(())?;
        Some(day_of(year?, month?, day?))
    }

    /// Parses a whole number that has lost its leading zero in a spreadsheet program: 2042003 for `DDMMYYYY`.
    pub(super) fn read_digits(&self, number: u32) -> Option<Result<Date, InvalidDay>> {
        let text = number.to_string();
        self.read(&text).or_else(|| self.read(&format!("0{text}")))
    }

    /// `YYYY-DD-MM`, the only format that contradicts ISO dates.
    pub(super) fn is_year_day_month(&self) -> bool {
        matches!(self.parts, [PatternPart::Year | PatternPart::ShortYear, PatternPart::Day, _])
    }
}

/// How many digits a number has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Width {
    /// Always all of them.
    Fixed,
    /// Leading zeros may be missing.
    Free,
}

impl PatternPart {
    fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month | Self::MonthName => "month",
            Self::ShortYear | Self::Year => "year",
        }
    }

    /// Parses the part at the start of `text`; returns its value and the rest.
    fn take(self, text: &str, width: Width) -> Option<(u16, &str)> {
        if self == Self::MonthName {
            return take_month(text);
        }
        let run = text.bytes().take_while(u8::is_ascii_digit).count();
        let count = match (self, width) {
            (Self::Year, _) => 4,
            (_, Width::Fixed) => 2,
            (Self::ShortYear, Width::Free) if run == 4 => 4,
            (Self::ShortYear, Width::Free) => 2,
            (_, Width::Free) => run.min(2),
        };
        let is_whole = width == Width::Fixed || run == count;
        let value = text.get(..count).filter(|_| run >= count && is_whole)?.parse().ok()?;
        let digits = Digits { value, width: count as u8 };
        let value = if matches!(self, Self::Year | Self::ShortYear) { digits.year()? } else { value };
        Some((value, &text[count..]))
    }
}

fn take_month(text: &str) -> Option<(u16, &str)> {
    let end = text
        .find(|char: char| char.is_ascii_digit() || char.is_whitespace() || ".,-/".contains(char))
        .unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    match words::meaning(word) {
        Word::Month(month) | Word::MonthOrWeekday(month) => {
            Some((u16::from(month), rest.strip_prefix('.').unwrap_or(rest)))
        }
        _ => None,
    }
}

impl Separator {
    fn of(literal: &str) -> Self {
        match literal.trim() {
            "" if literal.is_empty() => Self::Tight,
            "" => Self::Space,
            mark => Self::Mark(mark.into()),
        }
    }

    /// The rest after the separator; `None` if it is missing, except after the last part.
    fn skip<'a>(&self, text: &'a str, is_last: bool) -> Option<&'a str> {
        match self {
            Self::Tight => Some(text),
            Self::Space => {
                let rest = text.trim_start();
                (rest.len() < text.len() || is_last).then_some(rest)
            }
            Self::Mark(mark) => {
                let text = text.trim_start();
                match text.strip_prefix(&**mark) {
                    Some(rest) => Some(rest.trim_start()),
                    None => is_last.then_some(text),
                }
            }
        }
    }
}

/// Parser state of a pattern.
struct PatternParser<'a> {
    pattern: &'a str,
    parts: Vec<PatternPart>,
    separators: Vec<Separator>,
    /// Text since the last part.
    literal: String,
}

impl PatternParser<'_> {
    /// `d` of `%d`, or `-d` of `%-d`.
    fn directive<'a>(&mut self, text: &'a str) -> Result<&'a str, DateFormatError> {
        let rest = text.strip_prefix('-').unwrap_or(text);
        let part = match rest.chars().next() {
            Some('d' | 'e') => PatternPart::Day,
            Some('m') => PatternPart::Month,
            Some('b' | 'B' | 'h') => PatternPart::MonthName,
            Some('y') => PatternPart::ShortYear,
            Some('Y') => PatternPart::Year,
            other => return Err(self.unknown(other.map_or(String::from("%"), |char| format!("%{char}")))),
        };
        self.part(part)?;
        Ok(&rest[1..])
    }

    /// A sequence of one letter, such as `YYYY`.
    fn letters<'a>(&mut self, text: &'a str, letter: char) -> Result<&'a str, DateFormatError> {
        let end = text.find(|char: char| !char.eq_ignore_ascii_case(&letter)).unwrap_or(text.len());
        let (run, rest) = text.split_at(end);
        let part = match (letter.to_ascii_uppercase(), run.len()) {
            ('D', 1 | 2) => PatternPart::Day,
            ('M', 1 | 2) => PatternPart::Month,
            ('M', 3 | 4) => PatternPart::MonthName,
            ('Y', 2) => PatternPart::ShortYear,
            ('Y', 4) => PatternPart::Year,
            _ => return Err(self.unknown(String::from(run))),
        };
        self.part(part)?;
        Ok(rest)
    }

    fn literal<'a>(&mut self, text: &'a str, char: char) -> &'a str {
        self.literal.push(char);
        &text[char.len_utf8()..]
    }

    fn part(&mut self, part: PatternPart) -> Result<(), DateFormatError> {
        if self.parts.iter().any(|other| other.name() == part.name()) {
            return Err(DateFormatError::Twice { pattern: self.pattern.into(), part: part.name() });
        }
        if self.parts.is_empty() {
            self.literal.clear();
        } else {
            self.separators.push(Separator::of(&std::mem::take(&mut self.literal)));
        }
        self.parts.push(part);
        Ok(())
    }

    fn unknown(&self, found: String) -> DateFormatError {
        DateFormatError::Unknown { pattern: self.pattern.into(), found }
    }

    fn finish(mut self) -> Result<DateFormat, DateFormatError> {
        for name in ["day", "month", "year"] {
            if !self.parts.iter().any(|part| part.name() == name) {
                return Err(DateFormatError::Lacks { pattern: self.pattern.into(), part: name });
            }
        }
        // Text after the last part belongs to a time, or is a suffix such as `日`.
        self.separators.push(match self.literal.trim() {
            "" => Separator::Space,
            mark => Separator::Mark(mark.into()),
        });
        let (Ok(parts), Ok(separators)) = (self.parts.try_into(), self.separators.try_into()) else {
            return Err(DateFormatError::Unknown { pattern: self.pattern.into(), found: self.literal });
        };
        Ok(DateFormat { pattern: self.pattern.into(), parts, separators })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn read(pattern: &str, text: &str) -> Option<String> {
        let day = DateFormat::parse(pattern).unwrap().read(text)?;
        Some(day.map_or(String::from("no such day"), |day| day.to_string()))
    }

    #[test]
    fn cells_are_read_as_the_format_says() {
        for (pattern, text, day) in [
            ("DD.MM.YYYY", "01.02.2024", "2024-02-01"),
            ("dd.mm.yyyy", "1. 2. 2024", "2024-02-01"),
            ("%d.%m.%Y", "01.02.2024", "2024-02-01"),
            ("%-m/%-d/%y", "1/2/24", "2024-01-02"),
            ("MM/DD/YY", "1/23/23", "2023-01-23"),
            ("MM/DD/YY", "1/23/1999", "1999-01-23"),
            ("DD/MM/YY", "13/09/68", "2068-09-13"),
            ("DD/MM/YY", "13/09/69", "1969-09-13"),
            ("YYYYMMDD", "20150322", "2015-03-22"),
            ("DDMMYYYY", "02042003", "2003-04-02"),
            ("DDMMYY", "020403", "2003-04-02"),
            ("D MMM YYYY", "23 avr. 2003", "2003-04-23"),
            ("D. MMMM YYYY", "23. April 2003", "2003-04-23"),
            ("MMM D, YYYY", "Mar 9, 2011", "2011-03-09"),
            ("YYYY-DD-MM", "2024-31-01", "2024-01-31"),
            ("DD.MM.YYYY HH:mm", "01.02.2024", "2024-02-01"),
            ("YYYY-MM-DDTHH:mm:ss", "2024-02-01", "2024-02-01"),
            ("YYYY年MM月DD日", "2024年1月5日", "2024-01-05"),
            ("DD.MM.YYYY", "31.02.2024", "no such day"),
        ] {
            assert_eq!(read(pattern, text).as_deref(), Some(day), "{pattern} {text}");
        }
    }

    #[test]
    fn cells_written_otherwise_are_not_read() {
        for (pattern, text) in [
            ("DD.MM.YYYY", "01/02/2024"),
            ("DD.MM.YYYY", "01.02.24"),
            ("DD.MM.YYYY", "01.02.2024 or so"),
            ("DD.MM.YYYY", "001.02.2024"),
            ("MM/DD/YY", "1/23/202"),
            ("DDMMYYYY", "2042003"),
            ("D MMM YYYY", "23 foo 2003"),
            ("D M YYYY", "1222003"),
            ("DD.MM.YYYY", ""),
        ] {
            assert_eq!(read(pattern, text), None, "{pattern} {text}");
        }
    }

    #[test]
    fn a_lost_zero_is_put_back() {
        let format = DateFormat::parse("DDMMYYYY").unwrap();
        assert_eq!(format.read_digits(2042003).unwrap().unwrap().to_string(), "2003-04-02");
    }

    #[test]
    fn a_bad_format_says_what_is_wrong() {
        for (pattern, message) in [
            ("DD.MM", "the date format `DD.MM` has no year"),
            ("", "the date format `` has no day"),
            ("DD.DD.YYYY", "the date format `DD.DD.YYYY` has the day twice"),
            ("DD.MM.YYY", "the date format `DD.MM.YYY` contains `YYY`, which is not recognized"),
            ("german", "the date format `german` contains `g`, which is not recognized"),
            ("%d.%m.%Q", "the date format `%d.%m.%Q` contains `%Q`, which is not recognized"),
            ("%", "the date format `%` contains `%`, which is not recognized"),
        ] {
            assert_eq!(DateFormat::parse(pattern).unwrap_err().to_string(), message);
        }
    }
}
