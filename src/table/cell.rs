//! Rows of typed cells, without an allocation per cell.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use jiff::civil::DateTime;

use super::formula::{text_of_formula, unescape_formula};
use crate::unicode::is_invisible;

/// The value of a cell, in addition to its text as shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Nothing, or only white space and invisible characters.
    Blank,
    Text,
    /// A number as stored; the text is the number as shown by its format.
    Number(f64),
    Boolean(bool),
    /// A real date of the spreadsheet, already read in the file's own date system (1900 or 1904).
    Date(DateTime),
    /// An error value such as `#N/A`; the text is that value.
    Error,
    /// A list or an object of JSON; the text is its JSON.
    Structure,
    /// A formula whose result was never stored: not a blank, but a value we cannot know.
    Unevaluated,
}

/// One cell as read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell<'a> {
    /// The text as the user sees it, untrimmed.
    pub text: &'a str,
    pub value: Value,
    /// The number format code where the file has one other than General, such as `00000` or `0%`.
    pub format: Option<&'a str>,
}

impl Cell<'_> {
    /// The cell beyond the end of a short row.
    pub const BLANK: Cell<'static> = Cell { text: "", value: Value::Blank, format: None };

    pub fn is_blank(&self) -> bool {
        self.value == Value::Blank
    }
}

/// One row, reused from row to row: cells share one text buffer.
#[derive(Debug, Default)]
pub struct Row {
    /// The row's number as a spreadsheet program shows it, from 1, blank rows counted.
    pub number: u64,
    text: String,
    cells: Vec<CellSpan>,
    /// The cell whose quotes in CSV do not stand around all of it.
    quote_fault: Option<usize>,
    /// The sheet's number formats; a cell's `format` indexes it from 1.
    formats: Option<Arc<[String]>>,
}

/// Where a cell's text stands in the row's buffer. Both ends are kept, so that a whole line of CSV can be copied in
/// one go, delimiters included.
#[derive(Debug, Clone, Copy)]
struct CellSpan {
    start: u32,
    end: u32,
    /// 0: none.
    format: u16,
    escape: FormulaEscape,
    value: Value,
}

/// What stands around the text in CSV to keep spreadsheet programs from changing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FormulaEscape {
    None,
    /// `'=1`
    Apostrophe,
    /// The same in a workbook, where it may also be what the text begins with.
    WorkbookApostrophe,
    /// `="00123"`
    TextFormula,
}

impl CellSpan {
    const BLANK: CellSpan = CellSpan { start: 0, end: 0, format: 0, escape: FormulaEscape::None, value: Value::Blank };

    /// A cell of CSV. For nearly every cell the first byte shows that nothing is escaped. Called for every cell of a file: left
    /// to the compiler, it is a call of its own in some builds, which makes reading a fifth slower.
    #[inline(always)]
    fn text(of: &str, start: usize, end: usize) -> CellSpan {
        let value = match of.as_bytes()[start..end].first() {
            Some(b'\'' | b'=') => return CellSpan::escaped(of, start, end),
            Some(first) if first.is_ascii_graphic() => Value::Text,
            Some(_) => text_or_blank(&of[start..end]),
            None => Value::Blank,
        };
        CellSpan { start: start as u32, end: end as u32, format: 0, escape: FormulaEscape::None, value }
    }

    /// A cell of CSV that may be escaped.
    #[cold]
    fn escaped(of: &str, start: usize, end: usize) -> CellSpan {
        let text = &of[start..end];
        let escape = if unescape_formula(text).len() < text.len() {
            FormulaEscape::Apostrophe
        } else if text_of_formula(text).is_some() {
            FormulaEscape::TextFormula
        } else {
            FormulaEscape::None
        };
        let (before, after) = escape.lengths();
        let value = text_or_blank(&text[before..text.len() - after]);
        let (start, end) = ((start + before) as u32, (end - after) as u32);
        CellSpan { start, end, format: 0, escape, value }
    }
}

impl FormulaEscape {
    /// How many bytes stand before and after the text.
    fn lengths(self) -> (usize, usize) {
        match self {
            FormulaEscape::None => (0, 0),
            FormulaEscape::Apostrophe | FormulaEscape::WorkbookApostrophe => (1, 0),
            FormulaEscape::TextFormula => (2, 1),
        }
    }
}

impl Row {
    /// Empties the row for the next one, keeping its buffers.
    pub fn clear(&mut self, number: u64) {
        self.number = number;
        self.text.clear();
        self.cells.clear();
        self.quote_fault = None;
    }

    /// The table of number formats that [`Row::push_formatted`] indexes. Costs nothing where the row has it.
    pub(crate) fn set_formats(&mut self, formats: &Arc<[String]>) {
        if !self.formats.as_ref().is_some_and(|own| Arc::ptr_eq(own, formats)) {
            self.formats = Some(Arc::clone(formats));
        }
    }

    /// As [`Row::clear`], and makes sure that the row has this table of number formats, which [`Row::push_formatted`]
    /// indexes; costs nothing where it has.
    pub fn restart(&mut self, number: u64, formats: &Arc<[String]>) {
        self.clear(number);
        self.set_formats(formats);
    }

    /// Fills the empty row with a line of CSV, cut at every `delimiter`, an ASCII character.
    pub fn split(&mut self, line: &str, delimiter: u8) {
        self.text.push_str(line);
        let mut start = 0;
        each_place_of(delimiter, line.as_bytes(), |end| {
            self.cells.push(CellSpan::text(line, start, end));
            start = end + 1;
        });
        self.cells.push(CellSpan::text(line, start, line.len()));
    }

    /// Gives the empty row a line of CSV, of which [`Row::push_part`] makes cells.
    pub(super) fn take_line(&mut self, line: &str) {
        self.text.push_str(line);
    }

    /// Appends a part of the line that the row was given.
    #[inline(always)]
    pub(super) fn push_part(&mut self, line: &str, part: Range<usize>) {
        self.cells.push(CellSpan::text(line, part.start, part.end));
    }

    /// Fills the empty row with cells of CSV that stand side by side in `text`, each given by its end.
    pub fn fill(&mut self, text: &str, ends: &[usize]) {
        self.text.push_str(text);
        let mut start = 0;
        for &end in ends {
            self.cells.push(CellSpan::text(text, start, end));
            start = end;
        }
    }

    /// Appends blank cells up to `columns`.
    pub fn pad(&mut self, columns: usize) {
        if self.cells.len() < columns {
            self.cells.resize(columns, CellSpan::BLANK);
        }
    }

    /// Puts the last cell in place of the one in `column`, for files whose cells are out of order.
    pub fn move_last_to(&mut self, column: usize) {
        if let (Some(last), Some(cell)) = (self.cells.pop(), self.cells.get_mut(column)) {
            *cell = last;
        }
    }

    /// Puts another value into a column, which keeps its number format.
    pub fn replace(&mut self, column: usize, text: &str, value: Value) {
        let Some(format) = self.cells.get(column).map(|span| span.format) else { return };
        self.push_formatted(text, value, format);
        self.move_last_to(column);
    }

    /// Puts a copy of one cell into another column, number format included.
    pub fn copy_cell(&mut self, from: usize, to: usize) {
        let cell = self.cells.get(from).copied();
        if let (Some(cell), Some(place)) = (cell, self.cells.get_mut(to)) {
            *place = cell;
        }
    }

    /// Puts a copy of one cell into another column, which is blank so far; blanks of every kind become plain ones.
    pub fn copy_filled(&mut self, from: usize, to: usize) {
        let cell = self.cells.get(from).filter(|cell| cell.value != Value::Blank).copied();
        if let Some(place) = self.cells.get_mut(to) {
            *place = cell.unwrap_or(CellSpan::BLANK);
        }
    }

    /// A copy in which those columns are blank.
    pub fn without_columns(&self, columns: &[usize]) -> Row {
        let mut kept = self.clone();
        columns.iter().for_each(|column| kept.replace(*column, "", Value::Blank));
        kept
    }

    /// Marks the cell, from 0, whose quotes in CSV do not stand around all of it: the cells behind it may have shifted.
    pub fn set_quote_fault(&mut self, cell: Option<usize>) {
        self.quote_fault = cell;
    }

    /// The cell, from 0, whose quotes in CSV do not stand around all of it.
    pub fn quote_fault(&self) -> Option<usize> {
        self.quote_fault
    }

    /// How much text the row holds, in bytes.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    /// About how much memory the row takes, in bytes.
    pub(super) fn size(&self) -> usize {
        self.text.len() + self.cells.len() * size_of::<CellSpan>()
    }

    /// Appends a cell of text; white space alone is a blank.
    pub fn push_text(&mut self, text: &str) {
        self.push(text, text_or_blank(text));
    }

    /// Appends a cell of CSV: an apostrophe that keeps spreadsheet programs from taking its text for a formula is no part
    /// of the value.
    pub fn push_csv(&mut self, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.cells.push(CellSpan::text(&self.text, start, self.text.len()));
    }

    /// Appends a text of a workbook. A CSV file that a spreadsheet program has opened and saved as a workbook keeps its escapes.
    /// Nobody types them: the program takes an apostrophe that begins a cell for its own.
    pub(crate) fn push_workbook_text(&mut self, text: &str) {
        if !text.starts_with('\'') {
            return self.push_text(text);
        }
        self.push_csv(text);
        if let Some(cell) = self.cells.last_mut().filter(|cell| cell.escape == FormulaEscape::Apostrophe) {
            cell.escape = FormulaEscape::WorkbookApostrophe;
        }
    }

    pub fn push(&mut self, text: &str, value: Value) {
        self.push_formatted(text, value, 0);
    }

    /// Appends a cell whose number format is the `format`th of the table, from 1; 0 is none.
    pub fn push_formatted(&mut self, text: &str, value: Value, format: u16) {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        self.cells.push(CellSpan { start, end: self.text.len() as u32, format, escape: FormulaEscape::None, value });
    }

    pub fn len(&self) -> usize {
        self.cells.len()
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Whether no cell holds anything.
    pub fn is_blank(&self) -> bool {
        self.cells.iter().all(|span| span.value == Value::Blank)
    }

    /// The cell in that column, from 0; blank beyond the end.
    #[inline]
    pub fn cell(&self, column: usize) -> Cell<'_> {
        let Some(span) = self.cells.get(column) else { return Cell::BLANK };
        let format = match (span.format, &self.formats) {
            (0, _) | (_, None) => None,
            (index, Some(formats)) => formats.get(usize::from(index) - 1).map(String::as_str),
        };
        Cell { text: &self.text[span.start as usize..span.end as usize], value: span.value, format }
    }

    /// A cell's text as it is in the file, if it is escaped: `'=1` or `="00123"`; none for all other cells.
    pub fn escaped_text(&self, column: usize) -> Option<&str> {
        let span = self.cells.get(column).filter(|span| span.escape != FormulaEscape::None)?;
        let (before, after) = span.escape.lengths();
        Some(&self.text[span.start as usize - before..span.end as usize + after])
    }

    /// The cell with the apostrophe that it has in a workbook, if that may be an escape or the text's own: `'=1`.
    pub(crate) fn cell_with_apostrophe(&self, column: usize) -> Option<Cell<'_>> {
        self.cells.get(column).filter(|span| span.escape == FormulaEscape::WorkbookApostrophe)?;
        self.escaped_text(column).map(|text| Cell { text, ..self.cell(column) })
    }

    pub fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        (0..self.len()).map(|column| self.cell(column))
    }
}

impl Clone for Row {
    fn clone(&self) -> Self {
        let mut row = Self::default();
        row.clone_from(self);
        row
    }

    /// Keeps the buffers.
    fn clone_from(&mut self, other: &Self) {
        let Self { number, text, cells, quote_fault, formats } = other;
        (self.number, self.quote_fault) = (*number, *quote_fault);
        self.text.clone_from(text);
        self.cells.clone_from(cells);
        let is_same = matches!((&self.formats, formats), (Some(own), Some(other)) if Arc::ptr_eq(own, other));
        if !is_same {
            self.formats.clone_from(formats);
        }
    }
}

#[inline]
pub(super) fn text_or_blank(text: &str) -> Value {
    match text.as_bytes().first() {
        // Nearly every cell: spares the search for something other than white space.
        Some(first) if first.is_ascii_graphic() => Value::Text,
        _ if is_blank(text) => Value::Blank,
        _ => Value::Text,
    }
}

/// Calls `found` for every place of `byte`. Cells are short: eight bytes at a time and no search that starts anew
/// behind every delimiter.
#[inline]
pub(super) fn each_place_of(byte: u8, bytes: &[u8], mut found: impl FnMut(usize)) {
    const LOW: u64 = u64::from_ne_bytes([0x7F; 8]);
    let pattern = u64::from_ne_bytes([byte; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    let last = last_word(bytes, rest.len(), !pattern);
    // `found` is called in one place, so that it becomes part of the loop.
    for index in 0..=words.len() {
        let differing = words.get(index).map_or(last, |word| u64::from_le_bytes(*word)) ^ pattern;
        // The high bit of each byte that does not differ.
        let mut equal = !(((differing & LOW) + LOW) | differing | LOW);
        while equal != 0 {
            found(index * 8 + equal.trailing_zeros() as usize / 8);
            equal &= equal - 1;
        }
    }
}

/// The last `count` bytes, fewer than eight, and behind them bytes of `filler`.
#[inline]
fn last_word(bytes: &[u8], count: usize, filler: u64) -> u64 {
    let bits = 8 * count as u32;
    let behind = filler.unbounded_shl(bits);
    match bytes.last_chunk::<8>() {
        Some(word) => u64::from_le_bytes(*word).unbounded_shr(u64::BITS - bits) | behind,
        None => bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)) | behind,
    }
}

/// Whether a text is empty, or nothing but white space and invisible characters.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|char| char.is_whitespace() || is_invisible(char))
}

/// A cell's address as a spreadsheet program shows it, such as `C7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellRef {
    /// From 1.
    pub row: u64,
    /// From 0.
    pub column: u32,
}

impl fmt::Display for CellRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The keys of a JSON file stand in no row.
        match self.row {
            0 => write!(formatter, "{}", ColumnName(self.column)),
            row => write!(formatter, "{}{row}", ColumnName(self.column)),
        }
    }
}

/// A column's letters: 0 is `A`, 26 is `AA`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ColumnName(pub u32);

impl fmt::Display for ColumnName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 26 {
            write!(formatter, "{}", ColumnName(self.0 / 26 - 1))?;
        }
        write!(formatter, "{}", char::from(b'A' + (self.0 % 26) as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_as_in_a_spreadsheet() {
        let at = |row, column| CellRef { row, column }.to_string();
        assert_eq!(at(1, 0), "A1");
        assert_eq!(at(7, 25), "Z7");
        assert_eq!(at(7, 26), "AA7");
        assert_eq!(at(1_048_576, 16_383), "XFD1048576");
    }

    #[test]
    fn a_line_is_cut_at_every_delimiter() {
        for line in ["", ";", "a;b", ";;;;;;;;;", "1234567;;89012345;6;", "é;ü€;long enough for several words;\u{bb}"]
        {
            let mut row = Row::default();
            row.split(line, b';');
            let cells: Vec<_> = row.cells().map(|cell| cell.text).collect();
            assert_eq!(cells, line.split(';').collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_guard_is_no_part_of_the_value_and_is_not_lost() {
        let mut row = Row::default();
        row.split("'=1+1,'quoted',=1+1,','-5", b',');
        let texts: Vec<_> = row.cells().map(|cell| cell.text).collect();
        assert_eq!(texts, ["=1+1", "'quoted'", "=1+1", "'", "-5"]);
        let guarded: Vec<_> = (0..5).map(|column| row.escaped_text(column)).collect();
        assert_eq!(guarded, [Some("'=1+1"), None, None, None, Some("'-5")]);
        row.push_text("'=1+1");
        assert_eq!((row.cell(5).text, row.escaped_text(5)), ("'=1+1", None), "not from CSV");
        row.clear(2);
        row.split("=\"00123\";=\"\";=\"a\"&\"b\"", b';');
        assert_eq!((row.cell(0).text, row.escaped_text(0)), ("00123", Some("=\"00123\"")));
        assert!(row.cell(1).is_blank());
        assert_eq!((row.cell(2).text, row.escaped_text(2)), ("=\"a\"&\"b\"", None));
        row.clear(2);
        row.push_csv("'@");
        assert_eq!((row.cell(0).text, row.escaped_text(0)), ("@", Some("'@")));
    }

    #[test]
    fn every_place_of_a_byte_is_found() {
        let text: Vec<u8> =
            (0..40).map(|at| if at % 3 == 0 || at % 7 == 0 { b',' } else { b',' ^ 0x80 ^ at }).collect();
        for (start, end) in (0..=40).flat_map(|end| (0..=end).map(move |start| (start, end))) {
            let mut found = Vec::new();
            each_place_of(b',', &text[start..end], |at| found.push(at));
            let expected: Vec<usize> = memchr::memchr_iter(b',', &text[start..end]).collect();
            assert_eq!(found, expected, "{start} to {end}");
        }
    }

    #[test]
    fn an_apostrophe_in_a_workbook_may_be_an_escape() {
        let mut row = Row::default();
        ["'+351 21", "'quoted'", "plain", "=\"00123\""].iter().for_each(|text| row.push_workbook_text(text));
        row.push_csv("'+351 21");
        let texts: Vec<_> = row.cells().map(|cell| cell.text).collect();
        assert_eq!(texts, ["+351 21", "'quoted'", "plain", "=\"00123\"", "+351 21"]);
        assert_eq!(row.escaped_text(0), Some("'+351 21"));
        let kept: Vec<_> = (0..5).map(|column| row.cell_with_apostrophe(column).map(|cell| cell.text)).collect();
        assert_eq!(kept, [Some("'+351 21"), None, None, None, None]);
    }

    #[test]
    fn a_row_gives_back_its_cells() {
        let mut row = Row::default();
        row.restart(0, &Arc::from([String::from("00000")]));
        row.clear(3);
        row.push_text("a");
        row.push_text(" \u{a0}");
        row.push_formatted("06083", Value::Number(6083.0), 1);
        assert_eq!(row.cell(0).text, "a");
        assert!(row.cell(1).is_blank());
        assert_eq!(row.cell(2).format, Some("00000"));
        assert_eq!(row.cell(9), Cell::BLANK);
        let mut copy = Row::default();
        copy.push_text("of another row");
        copy.clone_from(&row);
        assert_eq!(copy.cells().collect::<Vec<_>>(), row.cells().collect::<Vec<_>>());
        copy.pad(5);
        copy.copy_filled(2, 3);
        copy.copy_filled(1, 4);
        assert_eq!((copy.cell(3), copy.cell(4)), (row.cell(2), Cell::BLANK));
        row.replace(2, "06084", Value::Number(6084.0));
        row.replace(9, "beyond", Value::Text);
        assert_eq!((row.cell(2).text, row.cell(2).format, row.len()), ("06084", Some("00000"), 3));
    }
}
