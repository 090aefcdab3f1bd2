//! What the result of an earlier run says of a row: `--only-failed` sends what is not done and keeps the rest.

use crate::account::Account;
use crate::check::{Code, ValueError};
use crate::mapping::{ColumnTarget, Mapping, ResultColumn};
use crate::plan::{RowDecision, RowStatus, WriteKind};
use crate::run::journal::{PlannedRow, RowState};
use crate::schema::Entity;
use crate::table::{Input, Row};
use crate::written_files::{Overwrite, WrittenFiles};

/// Which rows of the input are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowSelection {
    All,
    /// The input is a result: what it says is done stays as it is.
    NotDone,
}

impl RowSelection {
    /// What an earlier result says of a sheet's rows, where it is asked.
    pub(super) fn previous_result(self, mapping: &Mapping, edits: Edits) -> Option<PreviousResult> {
        match self {
            RowSelection::All => None,
            RowSelection::NotDone => PreviousResult::of(mapping, edits),
        }
    }
}

/// Whether a result may have been edited since it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edits {
    None,
    Possible,
}

impl Edits {
    /// Of an input: as it was written on this machine, or not. Nobody asks where all rows are sent.
    pub(super) fn of(account: &Account, selection: RowSelection, input: &Input) -> Self {
        let Input::Path(path) = input else { return Edits::Possible };
        if selection == RowSelection::All {
            return Edits::None;
        }
        let written = WrittenFiles::new(&account.state_dir);
        match written.check(std::slice::from_ref(path), Overwrite::OwnFiles) {
            Ok(()) => Edits::None,
            Err(_) => Edits::Possible,
        }
    }
}

/// The columns that a result workbook puts in front of the user's own.
#[derive(Debug, Clone, Copy)]
pub(super) struct PreviousResult {
    status: usize,
    id: Option<usize>,
    message: Option<usize>,
    edits: Edits,
}

impl PreviousResult {
    /// None where the sheet has no column `_status`: it is no result.
    pub(super) fn of(mapping: &Mapping, edits: Edits) -> Option<Self> {
        let column =
            |to: &ColumnTarget| mapping.columns.iter().find(|column| column.target == *to).map(|column| column.index);
        Some(Self {
            status: column(&ColumnTarget::Result(ResultColumn::Status))?,
            id: mapping.id_column().map(|column| column as usize),
            message: column(&ColumnTarget::Result(ResultColumn::Message)),
            edits,
        })
    }

    /// Whether nothing is left to do for the row, whatever its cells say.
    pub(super) fn is_settled(&self, entity: &Entity, row: &Row) -> bool {
        self.is_done(row) && self.written_record(entity, row).is_none()
    }

    /// The record that the row has written, where its cells may have been edited since: it is compared with them, and an
    /// edit is an update. Never of an action, which would happen a second time.
    pub(super) fn written_record(&self, entity: &Entity, row: &Row) -> Option<i64> {
        let is_compared = |status| matches!(status, RowStatus::Created | RowStatus::Updated | RowStatus::Unchanged);
        let reported = RowStatus::parse(row.cell(self.status).text).filter(|reported| reported.is_done())?;
        let may_be_edited = self.edits == Edits::Possible && entity.is_collection() && is_compared(reported.status);
        self.outcome(row).record.filter(|_| may_be_edited)
    }

    /// Whether nothing is left to do for the row unless it was edited.
    fn is_done(&self, row: &Row) -> bool {
        RowStatus::parse(row.cell(self.status).text).is_some_and(|reported| reported.is_done())
    }

    /// What is decided for the row before it is looked at: it is done, or nobody knows whether it was.
    pub(super) fn decided(&self, entity: &Entity, row: &Row) -> Option<PlannedRow> {
        match self.is_done(row) {
            true => Some(self.outcome(row)),
            false => self.still_unknown(entity, row),
        }
    }

    /// Whether what was decided for a row whose record is written already stands, and not what the earlier result says:
    /// the row was edited, well or badly. That the record is gone, or that the run only creates, is no edit.
    pub(super) fn is_edit(decision: &RowDecision) -> bool {
        match decision {
            RowDecision::Write(_, write) => matches!(write, WriteKind::Update(_)),
            RowDecision::Rejected(problems) => {
                !problems.iter().all(|problem| matches!(problem.code(), Code::RecordMissing | Code::RecordExists))
            }
            _ => false,
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

    #[test]
    fn what_is_done_is_decided_and_an_action_of_unknown_outcome_is_never_sent_again() {
        for (name, header) in [("locations", "name"), ("checkin_asset", "asset_id")] {
            let entity = schema::find(name).unwrap();
            let header =
                row(1, &["_status", "_id", "_message", header, "checkin_date"][..4 + usize::from(entity.is_action())]);
            let mapping = Mapping::new(entity, &header, &MappingOverrides::default()).unwrap();
            let result = PreviousResult::of(&mapping, Edits::Possible).unwrap();
            let decided = |status: &str| result.decided(entity, &row(2, &[status, "7", "fine", "Berlin"]));
            let done = decided("created").unwrap();
            assert_eq!((done.state, done.status, done.record), (RowState::Carried, RowStatus::Created, Some(7)));
            assert_eq!(done.message, "fine");
            assert_eq!(decided("failed"), None);
            assert_eq!(decided(""), None);
            let unknown = decided("unknown").map(|planned| (planned.state, planned.status));
            assert_eq!(unknown, entity.is_action().then_some((RowState::Ended, RowStatus::Unknown)));
        }
    }

    #[test]
    fn a_result_that_may_have_been_edited_is_compared_with_its_records() {
        let places = schema::find("locations").unwrap();
        let returns = schema::find("checkin_asset").unwrap();
        let with = |entity, header: &[&str], edits| {
            let mapping = Mapping::new(entity, &row(1, header), &MappingOverrides::default()).unwrap();
            PreviousResult::of(&mapping, edits)
        };
        let result = |edits| with(places, &["_status", "_id", "_message", "name"], edits).unwrap();
        let line = |status: &str, id: &str| row(2, &[status, id, "", "Berlin"]);
        for (status, is_done, is_compared) in [
            ("created", true, true),
            ("updated", true, true),
            ("unchanged", true, true),
            ("deleted", true, false),
            ("skipped", true, false),
            ("failed", false, false),
            ("unknown", false, false),
            ("", false, false),
        ] {
            let line = line(status, "7");
            assert_eq!(result(Edits::None).is_settled(places, &line), is_done, "{status}");
            assert_eq!(result(Edits::None).written_record(places, &line), None, "{status}");
            assert_eq!(result(Edits::Possible).is_settled(places, &line), is_done && !is_compared, "{status}");
            assert_eq!(result(Edits::Possible).written_record(places, &line), is_compared.then_some(7), "{status}");
        }
        assert_eq!(result(Edits::Possible).written_record(places, &line("created", "")), None);
        assert!(result(Edits::Possible).is_settled(places, &line("created", "")));
        let moved = with(returns, &["_status", "_id", "asset_id", "checkin_date"], Edits::Possible).unwrap();
        assert_eq!(moved.written_record(returns, &line("created", "7")), None, "it would happen a second time");
        assert!(with(places, &["_id", "name"], Edits::Possible).is_none());
        let bare = with(places, &["_status", "name"], Edits::None).unwrap();
        let kept = bare.decided(places, &row(2, &["skipped", "Berlin"])).unwrap();
        assert_eq!((kept.status, kept.record, kept.message.as_str()), (RowStatus::Skipped, None, ""));
    }

    #[test]
    fn an_edit_is_an_update_or_what_is_wrong_with_one() {
        let rejected = |codes: &[Code]| {
            let problem = |code: &Code| ValueError::new(*code, "", "").at(None, "");
            PreviousResult::is_edit(&RowDecision::Rejected(codes.iter().map(problem).collect()))
        };
        assert!(PreviousResult::is_edit(&RowDecision::Write(0, WriteKind::Update(7))));
        assert!(!PreviousResult::is_edit(&RowDecision::Write(0, WriteKind::Create)));
        assert!(!PreviousResult::is_edit(&RowDecision::Write(0, WriteKind::Delete(7))));
        assert!(!PreviousResult::is_edit(&RowDecision::Unchanged(7)));
        assert!(rejected(&[Code::NameNotFound]) && rejected(&[Code::RecordMissing, Code::NameNotFound]));
        assert!(!rejected(&[Code::RecordMissing]) && !rejected(&[Code::RecordExists, Code::RecordMissing]));
    }

    #[test]
    fn only_a_file_as_it_was_written_here_is_surely_not_edited() {
        let office = crate::run::prepare::tests::Office::new();
        let path = office.file("r.csv", "_status,name\n");
        let of = |selection, input: &Input| Edits::of(&office.account, selection, input);
        let file = Input::Path(path);
        assert_eq!(of(RowSelection::All, &file), Edits::None);
        assert_eq!(of(RowSelection::NotDone, &file), Edits::Possible);
        assert_eq!(of(RowSelection::NotDone, &Input::Stdin), Edits::Possible);
    }
}
