//! The number formats of cells: their styles, the number styles that those name, and the codes that come of it.
//!
//! A cell names its style, or its row or column does. A style that names no number style has that of its parent. Styles
//! that only one file uses are beside its content, all others in a part of their own.

use std::collections::HashMap;

use super::super::limits::{Limits, check_styles};
use super::super::xml_scanner::{TagKind, XmlTag};
use super::number_style::{NumberStyle, StyleCode, in_currency};
use super::survey::LONGEST_NAME;
use crate::table::error::ReadFault;

/// More parents than a style has.
const MOST_PARENTS: usize = 32;

/// The styles of one part.
#[derive(Debug, Default)]
pub(super) struct StyleSheet {
    cells: HashMap<String, CellStyle>,
    numbers: HashMap<String, NumberStyle>,
    /// The number style at hand.
    open: Option<(String, NumberStyle)>,
    /// About how many bytes it takes.
    size: u64,
}

/// A style of cells.
#[derive(Debug, Default)]
struct CellStyle {
    parent: Option<String>,
    number: Option<String>,
}

impl StyleSheet {
    /// Takes in a tag of the part.
    ///
    /// # Errors
    ///
    /// [`ReadFault::Bloated`] where the styles are larger than any honest file has them.
    pub(super) fn observe(&mut self, tag: &XmlTag<'_>, limits: Limits) -> Result<(), ReadFault> {
        if let Some((_, style)) = &mut self.open {
            let is_end = tag.kind == TagKind::Close && tag.name.ends_with(b"-style");
            if !is_end {
                style.observe(tag);
                return Ok(());
            }
            if let Some((name, style)) = self.open.take() {
                self.size += 128 + (name.len() + style.size()) as u64;
                self.numbers.insert(name, style);
            }
        } else if tag.kind != TagKind::Close {
            self.begin(tag);
        }
        if self.size > limits.findings { Err(ReadFault::Bloated) } else { Ok(()) }
    }

    fn begin(&mut self, tag: &XmlTag<'_>) {
        let text = |name| tag.text_attribute(name).filter(|text| text.len() < LONGEST_NAME);
        if let Some(style) = NumberStyle::begin(tag) {
            self.open = text("name").filter(|_| tag.kind == TagKind::Open).map(|name| (name, style));
            return;
        }
        let name = match tag.name {
            b"style" => text("name"),
            // What all styles have that do not say otherwise.
            b"default-style" => Some(String::new()),
            _ => None,
        };
        let Some(name) = name.filter(|_| tag.attribute("family") == Some(b"table-cell")) else { return };
        let style = CellStyle { parent: text("parent-style-name"), number: text("data-style-name") };
        let texts = [&style.parent, &style.number].into_iter().flatten().map(String::len).sum::<usize>();
        self.size += 256 + (name.len() + texts) as u64;
        self.cells.insert(name, style);
    }
}

/// A cell style of the file, by its number.
pub(super) type StyleId = u32;

/// How the numbers of a cell are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellFormat {
    General,
    Boolean,
    /// The number of its code.
    Code(usize),
    /// A code for each currency, the first of which has this number.
    InCurrency {
        first: usize,
        /// Whether the style has a sign of its own, and a code with it behind those of the currencies.
        has_sign: bool,
    },
    /// In a way that has no code.
    Unknown,
}

/// The number formats that cells of a file have.
#[derive(Debug)]
pub(super) struct CellFormats {
    names: HashMap<String, StyleId>,
    formats: Vec<CellFormat>,
    /// The currencies that cells tell: ISO codes, and signs that are shown without one.
    currencies: Vec<String>,
    default: Option<StyleId>,
}

/// The codes that are there before those of the styles, in this order. Behind them is one for each currency.
const FIRST_CODES: [&str; 3] = ["General", "0.00%", "yyyy-mm-dd hh:mm:ss"];

impl CellFormats {
    /// The code of a percentage without a style.
    pub(super) const PERCENTAGE: usize = 1;
    /// The code of a date without a style.
    pub(super) const DATE: usize = 2;

    /// Translates all styles, and returns the codes by their numbers too.
    ///
    /// # Errors
    ///
    /// [`ReadFault::TooLarge`] where there are more styles than a workbook can have.
    pub(super) fn new(
        common: &StyleSheet,
        own: &StyleSheet,
        currencies: Vec<String>,
    ) -> Result<(CellFormats, Vec<String>), ReadFault> {
        let mut codes: Vec<String> = FIRST_CODES.iter().map(|code| (*code).to_owned()).collect();
        codes.extend(currencies.iter().map(|currency| format!("[${currency}] General")));
        let mut names: Vec<&String> = common.cells.keys().chain(own.cells.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let mut formats = Vec::new();
        for name in &names {
            let first = codes.len();
            formats.push(match number_style(name, common, own) {
                None => CellFormat::General,
                Some(StyleCode::None) => CellFormat::Unknown,
                Some(StyleCode::Boolean) => CellFormat::Boolean,
                Some(StyleCode::Code(code)) => {
                    codes.push(code);
                    CellFormat::Code(first)
                }
                Some(StyleCode::InCurrency { code, sign }) => {
                    codes.extend(currencies.iter().map(|told| in_currency(&code, &sign, told)));
                    codes.push(in_currency(&code, &sign, &sign));
                    CellFormat::InCurrency { first, has_sign: !sign.is_empty() }
                }
            });
            check_styles(codes.len(), 0)?;
        }
        let names: HashMap<String, StyleId> = names.into_iter().cloned().zip(0..).collect();
        let default = names.get("Default").or_else(|| names.get("")).copied();
        Ok((CellFormats { names, formats, currencies, default }, codes))
    }

    /// The style of that name; a name that the file does not explain is that of the default style.
    pub(super) fn style(&self, name: &str) -> Option<StyleId> {
        self.names.get(name).copied().or(self.default)
    }

    /// The number of a currency that a cell tells.
    pub(super) fn currency(&self, told: &str) -> Option<usize> {
        self.currencies.iter().position(|known| known == told)
    }

    /// The code for amounts without a style.
    pub(super) fn bare_currency(currency: usize) -> usize {
        FIRST_CODES.len() + currency
    }

    /// How a style, or that of cells without one, shows an amount in a currency.
    pub(super) fn format(&self, style: Option<StyleId>, currency: Option<usize>) -> CellFormat {
        let format = style.or(self.default).and_then(|style| self.formats.get(style as usize));
        match (format.copied().unwrap_or(CellFormat::General), currency) {
            (CellFormat::InCurrency { first, .. }, Some(currency)) => CellFormat::Code(first + currency),
            (CellFormat::InCurrency { first, has_sign: true }, None) => CellFormat::Code(first + self.currencies.len()),
            (CellFormat::InCurrency { .. }, None) => CellFormat::Unknown,
            (format, _) => format,
        }
    }
}

/// The number style of a cell style, or of the nearest of its parents that has one. Parents are common styles, and what a
/// part names is first looked for in that part.
fn number_style(name: &str, common: &StyleSheet, own: &StyleSheet) -> Option<StyleCode> {
    let mut sheets = [own, common];
    let mut name = Some(name);
    for _ in 0..MOST_PARENTS {
        let found = sheets.iter().position(|sheet| name.is_some_and(|name| sheet.cells.contains_key(name)));
        sheets.rotate_left(found?);
        let style = sheets[0].cells.get(name?)?;
        if let Some(number) = &style.number {
            let find = |name: &str| sheets.iter().find_map(|sheet| sheet.numbers.get(name));
            return find(number).map(|style| style.code(find));
        }
        // The default of all styles stands behind those without a parent.
        name = style.parent.as_deref().or_else(|| name.filter(|name| !name.is_empty()).map(|_| ""));
        sheets = [common, own];
    }
    None
}

/// The sign of a currency in what a cell shows, such as `$` of `($1,235)`.
pub(super) fn shown_sign(text: &str) -> Option<&str> {
    let is_amount = |char: char| char.is_ascii_digit() || char.is_whitespace() || "-+−().,'’".contains(char);
    let sign = text.trim_matches(is_amount);
    let is_sign = |char: char| !char.is_ascii_digit() && !matches!(char, '[' | ']' | '-' | '"' | '%');
    Some(sign).filter(|sign| (1..=20).contains(&sign.len()) && sign.chars().all(is_sign))
}
