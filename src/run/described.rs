//! Further records that rows describe: one record however many rows say something of it.

use std::collections::{HashMap, HashSet};

use crate::check::{CheckedRow, Problem, text};
use crate::mapping::{Mapping, is_same_text};
use crate::plan::{RowId, contradicts};
use crate::schema::fold_name_into;
use crate::table::{Row, Value};

/// What the rows of all sheets say of further records.
#[derive(Debug, Default)]
pub(crate) struct DescribedRecords {
    sheets: HashMap<u16, SheetDescriptions>,
    conflicts: HashMap<RowId, Vec<Problem>>,
    /// Rows that make no further records: they are none, or are done. With the sheet of their own records, or with that
    /// of the further ones where it is those that are done.
    pub(crate) skipped: HashSet<RowId>,
}

/// What the rows of one sheet say.
#[derive(Debug)]
struct SheetDescriptions {
    /// The columns of the natural key, from 0; none of a field that nothing feeds.
    key_columns: Vec<Option<usize>>,
    by_key: HashMap<String, Description>,
    /// The key of the row at hand.
    key: String,
}

/// What rows say of one record.
#[derive(Debug)]
pub(crate) struct Description {
    first: u64,
    cells: Vec<DescribedCell>,
    /// What rows say otherwise that an earlier run has finished.
    finished: Vec<DescribedCell>,
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
    /// Nothing is left to do, unless the first row makes nothing.
    Repeated(&'d Description),
}

impl DescribedRecords {
    /// Adds what a row says, and returns what contradicts earlier rows. A row with problems says nothing.
    pub(crate) fn add(&mut self, sheet: u16, mapping: &Mapping, row: &Row, checked: &CheckedRow) -> &[Problem] {
        if !checked.problems.is_empty() {
            return &[];
        }
        let descriptions = self.sheets.entry(sheet).or_insert_with(|| SheetDescriptions::new(mapping));
        let mut conflicts = Vec::new();
        descriptions.add(mapping, row, &mut conflicts);
        if conflicts.is_empty() {
            return &[];
        }
        let known = self.conflicts.entry(RowId { sheet, row: row.number }).or_default();
        known.append(&mut conflicts);
        known
    }

    /// Whether rows of a sheet describe records.
    pub(crate) fn has_any(&self, sheet: u16) -> bool {
        self.sheets.contains_key(&sheet)
    }

    /// Adds a row that an earlier run has finished, if a row describes the same record that is still to be sent.
    pub(crate) fn add_finished(&mut self, sheet: u16, mapping: &Mapping, row: &Row) {
        let Some(descriptions) = self.sheets.get_mut(&sheet) else { return };
        write_key(row, &descriptions.key_columns, &mut descriptions.key);
        if let Some(description) = descriptions.by_key.get_mut(&descriptions.key) {
            description.add_finished(mapping, row);
        }
    }

    /// What a row says of its record otherwise than one that an earlier run has finished.
    pub(crate) fn contradicted_by_finished(&self, sheet: u16, mapping: &Mapping, row: &Row) -> Vec<Problem> {
        let Some(descriptions) = self.sheets.get(&sheet) else { return Vec::new() };
        let mut key = String::new();
        write_key(row, &descriptions.key_columns, &mut key);
        let finished = descriptions.by_key.get(&key).into_iter().flat_map(|description| &description.finished);
        let told = finished.filter_map(|known| {
            let text = text::trimmed(row.cell(known.column as usize).text);
            let is_other = !text.is_empty() && !is_same_text(&known.text, text);
            is_other.then(|| contradicts(mapping.entity, known.row, &known.text).at(Some(known.column), text))
        });
        told.collect()
    }

    /// What is to be done at a row, if it was added.
    pub(crate) fn turn(&self, sheet: u16, row: &Row) -> Option<Turn<'_>> {
        if let Some(problems) = self.conflicts.get(&RowId { sheet, row: row.number }) {
            return Some(Turn::Conflict(problems));
        }
        let descriptions = self.sheets.get(&sheet)?;
        let mut key = String::new();
        write_key(row, &descriptions.key_columns, &mut key);
        let description = descriptions.by_key.get(&key)?;
        Some(if description.first == row.number { Turn::First(description) } else { Turn::Repeated(description) })
    }
}

impl SheetDescriptions {
    fn new(mapping: &Mapping) -> Self {
        let column = |field: &&str| mapping.column_of(field).map(|column| column as usize);
        let key_columns = mapping.entity.key.iter().map(column).collect();
        Self { key_columns, by_key: HashMap::new(), key: String::new() }
    }

    fn add(&mut self, mapping: &Mapping, row: &Row, conflicts: &mut Vec<Problem>) {
        write_key(row, &self.key_columns, &mut self.key);
        let Some(description) = self.by_key.get_mut(&self.key) else {
            let mut description = Description { first: row.number, cells: Vec::new(), finished: Vec::new() };
            description.add(mapping, row, conflicts);
            self.by_key.insert(self.key.clone(), description);
            return;
        };
        description.add(mapping, row, conflicts);
    }
}

impl Description {
    fn add(&mut self, mapping: &Mapping, row: &Row, conflicts: &mut Vec<Problem>) {
        for derived in &mapping.derived {
            let (column, cell) = (derived.column as u32, row.cell(derived.column));
            if cell.is_blank() {
                continue;
            }
            let text = text::trimmed(cell.text);
            match self.cells.iter().find(|known| known.column == column) {
                None => {
                    self.cells.push(DescribedCell { column, text: text.into(), value: cell.value, row: row.number });
                }
                Some(known) if *known.text == *text || is_same_text(&known.text, text) => {}
                Some(known) => {
                    conflicts.push(contradicts(mapping.entity, known.row, &known.text).at(Some(column), text));
                }
            }
        }
    }

    fn add_finished(&mut self, mapping: &Mapping, row: &Row) {
        for derived in &mapping.derived {
            let (column, cell) = (derived.column as u32, row.cell(derived.column));
            let text = text::trimmed(cell.text);
            let of_column = |cells: &[DescribedCell]| cells.iter().position(|known| known.column == column);
            let known = of_column(&self.cells).map(|known| &self.cells[known]);
            let is_other = known.is_some_and(|known| *known.text != *text && !is_same_text(&known.text, text));
            if is_other && !cell.is_blank() && of_column(&self.finished).is_none() {
                self.finished.push(DescribedCell { column, text: text.into(), value: cell.value, row: row.number });
            }
        }
    }

    /// The row that stands for all of them.
    pub(crate) fn first_row(&self) -> u64 {
        self.first
    }

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
fn write_key(row: &Row, columns: &[Option<usize>], key: &mut String) {
    key.clear();
    for column in columns {
        fold_name_into(column.map_or("", |column| row.cell(column).text), key);
        key.push('\u{1f}');
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::check::Code;
    use crate::mapping::MappingOverrides;
    use crate::schema;

    fn row(number: u64, cells: &[&str]) -> Row {
        let mut row = Row::default();
        row.clear(number);
        cells.iter().for_each(|cell| row.push_csv(cell));
        row
    }

    /// Locations that rows of assets describe.
    fn places_of_assets() -> Mapping {
        let file = "entity = \"assets\"\n[fields.location_id]\ncolumn = \"Place\"\n[also.locations]\n\
                    name = { column = \"Place\" }\ncity = { column = \"City\" }\nzip = { column = \"Zip\" }\n";
        let assets = schema::collection("assets").unwrap();
        let file = crate::mapping::MappingFile::parse(file, crate::mapping::MappingSource::MappingFile, "m").unwrap();
        let mut further = Vec::new();
        file.also(assets).into_iter().for_each(|records| records.add_to(&mut further));
        let overrides = MappingOverrides { further, map: file.overrides(assets), ..MappingOverrides::default() };
        let header = row(1, &["asset_id", "product_id", "status_id", "Place", "City", "Zip"]);
        Mapping::new(assets, &header, &overrides).unwrap().further.remove(0)
    }

    /// A row as a checker fills it in: the further record's own columns stand behind those of the sheet.
    fn filled(mapping: &Mapping, number: u64, texts: [&str; 3]) -> Row {
        let mut whole = row(number, &["", "", "", "", "", ""]);
        for (derived, text) in mapping.derived.iter().zip(texts) {
            whole.pad(derived.column + 1);
            whole.replace(derived.column, text, if text.is_empty() { Value::Blank } else { Value::Text });
        }
        whole
    }

    #[test]
    fn rows_of_one_key_describe_one_record() {
        let entity = schema::collection("locations").unwrap();
        let mapping = Mapping::new(entity, &row(1, &["name", "city"]), &MappingOverrides::default()).unwrap();
        let rows = [row(2, &["Berlin", "B"]), row(3, &["berlin", ""]), row(4, &["Ulm", ""]), row(5, &["Bonn", ""])];
        let mut described = DescribedRecords::default();
        for row in &rows[..3] {
            assert!(described.add(0, &mapping, row, &CheckedRow::default()).is_empty());
        }
        let turns = rows.iter().map(|row| match described.turn(0, row) {
            Some(Turn::First(description)) => description.first,
            Some(Turn::Repeated(_)) => 0,
            Some(Turn::Conflict(_)) => 99,
            None => 1,
        });
        assert_eq!(turns.collect::<Vec<u64>>(), [2, 0, 4, 1]);
        assert!(described.turn(1, &rows[0]).is_none(), "another sheet");
    }

    #[test]
    fn what_one_row_leaves_blank_another_says_and_what_differs_is_a_problem() {
        let mapping = places_of_assets();
        let mut described = DescribedRecords::default();
        let columns: Vec<usize> = mapping.derived.iter().map(|derived| derived.column).collect();
        let filled = |number: u64, texts: [&str; 3]| filled(&mapping, number, texts);
        let names: Vec<&str> = mapping.derived.iter().map(|derived| derived.rule.target.as_str()).collect();
        assert_eq!(names, ["name", "city", "zip"]);
        let mut add = |row: &Row| described.add(3, &mapping, row, &CheckedRow::default()).to_vec();
        assert!(add(&filled(2, ["HQ", "", "1"])).is_empty());
        assert!(add(&filled(3, ["hq", "Bonn", "01"])).len() < 2);
        assert!(add(&filled(4, ["HQ", "bonn ", ""])).is_empty(), "another spelling is the same");
        let told = add(&filled(5, ["HQ", "Ulm", "9"]));
        let said: Vec<(Option<u32>, String)> =
            told.iter().map(|problem| (problem.column, problem.error.message.to_string())).collect();
        let other = |row: u64, text: &str| {
            format!("another value than in row {row}, which describes the same location: `{text}`")
        };
        assert_eq!(said[0], (Some(columns[1] as u32), other(3, "Bonn")));
        assert_eq!(said[1], (Some(columns[2] as u32), other(2, "1")));
        assert_eq!((said.len(), &*told[0].found, told[0].code()), (2, "Ulm", Code::RecordContradicted));
        assert!(
            matches!(described.turn(3, &filled(5, ["HQ", "Ulm", "9"])), Some(Turn::Conflict(problems)) if problems.len() == 2)
        );
        let Some(Turn::First(description)) = described.turn(3, &filled(2, ["HQ", "", "1"])) else { panic!("first") };
        assert_eq!(description.first_row(), 2);
        let whole = description.complete(&filled(2, ["HQ", "", "7"]));
        let texts: Vec<&str> = columns.iter().map(|column| whole.cell(*column).text).collect();
        assert_eq!(texts, ["HQ", "Bonn", "7"], "what the row says stays");
        let short = description.complete(&row(2, &["A-1"]));
        let texts: Vec<&str> = columns.iter().map(|column| short.cell(*column).text).collect();
        assert_eq!(texts, ["HQ", "Bonn", "1"], "a row may end before its columns");
        // A row with problems says nothing.
        let bad = CheckedRow { problems: told.clone(), ..CheckedRow::default() };
        assert!(described.add(3, &mapping, &filled(8, ["Annex", "Ulm", "9"]), &bad).is_empty());
        assert!(described.turn(3, &filled(8, ["Annex", "Ulm", "9"])).is_none());
    }

    #[test]
    fn what_a_finished_row_says_otherwise_contradicts_a_row_that_is_still_to_be_sent() {
        let mapping = places_of_assets();
        let filled = |number: u64, texts: [&str; 3]| filled(&mapping, number, texts);
        let mut described = DescribedRecords::default();
        described.add(3, &mapping, &filled(2, ["HQ", "Bonn", ""]), &CheckedRow::default());
        // Blanks and other spellings are nothing else, the first that differs counts, and others are other records.
        for (number, texts) in [
            (4, ["HQ", "", ""]),
            (5, ["HQ", "bonn ", ""]),
            (6, ["Annex", "Kiel", ""]),
            (7, ["hq", "Ulm", "9"]),
            (8, ["HQ", "Kiel", ""]),
        ] {
            described.add_finished(3, &mapping, &filled(number, texts));
        }
        described.add_finished(4, &mapping, &filled(9, ["HQ", "Kiel", ""]));
        let told = |sheet: u16, texts: [&str; 3]| {
            let problems = described.contradicted_by_finished(sheet, &mapping, &filled(2, texts));
            problems.iter().map(|problem| (problem.column, problem.error.message.to_string())).collect::<Vec<_>>()
        };
        let city = Some(mapping.derived[1].column as u32);
        let message = "another value than in row 7, which describes the same location: `Ulm`";
        assert_eq!(told(3, ["HQ", "Bonn", "1"]), [(city, message.to_owned())]);
        for (sheet, texts) in
            [(3, ["HQ", "ulm ", ""]), (3, ["HQ", "", ""]), (3, ["Annex", "Bonn", ""]), (4, ["HQ", "Bonn", ""])]
        {
            assert!(told(sheet, texts).is_empty(), "{sheet} {texts:?}");
        }
    }
}
