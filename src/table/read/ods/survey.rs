//! A first look at the content of an OpenDocument file: its tables, and what they keep beside their cells.

use std::collections::HashMap;

use super::super::limits::{Limits, MOST_COLUMNS, MOST_ROWS, check_sheets};
use super::super::serial_date::DateSystem;
use super::super::xml_scanner::{TagKind, XmlScanner, XmlTag};
use super::cell_formats::{StyleSheet, shown_sign};
use super::repeats;
use crate::table::error::ReadFault;
use crate::table::layout::{MergedCells, SheetLayout};
use crate::table::sheet::Visibility;

/// Elements within each other; no spreadsheet comes near.
const DEEPEST: usize = 256;
/// The longest name of an element or style, in bytes.
pub(super) const LONGEST_NAME: usize = 1_000;
/// More currencies than there are in the world.
const MOST_CURRENCIES: usize = 500;

/// A table of the file.
#[derive(Debug)]
pub(super) struct OdsTable {
    pub(super) name: String,
    pub(super) visibility: Visibility,
    pub(super) layout: SheetLayout,
    /// The styles of cells that name none, each with the column behind its last one, from 0.
    pub(super) column_styles: Vec<(u64, String)>,
    /// Where its content begins.
    pub(super) start: usize,
}

/// What the first look found.
#[derive(Debug, Default)]
pub(super) struct OdsSurvey {
    pub(super) tables: Vec<OdsTable>,
    /// The currencies that cells are in: codes, and signs that are shown without one.
    pub(super) currencies: Vec<String>,
    /// The styles that stand beside the content.
    pub(super) styles: StyleSheet,
    pub(super) system: Option<DateSystem>,
    /// Whether a table with this style is shown.
    displays: HashMap<String, Visibility>,
    style: String,
    /// Tables within each other, and whether the outermost has a name.
    depth: u32,
    is_named: bool,
    /// Rows and columns so far.
    row: u64,
    row_repeats: u64,
    column: u64,
    /// Whether the last cell tells no currency, and shows one.
    has_shown_currency: bool,
    /// About how many bytes the findings take.
    size: u64,
}

impl OdsSurvey {
    /// Goes through the content to its end: every element is closed.
    pub(super) fn take(content: &[u8], limits: Limits) -> Result<OdsSurvey, ReadFault> {
        let mut scanner = XmlScanner::new(content);
        let mut survey = OdsSurvey::default();
        let mut open: Vec<Box<[u8]>> = Vec::new();
        let mut has_root = false;
        while let Some(tag) = scanner.next()? {
            let is_table = tag.name == b"table" && tag.kind == TagKind::Open;
            match tag.kind {
                TagKind::Open if open.len() < DEEPEST && tag.full_name.len() < LONGEST_NAME => {
                    open.push(tag.full_name.into());
                }
                TagKind::Close if open.last().is_some_and(|name| **name == *tag.full_name) => {
                    open.pop();
                    has_root = true;
                }
                TagKind::SelfClosing => {}
                _ => return Err(ReadFault::damaged("its XML is broken")),
            }
            survey.observe(&tag)?;
            if survey.depth == 0 {
                survey.styles.observe(&tag, limits)?;
            }
            if survey.size > limits.findings {
                return Err(ReadFault::Bloated);
            }
            if let (true, 1, Some(table)) = (is_table, survey.depth, survey.tables.last_mut()) {
                table.start = scanner.position();
            }
        }
        if open.is_empty() && has_root { Ok(survey) } else { Err(ReadFault::Truncated) }
    }

    fn observe(&mut self, tag: &XmlTag<'_>) -> Result<(), ReadFault> {
        let is_open = tag.kind != TagKind::Close;
        match tag.name {
            b"style" if is_open => self.style = tag.text_attribute("name").unwrap_or_default(),
            b"table-properties" if is_open => self.add_display(tag),
            b"table" => return self.begin_or_end_table(tag),
            b"null-date" if tag.attribute("date-value") == Some(b"1904-01-01") => {
                self.system = Some(DateSystem::From1904);
            }
            _ if self.depth != 1 || !self.is_named => {}
            b"table-row" if is_open => {
                self.row_repeats = repeats(tag, "number-rows-repeated");
                self.column = 0;
                let is_hidden = matches!(tag.attribute("visibility"), Some(b"collapse" | b"filter"));
                if let (true, Some(table)) = (is_hidden && self.row < MOST_ROWS, self.tables.last_mut()) {
                    self.size += 32;
                    table.layout.hide(self.row + 1, self.row + self.row_repeats);
                }
                if tag.kind == TagKind::SelfClosing {
                    self.row += self.row_repeats;
                }
            }
            b"table-row" => self.row += self.row_repeats,
            b"table-column" if is_open => self.add_columns(tag),
            b"p" if !is_open && std::mem::take(&mut self.has_shown_currency) => {
                shown_sign(&tag.plain_text()).into_iter().for_each(|sign| self.add_currency(sign));
            }
            b"table-cell" | b"covered-table-cell" if is_open => self.observe_cell(tag),
            _ => {}
        }
        Ok(())
    }

    fn add_display(&mut self, tag: &XmlTag<'_>) {
        let is_hidden = tag.attribute("display") == Some(b"false");
        if is_hidden && self.style.len() < LONGEST_NAME {
            self.size += 128 + self.style.len() as u64;
            self.displays.insert(std::mem::take(&mut self.style), Visibility::Hidden);
        }
    }

    fn begin_or_end_table(&mut self, tag: &XmlTag<'_>) -> Result<(), ReadFault> {
        match tag.kind {
            TagKind::Close => self.depth = self.depth.saturating_sub(1),
            TagKind::SelfClosing => {}
            TagKind::Open => self.depth += 1,
        }
        if tag.kind != TagKind::Open || self.depth > 1 {
            return Ok(());
        }
        (self.row, self.column, self.is_named) = (0, 0, false);
        let Some(name) = tag.text_attribute("name") else { return Ok(()) };
        self.is_named = true;
        let style = tag.text_attribute("style-name").unwrap_or_default();
        let visibility = self.displays.get(&style).copied().unwrap_or(Visibility::Visible);
        let (layout, column_styles) = Default::default();
        self.tables.push(OdsTable { name, visibility, layout, column_styles, start: 0 });
        check_sheets(self.tables.iter().map(|table| table.name.as_str()))
    }

    fn observe_cell(&mut self, tag: &XmlTag<'_>) {
        let spanned = |name| if tag.attribute(name).is_some() { repeats(tag, name) } else { 1 };
        let (rows, columns) = (spanned("number-rows-spanned"), spanned("number-columns-spanned"));
        if let (true, Some(table)) = (rows.max(columns) > 1, self.tables.last_mut()) {
            let (first_row, first_column) = (self.row + 1, self.column.min(u64::from(u32::MAX >> 1)) as u32);
            let (last_row, last_column) = (first_row + rows.max(1) - 1, first_column + columns.max(1) as u32 - 1);
            self.size += 48;
            table.layout.merge(MergedCells { first_row, last_row, first_column, last_column });
        }
        self.column += repeats(tag, "number-columns-repeated");
        let currency = tag.prefixed_attribute("office:currency");
        let is_amount = tag.exact_attribute("office:value-type") == Some(b"currency");
        self.has_shown_currency = currency.is_none() && is_amount;
        currency.into_iter().for_each(|code| self.add_currency(&code));
    }

    fn add_currency(&mut self, told: &str) {
        let is_known = self.currencies.iter().any(|known| known == told);
        if !is_known && told.len() < LONGEST_NAME && self.currencies.len() < MOST_CURRENCIES {
            self.currencies.push(told.to_owned());
        }
    }

    fn add_columns(&mut self, tag: &XmlTag<'_>) {
        self.column += repeats(tag, "number-columns-repeated");
        let style = tag.text_attribute("default-cell-style-name").unwrap_or_default();
        let Some(table) = self.tables.last_mut() else { return };
        if style.len() < LONGEST_NAME && table.column_styles.len() < MOST_COLUMNS {
            self.size += 64 + style.len() as u64;
            table.column_styles.push((self.column, style));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn survey(rows: &str) -> OdsSurvey {
        let xml = format!(
            "<o:d xmlns:o=\"x\"><style:style style:name=\"ta2\"><style:table-properties table:display=\"false\"/>\
             </style:style><table:table table:name=\"A\">{rows}</table:table>\
             <table:table table:name=\"B\" table:style-name=\"ta2\"/>\
             <table:table table:name=\"C\" table:style-name=\"ta2\"></table:table></o:d>"
        );
        OdsSurvey::take(xml.as_bytes(), Limits::of(0)).unwrap()
    }

    #[test]
    fn tables_are_found() {
        let found = survey("<table:table-row/>");
        let tables: Vec<_> = found.tables.iter().map(|table| (table.name.as_str(), table.visibility)).collect();
        assert_eq!(tables, [("A", Visibility::Visible), ("C", Visibility::Hidden)]);
    }

    #[test]
    fn hidden_rows_and_merged_cells_are_taken_down() {
        let found = survey(
            "<table:table-row/><table:table-row table:visibility=\"filter\" table:number-rows-repeated=\"2\"/>\
             <table:table-row><table:table-cell/><table:table-cell table:number-rows-spanned=\"3\" \
             table:number-columns-spanned=\"1\" office:value-type=\"string\"><text:p>x</text:p></table:table-cell>\
             </table:table-row>",
        );
        let layout = &found.tables[0].layout;
        assert_eq!([1, 2, 3, 4].map(|row| layout.is_hidden(row)), [false, true, true, false]);
        let cells = MergedCells { first_row: 4, last_row: 6, first_column: 1, last_column: 1 };
        assert_eq!(layout.merged_below(1), [cells]);
    }

    #[test]
    fn content_that_ends_early_is_told() {
        assert!(matches!(OdsSurvey::take(b"<a><b></b>", Limits::of(0)), Err(ReadFault::Truncated)));
        assert!(matches!(OdsSurvey::take(b"<a><b></a></b>", Limits::of(0)), Err(ReadFault::Damaged { .. })));
        assert!(matches!(OdsSurvey::take(b"", Limits::of(0)), Err(ReadFault::Truncated)));
        assert!(matches!(OdsSurvey::take("<a>".repeat(300).as_bytes(), Limits::of(0)), Err(ReadFault::Damaged { .. })));
    }
}
