//! Checks the rows of a text file on several threads.
//!
//! The file is cut into blocks of records. Helpers take them by turns, parse them and check each row by itself; the caller's
//! thread then compares the rows with those before them, in order, and hands out what is to be told. Of most rows that is
//! nothing, so that they never leave the helper's processor.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{available_parallelism, scope};

use super::{InputRow, InputSet};
use crate::check::{CheckedRow, Checker, RowDigest};
use crate::plan::NameTally;
use crate::table::{ReadError, RecordBlock, RecordBlocks, Row, RowPlace};

/// More helpers wait for the one that cuts.
const MOST_HELPERS: usize = 4;

/// Rows that were checked.
pub(crate) enum CheckedRows<'r> {
    /// So many, of which there is nothing to tell.
    Clean(u64),
    /// One of which there is, or may be.
    Flagged(&'r Row, &'r mut CheckedRow),
}

impl InputSet {
    /// Checks the rows below the header of a sheet that makes no further records, and counts the names that they say.
    ///
    /// # Errors
    /// Where the file cannot be read to its end.
    pub(crate) fn each_checked_in_parallel(
        &mut self,
        sheet: usize,
        checker: &mut Checker<'_>,
        names: &mut NameTally,
        on_rows: &mut dyn FnMut(CheckedRows<'_>),
    ) -> Result<(), ReadError> {
        let helpers = available_parallelism().map_or(1, usize::from).min(MOST_HELPERS);
        self.each_checked_by_helpers(helpers, sheet, checker, names, on_rows)
    }

    fn each_checked_by_helpers(
        &mut self,
        helpers: usize,
        sheet: usize,
        checker: &mut Checker<'_>,
        names: &mut NameTally,
        on_rows: &mut dyn FnMut(CheckedRows<'_>),
    ) -> Result<(), ReadError> {
        let workbook = &mut self.files[self.sheets[sheet].file].workbook;
        let blocks = if helpers > 1 { workbook.blocks()? } else { None };
        let Some(blocks) = blocks else {
            let mapping = checker.mapping();
            self.each_checked(sheet, checker, &mut |InputRow { typed, filled }, checked| {
                names.observe(sheet, mapping, filled, checked);
                on_rows(CheckedRows::Flagged(typed, checked));
            })?;
            return Ok(());
        };
        let source = Mutex::new(Source { blocks, first: checker.mapping().header_row + 1 });
        // Helpers may run this many blocks ahead, so that a slow block does not hold up the others and memory stays bounded.
        let (taken, incoming) = sync_channel(2 * helpers);
        let end = scope(|scope| {
            let start = |_| {
                let helper = Helper { sheet, checker: checker.helper() };
                let (source, taken) = (&source, taken.clone());
                scope.spawn(move || helper.work(source, &taken))
            };
            let threads: Vec<_> = (0..helpers).map(start).collect();
            drop(taken);
            let mut end = Ok(());
            for block in incoming {
                // A helper that panicked sends no block; its panic is passed on below.
                let Ok(block) = block.recv() else { continue };
                // What comes behind a fault of the file is not read.
                if end.is_ok() {
                    end = block.and_then(|block| block.hand_out(checker, names, on_rows));
                }
            }
            for thread in threads {
                match thread.join() {
                    Ok(helper) => checker.absorb(&helper.checker),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            end
        });
        self.sheets[sheet].learn_from(checker);
        end
    }
}

/// A block that a helper has taken; it arrives when it is checked.
type PendingBlock = Receiver<Result<CheckedBlock, ReadError>>;

/// What the helpers share.
struct Source {
    blocks: RecordBlocks,
    /// The number of the first row below the header.
    first: u64,
}

/// A thread's own.
struct Helper<'m> {
    sheet: usize,
    checker: Checker<'m>,
}

/// A block whose rows were checked by themselves.
struct CheckedBlock {
    block: RecordBlock,
    /// Of every row, with its place in the block.
    digests: Vec<(RowDigest, RowPlace)>,
    flagged: Vec<FlaggedRow>,
    names: NameTally,
    /// What is wrong with the file behind these rows.
    end: Result<(), ReadError>,
}

/// A row of which there may be something to tell.
struct FlaggedRow {
    typed: Row,
    /// The row as it counts, where that is another.
    filled: Option<Row>,
    checked: CheckedRow,
}

impl<'m> Helper<'m> {
    /// Checks blocks until there are no more. Each is announced in its turn when it is taken.
    fn work(mut self, source: &Mutex<Source>, taken: &SyncSender<PendingBlock>) -> Self {
        let mut row = Row::default();
        loop {
            let (done, pending) = sync_channel(1);
            let (first, block) = {
                let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(block) = source.blocks.next() else { return self };
                if taken.send(pending).is_err() {
                    return self;
                }
                (source.first, block)
            };
            let checked = block.map(|block| self.check(block, first, &mut row));
            if done.send(checked).is_err() {
                return self;
            }
        }
    }

    fn check(&mut self, mut block: RecordBlock, first: u64, row: &mut Row) -> CheckedBlock {
        let (mut digests, mut flagged, mut checked) = (Vec::new(), Vec::new(), CheckedRow::default());
        let mut names = NameTally::default();
        let mapping = self.checker.mapping();
        let end = block.each_row(row, &mut |row, place| {
            if row.number < first {
                return;
            }
            let (filled, digest) = self.checker.check_alone(row, &mut checked);
            names.observe(self.sheet, mapping, filled, &checked);
            digests.push((digest, place));
            if digest.is_flagged {
                flagged.push(FlaggedRow::new(row, filled, std::mem::take(&mut checked)));
            }
        });
        CheckedBlock { block, digests, flagged, names, end }
    }
}

impl FlaggedRow {
    fn new(typed: &Row, filled: &Row, checked: CheckedRow) -> Self {
        let filled = (!std::ptr::eq(typed, filled)).then(|| filled.clone());
        Self { typed: typed.clone(), filled, checked }
    }

    /// Reads a row and checks it by itself once more.
    fn again(block: &mut RecordBlock, place: RowPlace, checker: &mut Checker<'_>) -> Result<Self, ReadError> {
        let (mut row, mut checked) = (Row::default(), CheckedRow::default());
        block.read_again(place, &mut row)?;
        let (filled, _) = checker.check_alone(&row, &mut checked);
        Ok(Self::new(&row, filled, checked))
    }
}

impl CheckedBlock {
    /// Compares the rows with all before them, and hands them out.
    fn hand_out(
        mut self,
        checker: &mut Checker<'_>,
        names: &mut NameTally,
        on_rows: &mut dyn FnMut(CheckedRows<'_>),
    ) -> Result<(), ReadError> {
        checker.note_share_read(self.block.share_read);
        checker.expect_digests(self.digests.iter().map(|(digest, _)| digest));
        let (mut flagged, mut again) = (self.flagged.into_iter(), None);
        let mut clean = 0;
        for (digest, place) in &self.digests {
            let repetition = checker.compare(digest);
            let row = match (digest.is_flagged, repetition.is_any()) {
                (true, _) => flagged.next(),
                // Clean by itself, it is told of because of an earlier one.
                (false, true) => {
                    let again = again.get_or_insert_with(|| checker.helper());
                    Some(FlaggedRow::again(&mut self.block, *place, again)?)
                }
                (false, false) => None,
            };
            let Some(mut row) = row else {
                checker.note_clean();
                clean += 1;
                continue;
            };
            let filled = row.filled.as_ref().unwrap_or(&row.typed);
            checker.note_flagged(&row.typed, &row.checked);
            checker.complete((&row.typed, filled), repetition, &mut row.checked);
            on_rows(CheckedRows::Flagged(&row.typed, &mut row.checked));
        }
        on_rows(CheckedRows::Clean(clean));
        names.merge(self.names);
        self.end
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fmt::Write as _;

    use super::*;
    use crate::check::{Aliases, Inference};
    use crate::observer::NoObserver;
    use crate::run::input::{InputOptions, RowRules, SheetFilter};

    /// An inventory of some blocks with all that rows can be, far apart and near.
    fn inventory() -> String {
        let mut text = String::from("Asset Tag,Model,Status,Serial,Purchase Date,Purchase Cost,Supplier,,Notes\n");
        for row in 0..4_000 {
            let mut cells = [
                format!("LAP-{row}"),
                format!("Model {}", row % 7),
                String::from("In Use"),
                format!("S{row}"),
                String::from("2024-01-31"),
                (row % 900).to_string(),
                format!("Supplier {}", row % 40),
                String::new(),
                String::from("kept at home, with \"\"care\"\""),
            ];
            match row {
                9 | 2_000 => cells[0] = String::from("LAP-3"),
                700 | 3_900 => cells[0] = format!("lap-{}", row - 1),
                11 | 2_500 => cells[3] = String::from("S5"),
                20 | 3_000 => cells[4] = String::from("13/02/2024"),
                21 => cells[4] = String::from("03/02/2024"),
                30 | 3_100 => cells[5] = String::from("12.5"),
                40 | 2_200 => cells[1].clear(),
                50 | 3_300 => cells[2] = String::from("n/a"),
                60 | 2_700 => cells[7] = String::from("beside"),
                70 | 2_800 => cells[8] = String::from("two\nlines"),
                80 => {
                    cells = "Asset Tag,Model,Status,Serial,Purchase Date,Purchase Cost,Supplier,,Notes"
                        .split(',')
                        .map(String::from)
                        .collect::<Vec<_>>()
                        .try_into()
                        .unwrap()
                }
                3_999 => cells = ["Total", "", "", "", "", "12", "", "", ""].map(String::from),
                _ => {}
            }
            let quoted = cells.map(|cell| if cell.contains([',', '\n', '"']) { format!("\"{cell}\"") } else { cell });
            writeln!(text, "{}", quoted.join(",")).unwrap();
        }
        text
    }

    /// Everything that a check by so many helpers tells; by one, row by row. And how many rows were only counted.
    fn told_by(helpers: usize) -> (Vec<String>, u64) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("assets.csv");
        std::fs::write(&path, inventory()).unwrap();
        let options = InputOptions { files: vec![path], ..InputOptions::default() };
        let mut input = InputSet::open(&options, SheetFilter::Any, &mut NoObserver).unwrap();
        let (sheets, rules) = (input.sheet_rules(), RowRules::new(input.rules.clone()));
        let mut checker = input.checkers(&sheets, &rules).remove(0);
        loop {
            checker.rewind();
            let (mut names, mut told, mut rows, mut clean) = (NameTally::default(), Vec::new(), 0, 0);
            let mut take = |checked: CheckedRows<'_>| match checked {
                CheckedRows::Clean(count) => (rows, clean) = (rows + count, clean + count),
                CheckedRows::Flagged(row, checked) => {
                    rows += 1;
                    if checked.is_flagged() {
                        let (number, problems, remarks) = (row.number, &checked.problems, &checked.remarks);
                        told.push(format!("{number} {problems:?} {remarks:?} {:?}", checked.missing));
                    }
                }
            };
            input.each_checked_by_helpers(helpers, 0, &mut checker, &mut names, &mut take).unwrap();
            if checker.infer_formats() == Inference::NeedsSecondPass {
                continue;
            }
            told.push(format!("{rows} {:?} {:?}", checker.column_facts(), checker.remarks()));
            told.push(format!("{:?}", names.report(None, &Aliases::default())));
            return (told, clean);
        }
    }

    #[test]
    fn helpers_tell_what_one_thread_tells() {
        let (alone, counted) = told_by(1);
        assert!(alone.len() > 14 && counted == 0, "{alone:#?}");
        for helpers in [2, 3] {
            let (told, counted) = told_by(helpers);
            assert_eq!(told, alone, "{helpers}");
            assert!(counted > 3_000, "of most rows there is nothing to tell: {counted}");
        }
    }
}
