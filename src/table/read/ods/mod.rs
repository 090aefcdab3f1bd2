//! .ods: OpenDocument spreadsheets, through calamine.
//!
//! calamine keeps all cells in memory, writes repeated cells and rows out, and reads on forever where a part ends too
//! early. A look at the part's tags, to its very end, comes before ([`pre_scan`]). It also takes down how numbers are
//! shown, `06083` or `EUR 0.50`, since calamine gives their value alone.

mod pre_scan;

use std::io::BufReader;

use calamine::{Data, Ods, OdsError, Range, Reader};

use super::damage::{broken, guarded, unpacking};
use super::number_format::NumberFormats;
use super::package::Package;
use super::row_builder::CellContent;
use super::serial_date::DateSystem;
use super::xls::each_row_of;
use super::{OnRow, SheetReader};
use crate::table::error::{LocatedFault, ReadFault};
use crate::table::input::ReopenableInput;
use crate::table::layout::SheetLayout;
use crate::table::sheet::Sheet;
use pre_scan::{FormattedCell, OdsPreScan};

/// An .ods file, all of it in memory.
pub(in crate::table) struct OdsFile {
    formats: NumberFormats,
    tabs: Vec<OdsTab>,
}

struct OdsTab {
    cells: Range<Data>,
    /// Formulas without a stored result, row and column from 0, in order.
    unevaluated: Vec<(u32, u32)>,
    formatted: Vec<FormattedCell>,
    layout: SheetLayout,
}

impl OdsFile {
    pub(in crate::table) fn open(source: ReopenableInput) -> Result<(OdsFile, Vec<Sheet>), ReadFault> {
        let mut package = Package::open(&source)?;
        if package.text("META-INF/manifest.xml")?.contains("encryption-data") {
            return Err(ReadFault::Password);
        }
        look_at(&mut package, "META-INF/manifest.xml")?;
        let mut pre_scan = look_at(&mut package, "content.xml")?;
        drop(package);
        let file = BufReader::new(source.open()?);
        let mut book: Ods<_> = guarded(|| Ods::new(file).map_err(|error| damage(&error)))?;
        let (mut tabs, mut sheets) = (Vec::new(), Vec::new());
        for sheet in book.sheets_metadata().to_vec() {
            let mut read = || -> Result<OdsTab, OdsError> {
                let cells = book.worksheet_range(&sheet.name)?;
                let formulas = book.worksheet_formula(&sheet.name)?;
                let formatted = pre_scan.take_formatted(&sheet.name);
                let layout = pre_scan.take_layout(&sheet.name);
                Ok(OdsTab { unevaluated: unevaluated(&cells, &formulas), cells, formatted, layout })
            };
            tabs.push(guarded(|| read().map_err(|error| damage(&error)))?);
            sheets.push(Sheet::new(&sheet.name, sheet.visible));
        }
        if tabs.is_empty() {
            return Err(ReadFault::NoSheets);
        }
        let codes: Vec<String> = pre_scan.currencies.iter().map(|code| format!("[${code}]0")).collect();
        let formats = NumberFormats::new(codes.iter().map(String::as_str), DateSystem::From1900);
        Ok((OdsFile { formats, tabs }, sheets))
    }
}

fn look_at(package: &mut Package, part: &str) -> Result<OdsPreScan, ReadFault> {
    OdsPreScan::take(package.part(part)?.ok_or_else(|| ReadFault::missing_part(part))?)
}

fn unevaluated(cells: &Range<Data>, formulas: &Range<String>) -> Vec<(u32, u32)> {
    let Some((first_row, first_column)) = formulas.start() else { return Vec::new() };
    let position = |(row, column, _): (usize, usize, &String)| (first_row + row as u32, first_column + column as u32);
    let has_no_value = |at: &(u32, u32)| cells.get_value(*at).is_none_or(|value| *value == Data::Empty);
    formulas.used_cells().map(position).filter(has_no_value).collect()
}

impl SheetReader for OdsFile {
    fn each_row(&mut self, sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), LocatedFault> {
        let Some(tab) = self.tabs.get(sheet) else { return Ok(()) };
        let mut formatted = tab.formatted.as_slice();
        let hold = |row, column, value| (content(tab, &mut formatted, (row, column), value), 0);
        each_row_of(&tab.cells, &mut self.formats, hold, on_row)
    }

    fn layout(&mut self, sheet: usize) -> Result<SheetLayout, LocatedFault> {
        Ok(self.tabs.get(sheet).map(|tab| tab.layout.clone()).unwrap_or_default())
    }
}

/// What a cell holds; `shown` is what of the table's shown cells has not been passed.
fn content<'a>(
    tab: &'a OdsTab,
    formatted: &mut &'a [FormattedCell],
    at: (u32, u32),
    value: &'a Data,
) -> CellContent<'a> {
    match value {
        Data::Empty if tab.unevaluated.binary_search(&at).is_ok() => CellContent::Unevaluated,
        Data::Float(number) => match pre_scan::formatted_at(formatted, at) {
            Some(shown) => CellContent::Formatted(&shown.text, *number, shown.currency),
            None => CellContent::from(value),
        },
        Data::String(text) if is_error(text) => CellContent::Error(text),
        value => CellContent::from(value),
    }
}

/// calamine gives error values as the text that is shown.
fn is_error(text: &str) -> bool {
    const ERRORS: &[&str] = &["#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"];
    let is_numbered = text.strip_prefix("Err:").is_some_and(|code| code.len() == 3 && code.parse::<u16>().is_ok());
    ERRORS.contains(&text) || is_numbered
}

/// What calamine found, in the user's words.
fn damage(error: &OdsError) -> ReadFault {
    match error {
        OdsError::Io(error) => unpacking(error),
        OdsError::Zip(error) => broken(error),
        OdsError::Password => ReadFault::Password,
        OdsError::CellLimitExceeded { .. } => {
            ReadFault::TooLarge { what: "its sheets span more than 20 million cells" }
        }
        OdsError::FileNotFound(part) => ReadFault::missing_part(part),
        OdsError::Eof(_) => ReadFault::damaged("its XML ends too early"),
        OdsError::Xml(_) | OdsError::XmlAttr(_) | OdsError::AttrError(_) => ReadFault::damaged("its XML is broken"),
        OdsError::ParseInt(_) | OdsError::ParseFloat(_) | OdsError::ParseBool(_) => {
            ReadFault::damaged("a number that is none")
        }
        _ => ReadFault::damaged("its parts contradict each other"),
    }
}
