//! Ensures that at most one row of a sheet writes to a record, and knows what rows of several sheets give it.

use std::collections::HashMap;

use super::planner::GivenValue;
use crate::api::Body;

/// The row that last locked each record. Two writes to one record from one sheet have no defined order, and nothing
/// may follow a delete.
#[derive(Debug, Default)]
pub(crate) struct RecordLocks {
    locks: HashMap<RecordKey, RecordLock>,
    /// What rows give records that other sheets may be about too.
    given: HashMap<RecordKey, Vec<GivenRow>>,
    /// What sheets are called in messages.
    places: HashMap<u16, String>,
}

/// The collection, or action, and the id of a record.
type RecordKey = (&'static str, i64);

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
    /// Whether a row of that sheet is about the record.
    pub(super) fn is_taken(&self, record: RecordKey, sheet: u16) -> bool {
        self.locks.get(&record).is_some_and(|lock| lock.sheet == sheet)
    }

    /// Locks a record for a row. Returns the earlier row if it excludes this one.
    pub(super) fn acquire(&mut self, record: RecordKey, lock: RecordLock) -> Option<RecordLock> {
        match self.locks.insert(record, lock) {
            Some(earlier) if earlier.sheet == lock.sheet || earlier.deletes || lock.deletes => {
                self.locks.insert(record, earlier);
                Some(earlier)
            }
            _ => None,
        }
    }

    /// Keeps what a row gives a record; `place` is what its sheet is called.
    pub(super) fn give(
        &mut self,
        record: RecordKey,
        (sheet, row, place): (u16, u64, &str),
        given: impl IntoIterator<Item = GivenValue>,
    ) {
        let values: Body = given.into_iter().map(|given| (given.field, given.value)).collect();
        let values = serde_json::Value::Object(values).to_string().into();
        self.given.entry(record).or_default().push(GivenRow { sheet, row, values });
        self.name_sheet(sheet, place);
    }

    /// Remembers what a sheet is called.
    pub(super) fn name_sheet(&mut self, sheet: u16, place: &str) {
        self.places.entry(sheet).or_insert_with(|| place.to_owned());
    }

    /// What rows of other sheets than this one give a record.
    pub(super) fn given_elsewhere(&self, record: RecordKey, sheet: u16) -> impl Iterator<Item = &GivenRow> {
        self.given.get(&record).into_iter().flatten().filter(move |given| given.sheet != sheet)
    }

    pub(super) fn place(&self, sheet: u16) -> &str {
        self.places.get(&sheet).map_or("another sheet", String::as_str)
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
