//! Further records that rows describe: one record however many rows say something of it.

use std::collections::{HashMap, HashSet};

use crate::check::{CheckedRow, Code, Problem, ValueError, text};
use crate::mapping::Mapping;
use crate::plan::RowId;
use crate::schema::fold_name_into;
use crate::table::{Row, Value};

/// What the rows of all sheets say of further records.
#[derive(Debug, Default)]
pub(crate) struct DescribedRecords {
    by_key: HashMap<(u16, String), Description>,
    conflicts: HashMap<RowId, Vec<Problem>>,
    /// Rows, with the sheet of their own records, that make no further records: they are none, or are done.
    pub(crate) skipped: HashSet<RowId>,
}

/// What rows say of one record.
#[derive(Debug)]
pub(crate) struct Description {
    first: u64,
    cells: Vec<DescribedCell>,
}

#[derive(Debug)]
struct DescribedCell {
    column: u32,
    text: Box<str>,
    value: Value,
    row: u64,
}

/// What a row's turn is, of the rows that describe one record.
pub(crate) enum Turn<'d> {
    /// It stands for all of them.
    First(&'d Description),
    /// It says something else than an earlier row.
    Conflict(&'d [Problem]),
    /// Nothing is left to do.
    Repeated,
}

impl DescribedRecords {
    /// Adds what a row says. A row with problems says nothing.
    pub(crate) fn add(&mut self, sheet: u16, mapping: &Mapping, row: &Row, checked: &CheckedRow) {
        if !checked.problems.is_empty() {
            return;
        }
        let number = row.number;
        let said = mapping.derived.iter().map(|derived| derived.column as u32);
        let said = said.filter(|column| !row.cell(*column as usize).is_blank());
        let described = self.by_key.entry((sheet, key_of(mapping, row)));
        let description = described.or_insert_with(|| Description { first: number, cells: Vec::new() });
        for column in said {
            let cell = row.cell(column as usize);
            match description.cells.iter().find(|known| known.column == column) {
                None => {
                    let text = text::trimmed(cell.text).into();
                    description.cells.push(DescribedCell { column, text, value: cell.value, row: number });
                }
                Some(known) if is_same(&known.text, cell.text) => {}
                Some(known) => {
                    let problem = contradiction(mapping, known, (column, cell.text));
                    self.conflicts.entry(RowId { sheet, row: number }).or_default().push(problem);
                }
            }
        }
    }

    /// What is to be done at a row, if it was added.
    pub(crate) fn turn(&self, sheet: u16, mapping: &Mapping, row: &Row) -> Option<Turn<'_>> {
        if let Some(problems) = self.conflicts.get(&RowId { sheet, row: row.number }) {
            return Some(Turn::Conflict(problems));
        }
        let description = self.by_key.get(&(sheet, key_of(mapping, row)))?;
        Some(if description.first == row.number { Turn::First(description) } else { Turn::Repeated })
    }
}

impl Description {
    /// Fills what the row leaves blank with what other rows say.
    pub(crate) fn complete(&self, row: &Row) -> Row {
        let mut whole = row.clone();
        for cell in self.cells.iter().filter(|cell| row.cell(cell.column as usize).is_blank()) {
            whole.pad(cell.column as usize + 1);
            whole.replace(cell.column as usize, &cell.text, cell.value);
        }
        whole
    }
}

/// The texts of the natural key.
fn key_of(mapping: &Mapping, row: &Row) -> String {
    let mut key = String::new();
    for field in mapping.entity.key {
        let text = mapping.column_of(field).map_or("", |column| row.cell(column as usize).text);
        fold_name_into(text, &mut key);
        key.push('\u{1f}');
    }
    key
}

fn is_same(one: &str, other: &str) -> bool {
    crate::mapping::is_same_text(text::trimmed(one), text::trimmed(other))
}

fn contradiction(mapping: &Mapping, known: &DescribedCell, (column, found): (u32, &str)) -> Problem {
    let error = ValueError::new(
        Code::RecordContradicted,
        format!(
            "another value than in row {}, which describes the same {}: `{}`",
            known.row, mapping.entity.singular, known.text
        ),
        "make the rows say the same, or leave the cell blank in one of them",
    );
    error.at(Some(column), text::trimmed(found))
}
