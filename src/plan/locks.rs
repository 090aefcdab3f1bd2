//! Ensures that at most one row of a sheet writes to a record.

use std::collections::HashMap;

/// The row that last locked each record. Two writes to one record from one sheet have no defined order, and nothing
/// may follow a delete.
#[derive(Debug, Default)]
pub(crate) struct RecordLocks(HashMap<(&'static str, i64), RecordLock>);

#[derive(Debug, Clone, Copy)]
pub(super) struct RecordLock {
    pub(super) sheet: u16,
    pub(super) row: u64,
    pub(super) deletes: bool,
}

impl RecordLocks {
    /// Whether a row of that sheet is about the record.
    pub(super) fn is_taken(&self, record: (&'static str, i64), sheet: u16) -> bool {
        self.0.get(&record).is_some_and(|lock| lock.sheet == sheet)
    }

    /// Locks a record for a row. Returns the earlier row if it excludes this one.
    pub(super) fn acquire(&mut self, record: (&'static str, i64), lock: RecordLock) -> Option<u64> {
        match self.0.insert(record, lock) {
            Some(earlier) if earlier.sheet == lock.sheet || earlier.deletes || lock.deletes => {
                self.0.insert(record, earlier);
                Some(earlier.row)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sheet_writes_a_record_once_and_nothing_follows_a_delete() {
        let lock = |sheet, row, deletes| RecordLock { sheet, row, deletes };
        let mut locks = RecordLocks::default();
        assert_eq!(locks.acquire(("assets", 1), lock(0, 2, false)), None);
        assert_eq!(locks.acquire(("assets", 1), lock(0, 3, false)), Some(2), "the same sheet");
        assert_eq!(locks.acquire(("assets", 1), lock(1, 2, false)), None, "a later sheet");
        assert_eq!(locks.acquire(("assets", 1), lock(2, 2, true)), Some(2), "a delete of what is written");
        assert_eq!(locks.acquire(("employees", 1), lock(0, 2, true)), None, "another collection");
        assert_eq!(locks.acquire(("employees", 1), lock(1, 5, false)), Some(2), "after a delete");
    }
}
