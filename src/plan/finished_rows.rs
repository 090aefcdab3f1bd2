//! The rows of results with which an earlier run was done. They are not planned again, but they still say what their records
//! are to be: a row beside them that says something else is a problem, as it was where all of them were sent.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::SheetPlan;
use super::locks::{RecordKey, RecordLock};
use crate::check::{CheckedRow, EarlierRunRow};
use crate::mapping::RecordOrigin;
use crate::schema::{ASSIGNED_TO, CUSTOM_FIELDS, fold_name};
use crate::table::Row;

/// The finished rows of all sheets, by collection and record. There may be millions: each takes 24 bytes, and 8 for each cell
/// where other sheets may be about the same record.
#[derive(Debug, Default)]
pub(crate) struct FinishedRows {
    rows: HashMap<&'static str, Vec<RowDigest>>,
    cells: Vec<CellDigest>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct RowDigest {
    record: i64,
    pub(super) row: u32,
    first_cell: u32,
    cells: u16,
    pub(super) sheet: u16,
    /// Whether cells of it may have been edited since: then it is planned too.
    is_edited: bool,
}

/// What a cell says of a field, as far as it takes to see that another says something else.
#[derive(Debug, Clone, Copy)]
struct CellDigest {
    field: u32,
    text: u32,
}

impl FinishedRows {
    /// Adds a row that is about a record, or, of a sheet of check-outs beside such rows, who is to have that. `earlier` is what a
    /// row said then that may have been edited since; a row that now has the key of another record stands for none.
    pub(crate) fn add(
        &mut self,
        record: i64,
        sheet: &SheetPlan<'_>,
        (row, checked): (&Row, &CheckedRow),
        earlier: Option<&EarlierRunRow>,
    ) {
        let entity = sheet.mapping.entity;
        let is_kept = |column: u32| earlier.is_none_or(|earlier| earlier.has_cell(row, column));
        let text = |column: u32| row.cell(column as usize).text;
        let (owner, number) = (sheet.owner.unwrap_or(sheet.index), u32::try_from(row.number).unwrap_or(u32::MAX));
        if sheet.mapping.origin == RecordOrigin::Assignment {
            let holder = entity.holders().find_map(|field| sheet.mapping.column_of(field.name));
            let rows = entity.item().and_then(|(_, item)| self.rows.get_mut(item.to));
            let last = rows.and_then(|rows| rows.last_mut()).filter(|last| (last.sheet, last.row) == (owner, number));
            if let (Some(last), Some(column), true) = (last, holder.filter(|column| is_kept(*column)), sheet.is_shared)
            {
                self.cells.push(CellDigest::new(ASSIGNED_TO, text(column)));
                last.cells = last.cells.saturating_add(1);
            }
            return;
        }
        // Further records of many rows may be the same one.
        if sheet.mapping.origin == RecordOrigin::Described {
            return;
        }
        let mut key = sheet.match_on.iter().filter_map(|field| sheet.mapping.column_of(field));
        if matches!(earlier, Some(EarlierRunRow::Known { .. })) && !key.all(is_kept) {
            return;
        }
        let first_cell = self.cells.len();
        if sheet.is_shared {
            // Any record of a kind will do: what another row says does not contradict that.
            let values = checked.values.iter().filter(|given| checked.record_kind(given.column).is_none());
            let values = values.filter(|given| is_kept(given.column));
            let values = values.map(|given| CellDigest::new(entity.fields[given.field].name, text(given.column)));
            self.cells.extend(values);
            let custom = checked.custom_fields(sheet.mapping, row).into_iter().filter(|given| is_kept(given.column));
            self.cells.extend(custom.map(|given| CellDigest::new(&custom_field(&given.name), &given.value)));
        }
        self.rows.entry(entity.name).or_default().push(RowDigest {
            record,
            row: number,
            first_cell: first_cell as u32,
            cells: (self.cells.len() - first_cell) as u16,
            sheet: sheet.index,
            is_edited: earlier.is_some(),
        });
    }

    /// To be called once all rows are added: before, none is found. Rows may have been added twice.
    pub(crate) fn sort(&mut self) {
        for rows in self.rows.values_mut() {
            // Of two rows of a sheet the one that was not edited stands for the record.
            rows.sort_unstable_by_key(|row| (row.record, row.sheet, row.is_edited, row.row));
            rows.dedup_by_key(|row| (row.record, row.sheet, row.row));
        }
    }

    fn of(&self, (collection, record): RecordKey) -> &[RowDigest] {
        let Some(rows) = self.rows.get(collection) else { return &[] };
        let first = rows.partition_point(|row| row.record < record);
        let count = rows[first..].partition_point(|row| row.record == record);
        &rows[first..first + count]
    }

    fn of_sheet(&self, record: RecordKey, sheet: u16) -> Option<&RowDigest> {
        self.of(record).iter().find(|finished| finished.sheet == sheet)
    }

    /// Whether a row stands for a record in its sheet.
    pub(super) fn is_of(&self, record: RecordKey, sheet: u16, row: u64) -> bool {
        self.of_sheet(record, sheet).is_some_and(|finished| u64::from(finished.row) == row)
    }

    /// The row that stands for a record in a sheet, if that is another than this one.
    pub(super) fn other_of(&self, record: RecordKey, sheet: u16, row: u64) -> Option<&RowDigest> {
        self.of_sheet(record, sheet).filter(|finished| u64::from(finished.row) != row)
    }

    /// The row that excludes that another one writes to the record.
    pub(super) fn excluding(&self, record: RecordKey, lock: &RecordLock) -> Option<&RowDigest> {
        let elsewhere = || self.elsewhere(record, lock.sheet).find(|finished| lock.deletes && !finished.is_edited);
        self.other_of(record, lock.sheet, lock.row).or_else(elsewhere)
    }

    /// The rows of other sheets that are about a record.
    pub(super) fn elsewhere(&self, record: RecordKey, sheet: u16) -> impl Iterator<Item = &RowDigest> {
        self.of(record).iter().filter(move |finished| finished.sheet != sheet)
    }

    /// Whether a row says something else of a field than this text.
    pub(super) fn contradicts(&self, finished: &RowDigest, field: &str, text: &str) -> bool {
        let new = CellDigest::new(field, text);
        let cells = self.cells[finished.first_cell as usize..].iter().take(finished.cells.into());
        cells.copied().any(|cell| cell.field == new.field && cell.text != new.text)
    }
}

/// What a custom field is called among the fields that rows give.
pub(super) fn custom_field(name: &str) -> String {
    format!("{CUSTOM_FIELDS}:{}", fold_name(name))
}

impl CellDigest {
    fn new(field: &str, text: &str) -> Self {
        let digest = |text: &str| {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            hasher.finish() as u32
        };
        Self { field: digest(field), text: digest(&fold_name(text)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_that_was_not_edited_stands_for_its_record() {
        let finished =
            |record, sheet, row, is_edited| RowDigest { record, row, first_cell: 0, cells: 0, sheet, is_edited };
        let rows = vec![
            finished(9, 0, 2, false),
            finished(7, 0, 3, true),
            finished(7, 0, 5, false),
            finished(7, 1, 4, true),
            finished(7, 0, 5, false),
        ];
        let mut known = FinishedRows { rows: HashMap::from([("assets", rows)]), cells: Vec::new() };
        known.sort();
        let record = ("assets", 7);
        assert_eq!(known.of(record).len(), 3, "one was added twice");
        assert_eq!(known.other_of(record, 0, 3).map(|row| row.row), Some(5));
        assert!(known.is_of(record, 0, 5) && known.other_of(record, 0, 5).is_none());
        assert!(known.other_of(record, 2, 2).is_none() && known.other_of(("assets", 8), 0, 2).is_none());
        assert!(known.other_of(("products", 7), 0, 2).is_none());
        let excluding = |sheet, row, deletes| {
            known.excluding(record, &RecordLock { sheet, row, deletes }).map(|row| (row.sheet, row.row))
        };
        assert_eq!(excluding(0, 2, false), Some((0, 5)));
        assert_eq!(excluding(2, 2, false), None, "another sheet may say more of it");
        assert_eq!(excluding(2, 2, true), Some((0, 5)), "and does not delete it");
        assert_eq!(excluding(1, 4, false), None);
    }

    #[test]
    fn cells_are_compared_as_names_are() {
        let cells = vec![CellDigest::new("city", "x"), CellDigest::new("city", "Ulm "), CellDigest::new("zip", "1")];
        let row = RowDigest { record: 7, row: 2, first_cell: 1, cells: 1, sheet: 0, is_edited: false };
        let known = FinishedRows { rows: HashMap::from([("locations", vec![row])]), cells };
        let contradicts = |field: &str, text: &str| known.contradicts(&row, field, text);
        assert!(contradicts("city", "Bonn") && contradicts("city", "<clear>"));
        assert!(!contradicts("city", "ulm") && !contradicts("zip", "2") && !contradicts("country", "DE"));
    }
}
