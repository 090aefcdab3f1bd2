//! .ods: OpenDocument spreadsheets, through calamine.
//!
//! calamine keeps all cells in memory, writes repeated cells and rows out, and reads on forever where a part ends too
//! early. A look at the part's tags, to its very end, comes before ([`look`]). It also takes down how numbers are
//! shown, `06083` or `EUR 0.50`, since calamine gives their value alone.

mod look;

use std::io::BufReader;

use calamine::{Data, Ods, OdsError, Range, Reader};

use super::assembly::Held;
use super::guard::guarded;
use super::package::{Package, broken, unpacking};
use super::shown::{DateSystem, Formats};
use super::xls::each_row_of;
use super::{OnRow, SheetReader};
use crate::table::error::{FaultAt, ReadFault};
use crate::table::input::Source;
use crate::table::workbook::Sheet;
use look::{Look, ShownCell};

/// An .ods file, all of it in memory.
pub(in crate::table) struct OdsFile {
    formats: Formats,
    tabs: Vec<Tab>,
}

struct Tab {
    cells: Range<Data>,
    /// Formulas without a stored result, row and column from 0, in order.
    unevaluated: Vec<(u32, u32)>,
    shown: Vec<ShownCell>,
}

impl OdsFile {
    pub(in crate::table) fn open(source: Source) -> Result<(OdsFile, Vec<Sheet>), ReadFault> {
        let mut package = Package::open(&source)?;
        if package.text("META-INF/manifest.xml")?.contains("encryption-data") {
            return Err(ReadFault::Password);
        }
        look_at(&mut package, "META-INF/manifest.xml")?;
        let mut look = look_at(&mut package, "content.xml")?;
        drop(package);
        let file = BufReader::new(source.open()?);
        let mut book: Ods<_> = guarded(|| Ods::new(file).map_err(|error| damage(&error)))?;
        let (mut tabs, mut sheets) = (Vec::new(), Vec::new());
        for sheet in book.sheets_metadata().to_vec() {
            let mut read = || -> Result<Tab, OdsError> {
                let cells = book.worksheet_range(&sheet.name)?;
                let formulas = book.worksheet_formula(&sheet.name)?;
                let shown = look.take_shown(&sheet.name);
                Ok(Tab { unevaluated: unevaluated(&cells, &formulas), cells, shown })
            };
            tabs.push(guarded(|| read().map_err(|error| damage(&error)))?);
            sheets.push(Sheet::new(&sheet.name, sheet.visible));
        }
        if tabs.is_empty() {
            return Err(ReadFault::NoSheets);
        }
        let formats = Formats::new(std::iter::empty(), DateSystem::From1900);
        Ok((OdsFile { formats, tabs }, sheets))
    }
}

fn look_at(package: &mut Package, part: &str) -> Result<Look, ReadFault> {
    let missing = ReadFault::Damaged { detail: format!("its part `{}` is missing", part.escape_debug()) };
    Look::take(package.part(part)?.ok_or(missing)?)
}

fn unevaluated(cells: &Range<Data>, formulas: &Range<String>) -> Vec<(u32, u32)> {
    let Some((first_row, first_column)) = formulas.start() else { return Vec::new() };
    let position = |(row, column, _): (usize, usize, &String)| (first_row + row as u32, first_column + column as u32);
    let has_no_value = |at: &(u32, u32)| cells.get_value(*at).is_none_or(|value| *value == Data::Empty);
    formulas.used_cells().map(position).filter(has_no_value).collect()
}

impl SheetReader for OdsFile {
    fn each_row(&mut self, sheet: usize, on_row: &mut OnRow<'_>) -> Result<(), FaultAt> {
        let Some(tab) = self.tabs.get(sheet) else { return Ok(()) };
        let mut shown = tab.shown.as_slice();
        let hold = |row, column, value| (held(tab, &mut shown, (row, column), value), 0);
        each_row_of(&tab.cells, &mut self.formats, hold, on_row)
    }
}

/// What a cell holds; `shown` is what of the table's shown cells has not been passed.
fn held<'a>(tab: &'a Tab, shown: &mut &'a [ShownCell], at: (u32, u32), value: &'a Data) -> Held<'a> {
    match value {
        Data::Empty if tab.unevaluated.binary_search(&at).is_ok() => Held::Unevaluated,
        Data::Float(number) => match look::shown_at(shown, at) {
            Some(text) => Held::Shown(text, *number),
            None => Held::from(value),
        },
        Data::String(text) if is_error(text) => Held::Error(text),
        value => Held::from(value),
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
    let damaged = |detail: &str| ReadFault::Damaged { detail: detail.into() };
    match error {
        OdsError::Io(error) => unpacking(error),
        OdsError::Zip(error) => broken(error),
        OdsError::Password => ReadFault::Password,
        OdsError::CellLimitExceeded { .. } => {
            ReadFault::TooLarge { what: "its sheets span more than 20 million cells" }
        }
        OdsError::FileNotFound(part) => {
            ReadFault::Damaged { detail: format!("its part `{}` is missing", part.escape_debug()) }
        }
        OdsError::Eof(_) => damaged("its XML ends too early"),
        OdsError::Xml(_) | OdsError::XmlAttr(_) | OdsError::AttrError(_) => damaged("its XML is broken"),
        OdsError::ParseInt(_) | OdsError::ParseFloat(_) | OdsError::ParseBool(_) => damaged("a number that is none"),
        _ => damaged("its parts contradict each other"),
    }
}
