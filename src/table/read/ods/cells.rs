//! The rows of a table of an OpenDocument file.

use super::super::general_format::general;
use super::super::limits::{LONGEST_ROW, MOST_COLUMNS, MOST_ROWS, row_too_long};
use super::super::row_builder::CellContent;
use super::super::serial_date::{DateSystem, shows_day};
use super::super::xml_scanner::{TagKind, XmlTag};
use super::super::xml_text::unescaped;
use super::cell_formats::{CellFormat, CellFormats, StyleId, shown_sign};
use super::repeats;
use crate::table::error::ReadFault;

/// A cell with something in it.
#[derive(Debug)]
pub(super) struct OdsCell {
    /// From 0.
    pub(super) column: u32,
    /// How many cells are alike.
    pub(super) repeats: u32,
    /// None where its row or column says it.
    pub(super) style: Option<StyleId>,
    value: OdsValue,
    has_formula: bool,
    /// Whether the result of its formula is not in the file.
    is_unevaluated: bool,
}

#[derive(Debug, PartialEq)]
enum OdsValue {
    Number(OdsNumber),
    /// In ISO 8601.
    Date(String),
    Span(String),
    Boolean(bool),
    Text(String),
}

/// A number, and what its cell tells of how it is shown.
#[derive(Debug, PartialEq)]
struct OdsNumber {
    number: f64,
    shown: String,
    /// The number of its currency.
    currency: Option<usize>,
    is_amount: bool,
    is_percentage: bool,
}

impl OdsCell {
    /// The number of the currency that the cell tells.
    pub(super) fn currency(&self) -> Option<usize> {
        match &self.value {
            OdsValue::Number(number) => number.currency,
            _ => None,
        }
    }

    /// What it holds, and the number of the code that shows it.
    pub(super) fn content(&self, format: CellFormat, system: DateSystem) -> (CellContent<'_>, usize) {
        let code = if let CellFormat::Code(code) = format { code } else { 0 };
        let content = match &self.value {
            OdsValue::Number(number) => return number.content(format, self.has_formula, system),
            OdsValue::Date(iso) => CellContent::Iso(iso),
            OdsValue::Span(iso) => CellContent::Span(iso),
            OdsValue::Boolean(boolean) => CellContent::Boolean(*boolean),
            OdsValue::Text(text) if text.is_empty() && self.is_unevaluated => CellContent::Unevaluated,
            OdsValue::Text(text) if text.is_empty() => CellContent::Blank,
            OdsValue::Text(text) if is_error(text) => CellContent::Error(text),
            OdsValue::Text(text) => CellContent::Text(text),
        };
        (content, code)
    }

    fn is_blank(&self) -> bool {
        matches!(&self.value, OdsValue::Text(text) if text.is_empty()) && !self.is_unevaluated
    }

    fn text_len(&self) -> usize {
        match &self.value {
            OdsValue::Text(text) | OdsValue::Date(text) | OdsValue::Span(text) => text.len(),
            OdsValue::Number(number) => number.shown.len(),
            OdsValue::Boolean(_) => 0,
        }
    }
}

impl OdsNumber {
    /// Takes the text of the cell, with the currency in it unless the cell tells one otherwise.
    fn set_shown(&mut self, text: &str, formats: &CellFormats) {
        text.clone_into(&mut self.shown);
        if self.is_amount && self.currency.is_none() {
            self.currency = shown_sign(text).and_then(|sign| formats.currency(sign));
        }
    }

    fn content(&self, format: CellFormat, is_result: bool, system: DateSystem) -> (CellContent<'_>, usize) {
        match format {
            CellFormat::Code(code) => (CellContent::Number(self.number), code),
            CellFormat::Boolean => (CellContent::Boolean(self.number != 0.0), 0),
            CellFormat::General if is_result => self.result(system),
            CellFormat::General if self.bare_code() == 0 => (CellContent::Number(self.number), 0),
            _ => self.as_shown(),
        }
    }

    /// A result in a cell without a format takes that of what it is made of: a date, a truth value, a percentage. The file has
    /// no more of it than the text.
    fn result(&self, system: DateSystem) -> (CellContent<'_>, usize) {
        let is_truth = matches!(self.number, 0.0 | 1.0) && self.shown.chars().all(char::is_alphabetic);
        if is_truth && !self.shown.is_empty() {
            (CellContent::Boolean(self.number != 0.0), 0)
        } else if shows_day(&self.shown, self.number, system) {
            (CellContent::Number(self.number), CellFormats::DATE)
        } else {
            self.as_shown()
        }
    }

    fn as_shown(&self) -> (CellContent<'_>, usize) {
        let mut general_text = String::new();
        general(&mut general_text, self.number);
        if self.shown.is_empty() || self.shown == general_text {
            (CellContent::Number(self.number), self.bare_code())
        } else {
            (CellContent::Formatted(&self.shown, self.number), self.bare_code())
        }
    }

    /// The number of the code for what the cell says without a style; 0 is General.
    fn bare_code(&self) -> usize {
        match self.currency {
            Some(currency) => CellFormats::bare_currency(currency),
            None if self.is_percentage || self.shown.ends_with('%') => CellFormats::PERCENTAGE,
            None => 0,
        }
    }
}

/// Error values stand there as the text that is shown.
fn is_error(text: &str) -> bool {
    const ERRORS: &[&str] = &["#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"];
    let is_numbered = text.strip_prefix("Err:").is_some_and(|code| code.len() == 3 && code.parse::<u16>().is_ok());
    ERRORS.contains(&text) || is_numbered
}

/// What a tag was the end of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// A row, counted from 0, and how many are alike.
    Row {
        first: u64,
        repeats: u64,
    },
    Table,
    Nothing,
}

/// The row at hand of a table, and where in it we are.
#[derive(Debug, Default)]
pub(super) struct RowScan {
    pub(super) cells: Vec<OdsCell>,
    /// The style of cells in this row that name none.
    pub(super) row_style: Option<StyleId>,
    row: u64,
    row_repeats: u64,
    column: u64,
    /// Bytes of text in `cells`.
    text: usize,
    /// Tables within the table.
    nested: u32,
    cell: Option<CellScan>,
}

/// The cell at hand.
#[derive(Debug)]
struct CellScan {
    cell: OdsCell,
    /// Its text, where that matters.
    text: Option<String>,
    /// Elements of its text that are open: a paragraph, and what stands in it.
    depth: u32,
    paragraphs: u32,
    /// Elements open that are none of its text: a comment, a picture or a shape, and what stands in it.
    foreign_depth: u32,
}

impl RowScan {
    /// The number of the row at hand, from 1.
    pub(super) fn number(&self) -> u64 {
        self.row + 1
    }

    pub(super) fn observe(&mut self, tag: &XmlTag<'_>, formats: &CellFormats) -> Result<Ended, ReadFault> {
        match (tag.name, tag.kind) {
            (b"table", TagKind::Open) => self.nested += 1,
            (b"table", TagKind::Close) if self.nested == 0 => return Ok(Ended::Table),
            (b"table", TagKind::Close) => self.nested -= 1,
            _ if self.nested > 0 => {}
            (b"table-row", TagKind::Open | TagKind::SelfClosing) => {
                self.cells.clear();
                (self.column, self.text) = (0, 0);
                self.row_style = tag.text_attribute("default-cell-style-name").and_then(|name| formats.style(&name));
                self.row_repeats = repeats(tag, "number-rows-repeated").min(MOST_ROWS.saturating_sub(self.row));
                if tag.kind == TagKind::SelfClosing {
                    return Ok(self.end_row());
                }
            }
            (b"table-row", TagKind::Close) => return Ok(self.end_row()),
            (b"table-cell" | b"covered-table-cell", TagKind::Close) => self.keep_cell(formats)?,
            (b"table-cell" | b"covered-table-cell", _) => {
                self.cell = Some(CellScan::new(tag, self.column, formats)?);
                self.column += repeats(tag, "number-columns-repeated");
                if tag.kind == TagKind::SelfClosing {
                    self.keep_cell(formats)?;
                }
            }
            _ => {
                if let Some(cell) = &mut self.cell {
                    cell.observe(tag)?;
                }
            }
        }
        Ok(Ended::Nothing)
    }

    fn end_row(&mut self) -> Ended {
        let (first, repeats) = (self.row, self.row_repeats);
        self.row += repeats;
        Ended::Row { first, repeats }
    }

    /// Keeps the cell at hand if something is in it.
    fn keep_cell(&mut self, formats: &CellFormats) -> Result<(), ReadFault> {
        let Some(CellScan { mut cell, text, .. }) = self.cell.take() else { return Ok(()) };
        match (&mut cell.value, text) {
            (OdsValue::Text(value), Some(text)) => *value = text,
            (OdsValue::Number(number), Some(text)) => number.set_shown(text.trim(), formats),
            _ => {}
        }
        if cell.is_blank() || cell.column as usize >= MOST_COLUMNS {
            return Ok(());
        }
        self.text += cell.text_len();
        self.cells.push(cell);
        if self.text > LONGEST_ROW { Err(row_too_long()) } else { Ok(()) }
    }
}

impl CellScan {
    fn new(tag: &XmlTag<'_>, column: u64, formats: &CellFormats) -> Result<CellScan, ReadFault> {
        let value = value_of(tag, formats)?;
        // LibreOffice writes an error with an empty text, and shows it in a paragraph.
        let is_error = tag.exact_attribute("calcext:value-type") == Some(b"error")
            && matches!(&value, Some(OdsValue::Text(text)) if text.is_empty());
        let takes_text = value.is_none() || is_error;
        let is_shown = matches!(value, Some(OdsValue::Number(_)));
        let has_formula = tag.attribute("formula").is_some_and(|formula| !formula.is_empty());
        let is_unevaluated = has_formula && takes_text && tag.exact_attribute("office:value-type").is_none();
        let value = value.unwrap_or_else(|| OdsValue::Text(String::new()));
        let style = tag.text_attribute("style-name").and_then(|name| formats.style(&name));
        let column = column.min(u64::from(u32::MAX)) as u32;
        let room = (MOST_COLUMNS as u32).saturating_sub(column);
        let repeats = (repeats(tag, "number-columns-repeated") as u32).min(room);
        let cell = OdsCell { column, repeats, style, value, has_formula, is_unevaluated };
        let text = (takes_text || is_shown).then(String::new);
        Ok(CellScan { cell, text, depth: 0, paragraphs: 0, foreign_depth: 0 })
    }

    /// Takes in a tag inside of the cell.
    fn observe(&mut self, tag: &XmlTag<'_>) -> Result<(), ReadFault> {
        if self.foreign_depth == 0 {
            self.take_text(tag)?;
        }
        if self.foreign_depth > 0 || !self.is_text(tag) {
            match tag.kind {
                TagKind::Open => self.foreign_depth += 1,
                TagKind::Close => self.foreign_depth = self.foreign_depth.saturating_sub(1),
                TagKind::SelfClosing => {}
            }
            return Ok(());
        }
        match (tag.name, tag.kind) {
            (_, TagKind::Close) => {}
            (b"p", _) => {
                self.paragraphs += 1;
                // LibreOffice writes an empty result as a paragraph without a text and without a type.
                self.cell.is_unevaluated = false;
                if self.paragraphs > 1 {
                    self.push("\n", 1)?;
                }
            }
            (b"s", _) => self.push(" ", count_of(tag))?,
            (b"tab", _) => self.push("\t", 1)?,
            (b"line-break", _) => self.push("\n", 1)?,
            _ => {}
        }
        match tag.kind {
            TagKind::Open => self.depth += 1,
            TagKind::Close => self.depth = self.depth.saturating_sub(1),
            TagKind::SelfClosing => {}
        }
        Ok(())
    }

    /// Whether a tag is of the cell's text: a paragraph of its own, or what may stand in one. Comments, pictures and shapes
    /// have paragraphs too, which are about them.
    fn is_text(&self, tag: &XmlTag<'_>) -> bool {
        let is_paragraph = tag.name == b"p";
        match (tag.kind, self.depth) {
            (TagKind::Close, _) => true,
            (_, 0) => is_paragraph,
            _ => !is_paragraph && tag.prefix() == b"text:" && !matches!(tag.name, b"ruby-text" | b"note"),
        }
    }

    /// The text before a tag.
    fn take_text(&mut self, tag: &XmlTag<'_>) -> Result<(), ReadFault> {
        // White space between the paragraphs is not part of the text.
        if self.text.is_none() || self.depth == 0 || tag.whole_text.is_empty() {
            return Ok(());
        }
        let text =
            std::str::from_utf8(tag.whole_text).map_err(|_| ReadFault::damaged("text in an unknown encoding"))?;
        let text = unescaped(text).ok_or_else(|| ReadFault::damaged("its XML is broken"))?;
        self.push(&text, 1)
    }

    fn push(&mut self, text: &str, times: usize) -> Result<(), ReadFault> {
        let Some(whole) = &mut self.text else { return Ok(()) };
        if text.len().saturating_mul(times) > LONGEST_ROW - whole.len().min(LONGEST_ROW) {
            return Err(row_too_long());
        }
        (0..times).for_each(|_| whole.push_str(text));
        Ok(())
    }
}

/// The value that a cell's attributes say; none where that is left to its text.
fn value_of(tag: &XmlTag<'_>, formats: &CellFormats) -> Result<Option<OdsValue>, ReadFault> {
    let attribute = |name| tag.prefixed_attribute(name);
    if let Some(number) = attribute("office:value") {
        let number = number.parse().map_err(|_| ReadFault::damaged("a text where a number should be"))?;
        let currency = attribute("office:currency").and_then(|code| formats.currency(&code));
        let value_type = tag.exact_attribute("office:value-type");
        let (is_amount, is_percentage) = (value_type == Some(b"currency"), value_type == Some(b"percentage"));
        let shown = String::new();
        return Ok(Some(OdsValue::Number(OdsNumber { number, shown, currency, is_amount, is_percentage })));
    }
    if let Some(boolean) = attribute("office:boolean-value") {
        return Ok(Some(OdsValue::Boolean(boolean.eq_ignore_ascii_case("true"))));
    }
    let text = attribute("office:string-value").map(OdsValue::Text);
    let date = || attribute("office:date-value").map(OdsValue::Date);
    let span = || attribute("office:time-value").map(OdsValue::Span);
    Ok(text.or_else(date).or_else(span))
}

/// How many blanks `<text:s text:c="3"/>` stands for.
fn count_of(tag: &XmlTag<'_>) -> usize {
    tag.text_attribute("c").map_or(1, |count| count.parse().unwrap_or(usize::MAX))
}
