//! Numbers as the user sees them: number formats, dates, and the General format.
//!
//! In a workbook the meaning may be in the format alone: 6083 shown as `06083`, 0.5 shown as `EUR 0.50` or `50%`, 45322
//! shown as a date. ssfmt knows the format codes; dates are written as ISO 8601 whatever their format, since the day
//! is in the value and `01/02/24` would lose it.

use std::sync::Arc;

use ssfmt::ast::{DatePart, FormatPart};
use ssfmt::{FormatOptions, NumberFormat};

use super::damage::guarded;
use super::general_format::general;
use super::plain_format::PlainFormat;
use super::serial_date::{DateSystem, push_date, push_elapsed, push_time};
use crate::table::cell::{Row, Value};
use crate::table::error::ReadFault;

/// Whether the reader of the file already knows a number for a date or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KnownKind {
    Number,
    Date,
    Elapsed,
}

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

/// One style of the workbook, prepared once.
struct CellStyle {
    kind: FormatKind,
    /// Into the codes, from 1; 0 is General.
    code: u16,
    format: Option<NumberFormat>,
    plain: Option<PlainFormat>,
}

/// The number formats of a workbook, by style id.
pub(super) struct NumberFormats {
    system: DateSystem,
    options: FormatOptions,
    styles: Vec<CellStyle>,
    pub(super) codes: Arc<[String]>,
    scratch: String,
}

impl NumberFormats {
    /// Prepares the formats; `codes` are those of the styles in their order.
    pub(super) fn new<'a>(codes: impl Iterator<Item = &'a str>, system: DateSystem) -> NumberFormats {
        let mut known: Vec<String> = Vec::new();
        let styles = codes.map(|code| prepare(code, &mut known)).collect();
        let date_system = match system {
            DateSystem::From1900 => ssfmt::DateSystem::Date1900,
            DateSystem::From1904 => ssfmt::DateSystem::Date1904,
        };
        let options = FormatOptions { date_system, ..FormatOptions::default() };
        NumberFormats { system, options, styles, codes: known.into(), scratch: String::new() }
    }

    /// Appends a number to the row, as its style shows it.
    pub(super) fn push(&mut self, row: &mut Row, number: f64, style: usize, known: KnownKind) {
        self.scratch.clear();
        let style = self.styles.get(style);
        let code = style.map_or(0, |style| style.code);
        let value = match (style.map_or(FormatKind::General, |style| style.kind), known) {
            (FormatKind::Elapsed, _) | (_, KnownKind::Elapsed) => push_elapsed(&mut self.scratch, number),
            (FormatKind::Date, _) | (FormatKind::General | FormatKind::Number, KnownKind::Date) => {
                push_date(&mut self.scratch, number, self.system)
            }
            (FormatKind::Time, _) => push_time(&mut self.scratch, number, self.system),
            (FormatKind::Number, _)
                if style.and_then(|style| style.plain).is_some_and(|plain| plain.push(&mut self.scratch, number)) =>
            {
                Value::Number(number)
            }
            (FormatKind::Number, _) => {
                let shown = style.and_then(|style| style.format.as_ref()?.try_format(number, &self.options).ok());
                match shown.as_deref().map(str::trim) {
                    // Such as `;;;`, which hides the number: better shown than lost.
                    None | Some("") => general(&mut self.scratch, number),
                    Some(shown) => self.scratch.push_str(shown),
                }
                Value::Number(number)
            }
            (FormatKind::General, _) => {
                general(&mut self.scratch, number);
                Value::Number(number)
            }
        };
        row.push_formatted(&self.scratch, value, code);
    }
}

fn prepare(code: &str, known: &mut Vec<String>) -> CellStyle {
    let general = CellStyle { kind: FormatKind::General, code: 0, format: None, plain: None };
    if code.is_empty() || code.eq_ignore_ascii_case("general") || code == "@" {
        return general;
    }
    // ssfmt slices codes at brackets without looking for letters of several bytes, hence the guard.
    let parsed =
        guarded(|| NumberFormat::parse(code).map_err(|_| ReadFault::damaged("a number format that no program knows")))
            .ok();
    let index = known.iter().position(|other| other == code).unwrap_or_else(|| {
        known.push(code.to_owned());
        known.len() - 1
    });
    let plain = PlainFormat::parse(code);
    let Ok(code) = u16::try_from(index + 1) else { return general };
    let Some(format) = parsed else { return CellStyle { code, ..general } };
    CellStyle { kind: kind(&format), code, format: Some(format), plain }
}

/// What the section for positive numbers says.
fn kind(format: &NumberFormat) -> FormatKind {
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
