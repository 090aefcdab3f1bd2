//! Format codes as ssfmt reads them right.
//!
//! ssfmt takes every slash among digits for that of a fraction, though it may be quoted, forgets the number where General
//! stands behind a text, and cuts whole numbers off that a comma divides by a thousand, where spreadsheet programs round. So
//! quoted slashes and General are replaced before it parses a code, and put back into what it makes of a number.

use ssfmt::ast::{FormatPart, Section};
use ssfmt::{FormatOptions, NumberFormat};

use super::damage::guarded;
use super::general_format::general;
use crate::table::error::ReadFault;

/// Stands for a slash that is text and not a fraction bar. No text can have this character.
const SLASH: char = '\u{FFFE}';
/// The number in the General format.
const GENERAL: char = '\u{FFFF}';

/// A parsed format code.
pub(super) struct FormatCode(NumberFormat);

impl FormatCode {
    pub(super) fn parse(code: &str) -> Result<FormatCode, ReadFault> {
        // ssfmt slices codes at brackets without looking for letters of several bytes, hence the guard.
        let unknown = |_| ReadFault::damaged("a number format that no program knows");
        guarded(|| NumberFormat::parse(&prepared(code)).map(FormatCode).map_err(unknown))
    }

    pub(super) fn sections(&self) -> &[Section] {
        self.0.sections()
    }

    /// What a cell with the number shows.
    pub(super) fn shown(&self, number: f64, options: &FormatOptions) -> Option<String> {
        let section = self.section_for(number)?;
        let shown = if is_in_thousands(section) && number.fract() == 0.0 {
            self.in_thousands(section, number, options)?
        } else {
            self.0.try_format(number, options).ok()?
        };
        let shown = shown.replace(SLASH, "/");
        if !shown.contains(GENERAL) {
            return Some(shown);
        }
        let is_signed = section.condition.is_none() && (self.sections().len() == 1 || self.has_conditions());
        let mut text = String::new();
        general(&mut text, number.abs());
        let sign = if number < 0.0 && is_signed { "-" } else { "" };
        Some(format!("{sign}{}", shown.replace(GENERAL, &text)))
    }

    fn has_conditions(&self) -> bool {
        self.sections().iter().any(|section| section.condition.is_some())
    }

    /// The section that ssfmt takes for a number.
    fn section_for(&self, number: f64) -> Option<&Section> {
        let sections = self.sections();
        if self.has_conditions() {
            let is_met = |section: &&Section| section.condition.is_none_or(|condition| condition.evaluate(number));
            return sections.iter().find(is_met).or_else(|| sections.last());
        }
        match sections {
            [first, ..] if number > 0.0 || sections.len() == 1 => Some(first),
            [_, negative, ..] if number < 0.0 => Some(negative),
            [_, _, zero, ..] if !zero.has_text_placeholder() => Some(zero),
            _ => sections.first(),
        }
    }

    /// What a section shows that divides a whole number by thousands.
    fn in_thousands(&self, section: &Section, number: f64, options: &FormatOptions) -> Option<String> {
        let alone = NumberFormat::from_sections(vec![Section { condition: None, ..section.clone() }]);
        // One section of several says itself how a negative number looks.
        let number = if self.sections().len() > 1 { number.abs() } else { number };
        // A quarter more than a whole number is no whole number to ssfmt, and rounds to the same thousands.
        alone.try_format(number + 0.25_f64.copysign(number), options).ok()
    }
}

/// Whether a section divides by thousands and shows no decimals.
fn is_in_thousands(section: &Section) -> bool {
    let is_digit = |part: &&FormatPart| matches!(part, FormatPart::Digit(_) | FormatPart::DecimalPoint);
    let is_comma = |part: &FormatPart| matches!(part, FormatPart::ThousandsSeparator);
    let has_decimals = section.parts.iter().any(|part| matches!(part, FormatPart::DecimalPoint));
    !has_decimals && section.parts.iter().rev().take_while(|part| !is_digit(part)).any(is_comma)
}

/// The code with [`SLASH`] for every quoted slash and a quoted [`GENERAL`] for General.
fn prepared(code: &str) -> String {
    const KEYWORD: &str = "general";
    let mut prepared = String::with_capacity(code.len());
    let (mut is_quoted, mut is_bracketed) = (false, false);
    let mut rest = code;
    while let Some(char) = rest.chars().next() {
        let is_bare = !is_quoted && !is_bracketed;
        if is_bare && rest.get(..KEYWORD.len()).is_some_and(|word| word.eq_ignore_ascii_case(KEYWORD)) {
            prepared.extend(['"', GENERAL, '"']);
            rest = &rest[KEYWORD.len()..];
            continue;
        }
        rest = &rest[char.len_utf8()..];
        match char {
            '/' if is_quoted => prepared.push(SLASH),
            '\\' if is_bare && rest.starts_with('/') => {
                prepared.extend(['"', SLASH, '"']);
                rest = &rest[1..];
            }
            // What comes behind these means itself, whatever it is.
            '\\' | '_' | '*' if is_bare => {
                prepared.push(char);
                let next = rest.chars().next();
                prepared.extend(next);
                rest = &rest[next.map_or(0, char::len_utf8)..];
            }
            _ => {
                match char {
                    '"' if !is_bracketed => is_quoted = !is_quoted,
                    '[' if !is_quoted => is_bracketed = true,
                    ']' if !is_quoted => is_bracketed = false,
                    _ => {}
                }
                prepared.push(char);
            }
        }
    }
    prepared
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn shown(number: f64, code: &str) -> String {
        FormatCode::parse(code).unwrap().shown(number, &FormatOptions::default()).unwrap()
    }

    #[test]
    fn a_quoted_slash_is_none_of_a_fraction() {
        assert_eq!(shown(2_024_015.0, "0000\\/000"), "2024/015");
        assert_eq!(shown(2_024_016.0, "0000\"/\"000"), "2024/016");
        assert_eq!(shown(240_018.0, "\"A/\"00\\/0000"), "A/24/0018");
        assert_eq!(shown(15.9375, "# ??/??"), "15 15/16");
    }

    #[test]
    fn a_text_before_or_behind_general_keeps_the_number() {
        assert_eq!(shown(7003.0, "\"SN\"General"), "SN7003");
        assert_eq!(shown(123_456_789_012.0, "\"PO-\"general"), "PO-123456789012");
        assert_eq!(shown(0.1 + 0.2, "General\" pcs\""), "0.3 pcs");
        assert_eq!(shown(-5.0, "\"SN\"General"), "-SN5");
        assert_eq!(shown(-5.0, "General;-General"), "-5");
        assert_eq!(shown(-5.0, "General;(General)"), "(5)");
        assert_eq!(shown(-5.0, "[Red]General"), "-5");
        assert_eq!(shown(5.0, "[>3]General\" big\";General"), "5 big");
        assert_eq!(shown(5.0, "[$EUR] General"), "EUR 5");
        assert_eq!(shown(5.0, "\"General \"0"), "General 5");
    }

    #[test]
    fn thousands_are_rounded() {
        assert_eq!(shown(1_999_999.0, "0,,\"M\""), "2M");
        assert_eq!(shown(1_499_999.0, "0,,\"M\""), "1M");
        assert_eq!(shown(1_500.0, "0,"), "2");
        assert_eq!(shown(-1_500.0, "0,"), "-2");
        assert_eq!(shown(999_500.0, "#,##0,"), "1,000");
        assert_eq!(shown(999_499.0, "#,##0,\" k\";-0"), "999 k");
        assert_eq!(shown(1_250_000.0, "0.0,,\"M\""), "1.3M");
        let several = "[<=999]0.00;[<=999999]0,\"K\";0,,\"M\"";
        assert_eq!(
            ["5.00", "999.00", "2K", "1000K"],
            [5.0, 999.0, 1_500.0, 999_999.0].map(|number| shown(number, several))
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(code in "[Gg]?(eneral|[\\[\\]$0#?.,;/\"\\\\ _*é]){0,8}", number: f64) {
            let _ = FormatCode::parse(&code).map(|code| code.shown(number, &FormatOptions::default()));
        }
    }
}
