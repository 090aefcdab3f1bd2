//! Ensures that at most one row of a sheet writes to a record, and knows what rows of several sheets give it.

use std::collections::HashMap;
use std::rc::Rc;

use super::finished_rows::FinishedRows;
use super::planner::GivenValue;
use super::step::RowId;
use crate::api::Body;

/// The row that last locked each record. Two writes to one record from one sheet have no defined order, and nothing
/// may follow a delete.
#[derive(Debug, Default)]
pub(crate) struct RecordLocks {
    locks: HashMap<RecordKey, RecordLock>,
    /// Rows that count as if they were before all others.
    pub(super) finished: Rc<FinishedRows>,
    /// What rows give records that other sheets may be about too.
    given: HashMap<RecordKey, Vec<GivenRow>>,
    /// The rows whose steps create records that other rows may be about.
    creators: HashMap<u32, RowId>,
    /// What the sheets of the run are called in messages, by position.
    places: Vec<String>,
}

/// The collection, or action, and the id of a record.
pub(super) type RecordKey = (&'static str, i64);

#[derive(Debug, Clone, Copy)]
pub(super) struct RecordLock {
    pub(super) sheet: u16,
    pub(super) row: u64,
    pub(super) deletes: bool,
}

/// What a row gives a record.
#[derive(Debug)]
pub(super) struct GivenRow {
    pub(super) sheet: u16,
    pub(super) row: u64,
    /// By field, as JSON: there may be very many, and a text takes a fraction of the memory.
    values: Box<str>,
}

impl RecordLocks {
    /// `places` are what the sheets of the run are called in messages: the file, and the sheet in it.
    pub(crate) fn new(places: Vec<String>, finished: Rc<FinishedRows>) -> Self {
        Self { places, finished, ..Self::default() }
    }

    /// Whether another row of that sheet is about the record.
    pub(super) fn is_taken(&self, record: RecordKey, (sheet, row): (u16, u64)) -> bool {
        let is_locked = self.locks.get(&record).is_some_and(|lock| lock.sheet == sheet);
        is_locked || self.finished.other_of(record, sheet, row).is_some()
    }

    /// Locks a record for a row. Returns the row that excludes this one.
    pub(super) fn acquire(&mut self, record: RecordKey, lock: RecordLock) -> Option<RecordLock> {
        if let Some(finished) = self.finished.excluding(record, &lock) {
            return Some(RecordLock { sheet: finished.sheet, row: finished.row.into(), deletes: false });
        }
        match self.locks.insert(record, lock) {
            Some(earlier) if earlier.sheet == lock.sheet || earlier.deletes || lock.deletes => {
                self.locks.insert(record, earlier);
                Some(earlier)
            }
            _ => None,
        }
    }

    /// The row that deletes a record.
    pub(super) fn deletion(&self, record: RecordKey) -> Option<RowId> {
        let lock = self.locks.get(&record).filter(|lock| lock.deletes)?;
        Some(RowId { sheet: lock.sheet, row: lock.row })
    }

    /// Keeps what a row gives a record.
    pub(super) fn give(
        &mut self,
        record: RecordKey,
        (sheet, row): (u16, u64),
        given: impl IntoIterator<Item = GivenValue>,
    ) {
        let values: Body = given.into_iter().map(|given| (given.field, given.value)).collect();
        let values = serde_json::Value::Object(values).to_string().into();
        self.given.entry(record).or_default().push(GivenRow { sheet, row, values });
    }

    /// Remembers which row's step creates a record.
    pub(super) fn created_by(&mut self, step: u32, row: RowId) {
        self.creators.insert(step, row);
    }

    /// The row whose step creates a record.
    pub(super) fn creator(&self, step: u32) -> Option<RowId> {
        self.creators.get(&step).copied()
    }

    /// What rows of other sheets than this one give a record.
    pub(super) fn given_elsewhere(&self, record: RecordKey, sheet: u16) -> impl Iterator<Item = &GivenRow> {
        self.given.get(&record).into_iter().flatten().filter(move |given| given.sheet != sheet)
    }

    pub(super) fn place(&self, sheet: u16) -> &str {
        self.places.get(usize::from(sheet)).map_or("another sheet", String::as_str)
    }

    /// What a message about a row of `sheet` calls another row: with its file and sheet where these are others.
    pub(super) fn row_name(&self, other: RowId, sheet: u16) -> String {
        // The records that a row makes besides its own have a sheet of their own in the plan.
        let is_same = other.sheet == sheet || self.place(other.sheet) == self.place(sheet);
        if is_same { format!("row {}", other.row) } else { format!("row {} of {}", other.row, self.place(other.sheet)) }
    }
}

impl GivenRow {
    pub(super) fn values(&self) -> Body {
        serde_json::from_str(&self.values).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_another_sheet_is_named_with_its_file_and_sheet() {
        let places = ["`a.csv`", "sheet `New` of `b.xlsx`", "sheet `New` of `b.xlsx`"];
        let locks = RecordLocks::new(places.map(String::from).to_vec(), Rc::default());
        let named = |sheet, of| locks.row_name(RowId { sheet, row: 7 }, of);
        assert_eq!([named(0, 0), named(0, 1)], ["row 7", "row 7 of `a.csv`"]);
        assert_eq!([named(1, 0), named(2, 1)], ["row 7 of sheet `New` of `b.xlsx`", "row 7"]);
    }

    #[test]
    fn one_sheet_writes_a_record_once_and_nothing_follows_a_delete() {
        let lock = |sheet, row, deletes| RecordLock { sheet, row, deletes };
        let mut locks = RecordLocks::default();
        let mut acquire = |record, lock| locks.acquire(record, lock).map(|earlier| (earlier.sheet, earlier.row));
        assert_eq!(acquire(("assets", 1), lock(0, 2, false)), None);
        assert_eq!(acquire(("assets", 1), lock(0, 3, false)), Some((0, 2)), "the same sheet");
        assert_eq!(acquire(("assets", 1), lock(1, 2, false)), None, "a later sheet");
        assert_eq!(acquire(("assets", 1), lock(2, 2, true)), Some((1, 2)), "a delete of what is written");
        assert_eq!(acquire(("employees", 1), lock(0, 2, true)), None, "another collection");
        assert_eq!(acquire(("employees", 1), lock(1, 5, false)), Some((0, 2)), "after a delete");
    }
}
