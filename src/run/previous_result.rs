//! What the result of an earlier run says of a row. What is done is never sent again unless a cell of it was edited,
//! and then only the edit is (design rule 1).
//!
//! That a cell was edited shows in comparison with the row as that run has read it
//! ([`earlier_rows`](super::earlier_rows)), not with the account, which others change too. Where no journal has the
//! row, nobody knows who made a difference to the account: the row is then compared with it, and what differs is a
//! conflict.

use std::ops::ControlFlow;
use std::rc::Rc;

use jiff::Timestamp;

use super::earlier_rows::{DoneEarlier, EarlierCells, EarlierRows, NamedColumns, ReportedRow, has_written};
use super::input::InputSet;
use crate::account::Account;
use crate::account::AccountIdentity;
use crate::check::{CheckedRow, Checker, Code, EarlierRunRow, ValueError};
use crate::error::{Error, Result};
use crate::mapping::{ColumnTarget, Mapping, ResultColumn, TimestampColumn};
use crate::plan::{ReportMode, RowDecision, RowStatus, WriteKind};
use crate::run::journal::{EarlierRun, PlannedRow, RowState};
use crate::schema::Entity;
use crate::table::{Input, Row};
use crate::written_files::WrittenFiles;

/// Which rows of the input count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowSelection {
    /// All, whatever an earlier result says of them.
    All,
    /// Those that no earlier result says are done.
    NotDone,
    /// The same, and every sheet has to be a result.
    OfResult,
}

/// What an earlier result says of a row.
#[derive(Debug)]
pub(super) enum Said {
    /// Nothing that counts: the row is sent like any other.
    Nothing,
    /// What is decided for it, whatever its cells say.
    Decided(PlannedRow),
    /// The same, although a cell of it was edited: an action or a deletion would happen a second time, and what was
    /// left out may have been left out on purpose.
    Edited(PlannedRow),
    /// It is done, or its own record is, or an edit of it failed after it was done, and its cells may have been edited since.
    Done(DoneBefore),
}

/// The message of such a row.
const EDITED_IN_VAIN: &str = "edited since the earlier run, and not sent again: empty its `_status` to send it";

/// A row that was done, and may have been edited since.
#[derive(Debug)]
pub(super) struct DoneBefore {
    /// What became of it then. It stands unless the row was edited; none of a row that certainly was.
    kept: Option<PlannedRow>,
    /// What it said then; none where no journal tells.
    cells: Option<EarlierCells>,
    /// The collections and actions of its further records that are not done: they are sent like any other.
    left: Vec<&'static str>,
    /// When the run began that left them.
    left_since: Option<Timestamp>,
}

impl DoneBefore {
    fn of(kept: Option<PlannedRow>, cells: Option<EarlierCells>) -> Self {
        Self { kept, cells, left: Vec::new(), left_since: None }
    }

    /// Whether the row is done as far as it makes such a record.
    pub(super) fn has_done(&self, entity: &Entity) -> bool {
        !self.left.contains(&entity.name)
    }

    /// When the run began that left such a record, or check-out, of the row: a later run may have sent it.
    pub(super) fn left_since(&self, entity: &Entity) -> Option<Timestamp> {
        self.left_since.filter(|_| !self.has_done(entity))
    }

    /// The row's own record.
    pub(super) fn record(&self) -> Option<i64> {
        self.kept.as_ref()?.record
    }

    /// What the row said then, read like the row itself.
    pub(super) fn earlier(&self, checker: &mut Checker<'_>) -> EarlierRunRow {
        let Some(EarlierCells { row, changed }) = &self.cells else { return EarlierRunRow::Unknown };
        let mut checked = CheckedRow::default();
        let row = checker.check_alone(row, &mut checked).0.clone();
        EarlierRunRow::Known { row, checked: Box::new(checked), changed: *changed }
    }

    /// What became of the row then, if that stands and not what was decided for it now. `is_gone` if the account has no
    /// such record any more: the earlier run may have been on another account.
    pub(super) fn keep(self, decision: &RowDecision, is_gone: bool) -> Option<PlannedRow> {
        if self.is_edited(decision) {
            return None;
        }
        let kept = self.kept?;
        if !is_gone {
            return Some(kept);
        }
        let record = kept.record.map(|id| format!(" `#{id}`")).unwrap_or_default();
        let message = format!("done by an earlier run; the account has no record{record}");
        Some(PlannedRow { message, ..kept })
    }

    /// Whether what was decided for the row now stands: the row was edited, well or badly.
    fn is_edited(&self, decision: &RowDecision) -> bool {
        match decision {
            RowDecision::Write(_, write) => *write != WriteKind::Create,
            RowDecision::Delete(_) => true,
            // Others may have deleted it, and a run that only creates leaves it as it is where it may not have been
            // edited.
            RowDecision::Rejected(problems) => !problems.iter().all(|problem| match problem.code() {
                Code::RecordMissing => true,
                Code::RecordExists => self.cells.is_none(),
                _ => false,
            }),
            RowDecision::SkippedConflict { .. } => true,
            RowDecision::Unchanged(_) | RowDecision::AlreadyDone | RowDecision::Skipped => false,
        }
    }
}

/// What tells whether the rows of a file were edited since it was written.
#[derive(Debug, Clone)]
enum Edits {
    /// The file is as it was written: none were.
    None,
    /// What the run that wrote it has read.
    Since(Rc<EarlierRows>),
    /// Nothing.
    Unknown,
}

/// The columns that a result puts in front of the user's own.
#[derive(Debug, Clone)]
pub(super) struct PreviousResult {
    status: usize,
    id: Option<usize>,
    message: Option<usize>,
    /// The user's own.
    columns: NamedColumns,
    edits: Edits,
}

/// What earlier results say of the rows of every sheet; none of a sheet that is no result.
///
/// # Errors
/// Where a file cannot be read, or a sheet is no result and should be.
pub(super) fn previous_results(
    account: &Account,
    selection: RowSelection,
    input: &mut InputSet,
) -> Result<Vec<Option<PreviousResult>>> {
    if selection == RowSelection::All {
        return Ok(input.sheets.iter().map(|_| None).collect());
    }
    let result = |sheet: &super::input::MappedSheet| PreviousResult::of(&sheet.mapping, &sheet.header, Edits::Unknown);
    let mut results: Vec<Option<PreviousResult>> = input.sheets.iter().map(result).collect();
    let is_lacking = |index: &usize| !input.sheets[*index].is_further() && results[*index].is_none();
    if let Some(lacking) = (0..results.len()).find(is_lacking).filter(|_| selection == RowSelection::OfResult) {
        return Err(Error::usage(
            format!("{} has no column `_status`, so it is not a result of an earlier run", input.label(lacking)),
            "give the result workbook, or leave out --only-failed",
        ));
    }
    for file in 0..input.files.len() {
        let sheets: Vec<usize> = (0..results.len())
            .filter(|index| input.sheets[*index].file == file && !input.sheets[*index].is_further())
            .filter(|index| results[*index].is_some())
            .collect();
        if sheets.is_empty() {
            continue;
        }
        let edits = edits_of(account, input, (file, &sheets), &results)?;
        for sheet in sheets {
            // Further records are told of like the rows that they are made from.
            for index in std::iter::once(sheet).chain(input.further_of(sheet)) {
                results[index] = results[sheet].clone().map(|result| PreviousResult { edits: edits.clone(), ..result });
            }
        }
    }
    Ok(results)
}

fn edits_of(
    account: &Account,
    input: &mut InputSet,
    (file, sheets): (usize, &[usize]),
    results: &[Option<PreviousResult>],
) -> Result<Edits> {
    // Of an account that is gone with its process nothing is kept.
    if account.identity == AccountIdentity::SandboxMemory
        && let Input::Path(path) = &input.files[file].input
        && WrittenFiles::new(&account.state_dir).known().is_unedited(path)
    {
        return Ok(Edits::None);
    }
    let done = |input: &mut InputSet| {
        let mut done = Vec::new();
        for sheet in sheets {
            let (entity, Some(result)) = (input.sheets[*sheet].mapping.entity, &results[*sheet]) else { continue };
            input.each_row(*sheet, &mut |row| {
                done.extend(result.reported(entity, row).filter(|reported| reported.status.is_done()));
                ControlFlow::Continue(())
            })?;
        }
        Ok(done)
    };
    Ok(EarlierRows::find(account, input, file, done)?.map_or(Edits::Unknown, |rows| Edits::Since(Rc::new(rows))))
}

impl PreviousResult {
    /// None where the sheet has no column `_status`: it is no result.
    fn of(mapping: &Mapping, header: &Row, edits: Edits) -> Option<Self> {
        let column =
            |to: &ColumnTarget| mapping.columns.iter().find(|column| column.target == *to).map(|column| column.index);
        Some(Self {
            status: column(&ColumnTarget::Result(ResultColumn::Status))?,
            id: mapping.id_column().map(|column| column as usize),
            message: column(&ColumnTarget::Result(ResultColumn::Message)),
            columns: NamedColumns::of(header, mapping.timestamp_column(TimestampColumn::Updated)),
            edits,
        })
    }

    /// Of a file that was not edited.
    #[cfg(test)]
    pub(super) fn as_written(mapping: &Mapping, header: &Row) -> Option<Self> {
        Self::of(mapping, header, Edits::None)
    }

    /// What the earlier result says of a row.
    pub(super) fn said(&self, entity: &Entity, row: &Row) -> Said {
        let Some((reported, mode)) = self.told(entity, row) else { return Said::Nothing };
        if mode != ReportMode::Done {
            return self.edited_before(&reported, mode, row);
        }
        if !reported.status.is_done() {
            let unknown = self.still_unknown(entity, row).map(Said::Decided);
            return unknown.unwrap_or_else(|| self.edited_before(&reported, mode, row));
        }
        let kept = self.outcome(row);
        let left = match &self.edits {
            Edits::Since(rows) => rows.left(&reported),
            Edits::None | Edits::Unknown => Vec::new(),
        };
        match &self.edits {
            Edits::Since(rows) if left.is_empty() && rows.is_as_read(&reported) => Said::Decided(kept),
            Edits::Since(rows) if reported.record.is_some() => {
                // Why its check-out was left is told anew.
                let kept = if left.is_empty() { kept } else { PlannedRow { message: String::new(), ..kept } };
                let cells = rows.cells(&reported, row, &self.columns);
                Said::Done(DoneBefore { kept: Some(kept), cells, left, left_since: Some(rows.began()) })
            }
            Edits::Since(_) => Said::Edited(PlannedRow { message: EDITED_IN_VAIN.into(), ..kept }),
            Edits::Unknown if reported.record.is_some() => Said::Done(DoneBefore::of(Some(kept), None)),
            Edits::None | Edits::Unknown => Said::Decided(kept),
        }
    }

    /// What is said of a row that is not done: that its own record is, or that it was done once, and has an edit that did not
    /// succeed, or that a dry run did not send.
    fn edited_before(&self, reported: &ReportedRow, mode: ReportMode, row: &Row) -> Said {
        let (Edits::Since(rows), Some(_)) = (&self.edits, reported.record) else { return Said::Nothing };
        let done = match mode {
            ReportMode::Done => rows.done_before(reported, row, &self.columns),
            ReportMode::DryRun | ReportMode::Check => rows.done_before_dry_run(reported, row, &self.columns),
        };
        match done {
            DoneEarlier::Never => Said::Nothing,
            // The row was done with its own record; what it said of the others' failure is told anew.
            DoneEarlier::Done { own, left, cells } if !left.is_empty() => {
                let kept = PlannedRow { status: own, message: String::new(), ..self.outcome(row) };
                Said::Done(DoneBefore { kept: Some(kept), cells, left, left_since: Some(rows.began()) })
            }
            DoneEarlier::Done { cells, .. } => Said::Done(DoneBefore::of(None, cells)),
            DoneEarlier::Unknown => Said::Done(DoneBefore::of(None, None)),
        }
    }

    /// What the earlier result says became of a row, if it is one of a run.
    fn reported(&self, entity: &Entity, row: &Row) -> Option<ReportedRow> {
        self.told(entity, row).filter(|(_, mode)| *mode == ReportMode::Done).map(|(reported, _)| reported)
    }

    /// What the earlier result says of a row, and whether that happened.
    fn told(&self, entity: &Entity, row: &Row) -> Option<(ReportedRow, ReportMode)> {
        let parsed = RowStatus::parse(row.cell(self.status).text)?;
        let (status, mode) = (parsed.status, parsed.mode);
        let is_compared = entity.is_collection() && (has_written(status) || !status.is_done());
        let record = self.outcome(row).record.filter(|_| is_compared);
        Some((ReportedRow { entity: entity.name, status, record, digest: self.columns.digest(row) }, mode))
    }

    /// The columns of the cells for which a row failed, because another row of the earlier run changed or deleted what they
    /// name. What such a cell names is another record only if the user says so.
    pub(super) fn contradicted(&self, entity: &'static Entity, row: &Row) -> Vec<u32> {
        match (&self.edits, self.told(entity, row)) {
            (Edits::Since(rows), Some((reported, _))) if !reported.status.is_done() => {
                rows.contradicted(entity.name, row, &self.columns)
            }
            _ => Vec::new(),
        }
    }

    /// The run that wrote the sheet, where its journal is at hand.
    pub(super) fn run(&self) -> Option<&EarlierRun> {
        match &self.edits {
            Edits::Since(rows) => Some(rows.run()),
            Edits::None | Edits::Unknown => None,
        }
    }

    /// An action whose end is not known is never sent again unasked: nothing tells whether it happened.
    fn still_unknown(&self, entity: &Entity, row: &Row) -> Option<PlannedRow> {
        let found = row.cell(self.status).text;
        let is_unknown = RowStatus::parse(found).is_some_and(|reported| reported.status == RowStatus::Unknown);
        (is_unknown && entity.is_action()).then(|| {
            let error = ValueError::new(
                Code::ServiceUnknown,
                "an earlier run sent this with unknown outcome; sending it again may apply it twice",
                "empty its `_status` to send it again, or write `skipped` there if it was done",
            );
            PlannedRow {
                state: RowState::Ended,
                status: RowStatus::Unknown,
                record: None,
                message: String::new(),
                problems: vec![error.at(Some(self.status as u32), found)],
            }
        })
    }

    /// What became of the row then.
    fn outcome(&self, row: &Row) -> PlannedRow {
        let text = |column: Option<usize>| column.map_or("", |column| row.cell(column).text.trim());
        PlannedRow {
            state: RowState::Carried,
            status: RowStatus::parse(row.cell(self.status).text).map_or(RowStatus::Skipped, |reported| reported.status),
            record: text(self.id).parse().ok(),
            message: text(self.message).into(),
            problems: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::mapping::MappingOverrides;
    use crate::schema;

    fn row(number: u64, cells: &[&str]) -> Row {
        let mut row = Row::default();
        row.clear(number);
        cells.iter().for_each(|cell| row.push_csv(cell));
        row
    }

    fn with(entity: &'static Entity, header: &[&str], edits: Edits) -> Option<PreviousResult> {
        let header = row(1, header);
        let mapping = Mapping::new(entity, &header, &MappingOverrides::default()).unwrap();
        PreviousResult::of(&mapping, &header, edits)
    }

    #[test]
    fn what_is_done_is_decided_and_an_action_of_unknown_outcome_is_never_sent_again() {
        for (name, header) in [("locations", "name"), ("checkin_asset", "asset_id")] {
            let entity = schema::find(name).unwrap();
            let header = &["_status", "_id", "_message", header, "checkin_date"][..4 + usize::from(entity.is_action())];
            let result = with(entity, header, Edits::None).unwrap();
            let decided = |status: &str| match result.said(entity, &row(2, &[status, "7", "fine", "Berlin"])) {
                Said::Decided(planned) => Some(planned),
                Said::Nothing => None,
                Said::Done(_) | Said::Edited(_) => panic!("the file was not edited"),
            };
            let done = decided("created").unwrap();
            assert_eq!((done.state, done.status, done.record), (RowState::Carried, RowStatus::Created, Some(7)));
            assert_eq!(done.message, "fine");
            assert_eq!(decided("failed"), None);
            assert_eq!(decided(""), None);
            let unknown = decided("unknown").map(|planned| (planned.state, planned.status));
            assert_eq!(unknown, entity.is_action().then_some((RowState::Ended, RowStatus::Unknown)));
        }
        let places = schema::find("locations").unwrap();
        assert!(with(places, &["_id", "name"], Edits::Unknown).is_none());
        let bare = with(places, &["_status", "name"], Edits::None).unwrap();
        let Said::Decided(kept) = bare.said(places, &row(2, &["skipped", "Berlin"])) else { panic!("decided") };
        assert_eq!((kept.status, kept.record, kept.message.as_str()), (RowStatus::Skipped, None, ""));
    }

    #[test]
    fn a_row_that_may_have_been_edited_is_compared_if_it_has_written_to_a_record() {
        let (places, returns) = (schema::find("locations").unwrap(), schema::find("checkin_asset").unwrap());
        let result = with(places, &["_status", "_id", "_message", "name"], Edits::Unknown).unwrap();
        let said = |status: &str, id: &str| match result.said(places, &row(2, &[status, id, "", "Berlin"])) {
            Said::Nothing => "sent",
            Said::Decided(_) | Said::Edited(_) => "kept",
            Said::Done(before) if before.cells.is_none() => "compared",
            Said::Done(_) => "known",
        };
        for (status, expected) in [
            ("created", "compared"),
            ("updated", "compared"),
            ("Unchanged", "compared"),
            ("deleted", "kept"),
            ("skipped", "kept"),
            ("failed", "sent"),
            ("unknown", "sent"),
            ("would create", "sent"),
            ("", "sent"),
        ] {
            assert_eq!(said(status, "7"), expected, "{status}");
        }
        assert_eq!(said("created", ""), "kept");
        let moved = with(returns, &["_status", "_id", "asset_id", "checkin_date"], Edits::Unknown).unwrap();
        let moved = moved.said(returns, &row(2, &["created", "7", "A-1", ""]));
        assert!(matches!(moved, Said::Decided(_)), "it would happen a second time");
    }

    #[test]
    fn an_edit_is_an_update_or_what_is_wrong_with_one() {
        let kept = PlannedRow {
            state: RowState::Carried,
            status: RowStatus::Created,
            record: Some(7),
            message: String::new(),
            problems: Vec::new(),
        };
        let cells = EarlierCells { row: Row::default(), changed: None };
        let (known, unknown) = (DoneBefore::of(Some(kept.clone()), Some(cells)), DoneBefore::of(Some(kept), None));
        let rejected = |before: &DoneBefore, codes: &[Code]| {
            let problem = |code: &Code| ValueError::new(*code, "", "").at(None, "");
            before.is_edited(&RowDecision::Rejected(codes.iter().map(problem).collect()))
        };
        for before in [&known, &unknown] {
            assert!(before.is_edited(&RowDecision::Write(0, WriteKind::Update(7))));
            assert!(before.is_edited(&RowDecision::Write(0, WriteKind::Delete(7))));
            assert!(!before.is_edited(&RowDecision::Write(0, WriteKind::Create)));
            assert!(!before.is_edited(&RowDecision::Unchanged(7)));
            assert!(rejected(before, &[Code::NameNotFound, Code::RecordMissing]) && !rejected(before, &[]));
            assert!(!rejected(before, &[Code::RecordMissing]));
        }
        assert!(rejected(&known, &[Code::RecordExists]) && !rejected(&unknown, &[Code::RecordExists]));
        let gone = unknown.keep(&RowDecision::Rejected(Vec::new()), true).unwrap();
        assert_eq!(gone.message, "done by an earlier run; the account has no record `#7`");
        assert!(known.keep(&RowDecision::Write(0, WriteKind::Update(7)), false).is_none());
    }
}
