//! Reads an earlier register: the opening balance of a roll-forward.
//!
//! The file is an unedited workbook or CSV written by `export register`. Its figures are checked and never corrected:
//! an edited opening would no longer match the closing it once was.

use std::ops::ControlFlow;
use std::path::Path;

use hashbrown::HashMap;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::columns::{COLUMNS, ColumnSource};
use super::currency::{Currency, rounded};
use super::error::{PreviousProblem, RegisterError};
use super::item::ItemKind;
use super::line::{ItemState, RegisterLine};
use super::record::iso_date;
use super::totals::NONE;
use crate::table::{Cell, FileKind, Input, ReadOptions, Row, Value, Workbook};

/// The sheet of the workbook with one line per item.
pub(super) const REGISTER_SHEET: &str = "Register";
/// The sheet that names the account.
pub(super) const SUMMARY_SHEET: &str = "Summary";

#[derive(Debug, Default)]
pub(super) struct PreviousRegister {
    /// Its as-of date; none if it has no lines.
    pub(super) as_of: Option<Date>,
    pub(super) entries: HashMap<(ItemKind, i64), RegisterEntry>,
}

/// What a roll-forward compares of a line: of an earlier register, or of this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RegisterEntry {
    pub(super) kind: ItemKind,
    pub(super) id: i64,
    pub(super) tag: String,
    pub(super) title: String,
    pub(super) category: String,
    pub(super) currency: Currency,
    pub(super) state: ItemState,
    pub(super) cost: Option<Decimal>,
    pub(super) accumulated: Option<Decimal>,
    pub(super) book_value: Option<Decimal>,
}

impl RegisterEntry {
    /// The entry of a line of this register.
    pub(super) fn of(line: &RegisterLine) -> Self {
        let (item, figures) = (&line.item, line.figures.as_ref());
        Self {
            kind: item.kind,
            id: item.id,
            tag: item.tag.clone(),
            title: item.title.clone(),
            category: item.category.clone(),
            currency: item.currency.clone(),
            state: line.state,
            cost: item.cost.as_ref().ok().copied(),
            accumulated: figures.map(|figures| figures.accumulated),
            book_value: figures.map(|figures| figures.book_value),
        }
    }
}

impl PreviousRegister {
    /// Reads the register at `path`, to be rolled forward to `present`.
    pub(super) fn read(path: &Path, present: Date) -> Result<PreviousRegister, RegisterError> {
        let wrong = |problem| RegisterError::Previous { file: path.to_owned(), problem };
        let mut book = Workbook::open(&Input::Path(path.to_owned()), &ReadOptions::default())?;
        let sheet_of = |name: &str| book.sheets().iter().position(|sheet| sheet.name.as_deref() == Some(name));
        let sheet = if book.kind() == FileKind::Csv { Some(0) } else { sheet_of(REGISTER_SHEET) };
        let sheet = sheet.ok_or_else(|| wrong(PreviousProblem::SheetMissing))?;
        // A CSV file that was saved as a workbook has one sheet, and keeps its escapes.
        let has_escapes = book.kind() == FileKind::Csv || sheet_of(SUMMARY_SHEET).is_none();
        let mut reader = PreviousReader { has_escapes, positions: None, previous: PreviousRegister::default() };
        let mut read = Ok(());
        book.each_row(sheet, &mut |row| {
            read = reader.row(row);
            if read.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        read.map_err(wrong)?;
        if reader.positions.is_none() {
            return Err(wrong(PreviousProblem::ColumnMissing { column: COLUMNS[0].name }));
        }
        match reader.previous.as_of {
            Some(as_of) if as_of > present => {
                Err(wrong(PreviousProblem::Later { as_of: as_of.to_string(), present: present.to_string() }))
            }
            _ => Ok(reader.previous),
        }
    }
}

const NEEDED: [ColumnSource; 11] = {
    use ColumnSource::*;
    [Kind, Id, Tag, Title, Category, State, Currency, Cost, Accumulated, BookValue, Day]
};

struct PreviousReader {
    /// Whether an apostrophe in front of a formula is an escape, as in CSV, and not part of the text.
    has_escapes: bool,
    /// The positions of the columns of [`NEEDED`]; none before the header row was read.
    positions: Option<[usize; NEEDED.len()]>,
    previous: PreviousRegister,
}

impl PreviousReader {
    fn row(&mut self, row: &Row) -> Result<(), PreviousProblem> {
        let Some(positions) = self.positions else {
            self.positions = Some(positions(row)?);
            return Ok(());
        };
        let line = PreviousLine { row, has_escapes: self.has_escapes, positions };
        let entry = line.entry()?;
        let as_of = line.date(ColumnSource::Day)?;
        match self.previous.as_of {
            Some(known) if known != as_of => {
                let (as_of, found) = (known.to_string(), as_of.to_string());
                return Err(PreviousProblem::TwoDays { row: row.number, as_of, found });
            }
            _ => self.previous.as_of = Some(as_of),
        }
        let (kind, id) = (entry.kind, entry.id);
        match self.previous.entries.insert((kind, id), entry) {
            Some(_) => Err(PreviousProblem::Twice { row: row.number, kind: kind.name(), id }),
            None => Ok(()),
        }
    }
}

fn positions(header: &Row) -> Result<[usize; NEEDED.len()], PreviousProblem> {
    let mut positions = [0; NEEDED.len()];
    for (position, needed) in positions.iter_mut().zip(NEEDED) {
        let column = needed.column();
        let is_it = |at: &usize| [column.name, column.title].contains(&header.cell(*at).text.trim());
        let found = (0..header.len()).find(is_it);
        *position = found.ok_or(PreviousProblem::ColumnMissing { column: column.name })?;
    }
    Ok(positions)
}

/// A row, with the positions of its columns.
struct PreviousLine<'a> {
    row: &'a Row,
    has_escapes: bool,
    positions: [usize; NEEDED.len()],
}

impl PreviousLine<'_> {
    fn cell(&self, of: ColumnSource) -> Cell<'_> {
        let Some(at) = NEEDED.iter().position(|needed| *needed == of) else { return Cell::BLANK };
        let column = self.positions[at];
        let as_written = if self.has_escapes { None } else { self.row.cell_with_apostrophe(column) };
        as_written.unwrap_or_else(|| self.row.cell(column))
    }

    fn entry(&self) -> Result<RegisterEntry, PreviousProblem> {
        let kind = ItemKind::parse(self.cell(ColumnSource::Kind).text);
        let id = self.amount(ColumnSource::Id)?.and_then(|id| i64::try_from(id).ok());
        let state = ItemState::parse(self.cell(ColumnSource::State).text);
        let category = self.cell(ColumnSource::Category).text.trim();
        let entry = RegisterEntry {
            kind: kind.ok_or_else(|| self.wrong(ColumnSource::Kind, "`asset` or `license`"))?,
            id: id.ok_or_else(|| self.wrong(ColumnSource::Id, "an id"))?,
            tag: self.cell(ColumnSource::Tag).text.to_owned(),
            title: self.cell(ColumnSource::Title).text.to_owned(),
            category: if category == NONE { String::new() } else { category.to_owned() },
            currency: Currency::of(self.cell(ColumnSource::Currency).text),
            state: state.ok_or_else(|| self.wrong(ColumnSource::State, "`held`, `disposed` or `not yet bought`"))?,
            cost: self.amount(ColumnSource::Cost)?,
            accumulated: self.amount(ColumnSource::Accumulated)?,
            book_value: self.amount(ColumnSource::BookValue)?,
        };
        self.check_figures(&entry)?;
        Ok(entry)
    }

    /// Checks that cost, accumulated depreciation and book value of the line agree, or that there are none.
    fn check_figures(&self, entry: &RegisterEntry) -> Result<(), PreviousProblem> {
        let cost = entry.cost.unwrap_or_default();
        let is_tied = match (entry.accumulated, entry.book_value) {
            (Some(accumulated), Some(book_value)) => entry.cost.is_some() && cost - accumulated == book_value,
            (None, None) => true,
            _ => false,
        };
        let shown =
            |amount: Option<Decimal>| amount.map_or_else(|| String::from("(none)"), |amount| amount.to_string());
        if is_tied {
            return Ok(());
        }
        Err(PreviousProblem::BookValue {
            row: self.row.number,
            cost: shown(entry.cost),
            accumulated: shown(entry.accumulated),
            book_value: shown(entry.book_value),
        })
    }

    /// A number as stored; a workbook may display fewer digits.
    fn amount(&self, of: ColumnSource) -> Result<Option<Decimal>, PreviousProblem> {
        let cell = self.cell(of);
        let read = match cell.value {
            Value::Blank => return Ok(None),
            Value::Number(number) => number.to_string().parse::<Decimal>().ok(),
            Value::Text => cell.text.trim().parse().ok(),
            _ => None,
        };
        let read = read.ok_or_else(|| self.wrong(of, "a number"))?;
        Ok(Some(rounded(read, 8)))
    }

    fn date(&self, of: ColumnSource) -> Result<Date, PreviousProblem> {
        let cell = self.cell(of);
        match cell.value {
            Value::Date(moment) => Ok(moment.date()),
            _ => iso_date(cell.text.trim()).ok_or_else(|| self.wrong(of, "a date such as `2024-12-31`")),
        }
    }

    fn wrong(&self, of: ColumnSource, expected: &'static str) -> PreviousProblem {
        let column = of.column().name;
        PreviousProblem::Cell { row: self.row.number, column, found: self.cell(of).text.to_owned(), expected }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use jiff::civil::date;

    use super::super::item::{MissingFigure, RegisterItem};
    use super::super::{csv_file, samples};
    use super::*;

    fn written(edit: impl Fn(String) -> String) -> Result<PreviousRegister, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("register.csv");
        let as_of = date(2024, 12, 31);
        let bare = RegisterItem { cost: Err(MissingFigure::CostMissing), category: String::new(), ..samples::item(2) };
        let lines = [samples::item(1), bare].map(|item| RegisterLine::on(as_of, item));
        let mut out = Vec::new();
        csv_file::write(&mut out, &lines, as_of).unwrap();
        std::fs::write(&path, edit(String::from_utf8(out).unwrap())).unwrap();
        PreviousRegister::read(&path, date(2025, 12, 31))
            .map_err(|error| error.to_string().split_once("register.csv`: ").unwrap().1.to_owned())
    }

    #[test]
    fn a_register_is_read_as_it_was_written() {
        let previous = written(|text| text).unwrap();
        assert_eq!(previous.as_of, Some(date(2024, 12, 31)));
        let entry = &previous.entries[&(ItemKind::Asset, 1)];
        assert_eq!((&*entry.tag, &*entry.category, entry.state), ("LAP-0001", "Laptops", ItemState::Held));
        assert_eq!(entry.accumulated, Some(Decimal::new(30_556, 2)));
        let bare = &previous.entries[&(ItemKind::Asset, 2)];
        assert_eq!((bare.cost, bare.book_value, &*bare.category), (None, None, ""));
    }

    #[test]
    fn what_was_edited_is_told_with_its_row() {
        for (from, to, value) in [
            (
                "694.44",
                "694.45",
                "row 2: cost 1000.00 minus accumulated depreciation 305.56 does not equal the book value 694.45",
            ),
            ("305.56", "about 300", "row 2: `about 300` in column `accumulated_depreciation` is not a number"),
            ("asset,2,", "asset,1,", "row 3: duplicate asset 1"),
            ("asset,2,", "thing,2,", "row 3: `thing` in column `kind` is not `asset` or `license`"),
            ("book_value", "value", "column `book_value` is missing"),
            ("2024-12-31", "2026-12-31", "its as-of date 2026-12-31 is after 2025-12-31"),
        ] {
            assert_eq!(written(|text| text.replace(from, to)).unwrap_err(), value);
        }
    }
}
