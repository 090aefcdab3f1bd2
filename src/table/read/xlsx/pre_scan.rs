//! Pre-scan of a sheet's XML for what calamine's stream of cells leaves out or reads wrongly.
//!
//! The stream gives a blank for a formula whose result was never stored, and it stops for good at an error value that
//! came after 2007, such as `#SPILL!`. Most sheets have neither formulas nor errors, and two byte searches on the
//! unpacked part say so, at a tenth of the time of reading it. Only the others are looked at tag by tag. What is found
//! is kept by the cell's place in the stream, which calamine's stream shares: one item per `<c>`, in the part's order.

use std::collections::HashSet;
use std::io::Read;

use memchr::memmem::Finder;

use super::super::damage::unpacking;
use super::super::limits::{LONGEST_SHEET_NAME, Limits, MOST_ROWS, too_many_cells};
use super::super::package::{Package, PartId, resolved_target};
use super::super::xml_scanner::{TagKind, XmlScanner, XmlTag};
use super::shared_strings::{LONGEST_RUN, RUN_SIGNS, RichText};
use crate::table::error::ReadFault;
use crate::table::layout::{MergedCells, SheetLayout};

/// Cells that need a word, in the order of the stream.
#[derive(Debug, Default)]
pub(super) struct XlsxPreScan {
    /// Places in the stream of formulas without a stored result.
    unevaluated: Vec<u32>,
    errors: Vec<UnknownError>,
    pub(super) layout: SheetLayout,
    /// Relations of the sheet's tables.
    tables: HashSet<String>,
    /// Texts in several formats, and their places in the stream.
    texts: Vec<(u32, Box<str>)>,
    /// About how many bytes all of this takes.
    size: u64,
}

/// Tables of one sheet.
const MOST_TABLES: usize = 1_000;
/// The longest error value that is kept, in bytes.
const LONGEST_ERROR: usize = 64;

/// A cell with an error value that calamine does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnknownError {
    place: u32,
    /// From 0.
    pub(super) row: u32,
    pub(super) column: u32,
    pub(super) text: String,
}

/// The error values that calamine reads.
const KNOWN_ERRORS: &[&[u8]] = &[b"#DIV/0!", b"#N/A", b"#NAME?", b"#NULL!", b"#NUM!", b"#REF!", b"#VALUE!"];

impl XlsxPreScan {
    /// Looks at a sheet; `name` is the name of its part.
    pub(super) fn take(package: &mut Package, part: PartId, name: &str) -> Result<XlsxPreScan, ReadFault> {
        if !package.is_suspicious(part) && !needs_scan(package.part(part)?)? {
            return Ok(XlsxPreScan::default());
        }
        let limits = package.limits;
        let mut pre_scan = scan(XmlScanner::keeping(package.part(part)?, LONGEST_RUN), limits)?;
        pre_scan.find_totals(package, name)?;
        Ok(pre_scan)
    }

    /// Looks up which rows the sheet's tables declare to be totals.
    fn find_totals(&mut self, package: &mut Package, name: &str) -> Result<(), ReadFault> {
        let tables = std::mem::take(&mut self.tables);
        if tables.is_empty() {
            return Ok(());
        }
        let mut parts = Vec::new();
        package.each_relation(name, |relation| {
            parts.extend(tables.contains(&relation.id).then(|| resolved_target(name, &relation.target)));
            if parts.len() > MOST_TABLES { Err(too_many_tables()) } else { Ok(()) }
        })?;
        for part in parts.iter().filter_map(|part| package.find(part)).collect::<HashSet<_>>() {
            let mut scanner = package.xml(part)?;
            while let Some(tag) = scanner.next()? {
                if tag.name == b"table" && tag.kind == TagKind::Open {
                    self.add_totals(&tag);
                    break;
                }
            }
        }
        Ok(())
    }

    /// The last rows of a table are its totals.
    fn add_totals(&mut self, tag: &XmlTag<'_>) {
        let count: u32 = tag.text_attribute("totalsRowCount").and_then(|count| count.parse().ok()).unwrap_or(0);
        let Some((_, (last, _))) = tag.attribute("ref").and_then(area) else { return };
        for above in 0..count.min(10) {
            self.layout.add_totals_row(u64::from(last.saturating_sub(above)) + 1);
        }
    }

    fn add_table(&mut self, tag: &XmlTag<'_>) -> Result<(), ReadFault> {
        self.tables.extend(tag.text_attribute("id").filter(|id| id.len() < LONGEST_SHEET_NAME));
        if self.tables.len() > MOST_TABLES { Err(too_many_tables()) } else { Ok(()) }
    }

    pub(super) fn cursor(&self) -> ScanCursor<'_> {
        ScanCursor { pre_scan: self, unevaluated: 0, errors: 0, texts: 0 }
    }
}

/// The findings of the pre-scan, asked for in the order of the stream.
pub(super) struct ScanCursor<'a> {
    pre_scan: &'a XlsxPreScan,
    unevaluated: usize,
    errors: usize,
    texts: usize,
}

impl<'a> ScanCursor<'a> {
    /// Whether the formula at this place of the stream has no stored result.
    pub(super) fn is_unevaluated(&mut self, place: u32) -> bool {
        let unevaluated = &self.pre_scan.unevaluated;
        self.unevaluated += unevaluated[self.unevaluated..].iter().take_while(|other| **other < place).count();
        unevaluated.get(self.unevaluated) == Some(&place)
    }

    /// The text at this place of the stream that calamine reads wrongly.
    pub(super) fn rich_text(&mut self, place: u32) -> Option<&'a str> {
        let texts = &self.pre_scan.texts;
        self.texts += texts[self.texts..].iter().take_while(|(other, _)| *other < place).count();
        texts.get(self.texts).filter(|(other, _)| *other == place).map(|(_, text)| &**text)
    }

    /// The error value at this place of the stream that calamine does not know.
    pub(super) fn unknown_error(&mut self, place: u32) -> Option<&'a UnknownError> {
        let errors = &self.pre_scan.errors;
        self.errors += errors[self.errors..].iter().take_while(|other| other.place < place).count();
        errors.get(self.errors).filter(|error| error.place == place)
    }
}

/// Whether the bytes of a formula, an error cell, a hidden row or a text in several formats occur before the end of the
/// cells, or those of merged cells or a table behind it.
fn needs_scan(sheet: impl Read) -> Result<bool, ReadFault> {
    let [run, run_with_attributes] = RUN_SIGNS;
    let signs = SearchedSigns {
        root: b"<worksheet",
        inside: &[b"<f", b"t=\"e\"", b"t='e'", b"hidden=", run, run_with_attributes],
        end: b"</sheetData>",
        behind: &[b"mergeCell ", b"tablePart "],
    };
    signs.occur_in(sheet)
}

/// Byte sequences that show whether a part has to be looked at tag by tag.
struct SearchedSigns<'s> {
    root: &'s [u8],
    /// Looked for before `end`.
    inside: &'s [&'s [u8]],
    end: &'s [u8],
    /// Looked for behind `end`.
    behind: &'s [&'s [u8]],
}

impl SearchedSigns<'_> {
    /// Whether one of the signs occurs in a part; yes in case of doubt.
    fn occur_in(&self, mut part: impl Read) -> Result<bool, ReadFault> {
        const CHUNK: usize = 128 * 1024;
        const OVERLAP: usize = 16;
        let [inside, behind] =
            [self.inside, self.behind].map(|signs| signs.iter().map(|sign| Finder::new(*sign)).collect::<Vec<_>>());
        let end = Finder::new(self.end);
        let mut is_behind = false;
        let mut buffer = vec![0; OVERLAP + CHUNK];
        let mut kept = 0;
        let mut is_first = true;
        loop {
            let read = part.read(&mut buffer[kept..]).map_err(|error| unpacking(&error))?;
            let bytes = &buffer[..kept + read];
            if is_first && read > 0 {
                // A prefix, as in `<x:worksheet>`, or another encoding: the byte searches would see nothing.
                if memchr::memmem::find(&bytes[..bytes.len().min(1024)], self.root).is_none() {
                    return Ok(true);
                }
                is_first = false;
            }
            let end_at = if is_behind { Some(0) } else { end.find(bytes) };
            let (before, after) = bytes.split_at(end_at.unwrap_or(bytes.len()));
            is_behind = end_at.is_some();
            let has_any = |signs: &[Finder<'_>], bytes: &[u8]| signs.iter().any(|sign| sign.find(bytes).is_some());
            if has_any(&inside, before) || has_any(&behind, after) {
                return Ok(true);
            }
            if read == 0 || (is_behind && behind.is_empty()) {
                return Ok(false);
            }
            let filled = bytes.len();
            let keep = filled.min(OVERLAP);
            buffer.copy_within(filled - keep..filled, 0);
            kept = keep;
        }
    }
}

/// Goes through the cells one by one.
fn scan(mut scanner: XmlScanner<impl Read>, limits: Limits) -> Result<XlsxPreScan, ReadFault> {
    let mut pre_scan = XlsxPreScan::default();
    let mut cell = CellScan::default();
    let mut is_inside = false;
    let mut place: u32 = 0;
    let (mut row, mut column, mut rows) = (0_u32, 0_u32, 0_u64);
    while let Some(tag) = scanner.next()? {
        match (tag.name, tag.kind) {
            (b"sheetData", kind) => is_inside = kind == TagKind::Open,
            (b"mergeCell", TagKind::Open | TagKind::SelfClosing) => pre_scan.layout.add_merged(&tag),
            (b"tablePart", TagKind::Open | TagKind::SelfClosing) => pre_scan.add_table(&tag)?,
            _ if !is_inside => {}
            (b"row", TagKind::Open) => {
                rows += 1;
                row = tag.attribute("r").and_then(row_number).unwrap_or(row);
                column = 0;
                if matches!(tag.attribute("hidden"), Some(b"1" | b"true")) {
                    pre_scan.layout.hide(u64::from(row) + 1, u64::from(row) + 1);
                }
            }
            (b"row", TagKind::Close) => row = row.saturating_add(1),
            (b"row", TagKind::SelfClosing) => rows += 1,
            (b"c", TagKind::Open) => {
                let at = tag.attribute("r").and_then(position).unwrap_or((row, column));
                column = at.1.saturating_add(1);
                cell.begin(&tag, at);
            }
            (b"c", TagKind::Close) => {
                cell.end(&mut pre_scan, place);
                place = place.saturating_add(1);
            }
            (b"c", TagKind::SelfClosing) => {
                column = tag.attribute("r").and_then(position).map_or(column, |(_, column)| column).saturating_add(1);
                place = place.saturating_add(1);
            }
            (b"f", TagKind::Open | TagKind::SelfClosing) => cell.has_formula = true,
            (b"v" | b"t", TagKind::Close) => {
                cell.take_value(&tag);
                cell.rich.observe(&tag);
            }
            _ => cell.rich.observe(&tag),
        }
        if u64::from(place) > limits.cells.min(u64::from(u32::MAX - 1)) {
            return Err(too_many_cells());
        }
        if rows > MOST_ROWS {
            return Err(ReadFault::TooLarge { what: "more than 1,048,576 rows" });
        }
        if pre_scan.size > limits.findings {
            return Err(ReadFault::Bloated);
        }
    }
    Ok(pre_scan)
}

fn too_many_tables() -> ReadFault {
    ReadFault::TooLarge { what: "more than 1,000 tables on a sheet" }
}

/// What the tags of one cell said.
#[derive(Debug, Default)]
struct CellScan {
    at: (u32, u32),
    kind: CellKind,
    has_formula: bool,
    has_value: bool,
    error: Option<String>,
    /// The runs of an inline text.
    rich: RichText,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum CellKind {
    /// `t="str"`: an empty value is the empty text.
    FormulaText,
    Error,
    InlineText,
    #[default]
    Other,
}

impl CellScan {
    fn begin(&mut self, tag: &XmlTag<'_>, at: (u32, u32)) {
        let kind = match tag.attribute("t") {
            Some(b"str") => CellKind::FormulaText,
            Some(b"e") => CellKind::Error,
            Some(b"inlineStr") => CellKind::InlineText,
            _ => CellKind::Other,
        };
        *self = CellScan { at, kind, ..CellScan::default() };
    }

    fn take_value(&mut self, tag: &XmlTag<'_>) {
        self.has_value |= !tag.text.is_empty() || self.kind == CellKind::FormulaText;
        if self.kind == CellKind::Error && !KNOWN_ERRORS.contains(&tag.text) && !tag.text.is_empty() {
            self.error = Some(String::from_utf8_lossy(&tag.text[..tag.text.len().min(LONGEST_ERROR)]).into_owned());
        }
    }

    fn end(&mut self, pre_scan: &mut XlsxPreScan, place: u32) {
        const FINDING: usize = 48;
        if let Some(text) = self.error.take() {
            pre_scan.size += (FINDING + text.len()) as u64;
            pre_scan.errors.push(UnknownError { place, row: self.at.0, column: self.at.1, text });
        } else if self.has_formula && !self.has_value {
            // Four bytes, and as much while the list grows.
            pre_scan.size += 8;
            pre_scan.unevaluated.push(place);
        } else if self.kind == CellKind::InlineText
            && let Some(text) = std::mem::take(&mut self.rich).corrected()
        {
            pre_scan.size += (FINDING + text.len()) as u64;
            pre_scan.texts.push((place, text.into()));
        }
    }
}

impl SheetLayout {
    fn add_merged(&mut self, tag: &XmlTag<'_>) {
        if let Some(((first_row, first_column), (last_row, last_column))) = tag.attribute("ref").and_then(area) {
            let (first_row, last_row) = (u64::from(first_row) + 1, u64::from(last_row) + 1);
            self.merge(MergedCells { first_row, last_row, first_column, last_column });
        }
    }
}

/// `A1:C7`, by its corners.
fn area(text: &[u8]) -> Option<((u32, u32), (u32, u32))> {
    let colon = memchr::memchr(b':', text)?;
    Some((position(&text[..colon])?, position(&text[colon + 1..])?))
}

/// `7` is row 6.
fn row_number(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse::<u32>().ok()?.checked_sub(1)
}

/// `C7` is row 6, column 2.
fn position(text: &[u8]) -> Option<(u32, u32)> {
    let digits = text.iter().position(u8::is_ascii_digit)?;
    let letter = |column: u32, byte: &u8| {
        let digit = byte.to_ascii_uppercase().checked_sub(b'A')?;
        column.checked_mul(26)?.checked_add(u32::from(digit) + 1)
    };
    let column = text[..digits].iter().try_fold(0, letter)?;
    Some((row_number(&text[digits..])?, column.checked_sub(1)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn pre_scan(cells: &str) -> XlsxPreScan {
        let xml = format!("<worksheet><cols/><sheetData>{cells}</sheetData><formula>x</formula></worksheet>");
        assert_eq!(
            needs_scan(xml.as_bytes()).unwrap(),
            cells.contains("<f") || cells.contains("\"e\"") || cells.contains("<r>"),
            "{cells}"
        );
        scan(XmlScanner::keeping(xml.as_bytes(), LONGEST_RUN), Limits::of(0)).unwrap()
    }

    #[test]
    fn formulas_without_a_result_are_found() {
        let found = pre_scan(
            "<row r=\"1\"><c r=\"A1\"/><c r=\"B1\"><f>1+1</f><v>2</v></c><c r=\"C1\"><f>A1</f></c></row>\
             <row r=\"2\"><c r=\"A2\"><f>A1</f><v></v></c><c r=\"B2\" t=\"str\"><f>A1</f><v></v></c>\
             <c r=\"C2\"><f t=\"shared\" si=\"0\"/></c></row>",
        );
        assert_eq!(found.unevaluated, [2, 3, 5]);
        assert!(found.errors.is_empty());
    }

    #[test]
    fn new_error_values_are_found() {
        let found = pre_scan(
            "<row r=\"7\"><c r=\"B7\" t=\"e\"><v>#N/A</v></c><c r=\"D7\" t=\"e\"><f>X()</f><v>#SPILL!</v></c></row>",
        );
        assert_eq!(found.errors, [UnknownError { place: 1, row: 6, column: 3, text: "#SPILL!".into() }]);
        assert!(found.unevaluated.is_empty());
    }

    #[test]
    fn texts_in_several_formats_are_found() {
        let found = pre_scan(
            "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>3</v></c><c r=\"C1\"><v>3</v></c>\
             <c r=\"D1\" t=\"inlineStr\"><is><r><t>c </t></r><r><t>d</t></r></is></c></row>",
        );
        assert_eq!(found.texts, [(2, Box::from("c d"))]);
    }

    #[test]
    fn a_plain_sheet_needs_no_look() {
        pre_scan(
            "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"inlineStr\"><is><t>x</t></is></c></row>",
        );
    }

    #[test]
    fn hidden_rows_merged_cells_and_tables_are_found() {
        let cells = "<row r=\"1\"><c r=\"A1\"/></row><row r=\"3\" hidden=\"1\"><c r=\"A3\"/></row>";
        let tail = "<mergeCells count=\"1\"><mergeCell ref=\"B2:B4\"/></mergeCells><tableParts><tablePart r:id=\"rId7\"/></tableParts>";
        for (cells, tail) in [(cells, ""), ("", tail), (cells, tail)] {
            let xml = format!("<worksheet><sheetData>{cells}</sheetData><pageMargins/>{tail}</worksheet>");
            assert!(needs_scan(xml.as_bytes()).unwrap(), "{xml}");
            let found = scan(XmlScanner::new(xml.as_bytes()), Limits::of(0)).unwrap();
            assert_eq!(found.layout.is_hidden(3), !cells.is_empty());
            let merged = MergedCells { first_row: 2, last_row: 4, first_column: 1, last_column: 1 };
            assert_eq!(found.layout.merged_below(1), if tail.is_empty() { vec![] } else { vec![merged] });
            assert_eq!(found.tables.len(), usize::from(!tail.is_empty()));
        }
    }

    #[test]
    fn a_prefix_is_no_obstacle() {
        let xml = b"<x:worksheet><x:sheetData><x:row><x:c><x:f>1</x:f></x:c></x:row></x:sheetData></x:worksheet>";
        assert!(needs_scan(&xml[..]).unwrap());
        assert_eq!(scan(XmlScanner::new(&xml[..]), Limits::of(0)).unwrap().unevaluated, [0]);
    }

    #[test]
    fn positions() {
        assert_eq!(position(b"C7"), Some((6, 2)));
        assert_eq!(position(b"XFD1048576"), Some((1_048_575, 16_383)));
        assert_eq!(position(b"ZZZZZZZZZ1"), None);
        assert_eq!(position(b"7"), None);
        assert_eq!(position(b"C0"), None);
    }
}
