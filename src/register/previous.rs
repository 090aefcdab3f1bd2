//! An earlier register, read back: the opening of a roll-forward.
//!
//! It is a file that `export register` wrote, the workbook or the CSV, as it was written. What it says is checked, not
//! corrected: an opening that was edited by hand would not tie to the closing it once was.

use std::ops::ControlFlow;
use std::path::Path;

use hashbrown::HashMap;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::amount::{Currency, iso_date, rounded};
use super::columns::{COLUMNS, Of};
use super::error::{PreviousProblem, RegisterError};
use super::item::Kind;
use super::line::Standing;
use super::totals::NONE;
use crate::table::{Cell, FileKind, Input, ReadOptions, Row, Value, Workbook};

/// The sheet of the workbook that has a line per item.
pub(super) const REGISTER_SHEET: &str = "Register";

/// An earlier register.
#[derive(Debug)]
pub(super) struct Previous {
    /// The day it is of; none where it has no lines.
    pub(super) as_of: Option<Date>,
    pub(super) entries: HashMap<(Kind, i64), Entry>,
}

/// A line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) id: i64,
    pub(super) tag: String,
    pub(super) title: String,
    pub(super) category: String,
    pub(super) currency: Currency,
    pub(super) standing: Standing,
    pub(super) cost: Option<Decimal>,
    pub(super) accumulated: Option<Decimal>,
    pub(super) book_value: Option<Decimal>,
}

impl Previous {
    /// Reads the register at `path`, to be rolled forward to `present`.
    pub(super) fn read(path: &Path, present: Date) -> Result<Previous, RegisterError> {
        let wrong = |problem| RegisterError::Previous { file: path.to_owned(), problem };
        let mut book = Workbook::open(&Input::Path(path.to_owned()), &ReadOptions::default())?;
        let is_register = |name: &Option<String>| name.as_deref() == Some(REGISTER_SHEET);
        let sheet = match book.kind() {
            FileKind::Csv => Some(0),
            _ => book.sheets().iter().position(|sheet| is_register(&sheet.name)),
        };
        let sheet = sheet.ok_or_else(|| wrong(PreviousProblem::SheetMissing))?;
        let mut reading = Reading { places: None, previous: Previous { as_of: None, entries: HashMap::new() } };
        let mut problem = None;
        book.each_row(sheet, &mut |row| match reading.row(row) {
            Ok(()) => ControlFlow::Continue(()),
            Err(found) => {
                problem = Some(found);
                ControlFlow::Break(())
            }
        })?;
        let missing = || PreviousProblem::ColumnMissing { column: COLUMNS[0].name };
        problem = problem.or_else(|| reading.places.is_none().then(missing));
        let previous = reading.previous;
        let later = previous.as_of.filter(|as_of| *as_of > present);
        problem = problem.or_else(|| {
            let as_of = later?.to_string();
            Some(PreviousProblem::Later { as_of, present: present.to_string() })
        });
        problem.map_or(Ok(previous), |problem| Err(wrong(problem)))
    }
}

/// The columns a roll-forward needs.
const NEEDED: [Of; 11] = [
    Of::Kind,
    Of::Id,
    Of::Tag,
    Of::Title,
    Of::Category,
    Of::Standing,
    Of::Currency,
    Of::Cost,
    Of::Accumulated,
    Of::BookValue,
    Of::Day,
];

struct Reading {
    /// Where the columns of [`NEEDED`] stand; none before the header.
    places: Option<[usize; NEEDED.len()]>,
    previous: Previous,
}

impl Reading {
    fn row(&mut self, row: &Row) -> Result<(), PreviousProblem> {
        let Some(places) = self.places else {
            self.places = Some(places(row)?);
            return Ok(());
        };
        let line = Line { row, places };
        let entry = line.entry()?;
        let as_of = line.date(Of::Day)?;
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

fn places(header: &Row) -> Result<[usize; NEEDED.len()], PreviousProblem> {
    let mut places = [0; NEEDED.len()];
    for (place, of) in places.iter_mut().zip(NEEDED) {
        let Some(column) = COLUMNS.iter().find(|column| column.of == of) else { continue };
        let is_it = |at: &usize| [column.name, column.title].contains(&header.cell(*at).text.trim());
        let found = (0..header.len()).find(is_it);
        *place = found.ok_or(PreviousProblem::ColumnMissing { column: column.name })?;
    }
    Ok(places)
}

/// A row whose columns are known.
struct Line<'a> {
    row: &'a Row,
    places: [usize; NEEDED.len()],
}

impl Line<'_> {
    fn cell(&self, of: Of) -> Cell<'_> {
        let at = NEEDED.iter().position(|needed| *needed == of);
        at.map_or(Cell::BLANK, |at| self.row.cell(self.places[at]))
    }

    fn entry(&self) -> Result<Entry, PreviousProblem> {
        let kind = Kind::named(self.cell(Of::Kind).text);
        let id = self.amount(Of::Id)?.and_then(|id| i64::try_from(id).ok());
        let standing = Standing::named(self.cell(Of::Standing).text);
        let category = self.cell(Of::Category).text.trim();
        let entry = Entry {
            kind: kind.ok_or_else(|| self.wrong(Of::Kind, "`asset` or `license`"))?,
            id: id.ok_or_else(|| self.wrong(Of::Id, "an id"))?,
            tag: self.cell(Of::Tag).text.to_owned(),
            title: self.cell(Of::Title).text.to_owned(),
            category: if category == NONE { String::new() } else { category.to_owned() },
            currency: Currency::of(self.cell(Of::Currency).text),
            standing: standing.ok_or_else(|| self.wrong(Of::Standing, "`held`, `disposed` or `not yet bought`"))?,
            cost: self.amount(Of::Cost)?,
            accumulated: self.amount(Of::Accumulated)?,
            book_value: self.amount(Of::BookValue)?,
        };
        self.ties(&entry)?;
        Ok(entry)
    }

    /// Whether the line's own figures tie; those that are not there must all be away.
    fn ties(&self, entry: &Entry) -> Result<(), PreviousProblem> {
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

    /// A number as stored: a workbook may show fewer digits.
    fn amount(&self, of: Of) -> Result<Option<Decimal>, PreviousProblem> {
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

    fn date(&self, of: Of) -> Result<Date, PreviousProblem> {
        let cell = self.cell(of);
        match cell.value {
            Value::Date(moment) => Ok(moment.date()),
            _ => iso_date(cell.text.trim()).ok_or_else(|| self.wrong(of, "a date such as `2024-12-31`")),
        }
    }

    fn wrong(&self, of: Of, expected: &'static str) -> PreviousProblem {
        let column = COLUMNS.iter().find(|column| column.of == of).map_or("", |column| column.name);
        PreviousProblem::Cell { row: self.row.number, column, found: self.cell(of).text.to_owned(), expected }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use jiff::civil::date;

    use super::super::item::{Gap, Item};
    use super::super::{ledger, line, samples};
    use super::*;

    fn written(edit: impl Fn(String) -> String) -> Result<Previous, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("register.csv");
        let as_of = date(2024, 12, 31);
        let bare = Item { cost: Err(Gap::CostMissing), category: String::new(), ..samples::item(2) };
        let lines = [samples::item(1), bare].map(|item| line::Line::on(as_of, item));
        let mut out = Vec::new();
        ledger::write(&mut out, &lines, as_of).unwrap();
        std::fs::write(&path, edit(String::from_utf8(out).unwrap())).unwrap();
        Previous::read(&path, date(2025, 12, 31))
            .map_err(|error| error.to_string().split_once("forward: ").unwrap().1.to_owned())
    }

    #[test]
    fn a_register_is_read_as_it_was_written() {
        let previous = written(|text| text).unwrap();
        assert_eq!(previous.as_of, Some(date(2024, 12, 31)));
        let entry = &previous.entries[&(Kind::Asset, 1)];
        assert_eq!((&*entry.tag, &*entry.category, entry.standing), ("LAP-0001", "Laptops", Standing::Held));
        assert_eq!(entry.accumulated, Some(Decimal::new(30_556, 2)));
        let bare = &previous.entries[&(Kind::Asset, 2)];
        assert_eq!((bare.cost, bare.book_value, &*bare.category), (None, None, ""));
    }

    #[test]
    fn what_was_edited_is_told_with_its_row() {
        for (from, to, told) in [
            (
                "694.44",
                "694.45",
                "row 2: cost 1000.00 less accumulated depreciation 305.56 is not the book value 694.45",
            ),
            ("305.56", "about 300", "row 2: `about 300` in column `accumulated_depreciation` is not a number"),
            ("asset,2,", "asset,1,", "row 3: asset 1 is there twice"),
            ("asset,2,", "thing,2,", "row 3: `thing` in column `kind` is not `asset` or `license`"),
            ("book_value", "value", "it has no column `book_value`"),
            ("2024-12-31", "2026-12-31", "it is of 2026-12-31, which is after 2025-12-31"),
        ] {
            assert_eq!(written(|text| text.replace(from, to)).unwrap_err(), told);
        }
    }
}
