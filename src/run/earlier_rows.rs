//! The rows of a result as the run that wrote it has read them: a cell that says something else by now was edited.
//!
//! The journal of the run has them. A workbook names its run in the summary, whatever program has saved it and under
//! whatever name; of a CSV file the run is the one that wrote to its path. A copy of a CSV file names none: its run is
//! likely the one of whose rows it has the most. What such a copy says as the journal has it was not edited. Of what
//! differs, only a record that was created then is surely of that run, or of one before it: a record is created once,
//! and updated by many.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jiff::Timestamp;

use super::input::InputSet;
use super::journal::{
    EarlierRun, Journal, JournalError, RecordEndings, RowEnding, RunKind, RunPhase, RunStore, SheetHeader, Unfinished,
};
use crate::account::Account;
use crate::check::Code;
use crate::error::Result;
use crate::mapping::TimestampColumn;
use crate::plan::{ReportMode, RowStatus};
use crate::table::{Cell, Input, Row};

/// The columns that a result puts in front. They say what became of a row, and are not the row's own.
const OF_RESULT: [&str; 3] = ["_status", "_id", "_message"];

/// The rows of one run.
#[derive(Debug)]
pub(super) struct EarlierRows {
    run: EarlierRun,
    /// When the run began.
    began: Timestamp,
    journal: Journal,
    store: RunStore,
    /// The runs that wrote the sheets that this one has read, where these are results, too.
    before: HashMap<u16, EarlierRun>,
    /// The rows of those, as far as they were asked for.
    opened: RefCell<HashMap<String, Option<Rc<EarlierRows>>>>,
    /// The columns of `_status` in the sheets of the journal.
    statuses: Vec<Option<usize>>,
    /// The columns of the sheets of the journal.
    columns: Vec<NamedColumns>,
    /// Where the row of a record is, by collection and id.
    places: HashMap<(&'static str, i64), EarlierPlace>,
    /// The digests of all rows, by collection or action.
    digests: HashSet<(&'static str, u64)>,
    /// The cells, by collection or action and header, that named what another row changed or deleted.
    contradicted: HashSet<(&'static str, String, String)>,
}

#[derive(Debug, Clone)]
struct EarlierPlace {
    sheet: u16,
    /// Counts the rows of the sheet from 0.
    position: usize,
    digest: u64,
    status: RowStatus,
    /// What became of the row's records, where it makes several.
    records: Option<RecordEndings>,
    changed: Option<Timestamp>,
}

impl EarlierPlace {
    /// What became of the row's own record.
    fn own(&self) -> RowStatus {
        self.records.as_ref().map_or(self.status, |records| records.own)
    }

    /// Whether the run was done with the row's own record, whatever became of further ones. Of one that it carried, it did not
    /// send what was edited, if the row failed.
    fn is_own_done(&self) -> bool {
        let is_carried = self.records.as_ref().is_some_and(|records| records.is_own_carried);
        has_written(self.status) || (has_written(self.own()) && !is_carried)
    }
}

/// A row as an earlier run read it, under the columns of the row at hand.
#[derive(Debug)]
pub(super) struct EarlierCells {
    pub(super) row: Row,
    /// When its record was last changed, as far as that run knew.
    pub(super) changed: Option<Timestamp>,
}

/// Whether a row that is not done was done before, all of it or its own record, and may have been edited since.
#[derive(Debug)]
pub(super) enum DoneEarlier {
    Never,
    /// Its own record was, and these of its further ones were not.
    Done {
        own: RowStatus,
        left: Vec<&'static str>,
        cells: Option<EarlierCells>,
    },
    /// No journal tells what it said then.
    Unknown,
}

/// A row of a result, and what it says became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReportedRow {
    pub(super) entity: &'static str,
    pub(super) status: RowStatus,
    /// The record, if it is one that can be compared.
    pub(super) record: Option<i64>,
    /// What its cells say.
    pub(super) digest: u64,
}

/// The columns of a sheet that rows are compared by, each with its header.
#[derive(Debug, Clone)]
pub(super) struct NamedColumns(Vec<(usize, String)>);

impl NamedColumns {
    /// All with a header but those of a result, and the time of the last change, which a result brings up to date.
    pub(super) fn of(header: &Row, changed: Option<u32>) -> Self {
        let is_own = |text: &str| !text.is_empty() && !OF_RESULT.iter().any(|ours| ours.eq_ignore_ascii_case(text));
        let columns = header.cells().map(|cell| cell.text.trim().to_owned()).enumerate();
        Self(columns.filter(|(column, text)| is_own(text) && changed != Some(*column as u32)).collect())
    }

    /// The header of a column, if it is one of these.
    fn header(&self, column: Option<u32>) -> Option<&str> {
        self.0.iter().find(|(index, _)| Some(*index as u32) == column).map(|(_, header)| header.as_str())
    }

    /// Tells what the cells of a row say, wherever the columns stand.
    pub(super) fn digest(&self, row: &Row) -> u64 {
        let cells = self.0.iter().map(|(column, header)| (header.as_str(), row.cell(*column).text.trim()));
        let mut filled: Vec<(&str, &str)> = cells.filter(|(_, text)| !text.is_empty()).collect();
        filled.sort_unstable();
        let mut hasher = DefaultHasher::new();
        filled.hash(&mut hasher);
        hasher.finish()
    }

    /// The row at hand with what the cells of another row say, which has the columns `from`.
    fn moved(&self, row: &Row, earlier: &Row, from: &NamedColumns) -> Row {
        let mut moved = row.clone();
        let mut taken = HashSet::new();
        for (column, header) in &self.0 {
            moved.pad(column + 1);
            let source = from.0.iter().find(|(source, name)| name == header && !taken.contains(source));
            let cell = source.map_or(Cell::BLANK, |(source, _)| earlier.cell(*source));
            taken.extend(source.map(|(source, _)| *source));
            moved.replace(*column, cell.text, cell.value);
        }
        moved
    }
}

impl EarlierRows {
    /// The rows of the run that wrote a file; none where no journal of this account and machine has them. `done` reads
    /// the rows of the file that are done.
    ///
    /// # Errors
    /// Where the file or the folder of journals cannot be read.
    pub(super) fn find(
        account: &Account,
        input: &mut InputSet,
        file: usize,
        done: impl FnOnce(&mut InputSet) -> Result<Vec<ReportedRow>>,
    ) -> Result<Option<Self>> {
        let undone = account.run_store().undone()?;
        if let Some(run) = input.run_of(file)? {
            return Ok(journal_of(account, &run)?.and_then(|journal| Self::open(account, &journal, &undone, true)));
        }
        let path = path_of(&input.files[file].input);
        let done = done(input)?;
        let mut best: Option<(usize, Self)> = None;
        for (is_named, journal) in candidates(account, path.as_deref())? {
            // A journal that cannot be read says nothing; `runs` shows what is wrong with it.
            let Some(rows) = Self::open(account, &journal, &undone, is_named) else { continue };
            if is_named {
                return Ok(Some(rows));
            }
            let as_read = done.iter().filter(|row| rows.is_as_read(row)).count();
            if as_read == done.len() {
                return Ok(Some(rows));
            }
            let known = as_read + done.iter().filter(|row| rows.place(row).is_some()).count();
            if known > best.as_ref().map_or(0, |(most, _)| *most) {
                best = Some((known, rows));
            }
        }
        Ok(best.map(|(_, rows)| rows))
    }

    /// The rows of a journal, if it is of an import into the account that stands.
    fn open(account: &Account, path: &Path, undone: &HashSet<String>, is_named: bool) -> Option<Self> {
        let journal = Journal::open_read_only(path).ok()?;
        let is_import = is_import_into(account, &journal, undone).unwrap_or(false);
        is_import.then(|| Self::read(journal, account.run_store(), is_named).ok()).flatten()
    }

    fn read(journal: Journal, store: RunStore, is_named: bool) -> Result<Self, JournalError> {
        let header = journal.header()?;
        let started = journal.started_at()?;
        let began = journal.account_snapshot()?.by_service_clock(started);
        let sheets = journal.sheets()?;
        let columns =
            |sheet: &SheetHeader| NamedColumns::of(&sheet.header, sheet.column_of(TimestampColumn::Updated.name()));
        let columns: Vec<NamedColumns> = sheets.iter().map(columns).collect();
        let (mut places, mut digests, mut contradicted) = (HashMap::new(), HashSet::new(), HashSet::new());
        for (index, sheet) in sheets.iter().enumerate().filter(|(_, sheet)| sheet.owner.is_none()) {
            let entity = sheet.entity.name;
            let mut outcomes = journal.merged_rows(&sheets, index as u16, Unfinished::Open);
            let (mut position, mut ended) = (0, Ok(()));
            journal.each_row(index as u16, &mut |row| {
                let digest = columns[index].digest(row);
                digests.insert((entity, digest));
                match outcomes.next() {
                    Some(Ok(finished)) => {
                        for problem in &finished.outcome.problems {
                            let header = columns[index].header(problem.column);
                            if let Some(header) = header.filter(|_| problem.code() == Code::RecordContradicted) {
                                contradicted.insert((entity, header.to_owned(), problem.found.trim().to_owned()));
                            }
                        }
                        if let Some(record) = finished.outcome.id {
                            let status = finished.outcome.status;
                            let records = finished.records;
                            let is_carried = match &records {
                                Some(records) => records.is_own_carried,
                                None => finished.ending == RowEnding::Carried,
                            };
                            // Of a carried one, the run before may know it.
                            let changed = finished.changed_at.or((!is_carried).then_some(began));
                            let sheet = index as u16;
                            let place = EarlierPlace { sheet, position, digest, status, records, changed };
                            let known = places.entry((entity, record)).or_insert_with(|| place.clone());
                            // A second row of a record is a problem: the first one counts.
                            if !(known.status.is_done() || known.is_own_done()) {
                                *known = place;
                            }
                        }
                        position += 1;
                        ControlFlow::Continue(())
                    }
                    Some(Err(error)) => {
                        ended = Err(error);
                        ControlFlow::Break(())
                    }
                    None => ControlFlow::Break(()),
                }
            })?;
            ended?;
        }
        let status = |sheet: &SheetHeader| {
            sheet.header.cells().position(|cell| cell.text.trim().eq_ignore_ascii_case(OF_RESULT[0]))
        };
        Ok(Self {
            run: EarlierRun { id: header.id, is_named },
            began: started,
            store,
            before: header.details.results_of.into_iter().collect(),
            opened: RefCell::default(),
            statuses: sheets.iter().map(status).collect(),
            journal,
            columns,
            places,
            digests,
            contradicted,
        })
    }

    /// Whether a row that is done says what it said when the run read it.
    pub(super) fn is_as_read(&self, row: &ReportedRow) -> bool {
        match row.record {
            Some(_) => self.place(row).is_some_and(|place| place.digest == row.digest),
            None => self.digests.contains(&(row.entity, row.digest)),
        }
    }

    /// The columns of the cells of a row that still say what it failed for: another row of the run changed or deleted what
    /// they name.
    pub(super) fn contradicted(&self, entity: &'static str, row: &Row, columns: &NamedColumns) -> Vec<u32> {
        let is_told = |(column, header): &&(usize, String)| {
            let text = row.cell(*column).text.trim().to_owned();
            self.contradicted.contains(&(entity, header.clone(), text))
        };
        let named = columns.0.iter().filter(|_| !self.contradicted.is_empty());
        named.filter(is_told).map(|(column, _)| *column as u32).collect()
    }

    /// Where the row of the same record is, of which the same became.
    fn place(&self, row: &ReportedRow) -> Option<&EarlierPlace> {
        let place = self.places.get(&(row.entity, row.record?))?;
        (place.status == row.status).then_some(place)
    }

    /// What a row said that is done and says something else by now, under the columns of the row at hand.
    pub(super) fn cells(&self, done: &ReportedRow, row: &Row, columns: &NamedColumns) -> Option<EarlierCells> {
        self.place(done).and_then(|place| self.cells_at(place, done, row, columns))
    }

    /// The further records of a done row that the run has left: a status did not allow its check-out.
    pub(super) fn left(&self, done: &ReportedRow) -> Vec<&'static str> {
        let place = self.place(done).filter(|place| self.is_certain(place) || place.digest == done.digest);
        place.and_then(|place| place.records.as_ref()).map(|records| records.left.clone()).unwrap_or_default()
    }

    fn cells_at(
        &self,
        place: &EarlierPlace,
        reported: &ReportedRow,
        row: &Row,
        columns: &NamedColumns,
    ) -> Option<EarlierCells> {
        if !self.is_certain(place) && place.digest != reported.digest {
            return None;
        }
        let earlier = self.journal.row_at(place.sheet, place.position).ok()??;
        let row = columns.moved(row, &earlier, self.columns.get(usize::from(place.sheet))?);
        Some(EarlierCells { row, changed: self.changed_at(place, reported) })
    }

    /// Whether the row at a place is surely of this run, or of one before it.
    fn is_certain(&self, place: &EarlierPlace) -> bool {
        self.run.is_named || place.own() == RowStatus::Created
    }

    /// When the record of a row was last changed, as far as this run knew; of a carried row, as far as the run before did.
    fn changed_at(&self, place: &EarlierPlace, reported: &ReportedRow) -> Option<Timestamp> {
        let before = || {
            let rows = self.before.get(&place.sheet).and_then(|run| self.open_before(run))?;
            let place = rows.places.get(&(reported.entity, reported.record?))?;
            rows.is_certain(place).then(|| rows.changed_at(place, reported)).flatten()
        };
        place.changed.or_else(before)
    }

    /// Whether this run was done with the own record of a row that is not done, or a run before it: then the row has further
    /// records that failed, or an edit that did not succeed.
    pub(super) fn done_before(&self, reported: &ReportedRow, row: &Row, columns: &NamedColumns) -> DoneEarlier {
        self.place(reported).map_or(DoneEarlier::Never, |place| self.done_at(place, reported, row, columns))
    }

    fn done_at(&self, place: &EarlierPlace, reported: &ReportedRow, row: &Row, columns: &NamedColumns) -> DoneEarlier {
        if place.is_own_done() {
            let cells = self.cells_at(place, reported, row, columns);
            let left = place.records.as_ref().map(|records| records.left.clone()).unwrap_or_default();
            return DoneEarlier::Done { own: place.own(), left, cells };
        }
        self.done_before_place(place, reported, row, columns)
    }

    /// Whether a row of which a dry run tells was done by this run, or before it.
    pub(super) fn done_before_dry_run(&self, told: &ReportedRow, row: &Row, columns: &NamedColumns) -> DoneEarlier {
        let place = told.record.filter(|_| self.run.is_named).and_then(|id| self.places.get(&(told.entity, id)));
        place.map_or(DoneEarlier::Never, |place| self.done_at(place, told, row, columns))
    }

    fn done_before_place(
        &self,
        place: &EarlierPlace,
        reported: &ReportedRow,
        row: &Row,
        columns: &NamedColumns,
    ) -> DoneEarlier {
        let status = self.statuses.get(usize::from(place.sheet)).copied().flatten();
        let read = self.journal.row_at(place.sheet, place.position).ok().flatten();
        let said = status.zip(read).and_then(|(column, read)| RowStatus::parse(read.cell(column).text));
        let Some(said) = said.filter(|said| said.mode != ReportMode::Check) else { return DoneEarlier::Never };
        let Some(rows) = self.before.get(&place.sheet).and_then(|run| self.open_before(run)) else {
            return if said.is_done() { DoneEarlier::Unknown } else { DoneEarlier::Never };
        };
        let before = match rows.places.get(&(reported.entity, reported.record.unwrap_or_default())) {
            Some(before) if before.is_own_done() || !said.is_done() => rows.done_at(before, reported, row, columns),
            _ if said.is_done() => DoneEarlier::Unknown,
            _ => DoneEarlier::Never,
        };
        match (before, &place.records) {
            (DoneEarlier::Done { own, mut left, cells }, Some(records)) => {
                left.retain(|further| !records.done.contains(further));
                DoneEarlier::Done { own, left, cells }
            }
            (before, _) => before,
        }
    }

    fn open_before(&self, run: &EarlierRun) -> Option<Rc<EarlierRows>> {
        let open = || {
            let journal = Journal::open_read_only(&self.store.path(&run.id)).ok()?;
            Self::read(journal, self.store.clone(), run.is_named).ok().map(Rc::new)
        };
        self.opened.borrow_mut().entry(run.id.clone()).or_insert_with(open).clone()
    }

    /// When the run began.
    pub(super) fn began(&self) -> Timestamp {
        self.began
    }

    /// The run, as the next one keeps it.
    pub(super) fn run(&self) -> &EarlierRun {
        &self.run
    }
}

/// Whether a row has written to its record, or has found it as it says.
pub(super) fn has_written(status: RowStatus) -> bool {
    matches!(status, RowStatus::Created | RowStatus::Updated | RowStatus::Unchanged)
}

/// The journal of the run that a file names.
fn journal_of(account: &Account, run: &str) -> Result<Option<PathBuf>> {
    Ok(account.run_store().paths()?.into_iter().find(|(id, _)| id == run).map(|(_, path)| path))
}

fn is_import_into(account: &Account, journal: &Journal, undone: &HashSet<String>) -> Result<bool, JournalError> {
    let header = journal.header()?;
    let stands = journal.phase()?.0 != RunPhase::Planning && !undone.contains(&header.id);
    Ok(stands && header.kind == RunKind::Import && account.has_run(journal, &header)?)
}

/// The journals that may have the rows of a file: first those of runs that wrote to its path, then the others, the
/// newest first. Whether each is one of the first.
fn candidates(account: &Account, path: Option<&Path>) -> Result<Vec<(bool, PathBuf)>> {
    let mut runs = account.run_store().paths()?;
    // A run's id begins with the second in which it began.
    runs.sort_unstable_by(|(left, _), (right, _)| right.cmp(left));
    let wrote = |journal: &Path| path.is_some_and(|path| result_of(journal).is_some_and(|result| result == path));
    let mut found: Vec<(bool, PathBuf)> = runs.into_iter().map(|(_, path)| (wrote(&path), path)).collect();
    found.sort_by_key(|(is_named, _)| Reverse(*is_named));
    Ok(found)
}

/// Where the result of a run was written.
fn result_of(journal: &Path) -> Option<PathBuf> {
    Some(Journal::open_read_only(journal).ok()?.totals().ok()?.result?.path)
}

fn path_of(input: &Input) -> Option<PathBuf> {
    match input {
        Input::Path(path) => std::path::absolute(path).ok(),
        Input::Stdin => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RowStatus::{Failed, NotSent, Updated};

    #[test]
    fn a_row_is_done_with_its_own_record_unless_it_was_carried_and_the_row_failed() {
        for (status, records, expected) in [
            (Updated, None, true),
            (Failed, None, false),
            (Updated, Some((Updated, true)), true),
            (Failed, Some((Updated, false)), true),
            (Failed, Some((Updated, true)), false),
            (Failed, Some((NotSent, false)), false),
        ] {
            let records =
                records.map(|(own, is_own_carried)| RecordEndings { own, is_own_carried, left: vec![], done: vec![] });
            let shown = format!("{status:?} {records:?}");
            let place = EarlierPlace { sheet: 0, position: 0, digest: 0, status, records, changed: None };
            assert_eq!(place.is_own_done(), expected, "{shown}");
        }
    }
}
