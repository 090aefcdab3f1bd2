//! Which rows are about which records of the account.

use std::collections::HashMap;

/// Which rows have been about which records: two writes to one record from one sheet have no order, and nothing comes
/// after a delete.
#[derive(Debug, Default)]
pub struct Claims(HashMap<(&'static str, i64), Claim>);

#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) sheet: u16,
    pub(super) row: u64,
    pub(super) deletes: bool,
}

impl Claims {
    /// Takes a record for a row; the earlier row that has it, where both cannot be.
    pub(super) fn take(&mut self, record: (&'static str, i64), claim: Claim) -> Option<u64> {
        match self.0.insert(record, claim) {
            Some(earlier) if earlier.sheet == claim.sheet || earlier.deletes || claim.deletes => {
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
        let claim = |sheet, row, deletes| Claim { sheet, row, deletes };
        let mut claims = Claims::default();
        assert_eq!(claims.take(("assets", 1), claim(0, 2, false)), None);
        assert_eq!(claims.take(("assets", 1), claim(0, 3, false)), Some(2), "the same sheet");
        assert_eq!(claims.take(("assets", 1), claim(1, 2, false)), None, "a later sheet");
        assert_eq!(claims.take(("assets", 1), claim(2, 2, true)), Some(2), "a delete of what is written");
        assert_eq!(claims.take(("employees", 1), claim(0, 2, true)), None, "another collection");
        assert_eq!(claims.take(("employees", 1), claim(1, 5, false)), Some(2), "after a delete");
    }
}
