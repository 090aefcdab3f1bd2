//! Numbers as the user sees them: number formats, dates, and the General format.
//!
//! In a workbook the meaning may be in the format alone: 6083 shown as `06083`, 0.5 shown as `EUR 0.50` or `50%`, 45322
//! shown as a date. ssfmt knows the format codes; dates are written as ISO 8601 whatever their format, since the day
//! is in the value and `01/02/24` would lose it.

use std::sync::Arc;

use hashbrown::HashMap;
use ssfmt::FormatOptions;
use ssfmt::ast::{DatePart, FormatPart};

use super::format_code::FormatCode;
use super::general_format::general;
use super::limits::{LONGEST_FORMAT, check_styles};
use super::plain_format::PlainFormat;
use super::serial_date::{DateSystem, push_date, push_elapsed, push_time};
use crate::table::cell::{Row, Value};
use crate::table::error::ReadFault;

/// What a format code makes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FormatKind {
    General,
    Number,
    Date,
    /// A time of day.
    Time,
    /// Hours, minutes or seconds that may exceed a day.
    Elapsed,
}

/// A number format of the workbook.
struct CodeFormat {
    kind: FormatKind,
    format: Option<FormatCode>,
    plain: Option<PlainFormat>,
}

/// The number formats of a workbook, by style id.
pub(super) struct NumberFormats {
    system: DateSystem,
    options: FormatOptions,
    /// For each style its format, from 1; 0 is General.
    styles: Vec<u16>,
    pub(super) codes: Arc<[String]>,
    /// For each code, once a cell has needed it.
    formats: Vec<Option<CodeFormat>>,
    scratch: String,
}

impl NumberFormats {
    /// Takes the formats; `codes` are those of the styles in their order.
    ///
    /// # Errors
    ///
    /// [`ReadFault::TooLarge`] where there are more styles or formats than a workbook can have.
    pub(super) fn new<'a>(
        codes: impl Iterator<Item = &'a str>,
        system: DateSystem,
    ) -> Result<NumberFormats, ReadFault> {
        let mut known: HashMap<&str, u16> = HashMap::new();
        let (mut styles, mut distinct) = (Vec::new(), Vec::new());
        for code in codes {
            let style = if is_general(code) { 0 } else { *known.entry(code).or_insert(distinct.len() as u16 + 1) };
            if usize::from(style) > distinct.len() {
                distinct.push(code.to_owned());
            }
            styles.push(style);
            check_styles(styles.len(), distinct.len())?;
        }
        let date_system = match system {
            DateSystem::From1900 => ssfmt::DateSystem::Date1900,
            DateSystem::From1904 => ssfmt::DateSystem::Date1904,
        };
        let options = FormatOptions { date_system, ..FormatOptions::default() };
        let formats = distinct.iter().map(|_| None).collect();
        Ok(NumberFormats { system, options, styles, codes: distinct.into(), formats, scratch: String::new() })
    }

    /// The number of a style's format, from 1; 0 is General.
    pub(super) fn format_of(&self, style: usize) -> u16 {
        self.styles.get(style).copied().unwrap_or(0)
    }

    /// Appends a number to the row, as its style shows it.
    pub(super) fn push(&mut self, row: &mut Row, number: f64, style: usize) {
        self.scratch.clear();
        let code = self.format_of(style);
        let format = usize::from(code).checked_sub(1).and_then(|index| {
            let prepared = self.formats.get_mut(index)?;
            Some(&*prepared.get_or_insert_with(|| CodeFormat::new(&self.codes[index])))
        });
        let value = match format.map_or(FormatKind::General, |format| format.kind) {
            FormatKind::Elapsed => push_elapsed(&mut self.scratch, number),
            FormatKind::Date => push_date(&mut self.scratch, number, self.system),
            FormatKind::Time => push_time(&mut self.scratch, number, self.system),
            FormatKind::Number
                if format
                    .and_then(|format| format.plain)
                    .is_some_and(|plain| plain.push(&mut self.scratch, number)) =>
            {
                Value::Number(number)
            }
            FormatKind::Number => {
                let shown = format.and_then(|format| format.format.as_ref()?.shown(number, &self.options));
                match shown.as_deref().map(str::trim) {
                    // Such as `;;;`, which hides the number: better shown than lost.
                    None | Some("") => general(&mut self.scratch, number),
                    Some(shown) => self.scratch.push_str(shown),
                }
                Value::Number(number)
            }
            FormatKind::General => {
                general(&mut self.scratch, number);
                Value::Number(number)
            }
        };
        row.push_formatted(&self.scratch, value, code);
    }
}

/// The cell styles of a workbook, by the ids of their number formats.
#[derive(Debug, Default)]
pub(super) struct StyleTable {
    /// For each style, the id of its format.
    ids: Vec<u32>,
    /// Codes by their ids.
    codes: HashMap<u32, String>,
}

impl StyleTable {
    /// Adds the next style.
    pub(super) fn add_style(&mut self, format: u32) -> Result<(), ReadFault> {
        self.ids.push(format);
        check_styles(self.ids.len(), self.codes.len())
    }

    /// Adds a format of the workbook's own, unless it is longer than any that a spreadsheet program takes.
    pub(super) fn add_code(&mut self, id: u32, code: String) -> Result<(), ReadFault> {
        if code.chars().nth(LONGEST_FORMAT).is_none() {
            self.codes.insert(id, code);
        }
        check_styles(self.ids.len(), self.codes.len())
    }

    /// The code of each style.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        let code = |id: &u32| self.codes.get(id).map(String::as_str).or_else(|| builtin_code(*id)).unwrap_or_default();
        self.ids.iter().map(code)
    }
}

/// Whether a code says nothing, or more than a spreadsheet program would let anyone type.
fn is_general(code: &str) -> bool {
    code.is_empty() || code == "@" || code.eq_ignore_ascii_case("general") || code.chars().nth(LONGEST_FORMAT).is_some()
}

/// The code of a format that every workbook has.
fn builtin_code(id: u32) -> Option<&'static str> {
    match id {
        14 => Some("mm-dd-yy"),
        // Dates of East Asia, which look different in each country.
        27..=36 | 50..=58 => Some("yyyy-mm-dd"),
        41 => Some("_(* #,##0_);_(* (#,##0);_(* \"-\"_);_(@_)"),
        42 => Some("_($* #,##0_);_($* (#,##0);_($* \"-\"_);_(@_)"),
        43 => Some("_(* #,##0.00_);_(* (#,##0.00);_(* \"-\"??_);_(@_)"),
        44 => Some("_($* #,##0.00_);_($* (#,##0.00);_($* \"-\"??_);_(@_)"),
        id => ssfmt::format_code_from_id(id),
    }
}

impl CodeFormat {
    fn new(code: &str) -> CodeFormat {
        match FormatCode::parse(code) {
            Ok(format) => CodeFormat { kind: kind(&format), format: Some(format), plain: PlainFormat::parse(code) },
            Err(_) if has_date_letters(code) => CodeFormat { kind: FormatKind::Date, format: None, plain: None },
            Err(_) => CodeFormat { kind: FormatKind::General, format: None, plain: None },
        }
    }
}

/// Whether a code that cannot be parsed is that of a date: it has the letters of one outside of quotes and brackets.
fn has_date_letters(code: &str) -> bool {
    let (mut is_literal, mut is_quoted, mut is_bracketed) = (false, false, false);
    for letter in code.split(';').next().unwrap_or_default().chars() {
        match letter {
            _ if is_literal => is_literal = false,
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '\\' | '_' | '*' => is_literal = true,
            '[' => is_bracketed = true,
            ']' => is_bracketed = false,
            'd' | 'm' | 'h' | 'y' | 's' | 'D' | 'M' | 'H' | 'Y' | 'S' if !is_bracketed => return true,
            _ => {}
        }
    }
    false
}

/// What the section for positive numbers says.
fn kind(format: &FormatCode) -> FormatKind {
    let Some(section) = format.sections().first() else { return FormatKind::General };
    let is_day = |part: &FormatPart| match part {
        FormatPart::DatePart(part) => !is_time_of_day(*part),
        _ => false,
    };
    if section.parts.iter().any(|part| matches!(part, FormatPart::Elapsed(_))) {
        FormatKind::Elapsed
    } else if section.parts.iter().any(is_day) {
        FormatKind::Date
    } else if section.has_date_parts() {
        FormatKind::Time
    } else {
        FormatKind::Number
    }
}

fn is_time_of_day(part: DatePart) -> bool {
    use DatePart::{Hour, Hour2, Minute, Minute2, Second, Second2, SubSecond};
    matches!(part, Hour | Hour2 | Minute | Minute2 | Second | Second2 | SubSecond(_))
}

#[cfg(test)]
mod tests;
