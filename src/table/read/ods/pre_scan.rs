//! Pre-scan of an OpenDocument part before calamine reads it.

use std::io::Read;

use super::super::biff::MOST_CELLS;
use super::super::general_format::general;
use super::super::xml_scanner::{TagKind, XmlScanner, XmlTag};
use crate::table::error::ReadFault;
use crate::table::layout::{MergedCells, SheetLayout};

/// Repeated text is written out; this much of it is refused.
const MOST_TEXT: u64 = 1024 * 1024 * 1024;
/// No table is nested deeper.
const DEEPEST: usize = 256;

/// What the pre-scan found.
#[derive(Debug, Default)]
pub(super) struct OdsPreScan {
    /// By the table's name.
    formatted: Vec<(String, Vec<FormattedCell>)>,
    /// For each of these tables.
    layouts: Vec<SheetLayout>,
    /// The codes of the currencies that cells are in.
    pub(super) currencies: Vec<String>,
}

/// A number that is not shown as the General format shows it; row and column from 0.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FormattedCell {
    row: u32,
    column: u32,
    /// How many rows and columns are alike.
    rows: u32,
    columns: u32,
    pub(super) text: Box<str>,
    /// The currency of an amount, from 1; 0 is none.
    pub(super) currency: u16,
}

/// How a cell is shown. Cells are asked for in the order of row and column; those behind are cut off `shown`.
pub(super) fn formatted_at<'a>(formatted: &mut &'a [FormattedCell], at: (u32, u32)) -> Option<&'a FormattedCell> {
    let (row, column) = at;
    while let [first, rest @ ..] = formatted
        && first.row + first.rows <= row
    {
        *formatted = rest;
    }
    let in_row = formatted.iter().take_while(|cell| cell.row <= row);
    let is_in = |cell: &&FormattedCell| (cell.column..cell.column + cell.columns).contains(&column);
    in_row.into_iter().find(is_in)
}

impl OdsPreScan {
    /// Goes through a part: every element is closed, and its tables are of a size that memory can hold.
    pub(super) fn take(part: impl Read) -> Result<OdsPreScan, ReadFault> {
        let mut scanner = XmlScanner::new(part);
        let mut open: Vec<Box<[u8]>> = Vec::new();
        let mut tables = TableScan::default();
        let mut has_root = false;
        while let Some(tag) = scanner.next()? {
            match tag.kind {
                TagKind::Open if open.len() < DEEPEST => open.push(tag.full_name.into()),
                TagKind::Close if open.last().is_some_and(|name| **name == *tag.full_name) => {
                    open.pop();
                    has_root = true;
                }
                TagKind::SelfClosing => {}
                _ => return Err(ReadFault::damaged("its XML is broken")),
            }
            let is_in_cell = open.last().is_some_and(|parent| is_cell(parent));
            tables.observe(&tag, is_in_cell)?;
        }
        if open.is_empty() && has_root { Ok(tables.pre_scan) } else { Err(ReadFault::Truncated) }
    }

    pub(super) fn take_layout(&mut self, table: &str) -> SheetLayout {
        let at = self.formatted.iter().position(|(name, _)| name == table);
        at.and_then(|at| self.layouts.get_mut(at)).map(std::mem::take).unwrap_or_default()
    }

    /// The position of a currency, from 1; 0 where there are more of them than there are in the world.
    fn currency(&mut self, code: String) -> u16 {
        const MOST: usize = 500;
        let position = self.currencies.iter().position(|known| *known == code).unwrap_or_else(|| {
            self.currencies.push(code);
            self.currencies.len() - 1
        });
        self.currencies.truncate(MOST);
        if position < MOST { position as u16 + 1 } else { 0 }
    }

    pub(super) fn take_formatted(&mut self, table: &str) -> Vec<FormattedCell> {
        let known = self.formatted.iter_mut().find(|(name, _)| name == table);
        known.map(|(_, formatted)| std::mem::take(formatted)).unwrap_or_default()
    }
}

fn is_cell(full_name: &[u8]) -> bool {
    full_name.ends_with(b":table-cell") || full_name.ends_with(b":covered-table-cell")
}

/// The tables so far, and where in them we are.
#[derive(Debug, Default)]
struct TableScan {
    pre_scan: OdsPreScan,
    /// Cells and bytes of text that calamine will hold.
    cells: u64,
    text: u64,
    /// Tables within each other.
    depth: u32,
    table: TableBounds,
    row_repeats: u64,
    /// Columns of the row at hand, up to its last cell and up to its last one with a value.
    columns: u64,
    filled: u64,
    /// 0 outside of cells with a value.
    cell_repeats: u64,
    number: Option<f64>,
    currency: u16,
    /// Whether the last tag opened a paragraph.
    opened_paragraph: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct TableBounds {
    rows: u64,
    first: Option<u64>,
    last: u64,
    columns: u64,
}

impl TableScan {
    fn observe(&mut self, tag: &XmlTag<'_>, is_in_cell: bool) -> Result<(), ReadFault> {
        match (tag.name, tag.kind) {
            (b"table", TagKind::Open) => self.begin_table(tag),
            (b"table", TagKind::Close) => self.end_table(),
            _ if self.depth == 0 => {}
            (b"table-row", TagKind::Open | TagKind::SelfClosing) => {
                self.row_repeats = repeats(tag, "number-rows-repeated");
                (self.columns, self.filled) = (0, 0);
                let is_hidden = matches!(tag.attribute("visibility"), Some(b"collapse" | b"filter"));
                if let (true, Some(layout)) = (is_hidden, self.pre_scan.layouts.last_mut()) {
                    layout.hide(self.table.rows + 1, self.table.rows + self.row_repeats);
                }
                if tag.kind == TagKind::SelfClosing {
                    self.end_row();
                }
            }
            (b"table-row", TagKind::Close) => self.end_row(),
            (b"table-cell" | b"covered-table-cell", TagKind::Open | TagKind::SelfClosing) => self.observe_cell(tag),
            (b"p", TagKind::Close) if is_in_cell && self.opened_paragraph => self.observe_text(tag),
            _ => {}
        }
        self.opened_paragraph = tag.name == b"p" && tag.kind == TagKind::Open;
        self.text += tag.text_len as u64 * self.cell_repeats * self.row_repeats;
        if self.cells > MOST_CELLS {
            return Err(ReadFault::TooLarge { what: "its sheets span more than 20 million cells" });
        }
        if self.text > MOST_TEXT { Err(ReadFault::Bloated) } else { Ok(()) }
    }

    fn begin_table(&mut self, tag: &XmlTag<'_>) {
        self.depth += 1;
        if self.depth == 1 {
            self.table = TableBounds::default();
            self.pre_scan.formatted.push((tag.text_attribute("name").unwrap_or_default(), Vec::new()));
            self.pre_scan.layouts.push(SheetLayout::default());
        }
    }

    fn end_table(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if let Some(first) = self.table.first {
            self.cells += (self.table.last - first) * self.table.columns;
        }
        self.table.first = None;
    }

    fn observe_cell(&mut self, tag: &XmlTag<'_>) {
        let (rows, columns) = (repeats(tag, "number-rows-spanned"), repeats(tag, "number-columns-spanned"));
        if let (true, Some(layout)) = (rows.max(columns) > 1, self.pre_scan.layouts.last_mut()) {
            let (first_row, first_column) = (self.table.rows + 1, self.columns.min(u64::from(u32::MAX >> 1)) as u32);
            let (last_row, last_column) = (first_row + rows.max(1) - 1, first_column + columns.max(1) as u32 - 1);
            layout.merge(MergedCells { first_row, last_row, first_column, last_column });
        }
        let repeats = repeats(tag, "number-columns-repeated");
        self.columns += repeats;
        self.number = tag.text_attribute("value").and_then(|value| value.parse().ok());
        self.currency = tag.text_attribute("currency").map_or(0, |code| self.pre_scan.currency(code));
        let has_value = tag.attribute("value-type").is_some() || tag.attribute("formula").is_some();
        self.cell_repeats = if has_value { repeats } else { 0 };
        if !has_value {
            return;
        }
        // What calamine holds before it writes repeated rows out.
        self.cells += self.columns - self.filled;
        self.filled = self.columns;
        let attributes = ["string-value", "formula"].iter().filter_map(|name| tag.attribute(name));
        let text: usize = attributes.map(<[u8]>::len).sum();
        self.text += text as u64 * self.cell_repeats * self.row_repeats;
    }

    /// A paragraph of a cell: how its number is shown.
    fn observe_text(&mut self, tag: &XmlTag<'_>) {
        let Some(number) = self.number.take() else { return };
        let text = tag.plain_text();
        let mut expected = String::new();
        general(&mut expected, number);
        let small = |count: u64| u32::try_from(count).ok();
        let place = (small(self.table.rows), small(self.columns - self.cell_repeats.min(self.columns)));
        let (Some(row), Some(column), Some((_, formatted))) = (place.0, place.1, self.pre_scan.formatted.last_mut())
        else {
            return;
        };
        if (text != expected || self.currency > 0) && !text.is_empty() {
            let (rows, columns) = (self.row_repeats as u32, self.cell_repeats as u32);
            formatted.push(FormattedCell { row, column, rows, columns, text: text.into(), currency: self.currency });
        }
    }

    fn end_row(&mut self) {
        let table = &mut self.table;
        if self.filled > 0 {
            table.first.get_or_insert(table.rows);
            table.last = table.rows + self.row_repeats;
            table.columns = table.columns.max(self.filled);
        }
        table.rows += self.row_repeats;
        self.cell_repeats = 0;
    }
}

/// How often a row or cell stands there; no more than a sheet has room for, as calamine caps it.
fn repeats(tag: &XmlTag<'_>, name: &str) -> u64 {
    const MOST: u64 = 1_048_576;
    tag.text_attribute(name).and_then(|count| count.trim().parse().ok()).unwrap_or(1).min(MOST)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn pre_scan(rows: &str) -> Result<OdsPreScan, ReadFault> {
        let xml = format!("<o:d xmlns:o=\"x\"><table:table table:name=\"A\">{rows}</table:table></o:d>");
        OdsPreScan::take(xml.as_bytes())
    }

    #[test]
    fn shown_numbers_are_taken_down() {
        let mut pre_scan = pre_scan(
            "<table:table-row table:number-rows-repeated=\"3\"/><table:table-row table:number-rows-repeated=\"2\">\
             <table:table-cell/><table:table-cell office:value-type=\"float\" office:value=\"6083\">\
             <text:p>06083</text:p></table:table-cell>\
             <table:table-cell office:value-type=\"float\" office:value=\"7\"><text:p>7</text:p></table:table-cell>\
             </table:table-row>",
        )
        .unwrap();
        let formatted = pre_scan.take_formatted("A");
        let mut rest = formatted.as_slice();
        let mut shown = |row, column| formatted_at(&mut rest, (row, column)).map(|cell| &*cell.text);
        assert_eq!(shown(0, 1), None);
        assert_eq!(shown(3, 1), Some("06083"));
        assert_eq!(shown(3, 2), None);
        assert_eq!(shown(4, 1), Some("06083"));
        assert_eq!(shown(5, 1), None);
    }

    #[test]
    fn the_currency_of_an_amount_is_taken_down() {
        let mut pre_scan = pre_scan(
            "<table:table-row><table:table-cell office:value-type=\"currency\" office:currency=\"USD\" office:value=\"5\">\
             <text:p>$5.00</text:p></table:table-cell></table:table-row>",
        )
        .unwrap();
        assert_eq!(pre_scan.currencies, ["USD"]);
        assert_eq!(pre_scan.take_formatted("A")[0].currency, 1);
    }

    #[test]
    fn hidden_rows_and_merged_cells_are_taken_down() {
        let mut pre_scan = pre_scan(
            "<table:table-row/><table:table-row table:visibility=\"filter\" table:number-rows-repeated=\"2\"/>\
             <table:table-row><table:table-cell/><table:table-cell table:number-rows-spanned=\"3\" \
             table:number-columns-spanned=\"1\" office:value-type=\"string\"><text:p>x</text:p></table:table-cell>\
             </table:table-row>",
        )
        .unwrap();
        let layout = pre_scan.take_layout("A");
        assert_eq!([1, 2, 3, 4].map(|row| layout.is_hidden(row)), [false, true, true, false]);
        let cells = MergedCells { first_row: 4, last_row: 6, first_column: 1, last_column: 1 };
        assert_eq!(layout.merged_below(1), [cells]);
    }

    #[test]
    fn repeats_beyond_memory_are_refused() {
        let cell = "<table:table-cell office:value-type=\"float\" office:value=\"1\" \
                    table:number-columns-repeated=\"16384\"/>";
        let rows = format!("<table:table-row table:number-rows-repeated=\"1048576\">{cell}</table:table-row>");
        assert!(matches!(pre_scan(&rows), Err(ReadFault::TooLarge { .. })));
        let rows = format!("<table:table-row>{cell}</table:table-row>").repeat(2000);
        assert!(matches!(pre_scan(&rows), Err(ReadFault::TooLarge { .. })));
        let text = format!(
            "<table:table-row><table:table-cell office:value-type=\"string\" table:number-columns-repeated=\"16384\">\
             <text:p>{}</text:p></table:table-cell></table:table-row>",
            "x".repeat(100_000)
        );
        assert!(matches!(pre_scan(&text), Err(ReadFault::Bloated)));
        let empty = "<table:table-row table:number-rows-repeated=\"1048576\">\
                     <table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>";
        assert!(pre_scan(empty).is_ok());
    }

    #[test]
    fn parts_that_end_early_are_told() {
        assert!(matches!(OdsPreScan::take(&b"<a><b></b>"[..]), Err(ReadFault::Truncated)));
        assert!(matches!(OdsPreScan::take(&b"<a><b></a></b>"[..]), Err(ReadFault::Damaged { .. })));
        assert!(matches!(OdsPreScan::take(&b""[..]), Err(ReadFault::Truncated)));
    }
}
