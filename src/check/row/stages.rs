//! The two stages of a check: rows by themselves, which several threads may do at the same time, then each beside the rows
//! before it, in order.

use super::unheaded::UnheadedColumns;
use super::{Checker, ColumnSurvey, EarlierRow, HiddenRows, RemarkKind};
use crate::check::checked_row::{CheckedRow, ParsedValue};
use crate::check::duplicates::{KeyHash, KeyHashes, SeenRecords, SeenSerials, duplicate_hint};
use crate::check::fill::RowFiller;
use crate::check::merged_cells::MergedRanges;
use crate::check::non_records::NonRecordFinder;
use crate::check::problem::{Code, ValueError};
use crate::check::rules::{Duplicates, RowAction};
use crate::check::text;
use crate::mapping::{IdOwnership, Mapping};
use crate::table::Row;

/// What the rows that follow are compared with: the row's identities, hashed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowDigest {
    row: u64,
    id: Option<KeyHash>,
    key: Option<KeyHash>,
    serial: Option<KeyHash>,
    /// Whether there is anything to tell of the row.
    pub(crate) is_flagged: bool,
}

/// What a row repeats of the rows before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repetition {
    record: Option<EarlierRow>,
    serial: bool,
}

impl Repetition {
    pub(crate) fn is_any(self) -> bool {
        self.record.is_some() || self.serial
    }
}

impl<'m> Checker<'m> {
    /// A checker of other rows of the same sheet.
    pub(crate) fn helper(&self) -> Checker<'m> {
        Checker {
            mapping: self.mapping,
            rules: self.rules,
            columns: self.columns.clone(),
            surveys: self.columns.iter().map(|_| ColumnSurvey::default()).collect(),
            identifying: self.identifying.clone(),
            required: self.required.clone(),
            implying: self.implying.clone(),
            holders: self.holders.clone(),
            serial: self.serial,
            hasher: self.hasher.clone(),
            has_own_keys: self.has_own_keys,
            expected: std::collections::VecDeque::new(),
            amounts: Vec::new(),
            seen: SeenRecords::default(),
            serials: SeenSerials::default(),
            compares_unverified_ids: self.compares_unverified_ids,
            extra_cells: self.extra_cells,
            non_records: NonRecordFinder::new(self.mapping, &[]),
            merged: MergedRanges::new(Vec::new()),
            hidden: HiddenRows::default(),
            unheaded: UnheadedColumns::new(self.mapping),
            filler: RowFiller::new(self.mapping, &self.rules.aliases),
        }
    }

    /// Adds what a helper's rows tell about the columns.
    pub(crate) fn absorb(&mut self, helper: &Checker<'_>) {
        for (survey, other) in self.surveys.iter_mut().zip(&helper.surveys) {
            survey.dates.merge(&other.dates);
            survey.amounts.merge(&other.amounts);
            survey.names.merge(&other.names);
        }
        self.unheaded.absorb(&helper.unheaded);
    }

    pub(crate) fn mapping(&self) -> &'m Mapping {
        self.mapping
    }

    /// Checks a row by itself. Returns it as it counts, as [`Checker::check`] does.
    pub(crate) fn check_alone<'r>(&'r mut self, typed: &'r Row, checked: &mut CheckedRow) -> (&'r Row, RowDigest) {
        let mut filler = std::mem::take(&mut self.filler);
        let is_filled = filler.fill(typed, self.mapping, &self.rules.aliases, checked);
        let row = if is_filled { filler.filled() } else { typed };
        self.check_cells((typed, row), &filler, checked);
        let keys = self.hasher.hashes(row);
        let mut digest = self.digest(keys, checked);
        // The total above a note may be among another helper's rows.
        digest.is_flagged |= self.non_records.total().is_some() || self.non_records.may_be_note(typed);
        self.filler = filler;
        (if is_filled { self.filler.filled() } else { typed }, digest)
    }

    /// What is compared of a row that was checked by itself.
    pub(super) fn digest(&self, keys: KeyHashes, checked: &CheckedRow) -> RowDigest {
        let is_skipped = checked.action == Some(RowAction::Skip);
        let has_twin = !is_skipped && self.rules.duplicates != Duplicates::Allowed;
        let id = checked.id.filter(|id| self.compares_unverified_ids || id.ownership == IdOwnership::Verified);
        let is_given =
            |(field, _): &(usize, usize)| checked.parsed(*field).is_some_and(|given| given.value != ParsedValue::Clear);
        let has_serial = !is_skipped && self.serial.as_ref().is_some_and(is_given);
        // Rows without a key are not rows of one record.
        let lacks_key = checked.problems.iter().any(|problem| {
            let is_key = |column: u32| self.hasher.key_columns.first() == Some(&(column as usize));
            problem.code() == Code::RequiredNoValue && problem.column.is_some_and(is_key)
        });
        RowDigest {
            row: keys.row,
            id: id.filter(|_| has_twin).map(|id| self.hasher.hash(id.number)),
            key: keys.key.filter(|_| has_twin && !lacks_key),
            serial: keys.serial.filter(|_| has_serial),
            is_flagged: checked.is_flagged(),
        }
    }

    /// Says how much of the sheet is read with the rows that are compared next, up to 1; 0 where that is not known.
    pub(crate) fn note_share_read(&mut self, share: f64) {
        self.seen.note_share_read(share);
        self.serials.note_share_read(share);
    }

    /// Prepares for the comparison of these rows, which is faster then.
    pub(crate) fn expect_digests<'d>(&self, digests: impl Iterator<Item = &'d RowDigest> + Clone) {
        self.seen.touch(digests.clone().filter_map(|digest| digest.key));
        self.serials.touch(digests.filter_map(|digest| digest.serial));
    }

    /// Compares a row with those before it: to be called for each row, in order.
    pub(crate) fn compare(&mut self, digest: &RowDigest) -> Repetition {
        let is_compared = digest.id.is_some() || digest.key.is_some();
        let record = if is_compared { self.seen.earlier(digest.id, digest.key, digest.row) } else { None };
        // One serial number under two tags is likely one thing; two rows of one record are reported as that.
        let serial = digest.serial.filter(|_| record.is_none());
        Repetition { record, serial: serial.is_some_and(|serial| self.serials.is_repeated(serial, digest.row)) }
    }

    /// Completes the check of a row with what it repeats; `row` is the row as it counts.
    pub(crate) fn complete(&self, (typed, row): (&Row, &Row), repetition: Repetition, checked: &mut CheckedRow) {
        if let Some(earlier) = repetition.record {
            let (first, column) = match earlier {
                EarlierRow::SameId(first) => (first, checked.id.map(|id| id.column)),
                EarlierRow::SameKey(first) => (first, self.hasher.key_columns.first().map(|column| *column as u32)),
            };
            let message = format!("duplicate of row {first}");
            let error = ValueError::new(Code::DuplicateKey, message, duplicate_hint(self.mapping.entity));
            let found = column.map_or("", |column| row.cell(column as usize).text);
            checked.problems.push(error.at(column, found));
        }
        if let (true, Some((_, column))) = (repetition.serial, self.serial) {
            checked.remark(RemarkKind::SameSerial, column, text::trimmed(row.cell(column).text));
        }
        checked.locate(typed, self.mapping);
    }

    /// Notes a row that a helper has checked and flagged: it may be no record, a total, or a note below one. To be called in order.
    pub(crate) fn note_flagged(&mut self, typed: &Row, checked: &CheckedRow) {
        self.non_records.note(checked.non_record, typed);
    }

    /// Notes a row that a helper has checked and not flagged.
    pub(crate) fn note_clean(&mut self) {
        self.non_records.note_record();
    }
}
