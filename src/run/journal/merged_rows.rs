//! What became of rows that make several records: the row's own record and the further ones, as one outcome.

use std::iter::Peekable;

use super::row_outcomes::RowOutcomes;
use super::{FinishedRow, Journal, JournalError, RecordEndings, RowEnding, SheetHeader, Unfinished};
use crate::plan::{ReportMode, RowOutcome, RowStatus};
use crate::schema::{Entity, Role, Verb};

/// The rows of a sheet with what became of them and of the further records that they make.
pub(crate) struct MergedRows<'j> {
    own: RowOutcomes<'j>,
    entity: &'static Entity,
    further: Vec<(&'static Entity, Peekable<RowOutcomes<'j>>)>,
    mode: ReportMode,
}

impl Journal {
    /// The rows of a sheet that the user has, each with what became of all its records.
    pub(crate) fn merged_rows<'j>(
        &'j self,
        sheets: &[SheetHeader],
        sheet: u16,
        unfinished: Unfinished<'j>,
    ) -> MergedRows<'j> {
        let further = sheets.iter().enumerate().filter(|(_, further)| further.owner == Some(sheet));
        MergedRows {
            own: self.row_outcomes(sheet, unfinished),
            entity: sheets[usize::from(sheet)].entity,
            further: further
                .map(|(index, further)| (further.entity, self.row_outcomes(index as u16, unfinished).peekable()))
                .collect(),
            mode: match unfinished {
                Unfinished::DryRun => ReportMode::DryRun,
                Unfinished::Open | Unfinished::Stopped(_) => ReportMode::Done,
            },
        }
    }
}

impl Iterator for MergedRows<'_> {
    type Item = Result<FinishedRow, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut row = match self.own.next()? {
            Ok(row) => row,
            Err(error) => return Some(Err(error)),
        };
        let mut parts = Vec::new();
        for (entity, rows) in &mut self.further {
            let is_due = |next: &Result<FinishedRow, JournalError>| match next {
                Ok(next) => next.number <= row.number,
                Err(_) => true,
            };
            while let Some(next) = rows.next_if(is_due) {
                match next {
                    // What an earlier run did for a record the row itself tells.
                    Ok(part) if part.ending == RowEnding::Carried => {}
                    Ok(part) if part.number == row.number => parts.push((*entity, part)),
                    // Of a row that the sheet itself does not have: nothing shows it.
                    Ok(_) => {}
                    Err(error) => return Some(Err(error)),
                }
            }
        }
        if !parts.is_empty() {
            self.merge(&mut row, parts);
        }
        Some(Ok(row))
    }
}

impl MergedRows<'_> {
    fn merge(&self, row: &mut FinishedRow, parts: Vec<(&'static Entity, FinishedRow)>) {
        // A check-out that is neither sent nor kept from whoever has the item: a status did not allow it, and may do so later.
        let is_put_off = |(entity, part): &(&Entity, FinishedRow)| {
            entity.is_action() && part.outcome.status == RowStatus::Unchanged && part.outcome.id.is_none()
        };
        let is_left = |part: &(&Entity, FinishedRow)| {
            let (ending, status) = (part.1.ending, part.1.outcome.status);
            let is_unsent = matches!(status, RowStatus::Failed | RowStatus::Unknown | RowStatus::NotSent);
            ending == RowEnding::Open || is_unsent || is_put_off(part)
        };
        let name = |(entity, _): &(&'static Entity, FinishedRow)| entity.name;
        row.records = Some(RecordEndings {
            own: row.outcome.status,
            is_own_carried: row.ending == RowEnding::Carried,
            left: parts.iter().filter(|part| is_left(part)).map(name).collect(),
            done: parts.iter().filter(|part| !is_left(part)).map(name).collect(),
        });
        // What the row was before this run is nothing that this run did, if it did anything for one of its records.
        let is_idle = |part: &FinishedRow| matches!(part.outcome.status, RowStatus::Unchanged | RowStatus::Skipped);
        if row.ending == RowEnding::Carried && !parts.iter().all(|(_, part)| is_idle(part)) {
            row.ending = RowEnding::Final;
            row.outcome.status = RowStatus::Unchanged;
            row.outcome.message = "".into();
        }
        let own = row.outcome.status;
        let mut messages = Vec::new();
        let mut status = own;
        for (entity, part) in &parts {
            if part.ending == RowEnding::Open {
                row.ending = RowEnding::Open;
            }
            status = match part.outcome.status {
                // Somebody else has the row's own record, and keeps it.
                RowStatus::Skipped if entity.is_action() && status == RowStatus::Unchanged => RowStatus::Skipped,
                part => worst(status, part),
            };
            messages.extend(self.message(entity, &part.outcome));
        }
        let own_message = std::mem::take(&mut row.outcome.message);
        if !own_message.is_empty() {
            messages.insert(0, own_message.into_string());
        }
        if status != own && own.is_written() {
            messages.insert(0, format!("{} {}", self.entity.singular, own.label(self.mode)));
        }
        row.outcome.status = status;
        row.outcome.message = messages.join("; ").into();
        for (entity, part) in parts {
            // What is moved is the row's own record.
            if entity.is_action() {
                row.changed_at = row.changed_at.max(part.changed_at);
            }
            let RowOutcome { problems, changes, .. } = part.outcome;
            for problem in problems {
                if !row.outcome.problems.contains(&problem) {
                    row.outcome.problems.push(problem);
                }
            }
            row.outcome.changes.extend(changes);
        }
    }

    /// What became of a further record, unless its problems say it or nothing did.
    fn message(&self, entity: &Entity, part: &RowOutcome) -> Option<String> {
        match part.status {
            RowStatus::Unchanged | RowStatus::Skipped if part.message.is_empty() => None,
            RowStatus::Unchanged | RowStatus::Skipped => Some(part.message.to_string()),
            // A check-out that failed may have something to say beside its problems: that the item was taken back.
            RowStatus::Failed if !part.problems.is_empty() => {
                (entity.is_action() && !part.message.is_empty()).then(|| part.message.to_string())
            }
            // The message of a check-out says what was done to whom.
            status if entity.is_action() && status.is_written() && !part.message.is_empty() => {
                Some(part.message.to_string())
            }
            status if status.is_written() => {
                let id = part.id.map(|id| format!(" #{id}")).unwrap_or_default();
                Some(format!("{}{id} {}", what(entity), status.label(self.mode)))
            }
            status if part.message.is_empty() => Some(format!("{}: {}", what(entity), status.label(self.mode))),
            _ => Some(format!("{}: {}", what(entity), part.message)),
        }
    }
}

/// What a further record is, in a sentence.
fn what(entity: &Entity) -> &'static str {
    match entity.role {
        Role::Action(Verb::Checkout) => "check-out",
        Role::Action(Verb::Checkin) => "check-in",
        Role::Collection { .. } | Role::Listing => entity.singular,
    }
}

/// The status of a row of which one record has ended so, and another so.
fn worst(own: RowStatus, part: RowStatus) -> RowStatus {
    let rank = |status: RowStatus| match status {
        RowStatus::Unknown => 3,
        RowStatus::Failed => 2,
        RowStatus::NotSent => 1,
        _ => 0,
    };
    match (rank(own), rank(part)) {
        (0, 0) if !own.is_written() && part.is_written() => RowStatus::Updated,
        (own_rank, part_rank) if part_rank > own_rank => part,
        _ => own,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::account::AccountIdentity;
    use crate::check::{Code, ValueError};
    use crate::run::journal::{
        AccountSnapshot, JournalBuilder, JournalLocation, PlannedRow, RowState, RunDetails, RunHeader, RunKind,
    };
    use crate::schema;
    use crate::table::Row;

    #[test]
    fn a_row_says_what_was_written_where_another_of_its_records_ended_otherwise() {
        let (id, details) = (String::from("20261124-093012-kqzf"), RunDetails::default());
        let account = AccountIdentity::SandboxMemory;
        let header = RunHeader { id, kind: RunKind::Import, account, undoes: None, details };
        let mut builder = JournalBuilder::create(JournalLocation::Memory, &header).unwrap();
        let sheet = |entity: &str, owner: Option<u16>| SheetHeader {
            owner,
            ..SheetHeader::without_columns(schema::collection(entity).unwrap())
        };
        let sheets = [sheet("locations", None), sheet("suppliers", Some(0))];
        let statuses = [[RowStatus::Created, RowStatus::Created], [RowStatus::Failed, RowStatus::Created]];
        for (index, (sheet, statuses)) in (0..).zip(sheets.iter().zip(statuses)) {
            builder.sheet(index, sheet).unwrap();
            for (number, status) in (2..).zip(statuses) {
                let mut row = Row::default();
                row.clear(number);
                let (state, message, problems) = (RowState::Ended, String::new(), Vec::new());
                builder.row(&row, &PlannedRow { state, status, record: None, message, problems }, &|_| false).unwrap();
            }
        }
        let journal = builder.finish(&AccountSnapshot::default()).unwrap();
        let merged = journal.merged_rows(&sheets, 0, Unfinished::Open).map(Result::unwrap);
        let told: Vec<(RowStatus, Box<str>)> = merged.map(|row| (row.outcome.status, row.outcome.message)).collect();
        assert_eq!((told[0].0, told[1].0), (RowStatus::Failed, RowStatus::Created));
        assert!(told[0].1.starts_with("location created; supplier: "), "{:?}", told[0]);
        assert_eq!(&*told[1].1, "supplier created");
    }

    #[test]
    fn a_row_ends_as_its_worst_record_and_says_what_was_written() {
        use RowStatus::{Created, Failed, NotSent, Skipped, Unchanged, Unknown, Updated};
        for (own, part, status) in [
            (Created, Created, Created),
            (Updated, Created, Updated),
            (Unchanged, Created, Updated),
            (Unchanged, Unchanged, Unchanged),
            (Skipped, Updated, Updated),
            (Created, Failed, Failed),
            (Created, NotSent, NotSent),
            (NotSent, Failed, Failed),
            (Failed, NotSent, Failed),
            (Failed, Unknown, Unknown),
            (Unknown, Created, Unknown),
        ] {
            assert_eq!(worst(own, part), status, "{own:?} {part:?}");
        }
    }

    /// A journal of two sheets, of which the second has further records of the first's rows: row, state, status, id,
    /// message and whether there is a problem.
    fn merged(own: &[Planned], further: &[Planned], of: &str, unfinished: Unfinished<'static>) -> Vec<FinishedRow> {
        let (id, details) = (String::from("20261124-093012-kqzf"), RunDetails::default());
        let account = AccountIdentity::SandboxMemory;
        let header = RunHeader { id, kind: RunKind::Import, account, undoes: None, details };
        let mut builder = JournalBuilder::create(JournalLocation::Memory, &header).unwrap();
        let locations = SheetHeader::without_columns(schema::find("locations").unwrap());
        let sheets =
            [locations, SheetHeader { owner: Some(0), ..SheetHeader::without_columns(schema::find(of).unwrap()) }];
        for (index, rows) in (0..).zip([own, further]) {
            builder.sheet(index, &sheets[usize::from(index)]).unwrap();
            for (number, state, status, record, message, problem) in rows.iter().copied() {
                let mut row = Row::default();
                row.clear(number);
                let error = ValueError::new(Code::NameFailed, problem, "").at(None, "");
                let problems = if problem.is_empty() { Vec::new() } else { vec![error] };
                let planned = PlannedRow { state, status, record, message: message.to_owned(), problems };
                builder.row(&row, &planned, &|_| false).unwrap();
            }
        }
        let journal = builder.finish(&AccountSnapshot::default()).unwrap();
        journal.merged_rows(&sheets, 0, unfinished).map(Result::unwrap).collect()
    }

    type Planned = (u64, RowState, RowStatus, Option<i64>, &'static str, &'static str);

    fn told(rows: &[FinishedRow]) -> Vec<String> {
        rows.iter()
            .map(|row| format!("{} {}: {}", row.number, row.outcome.status.as_str(), row.outcome.message))
            .collect()
    }

    #[test]
    fn further_records_are_told_beside_the_own_one() {
        use RowState::Ended;
        use RowStatus::{Created, Failed, NotSent, Skipped, Unchanged, Unknown, Updated};
        let own = (2..=10).map(|row| (row, Ended, Unchanged, None, "", "")).collect::<Vec<Planned>>();
        let further: [Planned; 9] = [
            (2, Ended, Created, Some(7), "", ""),
            (3, Ended, Updated, None, "", ""),
            (4, Ended, Unchanged, None, "", ""),
            (5, Ended, Skipped, None, "as it is", ""),
            (6, Ended, Failed, None, "", "wrong"),
            (7, Ended, Failed, None, "", ""),
            (8, Ended, NotSent, None, "too late", ""),
            (9, Ended, Unknown, None, "lost", ""),
            // Of a row that the sheet does not have.
            (11, Ended, Created, None, "", ""),
        ];
        let rows = merged(&own, &further, "suppliers", Unfinished::Open);
        assert_eq!(
            told(&rows),
            [
                "2 updated: supplier #7 created", "3 updated: supplier updated", "4 unchanged: ",
                "5 unchanged: as it is", "6 failed: ", "7 failed: supplier: failed", "8 not_sent: supplier: too late",
                "9 unknown: supplier: lost", "10 unchanged: ",
            ]
        );
        let problems: Vec<usize> = rows.iter().map(|row| row.outcome.problems.len()).collect();
        assert_eq!(problems, [0, 0, 0, 0, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn a_check_out_of_a_row_says_what_was_done_to_whom() {
        use RowState::Ended;
        use RowStatus::{Created, Failed, Unchanged};
        let own: [Planned; 3] = [
            (2, Ended, Created, None, "own", ""),
            (3, Ended, Created, None, "", "same"),
            (4, Ended, Unchanged, None, "", ""),
        ];
        let further: [Planned; 3] = [
            (2, Ended, Created, None, "checked out to Ada", ""),
            (3, Ended, Failed, None, "", "same"),
            (4, Ended, Created, None, "", ""),
        ];
        let rows = merged(&own, &further, "checkout_asset", Unfinished::Open);
        assert_eq!(
            told(&rows),
            ["2 created: own; checked out to Ada", "3 failed: location created", "4 updated: check-out created"]
        );
        assert_eq!(rows[1].outcome.problems.len(), 1, "the same problem once");
        let returned = [(4, Ended, Failed, None, "only the check-in was done", "archived")];
        let rows = merged(&own[2..], &returned, "checkout_asset", Unfinished::Open);
        assert_eq!(told(&rows), ["4 failed: only the check-in was done"]);
        let kept = |row| [(row, Ended, RowStatus::Skipped, None, "kept by Bob", "")];
        assert_eq!(told(&merged(&own[2..], &kept(4), "checkout_asset", Unfinished::Open)), ["4 skipped: kept by Bob"]);
        let rows = merged(&own[..1], &kept(2), "checkout_asset", Unfinished::Open);
        assert_eq!(told(&rows), ["2 created: own; kept by Bob"]);
        let late = [(4, Ended, RowStatus::NotSent, None, "too late", "")];
        let rows = merged(&own[2..], &late, "checkout_asset", Unfinished::Open);
        assert_eq!(told(&rows), ["4 not_sent: check-out: too late"]);
        let rows = merged(&own[..1], &[(2, Ended, Unchanged, None, "", "")], "suppliers", Unfinished::Open);
        assert_eq!(told(&rows), ["2 created: own"]);
        let rows = merged(&own[..1], &[(2, Ended, Failed, None, "", "wrong")], "suppliers", Unfinished::Open);
        assert_eq!(told(&rows), ["2 failed: location created; own"]);
        let noted = [(4, Ended, Created, Some(7), "a note", "")];
        let rows = merged(&own[2..], &noted, "suppliers", Unfinished::Open);
        assert_eq!(told(&rows), ["4 updated: supplier #7 created"]);
        let rows =
            merged(&own[2..], &[(4, Ended, RowStatus::NotSent, None, "", "")], "checkin_asset", Unfinished::DryRun);
        assert_eq!(told(&rows), [format!("4 not_sent: check-in: {}", RowStatus::NotSent.label(ReportMode::DryRun))]);
    }

    #[test]
    fn a_row_is_open_or_carried_only_as_far_as_all_its_records_are() {
        use RowState::{Carried, Ended, Planned as Open};
        use RowStatus::{Created, Unchanged};
        let ending = |own: RowState, further: (RowState, RowStatus)| {
            let own = [(2, own, Unchanged, None, "", "")];
            let rows = merged(&own, &[(2, further.0, further.1, None, "", "")], "suppliers", Unfinished::Open);
            rows[0].ending
        };
        assert_eq!(ending(Ended, (Open, Created)), RowEnding::Open);
        assert_eq!(ending(Ended, (Ended, Created)), RowEnding::Final);
        assert_eq!(ending(Carried, (Ended, Created)), RowEnding::Final, "something was written for it");
        assert_eq!(ending(Carried, (Ended, Unchanged)), RowEnding::Carried);
    }

    #[test]
    fn a_check_out_that_a_status_did_not_allow_is_left() {
        use RowState::Ended;
        use RowStatus::{Created, Skipped, Unchanged};
        let left = |entity: &str, status, id| {
            let own = [(2, Ended, Created, Some(1), "", "")];
            let rows = merged(&own, &[(2, Ended, status, id, "not now", "")], entity, Unfinished::Open);
            rows[0].records.as_ref().map(|records| !records.left.is_empty()).unwrap()
        };
        assert!(left("checkout_asset", Unchanged, None));
        assert!(!left("checkout_asset", Unchanged, Some(1)), "whoever has it keeps it");
        assert!(!left("checkout_asset", Skipped, Some(1)) && !left("checkout_asset", Created, None));
        assert!(!left("suppliers", Unchanged, Some(7)));
    }

    #[test]
    fn what_an_earlier_run_did_for_a_row_does_not_hide_what_this_run_does() {
        use RowState::{Carried, Ended};
        use RowStatus::{Created, Failed, Skipped, Updated};
        for earlier in [Created, Updated, Skipped] {
            let own = [(2, Carried, earlier, Some(1), "check-out to Ada", "")];
            let merged = |state, status, message| {
                let further = [(2, state, status, None, message, "")];
                let rows = merged(&own, &further, "checkout_asset", Unfinished::Open);
                (rows[0].ending, told(&rows).remove(0))
            };
            let moved = merged(Ended, Created, "check-out to Bob");
            assert_eq!(moved, (RowEnding::Final, String::from("2 updated: check-out to Bob")));
            assert_eq!(merged(Ended, Failed, "").0, RowEnding::Final);
            let kept = merged(Carried, earlier, "check-out to Ada");
            assert_eq!(kept, (RowEnding::Carried, format!("2 {}: check-out to Ada", earlier.as_str())));
        }
    }
}
