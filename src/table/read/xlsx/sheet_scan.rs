//! One pass over the XML of a sheet: its cells, and what stands beside them.
//!
//! [`PlainCell`] recognizes nearly all cells; [`XmlCellScan`] puts together the others from their tags. Both make the same
//! [`SheetCell`], whose value is understood in one place. The dimension that a sheet states is not read: many are wrong.

use std::io::Read;

use super::super::limits::{Limits, MOST_ROWS, too_many_cells};
use super::super::row_builder::{CellContent, RowBuilder};
use super::super::shared_strings::SharedStrings;
use super::super::xml_scanner::{TagKind, XmlScanner, XmlTag};
use super::super::xml_text::{unescaped, without_code_points};
use super::address::{area, position, row_number};
use super::plain_cell::{PlainCell, PlainValue};
use super::rich_text::RichText;
use crate::table::error::ReadFault;
use crate::table::layout::MergedCells;

/// The longest error value that is kept, in bytes.
const LONGEST_ERROR: usize = 64;

/// A pass over a sheet's part.
pub(super) struct SheetScan<R> {
    xml: XmlScanner<R>,
    state: SheetScanState,
    /// The cell at hand.
    current: CurrentCell,
    /// Whether the cell at hand comes once more.
    is_held: bool,
}

/// Where the cell at hand is.
enum CurrentCell {
    /// In the scanner's buffer, at the beginning of what is unread.
    Plain(PlainCell),
    /// In [`SheetScanState::cell`].
    Scanned,
}

/// What a pass comes across.
pub(super) enum SheetItem<'a> {
    /// A cell that is not empty.
    Cell(SheetCell<'a>),
    /// A row that is not shown, from 1.
    HiddenRow(u64),
    Merged(MergedCells),
}

/// A cell as it stands in the part.
pub(super) struct SheetCell<'a> {
    /// From 0.
    row: u32,
    column: u32,
    style: usize,
    kind: CellKind,
    value: StoredValue<'a>,
}

/// The value of a cell, not understood yet.
#[derive(Clone, Copy)]
enum StoredValue<'a> {
    /// The text of `<v>`, entities resolved.
    Stored(&'a [u8]),
    /// The text of `<is>`.
    Inline(&'a [u8]),
    /// A formula whose result was never stored.
    Unevaluated,
}

/// What `t` says of a cell's value.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellKind {
    /// Not said: a number, or a text that is no number.
    #[default]
    Unstated,
    Number,
    /// The number of a shared text.
    Shared,
    /// The text that a formula results in.
    Text,
    Inline,
    Boolean,
    Error,
    /// In ISO 8601.
    Date,
    Unknown,
}

impl CellKind {
    pub(super) fn named(name: &[u8]) -> CellKind {
        match name {
            b"s" => CellKind::Shared,
            b"n" => CellKind::Number,
            b"str" => CellKind::Text,
            b"inlineStr" | b"is" => CellKind::Inline,
            b"b" => CellKind::Boolean,
            b"e" => CellKind::Error,
            b"d" => CellKind::Date,
            _ => CellKind::Unknown,
        }
    }
}

/// How far a pass has come.
struct SheetScanState {
    section: Section,
    limits: Limits,
    /// What stands before the names of the part's elements: nothing, or for example `x:`.
    prefix: Vec<u8>,
    /// Where the next cell without an address is, from 0.
    row: u32,
    column: u32,
    /// How many there have been, empty ones included.
    rows: u64,
    cells: u64,
    cell: XmlCellScan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    /// Before the first tag.
    Start,
    BeforeCells,
    Cells,
    BehindCells,
}

/// What a tag brought.
enum Found {
    Nothing,
    Cell,
    HiddenRow,
    Merged(MergedCells),
}

/// A cell put together from its tags.
#[derive(Default)]
struct XmlCellScan {
    is_open: bool,
    at: (u32, u32),
    style: usize,
    kind: CellKind,
    has_formula: bool,
    /// The text of `<v>`.
    stored: Option<String>,
    has_inline: bool,
    inline: RichText,
    inside: CellSection,
}

/// Below which element of a cell a tag stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum CellSection {
    #[default]
    Cell,
    InlineText,
    /// What later programs add.
    Extension,
}

impl<R: Read> SheetScan<R> {
    pub(super) fn new(xml: XmlScanner<R>, limits: Limits) -> SheetScan<R> {
        let state = SheetScanState {
            section: Section::Start,
            limits,
            prefix: Vec::new(),
            row: 0,
            column: 0,
            rows: 0,
            cells: 0,
            cell: XmlCellScan::default(),
        };
        SheetScan { xml, state, current: CurrentCell::Scanned, is_held: false }
    }

    /// Adds the cells of the row at hand, and gives the number of the next one from 0; none at the end.
    pub(super) fn fill_row(
        &mut self,
        strings: &SharedStrings,
        rows: &mut RowBuilder<'_>,
    ) -> Result<Option<u32>, ReadFault> {
        while let Some(item) = self.next()? {
            let SheetItem::Cell(cell) = item else { continue };
            if !rows.is_in(cell.row) {
                let row = cell.row;
                self.is_held = true;
                return Ok(Some(row));
            }
            rows.add(cell.column, cell.content(strings)?, cell.style)?;
        }
        Ok(None)
    }

    /// As [`SheetScan::next`], without the cells that can be passed over at a glance.
    pub(super) fn next_beside_cells(&mut self) -> Result<Option<SheetItem<'_>>, ReadFault> {
        if self.state.section == Section::Cells {
            if let CurrentCell::Plain(plain) = std::mem::replace(&mut self.current, CurrentCell::Scanned) {
                self.xml.skip(plain.len);
            }
            while self.state.is_between_cells()
                && let Some(len) = PlainCell::len(self.xml.unread())
            {
                self.xml.skip(len);
            }
        }
        self.next()
    }

    /// What comes next; none at the end of the part.
    pub(super) fn next(&mut self) -> Result<Option<SheetItem<'_>>, ReadFault> {
        if std::mem::take(&mut self.is_held) {
            return self.cell().map(Some);
        }
        if let CurrentCell::Plain(plain) = std::mem::replace(&mut self.current, CurrentCell::Scanned) {
            self.xml.skip(plain.len);
        }
        loop {
            if self.state.is_between_cells()
                && let Some(mut plain) = PlainCell::parse(self.xml.unread(), &self.state.prefix)
            {
                plain.at = Some(self.state.count_cell(plain.at)?);
                if plain.value == PlainValue::None {
                    self.xml.skip(plain.len);
                    continue;
                }
                self.current = CurrentCell::Plain(plain);
                return self.cell().map(Some);
            }
            let Some(tag) = self.xml.next()? else { return self.state.end().map(|()| None) };
            match self.state.observe(&tag)? {
                Found::Nothing => {}
                Found::Cell => return self.cell().map(Some),
                Found::HiddenRow => return Ok(Some(SheetItem::HiddenRow(u64::from(self.state.row) + 1))),
                Found::Merged(cells) => return Ok(Some(SheetItem::Merged(cells))),
            }
        }
    }

    /// The cell at hand.
    fn cell(&self) -> Result<SheetItem<'_>, ReadFault> {
        let CurrentCell::Plain(plain) = &self.current else { return self.state.cell.cell().map(SheetItem::Cell) };
        let (row, column) = plain.at.unwrap_or((self.state.row, self.state.column));
        let text = |range: &std::ops::Range<usize>| &self.xml.unread()[range.clone()];
        let value = match &plain.value {
            PlainValue::Inline(range) => StoredValue::Inline(text(range)),
            PlainValue::Stored(range) => StoredValue::Stored(text(range)),
            PlainValue::None => StoredValue::Stored(&[]),
        };
        Ok(SheetItem::Cell(SheetCell { row, column, style: plain.style, kind: plain.kind, value }))
    }
}

impl SheetScanState {
    #[inline]
    fn is_between_cells(&self) -> bool {
        self.section == Section::Cells && !self.cell.is_open
    }

    /// Counts a cell, and gives its row and column.
    fn count_cell(&mut self, at: Option<(u32, u32)>) -> Result<(u32, u32), ReadFault> {
        let at = at.unwrap_or((self.row, self.column));
        self.column = at.1.saturating_add(1);
        self.cells += 1;
        if self.cells > self.limits.cells { Err(too_many_cells()) } else { Ok(at) }
    }

    fn observe(&mut self, tag: &XmlTag<'_>) -> Result<Found, ReadFault> {
        match (self.section, tag.name) {
            (Section::Start | Section::BeforeCells, b"sheetData") => {
                self.section = if tag.kind == TagKind::Open { Section::Cells } else { Section::BehindCells };
                self.prefix = tag.prefix().to_vec();
                Ok(Found::Nothing)
            }
            (Section::Start, _) => {
                self.section = Section::BeforeCells;
                Ok(Found::Nothing)
            }
            (Section::Cells, _) if self.cell.is_open => self.observe_in_cell(tag),
            (Section::Cells, _) => self.observe_in_rows(tag),
            (_, b"mergeCell") if tag.kind != TagKind::Close => {
                Ok(tag.exact_attribute("ref").and_then(merged).map_or(Found::Nothing, Found::Merged))
            }
            _ => Ok(Found::Nothing),
        }
    }

    fn observe_in_rows(&mut self, tag: &XmlTag<'_>) -> Result<Found, ReadFault> {
        match (tag.name, tag.kind) {
            (b"sheetData", TagKind::Close) => self.section = Section::BehindCells,
            (b"row", TagKind::Open) => return self.begin_row(tag),
            (b"row", TagKind::Close) => self.end_row(),
            (b"row", TagKind::SelfClosing) => {
                self.begin_row(tag)?;
                self.end_row();
            }
            (b"c", TagKind::Open) => {
                let at = self.count_cell(address(tag)?)?;
                self.cell.begin(tag, at);
            }
            (b"c", TagKind::SelfClosing) => drop(self.count_cell(address(tag)?)?),
            _ => {}
        }
        Ok(Found::Nothing)
    }

    fn begin_row(&mut self, tag: &XmlTag<'_>) -> Result<Found, ReadFault> {
        self.rows += 1;
        if self.rows > MOST_ROWS {
            return Err(ReadFault::TooLarge { what: "more than 1,048,576 rows" });
        }
        if let Some(number) = tag.exact_attribute("r") {
            self.row = row_number(number).ok_or_else(no_address)?;
        }
        let is_hidden = matches!(tag.exact_attribute("hidden"), Some(b"1" | b"true"));
        Ok(if is_hidden { Found::HiddenRow } else { Found::Nothing })
    }

    fn end_row(&mut self) {
        self.row = self.row.saturating_add(1);
        self.column = 0;
    }

    fn observe_in_cell(&mut self, tag: &XmlTag<'_>) -> Result<Found, ReadFault> {
        match (tag.name, tag.kind) {
            (b"c", TagKind::Close) => {
                self.cell.is_open = false;
                Ok(if self.cell.is_empty() { Found::Nothing } else { Found::Cell })
            }
            (b"sheetData", TagKind::Close) => Err(cut_off()),
            (b"c" | b"row" | b"sheetData", _) => Err(contradiction()),
            _ => self.cell.observe(tag).map(|()| Found::Nothing),
        }
    }

    /// Whether the part may end here.
    fn end(&self) -> Result<(), ReadFault> {
        match self.section {
            Section::BehindCells => Ok(()),
            Section::BeforeCells => Err(contradiction()),
            Section::Start | Section::Cells => Err(cut_off()),
        }
    }
}

impl XmlCellScan {
    fn begin(&mut self, tag: &XmlTag<'_>, at: (u32, u32)) {
        let style = tag.exact_attribute("s").and_then(|style| std::str::from_utf8(style).ok()?.parse().ok());
        let kind = tag.exact_attribute("t").map(CellKind::named).unwrap_or_default();
        *self = XmlCellScan { is_open: true, at, style: style.unwrap_or(0), kind, ..XmlCellScan::default() };
    }

    /// Takes in a tag of the cell.
    fn observe(&mut self, tag: &XmlTag<'_>) -> Result<(), ReadFault> {
        match (tag.name, tag.kind) {
            (b"extLst", TagKind::Open) => self.inside = CellSection::Extension,
            (b"extLst", _) => self.inside = CellSection::Cell,
            _ if self.inside == CellSection::Extension => {}
            (b"is", kind) => {
                self.has_inline = true;
                self.inside = if kind == TagKind::Open { CellSection::InlineText } else { CellSection::Cell };
            }
            _ if self.inside == CellSection::InlineText => self.inline.observe(tag),
            (b"f", TagKind::Open | TagKind::SelfClosing) => self.has_formula = true,
            // Beside an inline text it says nothing more.
            (b"v", _) if self.kind == CellKind::Inline => {}
            (b"v", TagKind::SelfClosing) => self.stored = Some(String::new()),
            (b"v", TagKind::Close) => {
                let text = std::str::from_utf8(tag.whole_text).ok().and_then(unescaped).ok_or_else(broken_xml)?;
                let text = if self.kind == CellKind::Text { without_code_points(text) } else { text };
                self.stored = Some(text.into_owned());
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the stored text is a value.
    fn has_value(&self) -> bool {
        let is_value = |text: &String| self.kind == CellKind::Text || !text.trim_ascii().is_empty();
        self.stored.as_ref().is_some_and(is_value)
    }

    fn is_empty(&self) -> bool {
        !self.has_formula && self.stored.is_none() && !self.has_inline
    }

    fn cell(&self) -> Result<SheetCell<'_>, ReadFault> {
        let value = match &self.stored {
            Some(text) if self.has_value() || !self.has_formula => StoredValue::Stored(text.as_bytes()),
            _ if self.has_inline => StoredValue::Inline(self.inline.text()?.as_bytes()),
            _ => StoredValue::Unevaluated,
        };
        Ok(SheetCell { row: self.at.0, column: self.at.1, style: self.style, kind: self.kind, value })
    }
}

impl SheetCell<'_> {
    /// What the cell holds.
    fn content<'s>(&'s self, strings: &'s SharedStrings) -> Result<CellContent<'s>, ReadFault> {
        let text = match self.value {
            StoredValue::Unevaluated => return Ok(CellContent::Unevaluated),
            StoredValue::Inline(text) => return utf8(text).map(CellContent::Text),
            StoredValue::Stored(text) if self.kind == CellKind::Shared => return shared(text.trim_ascii(), strings),
            StoredValue::Stored(text) => utf8(text)?,
        };
        let word = text.trim_ascii();
        match self.kind {
            CellKind::Text => Ok(CellContent::Text(text)),
            CellKind::Date => Ok(CellContent::Iso(text)),
            CellKind::Unknown => Err(contradiction()),
            CellKind::Unstated if text.is_empty() => Ok(CellContent::Blank),
            CellKind::Unstated => Ok(word.parse().map_or(CellContent::Text(text), CellContent::Number)),
            _ if word.is_empty() => Ok(CellContent::Blank),
            CellKind::Number => word.parse().map(CellContent::Number).map_err(|_| no_number()),
            CellKind::Boolean => match word {
                "1" => Ok(CellContent::Boolean(true)),
                "0" => Ok(CellContent::Boolean(false)),
                _ if word.eq_ignore_ascii_case("true") => Ok(CellContent::Boolean(true)),
                _ if word.eq_ignore_ascii_case("false") => Ok(CellContent::Boolean(false)),
                _ => Err(contradiction()),
            },
            CellKind::Error => Ok(CellContent::Error(&word[..word.floor_char_boundary(LONGEST_ERROR)])),
            CellKind::Inline | CellKind::Shared => Ok(CellContent::Blank),
        }
    }
}

/// The shared text of that number.
#[inline]
fn shared<'s>(number: &[u8], strings: &'s SharedStrings) -> Result<CellContent<'s>, ReadFault> {
    if number.is_empty() {
        return Ok(CellContent::Blank);
    }
    let digit = |index: usize, byte: &u8| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        index.checked_mul(10)?.checked_add(usize::from(digit))
    };
    let index = number.iter().try_fold(0, digit).ok_or_else(no_number)?;
    strings.get(index).map(CellContent::Text).ok_or_else(contradiction)
}

#[inline]
fn utf8(text: &[u8]) -> Result<&str, ReadFault> {
    std::str::from_utf8(text).map_err(|_| broken_xml())
}

/// The address of a cell or none, where it has none.
fn address(tag: &XmlTag<'_>) -> Result<Option<(u32, u32)>, ReadFault> {
    tag.exact_attribute("r").map(|address| position(address).ok_or_else(no_address)).transpose()
}

fn merged(text: &[u8]) -> Option<MergedCells> {
    let ((first_row, first_column), (last_row, last_column)) = area(text)?;
    let (first_row, last_row) = (u64::from(first_row) + 1, u64::from(last_row) + 1);
    Some(MergedCells { first_row, last_row, first_column, last_column })
}

fn no_address() -> ReadFault {
    ReadFault::damaged("a cell without a proper address")
}

fn no_number() -> ReadFault {
    ReadFault::damaged("a text where a number should be")
}

fn broken_xml() -> ReadFault {
    ReadFault::damaged("its XML is broken")
}

fn cut_off() -> ReadFault {
    ReadFault::damaged("its XML ends too early")
}

fn contradiction() -> ReadFault {
    ReadFault::damaged("its parts contradict each other")
}

#[cfg(test)]
mod tests;
